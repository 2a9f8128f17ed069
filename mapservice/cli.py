"""The `mapservice` command. Subcommands are loaded when they are called, so that --help is quick."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import Any

import click

from mapservice.commands.base import end_on_sigterm, refusals


@dataclass(frozen=True)
class Entry:
    """Where a command is (`module:attribute`) and its line in the list of commands."""

    where: str
    help: str


_COMMANDS = "mapservice.commands"
COMMANDS: dict[str, Entry] = {
    "serve": Entry(f"{_COMMANDS}.serve:serve", "Startet den Dienst."),
    "import boundaries": Entry(f"{_COMMANDS}.boundaries:boundaries", "Liest Verwaltungsgrenzen ein."),
    "import catalogue": Entry(f"{_COMMANDS}.catalogue:catalogue", "Liest den Leistungskatalog ein."),
    "import implementations": Entry(
        f"{_COMMANDS}.implementations:implementations",
        "Liest Umsetzungen ein: wer bietet welche Leistung an.",
    ),
    "import authorities": Entry(
        f"{_COMMANDS}.authorities:authorities", "Liest Angaben zu Behörden ein: Einwohner, Webseite, Kontakt."
    ),
    "import solutions": Entry(
        f"{_COMMANDS}.solutions:solutions", "Liest Lösungen ein: Plattform, Bereitsteller, Bedingungen."
    ),
    "import groups": Entry(f"{_COMMANDS}.agreed:import_groups", "Liest Gruppen von Behörden ein."),
    "import lists": Entry(
        f"{_COMMANDS}.agreed:import_lists", "Liest Ziellisten ein: Leistungen, und wer welche übernimmt."
    ),
    "groups": Entry(f"{_COMMANDS}.agreed:groups", "Zeigt oder entfernt Gruppen von Behörden."),
    "lists": Entry(f"{_COMMANDS}.agreed:lists", "Zeigt oder entfernt Ziellisten."),
    "publish": Entry(f"{_COMMANDS}.publication:publish", "Gibt Behörden für die Öffentlichkeit frei."),
    "unpublish": Entry(f"{_COMMANDS}.publication:unpublish", "Nimmt die Freigabe von Behörden zurück."),
    "releases": Entry(f"{_COMMANDS}.boundaries:releases", "Zeigt Gebietsstände, macht einen zum aktuellen."),
    "demo": Entry(f"{_COMMANDS}.demo:demo", "Lädt oder entfernt Vorführdaten."),
    "database": Entry(f"{_COMMANDS}.database:database", "Richtet die Datenbank ein, prüft und sichert sie."),
    "check-texts": Entry(f"{_COMMANDS}.texts:check_texts", "Prüft die Texte des Betreibers."),
    "settings": Entry(f"{_COMMANDS}.settings:settings", "Zeigt alle Einstellungen."),
}
GROUPS = {"import": "Liest Dateien ein."}


def load(entry: Entry) -> click.Command:
    module, _, attribute = entry.where.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


class LazyGroup(click.Group):
    """A group whose commands stand in COMMANDS under `prefix`."""

    def __init__(self, *args: Any, prefix: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prefix = prefix

    def _help_lines(self) -> dict[str, str]:
        lines: dict[str, str] = {}
        for name, entry in COMMANDS.items():
            group, _, rest = name.rpartition(" ")
            if group == self.prefix:
                lines[rest] = entry.help
            elif not self.prefix:
                lines[group] = GROUPS[group]
        return lines

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._help_lines())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        full = f"{self.prefix} {name}".strip()
        if full in COMMANDS:
            return load(COMMANDS[full])
        if full in GROUPS:
            return LazyGroup(name, prefix=full, help=GROUPS[full])
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Befehle"):
            formatter.write_dl(list(self._help_lines().items()))

    def invoke(self, ctx: click.Context) -> Any:
        with refusals():
            return super().invoke(ctx)


@click.group(cls=LazyGroup)
@click.version_option(package_name="mapservice", message="%(prog)s %(version)s")
def cli() -> None:
    """OZG-Landkarte: welche Behörde bietet welche Verwaltungsleistung online an.

    Einstellungen kommen aus der Umgebung (MAPSERVICE_…): mapservice settings zeigt sie.
    Rückgabe: 0 erledigt, 1 abgelehnt, 2 falscher Aufruf.

    \b
    Beispiele:
      mapservice serve
      mapservice import implementations umsetzungen.csv
      mapservice import --help
    """


def main() -> None:
    """Entry point of the console script."""
    end_on_sigterm()
    cli(prog_name="mapservice")
    sys.exit(0)
