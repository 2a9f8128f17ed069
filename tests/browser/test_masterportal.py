"""The Masterportal's own library draws the layers of our services.json in the colours of our style.json."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.test_snippets import FRAME, MODULES, context, read, shown  # noqa: F401 - a fixture
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(
    not (MODULES / "@masterportal").exists(), reason="no clients: scripts/test fetches them"
)
MAP = """
import {createMap} from "@masterportal/masterportalapi/src/maps/ol/olMap.js";
import createStyle from "@masterportal/masterportalapi/src/vectorStyle/createStyle.js";
import * as vectorTile from "@masterportal/masterportalapi/src/layer/vectorTile.js";
import services from "./services.json";
import styles from "./style.json";
import {typ} from "./typ.json";

const raw = services.find((entry) => entry.typ === typ);
const web = typ === "VectorTile";
const map = createMap({
  target: "map",
  layerConf: services,
  layers: [],
  epsg: web ? "EPSG:3857" : "EPSG:25832",
  extent: web ? [0, 5900000, 1800000, 7400000] : [-200000, 5000000, 1200000, 6300000],
  startCenter: web ? [849000, 6788000] : [405000, 5757000],
  startResolution: 264.5831904584105,
  options: [{resolution: 264.5831904584105, scale: 1000000, zoomLevel: 0}],
  namedProjections: [
    ["EPSG:25832", "+proj=utm +zone=32 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"],
  ],
});
const layer = map.addLayer(raw.id);
if (web) {
  const style = raw.vtStyles.find((entry) => entry.defaultStyle);
  const found = await (await fetch(style.url)).json();
  vectorTile.setStyle(layer, found, {options: {resolutions: raw.resolutions}}, style.url);
} else {
  const style = styles.find((entry) => entry.styleId === raw.styleId);
  layer.setStyle((feature) => createStyle.createStyle(style, feature, false));
}
const seen = () => {
  const inside = map.getView().calculateExtent(map.getSize());
  const features = web ? layer.getFeaturesInExtent(inside) : layer.getSource().getFeaturesInExtent(inside);
  return new Set(features.map((feature) => feature.get("name"))).size;
};
map.on("rendercomplete", () => { if (seen()) document.body.dataset.features = seen(); });
"""


@pytest.mark.parametrize("typ", ["GeoJSON", "OAF", "VectorTile"])
def test_the_library_of_the_masterportal_draws_the_layer(
    context: BrowserContext,  # noqa: F811
    site: str,
    tmp_path: Path,
    typ: str,
) -> None:
    for name in ("services.json", "style.json"):
        (tmp_path / name).write_text(read(f"{site}/einbinden/{name}?level=districts"))
    (tmp_path / "typ.json").write_text(json.dumps({"typ": typ}))
    (tmp_path / "main.js").write_text(MAP)
    (tmp_path / "nothing.js").write_text("export default {};")
    (tmp_path / "node_modules").symlink_to(MODULES)
    (esbuild,) = (ROOT / "node_modules").glob("@esbuild/*/bin/esbuild")
    subprocess.run(
        [
            esbuild, "main.js", "--bundle", "--format=esm", "--log-level=error", "--outfile=out.js",
            # The library reads a gazetteer's XML by it, which wants Node.
            "--alias:xml2js=./nothing.js",
        ],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    files: dict[str, str | Path] = {
        "": FRAME.format(script='import "/out.js";'),
        "out.js": tmp_path / "out.js",
    }
    number, colours = shown(context, files)
    styles = json.loads((tmp_path / "style.json").read_text())
    known = {tuple(rule["style"]["polygonFillColor"][:3]) for rule in styles[0]["rules"]}
    # Münster and its neighbours, in classes of ours; at 85 per cent over white.
    over_white = {tuple(round(part * 0.85 + 255 * 0.15) for part in colour) for colour in known}
    near = {
        wanted
        for wanted in over_white
        if any(max(abs(a - b) for a, b in zip(wanted, seen, strict=True)) <= 1 for seen in colours)
    }
    assert number >= 3
    assert len(near) >= 2, (sorted(colours), sorted(over_white))
