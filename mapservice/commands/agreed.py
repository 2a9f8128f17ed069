"""`mapservice import groups`, `mapservice import lists`, `mapservice groups` and `mapservice lists`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mapservice.commands.base import with_database
from mapservice.commands.options import dry_run_option, files_argument, rejected_option
from mapservice.database import Database


def _template(kind: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def show(context: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            from mapservice.imports import groups, lists

            click.echo((groups if kind == "groups" else lists).TEMPLATE)
            context.exit()

    return show


def _options(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What both imports take."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option(
                "--template",
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_template(kind),
                help="Gibt die Kopfzeile einer Vorlage aus.",
            ),
            rejected_option,
            dry_run_option,
            click.option(
                "--mode",
                type=click.Choice(["update", "replace"]),
                default="update",
                show_default=True,
                help="update entfernt nichts; replace entfernt, was die Datei nicht mehr nennt.",
            ),
            files_argument,
        ):
            command = option(command)
        return command

    return decorated


@click.command()
@_options("groups")
@with_database
def import_groups(
    files: tuple[Path, ...], mode: str, dry_run: bool, rejected: Path | None, database: Database
) -> None:
    """Liest Gruppen von Behörden ein, zum Vergleich: je Mitglied eine Zeile.

    Spalten: gruppe (Schlüssel für Adressen), name, ars, sichtbarkeit, beschreibung; aus CSV, XLSX oder ODS.
    Öffentlich ist nur, was in der Spalte sichtbarkeit so heißt. Mehr: docs/formats.md.

    Beispiel: mapservice import groups vergleichsring.csv
    """
    from mapservice.imports.groups import KIND

    _import(database, KIND, files, mode=mode, dry_run=dry_run, rejected=rejected)


@click.command()
@_options("lists")
@with_database
def import_lists(
    files: tuple[Path, ...], mode: str, dry_run: bool, rejected: Path | None, database: Database
) -> None:
    """Liest Ziellisten ein: Leistungen, die es geben soll, und wer welche übernimmt.

    Spalten: liste (Schlüssel für Adressen), name, leistung, verantwortlich (Regionalschlüssel oder Text),
    rolle (Umsetzung oder Information), bis, notiz, sichtbarkeit; aus CSV, XLSX oder ODS. Öffentlich ist nur,
    was in der Spalte sichtbarkeit so heißt. Mehr: docs/formats.md.

    Beispiel: mapservice import lists top100.csv
    """
    from mapservice.imports.lists import KIND

    _import(database, KIND, files, mode=mode, dry_run=dry_run, rejected=rejected)


def _import(database: Database, kind: Any, files: tuple[Path, ...], **options: Any) -> None:
    from mapservice.imports.agreed import import_files
    from mapservice.imports.report import say

    say("\n".join(import_files(database, kind, files, **options).lines))


_remove_option = click.option(
    "--remove",
    metavar="SCHLÜSSEL",
    multiple=True,
    help="Entfernt, was diesen Schlüssel hat; mehrmals möglich.",
)


@click.command()
@_remove_option
@with_database
def groups(remove: tuple[str, ...], database: Database) -> None:
    """Zeigt die Gruppen von Behörden, oder entfernt welche.

    Beispiel: mapservice groups --remove vergleichsring
    """
    _kept(database, "groups", remove)


@click.command()
@_remove_option
@with_database
def lists(remove: tuple[str, ...], database: Database) -> None:
    """Zeigt die Ziellisten, oder entfernt welche.

    Beispiel: mapservice lists --remove top100
    """
    _kept(database, "lists", remove)


def _kept(database: Database, kind: str, remove: tuple[str, ...]) -> None:
    from mapservice.imports import agreed
    from mapservice.imports.report import say

    lines = agreed.remove(database, kind, remove) if remove else agreed.listed(database, kind)
    say("\n".join(lines))
