"""Downloads as the programs see them that people open them with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from mapservice import create_app
from mapservice.database import Database
from tests.entries import add_entry, add_service, set_publication

MUENSTER, WARENDORF = "055150000000", "055700000000"
EVIL = '=HYPERLINK("https://boese.example";"hier")'


@pytest.fixture
def filled(boundaries_loaded: Database) -> Database:
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500", name=EVIL)
        add_service(connection, "10501", subject_area_id=6, name="Elterngeld")
        for ars in (MUENSTER, WARENDORF):
            set_publication(connection, ars)
        add_entry(connection, MUENSTER, "10500")
        add_entry(connection, MUENSTER, "10501", demonstration=True)
        add_entry(connection, WARENDORF, "10501", status=2)
        connection.exec_driver_sql(f"UPDATE boundary SET name = '{EVIL}' WHERE ars = '{WARENDORF}'")
        connection.exec_driver_sql(f"UPDATE boundary SET designation = '-1+2' WHERE ars = '{MUENSTER}'")
    return boundaries_loaded


@pytest.fixture
def client(filled: Database) -> Iterator[FlaskClient]:
    app = create_app(replace(filled.settings), filled)
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


def read_csv(client: FlaskClient, address: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The rows by column, and the notes below them."""
    response = client.get(address)
    assert response.status_code == 200, response.text[:300]
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=";"))
    end = lines.index([])
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:end]]
    return rows, dict(lines[end + 1 :])


def read_xlsx(client: FlaskClient, address: str) -> tuple[list[dict[str, Any]], dict[str, Any], Any]:
    response = client.get(address)
    assert response.status_code == 200
    assert "ozg-landkarte-" in response.headers["Content-Disposition"]
    book = load_workbook(io.BytesIO(response.data))
    table, about = book.worksheets
    head, *lines = table.iter_rows(values_only=True)
    rows = [dict(zip((str(name) for name in head), line, strict=True)) for line in lines]
    return rows, {str(name): said for name, said in about.iter_rows(values_only=True)}, table


def test_csv_holds_the_table_and_says_what_it_is(client: FlaskClient) -> None:
    rows, notes = read_csv(client, "/tabelle.csv?sort=-value")
    assert len(rows) == 9
    assert rows[0]["Schlüssel"] == "05515"
    assert (rows[0]["Leistungen"], rows[0]["von Leistungen"], rows[0]["online"]) == ("2", "2", "2")
    assert {row["Ohne Wert, weil"] for row in rows} == {"", "keine Angaben"}
    assert {row["Hinweis"] for row in rows} == {"Demonstrationsdaten, frei erfunden"}
    assert notes["Titel"].startswith("Zahl der Online-Leistungen – Angebote der Kreise")
    assert notes["Ergebnis"].startswith("In 1 von 9 Kreisen")
    assert "BKG" in notes["Quellenvermerk"]
    assert notes["Datenstand"]
    assert notes["Adresse"] == "http://localhost/tabelle"


def test_no_cell_of_the_csv_starts_a_formula(client: FlaskClient) -> None:
    text = client.get("/tabelle.csv?service=10500").data.decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(text), delimiter=";") for cell in line]
    assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []
    assert f"'{EVIL}" in cells
    assert "'-1+2" in cells


def test_xlsx_holds_numbers_as_numbers_and_text_as_text(client: FlaskClient) -> None:
    rows, notes, sheet = read_xlsx(client, "/tabelle.xlsx?measure=share&within=05515&within=05570")
    by_key = {row["Schlüssel"]: row for row in rows}
    assert by_key["05515"]["Anteil (0 bis 1)"] == 1
    assert by_key["05515"]["Zähler"] == 2
    assert by_key["05570"]["Anteil (0 bis 1)"] == 0
    assert by_key["05570"]["Gebiet"] == EVIL
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert notes["Hinweis"] == "Demonstrationsdaten, frei erfunden"
    assert notes["Titel"].startswith("Anteil der Online-Leistungen")


def test_notes_say_which_entries_count(client: FlaskClient) -> None:
    """Kind, maturity and day in the sentence, and the whole filter in the address."""
    filters = "kind=efa&maturity=1.1:2&confirmed=2026-01-31"
    for notes in (
        read_csv(client, f"/tabelle.csv?{filters}")[1],
        read_xlsx(client, f"/tabelle.xlsx?{filters}")[1],
    ):
        for said in (
            "Lösungsart Einer für Alle (EfA)",
            "Reifegrad ab 2 (Modell 1.1)",
            "bestätigt seit 31.01.2026",
        ):
            assert said in notes["Ergebnis"]
        sent = dict(parse_qsl(urlsplit(notes["Adresse"]).query))
        assert sent == dict(parse_qsl(filters))


def test_numbers_are_those_of_the_map(client: FlaskClient) -> None:
    rows, _ = read_csv(client, "/tabelle.csv?level=municipalities&measure=share")
    answer = client.get("/api/values/municipalities?measure=share&format=keys").json
    assert answer is not None
    assert len(rows) == 91
    for row in rows:
        share = row["Anteil (0 bis 1)"]
        assert (float(share.replace(",", ".")) if share else None) == answer["values"].get(row["Schlüssel"])


def test_english_downloads_and_wrong_filters(client: FlaskClient) -> None:
    rows, notes = read_csv(client, "/tabelle.csv?lang=en&measure=share&within=05515")
    assert rows[0]["Share (0 to 1)"] == "1.0"
    assert notes["Title"].startswith("Share of online services")
    assert client.get("/tabelle.csv?measure=status").status_code == 400
    assert client.get("/tabelle.xlsx?within=99").status_code == 404


def test_a_download_is_asked_again_with_its_etag(client: FlaskClient) -> None:
    for address in ("/tabelle.csv", "/tabelle.xlsx"):
        etag = client.get(address).headers["ETag"]
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_the_table_links_to_its_downloads(client: FlaskClient) -> None:
    page = client.get("/tabelle?level=states&status=planned&page=1&sort=-value").text
    assert 'href="/tabelle.csv?level=states&amp;status=planned&amp;sort=-value"' in page
    assert 'href="/tabelle.xlsx?level=states&amp;status=planned&amp;sort=-value"' in page
    # What has no rows to sort has no sorting.
    assert 'href="/karte.png?level=states&amp;status=planned"' in page
    assert 'href="/karte.svg?level=states&amp;status=planned"' in page
    assert 'href="/karte.pdf?level=states&amp;status=planned"' in page
    assert 'href="/karte.pdf?level=states&amp;status=planned&amp;paper=a3"' in page
    assert 'href="/api/layers/states.geojson?status=planned"' in page
    assert client.get("/api/layers/states.geojson?status=planned").status_code == 200
