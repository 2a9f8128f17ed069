"""Colours that neighbours in the legend can be told apart by, also with colour blindness, measured.

Simulation: Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision
Deficiency" (2009), severity 1.0, applied to linear RGB. Difference: CIEDE2000.
"""

from __future__ import annotations

from fractions import Fraction
from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

import pytest

from mapservice.domain import Measure
from mapservice.layers.classes import ValueClass, between, fixed

Vector = tuple[float, float, float]
SIGHTS: dict[str, tuple[Vector, Vector, Vector]] = {
    "common": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
XYZ: tuple[Vector, Vector, Vector] = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)
LEAST = 7.5
"""A difference of 2 to 3 is just seen side by side; a legend is compared from a distance."""


def times(matrix: tuple[Vector, Vector, Vector], vector: Vector) -> Vector:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def lab(colour: str, sight: str) -> Vector:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    seen = times(SIGHTS[sight], (r, g, b))
    xyz = times(XYZ, tuple(min(max(c, 0.0), 1.0) for c in seen))  # type: ignore[arg-type]
    ratios = [value / white for value, white in zip(xyz, WHITE, strict=True)]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in ratios)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: Vector, other: Vector) -> float:
    (l1, a1, b1), (l2, a2, b2) = one, other
    c7 = ((hypot(a1, b1) + hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * sqrt(c7 / (c7 + 25**7))
    a1, a2 = a1 * g, a2 * g
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180
    big = 2 * sqrt(c1 * c2) * sin(radians(turn / 2))
    lightness, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, (h1 + turn / 2) % 360
    t = (
        1
        - 0.17 * cos(radians(hue - 30))
        + 0.24 * cos(radians(2 * hue))
        + 0.32 * cos(radians(3 * hue + 6))
        - 0.20 * cos(radians(4 * hue - 63))
    )
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    rotation = -sin(radians(60 * exp(-(((hue - 275) / 25) ** 2)))) * 2
    rotation *= sqrt(chroma**7 / (chroma**7 + 25**7))
    d_l, d_c, d_h = (l2 - l1) / s_l, (c2 - c1) / s_c, big / s_h
    return sqrt(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h)


def test_the_measure_is_the_published_one() -> None:
    """Pair 1 of the test data of Sharma, Wu, Dalal (2005)."""
    assert ciede2000((50, 2.6772, -79.7751), (50, 0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)


LEGENDS: dict[str, tuple[ValueClass, ...]] = {
    "count": fixed(Measure.COUNT, 500),
    "few": fixed(Measure.COUNT, 6),
    "share": fixed(Measure.SHARE, 500),
    "status": fixed(Measure.STATUS, 1),
    **{f"{k} computed": between(Measure.COUNT, [Fraction(i) for i in range(k)]) for k in range(2, 8)},
}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("legend", LEGENDS)
def test_classes_differ_for_every_sight(legend: str, sight: str) -> None:
    for colours in ([item.colour for item in LEGENDS[legend]], [item.dark for item in LEGENDS[legend]]):
        seen = [lab(colour, sight) for colour in colours]
        nearest = min(ciede2000(a, b) for n, a in enumerate(seen) for b in seen[:n])
        assert nearest > LEAST
        light = [item[0] for item in seen]
        # In a greyscale print too: lighter by steps, one way.
        assert light in (sorted(light), sorted(light, reverse=True))
