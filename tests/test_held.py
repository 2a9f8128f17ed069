"""What a worker remembers must not be seen: the same bytes as from the database, at every version."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from mapservice import create_app, feature_pages
from mapservice.database import Database
from mapservice.held import Memory
from mapservice.held_levels import PAGES_OF_A_LEVEL
from tests.entries import INTERNAL, add_entry, change_entry, remove_entry
from tests.test_api import TELGTE, WARENDORF, fill

QUERIES = (
    "",
    "measure=share&scope=available",
    "status=planned&status=open&within=05",
    "service=10500&measure=status",
    "subject=arbeit_ruhestand&method=quantile&lang=en",
)


FILTERS = (
    "services_online>0",
    "1>=services_online AND S_INTERSECTS(geometry,BBOX(7.5,51.8,8.2,52.1))",
    "class='c0' AND name<>'Münster'",
    "share<0.5 AND state='Nordrhein-Westfalen'",
    "value_reason='no_data' AND S_INTERSECTS(POLYGON((7 51,8 52,7 53,7 51)),geometry)",
    "S_INTERSECTS(geometry,LINESTRING(7.6 51.9,8.8 53.1))",
    "value IS NULL OR services_total=1",
    "name LIKE 'B%' AND services_planned<5",
    "population>1000",
)
"""Simple ones, which memory judges, and others, which the database does."""


@contextmanager
def worker(database: Database) -> Iterator[Flask]:
    app = create_app(database.settings, database)
    try:
        yield app
    finally:
        app.extensions["mapservice"].versions.close()


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def filled(module_boundaries: Database) -> Database:
    return fill(module_boundaries)


def with_query(address: str, query: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{query}" if query else address


def boxes(client: FlaskClient, level: str) -> list[str]:
    """At random, and some whose sides go through corners of areas."""
    chance = random.Random(level)
    layer = json.loads(client.get(f"/api/layers/{level}.geojson?detail=100").data)
    corners = [
        corner
        for feature in layer["features"]
        for polygon in feature["geometry"]["coordinates"]
        for corner in polygon[0]
    ]
    found = []
    for _ in range(6):
        x, y = chance.choice(corners)
        dx, dy = chance.uniform(0, 0.5), chance.uniform(0, 0.5)
        found += [
            f"bbox={x},{y},{x + dx:.5f},{y + dy:.5f}",
            f"bbox={x - dx:.3f},{y - dy:.3f},{x + dx:.3f},{y + dy:.3f}",
        ]
        found.append(f"bbox={x},{y},{x},{y}")
    return found


def forget(app: Flask) -> None:
    """As if the worker were new, but for shapes."""
    app.extensions["mapservice-responses"]._kept.clear()
    held = app.extensions["mapservice-held"]
    held.values.forget(lambda _key: True)
    held._asked.clear()


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("level", ["districts", "municipalities"])
def test_memory_and_database_say_the_same(
    filled: Database, monkeypatch: pytest.MonkeyPatch, level: str, query: str
) -> None:
    """Counted for the whole level, for the areas of the page alone, and found by the database: one answer."""
    items = f"/api/collections/{level}/items"
    with worker(filled) as first, worker(filled) as second:
        database, memory = first.test_client(), second.test_client()
        for limit in range(1, PAGES_OF_A_LEVEL + 2):
            memory.get(with_query(f"{items}?limit={limit}", query))
        pages = [f"{items}?{box}&limit=20" for box in boxes(memory, level)]
        pages += [f"{items}?limit=9&filter={filter_}" for filter_ in FILTERS]
        pages += [f"{items}?limit=7&offset=3", f"{items}?limit=1000&crs={UTM}", f"{items}?detail=1000"]
        if "within" not in query:
            pages.append(f"{items}/05515{'' if level == 'districts' else '0000000'}")
        for page in pages:
            address = with_query(page, query)
            with monkeypatch.context() as patched:
                patched.setattr(feature_pages, "_from_memory", lambda *_: None)
                expected = database.get(address)
            with statements() as asked:
                found = memory.get(address)
            assert expected.status_code == found.status_code == 200, expected.text
            assert found.data == expected.data, address
            assert found.headers["ETag"] == expected.headers["ETag"]
            judged = any(word in address for word in ("LIKE", " OR ", "population", "name<", "state="))
            assert any("tally" in statement for statement in asked) == judged, address
            forget(first)
            assert first.test_client().get(address).data == expected.data, address


UTM = "http://www.opengis.net/def/crs/EPSG/0/25832"


def test_pages_from_memory_lead_through_the_whole_level(filled: Database) -> None:
    with worker(filled) as app:
        client = app.test_client()
        whole = json.loads(client.get("/api/layers/municipalities.geojson").data)
        address, keys = "/api/collections/municipalities/items?limit=40", []
        while address:
            page = json.loads(client.get(address).data)
            keys += [feature["id"] for feature in page["features"]]
            following = [link["href"] for link in page["links"] if link["rel"] == "next"]
            address = following[0] if following else ""
        assert keys == [feature["id"] for feature in whole["features"]]
        assert len(keys) == whole["numberReturned"] == 91


def test_what_is_remembered_asks_the_database_nothing(filled: Database) -> None:
    with worker(filled) as app:
        client = app.test_client()
        for limit in range(10, PAGES_OF_A_LEVEL + 12):
            client.get(f"/api/collections/districts/items?limit={limit}&bbox=7,51,8,52.5")
        with statements() as asked:
            page = client.get("/api/collections/districts/items?limit=4&bbox=7,51,8,52.5")
            one = client.get("/api/collections/districts/items/05515")
        assert (page.status_code, one.status_code) == (200, 200)
        # That the version still holds is asked twice a second, whoever comes.
        assert [statement for statement in asked if "data_version" not in statement] == []


def test_nothing_internal_is_remembered_for_the_public(filled: Database) -> None:
    """An entry is public, then internal, then gone: each page and tile follows, also where all is held."""
    addresses = (
        "/api/collections/districts/items?limit=9",
        "/api/collections/districts/items/05570",
        "/api/layers/districts.geojson",
        "/api/collections/districts/tiles/WebMercatorQuad/7/42/66",
    )
    with worker(filled) as app:
        client = app.test_client()
        for limit in range(10, PAGES_OF_A_LEVEL + 12):
            client.get(f"/api/collections/districts/items?limit={limit}")
        before = [client.get(address).data for address in addresses]
        with filled.owner() as connection:
            entry = add_entry(connection, WARENDORF, "10500")
        shown = follow(client, addresses, before)
        with filled.owner() as connection:
            change_entry(connection, entry, visibility=INTERNAL)
        hidden = follow(client, addresses, shown)
        with filled.owner() as connection:
            remove_entry(connection, entry)
        assert [without_time(body) for body in hidden] == [without_time(body) for body in before]
        assert [client.get(address).data for address in addresses] == hidden


def follow(client: FlaskClient, addresses: tuple[str, ...], before: list[bytes]) -> list[bytes]:
    """The answers once all of them differ from those before."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [client.get(address).data for address in addresses]
        if all(one != other for one, other in zip(found, before, strict=True)):
            return found
        time.sleep(0.05)
    raise AssertionError("the answers stay as they were")


