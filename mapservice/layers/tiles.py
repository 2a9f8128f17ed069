"""Vector tiles of areas with their values (Mapbox Vector Tile 2.1), in WebMercatorQuad."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from sqlalchemy import Connection, Integer, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import Audience, Level, Measure, Reason, Status
from mapservice.layers import areas
from mapservice.layers.classes import ValueClass, class_of
from mapservice.layers.counting import current_release
from mapservice.layers.crs import WEB_MERCATOR, Box
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Boundary, BoundaryShape

ZOOM_MOST = 14
EXTENT, BUFFER = 4096, 64
"""Steps of a tile's grid, and how many of them it goes beyond its edges."""
_CELL = 4
"""Cells a degree in which areas are looked for."""


@dataclass(frozen=True)
class Tile:
    """One tile: zoom 0 to ZOOM_MOST; x from the west and y from the north, 0 to 2^z - 1."""

    z: int
    x: int
    y: int

    def box(self, buffers: int = 1) -> Box:
        """The tile and so many times its buffer in degrees. Web Mercator stretches each axis by itself, so
        that a rectangle stays one and four numbers are enough.
        """
        margin = buffers * BUFFER / EXTENT
        west, east = (_longitude(self.z, self.x + part) for part in (-margin, 1 + margin))
        north, south = (_latitude(self.z, self.y + part) for part in (-margin, 1 + margin))
        return Box(max(west, -180.0), south, min(east, 180.0), north)


@dataclass(frozen=True)
class Form:
    """How much a tile tells. detail: of the shapes, in metres. extent: steps of its grid. names, numbers:
    whether areas carry key and name, n and of.
    """

    detail: int
    extent: int = EXTENT
    names: bool = True
    numbers: bool = True


def form(level: Level, zoom: int) -> Form:
    """By level and zoom alone, so that neighbouring tiles meet. None is heavier than 300 kB: with thousands
    of areas in a tile each tells its class alone, and steps are a pixel where an area has few of them.
    """
    detail = 1000 if zoom <= 6 else 300 if zoom <= 8 else 100
    if level >= Level.ASSOCIATION and zoom <= 6:
        extent = EXTENT // 8 if zoom <= 4 else EXTENT // 2 if zoom == 5 else EXTENT
        return Form(detail, extent, names=False, numbers=False)
    return Form(detail)


def fields(measure: Measure) -> dict[str, str]:
    """Names and types of the properties, as TileJSON has them; some are left out at low zooms."""
    value = {"status": "String"} if measure is Measure.STATUS else {"n": "Number"}
    return {"key": "String", "name": "String", "class": "String", **value, "of": "Number", "reason": "String"}


Position = tuple[float, float, float, float]


class Places:
    """Where the areas of a level of a release lie: boundary ids in their order, and which touch a box."""

    def __init__(self, ids: Sequence[int], boxes: Sequence[Position]) -> None:
        self.ids = ids
        self._boxes = boxes
        self._cells: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for number, box in enumerate(boxes):
            for cell in _cells(*box):
                self._cells[cell].append(number)

    def touching(self, box: Box) -> list[int]:
        """Positions of the areas whose bounding boxes touch, ascending."""
        found: set[int] = set()
        if (box.east - box.west) * (box.north - box.south) * _CELL**2 > len(self._cells):
            found.update(range(len(self.ids)))
        else:
            for cell in _cells(box.west, box.south, box.east, box.north):
                found.update(self._cells.get(cell, ()))
        return sorted(number for number in found if self._touches(self._boxes[number], box))

    @staticmethod
    def _touches(one: Position, box: Box) -> bool:
        west, south, east, north = one
        return west <= box.east and east >= box.west and south <= box.north and north >= box.south


def _cells(west: float, south: float, east: float, north: float) -> product[tuple[int, int]]:
    return product(
        range(math.floor(west * _CELL), math.floor(east * _CELL) + 1),
        range(math.floor(south * _CELL), math.floor(north * _CELL) + 1),
    )


def places(connection: Connection, level: Level) -> Places:
    """Those of the current release, by their generalised shapes."""
    shape = BoundaryShape.geom
    rows = connection.execute(
        select(
            Boundary.id,
            func.min(func.ST_XMin(shape)),
            func.min(func.ST_YMin(shape)),
            func.max(func.ST_XMax(shape)),
            func.max(func.ST_YMax(shape)),
        )
        .join(BoundaryShape, BoundaryShape.boundary_id == Boundary.id)
        .where(Boundary.release_id == current_release(), Boundary.level == int(level))
        .group_by(Boundary.id)
        .order_by(Boundary.ordinal)
    ).all()
    return Places([row[0] for row in rows], [(row[1], row[2], row[3], row[4]) for row in rows])


