"""Counts that a worker carries on to the next data version: only what changed is counted, and nothing else is
said than a worker says that has just started.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import Connection, insert, literal, select, text, update

from mapservice import copies
from mapservice.database import Database
from mapservice.domain import implementation_id
from mapservice.held_levels import PAGES_OF_A_LEVEL
from mapservice.models import Authority, Implementation, Service
from tests.entries import PUBLIC
from tests.test_api import MUENSTER, TELGTE, WARENDORF, fill
from tests.test_held import QUERIES, statements, with_query, worker

LEVELS = ("districts", "municipalities")
ADDRESSES = (
    "/api/collections/municipalities/items/055700044044",
    "/api/collections/districts/items/05570",
    *(f"/api/collections/{level}/items?limit=7" for level in LEVELS),
    *(f"/api/layers/{level}.geojson" for level in LEVELS),
    "/api/collections/municipalities/tiles/WebMercatorQuad/7/42/66",
)


@pytest.fixture
def filled(boundaries_loaded: Database) -> Database:
    return fill(boundaries_loaded)


def addresses() -> list[str]:
    return [with_query(address, query) for query in QUERIES for address in ADDRESSES if fits(address, query)]


def fits(address: str, query: str) -> bool:
    return not ("within" in query and "/items/" in address) and not (
        "lang" in query and "/layers/" in address
    )


def asked(app: Flask, wanted: list[str]) -> list[bytes]:
    client = app.test_client()
    found = [client.get(address) for address in wanted]
    assert {answer.status_code for answer in found} == {200}, [answer.text[:200] for answer in found]
    return [answer.headers["ETag"].encode() + answer.data for answer in found]


@contextmanager
def moving(app: Flask) -> Iterator[None]:
    """Until the worker has heard of the version that is made inside."""
    versions = app.extensions["mapservice"].versions
    before = versions.current()
    yield
    deadline = time.monotonic() + 10
    while versions.current() == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def add(connection: Connection, ars: str, service: str) -> None:
    """An entry as an import adds it: the tallies of its authority follow."""
    authority_id = connection.execute(select(Authority.id).where(Authority.ars == ars)).scalar_one()
    values = select(
        literal(implementation_id(ars, service, "")),
        literal(authority_id),
        Service.id,
        literal(1),
        literal(PUBLIC),
    ).where(Service.key == service)
    names = ["id", "authority_id", "service_id", "status", "visibility"]
    connection.execute(insert(Implementation).from_select(names, values))
    copies.refresh(connection, [authority_id])


def nothing(connection: Connection) -> None:
    connection.execute(text("SELECT move_data_version(3::smallint)"))


def entry_of_a_municipality(connection: Connection) -> None:
    add(connection, TELGTE, "10501")


def entry_of_a_district(connection: Connection) -> None:
    add(connection, WARENDORF, "10500")


def withdrawn(connection: Connection) -> None:
    (id_,) = connection.scalars(select(Authority.id).where(Authority.ars == MUENSTER))
    connection.execute(text("UPDATE publication SET visibility = 1 WHERE authority_id = :id"), {"id": id_})
    copies.refresh(connection, [id_])


def other_responsibility(connection: Connection) -> None:
    connection.execute(update(Service).where(Service.key == "10501").values(responsible=8))


def retired(connection: Connection) -> None:
    connection.execute(update(Service).where(Service.key == "10501").values(retired=True))


def other_kinds(connection: Connection) -> None:
    connection.execute(update(Authority).where(Authority.ars == TELGTE).values(kinds=4))


CHANGES = (
    nothing,
    entry_of_a_municipality,
    entry_of_a_district,
    withdrawn,
    other_kinds,
    other_responsibility,
    retired,
)


def test_after_each_change_a_worker_says_what_a_new_one_says(filled: Database) -> None:
    with worker(filled) as app:
        before = asked(app, addresses())
        for change in CHANGES:
            with moving(app), filled.owner() as connection:
                change(connection)
            found = asked(app, addresses())
            with worker(filled) as new:
                assert found == asked(new, addresses()), change.__name__
            assert not set(found) & set(before), change.__name__
            before = found


def counting(asked_for: list[str]) -> list[str]:
    return [statement for statement in asked_for if "bit_count" in statement]


@pytest.mark.parametrize("change", [nothing, entry_of_a_municipality])
def test_only_what_changed_is_counted(filled: Database, change: Callable[[Connection], None]) -> None:
    items = "/api/collections/municipalities/items"
    with worker(filled) as app:
        asked(app, ["/api/layers/municipalities.geojson"])
        with moving(app), filled.owner() as connection:
            change(connection)
        with statements() as said:
            asked(app, [f"{items}/{TELGTE}", f"{items}/{MUENSTER}", f"{items}?limit=5"])
            asked(app, ["/api/layers/municipalities.geojson"])
        assert len(counting(said)) == (change is entry_of_a_municipality)
        assert all(_of_some(statement) for statement in counting(said))


def test_a_level_of_which_everything_changed_is_not_counted_for_one_page(filled: Database) -> None:
    with worker(filled) as app:
        asked(app, ["/api/layers/municipalities.geojson"])
        with moving(app), filled.owner() as connection:
            other_responsibility(connection)
        with statements() as said:
            for number in range(PAGES_OF_A_LEVEL):
                asked(app, [f"/api/collections/municipalities/items?limit={number + 1}"])
        assert len(counting(said)) == PAGES_OF_A_LEVEL
        assert all(_of_some(statement) for statement in counting(said))


def _of_some(statement: str) -> bool:
    """Whether it counts areas that it names."""
    return "unnest(CAST" in statement
