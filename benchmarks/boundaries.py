"""Import of a boundary file against geopandas.read_file + to_postgis of the same layers, in one run.

    python benchmarks/boundaries.py vg250_01-01.utm32s.gpkg.ebenen.zip

Needs MAPSERVICE_DATABASE_URL or the embedded default; writes into a schema of its own that it drops, and
imports the file as a release (a database that has it already only says so: use a fresh MAPSERVICE_STATE_DIR).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from mapservice.cluster import connected
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.imports import archive, vector

SCHEMA = "benchmark_boundaries"
ALLOWED_RATIO = 8.0
ALLOWED_BYTES = 2 * 1024**3


def peer(database: Database, file: Path) -> float:
    """Seconds that geopandas takes to read and write the four layers."""
    import geopandas
    import pyogrio

    with archive.opened(file) as (paths, _):
        layers = [
            (path, str(name))
            for path in paths
            for name, _ in pyogrio.list_layers(path)
            if str(name).lower().endswith(("_lan", "_krs", "_vwg", "_gem"))
        ]
        engine = database.owner_engine()
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        try:
            start = time.perf_counter()
            for path, name in layers:
                frame = geopandas.read_file(path, layer=name)
                frame.to_postgis(name.lower(), engine, schema=SCHEMA)
            return time.perf_counter() - start
        finally:
            with engine.begin() as connection:
                connection.execute(text(f"DROP SCHEMA {SCHEMA} CASCADE"))


def main() -> int:
    """Run both, print the figures; 1 if the budget is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file.resolve()
    settings = Settings.from_environment()
    with connected(settings, "benchmark") as urls:
        database = Database(urls, settings)
        reference = peer(database, file)
        start = time.perf_counter()
        command = [sys.executable, "-m", "mapservice", "import", "boundaries", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ours = time.perf_counter() - start
        database.dispose()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    levels = ", ".join(vector.LEVEL_GERMAN.values())
    print(f"layers: {levels}")
    print(f"geopandas.read_file + to_postgis: {reference:.1f} s")
    print(
        f"mapservice import boundaries: {ours:.1f} s, ratio {ours / reference:.1f} (budget {ALLOWED_RATIO})"
    )
    print(f"peak memory: {peak / 1024**2:.0f} MiB (budget {ALLOWED_BYTES // 1024**2} MiB)")
    return int(ours > ALLOWED_RATIO * reference or peak > ALLOWED_BYTES)


if __name__ == "__main__":
    sys.exit(main())
