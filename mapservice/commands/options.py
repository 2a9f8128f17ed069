"""Arguments and options that several imports share."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

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


def template_option(module: str) -> Any:
    """`--template`: prints TEMPLATE of a module of mapservice.imports, which is loaded only then."""

    def show(context: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            click.echo(importlib.import_module(f"mapservice.imports.{module}").TEMPLATE)
            context.exit()

    return click.option(
        "--template",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Gibt die Kopfzeile einer Vorlage aus.",
    )
