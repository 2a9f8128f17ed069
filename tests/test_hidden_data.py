"""Nothing internal shows: random data, asked with and without the hidden part, answer the same bytes.

EXAMPLES data sets; more with MAPSERVICE_TEST_HIDDEN_EXAMPLES in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text

from mapservice import create_app
from mapservice.database import Database
from mapservice.domain import implementation_id
from mapservice.models import Authority, Implementation, Publication, Service
from tests.entries import INTERNAL, PARTNERS, PUBLIC, add_service, refresh

EXAMPLES = int(os.environ.get("MAPSERVICE_TEST_HIDDEN_EXAMPLES", "40"))
SHOWN = ("055150000000", "055700044044", "055700000000", "050000000000", "110000000000")
UNPUBLISHED = ("059150000000", "055580000000", "040110000000")
SERVICES = ("10500", "10501", "10502", "99001001001001", "eigen:brunnen")
SECRET = "Geheimes-Wort"
ITEMS = "/api/collections/implementations/items"
ADDRESSES = (
    "/api/collections/districts/items",
    "/api/collections/districts/items?measure=share&scope=available",
    "/api/collections/districts/items?method=quantile&classes=3&filter=class = 'c1'",
    "/api/collections/districts/items?filter=services_online >= 1 OR value_reason = 'no_data'",
    "/api/collections/districts/items/05915?scope=available",
    "/api/collections/municipalities/items?service=10500&measure=status&limit=40&offset=20",
    "/api/collections/municipalities/items?bbox=7,51,8.5,52.3&filter=services_total > 1&f=html",
    "/api/collections/states/items?measure=spread&service=10501",
    "/api/layers/associations.geojson?subject=bildung&scope=available",
    "/api/values/districts?format=array&measure=share",
    "/api/values/municipalities?service=10502&scope=available",
    "/api/areas/059150000000",
    "/api/areas/055150000000",
    "/api/health",
    "/api/collections/implementations",
    ITEMS,
    f"{ITEMS}?geometry=point&limit=2",
    f"{ITEMS}?f=html&subject=bildung",
    f"{ITEMS}?filter=source = '{SECRET}'",
    f"{ITEMS}?filter=NOT source = '{SECRET}' OR source IS NULL",
    f"{ITEMS}?filter=contact LIKE '%25{SECRET}%25'",
    f"{ITEMS}?service=eigen:brunnen",
    f"{ITEMS}?within=05915&status=online",
    *(f"{ITEMS}/{implementation_id(ars, '10500')}" for ars in (*UNPUBLISHED, *SHOWN[:2])),
    "/tabelle?level=districts",
    "/tabelle.csv?level=municipalities",
)

statuses = st.integers(1, 5)
public_rows = st.dictionaries(
    st.tuples(st.sampled_from(SHOWN), st.sampled_from(SERVICES)), statuses, max_size=8
)
hidden_rows = st.dictionaries(
    st.tuples(st.sampled_from((*SHOWN, *UNPUBLISHED)), st.sampled_from(SERVICES)),
    st.tuples(statuses, st.sampled_from((INTERNAL, PARTNERS, PUBLIC))),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def database(module_boundaries: Database) -> Database:
    with module_boundaries.owner() as connection:
        for number, key in enumerate(SERVICES):
            add_service(connection, key, **({"subject_area_id": 3} if number % 2 else {}))
        shown = select(Authority.id, text("3")).where(Authority.ars.in_(SHOWN))
        connection.execute(insert(Publication).from_select(["authority_id", "visibility"], shown))
    return module_boundaries


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[FlaskClient]:
    app = create_app(replace(database.settings, cache_mb=0), database)
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


def write(connection: Connection, rows: Sequence[tuple[tuple[str, str], int, int]], source: str) -> None:
    authorities = dict(connection.execute(select(Authority.ars, Authority.id)).tuples().all())
    services = dict(connection.execute(select(Service.key, Service.id)).tuples().all())
    values = [
        {
            "id": implementation_id(ars, key),
            "authority_id": authorities[ars],
            "service_id": services[key],
            "status": status,
            "visibility": visibility,
            "source": source,
            "contact": f"{source}@muster.example",
            "contact_kind": 2 if visibility == PUBLIC else 1,
        }
        for (ars, key), status, visibility in rows
    ]
    if values:
        connection.execute(insert(Implementation), values)
    refresh(connection)


@given(
    shown=public_rows, hidden=hidden_rows, asked=st.lists(st.sampled_from(ADDRESSES), min_size=6, max_size=8)
)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_hidden_entries_change_no_byte(
    database: Database,
    client: FlaskClient,
    shown: dict[tuple[str, str], int],
    hidden: dict[tuple[str, str], tuple[int, int]],
    asked: list[str],
) -> None:
    """Not through formats, filters, order, counts, errors, ids, links, ETags or the data version."""
    with database.owner() as connection:
        connection.execute(delete(Implementation))
        write(connection, [(key, status, PUBLIC) for key, status in shown.items()], "offen")
    before = {address: answer(client, address) for address in asked}
    added = [
        # What would be public is hidden only where the authority did not agree.
        (key, status, visibility if key[0] in UNPUBLISHED else min(visibility, PARTNERS))
        for key, (status, visibility) in hidden.items()
        if key not in shown
    ]
    with database.owner() as connection:
        write(connection, added, SECRET)
    for address, known in before.items():
        now = answer(client, address)
        assert now == known, address
        assert f"{SECRET}@" not in now[2].replace(f"{SECRET}%", "")


def answer(client: FlaskClient, address: str) -> tuple[int, Any, str]:
    response = client.get(address)
    assert response.status_code in (200, 404), response.text
    return response.status_code, response.headers.get("ETag"), response.text
