"""`mapservice import boundaries` and `mapservice releases`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mapservice.commands.base import with_database

if TYPE_CHECKING:
    from mapservice.database import Database

LEVELS = ("state", "district", "association", "municipality")
ROLES = ("key", "name", "designation", "code", "gf", "population", "date")


def _columns(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for value in values:
        role, separator, column = value.partition("=")
        if not separator or role not in ROLES or not column:
            raise click.BadParameter(f"erwartet wird ROLLE=SPALTE mit einer Rolle aus {', '.join(ROLES)}.")
        columns[role] = column
    return columns


@click.command(
    epilog="Beispiele:  mapservice import boundaries vg250_12-31.utm32s.gpkg.ebenen.zip\n\n"
    "mapservice import boundaries gemeinden.geojson --level municipality --column key=AGS --column name=NAME "
    "--date 2025-12-31 --licence dl-de/by-2-0 --attribution '© Land X'"
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATEI…")
@click.option(
    "--dry-run", is_flag=True, help="Zeigt, was neu, weggefallen und umbenannt ist; schreibt nichts."
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar="ROLLE=SPALTE",
    help=f"Spalte der Datei für eine Rolle ({', '.join(ROLES)}); mehrfach möglich.",
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=click.Choice(LEVELS),
    help="Ebene, je Datei einmal, in deren Folge.",
)
@click.option("--layer", help="Schicht, wenn die Datei mehrere hat.")
@click.option("--name", help="Name des Gebietsstands.")
@click.option(
    "--date",
    "as_of",
    type=click.DateTime(["%Y-%m-%d", "%d.%m.%Y"]),
    help="Gebietsstand, wenn die Datei ihn nicht nennt.",
)
@click.option("--licence", help="Lizenz der Geometrie.")
@click.option("--licence-url", help="Adresse der Lizenz.")
@click.option("--attribution", help="Quellenvermerk; bei unbekannter Quelle nötig.")
@click.option("--attribution-url", help="Adresse zum Quellenvermerk.")
@with_database
def boundaries(
    files: tuple[Path, ...],
    dry_run: bool,
    columns: dict[str, str],
    levels: tuple[str, ...],
    layer: str | None,
    as_of: dt.datetime | None,
    database: Database,
    **stated: Any,
) -> None:
    """Liest Verwaltungsgrenzen ein (VG250, VG250-EW, VG5000, VG25, DVG, GeoJSON, FlatGeobuf …) und macht
    sie zum aktuellen Gebietsstand. ZIP-Dateien wie geliefert."""
    from mapservice.imports.boundaries import Options, import_boundaries
    from mapservice.imports.metadata import Overrides
    from mapservice.imports.vector import LEVEL_NAMES, Mapped

    import_boundaries(
        database,
        files,
        Options(
            mapped=Mapped(columns, [LEVEL_NAMES[level] for level in levels], layer),
            overrides=Overrides(as_of=as_of.date() if as_of else None, **stated),
            dry_run=dry_run,
        ),
    )


@click.group()
def releases() -> None:
    """Zeigt Gebietsstände, macht einen zum aktuellen, löscht alte."""


@releases.command("list", epilog="Beispiel:  mapservice releases list")
@with_database
def list_(database: Database) -> None:
    """Zeigt die gespeicherten Gebietsstände, den aktuellen mit *."""
    from mapservice import releases as service
    from mapservice.imports.report import number

    with database.owner() as connection:
        found = service.listed(connection)
    if not found:
        click.echo("Noch kein Gebietsstand. Einlesen: mapservice import boundaries DATEI")
    for item in found:
        counts = " / ".join(number(count) for count in item.counts.values())
        mark = "*" if item.is_current else " "
        click.echo(f"{mark} {item.id:>3}  {item.as_of:%d.%m.%Y}  {item.name} ({item.source}): {counts}")


@releases.command(epilog="Beispiel:  mapservice releases activate 3")
@click.argument("release_id", type=int, metavar="ID")
@with_database
def activate(release_id: int, database: Database) -> None:
    """Macht einen gespeicherten Gebietsstand zum aktuellen."""
    from mapservice import releases as service
    from mapservice.imports import runs

    with (
        runs.run(database, "boundaries", options={"activate": release_id}) as run,
        database.owner() as connection,
    ):
        run.attach(connection)
        service.activate(connection, release_id)
        run.finish(connection, {"release": release_id})
    click.echo(f"Gebietsstand {release_id} ist jetzt aktuell.")


@releases.command(epilog="Beispiel:  mapservice releases delete 2")
@click.argument("release_id", type=int, metavar="ID")
@with_database
def delete(release_id: int, database: Database) -> None:
    """Löscht einen Gebietsstand, der nicht der aktuelle ist."""
    from mapservice import releases as service
    from mapservice.imports import runs

    with (
        runs.run(database, "boundaries", options={"delete": release_id}) as run,
        database.owner() as connection,
    ):
        service.remove(connection, release_id)
        run.finish(connection, {"release": release_id})
    click.echo(f"Gebietsstand {release_id} ist gelöscht.")
