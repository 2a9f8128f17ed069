"""OGC API - Features Part 2: each test stands for the requirement or abstract test it is named after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pyproj
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapservice import create_app
from mapservice.database import Database
from mapservice.layers import crs

PROJECTED = [crs.WEB_MERCATOR, crs.UTM_32, crs.UTM_33]
MUENSTER = (7.63, 51.96)
"""Longitude, latitude of the town hall."""


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    app = create_app(module_boundaries.settings, module_boundaries)
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


def items(client: FlaskClient, level: str = "districts", **parameters: Any) -> TestResponse:
    query = urlencode({name.replace("_", "-"): value for name, value in parameters.items()})
    return client.get(f"/api/collections/{level}/items?{query}", headers={"Accept": "application/json"})


def said(response: TestResponse) -> Any:
    assert response.status_code == 200, response.text
    return json.loads(response.data)


def names(response: TestResponse) -> list[str]:
    return [feature["properties"]["name"] for feature in said(response)["features"]]


def points(collection: Any) -> Iterator[tuple[float, float]]:
    """All coordinates as they stand, feature by feature."""
    for feature in collection["features"]:
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                yield from ((point[0], point[1]) for point in ring)


def around(system: crs.Crs, lon: float, lat: float, margin: float) -> str:
    """A box around a place in the system's own axis order, as pyproj knows it; margin in its unit."""
    found = pyproj.Transformer.from_crs("OGC:CRS84", pyproj.CRS.from_user_input(urn_of(system)))
    first, second = found.transform(lon, lat)
    return f"{first - margin},{second - margin},{first + margin},{second + margin}"


def urn_of(system: crs.Crs) -> str:
    return "OGC:CRS84" if system is crs.CRS84 else system.code


