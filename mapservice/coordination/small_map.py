"""A small map of the surroundings as SVG, without a script; marks are links, so a keyboard reaches them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import Connection

from mapservice.domain import Level
from mapservice.layers.crs import Box
from mapservice.layers.shapes import outlines_around
from mapservice.layers.surroundings import Near, Surroundings

_WIDTH = 640.0
_HEIGHT = 560.0
_MARGIN = 0.06
_RADIUS = 13.0
"""Of a mark, in units of the map."""
_ROUNDS = 40
_COARSE_FROM_DEGREES = 1.2


@dataclass(frozen=True)
class Area:
    """path: in units of the map. code: of the status, `own`, or empty."""

    path: str
    code: str


@dataclass(frozen=True)
class Mark:
    """One authority of the list. number, link: of its row; x, y: where the mark is; from_x, from_y: its
    place, from which others may have pushed it away.
    """

    number: int
    name: str
    code: str
    link: str
    x: float
    y: float
    from_x: float
    from_y: float

    @property
    def is_off(self) -> bool:
        return math.hypot(self.x - self.from_x, self.y - self.from_y) > _RADIUS


@dataclass(frozen=True)
class SmallMap:
    width: int
    height: int
    areas: tuple[Area, ...]
    borders: str
    """Districts around, as lines."""
    rings: tuple[Area, ...]
    """Authorities of the list at another level than that of the areas: the district around a town."""
    marks: tuple[Mark, ...]
    own: tuple[float, float]


@dataclass(frozen=True)
class Told:
    """A row of the list, as the map needs it."""

    near: Near
    number: int
    name: str
    code: str


def small_map(
    connection: Connection, around: Surroundings, codes: Mapping[int, str], rows: Sequence[Told]
) -> SmallMap | None:
    """codes: status by authority, of all that offer something; rows: those that the page lists."""
    if not around.own:
        return None
    base = max([Level(row.level) for row in around.own])
    box = _box(around, [told.near for told in rows] or around.nears)
    plane = _Plane(box)
    detail = 1000 if max(box.east - box.west, box.north - box.south) > _COARSE_FROM_DEGREES else 300
    own_ids = {row.boundary_id for row in around.own}
    areas = []
    for boundary_id, authority_id, shape in outlines_around(connection, base, box, detail):
        code = "own" if boundary_id in own_ids else codes.get(authority_id or 0, "")
        areas.append(Area(plane.path(shape), code))
    borders, rings = [], []
    if base > Level.DISTRICT:
        listed = {told.near.boundary_id: told.code for told in rows if told.near.level != base}
        for level in {Level.DISTRICT, *(told.near.level for told in rows)} - {base}:
            for boundary_id, _, shape in outlines_around(connection, level, box, detail):
                path = plane.path(shape)
                if level is Level.DISTRICT:
                    borders.append(path)
                if boundary_id in listed:
                    rings.append(Area(path, listed[boundary_id]))
    own = plane.point(around.own[-1].lon, around.own[-1].lat)
    # One's own area last, its outline over the others'.
    areas.sort(key=lambda area: area.code == "own")
    marks = _apart([_mark(plane, told) for told in rows], own, plane)
    return SmallMap(
        math.ceil(plane.width),
        math.ceil(plane.height),
        tuple(areas),
        "".join(borders),
        tuple(rings),
        tuple(marks),
        own,
    )


def _box(around: Surroundings, nears: Sequence[Near]) -> Box:
    """One's own areas and the label points of the others, with a margin."""
    own = around.own
    beside = [near for near in nears if near.above is None]
    west = min([*(row.west for row in own), *(near.lon for near in beside)])
    east = max([*(row.east for row in own), *(near.lon for near in beside)])
    south = min([*(row.south for row in own), *(near.lat for near in beside)])
    north = max([*(row.north for row in own), *(near.lat for near in beside)])
    x, y = (east - west) * _MARGIN + 0.02, (north - south) * _MARGIN + 0.015
    return Box(west - x, south - y, east + x, north + y)


class _Plane:
    """From degrees to units of the map: longitudes shrink towards the pole, true to shape in the middle."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.shrink = math.cos(math.radians((box.south + box.north) / 2))
        width, height = (box.east - box.west) * self.shrink, box.north - box.south
        self.scale = min(_WIDTH / width, _HEIGHT / height)
        self.width, self.height = width * self.scale, height * self.scale

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        return (
            (lon - self.box.west) * self.shrink * self.scale,
            (self.box.north - lat) * self.scale,
        )

    def path(self, geojson: str) -> str:
        """The rings of a multipolygon; points that fall on one another in the map are one."""
        parts = []
        for polygon in json.loads(geojson)["coordinates"]:
            for ring in polygon:
                points: list[str] = []
                for lon, lat in ring:
                    x, y = self.point(lon, lat)
                    text = f"{x:.0f} {y:.0f}"
                    if not points or points[-1] != text:
                        points.append(text)
                if len(points) > 2:
                    parts.append(f"M{'L'.join(points)}Z")
        return "".join(parts)


def _mark(plane: _Plane, told: Told) -> Mark:
    x, y = plane.point(told.near.lon, told.near.lat)
    x = min(max(x, _RADIUS + 2), plane.width - _RADIUS - 2)
    y = min(max(y, _RADIUS + 2), plane.height - _RADIUS - 2)
    return Mark(told.number, told.name, told.code, f"#n{told.number}", x, y, x, y)


def _apart(marks: list[Mark], own: tuple[float, float], plane: _Plane) -> list[Mark]:
    """Push marks apart that lie on one another, and off one's own; each a little, some rounds long."""
    places = [[mark.x, mark.y] for mark in marks] + [list(own)]
    fixed = len(places) - 1
    for _ in range(_ROUNDS):
        moved = False
        for one, other in combinations(range(len(places)), 2):
            dx, dy = places[other][0] - places[one][0], places[other][1] - places[one][1]
            distance = math.hypot(dx, dy)
            missing = 2 * _RADIUS + 2 - distance
            if missing <= 0.5:
                continue
            moved = True
            # Two at the very same point part to the sides, the first to the left.
            x, y = (dx / distance, dy / distance) if distance > 0.01 else (1.0, 0.0)
            share = missing if other == fixed else missing / 2
            places[one][0] -= x * share
            places[one][1] -= y * share
            if other != fixed:
                places[other][0] += x * share
                places[other][1] += y * share
        for place in places[:fixed]:
            place[0] = min(max(place[0], _RADIUS + 2), plane.width - _RADIUS - 2)
            place[1] = min(max(place[1], _RADIUS + 2), plane.height - _RADIUS - 2)
        if not moved:
            break
    return [
        Mark(m.number, m.name, m.code, m.link, round(x, 1), round(y, 1), m.from_x, m.from_y)
        for m, (x, y) in zip(marks, places, strict=False)
    ]
