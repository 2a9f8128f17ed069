"""All of Germany with its real keys, names and hierarchy, on squares: for tests of numbers, not of geometry.

Importing it takes a fraction of the time that the real borders do.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import shapely

from boundaries import build_bundled

_LAYERS = {
    "state": "vg250_lan",
    "district": "vg250_krs",
    "association": "vg250_vwg",
    "municipality": "vg250_gem",
}
_DIGITS = {"state": 2, "district": 5, "association": 9, "municipality": 12}
_WEST, _SOUTH, _STEP = 6.0, 47.0, 0.0625
"""Degrees: squares of about 5 km, which no generalisation removes."""


def write(table: Path, target: Path) -> None:
    """table: a CSV `ars;schluessel;ebene;name;bezeichnung` of all areas; target: a ZIP to import."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file, delimiter=";"), key=lambda row: row["schluessel"])
    squares = _squares([row["schluessel"] for row in rows if row["ebene"] == "municipality"])
    keys = list(squares)
    objects: build_bundled.Objects = {}
    for level, name in _LAYERS.items():
        areas = [row for row in rows if row["ebene"] == level]
        members: dict[str, list[shapely.Polygon]] = {row["schluessel"]: [] for row in areas}
        for key in keys:
            members[key[: _DIGITS[level]]].append(squares[key])
        objects[name] = (
            np.array([shapely.union_all(members[row["schluessel"]]) for row in areas]),
            [
                (
                    row["schluessel"],
                    {
                        "ARS": row["schluessel"],
                        "GEN": row["name"],
                        "BEZ": row["bezeichnung"],
                        "IBZ": 0,
                        "GF": 4,
                    },
                )
                for row in areas
            ],
        )
    build_bundled.write(objects, target)


def _squares(keys: list[str]) -> dict[str, shapely.Polygon]:
    """In the order of the keys, row by row and back again, so that areas above hang together."""
    width = int(np.ceil(np.sqrt(len(keys))))
    found = {}
    for number, key in enumerate(keys):
        y, x = divmod(number, width)
        x = x if y % 2 == 0 else width - 1 - x
        west, south = _WEST + x * _STEP, _SOUTH + y * _STEP
        found[key] = shapely.box(west, south, west + _STEP, south + _STEP)
    return found
