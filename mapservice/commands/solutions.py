"""`mapservice import solutions`."""

from __future__ import annotations

from pathlib import Path

import click

from mapservice.commands.base import with_database
from mapservice.commands.options import dry_run_option, files_argument, rejected_option, template_option
from mapservice.database import Database


@click.command()
@files_argument
@dry_run_option
@rejected_option
@template_option("solutions")
@with_database
def solutions(files: tuple[Path, ...], dry_run: bool, rejected: Path | None, database: Database) -> None:
    """Liest Lösungen ein: Plattform, wer sie bereitstellt, Bedingungen, Kosten, Fachverfahren, aus CSV, XLSX
    oder ODS.

    Eine Lösung ist durch ihren Namen bekannt. Die Zeile sagt alles über sie: Eine leere Zelle nimmt weg,
    was dort stand; Spalten, die der Datei fehlen, bleiben. Dieselbe Datei noch einmal ändert nichts. Spalten:
    docs/formats.md.

    Beispiel: mapservice import solutions loesungen.csv
    """
    from mapservice.imports.report import say
    from mapservice.imports.solutions import import_solutions

    result = import_solutions(database, files, dry_run=dry_run, rejected=rejected)
    say("\n".join(result.lines))
