"""JSON or HTML by `f` and Accept, ETags, HEAD and OPTIONS, and that pages follow the data."""

from __future__ import annotations

import gzip
import re
import time

import pytest
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from tests.entries import add_entry, change_entry
from tests.ogc.asking import PAGES, SCHEMAS, get, mimetype
from tests.test_api import MUENSTER, fill


@pytest.mark.parametrize("address", PAGES)
def test_the_form_follows_f_then_accept(client: FlaskClient, address: str) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    asked = {
        None: False,
        browser: True,
        "application/json": False,
        "application/geo+json": False,
        "*/*": False,
        "application/xml": False,
    }
    for accept, is_page in asked.items():
        response = client.get(address, headers={"Accept": accept} if accept else {})
        assert (mimetype(response) == "text/html") is is_page, accept
        assert "Accept" in response.headers["Vary"].split(", ")
    assert mimetype(client.get(f"{address}?f=json", headers={"Accept": browser})) != "text/html"
    assert mimetype(client.get(f"{address}?f=html", headers={"Accept": "application/json"})) == "text/html"


@pytest.mark.parametrize("address", PAGES)
def test_each_form_has_its_own_etag(client: FlaskClient, address: str) -> None:
    page = client.get(address, headers={"Accept": "text/html"})
    data = client.get(address)
    assert page.headers["ETag"] != data.headers["ETag"]
    for response, accept in ((page, "text/html"), (data, "*/*")):
        headers = {"Accept": accept, "If-None-Match": response.headers["ETag"]}
        again = client.get(address, headers=headers)
        assert (again.status_code, again.headers["ETag"]) == (304, response.headers["ETag"])
    swapped = client.get(address, headers={"Accept": "*/*", "If-None-Match": page.headers["ETag"]})
    assert swapped.status_code == 200


ENTRIES = "/api/collections/implementations"
CACHED = [
    *PAGES,
    *SCHEMAS,
    "/api/openapi.json",
    ENTRIES,
    f"{ENTRIES}/items",
    f"{ENTRIES}/items?geometry=point",
    "/api/layers/districts.geojson",
    "/api/values/districts",
    "/api/facets/districts",
    "/api/names",
    "/api/areas/05515",
    "/api/collections/districts/tiles/WebMercatorQuad/7/42/66",
    "/api/collections/districts/tiles/WebMercatorQuad",
    "/api/styles/districts.json",
    "/dcat.ttl",
]
TOO_SHORT_TO_PACK = "/api/facets/districts"


@pytest.mark.parametrize("address", CACHED)
def test_etags(client: FlaskClient, address: str) -> None:
    """Strong, the same for the same bytes, another for another encoding. With it, in a list or in
    its weak form, GET and HEAD are answered 304 without a body; with another one they are not.
    """
    plain = client.get(address)
    etag = plain.headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f-]{8,}"', etag)
    again = client.get(address)
    assert (again.headers["ETag"], again.data) == (etag, plain.data)
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["ETag"] != etag
    assert "Accept-Encoding" in packed.headers["Vary"]
    if address == TOO_SHORT_TO_PACK:
        assert "Content-Encoding" not in packed.headers
        assert packed.data == plain.data
    else:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
    for known in (etag, f'"nichts", {etag}', f"W/{etag}"):
        for method in ("GET", "HEAD"):
            response = client.open(address, method=method, headers={"If-None-Match": known})
            assert (response.status_code, response.data) == (304, b""), (known, method)
            assert response.headers["ETag"].removeprefix("W/") == etag
            assert response.headers["Cache-Control"] == plain.headers["Cache-Control"]
    for unknown in ('"nichts"', packed.headers["ETag"], etag.strip('"')):
        assert client.get(address, headers={"If-None-Match": unknown}).status_code == 200, unknown


def test_errors_are_not_kept(client: FlaskClient) -> None:
    """By nobody on the way, and not by ETag: what is unknown today may be there tomorrow."""
    for address in ("/api/collections/districts/items/99999", "/api/collections/districts/items?limit=0"):
        response = client.get(address)
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers


def test_pages_follow_the_data(boundaries_loaded: Database) -> None:
    """A withdrawn entry leaves the JSON and the page of a feature, whatever was stored before."""
    database = fill(boundaries_loaded)
    with database.owner() as connection:
        entry = add_entry(connection, MUENSTER, "10501")
    app = create_app(database.settings, database)
    client = app.test_client()
    address = "/api/collections/districts/items/05515"
    assert get(client, address)["properties"]["services_online"] == 2
    assert "2 Leistungen" in client.get(f"{address}?f=html").text
    with database.owner() as connection:
        change_entry(connection, entry, visibility=1)
    time.sleep(1)
    assert get(client, address)["properties"]["services_online"] == 1
    page = client.get(f"{address}?f=html").text
    assert "1 Leistung" in page
    assert "2 Leistungen" not in page
    app.extensions["mapservice"].versions.close()
