"""The page that folium.Choropleth makes of all municipalities, behind granian, for benchmarks/map.py.

    FOLIUM_DATA=DIR python -m granian --interface wsgi --factory benchmarks.folium_page:application

DIR holds municipalities.geojson and rounded.geojson (id, name) and values.csv (key, n). `/` and `/rounded`
are finished pages, packed once; `/new?n=…` computes a page of other numbers, as a program does that answers a
filter by folium. Map and Choropleth are written as folium's manual has them, but without tiles, as there is
no network. The files that the page loads from foreign servers come from here, from npm's copies, packed too;
two small style sheets that npm does not have are empty, and fonts are left out.
"""

from __future__ import annotations

import gzip
import mimetypes
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import parse_qs

import folium
import numpy as np
import pandas as pd

PACKAGES = Path(__file__).resolve().parent / "node_modules"
FILES = {
    "leaflet": "leaflet/dist/leaflet.js",
    "jquery": "jquery/dist/jquery.min.js",
    "bootstrap": "bootstrap/dist/js/bootstrap.bundle.min.js",
    "awesome_markers": "leaflet.awesome-markers/dist/leaflet.awesome-markers.js",
    "leaflet_css": "leaflet/dist/leaflet.css",
    "bootstrap_css": "bootstrap/dist/css/bootstrap.min.css",
    "glyphicons_css": None,
    "awesome_markers_font_css": "@fortawesome/fontawesome-free/css/all.min.css",
    "awesome_markers_css": "leaflet.awesome-markers/dist/leaflet.awesome-markers.css",
    "awesome_rotate_css": None,
    "d3": "d3/d3.min.js",
}
D3 = "https://cdnjs.cloudflare.com/ajax/libs/d3/3.5.5/d3.min.js"
ZOOM = 6

Start = Callable[[str, list[tuple[str, str]]], object]


def render(geojson: str, values: pd.DataFrame) -> bytes:
    """One page, with addresses of this server in place of the foreign ones."""
    view = folium.Map(location=[51.165, 10.455], zoom_start=ZOOM, tiles=None)
    foreign = {address: name for name, address in [*view.default_js, *view.default_css]} | {D3: "d3"}
    folium.Choropleth(
        geo_data=geojson,
        name="choropleth",
        data=values,
        columns=["key", "n"],
        key_on="feature.id",
        fill_color="YlGn",
        fill_opacity=0.7,
        line_opacity=0.2,
        legend_name="Services online",
    ).add_to(view)
    folium.LayerControl().add_to(view)
    page = view.get_root().render()
    for address, name in foreign.items():
        page = page.replace(address, f"/files/{name}")
    return page.encode()


def application() -> Callable[[dict[str, str], Start], Iterable[bytes]]:
    """A WSGI application; every answer in gzip, those that are always the same packed once."""
    folder = Path(os.environ["FOLIUM_DATA"])
    geojson = (folder / "municipalities.geojson").read_text(encoding="utf-8")
    values = pd.read_csv(folder / "values.csv", dtype={"key": str})
    rounded = (folder / "rounded.geojson").read_text(encoding="utf-8")
    kept = {
        path: ("text/html", gzip.compress(render(content, values), 6))
        for path, content in (("/", geojson), ("/rounded", rounded))
    }
    for name, path in FILES.items():
        content = (PACKAGES / path).read_bytes() if path else b""
        kind = mimetypes.guess_type(path or "x.css")[0] or "text/css"
        kept[f"/files/{name}"] = (kind, gzip.compress(content, 9))

    def answer(environ: dict[str, str], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/new":
            seed = int(parse_qs(environ["QUERY_STRING"])["n"][0])
            other = values.assign(n=np.random.default_rng(seed).permutation(values["n"].to_numpy()))
            kind, body = "text/html", gzip.compress(render(geojson, other), 6)
        elif path in kept:
            kind, body = kept[path]
        else:
            start("404 Not Found", [("Content-Length", "0")])
            return [b""]
        caching = "max-age=31536000, immutable" if path.startswith("/files/") else "no-cache"
        headers = {"Content-Type": kind, "Content-Encoding": "gzip", "Cache-Control": caching}
        start("200 OK", [*headers.items(), ("Content-Length", str(len(body)))])
        return [body]

    return answer
