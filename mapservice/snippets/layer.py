"""A layer as the forms of this package take it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

PROPERTY = "class"
"""The property of our features that styles go by."""
EDGE = "#6b6e7c"
"""Colour of outlines."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StyleClass:
    """One value of the property: its label in the legend, its colour as #rrggbb."""

    code: str
    label: str
    colour: str

    @property
    def rgb(self) -> tuple[int, int, int]:
        return int(self.colour[1:3], 16), int(self.colour[3:5], 16), int(self.colour[5:7], 16)


@dataclass(frozen=True)
class PortalLayer:
    """A level with filters. geojson, api: addresses without filters, of the level and of the OGC API.

    filters: name and value of each parameter, repeated ones too. fields: properties worth a look, titled;
    tile_fields: those that tiles have. legend: address of a picture of the classes, without filters.
    classes: every value that the property can have. attribution, attribution_url: whom the data name.
    """

    title: str
    level: str
    geojson: str
    api: str
    filters: Pairs
    classes: tuple[StyleClass, ...]
    fields: Pairs
    tile_fields: Pairs
    legend: str
    attribution: str
    attribution_url: str | None

    @property
    def id(self) -> str:
        """The same for the same filters, today and next month."""
        seed = f"{self.geojson}?{urlencode(self.filters)}"
        return f"ozg-{self.level}-{hashlib.blake2b(seed.encode(), digest_size=5).hexdigest()}"

    @property
    def address(self) -> str:
        """Of the GeoJSON with the filters."""
        return with_filters(self.geojson, self.filters)

    @property
    def bounds_are_thin(self) -> bool:
        """Whether so many areas are drawn that outlines would cover them."""
        return self.level in ("associations", "municipalities")


@dataclass(frozen=True)
class Group:
    """Layers under one heading."""

    title: str
    layers: Sequence[PortalLayer]


def with_filters(address: str, filters: Pairs) -> str:
    return f"{address}?{urlencode(filters)}" if filters else address
