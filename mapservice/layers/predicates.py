"""CQL2 trees (mapservice/cql2.py) -> conditions in SQL, over the properties that a collection offers.

A name is looked up among these and never reaches the database; every value is bound. Literal geometries are
brought to the system of the stored shapes, never the shapes to theirs, so that the index serves.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import shape as shapely_shape
from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Double,
    Text,
    and_,
    cast,
    collate,
    func,
    literal,
    not_,
    or_,
    true,
)

from mapservice.errors import N_, ParameterError
from mapservice.layers.crs import CRS84, STORED_SRID, Crs

Tree = Any
Predicate = Callable[[ColumnElement[Any]], ColumnElement[bool]]
MOST_CONDITIONS = 500
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNICODE = "und-x-icu"
"""Collation that knows the small letters of all scripts."""


class Type(enum.StrEnum):
    TEXT = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "date-time"


@dataclass(frozen=True)
class Filter:
    """A tree, and the reference system of its literal geometries."""

    tree: Tree
    crs: Crs = CRS84

    def parts(self, names: Iterable[str]) -> tuple[Filter | None, Filter | None]:
        """What can be judged by these properties alone, and the rest; both must hold."""
        known = set(names)
        tree = self.tree
        both = tree.get("args") if isinstance(tree, dict) and tree.get("op") == "and" else None
        if not isinstance(both, list) or len(both) < 2:
            both = [tree]
        first = [part for part in both if _properties(part) <= known]
        second = [part for part in both if not _properties(part) <= known]
        return self._of(first), self._of(second)

    def names(self) -> set[str]:
        """The properties that it asks about."""
        return _properties(self.tree)

    def _of(self, parts: list[Tree]) -> Filter | None:
        if not parts:
            return None
        return Filter(parts[0] if len(parts) == 1 else {"op": "and", "args": parts}, self.crs)


@dataclass(frozen=True)
class Properties:
    """What a filter may name. columns: type and column by name. geometry: its name, and a function that
    makes a condition of a predicate over the stored shape.
    """

    columns: Mapping[str, tuple[Type, ColumnElement[Any]]]
    geometry: str = "geometry"
    where_shape: Callable[[Predicate], ColumnElement[bool]] | None = None

    def condition(self, filter_: Filter | None) -> ColumnElement[bool]:
        """The filter as a condition; raises ParameterError that names what is wrong."""
        return true() if filter_ is None else _Reader(self, filter_.crs).condition(filter_.tree)


_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
_SPATIAL: dict[str, Any] = {
    "s_intersects": func.ST_Intersects,
    "s_disjoint": func.ST_Disjoint,
    "s_contains": func.ST_Contains,
    "s_within": func.ST_Within,
    "s_touches": func.ST_Touches,
    "s_crosses": func.ST_Crosses,
    "s_overlaps": func.ST_Overlaps,
    "s_equals": func.ST_Equals,
}


@dataclass
class _Reader:
    properties: Properties
    crs: Crs
    conditions: int = 0

    def condition(self, node: Tree) -> ColumnElement[bool]:
        if isinstance(node, bool):
            return literal(node) == true()
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            raise refused(N_("Der Filter hat mehr als %(most)s Bedingungen."), most=MOST_CONDITIONS)
        op, args = _operation(node)
        if op in ("and", "or"):
            if len(args) < 2:
                raise refused(N_("%(op)s braucht mindestens zwei Bedingungen."), op=op)
            return (and_ if op == "and" else or_)(*[self.condition(arg) for arg in args])
        if op == "not":
            return not_(self.condition(*_count(op, args, 1)))
        if op == "isNull":
            return self._is_null(*_count(op, args, 1))
        if op in _COMPARE:
            return self._compare(op, *_count(op, args, 2))
        if op == "like":
            return self._like(*_count(op, args, 2))
        if op == "between":
            return self._between(*_count(op, args, 3))
        if op == "in":
            return self._in(*_count(op, args, 2))
        if op in _SPATIAL:
            return self._spatial(_SPATIAL[op], *_count(op, args, 2))
        raise refused(
            N_("Die Funktion „%(op)s“ gibt es hier nicht."),
            ["and", "or", "not", *_COMPARE, "like", "between", "in", "isNull", "casei", *_SPATIAL],
            op=_shown(op),
        )

    def _is_null(self, node: Tree) -> ColumnElement[bool]:
        if _name(node) == self.properties.geometry:
            where = self.properties.where_shape
            assert where is not None
            return not_(where(lambda shape: shape.is_not(None)))
        _type, column = self._scalar(node)
        return column.is_(None)

    def _compare(self, op: str, left: Tree, right: Tree) -> ColumnElement[bool]:
        first, second = self._scalars(left, right)
        return _COMPARE[op](first, second)

    def _between(self, *nodes: Tree) -> ColumnElement[bool]:
        value, low, high = self._scalars(*nodes)
        return and_(value >= low, value <= high)

    def _in(self, left: Tree, options: Tree) -> ColumnElement[bool]:
        if not isinstance(options, list) or not options:
            raise refused(N_("in braucht eine Liste von Werten."))
        if len(options) > MOST_CONDITIONS:
            raise refused(N_("Eine Liste hat höchstens %(most)s Werte."), most=MOST_CONDITIONS)
        value, *others = self._scalars(left, *options)
        return value.in_(others)

    def _like(self, left: Tree, right: Tree) -> ColumnElement[bool]:
        if isinstance(right, dict) and right.get("op") == "casei":
            pattern = _count("casei", right.get("args", []), 1)[0]
        else:
            pattern = right
        if not isinstance(pattern, str):
            raise refused(N_("like braucht ein Muster in Anführungszeichen, zum Beispiel 'M%'."))
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            raise refused(N_("Das Muster endet mit einem \\, der für nichts steht."))
        type_, value = self._scalar(left)
        _same([Type.TEXT, type_])
        other = self._scalar(right)[1]
        return value.like(other)

    def _scalars(self, *nodes: Tree) -> list[ColumnElement[Any]]:
        found = [self._scalar(node) for node in nodes]
        if any(type_ is Type.MOMENT for type_, _ in found):
            found = [_as_moment(*each) for each in found]
        _same([type_ for type_, _ in found])
        return [column for _, column in found]

    def _scalar(self, node: Tree) -> tuple[Type, ColumnElement[Any]]:
        if isinstance(node, bool):
            return Type.BOOLEAN, literal(node)
        if isinstance(node, int | float):
            return Type.NUMBER, literal(float(node), Double)
        if isinstance(node, str):
            return Type.TEXT, literal(node, Text)
        if isinstance(node, dict):
            name = _name(node)
            if name is not None:
                return self._property(name)
            if node.get("op") == "casei":
                type_, column = self._scalar(*_count("casei", node.get("args", []), 1))
                _same([Type.TEXT, type_])
                return type_, func.lower(collate(column, _UNICODE))
            if "date" in node:
                return Type.DATE, cast(literal(_date(node["date"])), Date)
            if "timestamp" in node:
                return Type.MOMENT, literal(_moment(node["timestamp"]), DateTime(timezone=True))
        raise refused(N_("An einer Stelle des Filters steht kein Wert und keine Eigenschaft."))

    def _property(self, name: str) -> tuple[Type, ColumnElement[Any]]:
        if name == self.properties.geometry:
            raise refused(
                N_("%(name)s ist eine Geometrie; dafür gibt es S_INTERSECTS und seinesgleichen."), name=name
            )
        found = self.properties.columns.get(name)
        if found is None:
            raise self._unknown(name)
        type_, column = found
        return (Type.NUMBER if type_ is Type.INTEGER else type_), column

    def _unknown(self, name: str) -> ParameterError:
        shown = _shown(name)
        known = [self.properties.geometry, *self.properties.columns]
        return refused(N_("Die Eigenschaft „%(name)s“ gibt es hier nicht."), known, name=shown)

    def _spatial(self, function: Any, left: Tree, right: Tree) -> ColumnElement[bool]:
        where = self.properties.where_shape
        assert where is not None
        sides = [None if self._is_geometry(node) else self._literal(node) for node in (left, right)]

        def predicate(shape: ColumnElement[Any]) -> ColumnElement[bool]:
            first, second = (shape if side is None else side for side in sides)
            return function(first, second, type_=true().type)  # type: ignore[no-any-return]

        return where(predicate) if any(side is None for side in sides) else predicate(literal(None))

    def _is_geometry(self, node: Tree) -> bool:
        name = _name(node)
        if name is not None and name != self.properties.geometry:
            if name in self.properties.columns:
                raise refused(N_("%(name)s ist keine Geometrie."), [self.properties.geometry], name=name)
            raise self._unknown(name)
        return name is not None

    def _literal(self, node: Tree) -> ColumnElement[Any]:
        geometry = literal_geometry(node, self.crs)
        # With the SRID inside: GeoAlchemy2 writes one given beside it into the statement, and SQLAlchemy
        # would then use the statement that it kept for one reference system with the values of another.
        stored = shapely.to_wkb(shapely.set_srid(geometry, self.crs.srid), include_srid=True)
        own = func.ST_GeomFromEWKB(stored)
        if self.crs.geographic:
            return own
        west, south, east, north = geometry.bounds
        # A straight edge of another system is curved in ours.
        step = max(east - west, north - south, 32.0) / 32
        return func.ST_Transform(func.ST_Segmentize(own, step), STORED_SRID)


def refused(message: str, allowed: Sequence[str] = (), **words: Any) -> ParameterError:
    return ParameterError(message, words=words, parameter="filter", allowed=allowed)


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:60])


def _operation(node: Tree) -> tuple[str, list[Tree]]:
    if isinstance(node, dict) and isinstance(node.get("op"), str) and isinstance(node.get("args"), list):
        return node["op"], node["args"]
    raise refused(N_("An einer Stelle des Filters steht keine Bedingung, sondern ein bloßer Wert."))


def _count(op: str, args: Tree, number: int) -> list[Tree]:
    if not isinstance(args, list) or len(args) != number:
        raise refused(N_("%(op)s braucht %(n)s Angaben."), op=op, n=number)
    return args


def _as_moment(type_: Type, column: ColumnElement[Any]) -> tuple[Type, ColumnElement[Any]]:
    """A day beside a moment is the day's beginning, UTC."""
    if type_ is not Type.DATE:
        return type_, column
    return Type.MOMENT, func.timezone("UTC", cast(column, DateTime))


