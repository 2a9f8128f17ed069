"""Nothing internal shows to coordinators on any past day, nor over time: random histories with and without
their hidden part answer the same, and a withdrawal works backwards.

More examples with MAPSERVICE_TEST_HIDDEN_EXAMPLES in the environment.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from mapservice.database import Database
from mapservice.models import Authority, Publication
from tests.asking import client_of
from tests.entries import INTERNAL, PUBLIC, add_service, refresh, set_publication
from tests.random_worlds import DRAWN, catch_up, examples
from tests.test_hidden_past import DAYS, SERVICES, History, answer, histories, live, visible

EXAMPLES = examples(30) // 2
MUENSTER, TELGTE, WARENDORF = "055150000000", "055700044044", "055700000000"
HAMM, COESFELD = "059150000000", "055580000000"
ON_A_DAY = tuple(
    f"{path}{ending}{query}"
    for path, query in (
        ("/nachbarn", f"?authority={COESFELD}&service=10500&around=300"),
        ("/nachbarn", f"?authority={WARENDORF}&q=brunnen&around=300"),
        ("/luecken", f"?authority={TELGTE}&around=300"),
        ("/luecken", f"?authority={MUENSTER}&around=300&direction=help"),
        ("/luecken", f"?authority={HAMM}&around=300"),
        ("/leistungen/10500", "?sort=since"),
        ("/leistungen/10501", "?status=online&status=in_progress&status=planned"),
        ("/leistungen/eigen:brunnen", ""),
        ("/vergleich", f"?authority={MUENSTER},{COESFELD},{TELGTE},{HAMM}"),
        ("/vergleich", f"?authority={HAMM},{TELGTE}&scope=available&service=10500&service=eigen:brunnen"),
    )
    for ending in ("", ".csv")
)
OVER_TIME = tuple(
    f"/fortschritt{ending}?{query}"
    for query in (
        "within=05",
        f"authority={MUENSTER}",
        f"authority={HAMM}",
        f"authority={TELGTE}&authority={HAMM}",
    )
    for ending in ("", ".csv")
)
"""The days are in the answer: from the first of which there are entries."""


def on(address: str, day: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}stand={day}"


VERSIONS = itertools.count(1_000_000)
Answers = dict[str, tuple[int, bytes]]
addresses = st.one_of(
    st.builds(on, st.sampled_from(ON_A_DAY), st.sampled_from(DAYS)),
    st.sampled_from(OVER_TIME),
)


@pytest.fixture(scope="module")
def database(module_boundaries: Database) -> Database:
    with module_boundaries.owner() as connection:
        for number, key in enumerate(SERVICES):
            more = {"name": "Brunnen"} if key.startswith("eigen") else {}
            add_service(connection, key, subject_area_id=1 + 2 * (number % 2), **more)
    return module_boundaries


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[FlaskClient]:
    with client_of(database, cache_mb=0) as client:
        yield client


def answers(database: Database, client: FlaskClient, asked: Sequence[str]) -> Answers:
    """By address, of a worker that has heard of the last change. Each has a version of its own, so that
    nothing is kept from the world before, and the same day, which pages name."""
    with database.owner() as connection:
        newer = text("UPDATE data_version SET version = :version, changed_at = '2026-06-01'")
        connection.execute(newer, {"version": next(VERSIONS)})
    catch_up((client, client), database)
    return {address: answer(client, address) for address in asked}


def differing(before: Answers, after: Answers) -> list[str]:
    return [address for address in before if before[address] != after[address]]


@given(histories_=histories, asked=st.lists(addresses, min_size=6, max_size=6, unique=True))
@settings(DRAWN, max_examples=EXAMPLES)
def test_hidden_histories_change_no_byte(
    database: Database, client: FlaskClient, histories_: History, asked: list[str]
) -> None:
    live(database, histories_)
    with_hidden = answers(database, client, asked)
    live(database, visible(histories_))
    assert differing(with_hidden, answers(database, client, asked)) == []


EVERYTHING: History = {
    (ars, key): [(1 + (number + place + month) % 3, PUBLIC) for month in range(5)]
    for place, ars in enumerate((MUENSTER, TELGTE, HAMM, COESFELD))
    for number, key in enumerate(SERVICES)
}
ONCE_PUBLIC: History = {
    (WARENDORF, key): [(1, PUBLIC), (1, PUBLIC), (2, PUBLIC), (1, PUBLIC), (1, INTERNAL)] for key in SERVICES
}


def test_what_was_public_on_a_day_is_withdrawn_of_that_day_too(
    database: Database, client: FlaskClient
) -> None:
    """Authorities and entries that withdraw. Every address shows them before: else this test and the random
    one would prove nothing."""
    day = "2026-03-10"
    asked = [*(on(address, day) for address in ON_A_DAY), *OVER_TIME]
    live(database, {**EVERYTHING, **ONCE_PUBLIC})
    withdrawn = answers(database, client, asked)
    assert {status for status, _ in withdrawn.values()} <= {200, 404}
    live(database, visible(EVERYTHING))
    assert differing(withdrawn, answers(database, client, asked)) == []

    live(database, {**EVERYTHING, **{key: [*said[:-1], (1, PUBLIC)] for key, said in ONCE_PUBLIC.items()}})
    with database.owner() as connection:
        for ars in (HAMM, COESFELD):
            set_publication(connection, ars)
    before = answers(database, client, asked)
    assert {status for status, _ in before.values()} == {200}
    assert differing(withdrawn, before) == asked
    with database.owner() as connection:
        gone = select(Authority.id).where(Authority.ars.in_((HAMM, COESFELD, WARENDORF)))
        connection.execute(delete(Publication).where(Publication.authority_id.in_(gone)))
        refresh(connection)
    assert differing(withdrawn, answers(database, client, asked)) == []
