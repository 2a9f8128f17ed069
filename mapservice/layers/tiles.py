"""Vector tiles of areas with their values (Mapbox Vector Tile 2.1), in WebMercatorQuad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlalchemy import Row

from mapservice.domain import Level, Measure, Reason, Status
from mapservice.layers import mvt
from mapservice.layers.atlas import Atlas
from mapservice.layers.classes import ValueClass, class_of
from mapservice.layers.query import Query
from mapservice.layers.tile_shapes import EXTENT, Cut


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


Said = tuple[str | int | None, ...]


@dataclass
class Values:
    """What tiles say of the areas of a level: rows of areas.counts(), among: the classes of the query.

    Few different rows occur, and each is put into words once.
    """

    query: Query
    rows: Sequence[Row[Any]]
    among: tuple[ValueClass, ...]
    _known: dict[Row[Any], Said] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return "class", "status" if self.query.measure is Measure.STATUS else "n", "of", "reason"

    def of(self, position: int) -> Said:
        """Of an area, in the order of names; `class` is the reason where there is no value, and None outside
        the region of the query.
        """
        row = self.rows[position]
        said = self._known.get(row)
        if said is None:
            by_status = self.query.measure is Measure.STATUS
            said = self._known[row] = _said(
                self.query, row.inside, row.reason, row.status if by_status else row.n, row.of, self.among
            )
        return said


def _said(
    query: Query, inside: bool, reason: int | None, n: int, of: int, among: tuple[ValueClass, ...]
) -> Said:
    if not inside:
        return None, None, None, None
    if reason is not None:
        code = Reason(reason).code
        return code, None, None, code
    if query.measure is Measure.STATUS:
        code = Status(n).code
        return code, code, of, None
    return class_of(n if query.measure is Measure.COUNT else Fraction(n, of), among), n, of, None


def tile(query: Query, atlas: Atlas, worth: Values, cut: Cut, shown: Form) -> bytes:
    """The tile with one layer, named as the level; no bytes where no area is.

    n and of as in values (absent where there is a reason), status for the measure of that name; class is the
    reason where there is no value.
    """
    at, shapes = cut.positions, cut.shapes
    said = [worth.of(position) for position in at]
    chosen = [number for number, (code, *_more) in enumerate(said) if code is not None]
    if not chosen:
        return b""
    if len(chosen) < len(at):
        at, shapes = [at[number] for number in chosen], [shapes[number] for number in chosen]
        said = [said[number] for number in chosen]
    columns: dict[str, Sequence[str | int | None]] = {}
    if shown.names:
        columns = {"key": [atlas.keys[place] for place in at], "name": [atlas.names[place] for place in at]}
    for name, column in zip(worth.names, zip(*said, strict=True), strict=True):
        if shown.numbers or name == "class":
            columns[name] = column
    return mvt.tile(query.level.plural, shown.extent, shapes, columns)
