"""OGC API - Features Part 1, conf/geojson: what is sent as GeoJSON is GeoJSON (RFC 7946)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import shapely
from flask.testing import FlaskClient
from shapely.geometry import shape

from tests.ogc.asking import COLLECTIONS, get, links, mimetype

GEOJSON = "application/geo+json"


@pytest.mark.parametrize("name", COLLECTIONS)
@pytest.mark.parametrize("accept", ["application/geo+json", "application/json", "*/*", None])
def test_geojson_definition(client: FlaskClient, name: str, accept: str | None) -> None:
    """Features as GeoJSON under its media type, everything else as JSON, for whoever takes either."""
    headers = {"Accept": accept} if accept else {}
    for address, type_ in (
        ("/api", "application/json"),
        (f"/api/collections/{name}", "application/json"),
        (f"/api/collections/{name}/items?limit=1", GEOJSON),
    ):
        response = client.get(address, headers=headers)
        assert (response.status_code, mimetype(response)) == (200, type_)
    (feature,) = get(client, f"/api/collections/{name}/items?limit=1")["features"]
    response = client.get(f"/api/collections/{name}/items/{feature['id']}", headers=headers)
    assert (response.status_code, mimetype(response)) == (200, GEOJSON)


def rings(geometry: Any) -> Iterator[tuple[bool, Any]]:
    """Whether each ring is an outer one, and its positions."""
    polygons = geometry["coordinates"]
    for polygon in [polygons] if geometry["type"] == "Polygon" else polygons:
        for number, ring in enumerate(polygon):
            yield number == 0, ring


@pytest.mark.parametrize("detail", [100, 300, 1000])
@pytest.mark.parametrize("name", COLLECTIONS)
def test_geojson_content(client: FlaskClient, name: str, detail: int) -> None:
    """Members as RFC 7946 has them, closed valid rings by the right-hand rule, links to the other forms."""
    page = get(client, f"/api/collections/{name}/items?limit=1000&detail={detail}")
    assert page["type"] == "FeatureCollection"
    types = {link["type"] for rel in ("self", "alternate") for link in links(page, rel)}
    assert types == {GEOJSON, "text/html"}
    ids = [feature["id"] for feature in page["features"]]
    assert len(ids) == len(set(ids)) > 0
    for feature in page["features"]:
        assert {"type", "id", "geometry", "properties"} == feature.keys()
        assert feature["type"] == "Feature"
        assert not any(isinstance(value, dict | list) for value in feature["properties"].values())
        assert feature["geometry"]["type"] == "MultiPolygon"
        assert shape(feature["geometry"]).is_valid, feature["id"]
        for outer, ring in rings(feature["geometry"]):
            assert len(ring) >= 4
            assert ring[0] == ring[-1]
            assert all(len(position) == 2 for position in ring)
            assert shapely.LinearRing(ring).is_ccw is outer, feature["id"]


def test_geojson_content_of_points(client: FlaskClient) -> None:
    page = get(client, "/api/collections/implementations/items?geometry=point")
    assert page["features"]
    for feature in page["features"]:
        assert feature["geometry"]["type"] == "Point"
        assert len(feature["geometry"]["coordinates"]) == 2
