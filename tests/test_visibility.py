"""What an audience may not see: by plain SQL as each role, and through every endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from werkzeug.test import TestResponse

from mapservice import create_app
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.domain import Audience
from tests.asking import client_of
from tests.entries import (
    INTERNAL,
    PARTNERS,
    PUBLIC,
    add_entry,
    add_service,
    change_entry,
    remove_entry,
    set_publication,
)

MUENSTER, HAMM, TELGTE = "055150000000", "059150000000", "055700044044"
PROTECTED = (
    "implementation",
    "implementation_history",
    "publication",
    "import_run",
    "import_rejection",
    "tally",
    "data_version",
    "solution",
)
# Every kind of endpoint, with parameters that reach every way of counting.
ADDRESSES = (
    "/api/values/districts",
    "/api/values/districts?format=array&detail=1000",
    "/api/values/municipalities?scope=available&measure=share",
    "/api/values/states?service=10500&measure=spread",
    "/api/values/districts?service=10500&measure=status",
    "/api/values/municipalities?service=99000000000001&scope=available",
    "/api/layers/districts.geojson?detail=1000",
    "/api/collections/districts/items?bbox=7,51,9,53",
    "/api/collections/districts/items?f=html",
    "/api/collections/districts/items/05915",
    "/api/collections/districts/items/05515?f=html",
    "/api/collections",
    "/api?f=html",
    f"/api/areas/{MUENSTER}",
    f"/api/areas/{HAMM}",
    f"/api/neighbours/{MUENSTER}",
    "/api/health",
    "/",
    "/tabelle?level=districts",
    f"/gebiete/{MUENSTER}",
    f"/gebiete/{HAMM}",
    "/daten",
    "/leistungen.json",
    "/suche.json?q=brunn",
    "/suche.json?q=leistung",
    "/suche?q=Leistung+eigen",
)


def said(response: TestResponse) -> Any:
    return json.loads(response.data)


@pytest.fixture
def filled(boundaries_loaded: Database) -> Database:
    """Münster is published, Hamm is not; both have entries of every visibility."""
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500")
        add_service(connection, "10501")
        bundle = add_service(connection, "10502")
        add_service(connection, "99000000000001", parent_id=bundle)
        add_service(connection, "eigen:brunnen")
        set_publication(connection, MUENSTER)
        add_entry(connection, MUENSTER, "10500", url="https://demo.example/a", source="Quelle A")
    return boundaries_loaded


def add_hidden(connection: Connection) -> None:
    """Everything that the public must not notice."""
    solution = connection.execute(
        text("INSERT INTO solution (name) VALUES ('Geheimassistent') RETURNING id")
    ).scalar_one()
    hidden = {"solution_id": solution, "url": "https://demo.example/geheim", "source": "Geheimquelle"}
    add_entry(connection, MUENSTER, "10501", visibility=INTERNAL, **hidden)
    add_entry(connection, MUENSTER, "99000000000001", visibility=PARTNERS, **hidden)
    add_entry(connection, MUENSTER, "eigen:brunnen", visibility=INTERNAL, **hidden)
    add_entry(connection, HAMM, "10500", visibility=PUBLIC, **hidden)
    add_entry(connection, TELGTE, "10500", visibility=INTERNAL, **hidden)


@pytest.fixture
def client(filled: Database) -> Iterator[FlaskClient]:
    with client_of(filled) as client:
        yield client


def rows(database: Database, audience: Audience, statement: str) -> list[tuple[object, ...]]:
    """Plain SQL as the role of an audience, without any help of ours."""
    engine = create_engine(database.reading_url(audience))
    with engine.connect() as connection:
        result = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return result


def test_the_public_role_sees_public_entries_of_published_authorities_alone(filled: Database) -> None:
    with filled.owner() as connection:
        add_hidden(connection)
        assert connection.scalar(text("SELECT count(*) FROM implementation")) == 6
    seen = rows(
        filled,
        Audience.PUBLIC,
        "SELECT a.ars, i.url FROM implementation i JOIN authority a ON a.id = authority_id",
    )
    assert seen == [(MUENSTER, "https://demo.example/a")]
    assert rows(filled, Audience.PUBLIC, "SELECT name FROM solution") == []
    assert rows(filled, Audience.PUBLIC, "SELECT key FROM service WHERE key LIKE 'eigen:%'") == []
    assert rows(filled, Audience.PUBLIC, "SELECT DISTINCT audience FROM tally") == [(3,)]
    assert rows(filled, Audience.PUBLIC, "SELECT audience FROM data_version") == [(3,)]
    assert rows(filled, Audience.PUBLIC, "SELECT count(*) FROM publication") == [(1,)]


def test_the_policies_say_the_same_as_the_view_that_tallies_are_made_from(filled: Database) -> None:
    """Of present entries and, after each was changed once, of former ones."""
    with filled.owner() as connection:
        add_hidden(connection)
        connection.execute(text("UPDATE implementation SET demonstration = true WHERE status = 1"))
        connection.execute(text("UPDATE implementation SET demonstration = false"))
        connection.execute(
            text(
                "UPDATE implementation SET demonstration = true WHERE id IN"
                " (SELECT id FROM implementation WHERE visibility = 3 ORDER BY id DESC LIMIT 1)"
            )
        )
        expected = set(connection.execute(text("SELECT id FROM public_implementation")))
        former = connection.execute(
            text(
                "SELECT h.id, h.valid_to FROM implementation_history h WHERE h.visibility = 3 AND"
                " (h.demonstration OR h.authority_id IN (SELECT authority_id FROM publication))"
            )
        )
        expected_former = set(former)
    seen = rows(filled, Audience.PUBLIC, "SELECT id FROM implementation")
    assert set(seen) == {tuple(row) for row in expected}
    assert 0 < len(seen) < 6
    seen = rows(filled, Audience.PUBLIC, "SELECT id, valid_to FROM implementation_history")
    assert set(seen) == {tuple(row) for row in expected_former}
    assert seen


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT contact FROM authority",
        "SELECT contact FROM implementation",
        "SELECT visibility FROM implementation",
        "SELECT * FROM implementation",
        "SELECT contact FROM implementation_history",
        "SELECT ended_by_run_id FROM implementation_history",
        "SELECT import_run_id FROM implementation_history",
        "SELECT visibility FROM implementation_history",
        "SELECT id FROM import_run",
        "SELECT id FROM import_rejection",
        "SELECT id FROM public_implementation",
        "SELECT version_num FROM alembic_version",
        "UPDATE publication SET visibility = 3",
        "INSERT INTO publication (authority_id, visibility) VALUES (1, 3)",
        "DELETE FROM implementation",
        "CREATE TABLE x (y int)",
        "SET ROLE mapservice_test_owner",
        "SET ROLE mapservice_test_internal",
    ],
)
def test_the_public_role_is_refused(filled: Database, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be member"):
        rows(filled, Audience.PUBLIC, statement)


def test_a_person_is_no_public_contact(filled: Database) -> None:
    with filled.owner() as connection:
        add_entry(connection, MUENSTER, "10501", contact="eva.muster@muenster.example", contact_kind=2)
        add_entry(connection, MUENSTER, "10502", contact="amt@muenster.example", contact_kind=1)
    seen = rows(filled, Audience.PUBLIC, "SELECT public_contact FROM implementation ORDER BY 1")
    assert seen == [("amt@muenster.example",), (None,), (None,)]


def test_the_internal_role_without_a_viewer_sees_nothing(filled: Database) -> None:
    with filled.owner() as connection:
        add_hidden(connection)
    for table in PROTECTED:
        assert rows(filled, Audience.INTERNAL, f"SELECT count(*) FROM {table}") == [(0,)], table


def test_the_viewer_does_not_outlive_its_transaction(filled: Database) -> None:
    with filled.owner() as connection:
        add_hidden(connection)
    with filled.reader(Audience.INTERNAL) as connection:
        assert connection.scalar(text("SELECT count(*) FROM implementation")) == 6
        connection.commit()
        assert connection.scalar(text("SELECT count(*) FROM implementation")) == 0


def test_readers_cannot_write(filled: Database) -> None:
    with (
        pytest.raises(DBAPIError, match=r"read-only|permission denied"),
        filled.reader(Audience.INTERNAL) as connection,
    ):
        connection.execute(text("DELETE FROM implementation"))


def test_no_endpoint_shows_or_betrays_what_is_hidden(filled: Database, client: FlaskClient) -> None:
    def ask() -> dict[str, tuple[int, str | None, bytes]]:
        answers = {}
        for address in ADDRESSES:
            response = client.get(address)
            body = b"" if not address.startswith("/api") and address != "/leistungen.json" else response.data
            answers[address] = (response.status_code, response.headers.get("ETag"), body)
            assert b"eheim" not in response.data, address
            assert b"brunnen" not in response.data, address
        return answers

    before = ask()
    assert {status for status, _, _ in before.values()} == {200}
    with filled.owner() as connection:
        add_hidden(connection)
    time.sleep(0.6)
    assert ask() == before
    assert client.get("/api/values/districts?service=eigen:brunnen").status_code == 404


def test_the_internal_view_shows_all_and_says_so(filled: Database) -> None:
    with filled.owner() as connection:
        add_hidden(connection)
    settings: Settings = replace(filled.settings, view="internal")
    app = create_app(settings, filled)
    client = app.test_client()
    response = client.get(f"/api/areas/{HAMM}")
    assert [entry["source"] for entry in said(response)["implementations"]] == ["Geheimquelle"]
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "Access-Control-Allow-Origin" not in response.headers
    page = client.get("/")
    assert "Interne Ansicht" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    app.extensions["mapservice"].versions.close()


@pytest.mark.parametrize("public_url", [None, "https://geo.kreis.example/ozg"])
def test_the_internal_view_answers_under_its_own_names_alone(
    filled: Database, public_url: str | None
) -> None:
    """A page whose name points to this machine (DNS rebinding) must not read it."""
    app = create_app(replace(filled.settings, view="internal", public_url=public_url), filled)
    client = app.test_client()

    def status(host: str) -> int:
        return client.get("/api/values/districts", headers={"Host": host}).status_code

    assert [status(host) for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000")] == [200, 200, 200]
    assert [status(host) for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example")] == [
        400
    ] * 3
    assert status("geo.kreis.example") == (200 if public_url else 400)
    app.extensions["mapservice"].versions.close()


def test_a_withdrawal_holds_within_a_second(filled: Database, client: FlaskClient) -> None:
    address = "/api/values/districts?service=10500&measure=status"
    assert said(client.get(address))["values"]["05515"] == "online"
    with filled.owner() as connection:
        set_publication(connection, MUENSTER, INTERNAL)
    withdrawn = time.monotonic()
    while said(client.get(address))["reasons"].get("05515") != "no_data":
        assert time.monotonic() - withdrawn < 1
        time.sleep(0.05)
    assert said(client.get(f"/api/areas/{MUENSTER}"))["implementations"] == []


def version(database: Database, audience: Audience) -> int:
    with database.reader(audience) as connection:
        statement = text("SELECT version FROM data_version WHERE audience = :audience")
        return int(connection.execute(statement, {"audience": int(audience)}).scalar_one())


def test_only_visible_changes_move_the_public_version(filled: Database) -> None:
    known = [version(filled, Audience.PUBLIC), version(filled, Audience.INTERNAL)]

    def moved(public: bool) -> None:
        now = [version(filled, Audience.PUBLIC), version(filled, Audience.INTERNAL)]
        assert (now[0] > known[0]) is public
        assert now[1] > known[1]
        known[:] = now

    with filled.owner() as connection:
        entry = add_entry(connection, MUENSTER, "10501", visibility=INTERNAL)
    moved(public=False)
    with filled.owner() as connection:
        change_entry(connection, entry, url="https://demo.example/b")
    moved(public=False)
    with filled.owner() as connection:
        change_entry(connection, entry, visibility=PUBLIC)
    moved(public=True)
    with filled.owner() as connection:
        change_entry(connection, entry, contact="eva.muster@muenster.example", contact_kind=2)
    moved(public=False)
    with filled.owner() as connection:
        change_entry(connection, entry, contact_kind=1)
    moved(public=True)
    with filled.owner() as connection:
        change_entry(connection, entry, status=2)
    moved(public=True)
    with filled.owner() as connection:
        remove_entry(connection, entry)
    moved(public=True)
    with filled.owner() as connection:
        set_publication(connection, HAMM)
    moved(public=False)  # it has no entry that the public would see
    with filled.owner() as connection:
        connection.execute(text("UPDATE authority SET contact = 'x@y.example', contact_kind = 2"))
    moved(public=False)
    with filled.owner() as connection:
        connection.execute(text("UPDATE authority SET website = 'https://demo.example'"))
    moved(public=True)
