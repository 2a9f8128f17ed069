#!/usr/bin/env python3
"""The comparison of 60 authorities by all OZG services, never asked before, as the public role.

    benchmarks/matrix.py --state DIR [--quick]

DIR is a state folder filled by benchmarks/values.py (all municipalities, 3 million --mix rows, everything
published). Each question names 60 other authorities. Prints a Markdown table; the limit is that of the whole
page with 100 of the 557 services and the sums of all.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mapservice import cluster, create_app
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.models import Authority

LIMIT = 300
"""Milliseconds, median."""
AUTHORITIES = 60


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="5 questions of a kind, not 40")
    arguments = parser.parse_args()
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls:
        database = Database(urls, settings)
        app = create_app(settings, database)
        measure(app.test_client(), authorities(database), 5 if arguments.quick else 40)
        app.extensions["mapservice"].versions.close()


def authorities(database: Database) -> list[str]:
    with database.owner() as connection:
        return list(connection.scalars(select(Authority.ars).where(Authority.is_current)))


def measure(client: Any, keys: list[str], questions: int) -> None:
    draw = random.Random(60)
    print("| comparison of 60 authorities | median | p95 | bytes (brotli) | limit |")
    print("| --- | --- | --- | --- | --- |")
    for name, path, more in (
        ("page of 100 of all services, available", "/vergleich", {"scope": "available"}),
        ("page of 100 services, own", "/vergleich", {}),
        ("all services on one page, available", "/vergleich", {"scope": "available", "page": "all"}),
        ("kind of solution asked for", "/vergleich", {"kind": "efa"}),
        ("CSV", "/vergleich.csv", {"scope": "available"}),
        ("XLSX", "/vergleich.xlsx", {"scope": "available"}),
    ):
        taken, sizes = [], []
        for number in range(questions + 2):
            query = {"authority": ",".join(draw.sample(keys, AUTHORITIES)), **more}
            begin = time.perf_counter()
            answer = client.get(path, query_string=query, headers={"Accept-Encoding": "br"})
            elapsed = (time.perf_counter() - begin) * 1000
            assert answer.status_code == 200, answer.text[:500]
            if number >= 2:  # the first ones warm templates and lists
                taken.append(elapsed)
                sizes.append(len(answer.data))
        p95 = sorted(taken)[min(len(taken) - 1, round(0.95 * len(taken)))]
        limit = f"{LIMIT} ms" if path == "/vergleich" and "page" not in more and "kind" not in more else ""
        size = f"{statistics.median(sizes) / 1000:.0f} kB"
        print(f"| {name} | {statistics.median(taken):.0f} ms | {p95:.0f} ms | {size} | {limit} |")


if __name__ == "__main__":
    main()
