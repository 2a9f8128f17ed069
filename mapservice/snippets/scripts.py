"""The layer in a map of one's own, by OpenLayers or MapLibre. Values stand in the code as JSON alone."""

from __future__ import annotations

import json

from markupsafe import escape

from mapservice.snippets.layer import EDGE, PROPERTY, PortalLayer

_OPENLAYERS = """\
import GeoJSON from "ol/format/GeoJSON.js";
import VectorLayer from "ol/layer/Vector.js";
import VectorSource from "ol/source/Vector.js";
import {{ Fill, Stroke, Style }} from "ol/style.js";

const colours = {colours};
const stroke = new Stroke({{ color: {edge}, width: {width} }});
const styles = Object.fromEntries(
  Object.entries(colours).map(([code, color]) => {{
    return [code, new Style({{ fill: new Fill({{ color }}), stroke }})];
  }}),
);

export const layer = new VectorLayer({{
  properties: {{ title: {title} }},
  source: new VectorSource({{
    url: {address},
    format: new GeoJSON(),
    attributions: {attribution},
  }}),
  style: (feature) => styles[feature.get({property})],
}});
"""
_MAPLIBRE = """\
const source = {{
  type: "geojson",
  data: {address},
  attribution: {attribution},
}};
const colours = {colours};

map.on("load", () => {{
  map.addSource({id}, source);
  map.addLayer({{
    id: {id},
    type: "fill",
    source: {id},
    metadata: {{ title: {title} }},
    paint: {{
      "fill-color": ["match", ["get", {property}], ...Object.entries(colours).flat(), "#ffffff"],
      "fill-outline-color": {edge},
    }},
  }});
}});
"""


def openlayers(layer: PortalLayer) -> str:
    """A module that exports a vector layer."""
    return _filled(_OPENLAYERS, layer)


def maplibre(layer: PortalLayer) -> str:
    """Code that adds source and layer to a `map`."""
    return _filled(_MAPLIBRE, layer)


def _filled(pattern: str, layer: PortalLayer) -> str:
    return pattern.format(
        id=_js(layer.id),
        title=_js(layer.title),
        address=_js(layer.address),
        # Both libraries show it as HTML.
        attribution=_js(str(escape(layer.attribution))),
        property=_js(PROPERTY),
        edge=_js(EDGE),
        width=0.4 if layer.bounds_are_thin else 1,
        colours=_js({item.code: item.colour for item in layer.classes}),
    )


def _js(value: object) -> str:
    """A JavaScript literal that no </script> ends, wherever the code is pasted."""
    indent = 2 if isinstance(value, dict) else None
    return json.dumps(value, ensure_ascii=False, indent=indent).replace("<", "\\u003c")
