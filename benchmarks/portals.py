#!/usr/bin/env python3
"""What portals ask for, against tipg, pygeoapi and nginx on the same database: a whole level, boxes, single
features, CQL2, tiles, revalidation, many clients at once; then all again while the data version moves once a
second; then ten times the areas and entries (growth.py).

    benchmarks/portals.py --state DIR [--quick] [--only NAME …] [--without-growth]

DIR is a folder of its own; it is filled on the first run: shared VG250, shared catalogue, made-up rows with
--mix, everything published, an environment with the peers. Needs wrk and nginx. Two workers each, the peers'
table has the municipalities at 300 m with an index and 14 numbers. Prints Markdown; what counts is the ratio
within a run. --quick: one short round of each instead of three. --only: stored, fresh, boxes, one, cql2,
tiles, unchanged, crowd, growth.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

import growth
import peers
import portal_tiles
from peers import NGINX, PYGEOAPI
from portal_tiles import EAST, NORTH, SOUTH, WEST
from sqlalchemy import text
from values import OURS, PEER, moving_version, our_server, prepare, running
from wrk import Rate, in_turn, rate, revalidations

from mapservice import cluster
from mapservice.config import DatabaseUrls, Settings
from mapservice.database import Database
from mapservice.domain import SUBJECT_AREAS

LAYER = "/api/layers/municipalities.geojson"
ITEMS = "/api/collections/municipalities/items"
TIPG = "/collections/peer.municipalities/items"
GEO = f"/collections/{peers.TABLE}/items"
CROWD = 64
MEASURED, SCOPES = ("count", "share"), ("own", "available")


@dataclass
class Figure:
    """One line of the table. limit: of ours to theirs."""

    what: str
    ours: Rate
    theirs: Rate
    peer: str
    limit: float

    @property
    def ratio(self) -> float:
        return self.ours.requests / max(self.theirs.requests, 0.01)


@dataclass
class Run:
    seconds: int
    rounds: int
    only: set[str]
    keys: list[tuple[int, str]]
    folder: Path
    chance: random.Random = field(default_factory=lambda: random.Random(4))
    filters: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        slugs = [slug for slug, _name in SUBJECT_AREAS]
        chosen = [set_ for n in (2, 3, 4) for set_ in itertools.combinations(slugs, n)]
        questions = [f"&measure={measure}&scope={scope}" for measure in MEASURED for scope in SCOPES]
        every = ["&".join(f"subject={slug}" for slug in set_) + more for set_ in chosen for more in questions]
        self.chance.shuffle(every)
        self.filters = iter(every)

    def against(
        self,
        what: str,
        ours: Callable[[], Iterator[str]],
        limit: float,
        *theirs: tuple[str, str, Callable[[], Iterator[str]]],
        long: int = 1,
    ) -> list[Figure]:
        """Ours and the peers over their addresses by turns. long: so many times as long as others."""

        def measure(server: str, paths: Callable[[], Iterator[str]]) -> Rate:
            return rate(server, paths(), seconds=self.seconds * long)

        measures = {"ours": partial(measure, OURS, ours)}
        measures |= {name: partial(measure, server, paths) for name, server, paths in theirs}
        found = in_turn(self.rounds if long == 1 else 1, measures)
        own = found.pop("ours")
        return [Figure(what, own, rate, name, limit) for name, rate in found.items()]

    # --- addresses ----------------------------------------------------------------------------------

    def boxes(self) -> Iterator[tuple[float, float, float, float]]:
        """Boxes with about a hundred municipalities, none twice."""
        while True:
            x, y = self.chance.uniform(WEST, EAST - 0.8), self.chance.uniform(SOUTH, NORTH - 0.5)
            yield round(x, 5), round(y, 5), round(x + 0.8, 5), round(y + 0.5, 5)

    def by_box(self, path: str) -> Iterator[str]:
        for box in self.boxes():
            yield f"{path}{'&' if '?' in path else '?'}limit=100&bbox={','.join(map(str, box))}"

    def by_key(self, path: str, end: str = "", *, number: bool = False) -> Iterator[str]:
        while True:
            id_, key = self.chance.choice(self.keys)
            yield f"{path}/{id_ if number else key}{end}"

    def by_filter(self, path: str, name: str, geometry: str, *, more: str = "") -> Iterator[str]:
        for west, south, east, north in self.boxes():
            ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
            least = self.chance.randint(1, 40)
            said = f"{name} > {least} AND S_INTERSECTS({geometry},POLYGON(({ring})))"
            yield f"{path}?limit=100&filter-lang=cql2-text&filter={quote(said, safe='')}{more}"

    def crowded(self) -> Iterator[str]:
        """What a portal's users ask for at the same time."""
        tiles = [portal_tiles.OUR_TILES.format(z=z, y=y, x=x) for z, x, y in portal_tiles.places(40, seed=2)]
        boxes, ones = self.by_box(ITEMS), self.by_key(ITEMS)
        filters = self.by_filter(ITEMS, "services_online", "geometry")
        while True:
            yield from (next(boxes), next(ones), next(filters), *self.chance.sample(tiles, 4))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--without-growth", action="store_true")
    arguments = parser.parse_args()
    state = arguments.state.absolute()
    os.environ["MAPSERVICE_STATE_DIR"] = str(state / "base")
    python = peers.environment(state / "peers")
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls, tempfile.TemporaryDirectory() as folder:
        database = Database(urls, settings)
        prepare(database, arguments.rows)
        with database.owner() as connection:
            rows = connection.execute(text("SELECT id, key FROM peer.municipalities ORDER BY id")).all()
        seconds, rounds = (4, 1) if arguments.quick else (8, 3)
        only = set(arguments.only)
        run = Run(seconds, rounds, only, [(row.id, row.key) for row in rows], Path(folder))
        if only != {"growth"}:
            compare(urls, database, python, run)
        database.dispose()
    if "growth" in only or not (only or arguments.without_growth):
        growth.measure(state, grown_questions(run), quick=arguments.quick)


