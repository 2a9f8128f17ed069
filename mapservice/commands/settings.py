"""`mapservice settings`: the table of settings, with what holds at present."""

from __future__ import annotations

import os

import click

from mapservice.config import SETTINGS, Settings


@click.command()
def settings() -> None:
    """Zeigt alle Einstellungen mit Vorgabe und Bedeutung, und was jetzt gilt.

    \b
    Beispiel:
      MAPSERVICE_PORT=8080 mapservice settings
    """
    for setting in SETTINGS:
        present = os.environ.get(setting.name, "").strip()
        shown = "gesetzt" if setting.secret else present
        default = f"Vorgabe: {setting.default}" if setting.default else "Vorgabe: leer"
        click.echo(f"{setting.name}  ({default}{f'; jetzt: {shown}' if present else ''})")
        click.echo(f"    {setting.help}")
    # Last, so that the table is there to look at when a value is refused.
    Settings.from_environment()
