"""stand=YYYY-MM-DD: any past day in every output, and what is said of days that there are not."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapservice.database import Database
from mapservice.layers import past
from tests.asking import client_of
from tests.entries import (
    INTERNAL,
    add_entry,
    add_service,
    change_entry,
    refresh,
    remove_entry,
    set_publication,
)
from tests.past import berlin, date_back

MUENSTER, WARENDORF, TELGTE = "055150000000", "055700000000", "055700044044"


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    """Münster: 10500 planned on 10 January, online since half an hour before the end of 31 March; 10501
    online from 10 January to 30 June. Telgte: 10500 online since 10 January, internal until today. Warendorf
    reports something internal on 1 January.
    """
    database = module_boundaries
    with database.owner() as connection:
        for key in ("10500", "10501"):
            add_service(connection, key, name=f"Leistung {key}", subject_area_id=3)
        set_publication(connection, MUENSTER)
        set_publication(connection, TELGTE)
        set_publication(connection, WARENDORF)
        add_entry(connection, WARENDORF, "10500", visibility=INTERNAL)
        date_back(connection, berlin("2026-01-01 12:00+01:00"))
    with database.owner() as connection:
        first = add_entry(connection, MUENSTER, "10500", status=3)
        second = add_entry(connection, MUENSTER, "10501", url="https://demo.example/alt")
        telgte = add_entry(connection, TELGTE, "10500", visibility=INTERNAL)
        date_back(connection, berlin("2026-01-10 12:00+01:00"))
    with database.owner() as connection:
        change_entry(connection, first, status=1)
        date_back(connection, berlin("2026-03-31 23:30+02:00"))
    with database.owner() as connection:
        remove_entry(connection, second)
        date_back(connection, berlin("2026-07-01 00:30+02:00"))
    with database.owner() as connection:
        change_entry(connection, telgte, visibility=3, status=2)
    with client_of(database, cache_mb=0) as client:
        yield client


def value(client: FlaskClient, day: str | None, ars: str = MUENSTER, **query: Any) -> Any:
    given = {**query, **({"stand": day} if day else {})}
    response = client.get("/api/values/municipalities", query_string=given)
    assert response.status_code == 200, response.text
    content = json.loads(response.data)
    return {**content["values"], **content["reasons"]}[ars]


def test_a_day_is_what_held_at_its_end_in_germany(client: FlaskClient) -> None:
    assert value(client, None) == 1
    assert value(client, "2026-01-10") == 1
    assert value(client, "2026-03-30", status="planned") == 1
    assert value(client, "2026-03-31", status="planned") == 0
    assert value(client, "2026-03-31") == 2
    assert value(client, "2026-06-30") == 2
    assert value(client, "2026-07-01") == 1


def test_what_was_internal_then_and_is_public_now_is_shown(client: FlaskClient) -> None:
    """The visibility of the past follows the present one, in both directions."""
    assert value(client, "2026-02-01", TELGTE) == 1
    assert value(client, None, TELGTE) == 0
    assert value(client, None, TELGTE, status="in_progress") == 1


def test_a_withdrawal_works_backwards(client: FlaskClient, module_boundaries: Database) -> None:
    with module_boundaries.owner() as connection:
        set_publication(connection, TELGTE, INTERNAL)
    assert value(client, "2026-02-01", TELGTE) == "no_data"
    with module_boundaries.owner() as connection:
        set_publication(connection, TELGTE)
        refresh(connection)
    assert value(client, "2026-02-01", TELGTE) == 1


def test_every_output_says_the_day(client: FlaskClient) -> None:
    day = "stand=2026-06-30"
    values = json.loads(client.get(f"/api/values/municipalities?format=array&{day}").data)
    assert values["stand"] == "2026-06-30"
    assert values["title"].endswith("– am 30.06.2026")
    assert values["result"].startswith("Am 30.06.2026 war in 2 von ")
    layer = json.loads(client.get(f"/api/layers/municipalities.geojson?detail=1000&{day}").data)
    found = {item["id"]: item["properties"] for item in layer["features"]}
    assert found[MUENSTER]["services_online"] == 2
    item = json.loads(client.get(f"/api/collections/municipalities/items/{MUENSTER}?{day}").data)
    assert item["properties"]["services_online"] == 2
    text = client.get(f"/tabelle.csv?level=municipalities&{day}").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert next(row for row in rows if row["Schlüssel"] == MUENSTER)["Leistungen"] == "2"
    assert "am 30.06.2026" in text
    page = client.get(f"/tabelle?level=municipalities&{day}").text
    assert "Stand vom 30.06.2026." in page
    assert "Filter entfernen: Stand 30.06.2026" in page
    assert 'href="/tabelle?level=municipalities">Zurück zu heute' in page
    area = json.loads(client.get(f"/api/areas/{MUENSTER}?{day}").data)
    assert area["counts"]["own"]["online"] == 2
    assert {item["service"] for item in area["implementations"]} == {"10500", "10501"}
    assert "https://demo.example/alt" in client.get(f"/gebiete/{MUENSTER}?{day}").text
    assert "https://demo.example/alt" not in client.get(f"/gebiete/{MUENSTER}").text


def test_implementations_of_a_day(client: FlaskClient) -> None:
    path = "/api/collections/implementations/items?limit=1"

    def all_pages(address: str) -> list[tuple[str, str]]:
        found = []
        while address:
            content = json.loads(client.get(address).data)
            found += [
                (item["properties"]["authority"], item["properties"]["status"])
                for item in content["features"]
            ]
            address = next((link["href"] for link in content["links"] if link["rel"] == "next"), "")
        return sorted(found)

    assert all_pages(f"{path}&stand=2026-02-01") == [
        (MUENSTER, "online"),
        (MUENSTER, "planned"),
        (TELGTE, "online"),
    ]
    assert all_pages(f"{path}&stand=2026-02-01&filter=status = 'planned'") == [(MUENSTER, "planned")]
    assert all_pages(path) == [(MUENSTER, "online"), (TELGTE, "in_progress")]


def test_a_day_before_the_first_entry_is_answered_with_the_first(client: FlaskClient) -> None:
    """The internal entry of 1 January is not told."""
    response = client.get("/api/values/districts?stand=2025-12-31")
    assert response.status_code == 404
    error = json.loads(response.data)
    assert (error["parameter"], error["allowed"]) == ("stand", ["2026-01-10"])
    assert error["description"] == (
        "Für den 31.12.2025 gibt es noch keine Angaben. Die ersten sind vom 10.01.2026."
    )
    page = client.get("/tabelle?stand=2026-01-05&level=municipalities")
    assert page.status_code == 200
    assert "Die ersten sind vom 10.01.2026." in page.text
    assert "Stand vom 10.01.2026." in page.text
    area = client.get(f"/gebiete/{MUENSTER}?stand=2026-01-05")
    assert area.status_code == 200
    assert "Die ersten sind vom 10.01.2026." in area.text


@pytest.mark.parametrize("day", ["gestern", "2026-02-30", "31.03.2026", "2026-1-1"])
def test_what_is_no_day_is_refused(client: FlaskClient, day: str) -> None:
    response = client.get(f"/api/values/districts?stand={day}")
    assert response.status_code == 400
    assert json.loads(response.data)["parameter"] == "stand"


def test_a_future_day_is_refused(client: FlaskClient) -> None:
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date().isoformat()
    response = client.get(f"/api/values/districts?stand={day}")
    assert (response.status_code, json.loads(response.data)["parameter"]) == (400, "stand")
    page = client.get(f"/tabelle?stand={day}")
    assert page.status_code == 400
    assert "liegt in der Zukunft" in page.text


def test_today_is_a_day_too(client: FlaskClient) -> None:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    assert value(client, today) == value(client, None)


def test_the_form_offers_days_on_which_something_changed(client: FlaskClient) -> None:
    page = client.get("/tabelle").text
    for day in ("2026-01-10", "2026-03-31", "2026-07-01"):
        assert f'<option value="{day}"' in page
    assert "2026-01-01" not in page
    assert 'min="2026-01-10"' in page
    chosen = client.get("/tabelle?stand=day&stand_day=2026-04-02&level=municipalities").text
    assert "Stand vom 02.04.2026." in chosen
    back = client.get("/tabelle?stand=any&stand_day=2026-04-02").text
    assert "Zurück zu heute" not in back


def test_days_of_change_are_those_of_the_role(client: FlaskClient, module_boundaries: Database) -> None:
    from mapservice.domain import Audience

    with module_boundaries.reader(Audience.PUBLIC) as connection:
        public = past.days_of_change(connection)
    with module_boundaries.reader(Audience.INTERNAL) as connection:
        internal = past.days_of_change(connection)
    assert public[-1] == dt.date(2026, 1, 10)
    assert internal[-1] == dt.date(2026, 1, 1)
    assert {dt.date(2026, 3, 31), dt.date(2026, 7, 1)} <= set(public)