def compare(urls: DatabaseUrls, database: Database, python: Path, run: Run) -> None:
    """Ours beside the peers, at rest and while the data version moves."""
    with ExitStack() as stack:
        stack.enter_context(running(our_server(), OURS + "/api/health"))
        peers.start_all(stack, urls, python, run.folder)
        warm_up(run)
        report("at rest", run)
        with moving_version(database):
            report("the data version moves once a second", run)


def warm_up(run: Run) -> None:
    """Every server has answered each kind of question, in each of its workers."""
    for _ in range(8):
        for server, paths in (
            (OURS, [LAYER, next(run.by_box(ITEMS)), next(run.by_key(ITEMS))]),
            (OURS, [next(run.by_filter(ITEMS, "services_online", "geometry"))]),
            (PEER, [next(run.by_box(TIPG + "?f=geojson"))]),
            (PYGEOAPI, [next(run.by_box(GEO + "?f=json"))]),
        ):
            for path in paths:
                _bytes(server + path)
    (run.folder / "layer.geojson").write_bytes(_bytes(OURS + LAYER))


def _bytes(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    body: bytes = urllib.request.urlopen(request, timeout=60).read()
    return body


def report(what: str, run: Run) -> None:
    print(f"\n### {what}\n", flush=True)
    print("| figure | ours, requests/s | peer | requests/s | ratio | limit |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for name, measure in MEASURES.items():
        if not run.only or name in run.only:
            for figure in measure(run):
                missed = "" if figure.ratio >= figure.limit else ": missed"
                failed = f", {figure.ours.failed} failed" if figure.ours.failed else ""
                print(
                    f"| {figure.what}{failed} | {figure.ours.requests:.0f} | {figure.peer} |"
                    f" {figure.theirs.requests:.1f} | {figure.ratio:.2f} | {figure.limit:g}{missed} |",
                    flush=True,
                )
    if not run.only or "tiles" in run.only:
        portal_tiles.measure(40 if run.rounds > 1 else 12)
    if not run.only or "crowd" in run.only:
        crowd(run)


def stored(run: Run) -> list[Figure]:
    theirs = ("nginx, the same bytes", NGINX, lambda: iter(["/layer.geojson"]))
    return run.against("whole level, stored", lambda: iter([LAYER]), 0.5, theirs)


def fresh(run: Run) -> list[Figure]:
    """tipg sends the whole level as it is: it keeps nothing, and its own filter would leave areas out."""
    theirs = ("tipg", PEER, lambda: iter([f"{TIPG}?limit=20000&f=geojson"]))

    def ours() -> Iterator[str]:
        # wrk begins anew at the end of a list: it must be longer than what can be asked.
        return (f"{LAYER}?{query}" for query in itertools.islice(run.filters, 80 * run.seconds))

    return run.against("whole level, a filter never asked before", ours, 8, theirs, long=4)


def boxes(run: Run) -> list[Figure]:
    theirs = (
        ("tipg", PEER, lambda: run.by_box(TIPG + "?f=geojson")),
        ("pygeoapi", PYGEOAPI, lambda: run.by_box(GEO + "?f=json")),
    )
    return run.against("100 features by box, none twice", lambda: run.by_box(ITEMS), 5, *theirs)


def one(run: Run) -> list[Figure]:
    theirs = (
        ("tipg", PEER, lambda: run.by_key(TIPG, "?f=geojson", number=True)),
        ("pygeoapi", PYGEOAPI, lambda: run.by_key(GEO, "?f=json", number=True)),
    )
    return run.against("one feature by id", lambda: run.by_key(ITEMS), 5, *theirs)


def cql2(run: Run) -> list[Figure]:
    theirs = ("tipg", PEER, lambda: run.by_filter(TIPG, "arbeit_ruhestand", "geom", more="&f=geojson"))
    ours = partial(run.by_filter, ITEMS, "services_online", "geometry")
    return run.against("CQL2, attribute and box", ours, 4, theirs)


def unchanged(run: Run) -> list[Figure]:
    """Against a view that does nothing, under the same server, asked by the same script."""
    found = in_turn(
        run.rounds,
        {
            "ours": lambda: revalidations(OURS, ITEMS + "?limit=10", seconds=run.seconds),
            "empty": lambda: revalidations(OURS, "/empty", seconds=run.seconds),
        },
    )
    return [Figure("not modified (304)", found["ours"], found["empty"], "an empty view", 0.5)]


MEASURES = {
    "stored": stored,
    "fresh": fresh,
    "boxes": boxes,
    "one": one,
    "cql2": cql2,
    "unchanged": unchanged,
}


def crowd(run: Run) -> None:
    """Many clients at once."""
    print(f"\n| {CROWD} clients | requests/s | p50 | p99 | p99/p50 (limit 10) | failed |")
    print("| --- | --- | --- | --- | --- | --- |")
    for what, paths in (
        ("boxes, single features, CQL2, tiles", run.crowded),
        ("whole level, stored", lambda: iter([LAYER])),
    ):
        found = rate(OURS, paths(), seconds=run.seconds, connections=CROWD)
        print(
            f"| {what} | {found.requests:.0f} | {found.p50 * 1000:.1f} ms | {found.p99 * 1000:.1f} ms |"
            f" {found.p99 / found.p50:.1f} | {found.failed} |",
            flush=True,
        )


def grown_questions(run: Run) -> dict[str, Callable[[list[str]], growth.Paths]]:
    """What is asked before and after everything grew."""

    def new_filters(_keys: list[str]) -> growth.Paths:
        return lambda: (f"{LAYER}?{query}" for query in itertools.islice(run.filters, 200))

    def tiles(_keys: list[str]) -> growth.Paths:
        places = list(portal_tiles.places(400, seed=9))
        run.chance.shuffle(places)
        # First some of each generalisation, several times, so that each worker has read it.
        places = [next(place for place in places if place[0] == zoom) for zoom in (6, 8, 12)] * 3 + places
        return lambda: (portal_tiles.OUR_TILES.format(z=z, x=x, y=y) for z, x, y in places)

    def ones(keys: list[str]) -> growth.Paths:
        return lambda: (f"{ITEMS}/{run.chance.choice(keys)}" for _ in itertools.count())

    return {
        "whole level, stored": lambda _keys: lambda: itertools.repeat(LAYER, 9),
        "whole level, a filter never asked before": new_filters,
        "100 features by box": lambda _keys: lambda: run.by_box(ITEMS),
        "one feature by id": ones,
        "CQL2, attribute and box": lambda _keys: partial(run.by_filter, ITEMS, "services_online", "geometry"),
        "tiles of zoom 5 to 12": tiles,
    }


if __name__ == "__main__":
    sys.exit(main())
