"""Class limits and colours.

By default limits are fixed by measure and size of the selection, not by the data: a style copied today fits
next month, and two maps of the same selection compare. Other methods compute them from the values shown
(breaks.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from mapservice.domain import Measure, Status

# In the manner of ColorBrewer's "Blues", light to dark, the steps evened out: neighbours are at least 8.8
# apart (CIEDE2000) for common sight, protanopia, deuteranopia and tritanopia alike.
_BLUES = ("#f7fbff", "#c9def0", "#8cbfdc", "#5ca3d0", "#3983bf", "#2069ac", "#0b4c93", "#08306b")
# The same order on a dark ground, where more is lighter. tests/test_palettes.py measures both.
_BLUES_DARK = ("#22304a", "#1f4370", "#215a97", "#2f74ba", "#4b90d4", "#74aee6", "#a3ccf3", "#d6eaff")
_SPREAD: dict[int, tuple[int, ...]] = {
    0: (),
    1: (5,),
    2: (2, 6),
    3: (1, 4, 7),
    4: (0, 3, 5, 7),
    5: (0, 2, 4, 5, 7),
    6: (0, 2, 3, 4, 5, 7),
}
"""Steps of the palette for so few classes, as far from each other as it has them."""
_COUNT_LIMITS = (0, 1, 5, 10, 25, 50, 100)
_MOST_SINGLE_CLASSES = 6
_SHARE_LIMITS = (Fraction(0), Fraction(1, 10**6), *(Fraction(step, 5) for step in range(1, 5)))
_SHARE_LABELS = (
    "%(lower)s %%",
    "unter %(upper)s %%",
    "%(lower)s bis unter %(upper)s %%",
    "%(lower)s bis unter %(upper)s %%",
    "%(lower)s bis unter %(upper)s %%",
    "ab %(lower)s %%",
)
_STATUS_COLOURS = {
    Status.ONLINE: "#084594",
    Status.IN_PROGRESS: "#4292c6",
    Status.PLANNED: "#9ecae1",
    Status.OPEN: "#f7fbff",
}
_STATUS_COLOURS_DARK = {
    Status.ONLINE: "#d6eaff",
    Status.IN_PROGRESS: "#74aee6",
    Status.PLANNED: "#2f74ba",
    Status.OPEN: "#22304a",
}
_STATUS_LABELS = {
    Status.ONLINE: "online",
    Status.IN_PROGRESS: "in Umsetzung",
    Status.PLANNED: "in Planung",
    Status.OPEN: "offen",
}


Label = tuple[str, dict[str, int | Fraction]]
"""A pattern and what stands in it."""


@dataclass(frozen=True)
class ValueClass:
    """One class: values from `lower` up to the next class's `lower`.

    pattern: the label in German with places for `words`, as the web side translates it (titles.class_label).
    """

    code: str
    lower: Fraction
    upper: Fraction | None
    pattern: str
    colour: str
    words: dict[str, int | Fraction] = field(default_factory=dict, hash=False)
    dark: str = ""
    """The colour on a dark ground."""

    @property
    def label(self) -> str:
        """The label in German."""
        return self.pattern % {name: f"{float(number):g}" for name, number in self.words.items()}

    def holds(self, n: int, of: int) -> bool:
        """Whether a value n / of (of is 1 for counts and codes) lies in the class; exact."""
        return n >= self.lower * of and (self.upper is None or n < self.upper * of)


def fixed(measure: Measure, size: int) -> tuple[ValueClass, ...]:
    """The fixed classes of a measure over `size` services, lowest first; the first is exactly 0."""
    if measure is Measure.STATUS:
        return tuple(
            ValueClass(
                status.code,
                Fraction(status),
                Fraction(status + 1),
                _STATUS_LABELS[status],
                colour,
                dark=_STATUS_COLOURS_DARK[status],
            )
            for status, colour in _STATUS_COLOURS.items()
        )
    if measure is Measure.COUNT:
        return _count_classes(size)
    uppers = (*_SHARE_LIMITS[1:], None)
    return tuple(
        ValueClass(
            f"c{n}",
            lower,
            upper,
            pattern,
            _BLUES[n + 1 if n else 0],
            {"lower": round(lower * 100), "upper": round((upper or 1) * 100)},
            _BLUES_DARK[n + 1 if n else 0],
        )
        for n, (lower, upper, pattern) in enumerate(zip(_SHARE_LIMITS, uppers, _SHARE_LABELS, strict=True))
    )


def _count_classes(size: int) -> tuple[ValueClass, ...]:
    if size <= _MOST_SINGLE_CLASSES:
        limits = tuple(range(size + 1))
    else:
        limits = tuple(limit for limit in _COUNT_LIMITS if limit <= size)
    result = []
    for n, lower in enumerate(limits):
        following = limits[n + 1] if n + 1 < len(limits) else None
        last = following - 1 if following is not None else None
        words: dict[str, int | Fraction] = {"lower": lower}
        pattern = "%(lower)s bis %(last)s"
        if lower == last or (last is None and lower == size):
            pattern = "%(lower)s"
        elif last is None:
            pattern = "ab %(lower)s"
        else:
            words["last"] = last
        step = 0 if n == 0 else n + 8 - len(limits)
        upper = None if following is None else Fraction(following)
        result.append(
            ValueClass(f"c{n}", Fraction(lower), upper, pattern, _BLUES[step], words, _BLUES_DARK[step])
        )
    return tuple(result)


def between(
    measure: Measure, limits: Sequence[Fraction], highest: Fraction | None = None
) -> tuple[ValueClass, ...]:
    """Classes that begin at these limits, ascending; the last ends with the highest value, if that is known.

    Codes c0, c1 … from the lowest. Whole numbers for counts; shares are between 0 and 1.
    """
    steps = _SPREAD.get(len(limits), (0, 2, 3, 4, 5, 6, 7))
    result = []
    for n, (lower, step) in enumerate(zip(limits, steps, strict=True)):
        upper = limits[n + 1] if n + 1 < len(limits) else None
        shown = _count_label if measure is Measure.COUNT else _share_label
        pattern, words = shown(lower, upper, highest)
        result.append(ValueClass(f"c{n}", lower, upper, pattern, _BLUES[step], words, _BLUES_DARK[step]))
    return tuple(result)


def _count_label(lower: Fraction, upper: Fraction | None, highest: Fraction | None) -> Label:
    last = highest if upper is None else upper - 1
    if last is None:
        return "ab %(lower)s", {"lower": lower}
    if last == lower:
        return "%(lower)s", {"lower": lower}
    return "%(lower)s bis %(last)s", {"lower": lower, "last": last}


def _share_label(lower: Fraction, upper: Fraction | None, highest: Fraction | None) -> Label:
    percents: dict[str, int | Fraction] = {"lower": lower * 100}
    if upper is not None:
        percents["upper"] = upper * 100
        return ("%(lower)s bis unter %(upper)s %%" if lower else "unter %(upper)s %%"), percents
    if highest is None:
        return "ab %(lower)s %%", percents
    # Rounded up, as the limits are down: the class holds what it says.
    percents["upper"] = Fraction(math.ceil(highest * 1000), 10)
    if percents["upper"] == percents["lower"]:
        return "%(lower)s %%", percents
    return "%(lower)s bis %(upper)s %%", percents


def share(n: int, of: int) -> float:
    """n / of to three decimals, half away from zero as in SQL and in spreadsheets (docs/counting.md, 7)."""
    return (2000 * n + of) // (2 * of) / 1000


def class_of(value: Fraction | int, among: tuple[ValueClass, ...]) -> str:
    """The code of the class that holds the value: the last one that starts at or below it."""
    code = among[0].code
    for candidate in among:
        if candidate.lower <= value:
            code = candidate.code
    return code