@dataclass(frozen=True)
class Values:
    """What the areas of a level are worth in a query, in their order.

    codes: the class, or the reason where there is no value; None outside the region of the query. of is 0 and
    n the negative reason where there is none.
    """

    n: Sequence[int | None]
    of: Sequence[int | None]
    codes: Sequence[str | None]


def values(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    among: tuple[ValueClass, ...],
) -> Values:
    """Those that the map gets (areas.values_as_array()); among: the classes of the query."""
    numerators, denominators = areas.values_as_array(connection, query, selection, audience)
    n, of = json.loads(numerators), json.loads(denominators)
    # Few pairs occur, and each is put into its class once.
    known = {pair: _code(query, *pair, among) for pair in set(zip(n, of, strict=True))}
    return Values(n, of, [known[pair] for pair in zip(n, of, strict=True)])


def _code(query: Query, n: int | None, of: int | None, among: tuple[ValueClass, ...]) -> str | None:
    if n is None:
        return None
    if n < 0:
        return Reason(n).code
    if query.measure is Measure.STATUS:
        return Status(n).code
    return class_of(n if query.measure is Measure.COUNT else Fraction(n, of or 1), among)


def tile(connection: Connection, query: Query, where: Places, worth: Values, wanted: Tile) -> bytes:
    """The tile with one layer, named as the level; no bytes where no area is.

    n and of as in values (absent where there is a reason), status for the measure of that name; class is the
    reason where there is no value.
    """
    shown = form(query.level, wanted.z)
    at = [number for number in where.touching(wanted.box()) if worth.codes[number] is not None]
    if not at:
        return b""
    columns: dict[str, Any] = {"id": cast([where.ids[number] for number in at], ARRAY(Integer))}
    for name, (type_, content) in _properties(query, worth, at, shown).items():
        columns[name] = cast(content, ARRAY(type_))
    given = func.unnest(*columns.values()).table_valued(*columns, with_ordinality="position").render_derived()
    # Cut before it is transformed: a state has thousands of points, and a tile few of them. The cut itself
    # lies outside of what the tile shows.
    cut = func.ST_ClipByBox2D(BoundaryShape.geom, wanted.box(2).stored())
    geometry = func.ST_AsMVTGeom(
        func.ST_Transform(cut, WEB_MERCATOR.srid),
        func.ST_TileEnvelope(wanted.z, wanted.x, wanted.y),
        shown.extent,
        BUFFER * shown.extent // EXTENT,
        True,
    )
    named = [Boundary.key, Boundary.name] if shown.names else []
    rows = (
        select(
            geometry.label("geom"),
            *named,
            *(given.c[name] for name in columns if name != "id"),
        )
        .join_from(given, BoundaryShape, BoundaryShape.boundary_id == given.c.id)
        .where(BoundaryShape.detail == shown.detail)
        .order_by(given.c.position)
    )
    if named:
        rows = rows.join(Boundary, Boundary.id == given.c.id)
    # The offset keeps the condition below from being pushed down, where each shape would be drawn twice.
    drawn = rows.offset(0).subquery("drawn")
    mvt = func.ST_AsMVT(literal_column("drawn"), query.level.plural, shown.extent, "geom")
    found = connection.scalar(select(mvt).select_from(drawn).where(drawn.c.geom.is_not(None)))
    return bytes(found) if found is not None else b""


def _properties(
    query: Query, worth: Values, at: Sequence[int], shown: Form
) -> dict[str, tuple[type[Integer | Text], list[Any]]]:
    """Types and values of what is told of the areas at these positions, beside their names."""
    n = [worth.n[number] for number in at]
    codes = [worth.codes[number] for number in at]
    found: dict[str, tuple[type[Integer | Text], list[Any]]] = {"class": (Text, codes)}
    if not shown.numbers:
        return found
    known = [value is not None and value >= 0 for value in n]
    if query.measure is Measure.STATUS:
        found["status"] = Text, [code if good else None for code, good in zip(codes, known, strict=True)]
    else:
        found["n"] = Integer, [value if good else None for value, good in zip(n, known, strict=True)]
    of = (worth.of[number] for number in at)
    found["of"] = Integer, [value if good else None for value, good in zip(of, known, strict=True)]
    found["reason"] = Text, [None if good else code for code, good in zip(codes, known, strict=True)]
    return found


def _longitude(zoom: int, x: float) -> float:
    return x / 2**zoom * 360.0 - 180.0


def _latitude(zoom: int, y: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / 2**zoom))))
