"""Where a solution is used: districts as a small SVG, light enough to be made at request."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping

from flask import render_template
from sqlalchemy import Connection, select

from mapservice.domain import Level, Status
from mapservice.layers.counting import current_release
from mapservice.models import Boundary, BoundaryShape

_WIDTH = 360.0
_DETAIL = 1000
Shapes = tuple[tuple[str, str], ...]


def drawn(connection: Connection, statuses: Mapping[str, int]) -> bytes:
    """statuses: best status by the first five digits of an ARS; 000 at the end means the state itself."""
    release = connection.scalar(select(current_release()))
    width, height, shapes = _shapes(connection, release)
    classes: dict[str, list[str]] = {"used": [], "coming": [], "state": [], "none": []}
    for key, path in shapes:
        classes[_class(key, statuses)].append(path)
    joined = {name: "".join(paths) for name, paths in classes.items()}
    return render_template("coordination/solution_map.svg", width=width, height=height, paths=joined).encode()


def _class(key: str, statuses: Mapping[str, int]) -> str:
    status = statuses.get(key)
    if status == Status.ONLINE:
        return "used"
    if status is not None:
        return "coming"
    above = (statuses.get(f"{key[:2]}000"), statuses.get("00000"))
    return "state" if Status.ONLINE in above else "none"


_kept: dict[int | None, tuple[int, int, Shapes]] = {}


def _shapes(connection: Connection, release: int | None) -> tuple[int, int, Shapes]:
    """Paths of all districts of a release, which stay as they are: kept for the next solution."""
    if release not in _kept:
        _kept.clear()
        _kept[release] = _made(connection)
    return _kept[release]


def _made(connection: Connection) -> tuple[int, int, Shapes]:
    rows = connection.execute(
        select(
            Boundary.key, BoundaryShape.geojson, Boundary.west, Boundary.south, Boundary.east, Boundary.north
        )
        .join(BoundaryShape, (BoundaryShape.boundary_id == Boundary.id) & (BoundaryShape.detail == _DETAIL))
        .where(Boundary.release_id == current_release(), Boundary.level == int(Level.DISTRICT))
        .order_by(Boundary.key)
    ).all()
    if not rows:
        return 1, 1, ()
    west, east = min(row.west for row in rows), max(row.east for row in rows)
    south, north = min(row.south for row in rows), max(row.north for row in rows)
    shrink = math.cos(math.radians((south + north) / 2))
    scale = _WIDTH / max((east - west) * shrink, (north - south) * 0.75, 1e-9)

    def place(lon: float, lat: float) -> str:
        return f"{(lon - west) * shrink * scale:.1f} {(north - lat) * scale:.1f}"

    shapes = tuple((row.key, _path(row.geojson, place)) for row in rows)
    return math.ceil((east - west) * shrink * scale), math.ceil((north - south) * scale), shapes


def _path(geojson: str, place: Callable[[float, float], str]) -> str:
    parts = []
    for polygon in json.loads(geojson)["coordinates"]:
        for ring in polygon:
            points: list[str] = []
            for lon, lat in ring:
                text = place(lon, lat)
                if not points or points[-1] != text:
                    points.append(text)
            if len(points) > 2:
                parts.append(f"M{'L'.join(points)}Z")
    return "".join(parts)