def _same(types: Sequence[Type]) -> None:
    words = {
        Type.TEXT: "Text",
        Type.NUMBER: "Zahl",
        Type.BOOLEAN: "Wahrheitswert",
        Type.DATE: "Datum",
        Type.MOMENT: "Zeitpunkt",
    }
    different = list(dict.fromkeys(types))
    if len(different) > 1:
        shown = ", ".join(words[type_] for type_ in different)
        raise refused(N_("Diese lassen sich nicht vergleichen: %(types)s."), types=shown)


def _name(node: Tree) -> str | None:
    if isinstance(node, dict) and "property" in node:
        if not isinstance(node["property"], str):
            raise refused(N_("property nennt eine Eigenschaft als Text."))
        return node["property"]
    return None


def _properties(tree: Tree) -> set[str]:
    found: set[str] = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            name = _name(node)
            if name is not None:
                found.add(name)
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    return found


def is_day(text: str) -> bool:
    """Whether a text is a day as 2026-11-23; Python's own reader also takes weeks."""
    try:
        return _DAY.fullmatch(text) is not None and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _date(text: Tree) -> dt.date:
    if isinstance(text, str) and is_day(text):
        return dt.date.fromisoformat(text)
    raise refused(N_("Ein Datum im Filter ist keines."), ["DATE('2026-11-23')"])


