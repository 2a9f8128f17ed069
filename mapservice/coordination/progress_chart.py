"""The chart of progress: plain numbers for a template that writes SVG, in the page's own colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mapservice import i18n
from mapservice.layers.progress import Numbers

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 12, 34
_MOST_LABELS = 7
_STEPS = (1, 2, 5)
_MOST_LINES = 5


@dataclass(frozen=True)
class Mark:
    """A place on an axis and what stands there."""

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
    """Means over the authorities with data; the places of the days are in proportion to time."""
    first, span = own[0].day, max(1, (own[-1].day - own[0].day).days)
    layers = [
        [mean(item.online, item) for item in own],
        [mean(item.online + item.in_progress, item) for item in own],
        [mean(item.online + item.in_progress + item.planned, item) for item in own],
    ]
    compared = [mean(item.online, item) for item in others]
    step, top = _scale(max([*layers[-1], *compared]))

    def x(item: Numbers) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (item.day - first).days / span, 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top, 1)

    places = [x(item) for item in own]
    below: list[float] = [0.0] * len(own)
    areas = []
    for name, values in zip(("online", "in_progress", "planned"), layers, strict=True):
        outline = [*zip(places, values, strict=True), *reversed(list(zip(places, below, strict=True)))]
        areas.append((name, " ".join(f"{place},{y(value)}" for place, value in outline)))
        below = values
    every = -(-len(own) // _MOST_LABELS)
    labelled = own[::-every][::-1]
    return Chart(
        areas=tuple(areas),
        line=" ".join(f"{x(item)},{y(value)}" for item, value in zip(others, compared, strict=True)),
        dots=tuple((place, y(value)) for place, value in zip(places, layers[0], strict=True)),
        x=tuple(Mark(x(item), i18n.date(item.day)) for item in labelled),
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
