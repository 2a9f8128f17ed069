"""`mapservice publish` and `mapservice unpublish`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mapservice.commands.base import with_database

if TYPE_CHECKING:
    from mapservice.database import Database
    from mapservice.publication import Change


def _selecting(function: Callable[..., Change]) -> click.Command:
    """A command with the arguments that choose authorities; the function changes them, its docstring is the
    help."""

    def command(
        keys: tuple[str, ...],
        within: tuple[str, ...],
        everything: bool,
        entries: bool,
        dry_run: bool,
        database: Database,
    ) -> None:
        if not (keys or within or everything):
            raise click.UsageError("Bitte Schlüssel angeben, oder --within KEY, oder --all.")
        if everything and (keys or within):
            raise click.UsageError("--all steht allein.")
        from mapservice.imports.report import say

        change = function(
            database, keys, within=within, everything=everything, entries=entries, dry_run=dry_run
        )
        say("\n".join(change.lines))

    return click.command(
        function.__name__,
        help=function.__doc__,
        params=[
            click.Argument(["keys"], metavar="[ARS]…", nargs=-1),
            click.Option(
                ["--within"],
                metavar="KEY",
                multiple=True,
                help="Alle mit Einträgen in diesem Gebiet (mehrfach).",
            ),
            click.Option(["--all", "everything"], is_flag=True, help="Alle Behörden mit Einträgen."),
            click.Option(["--entries"], is_flag=True, help="Auch die Einträge selbst umstellen."),
            click.Option(["--dry-run"], is_flag=True, help="Probelauf: berichtet, ändert aber nichts."),
        ],
    )(with_database(command))


@_selecting
def publish(*arguments: Any, **options: Any) -> Change:
    """Gibt Behörden für die Öffentlichkeit frei: ARS, AGS, Kreisschlüssel oder ein Gebiet.

    Öffentlich ist ein Eintrag, wenn er selbst »öffentlich« ist und seine Behörde freigegeben. Mit --entries
    werden auch ihre internen Einträge öffentlich.

    Beispiel: mapservice publish 055150000000 --dry-run
    """
    from mapservice import publication

    return publication.publish(*arguments, **options)


@_selecting
def unpublish(*arguments: Any, **options: Any) -> Change:
    """Nimmt die Freigabe von Behörden zurück; wirkt sofort und auch rückwirkend.

    Beispiel: mapservice unpublish --within 05570
    """
    from mapservice import publication

    return publication.unpublish(*arguments, **options)
