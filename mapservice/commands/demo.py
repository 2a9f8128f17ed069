"""`mapservice demo load` and `mapservice demo remove`."""

from __future__ import annotations

import click

from mapservice.commands.base import with_database
from mapservice.database import Database


@click.group()
def demo() -> None:
    """Lädt oder entfernt Demonstrationsdaten: erfundene Umsetzungen, überall als solche gekennzeichnet.

    Beispiel: mapservice demo load
    """


@demo.command()
@click.option("--seed", type=int, default=1, show_default=True, help="Andere Zahl, andere Daten.")
@with_database
def load(seed: int, database: Database) -> None:
    """Lädt Demonstrationskatalog und erfundene Umsetzungen; nur, solange keine echten geladen sind.

    Beispiel: mapservice demo load
    """
    from mapservice import demo as data
    from mapservice.imports.report import counted, say

    loaded = data.load(database, seed=seed)
    say(
        f"{counted(loaded.implementations, 'erfundene Umsetzung', 'erfundene Umsetzungen')} und "
        f"{counted(loaded.services, 'Leistung', 'Leistungen')} "
        "geladen, als Demonstrationsdaten gekennzeichnet. Entfernen: mapservice demo remove"
    )


@demo.command()
@with_database
def remove(database: Database) -> None:
    """Entfernt alle Demonstrationsdaten.

    Beispiel: mapservice demo remove
    """
    from mapservice import demo as data
    from mapservice.imports.report import counted, say

    removed = data.remove(database)
    say(
        f"{counted(removed.implementations, 'erfundene Umsetzung', 'erfundene Umsetzungen')} und "
        f"{counted(removed.services, 'Leistung', 'Leistungen')} "
        "entfernt."
    )
