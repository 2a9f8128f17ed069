"""OGC API - Features Part 1, conf/html: pages in the site's design, with everything that the JSON says."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from tests.ogc.asking import PAGES, SCHEMAS, get, read

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FURTHER = [
    "/api/collections/implementations",
    "/api/collections/implementations/items",
    "/api/collections/implementations/queryables",
]


@pytest.mark.parametrize("address", [*PAGES, *SCHEMAS, *FURTHER, "/api/docs"])
def test_html_definition(client: FlaskClient, address: str) -> None:
    """A browser that comes along gets a page of every resource."""
    response = client.get(address, headers={"Accept": BROWSER})
    assert response.status_code == 200
    assert response.headers["Content-Type"].replace(" ", "") == "text/html;charset=utf-8"
    assert response.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "address", [*PAGES, *FURTHER, "/api/docs", "/api/collections/districts/items?limit=4"]
)
def test_html_content(client: FlaskClient, address: str) -> None:
    """Pages in the site's design, under the strict policy, with every link of the JSON."""
    page = read(client, address)
    assert page.count["h1"] == 1
    assert not page.inline_scripts
    assert "Impressum" in page.text
    if address != "/api/docs":
        for link in get(client, address).get("links", []):
            if link["rel"] not in ("self", "alternate", "next"):
                assert link["href"] in page.links
    for link in page.links:
        target = urlsplit(link)
        if target.path.startswith("/api") and target.netloc in ("", "localhost"):
            assert client.get(link).status_code == 200, link


def test_html_content_of_items(client: FlaskClient) -> None:
    """All properties of all areas, and a map that needs no script."""
    page = read(client, "/api/collections/districts/items?limit=4")
    site = read(client, "/api/conformance").count["path"]
    assert page.count["path"] - site == 4
    content = get(client, "/api/collections/districts/items?limit=4")
    assert len(content["features"]) == 4
    for feature in content["features"]:
        for name in ("ars", "name", "designation", "value_label"):
            assert feature["properties"][name] in page.text
    assert any("cursor=" in link for link in page.links)
    empty = read(client, "/api/collections/districts/items?bbox=-20,-10,-19,-9")
    assert "Hier ist kein Gebiet" in empty.text


@pytest.mark.parametrize("address", [*PAGES, "/api/docs"])
def test_pages_speak_english_and_their_links_keep_to_it(client: FlaskClient, address: str) -> None:
    page = read(client, f"{address}?lang=en")
    assert "Interface" in page.text
    assert "Schnittstelle" not in page.text
    inner = [link for link in page.links if "/api" in link and ".geojson" not in link]
    assert inner
    # The link to the German page is the one without.
    german = [link for link in inner if "lang=en" not in link]
    assert address in [urlsplit(link).path for link in german]
    assert all(urlsplit(link).path == address for link in german), german


def test_names_in_pages_are_text(boundaries_loaded: Database) -> None:
    from sqlalchemy import text

    with boundaries_loaded.owner() as connection:
        connection.execute(text("UPDATE boundary SET name = '<script>x</script>' WHERE key = '05515'"))
    app = create_app(boundaries_loaded.settings, boundaries_loaded)
    client = app.test_client()
    for address in ("/api/collections/districts/items", "/api/collections/districts/items/05515"):
        assert "<script>x" not in client.get(address, headers={"Accept": "text/html"}).text
    app.extensions["mapservice"].versions.close()
