"""The database of the settings: one that an operator named, or our own in the state folder.

Our own server is shared by all commands and services with the same state folder. Each of them holds a
registration, a file locked by flock as long as the process lives, so that a process that was killed counts
no more. Under one lock the first starts the server and the last stops it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from filelock import FileLock, Timeout

from mapservice import privileges
from mapservice.config import DatabaseUrls, Settings
from mapservice.errors import ConfigurationError, UnavailableError
from mapservice.postgres import SUPERUSER, Server

DATABASE = "mapservice"
"""Name of the database in our own server."""
_LOCK_SECONDS = 900
"""As long as a first set-up or a recovery by another process may take."""


def tell(line: str) -> None:
    """Say one line to the user, where it does not mix with a command's output."""
    print(line, file=sys.stderr, flush=True)


def not_writable(state_dir: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"Im Zustandsordner {state_dir} kann dieser Benutzer nicht schreiben ({error.strerror}). "
        "Den Befehl als dessen Eigentümer aufrufen oder einen anderen nennen: MAPSERVICE_STATE_DIR.",
        parameter="MAPSERVICE_STATE_DIR",
    )


def create_state_dir(state_dir: Path) -> None:
    """Create the folder unless it is there. Raises ConfigurationError."""
    try:
        state_dir.mkdir(parents=True)
        # The database server's own user has to get through, whatever the umask says.
        state_dir.chmod(0o755)
    except FileExistsError:
        return
    except OSError as error:
        raise not_writable(state_dir, error) from None


@dataclass(frozen=True)
class User:
    """A process that uses the server. brief: it ends by itself, such as an import; not a service."""

    pid: int
    what: str
    brief: bool


