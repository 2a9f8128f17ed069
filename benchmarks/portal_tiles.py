"""Vector tiles of the municipalities over random places, zooms 5 to 12, against tipg's of the same shapes.

Part of portals.py. Cold: each tile is asked for once, of servers that were asked for others before. Warm: the
same tiles again, at random. Four clients that keep their connections.
"""

from __future__ import annotations

import gzip
import http.client
import itertools
import math
import random
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from values import OURS, PEER
from wrk import Rate, in_turn, rate

ZOOMS = range(5, 13)
WEST, SOUTH, EAST, NORTH = 6.5, 47.8, 14.5, 54.3
OUR_TILES = "/api/collections/municipalities/tiles/WebMercatorQuad/{z}/{y}/{x}"
PEER_TILES = "/collections/peer.municipalities/tiles/WebMercatorQuad/{z}/{x}/{y}"
LIMIT = 300_000
CLIENTS = 4

_WHERE = {"ours": (OURS, OUR_TILES), "tipg": (PEER, PEER_TILES)}
_SEEDS = itertools.count(2)
Place = tuple[int, int, int]
Fetched = tuple[float, bytes]


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
    """Fetches tiles over one connection that is kept, as wrk's."""

    def __init__(self, server: str, template: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)
        self._template = template

    def fetch(self, place: Place) -> tuple[float, bytes]:
        """Seconds and body, unpacked."""
        z, x, y = place
        started = time.perf_counter()
        path = self._template.format(z=z, x=x, y=y)
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        response = self._connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        assert response.status in (200, 204), (response.status, place)
        return seconds, gzip.decompress(body) if response.headers.get("Content-Encoding") else body


def measure(number: int) -> None:
    """Print the tables."""
    before = set(places(3, seed=1))
    for at in _WHERE.values():
        for _again in range(4):  # each worker, most likely
            _cold(at, sorted(before))
    wanted = [place for place in places(number, seed=next(_SEEDS)) if place not in before]
    (ours, our_seconds), (theirs, their_seconds) = (_cold(at, wanted) for at in _WHERE.values())
    print("\n| zoom | tiles | cold: ours | tipg | ratio (limit 5) | largest (limit 300 kB) |")
    print("| --- | --- | --- | --- | --- | --- |")
    for zoom in ZOOMS:
        _row(zoom, [place for place in wanted if place[0] == zoom], ours, theirs)
    our_rate, their_rate = len(wanted) / our_seconds, len(wanted) / their_seconds
    print("\n| tiles of zoom 5 to 12 | ours, requests/s | tipg | ratio | limit |")
    print("| --- | --- | --- | --- | --- |")
    print(f"| cold | {our_rate:.0f} | {their_rate:.1f} | {our_rate / their_rate:.1f} | 5 |")
    warm = in_turn(1, {name: partial(_warm, *at, wanted) for name, at in _WHERE.items()})
    first, second = warm["ours"].requests, warm["tipg"].requests
    print(f"| warm | {first:.0f} | {second:.1f} | {first / second:.0f} | 50 |", flush=True)


def _cold(at: tuple[str, str], wanted: list[Place]) -> tuple[dict[Place, Fetched], float]:
    """Each tile once, by four clients; seconds in all."""
    clients = [Client(*at) for _ in range(CLIENTS)]
    todo, found = iter(wanted), {}
    lock = threading.Lock()

    def fetch(client: Client) -> None:
        while True:
            with lock:
                place = next(todo, None)
            if place is None:
                return
            found[place] = client.fetch(place)

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(fetch, clients))
    return found, time.perf_counter() - started


def _warm(server: str, template: str, wanted: list[Place]) -> Rate:
    chosen = random.Random(3).choices(wanted, k=20_000)
    return rate(server, (template.format(z=z, x=x, y=y) for z, x, y in chosen), seconds=8)


def _row(zoom: int, chosen: list[Place], ours: dict[Place, Fetched], theirs: dict[Place, Fetched]) -> None:
    """Medians."""
    if not chosen:
        return
    first, second = (statistics.median(side[place][0] for place in chosen) * 1000 for side in (ours, theirs))
    largest = max(len(ours[place][1]) for place in chosen)
    print(
        f"| {zoom} | {len(chosen)} | {first:.1f} ms | {second:.1f} ms | {second / first:.1f}"
        f" | {largest / 1000:.0f} kB{'' if largest <= LIMIT else ' (too large)'} |",
        flush=True,
    )
