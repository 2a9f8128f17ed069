"""Shapes of tiles that a worker cuts before anybody asks: those of low zooms, which show thousands of areas.

They depend on the boundary release alone, so that they serve every filter at every data version. A worker
that has just started answers meanwhile, and cuts what it is asked for by itself.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Hashable, Iterator

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from mapservice import held_levels
from mapservice.domain import Level
from mapservice.errors import MapServiceError
from mapservice.held import shapes_held
from mapservice.layers import tiles
from mapservice.layers.extents import extents
from mapservice.layers.tile_shapes import Tile, covering
from mapservice.service import service

ZOOM_AHEAD = 8
"""Further down a tile takes two milliseconds, and there are thousands."""
_EVERY = 5.0
"""Seconds between two looks for another release."""
_ROOM = 2
"""Up to one part of so many of the memory of shapes: what is asked for must not be forgotten for it."""


def keep(app: Flask, stop: threading.Event | None = None) -> None:
    """Cut ahead now and whenever another release becomes current, until stopped; for a thread of its own."""
    stop = stop or threading.Event()
    done: Hashable = None
    while not stop.is_set():
        # Without boundaries or a database there is nothing to do, and those who ask are told.
        with contextlib.suppress(MapServiceError, SQLAlchemyError), app.app_context():
            with service().reader() as connection:
                mark = held_levels.release(connection).mark
            if mark != done:
                cut_ahead()
                done = mark
        stop.wait(_EVERY)


def cut_ahead() -> None:
    """Read the outlines of every level and cut its tiles, the level of most areas first. Rests as long as it
    works, since requests wait for the same processor. Needs an application context.
    """
    memory = shapes_held()
    for level, tile in _wanted():
        if memory.nbytes > memory.most_bytes // _ROOM:
            return
        started = time.perf_counter()
        # A connection is given back after each tile, so that none is kept from a visitor.
        with service().reader() as connection:
            held_levels.cut(connection, level, tile, tiles.form(level, tile.z))
        time.sleep(time.perf_counter() - started)


def _wanted() -> Iterator[tuple[Level, Tile]]:
    with service().reader() as connection:
        found = extents(connection)
    for level, extent in sorted(found.items(), key=lambda item: -item[1].areas):
        # Of the zooms further down one tile, for which their outlines are read.
        yield level, covering(ZOOM_AHEAD + 1, extent.box)[0]
        for zoom in range(ZOOM_AHEAD, -1, -1):
            for tile in covering(zoom, extent.box):
                yield level, tile
