"""`mapservice import authorities`."""

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
def authorities(files: tuple[Path, ...], dry_run: bool, rejected: Path | None, database: Database) -> None:
    """Liest Angaben zu Behörden ein: Einwohner, Postleitzahl, Webseite, Serviceportal, Kontakt.

    Aus einer Tabelle (CSV, XLSX, ODS) mit den Spalten ars, einwohner, plz, webseite, serviceportal, kontakt,
    kontakt_art; leere Zellen ändern nichts. Oder aus dem Gemeindeverzeichnis GV100AD des Statistischen
    Bundesamts.

    Beispiel: mapservice import authorities GV100AD_310324.txt
    """
    from mapservice.imports.authorities import import_authorities
    from mapservice.imports.report import say

    result = import_authorities(database, files, dry_run=dry_run, rejected=rejected)
    say("\n".join(result.lines))
