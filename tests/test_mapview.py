"""The folium map: ours alone, the same bytes each time, nothing that a strict policy forbids."""

from __future__ import annotations

import re
import subprocess
import sys

import folium

from mapservice import mapview

URLS = mapview.MapUrls(
    leaflet_js="/static/1/leaflet.js",
    leaflet_css="/static/1/leaflet.css",
    module="/static/1/map.js",
    values="/api/values/",
    facets="/api/facets/",
    geometry="/api/geometry",
    areas="/api/areas/",
    area_page="/gebiete/",
    map="/",
    table="/tabelle",
    services="/leistungen.json",
    search="/suche.json",
    names="/api/names",
)


def test_two_renders_are_the_same_bytes() -> None:
    first = mapview.render.__wrapped__(URLS)
    assert mapview.render.__wrapped__(URLS) == first


def test_nothing_comes_from_another_origin() -> None:
    markup = mapview.render(URLS)
    everything = markup.links + markup.html + markup.script
    assert "//" not in re.sub(r"^\s*//.*$", "", everything, flags=re.MULTILINE)
    assert re.findall(r'(?:src|href)="([^"]+)"', markup.links) == [
        URLS.leaflet_js,
        URLS.leaflet_css,
    ]


def test_nothing_needs_unsafe_inline() -> None:
    markup = mapview.render(URLS)
    for part in (markup.links, markup.html):
        assert not re.search(r"\s(?:on\w+|style)\s*=|<style|<script>", part)
    assert "<" not in markup.script


def test_folium_keeps_its_own_files_for_others() -> None:
    before = list(folium.Map.default_js), list(folium.Map.default_css)
    mapview.render.__wrapped__(URLS)
    assert (folium.Map.default_js, folium.Map.default_css) == before
    assert "cdn" in folium.Map(tiles=None).get_root().render()


def test_addresses_cannot_leave_the_script() -> None:
    tricky = mapview.MapUrls(**{**vars(URLS), "values": "/</script><script>alert(1)//'\"${1}"})
    script = mapview.render(tricky).script
    assert "</script>" not in script
    assert "`" not in script


def test_a_base_map_is_made_but_not_put_on_the_map() -> None:
    script = mapview.render(URLS, "https://tiles.example/{z}/{x}/{y}.png?a=1&b=</script>", 15).script
    assert "tile_layer_basemap" in script
    assert "addTo(map_ozg)" not in script
    assert "</script>" not in script
    assert '"maxNativeZoom": 15' in script
    assert "tile_layer" not in mapview.render(URLS).script


def test_the_map_is_made_without_pandas_which_stays_there_for_others() -> None:
    """In a process of its own: here others have imported it."""
    code = (
        "import sys; from mapservice.mapview import MapUrls, render;"
        "from dataclasses import fields;"
        "render(MapUrls(**{field.name: '/x' for field in fields(MapUrls)}));"
        "print('folium' in sys.modules, 'pandas' in sys.modules);"
        "import pandas; print(pandas.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "pandas"]
