"""Layers and styles to copy from /einbinden: well-formed, and their addresses give what the styles expect."""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from mapservice import create_app
from mapservice.database import Database
from tests.entries import add_entry, add_service
from tests.test_api import MUENSTER, fill

HOSTILE = "eigen:a\"><script>&x=1</script>'${1}"
ROOT = "https://karten.example/ozg"
FILTER = "level=municipalities&measure=share&status=online&status=planned&within=05570&within=05515"
FILES = {
    "masterportal.zip", "services.json", "style.json", "ozg-landkarte.qlr", "ozg-landkarte.qml",
    "ozg-landkarte.sld", "ozg-landkarte-1.1.sld", "openlayers.js", "maplibre.js", "legende.svg",
}  # fmt: skip


@pytest.fixture(scope="module")
def app(module_boundaries: Database) -> Iterator[Flask]:
    fill(module_boundaries)
    with module_boundaries.owner() as connection:
        add_service(connection, HOSTILE, name='Böse "]]> </textarea><b>\x85')
        add_entry(connection, MUENSTER, HOSTILE)
    app = create_app(
        replace(module_boundaries.settings, public_url=ROOT, data_licence="https://lizenz.example/?a=1&b=2"),
        module_boundaries,
    )
    yield app
    app.extensions["mapservice"].versions.close()


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def get(client: FlaskClient, address: str) -> str:
    response = client.get(address.removeprefix(ROOT))
    assert response.status_code == 200, response.text
    return response.text


def classes_at(client: FlaskClient, address: str) -> set[str]:
    assert address.startswith(f"{ROOT}/api/")
    return {feature["properties"]["class"] for feature in json.loads(get(client, address))["features"]}


def codes(style: dict[str, Any]) -> set[str]:
    return {rule["conditions"]["properties"]["class"] for rule in style["rules"]}


@pytest.mark.parametrize("query", [FILTER, "", "measure=status&service=10500", "scope=available&lang=en"])
def test_masterportal_entries_give_features_that_the_style_knows(client: FlaskClient, query: str) -> None:
    services = json.loads(get(client, f"/einbinden/services.json?{query}"))
    styles = {item["styleId"]: item for item in json.loads(get(client, f"/einbinden/style.json?{query}"))}
    plain, oaf, tiles = services
    assert (plain["typ"], oaf["typ"], tiles["typ"]) == ("GeoJSON", "OAF", "VectorTile")
    seen = classes_at(client, plain["url"])
    assert seen
    assert seen <= codes(styles[plain["styleId"]])
    assert {item["styleId"] for item in (plain, oaf)} == set(styles)
    assert "BKG" in plain["layerAttribution"]
    assert "lizenz.example/?a=1&amp;b=2" in plain["layerAttribution"]
    features = json.loads(get(client, plain["url"]))["features"]
    assert plain["gfiAttributes"].keys() <= features[0]["properties"].keys()
    for rule in styles[plain["styleId"]]["rules"]:
        assert rule["style"]["legendValue"]
        assert len(rule["style"]["polygonFillColor"]) == 4
    # The address as the Masterportal makes it: path of the collection behind the url, params set one by one.
    parts = urlsplit(oaf["url"])
    asked = urlencode({"limit": oaf["limit"], **oaf.get("params", {})})
    response = client.get(
        f"{parts.path.removeprefix('/ozg')}/collections/{oaf['collection']}/items",
        query_string="&".join(filter(None, (parts.query, asked))),
    )
    assert response.status_code == 200, response.text
    found = json.loads(response.text)["features"]
    assert {item["id"]: item["properties"] for item in found} == {
        item["id"]: item["properties"] for item in features
    }


