"""`mapservice import catalogue`."""

from __future__ import annotations

from pathlib import Path

import click

from mapservice.commands.base import with_database
from mapservice.commands.options import dry_run_option, files_argument, rejected_option
from mapservice.database import Database


@click.command()
@files_argument
@dry_run_option
@rejected_option
@with_database
def catalogue(files: tuple[Path, ...], dry_run: bool, rejected: Path | None, database: Database) -> None:
    """Liest den Leistungskatalog ein: OZG-Leistungen und ihre LeiKa-Leistungen, aus CSV, XLSX oder ODS.

    Der Katalog entspricht danach den Dateien. Leistungen, die nicht mehr darin stehen, bleiben als abgelöst
    erhalten, samt Einträgen. Spalten: docs/formats.md.

    Beispiel: mapservice import catalogue ozg_katalog.csv
    """
    from mapservice.imports.catalogue import import_catalogue
    from mapservice.imports.report import say

    result = import_catalogue(database, files, dry_run=dry_run, rejected=rejected)
    say("\n".join(result.lines))