class Cluster:
    """Our own server with its lock and its users. say: takes one German line about what is being done."""

    def __init__(
        self, state_dir: Path, say: Callable[[str], None] = tell, server: Server | None = None
    ) -> None:
        self.server = server or Server(state_dir, say)
        self.state = self.server.state
        self.say = say
        self._users = self.state / "users"
        self._registration: tuple[Path, int] | None = None

    def urls(self) -> DatabaseUrls:
        roles = privileges.Roles.of(DATABASE)
        owner, internal, public = (self.server.url(role, DATABASE) for role in roles)
        return DatabaseUrls(owner, internal, public)

    # --- lock and users ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock under which the server is started, stopped and set up."""
        try:
            create_state_dir(self.state)
            self._users.mkdir(exist_ok=True)
            lock = FileLock(self.state / "cluster.lock")
            try:
                lock.acquire(timeout=2)
            except Timeout:
                self.say("Ein anderer Aufruf richtet die Datenbank gerade ein, bitte warten …")
                lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise UnavailableError(
                f"Seit {_LOCK_SECONDS // 60} Minuten hält ein anderer Aufruf {self.state / 'cluster.lock'}."
            ) from None
        except OSError as error:
            raise not_writable(self.state, error) from None
        try:
            yield
        finally:
            lock.release()

    def users(self) -> list[User]:
        """Who uses the server besides this object. Call with the lock held: removes what the dead left."""
        found = []
        for path in self._users.iterdir():
            if self._registration is not None and path == self._registration[0]:
                continue
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            except BlockingIOError:
                content = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
                found.append(
                    User(content.get("pid", 0), content.get("what", "mapservice"), content.get("brief", True))
                )
            finally:
                os.close(descriptor)
        return found

    def _register(self, what: str, brief: bool) -> None:
        path = self._users / f"{os.getpid()}-{time.monotonic_ns()}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "what": what, "brief": brief}).encode())
        self._registration = (path, descriptor)

    def _unregister(self) -> None:
        if self._registration is not None:
            path, descriptor = self._registration
            path.unlink(missing_ok=True)
            os.close(descriptor)
            self._registration = None

    # --- use ---------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def used(self, what: str, *, brief: bool = True, migrate: bool = True) -> Iterator[DatabaseUrls]:
        """Have the server run, with the database and its roles, up to date; the last user stops it."""
        with self.locked():
            try:
                self.server.initialise()
                self.server.start()
                self._create_database()
                if migrate:
                    self._migrate()
                self._register(what, brief)
            except BaseException:
                if not self.users():
                    self.server.stop()
                raise
        try:
            yield self.urls()
        finally:
            with self.locked():
                self._unregister()
                if not self.users():
                    self.server.stop()

    def _create_database(self) -> None:
        roles = privileges.Roles.of(DATABASE)
        with self.server.connect() as connection:
            present = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role in roles:
                if role not in present:
                    connection.execute(privileges.role_statement(role).encode())
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                return
            # Under another name until it is complete, so that a killed set-up is done again.
            new = f"{DATABASE}_new"
            connection.execute(f"DROP DATABASE IF EXISTS {privileges.quote(new)}".encode())
            connection.execute(privileges.database_statement(new, roles).encode())
            with self.server.connect(new) as inside:
                for statement in privileges.inside_statements(new, roles):
                    inside.execute(statement.encode())
            connection.execute(
                f"ALTER DATABASE {privileges.quote(new)} RENAME TO {privileges.quote(DATABASE)}".encode()
            )

    def _migrate(self) -> None:
        from sqlalchemy import NullPool, create_engine

        from mapservice import schema

        owner = self.urls().owner
        assert owner is not None
        with create_engine(owner, poolclass=NullPool).connect() as connection:
            schema.migrate(connection, say=self.say)

    def wait_for_brief_users(self) -> None:
        """Wait until imports and other commands of this server have ended, saying for what is waited."""
        told: set[int] = set()
        while True:
            with self.locked():
                brief = [user for user in self.users() if user.brief]
            if not brief:
                return
            for user in brief:
                if user.pid not in told:
                    self.say(f"Noch läuft: {user.what} (Prozess {user.pid}); die Datenbank wartet darauf …")
                    told.add(user.pid)
            time.sleep(0.3)

    @contextlib.contextmanager
    def kept_alive(self, seconds: float = 1.0) -> Iterator[None]:
        """Start the server again whenever it dies, as long as the context lasts."""
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(seconds):
                if self.server.pid() is not None:
                    continue
                with contextlib.suppress(ConfigurationError, UnavailableError), self.locked():
                    if not stop.is_set() and self.server.pid() is None:
                        self.say("Die Datenbank ist abgestürzt und wird neu gestartet …")
                        self.server.start()

        thread = threading.Thread(target=watch, name="cluster-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def is_embedded(settings: Settings) -> bool:
    """Whether the settings name no database, so that our own serves."""
    return settings.database_url is None and settings.public_database_url is None


def urls(settings: Settings) -> DatabaseUrls:
    """The three URLs, without starting or checking anything.

    Raises ConfigurationError if the settings name a database but not the public login to it.
    """
    if is_embedded(settings):
        return Cluster(settings.state_dir).urls()
    if settings.public_database_url is None:
        raise ConfigurationError(
            "MAPSERVICE_DATABASE_URL ist gesetzt, MAPSERVICE_PUBLIC_DATABASE_URL fehlt: der Dienst liest mit "
            "einem eigenen Zugang, der nur Öffentliches sieht. Anlegen: mapservice database init --help",
            parameter="MAPSERVICE_PUBLIC_DATABASE_URL",
        )
    return DatabaseUrls(settings.database_url, settings.internal_database_url, settings.public_database_url)


def _check_reachable(url: str, name: str) -> None:
    plain = "postgresql://" + url.partition("://")[2]
    try:
        psycopg.connect(plain, connect_timeout=10).close()
    except psycopg.Error as error:
        # The driver's text names host, port and reason, never the password.
        reason = str(error).strip().split("\n")[0][:300]
        raise UnavailableError(
            f"Die Datenbank aus {name} ist nicht erreichbar: {reason}. "
            "Läuft sie, stimmen Name, Passwort und Freigabe (pg_hba.conf)?",
            parameter=name,
        ) from None


@contextlib.contextmanager
def connected(
    settings: Settings,
    what: str = "mapservice",
    *,
    brief: bool = True,
    migrate: bool = True,
    say: Callable[[str], None] = tell,
) -> Iterator[DatabaseUrls]:
    """The URLs of the database, which is running as long as the context lasts.

    Our own server is started if need be, set up and (unless migrate is False) brought up to date, and shared
    with other commands. One that an operator named is only checked to be reachable.
    what: shown to those who wait for this process; brief: it ends by itself.
    """
    found = urls(settings)
    if is_embedded(settings):
        with Cluster(settings.state_dir, say).used(what, brief=brief, migrate=migrate) as running:
            yield running
        return
    for url, name in (
        (found.owner, "MAPSERVICE_DATABASE_URL"),
        (found.internal, "MAPSERVICE_INTERNAL_DATABASE_URL"),
        (found.public, "MAPSERVICE_PUBLIC_DATABASE_URL"),
    ):
        if url is not None:
            _check_reachable(url, name)
    yield found


__all__ = ["DATABASE", "SUPERUSER", "Cluster", "User", "connected", "is_embedded", "tell", "urls"]
