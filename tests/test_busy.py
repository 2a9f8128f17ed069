"""An address may keep the service busy for so long and no longer; a portal's burst stays below."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.busy import FILE, Ledger, client
from mapservice.database import Database
from mapservice.domain import SUBJECT_AREAS
from mapservice.guards import MOST_ADDRESS
from tests.running import Start
from tests.test_api import fill
from tests.test_server import start  # noqa: F401 - a fixture

PORTAL, OTHER = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def database(boundaries_loaded: Database) -> Database:
    """Also that of the running service."""
    return fill(boundaries_loaded)


def application(database: Database, seconds: int) -> Flask:
    return create_app(replace(database.settings, busy_seconds=seconds), database)


def ledger_of(database: Database, seconds: int) -> Ledger:
    return Ledger(database.settings.state_dir / FILE, seconds / 60)


@pytest.fixture
def app(database: Database) -> Iterator[Flask]:
    app = application(database, 60)
    yield app
    app.extensions["mapservice"].versions.close()


def asking(app: Flask, address: str) -> FlaskClient:
    visitor = app.test_client()
    visitor.environ_base["REMOTE_ADDR"] = address
    return visitor


def test_seconds_are_given_back_steadily(tmp_path: Path) -> None:
    """60 seconds a minute, and two minutes' worth at once."""
    ledger, now = Ledger(tmp_path / "busy.sqlite", 1.0), 1000.0
    assert ledger.wait("a", now) == 0
    ledger.spend("a", 120.0, now)
    assert ledger.wait("a", now) == 0
    ledger.spend("a", 30.5, now)
    assert ledger.wait("a", now) == 31
    assert ledger.wait("a", now + 10) == 21
    assert ledger.wait("a", now + 30.5) == 0
    assert ledger.wait("b", now) == 0
    # Nothing is saved up: what was given back long ago is not there twice.
    ledger.spend("a", 1.0, now + 100_000)
    ledger.spend("a", 121.0, now + 100_000)
    assert ledger.wait("a", now + 100_000) == 2


def test_workers_count_together(tmp_path: Path) -> None:
    first, second = (Ledger(tmp_path / "busy.sqlite", 1.0) for _ in range(2))
    now = time.time()

    def spend(ledger: Ledger) -> None:
        for _ in range(100):
            ledger.spend("a", 1.0, now)

    threads = [threading.Thread(target=spend, args=(ledger,)) for ledger in (first, second) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.wait("a", now) == second.wait("a", now) == 600 - 120


def test_an_address_is_forgotten_when_it_has_everything_back(tmp_path: Path) -> None:
    path = tmp_path / "busy.sqlite"
    ledger = Ledger(path, 1.0)
    ledger.spend("192.0.2.1", 5.0, time.time() - 10)
    ledger.spend("192.0.2.2", 100.0, time.time() - 10)
    ledger.tidy()
    assert ledger._run("SELECT group_concat(address) FROM busy") == ("192.0.2.2",)
    ledger._run("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"192.0.2.1" not in path.read_bytes()
    assert ledger._tidying is not None


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
        (None, None),
        ("unix:", None),
    ],
)
def test_whom_an_address_stands_for(address: str | None, who: str | None) -> None:
    assert client(address) == who


def test_who_is_over_the_limit_is_told_when_to_come_back(app: Flask, database: Database) -> None:
    portal = asking(app, PORTAL)
    kept = portal.get("/api/layers/districts.geojson")
    assert kept.status_code == 200
    ledger_of(database, 60).spend(PORTAL, 200.0, time.time())
    refused = portal.get("/api/layers/districts.geojson?status=open")
    assert refused.status_code == 429
    said = json.loads(refused.data)
    assert said["code"] == "too_many_requests"
    wait = int(refused.headers["Retry-After"])
    assert 75 <= wait <= 85
    assert f"{wait} Sekunden" in said["description"]
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    page = portal.get("/tabelle?status=open")
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert "Das waren gerade zu viele Anfragen" in page.text
    assert page.headers["Retry-After"]
    english = portal.get("/tabelle?status=open&lang=en")
    assert "too many requests" in english.text.lower()
    # What costs nothing is still answered, and nobody else is touched.
    assert portal.get("/api/layers/districts.geojson").data == kept.data
    etag = {"If-None-Match": kept.headers["ETag"]}
    assert portal.get("/api/layers/districts.geojson", headers=etag).status_code == 304
    link = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert link is not None
    assert portal.get(link[1]).status_code == 200
    assert portal.get("/api/health").status_code == 200
    assert asking(app, OTHER).get("/api/layers/districts.geojson?status=open").status_code == 200


def test_it_ends_by_itself(app: Flask, database: Database) -> None:
    ledger_of(database, 60).spend(PORTAL, 122.0, time.time())
    portal = asking(app, PORTAL)
    addresses = (f"/api/values/districts?confirmed=2024-01-{day:02}" for day in itertools.count(1))
    refused = portal.get(next(addresses))
    assert refused.status_code == 429
    time.sleep(int(refused.headers["Retry-After"]) + 0.1)
    assert portal.get(next(addresses)).status_code == 200


