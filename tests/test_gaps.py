"""/luecken: what others have online and one's own lacks, the reverse, and what cannot be answered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]
from openpyxl import load_workbook
from sqlalchemy import update

from mapservice.database import Database
from mapservice.models import Authority
from tests import around
from tests.around import (
    DISTRICT,
    DOG,
    DOG_REGISTRATION,
    EVERSWINKEL,
    ID_CARD,
    MUENSTER,
    OSTBEVERN,
    SENDENHORST,
    TELGTE,
    WARENDORF,
    refused,
    said,
)
from tests.asking import client_of
from tests.entries import INTERNAL, add_entry, add_service, change_entry

PATH = "/luecken"
BUILDING, CHILD = "10700", "10800"


@pytest.fixture
def database(boundaries_loaded: Database) -> Database:
    with boundaries_loaded.owner() as connection:
        around.add_services(connection)
        add_service(connection, BUILDING, name="Baugenehmigung", declared_kinds=4, responsible=4)
        add_service(connection, CHILD, name="Kita", subject_area_id=6)
        around.publish(connection, (TELGTE, OSTBEVERN, EVERSWINKEL, WARENDORF, DISTRICT, MUENSTER))
        for ars in (OSTBEVERN, EVERSWINKEL, WARENDORF):
            add_entry(connection, ars, DOG, 1)
        add_entry(connection, MUENSTER, DOG_REGISTRATION, 1)
        add_entry(connection, MUENSTER, BUILDING, 1)
        add_entry(connection, EVERSWINKEL, ID_CARD, 1)
        add_entry(connection, OSTBEVERN, CHILD, 1)
        add_entry(connection, WARENDORF, CHILD, 5)
        add_entry(connection, TELGTE, CHILD, 2)
    return boundaries_loaded


@pytest.fixture
def client(database: Database) -> Iterator[FlaskClient]:
    with client_of(database) as client:
        yield client


def page(client: FlaskClient, **parameters: Any) -> Any:
    return around.page(client, PATH, **parameters)


def rows(found: Any) -> list[tuple[str, str, str]]:
    """Section, service and number of each row."""
    return [
        (
            section.xpath("string(.//h3)").strip(),
            row.xpath("string(.//span[@class='table__name'])"),
            row.xpath("string(td[1])").strip(),
        )
        for section in found.xpath("//main//div[@class='gaps']")
        for row in section.xpath(".//tbody/tr")
    ]


def test_what_most_neighbours_have_stands_first_and_what_is_under_way_apart(client: FlaskClient) -> None:
    """LeiKa services count for their bundle; who reports "not responsible" is not in the denominator."""
    found = page(client, authority=TELGTE, around="border")
    assert rows(found) == [
        ("Fehlt bei Ihnen", "Hundehaltung", "4 von 4"),
        ("Fehlt bei Ihnen", "Personalausweis", "1 von 4"),
        ("Bei Ihnen in Umsetzung", "Kita", "1 von 3"),
    ]
    assert "3 OZG-Leistungen haben andere online und Sie nicht" in said(found)
    assert "Ostbevern (Gemeinde) (grenzt an), Münster (Kreisfreie Stadt) (grenzt an)" in said(found)


def test_each_row_leads_to_whom_to_ask(client: FlaskClient) -> None:
    found = page(client, authority=TELGTE, around="border")
    link = found.xpath("//a[starts-with(., 'Wen fragen?')]/@href")[0]
    assert urlsplit(link).path == "/nachbarn"
    assert parse_qs(urlsplit(link).query) == {"authority": [TELGTE], "around": ["border"], "service": [DOG]}
    listed = html.fromstring(client.get(link).text).xpath("//h4//a/text()")
    assert listed[:2] == ["Ostbevern (Gemeinde)", "Münster (Kreisfreie Stadt)"]


def test_only_what_ones_own_kind_is_responsible_for(client: FlaskClient) -> None:
    assert "Baugenehmigung" not in said(page(client, authority=TELGTE))
    assert "Baugenehmigung" in said(page(client, authority=DISTRICT))


def test_what_one_reports_as_not_its_business_is_no_gap(client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        add_entry(connection, TELGTE, DOG, 5)
    assert "Hundehaltung" not in said(page(client, authority=TELGTE))


def test_filters_by_subject_and_own_status(client: FlaskClient) -> None:
    assert [row[1] for row in rows(page(client, authority=TELGTE, subject="familie_kind"))] == ["Kita"]
    assert [row[1] for row in rows(page(client, authority=TELGTE, status="in_progress"))] == ["Kita"]
    assert "Kita" not in said(page(client, authority=TELGTE, status="open"))


def test_the_reverse_says_whom_one_could_help(client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        add_entry(connection, TELGTE, ID_CARD, 1)
    found = page(client, authority=TELGTE, around="border", direction="help")
    assert rows(found) == [("Bei Ihnen online, bei anderen nicht", "Personalausweis", "3 von 4")]
    assert "Ostbevern (Gemeinde) (grenzt an), Münster" in said(found)


def test_those_of_similar_size(client: FlaskClient, database: Database) -> None:
    assert "Die Einwohnerzahl von Telgte (Stadt) ist nicht bekannt" in said(
        page(client, authority=TELGTE, around="similar")
    )
    with database.owner() as connection:
        for ars, population in (
            (TELGTE, 19_000),
            (EVERSWINKEL, 9_000),
            (OSTBEVERN, 11_000),
            (MUENSTER, 19_100),
        ):
            connection.execute(update(Authority).where(Authority.ars == ars).values(population=population))
    found = page(client, authority=TELGTE, around="similar")
    # Münster is of another kind.
    assert "Verglichen mit: 2 Behörden gleicher Art und ähnlicher Größe" in said(found)
    assert rows(found)[0][1:] == ("Hundehaltung", "2 von 2")


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        ({}, "Eigene Behörde"),
        ({"authority": "Xyzzyqwert"}, "keine Behörde bekannt"),
        ({"authority": "000000000000"}, "hat auf der Karte keine Fläche"),
        ({"authority": "031549502502"}, "gemeindefrei"),
        ({"authority": "073345001001"}, "Aus dem Umkreis liegen noch keine Angaben vor"),
        ({"authority": SENDENHORST}, "Von Sendenhorst (Stadt) liegen noch keine Angaben vor"),
        ({"authority": SENDENHORST, "direction": "help"}, "nicht sagen, wem sie helfen kann"),
        ({"authority": EVERSWINKEL, "subject": "umwelt"}, "Hier gibt es keine Lücke"),
    ],
)
def test_what_cannot_be_answered_is_explained(
    client: FlaskClient, parameters: dict[str, str], answer: str
) -> None:
    assert answer in said(page(client, **parameters))


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"around": "weit"}, "around"),
        ({"direction": "quer"}, "direction"),
        ({"status": "online"}, "status"),
        ({"subject": "quatsch"}, "subject"),
        ({"service": DOG}, "service"),
        ({"page": "99", "authority": TELGTE}, "page"),
    ],
)
def test_wrong_parameters_are_named(client: FlaskClient, parameters: dict[str, str], parameter: str) -> None:
    refused(client, PATH, parameters, parameter)


def test_a_withdrawal_takes_it_off(client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        entry = add_entry(connection, DISTRICT, CHILD, 1)
    before = rows(page(client, authority=TELGTE, around="border"))
    with database.owner() as connection:
        change_entry(connection, entry, visibility=INTERNAL)
    after = rows(page(client, authority=TELGTE, around="border"))
    assert [row for row in before if row[1] == "Kita"] == [("Bei Ihnen in Umsetzung", "Kita", "2 von 4")]
    assert [row for row in after if row[1] == "Kita"] == [("Bei Ihnen in Umsetzung", "Kita", "1 von 3")]


def test_workbook_and_english(client: FlaskClient) -> None:
    book = load_workbook(io.BytesIO(client.get(f"/luecken.xlsx?authority={TELGTE}&around=border").data))
    table = [[cell.value for cell in row] for row in book["Tabelle"].iter_rows(min_row=2)]
    assert [row[:3] for row in table] == [
        [1, "Hundehaltung", DOG],
        [2, "Personalausweis", ID_CARD],
        [3, "Kita", CHILD],
    ]
    assert "3 OZG services that others have online" in said(
        page(client, authority=TELGTE, around="border", lang="en")
    )
    assert client.get("/luecken.csv").status_code == 400
