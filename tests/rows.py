"""Files of implementations for tests, and what the database holds after importing them."""

from __future__ import annotations

import csv
from pathlib import Path

from sqlalchemy import text

from mapservice.database import Database
from mapservice.imports.catalogue import import_catalogue
from tests.places import CATALOGUE, MUENSTER, add_places

HEADER = (
    "ars;leistung;status;url;loesungsart;loesung;reifegradmodell;reifegrad;nachnutzbar;kontakt;kontakt_art;"
    "online_seit;stand;quelle;sichtbarkeit;kennung;gilt_fuer;fachverfahren;vertrauensniveau;geplant_bis"
)
COLUMNS = HEADER.split(";")


def prepare(database: Database, folder: Path) -> Database:
    """Add authorities and a catalogue."""
    with database.owner() as connection:
        add_places(connection)
    path = folder / "katalog.csv"
    path.write_text(CATALOGUE)
    import_catalogue(database, [path])
    return database


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path


def row(ars: str = MUENSTER, leistung: str = "10000", status: str = "online", **more: str) -> dict[str, str]:
    return {"ars": ars, "leistung": leistung, "status": status, **more}


STATE = text(
    "SELECT a.ars, s.key, i.identifier, i.id, to_jsonb(i) - 'import_run_id' - 'valid_from' AS said"
    " FROM implementation i JOIN authority a ON a.id = i.authority_id JOIN service s ON s.id = i.service_id"
    " ORDER BY 1, 2, 3"
)


def state(database: Database) -> list[tuple[object, ...]]:
    """Everything that an import may change, without the runs."""
    with database.owner() as connection:
        found = [tuple(item) for item in connection.execute(STATE)]
        for table in ("implementation_history", "solution", "service", "tally", "data_version"):
            found += [
                tuple(item) for item in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3"))
            ]
        return found


def entries(database: Database) -> list[tuple[str, str, str]]:
    with database.owner() as connection:
        return [(item.ars, item.key, item.identifier) for item in connection.execute(STATE)]


def said(database: Database) -> dict[str, object]:
    """The columns of the single entry."""
    with database.owner() as connection:
        (only,) = connection.execute(STATE).all()
        values: dict[str, object] = only.said
        return values
