"""`mapservice serve`: the service, and what a first start prepares."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mapservice.commands.base import refusals, set_up_logging

if TYPE_CHECKING:
    from mapservice.database import Database


def say(line: str) -> None:
    """Progress goes to the standard output of the service, at once, also into a pipe."""
    click.echo(line)
    sys.stdout.flush()


def prepare_first_start(database: Database) -> None:
    """Migrate, and fill an empty database with the bundled boundaries and demonstration data.

    What an operator imported or removed is left alone: only what never was done is done.
    """
    from sqlalchemy import select

    from mapservice import schema
    from mapservice.models import BoundaryRelease, ImportRun
    from mapservice.paths import BUNDLED

    with database.owner_engine().connect() as connection:
        schema.migrate(connection, say=say)
    with database.owner() as connection:
        has_boundaries = connection.scalar(
            select(BoundaryRelease.id).where(BoundaryRelease.complete).limit(1)
        )
        done = set(connection.scalars(select(ImportRun.kind).where(ImportRun.state == "done").distinct()))
    files = sorted(path for path in BUNDLED.glob("*") if path.suffix in {".zip", ".gpkg"})
    if not has_boundaries and files:
        say("Erster Start: die mitgelieferten Verwaltungsgrenzen werden eingelesen …")
        run_command("import boundaries", [str(file) for file in files])
    if not done & {"catalogue", "implementations", "demonstration"}:
        say("Erster Start: Vorführdaten werden geladen (entfernen: mapservice demo remove) …")
        run_command("demo", ["load"])


def run_command(name: str, arguments: list[str]) -> None:
    """Run another command of ours as an operator would, in this process."""
    from mapservice import cli

    command = cli.load(cli.COMMANDS[name])
    command.main(args=arguments, prog_name=f"mapservice {name}", standalone_mode=False)


@click.command()
@click.option(
    "--first-start",
    is_flag=True,
    help="Eine leere Datenbank mit den mitgelieferten Grenzen und Vorführdaten füllen.",
)
def serve(first_start: bool) -> None:
    """Startet den Dienst und hält ihn bis Strg-C oder SIGTERM.

    Vorher wird geprüft: Einstellungen, Stand der Datenbank, Rechte des öffentlichen Zugangs. Am Ende wird
    auf laufende Importe gewartet.

    \b
    Beispiele:
      mapservice serve
      MAPSERVICE_PORT=8080 MAPSERVICE_VIEW=internal mapservice serve
    """
    with refusals():
        from mapservice import server
        from mapservice.config import Settings

        settings = Settings.from_environment()
        set_up_logging(settings.log_level)
        code = server.serve(settings, say, prepare_first_start if first_start else None)
    sys.exit(code)
