"""FlatGeobuf, GeoPackage and CSV of a level, opened by GDAL and compared with the GeoJSON."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from mapservice import create_app, vector_files
from mapservice.database import Database
from mapservice.domain import Audience
from tests.entries import add_entry, add_service, set_publication
from tests.recount.compare import SUBJECTS
from tests.test_api import MUENSTER, fill

# GDAL would like the ending .gpkg for a file in memory too.
pytestmark = pytest.mark.filterwarnings("ignore:File /vsimem/")
BINARY = ("fgb", "gpkg")
QUERIES = (
    "districts?",
    "municipalities?measure=share&columns=subjects&within=05570&within=05515",
    "districts?measure=status&service=10500&crs=EPSG:25832",
    "districts?measure=spread&service=10500&scope=available&detail=1000&lang=en",
    "states?crs=http://www.opengis.net/def/crs/EPSG/0/25833&status=open",
)
LICENCE = "https://lizenz.example/?a=1&b=2"


@pytest.fixture(scope="module")
def app(module_boundaries: Database) -> Iterator[Flask]:
    fill(module_boundaries)
    app = create_app(replace(module_boundaries.settings, data_licence=LICENCE), module_boundaries)
    yield app
    app.extensions["mapservice"].versions.close()


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def address(query: str, ending: str) -> str:
    level, _, rest = query.partition("?")
    return f"/api/layers/{level}.{ending}?{rest}"


def geojson(client: FlaskClient, query: str) -> Any:
    response = client.get(address(query, "geojson"))
    assert response.status_code == 200, response.text
    return json.loads(response.data)


def frame(client: FlaskClient, query: str, ending: str) -> gpd.GeoDataFrame:
    response = client.get(address(query, ending))
    assert response.status_code == 200, response.text
    return pyogrio.read_dataframe(io.BytesIO(response.data), layer=query.partition("?")[0])


def plain(value: Any) -> Any:
    return None if pd.isna(value) else value


@pytest.mark.parametrize("ending", BINARY)
@pytest.mark.parametrize("query", QUERIES)
def test_the_file_has_the_areas_values_and_shapes_of_the_geojson(
    client: FlaskClient, query: str, ending: str
) -> None:
    wanted = geojson(client, query)
    found = frame(client, query, ending)
    shapes = gpd.GeoDataFrame.from_features(wanted["features"]).geometry
    by_key = {
        feature["id"]: (feature["properties"], shape)
        for feature, shape in zip(wanted["features"], shapes, strict=True)
    }
    assert found["key"].is_unique
    assert set(found["key"]) == by_key.keys()
    assert list(found.columns) == ["key", *wanted["features"][0]["properties"], "geometry"]
    for row in found.to_dict("records"):
        properties, shape = by_key[row["key"]]
        assert {name: plain(row[name]) for name in properties} == properties
        # GeoJSON has millimetres, or the 1e-5 degrees that are stored.
        assert row["geometry"].hausdorff_distance(shape) < (1e-9 if found.crs.is_geographic else 0.002)
    system = found.crs.to_epsg()
    assert system == (25832 if "25832" in query else 25833 if "25833" in query else 4326)


@pytest.mark.parametrize("ending", BINARY)
def test_longitude_comes_first_in_files(client: FlaskClient, ending: str) -> None:
    """Both formats say so, whatever the order of the system's axes."""
    for crs in ("EPSG:4326", "http://www.opengis.net/def/crs/EPSG/0/4326"):
        response = client.get(f"/api/layers/states.{ending}?crs={crs}")
        assert "CRS84" in response.headers["Content-Crs"]
        west, south, east, north = frame(client, f"states?crs={crs}", ending).total_bounds
        assert 5 < west < east < 16
        assert 47 < south < north < 56


@pytest.mark.parametrize("query", QUERIES[:4])
def test_the_csv_has_the_values_of_the_geojson(client: FlaskClient, query: str) -> None:
    query = "&".join(part for part in query.split("&") if not part.startswith(("crs=", "detail=")))
    wanted = {feature["id"]: feature["properties"] for feature in geojson(client, query)["features"]}
    response = client.get(address(query, "csv"))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8"), newline="")))
    names = list(next(iter(wanted.values())))
    assert list(rows[0]) == ["key", *names, "attribution", "data_licence", "demonstration"]
    assert len(rows) == len(wanted)
    for row in rows:
        said = wanted[row["key"]]
        assert {name: row[name] for name in names} == {
            name: "" if said[name] is None else str(said[name]) for name in names
        }
        assert "BKG" in row["attribution"]
        assert (row["data_licence"], row["demonstration"]) == (LICENCE, "false")