def _moment(text: Tree) -> dt.datetime:
    try:
        if isinstance(text, str) and "T" in text:
            moment = dt.datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise refused(N_("Ein Zeitpunkt im Filter ist keiner."), ["TIMESTAMP('2026-11-23T10:00:00Z')"])


# --- geometries -------------------------------------------------------------------------------------

_DEPTHS = {
    "Point": 0,
    "LineString": 1,
    "MultiPoint": 1,
    "Polygon": 2,
    "MultiLineString": 2,
    "MultiPolygon": 3,
}


def literal_geometry(node: Tree, crs: Crs) -> Any:
    """A literal as a shapely geometry with x first; raises ParameterError."""
    if isinstance(node, dict) and "bbox" in node:
        return _box(node["bbox"], crs)
    try:
        geometry = shapely_shape(_coordinates(node, crs))
    except (ValueError, TypeError, shapely.errors.ShapelyError):
        raise refused(
            N_("Eine Geometrie im Filter hat zu wenige Punkte oder ist nicht geschlossen.")
        ) from None
    if geometry.is_empty or not geometry.is_valid:
        raise refused(N_("Eine Geometrie im Filter ist leer oder überschneidet sich selbst."))
    return geometry


def _coordinates(node: Tree, crs: Crs) -> Tree:
    kind = node.get("type") if isinstance(node, dict) else None
    if kind == "GeometryCollection":
        parts = node.get("geometries")
        if not isinstance(parts, list) or not parts:
            raise refused(N_("Eine GeometryCollection im Filter ist leer."))
        return {"type": kind, "geometries": [_coordinates(part, crs) for part in parts]}
    if not isinstance(kind, str) or kind not in _DEPTHS or "coordinates" not in node:
        raise refused(N_("An einer Stelle des Filters steht keine Geometrie."), [*_DEPTHS, "BBOX"])
    return {"type": kind, "coordinates": _positions(node["coordinates"], _DEPTHS[kind], crs)}