@pytest.mark.parametrize("query", [FILTER, "", "measure=status&service=10500", "scope=available&lang=en"])
def test_masterportal_tiles_have_grid_style_and_legend(client: FlaskClient, query: str) -> None:
    """Tile by tile as the portal asks for them; what is shown of an area is in the tiles."""
    *_others, entry = json.loads(get(client, f"/einbinden/services.json?{query}"))
    assert entry["id"].endswith("-vt")
    assert entry["epsg"] == "EPSG:3857"
    # The tile of 512 pixels over Münster, from grid, origin and resolutions alone.
    zoom, x, y = 7, 849_000, 6_788_000
    side = entry["resolutions"][zoom] * entry["tileSize"]
    column, row = int((x - entry["origin"][0]) / side), int((entry["origin"][1] - y) / side)
    address = entry["url"].replace("{z}", str(zoom)).replace("{x}", str(column)).replace("{y}", str(row))
    response = client.get(address.removeprefix(ROOT))
    assert response.status_code == 200
    assert "Münster".encode() in response.data
    fields = entry["gfiAttributes"]
    assert all(name.encode() in response.data for name in fields if name != "reason")
    assert all(fields.values())
    (style,) = entry["vtStyles"]
    assert style["defaultStyle"] is True
    made = json.loads(get(client, style["url"]))
    assert {layer["source-layer"] for layer in made["layers"]} == {urlsplit(entry["url"]).path.split("/")[4]}
    picture = ET.fromstring(get(client, entry["legend"]))
    space = "{http://www.w3.org/2000/svg}"
    labels = [item.text for item in picture.iter(f"{space}text")]
    assert labels == [item["label"] for item in made["metadata"]["legend"]]
    colours = [item.get("fill") for item in picture.iter(f"{space}rect")]
    assert colours == [item["colour"] for item in made["metadata"]["legend"]]


def test_one_folder_holds_all_subject_areas(client: FlaskClient) -> None:
    """A chosen service is left out, and a measure of one service becomes a count."""
    response = client.get("/einbinden/masterportal.zip?measure=status&service=10500&je=themenfeld")
    assert response.headers["Content-Disposition"] == 'attachment; filename="masterportal.zip"'
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        files = {name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist()}
    services, styles = json.loads(files["services.json"]), json.loads(files["style.json"])
    assert len(styles) == 14
    assert len({item["id"] for item in services}) == 42
    by_id = {item["id"]: item for item in services}
    (folder,) = json.loads(files["config.json"])["layerConfig"]["subjectlayer"]["elements"]
    assert [by_id[item["id"]]["typ"] for item in folder["elements"]] == ["GeoJSON"] * 14
    assert [item["visibility"] for item in folder["elements"]] == [True, *[False] * 13]
    (older,) = json.loads(files["config-version-2.json"])["Themenconfig"]["Fachdaten"]["Ordner"]
    assert [item["id"] for item in older["Layer"]] == [item["id"] for item in folder["elements"]]
    known = {item["styleId"]: codes(item) for item in styles}
    for item in (by_id[folder["elements"][0]["id"]], by_id[folder["elements"][7]["id"]]):
        assert item["url"].startswith(f"{ROOT}/api/layers/districts.geojson?subject=")
        assert classes_at(client, item["url"]) <= known[item["styleId"]]


def test_a_qgis_definition_has_the_layers_with_source_and_style(client: FlaskClient) -> None:
    text = get(client, f"/einbinden/ozg-landkarte.qlr?{FILTER}&je=themenfeld")
    assert text.split("\n")[1] == "<!DOCTYPE qgis-layer-definition>"
    root = ET.fromstring(text)
    in_tree = root.findall("./layer-tree-group/layer-tree-group/layer-tree-layer")
    layers = {item.findtext("id"): item for item in root.findall("./maplayers/maplayer")}
    assert [item.get("id") for item in in_tree] == list(layers)
    assert len(layers) == 14
    for item in in_tree:
        layer = layers[item.get("id")]
        assert item.get("source") == layer.findtext("datasource")
        assert layer.findtext("provider") == "ogr"
        # By these QGIS finds the system; without, it draws degrees into a map in metres.
        system = layer.find("srs/spatialrefsys")
        assert system is not None
        assert (system.findtext("srsid"), system.findtext("authid")) == ("3452", "EPSG:4326")
        values = {category.get("value") for category in layer.iter("category")}
        symbols = {category.get("symbol") for category in layer.iter("category")}
        assert symbols == {symbol.get("name") for symbol in layer.iter("symbol")}
    assert classes_at(client, str(in_tree[0].get("source"))) <= values
    style = ET.fromstring(get(client, f"/einbinden/ozg-landkarte.qml?{FILTER}"))
    assert style.find("renderer-v2").get("attr") == "class"  # type: ignore[union-attr]


