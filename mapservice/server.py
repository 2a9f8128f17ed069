"""The production server: checks first, then granian's worker processes around the WSGI application."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import http.client
import ipaddress
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from mapservice import cluster
from mapservice.config import DatabaseUrls, Settings
from mapservice.errors import ConfigurationError

if TYPE_CHECKING:
    from flask import Flask

    from mapservice.database import Database

_PR_SET_PDEATHSIG = 1
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Numbers of glibc's mallopt()."""
_WORKER_STOP_SECONDS = 5
_MOST_NAMED = 10


def application() -> Flask:
    """The WSGI application of one worker process. It has no owner's access to the database."""
    # Workers share the port by SO_REUSEPORT: one that outlived a killed parent would go on answering
    # beside the next service.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _return_memory()
    # Ctrl-C in the terminal is for the parent, which ends the workers in order.
    os.setpgid(0, 0)
    from mapservice import create_app
    from mapservice.commands.base import set_up_logging
    from mapservice.database import Database

    settings = Settings.from_environment()
    set_up_logging(settings.log_level)
    urls = cluster.urls(settings)
    app = create_app(settings, Database(DatabaseUrls(None, urls.internal, urls.public), settings))
    threading.Thread(target=_make_ready, args=(app,), daemon=True).start()
    return app


def _make_ready(app: Flask) -> None:
    """What would take a visitor's time, while the worker answers already."""
    from mapservice import tiles_ahead

    warm_up(app)
    tiles_ahead.keep(app)


def warm_up(app: Flask) -> None:
    """Make the map page once: folium, templates and texts then need not be read while a visitor waits.

    Takes half a second; the worker answers meanwhile. Whatever fails here is told to those who ask.
    """
    with contextlib.suppress(Exception), app.test_request_context("/"):
        app.view_functions["pages.map_page"]()


def _return_memory() -> None:
    """Have large answers given back to the system when they are sent: glibc would keep a heap for each
    thread, each as large as what it once held. Other C libraries do so anyway.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, 256 * 1024)


# --- checks --------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def check_exposure(settings: Settings) -> None:
    """Refuse to show the internal view where other machines reach it, unless the operator confirmed that."""
    if settings.view != "internal" or settings.internal_confirmed or settings.socket is not None:
        return
    if not is_loopback(settings.host):
        raise ConfigurationError(
            f"Die interne Ansicht zeigt auch Unveröffentlichtes; auf {settings.host} könnten andere Rechner "
            "sie abrufen. Entweder MAPSERVICE_HOST=127.0.0.1, oder, wenn ein Zugangsschutz davor steht: "
            "MAPSERVICE_INTERNAL_CONFIRMED=ja.",
            parameter="MAPSERVICE_INTERNAL_CONFIRMED",
        )


def check_address_is_free(settings: Settings) -> None:
    """Raise ConfigurationError with the remedy if something answers where the service is to listen."""
    if settings.socket is not None:
        _check_socket_is_free(settings.socket)
        return
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError:
        raise ConfigurationError(
            f"Die Adresse {settings.host} gibt es hier nicht. Erlaubt: eine Adresse dieses Rechners, "
            "zum Beispiel 127.0.0.1.",
            parameter="MAPSERVICE_HOST",
        ) from None
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        # Without SO_REUSEPORT, which would let a second service share the port unnoticed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            if error.errno == errno.EADDRINUSE:
                text = (
                    f"Auf {where} läuft schon etwas, vielleicht dieser Dienst. "
                    f"Dort beenden oder einen anderen Port: MAPSERVICE_PORT={settings.port % 65535 + 1}"
                )
            elif error.errno == errno.EACCES:
                text = f"Auf {where} darf dieser Benutzer nicht hören. Erlaubt: MAPSERVICE_PORT ab 1024."
            else:
                text = f"Auf {where} kann der Dienst nicht hören: {error.strerror}."
            raise ConfigurationError(text, parameter="MAPSERVICE_PORT") from None


def _check_socket_is_free(path: Path) -> None:
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"Den Ordner {path.parent} für MAPSERVICE_SOCKET gibt es nicht.", parameter="MAPSERVICE_SOCKET"
        )
    if not path.is_socket():
        if path.exists():
            raise ConfigurationError(
                f"{path} gibt es schon und ist kein Socket.", parameter="MAPSERVICE_SOCKET"
            )
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()  # left behind by a service that was killed
            return
    raise ConfigurationError(f"Auf {path} läuft der Dienst schon.", parameter="MAPSERVICE_SOCKET")


def check_database(database: Database) -> None:
    """Refuse a schema that is not current, a public login that could read too much, a view without login."""
    from mapservice import login_check, schema
    from mapservice.domain import Audience

    if database.urls.owner is not None:
        with database.owner_engine().connect() as connection:
            schema.require_current(connection)
    with database.reader(Audience.PUBLIC) as connection:
        login_check.check_public_login(connection)
    if database.settings.view == "internal":
        with database.reader(Audience.INTERNAL):
            pass


def check_search_words(database: Database, say: Callable[[str], None]) -> None:
    """Refuse a faulty list of words; tell of the operator's words for services that there are not."""
    from mapservice.domain import Audience
    from mapservice.search import memory, words

    path = database.settings.search_words
    if path is None:
        return
    own = words.read(path)
    # As the most knowing reader that there is, since a service of one's own may not be public yet.
    audience = Audience.PUBLIC if database.urls.internal is None else Audience.INTERNAL
    with database.reader(audience) as connection:
        known = memory.known(connection, own)
    missing = sorted({word.service for word in own} - known.keys())
    if missing:
        shown = ", ".join(missing[:_MOST_NAMED]) + (" …" if len(missing) > _MOST_NAMED else "")
        say(f"Die Wörterliste {path} nennt Leistungen, die es hier nicht gibt: {shown}")


