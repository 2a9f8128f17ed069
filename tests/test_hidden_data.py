"""Nothing internal shows: random data, asked with and without the hidden part, answer the same bytes.

EXAMPLES data sets; more with MAPSERVICE_TEST_HIDDEN_EXAMPLES in the environment.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text

from mapservice.database import Database
from mapservice.domain import implementation_id
from mapservice.models import Authority, Implementation, Publication, Service
from mapservice.params import today
from tests.entries import INTERNAL, PARTNERS, PUBLIC, add_service, refresh
from tests.random_worlds import DRAWN, catch_up, examples, two_workers

EXAMPLES = examples(200)
SHOWN = ("055150000000", "055700044044", "055700000000", "050000000000", "110000000000")
UNPUBLISHED = ("059150000000", "055580000000", "040110000000")
SERVICES = ("10500", "10501", "10502", "99001001001001", "eigen:brunnen")
SECRET = "Geheimes-Wort"
ITEMS = "/api/collections/implementations/items"
NO_DATA = frozenset(
    {
        *("api.current_geometry", "api.geometry", "api.names", "level_files.types_of_csv", "embedding.code"),
        *("ogc.conformance", "ogc.definition", "ogc.documentation", "ogc.schema", "entries.schema"),
        *("tiles.scheme", "tiles.schemes", "tiles.tileset", "search.areas", "sitemap.robots"),
        *("pages.favicon", "static_files.file"),
    }
)
"""Endpoints that say nothing of entries."""
SAME_ROWS = frozenset(
    {
        *("downloads.as_xlsx", "level_files.as_geopackage", "dataset.archive", "embedding.embed"),
        *("papers.as_pdf", "pictures.as_png", "pictures.as_svg"),
    }
)
"""Endpoints that take seconds for the rows that quicker ones show."""
OTHERS = ("texts.", "coordination.")
"""The operator's texts; pages of coordinators, all of which tests/test_hidden_coordination.py asks."""
NONCE = re.compile(rb"(?<=nonce=\")[^\"]*")
AREAS = "/api/collections/districts/items"
TOWNS = "/api/collections/municipalities"
QUAD = "tiles/WebMercatorQuad"
ADDRESSES = (
    AREAS,
    f"{AREAS}?measure=share&scope=available",
    f"{AREAS}?columns=subjects&scope=available",
    f"{AREAS}?method=quantile&classes=3&filter=class = 'c1'",
    f"{AREAS}?method=natural&classes=4&measure=share&f=html",
    f"{AREAS}?filter=services_online >= 1 OR value_reason = 'no_data'",
    f"{AREAS}?filter=services_planned = services_online AND arbeit_ruhestand >= 0",
    f"{AREAS}?kind=efa&confirmed=2020-01-01",
    *(f"{AREAS}?stand={today() - dt.timedelta(days=n)}" for n in (0, 1)),
    f"{AREAS}/05915?scope=available",
    f"{AREAS}/05558?f=html",
    f"{AREAS}?service=eigen:brunnen&measure=status",
    f"{TOWNS}/items?service=10500&measure=status&limit=40&offset=20",
    f"{TOWNS}/items?bbox=7,51,8.5,52.3&filter=services_total > 1&f=html",
    f"{TOWNS}/items?services_online=0&limit=3",
    "/api/collections/states/items?measure=spread&service=10501",
    "/api/collections/associations/items?measure=spread&service=10501&scope=available&limit=20",
    f"/api/collections/districts/{QUAD}/7/42/66",
    f"/api/collections/districts/{QUAD}/6/21/33?measure=share&scope=available",
    f"{TOWNS}/{QUAD}/9/169/266?service=10500&measure=status",
    f"{TOWNS}/{QUAD}/5/10/16?method=equal",
    f"/api/collections/states/{QUAD}/tilejson.json?subject=bildung",
    "/api/styles/districts.json?method=quantile",
    "/api/layers/associations.geojson?subject=bildung&scope=available",
    "/api/layers/districts.csv?columns=subjects",
    "/api/layers/districts.fgb",
    "/api/values/districts?format=array&measure=share",
    "/api/values/municipalities?service=10502&scope=available",
    "/api/values/districts?service=eigen:brunnen",
    "/api/facets/districts",
    "/api/facets/municipalities?scope=available&within=05",
    "/api/areas/059150000000",
    "/api/areas/055150000000",
    "/api/areas/055580000000?format=html&scope=available",
    "/api/neighbours/05515",
    "/api/health",
    "/api",
    "/api/collections",
    "/api/collections/districts",
    "/api/collections/districts/queryables",
    "/api/collections/districts/tiles",
    "/api/collections/implementations",
    "/api/collections/implementations/queryables",
    ITEMS,
    f"{ITEMS}?geometry=point&limit=2",
    f"{ITEMS}?f=html&subject=bildung",
    f"{ITEMS}?filter=source = '{SECRET}'",
    f"{ITEMS}?filter=NOT source = '{SECRET}' OR source IS NULL",
    f"{ITEMS}?filter=source <> 'offen' OR contact IS NOT NULL",
    f"{ITEMS}?filter=contact LIKE '%25{SECRET}%25'",
    f"{ITEMS}?filter=S_INTERSECTS(geometry, POINT(7.82 51.68))",
    f"{ITEMS}?authority=059150000000",
    f"{ITEMS}?source={SECRET}",
    f"{ITEMS}?service=eigen:brunnen",
    f"{ITEMS}?within=05915&status=online",
    *(f"{ITEMS}/{implementation_id(ars, '10500')}" for ars in (*UNPUBLISHED, *SHOWN[:2])),
    "/",
    "/tabelle?level=districts",
    "/tabelle?level=municipalities&sort=value",
    "/nachbarn?authority=055700000000&service=10500&around=200",
    "/nachbarn?authority=055150000000&service=99001001001001&service=eigen:brunnen&around=200",
    "/nachbarn?authority=059150000000&subject=bildung&around=300",
    f"/nachbarn?authority=055150000000&q={SECRET}&around=300",
    "/luecken?authority=055700000000&around=300",
    "/luecken?authority=059150000000&around=300&direction=help",
    "/luecken.csv?authority=055150000000&around=200",
    "/nachbarn.csv?authority=055150000000&q=brunnen&service=10501&around=500",
    "/tabelle.csv?level=municipalities",
    "/gebiete/059150000000",
    "/gebiete/055150000000",
    "/leistungen.json",
    f"/suche.json?q={SECRET}",
    "/suche.json?q=brunnen",
    "/suche.json?q=Leistung",
    "/suche?q=eigen",
    "/dcat.ttl",
    "/daten",
    "/einbinden/maplibre.js?subject=bildung",
    "/sitemap.xml",
    "/vergleich.csv?authority=059150000000,055150000000,055700044044&page=all",
    "/vergleich.csv?group=districts:05&scope=available&status=in_progress&sort=-reach",
    "/vergleich.csv?group=geheim",
    "/fortschritt/liste/geheim.csv",
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
def clients(database: Database) -> Iterator[tuple[FlaskClient, FlaskClient]]:
    with two_workers(database) as clients:
        yield clients


def write(
    connection: Connection,
    ids: dict[str, int],
    rows: Sequence[tuple[tuple[str, str], int, int]],
    source: str,
) -> None:
    """Add entries. ids: of authorities and services by their keys, looked up the first time."""
    if not ids:
        ids.update(connection.execute(select(Authority.ars, Authority.id)).tuples().all())
        ids.update(connection.execute(select(Service.key, Service.id)).tuples().all())
    values = [
        {
            "id": implementation_id(ars, key),
            "authority_id": ids[ars],
            "service_id": ids[key],
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


@pytest.fixture(scope="module")
def ids() -> dict[str, int]:
    return {}


@pytest.mark.timeout(1200)
@given(
    shown=public_rows,
    hidden=hidden_rows,
    asked=st.lists(st.sampled_from(ADDRESSES), min_size=2, max_size=2, unique=True),
)
@settings(DRAWN, max_examples=EXAMPLES)
def test_hidden_entries_change_no_byte(
    database: Database,
    clients: tuple[FlaskClient, FlaskClient],
    ids: dict[str, int],
    shown: dict[tuple[str, str], int],
    hidden: dict[tuple[str, str], tuple[int, int]],
    asked: list[str],
) -> None:
    """Not through formats, filters, order, counts, errors, ids, links, ETags or the data version."""
    with database.owner() as connection:
        connection.execute(delete(Implementation))
        write(connection, ids, [(key, status, PUBLIC) for key, status in shown.items()], "offen")
    catch_up(clients, database)
    before = {address: answer(clients[0], address) for address in asked}
    added = [
        # What would be public is hidden only where the authority did not agree.
        (key, status, visibility if key[0] in UNPUBLISHED else min(visibility, PARTNERS))
        for key, (status, visibility) in hidden.items()
        if key not in shown
    ]
    with database.owner() as connection:
        write(connection, ids, added, SECRET)
    for address, known in before.items():
        now = answer(clients[1], address)
        assert now == known, address
        assert f"{SECRET}@".encode() not in now[2]


def answer(client: FlaskClient, address: str) -> tuple[int, Any, bytes]:
    response = client.get(address)
    assert response.status_code in (200, 204, 404), (address, response.text)
    return response.status_code, response.headers.get("ETag"), NONCE.sub(b"", response.data)


def test_every_address_is_among_those_asked(clients: tuple[FlaskClient, FlaskClient]) -> None:
    """All that the application serves, but for what has no data or is made of the same rows."""
    adapter = clients[0].application.url_map.bind("karten.example")
    asked = {adapter.match(urlsplit(address).path)[0] for address in ADDRESSES}
    served = {rule.endpoint for rule in clients[0].application.url_map.iter_rules()}
    assert asked <= served
    left = {name for name in served - asked - NO_DATA - SAME_ROWS if not name.startswith(OTHERS)}
    assert not left, "put an address of each into ADDRESSES"
