"""QGIS: a layer definition (.qlr) with styled layers in a group, and a style alone (.qml).

The forms are those that QGIS 3 writes itself, with what it would fill in by default left out.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from mapservice.snippets.layer import EDGE, PROPERTY, Group, PortalLayer, StyleClass
from mapservice.snippets.xml import as_text, child

_VERSION = "3.28.0"
_WGS84 = {
    "proj4": "+proj=longlat +datum=WGS84 +no_defs",
    "srsid": "3452",
    "srid": "4326",
    "authid": "EPSG:4326",
    "description": "WGS 84",
    "projectionacronym": "longlat",
    "ellipsoidacronym": "EPSG:7030",
    "geographicflag": "true",
}
"""As QGIS writes it. By the authid alone it would take the system for an invalid one and not reproject."""


def definition(group: Group) -> str:
    """The source is the address itself: GDAL's GeoJSON reader gets it with one request, as QGIS does for
    "Protocol: GeoJSON". That way the filters of the address hold.
    """
    root = ET.Element("qlr")
    tree = child(root, "layer-tree-group", name="", checked="Qt::Checked", expanded="1")
    folder = child(tree, "layer-tree-group", name=group.title, checked="Qt::Checked", expanded="1")
    layers = child(root, "maplayers")
    for number, layer in enumerate(group.layers):
        child(
            folder,
            "layer-tree-layer",
            id=layer.id,
            name=layer.title,
            source=layer.address,
            providerKey="ogr",
            checked="Qt::Checked" if number == 0 else "Qt::Unchecked",
            expanded="1" if number == 0 else "0",
        )
        _maplayer(layers, layer)
    return as_text(root, "<!DOCTYPE qgis-layer-definition>")


def style(layer: PortalLayer) -> str:
    root = ET.Element("qgis", version=_VERSION, styleCategories="Symbology")
    _renderer(root, layer)
    return as_text(root, "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>")


def _maplayer(layers: ET.Element, layer: PortalLayer) -> None:
    made = child(layers, "maplayer", type="vector", geometry="Polygon", wkbType="MultiPolygon", readOnly="1")
    child(made, "id", layer.id)
    child(made, "datasource", layer.address)
    child(made, "layername", layer.title)
    child(made, "attribution", layer.attribution, href=layer.attribution_url or "")
    system = child(child(made, "srs"), "spatialrefsys")
    for name, value in _WGS84.items():
        child(system, name, value)
    about = child(made, "resourceMetadata")
    child(about, "title", layer.title)
    child(about, "rights", layer.attribution)
    child(made, "provider", "ogr", encoding="UTF-8")
    aliases = child(made, "aliases")
    for name, title in layer.fields:
        child(aliases, "alias", field=name, name=title)
    _renderer(made, layer)


def _renderer(parent: ET.Element, layer: PortalLayer) -> None:
    renderer = child(
        parent, "renderer-v2", type="categorizedSymbol", attr=PROPERTY, symbollevels="0", forceraster="0"
    )
    categories, symbols = child(renderer, "categories"), child(renderer, "symbols")
    for number, item in enumerate(layer.classes):
        child(
            categories,
            "category",
            type="string",
            value=item.code,
            label=item.label,
            symbol=str(number),
            render="true",
        )
        symbol = child(symbols, "symbol", type="fill", name=str(number), alpha="1", clip_to_extent="1")
        fill = child(symbol, "layer", **{"class": "SimpleFill", "enabled": "1", "pass": "0", "locked": "0"})
        options = child(fill, "Option", type="Map")
        for name, value in _look(layer, item).items():
            child(options, "Option", type="QString", name=name, value=value)


def _look(layer: PortalLayer, item: StyleClass) -> dict[str, str]:
    return {
        "color": _colour(item),
        "style": "solid",
        "joinstyle": "bevel",
        "outline_color": _colour(StyleClass("", "", EDGE)),
        "outline_style": "solid",
        "outline_width": "0.05" if layer.bounds_are_thin else "0.2",
        "outline_width_unit": "MM",
    }


def _colour(item: StyleClass) -> str:
    return ",".join(str(part) for part in (*item.rgb, 255))
