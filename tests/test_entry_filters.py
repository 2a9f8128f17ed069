"""Which entries count as offers: by kind of solution, maturity and day of confirmation."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from mapservice.database import Database
from mapservice.models import Authority
from tests.asking import client_of
from tests.entries import add_entry, add_service, set_publication

MUENSTER, WARENDORF, TELGTE, NRW = "055150000000", "055700000000", "055700044044", "050000000000"
EFA, IN_HOUSE, REUSE = 1, 2, 3
V1, V2 = 11, 20


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    """Münster: 10500 in-house, 10501 EfA in progress, 10502 not responsible; Telgte: nothing but "open"; the
    state: 10500 by EfA, for Münster alone.
    """
    database = module_boundaries
    with database.owner() as connection:
        for key in ("10500", "10501", "10502"):
            add_service(connection, key)
        add_service(connection, "99500000000000", parent_id=None)
        for ars in (MUENSTER, TELGTE, NRW):
            set_publication(connection, ars)
        day = dt.date(2026, 3, 1)
        one: dict[str, Any] = {"solution_kind": IN_HOUSE, "maturity_model": V1, "maturity": 3, "as_of": day}
        add_entry(connection, MUENSTER, "10500", **one)
        earlier = dt.date(2025, 1, 1)
        two: dict[str, Any] = {"solution_kind": EFA, "maturity_model": V2, "maturity": 4, "as_of": earlier}
        add_entry(connection, MUENSTER, "10501", status=2, **two)
        add_entry(connection, MUENSTER, "10502", status=5)
        add_entry(connection, MUENSTER, "99500000000000", solution_kind=REUSE)
        add_entry(connection, MUENSTER, "99500000000000", status=3, identifier="x", as_of=day)
        add_entry(connection, TELGTE, "10500", status=4, solution_kind=EFA)
        muenster = connection.scalar(select(Authority.id).where(Authority.ars == MUENSTER))
        add_entry(connection, NRW, "10500", solution_kind=EFA, valid_for=[muenster])
    with client_of(database) as client:
        yield client


def values(client: FlaskClient, **query: Any) -> dict[str, Any]:
    """The value or reason of each municipality that has a published authority."""
    response = client.get("/api/values/municipalities", query_string=query)
    assert response.status_code == 200, response.text
    content = json.loads(response.data)
    both = {**content["values"], **content["reasons"]}
    return {"Münster": both[MUENSTER], "Telgte": both[TELGTE]}


def test_an_entry_that_does_not_meet_the_filter_is_no_offer(client: FlaskClient) -> None:
    everything = "online", "in_progress", "planned"
    assert values(client, status=everything) == {"Münster": 2, "Telgte": 0}
    assert values(client, status=everything, kind="efa") == {"Münster": 1, "Telgte": 0}
    assert values(client, status=everything, kind=["efa", "in_house"]) == {"Münster": 2, "Telgte": 0}
    assert values(client, status=everything, kind="reuse") == {"Münster": 0, "Telgte": 0}


def test_who_told_anything_has_data_and_responsibility_stays(client: FlaskClient) -> None:
    """The denominator is the same with and without: two services, as 10502 is not responsible."""
    assert values(client, kind="reuse", measure="share") == {"Münster": 0, "Telgte": 0}
    assert values(client, measure="share", kind="in_house") == {"Münster": 0.5, "Telgte": 0}
    of_status = values(client, measure="status", service="10502", kind="efa")
    assert of_status == {"Münster": "not_responsible", "Telgte": "open"}
    assert values(client, status="open", kind="efa") == {"Münster": 1, "Telgte": 3}


def test_two_models_never_mix(client: FlaskClient) -> None:
    both = "online", "in_progress"
    assert values(client, status=both, maturity="1.1:3")["Münster"] == 1
    assert values(client, status=both, maturity="1.1:4")["Münster"] == 0
    assert values(client, status=both, maturity="2.0:3")["Münster"] == 1
    assert values(client, status=both, maturity="2.0:5")["Münster"] == 0


def test_confirmed_since_holds_from_that_day_on(client: FlaskClient) -> None:
    assert values(client, confirmed="2026-03-01")["Münster"] == 1
    assert values(client, confirmed="2026-03-02")["Münster"] == 0
    assert values(client, confirmed="2025-01-01", kind="efa", status="in_progress")["Münster"] == 1


def test_what_is_valid_for_some_areas_counts_there(client: FlaskClient) -> None:
    """The state's own is no offer of the city itself, but available in it, and in Telgte it is not."""
    assert values(client, kind="efa", service="10500", measure="status")["Münster"] == "open"
    available = values(client, kind="efa", service="10500", measure="status", scope="available")
    assert available == {"Münster": "online", "Telgte": "open"}


def test_one_leika_service_has_the_best_of_its_entries_that_meet(client: FlaskClient) -> None:
    one: dict[str, Any] = {"service": "99500000000000", "measure": "status"}
    assert values(client, **one)["Münster"] == "online"
    assert values(client, **one, confirmed="2026-01-01")["Münster"] == "planned"
    assert values(client, **one, kind="efa")["Münster"] == "open"


def test_title_and_result_say_what_counts(client: FlaskClient) -> None:
    query = "format=array&within=05570&kind=reuse&kind=efa&maturity=1.1:3&confirmed=2026-03-01"
    content = json.loads(client.get(f"/api/values/municipalities?{query}").data)
    said = (
        "Lösungsart Einer für Alle (EfA) oder Nachnutzung, Reifegrad ab 3 (Modell 1.1),"
        " bestätigt seit 01.03.2026"
    )
    assert content["title"].endswith(f"nur: {said}")
    assert content["result"].startswith(
        "In 0 von 13 Gemeinden im Kreis Warendorf ist mindestens eine Leistung"
    )
    assert f"Als Angebot zählt nur: {said}." in content["result"]


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("kind=EfA", "kind", "efa"),
        ("kind=", "kind", "specialist_system"),
        ("maturity=3", "maturity", "1.1:3"),
        ("maturity=1.1:5", "maturity", "2.0:7"),
        ("maturity=1.1:3&maturity=2.0:3", "maturity", None),
        ("confirmed=2026-02-30", "confirmed", "Jahr-Monat-Tag"),
        ("confirmed=01.03.2026", "confirmed", "Jahr-Monat-Tag"),
        ("confirmed=2999-01-01", "confirmed", "bis 20"),
        ("confirmed=2026-03-01&confirmed=2026-03-02", "confirmed", None),
    ],
)
def test_bad_input_names_the_parameter_and_what_is_allowed(
    client: FlaskClient, query: str, parameter: str, allowed: str | None
) -> None:
    for address in ("/api/values/districts", "/api/facets/districts", "/api/collections/districts/items"):
        response = client.get(f"{address}?{query}")
        assert response.status_code == 400
        error = json.loads(response.data)
        assert error["parameter"] == parameter
        assert allowed is None or any(allowed in item for item in error["allowed"])


def test_today_is_not_in_the_future(client: FlaskClient) -> None:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    assert client.get(f"/api/values/districts?confirmed={today}").status_code == 200
