"""Nothing internal shows to coordinators: random worlds, asked with and without their hidden part.

Entries, solutions and what they say of themselves, groups with their descriptions, target lists and who
takes what. More examples with MAPSERVICE_TEST_HIDDEN_EXAMPLES in the environment.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from mapservice.database import Database
from mapservice.register.refresh import unnamed_id
from tests import agreed_worlds
from tests.agreed_worlds import (
    BERLIN,
    BUNDLES,
    COESFELD,
    DAYS,
    HAMM,
    LEIKA,
    MUENSTER,
    OPEN,
    OWN,
    PERSON,
    SECRET,
    SECRET_OWN,
    SECRET_SOLUTION,
    SOLUTIONS,
    TELGTE,
    WARENDORF,
    Entry,
    Statement,
    Wish,
    World,
    worlds,
)
from tests.asking import client_of
from tests.entries import INTERNAL, PUBLIC
from tests.random_worlds import DRAWN, catch_up, examples, two_workers

EXAMPLES = examples(30)
NONCE = re.compile(rb"(?<=nonce=\")[^\"]*")
PART = SECRET[:-1].lower()
"""What is asked for stands in the answer: so a part of the word, which only a suggestion would make whole."""
TABLES = ("", ".csv", ".xlsx")


def in_formats(path: str, query: str = "", formats: tuple[str, ...] = TABLES) -> tuple[str, ...]:
    return tuple(f"{path}{ending}{query}" for ending in formats)


TELLING = (
    *in_formats("/nachbarn", f"?authority={MUENSTER}&service={BUNDLES[0]}&around=300"),
    *in_formats("/nachbarn", f"?authority={HAMM}&q=brunnen&subject=bildung&around=300"),
    "/vergleich",
    *in_formats("/vergleich", "?group=ring"),
    *in_formats("/vergleich", f"?authority={HAMM},{MUENSTER},{TELGTE}&list=ziele&sort=list&status=planned"),
    f"/vergleich?authority={COESFELD}&scope=available&service={BUNDLES[0]}&service={OWN}",
    "/vergleich?group=geheim",
    f"/vergleich?authority={MUENSTER}&list=geheim",
    *in_formats("/register"),
    "/register.csv?q=werk&sort=confirmed",
    "/register?q=offenwort&sort=relevance",
    "/register?subject=bildung&reusable=yes",
    f"/register?service={BUNDLES[0]}&kind=efa&maturity=1.1:2",
    "/register?within=05515&within=11",
    "/register?within=05&place=provider",
    "/register?confirmed=2024-02-01&product=named",
    f"/register?platform={OPEN}%20Plattform%201",
    *in_formats(f"/register/{SOLUTIONS[0]}"),
    f"/register/{SOLUTIONS[1]}.csv?sort=since",
    f"/register/{unnamed_id(BUNDLES[1])}",
    *in_formats(f"/leistungen/{BUNDLES[0]}", "?sort=since"),
    f"/leistungen/{LEIKA}?status=planned&status=open",
    f"/leistungen/{OWN}.csv",
    "/fortschritt",
    "/fortschritt/liste",
    *in_formats("/fortschritt/liste/ziele"),
    "/fortschritt/liste/ziele?group=ring&scope=available",
    f"/fortschritt/liste/ziele.csv?authority={HAMM}",
    *in_formats("/neu", formats=("", ".csv", ".xlsx", ".atom")),
    *in_formats("/neu", "?within=05&limit=2", formats=("", ".atom")),
    f"/neu.atom?service={BUNDLES[0]}",
)
"""What shows texts of what is public."""
COUNTING = (
    *in_formats("/luecken", f"?authority={TELGTE}&around=300"),
    f"/luecken?authority={HAMM}&around=300&direction=help",
    f"/luecken?authority={MUENSTER}&around=similar",
    f"/register/{SOLUTIONS[0]}.svg",
    *in_formats("/fortschritt", "?within=05"),
    "/fortschritt.csv?group=ring",
    f"/fortschritt.csv?authority={MUENSTER}&authority={COESFELD}",
)
"""What shows numbers, or names of services alone."""
WITHHELD = (
    f"/nachbarn?authority={WARENDORF}&q={PART}&around=300",
    f"/register?q={PART}",
    f"/register/{SOLUTIONS[SECRET_SOLUTION]}",
    f"/register/{SOLUTIONS[SECRET_SOLUTION]}.svg",
    f"/register/{unnamed_id(BUNDLES[0])}.csv",
    f"/leistungen/{SECRET_OWN}",
    f"/leistungen/{BUNDLES[1]}?within=05915",
    f"/fortschritt?authority={HAMM}",
    "/fortschritt.csv?group=geheim",
    *in_formats("/fortschritt/liste/geheim"),
    f"/neu.atom?within=05915&service={OWN}",
)
"""What the public is not told at all."""
ADDRESSES = (*TELLING, *COUNTING, *WITHHELD, "/koordination", "/leistungen/10503")
SLOW = ("as_pdf",)
"""Endings of endpoints that take seconds for the rows that quicker ones show."""


@pytest.fixture(scope="module")
def database(module_boundaries: Database) -> Database:
    return module_boundaries


@pytest.fixture(scope="module")
def ids(database: Database) -> dict[str, int]:
    with database.owner() as connection:
        return agreed_worlds.prepare(connection)


@pytest.fixture(scope="module")
def clients(database: Database, ids: dict[str, int]) -> Iterator[tuple[FlaskClient, FlaskClient]]:
    with two_workers(database) as clients:
        yield clients


@pytest.fixture(scope="module")
def inside(database: Database, ids: dict[str, int]) -> Iterator[FlaskClient]:
    """Who may see everything."""
    with client_of(database, cache_mb=0, view="internal") as client:
        yield client


def answer(client: FlaskClient, address: str) -> tuple[int, Any, bytes]:
    """Status, ETag and all that can be read: an XLSX unpacked, without the moment of its writing."""
    response = client.get(address)
    assert response.status_code in (200, 404), (address, response.text[:500])
    return response.status_code, response.headers.get("ETag"), readable(response.data)


def readable(data: bytes) -> bytes:
    if not data.startswith(b"PK"):
        return NONCE.sub(b"", data)
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return b"\n".join(book.read(name) for name in sorted(book.namelist()) if name != "docProps/core.xml")


def says(word: str, answered: tuple[int, Any, bytes]) -> bool:
    return word.lower().encode() in answered[2].lower()


def make(database: Database, world: World, ids: dict[str, int]) -> None:
    with database.owner() as connection:
        agreed_worlds.clear(connection)
        agreed_worlds.write(connection, world, ids)


def add(database: Database, world: World, ids: dict[str, int]) -> None:
    with database.owner() as connection:
        agreed_worlds.write(connection, world, ids)


@pytest.mark.timeout(1200)
@given(world=worlds(), asked=st.lists(st.sampled_from(ADDRESSES), min_size=4, max_size=4, unique=True))
@settings(DRAWN, max_examples=EXAMPLES)
def test_what_is_hidden_changes_no_byte(
    database: Database,
    clients: tuple[FlaskClient, FlaskClient],
    ids: dict[str, int],
    world: World,
    asked: list[str],
) -> None:
    """Not through names, sums, order, suggestions, notes, mails, errors, links, ETags or the data version."""
    make(database, world.public(), ids)
    catch_up(clients, database)
    before = {address: answer(clients[0], address) for address in asked}
    add(database, world, ids)
    for address, known in before.items():
        now = answer(clients[1], address)
        assert now == known, address
        assert not says(SECRET, now) or SECRET in address, address


EVERYTHING = World(
    entries={
        **{
            (ars, key): Entry(1 + (place + number) % 3, PUBLIC, number % 2, True, DAYS[1 + number % 3])
            for place, ars in enumerate((MUENSTER, TELGTE, WARENDORF, BERLIN))
            for number, key in enumerate((*BUNDLES, LEIKA, OWN))
        },
        (MUENSTER, BUNDLES[1]): Entry(1, PUBLIC, None, True, DAYS[3]),
        (TELGTE, BUNDLES[0]): Entry(1, PUBLIC, 0, None, DAYS[3]),
        (WARENDORF, BUNDLES[0]): Entry(2, PUBLIC, 1, True, DAYS[3], PERSON),
        **{
            (ars, key): Entry(1, how, (0, 1, SECRET_SOLUTION)[number % 3], True, DAYS[3])
            for ars, how in ((HAMM, PUBLIC), (COESFELD, PUBLIC), ("050000000000", INTERNAL))
            for number, key in enumerate((*BUNDLES, LEIKA, OWN, SECRET_OWN))
        },
        (HAMM, BUNDLES[0]): Entry(1, PUBLIC, None, True, DAYS[3]),
        (HAMM, BUNDLES[1]): Entry(1, PUBLIC, None, True, DAYS[3]),
    },
    statements={
        0: Statement(PUBLIC, MUENSTER),
        1: Statement(PUBLIC, None),
        2: Statement(PUBLIC, HAMM),
        SECRET_SOLUTION: Statement(INTERNAL, None),
    },
    members={
        **{("ring", ars): PUBLIC for ars in (MUENSTER, TELGTE, WARENDORF)},
        ("ring", HAMM): INTERNAL,
        **{("geheim", ars): INTERNAL for ars in (MUENSTER, HAMM)},
    },
    described={"ring": PUBLIC, "geheim": INTERNAL},
    wishes=(
        Wish("ziele", BUNDLES[0], MUENSTER, PUBLIC, 1, None, True),
        Wish("ziele", BUNDLES[0], HAMM, PUBLIC, 1, None, True),
        Wish("ziele", BUNDLES[1], "Zweckverband", PUBLIC, 2, None, True),
        Wish("ziele", BUNDLES[2], TELGTE, INTERNAL, 1, None, True),
        Wish("ziele", OWN, "", PUBLIC),
        Wish("geheim", BUNDLES[0], MUENSTER, INTERNAL, 1, None, True),
    ),
)
"""Something public and something hidden of each kind."""


def test_what_is_public_shows_and_what_is_hidden_would(
    database: Database,
    clients: tuple[FlaskClient, FlaskClient],
    inside: FlaskClient,
    ids: dict[str, int],
) -> None:
    """Each address tells the public what is public, and the internal view what is hidden: else the test of
    random worlds would prove nothing."""
    make(database, World(), ids)
    catch_up(clients, database)
    empty = {address: answer(clients[0], address) for address in COUNTING}
    make(database, EVERYTHING.public(), ids)
    catch_up(clients, database)
    public = {address: answer(clients[0], address) for address in ADDRESSES}
    inner = {address: answer(inside, address) for address in (*TELLING, *COUNTING, *WITHHELD)}
    assert [address for address in TELLING if not says(OPEN, public[address])] == []
    assert [address for address in COUNTING if public[address][2] == empty[address][2]] == []
    add(database, EVERYTHING, ids)
    assert [address for address in ADDRESSES if answer(clients[1], address) != public[address]] == []
    assert [address for address, known in inner.items() if answer(inside, address)[2] == known[2]] == []


def test_every_page_of_coordinators_is_asked(clients: tuple[FlaskClient, FlaskClient]) -> None:
    adapter = clients[0].application.url_map.bind("karten.example")
    asked = {adapter.match(urlsplit(address).path)[0] for address in ADDRESSES}
    served = {rule.endpoint for rule in clients[0].application.url_map.iter_rules()}
    left = {name for name in served - asked if name.startswith("coordination.") and not name.endswith(SLOW)}
    assert not left, "put an address of each into ADDRESSES"
