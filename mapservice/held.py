"""What a worker remembers between requests, so that most of them ask the database nothing.

Two kinds: what a boundary release fixes for good (shapes, names), and what holds at one data version of the
audience (values, the catalogue's choice). The latter are found under exactly that version and go when it
moves, as finished answers do (responses.py). Some are carried on beside what they were made from, so that at
the next version only what differs is made anew. All are bounded by bytes, the least recently used leave
first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from cachetools import LRUCache
from flask import Flask, current_app
from sqlalchemy import Connection

from mapservice.database import Version
from mapservice.service import Service

_EXTENSION = "mapservice-held"
_SMALL = 2_000
"""Bytes that are reckoned for what does not tell its size."""
_MOST_LOCKS = 1000
_MOST_ASKED = 500
_LEAST_MB = 32
T = TypeVar("T")


class MovedError(Exception):
    """The data version moved between the look into memory and the first question to the database."""

    def __init__(self, version: Version) -> None:
        super().__init__(version)
        self.version = version


@dataclass
class Memory:
    """Results by key; thread-safe. A result is made by one thread, and others of the same key wait for it."""

    most_bytes: int
    _found: LRUCache[Hashable, tuple[Any, int]] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _working: dict[Hashable, threading.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._found = LRUCache(self.most_bytes, getsizeof=lambda held: held[1])

    def look(self, key: Hashable) -> Any:
        """What is held under the key, else None."""
        with self._lock:
            held = self._found.get(key)
        return None if held is None else held[0]

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is held under the key, else made now. Too large for the memory: made each time."""
        found = self.look(key)
        if found is None:
            with self._worker(key):
                found = self.look(key)
                if found is None:
                    found = make()
                    self.put(key, found)
        return cast(T, found)

    def put(self, key: Hashable, result: Any) -> None:
        size = getattr(result, "nbytes", _SMALL) + 200
        with self._lock:
            if size <= self.most_bytes // 2:
                self._found[key] = (result, size)

    def forget(self, gone: Callable[[Hashable], bool]) -> None:
        with self._lock:
            for key in [key for key in self._found if gone(key)]:
                del self._found[key]

    @property
    def nbytes(self) -> int:
        """Bytes held, as far as reckoned."""
        with self._lock:
            return int(self._found.currsize)

    def _worker(self, key: Hashable) -> threading.Lock:
        with self._lock:
            if len(self._working) > _MOST_LOCKS:
                self._working = {name: lock for name, lock in self._working.items() if lock.locked()}
            return self._working.setdefault(key, threading.Lock())


@dataclass
class Held:
    """shapes: by release. values: by data version. carried: of earlier data versions."""

    shapes: Memory
    values: Memory
    carried: Memory
    _asked: LRUCache[Hashable, int] = field(default_factory=lambda: LRUCache(_MOST_ASKED))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _moment: Hashable = None

    def times_asked(self, question: Hashable) -> int:
        """How often this worker was asked it, this time included."""
        with self._lock:
            times = self._asked.get(question, 0) + 1
            self._asked[question] = times
        return times

    def at(self, moment: Hashable) -> Memory:
        """The memory of values, emptied of other versions' when a new one is first asked for."""
        if moment != self._moment:
            self._moment = moment
            self.values.forget(lambda key: isinstance(key, tuple) and key[0] != moment)
        return self.values


class Reading:
    """The connection of a request, opened when the database is first asked something.

    Until then the version is the one that the worker knows; what is remembered under it is of that version's
    snapshot. If the database has moved on meanwhile, MovedError says so, and the request starts anew.
    """

    def __init__(self, service: Service, stack: ExitStack, version: Version) -> None:
        self._service, self._stack = service, stack
        self.version = version
        self._connection: Connection | None = None

    @property
    def moment(self) -> Hashable:
        """The time beside the number tells two databases apart after a restore."""
        return moment_of(self.version)

    def open(self) -> Connection:
        """The connection; raises MovedError, UnavailableError."""
        if self._connection is None:
            connection = self._stack.enter_context(self._service.reader())
            # Of the same snapshot as the data: the ETag must never name another version's bytes.
            version = self._service.versions.read(connection)
            self._connection = connection
            if version != self.version:
                raise MovedError(version)
        return self._connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.open(), name)


def moment_of(version: Version) -> Hashable:
    """What results are found under that hold at a data version."""
    return version.audience, version.number, version.changed_at


def kept_at(version: Version, key: Hashable, make: Callable[[], T]) -> T:
    """As remembered(), for a connection that is open already and saw this very version."""
    moment = moment_of(version)
    return _held().at(moment).get((moment, key), make)


def remembered(connection: Connection, key: Hashable, make: Callable[[], T]) -> T:
    """The result of `make`, which may depend on the key, the data version and the audience alone."""
    if not isinstance(connection, Reading):
        return make()
    return kept_at(connection.version, key, make)


def recalled(connection: Connection, key: Hashable) -> Any:
    """What remembered() would find, else None."""
    if not isinstance(connection, Reading):
        return None
    moment = connection.moment
    return _held().at(moment).look((moment, key))


def is_remembered(connection: Connection, key: Hashable) -> bool:
    """Whether remembered() would find the result."""
    return recalled(connection, key) is not None


def of_release(key: Hashable, make: Callable[[], T]) -> T:
    """The result of `make`, which may depend on the key alone: its first part names a boundary release."""
    return _held().shapes.get(key, make)


def shapes_held() -> Memory:
    """The memory behind of_release(), for answers that are made when their request is over."""
    return _held().shapes


def carried() -> Memory:
    """The memory of what was made at earlier data versions, for whoever can tell whether it still holds."""
    return _held().carried


def version_of(connection: Connection) -> Version | None:
    """The data version under which remembered() finds results; None if it remembers nothing."""
    return connection.version if isinstance(connection, Reading) else None


def times_asked(version: Version | None, question: Hashable) -> int:
    """How often this worker was asked the question at a data version, this time included."""
    return _held().times_asked((version and moment_of(version), question))


def _held() -> Held:
    return cast(Held, current_app.extensions[_EXTENSION])


def init_app(app: Flask, cache_mb: int) -> None:
    """Beside the finished answers, so many times their room: 5/3 for shapes, 2/3 for values and 1/6 for those
    carried on; never so little that every request would have to read them anew.
    """
    room = max(cache_mb, _LEAST_MB) * 1_000_000
    app.extensions[_EXTENSION] = Held(Memory(room * 5 // 3), Memory(room * 2 // 3), Memory(room // 6))
