"""`mapservice database`: create, bring up to date, check, save and restore the database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mapservice.commands.base import refusals, with_database
from mapservice.commands.login import login
from mapservice.errors import ConfigurationError

if TYPE_CHECKING:
    from mapservice.config import Settings
    from mapservice.database import Database


@click.group()
def database() -> None:
    """Richtet die Datenbank ein, prüft und sichert sie."""


def _plan(settings: Settings) -> tuple[str, Any]:
    from sqlalchemy import make_url

    url = settings.database_url or settings.public_database_url
    if url is None:
        raise ConfigurationError(
            "Ohne MAPSERVICE_DATABASE_URL legt jeder Befehl die eigene Datenbank selbst an; "
            "hier ist nichts zu tun. Für eine vorhandene Datenbank MAPSERVICE_DATABASE_URL setzen, "
            "oder ihren Namen nennen: mapservice database init --print-sql --name karte"
        )
    parsed = make_url(url)
    assert parsed.database is not None
    return parsed.database, parsed


@database.command()
@click.option("--print-sql", is_flag=True, help="Nur zeigen, was ein Administrator mit psql ausführt.")
@click.option("--name", help="Name der Datenbank, statt aus MAPSERVICE_DATABASE_URL.")
@click.option(
    "--admin-url",
    metavar="URL",
    help="Zugang, der Rollen, Datenbank und Erweiterung anlegen darf; sonst der aus MAPSERVICE_DATABASE_URL.",
)
def init(print_sql: bool, name: str | None, admin_url: str | None) -> None:
    """Legt in einem vorhandenen PostgreSQL Rollen, Datenbank und PostGIS an, dann die Tabellen.

    Die drei Rollen heißen nach der Datenbank: NAME_owner (Importe), NAME_internal (interne Ansicht),
    NAME_public (Dienst). Passwörter kommen aus den MAPSERVICE_…DATABASE_URL, die so heißen.

    \b
    Beispiele:
      mapservice database init --print-sql --name karte > karte.sql
      mapservice database init --admin-url postgresql://postgres@db.example/postgres
    """
    with refusals():
        from mapservice import privileges
        from mapservice.config import Settings

        settings = Settings.from_environment()
        if print_sql and name:
            click.echo(privileges.script(name), nl=False)
            return
        found, url = _plan(settings)
        if print_sql:
            click.echo(privileges.script(found), nl=False)
            return
        if name and name != found:
            raise ConfigurationError(
                f"--name {name} widerspricht MAPSERVICE_DATABASE_URL, wo {found} steht.", parameter="--name"
            )
        _create(settings, found, admin_url, url)


def _create(settings: Settings, name: str, admin_url: str | None, url: Any) -> None:
    import psycopg
    from sqlalchemy import make_url

    from mapservice import privileges

    admin = make_url(admin_url) if admin_url else url.set(database="postgres")
    plain = admin.set(drivername="postgresql")
    roles = privileges.Roles.of(name)
    passwords = {}
    for configured in (
        settings.database_url,
        settings.internal_database_url,
        settings.public_database_url,
    ):
        if configured is not None:
            parsed = make_url(configured)
            passwords[parsed.username] = parsed.password
    try:
        with psycopg.connect(
            plain.render_as_string(hide_password=False), autocommit=True, connect_timeout=10
        ) as connection:
            present = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role in roles:
                if role not in present:
                    secret = passwords.get(role)
                    connection.execute(
                        privileges.role_statement(role, str(secret) if secret else None).encode()
                    )
                    click.echo(f"Rolle {role} angelegt.")
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if row is None:
                connection.execute(privileges.database_statement(name, roles).encode())
                click.echo(f"Datenbank {name} angelegt.")
        inside = plain.set(database=name).render_as_string(hide_password=False)
        with psycopg.connect(inside, autocommit=True, connect_timeout=10) as connection:
            for statement in privileges.inside_statements(name, roles):
                connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"Der Zugang {admin.username} darf das nicht ({error.diag.message_primary}). Einen Administrator "
            "bitten, auszuführen, was mapservice database init --print-sql zeigt, oder --admin-url nennen."
        ) from None
    except psycopg.OperationalError as error:
        reason = str(error).strip().split("\n")[0][:300]
        raise ConfigurationError(f"Der Zugang {admin.username} kommt nicht zur Datenbank: {reason}") from None
    click.echo("PostGIS und Rechte sind eingerichtet.")
    _migrate(settings, name)


def _migrate(settings: Settings, name: str) -> None:
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.exc import OperationalError

    from mapservice import privileges, schema

    assert settings.database_url is not None
    try:
        with create_engine(settings.database_url, poolclass=NullPool).connect() as connection:
            schema.migrate(connection, say=click.echo)
    except OperationalError as error:
        reason = str(error.orig).strip().split("\n")[0][:300]
        raise ConfigurationError(
            f"Die Tabellen fehlen noch: MAPSERVICE_DATABASE_URL kommt nicht zur Datenbank ({reason}). "
            f"Sie muss der Rolle {privileges.Roles.of(name).owner} gehören; dann: mapservice database migrate"
        ) from None
    click.echo("Die Datenbank ist auf dem neuesten Stand.")


@database.command()
@with_database(migrate=False)
def migrate(database: Database) -> None:
    """Bringt die Tabellen auf den Stand dieser Software; ein zweiter Aufruf ändert nichts.

    \b
    Beispiel:
      mapservice database migrate
    """
    from mapservice import schema

    with database.owner_engine().connect() as connection:
        schema.migrate(connection, say=click.echo)
    click.echo("Die Datenbank ist auf dem neuesten Stand.")


@database.command()
@with_database(migrate=False)
def check(database: Database) -> None:
    """Prüft, was der Dienst vor dem Start prüft: Stand der Tabellen, Rechte des öffentlichen Zugangs.

    \b
    Beispiel:
      mapservice database check && echo in Ordnung
    """
    from mapservice.server import check_database

    check_database(database)
    click.echo("In Ordnung: die Tabellen sind aktuell, der öffentliche Zugang liest nur Öffentliches.")


@database.command()
@with_database(migrate=False)
def status(database: Database) -> None:
    """Zeigt Server, Stand der Tabellen und wie viel darin ist.

    \b
    Beispiel:
      mapservice database status
    """
    from sqlalchemy import func, select, text

    from mapservice import schema
    from mapservice.imports.report import number
    from mapservice.models import Authority, BoundaryRelease, Implementation, Service

    with database.owner() as connection:
        server, name, size = connection.execute(
            text(
                "SELECT current_setting('server_version'), current_database(),"
                " pg_size_pretty(pg_database_size(current_database()))"
            )
        ).one()
        present = schema.version(connection)
        click.echo(f"Datenbank {name} auf PostgreSQL {server}, {size}")
        click.echo(f"Stand der Tabellen: {present or 'leer'} (neuester: {schema.head()})")
        if present != schema.head():
            return
        for label, model in (
            ("Gebietsstände", BoundaryRelease),
            ("Gebietskörperschaften", Authority),
            ("Leistungen", Service),
            ("Umsetzungen", Implementation),
        ):
            click.echo(f"{label}: {number(connection.scalar(select(func.count()).select_from(model)) or 0)}")


# --- saving: our own server only; elsewhere the operator's own backups serve --------------------------------


def _run_tool(name: str, arguments: list[str], **streams: Any) -> None:
    from mapservice.cluster import DATABASE, SUPERUSER, Cluster, is_embedded
    from mapservice.config import Settings
    from mapservice.postgres import PORT

    settings = Settings.from_environment()
    if not is_embedded(settings):
        raise ConfigurationError(
            "Dieser Befehl gilt der eigenen Datenbank im Zustandsordner. Die aus MAPSERVICE_DATABASE_URL "
            "sichert, wer sie betreibt, zum Beispiel mit pg_dump --format=custom als Superuser."
        )
    own = Cluster(settings.state_dir)
    with own.used(f"mapservice database {name}", migrate=False):
        tool = own.server.installation().bin / name
        connection = (f"--username={SUPERUSER}", f"--dbname={DATABASE}")
        # As the server's superuser: row-level security, forced on the owner too, would stop pg_dump.
        result = subprocess.run(  # noqa: S603
            [str(tool), f"--host={own.server.socket_dir}", f"--port={PORT}", *connection, *arguments],
            env=own.server.environment(own.server.installation()),
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            **streams,
        )
    if result.returncode != 0:
        raise ConfigurationError(f"{name} ist gescheitert: {result.stderr.strip()[-600:]}")


@database.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def dump(file: Path) -> None:
    """Sichert die eigene Datenbank in eine Datei, auch im laufenden Betrieb.

    \b
    Beispiel:
      mapservice database dump sicherung.dump
    """
    with refusals():
        if file.exists():
            raise ConfigurationError(f"{file} gibt es schon; es wird nichts überschrieben.")
        part = file.with_name(file.name + ".part")
        try:
            with part.open("wb") as stream:
                part.chmod(0o600)  # the dump holds what is not public
                _run_tool("pg_dump", ["--format=custom"], stdout=stream)
            part.rename(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    click.echo(f"Gesichert: {file} ({file.stat().st_size / 1e6:.1f} MB)")


@database.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path) -> None:
    """Spielt eine Sicherung in eine noch leere eigene Datenbank ein (neuer Zustandsordner).

    \b
    Beispiel:
      MAPSERVICE_STATE_DIR=neu mapservice database restore sicherung.dump
    """
    with refusals():
        from sqlalchemy import NullPool, create_engine, inspect

        from mapservice.cluster import Cluster, tell
        from mapservice.config import Settings

        own = Cluster(Settings.from_environment().state_dir)
        with own.used("mapservice database restore", migrate=False) as urls:
            assert urls.owner is not None
            with create_engine(urls.owner, poolclass=NullPool).connect() as connection:
                if inspect(connection).has_table("alembic_version"):
                    raise ConfigurationError(
                        "Diese Datenbank ist nicht leer; es wird nichts überschrieben. "
                        "Den Zustandsordner umbenennen oder mit MAPSERVICE_STATE_DIR einen neuen nennen."
                    )
            tell("Die Sicherung wird eingespielt …")
            with file.open("rb") as stream:
                # All or nothing, so that a broken file leaves the database as empty as it was.
                _run_tool("pg_restore", ["--single-transaction", "--exit-on-error"], stdin=stream)
    click.echo("Eingespielt.")
    sys.stdout.flush()


database.add_command(login)
