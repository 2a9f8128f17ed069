#!/usr/bin/env python3
"""Vector tiles of the municipalities over random places, zooms 5 to 12, against tipg's of the same shapes.

    benchmarks/tiles.py --state DIR --tipg PYTHON [--rows 3000000] [--places 40]

Arguments as in values.py. Cold: each tile is asked for once, of servers that were asked for others before.
Warm: the same tiles again. One client. Prints a Markdown table of medians.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import math
import os
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from values import OURS, PEER, our_server, peer, prepare, running

from mapservice import cluster
from mapservice.config import Settings
from mapservice.database import Database

ZOOMS = range(5, 13)
WEST, SOUTH, EAST, NORTH = 6.5, 47.8, 14.5, 54.3
ROUNDS = 5
OUR_TILES = "/api/collections/municipalities/tiles/WebMercatorQuad/{z}/{y}/{x}"
PEER_TILES = "/collections/peer.municipalities/tiles/WebMercatorQuad/{z}/{x}/{y}"
LIMIT = 300_000

Place = tuple[int, int, int]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--tipg", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--places", type=int, default=40)
    arguments = parser.parse_args()
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    settings = Settings.from_environment()
    with cluster.connected(settings) as urls:
        prepare(Database(urls, settings), arguments.rows)
        with (
            running(our_server(), OURS + "/api/health"),
            running(peer(urls, arguments.tipg), PEER + "/healthz"),
        ):
            measure(arguments.places)


def tile_at(zoom: int, longitude: float, latitude: float) -> Place:
    y = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2
    return zoom, math.floor((longitude + 180) / 360 * 2**zoom), math.floor(y * 2**zoom)


def places(number: int, seed: int) -> Iterator[Place]:
    """Tiles at random places, none twice."""
    chance, seen = random.Random(seed), set()
    for zoom in ZOOMS:
        for _place in range(number):
            found = tile_at(zoom, chance.uniform(WEST, EAST), chance.uniform(SOUTH, NORTH))
            if found not in seen:
                seen.add(found)
                yield found


class Client:
    """Fetches tiles, each over a connection of its own: on kept ones delayed acknowledgements cost 40 ms."""

    def __init__(self, server: str, template: str) -> None:
        self._host = urlsplit(server).netloc
        self._template = template

    def fetch(self, place: Place) -> tuple[float, bytes]:
        """Seconds and body, unpacked."""
        z, x, y = place
        connection = http.client.HTTPConnection(self._host, timeout=60)
        started = time.perf_counter()
        connection.request("GET", self._template.format(z=z, x=x, y=y), headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        connection.close()
        assert response.status in (200, 204), (response.status, place)
        return seconds, gzip.decompress(body) if response.headers.get("Content-Encoding") else body


def measure(number: int) -> None:
    ours, theirs = Client(OURS, OUR_TILES), Client(PEER, PEER_TILES)
    before = set(places(2, seed=1))
    for place in before:
        ours.fetch(place)
        theirs.fetch(place)
    wanted = [place for place in places(number, seed=2) if place not in before]
    cold = {place: (ours.fetch(place), theirs.fetch(place)) for place in wanted}
    warm: dict[Place, list[tuple[float, float]]] = {place: [] for place in wanted}
    for _round in range(ROUNDS):
        for place in wanted:
            warm[place].append((ours.fetch(place)[0], theirs.fetch(place)[0]))
    print("\n| zoom | tiles | cold: ours | tipg | ratio | warm: ours | tipg | ratio | largest |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for zoom in ZOOMS:
        _row(str(zoom), [place for place in wanted if place[0] == zoom], cold, warm)
    _row("5 to 12", wanted, cold, warm)


def _row(
    name: str,
    chosen: list[Place],
    cold: dict[Place, tuple[tuple[float, bytes], tuple[float, bytes]]],
    warm: dict[Place, list[tuple[float, float]]],
) -> None:
    """Medians."""
    first = [statistics.median(cold[place][side][0] for place in chosen) * 1000 for side in (0, 1)]
    again = [
        statistics.median(pair[side] for place in chosen for pair in warm[place]) * 1000 for side in (0, 1)
    ]
    largest = max(len(cold[place][0][1]) for place in chosen)
    print(
        f"| {name} | {len(chosen)} | {first[0]:.1f} ms | {first[1]:.1f} ms | {first[1] / first[0]:.1f}"
        f" | {again[0]:.2f} ms | {again[1]:.1f} ms | {again[1] / again[0]:.0f}"
        f" | {largest / 1000:.0f} kB{'' if largest <= LIMIT else ' (too large)'} |"
    )


if __name__ == "__main__":
    main()
