"""/nachbarn: who around has a service, and why in this order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from mapservice import copies
from mapservice.database import Database
from mapservice.models import Solution
from tests.around import (
    DISTRICT,
    DOG,
    DOG_REGISTRATION,
    EVERSWINKEL,
    ID_CARD,
    MUENSTER,
    OSTBEVERN,
    SENDEN,
    SENDENHORST,
    TELGTE,
    WARENDORF,
    said,
)
from tests.neighbours.conftest import Enter
from tests.neighbours.reading import page, rows


def test_online_comes_first_then_border_district_and_distance(client: FlaskClient, enter: Enter) -> None:
    for ars in (SENDENHORST, WARENDORF, MUENSTER, SENDEN, DISTRICT):
        enter(ars)
    enter(OSTBEVERN, status=3)
    enter(EVERSWINKEL, status=2)
    found = page(
        client, authority=TELGTE, service=DOG, around="50", status=["online", "in_progress", "planned"]
    )
    assert rows(found) == [
        ("Online", "Münster (Kreisfreie Stadt)", "grenzt an (… km gemeinsame Grenze) · 11 km entfernt"),
        (
            "Online",
            "Warendorf (Stadt)",
            "grenzt an (… km gemeinsame Grenze) · im selben Kreis · 13 km entfernt",
        ),
        ("Online", "Warendorf (Kreis)", "Ihr Kreis"),
        ("Online", "Sendenhorst (Stadt)", "im selben Kreis · 15 km entfernt"),
        ("Online", "Senden (Gemeinde)", "24 km entfernt"),
        (
            "In Umsetzung",
            "Everswinkel (Gemeinde)",
            "grenzt an (… km gemeinsame Grenze) · im selben Kreis · 8 km entfernt",
        ),
        (
            "In Planung",
            "Ostbevern (Gemeinde)",
            "grenzt an (… km gemeinsame Grenze) · im selben Kreis · 10 km entfernt",
        ),
    ]
    assert "5 online, 1 in Umsetzung, 1 in Planung" in said(found)


def test_reuse_own_solution_maturity_and_day_decide_at_the_same_place(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    """Two entries of one authority stand at the same place: the better one speaks for it."""
    with database.owner() as connection:
        solution = insert(Solution).values(name="Fellnase", reusable=True, visibility=3)
        solution = solution.returning(Solution.id)
        own = connection.execute(solution).scalar_one()
    enter(TELGTE, ID_CARD, solution_id=own)
    day = dt.date(2026, 5, 1)
    enter(MUENSTER, maturity_model=11, maturity=4, as_of=day, identifier="a", url="https://a.example")
    enter(MUENSTER, maturity_model=20, maturity=2, identifier="b", url="https://b.example", solution_id=own)
    found = page(client, authority=TELGTE, service=DOG)
    (row,) = rows(found)
    assert row[2].endswith("Nachnutzung angeboten · gleiche Lösung wie bei Ihnen · Reifegrad 2 (Modell 2.0)")
    assert found.xpath("//a[@href='https://b.example']")
    assert "und 1 weiterer Eintrag dazu" in said(found)
    assert "Lösung: Fellnase" in said(found)


def test_what_a_solution_says_of_itself_is_internal_until_it_is_released(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    with database.owner() as connection:
        values = {"name": "Fellnase", "reusable": True, "conditions": "Beitritt", "costs": "42 Euro"}
        made = connection.execute(insert(Solution).values(values).returning(Solution.id)).scalar_one()
    enter(MUENSTER, solution_id=made)
    found = page(client, authority=TELGTE, service=DOG)
    assert "Lösung: Fellnase" in said(found)
    assert "Beitritt" not in said(found)
    assert "42 Euro" not in said(found)
    assert "Nachnutzung angeboten" not in rows(found)[0][2]
    with database.owner() as connection:
        connection.execute(update(Solution).values(visibility=3))
        copies.refresh(connection)
    found = page(client, authority=TELGTE, service=DOG)
    assert "Bedingungen: Beitritt" in said(found)
    assert "Kosten: 42 Euro" in said(found)
    assert "Nachnutzung angeboten" in rows(found)[0][2]


@pytest.mark.parametrize(
    ("one", "other", "better"),
    [
        ({"maturity_model": 11, "maturity": 3}, {"maturity_model": 11, "maturity": 2}, "one"),
        ({"maturity_model": 11, "maturity": 2}, {}, "one"),
        # Steps of two models do not compare: the day decides.
        (
            {"maturity_model": 20, "maturity": 7, "as_of": dt.date(2024, 1, 1)},
            {"maturity_model": 11, "maturity": 1, "as_of": dt.date(2025, 1, 1)},
            "other",
        ),
        ({"as_of": dt.date(2025, 1, 1)}, {"as_of": dt.date(2024, 1, 1)}, "one"),
        ({"as_of": dt.date(2025, 1, 1)}, {}, "one"),
        ({"reusable": True}, {"maturity_model": 11, "maturity": 4, "as_of": dt.date(2026, 1, 1)}, "one"),
    ],
)
def test_the_order_among_entries(
    client: FlaskClient, enter: Enter, one: dict[str, Any], other: dict[str, Any], better: str
) -> None:
    enter(MUENSTER, identifier="z", url="https://one.example", **one)
    enter(MUENSTER, identifier="a", url="https://other.example", **other)
    assert page(client, authority=TELGTE, service=DOG).xpath(f"//a[@href='https://{better}.example']")


def test_a_bundle_counts_the_entries_of_its_leika_services(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, DOG, status=3)
    enter(MUENSTER, DOG_REGISTRATION, status=1)
    assert rows(page(client, authority=TELGTE, service=DOG))[0][:2] == (
        "Online",
        "Münster (Kreisfreie Stadt)",
    )


def test_a_leika_service_is_exact_and_one_at_the_bundle_is_told_apart(
    client: FlaskClient, enter: Enter
) -> None:
    enter(MUENSTER, DOG, status=1)
    enter(SENDENHORST, DOG_REGISTRATION, status=2)
    enter(SENDENHORST, DOG, status=1)
    found = page(client, authority=TELGTE, service=DOG_REGISTRATION)
    assert [row[:2] for row in rows(found)] == [
        ("In Umsetzung", "Sendenhorst (Stadt)"),
        ("Nur im Bündel gemeldet", "Münster (Kreisfreie Stadt)"),
    ]
    assert "0 online, 1 in Umsetzung, 0 in Planung, 1 nur im Bündel gemeldet" in said(found)
