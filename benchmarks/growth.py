"""Part of portals.py: what ten times the areas and entries cost. Every municipality is cut into ten strips,
each with an authority and a copy of the entries of its own; all else stays.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, text
from values import OURS, fetch, our_server, running
from wrk import Rate, rate

from mapservice import cluster, tallies
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.models import Implementation

PARTS = 10
MOST_COST, MOST_BYTES = 12.0, 400_000_000
_KEY = "(200000000000 + p.ordinal)::text"
"""No state has the number 20, so that no key is there already."""
_GROW = f"""
CREATE TEMPORARY TABLE part AS
    SELECT b.*, n AS strip, row_number() OVER (ORDER BY b.ordinal, n) - 1 AS new_ordinal,
        b.authority_id AS old_authority_id
    FROM boundary b JOIN boundary_release r ON r.id = b.release_id AND r.is_current
        CROSS JOIN generate_series(0, {PARTS - 1}) n
    WHERE b.level = 4;
ALTER TABLE part DROP COLUMN ordinal;
ALTER TABLE part RENAME new_ordinal TO ordinal;
CREATE TEMPORARY TABLE part_shape AS
    SELECT p.ordinal, s.detail, ST_Multi(
        CASE WHEN ST_IsEmpty(cut.geom) THEN ST_Expand(ST_PointOnSurface(s.geom), 1e-4) ELSE cut.geom END
    ) AS geom
    FROM part p JOIN boundary_shape s ON s.boundary_id = p.id
        CROSS JOIN LATERAL (
            SELECT ST_XMin(s.geom) AS west, (ST_XMax(s.geom) - ST_XMin(s.geom)) / {PARTS} AS width
        ) AS side
        CROSS JOIN LATERAL (
            SELECT ST_CollectionExtract(ST_ReducePrecision(ST_Intersection(s.geom, ST_MakeEnvelope(
                side.west + p.strip * side.width, ST_YMin(s.geom),
                side.west + (p.strip + 1) * side.width, ST_YMax(s.geom), 4326
            )), 1e-5), 3) AS geom
            OFFSET 0
        ) AS cut;
INSERT INTO authority (ars, name, designation, kinds, chain_kinds, association_id, district_id, state_id)
    SELECT {_KEY}, p.name || ' ' || p.strip, a.designation, a.kinds, a.chain_kinds,
        a.association_id, a.district_id, a.state_id
    FROM part p JOIN authority a ON a.id = p.old_authority_id ORDER BY p.ordinal;
CREATE TEMPORARY TABLE heir AS
    SELECT p.ordinal, p.old_authority_id, a.id FROM part p JOIN authority a ON a.ars = {_KEY};
INSERT INTO publication (authority_id, visibility)
    SELECT h.id, v.visibility FROM heir h JOIN publication v ON v.authority_id = h.old_authority_id;
DELETE FROM boundary b USING boundary_release r WHERE r.id = b.release_id AND r.is_current AND b.level = 4;
INSERT INTO boundary (release_id, level, ordinal, key, ars, authority_id, kinds, name, designation, state_id,
        district_id, association_id, area_m2, label_point, west, south, east, north, geom)
    SELECT p.release_id, 4, p.ordinal, {_KEY}, {_KEY}, h.id, p.kinds, p.name || ' ' || p.strip,
        p.designation, p.state_id, p.district_id, p.association_id, p.area_m2 / {PARTS},
        ST_PointOnSurface(s.geom), ST_XMin(s.geom), ST_YMin(s.geom), ST_XMax(s.geom), ST_YMax(s.geom), s.geom
    FROM part p JOIN part_shape s ON s.ordinal = p.ordinal AND s.detail = 100
        LEFT JOIN heir h ON h.ordinal = p.ordinal;
INSERT INTO boundary_shape (boundary_id, detail, geom, geojson)
    SELECT b.id, s.detail, s.geom, ST_AsGeoJSON(s.geom, 5, 0)
    FROM part_shape s JOIN boundary b ON b.level = 4 AND b.ordinal = s.ordinal
        JOIN boundary_release r ON r.id = b.release_id AND r.is_current;
