"""Vector tiles of areas with their values (Mapbox Vector Tile 2.1), in WebMercatorQuad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


Column = Sequence[str | int | None]


@dataclass(frozen=True)
class Values:
    """What the areas of a level are worth in a query, in their order: by the names of the properties.

    `class` is the reason where there is no value, and None outside the region of the query.
    """

    columns: dict[str, Column]
    everywhere: bool
    """Whether no area lies outside."""

    @property
    def nbytes(self) -> int:
        return 8 * sum(map(len, self.columns.values()))


def values(query: Query, rows: Sequence[Row[Any]], among: tuple[ValueClass, ...]) -> Values:
    """Of rows of areas.counts(); among: the classes of the query."""
    # Few different ones occur, and each is put into its class once.
    known: dict[tuple[Any, ...], tuple[str | int | None, ...]] = {}
    found = []
    for row in rows:
        key = (row.inside, row.reason, row.status if query.measure is Measure.STATUS else row.n, row.of)
        said = known.get(key)
        if said is None:
            said = known[key] = _said(query, *key, among)
        found.append(said)
    number = "status" if query.measure is Measure.STATUS else "n"
    names = ("class", number, "of", "reason")
    columns: list[Column] = [list(column) for column in zip(*found, strict=True)] or [[] for _ in names]
    return Values(dict(zip(names, columns, strict=True)), None not in columns[0])


def _said(
    query: Query, inside: bool, reason: int | None, n: int, of: int, among: tuple[ValueClass, ...]
) -> tuple[str | int | None, ...]:
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
    if not worth.everywhere:
        codes = worth.columns["class"]
        chosen = [number for number, position in enumerate(at) if codes[position] is not None]
        at, shapes = [at[number] for number in chosen], [shapes[number] for number in chosen]
    if not at:
        return b""
    columns: dict[str, Column] = {}
    if shown.names:
        rows = [atlas.rows[position] for position in at]
        columns = {"key": [row.key for row in rows], "name": [row.name for row in rows]}
    for name, column in worth.columns.items():
        if shown.numbers or name == "class":
            columns[name] = [column[position] for position in at]
    return mvt.tile(query.level.plural, shown.extent, shapes, columns)
