"""OGC API - Features Part 1: each test stands for the requirement or abstract test it is named after."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from mapservice.layers import crs
from mapservice.params import LIMIT_MOST
from tests.ogc.asking import LEVELS, OPENAPI, PAGES, SCHEMAS, SIZES, get, links, mimetype

PART_3 = ["queryables", "queryables-query-parameters", "filter", "features-filter"]
CQL2 = [
    "cql2-text",
    "cql2-json",
    "basic-cql2",
    "advanced-comparison-operators",
    "case-insensitive-comparison",
    "basic-spatial-functions",
    "basic-spatial-functions-plus",
    "spatial-functions",
    "property-property",
]
TILES = ["core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30"]


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


def test_conformance_success(client: FlaskClient) -> None:
    """Exactly what is implemented: a class more would be a promise not kept, one less a client lost."""
    declared = get(client, "/api/conformance")["conformsTo"]
    part_1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
    assert sorted(declared) == sorted(
        [
            *(part_1 + name for name in ("core", "oas30", "html", "geojson")),
            "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
            *(part_1.replace("features-1", "features-3") + name for name in PART_3),
            *("http://www.opengis.net/spec/cql2/1.0/conf/" + name for name in CQL2),
            *("http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/" + name for name in TILES),
        ]
    )


def test_fc_md_success(client: FlaskClient) -> None:
    content = get(client, "/api/collections")
    assert [item["id"] for item in content["collections"]] == [*LEVELS, "implementations"]
    titles = [item["title"] for item in content["collections"]]
    assert titles == [
        "Länder",
        "Kreise und kreisfreie Städte",
        "Gemeindeverbände",
        "Gemeinden",
        "Umsetzungen",
    ]
    assert links(content, "self")[0]["type"] == "application/json"
    assert links(content, "alternate")[0]["type"] == "text/html"


@pytest.mark.parametrize("level", [*LEVELS, "implementations"])
def test_sfc_md_success(client: FlaskClient, level: str) -> None:
    """The collection says of itself what the list says of it."""
    own = get(client, f"/api/collections/{level}")
    listed = next(item for item in get(client, "/api/collections")["collections"] if item["id"] == level)
    for name in ("id", "title", "description", "extent", "crs", "storageCrs", "itemType"):
        assert own[name] == listed[name]
    hrefs = [{(link["rel"], link["href"]) for link in item["links"]} for item in (own, listed)]
    assert hrefs[0] == hrefs[1]


@pytest.mark.parametrize("level", [*LEVELS, "implementations"])
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


def test_crs_list_and_storage_crs(client: FlaskClient) -> None:
    """Part 2, fc-md-crs-list and fc-md-storageCrs-valid-value."""
    for item in get(client, "/api/collections")["collections"]:
        assert item["crs"][0] == crs.CRS84.uri
        assert [uri.rsplit("/", 1)[1] for uri in item["crs"]] == ["CRS84", "4326", "3857", "25832", "25833"]
        assert item["storageCrs"] in item["crs"]


@pytest.mark.parametrize("level", LEVELS)
def test_fc_response(client: FlaskClient, level: str) -> None:
    page = get(client, f"/api/collections/{level}/items?limit=1000")
    assert page["type"] == "FeatureCollection"
    assert len(page["features"]) == page["numberReturned"] == SIZES[level]


def test_fc_links(client: FlaskClient) -> None:
    address = "/api/collections/districts/items?limit=4&subject=bildung&status=online&status=planned"
    page = get(client, address)
    (itself,), (other,) = links(page, "self"), links(page, "alternate")
    assert itself["type"] == "application/geo+json"
    assert get(client, itself["href"])["features"] == page["features"]
    response = client.get(other["href"])
    assert mimetype(response) == other["type"] == "text/html"
    assert links(page, "collection")[0]["href"].endswith("/api/collections/districts")
    following = get(client, links(page, "next")[0]["href"])
    assert following["title"] == page["title"]


def test_fc_limit_response(client: FlaskClient) -> None:
    assert get(client, "/api/collections/districts/items?limit=1")["numberReturned"] == 1
    assert get(client, "/api/collections/municipalities/items")["numberReturned"] == 91
    more = f"/api/collections/municipalities/items?limit={LIMIT_MOST + 1}"
    assert get(client, more)["numberReturned"] == 91
    assert client.get("/api/collections/districts/items?limit=0").status_code == 400


def test_fc_time_stamp(client: FlaskClient) -> None:
    """Left out, which the requirement allows, so that the same page has a strong ETag and the same bytes."""
    first, again = (client.get("/api/collections/districts/items?limit=2&offset=3") for _ in range(2))
    assert "timeStamp" not in first.text
    assert first.headers["ETag"].startswith('"')
    assert (first.data, first.headers["ETag"]) == (again.data, again.headers["ETag"])


def test_fc_number_matched(client: FlaskClient) -> None:
    """Where it is said it is right; it is never counted."""
    whole = get(client, "/api/collections/districts/items")
    assert whole["numberMatched"] == 9
    assert "numberMatched" not in get(client, "/api/collections/districts/items?limit=5")
    assert get(client, "/api/collections/districts/items?bbox=7.6,51.94,7.65,51.98")["numberMatched"] == 1


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T10:00:00Z",
        "2026-01-01T00:00:00Z/2026-12-31T23:59:59.5+01:00",
        "../2026-12-31T00:00:00Z",
        "2018-02-12T00:00:00Z/",
        "1066-10-14",
    ],
)
def test_fc_time_response(client: FlaskClient, value: str) -> None:
    """Features without a temporal geometry match every time (fc-time-response, C)."""
    address = "/api/collections/districts/items"
    response = client.get(address, query_string={"datetime": value})
    assert json.loads(response.data)["numberReturned"] == 9


@pytest.mark.parametrize(
    "value", ["", "..", "../..", "yesterday", "2026-13-01", "2026-1-1", "1/2/3", "20260101"]
)
def test_fc_time_definition_refuses_the_rest(client: FlaskClient, value: str) -> None:
    response = client.get("/api/collections/districts/items", query_string={"datetime": value})
    assert response.status_code == 400
    assert json.loads(response.data)["parameter"] == "datetime"


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


@pytest.mark.parametrize("level", LEVELS)
def test_f_success(client: FlaskClient, level: str) -> None:
    """One feature by id is the one of the page, with all its numbers."""
    for listed in get(client, f"/api/collections/{level}/items?limit=3&offset=1")["features"]:
        own = get(client, f"/api/collections/{level}/items/{listed['id']}")
        assert {name: own[name] for name in ("type", "id", "geometry", "properties")} == listed


def test_f_links(client: FlaskClient) -> None:
    own = get(client, "/api/collections/districts/items/05515?measure=share")
    assert own["properties"]["value"] == 0.5
    assert get(client, links(own, "self")[0]["href"]) == own
    assert mimetype(client.get(links(own, "alternate")[0]["href"])) == "text/html"
    assert get(client, links(own, "collection")[0]["href"])["id"] == "districts"


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


def test_a_feature_in_another_system(client: FlaskClient) -> None:
    response = client.get(f"/api/collections/districts/items/05515?crs={crs.UTM_32.uri}")
    assert response.headers["Content-Crs"] == f"<{crs.UTM_32.uri}>"
    x, y = json.loads(response.data)["geometry"]["coordinates"][0][0][0]
    assert 380_000 < x < 420_000
    assert 5_740_000 < y < 5_780_000


@pytest.mark.parametrize(
    "query",
    [
        "measure=count",
        "measure=share&scope=available",
        "measure=spread&service=10500",
        "measure=spread&service=10500&scope=available",
        "measure=status&service=10501&scope=available",
    ],
)
def test_a_box_changes_no_number(client: FlaskClient, query: str) -> None:
    """Only areas in the box, on the page or asked for are counted: with the numbers of the whole level."""
    whole = get(client, f"/api/layers/districts.geojson?{query}")["features"]
    known = {feature["id"]: feature for feature in whole}
    found = get(client, f"/api/collections/districts/items?{query}&bbox=7.4,51.8,7.9,52.1")["features"]
    assert 1 < len(found) < len(whole)
    assert all(feature == known[feature["id"]] for feature in found)
    paged = [
        *get(client, f"/api/collections/districts/items?{query}&limit=4")["features"],
        *get(client, f"/api/collections/districts/items?{query}&limit=4&offset=4")["features"],
    ]
    assert paged == whole[:8]
    one = get(client, f"/api/collections/districts/items/05515?{query}")
    assert one["properties"] == known["05515"]["properties"]