def test_keys_of_the_csv_stay_text_where_its_types_are_beside_it(client: FlaskClient, tmp_path: Path) -> None:
    """As GDAL and QGIS read both: leading zeros stay, numbers are numbers."""
    for ending in ("csv", "csvt"):
        response = client.get(f"/api/layers/districts.{ending}?columns=subjects")
        assert response.status_code == 200
        (tmp_path / f"districts.{ending}").write_bytes(response.data)
    read = pyogrio.read_dataframe(tmp_path / "districts.csv").set_index("key")
    assert read.loc["05515", "services_online"] == 1
    assert read["services_online"].dtype.kind in "if"
    assert read.loc["05515", "ags"] == "05515000"
    assert {read[name].dtype.kind for name in SUBJECTS} <= set("if")
    layer = pyogrio.read_dataframe(
        io.BytesIO(client.get("/api/layers/districts.fgb?detail=1000").data)
    ).set_index("key")
    joined = layer[["geometry"]].join(read)
    assert joined.loc["05515", "services_online"] == 1
    assert joined["ars"].notna().all()


def test_columns_do_not_depend_on_the_data(boundaries_loaded: Database) -> None:
    """A project that was made while nothing was there fits later."""
    app = create_app(boundaries_loaded.settings, boundaries_loaded)
    client = app.test_client()
    query = "districts?columns=subjects"
    empty = {ending: frame(client, query, ending).dtypes for ending in BINARY}
    head = client.get(address(query, "csv")).data.split(b"\r\n")[0]
    fill(boundaries_loaded)
    response = client.get(address(query, "csv"))
    while b",1," not in response.data:
        response = client.get(address(query, "csv"))
    assert response.data.split(b"\r\n")[0] == head
    for ending in BINARY:
        later = frame(client, query, ending).dtypes
        # A column of integers with gaps is read as floats.
        kinds = [[d.kind.replace("i", "f") for d in dtypes[:-1]] for dtypes in (empty[ending], later)]
        assert list(empty[ending].index) == list(later.index)
        assert kinds[0] == kinds[1]
    app.extensions["mapservice"].versions.close()


@pytest.mark.parametrize("ending", BINARY)
def test_the_file_says_whose_it_is(client: FlaskClient, ending: str) -> None:
    wanted = geojson(client, QUERIES[1])
    data = client.get(address(QUERIES[1], ending)).data
    info = pyogrio.read_info(io.BytesIO(data), layer="municipalities")
    said = info["layer_metadata"]
    title = said["IDENTIFIER" if ending == "gpkg" else "TITLE"]
    assert title == wanted["title"]
    assert wanted["attribution"] in said["DESCRIPTION"]
    assert LICENCE in said["DESCRIPTION"]
    for name in ("attribution", "geometry_licence", "data_licence", "data_as_of", "boundaries_as_of"):
        assert said[name] == wanted[name]
    assert said["demonstration"] == "false"
    if ending == "gpkg":
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(data)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (changed,) = connection.execute("SELECT DISTINCT last_change FROM gpkg_contents").fetchall()
        assert changed[0][:19] == wanted["data_as_of"][:19]


def test_a_geopackage_brings_the_style_of_the_map(client: FlaskClient) -> None:
    """QGIS takes it from the table layer_styles; every class of the data has its colour."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(client.get("/api/layers/districts.gpkg?measure=share").data)
        rows = connection.execute(
            "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML, styleSLD FROM layer_styles"
        ).fetchall()
        classes = {row[0] for row in connection.execute("SELECT class FROM districts")}
        (column,) = connection.execute("SELECT column_name FROM gpkg_geometry_columns").fetchone()
    ((table, geometry, default, qml, sld),) = rows
    assert (table, geometry, default) == ("districts", column, 1)
    categories = {item.get("value") for item in ET.fromstring(qml).iter("category")}
    assert classes <= categories
    assert "StyledLayerDescriptor" in ET.fromstring(sld).tag
    # Limits that are computed from the data of this day fit no other: then the file has no style.
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(client.get("/api/layers/districts.gpkg?method=quantile").data)
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "districts" in tables
    assert "layer_styles" not in tables


@pytest.mark.parametrize("ending", [*BINARY, "csv"])
def test_the_same_address_gives_the_same_bytes_in_every_worker(
    client: FlaskClient, app: Flask, ending: str
) -> None:
    first = client.get(f"/api/layers/districts.{ending}")
    other = create_app(app.extensions["mapservice"].settings, app.extensions["mapservice"].database)
    again = other.test_client().get(f"/api/layers/districts.{ending}")
    assert first.headers["ETag"] == again.headers["ETag"]
    assert first.data == again.data
    same = client.get(f"/api/layers/districts.{ending}", headers={"If-None-Match": first.headers["ETag"]})
    assert same.status_code == 304
    other.extensions["mapservice"].versions.close()


@pytest.mark.parametrize("ending", BINARY)
def test_parts_of_a_file_may_be_asked_for(client: FlaskClient, ending: str) -> None:
    whole = client.get(f"/api/layers/districts.{ending}")
    assert whole.headers["Accept-Ranges"] == "bytes"
    headers = {"Range": "bytes=100-299", "Accept-Encoding": "gzip, br"}
    part = client.get(f"/api/layers/districts.{ending}", headers=headers)
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(whole.data)}"
    assert part.data == whole.data[100:300]
    stale = client.get(f"/api/layers/districts.{ending}", headers={**headers, "If-Range": '"another"'})
    assert (stale.status_code, stale.data) == (200, whole.data)
    beyond = client.get(f"/api/layers/districts.{ending}", headers={"Range": "bytes=999999999-"})
    assert beyond.status_code == 416
    assert json.loads(beyond.data)["description"]
    packed = client.get(f"/api/layers/districts.{ending}", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(whole.data)
    asked = client.options(f"/api/layers/districts.{ending}")
    assert "Range" in asked.headers["Access-Control-Allow-Headers"]


REMOTE = """
import json, sys
import pyogrio
address = sys.argv[1]
found = {}
for ending in ("fgb", "gpkg"):
    source = f"/vsicurl/{address}/api/layers/municipalities.{ending}"
    everything = pyogrio.read_dataframe(source, layer="municipalities")
    box = pyogrio.read_dataframe(source, layer="municipalities", bbox=(7.62, 51.95, 7.63, 51.96))
    found[ending] = [len(everything), list(box["name"])]
