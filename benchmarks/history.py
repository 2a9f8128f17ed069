#!/usr/bin/env python3
"""A year of weekly imports: what the history takes of the disk, and how fast any past day's map is.

    benchmarks/history.py --state DIR [--rows 340000] [--imports 52] [--quick]

DIR is a state folder of its own; it is filled on the first run (shared VG250, shared catalogue, made-up rows
with --mix, everything published). Each of the --imports weeks is a run of `mapservice import implementations`
over the whole file, in which 2 % of the rows differ; the weeks up to 52 that are left are the same changes
written by UPDATE, as runs over unchanged rows only take time. Between the weeks the tables are vacuumed, as
autovacuum does in the days until the next import. Then the weeks are laid a week apart, and the values of all
municipalities are read as the public role, of today and of days of that year, in turn.

Limits (issue 5): the database grows by at most 1.5 times the size of the changed rows; any past day's map
takes at most three times today's. --quick: two imports, three days.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import values as prepared
from sqlalchemy import Connection, text

from mapservice import cluster
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.domain import Audience, Level, Scope
from mapservice.layers import areas
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve

WEEKS = 52
CHANGED = 0.02
GROWTH_LIMIT, TIME_LIMIT = 1.5, 3.0
_STATUSES = {"online", "in Umsetzung", "in Planung", "offen"}
_GROWING = (
    *("implementation", "implementation_history", "tally", "import_run", "import_rejection"),
    *("register_entry", "register_user", "register_word"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=340_000)
    parser.add_argument("--imports", type=int, default=WEEKS)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls:
        database = Database(urls, settings)
        prepared.fill(database, arguments.rows)
        with database.owner() as connection:
            weeks = connection.scalar(text("SELECT count(DISTINCT valid_from) FROM implementation")) or 0
        if weeks < WEEKS:
            grow(database, arguments.rows, 2 if arguments.quick else arguments.imports)
            lay_apart(database)
        measure(database, 3 if arguments.quick else 9)


def grow(database: Database, rows: int, imports: int) -> None:
    """Make the year, and print by how much the tables grew."""
    chance = random.Random(7)
    before, size_of_row = sizes(database)
    # What was written before is no change of the year.
    changed = -versions(database)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "woche.csv"
        generator = [
            sys.executable,
            str(prepared.SHARED / "tools" / "make_implementations.py"),
            "--rows",
            str(rows),
        ]
        with file.open("wb") as out:
            subprocess.run([*generator, "--mix"], stdout=out, check=True)
        change(file, chance, part=0)
        for _week in range(imports):
            change(file, chance)
            prepared.mapservice("import", "implementations", str(file))
            vacuum(database)
    for _week in range(WEEKS - imports):
        with database.owner() as connection:
            connection.execute(
                text("UPDATE implementation SET status = status % 4 + 1 WHERE random() < :part"),
                {"part": CHANGED},
            )
        vacuum(database)
    changed += versions(database)
    after, _size = sizes(database)
    grown, fair = sum(after.values()) - sum(before.values()), changed * size_of_row
    print(f"{changed:,} changed rows of {size_of_row:.0f} bytes with their indexes: {fair / 1e6:.0f} MB")
    print(f"grown by {grown / 1e6:.0f} MB: {grown / fair:.2f} times that (limit {GROWTH_LIMIT})")
    for name, size in sorted(after.items()):
        was = before.get(name, 0)
        print(f"  {name}: {was / 1e6:.1f} MB before, {(size - was) / 1e6:+.1f} MB")


def change(file: Path, chance: random.Random, part: float = CHANGED) -> None:
    """Another status in two of a hundred rows of the file; all of them public, as they are."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    heads = lines[0].rstrip("\n").split(";")
    place, visible = heads.index("status"), heads.index("sichtbarkeit")
    for number in range(1, len(lines)):
        cells = lines[number].rstrip("\n").split(";")
        if len(cells) != len(heads):
            continue
        if cells[visible] in ("", "intern", "Partner"):
            cells[visible] = "öffentlich"
        if chance.random() < part:
            cells[place] = chance.choice(sorted(_STATUSES - {cells[place]}))
        lines[number] = ";".join(cells) + "\n"
    file.write_text("".join(lines), encoding="utf-8")


