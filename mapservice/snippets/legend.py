"""The classes of a layer as a picture, for portals that cannot make a legend from a style themselves."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from mapservice.snippets.layer import EDGE, PortalLayer
from mapservice.snippets.xml import as_text, child

_LINE, _WIDE = 26, 9
"""Height of a line, and about the width of a character, in pixels."""


def picture(layer: PortalLayer) -> str:
    """SVG: a box of colour and a label for each class."""
    longest = max(len(item.label) for item in layer.classes)
    width, height = 44 + _WIDE * longest, _LINE * len(layer.classes) + 6
    size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **size})
    child(root, "title", layer.title)
    for number, item in enumerate(layer.classes):
        top = _LINE * number + 6
        place = {"x": "4", "y": str(top), "width": "28", "height": "18"}
        child(root, "rect", **place, fill=item.colour, stroke=EDGE)
        text = child(root, "text", item.label, x="40", y=str(top + 14), fill="#171a2b")
        text.set("font-family", "Fira Sans, Arial, sans-serif")
        text.set("font-size", "15")
    return as_text(root)