def without_time(body: bytes) -> bytes:
    try:
        content = json.loads(body)
    except ValueError:
        return body
    for item in [content, *(feature["properties"] for feature in content.get("features", [content]))]:
        item.pop("data_as_of", None)
    return json.dumps(content).encode()


def test_a_version_that_moves_between_memory_and_database_is_answered_anew(filled: Database) -> None:
    """The worker knows the old version, and the database has a new one when it is asked: what is sent is the
    new one's, under its ETag.
    """
    with worker(filled) as app:
        client = app.test_client()
        versions = app.extensions["mapservice"].versions
        old = versions.current()
        client.get("/api/collections/districts/items?limit=1")
        versions.close()
        versions.current = lambda: old
        with filled.owner() as connection:
            entry = add_entry(connection, TELGTE, "10501")
        stale = client.get("/api/collections/municipalities/items/055700044044")
        assert json.loads(stale.data)["properties"]["services_online"] == 1
        with worker(filled) as other:
            fresh = other.test_client().get("/api/collections/municipalities/items/055700044044")
        assert (stale.data, stale.headers["ETag"]) == (fresh.data, fresh.headers["ETag"])
        with filled.owner() as connection:
            remove_entry(connection, entry)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
def test_a_level_too_large_to_keep_is_sent_piece_by_piece(filled: Database, encoding: str) -> None:
    address, header = "/api/layers/municipalities.geojson?detail=100", {"Accept-Encoding": encoding}
    with worker(filled) as app:
        whole = app.test_client().get(address, headers=header)
    with worker(filled) as app:
        kept = app.extensions["mapservice-responses"]
        kept.most_bytes = 400
        with statements() as asked:
            sent = app.test_client().get(address, headers=header)
        assert sent.is_streamed
        assert "Content-Length" not in sent.headers
        assert sent.data == whole.data
        assert sent.headers["ETag"] == whole.headers["ETag"]
        assert asked
        with statements() as asked:
            assert app.test_client().get(address, headers=header).data == whole.data
        assert not any("geojson" in statement for statement in asked)
    if encoding == "gzip":
        assert json.loads(gzip.decompress(whole.data))["numberReturned"] == 91


def test_memory_is_bounded_by_bytes() -> None:
    class Large(bytes):
        @property
        def nbytes(self) -> int:
            return len(self)

    memory = Memory(100_000)
    for number in range(50):
        assert memory.get(number, lambda: Large(9_000)) == bytes(9_000)
    assert memory.nbytes <= 100_000
    assert memory.look(49) is not None
    assert memory.look(0) is None
    memory.get("too large", lambda: Large(60_000))
    assert memory.look("too large") is None


@pytest.mark.parametrize("parameters", ["", "f=json&detail=1000", "lang=en&scope=available", f"crs={UTM}"])
def test_areas_that_are_asked_for_alike_keep_their_own_links(filled: Database, parameters: str) -> None:
    """What they share is written once, for one host and one set of parameters."""
    items = "/api/collections/municipalities/items"
    with worker(filled) as app:
        client = app.test_client()
        for host in ("a.example", "b.example"):
            for key in (TELGTE, "055150000000", TELGTE):
                with worker(filled) as new:
                    address, base = with_query(f"{items}/{key}", parameters), f"http://{host}"
                    expected = new.test_client().get(address, base_url=base)
                    app.extensions["mapservice-responses"]._kept.clear()
                    found = client.get(address, base_url=base)
                assert (found.data, found.headers["ETag"]) == (expected.data, expected.headers["ETag"])
                feature = json.loads(found.data)
                assert feature["id"] == key
                own = [link["href"] for link in feature["links"] if link["rel"] in ("self", "alternate")]
                assert len(own) == 2
                assert all(href.startswith(f"{base}{items}/{key}") for href in own)
        assert client.get(with_query(f"{items}/055700044045", parameters)).status_code == 404
        assert client.get(f"{items}/{TELGTE}?colour=red").status_code == 400
