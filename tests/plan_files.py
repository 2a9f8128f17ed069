"""Files of groups and target lists for tests, and what a role sees of them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, text

from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.imports import groups, lists
from mapservice.imports.agreed import import_files
from mapservice.imports.report import Result

PLANS = ("authority_group", "group_member", "target_list", "target", "commitment")


def load_groups(
    database: Database, folder: Path, *lines: str, mode: str = "update", dry_run: bool = False
) -> Result:
    """Import rows of `gruppe;name;ars;sichtbarkeit;beschreibung`."""
    path = folder / "gruppen.csv"
    path.write_text("\n".join((groups.TEMPLATE, *lines, "")))
    return import_files(database, groups.KIND, [path], mode=mode, dry_run=dry_run)


def load_lists(
    database: Database, folder: Path, *lines: str, mode: str = "update", dry_run: bool = False
) -> Result:
    """Import rows of `liste;name;leistung;verantwortlich;rolle;bis;notiz;sichtbarkeit`."""
    path = folder / "listen.csv"
    path.write_text("\n".join((lists.TEMPLATE, *lines, "")))
    return import_files(database, lists.KIND, [path], mode=mode, dry_run=dry_run)


def seen(database: Database, audience: Audience) -> dict[str, list[str]]:
    """What a reader of this audience sees of each table, as the columns that the public may read."""
    columns = {
        "authority_group": "key || ':' || name || ':' || coalesce(public_description, '')",
        "group_member": "(SELECT ars FROM authority a WHERE a.id = authority_id)",
        "target_list": "key || ':' || name",
        "target": "(SELECT key FROM service s WHERE s.id = service_id)",
        "commitment": (
            "coalesce((SELECT ars FROM authority a WHERE a.id = authority_id), who)"
            " || ':' || coalesce(note, '')"
        ),
    }
    with database.reader(audience) as connection:
        return {
            table: sorted(connection.scalars(text(f"SELECT {said} FROM {table}")))
            for table, said in columns.items()
        }


def state(database: Database) -> list[tuple[object, ...]]:
    """Everything that an import of groups or lists may change."""
    with database.owner() as connection:
        return [
            tuple(row)
            for table in (*PLANS, "data_version")
            for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))
        ]


def version(database: Database, audience: Audience) -> int:
    with database.reader(audience) as connection:
        statement = text("SELECT version FROM data_version WHERE audience = :audience")
        return int(connection.execute(statement, {"audience": int(audience)}).scalar_one())


def plain(database: Database, audience: Audience, statement: str) -> list[tuple[object, ...]]:
    """Plain SQL as the role of an audience, without any help of ours."""
    engine = create_engine(database.reading_url(audience))
    with engine.connect() as connection:
        result = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return result
