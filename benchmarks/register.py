#!/usr/bin/env python3
"""The register at 3 million rows, as the public role: search with typos, filters, the page of a solution, and
what keeping it costs.

    benchmarks/register.py --state DIR [--rows 3000000] [--solutions 1200] [--quick]

DIR is a state folder of its own; it is filled on the first run as benchmarks/values.py fills it. --solutions
gives its online entries that many made-up solutions, drawn at random, without history. Needs ../shared.
Prints a Markdown table; the limit of a search is 150 ms at the 95th percentile.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import text

from mapservice import cluster, create_app, tallies
from mapservice.config import Settings
from mapservice.coordination.register_form import PAGES
from mapservice.database import Database
from mapservice.register import refresh as register

sys.path.insert(0, str(Path(__file__).resolve().parent))
import values

LIMIT = 0.150
WARM = 3
"""So many first questions of a kind do not count: a process puts statements and templates together once."""
KINDS = (
    "Antragsassistent",
    "Formularserver",
    "Bürgerdienst",
    "Fachportal",
    "Serviceweg",
    "Amtsbote",
    "Lotse",
)
PLACES = ("Muster", "Beispiel", "Probe", "Demo", "Entwurf", "Vorlage", "Modell", "Skizze")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--solutions", type=int, default=1200)
    parser.add_argument(
        "--quick", action="store_true", help="fewer questions, and the cost of keeping left out"
    )
    arguments = parser.parse_args()
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls:
        database = Database(urls, settings)
        values.fill(database, arguments.rows)
        made = make_solutions(database, arguments.solutions)
        print(
            f"{describe(database)}\n\n| what | median | 95th percentile | limit |\n| --- | --- | --- | --- |"
        )
        if made or not arguments.quick:
            keeping(database)
        app = create_app(replace(settings, cache_mb=0), database)
        try:
            asking(app.test_client(), database, 30 if arguments.quick else 150)
        finally:
            app.extensions["mapservice"].versions.close()


def make_solutions(database: Database, number: int) -> bool:
    """Give online entries made-up solutions, unless they have so many; returns whether it did."""
    with database.owner() as connection:
        known = text("SELECT count(*) FROM solution WHERE name LIKE '% Nr. %'")
        if connection.scalar(known) == number:
            return False
        draw = random.Random(1)
        for n in range(number):
            values_ = {
                "name": f"{draw.choice(KINDS)} {draw.choice(PLACES)} Nr. {n}",
                "platform": f"Plattform {draw.choice(PLACES)}",
                "conditions": "Beitritt (frei erfunden)",
                "reusable": draw.random() < 0.5,
            }
            connection.execute(
                text(
                    "INSERT INTO solution (name, platform, conditions, reusable, visibility)"
                    " VALUES (:name, :platform, :conditions, :reusable, 3) ON CONFLICT DO NOTHING"
                ),
                values_,
            )
        # Made-up rows of a benchmark need no history, and no version for each statement.
        connection.execute(text("ALTER TABLE implementation DISABLE TRIGGER USER"))
        connection.execute(
            text(
                "UPDATE implementation i SET solution_id = made.id FROM (SELECT id, row_number() OVER"
                " (ORDER BY id) - 1 AS n FROM solution WHERE name LIKE '% Nr. %') made"
                " WHERE i.solution_id IS NOT NULL AND made.n = abs(hashtext(i.id::text)) % :number"
            ),
            {"number": number},
        )
        connection.execute(text("ALTER TABLE implementation ENABLE TRIGGER USER"))
    return True


def describe(database: Database) -> str:
    with database.owner() as connection:
        entries = connection.scalar(text("SELECT count(*) FROM implementation"))
        rows = connection.scalar(text("SELECT count(*) FROM register_entry WHERE audience = 3"))
        users = connection.scalar(text("SELECT count(*) FROM register_user WHERE audience = 3"))
    return f"{entries:,} entries, {rows:,} rows of the register, {users:,} users of them, for the public"


def keeping(database: Database) -> None:
    """What the register adds to a change, beside the tallies that are kept in the same transaction."""
    with database.owner() as connection:
        some = list(
            connection.scalars(
                text("SELECT id FROM authority WHERE is_current ORDER BY ars LIMIT 5 OFFSET 900")
            )
        )
    cases: list[tuple[str, Callable[..., None], list[int] | None]] = [
        ("tallies, everything", tallies.refresh, None),
        ("register, everything", register.refresh, None),
        ("tallies, five authorities", tallies.refresh, some),
        ("register, five authorities", register.refresh, some),
    ]
    for name, follow, ids in cases:
        started = time.perf_counter()
        with database.owner() as connection:
            follow(connection, ids)
        print(f"| keep {name} | {time.perf_counter() - started:.1f} s | | |", flush=True)
    with database.owner_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text("VACUUM (ANALYZE) register_user, register_entry, register_word, implementation")
        )


def mistyped(draw: random.Random, word: str) -> str:
    """One letter left out, doubled, changed, or two of them swapped."""
    at = draw.randrange(1, max(2, len(word) - 1))
    return draw.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at : at + 1] + word[at:],
            word[:at] + draw.choice("aeinrst") + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
        )
    )


def questions(database: Database, draw: random.Random) -> Iterator[str]:
    """Names of solutions, platforms, services and authorities, with a slip in every word."""
    with database.owner() as connection:
        names = list(
            connection.scalars(
                text(
                    "SELECT name FROM solution UNION SELECT platform FROM solution WHERE platform IS NOT NULL"
                    " UNION SELECT name FROM service WHERE kind = 1 ORDER BY 1"
                )
            )
        )
    while True:
        words = [word for word in draw.choice(names).split() if len(word) > 3][:3]
        if words:
            yield " ".join(mistyped(draw, word) for word in words)


def asking(client: FlaskClient, database: Database, number: int) -> None:
    draw = random.Random(2)
    typed = questions(database, draw)
    with database.owner() as connection:
        widest = connection.scalar(
            text("SELECT public_id FROM register_entry WHERE audience = 3 ORDER BY users DESC LIMIT 1")
        )
        entries = connection.scalar(text("SELECT count(*) FROM register_entry WHERE audience = 3")) or 0
    pages = min(20, -(-entries // int(PAGES[0])))
    states = [f"{n:02}" for n in range(1, 17)]
    cases: dict[str, tuple[Callable[[], tuple[str, dict[str, str]]], float | None]] = {
        "search with typos": (lambda: ("/register", {"q": next(typed)}), LIMIT),
        "search with typos in a state": (
            lambda: ("/register", {"q": next(typed), "within": draw.choice(states)}),
            LIMIT,
        ),
        "subject area, kind, maturity, reusable": (
            lambda: (
                "/register",
                {"subject": "bildung", "kind": "efa", "maturity": "1.1:3", "reusable": "yes"},
            ),
            LIMIT,
        ),
        "used in a Regierungsbezirk": (
            lambda: ("/register", {"within": draw.choice(("053", "091", "081"))}),
            None,
        ),
        "the list": (lambda: ("/register", {"sort": "name", "page": str(draw.randint(1, pages))}), LIMIT),
        "the page of the most used": (lambda: (f"/register/{widest}", {}), None),
    }
    for name, (ask, limit) in cases.items():
        took = []
        for time_ in range(-WARM, number if limit else max(5, number // 5)):
            path, query = ask()
            started = time.perf_counter()
            answer = client.get(path, query_string=query)
            if time_ >= 0:
                took.append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text[:300]
        p95 = statistics.quantiles(took, n=20)[-1]
        wanted = f"{limit * 1000:.0f} ms" if limit else ""
        print(
            f"| {name} | {statistics.median(took) * 1000:.0f} ms | {p95 * 1000:.0f} ms | {wanted} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
