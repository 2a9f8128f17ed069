#!/usr/bin/env python3
"""Values of all municipalities: never asked before, against tipg's items of the layer; repeated, against
the rate of an empty view under the same server, also while the data version changes once a second.

    benchmarks/values.py --state DIR --tipg PYTHON [--rows 3000000]

DIR is a state folder of its own; it is filled on the first run (shared VG250, shared catalogue, made-up
rows with --mix, everything published). PYTHON is the interpreter of an environment with tipg and uvicorn.
Needs wrk. Prints a Markdown table; figures are ratios within this run.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, make_url, text

from mapservice import cluster
from mapservice.config import DatabaseUrls, Settings
from mapservice.database import Database
from mapservice.domain import SUBJECT_AREAS

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
OURS, PEER = "http://127.0.0.1:8765", "http://127.0.0.1:8766"
REPEATS = 12


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--tipg", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=3_000_000)
    arguments = parser.parse_args()
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls:
        database = Database(urls, settings)
        prepare(database, arguments.rows)
        with (
            running(our_server(), OURS + "/api/health"),
            running(peer(urls, arguments.tipg), PEER + "/healthz"),
        ):
            measure(database)


def prepare(database: Database, rows: int) -> None:
    fill(database, rows)
    with database.owner() as connection:
        make_peer_table(connection)


def fill(database: Database, rows: int) -> None:
    """Shared VG250, shared catalogue and made-up rows, all published, if there is nothing yet."""
    with database.owner() as connection:
        present = connection.scalar(text("SELECT count(*) FROM implementation"))
    if not present:
        mapservice("import", "boundaries", str(next((SHARED / "data").glob("vg250*.zip"))))
        mapservice("import", "catalogue", str(SHARED / "data" / "ozg_katalog.csv"))
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            generator = [sys.executable, str(SHARED / "tools" / "make_implementations.py")]
            subprocess.run([*generator, "--rows", str(rows), "--mix"], stdout=file, check=True)
            mapservice("import", "implementations", file.name)
        mapservice("publish", "--all", "--entries")


def mapservice(*arguments: str) -> None:
    print("mapservice", *arguments, file=sys.stderr, flush=True)
    subprocess.run(
        [str(Path(sys.executable).parent / "mapservice"), *arguments], check=True, stdout=sys.stderr
    )


def make_peer_table(connection: Connection) -> None:
    """What the peers serve: the 300 m level with 14 numbers, geometry indexed."""
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS peer"))
    connection.execute(text("DROP TABLE IF EXISTS peer.municipalities"))
    counts = ", ".join(f"(b.ordinal * {n + 7}) % 50 AS {slug}" for n, (slug, _) in enumerate(SUBJECT_AREAS))
    connection.execute(
        text(
            f"CREATE TABLE peer.municipalities AS SELECT b.id, b.key, b.name, {counts}, s.geom"
            " FROM boundary b JOIN boundary_release r ON r.id = b.release_id AND r.is_current"
            " JOIN boundary_shape s ON s.boundary_id = b.id AND s.detail = 300 WHERE b.level = 4"
        )
    )
    connection.execute(text("ALTER TABLE peer.municipalities ADD PRIMARY KEY (id)"))
    connection.execute(text("CREATE INDEX ON peer.municipalities USING gist (geom)"))


def our_server() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--workers", "2"]
    command += ["--blocking-threads", "4", "--port", OURS.rsplit(":", 1)[1], "--log-level", "warning"]
    return subprocess.Popen([*command, "benchmarks.rate_app:application"], cwd=ROOT, start_new_session=True)


def peer(urls: DatabaseUrls, python: Path) -> subprocess.Popen[bytes]:
    assert urls.owner is not None
    url = make_url(urls.owner)
    host = quote(str(url.query["host"]), safe="")
    environment = os.environ | {
        # tipg wants a host in the URL; asyncpg takes a socket folder there, percent-encoded
        "DATABASE_URL": f"postgresql://{url.username}@{host}/{url.database}",
        "TIPG_DB_SCHEMAS": '["peer"]',
        "TIPG_MAX_FEATURES_PER_QUERY": "20000",
    }
    command = [str(python), "-m", "uvicorn", "tipg.main:app", "--workers", "2", "--log-level", "error"]
    command += ["--port", PEER.rsplit(":", 1)[1]]
    return subprocess.Popen(command, env=environment, start_new_session=True)


@contextmanager
def running(process: subprocess.Popen[bytes], health: str) -> Iterator[None]:
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(health, timeout=5).read()
                break
            except OSError:
                time.sleep(0.2)
        else:
            raise SystemExit(f"{health} does not answer")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def fetch(address: str) -> tuple[float, int]:
    """Seconds and bytes on the wire, gzip accepted."""
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    started = time.perf_counter()
    body = urllib.request.urlopen(request, timeout=60).read()
    return time.perf_counter() - started, len(body)


def rate(address: str, seconds: int = 8) -> float:
    """Requests a second by wrk, 1 thread, 4 connections."""
    command = ["wrk", "-t1", "-c4", f"-d{seconds}s", "-H", "Accept-Encoding: gzip", address]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in out, out
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert found, out
    return float(found[1])


def fresh_queries(scope: str, with_subject: bool) -> Iterator[str]:
    """Queries that nobody asked before: other combinations of subject areas, or of statuses."""
    statuses = ("online", "in_progress", "planned", "open")
    combinations = itertools.chain.from_iterable(itertools.combinations(statuses, n) for n in (1, 2, 3, 4))
    subjects = itertools.combinations([slug for slug, _ in SUBJECT_AREAS], 2)
    for status, pair in zip(itertools.cycle(list(combinations)), subjects, strict=False):
        query = f"format=array&scope={scope}&" + "&".join(f"status={item}" for item in status)
        yield query + ("&" + "&".join(f"subject={item}" for item in pair) if with_subject else "")


def measure(database: Database) -> None:
    items = f"{PEER}/collections/peer.municipalities/items?limit=20000&f=geojson"
    values = f"{OURS}/api/values/municipalities"
    for worker in range(4):
        fetch(items)
        fetch(f"{values}?within=0{worker + 1}")
    peer_times, ours = [], {}
    cases = list(itertools.product(("own", "available"), (False, True)))
    queries = {case: fresh_queries(*case) for case in cases}
    for _ in range(REPEATS):
        peer_times.append(fetch(items)[0])
        for case in cases:
            ours.setdefault(case, []).append(fetch(f"{values}?{next(queries[case])}"))
    peer_median = statistics.median(peer_times)
    print(
        "\n| values of 11,299 municipalities | median | of tipg's layer | gzip |\n| --- | --- | --- | --- |"
    )
    print(f"| tipg, items of the layer | {peer_median * 1000:.0f} ms | 1 | |")
    for (scope, with_subject), found in ours.items():
        median = statistics.median(seconds for seconds, _ in found)
        what = f"array, scope {scope}, {'two subject areas' if with_subject else 'all services'}"
        size = max(size for _, size in found)
        print(f"| {what} | {median * 1000:.0f} ms | 1/{peer_median / median:.0f} | {size / 1000:.1f} kB |")
    _, keys_size = fetch(f"{values}?format=keys")
    _, share_size = fetch(f"{values}?format=array&measure=share&scope=available")
    print(f"| keys | | | {keys_size / 1000:.1f} kB |")
    print(f"| array, share, available | | | {share_size / 1000:.1f} kB |")
    empty = rate(f"{OURS}/empty")
    repeated = rate(f"{values}?format=array")
    with moving_version(database):
        moving = rate(f"{values}?format=array")
    print("\n| rate, 2 workers | requests/s | of the empty view |\n| --- | --- | --- |")
    print(f"| empty view | {empty:.0f} | 1 |")
    print(f"| repeated request | {repeated:.0f} | {repeated / empty:.2f} |")
    print(f"| repeated, version moves once a second | {moving:.0f} | {moving / empty:.2f} |")


@contextmanager
def moving_version(database: Database) -> Iterator[None]:
    stop = threading.Event()

    def move() -> None:
        while not stop.wait(1):
            with database.owner() as connection:
                connection.execute(text("SELECT move_data_version(3::smallint)"))

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