def test_gdal_opens_the_source_as_qgis_does(app: Flask) -> None:
    server = make_server("127.0.0.1", 0, app.wsgi_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        text = get(app.test_client(), f"/einbinden/ozg-landkarte.qlr?{FILTER}")
        source = str(ET.fromstring(text).findtext("./maplayers/maplayer/datasource"))
        code = "import sys, pyogrio; f = pyogrio.read_dataframe(sys.argv[1]); print(len(f), 'class' in f)"
        local = source.replace(ROOT, f"http://127.0.0.1:{server.server_port}")
        done = subprocess.run(
            [sys.executable, "-c", code, local], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        server.shutdown()
        thread.join()
    expected = len(json.loads(get(app.test_client(), source))["features"])
    assert done.stdout.split() == [str(expected), "True"], done.stderr


@pytest.mark.parametrize(
    ("name", "version"), [("ozg-landkarte.sld", "1.0.0"), ("ozg-landkarte-1.1.sld", "1.1.0")]
)
def test_sld_has_a_rule_for_every_class(client: FlaskClient, name: str, version: str) -> None:
    root = ET.fromstring(get(client, f"/einbinden/{name}?{FILTER}"))
    assert root.get("version") == version
    rules = {item.text for item in root.iter("{http://www.opengis.net/ogc}Literal")}
    assert classes_at(client, f"{ROOT}/api/layers/municipalities.geojson?measure=share") <= rules
    space = "http://www.opengis.net/se" if version == "1.1.0" else "http://www.opengis.net/sld"
    assert len(list(root.iter(f"{{{space}}}Rule"))) == len(rules)


def test_hostile_names_stay_text(client: FlaskClient) -> None:
    chosen = {"service": HOSTILE, "level": "districts"}
    for name in sorted(FILES):
        response = client.get(f"/einbinden/{name}", query_string=chosen)
        assert response.status_code == 200, name
        if name.endswith(".js"):
            assert "<" not in response.text.replace("=>", "")
    source = ET.fromstring(client.get("/einbinden/ozg-landkarte.qlr", query_string=chosen).data)
    address = str(source.findtext("./maplayers/maplayer/datasource"))
    assert not re.search(r"[\s\"<>']", address)
    assert classes_at(client, address)
    assert "Böse" in str(source.findtext("./maplayers/maplayer/layername"))
    page = client.get("/einbinden", query_string=chosen).text
    assert "</textarea><b>" not in page
    shown = re.search(r'<textarea[^>]*id="text-services"[^>]*>(.*?)</textarea>', page, re.S)
    assert shown
    assert json.loads(html.unescape(shown[1]))[0]["url"] == address


def test_the_page_leads_to_every_file_and_classes_stay_fixed(client: FlaskClient) -> None:
    page = get(client, f"/einbinden?{FILTER}&method=quantile&classes=3")
    links = [html.unescape(link) for link in re.findall(r'href="([^"]*/einbinden/[^"]*)"', page)]
    assert {urlsplit(link).path.rpartition("/")[2] for link in links} == FILES - {
        "services.json", "style.json", "openlayers.js", "maplibre.js"
    }  # fmt: skip
    for link in links:
        assert client.get(link.removeprefix("/ozg")).status_code == 200, link
    (entry, _oaf, _tiles) = json.loads(
        get(client, f"/einbinden/services.json?{FILTER}&method=quantile&classes=3")
    )
    assert "method" not in entry["url"]
    assert entry["url"].count("status=") == 2
    assert client.get("/einbinden/style.json?measure=falsch").status_code == 400
    assert client.get("/einbinden/ozg-landkarte.qml?je=themenfeld").status_code == 400
    assert client.get("/einbinden/anderes.json").status_code == 404
