"""A PostgreSQL server of our own: find the binaries, initialise, start, stop, as whichever user may.

The server refuses to run as root. Called as root it therefore runs as the owner of its folder
(`postgres`), or, where that user cannot reach the folder, as an ordinary user of a user namespace.
Only Linux: it looks into /proc, since the pid in postmaster.pid may long belong to something else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from mapservice.errors import ConfigurationError, UnavailableError

SUPERUSER = "postgres"
PORT = 5432
_SOCKET_LIMIT = 107
"""Bytes of a unix socket's path (sockaddr_un, without the closing zero)."""
_START_SECONDS = 600
"""Recovery after a crash may take minutes; a server that died is noticed at once."""
_STOP_SECONDS = 300
_NO_PID = "99999999"
"""Above every kernel's pid_max."""
_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")

DURABLE: Mapping[str, str] = {
    # Nothing that weakens durability. Room for imports of millions of rows; JIT costs more than it
    # saves on queries of milliseconds; minimal WAL lets a COPY into a new table skip it, safely.
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "jit": "off",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_messages": "warning",
}


@dataclass(frozen=True)
class Installation:
    """One installed major version of PostgreSQL that has PostGIS."""

    major: int
    bin: Path


def installations() -> list[Installation]:
    """What is installed with PostGIS, highest version first (Debian's layout, else the first pg_config)."""
    found = {}
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        name = folder.parent.name
        control = Path("/usr/share/postgresql") / name / "extension" / "postgis.control"
        if name.isdigit() and (folder / "initdb").exists() and control.exists():
            found[int(name)] = Installation(int(name), folder)
    pg_config = shutil.which("pg_config")
    if not found and pg_config:
        answer = subprocess.run(  # noqa: S603 - the path comes from PATH, the arguments are ours
            [pg_config, "--bindir", "--sharedir", "--version"], capture_output=True, text=True, check=False
        ).stdout.split("\n")
        with contextlib.suppress(IndexError, ValueError):
            folder, share, major = Path(answer[0]), Path(answer[1]), int(answer[2].split()[1].split(".")[0])
            if (folder / "initdb").exists() and (share / "extension" / "postgis.control").exists():
                found[major] = Installation(major, folder)
    return [found[major] for major in sorted(found, reverse=True)]


def _can(command: list[str]) -> bool:
    return (
        subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0  # noqa: S603
    )


def _as_user(uid: int, gid: int) -> list[str]:
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]


