"""What abuse does to the service as it is run, with two workers, and that a withdrawal reaches both."""

from __future__ import annotations

import http.client
import json
import math
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from mapservice.database import Database
from mapservice.domain import implementation_id
from mapservice.params import FILTERS
from tests.entries import INTERNAL, PUBLIC, change_entry, set_publication
from tests.ogc.filling import fill_richly
from tests.running import Service, starting
from tests.test_api import MUENSTER

ITEMS = "/api/collections/districts/items"
ENTRIES = "/api/collections/implementations/items"
MEGABYTES = 80
"""Of memory that all of these requests together may cost, both workers."""
SECONDS = 5
"""Until an answer; it takes hundredths, but tests share their machine."""


@pytest.fixture(scope="module")
def filled(module_boundaries: Database) -> Database:
    return fill_richly(module_boundaries)


@pytest.fixture(scope="module")
def running(filled: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with starting(filled, tmp_path_factory.mktemp("running")) as start:
        service = start(MAPSERVICE_WORKERS="2")
        assert service.said[-1].startswith("Die Karte läuft"), service.said
        yield service


def workers(service: Service) -> list[int]:
    """Process ids of the workers: the children, but for the one that multiprocessing keeps for itself."""
    parent = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    children = [int(pid) for pid in parent.read_text().split()]
    return [pid for pid in children if "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text()]


def memory(service: Service) -> float:
    """Megabytes that the workers hold."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in workers(service))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sent(service: Service, head: bytes, body: bytes = b"") -> tuple[int, bytes, float]:
    """Status, body and seconds of the answer to these bytes, read even if it came before their end."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as link:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            link.sendall(head + body)
        answer = http.client.HTTPResponse(link)
        answer.begin()
        return answer.status, answer.read(), time.monotonic() - started


def request(target: str, **headers: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def filtered(text: str, language: str = "cql2-text", items: str = ITEMS) -> bytes:
    return request(f"{items}?{urlencode({'filter': text, 'filter-lang': language})}")


def circle(points: int) -> str:
    """A valid polygon of so many corners around Münster."""
    turns = [2 * math.pi * n / points for n in range(points)]
    corners = [f"{7.6 + math.cos(turn):.3f} {52 + math.sin(turn):.3f}" for turn in turns]
    return f"POLYGON(({','.join([*corners, corners[0]])}))"


MONSTERS: dict[str, tuple[bytes, set[int]]] = {
    "a filter of 5 MB": (request(f"{ITEMS}?filter=name='{'x' * 5_000_000}'"), {414, 431}),
    "a filter of 100 kB": (request(f"{ITEMS}?filter=name='{'x' * 100_000}'"), {414}),
    "a filter of 40 kB": (filtered(f"name='{'x' * 40_000}'"), {400}),
    "a polygon of a million points": (
        request(f"{ITEMS}?filter=S_INTERSECTS(geometry,{circle(1_000_000).replace(' ', '+')})"),
        {414, 431},
    ),
    "a polygon of 3,000 points": (filtered(f"S_INTERSECTS(geometry,{circle(3_000)})"), {400}),
    "200 nested brackets": (filtered("(" * 200 + "true" + ")" * 200), {400}),
    "20,000 brackets": (filtered("(" * 20_000), {400}),
    "200 nested negations": (filtered("NOT " * 200 + "true"), {400}),
    "200 nested lists": (filtered("[" * 200 + "]" * 200, "cql2-json"), {400}),
    "20,000 nested lists": (filtered("[" * 20_000, "cql2-json"), {400}),
    "a number of 30,000 digits": (filtered("1" * 30_000, "cql2-json"), {400}),
    "an exponent of 30,000 digits": (filtered("population = 1e" + "9" * 30_000), {400}),
    "2,000 conditions": (filtered("name='x' AND " * 2_000 + "true"), {400}),
    "a list of 10,000 values": (filtered(f"population IN ({'1,' * 10_000}1)"), {400}),
    "quotes alone": (filtered("'" * 20_001), {400}),
    "backslashes alone": (filtered("name = '" + "\\" * 20_001), {400}),
    "NaN in a polygon": (filtered("S_INTERSECTS(geometry, POLYGON((NaN 1, 2 2, 3 1, NaN 1)))"), {400}),
    "Infinity in JSON": (filtered('{"op":"=","args":[{"property":"share"},Infinity]}', "cql2-json"), {400}),
    "5,000 parameters": (request(f"{ITEMS}?" + "&".join(f"a{n}=1" for n in range(5_000))), {400}),
    "5,000 values": (request(f"{ITEMS}?" + "&".join(["within=05"] * 5_000)), {400}),
    "a header of 5 MB": (request(ITEMS, X_Long="x" * 5_000_000), {431}),
    "a box of 60 kB": (request(f"{ITEMS}?bbox={'1,' * 30_000}"), {400}),
    "a key of 60 kB": (request(f"{ITEMS}/{'0' * 60_000}"), {404}),
    "a search of 60 kB": (request(f"/suche.json?q={'x' * 60_000}"), {200}),
    "broken percent signs": (request(f"{ITEMS}?name=%zz%ff%00%"), {400}),
    "no UTF-8": (request(f"{ITEMS}?filter=name='%ff%fe'"), {200}),
}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monster_is_refused_at_once_and_told_why(running: Service, name: str) -> None:
    """Addresses beyond 64 kB end at the server (414, 431), what is shorter at the parameter that is named."""
    head, allowed = MONSTERS[name]
    status, body, seconds = sent(running, head)
    assert status in allowed, body[:300]
    assert seconds < SECONDS
    if status in (400, 404):
        content = json.loads(body)
        assert content["description"]
        assert content["parameter"]
        assert len(body) < 5_000
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    connection.request("GET", "/api/conformance")
    assert connection.getresponse().status == 200


def test_a_body_that_nobody_asked_for_is_not_read(running: Service) -> None:
    lines = [f"POST {ITEMS} HTTP/1.1", "Host: localhost", "Content-Length: 50000000", "Connection: close"]
    head = "\r\n".join([*lines, "", ""]).encode()
    status, body, seconds = sent(running, head, b"x" * 5_000_000)
    assert (status, json.loads(body)["code"]) == (413, "content_too_large")
    assert seconds < SECONDS


def test_monsters_cost_no_memory(running: Service) -> None:
    """All of them three times over: what the workers hold afterwards is what they held before, nearly."""
    for head, _allowed in MONSTERS.values():
        sent(running, head)
    before = memory(running)
    for _ in range(3):
        for head, _allowed in MONSTERS.values():
            sent(running, head)
    assert memory(running) - before < MEGABYTES


@pytest.mark.parametrize("items", [ITEMS, ENTRIES])
def test_what_is_dear_but_allowed_is_answered_or_given_up(running: Service, items: str) -> None:
    """Filters as large as they may be: 200, or 503 with Retry-After once the database's time is over."""
    box = "S_INTERSECTS(geometry,BBOX(7,51,8,52))"
    for text in (
        f"S_INTERSECTS(geometry,{circle(2_200)})",
        " OR ".join([box] * 400),
        " AND ".join(f"NOT {box}" for _ in range(240)),
        " OR ".join(["CASEI(state) LIKE CASEI('%x%x%x%x%')"] * 400),
        "state LIKE '" + "%_" * 10_000 + "'",
    ):
        status, body, seconds = sent(running, filtered(text, items=items))
        assert status in (200, 503), body[:300]
        assert seconds < 20


# --- every parameter of every address ---------------------------------------------------------------

PLAIN = {
    "/api/layers/districts.geojson": (*FILTERS, "columns", "detail", "crs", "lang"),
    "/api/values/districts": ("format", "detail", "geometry", "measure", "service", "lang"),
    "/api/facets/districts": ("subject", "scope", "within", "kind"),
    "/api/geometry": ("level", "detail"),
    "/api/areas/05515": ("level", "format", "measure", "service"),
    "/api/neighbours/05515": ("level", "lang"),
    "/api/names": ("lang",),
    "/api/openapi.json": ("lang",),
    "/suche.json": ("q", "limit", "type"),
    "/tabelle.csv": ("level", "sort", "class", "within", "measure", "service"),
}
"""The addresses that the OpenAPI document does not have."""
TOGETHER = {"measure": ("service",), "method": ("breaks",)}
"""Parameters that need another one, which may then be the one at fault."""
NASTY = (
    "", " ", "0", "-1", "1e999", "NaN", "Infinity", "null", "true", "[]", "{}", "' OR 1=1 --", "'; SELECT 1",
    "%00", "%ff", "\u202eRTL", "😀" * 50, "../../etc/passwd", "${7*7}", "<script>alert(1)</script>", "9" * 30,
    "0x1F", "٣", "1,2,3,4", "7,51,8", "inf,inf,inf,inf", "170,40,-170,60", "a" * 3000, "/", "..",
    "\r\nX: y", "EPSG:0",
)  # fmt: skip


def asked(service: Service) -> Iterator[tuple[str, str]]:
    """Addresses with the names of their parameters, one by one."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    connection.request("GET", "/api/openapi.json")
    document = json.loads(connection.getresponse().read())
    known = document["components"]["parameters"]
    places = {"collectionId": "districts", "tileMatrix": "7", "tileRow": "42", "tileCol": "66"}
    for path, item in document["paths"].items():
        if path.endswith(("states/items", "associations/items", "municipalities/items", "Id}/items")):
            continue  # the same as those of the districts
        described = [known[reference["$ref"].rsplit("/", 1)[1]] for reference in item["get"]["parameters"]]
        for entry in described:
            address = "/api" + path.replace("{featureId}", "05515")
            if entry["in"] == "path":
                address = "/api" + path.replace(f"{{{entry['name']}}}", "<here>")
                address = address.replace("{featureId}", "05515")
            for name, value in places.items():
                address = address.replace(f"{{{name}}}", value)
            yield address, entry["name"]
    for address, names in PLAIN.items():
        yield from ((address, name) for name in names)


def test_every_parameter_takes_anything_without_failing(running: Service) -> None:
    """Some nasty values for each: an answer, or a refusal that says what is wrong; never a failure."""
    chance = random.Random(4)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    tried = refused = 0
    for address, name in asked(running):
        for text in (quote(value, safe="%") for value in chance.sample(NASTY, 4)):
            place = "<here>" in address
            target = address.replace("<here>", text) if place else f"{address}?{quote(name)}={text}"
            connection.request("GET", target, headers={"Accept": "application/json"})
            response = connection.getresponse()
            body = response.read()
            tried += 1
            assert response.status in (200, 204, 308, 400, 404, 409), (target, response.status, body[:300])
            assert b"<script>alert" not in body, target
            if response.status >= 400 and target.startswith(("/api", "/suche.json")):
                refused += 1
                content = json.loads(body)
                assert content["code"]
                assert content["description"]
                if response.status == 400 and not place and "%00" not in text:
                    assert content["parameter"] in (name, *TOGETHER.get(name, ())), (target, content)
    assert tried > 800
    assert refused > tried / 3


# --- withdrawal in every worker ---------------------------------------------------------------------


def connections(service: Service) -> dict[int, http.client.HTTPConnection]:
    """A connection to each worker: which process holds the other end is read from /proc."""
    found: dict[int, http.client.HTTPConnection] = {}
    sockets = {pid: held(pid) for pid in workers(service)}
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        connection.request("GET", "/api/health")
        connection.getresponse().read()
        assert connection.sock is not None
        inode = other_end(connection.sock.getsockname()[1], service.port)
        sockets = {pid: held(pid) for pid in sockets}
        found |= {pid: connection for pid, inodes in sockets.items() if inode in inodes and pid not in found}
        if len(found) == 2:
            return found
    raise AssertionError(f"only {len(found)} workers answer")


def held(pid: int) -> set[str]:
    links = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.add(os.readlink(entry).removeprefix("socket:[").rstrip("]"))
        except FileNotFoundError:
            continue
    return links


def other_end(port: int, service_port: int) -> str:
    """The inode of the server's socket of the connection from this local port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, *_rest = parts = line.split()
        if int(here.rsplit(":", 1)[1], 16) == service_port and int(there.rsplit(":", 1)[1], 16) == port:
            return parts[9]
    return ""


def said(connection: http.client.HTTPConnection, address: str, known: str = "") -> tuple[int, bytes, str]:
    """Status, body and ETag; known: the ETag of the answer that the client has."""
    connection.request("GET", address, headers={"If-None-Match": known} if known else {})
    response = connection.getresponse()
    return response.status, response.read(), response.getheader("ETag", "")


def test_a_withdrawal_holds_in_every_worker_within_a_second(running: Service, filled: Database) -> None:
    """Of one entry and of a whole authority: what is asked a second later shows nothing of it any more."""
    entry = str(implementation_id(MUENSTER, "10500"))
    text, count = "demo.example", '"services_online":1'
    addresses = {
        f"{ENTRIES}?geometry=point": text,
        f"{ENTRIES}/{entry}": text,
        f"{ENTRIES}/{entry}?f=html": text,
        f"/api/areas/{MUENSTER}": text,
        f"{ITEMS}/05515": count,
        "/api/layers/districts.geojson?within=05515&detail=1000": count,
        "/api/values/districts?service=10500&within=05515": '"05515":1',
        "/api/collections/districts/tiles/WebMercatorQuad/7/42/66?within=05515&service=10500": "c1",
    }
    steps: list[Any] = [
        lambda connection: change_entry(connection, entry, visibility=INTERNAL),
        lambda connection: change_entry(connection, entry, visibility=PUBLIC),
        lambda connection: set_publication(connection, MUENSTER, INTERNAL),
        lambda connection: set_publication(connection, MUENSTER),
    ]
    links = connections(running)
    for number, step in enumerate(steps):
        shown = number % 2 == 1
        before = {pid: {a: said(link, a)[2] for a in addresses} for pid, link in links.items()}
        with filled.owner() as connection:
            step(connection)
        committed = time.monotonic()
        waiting = {(pid, address) for pid in links for address in addresses}
        while waiting:
            for pid, address in sorted(waiting):
                asked_at = time.monotonic() - committed
                status, body, _etag = said(links[pid], address, before[pid][address])
                new = status != 304 and (addresses[address].encode() in body) is shown
                assert new or asked_at < 1, (number, address, status, asked_at, body[:500])
                if new:
                    waiting.discard((pid, address))
