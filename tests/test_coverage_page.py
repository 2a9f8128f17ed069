"""/fortschritt/liste: how far a target list has come, and who takes what."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from tests.asking import client_of
from tests.entries import add_entry, add_service, set_publication
from tests.plan_files import load_groups, load_lists

MUENSTER, HAMM, WARENDORF = "055150000000", "059150000000", "055700000000"
PAST, FUTURE = "01.02.2020", "2099-01-31"


@pytest.fixture
def filled(boundaries_loaded: Database, tmp_path: Path) -> Database:
    """Münster took one service that is online and one that is not; Hamm is not published."""
    with boundaries_loaded.owner() as connection:
        for number, name in enumerate(("Hundesteuer", "Abfall", "Wohngeld", "Parkausweis", "Meldung")):
            add_service(connection, f"1050{number}", name=name)
        set_publication(connection, MUENSTER)
        set_publication(connection, WARENDORF)
        add_entry(connection, MUENSTER, "10500")
        add_entry(connection, MUENSTER, "10501", status=2)
        add_entry(connection, WARENDORF, "10501")
    load_lists(
        boundaries_loaded,
        tmp_path,
        f"top;Fünf Ziele;10502;{HAMM};Umsetzung;{PAST};heimlich;öffentlich",
        f"top;;10500;{MUENSTER};Umsetzung;{PAST};;öffentlich",
        f"top;;10501;{MUENSTER};Umsetzung;{PAST};Pilot;öffentlich",
        f"top;;10501;{WARENDORF};Information;{PAST};;öffentlich",
        f"top;;10503;Zweckverband <i>;Umsetzung;{FUTURE};;öffentlich",
        "top;;10504;;;;;öffentlich",
        f"geheim;Geheimliste;10500;{MUENSTER};;;;intern",
    )
    load_groups(
        boundaries_loaded, tmp_path, f"zwei;Zwei;{WARENDORF};öffentlich;", f"zwei;;{HAMM};öffentlich;"
    )
    return boundaries_loaded


@pytest.fixture
def client(filled: Database) -> Iterator[FlaskClient]:
    with client_of(filled) as client:
        yield client


def words(markup: str) -> list[str]:
    return [
        " ".join(re.sub(r"<[^>]+>", " ", cell).split())
        for cell in re.findall(r"<t[hd].*?</t[hd]>", markup, re.S)
    ]


def table(page: str, caption: str) -> list[list[str]]:
    part = page[page.index(f'<caption id="{caption}"') :]
    body = part[part.index("<tbody>") : part.index("</tbody>")]
    return [words(row) for row in re.findall(r"<tr.*?</tr>", body, re.S)]


def test_who_takes_what(client: FlaskClient) -> None:
    page = client.get("/fortschritt/liste/top").text
    late = "01.02.2020 überfällig"
    assert table(page, "taken") == [
        ["Wohngeld 10502", "noch niemand", "", "", "", ""],
        ["Hundesteuer 10500", "Münster (Kreisfreie Stadt)", "Umsetzung", "01.02.2020", "online", ""],
        [
            "Abfall 10501",
            "Münster (Kreisfreie Stadt)",
            "Umsetzung",
            late,
            "in Umsetzung",
            "Pilot",
        ],
        ["Abfall 10501", "Warendorf (Kreis)", "Information", "01.02.2020", "online", ""],
        ["Parkausweis 10503", "Zweckverband &lt;i&gt;", "Umsetzung", f"31.01.{FUTURE[:4]}", "", ""],
        ["Meldung 10504", "noch niemand", "", "", "", ""],
    ]
    assert "3 von 5 Leistungen hat jemand übernommen, 2 davon sind dort online. Überfällig: 1." in page
    assert "heimlich" not in page


def test_coverage_of_those_who_take_something_or_of_a_group(client: FlaskClient) -> None:
    assert table(client.get("/fortschritt/liste/top").text, "covered") == [
        ["Münster (Kreisfreie Stadt)", "1", "5", "20 %", "1", "0", "3"],
        ["Warendorf (Kreis)", "1", "5", "20 %", "0", "0", "4"],
    ]
    page = client.get("/fortschritt/liste/top?group=zwei").text
    assert table(page, "covered") == [
        ["Warendorf (Kreis)", "1", "5", "20 %", "0", "0", "4"],
        ["Hamm (Kreisfreie Stadt)", "keine Angaben"],
    ]
    assert "/vergleich?list=top&amp;sort=list&amp;group=zwei" in page


def test_to_take_along(client: FlaskClient) -> None:
    text = client.get("/fortschritt/liste/top.csv").text.removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[3][:8] == [
        "Abfall",
        "10501",
        f"Münster (Kreisfreie Stadt) {MUENSTER}",
        "Umsetzung",
        "01.02.2020",
        "▲ in Umsetzung",
        "ja",
        "Pilot",
    ]
    book = openpyxl.load_workbook(io.BytesIO(client.get("/fortschritt/liste/top.xlsx").data))
    assert book.worksheets[0]["E3"].value.date() == dt.date(2020, 2, 1)
    assert book.worksheets[0].freeze_panes == "C2"


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/fortschritt/liste/nix", 404, "Die Zielliste „nix“ gibt es nicht."),
        ("/fortschritt/liste/geheim", 404, "Die Zielliste „geheim“ gibt es nicht."),
        ("/fortschritt/liste/geheim.csv", 404, "Die Zielliste „geheim“ gibt es nicht."),
        ("/fortschritt/liste/top?group=nix", 404, "Die Gruppe „nix“ gibt es nicht."),
        ("/fortschritt/liste/top?status=online", 400, "Den Parameter „status“ gibt es hier nicht."),
        ("/fortschritt/liste/top?authority=Warendorf", 200, "Welche Behörde ist gemeint?"),
    ],
)
def test_bad_questions(client: FlaskClient, address: str, status: int, said: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text[:3000]


def test_the_lists_that_there_are(client: FlaskClient, filled: Database) -> None:
    page = client.get("/fortschritt/liste").text
    assert "Fünf Ziele" in page
    assert "Geheimliste" not in page
    app = create_app(replace(filled.settings, view="internal"), filled)
    inside = app.test_client()
    assert "Geheimliste" in inside.get("/fortschritt/liste").text
    assert "heimlich" in inside.get("/fortschritt/liste/top").text
    app.extensions["mapservice"].versions.close()
