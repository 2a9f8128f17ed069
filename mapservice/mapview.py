"""The map as folium makes it. The only module that imports folium.

The page gets folium's map object and one element of ours that starts our ES module with addresses;
no geometry and no text from the database is in it. Names are fixed, so two renders are the same bytes.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

GERMANY = ((47.27, 5.87), (55.06, 15.04))
"""South-west and north-east corner, latitude first."""


@dataclass(frozen=True)
class MapUrls:
    """Addresses that the map is given. `module` and `leaflet_*` are our own static files."""

    leaflet_js: str
    leaflet_css: str
    module: str
    values: str
    """Ends before the level's name, as does `facets`, and `areas` and `area_page` before the key."""
    facets: str
    geometry: str
    areas: str
    area_page: str
    map: str
    table: str
    services: str
    search: str
    names: str


@dataclass(frozen=True)
class MapMarkup:
    """Parts of the rendered map: links for the head, the container, and the script for a nonce.

    Leaflet is deferred, so the script has to be a module (which waits for it).
    """

    links: str
    html: str
    script: str


@contextmanager
def _without_pandas() -> Iterator[None]:
    """folium takes pandas where it finds it, for tables that we never give it: 50 MB in each worker."""
    if "pandas" in sys.modules:
        yield
        return
    # What Python takes for a module that is not there.
    sys.modules["pandas"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["pandas"]


@functools.lru_cache(maxsize=8)
def render(urls: MapUrls, tiles: str | None = None, max_zoom: int = 18) -> MapMarkup:
    """tiles: template of a base map's addresses, with {z}, {x}, {y}; made, but not put on the map."""
    # Not with the module: commands and tests that never show a map need no folium.
    with _without_pandas():
        import folium
    from branca.element import CssLink, JavascriptLink, MacroElement
    from folium.template import Template

    class Choropleth(MacroElement):
        """Hands the map to our module, which fetches geometry and values."""

        _template = Template(
            """
            {% macro script(this, kwargs) %}
            globalThis.{{ this._parent.get_name() }} = {{ this._parent.get_name() }};
            import({{ this.module|tojson }}).then(
                (module) => module.start(
                    {{ this._parent.get_name() }}, {{ this.urls|tojson }}{{ ", " + this.tiles if this.tiles }}
                )
            );
            {% endmacro %}
            """
        )

        def __init__(self) -> None:
            super().__init__()
            self._name = "choropleth"
            self._id = "ozg"
            self.module = urls.module
            self.tiles = layer.get_name() if layer else ""
            self.urls = {
                name: value
                for name, value in asdict(urls).items()
                if name not in ("leaflet_js", "leaflet_css", "topojson_js", "module")
            }

    layer = None
    if tiles is not None:
        # The page shows the attribution as text; folium wants one, and Leaflet would take it for markup.
        layer = folium.TileLayer(
            tiles, attr="-", name="basemap", show=False, max_zoom=22, max_native_zoom=max_zoom
        )
        layer._id = "basemap"
    (south, west), (north, east) = GERMANY
    view = folium.Map(
        location=((south + north) / 2, (west + east) / 2),
        tiles=None,
        zoom_start=6,
        min_zoom=5,
        max_zoom=13,
        prefer_canvas=True,
        zoom_control=False,
        # Leaflet's own line is markup made from a string; the page has the attribution as text.
        attribution_control=False,
        zoom_snap=0.1,
        zoom_delta=0.75,
        wheel_px_per_zoom_level=100,
        max_bounds_viscosity=0.6,
    )
    view._id = "ozg"
    # Lists of its own: add_js_link() would change those of the class, and folium's defaults are eight
    # files on foreign servers.
    view.default_js = [("leaflet", urls.leaflet_js)]
    view.default_css = [("leaflet_css", urls.leaflet_css)]
    if layer is not None:
        view.add_child(layer)
    view.add_child(Choropleth())
    root: Any = view.get_root()
    root.render()
    links = [
        child.render()
        for child in root.header._children.values()
        if isinstance(child, (JavascriptLink, CssLink))
    ]
    return MapMarkup(
        links="\n".join(links).replace("<script src=", "<script defer src="),
        html=root.html.render(),
        script=root.script.render(),
    )
