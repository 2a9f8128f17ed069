"""What a worker holds for /nachbarn and /luecken: the same as in the database, and never too old."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from mapservice.database import Database
from mapservice.domain import BUNDLE_BITS, OZG_ID_FIRST, Audience
from mapservice.held_levels import QUESTIONS_OF_A_FEW
from mapservice.layers import tallied
from mapservice.layers.tallied import ONLINE, REFUSED, of_strings
from tests import around
from tests.around import DOG, DOG_REGISTRATION, EVERSWINKEL, ID_CARD, MUENSTER, OSTBEVERN, TELGTE, WARENDORF
from tests.entries import INTERNAL, add_service, remove_entry, set_publication
from tests.neighbours.conftest import Enter

ADDRESSES = (
    {"authority": TELGTE, "service": DOG},
    {"authority": MUENSTER, "service": [DOG, ID_CARD], "around": "100"},
    {"authority": TELGTE, "service": DOG_REGISTRATION},
)


def lists(client: FlaskClient) -> list[str]:
    """What each page says; pages read the data version with their data, files may lag a second behind."""
    found = [around.page(client, "/nachbarn", **asked) for asked in ADDRESSES]
    found += [around.page(client, "/luecken", authority=ars) for ars in (TELGTE, MUENSTER)]
    return [" ".join(page.xpath("string(//main)").split()) for page in found]


@pytest.fixture
def asked_often(client: FlaskClient, enter: Enter) -> list[str]:
    """The lists of a worker that reads what a question needs, and after many of them holds the same."""
    for ars, status in ((OSTBEVERN, 1), (EVERSWINKEL, 2), (WARENDORF, 5), (MUENSTER, 3)):
        enter(ars, status=status)
    enter(OSTBEVERN, DOG_REGISTRATION)
    enter(WARENDORF, ID_CARD)
    read = lists(client)
    assert "Ostbevern" in read[0]
    for _ in range(QUESTIONS_OF_A_FEW):
        held = lists(client)
    assert held == read
    return held


def test_a_withdrawal_is_seen_at_once(
    database: Database, client: FlaskClient, asked_often: list[str]
) -> None:
    with database.owner() as connection:
        set_publication(connection, OSTBEVERN, INTERNAL)
    assert all("Ostbevern" not in answer for answer in lists(client))
    with database.owner() as connection:
        set_publication(connection, OSTBEVERN)
    assert lists(client) == asked_often


def test_an_entry_that_goes_is_gone(database: Database, client: FlaskClient, enter: Enter) -> None:
    entry = enter(OSTBEVERN)
    for _ in range(QUESTIONS_OF_A_FEW + 1):
        assert "Ostbevern" in lists(client)[0]
    with database.owner() as connection:
        remove_entry(connection, entry)
    assert "Ostbevern" not in lists(client)[0]


def test_a_service_that_comes_can_be_asked_for(database: Database, client: FlaskClient) -> None:
    asked: dict[str, Any] = {"authority": TELGTE, "service": "10777"}
    assert "Neue Leistung" not in around.page(client, "/nachbarn", **asked).xpath("string(//main)")
    with database.owner() as connection:
        add_service(connection, "10777", name="Neue Leistung")
    assert "Neue Leistung" in around.page(client, "/nachbarn", **asked).xpath("string(//main)")


@st.composite
def reports(draw: st.DrawFn) -> dict[int, tuple[set[int], ...]]:
    """Per authority four sets of OZG-IDs."""
    ids = draw(st.lists(st.integers(1, 2**31 - 1), unique=True, max_size=12))
    some = st.sets(st.sampled_from([10000, 10001, 10007, 10008, 10500, 10999]))
    return {authority: tuple(draw(some) for _ in range(4)) for authority in ids}


def as_text(ozg_ids: set[int]) -> str:
    return "".join("1" if OZG_ID_FIRST + n in ozg_ids else "0" for n in range(BUNDLE_BITS))


@settings(max_examples=60, deadline=None)
@given(
    said=reports(), asked=st.sets(st.sampled_from([10000, 10001, 10008, 10500, 10998, 10999])), data=st.data()
)
def test_bits_are_what_sets_are(said: dict[int, tuple[set[int], ...]], asked: set[int], data: Any) -> None:
    whole = of_strings((authority, [as_text(some) for some in four]) for authority, four in said.items())
    chosen = data.draw(st.lists(st.sampled_from([*said, 7, 2**31 - 2]), unique=True))
    found = whole.of(chosen)
    known = sorted(set(chosen) & set(said))
    assert found.ids.tolist() == known
    has, refused = found.having(np.packbits([int(bit) for bit in as_text(asked)]))
    for place, authority in enumerate(known):
        assert has[place].tolist() == [bool(some & asked) for some in said[authority][:3]]
        assert refused[place] == len(said[authority][3] & asked)
    order = data.draw(st.permutations(known))
    for kind in (ONLINE, REFUSED):
        numbers = found.by_bundle(kind, order)
        for ozg_id in (10000, 10007, 10500, 10999):
            bits = f"{numbers[ozg_id - OZG_ID_FIRST]:0{len(order)}b}" if order else ""
            assert bits == "".join("1" if ozg_id in said[authority][kind] else "0" for authority in order)


def test_tallies_of_all_are_those_of_each(database: Database, enter: Enter) -> None:
    for ars in (OSTBEVERN, WARENDORF):
        enter(ars)
    with database.reader(Audience.PUBLIC) as connection:
        everybody = tallied.read(connection, Audience.PUBLIC)
        assert len(everybody.ids) == 2
        for authority in everybody.ids.tolist():
            alone = tallied.read(connection, Audience.PUBLIC, [authority, 999_999])
            assert alone.ids.tolist() == [authority]
            assert (alone.bits == everybody.of([authority]).bits).all()
        assert tallied.read(connection, Audience.PUBLIC, []).ids.size == 0
