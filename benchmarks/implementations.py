"""Import of implementations against bare COPY, in one run on one server.

Measures, for a file with and without --mix: the whole import, the same file again, and psycopg's COPY of the
rows that the import accepted into a table with the same constraints and indexes. Prints the ratios and the
importer's peak memory, each import in a process of its own.

    python benchmarks/implementations.py [--rows 340000] [--repeat 3] [--large 3000000]

Needs ../shared (generator, keys, catalogue). Authorities are inserted from its list of keys.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, select, text

from mapservice.cluster import connected
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.domain import FEDERATION, ags_of, pad_ars
from mapservice.imports.catalogue import import_catalogue
from mapservice.models import Authority, BoundaryRelease

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
_BITS = {"state": 2, "district": 4, "association": 16, "municipality": 32}
_IMPORT = """
import resource, sys, time
from pathlib import Path
from mapservice.config import DatabaseUrls, Settings
from mapservice.database import Database
from mapservice.imports.implementations import import_implementations
urls = DatabaseUrls(*sys.argv[1:4])
database = Database(urls, Settings(state_dir=Path(sys.argv[4])))
before = time.perf_counter()
result = import_implementations(database, [Path(sys.argv[5])])
seconds = time.perf_counter() - before
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print("RESULT", seconds, memory, *result.counts.as_dict().values())
"""


def add_authorities(database: Database) -> None:
    """The authorities of the shared list, with a release that stands for their boundaries."""
    kinds: dict[str, int] = {}
    names: dict[str, str] = {}
    with (SHARED / "data/verwaltungseinheiten_2016.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if "emeindefrei" not in row["bezeichnung"]:
                kinds[row["ars"]] = kinds.get(row["ars"], 0) | _BITS[row["ebene"]]
                names[row["ars"]] = row["name"]
    with database.owner() as connection:
        connection.execute(
            insert(BoundaryRelease).values(
                name="Benchmark",
                source="../shared",
                as_of=dt.date(2016, 1, 1),
                licence="-",
                attribution="-",
                checksum="-",
                crs="EPSG:25832",
                complete=True,
                is_current=True,
            )
        )
        ids: dict[str, int] = {}
        for bit in _BITS.values():
            rows = [
                {
                    "ars": ars,
                    "ags": ags_of(ars),
                    "name": names[ars],
                    "kinds": kind,
                    "chain_kinds": 63,
                    "state_id": ids.get(pad_ars(ars[:2])),
                    "district_id": ids.get(pad_ars(ars[:5])),
                    "association_id": ids.get(pad_ars(ars[:9])),
                }
                for ars, kind in kinds.items()
                if kind & bit and ars not in ids and ars != FEDERATION
            ]
            found = connection.execute(insert(Authority).returning(Authority.ars, Authority.id), rows)
            ids |= {row.ars: row.id for row in found}


def generate(path: Path, rows: int, mix: bool) -> Path:
    command = [sys.executable, str(SHARED / "tools/make_implementations.py"), "--rows", str(rows)]
    with path.open("wb") as file:
        subprocess.run([*command, "--mix"] if mix else command, stdout=file, check=True)
    return path


def run_import(database: Database, path: Path) -> tuple[float, int, list[int]]:
    """Seconds, peak memory in MiB, counts."""
    urls = database.urls
    arguments = [
        urls.owner or "",
        urls.internal or "",
        urls.public,
        str(database.settings.state_dir),
        str(path),
    ]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    seconds, memory, *counts = done.stdout.split("RESULT", 1)[1].split()
    return float(seconds), int(memory), [int(count) for count in counts]


def empty(database: Database) -> None:
    with database.owner() as connection:
        connection.execute(text("TRUNCATE implementation, implementation_history, tally, import_run CASCADE"))


def bare_copy(database: Database) -> float:
    """Seconds of COPY of the accepted rows, in random order as a file has them, into an equal table."""
    with database.owner() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        with raw.cursor() as cursor:
            cursor.execute("CREATE TABLE peer (LIKE implementation INCLUDING ALL)")
            foreign = cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = 'implementation'::regclass AND contype = 'f'"
            ).fetchall()
            for (definition,) in foreign:
                cursor.execute(f"ALTER TABLE peer ADD {definition}")
            columns = ", ".join(
                name
                for (name,) in cursor.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = 'implementation'::regclass"
                    " AND attnum > 0 AND attgenerated = '' AND NOT attisdropped"
                ).fetchall()
            )
            with cursor.copy(
                f"COPY (SELECT {columns} FROM implementation ORDER BY hashtext(id::text || 'x')) TO STDOUT"
            ) as copy:
                blocks = [bytes(block) for block in copy]
            before = time.perf_counter()
            with cursor.copy(f"COPY peer ({columns}) FROM STDIN") as copy:
                for block in blocks:
                    copy.write(block)
            seconds = time.perf_counter() - before
        connection.rollback()
        return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=340_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--large", type=int, default=0, help="rows of a large file, for its memory alone")
    arguments = parser.parse_args()
    if not SHARED.is_dir():
        parser.error("../shared is not there")
    with tempfile.TemporaryDirectory(prefix="mapservice-benchmark-") as folder:
        settings = Settings(state_dir=Path(folder) / "state")
        with connected(settings) as urls:
            database = Database(urls, settings)
            add_authorities(database)
            import_catalogue(database, [SHARED / "data/ozg_katalog.csv"])
            with database.owner() as connection:
                total = connection.execute(select(text("count(*)")).select_from(Authority)).scalar_one()
            print(f"{total} authorities", flush=True)
            for mix in (False, True):
                name = f"{arguments.rows} rows{' --mix' if mix else ''}.csv"
                path = generate(Path(folder) / name, arguments.rows, mix)
                first, again, copied, memory = [], [], [], 0
                for _ in range(arguments.repeat):
                    empty(database)
                    seconds, memory, counts = run_import(database, path)
                    first.append(seconds)
                    again.append(run_import(database, path)[0])
                    copied.append(bare_copy(database))
                peer = statistics.median(copied)
                new, same = statistics.median(first), statistics.median(again)
                print(
                    f"{path.stem}: COPY {peer:.1f} s; import {new:.1f} s = "
                    f"{new / peer:.2f} x; unchanged again {same:.1f} s = {same / peer:.2f} x; {memory} MiB; "
                    f"counts {counts}",
                    flush=True,
                )
            if arguments.large:
                path = generate(Path(folder) / "rows.csv", arguments.large, True)
                empty(database)
                seconds, memory, counts = run_import(database, path)
                print(f"{arguments.large} rows --mix: {seconds:.1f} s; {memory} MiB; counts {counts}")


if __name__ == "__main__":
    main()