# --- running -------------------------------------------------------------------------------------------


def address(settings: Settings) -> str:
    """Where visitors find the service."""
    if settings.public_url:
        return f"{settings.public_url}/"
    if settings.socket is not None:
        return f"unix:{settings.socket}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/"


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _answers(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared
    connection: http.client.HTTPConnection
    if settings.socket is not None:
        connection = _SocketConnection(settings.socket)
    else:
        connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        connection.getresponse()  # whatever it says: an empty database answers 503
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _announce(settings: Settings, say: Callable[[str], None], stopped: threading.Event) -> None:
    """Say the address as soon as a request is answered there."""
    started = time.monotonic()
    while not stopped.wait(0.05):
        if _answers(settings):
            view = " – interne Ansicht" if settings.view == "internal" else ""
            say(f"Die Karte läuft{view}: {address(settings)}  (Ende mit Strg-C)")
            _announce_texts(settings, say)
            return
        if time.monotonic() - started > 60:
            say("Der Dienst antwortet noch nicht; das Protokoll steht darüber.")
            return


def _announce_texts(settings: Settings, say: Callable[[str], None]) -> None:
    """Say which texts of the operator are missing or cannot be shown."""
    from mapservice.texts import Texts

    texts = Texts(settings.texts_dir)
    wrong = [str(finding) for finding in texts.findings() if finding.fatal]
    if missing := ", ".join(item.name for item in texts.missing()):
        wrong.insert(0, f"es fehlt {missing}")
    if wrong:
        say(f"Texte des Betreibers: {'; '.join(wrong[:5])}. Einzelheiten: mapservice check-texts")


def run(settings: Settings, say: Callable[[str], None]) -> int:
    """Run the worker processes until SIGINT or SIGTERM. Returns the exit code: 1 if the workers failed."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    # Fresh processes: a fork would carry locks and threads of this one along.
    multiprocessing.set_start_method("spawn", force=True)
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    stopped = threading.Event()
    options: dict[str, Any] = {}
    if settings.socket is not None:
        options = {"uds": settings.socket, "uds_permissions": 0o660}
    granian = Granian(
        "mapservice.server:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=settings.workers,
        blocking_threads=settings.threads,
        log_level=LogLevels.debug if settings.log_level == "debug" else LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=_WORKER_STOP_SECONDS,
        **options,
    )

    def end_with_the_terminal() -> None:
        # granian takes SIGHUP as a wish to reload; from a terminal that is closed it means the end.
        if sys.stdin is not None and sys.stdin.isatty():
            signal.signal(signal.SIGHUP, granian.signal_handler_interrupt)

    granian.on_startup(end_with_the_terminal)
    announcer = threading.Thread(target=_announce, args=(settings, say, stopped), daemon=True)
    announcer.start()
    try:
        granian.serve()
    except SystemExit:
        # Ctrl-C reaches the workers too; that they ended by it is no failure.
        pass
    finally:
        stopped.set()
        for name, handler in before.items():
            signal.signal(name, handler)
    return 0 if granian.interrupt_signal else 1


@contextlib.contextmanager
def one_service(settings: Settings) -> Iterator[None]:
    """Hold the address for this service, so that two that start at once do not share the port unnoticed."""
    name = settings.socket.name if settings.socket is not None else f"{settings.host}-{settings.port}"
    cluster.create_state_dir(settings.state_dir)
    safe = "".join(character if character.isalnum() or character in ".-" else "_" for character in name)
    lock = FileLock(settings.state_dir / f"serve-{safe}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigurationError(
            f"Der Dienst läuft schon: {address(settings)}  Dort beenden oder einen anderen Port nehmen: "
            f"MAPSERVICE_PORT={settings.port % 65535 + 1}",
            parameter="MAPSERVICE_PORT",
        ) from None
    except OSError as error:
        raise cluster.not_writable(settings.state_dir, error) from None
    try:
        yield
    finally:
        lock.release()


def serve(
    settings: Settings,
    say: Callable[[str], None],
    prepare: Callable[[Database], None] | None = None,
) -> int:
    """Check, prepare, run until ended, and leave the database to whoever still uses it.

    prepare: called with the database before the checks, for a first start. Returns the exit code.
    """
    from mapservice.database import Database

    check_exposure(settings)
    with one_service(settings):
        check_address_is_free(settings)
        with contextlib.ExitStack() as stack:
            if cluster.is_embedded(settings):
                own = cluster.Cluster(settings.state_dir, say)
                urls = stack.enter_context(own.used("mapservice serve", brief=False))
                # Left before the server is: first no more restarts, then wait for imports, then stop.
                stack.callback(_wait, own, say)
                stack.enter_context(own.kept_alive())
            else:
                urls = stack.enter_context(cluster.connected(settings, "mapservice serve", say=say))
            database = Database(urls, settings)
            stack.callback(database.dispose)
            if prepare is not None:
                prepare(database)
            check_database(database)
            check_search_words(database, say)
            database.dispose()
            code = run(settings, say)
            say("Der Dienst ist beendet." if code == 0 else "Der Dienst ist ausgefallen.")
            return code


def _wait(own: cluster.Cluster, say: Callable[[str], None]) -> None:
    try:
        own.wait_for_brief_users()
    except KeyboardInterrupt:
        say("Die Datenbank läuft weiter, bis der letzte Befehl sie nicht mehr braucht.")
