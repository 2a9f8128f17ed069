"""`mapservice import implementations`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mapservice.commands.base import with_database
from mapservice.commands.options import dry_run_option, files_argument, rejected_option, template_option
from mapservice.database import Database


@click.command()
@files_argument
@click.option(
    "--mode",
    type=click.Choice(["update", "replace"]),
    default="update",
    show_default=True,
    help="update entfernt nichts; replace beendet bei den Behörden der Datei, was sie aus derselben Quelle "
    "nicht mehr nennt.",
)
@dry_run_option
@rejected_option
@click.option("--remove-demo", is_flag=True, help="Entfernt vorher die Demonstrationsdaten, ohne zu fragen.")
@template_option("implementations")
@with_database
def implementations(
    files: tuple[Path, ...],
    mode: str,
    dry_run: bool,
    rejected: Path | None,
    remove_demo: bool,
    database: Database,
) -> None:
    """Liest Umsetzungen ein: welche Behörde welche Leistung anbietet, aus CSV, XLSX oder ODS.

    Jede Zeile wird geprüft; abgelehnte nennt der Bericht mit Grund und, wo möglich, Vorschlag. Entweder wird
    alles Brauchbare übernommen oder nichts. Dieselbe Datei noch einmal ändert nichts. Spalten:
    docs/formats.md.

    Beispiel: mapservice import implementations umsetzungen.csv
    """
    from mapservice import demo
    from mapservice.imports.implementations import import_implementations
    from mapservice.imports.report import say

    if not remove_demo and sys.stdin.isatty():
        with database.owner() as connection:
            loaded = demo.is_loaded(connection)
        if loaded:
            remove_demo = click.confirm(
                "Es sind Demonstrationsdaten geladen. Vor dem Import entfernen?", default=True
            )
    result = import_implementations(
        database, files, mode=mode, dry_run=dry_run, rejected=rejected, remove_demo=remove_demo
    )
    say("\n".join(result.lines))
