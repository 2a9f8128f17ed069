"""`mapservice publish` and `mapservice unpublish`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mapservice.commands.base import with_database
from mapservice.database import Database


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in reversed(
        (
            click.argument("keys", metavar="[ARS]…", nargs=-1),
            click.option(
                "--within",
                metavar="KEY",
                multiple=True,
                help="Alle mit Einträgen in diesem Gebiet (mehrfach).",
            ),
            click.option("--all", "everything", is_flag=True, help="Alle Behörden mit Einträgen."),
            click.option("--entries", is_flag=True, help="Auch die Einträge selbst umstellen."),
            click.option("--dry-run", is_flag=True, help="Probelauf: berichtet, ändert aber nichts."),
        )
    ):
        function = decorate(function)
    return function


def _require_some(keys: tuple[str, ...], within: tuple[str, ...], everything: bool) -> None:
    if not (keys or within or everything):
        raise click.UsageError("Bitte Schlüssel angeben, oder --within KEY, oder --all.")
    if everything and (keys or within):
        raise click.UsageError("--all steht allein.")


@click.command()
@_options
@with_database
def publish(
    keys: tuple[str, ...],
    within: tuple[str, ...],
    everything: bool,
    entries: bool,
    dry_run: bool,
    database: Database,
) -> None:
    """Gibt Behörden für die Öffentlichkeit frei: ARS, AGS, Kreisschlüssel oder ein Gebiet.

    Öffentlich ist ein Eintrag, wenn er selbst »öffentlich« ist und seine Behörde freigegeben. Mit --entries
    werden auch ihre internen Einträge öffentlich.

    Beispiel: mapservice publish 055150000000 --dry-run
    """
    _require_some(keys, within, everything)
    from mapservice import publication
    from mapservice.imports.report import say

    change = publication.publish(
        database, keys, within=within, everything=everything, entries=entries, dry_run=dry_run
    )
    say("\n".join(change.lines))


@click.command()
@_options
@with_database
def unpublish(
    keys: tuple[str, ...],
    within: tuple[str, ...],
    everything: bool,
    entries: bool,
    dry_run: bool,
    database: Database,
) -> None:
    """Nimmt die Freigabe von Behörden zurück; wirkt sofort und auch rückwirkend.

    Beispiel: mapservice unpublish --within 05570
    """
    _require_some(keys, within, everything)
    from mapservice import publication
    from mapservice.imports.report import say

    change = publication.unpublish(
        database, keys, within=within, everything=everything, entries=entries, dry_run=dry_run
    )
    say("\n".join(change.lines))
