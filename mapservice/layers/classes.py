"""Class limits and colours. They are fixed by measure and size of the selection, not by the data:
a style copied today fits next month, and two maps of the same selection compare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from mapservice.domain import Measure, Status

# ColorBrewer "Blues" with eight steps, safe for the usual colour blindnesses; light to dark.
_BLUES = ("#f7fbff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#084594")
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
_STATUS_LABELS = {
    Status.ONLINE: "online",
    Status.IN_PROGRESS: "in Umsetzung",
    Status.PLANNED: "in Planung",
    Status.OPEN: "offen",
}


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
    words: dict[str, int] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> str:
        """The label in German."""
        return self.pattern % self.words


def classes(measure: Measure, size: int) -> tuple[ValueClass, ...]:
    """The classes of a measure over a selection of `size` services, lowest first; the first is exactly 0."""
    if measure is Measure.STATUS:
        return tuple(
            ValueClass(status.code, Fraction(status), Fraction(status), _STATUS_LABELS[status], colour)
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
            _BLUES[n + 1] if n else _BLUES[0],
            {"lower": round(lower * 100), "upper": round((upper or 1) * 100)},
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
        pattern, words = "%(lower)s bis %(last)s", {"lower": lower}
        if lower == last or (last is None and lower == size):
            pattern = "%(lower)s"
        elif last is None:
            pattern = "ab %(lower)s"
        else:
            words["last"] = last
        colour = _BLUES[0] if n == 0 else _BLUES[n + 8 - len(limits)]
        upper = None if following is None else Fraction(following)
        result.append(ValueClass(f"c{n}", Fraction(lower), upper, pattern, colour, words))
    return tuple(result)


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