@pytest.mark.parametrize("system", PROJECTED, ids=lambda system: system.code)
def test_crs_parameter_transform(client: FlaskClient, system: crs.Crs) -> None:
    """A thousand points of real borders, compared with pyproj: none is a centimetre off."""
    stored = list(points(said(items(client, "municipalities"))))
    moved = list(points(said(items(client, "municipalities", crs=system.uri))))
    assert len(stored) == len(moved)
    sample = slice(0, len(stored) // 1000 * 1000, len(stored) // 1000)
    stored, moved = stored[sample], moved[sample]
    assert len(stored) == len(moved) == 1000
    expected = pyproj.Transformer.from_crs("OGC:CRS84", system.code, always_xy=True)
    for (lon, lat), (x, y) in zip(stored, moved, strict=True):
        wanted_x, wanted_y = expected.transform(lon, lat)
        assert ((x - wanted_x) ** 2 + (y - wanted_y) ** 2) ** 0.5 < 0.01


def test_crs_parameter_transform_of_4326_is_exact(client: FlaskClient) -> None:
    stored = points(said(items(client)))
    flipped = points(said(items(client, crs=crs.EPSG_4326.uri)))
    assert [(lat, lon) for lon, lat in stored] == list(flipped)


@pytest.mark.parametrize(
    ("system", "first", "second"),
    [
        (crs.CRS84, (7.4, 7.8), (51.8, 52.1)),
        (crs.EPSG_4326, (51.8, 52.1), (7.4, 7.8)),
        (crs.WEB_MERCATOR, (824_000, 869_000), (6_760_000, 6_815_000)),
        (crs.UTM_32, (390_000, 418_000), (5_743_000, 5_772_000)),
        (crs.UTM_33, (-25_000, 10_000), (5_762_000, 5_800_000)),
    ],
    ids=lambda value: value.uri if isinstance(value, crs.Crs) else None,
)
def test_geojson_axis_order_by_a_known_town(
    client: FlaskClient, system: crs.Crs, first: tuple[float, float], second: tuple[float, float]
) -> None:
    """Münster lies at 7.6 E, 51.96 N; each axis has to hold the numbers that are known for it."""
    found = said(items(client, crs=system.uri, within="05515"))
    for one, two in points(found):
        assert first[0] < one < first[1]
        assert second[0] < two < second[1]


@pytest.mark.parametrize("system", crs.ALL, ids=lambda system: system.uri)
def test_ogc_crs_header(client: FlaskClient, system: crs.Crs) -> None:
    assert items(client, crs=system.uri).headers["Content-Crs"] == f"<{system.uri}>"


def test_fc_crs_default_value(client: FlaskClient) -> None:
    response = items(client)
    assert response.headers["Content-Crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert list(points(said(response))) == list(points(said(items(client, crs=crs.CRS84.uri))))


@pytest.mark.parametrize(
    "value", ["EPSG:25832", "http://www.opengis.net/def/crs/EPSG/0/99999", "urn:ogc:def:crs:EPSG::25832", ""]
)
@pytest.mark.parametrize("parameter", ["crs", "bbox-crs"])
def test_fc_crs_valid_value(client: FlaskClient, parameter: str, value: str) -> None:
    response = items(client, bbox="7,51,8,52", **{parameter: value})
    assert response.status_code == 400
    content = json.loads(response.data)
    assert content["parameter"] == parameter
    assert content["allowed"] == [system.uri for system in crs.ALL]


@pytest.mark.parametrize("system", crs.ALL, ids=lambda system: system.uri)
def test_fc_bbox_crs_action(client: FlaskClient, system: crs.Crs) -> None:
    """The same box in every system finds the same area, whatever system the answer is in."""
    margin = 0.001 if system.geographic else 100
    box = around(system, *MUENSTER, margin)
    assert names(items(client, bbox=box, bbox_crs=system.uri)) == ["Münster"]
    assert names(items(client, bbox=box, bbox_crs=system.uri, crs=crs.UTM_33.uri)) == ["Münster"]


def test_fc_bbox_crs_default_value(client: FlaskClient) -> None:
    box = around(crs.CRS84, *MUENSTER, 0.001)
    default = names(items(client, bbox=box, crs=crs.EPSG_4326.uri))
    assert default == names(items(client, bbox=box, bbox_crs=crs.CRS84.uri)) == ["Münster"]
    # read with latitude first, the same numbers lie off Somalia
    assert names(items(client, bbox=box, bbox_crs=crs.EPSG_4326.uri)) == []


def test_a_point_is_a_box_too(client: FlaskClient) -> None:
    assert names(items(client, bbox=around(crs.CRS84, *MUENSTER, 0))) == ["Münster"]
    assert names(items(client, bbox=around(crs.UTM_32, *MUENSTER, 0), bbox_crs=crs.UTM_32.uri)) == ["Münster"]


@pytest.mark.parametrize("system", PROJECTED, ids=lambda system: system.code)
def test_boxes_beyond_the_world_are_no_failure(client: FlaskClient, system: crs.Crs) -> None:
    everything = items(client, bbox="-1e30,-1e30,1e30,1e30", bbox_crs=system.uri)
    assert len(names(everything)) == 9
    assert names(items(client, bbox="1e29,1e29,1e30,1e30", bbox_crs=system.uri)) == []
    assert items(client, bbox="3,1,2,4", bbox_crs=system.uri).status_code == 400
    assert items(client, bbox="1,2,3,1e999", bbox_crs=system.uri).status_code == 400


def test_next_links_keep_the_system(client: FlaskClient) -> None:
    page = said(items(client, crs=crs.UTM_32.uri, limit=5))
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    response = client.get(following)
    assert response.headers["Content-Crs"] == f"<{crs.UTM_32.uri}>"
    assert next(points(said(response)))[1] > 5_000_000


@pytest.mark.parametrize("system", PROJECTED, ids=lambda system: system.code)
def test_a_layer_names_its_system_for_older_readers(client: FlaskClient, system: crs.Crs) -> None:
    """`crs=EPSG:25832` on .geojson alone, with the member that GeoJSON of 2008 has."""
    response = client.get(f"/api/layers/districts.geojson?crs={system.code}")
    layer = said(response)
    assert layer["crs"] == {
        "type": "name",
        "properties": {"name": f"urn:ogc:def:crs:EPSG::{system.srid}"},
    }
    assert response.headers["Content-Crs"] == f"<{system.uri}>"
    assert list(points(layer)) == list(points(said(items(client, crs=system.uri))))


def test_a_layer_in_4326_has_longitude_first(client: FlaskClient) -> None:
    plain = said(client.get("/api/layers/districts.geojson"))
    assert "crs" not in plain
    assert plain == said(client.get("/api/layers/districts.geojson?crs=EPSG:4326"))
    assert client.get("/api/layers/districts.geojson?crs=EPSG:31467").status_code == 400
