"""/fortschritt: numbers over time, downloads, and what is answered where there is nothing to show."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import replace

import openpyxl
import pytest
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from mapservice.layers.progress import MOST_DAYS, days_between
from tests.asking import client_of
from tests.entries import INTERNAL, add_entry, add_service, change_entry, set_publication
from tests.past import berlin, date_back

MUENSTER, HAMM, TELGTE, WARENDORF = "055150000000", "059150000000", "055700044044", "055700000000"


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    """Münster: 10500 planned in January, online since March; 10501 online since January. Telgte: 10500 in
    progress since March. Hamm's online entry of January is internal.
    """
    database = module_boundaries
    with database.owner() as connection:
        for key in ("10500", "10501"):
            add_service(connection, key, subject_area_id=3)
        for ars in (MUENSTER, TELGTE, HAMM):
            set_publication(connection, ars)
        first = add_entry(connection, MUENSTER, "10500", status=3)
        add_entry(connection, MUENSTER, "10501")
        date_back(connection, berlin("2026-01-10 12:00+01:00"))
    with database.owner() as connection:
        add_entry(connection, HAMM, "10500", visibility=INTERNAL)
        date_back(connection, berlin("2026-01-20 12:00+01:00"))
    with database.owner() as connection:
        change_entry(connection, first, status=1)
        add_entry(connection, TELGTE, "10500", status=2)
        date_back(connection, berlin("2026-03-31 23:30+02:00"))
    with client_of(database, cache_mb=0) as client:
        yield client


def table(client: FlaskClient, query: str) -> dict[str, list[str]]:
    """Cells behind the day, by day."""
    response = client.get(f"/fortschritt.csv?{query}")
    assert response.status_code == 200, response.text
    text = response.data.decode("utf-8-sig").split("\r\n\r\n")[0]
    head, *rows = csv.reader(io.StringIO(text), delimiter=";")
    assert head[:2] == ["Tag", "Behörden mit Angaben"]
    return {row[0]: row[1:6] for row in rows}


def test_one_authority_over_time(client: FlaskClient) -> None:
    found = table(client, f"authority={MUENSTER}")
    assert found["10.01.2026"] == ["1", "1", "0", "1", "2"]
    assert found["28.02.2026"] == ["1", "1", "0", "1", "2"]
    assert found["31.03.2026"] == ["1", "2", "0", "0", "2"]
    assert list(found)[-1] == f"{dt.datetime.now(dt.UTC):%d.%m.%Y}"


def test_a_region_sums_those_that_have_data(client: FlaskClient) -> None:
    found = table(client, "within=05")
    assert found["31.01.2026"] == ["1", "1", "0", "1", "2"]
    assert found["31.03.2026"] == ["2", "2", "1", "0", "4"]


def test_a_list_and_a_group(client: FlaskClient) -> None:
    assert table(client, f"authority={MUENSTER}&authority={TELGTE}")["31.03.2026"][0] == "2"
    assert table(client, "group=municipalities:05570")["31.03.2026"] == ["1", "0", "1", "0", "2"]


def test_the_page_shows_chart_table_and_subjects(client: FlaskClient) -> None:
    page = client.get(f"/fortschritt?authority={MUENSTER}").text
    assert "Heute sind 2 von 2 Leistungen online. Am 10.01.2026 waren es 1." in page
    assert 'role="img"' in page
    assert "progress__area--online" in page
    assert "Bildung" in page
    assert "style=" not in page.split("<main")[1].split("</main>")[0]
    english = client.get(f"/fortschritt?authority={MUENSTER}&lang=en").text
    assert "Today, 2 of 2 services are online" in english


def test_a_typed_name_and_an_unclear_one(client: FlaskClient) -> None:
    assert "Heute sind 0 von 2 Leistungen online" in client.get("/fortschritt?authority=Telgte").text
    unknown = client.get("/fortschritt?authority=Xyzzyqq")
    assert unknown.status_code == 200
    assert "ist keine Behörde bekannt" in unknown.text


def test_what_is_internal_or_missing_is_no_data(client: FlaskClient) -> None:
    page = client.get(f"/fortschritt?authority={HAMM}").text
    assert "liegen keine Angaben vor" in page
    assert "progress__area" not in page
    assert table(client, f"authority={HAMM}")["31.01.2026"] == ["0", "", "", "", ""]
    assert "20.01.2026" not in page


def test_a_workbook_opens(client: FlaskClient) -> None:
    response = client.get(f"/fortschritt.xlsx?authority={MUENSTER}")
    book = openpyxl.load_workbook(io.BytesIO(response.data))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[1][0] == dt.datetime(2026, 1, 10)  # noqa: DTZ001 - a day has no time zone
    assert rows[1][2:6] == (1, 0, 1, 2)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("authority=055150000000&within=05", 400, "Entweder Behörden"),
        ("within=abc", 400, "kein Gebietsschlüssel"),
        ("within=99", 404, "gibt es im aktuellen Gebietsstand nicht"),
        ("group=gibtsnicht", 404, "gibt es nicht"),
        ("&".join(f"authority=05570{n:07}" for n in range(61)), 400, "Höchstens 60"),
        ("authority=055150000000&authority=Nirgendwo", 400, "keine Behörde bekannt"),
        ("farbe=rot", 400, "gibt es hier nicht"),
    ],
)
def test_bad_questions_are_answered(client: FlaskClient, query: str, status: int, said: str) -> None:
    response = client.get(f"/fortschritt?{query}")
    assert response.status_code == status
    assert said in response.text


def test_days() -> None:
    day = dt.date
    weeks = days_between(day(2026, 1, 10), day(2026, 1, 20))
    assert weeks == (day(2026, 1, 10), day(2026, 1, 11), day(2026, 1, 18), day(2026, 1, 20))
    months = days_between(day(2026, 1, 10), day(2026, 4, 2))
    assert months == (day(2026, 1, 10), day(2026, 1, 31), day(2026, 2, 28), day(2026, 3, 31), day(2026, 4, 2))
    assert days_between(day(2026, 1, 1), day(2026, 1, 1)) == (day(2026, 1, 1),)
    long = days_between(day(1990, 1, 1), day(2026, 1, 1))
    assert len(long) == MOST_DAYS
    assert long[-1] == day(2026, 1, 1)


def test_where_the_record_begins_today_nothing_is_said_about_then(boundaries_loaded: Database) -> None:
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500", subject_area_id=3)
        set_publication(connection, MUENSTER)
        add_entry(connection, MUENSTER, "10500")
    app = create_app(replace(boundaries_loaded.settings, cache_mb=0), boundaries_loaded)
    try:
        page = app.test_client().get(f"/fortschritt?authority={MUENSTER}").text
    finally:
        app.extensions["mapservice"].versions.close()
    assert "Heute sind 1 von 1 Leistungen online. Die Aufzeichnung beginnt heute." in page
    assert "waren es" not in page


def test_progress_and_target_lists_lead_to_each_other(client: FlaskClient) -> None:
    assert 'href="/fortschritt/liste"' in client.get("/fortschritt").text.split("<main")[1]
    assert 'href="/fortschritt"' in client.get("/fortschritt/liste").text.split("<main")[1]
