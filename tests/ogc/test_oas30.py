"""OGC API - Features Part 1, conf/oas30: the OpenAPI document says what there is, and nothing else."""

from __future__ import annotations

import json
import re

from flask import Flask
from flask.testing import FlaskClient

from mapservice.params import LIMIT_MOST
from tests.ogc.asking import LEVELS, get


def test_oas30_definition(client: FlaskClient) -> None:
    document = get(client, "/api/openapi.json")
    assert document["openapi"].startswith("3.0.")
    assert document["servers"] == [{"url": "http://localhost/api"}]
    text = json.dumps(document)
    for reference in set(re.findall(r'"#/([^"]+)"', text)):
        found = document
        for name in reference.split("/"):
            found = found[name]
    limit = document["components"]["parameters"]["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, LIMIT_MOST, 100)


def test_oas30_completeness(client: FlaskClient, app: Flask) -> None:
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


def test_oas30_exception_codes(client: FlaskClient) -> None:
    document = get(client, "/api/openapi.json")
    for path, item in document["paths"].items():
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
