"""Vector tiles, as GDAL reads them: what they show, where they end, what they say of themselves."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyogrio.raw
import pytest
import shapely
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from tests.entries import INTERNAL, add_entry, change_entry
from tests.test_api import WARENDORF, fill

QUAD = "tiles/WebMercatorQuad"
DISTRICTS = f"/api/collections/districts/{QUAD}"
WORLD = 2 * math.pi * 6378137


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    app = create_app(module_boundaries.settings, fill(module_boundaries))
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


def get(client: FlaskClient, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return json.loads(response.data)


def at(zoom: int, longitude: float, latitude: float) -> tuple[int, int]:
    """Row and column of the tile there."""
    y = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2
    return math.floor(y * 2**zoom), math.floor((longitude + 180) / 360 * 2**zoom)


def areas(body: bytes, zoom: int, row: int, column: int, folder: Path) -> list[dict[str, Any]]:
    """The features of a tile, their geometry in EPSG:3857."""
    path = folder / "tile.mvt"
    path.write_bytes(body)
    # GDAL must be told which tile a file holds, and to leave the buffer.
    where = {"X": column, "Y": row, "Z": zoom, "CLIP": "NO"}
    meta, _fids, shapes, columns = pyogrio.raw.read(path, **where)
    rows: list[dict[str, Any]] = []
    for number, shape in enumerate(shapes):
        values = {name: column[number] for name, column in zip(meta["fields"], columns, strict=True)}
        known = {name: value for name, value in values.items() if value is not None and value == value}
        rows.append({**known, "shape": shapely.from_wkb(shape)})
    return rows


def read(
    client: FlaskClient, level: str, zoom: int, place: tuple[int, int], folder: Path, query: str = ""
) -> Any:
    row, column = place
    response = client.get(f"/api/collections/{level}/{QUAD}/{zoom}/{row}/{column}{query}")
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/vnd.mapbox-vector-tile"
    return areas(response.data, zoom, row, column, folder)


MUENSTER_TILE = at(7, 7.63, 51.96)


@pytest.mark.parametrize("query", ["", "?measure=share&scope=available", "?service=10500&measure=status"])
def test_a_tile_says_what_the_values_say(client: FlaskClient, tmp_path: Path, query: str) -> None:
    said = get(client, f"/api/values/districts{query}")
    features = {
        item["id"]: item["properties"]
        for item in get(client, f"/api/layers/districts.geojson{query}")["features"]
    }
    found = read(client, "districts", 7, MUENSTER_TILE, tmp_path, query)
    assert {"05515", "05570"} <= {area["key"] for area in found}
    for area in found:
        key = area["key"]
        assert area["name"] == features[key]["name"]
        assert area["class"] == features[key]["class"]
        assert area.get("reason") == said["reasons"].get(key)
        if key in said["values"]:
            if "status" in area:
                assert area["status"] == said["values"][key]
            else:
                of = area["of"] if "share" in query else 1
                assert round(area["n"] / of, 3) == said["values"][key]


def test_neighbouring_tiles_meet(client: FlaskClient, tmp_path: Path) -> None:
    """The buffers overlap: there both tiles must have the same shapes to the last step."""
    zoom = 9
    row, column = at(zoom, 7.63, 51.96)
    size = WORLD / 2**zoom
    edge = -WORLD / 2 + (column + 1) * size
    strip = shapely.box(
        edge - 60 / 4096 * size,
        WORLD / 2 - (row + 0.99) * size,
        edge + 60 / 4096 * size,
        WORLD / 2 - (row + 0.01) * size,
    )
    sides = []
    for number in (column, column + 1):
        found = read(client, "municipalities", zoom, (row, number), tmp_path)
        sides.append({area["key"]: area["shape"].intersection(strip) for area in found})
    both = [key for key in sides[0].keys() & sides[1].keys() if not sides[0][key].is_empty]
    assert len(both) >= 3
    for key in both:
        missing = sides[0][key].symmetric_difference(sides[1][key]).area
        assert missing < 1e-3 * strip.area, key
        corners = [{tuple(xy) for xy in shapely.get_coordinates(side[key]).round(2)} for side in sides]
        inner = [{xy for xy in points if abs(xy[0] - edge) < 55 / 4096 * size} for points in corners]
        assert inner[0] == inner[1]


def test_within_leaves_others_out(client: FlaskClient, tmp_path: Path) -> None:
    found = read(client, "districts", 7, MUENSTER_TILE, tmp_path, "?within=05515")
    assert [area["key"] for area in found] == ["05515"]


@pytest.mark.parametrize("level", ["states", "districts", "associations", "municipalities"])
def test_every_level_and_zoom_answers(client: FlaskClient, level: str) -> None:
    for zoom in range(15):
        row, column = at(zoom, 7.63, 51.96)
        response = client.get(f"/api/collections/{level}/{QUAD}/{zoom}/{row}/{column}?f=mvt")
        # An area may be smaller than a step of the whole world's tile.
        assert response.status_code == 200 or zoom < 3, zoom
        assert len(response.data) <= 300_000


def test_nothing_and_nowhere(client: FlaskClient) -> None:
    sea = client.get(f"{DISTRICTS}/8/100/100")
    assert (sea.status_code, sea.data) == (204, b"")
    assert (
        client.get(f"{DISTRICTS}/8/100/100", headers={"If-None-Match": sea.headers["ETag"]}).status_code
        == 304
    )
    for place, wrong in (
        ("15/0/0", "tileMatrix"),
        ("x/0/0", "tileMatrix"),
        ("3/8/0", "tileRow, tileCol"),
        ("3/0/-1", "tileRow, tileCol"),
    ):
        response = client.get(f"{DISTRICTS}/{place}")
        assert response.status_code == 404
        assert json.loads(response.data)["parameter"] == wrong
    assert client.get("/api/collections/towns/tiles").status_code == 404
    for query in ("measure=x", "farbe=rot", "f=png", "f=mvt&f=mvt"):
        assert client.get(f"{DISTRICTS}/3/2/4?{query}").status_code == 400, query
    assert client.get(f"{DISTRICTS}/3/2/4?service=10999").status_code == 404


def test_what_is_internal_changes_no_public_tile(
    client: FlaskClient, module_boundaries: Database, tmp_path: Path
) -> None:
    address = f"{DISTRICTS}/7/{MUENSTER_TILE[0]}/{MUENSTER_TILE[1]}"
    before = client.get(address)
    with module_boundaries.owner() as connection:
        entry = add_entry(connection, WARENDORF, "10500", visibility=INTERNAL)
    after = client.get(address)
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    with module_boundaries.owner() as connection:
        change_entry(connection, entry, visibility=3)
    deadline = time.monotonic() + 5
    while (changed := client.get(address)).headers["ETag"] == before.headers["ETag"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert changed.data != before.data
    with module_boundaries.owner() as connection:
        change_entry(connection, entry, visibility=INTERNAL)


def test_tilesets_describe_themselves(client: FlaskClient) -> None:
    (listed,) = get(client, "/api/collections/districts/tiles?measure=share")["tilesets"]
    (itself,) = [link for link in listed["links"] if link["rel"] == "self"]
    tileset = get(client, itself["href"])
    assert tileset["tileMatrixSetURI"].endswith("/WebMercatorQuad")
    (item,) = [link for link in tileset["links"] if link["rel"] == "item"]
    assert item["templated"] is True
    limits = {entry["tileMatrix"]: entry for entry in tileset["tileMatrixSetLimits"]}["7"]
    assert limits["minTileRow"] <= MUENSTER_TILE[0] <= limits["maxTileRow"]
    assert limits["minTileCol"] <= MUENSTER_TILE[1] <= limits["maxTileCol"]
    places = {"tileMatrix": 7, "tileRow": MUENSTER_TILE[0], "tileCol": MUENSTER_TILE[1]}
    address = item["href"].format(**places)
    assert "measure=share" in address
    assert client.get(address).status_code == 200
    scheme = get(client, "/api/tileMatrixSets/WebMercatorQuad")
    assert scheme["tileMatrices"][0]["scaleDenominator"] == pytest.approx(559082264.0287178)
    assert get(client, "/api/tileMatrixSets")["tileMatrixSets"][0]["id"] == "WebMercatorQuad"


def test_tilejson_and_style_lead_to_tiles(client: FlaskClient) -> None:
    tilejson = get(client, f"{DISTRICTS}/tilejson.json?measure=share&scope=available")
    assert tilejson == get(client, f"{DISTRICTS}?f=tilejson&measure=share&scope=available")
    assert tilejson["tilejson"] == "3.0.0"
    assert (tilejson["minzoom"], tilejson["maxzoom"]) == (0, 14)
    assert "BKG" in tilejson["attribution"]
    (layer,) = tilejson["vector_layers"]
    assert (layer["id"], layer["fields"]["class"]) == ("districts", "String")
    style = get(client, "/api/styles/districts.json?measure=share&scope=available")
    assert style["version"] == 8
    (source,) = style["sources"].values()
    assert source["tiles"] == tilejson["tiles"]
    (address,) = source["tiles"]
    assert address.startswith("http://localhost/api/")
    tile = client.get(address.format(z=7, y=MUENSTER_TILE[0], x=MUENSTER_TILE[1]))
    assert tile.status_code == 200
    classes = get(client, "/api/values/districts?format=array&measure=share&scope=available")["classes"]
    match = style["layers"][0]["paint"]["fill-color"]
    colours = {label: colour for (label,), colour in zip(match[2:-1:2], match[3:-1:2], strict=True)}
    assert {item["class"]: item["colour"] for item in classes}.items() <= colours.items()
    assert len({colours[name] for name in ("no_data", "not_responsible", "unincorporated")}) == 3
    assert all(layer["source-layer"] == "districts" for layer in style["layers"])


def test_the_interface_leads_to_tiles(client: FlaskClient) -> None:
    collection = get(client, "/api/collections/districts")
    rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
    (found,) = [link for link in collection["links"] if link["rel"] == rel]
    assert client.get(found["href"]).status_code == 200
    paths = get(client, "/api/openapi.json")["paths"]
    assert "/collections/{collectionId}/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}" in paths
