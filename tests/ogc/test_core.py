"""OGC API - Features Part 1: each test stands for the requirement or abstract test it is named after."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
import shapely
from flask.testing import FlaskClient
from shapely.geometry import shape

from tests.ogc.asking import (
    COLLECTIONS,
    LEVELS,
    OPENAPI,
    PAGES,
    SCHEMAS,
    get,
    links,
    mimetype,
)

BOX = "7.6,51.7,8.2,52.1"
DISTRICTS = "/api/collections/districts/items"


# --- landing page, definition, conformance ----------------------------------------------------------


def test_root_op(client: FlaskClient) -> None:
    response = client.get("/api")
    assert (response.status_code, mimetype(response)) == (200, "application/json")


@pytest.mark.parametrize("address", ["/api", "/api/"])
def test_root_success(client: FlaskClient, address: str) -> None:
    landing = get(client, address)
    for rel, type_ in (("service-desc", OPENAPI), ("service-doc", "text/html")):
        (link,) = links(landing, rel)
        assert link["type"] == type_
        response = client.get(link["href"])
        assert response.status_code == 200
        assert response.headers["Content-Type"].replace("; ", ";").startswith(type_)
    (conformance,) = links(landing, "conformance")
    assert "conformsTo" in get(client, conformance["href"])
    (data,) = links(landing, "data")
    assert "collections" in get(client, data["href"])
    assert "BKG" in landing["attribution"]


def test_api_definition_op(client: FlaskClient) -> None:
    """What service-desc and service-doc name can be fetched in the type that the link promises."""
    for rel in ("service-desc", "service-doc"):
        found = links(get(client, "/api"), rel)
        assert found
        for link in found:
            response = client.get(link["href"])
            assert response.status_code == 200
            assert response.headers["Content-Type"].replace("; ", ";").startswith(link["type"])


def test_api_definition_success(client: FlaskClient) -> None:
    """The document describes every address that the landing page leads to."""
    landing = get(client, "/api")
    (description,) = links(landing, "service-desc")
    document = get(client, description["href"])
    (server,) = document["servers"]
    for rel in ("conformance", "data", "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"):
        (link,) = links(landing, rel)
        assert link["href"].removeprefix(server["url"]) in document["paths"]


def test_conformance_op(client: FlaskClient) -> None:
    (link,) = links(get(client, "/api"), "conformance")
    assert urlsplit(link["href"]).path == "/api/conformance"
    response = client.get("/api/conformance")
    assert (response.status_code, mimetype(response)) == (200, "application/json")


def test_conformance_success(client: FlaskClient) -> None:
    """URIs of the classes, each once; which ones: test_conformance.py."""
    declared = get(client, "/api/conformance")["conformsTo"]
    assert len(declared) == len(set(declared))
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in declared


@pytest.mark.parametrize("address", [*PAGES, *SCHEMAS, "/api/openapi.json", "/api/docs"])
def test_http(client: FlaskClient, address: str) -> None:
    """GET and HEAD say the same but for the body, OPTIONS what is allowed; what writes is refused."""
    whole, head = client.get(address), client.head(address)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Content-Crs", "Vary"):
        assert head.headers.get(name) == whole.headers.get(name), name
    options = client.options(address)
    assert options.status_code == 200
    assert {"GET", "HEAD", "OPTIONS"} == set(options.headers["Allow"].split(", "))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = client.open(address, method=method)
        assert response.status_code == 405
        assert {"GET", "HEAD", "OPTIONS"} == set(response.headers["Allow"].split(", "))
        assert json.loads(response.data)["code"] == "method_not_allowed"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_crs84(client: FlaskClient, name: str) -> None:
    """Unless something else is asked for, longitude stands before latitude, in degrees."""
    response = client.get(f"/api/collections/{name}/items?limit=1000")
    assert response.headers["Content-Crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    features = json.loads(response.data)["features"]
    assert features
    for feature in features:
        positions = shapely.get_coordinates(shape(feature["geometry"]))
        assert len(positions)
        for longitude, latitude in positions:
            assert 5.8 < longitude < 15.1
            assert 47.2 < latitude < 55.1


# --- collections ------------------------------------------------------------------------------------


def test_fc_md_op(client: FlaskClient) -> None:
    (link,) = links(get(client, "/api"), "data")
    assert urlsplit(link["href"]).path == "/api/collections"
    response = client.get("/api/collections")
    assert (response.status_code, mimetype(response)) == (200, "application/json")


def test_fc_md_links(client: FlaskClient) -> None:
    """This document and the other form of it, each with its relation and type."""
    content = get(client, "/api/collections")
    (itself,), (other,) = links(content, "self"), links(content, "alternate")
    assert itself["type"] == "application/json"
    assert get(client, itself["href"]) == content
    assert mimetype(client.get(other["href"])) == other["type"] == "text/html"


def test_fc_md_items(client: FlaskClient) -> None:
    """Each collection is described, and each that is described is there."""
    described = get(client, "/api/collections")["collections"]
    assert [item["id"] for item in described] == COLLECTIONS
    for item in described:
        assert item["links"]
        assert item["itemType"] == "feature"
        assert get(client, f"/api/collections/{item['id']}")["id"] == item["id"]


def test_fc_md_success(client: FlaskClient) -> None:
    content = get(client, "/api/collections")
    assert [item["id"] for item in content["collections"]] == COLLECTIONS
    titles = [item["title"] for item in content["collections"]]
    assert titles == [
        "Länder",
        "Kreise und kreisfreie Städte",
        "Gemeindeverbände",
        "Gemeinden",
        "Umsetzungen",
    ]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_sfc_md_op(client: FlaskClient, name: str) -> None:
    response = client.get(f"/api/collections/{name}")
    assert (response.status_code, mimetype(response)) == (200, "application/json")


@pytest.mark.parametrize("level", COLLECTIONS)
def test_sfc_md_success(client: FlaskClient, level: str) -> None:
    """The collection says of itself what the list says of it."""
    own = get(client, f"/api/collections/{level}")
    listed = next(item for item in get(client, "/api/collections")["collections"] if item["id"] == level)
    for name in ("id", "title", "description", "extent", "crs", "storageCrs", "itemType"):
        assert own[name] == listed[name]
    hrefs = [{(link["rel"], link["href"]) for link in item["links"]} for item in (own, listed)]
    assert hrefs[0] == hrefs[1]


@pytest.mark.parametrize("level", COLLECTIONS)
def test_fc_md_items_links(client: FlaskClient, level: str) -> None:
    found = links(get(client, f"/api/collections/{level}"), "items")
    assert {link["type"] for link in found} == {"application/geo+json", "text/html"}
    for link in found:
        assert mimetype(client.get(link["href"])) == link["type"]


@pytest.mark.parametrize("level", LEVELS)
def test_fc_md_extent(client: FlaskClient, level: str) -> None:
    """The box holds every feature, and touches the outermost on each side."""
    spatial = get(client, f"/api/collections/{level}")["extent"]["spatial"]
    ((west, south, east, north),) = spatial["bbox"]
    lon, lat = [], []
    for feature in get(client, f"/api/collections/{level}/items?limit=1000")["features"]:
        for polygon in feature["geometry"]["coordinates"]:
            lon += [point[0] for point in polygon[0]]
            lat += [point[1] for point in polygon[0]]
    shown = (min(lon), min(lat), max(lon), max(lat))
    assert (west, south, east, north) == pytest.approx(shown, abs=0.02)


# --- what is wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*PAGES, *SCHEMAS, "/api/openapi.json", "/api/docs"])
def test_query_param_unknown(client: FlaskClient, address: str) -> None:
    response = client.get(address, query_string={"colour": "red"})
    assert response.status_code == 400
    content = json.loads(response.data)
    assert (content["code"], content["parameter"]) == ("invalid_parameter", "colour")


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("value", ["xml", "", "JSON"])
def test_query_param_invalid(client: FlaskClient, address: str, value: str) -> None:
    response = client.get(address, query_string={"f": value})
    assert response.status_code == 400
    assert json.loads(response.data)["allowed"] == ["json", "html"]
    assert client.get(f"{address}?f=json&f=html").status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "/api/collections/planets",
        "/api/collections/planets/items",
        "/api/collections/districts/items/99999",
        "/api/collections/districts/items/055150000000",
        "/api/collections/districts/items/Münster",
        "/api/collections/districts/items/05515/more",
    ],
)
def test_http_not_found(client: FlaskClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert {"code", "description"} <= json.loads(response.data).keys()
