"""Entries of a Masterportal's services.json and style.json, and of the portal's config.json (2 and 3).

Forms as in the Masterportal's own documentation of these files; what it shows as HTML is escaped here.
"""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup, escape

from mapservice.snippets.layer import EDGE, PROPERTY, Group, PortalLayer, StyleClass, with_filters

_UTM32 = "http://www.opengis.net/def/crs/EPSG/0/25832"
"""The system of nearly all German portals; the Masterportal asks the OGC API in it."""
_PAGE = 1000
_ZOOM_MOST = 14
"""Of the vector tiles."""
OAF, TILES = "-oaf", "-vt"
"""What the ids of the entries for the OGC API and for vector tiles end with."""
_EDGE_OF_THE_WORLD = 20037508.342789244
_TILE = 512
"""Pixels: of this size the numbers of WebMercatorQuad are those of the usual vector tiles."""


def services(group: Group) -> list[dict[str, Any]]:
    """Three entries a layer, of which a portal uses one: GeoJSON at once, OGC API - Features by the map
    section, and vector tiles, which a portal in EPSG:3857 draws.
    """
    return [entry for layer in group.layers for entry in (_geojson(layer), _oaf(layer), _tiles(layer))]


def styles(group: Group) -> list[dict[str, Any]]:
    return [
        {"styleId": layer.id, "rules": [_rule(layer, item) for item in layer.classes]}
        for layer in group.layers
    ]


def config(group: Group) -> dict[str, Any]:
    """The part of a version 3 config.json that shows the layers as one folder, the first one visible."""
    elements = [
        {"id": layer.id, "type": "layer", "visibility": number == 0}
        for number, layer in enumerate(group.layers)
    ]
    folder = {"type": "folder", "name": group.title, "elements": elements}
    return {"layerConfig": {"subjectlayer": {"elements": [folder]}}}


def config_2(group: Group) -> dict[str, Any]:
    """The same for version 2."""
    layers = [
        {"id": layer.id, "styleId": layer.id, "visibility": number == 0}
        for number, layer in enumerate(group.layers)
    ]
    return {"Themenconfig": {"Fachdaten": {"Ordner": [{"Titel": group.title, "Layer": layers}]}}}


def as_text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _common(layer: PortalLayer, type_: str, ending: str = "") -> dict[str, Any]:
    return {
        "id": layer.id + ending,
        "name": layer.title,
        "typ": type_,
        "styleId": layer.id,
        "gfiTheme": "default",
        "gfiAttributes": dict(layer.fields),
        "layerAttribution": _attribution(layer),
        "legend": True,
        "isSecured": False,
        "datasets": [],
    }


def _geojson(layer: PortalLayer) -> dict[str, Any]:
    return {**_common(layer, "GeoJSON"), "version": "1.0", "url": layer.address}


def _oaf(layer: PortalLayer) -> dict[str, Any]:
    names = [name for name, _value in layer.filters]
    entry = {
        **_common(layer, "OAF", OAF),
        "url": layer.api,
        "collection": layer.level,
        "crs": _UTM32,
        "bboxCrs": _UTM32,
        "limit": _PAGE,
    }
    if len(names) == len(set(names)):
        return {**entry, "params": dict(layer.filters)} if names else entry
    # `params` holds one value a name. The portal keeps the query of an address, where names may repeat.
    return {**entry, "url": with_filters(layer.api, layer.filters)}


def _tiles(layer: PortalLayer) -> dict[str, Any]:
    """With the grid spelt out, so that the portal goes on drawing beyond the finest tiles that there are."""
    edge = _EDGE_OF_THE_WORLD
    tiles = f"{layer.api}/collections/{layer.level}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
    style = with_filters(f"{layer.api}/styles/{layer.level}.json", layer.filters)
    entry = _common(layer, "VectorTile", TILES)
    del entry["styleId"]
    return {
        **entry,
        "url": with_filters(tiles, layer.filters),
        "epsg": "EPSG:3857",
        "extent": [-edge, -edge, edge, edge],
        "origin": [-edge, edge],
        "resolutions": [2 * edge / _TILE / 2**zoom for zoom in range(_ZOOM_MOST + 1)],
        "tileSize": _TILE,
        "minScale": "0",
        "maxScale": "100000000",
        "gfiAttributes": dict(layer.tile_fields),
        "legend": with_filters(layer.legend, (("level", layer.level), *layer.filters)),
        "vtStyles": [{"id": layer.id, "name": layer.title, "url": style, "defaultStyle": True}],
    }


def _rule(layer: PortalLayer, item: StyleClass) -> dict[str, Any]:
    edge = StyleClass("", "", EDGE)
    return {
        "conditions": {"properties": {PROPERTY: item.code}},
        "style": {
            "legendValue": item.label,
            "polygonFillColor": [*item.rgb, 0.85],
            "polygonStrokeColor": [*edge.rgb, 1],
            "polygonStrokeWidth": 0.4 if layer.bounds_are_thin else 1,
        },
    }


def _attribution(layer: PortalLayer) -> str:
    if layer.attribution_url is None:
        return str(escape(layer.attribution))
    return str(
        Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(
            layer.attribution_url, layer.attribution
        )
    )
