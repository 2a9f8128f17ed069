"""Arguments and options that several imports share."""

from __future__ import annotations

from pathlib import Path

import click

files_argument = click.argument(
    "files",
    metavar="DATEI…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Probelauf: prüft und berichtet, ändert aber nichts."
)
rejected_option = click.option(
    "--rejected",
    metavar="DATEI",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Wohin die abgelehnten Zeilen geschrieben werden (CSV); sonst in den Datenordner.",
)
