"""/nachbarn: its map, its files, its pages and its other language, and that a withdrawal reaches them all."""

from __future__ import annotations

import datetime as dt
import io
import re

from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from mapservice.database import Database
from mapservice.models import Authority
from tests.around import DOG, MUENSTER, OSTBEVERN, TELGTE
from tests.asking import csv_records
from tests.entries import INTERNAL, add_entry, change_entry, set_publication
from tests.neighbours.conftest import Enter
from tests.neighbours.reading import mail, names, page, why


def test_the_map_has_a_mark_for_each_row_that_leads_to_it(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER)
    enter(OSTBEVERN, status=3)
    found = page(client, authority=TELGTE, service=DOG)
    marks = {mark.get("href"): mark.get("aria-label") for mark in found.xpath("//svg//a")}
    assert marks == {
        "#n1": "1: Münster (Kreisfreie Stadt), online",
        "#n2": "2: Ostbevern (Gemeinde), in Planung",
    }
    for target in marks:
        assert len(found.xpath(f"//*[@id='{target[1:]}']")) == 1
    shapes = found.xpath("//svg//a/*[contains(@class, 'smap__sign')]")
    assert [shape.tag for shape in shapes] == ["circle", "rect"]


def test_a_withdrawal_takes_it_off_list_map_and_files(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    entry = enter(MUENSTER, url="https://muenster.example", contact="hunde@muster.example", contact_kind=1)
    for address in ("/nachbarn", "/nachbarn.csv"):
        assert "https://muenster.example" in client.get(f"{address}?authority={TELGTE}&service={DOG}").text
    with database.owner() as connection:
        change_entry(connection, entry, visibility=INTERNAL)
    for address in ("/nachbarn", "/nachbarn.csv"):
        text = client.get(f"{address}?authority={TELGTE}&service={DOG}").text
        assert "muenster.example" not in text
        assert "hunde@" not in text
        assert "Münster (Kreisfreie Stadt), online" not in text


def test_csv_and_workbook_hold_what_the_page_shows(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, url="https://muenster.example", as_of=dt.date(2026, 5, 1), reusable=True)
    enter(OSTBEVERN, status=3)
    response = client.get(f"/nachbarn.csv?authority={TELGTE}&service={DOG}")
    table = csv_records(response)
    assert [(row["Platz"], row["Behörde"], row["Status"]) for row in table] == [
        ("1", "Münster (Kreisfreie Stadt)", "online"),
        ("2", "Ostbevern (Gemeinde)", "in Planung"),
    ]
    assert table[0]["gemeinsame Grenze (km)"] == "18,1"
    assert table[0]["Nachnutzung angeboten"] == "ja"
    assert table[0]["Stand"] == "01.05.2026"
    assert table[1]["im selben Kreis"] == "ja"
    book = load_workbook(io.BytesIO(client.get(f"/nachbarn.xlsx?authority={TELGTE}&service={DOG}").data))
    assert [row[1].value for row in book["Tabelle"].iter_rows(min_row=2)] == [row["Behörde"] for row in table]
    assert client.get("/nachbarn.csv").status_code == 400
    assert client.get(f"/nachbarn.csv?authority={TELGTE}&service=10999").status_code == 404


def test_a_long_list_has_pages_that_continue_the_numbers(client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        near = connection.scalars(select(Authority.ars).where(Authority.ars.like("0733450%"))).all()
        for ars in near:
            set_publication(connection, ars)
            add_entry(connection, ars, DOG, 1)
    first = page(client, authority="073345001001", service=DOG)
    second = page(client, authority="073345001001", service=DOG, page="2")
    assert len(names(first)) == 25
    assert names(second)
    assert not set(names(first)) & set(names(second))
    assert second.xpath("//ol[@class='hits__list']/@start") == ["26"]
    assert second.xpath("//svg//a/@href")[0] == "#n26"


def test_the_page_is_there_in_english(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, contact="hunde@muster.example", contact_kind=1)
    found = page(client, authority=TELGTE, service=DOG, lang="en")
    assert "shared border" in why(found.xpath("//li[@id='n1']")[0])
    assert "Reuse" in mail(found)[1]
    assert found.xpath("//form//input[@name='lang']/@value") == ["en"]
    (other,) = found.xpath("//a[@id='language-link']/@href")
    assert re.search(r"authority=\d+", other)
    assert "service=" in other