def _positions(node: Tree, depth: int, crs: Crs) -> Tree:
    if not isinstance(node, list) or not node:
        raise refused(N_("Eine Geometrie im Filter hat keine Punkte."))
    if depth:
        return [_positions(part, depth - 1, crs) for part in node]
    if not 2 <= len(node) <= 3 or not all(isinstance(n, int | float) for n in node):
        raise refused(N_("Ein Punkt im Filter hat nicht zwei Zahlen."))
    return _position(node[0], node[1], crs)


def _position(first: float, second: float, crs: Crs) -> tuple[float, float]:
    x, y = (second, first) if crs.flipped else (first, second)
    west, south, east, north = crs.world
    if not (west <= x <= east and south <= y <= north):
        raise refused(
            N_("Ein Punkt im Filter liegt außerhalb des Bezugssystems (%(crs)s)."),
            [f"{west:g} … {east:g}, {south:g} … {north:g}"],
            crs=crs.name,
        )
    return float(x), float(y)


def _box(numbers: Tree, crs: Crs) -> Any:
    if not isinstance(numbers, list) or len(numbers) not in (4, 6):
        raise refused(N_("BBOX braucht vier Zahlen."))
    if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        raise refused(N_("BBOX braucht vier Zahlen."))
    half = len(numbers) // 2
    west, south = _position(numbers[0], numbers[1], crs)
    east, north = _position(numbers[half], numbers[half + 1], crs)
    if south > north or (west > east and not crs.geographic):
        raise refused(N_("Die Ecken von BBOX sind vertauscht."))
    if west <= east:
        return _rectangle(west, south, east, north)
    return shapely.union_all([_rectangle(west, south, 180.0, north), _rectangle(-180.0, south, east, north)])


def _rectangle(west: float, south: float, east: float, north: float) -> Any:
    if west < east and south < north:
        return shapely.box(west, south, east, north)
    if west == east and south == north:
        return shapely.Point(west, south)
    return shapely.LineString([(west, south), (east, north)])
