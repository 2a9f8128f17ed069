"""OGC API - Features Part 1, conf/oas30: the OpenAPI document says what there is, and nothing else."""

from __future__ import annotations

import json
import re

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from schemathesis.specs.openapi.definitions import OPENAPI_30

from tests.ogc.asking import LEVELS, OPENAPI, get, links, mimetype, read


def test_oas_definition_1(client: FlaskClient) -> None:
    """As JSON under the media type of OpenAPI 3.0, and to read, both named by the landing page."""
    (description,) = links(get(client, "/api"), "service-desc")
    response = client.get(description["href"])
    assert response.headers["Content-Type"].replace("; ", ";").startswith(OPENAPI)
    (reading,) = links(get(client, "/api"), "service-doc")
    page = read(client, reading["href"])
    paths = get(client, "/api/openapi.json")["paths"]
    assert paths
    for path in paths:
        assert path in page.text


def test_oas_definition_2(client: FlaskClient) -> None:
    """Valid by the schema of OpenAPI 3.0; every reference leads somewhere, every operation has its own id."""
    document = get(client, "/api/openapi.json")
    assert document["openapi"].startswith("3.0.")
    assert document["servers"] == [{"url": "http://localhost/api"}]
    jsonschema_rs.validator_for(OPENAPI_30).validate(document)
    text = json.dumps(document)
    for reference in set(re.findall(r'"#/([^"]+)"', text)):
        found = document
        for name in reference.split("/"):
            found = found[name]
    ids = [item["get"]["operationId"] for item in document["paths"].values()]
    assert len(ids) == len(set(ids))


def test_oas_impl(client: FlaskClient, app: Flask) -> None:
    """Each operation of the document answers, in a type that the document names."""
    document = get(client, "/api/openapi.json")
    entry = get(client, "/api/collections/implementations/items?limit=1")["features"][0]["id"]
    places = {"{collectionId}": "districts", "{tileMatrix}": "7", "{tileRow}": "42", "{tileCol}": "66"}
    for path, item in document["paths"].items():
        address = "/api" + path.replace("{featureId}", entry if "implementations" in path else "05515")
        for place, value in places.items():
            address = address.replace(place, value)
        response = client.get(address)
        assert response.status_code == 200, address
        assert mimetype(response) in item["get"]["responses"]["200"]["content"], address


def test_security(client: FlaskClient) -> None:
    """Nothing needs a login, and the document names no way of one."""
    document = get(client, "/api/openapi.json")
    assert "security" not in document
    assert "securitySchemes" not in document["components"]
    assert not any("security" in item["get"] for item in document["paths"].values())


def test_completeness(client: FlaskClient, app: Flask) -> None:
    """Every address of the interface is described, and every parameter that one knows, and no other."""
    document = get(client, "/api/openapi.json")
    places = {"collectionId": "name", "featureId": "key", "tileMatrix": "z", "tileRow": "y", "tileCol": "x"}
    described = {
        re.sub(r"{(\w+)}", lambda found: f"<{places[found[1]]}>", "/api" + path.rstrip("/")): item
        for path, item in document["paths"].items()
    }
    served = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("ogc.", "entries.", "tiles."))
    }
    assert served - {"/api/docs", "/api/openapi.json"} <= described.keys()
    assert described.keys() - served == {f"/api/collections/{level}/items" for level in LEVELS}
    for rule, item in described.items():
        address = rule.replace("<name>", "districts").replace("<key>", "05515")
        address = address.replace("<z>/<y>/<x>", "0/0/0")
        refused = json.loads(client.get(f"{address}?nonsense=1").data)
        parameters = [
            document["components"]["parameters"][reference["$ref"].rsplit("/", 1)[1]]
            for reference in item["get"]["parameters"]
        ]
        assert sorted(p["name"] for p in parameters if p["in"] == "query") == sorted(refused["allowed"])


def test_exceptions_codes(client: FlaskClient) -> None:
    paths = get(client, "/api/openapi.json")["paths"]
    assert any("{" in path for path in paths)
    for path, item in paths.items():
        assert {"200", "400", "500", "503"} <= item["get"]["responses"].keys()
        if "{" in path:
            assert "404" in item["get"]["responses"]


def test_features_have_the_properties_that_are_described(client: FlaskClient) -> None:
    described = get(client, "/api/openapi.json")["components"]["schemas"]["areaProperties"]["properties"]
    seen: set[str] = set()
    for query in ("", "?measure=share", "?measure=spread&service=10500", "?columns=subjects"):
        for feature in get(client, f"/api/collections/districts/items{query}")["features"]:
            seen |= feature["properties"].keys()
    assert seen == described.keys()
    assert all(entry["title"] and entry["description"] for entry in described.values())
