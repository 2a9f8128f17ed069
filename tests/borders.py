"""Borders -> neighbours: which areas share a border line, how long it is, and their order (docs/counting.md).

With shapely alone, from the boundary file as delivered.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio.raw
import pyproj
import shapely

LAYERS = {
    "vg250_lan": "states",
    "vg250_krs": "districts",
    "vg250_vwg": "associations",
    "vg250_gem": "municipalities",
}
_LAND = 4
_GPKG = "vg250_01-01.utm32s.gpkg.ebenen/vg250_ebenen_0101/DE_VG250.gpkg"


@dataclass
class Borders:
    """Areas of one level in metres: key and shape, the parts of one key together."""

    keys: Sequence[str]
    shapes: np.ndarray  # type: ignore[type-arg]

    def __post_init__(self) -> None:
        self.tree = shapely.STRtree(self.shapes)
        self.at = {key: number for number, key in enumerate(self.keys)}

    def neighbours(self, key: str) -> dict[str, float]:
        """Metres of shared border by key; a point in common is none."""
        one = self.at[key]
        found = {}
        for other in self.tree.query(self.shapes[one], predicate="intersects"):
            if other == one:
                continue
            line = shapely.intersection(self.shapes[one].boundary, self.shapes[other].boundary)
            if line.length > 0:
                found[self.keys[other]] = float(line.length)
        return found


def from_gpkg(path: Path) -> dict[str, Borders]:
    """The layers of a ZIP with VG250 as GeoPackage, in UTM."""
    made = {}
    for layer, level in LAYERS.items():
        meta, _, shapes, columns = pyogrio.raw.read(f"/vsizip/{path}/{_GPKG}", layer=layer)
        table = dict(zip(meta["fields"], columns, strict=True))
        keys = table["RS"] if "RS" in table else table["ARS"]
        land = table["GF"] == _LAND
        made[level] = _together(keys[land], shapely.make_valid(shapely.from_wkb(shapes[land])))
    return made


def from_topojson(path: Path) -> dict[str, Borders]:
    """The same of a ZIP with the layers as one TopoJSON in degrees, brought to UTM."""
    with zipfile.ZipFile(path) as archive:
        content = json.loads(archive.read("vg250.topojson"))
    scale, move = (np.array(content["transform"][name]) for name in ("scale", "translate"))
    to_metres = pyproj.Transformer.from_crs(4326, 25832, always_xy=True)
    arcs = []
    for arc in content["arcs"]:
        lon, lat = (np.cumsum(arc, axis=0) * scale + move).T
        arcs.append(np.column_stack(to_metres.transform(lon, lat)))

    def ring(numbers: Sequence[int]) -> np.ndarray:  # type: ignore[type-arg]
        # A negative number is the arc ~n backwards (TopoJSON, 2.1.4); arcs share their ends.
        parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])

    made = {}
    for layer, level in LAYERS.items():
        keys, shapes = [], []
        for item in content["objects"][layer]["geometries"]:
            several = item["arcs"] if item["type"] == "MultiPolygon" else [item["arcs"]]
            polygons = [
                shapely.Polygon(ring(rings[0]), [ring(hole) for hole in rings[1:]]) for rings in several
            ]
            keys.append(item["properties"]["ARS"])
            shapes.append(shapely.MultiPolygon(polygons))
        made[level] = _together(
            np.array(keys, dtype=object), shapely.make_valid(np.array(shapes, dtype=object))
        )
    return made


def _together(keys: np.ndarray, shapes: np.ndarray) -> Borders:  # type: ignore[type-arg]
    wanted, group = np.unique(keys.astype(str), return_inverse=True)
    order = np.argsort(group, kind="stable")
    parts = np.split(shapes[order], np.searchsorted(group[order], np.arange(1, len(wanted))))
    return Borders(
        [str(key) for key in wanted],
        np.array([p[0] if len(p) == 1 else shapely.union_all(p) for p in parts], dtype=object),
    )


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great circle between two (lon, lat) in degrees, radius 6371.0088 km: by the angle of two vectors."""

    def vector(place: tuple[float, float]) -> np.ndarray:  # type: ignore[type-arg]
        lon, lat = np.radians(place)
        return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])

    a, b = vector(one), vector(other)
    return 6371.0088 * math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))


def half_up(value: float) -> int:
    return math.floor(value + 0.5)
