"""Simple filters judged in memory: some comparisons of properties with values, and geometries that areas
share a point with, all of which must hold. Whatever else CQL2 knows is the database's (predicates.py), which
also finds what is wrong with a filter; where both can judge, they say the same.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapservice.errors import ParameterError
from mapservice.layers.predicates import Filter, Type, literal_geometry

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_EXACT = ("=", "<>")
"""Of texts: the order of others depends on the database's collation."""
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_MOST = 20


@dataclass(frozen=True)
class Condition:
    """A property compared with a value; one that is null is in no relation to anything."""

    name: str
    compare: Callable[[Any, Any], bool]
    value: Any

    def holds(self, properties: Mapping[str, Any]) -> bool:
        found = properties[self.name]
        return found is not None and self.compare(found, self.value)


@dataclass(frozen=True)
class QuickFilter:
    """geometries: of shapely, in the system of the stored shapes."""

    geometries: Sequence[Any]
    conditions: Sequence[Condition]


def quick(filter_: Filter, types: Mapping[str, Type], geometry: str) -> QuickFilter | None:
    """The filter, if it is simple enough."""
    tree = filter_.tree
    both = tree.get("args") if isinstance(tree, dict) and tree.get("op") == "and" else None
    parts = both if isinstance(both, list) and len(both) > 1 else [tree]
    geometries, conditions = [], []
    for part in parts if len(parts) <= _MOST else [None]:
        if not isinstance(part, dict) or not isinstance(part.get("args"), list) or len(part["args"]) != 2:
            return None
        left, right = part["args"]
        if part.get("op") == "s_intersects":
            drawn = _geometry(filter_, left, right, geometry)
            if drawn is None:
                return None
            geometries.append(drawn)
        else:
            condition = _condition(part.get("op"), left, right, types)
            if condition is None:
                return None
            conditions.append(condition)
    return QuickFilter(geometries, conditions)


def _geometry(filter_: Filter, left: Any, right: Any, geometry: str) -> Any:
    named = {"property": geometry}
    if not filter_.crs.geographic or (left == named) == (right == named):
        return None
    try:
        return literal_geometry(right if left == named else left, filter_.crs)
    except ParameterError:
        return None  # the database's way says what is wrong, where it stands


def _condition(op: Any, left: Any, right: Any, types: Mapping[str, Type]) -> Condition | None:
    if isinstance(right, dict):
        left, right, op = right, left, _TURNED.get(op, op)
    name = left.get("property") if isinstance(left, dict) and len(left) == 1 else None
    if op not in _COMPARE or not isinstance(name, str):
        return None
    type_ = types.get(name)
    number = isinstance(right, int | float) and not isinstance(right, bool) and math.isfinite(right)
    if type_ in (Type.NUMBER, Type.INTEGER) and number:
        return Condition(name, _COMPARE[op], float(right))
    if type_ is Type.TEXT and isinstance(right, str) and op in _EXACT:
        return Condition(name, _COMPARE[op], right)
    return None