def versions(database: Database) -> int:
    """How many versions no longer hold."""
    with database.owner() as connection:
        return connection.scalar(text("SELECT count(*) FROM implementation_history")) or 0


def vacuum(database: Database, how: str = "") -> None:
    with database.owner_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in _GROWING:
            connection.execute(text(f"VACUUM {f'({how})' if how else ''} {table}"))


def sizes(database: Database) -> tuple[dict[str, int], float]:
    """Bytes of what grows with changes and of their indexes, by name, vacuumed; and of one entry with its
    indexes."""
    vacuum(database, "ANALYZE")
    statement = text(
        "SELECT t.relname, pg_table_size(t.oid) FROM pg_class t WHERE t.oid::regclass::text = ANY(:tables)"
        " UNION ALL SELECT i.indexrelid::regclass::text, pg_relation_size(i.indexrelid)"
        " FROM pg_index i WHERE i.indrelid::regclass::text = ANY(:tables)"
    )
    with database.owner() as connection:
        found = connection.execute(statement, {"tables": list(_GROWING)})
        by_name = {name: int(size) for name, size in found}
        one = connection.scalar(
            text("SELECT pg_total_relation_size('implementation') / count(*)::float FROM implementation")
        )
    return by_name, float(one or 0)


def lay_apart(database: Database) -> None:
    """All of it happened just now: give each moment its week of the past year."""
    with database.owner() as connection:
        connection.execute(text("ALTER TABLE implementation DISABLE TRIGGER USER"))
        connection.execute(
            text(
                "CREATE TEMPORARY TABLE week AS"
                " SELECT moment, now() - (max(number) OVER () - number) * interval '1 week' AS at"
                " FROM (SELECT moment, row_number() OVER (ORDER BY moment) AS number"
                " FROM (SELECT valid_from AS moment FROM implementation UNION"
                " SELECT valid_from FROM implementation_history UNION"
                " SELECT valid_to FROM implementation_history) m) n"
            )
        )
        for table, column in (
            ("implementation", "valid_from"),
            ("implementation_history", "valid_from"),
            ("implementation_history", "valid_to"),
        ):
            connection.execute(
                text(f"UPDATE {table} t SET {column} = w.at FROM week w WHERE w.moment = t.{column}")
            )
        connection.execute(text("ALTER TABLE implementation ENABLE TRIGGER USER"))
    vacuum(database, "FULL, ANALYZE")
    vacuum(database)


def measure(database: Database, repeats: int) -> None:
    """Values of all municipalities, of today and of past days by turns."""
    today = dt.datetime.now(dt.UTC).date()
    days = [today - dt.timedelta(days=n) for n in (1, 30, 91, 182, 273, 350)]
    print("| values of all municipalities | median | of today's (limit 3) |")
    print("| --- | --- | --- |")
    for scope in Scope:
        for name, subjects in (("all services", ()), ("two subject areas", ("bauen_wohnen", "familie_kind"))):
            query = Query(level=Level.MUNICIPALITY, scope=scope, subjects=subjects)
            taken: dict[dt.date | None, list[float]] = {day: [] for day in (None, *days)}
            for _repeat in range(repeats):
                for day in taken:
                    taken[day].append(timed(database, query, day))
            now = statistics.median(taken[None])
            print(f"| {scope.code}, {name}, today | {now * 1000:.0f} ms | 1 |")
            for day in days:
                then = statistics.median(taken[day])
                print(f"| {scope.code}, {name}, {day} | {then * 1000:.0f} ms | {then / now:.1f} |")


def timed(database: Database, query: Query, day: dt.date | None) -> float:
    from dataclasses import replace

    asked = replace(query, stand=day)
    with database.reader(Audience.PUBLIC) as connection:
        started = time.perf_counter()
        _values(connection, asked)
        return time.perf_counter() - started


def _values(connection: Connection, query: Query) -> None:
    areas.values_as_array(connection, query, resolve(connection, query), Audience.PUBLIC)


if __name__ == "__main__":
    main()
