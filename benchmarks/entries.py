#!/usr/bin/env python3
"""Pages of the collection `implementations`, one by one: from anywhere, by boxes, by filters with many rows
and with none; nothing is asked twice.

    benchmarks/entries.py --state DIR [--rows 3000000] [--quick]

DIR as in values.py, filled on the first run. --quick: 340,000 rows, three of each. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import statistics
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from values import OURS, fill, our_server, running

from mapservice import cluster
from mapservice.config import Settings
from mapservice.database import Database

ITEMS = f"{OURS}/api/collections/implementations/items"
TOWNS = ((7.62, 51.96), (13.40, 52.52), (11.57, 48.14), (9.99, 53.55), (9.45, 54.78), (7.09, 50.73))
Ask = Callable[[random.Random], dict[str, str]]


def cursor(chance: random.Random) -> dict[str, str]:
    mark = base64.urlsafe_b64encode(uuid.UUID(int=chance.getrandbits(128)).bytes)
    return {"cursor": mark.decode().rstrip("=")}


def box(chance: random.Random, width: float) -> dict[str, str]:
    x, y = chance.choice(TOWNS)
    x += chance.uniform(-0.01, 0.01)
    return {"bbox": f"{x:.6f},{y:.6f},{x + width:.6f},{y + width:.6f}"}


def point(chance: random.Random) -> dict[str, str]:
    x, y = chance.choice(TOWNS)
    return {"filter": f"S_INTERSECTS(geometry, POINT({x + chance.uniform(-0.01, 0.01):.6f} {y}))"}


def text(pattern: str) -> Ask:
    return lambda chance: {"filter": pattern.format(n=chance.randrange(10**9))}


ASKED: dict[str, Ask] = {
    "100 from anywhere": cursor,
    "1,000 from anywhere": lambda chance: {"limit": "1000", **cursor(chance)},
    "1,000 from anywhere, points": lambda chance: {"limit": "1000", "geometry": "point", **cursor(chance)},
    "box of a town": lambda chance: box(chance, 0.03),
    "box of a town, from anywhere": lambda chance: {**box(chance, 0.03), **cursor(chance)},
    "box of a region": lambda chance: box(chance, 1.5),
    "at a point (CQL2)": point,
    "one authority": lambda chance: {"authority": "055150000000", **cursor(chance)},
    "a district and a service": lambda chance: {"within": "05570", "service": "10119", **cursor(chance)},
    "a subject area": lambda chance: {"subject": "umwelt", **cursor(chance)},
    "state and maturity": text("state = 'Saarland' AND maturity >= 2 AND url <> '{n}'"),
    "part of a name": text("CASEI(service_name) LIKE CASEI('%hund%') AND url <> '{n}'"),
    "an address that nobody has": text("url = 'https://nobody.example/{n}'"),
    "an identifier that nobody has": text("identifier = 'nobody-{n}'"),
    "a place that there is not": text("authority_name LIKE 'Xyz{n}%'"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls:
        fill(Database(urls, settings), 340_000 if arguments.quick else arguments.rows)
        with running(our_server(), f"{OURS}/api/health"):
            measure(3 if arguments.quick else 20)


def measure(times: int) -> None:
    chance = random.Random(time.time_ns())
    fetch(cursor(chance))
    print("\n| question | median | slowest | rows |")
    print("| --- | --- | --- | --- |")
    for name, ask in ASKED.items():
        found = [fetch(ask(chance)) for _ in range(times)]
        seconds = [second for second, _rows in found]
        rows = max(number for _second, number in found)
        print(
            f"| {name} | {statistics.median(seconds) * 1000:.0f} ms | {max(seconds) * 1000:.0f} ms | {rows} |"
        )


def fetch(query: dict[str, str]) -> tuple[float, int]:
    """Seconds, and how many features came; -1: refused, as over the time limit of a query."""
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(f"{ITEMS}?{urlencode(query)}", timeout=60) as response:
            body = response.read()
    except urllib.error.HTTPError:
        return time.perf_counter() - started, -1
    return time.perf_counter() - started, len(json.loads(body)["features"])


if __name__ == "__main__":
    main()
