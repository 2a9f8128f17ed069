"""The chart of progress: plain numbers for a template that writes SVG, in the page's own colours."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from mapservice import i18n
from mapservice.layers.progress import Numbers, ServiceNumbers

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 12, 34
_MOST_LABELS = 7
_STEPS = (1, 2, 5)
_MOST_LINES = 5


@dataclass(frozen=True)
class Mark:
    """A place on an axis, in units of the drawing, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Areas upon each other, the lowest first: name of the status and points of the outline. line: points of
    the comparable ones, empty without. dots: where `online` was counted.
    """

    areas: tuple[tuple[str, str], ...]
    line: str
    dots: tuple[tuple[float, float], ...]
    x: tuple[Mark, ...]
    y: tuple[Mark, ...]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def mean(number: int, numbers: Numbers) -> float:
    """Of one authority with data."""
    return number / numbers.reporting if numbers.reporting else 0.0


def drawn(own: Sequence[Numbers], others: Sequence[Numbers]) -> Chart:
    """Means over the authorities with data."""
    layers = [
        [mean(item.online, item) for item in own],
        [mean(item.online + item.in_progress, item) for item in own],
        [mean(item.online + item.in_progress + item.planned, item) for item in own],
    ]
    return _stacked([item.day for item in own], layers, [mean(item.online, item) for item in others])


def of_service(reached: Sequence[ServiceNumbers]) -> Chart:
    """Numbers of authorities."""
    layers = [
        [float(item.online) for item in reached],
        [float(item.online + item.in_progress) for item in reached],
        [float(item.online + item.in_progress + item.planned) for item in reached],
    ]
    return _stacked([item.day for item in reached], layers, [])


def _stacked(days: Sequence[dt.date], layers: Sequence[Sequence[float]], compared: Sequence[float]) -> Chart:
    """layers: each with those below it; compared: none, or a number for each day. The places of the days are
    in proportion to time.
    """
    first, span = days[0], max(1, (days[-1] - days[0]).days)
    step, top = _scale(max([*layers[-1], *compared]))

    def x(day: dt.date) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (day - first).days / span, 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top, 1)

    places = [x(day) for day in days]
    below: Sequence[float] = [0.0] * len(days)
    areas = []
    for name, values in zip(("online", "in_progress", "planned"), layers, strict=True):
        outline = [*zip(places, values, strict=True), *reversed(list(zip(places, below, strict=True)))]
        areas.append((name, " ".join(f"{place},{y(value)}" for place, value in outline)))
        below = values
    every = -(-len(days) // _MOST_LABELS)
    labelled = days[::-every][::-1]
    return Chart(
        areas=tuple(areas),
        line=" ".join(f"{place},{y(value)}" for place, value in zip(places, compared, strict=False)),
        dots=tuple((place, y(value)) for place, value in zip(places, layers[0], strict=True)),
        x=tuple(Mark(x(day), i18n.date(day)) for day in labelled),
        y=tuple(Mark(y(n * step), i18n.number(n * step)) for n in range(round(top / step) + 1)),
    )


def _scale(most: float) -> tuple[float, float]:
    """A round step and the end of the axis, with room for the highest value."""
    size = 1
    while True:
        for factor in _STEPS:
            step = factor * size
            if most <= step * _MOST_LINES:
                return step, step * max(1, math.ceil(most / step))
        size *= 10
