"""`mapservice database login`: a login by which another engine reads what the public may see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from mapservice.commands.base import refusals
from mapservice.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

    from mapservice.config import Settings

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# Before 15 a view reads as its owner; the migration made none there.
_OLDEST = 150000


@click.command()
@click.argument("name")
@click.option("--print-sql", is_flag=True, help="Nur zeigen, was ein Administrator mit psql ausführt.")
@click.option(
    "--admin-url", metavar="URL", help="Zugang zu einer vorhandenen Datenbank, der Rollen anlegen darf."
)
def login(name: str, print_sql: bool, admin_url: str | None) -> None:
    """Legt einen Zugang für GeoServer, QGIS Server, MapServer und andere an, der nur Öffentliches liest.

    Die Sichten für sie stehen im Schema portal. Ein Passwort vergibt danach psql: \\password NAME

    \b
    Beispiele:
      mapservice database login geoserver
      mapservice database login geoserver --print-sql | psql -v ON_ERROR_STOP=1 -d karte
      mapservice database login geoserver --admin-url postgresql://postgres@db.example/karte
    """
    with refusals():
        from mapservice import privileges
        from mapservice.cluster import DATABASE, Cluster, is_embedded
        from mapservice.config import Settings

        if not _NAME.fullmatch(name) or name.startswith("pg_"):
            raise ConfigurationError(
                f"{name} geht nicht als Name: kleine Buchstaben a bis z, Ziffern und _ verwenden, "
                "am Anfang keine Ziffer und nicht pg_.",
                parameter="NAME",
            )
        settings = Settings.from_environment()
        if not is_embedded(settings):
            roles = privileges.Roles.of(_database(settings))
            statements = privileges.engine_login_statements(name, roles)
            if print_sql:
                click.echo("".join(f"{statement};\n" for statement in statements), nl=False)
            elif admin_url:
                _create_at(admin_url, name, roles, statements)
                click.echo(f"Zugang {name} angelegt. Passwort setzen mit psql: \\password {name}")
            else:
                raise ConfigurationError(
                    "In einer vorhandenen Datenbank legt ein Administrator den Zugang an: --admin-url "
                    "nennen, oder ihn ausführen lassen, was --print-sql zeigt."
                )
            return
        roles = privileges.Roles.of(DATABASE)
        statements = privileges.engine_login_statements(name, roles)
        if print_sql:
            click.echo("".join(f"{statement};\n" for statement in statements), nl=False)
            return
        own = Cluster(settings.state_dir)
        with own.used("mapservice database login"), own.server.connect(DATABASE) as connection:
            _create(connection, name, roles, statements)
        click.echo(f"Zugang {name} angelegt. Erreichbar, solange der Dienst läuft:")
        click.echo(f"  {own.server.url(name, DATABASE).replace('postgresql+psycopg', 'postgresql')}")


def _database(settings: Settings) -> str:
    from sqlalchemy import make_url

    name = make_url(str(settings.database_url or settings.public_database_url)).database
    assert name is not None
    return name


def _create_at(admin_url: str, name: str, roles: Any, statements: list[str]) -> None:
    import psycopg
    from sqlalchemy import make_url

    plain = make_url(admin_url).set(drivername="postgresql")
    try:
        with psycopg.connect(
            plain.render_as_string(hide_password=False), autocommit=True, connect_timeout=10
        ) as connection:
            _create(connection, name, roles, statements)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"Der Zugang {plain.username} darf das nicht ({error.diag.message_primary}).",
            parameter="--admin-url",
        ) from None
    except psycopg.OperationalError as error:
        reason = str(error).strip().split("\n")[0][:300]
        raise ConfigurationError(f"Der Zugang {plain.username} kommt nicht zur Datenbank: {reason}") from None


def _create(connection: psycopg.Connection, name: str, roles: Any, statements: list[str]) -> None:
    """All or nothing. An existing role is never changed: it may be anybody's."""
    if connection.info.server_version < _OLDEST:
        raise ConfigurationError(
            "Die Sichten für andere Programme brauchen PostgreSQL 15: ältere können nicht sicherstellen, "
            "dass eine Sicht nur zeigt, was der Fragende sehen darf."
        )
    present = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    if name in present:
        raise ConfigurationError(
            f"Die Rolle {name} gibt es schon; sie bleibt, wie sie ist.", parameter="NAME"
        )
    if roles.public not in present:
        raise ConfigurationError(f"Die Rolle {roles.public} fehlt: zuerst mapservice database init.")
    with connection.transaction():
        for statement in statements:
            connection.execute(statement.encode())
