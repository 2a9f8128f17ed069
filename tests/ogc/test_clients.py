"""Real clients of OGC API - Features, on a running server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.ogc.asking import LEVELS

READ_ALL = """
import json, sys
import pyogrio
address, layer, target = sys.argv[1:4]
if "OAPIF" not in pyogrio.list_drivers():
    print("no driver")
    sys.exit()
frame = pyogrio.read_dataframe(f"OAPIF:{address}", layer=layer, PAGE_SIZE=10)
pyogrio.write_dataframe(frame, target, driver="GPKG")
box = pyogrio.read_dataframe(f"OAPIF:{address}", layer=layer, bbox=(7.6, 51.94, 7.65, 51.98))
layers = [name for name, _ in pyogrio.list_layers(f"OAPIF:{address}")]
stored = pyogrio.read_dataframe(target)
print(json.dumps({
    "layers": layers,
    "ars": sorted(stored["ars"]),
    "names": sorted(stored["name"]),
    "bounds": list(stored.total_bounds),
    "crs": str(stored.crs),
    "in_box": sorted(box["name"]),
}))
"""


@pytest.fixture(scope="module")
def live(app: Flask) -> Iterator[tuple[str, list[str]]]:
    """The address of a running server, and the requests that it got."""
    asked: list[str] = []

    def recording(environ: Any, start_response: Any) -> Any:
        asked.append(f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}")
        return app.wsgi_app(environ, start_response)

    server = make_server("127.0.0.1", 0, recording, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api", asked
    server.shutdown()
    thread.join()


def test_gdal_reads_all_pages_into_a_geopackage(live: tuple[str, list[str]], tmp_path: Path) -> None:
    """GDAL's own OAPIF driver finds the layers, follows `next` to the end, and sends its box along."""
    address, asked = live
    target = tmp_path / "municipalities.gpkg"
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, address, "municipalities", str(target)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if done.stdout.strip() == "no driver":
        pytest.skip("this GDAL has no OAPIF driver")
    found = json.loads(done.stdout)
    assert found["layers"] == [*LEVELS, "implementations"]
    assert len(found["ars"]) == len(set(found["ars"])) == 91
    assert "Telgte" in found["names"]
    assert "Münster" in found["in_box"]
    assert len(found["in_box"]) < 5
    west, south, east, north = found["bounds"]
    assert 5 < west < east < 16
    assert 47 < south < north < 56
    items = [request for request in asked if "/items?" in request]
    assert sum("cursor=" in request for request in items) >= 9
    assert any("bbox=" in request for request in items)


FILTERED = """
import json, sys
import pyogrio
address, target = sys.argv[1:3]
if "OAPIF" not in pyogrio.list_drivers():
    print("no driver")
    sys.exit()
frame = pyogrio.read_dataframe(
    f"OAPIF:{address}", layer="districts", where="services_online = 1 AND name = 'Münster'"
)
entries = pyogrio.read_dataframe(
    f"OAPIF:{address}", layer="implementations", where="service = '10500'", bbox=(7.61, 51.95, 7.63, 51.97)
)
pyogrio.write_dataframe(entries, target, driver="GPKG")
stored = pyogrio.read_dataframe(target)
types = {name: str(frame.dtypes[name]) for name in ("services_online", "share", "name")}
print(json.dumps({"names": list(frame["name"]), "entries": list(stored["authority_name"]), "types": types}))
"""


def test_gdal_pushes_attribute_and_spatial_filters_down(live: tuple[str, list[str]], tmp_path: Path) -> None:
    """It finds our parameters in the OpenAPI document, and sends values and box instead of reading all; what
    comes goes into a GeoPackage with the types of our schema.
    """
    address, asked = live
    asked.clear()
    done = subprocess.run(
        [sys.executable, "-c", FILTERED, address, str(tmp_path / "entries.gpkg")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if done.stdout.strip() == "no driver":
        pytest.skip("this GDAL has no OAPIF driver")
    found = json.loads(done.stdout)
    assert (found["names"], found["entries"]) == (["Münster"], ["Münster"])
    assert found["types"]["services_online"].startswith("int")
    assert found["types"]["share"] == "float64"
    items = [request for request in asked if "/items?" in request]
    # Of CQL2 it knows a draft alone, so it sends what is equal as parameters of their own.
    pushed = ("districts", "services_online=1", "name=M"), ("implementations", "service=10500", "bbox=")
    for parts in pushed:
        assert any(all(part in request for part in parts) for request in items), items
    # A first page is read for the fields; beyond that nothing but what was asked for.
    assert not any("cursor=" in request for request in items)


def test_owslib_reads_collections_queryables_and_filtered_items(live: tuple[str, list[str]]) -> None:
    from owslib.ogcapi.features import Features  # type: ignore[import-untyped]

    client = Features(live[0] + "/")
    assert [*LEVELS, "implementations"] == client.feature_collections()
    assert "services_online" in client.collection_queryables("districts")["properties"]
    page = client.collection_items("districts", filter="state = 'Bremen' AND name LIKE 'Bremer%'", limit=5)
    assert [feature["properties"]["name"] for feature in page["features"]] == ["Bremerhaven"]
    assert client.collection_item("districts", "05515")["properties"]["name"] == "Münster"
