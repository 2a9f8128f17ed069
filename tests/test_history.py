"""Every change is kept, by the database: past versions, undo, and withdrawals that work backwards."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Connection, text

from mapservice.database import Database
from tests.entries import INTERNAL, PUBLIC, add_entry, add_service, change_entry, remove_entry
from tests.places import OELDE, add_places


@pytest.fixture
def places(database: Database) -> Database:
    with database.owner() as connection:
        add_places(connection)
        add_service(connection, "10500")
        connection.execute(
            text("INSERT INTO import_run (kind) VALUES ('implementations'), ('implementations')")
        )
    return database


def history(connection: Connection) -> list[tuple[int, int, bool, int | None]]:
    """(status, visibility, removed, ended by run), oldest first."""
    statement = (
        "SELECT status, visibility, removed, ended_by_run_id FROM implementation_history ORDER BY valid_from"
    )
    return [tuple(row) for row in connection.execute(text(statement))]  # type: ignore[misc]


def on_day(connection: Connection, moment: dt.datetime) -> list[int]:
    """The statuses that held at a moment."""
    statement = """
        SELECT status FROM implementation WHERE valid_from <= :moment
        UNION ALL
        SELECT status FROM implementation_history WHERE valid_from <= :moment AND valid_to > :moment"""
    return list(connection.scalars(text(statement), {"moment": moment}))


def now(database: Database) -> dt.datetime:
    with database.owner() as connection:
        return connection.execute(text("SELECT clock_timestamp()")).scalar_one()


def test_updates_and_removals_are_kept_with_the_run_that_made_them(places: Database) -> None:
    with places.owner() as connection:
        entry = add_entry(connection, OELDE, "10500", status=3, import_run_id=1)
        assert history(connection) == []
    first = now(places)
    with places.owner() as connection:
        change_entry(connection, entry, status=1, import_run_id=2)
        assert history(connection) == [(3, PUBLIC, False, 2)]
    second = now(places)
    with places.owner() as connection:
        connection.execute(text("SET LOCAL mapservice.run = '2'"))
        remove_entry(connection, entry)
        assert history(connection) == [(3, PUBLIC, False, 2), (1, PUBLIC, True, 2)]
    with places.owner() as connection:
        assert on_day(connection, first) == [3]
        assert on_day(connection, second) == [1]
        assert on_day(connection, now(places)) == []


def test_undoing_a_run_is_a_query(places: Database) -> None:
    with places.owner() as connection:
        entry = add_entry(connection, OELDE, "10500", status=3, import_run_id=1)
    with places.owner() as connection:
        change_entry(connection, entry, status=1, url="https://demo.example/", import_run_id=2)
    with places.owner() as connection:
        connection.execute(
            text(
                "UPDATE implementation i SET status = h.status, url = h.url, import_run_id = h.import_run_id"
                " FROM implementation_history h WHERE h.id = i.id AND h.ended_by_run_id = 2"
            )
        )
        assert connection.execute(text("SELECT status, url FROM implementation")).one() == (3, None)


def test_two_changes_in_one_transaction_leave_one_version(places: Database) -> None:
    with places.owner() as connection:
        entry = add_entry(connection, OELDE, "10500", status=3)
        change_entry(connection, entry, status=2)
        assert history(connection) == []
    with places.owner() as connection:
        change_entry(connection, entry, status=1)
        change_entry(connection, entry, status=4)
        assert history(connection) == [(2, PUBLIC, False, None)]


def test_a_withdrawal_works_backwards(places: Database) -> None:
    with places.owner() as connection:
        entry = add_entry(connection, OELDE, "10500", status=3)
    with places.owner() as connection:
        change_entry(connection, entry, status=1)
    with places.owner() as connection:
        change_entry(connection, entry, visibility=INTERNAL)
        assert {visibility for _, visibility, _, _ in history(connection)} == {INTERNAL}
    with places.owner() as connection:
        remove_entry(connection, entry)
    with places.owner() as connection:
        add_entry(connection, OELDE, "10500", visibility=PUBLIC)
        assert {visibility for _, visibility, _, _ in history(connection)} == {PUBLIC}