class Server:
    """The server whose files lie in `<state>/postgres` (or where `<state>/postgres.path` says).

    say: takes one German line about what is being done.
    """

    def __init__(self, state: Path, say: Callable[[str], None], options: Mapping[str, str] = DURABLE) -> None:
        self.state = Path(os.path.realpath(state))
        self.say = say
        self.options = options
        self._pointer = self.state / "postgres.path"

    @property
    def home(self) -> Path:
        with contextlib.suppress(FileNotFoundError):
            return Path(self._pointer.read_text(encoding="utf-8").strip())
        return self.state / "postgres"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def socket_dir(self) -> Path:
        """Where the socket lies: in the folder, or, if that path is too long, in a private one below /tmp."""
        inside = self.home / "socket"
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= _SOCKET_LIMIT:
            return inside
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp") / f"mapservice-{name}"  # noqa: S108 - checked in _private_folder

    def url(self, role: str, database: str) -> str:
        """SQLAlchemy URL of this server."""
        host = quote(str(self.socket_dir), safe="")
        return (
            f"postgresql+psycopg://{quote(role, safe='')}@/{quote(database, safe='')}?host={host}&port={PORT}"
        )

    def connect(self, database: str = "postgres", role: str = SUPERUSER) -> psycopg.Connection:
        """A connection of the psycopg driver, in autocommit mode."""
        return psycopg.connect(
            host=str(self.socket_dir),
            port=PORT,
            user=role,
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        )

    # --- state -------------------------------------------------------------------------------------

    def pid(self) -> int | None:
        """The pid of the running server, or None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        if os.path.basename(command[0]) not in (b"postgres", b"postmaster"):
            return None
        try:
            # The server's working folder is its data folder: tells it from another server with that pid.
            return pid if os.path.samefile(f"/proc/{pid}/cwd", self.data) else None
        except PermissionError:
            return pid
        except OSError:
            return None

    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def installation(self) -> Installation:
        """The binaries to use: those of the data's own version, else the highest.

        Raises ConfigurationError if there are none, or none of the version that wrote the data.
        """
        found = installations()
        if not self.initialised():
            if found:
                return found[0]
            raise ConfigurationError(
                "PostgreSQL mit PostGIS fehlt. Unter Debian und Ubuntu: apt-get install postgresql postgis "
                "postgresql-postgis – oder eine vorhandene Datenbank nennen: MAPSERVICE_DATABASE_URL."
            )
        major = int((self.data / "PG_VERSION").read_text(encoding="utf-8").strip())
        for installation in found:
            if installation.major == major:
                return installation
        others = ", ".join(str(installation.major) for installation in found) or "keine"
        raise ConfigurationError(
            f"Die Datenbank in {self.home} stammt von PostgreSQL {major}; mit PostGIS installiert: {others}. "
            "Es wurde nichts verändert. So ziehen die Daten um: "
            f"(1) apt-get install postgresql-{major} postgresql-{major}-postgis-3, "
            "(2) mapservice database dump sicherung.dump, "
            f"(3) {self.state} umbenennen, "
            "(4) mapservice database restore sicherung.dump."
        )

    # --- as which user -----------------------------------------------------------------------------

    def _prefix(self) -> list[str]:
        """What to put before a command so that it runs as the folder's owner."""
        owner = self.home.stat()
        if os.geteuid() == owner.st_uid:
            return list(_NAMESPACE) if owner.st_uid == 0 else []
        if os.geteuid() == 0:
            return _as_user(owner.st_uid, owner.st_gid)
        try:
            name = pwd.getpwuid(owner.st_uid).pw_name
        except KeyError:
            name = str(owner.st_uid)
        raise ConfigurationError(
            f"Der Zustandsordner {self.state} gehört dem Benutzer {name}. Den Befehl als {name} aufrufen "
            "oder mit MAPSERVICE_STATE_DIR einen eigenen Ordner nennen."
        )

    def _prepare_home(self) -> None:
        """Create the folder, owned by the user the server is to run as."""
        home = self.state / "postgres"
        if os.geteuid() != 0:
            home.mkdir(mode=0o700, exist_ok=True)
            return
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            user = None
        home.mkdir(mode=0o700, exist_ok=True)
        if user and _can([*_as_user(user.pw_uid, user.pw_gid), "test", "-x", str(self.state)]):
            os.chown(home, user.pw_uid, user.pw_gid)
            return
        if _can([*_NAMESPACE, "true"]):
            return
        home.rmdir()
        if user is None:
            raise ConfigurationError(
                "PostgreSQL läuft nicht als root, und den Benutzer postgres gibt es nicht. "
                "Den Befehl als gewöhnlicher Benutzer aufrufen."
            )
        name = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:16]
        home = Path("/var/lib/mapservice") / name
        home.parent.mkdir(mode=0o755, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, user.pw_uid, user.pw_gid)
        self._pointer.write_text(f"{home}\n", encoding="utf-8")
        self.say(f"Der Benutzer postgres erreicht {self.state} nicht: die Datenbank liegt in {home}.")

    def _private_folder(self, folder: Path) -> None:
        owner = self.home.stat()
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(folder, owner.st_uid, owner.st_gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.st_uid or found.st_mode & 0o077:
            raise ConfigurationError(
                f"Der Ordner {folder} gehört jemand anderem oder ist für andere offen; die Datenbank "
                "braucht ihn für sich. Bitte entfernen oder einen kürzeren MAPSERVICE_STATE_DIR wählen."
            )

    def environment(self, installation: Installation) -> dict[str, str]:
        # Nothing of the caller's environment: PGDATA, PGPORT, LANG and the like would change the server.
        return {"PATH": f"{installation.bin}:/usr/bin:/bin", "HOME": "/", "LC_ALL": "C.UTF-8"}

    # --- initialise, start, stop -------------------------------------------------------------------

    def initialise(self) -> None:
        """initdb, unless that was done. Complete or not at all: the folder gets its name at the end."""
        if self.initialised():
            return
        installation = self.installation()
        if not self.home.exists():
            self._prepare_home()
        self.say(f"Eigene Datenbank wird angelegt (PostgreSQL {installation.major}) …")
        new = self.home / "data.new"
        if new.exists():
            shutil.rmtree(new)
        result = subprocess.run(  # noqa: S603
            [
                *self._prefix(),
                str(installation.bin / "initdb"),
                "--pgdata",
                str(new),
                f"--username={SUPERUSER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
                "--data-checksums",
            ],
            env=self.environment(installation),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise ConfigurationError(
                f"Die Datenbank in {self.home} ließ sich nicht anlegen: {result.stderr.strip()[-600:]}"
            )
        new.rename(self.data)

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers."""
        if self.pid() is None:
            self._launch()
        self._wait_until_ready()

    def _launch(self) -> None:
        installation = self.installation()
        prefix = self._prefix()
        for folder in (self.socket_dir, self.home / "log"):
            self._private_folder(folder)
        options = {
            **self.options,
            "listen_addresses": "",
            "unix_socket_directories": '"' + str(self.socket_dir).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "log_directory": str(self.home / "log"),
        }
        self._disown_lock_files()
        command = [*prefix, str(installation.bin / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with open(self.home / "log" / "start.log", "wb") as log:
            # A session of its own: Ctrl-C in the terminal must not reach the server, others may be using it.
            self._process = subprocess.Popen(  # noqa: S603
                command,
                env=self.environment(installation),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _disown_lock_files(self) -> None:
        """Write an impossible pid into lock files that a killed server left.

        Nobody else starts this server (the caller holds the lock) and pid() says that none runs, so whatever
        process has the number now is another one, or a zombie; the server would give up before it. The files
        stay: by the shared memory named in them it notices processes of the old server that still write.
        """
        for path in (self.data / "postmaster.pid", self.socket_dir / f".s.PGSQL.{PORT}.lock"):
            with contextlib.suppress(FileNotFoundError):
                text = path.read_text(encoding="utf-8")
                path.write_text(_NO_PID + text[text.find("\n") :], encoding="utf-8")

    def _wait_until_ready(self) -> None:
        process: subprocess.Popen[bytes] | None = getattr(self, "_process", None)
        started = time.monotonic()
        retries = 120
        told = False
        while time.monotonic() - started < _START_SECONDS:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                pass
            exited = process is not None and process.poll() is not None
            if exited or (process is None and self.pid() is None):
                # After a crash, processes of the old server hold its memory until they have noticed.
                start_log = self.home / "log" / "start.log"
                if retries == 0 or b"pre-existing shared memory" not in start_log.read_bytes():
                    raise UnavailableError(
                        f"Die Datenbank in {self.home} startet nicht. Letzte Meldungen:\n{self._log()}"
                    )
                retries -= 1
                time.sleep(0.5)
                self._launch()
                process = self._process
            if not told and time.monotonic() - started > 5:
                self.say("Die Datenbank stellt sich nach einem Absturz wieder her …")
                told = True
            time.sleep(0.03)
        raise UnavailableError(
            f"Die Datenbank in {self.home} antwortet nicht. Protokolle: {self.home / 'log'}"
        )

    def _log(self) -> str:
        text = ""
        with contextlib.suppress(OSError):
            for log in sorted((self.home / "log").glob("*.log"), key=lambda path: path.stat().st_mtime):
                text += log.read_text(encoding="utf-8", errors="replace")
        return text.strip()[-1500:]

    def stop(self) -> None:
        """Stop the server, if it runs; open transactions are rolled back."""
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + _STOP_SECONDS
        process: subprocess.Popen[bytes] | None = getattr(self, "_process", None)
        while time.monotonic() < deadline:
            if process is not None:
                process.poll()  # otherwise it stays a zombie
            if self.pid() is None:
                return
            time.sleep(0.02)
        raise UnavailableError(f"Die Datenbank in {self.home} hält nicht an. Protokolle: {self.home / 'log'}")