def test_work_is_booked_whatever_comes_of_it(app: Flask, database: Database) -> None:
    """Answers, errors, pages; not what is answered from memory."""

    def spent() -> float:
        row = ledger_of(database, 60)._run("SELECT spent FROM busy WHERE address = ?", PORTAL)
        return float(row[0]) if row else 0.0

    portal = asking(app, PORTAL)
    for address in ("/api/values/states", "/api/values/states?status=nix", "/tabelle", "/hilfe", "/nix"):
        before = spent()
        portal.get(address)
        assert (spent() > 0) if address != "/nix" else (spent() <= before), address
    before = spent()
    for _ in range(20):
        assert portal.get("/api/values/states").status_code == 200
    assert spent() == before


def test_a_portal_does_not_meet_the_limit(database: Database) -> None:
    """As set by default: fourteen layers at once, the tiles of a screen for each, all pages of a level."""
    seconds = replace(database.settings).busy_seconds
    assert seconds > 0
    app = application(database, seconds)
    subjects = [slug for slug, _name in SUBJECT_AREAS]
    burst = [f"/api/layers/municipalities.geojson?subject={slug}" for slug in subjects]
    burst += [
        f"/api/collections/districts/tiles/WebMercatorQuad/7/{row}/{column}?subject={slug}"
        for slug in subjects
        for row in range(40, 44)
        for column in range(65, 71)
    ]
    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda address: asking(app, PORTAL).get(address).status_code, burst))
    assert set(codes) == {200, 204}
    following: str | None = "/api/collections/municipalities/items?limit=10"
    pages = 0
    while following:
        response = asking(app, PORTAL).get(following)
        assert response.status_code == 200
        links = json.loads(response.data)["links"]
        following = next((link["href"] for link in links if link["rel"] == "next"), None)
        pages += 1
    assert pages == 10
    app.extensions["mapservice"].versions.close()


def test_off_means_off(database: Database) -> None:
    app = application(database, 0)
    ledger_of(database, 60).spend(PORTAL, 1e6, time.time())
    portal = asking(app, PORTAL)
    assert portal.get("/api/values/states?status=open").status_code == 200
    assert "keine IP-Adressen" in portal.get("/datenschutz").text
    app.extensions["mapservice"].versions.close()


def test_the_page_on_privacy_says_what_is_kept(app: Flask) -> None:
    page = asking(app, OTHER).get("/datenschutz").text
    assert "für jede IP-Adresse fest" in page
    assert "keine IP-Adressen" not in page


def test_a_file_that_cannot_be_used_turns_nobody_away(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    (database.settings.state_dir / FILE).mkdir(parents=True)
    app = application(database, 60)
    assert asking(app, PORTAL).get("/api/values/states").status_code == 200
    assert "requests are not being limited" in caplog.text
    app.extensions["mapservice"].versions.close()


def test_the_limit_holds_over_two_workers_behind_a_proxy(
    start: Start,  # noqa: F811
    database: Database,
) -> None:
    """Each request over a connection of its own, so that both workers get some."""
    service = start(MAPSERVICE_WORKERS="2", MAPSERVICE_TRUSTED_PROXIES="1", MAPSERVICE_BUSY_SECONDS="1")
    days = itertools.count(1)

    def ask(address: str) -> tuple[int, dict[str, str]]:
        number = next(days)
        path = f"/api/layers/municipalities.geojson?confirmed={2000 + number // 28}-01-{number % 28 + 1:02}"
        # What the client itself claims stands before what the proxy adds.
        claimed: Any = {"X-Forwarded-For": f"192.0.2.1, {address}"}
        status, headers, _ = service.get(path, **claimed)
        return status, headers

    deadline = time.monotonic() + 60
    while ask(PORTAL)[0] == 200:
        assert time.monotonic() < deadline
    answers = [ask(PORTAL) for _ in range(20)]
    assert {status for status, _ in answers} == {429}
    assert all(int(headers["retry-after"]) >= 1 for _, headers in answers)
    assert ask(OTHER)[0] == 200


@pytest.mark.parametrize(("length", "status"), [(MOST_ADDRESS - 100, 400), (MOST_ADDRESS + 1, 414)])
def test_an_address_has_a_longest(app: Flask, length: int, status: int) -> None:
    visitor = asking(app, OTHER)
    for path in ("/api/collections/districts/items?filter=", "/tabelle?service="):
        response = visitor.get(path + "x" * length)
        assert response.status_code == status, response.text[:300]
    response = visitor.get("/api/" + "x" * MOST_ADDRESS)
    assert response.status_code == 414
    assert json.loads(response.data)["allowed"] == [str(MOST_ADDRESS)]


def test_content_is_refused_unread(app: Flask) -> None:
    visitor = asking(app, OTHER)
    for method in ("get", "post"):
        response = getattr(visitor, method)("/api/values/states", data=b"x" * 100_000)
        assert response.status_code == 413
        assert json.loads(response.data)["code"] == "content_too_large"
    assert visitor.post("/api/values/states", data=b"x").status_code == 405


def test_limits_are_checked_when_read() -> None:
    from mapservice.config import Settings
    from mapservice.errors import ConfigurationError

    for text, seconds in (("aus", 0), ("off", 0), ("0", 0), ("45", 45)):
        assert Settings.from_environment({"MAPSERVICE_BUSY_SECONDS": text}).busy_seconds == seconds
    for text in ("-1", "viel", "1e9", "5.5"):
        with pytest.raises(ConfigurationError, match="oder aus"):
            Settings.from_environment({"MAPSERVICE_BUSY_SECONDS": text})
