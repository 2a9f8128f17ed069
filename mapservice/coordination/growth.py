"""How many had a service online, month by month: numbers for a table, and a curve as SVG without a script."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mapservice.coordination.progress_chart import Mark

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 14, 26
_MOST_YEARS_NAMED = 9


@dataclass(frozen=True)
class Month:
    """first: its first day. new: authorities that came in it; total: those by its end."""

    first: dt.date
    new: int
    total: int


@dataclass(frozen=True)
class Growth:
    """months: from the first with anybody to the present one. undated: authorities that give no day. path: of
    the curve's area; across, up: marks of years and numbers.
    """

    months: tuple[Month, ...]
    undated: int
    path: str
    line: str
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]


def growth(days: Iterable[dt.date | None], today: dt.date) -> Growth | None:
    """days: since when each has it online; days to come are left out. None without any day."""
    known: Counter[dt.date] = Counter()
    undated = 0
    for day in days:
        if day is None:
            undated += 1
        elif day <= today:
            known[day.replace(day=1)] += 1
    if not known:
        return None
    months = []
    month, total = min(known), 0
    while month <= today:
        total += known[month]
        months.append(Month(month, known[month], total))
        month = (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    return _drawn(tuple(months), undated)


def _drawn(months: tuple[Month, ...], undated: int) -> Growth:
    most = _round_up(months[-1].total)
    step = (WIDTH - _LEFT - _RIGHT) / len(months)

    def y(number: float) -> float:
        return round(HEIGHT - _BOTTOM - number / most * (HEIGHT - _TOP - _BOTTOM), 1)

    line = [f"{_LEFT} {y(0)}"]
    for number, month in enumerate(months):
        # A month's number holds from its beginning: steps, not slopes that nobody reported.
        line.append(f"{_LEFT + number * step:.1f} {y(month.total)}")
        line.append(f"{_LEFT + (number + 1) * step:.1f} {y(month.total)}")
    years = [(number, month.first.year) for number, month in enumerate(months) if month.first.month == 1]
    every = max(1, -(-len(years) // _MOST_YEARS_NAMED))
    across = tuple(
        Mark(round(_LEFT + number * step, 1), str(year)) for number, year in years if not year % every
    )
    if not across:
        across = (Mark(float(_LEFT), f"{months[0].first:%m/%Y}"),)
    return Growth(
        months,
        undated,
        f"M{'L'.join(line)}L{WIDTH - _RIGHT} {y(0)}Z",
        f"M{'L'.join(line[1:])}",
        across,
        tuple(Mark(y(part), f"{part}") for part in sorted({0, most // 2, most})),
    )


def _round_up(number: int) -> int:
    """The next of 2, 4, 6, 10, 20 ..., so that half of it is whole."""
    size = 1
    while True:
        for factor in (2, 4, 6, 10):
            if factor * size >= number:
                return factor * size
        size *= 10
