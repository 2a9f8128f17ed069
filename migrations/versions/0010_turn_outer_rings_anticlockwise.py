"""Turn the outer rings of stored boundaries anticlockwise, holes clockwise (RFC 7946, 3.1.6).

An earlier build wrote them as they came out of simplifying, and the same file is not imported again. What is turned moves
the data version of both audiences, and a geometry file has another hash, so that no cache keeps the old shapes.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Five decimals are the finest grid of a shape: no vertex moves.
_TURN = (
    "UPDATE boundary SET geom = ST_ForcePolygonCCW(geom) WHERE NOT ST_IsPolygonCCW(geom)",
    "UPDATE boundary_shape SET geom = ST_ForcePolygonCCW(geom),"
    " geojson = ST_AsGeoJSON(ST_ForcePolygonCCW(geom), 5, 0) WHERE NOT ST_IsPolygonCCW(geom)",
)


def upgrade() -> None:
    bind = op.get_bind()
    turned = sum(bind.execute(sa.text(statement)).rowcount for statement in _TURN)
    turned += _turn_files(bind)
    if turned:
        op.execute("SELECT move_data_version(1::smallint), move_data_version(3::smallint)")


def downgrade() -> None:
    """Nothing: every earlier build reads rings of either order."""


def _turn_files(bind: sa.Connection) -> int:
    """Write geometry files with a wrong ring anew; how many there were."""
    # Here, because the service reads every migration when it starts, and does without what imports need.
    from mapservice.imports import topology
    from mapservice.imports.geometry_files import packed

    file = sa.table(
        "geometry_file",
        *map(sa.column, ("hash", "release_id", "level", "detail", "size", "brotli", "gzip")),
    )
    turned = 0
    keys = bind.execute(sa.select(file.c.release_id, file.c.level, file.c.detail)).all()
    for release_id, level, detail in keys:
        one = sa.and_(file.c.release_id == release_id, file.c.level == level, file.c.detail == detail)
        # One at a time, as the largest takes a hundred times its room.
        document = json.loads(gzip.decompress(bind.execute(sa.select(file.c.gzip).where(one)).scalar_one()))
        if _turn(document):
            bind.execute(sa.update(file).where(one).values(packed(topology.encode(document), detail)))
            turned += 1
    return turned


def _turn(document: dict[str, Any]) -> bool:
    """Turn the rings of a TopoJSON document in place; whether one ran the wrong way."""
    # Twice the area to the left of each arc, as seen from the origin; a ring's is the sum of its arcs'.
    areas = [_doubled_area(arc) for arc in document["arcs"]]
    wrong = [
        ring
        for polygon in _polygons(document)
        for number, ring in enumerate(polygon)
        if (sum(areas[n] if n >= 0 else -areas[~n] for n in ring) > 0) != (number == 0)
    ]
    for ring in wrong:
        ring[:] = [~n for n in reversed(ring)]
    return bool(wrong)


def _polygons(document: dict[str, Any]) -> Iterator[list[list[int]]]:
    for member in document["objects"].values():
        for item in member["geometries"]:
            yield from item["arcs"] if item["type"] == "MultiPolygon" else [item["arcs"]]


def _doubled_area(arc: list[list[int]]) -> int:
    x, y = np.cumsum(arc, axis=0).T
    return int(x[:-1] @ y[1:] - x[1:] @ y[:-1])
