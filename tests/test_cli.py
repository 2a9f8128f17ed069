"""The `mapservice` command: help for everything, German errors, exit codes, and creating a database."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import click
import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import NullPool, create_engine, func, insert, select
from sqlalchemy.exc import OperationalError

from mapservice import cli, login_check, privileges
from mapservice.config import SETTINGS
from mapservice.database import Database
from mapservice.models import BoundaryRelease, Service
from mapservice.paths import TRANSLATIONS
from mapservice.postgres import PORT, Server
from tests.boundary_fixture import SMALL
from tests.conftest import ROOT


def commands(command: click.Command, path: str = "mapservice") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, f"{path} {name}"
            yield from commands(found, f"{path} {name}")
    else:
        yield path, command


def test_every_command_has_help_with_an_example() -> None:
    found = dict(commands(cli.cli))
    for name in cli.COMMANDS:
        assert any(f"{path} ".startswith(f"mapservice {name} ") for path in found), name
    for path, command in found.items():
        result = CliRunner().invoke(command, ["--help"])
        assert result.exit_code == 0, path
        text = re.sub(r"\s+", " ", result.output)
        assert re.search(rf"Beispiele?:.*{re.escape(path)}", text), f"{path} shows no example"


def test_help_is_quick_and_loads_no_heavy_library() -> None:
    code = (
        "import sys; from mapservice import cli\n"
        "try: cli.cli(['--help'])\n"
        "finally: print(sorted({'sqlalchemy', 'flask', 'geopandas', 'alembic', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_settings_are_listed() -> None:
    result = CliRunner().invoke(cli.cli, ["settings"], env={"MAPSERVICE_PORT": "8123"})
    assert result.exit_code == 0
    for setting in SETTINGS:
        assert setting.name in result.output
    assert "jetzt: 8123" in result.output


def test_wrong_setting_is_refused_without_a_traceback() -> None:
    result = CliRunner().invoke(cli.cli, ["database", "status"], env={"MAPSERVICE_PORT": "acht"})
    assert result.exit_code == 1
    assert result.stderr.startswith("Fehler: Die Einstellung MAPSERVICE_PORT")


@pytest.mark.parametrize(
    "arguments", [["gibtsnicht"], ["import"], ["serve", "--gibtsnicht"], ["import", "x"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli.cli, arguments).exit_code == 2


def test_wrong_usage_is_said_in_german() -> None:
    if not (TRANSLATIONS / "de" / "LC_MESSAGES" / "click.mo").exists():
        pytest.skip("the translations are not compiled")
    result = CliRunner().invoke(cli.cli, ["gibtsnicht"])
    assert "Fehler: Den Befehl 'gibtsnicht' gibt es nicht." in result.stderr
    assert CliRunner().invoke(cli.cli, ["--help"]).output.startswith("Aufruf:")
    number = CliRunner().invoke(cli.cli, ["releases", "activate", "x"])
    assert "'x' ist keine gültige Zahl." in number.stderr


def test_database_that_is_down_is_said_in_german() -> None:
    url = "postgresql://karte_owner:geheim@127.0.0.1:1/karte"
    environment = {"MAPSERVICE_DATABASE_URL": url, "MAPSERVICE_PUBLIC_DATABASE_URL": url}
    result = CliRunner().invoke(cli.cli, ["database", "status"], env=environment)
    assert result.exit_code == 1
    assert "MAPSERVICE_DATABASE_URL ist nicht erreichbar" in result.stderr
    assert "geheim" not in result.stderr


def test_status_check_and_migrate(command_environment: Database) -> None:
    status = CliRunner().invoke(cli.cli, ["database", "status"])
    assert status.exit_code == 0
    assert "Gebietskörperschaften: 1" in status.output
    assert CliRunner().invoke(cli.cli, ["database", "check"]).output.startswith("In Ordnung")
    assert CliRunner().invoke(cli.cli, ["database", "migrate"]).exit_code == 0


def test_numbers_have_dots(command_environment: Database) -> None:
    with command_environment.owner() as connection:
        connection.execute(
            insert(Service),
            [{"kind": 3, "key": f"eigen:{n}", "name": str(n), "responsible": 63} for n in range(1234)],
        )
    assert "Leistungen: 1.234" in CliRunner().invoke(cli.cli, ["database", "status"]).output


UNEXPECTED: dict[str, tuple[Exception, str]] = {
    "bug": (KeyError("geheim"), "Unerwarteter Fehler (KeyError in test_cli.py, Zeile "),
    "memory": (MemoryError(), "Der Arbeitsspeicher reicht"),
    "disk": (OSError(errno.ENOSPC, "No space left on device", "/var/x"), "kein Platz mehr (/var/x)"),
    "disk of the database": (
        OperationalError("INSERT", {}, psycopg.errors.DiskFull("could not extend file")),
        "Datenträger der Datenbank ist kein Platz",
    ),
    "folder": (PermissionError(errno.EACCES, "Permission denied", "/var/x"), "/var/x: Permission denied."),
}


@pytest.mark.parametrize("case", UNEXPECTED)
@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_error_is_a_bare_traceback(
    command_environment: Database, monkeypatch: pytest.MonkeyPatch, case: str, level: str
) -> None:
    error, message = UNEXPECTED[case]

    def fail() -> str:
        raise error

    monkeypatch.setattr("mapservice.schema.head", fail)
    monkeypatch.setenv("MAPSERVICE_LOG_LEVEL", level)
    result = CliRunner().invoke(cli.cli, ["database", "status"])
    assert result.exit_code == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Fehler: ")
    assert message in last
    assert ("Traceback" in result.stderr) == (level == "debug")
    assert "geheim" not in last


# --- the script beside the command ------------------------------------------------------------------------


def run_script(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "import_boundaries.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_script_is_the_command(command_environment: Database, tmp_path: Path) -> None:
    shown = run_script(tmp_path, "--help")
    assert shown.returncode == 0
    assert "Liest Verwaltungsgrenzen ein" in shown.stdout
    missing = run_script(tmp_path, "nowhere.zip")
    assert missing.returncode == 1
    assert "nowhere.zip gibt es nicht" in missing.stderr
    shutil.copy(SMALL, tmp_path / "kreis grenzen.zip")
    done = run_script(tmp_path, "kreis grenzen.zip")
    assert done.returncode == 0, done.stderr
    assert "9 Kreise, 51 Gemeindeverbände, 91 Gemeinden" in done.stdout
    with command_environment.owner() as connection:
        assert connection.scalar(select(func.count()).where(BoundaryRelease.is_current)) == 1


def test_the_script_without_environment_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts" / "import_boundaries.py", tmp_path / "scripts")
    # -I -S: as the system's interpreter, which has neither click nor mapservice
    command = [sys.executable, "-I", "-S", script, "x.zip"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.strip().endswith(str(tmp_path / "scripts" / "serve"))


# --- creating a database in an existing server --------------------------------------------------------------


@pytest.fixture
def name(server: Server) -> Iterator[str]:
    """Name of a database that is yet to be made, and hard to quote."""
    name = "Karte-Stadt"
    yield name
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {privileges.quote(name)} WITH (FORCE)".encode())
        for role in privileges.Roles.of(name):
            connection.execute(f"DROP ROLE IF EXISTS {privileges.quote(role)}".encode())


def environment_for(server: Server, name: str) -> dict[str, str]:
    roles = privileges.Roles.of(name)
    host = quote(str(server.socket_dir), safe="")

    def url(role: str) -> str:
        return f"postgresql://{quote(role)}:pass%27wort@/{quote(name)}?host={host}&port={PORT}"

    return {
        "MAPSERVICE_DATABASE_URL": url(roles.owner),
        "MAPSERVICE_INTERNAL_DATABASE_URL": url(roles.internal),
        "MAPSERVICE_PUBLIC_DATABASE_URL": url(roles.public),
    }


def assert_usable(server: Server, name: str) -> None:
    public = server.url(privileges.Roles.of(name).public, name)
    with create_engine(public, poolclass=NullPool).connect() as connection:
        assert login_check.problems(connection) == []


def test_init_creates_roles_database_and_tables_twice_over(server: Server, name: str) -> None:
    environment = environment_for(server, name)
    admin = server.url("postgres", "postgres")
    for _ in range(2):
        result = CliRunner().invoke(cli.cli, ["database", "init", "--admin-url", admin], env=environment)
        assert result.exit_code == 0, result.output
    assert_usable(server, name)
    assert CliRunner().invoke(cli.cli, ["database", "check"], env=environment).exit_code == 0


def test_printed_sql_does_the_same(server: Server, name: str, tmp_path: Path) -> None:
    printed = CliRunner().invoke(cli.cli, ["database", "init", "--print-sql", "--name", name])
    assert printed.exit_code == 0
    script = tmp_path / "karte.sql"
    script.write_text(printed.output, encoding="utf-8")
    psql = server.installation().bin / "psql"
    for _ in range(2):
        subprocess.run(
            [
                *(str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)),
                *("-h", str(server.socket_dir), "-p", str(PORT), "-U", "postgres", "-d", "postgres"),
            ],
            check=True,
            capture_output=True,
        )
    result = CliRunner().invoke(cli.cli, ["database", "migrate"], env=environment_for(server, name))
    assert result.exit_code == 0, result.output
    assert_usable(server, name)


def test_init_without_the_right_is_refused_with_the_way(
    server: Server, database: Database, name: str
) -> None:
    result = CliRunner().invoke(
        cli.cli,
        ["database", "init", "--admin-url", str(database.urls.public).replace("+psycopg", "")],
        env=environment_for(server, name),
    )
    assert result.exit_code == 1
    assert "--print-sql" in result.stderr


# --- saving and restoring -------------------------------------------------------------------------------


def test_dump_and_restore_carry_the_database_over(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    file = tmp_path / "sicherung.dump"
    folder = Path(tempfile.mkdtemp(prefix="mapservice-dump-", dir=memory if memory.is_dir() else None))
    folder.chmod(0o755)
    try:
        old = {"MAPSERVICE_STATE_DIR": str(folder / "alt")}
        new = {"MAPSERVICE_STATE_DIR": str(folder / "neu")}
        assert CliRunner().invoke(cli.cli, ["database", "migrate"], env=old).exit_code == 0
        assert CliRunner().invoke(cli.cli, ["database", "dump", str(file)], env=old).exit_code == 0
        assert file.stat().st_mode & 0o077 == 0
        assert CliRunner().invoke(cli.cli, ["database", "dump", str(file)], env=old).exit_code == 1
        result = CliRunner().invoke(cli.cli, ["database", "restore", str(file)], env=new)
        assert result.exit_code == 0, result.output
        assert CliRunner().invoke(cli.cli, ["database", "check"], env=new).exit_code == 0
        again = CliRunner().invoke(cli.cli, ["database", "restore", str(file)], env=new)
        assert again.exit_code == 1
        assert "nicht leer" in again.stderr
    finally:
        shutil.rmtree(folder)
