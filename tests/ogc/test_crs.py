"""OGC API - Features Part 2, conf/crs: each test stands for the requirement it is named after."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pyproj
import pytest
import shapely
from flask.testing import FlaskClient
from shapely.geometry import shape
from sqlalchemy import Double, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from werkzeug.test import TestResponse

from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.layers import crs
from tests.ogc.asking import COLLECTIONS, get, parameter, stands_in_the_query

PROJECTED = [crs.WEB_MERCATOR, crs.UTM_32, crs.UTM_33]
URIS = [system.uri for system in crs.ALL]
UNKNOWN = [
    "EPSG:25832",
    "http://www.opengis.net/def/crs/EPSG/0/99999",
    "http://www.opengis.net/def/crs/0/unsupported",
    "https://www.opengis.net/def/crs/EPSG/0/25832",
    "urn:ogc:def:crs:EPSG::25832",
    "",
]
DEGREE = 111_320.0
"""Metres, at most."""
TOWNS: dict[str, dict[str, tuple[float, float]]] = {
    "05515": {  # Münster
        "CRS84": (7.6279, 51.9618),
        "4326": (51.9618, 7.6279),
        "3857": (849_134, 6_793_221),
        "25832": (405_727, 5_757_679),
        "25833": (-6_191, 5_782_500),
    },
    "04011": {  # Bremen
        "CRS84": (8.8072, 53.0759),
        "4326": (53.0759, 8.8072),
        "3857": (980_413, 6_997_050),
        "25832": (487_084, 5_880_731),
        "25833": (85_354, 5_898_658),
    },
    "11000": {  # Berlin
        "CRS84": (13.405, 52.52),
        "4326": (52.52, 13.405),
        "3857": (1_492_238, 6_894_700),
        "25832": (798_813, 5_828_000),
        "25833": (391_779, 5_820_072),
    },
    "07334": {  # Germersheim
        "CRS84": (8.3687, 49.2219),
        "4326": (49.2219, 8.3687),
        "3857": (931_599, 6_312_597),
        "25832": (454_031, 5_452_316),
        "25833": (17_288, 5_473_321),
    },
}
"""The middle of each town, first axis first, by its district."""
MUENSTER = (7.63, 51.96)
"""Longitude, latitude of the town hall."""


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


# --- what is declared -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/api/collections", *(f"/api/collections/{name}" for name in COLLECTIONS)]
)
def test_crs_uri(client: FlaskClient, address: str) -> None:
    """Systems are named by URIs of the OGC's register, never by a short form."""
    content = get(client, address)
    named = {*content["crs"], *(uri for item in content.get("collections", []) for uri in item["crs"])}
    assert named == set(URIS)
    pattern = r"http://www\.opengis\.net/def/crs/(OGC/1\.3/CRS84|EPSG/0/[0-9]+)"
    assert all(re.fullmatch(pattern, uri) for uri in named)


def test_fc_md_crs_list(client: FlaskClient) -> None:
    """Each collection lists the systems that it can be had in, the default of Part 1 among them."""
    described = get(client, "/api/collections")["collections"]
    assert len(described) == len(COLLECTIONS)
    for item in described:
        assert item["crs"] == URIS
        assert crs.CRS84.uri in item["crs"]


def test_fc_md_crs_list_global(client: FlaskClient) -> None:
    """The global list is there; no collection points to it, each names its own."""
    content = get(client, "/api/collections")
    assert content["crs"] == URIS
    assert not any("#/crs" in item["crs"] for item in content["collections"])


def test_fc_md_storage_crs(client: FlaskClient) -> None:
    """What comes without any transformation: the text that is stored."""
    for name in COLLECTIONS:
        assert get(client, f"/api/collections/{name}")["storageCrs"] == crs.CRS84.uri


def test_fc_md_storage_crs_valid_value(client: FlaskClient) -> None:
    described = get(client, "/api/collections")["collections"]
    assert len(described) == len(COLLECTIONS)
    for item in described:
        assert item["storageCrs"] in item["crs"]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fc_crs_definition(client: FlaskClient, name: str) -> None:
    found = parameter(client, name, "crs")
    assert stands_in_the_query(found)
    assert found["schema"] == {"type": "string", "format": "uri", "enum": URIS, "default": crs.CRS84.uri}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fc_bbox_crs_definition(client: FlaskClient, name: str) -> None:
    found = parameter(client, name, "bbox-crs")
    assert stands_in_the_query(found)
    assert (found["schema"]["type"], found["schema"]["format"]) == ("string", "uri")


# --- coordinates ------------------------------------------------------------------------------------


def centimetres_apart(system: crs.Crs, given: tuple[float, float], expected: tuple[float, float]) -> float:
    """Distance of two positions whose axes stand in the system's order."""
    east, north = (1, 0) if system.flipped else (0, 1)
    scale = 100 * DEGREE if system.geographic else 100.0
    return float(((given[east] - expected[east]) ** 2 + (given[north] - expected[north]) ** 2) ** 0.5 * scale)


def by_pyproj(system: crs.Crs) -> pyproj.Transformer:
    """From longitude, latitude to the axis order that the authority of the system defines."""
    return pyproj.Transformer.from_crs("OGC:CRS84", pyproj.CRS.from_user_input(urn_of(system)))


