"""One area and its surroundings in a paper, larger than on the map of the whole region."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Connection, Row

from mapservice import pictures
from mapservice.domain import Level
from mapservice.drawing.picture import Area, Name, Picture, Window
from mapservice.layers import shapes
from mapservice.layers.crs import Box

_TIMES = 4.5
"""The side of what is shown, by the longer side of the area."""
_LEAST = 12_000
"""Metres, below which there would be no neighbour in sight."""
_WORTH = 0.5
"""Of the side of the whole map: larger, it would show the same once more."""
_METRES_OF_A_DEGREE = 111_320
_MOST_TOLD = 12


def closeup(
    connection: Connection, shown: pictures.Shown, found: Row[Any], width: int, density: float
) -> Picture | None:
    """The ringed area (layers.authorities.find_area) and what lies around it, the nearest first; None where
    the map shows it large enough. width: pixels of its side.
    """
    picture, level = shown.picture, shown.query.level
    whole = shapes.extent_of(connection, level, shown.selection)
    side = max(_TIMES * max(_sides(found)), _LEAST)
    if picture.marked is None or whole is None or side > _WORTH * max(_sides(whole)):
        return None
    lon, lat = (found.west + found.east) / 2, (found.south + found.north) / 2
    north = side / 2 / _METRES_OF_A_DEGREE
    east = north / math.cos(math.radians(lat))
    box = Box(lon - east, lat - north, lon + east, lat + north)
    detail = pictures.detail_of(box, width)
    near = {
        key: bytes(shape) for key, shape in shapes.shapes_of(connection, level, shown.selection, detail, box)
    }
    named = shapes.names_of(connection, level, shown.selection, box)
    nearest = sorted(named, key=lambda row: math.hypot((row.lon - lon) * north / east, row.lat - lat))
    known = {area.key: area for area in picture.areas}
    if picture.marked not in known:  # passed over by a choice in the legend
        return None
    return replace(
        picture,
        areas=tuple(replace(known[row.key], shape=near[row.key]) for row in nearest if row.key in known),
        ground=tuple(bytes(s) for s in shapes.shapes_around(connection, Level.STATE, box, detail)),
        borders=pictures.borders_in(connection, level, box, detail),
        names=tuple(Name(row.name, row.lon, row.lat, _weight(row, found)) for row in named),
        window=Window(lon, lat, side / 2),
        width=width,
        height=width,
        density=density,
        bare=True,
    )


def _weight(row: Row[Any], found: Row[Any]) -> float:
    """The area itself is named before all others."""
    if row.key == found.key:
        return math.inf
    return float(row.population or row.area_m2 / 1e6)


def _sides(box: Any) -> tuple[float, float]:
    """Width and height in metres of what has west, south, east and north in degrees."""
    middle = math.radians((box.south + box.north) / 2)
    return (
        (box.east - box.west) * _METRES_OF_A_DEGREE * math.cos(middle),
        (box.north - box.south) * _METRES_OF_A_DEGREE,
    )


def alternative(picture: Picture) -> str:
    """What the close-up shows, in words: the area, and the nearest with their values."""
    told = {area.key: area for area in picture.areas}
    marked = told.pop(str(picture.marked))
    around = "; ".join(_told(area) for area in list(told.values())[:_MOST_TOLD])
    if not around:
        return _("Ausschnitt der Karte mit %(area)s, umrandet.", area=_told(marked))
    return _(
        "Ausschnitt der Karte mit %(area)s, umrandet. Ringsum: %(around)s.", area=_told(marked), around=around
    )


def _told(area: Area) -> str:
    return f"{area.name}: {area.value}"
