"""OGC Styled Layer Descriptor 1.0.0, and 1.1.0 with Symbology Encoding: one rule a class."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from mapservice.snippets.layer import EDGE, PROPERTY, PortalLayer
from mapservice.snippets.xml import as_text, child

SLD, SE, OGC = "http://www.opengis.net/sld", "http://www.opengis.net/se", "http://www.opengis.net/ogc"
VERSIONS = ("1.0.0", "1.1.0")
for _prefix, _name in (("sld", SLD), ("se", SE), ("ogc", OGC)):
    ET.register_namespace(_prefix, _name)


def style(layer: PortalLayer, version: str) -> str:
    newer = version == VERSIONS[1]
    ns = SE if newer else SLD
    root = ET.Element(f"{{{SLD}}}StyledLayerDescriptor", version=version)
    named = child(root, f"{{{SLD}}}NamedLayer")
    child(named, f"{{{ns}}}Name", layer.level)
    user = child(named, f"{{{SLD}}}UserStyle")
    if newer:
        child(user, f"{{{ns}}}Name", layer.id)
        child(child(user, f"{{{ns}}}Description"), f"{{{ns}}}Title", layer.title)
    else:
        child(user, f"{{{ns}}}Name", layer.id)
        child(user, f"{{{ns}}}Title", layer.title)
    features = child(user, f"{{{ns}}}FeatureTypeStyle")
    for item in layer.classes:
        rule = child(features, f"{{{ns}}}Rule")
        child(rule, f"{{{ns}}}Name", item.code)
        about = child(rule, f"{{{ns}}}Description") if newer else rule
        child(about, f"{{{ns}}}Title", item.label)
        equal = child(child(rule, f"{{{OGC}}}Filter"), f"{{{OGC}}}PropertyIsEqualTo")
        child(equal, f"{{{OGC}}}PropertyName", PROPERTY)
        child(equal, f"{{{OGC}}}Literal", item.code)
        polygon = child(rule, f"{{{ns}}}PolygonSymbolizer")
        parameter = f"{{{ns}}}{'SvgParameter' if newer else 'CssParameter'}"
        child(child(polygon, f"{{{ns}}}Fill"), parameter, item.colour, name="fill")
        stroke = child(polygon, f"{{{ns}}}Stroke")
        child(stroke, parameter, EDGE, name="stroke")
        child(stroke, parameter, "0.2" if layer.bounds_are_thin else "0.6", name="stroke-width")
    return as_text(root)