"""
Paths = Callable[[], Iterator[str]]


def measure(state: Path, questions: dict[str, Callable[[list[str]], Paths]], *, quick: bool) -> None:
    """Print the table. questions: by name what makes addresses of the keys of municipalities; asked for the
    base in STATE/base and for its ten times larger copy in STATE/grown.
    """
    found = [_rates(state / name, questions, 4 if quick else 8) for name in ("base", _grown(state))]
    print("\n### ten times the areas and entries\n")
    print(f"| what | once, requests/s | ten times | cost (limit {MOST_COST:g}) |\n| --- | --- | --- | --- |")
    (before, _), (after, peak) = found
    for name, small in before.items():
        cost = small.requests / max(after[name].requests, 1e-3)
        missed = "" if cost <= MOST_COST else ": missed"
        failed = f", {after[name].failed} failed" if after[name].failed else ""
        print(f"| {name}{failed} | {small.requests:.1f} | {after[name].requests:.1f} | {cost:.1f}{missed} |")
    over = "" if peak <= MOST_BYTES else ": missed"
    print(f"\nLargest worker, at its peak: {peak / 1e6:.0f} MB (limit {MOST_BYTES / 1e6:.0f} MB){over}")


def _grown(state: Path) -> str:
    """Make the copy unless it is there."""
    if not (state / "grown").exists():
        growing = state / "growing"
        subprocess.run(["rm", "-rf", str(growing)], check=True)
        # With owners and modes: the database server runs as a user of its own.
        subprocess.run(["cp", "-a", str(state / "base"), str(growing)], check=True)
        os.environ["MAPSERVICE_STATE_DIR"] = str(growing)
        settings = Settings.from_environment()
        with cluster.connected(settings) as urls:
            database = Database(urls, settings)
            print("growing …", file=sys.stderr, flush=True)
            with database.owner() as connection:
                _grow(connection)
            with (
                database.owner_engine()
                .connect()
                .execution_options(isolation_level="AUTOCOMMIT") as connection
            ):
                connection.execute(text("VACUUM ANALYZE"))
            database.dispose()
        growing.rename(state / "grown")
    return "grown"


def _grow(connection: Connection) -> None:
    for statement in _GROW.split(";\n"):
        if statement.strip():
            connection.execute(text(statement))
    kept = {"id", "authority_id", "public_contact", "valid_for", "valid_from"}
    said = ", ".join(column.name for column in Implementation.__table__.columns if column.name not in kept)
    connection.execute(
        text(
            f"INSERT INTO implementation (id, authority_id, {said})"
            f" SELECT gen_random_uuid(), h.id, {said} FROM heir h"
            " JOIN implementation i ON i.authority_id = h.old_authority_id"
        )
    )
    tallies.refresh(connection)


def _rates(
    folder: Path, questions: dict[str, Callable[[list[str]], Paths]], seconds: int
) -> tuple[dict[str, Rate], int]:
    """By question, and the greatest memory of a worker."""
    os.environ["MAPSERVICE_STATE_DIR"] = str(folder)
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls:
        database = Database(urls, settings)
        with database.owner() as connection:
            keys = connection.scalars(text("SELECT key FROM boundary WHERE level = 4 ORDER BY id")).all()
        database.dispose()
        server = our_server()
        with running(server, OURS + "/api/health"):
            found = {}
            for name, question in questions.items():
                paths = question(list(keys))
                for path in itertools.islice(paths(), 9):  # each worker has read what it needs
                    fetch(OURS + path)
                found[name] = rate(OURS, paths(), seconds=seconds)
            time.sleep(1)
            return found, max(_peak(pid) for pid in _group(server.pid))


def _group(leader: int) -> Iterator[int]:
    """The processes of the server's session."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == leader:
                    yield int(entry.name)
            except OSError:
                continue


def _peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
