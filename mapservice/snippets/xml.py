"""XML made by ElementTree: text and attributes are escaped by it, never by hand."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold."""


def clean(text: str) -> str:
    """The text without what XML cannot hold."""
    return _CONTROL.sub("", text)


def child(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, tag, {name: clean(value) for name, value in attributes.items()})
    if text is not None:
        made.text = clean(text)
    return made


def as_text(root: ET.Element, doctype: str = "") -> str:
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return "\n".join(filter(None, ('<?xml version="1.0" encoding="UTF-8"?>', doctype, body))) + "\n"
