"""All areas of a past day are counted from what a worker holds of the record, a single one from the entries
themselves: both must say the same, on every day.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select

from mapservice.database import Database
from mapservice.domain import Audience, Level, MaturityModel, Scope, SolutionKind
from mapservice.layers import areas
from mapservice.layers.query import Maturity, Query
from mapservice.layers.selection import resolve
from mapservice.models import Authority, Boundary
from tests.entries import INTERNAL, add_entry, add_service, change_entry, remove_entry, set_publication
from tests.past import berlin, date_back

AHLEN = "055700004004"
"""Without entries of its own, in the district of Warendorf."""
MUENSTER, WARENDORF, TELGTE = "055150000000", "055700000000", "055700044044"
DAYS = ("2026-01-10", "2026-03-30", "2026-03-31", "2026-06-30", "2026-07-01")
STEP_2, STEP_4 = {"maturity_model": 11, "maturity": 2}, {"maturity_model": 11, "maturity": 4}
LEIKA = "99000000000001"
ASKED: list[dict[str, Any]] = [
    {"kinds": (SolutionKind.EFA,)},
    {"maturity": Maturity(MaturityModel.V1_1, 2)},
    {"confirmed": dt.date(2025, 12, 31)},
    {"confirmed": dt.date(1900, 1, 1)},
    {"services": (LEIKA,)},
    {"services": ("10500", "10507", LEIKA)},
    {"services": ("10500", LEIKA), "kinds": (SolutionKind.EFA, SolutionKind.IN_HOUSE)},
    {"services": ("eigen:ohne-buendel",)},
]
COUNTED = ("online", "in_progress", "planned", "n", "of", "status", "reason")


@pytest.fixture(scope="module")
def history(module_boundaries: Database) -> Database:
    """Bundles, a LeiKa service of one of them and one of none, entries for a part of a district, before and
    behind midnight in Germany.
    """
    database = module_boundaries
    with database.owner() as connection:
        parent = add_service(connection, "10500", subject_area_id=3)
        add_service(connection, "10507", subject_area_id=3)
        add_service(connection, "10508", subject_area_id=4)
        add_service(connection, "99000000000001", parent_id=parent)
        add_service(connection, "eigen:ohne-buendel")
        for ars in (MUENSTER, WARENDORF, TELGTE):
            set_publication(connection, ars)
        part = [connection.scalar(select(Authority.id).where(Authority.ars == TELGTE))]
        first = add_entry(connection, MUENSTER, "10500", status=3, solution_kind=1)
        leika = add_entry(connection, MUENSTER, "99000000000001", status=2)
        given = add_entry(connection, WARENDORF, "10507", valid_for=part, solution_kind=2, **STEP_2)
        add_entry(connection, TELGTE, "10507", as_of=dt.date(2025, 12, 31), solution_kind=1, **STEP_4)
        add_entry(connection, TELGTE, "eigen:ohne-buendel")
        add_entry(connection, TELGTE, "10500", as_of=dt.date(1905, 1, 1))
        date_back(connection, berlin("2026-01-10 12:00+01:00"))
    with database.owner() as connection:
        change_entry(connection, first, status=1, as_of=dt.date(2026, 3, 31))
        change_entry(connection, leika, status=5)
        date_back(connection, berlin("2026-03-31 23:30+02:00"))
    with database.owner() as connection:
        remove_entry(connection, given)
        add_entry(connection, WARENDORF, "10508", status=2)
        add_entry(connection, TELGTE, "10508", status=1, visibility=INTERNAL)
        date_back(connection, berlin("2026-07-01 00:30+02:00"))
    return database


@pytest.mark.parametrize("asked", ASKED)
def test_what_entries_decide_is_the_same_together_and_one_by_one(
    history: Database, asked: dict[str, Any]
) -> None:
    answers = set()
    for day in DAYS:
        for scope in Scope:
            query = Query(Level.MUNICIPALITY, scope=scope, stand=dt.date.fromisoformat(day), **asked)
            with history.reader(Audience.PUBLIC) as connection:
                selection = resolve(connection, query)
                together = areas.rows(connection, query, selection, Audience.PUBLIC)
                for row in (row for row in together if row.ars in (MUENSTER, TELGTE, AHLEN)):
                    (alone,) = areas.rows(
                        connection, query, selection, Audience.PUBLIC, boundary_id=row.boundary_id
                    )
                    assert said(row) == said(alone), (day, scope, row.ars)
            answers.add(str([said(row) for row in together]))
    # Else nothing would have been compared with nothing.
    assert len(answers) > 1


def said(row: Any) -> list[Any]:
    return [getattr(row, name) for name in COUNTED]


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("day", DAYS)
def test_a_level_says_of_a_past_day_what_its_areas_say_one_by_one(
    history: Database, day: str, scope: Scope
) -> None:
    query = Query(Level.MUNICIPALITY, scope=scope, stand=dt.date.fromisoformat(day))
    with history.reader(Audience.PUBLIC) as connection:
        selection = resolve(connection, query)
        together = areas.rows(connection, query, selection, Audience.PUBLIC)
        assert any(row.online or row.in_progress or row.planned for row in together)
        for row in together:
            (alone,) = areas.rows(connection, query, selection, Audience.PUBLIC, boundary_id=row.boundary_id)
            assert [getattr(row, name) for name in COUNTED] == [getattr(alone, name) for name in COUNTED]


def test_another_hour_of_the_day_in_germany_is_another_day(history: Database) -> None:
    def online(day: str) -> int:
        query = Query(Level.MUNICIPALITY, stand=dt.date.fromisoformat(day))
        with history.reader(Audience.PUBLIC) as connection:
            rows = areas.rows(connection, query, resolve(connection, query), Audience.PUBLIC)
        return sum(row.online for row in rows if row.ars == MUENSTER)

    assert [online(day) for day in DAYS] == [0, 0, 1, 1, 1]


def test_a_country_without_entries_has_no_data_on_any_day(boundaries_loaded: Database) -> None:
    query = Query(Level.MUNICIPALITY, stand=dt.date(2026, 3, 31))
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        values = areas.values_as_array(connection, query, resolve(connection, query), Audience.PUBLIC)
        areas_there = connection.scalar(select(func.count()).where(Boundary.level == int(Level.MUNICIPALITY)))
    assert values[0].count("-") == areas_there
