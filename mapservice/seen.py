"""What this process keeps of the database while the data version of a role stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from cachetools import LRUCache
from sqlalchemy import Connection, select

from mapservice.models import DataVersion

T = TypeVar("T")


def version_seen(connection: Connection) -> tuple[Any, ...]:
    """The database and the data versions that this connection's role sees: its own ones, so that what is kept
    for one role is never found by another.
    """
    versions = select(DataVersion.audience, DataVersion.version, DataVersion.changed_at)
    seen = [tuple(row) for row in connection.execute(versions.order_by(DataVersion.audience))]
    return (connection.engine.url.render_as_string(), *seen)


class Kept(Generic[T]):
    """Results for the data versions that were seen last; the least recently used leave first."""

    def __init__(self, most: int) -> None:
        self._found: LRUCache[Any, T] = LRUCache(most)
        self._lock = threading.Lock()

    def get(self, connection: Connection, read: Callable[[Connection], T], about: Hashable = None) -> T:
        """What is kept of what this connection's role sees, else read now. about: tells questions apart.

        One thread reads, and others wait for it: twice the memory is no faster.
        """
        key = (about, *version_seen(connection))
        with self._lock:
            found = self._found.get(key)
            if found is None:
                found = self._found[key] = read(connection)
        return found
