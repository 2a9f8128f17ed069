"""The classes of a map by its query: the one place where map, table, features and files take them from."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from itertools import repeat

from sqlalchemy import Connection

from mapservice.domain import Audience, Measure
from mapservice.layers import areas
from mapservice.layers.breaks import lower_limits, thousandth, whole
from mapservice.layers.classes import ValueClass, between, fixed
from mapservice.layers.query import Method, Query
from mapservice.layers.selection import Selection

_HUNDRED = 100


def classes(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    values: tuple[str, str] | None = None,
) -> tuple[ValueClass, ...]:
    """The classes, lowest first; none where no area has a value and the method needs some.

    Computed limits come from all areas that the query shows with a value, whatever page or box is asked for.
    values: what areas.values_as_array() said to the same query, if that is known already.
    """
    method = query.classing.method
    if method is Method.FIXED or query.measure is Measure.STATUS:
        return fixed(query.measure, selection.size)
    counted = query.measure is Measure.COUNT
    if method is Method.OWN:
        breaks = query.classing.breaks
        return between(query.measure, [Fraction(0), *(b if counted else b / _HUNDRED for b in breaks)])
    numerators, denominators = values or areas.values_as_array(connection, query, selection, audience)
    pairs = Counter(
        (n, 1 if counted else of)
        for n, of in zip(json.loads(numerators), json.loads(denominators), strict=True)
        if n is not None and n >= 0 and of
    )
    known = [value for pair, times in pairs.items() for value in repeat(Fraction(*pair), times)]
    limits, highest = lower_limits(method, known, query.classing.count, whole if counted else thousandth)
    return between(query.measure, limits, highest)