def authority_order(system: crs.Crs) -> bool:
    """Whether pyproj too has the first axis north."""
    return bool(pyproj.CRS.from_user_input(urn_of(system)).axis_info[0].direction == "north")


@pytest.mark.parametrize("system", crs.ALL, ids=lambda system: system.uri)
def test_fc_crs_action(client: FlaskClient, system: crs.Crs) -> None:
    """A thousand points of real borders, compared with pyproj: none is a centimetre off."""
    assert authority_order(system) is system.flipped
    stored = list(points(said(items(client, "municipalities"))))
    moved = list(points(said(items(client, "municipalities", crs=system.uri))))
    assert len(stored) == len(moved)
    sample = slice(0, len(stored) // 1000 * 1000, len(stored) // 1000)
    stored, moved = stored[sample], moved[sample]
    assert len(stored) == len(moved) == 1000
    expected = by_pyproj(system)
    for (lon, lat), position in zip(stored, moved, strict=True):
        assert centimetres_apart(system, position, expected.transform(lon, lat)) < 1


@pytest.mark.parametrize("system", crs.ALL, ids=lambda system: system.uri)
def test_fc_crs_action_of_generated_points(module_boundaries: Database, system: crs.Crs) -> None:
    """The same for a thousand points all over Germany, on the grid that our coordinates are stored on."""
    chance = random.Random(20261125)
    steps = [
        (chance.randrange(293_000, 752_500), chance.randrange(2_363_000, 2_753_500)) for _ in range(1000)
    ]
    placed = [(east * 2e-5, north * 2e-5) for east, north in steps]
    columns = [cast([point[axis] for point in placed], ARRAY(Double)) for axis in (0, 1)]
    given = func.unnest(*columns).table_valued("lon", "lat").render_derived()
    point = func.ST_SetSRID(func.ST_MakePoint(given.c.lon, given.c.lat), crs.STORED_SRID)
    written = func.ST_AsGeoJSON(point, 5, 0)
    statement = select(given.c.lon, given.c.lat, system.geojson(SimpleNamespace(geom=point, geojson=written)))
    with module_boundaries.reader(Audience.PUBLIC) as connection:
        rows = connection.execute(statement).all()
    assert len(rows) == 1000
    expected = by_pyproj(system)
    for lon, lat, text in rows:
        position = json.loads(text)["coordinates"]
        assert centimetres_apart(system, position, expected.transform(lon, lat)) < 1


@pytest.mark.parametrize("key", TOWNS)
@pytest.mark.parametrize("system", crs.ALL, ids=lambda system: system.uri)
def test_geojson(client: FlaskClient, system: crs.Crs, key: str) -> None:
    """Axis order by towns whose coordinates are known: in each system the town lies in its district, which it
    would not do with its axes swapped.
    """
    position = TOWNS[key][system.uri.rsplit("/", 1)[1]]
    (district,) = [f for f in said(items(client, crs=system.uri))["features"] if f["id"] == key]
    assert shape(district["geometry"]).contains(shapely.Point(position))
    assert not shape(district["geometry"]).contains(shapely.Point(position[::-1]))
    box = ",".join(str(number) for number in (*position, *position))
    assert [f["id"] for f in said(items(client, bbox=box, bbox_crs=system.uri))["features"]] == [key]
    first, second = position
    filter_ = f"S_INTERSECTS(geometry, POINT({first} {second}))"
    assert [f["id"] for f in said(items(client, filter=filter_, filter_crs=system.uri))["features"]] == [key]
    one = client.get(f"/api/collections/districts/items/{key}", query_string={"crs": system.uri})
    assert json.loads(one.data)["geometry"] == district["geometry"]
    assert one.headers["Content-Crs"] == f"<{system.uri}>"


# --- parameters and header --------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLLECTIONS)
def test_ogc_crs_header(client: FlaskClient, name: str) -> None:
    """With every answer that has coordinates, whether a system was asked for or not; also with HEAD."""
    address = f"/api/collections/{name}/items"
    (first, *_) = get(client, f"{address}?limit=1")["features"]
    for path in (address, f"{address}/{first['id']}"):
        in_metres = client.get(path, query_string={"crs": crs.UTM_32.uri})
        for response in (client.get(path), client.head(path), in_metres):
            assert "Content-Crs" in response.headers


@pytest.mark.parametrize("system", crs.ALL, ids=lambda system: system.uri)
def test_ogc_crs_header_value(client: FlaskClient, system: crs.Crs) -> None:
    assert items(client, crs=system.uri).headers["Content-Crs"] == f"<{system.uri}>"


def test_fc_crs_default_value(client: FlaskClient) -> None:
    response = items(client)
    assert response.headers["Content-Crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert list(points(said(response))) == list(points(said(items(client, crs=crs.CRS84.uri))))


def refused(client: FlaskClient, parameter: str, value: str) -> None:
    response = items(client, bbox="7,51,8,52", **{parameter: value})
    assert response.status_code == 400
    content = json.loads(response.data)
    assert content["parameter"] == parameter
    assert content["allowed"] == URIS


@pytest.mark.parametrize("value", UNKNOWN)
def test_fc_crs_valid_value(client: FlaskClient, value: str) -> None:
    refused(client, "crs", value)


@pytest.mark.parametrize("value", UNKNOWN)
def test_fc_bbox_crs_valid_value(client: FlaskClient, value: str) -> None:
    refused(client, "bbox-crs", value)


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
