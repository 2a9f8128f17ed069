"""Numbers beside subject areas and life situations in pages, kept while the data version stays."""

from __future__ import annotations

import threading
from typing import Any

from cachetools import LRUCache
from flask import Flask, current_app
from sqlalchemy import Connection

from mapservice.layers import facets
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.service import service

_EXTENSION = "mapservice-facets"
_MOST_KEPT = 200


class _Kept:
    """Facets by data version and question; thread-safe."""

    def __init__(self) -> None:
        self._found: LRUCache[Any, facets.Facets] = LRUCache(_MOST_KEPT)
        self._lock = threading.Lock()

    def get(self, key: Any) -> facets.Facets | None:
        with self._lock:
            return self._found.get(key)

    def put(self, key: Any, found: facets.Facets) -> None:
        with self._lock:
            self._found[key] = found


def kept(connection: Connection, query: Query, selection: Selection) -> facets.Facets:
    """Those of the query's level, region, scope, statuses and filters of entries."""
    held = service()
    store: _Kept = current_app.extensions[_EXTENSION]
    # Of the same snapshot as the rest of the page.
    key = (held.versions.read(connection).number, query.with_all_services())
    found = store.get(key)
    if found is None:
        found = facets.facets(connection, query, selection, held.audience)
        store.put(key, found)
    return found


def init_app(app: Flask) -> None:
    app.extensions[_EXTENSION] = _Kept()
