"""OGC API - Features Part 3: queryables, filter, features-filter; tests are named after requirements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyproj
import pytest
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from mapservice.layers import crs
from tests.ogc.asking import COLLECTIONS, LEVELS, get, links, mimetype, parameter, stands_in_the_query
from tests.ogc.filling import fill_richly

QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SAMPLE = dict.fromkeys(LEVELS, "population") | {"implementations": "as_of"}
"""A queryable that some features have, or none."""


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    app = create_app(module_boundaries.settings, fill_richly(module_boundaries))
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


def items(client: FlaskClient, collection: str, **query: Any) -> Any:
    named = {name.replace("filter_", "filter-"): value for name, value in query.items()}
    return client.get(f"/api/collections/{collection}/items", query_string={"limit": 1000, **named})


def features(client: FlaskClient, collection: str, **query: Any) -> list[Any]:
    response = items(client, collection, **query)
    assert (response.status_code, mimetype(response)) == (200, "application/geo+json"), response.text
    found: list[Any] = json.loads(response.data)["features"]
    return found


def ids(client: FlaskClient, collection: str, **query: Any) -> list[str]:
    return [feature["id"] for feature in features(client, collection, **query)]


def refused(client: FlaskClient, collection: str, **query: Any) -> None:
    response = items(client, collection, **query)
    assert response.status_code == 400
    assert json.loads(response.data)["description"]


# --- queryables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLLECTIONS)
def test_queryables_link(client: FlaskClient, name: str) -> None:
    """With the collection, whether listed or alone, leading to its own queryables."""
    listed = next(item for item in get(client, "/api/collections")["collections"] if item["id"] == name)
    for content in (listed, get(client, f"/api/collections/{name}")):
        (link,) = links(content, QUERYABLES_REL)
        assert link["href"] == f"http://localhost/api/collections/{name}/queryables"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_get_queryables_op(client: FlaskClient, name: str) -> None:
    for accept in ("application/schema+json", "application/json", "*/*"):
        response = client.get(f"/api/collections/{name}/queryables", headers={"Accept": accept})
        assert (response.status_code, mimetype(response)) == (200, "application/schema+json")
    page = client.get(f"/api/collections/{name}/queryables", headers={"Accept": "text/html"})
    assert "<table" in page.text


@pytest.mark.parametrize("name", COLLECTIONS)
def test_get_queryables_response(client: FlaskClient, name: str) -> None:
    """A JSON Schema of an object; each queryable with type, title and explanation, one of them spatial."""
    content = get(client, f"/api/collections/{name}/queryables")
    assert content["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert content["$id"] == f"http://localhost/api/collections/{name}/queryables"
    assert (content["type"], content["additionalProperties"]) == ("object", False)
    for queryable, entry in content["properties"].items():
        assert entry["title"], queryable
        assert entry["description"], queryable
        assert "type" in entry or entry["format"].startswith("geometry-"), queryable
    assert content["properties"]["geometry"]["x-ogc-role"] == "primary-geometry"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_queryables_query_parameters_parameters(client: FlaskClient, name: str) -> None:
    """Every queryable with a simple value is a parameter too, and only what matches it comes."""
    properties = get(client, f"/api/collections/{name}/queryables")["properties"]
    whole = features(client, name)
    compared = set()
    for queryable, entry in properties.items():
        if queryable == "geometry":
            continue
        schema = parameter(client, name, queryable)["schema"]
        if isinstance(entry["type"], list):
            assert [option["type"] for option in schema["anyOf"]] == entry["type"]
        elif queryable not in ("status", "subject", "service", "maturity"):  # also filters, that repeat
            assert (schema["type"], schema.get("format")) == (entry["type"], entry.get("format"))
        values = {str(f["properties"].get(queryable)) for f in whole} - {"None"}
        for value in sorted(values)[:2]:
            text = value.lower() if entry["type"] == "boolean" else value
            wanted = [f["id"] for f in whole if str(f["properties"].get(queryable)) == value]
            assert ids(client, name, **{queryable: text}) == wanted, (queryable, value)
            compared.add(queryable)
    assert len(compared) >= 7


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("districts", {"services_online": "0.5"}),
        ("districts", {"share": "half"}),
        ("districts", {"value": "many"}),
        ("implementations", {"reusable": "perhaps"}),
        ("implementations", {"as_of": "yesterday"}),
        ("implementations", {"maturity": "three"}),
    ],
)
def test_a_value_of_another_type_is_refused(client: FlaskClient, name: str, query: Any) -> None:
    refused(client, name, **query)


def test_status_is_a_parameter_of_ours_and_filters_no_area(client: FlaskClient) -> None:
    """It says what counts: all areas come, with other numbers."""
    online, planned = features(client, "districts"), features(client, "districts", status="planned")
    assert [f["id"] for f in online] == [f["id"] for f in planned]
    assert [f["properties"]["value"] for f in online] != [f["properties"]["value"] for f in planned]
    assert "status" not in get(client, "/api/collections/districts/queryables")["properties"]
    for text in ("status = 'planned'", "scope = 'own'", "measure = 'share'"):
        refused(client, "districts", filter=text)


# --- filter, and features-filter: all of it on the items of every collection -------------------------


@pytest.mark.parametrize("name", COLLECTIONS)
def test_filter_param(client: FlaskClient, name: str) -> None:
    for described in ("filter", "filter-lang", "filter-crs"):
        assert stands_in_the_query(parameter(client, name, described))
    whole, sample = features(client, name), SAMPLE[name]
    found = ids(client, name, filter=f"{sample} IS NULL", filter_lang="cql2-text")
    queried = get(client, f"/api/collections/{name}/items?limit=1000&filter={sample} IS NOT NULL")["features"]
    assert sorted(found + [f["id"] for f in queried]) == sorted(f["id"] for f in whole)
    refused(client, name, filter="THIS IS NOT A FILTER", filter_lang="cql2-text")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_filter_lang_param(client: FlaskClient, name: str) -> None:
    """Both languages, and an unknown one is refused with those that there are."""
    found = parameter(client, name, "filter-lang")["schema"]
    assert found == {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}
    tree = json.dumps({"op": "isNull", "args": [{"property": SAMPLE[name]}]})
    as_text = ids(client, name, filter=f"{SAMPLE[name]} IS NULL")
    assert ids(client, name, filter=tree, filter_lang="cql2-json") == as_text
    refused(client, name, filter=tree)
    refused(client, name, filter=f"{SAMPLE[name]} IS NULL", filter_lang="cql2-json")
    refused(client, name, filter="true", filter_lang="ecql")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_filter_lang_default(client: FlaskClient, name: str) -> None:
    text = f"{SAMPLE[name]} IS NOT NULL"
    assert ids(client, name, filter=text) == ids(client, name, filter=text, filter_lang="cql2-text")
    refused(client, name, filter="THIS IS NOT A FILTER")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_expression_construction(client: FlaskClient, name: str) -> None:
    refused(client, name, filter="this_is_not_a_queryable IS NULL")


def extent(client: FlaskClient, name: str) -> tuple[float, float, float, float]:
    (box,) = get(client, f"/api/collections/{name}")["extent"]["spatial"]["bbox"]
    west, south, east, north = box
    return west, south, east, north


@pytest.mark.parametrize("name", COLLECTIONS)
def test_filter_crs_wgs84(client: FlaskClient, name: str) -> None:
    """Without filter-crs coordinates are longitude, latitude: the extent holds all that have a geometry."""
    placed = [f["id"] for f in features(client, name) if f["geometry"] is not None]
    box = ",".join(map(str, extent(client, name)))
    assert ids(client, name, filter=f"S_INTERSECTS(geometry,BBOX({box}))") == placed
    refused(client, name, filter="S_INTERSECTS(geometry,BBOX(1000000,1000000,2000000,2000000))")


@pytest.mark.parametrize("system", crs.ALL, ids=lambda system: system.uri)
@pytest.mark.parametrize("name", COLLECTIONS)
def test_filter_crs_param(client: FlaskClient, name: str, system: crs.Crs) -> None:
    """The extent in each system that the collection lists, in its axis order."""
    assert parameter(client, name, "filter-crs")["schema"]["enum"] == [known.uri for known in crs.ALL]
    placed = [f["id"] for f in features(client, name) if f["geometry"] is not None]
    code = "OGC:CRS84" if system is crs.CRS84 else system.code
    moved = pyproj.Transformer.from_crs("OGC:CRS84", code, always_xy=True)
    west, south, east, north = moved.transform_bounds(*extent(client, name))
    box = (south, west, north, east) if system.flipped else (west, south, east, north)
    text = f"S_INTERSECTS(geometry,BBOX({','.join(map(str, box))}))"
    assert ids(client, name, filter=text, filter_crs=system.uri) == placed
    refused(client, name, filter=text, filter_crs="http://www.opengis.net/def/crs/OGC/0/does_not_exist")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_mixing_expressions(client: FlaskClient, name: str) -> None:
    """`filter`, `bbox` and properties must all hold."""
    placed = [f["id"] for f in features(client, name) if f["geometry"] is not None]
    box = ",".join(map(str, extent(client, name)))
    text = f"S_INTERSECTS(geometry,BBOX({box}))"
    assert ids(client, name, filter=text, bbox=box) == placed
    assert ids(client, name, filter=text, bbox="-20,-10,-19,-9") == []
    assert ids(client, name, filter="false", bbox=box) == []
    assert ids(client, name, filter="true", bbox=box, designation="nirgends") == []
    in_bremen = ids(client, name, filter="state = 'Bremen' OR state = 'Berlin'", state="Bremen")
    assert in_bremen == ids(client, name, state="Bremen")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_response(client: FlaskClient, name: str) -> None:
    """Only features for which the expression is true; what is unknown is not."""
    whole, sample = features(client, name), SAMPLE[name]
    for text in (f"{sample} = {sample}", f"NOT ({sample} <> {sample})"):
        known = [f["id"] for f in whole if f["properties"].get(sample) is not None]
        assert ids(client, name, filter=text) == known
    assert ids(client, name, filter="true") == [f["id"] for f in whole]
    assert ids(client, name, filter="false") == []


@pytest.mark.parametrize("name", COLLECTIONS)
def test_filter_on_items(client: FlaskClient, name: str) -> None:
    """Declared, and in the links that a filtered page names."""
    assert any(uri.endswith("/features-filter") for uri in get(client, "/api/conformance")["conformsTo"])
    page = json.loads(items(client, name, filter=f"{SAMPLE[name]} IS NULL", limit=1).data)
    (itself,), (following,) = links(page, "self"), links(page, "next")
    for link in (itself, following):
        assert "filter=" in link["href"]
        (feature,) = get(client, link["href"])["features"]
        assert feature["properties"].get(SAMPLE[name]) is None
