"""OGC API - Tiles Part 1: the declared classes, each test named after its requirement.

What tiles show is in tests/test_tiles.py.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapservice.layers.tile_shapes import ZOOM_MOST
from tests.ogc.asking import LEVELS, get, links, mimetype

MVT = "application/vnd.mapbox-vector-tile"
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
QUAD = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
PARTS = "{tileMatrix}/{tileRow}/{tileCol}"
MUENSTER = "7/42/66"
LARGEST = {"tileMatrix": ZOOM_MOST, "tileRow": 2**ZOOM_MOST - 1, "tileCol": 2**ZOOM_MOST - 1}


def tileset(client: FlaskClient, level: str) -> Any:
    return get(client, f"/api/collections/{level}/tiles/WebMercatorQuad")


def template(client: FlaskClient, level: str) -> str:
    (link,) = links(tileset(client, level), "item")
    return str(link["href"])


def tile(client: FlaskClient, level: str, place: str) -> Any:
    zoom, row, column = place.split("/")
    address = template(client, level).replace("{tileMatrix}", zoom)
    return client.get(address.replace("{tileRow}", row).replace("{tileCol}", column))


# --- core -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_tc_op(client: FlaskClient, level: str) -> None:
    """The address that the tileset names, with numbers put in."""
    assert template(client, level).endswith(f"/api/collections/{level}/tiles/WebMercatorQuad/{PARTS}")
    assert tile(client, level, MUENSTER).status_code == 200


@pytest.mark.parametrize(("name", "most"), list(LARGEST.items()))
def test_tc_tile_matrix_row_and_col_definition(client: FlaskClient, name: str, most: int) -> None:
    found = get(client, "/api/openapi.json")["components"]["parameters"][name]
    assert (found["in"], found["required"]) == ("path", True)
    assert found["schema"] == {"type": "integer", "minimum": 0, "maximum": most}


@pytest.mark.parametrize("level", LEVELS)
def test_tc_success(client: FlaskClient, level: str) -> None:
    """200 in the type that the link promises, also for whoever asks for that type alone."""
    (link,) = links(tileset(client, level), "item")
    assert link["type"] == MVT
    address = f"/api/collections/{level}/tiles/WebMercatorQuad/{MUENSTER}"
    for accept in (MVT, "*/*", "application/x-protobuf, */*;q=0.1"):
        response = client.get(address, headers={"Accept": accept})
        assert (response.status_code, mimetype(response)) == (200, MVT)
        assert level.encode() in response.data


@pytest.mark.parametrize("level", LEVELS)
def test_tc_error(client: FlaskClient, level: str) -> None:
    """404 beyond the grid, 204 within the limits where nothing is."""
    for place in ("15/0/0", "7/128/0", "7/0/128", "7/-1/0", "a/b/c", "7/1.5/2"):
        response = tile(client, level, place)
        assert response.status_code == 404, place
        assert json.loads(response.data)["description"]
    (limits,) = [item for item in tileset(client, level)["tileMatrixSetLimits"] if item["tileMatrix"] == "9"]
    empty = []
    for row in range(limits["minTileRow"], limits["maxTileRow"] + 1):
        response = tile(client, level, f"9/{row}/{limits['minTileCol'] + 3}")
        assert response.status_code in (200, 204)
        empty.append((response.status_code == 204, response.data == b""))
    assert (True, True) in empty
    assert all(status is body for status, body in empty)


def test_tiles_core_conformance_success(client: FlaskClient) -> None:
    declared = get(client, "/api/conformance")["conformsTo"]
    for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30"):
        assert f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{name}" in declared


# --- tileset, tilesets-list, geodata-tilesets -------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_tileset_description(client: FlaskClient, level: str) -> None:
    """Metadata as the 2D Tile Matrix Set standard has them, limits that hold the box, links with types."""
    content = tileset(client, level)
    assert content["dataType"] == "vector"
    assert content["crs"] == "http://www.opengis.net/def/crs/EPSG/0/3857"
    assert content["tileMatrixSetURI"] == QUAD
    assert [item["tileMatrix"] for item in content["tileMatrixSetLimits"]] == [
        str(zoom) for zoom in range(ZOOM_MOST + 1)
    ]
    (scheme,) = links(content, SCHEME)
    matrices = get(client, scheme["href"])
    assert matrices["uri"] == QUAD
    for limits, matrix in zip(content["tileMatrixSetLimits"], matrices["tileMatrices"], strict=False):
        assert 0 <= limits["minTileRow"] <= limits["maxTileRow"] < matrix["matrixHeight"]
        assert 0 <= limits["minTileCol"] <= limits["maxTileCol"] < matrix["matrixWidth"]
    (item,) = links(content, "item")
    assert item["templated"] is True
    assert all(part in item["href"] for part in PARTS.split("/"))
    assert get(client, links(content, "self")[0]["href"]) == content


@pytest.mark.parametrize("level", LEVELS)
def test_tileset_links(client: FlaskClient, level: str) -> None:
    """Each entry of the list says its data and system, and leads to the whole description."""
    address = f"/api/collections/{level}/tiles"
    listed = get(client, address)["tilesets"]
    assert listed
    for entry in listed:
        assert {"dataType", "crs", "tileMatrixSetURI"} <= entry.keys()
        (itself,), (scheme,) = links(entry, "self"), links(entry, SCHEME)
        assert itself["href"] == f"http://localhost{address}/WebMercatorQuad"
        whole = get(client, itself["href"])
        assert all(whole[name] == entry[name] for name in entry)
        assert get(client, scheme["href"])["id"] == "WebMercatorQuad"


@pytest.mark.parametrize("level", LEVELS)
def test_operation(client: FlaskClient, level: str) -> None:
    """A list of at least one tileset below the collection itself."""
    assert len(get(client, f"/api/collections/{level}/tiles")["tilesets"]) >= 1


@pytest.mark.parametrize("level", LEVELS)
def test_desc_links(client: FlaskClient, level: str) -> None:
    (link,) = links(get(client, f"/api/collections/{level}"), TILESETS)
    assert link["href"] == f"http://localhost/api/collections/{level}/tiles"
    assert not links(get(client, "/api/collections/implementations"), TILESETS)


# --- mvt, oas30 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_mvt_content(client: FlaskClient, level: str) -> None:
    """A tile of version 2 with one layer, named as the tileset says: the bytes of its tags 15 and 1."""
    body = tile(client, level, MUENSTER).data
    assert body[0] == 0x1A  # the field of a layer
    assert b"\x78\x02" in body  # its version, 2
    name = level.encode()
    assert b"\x0a" + bytes([len(name)]) + name in body
    assert tileset(client, level)["layers"][0]["id"] == level


def test_tiles_completeness(client: FlaskClient) -> None:
    """The paths of tiles, tilesets and their lists, with the parameters of the place."""
    document = get(client, "/api/openapi.json")
    base = "/collections/{collectionId}/tiles"
    for path in (base, f"{base}/WebMercatorQuad", f"{base}/WebMercatorQuad/{PARTS}"):
        described = document["paths"][path]["get"]["parameters"]
        names = {reference["$ref"].rsplit("/", 1)[1] for reference in described}
        assert set(re.findall(r"{(\w+)}", path)) <= names


def test_operation_id(client: FlaskClient) -> None:
    """The suffixes by which a client finds the operations."""
    ids = [item["get"]["operationId"] for item in get(client, "/api/openapi.json")["paths"].values()]
    for suffix in (
        ".collection.vector.getTileSetsList",
        ".collection.vector.getTileSet",
        ".collection.vector.getTile",
        "getTileMatrixSetsList",
        "getTileMatrixSet",
    ):
        assert len([id_ for id_ in ids if id_.endswith(suffix)]) == 1, suffix
