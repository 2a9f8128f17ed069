"""Pages while the data change: nothing twice, nothing missing among what stayed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection

from mapservice.database import Database
from mapservice.params import make_cursor
from tests.asking import client_of
from tests.entries import add_entry, add_service, change_entry, remove_entry, set_publication
from tests.ogc.asking import get, links
from tests.test_api import MUENSTER, TELGTE, WARENDORF

ITEMS = "/api/collections/implementations/items"
TOWNS = "/api/collections/municipalities/items"


@pytest.fixture
def client(boundaries_loaded: Database) -> Iterator[FlaskClient]:
    with boundaries_loaded.owner() as connection:
        for ars in (MUENSTER, WARENDORF, TELGTE):
            set_publication(connection, ars)
        add_service(connection, "10500")
    with client_of(boundaries_loaded) as client:
        yield client


def walk(client: FlaskClient, address: str, between: Callable[[int], None]) -> list[str]:
    """The ids of all pages, with something done between any two."""
    seen: list[str] = []
    for step in range(200):
        page = get(client, address)
        seen += [feature["id"] for feature in page["features"]]
        following = links(page, "next")
        if not following:
            return seen
        address = following[0]["href"]
        between(step)
    raise AssertionError("no end")


def test_entries_come_and_go(boundaries_loaded: Database, client: FlaskClient) -> None:
    """While one is read page by page, others are added before and behind, removed, withdrawn and changed."""
    keys = [str(key) for key in range(10600, 10640)]
    with boundaries_loaded.owner() as connection:
        for key in keys:
            add_service(connection, key)
        entries = {key: add_entry(connection, MUENSTER, key) for key in keys[:30]}
    stayed = dict(entries)

    def between(step: int) -> None:
        if step < 8:
            with boundaries_loaded.owner() as connection:
                add_entry(connection, MUENSTER, keys[30 + step])
                remove_entry(connection, stayed.pop(keys[3 * step + 4]))
                change_entry(connection, stayed.pop(keys[3 * step + 3]), visibility=1)
                change_entry(connection, stayed[keys[0]], url=f"https://demo.example/{step}")

    seen = walk(client, f"{ITEMS}?limit=4&geometry=point", between)
    assert len(seen) == len(set(seen))
    assert set(stayed.values()) <= set(seen)
    assert 10 < len(stayed) < 20


@pytest.mark.parametrize(
    ("limit", "query"),
    [(7, ""), (7, "bbox=7,51.5,8.5,52.5"), (7, "filter=state <> 'Berlin'"), (13, "measure=share")],
)
def test_values_of_areas_change(
    boundaries_loaded: Database, client: FlaskClient, limit: int, query: str
) -> None:
    """Pages go by position in the release: another value puts no area elsewhere."""
    whole = [feature["id"] for feature in get(client, f"{TOWNS}?limit=1000&{query}")["features"]]
    entries: list[str] = []

    def between(step: int) -> None:
        with boundaries_loaded.owner() as connection:
            if entries:
                remove_entry(connection, entries.pop())
            else:
                ars = (MUENSTER, TELGTE)[step % 2]
                entries.append(add_entry(connection, ars, "10500", status=1 + step % 3))

    assert walk(client, f"{TOWNS}?limit={limit}&{query}", between) == whole


def test_areas_that_come_to_a_filter_or_leave_it(boundaries_loaded: Database, client: FlaskClient) -> None:
    """A filter on values: what fulfilled it all the time comes once; nothing comes twice."""
    with boundaries_loaded.owner() as connection:
        for ars in (MUENSTER, TELGTE):
            add_entry(connection, ars, "10500")
    address = f"{TOWNS}?limit=1&filter=services_online >= 1 OR name LIKE 'A%25'"
    stayed = {f["id"] for f in get(client, address.replace("limit=1", "limit=1000"))["features"]}
    moving: list[str] = []

    def between(step: int) -> None:
        def turn(connection: Connection) -> None:
            if moving:
                remove_entry(connection, moving.pop())
            else:
                moving.append(add_entry(connection, WARENDORF, "10500"))

        with boundaries_loaded.owner() as connection:
            turn(connection)

    seen = walk(client, address, between)
    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)


def test_another_release_ends_the_pages_with_a_word(client: FlaskClient) -> None:
    """Positions of one release mean nothing in the next: 409, which says to begin anew."""
    response = client.get(f"{TOWNS}?limit=7&cursor={make_cursor(4711, 7)}")
    assert response.status_code == 409
    content = json.loads(response.data)
    assert content["parameter"] == "cursor"
    assert "ohne cursor" in content["description"]
