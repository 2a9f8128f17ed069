"""Engines of the three roles, one connection per request, time limits, and the data version.

The web side reads as the public role, or, in the internal view, as the internal role with a viewer set for
the transaction. Only commands use the owner role.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, func, make_url, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mapservice.config import DatabaseUrls, Settings
from mapservice.domain import Audience
from mapservice.errors import N_, ConfigurationError, UnavailableError
from mapservice.models import DataVersion

log = logging.getLogger(__name__)

VERSION_CHANNEL = "mapservice_version"
VIEWER = "all"
"""The single viewer of the internal view; a later tenant model puts the viewer's authority there."""


def is_unavailable(error: DBAPIError) -> bool:
    """Whether the database is down, overloaded or over a time limit, rather than the query wrong."""
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    # 57014 query_canceled is the statement timeout; 53 insufficient resources, 57P the operator's shutdown
    return state == "57014" or state.startswith(("08", "53", "57P"))


class Database:
    """The database in its three roles. Engines are made when first asked for, so that forks share none."""

    def __init__(self, urls: DatabaseUrls, settings: Settings) -> None:
        self.urls = urls
        self.settings = settings
        self._engines: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def owner_engine(self) -> Engine:
        """Engine of the owner role: no pool, no statement timeout; an import is one long connection."""
        if self.urls.owner is None:
            raise ConfigurationError(
                "Dieser Befehl braucht den Zugang des Eigentümers: MAPSERVICE_DATABASE_URL."
            )
        return self._engine("owner", self.urls.owner)

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        """A connection as owner inside one transaction: committed at the end, rolled back on an exception."""
        with self.owner_engine().begin() as connection:
            yield connection

    @contextmanager
    def reader(self, audience: Audience) -> Iterator[Connection]:
        """A read-only connection inside one transaction that sees what the audience may see, and no more.

        Raises UnavailableError when the database is down, overloaded or over its time limit.
        """
        try:
            with self._reading_engine(audience).connect() as connection:
                if audience is Audience.INTERNAL:
                    # For this transaction only: a pooled connection must not keep the viewer.
                    connection.execute(select(func.set_config("mapservice.viewer", VIEWER, True)))
                yield connection
        except PoolTimeoutError:
            raise UnavailableError(
                N_("Der Dienst ist gerade ausgelastet. Bitte versuchen Sie es gleich erneut.")
            ) from None
        except DBAPIError as error:
            if not is_unavailable(error):
                raise
            log.warning("database unavailable: %s", type(error.orig).__name__)
            raise UnavailableError(
                N_("Die Datenbank antwortet gerade nicht. Bitte versuchen Sie es gleich erneut.")
            ) from None

    def reading_url(self, audience: Audience) -> URL:
        """The URL of the role that serves the audience."""
        if audience is Audience.PUBLIC:
            return make_url(self.urls.public)
        if self.urls.internal is None:
            raise ConfigurationError("Die interne Ansicht braucht MAPSERVICE_INTERNAL_DATABASE_URL.")
        return make_url(self.urls.internal)

    def dispose(self) -> None:
        """Close all pooled connections."""
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()

    def _reading_engine(self, audience: Audience) -> Engine:
        return self._engine(audience.name, self.reading_url(audience).render_as_string(hide_password=False))

    def _engine(self, name: str, url: str) -> Engine:
        with self._lock:
            if name not in self._engines:
                if name == "owner":
                    options = {"application_name": "mapservice-import"}
                    self._engines[name] = create_engine(url, poolclass=NullPool, connect_args=options)
                else:
                    self._engines[name] = create_engine(
                        url,
                        # one snapshot for the data version and the data that are sent under its ETag
                        isolation_level="REPEATABLE READ",
                        pool_size=self.settings.threads,
                        max_overflow=0,
                        pool_timeout=self.settings.statement_timeout,
                        pool_pre_ping=True,
                        connect_args=self._reading_options(),
                    )
            return self._engines[name]

    def _reading_options(self) -> dict[str, str | int]:
        milliseconds = int(self.settings.statement_timeout * 1000)
        return {
            "application_name": "mapservice",
            "connect_timeout": 5,
            # jit: compiling costs more than these short queries take
            "options": f"-c statement_timeout={milliseconds} -c default_transaction_read_only=on -c jit=off",
        }


@dataclass(frozen=True)
class Version:
    """The state of the data for one audience."""

    audience: Audience
    number: int
    changed_at: dt.datetime
    demonstration: bool


class DataVersions:
    """The data version of one audience, pushed by NOTIFY to each worker and confirmed twice a second.

    A version that was not confirmed within MAX_AGE is not trusted: the request then asks the database
    itself, so that a withdrawal holds in every worker within a second even when a connection hangs.
    """

    MAX_AGE = 0.9
    HEARTBEAT = 0.4

    def __init__(self, database: Database, audience: Audience) -> None:
        self._database = database
        self.audience = audience
        self._version: Version | None = None
        self._confirmed = float("-inf")
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def current(self) -> Version:
        """The present version; raises UnavailableError when the database is down."""
        if self._thread is None:
            self._start()
        version = self._version
        if version is not None and time.monotonic() - self._confirmed < self.MAX_AGE:
            return version
        with self._database.reader(self.audience) as connection:
            return self.read(connection)

    def read(self, connection: Connection) -> Version:
        """The version as this connection's transaction sees it."""
        row = connection.execute(
            select(DataVersion.version, DataVersion.changed_at, DataVersion.demonstration).where(
                DataVersion.audience == self.audience
            )
        ).one()
        return Version(self.audience, *row)

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="data-version", daemon=True)
                self._thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            with suppress(psycopg.Error):
                self._follow()
            self._stop.wait(self.HEARTBEAT)

    def _follow(self) -> None:
        url = self._database.reading_url(self.audience).set(drivername="postgresql")
        with psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=5,
            application_name="mapservice-version",
            options="-c statement_timeout=2000",
        ) as connection:
            connection.execute(f"LISTEN {VERSION_CHANNEL}")
            while not self._stop.is_set():
                asked = time.monotonic()
                with connection.transaction():
                    if self.audience is Audience.INTERNAL:
                        connection.execute("SELECT set_config('mapservice.viewer', %s, true)", (VIEWER,))
                    row = connection.execute(
                        "SELECT version, changed_at, demonstration FROM data_version WHERE audience = %s",
                        (int(self.audience),),
                    ).fetchone()
                if row is None:
                    return
                self._version = Version(self.audience, *row)
                self._confirmed = asked
                for _ in connection.notifies(timeout=self.HEARTBEAT, stop_after=1):
                    pass
