"""Class limits from the values themselves: equal widths, equal numbers, natural breaks (docs/counting.md, 8).

A method takes ascending values, at least one, and the number of classes wanted. It returns where classes
begin, ascending, the lowest value first; fewer than wanted where ties or few distinct values allow no more.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from mapservice.layers.query import Method

MOST_COMPARED = 2000
"""Natural breaks take the square of the number of values: 0.4 s for all municipalities, 13 ms for so many."""
_THOUSAND = 1000

Round = Callable[[Fraction], Fraction]


def whole(limit: Fraction) -> Fraction:
    """The whole number from which counts are at or above the limit."""
    return Fraction(math.ceil(limit))


def thousandth(limit: Fraction) -> Fraction:
    """Down to a tenth of a per cent, as shares are shown: a value that is a limit stays at or above it."""
    return Fraction(math.floor(limit * _THOUSAND), _THOUSAND)


def equal(values: Sequence[Fraction], count: int) -> list[Fraction]:
    """The same width each."""
    first, last = values[0], values[-1]
    width = (last - first) / count
    return [first + width * step for step in range(count)] if width else [first]


def quantile(values: Sequence[Fraction], count: int) -> list[Fraction]:
    """The same number of values each, as far as ties allow: equal values are never parted."""
    return [values[math.ceil(Fraction(step * len(values), count))] for step in range(min(count, len(values)))]


def natural(values: Sequence[Fraction], count: int) -> list[Fraction]:
    """Fisher and Jenks: the least variance within classes."""
    distinct = sorted(set(values), key=float)
    if len(distinct) <= count:
        return distinct
    # numpy comes with it: paid by the first map of this kind, not by every start.
    import jenkspy

    compared = _evenly(values)
    known = sorted(set(compared), key=float)
    if len(known) <= count:
        return known
    # Its classes end at a value that they hold: the next one begins at the value above.
    ends = [float(end) for end in jenkspy.jenks_breaks([float(value) for value in compared], count)[1:-1]]
    numbers = [float(value) for value in distinct]
    return [distinct[0], *(distinct[bisect.bisect_right(numbers, end)] for end in ends)]


_METHODS = {Method.EQUAL: equal, Method.QUANTILE: quantile, Method.NATURAL: natural}


def lower_limits(
    method: Method, values: Iterable[Fraction], count: int, rounded: Round
) -> tuple[tuple[Fraction, ...], Fraction | None]:
    """Where the classes begin, and the highest value; no class and None without a value."""
    # As numbers of the machine: ten times as fast, and in the same order for fractions of counts.
    ordered = sorted(values, key=float)
    if not ordered:
        return (), None
    limits = sorted({rounded(limit) for limit in _METHODS[method](ordered, count)})
    return tuple(limits), ordered[-1]


def _evenly(values: Sequence[Fraction]) -> Sequence[Fraction]:
    """So many of the ordered values, at even distances, the first and the last among them."""
    if len(values) <= MOST_COMPARED:
        return values
    step = Fraction(len(values) - 1, MOST_COMPARED - 1)
    return [values[round(step * number)] for number in range(MOST_COMPARED)]
