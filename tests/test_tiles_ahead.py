"""Tiles that a worker cuts before anybody asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from mapservice import create_app, tiles_ahead
from mapservice.database import Database
from mapservice.domain import Level
from mapservice.layers import tile_shapes
from mapservice.layers.tile_shapes import ZOOM_MOST, Tile, covering, tile_at
from tests.test_api import fill
from tests.test_held import statements

BOX = (7.1, 51.8, 8.3, 52.1)


@pytest.fixture
def app(boundaries_loaded: Database) -> Iterator[Flask]:
    app = create_app(boundaries_loaded.settings, fill(boundaries_loaded))
    yield app
    app.extensions["mapservice"].versions.close()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles_ahead, "_EVERY", 0.02)


def address(level: Level, tile: Tile) -> str:
    return f"/api/collections/{level.plural}/tiles/WebMercatorQuad/{tile.z}/{tile.y}/{tile.x}"


@pytest.mark.parametrize("zoom", range(3, ZOOM_MOST + 1))
def test_tiles_cover_a_box(zoom: int) -> None:
    found = covering(zoom, BOX)
    assert len(found) == len(set(found))
    west, south, east, north = BOX
    for x, y in ((west, south), (east, north), (west, north), (east, south), (7.63, 51.96)):
        assert tile_at(zoom, x, y) in found
    assert tile_at(zoom, west - 360 / 2**zoom, north) not in found
    assert tile_at(zoom, west, south - 360 / 2**zoom) not in found


def test_tiles_of_low_zooms_are_there_for_every_filter(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    with app.app_context():
        tiles_ahead.cut_ahead()
    with monkeypatch.context() as patched, statements() as asked:
        patched.setattr(tile_shapes, "cut", lambda *_: pytest.fail("cut only when it was asked for"))
        shown = 0
        for level in Level:
            for zoom in range(4, tiles_ahead.ZOOM_AHEAD + 1):
                for tile in covering(zoom, BOX):
                    for query in ("", "?measure=share&scope=available", "?subject=arbeit_ruhestand"):
                        answer = client.get(address(level, tile) + query)
                        assert answer.status_code in (200, 204)
                        shown += answer.status_code == 200
    assert shown >= 60
    with statements() as asked:
        assert client.get(address(Level.MUNICIPALITY, tile_at(12, 7.63, 51.96))).status_code == 200
    assert not any("ST_AsBinary" in statement for statement in asked), "outlines are read ahead"


def test_they_follow_another_release_and_leave_room(app: Flask, boundaries_loaded: Database) -> None:
    memory = app.extensions["mapservice-held"].shapes
    stop = threading.Event()
    thread = threading.Thread(target=tiles_ahead.keep, args=(app, stop))
    thread.start()
    try:
        first = wait_for(lambda: marks(app))
        with boundaries_loaded.owner() as connection:
            connection.execute(text("UPDATE boundary_release SET imported_at = now()"))
        wait_for(lambda: marks(app) - first)
    finally:
        stop.set()
        thread.join()
    memory.forget(lambda _key: True)
    memory.most_bytes = 2 * memory.nbytes
    with app.app_context():
        tiles_ahead.cut_ahead()
        held = len(memory._found)
        tiles_ahead.cut_ahead()
    assert len(memory._found) == held <= 3


def marks(app: Flask) -> set[object]:
    """Releases of which the tile of Münster is held."""
    memory = app.extensions["mapservice-held"].shapes
    wanted = (Level.MUNICIPALITY, tile_at(8, 7.63, 51.96))
    return {key[0] for key in list(memory._found) if key[1:] == wanted}


def wait_for(look: Callable[[], set[object]]) -> set[object]:
    deadline = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_without_boundaries_a_worker_goes_on_looking(database: Database) -> None:
    app, stop = create_app(database.settings, database), threading.Event()
    thread = threading.Thread(target=tiles_ahead.keep, args=(app, stop))
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    app.extensions["mapservice"].versions.close()