print(json.dumps(found))
"""


def test_gdal_opens_the_address_itself(app: Flask) -> None:
    """As QGIS does for a vector layer of type HTTP: it fetches the parts that it needs."""
    asked: list[tuple[str, str]] = []

    def recording(environ: Any, start_response: Any) -> Any:
        asked.append((environ["PATH_INFO"], environ.get("HTTP_RANGE", "")))
        return app.wsgi_app(environ, start_response)

    server = make_server("127.0.0.1", 0, recording, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        done = subprocess.run(
            [sys.executable, "-c", REMOTE, f"http://127.0.0.1:{server.server_port}"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for ending in BINARY:
        assert found[ending][0] == 91
        assert "Münster" in found[ending][1]
        assert len(found[ending][1]) < 5
        assert any(path.endswith(ending) and part for path, part in asked), asked


@pytest.mark.parametrize("ending", [*BINARY, "csv"])
def test_made_up_data_and_formulas_are_marked(boundaries_loaded: Database, ending: str) -> None:
    """A name that a spreadsheet would compute is text, and each file says that its data are made up."""
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500")
        set_publication(connection, MUENSTER)
        add_entry(connection, MUENSTER, "10500", demonstration=True)
        connection.exec_driver_sql("UPDATE boundary SET name = '=1+1' WHERE key = '05515'")
    app = create_app(replace(boundaries_loaded.settings, data_licence=LICENCE), boundaries_loaded)
    client = app.test_client()
    response = client.get(f"/api/layers/districts.{ending}")
    app.extensions["mapservice"].versions.close()
    if ending == "csv":
        rows = {row["key"]: row for row in csv.DictReader(io.StringIO(response.data.decode()))}
        assert rows["05515"]["name"] == "'=1+1"
        assert {(row["demonstration"], row["data_licence"]) for row in rows.values()} == {("true", "")}
        return
    said = pyogrio.read_info(io.BytesIO(response.data), layer="districts")["layer_metadata"]
    for name in ("IDENTIFIER" if ending == "gpkg" else "TITLE", "DESCRIPTION"):
        assert "Demonstrationsdaten" in said[name]
    assert "data_licence" not in said


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("districts.fgb?crs=EPSG:31467", "crs"),
        ("districts.csv?crs=EPSG:25832", "crs"),
        ("districts.csvt?detail=100", "detail"),
        ("districts.gpkg?columns=all", "columns"),
        ("districts.gpkg?columns=subjects&columns=subjects", "columns"),
        ("districts.fgb?limit=5", "limit"),
        ("wards.gpkg", "level"),
    ],
)
def test_what_a_file_cannot_be_is_refused(client: FlaskClient, path: str, parameter: str) -> None:
    response = client.get(f"/api/layers/{path}")
    assert response.status_code == (404 if parameter == "level" else 400)
    assert json.loads(response.data)["parameter"] == parameter


def test_nobody_waits_with_a_connection_while_a_file_is_written(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL starts when the connection has been given back."""
    pool: Any = client.application.extensions["mapservice"].database._reading_engine(Audience.PUBLIC).pool
    held: list[int] = []
    written = vector_files._written

    def watching(*arguments: Any) -> bytes:
        held.append(pool.checkedout())
        return written(*arguments)

    monkeypatch.setattr(vector_files, "_written", watching)
    assert client.get("/api/layers/states.fgb?detail=100&measure=share").status_code == 200
    assert held == [0]
