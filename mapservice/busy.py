"""How long one address may keep the service busy, over all workers; beyond that: 429 with Retry-After.

Requests differ a thousandfold in what they cost, so that seconds of work are counted, not requests. They are
given back steadily, and two minutes' worth may be used at once: a portal that draws 14 layers, all tiles
of a screen or one page after the other stays below; many connections that ask for something new all the time
do not. Answers that are kept, 304 and static files cost nothing.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, g, request

from mapservice.errors import N_, TooBusyError

if TYPE_CHECKING:
    from mapservice.config import Settings

log = logging.getLogger(__name__)
FILE = "busy.sqlite"
MINUTES = 2
"""Worth of work that an address may use at once."""
_EXTENSION = "mapservice-busy"
_FREE = frozenset({"static_files.file", "api.health", "pages.favicon"})
_FORGET = 60.0
"""Seconds between two times of tidying up."""
_WAIT = 0.2
"""Seconds to wait for another worker's turn at the file; then the visitor is let through uncounted."""


@dataclass
class Ledger:
    """Seconds of work by address, in a file that the workers share. rate: seconds given back in a second.

    An address is forgotten soon after all of its seconds have been given back.
    """

    path: Path
    rate: float
    _connection: sqlite3.Connection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _tidying: threading.Timer | None = None

    @property
    def most(self) -> float:
        return self.rate * 60 * MINUTES

    def wait(self, address: str, now: float) -> int:
        """Seconds until this address may ask again; 0: now."""
        row = self._run("SELECT spent, at FROM busy WHERE address = ?", address)
        if row is None:
            return 0
        over = row[0] - (now - row[1]) * self.rate - self.most
        return max(1, math.ceil(over / self.rate)) if over > 0 else 0

    def spend(self, address: str, seconds: float, now: float) -> None:
        """Book seconds of work that ended now."""
        self._run(
            "INSERT INTO busy (address, spent, at) VALUES (:address, :seconds, :now) ON CONFLICT (address)"
            " DO UPDATE SET spent = max(0, spent - max(0, :now - at) * :rate) + :seconds, at = max(at, :now)",
            {"address": address, "seconds": seconds, "now": now, "rate": self.rate},
        )
        self._tidy_later()

    def tidy(self) -> None:
        """Forget who has everything back; again later, while somebody is left."""
        self._run("DELETE FROM busy WHERE spent <= (? - at) * ?", time.time(), self.rate)
        left = self._run("SELECT count(*) FROM busy")
        self._tidying = None
        if left is not None and left[0]:
            self._tidy_later()

    def _tidy_later(self) -> None:
        with self._lock:
            if self._tidying is None:
                self._tidying = threading.Timer(_FORGET, self.tidy)
                self._tidying.daemon = True
                self._tidying.start()

    def _run(self, statement: str, *values: Any) -> Any:
        given = values[0] if len(values) == 1 and isinstance(values[0], dict) else values
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return self._connection.execute(statement, given).fetchone()
            except (sqlite3.Error, OSError):
                # A limit that cannot be counted is no reason to turn visitors away.
                log.exception("requests are not being limited: %s cannot be used", self.path)
                self._connection = None
                return None

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        # Nothing here is worth a disk's time: after a crash everybody starts anew.
        for pragma in ("synchronous = OFF", "journal_mode = WAL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS busy"
            " (address TEXT PRIMARY KEY, spent REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID"
        )
        return connection


@lru_cache(maxsize=1000)
def client(address: str | None) -> str | None:
    """Whom an address stands for: an IPv6 client has a whole /64 of them. None: nobody in particular, as with
    a proxy on this machine that was not made known, and with requests over a socket.
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return None if found.is_loopback else str(ipaddress.ip_network((int(found), 64), strict=False))
        found = found.ipv4_mapped
    return None if found.is_loopback else str(found)


def start() -> float | None:
    """The beginning of work for this request; None where nothing is counted. Raises TooBusyError."""
    ledger: Ledger | None = current_app.extensions[_EXTENSION]
    if ledger is None or (who := client(request.remote_addr)) is None:
        return None
    wait = ledger.wait(who, time.time())
    if wait:
        raise TooBusyError(
            N_(
                "Von Ihrer Adresse kommen gerade sehr viele Anfragen. Bitte warten Sie %(seconds)s Sekunden "
                "und fragen Sie danach mit weniger Verbindungen gleichzeitig."
            ),
            words={"seconds": wait},
            retry_after=wait,
        )
    return time.perf_counter()


def end(started: float | None) -> None:
    """Book the work since start()."""
    ledger: Ledger | None = current_app.extensions[_EXTENSION]
    who = client(request.remote_addr)
    if started is not None and ledger is not None and who is not None:
        ledger.spend(who, time.perf_counter() - started, time.time())


@contextmanager
def working() -> Iterator[None]:
    """Around what an answer takes to be made; raises TooBusyError."""
    started = start()
    try:
        yield
    finally:
        end(started)


def counts_itself(view: Any) -> Any:
    """Mark a view that uses working(), so that what it answers from memory is not counted."""
    view.counts_itself = True
    return view


def init_app(app: Flask, settings: Settings) -> None:
    limit = settings.busy_seconds
    app.extensions[_EXTENSION] = Ledger(settings.state_dir / FILE, limit / 60) if limit else None
    if not limit:
        return

    def admit() -> None:
        endpoint = request.endpoint
        if endpoint in _FREE or endpoint is None:
            return
        if not getattr(app.view_functions.get(endpoint), "counts_itself", False):
            g.busy_since = start()

    def book(_error: BaseException | None) -> None:
        end(g.pop("busy_since", None))

    app.before_request(admit)
    app.teardown_request(book)
