"""The public data set as a GeoPackage: the four boundary levels with their values by subject area.

Its layers are named as `mapservice import boundaries` knows them, so that the file is a boundary release too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from mapservice import vector_files
from mapservice.domain import SUBJECT_AREAS, Audience, Level, Reason, Scope, Status
from mapservice.layers import areas
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.models import Authority, Boundary, BoundaryRelease, BoundaryShape

LAYERS = {
    Level.STATE: "lan",
    Level.DISTRICT: "krs",
    Level.ASSOCIATION: "vwg",
    Level.MUNICIPALITY: "gem",
}
DETAIL = 100
"""Metres: the finest borders that the map shows."""
_REASONS = {
    Reason.NO_DATA: "keine Angaben",
    Reason.NOT_RESPONSIBLE: "nicht zuständig",
    Reason.UNINCORPORATED: "gemeindefreies Gebiet",
}


def write(connection: Connection, path: Path) -> dict[str, int]:
    """Write the current release to a new GeoPackage, EPSG:4326; returns the areas of each layer."""
    # GDAL is no part of the web side until somebody asks for the data set.
    import numpy as np
    import pyogrio.raw

    written: dict[str, int] = {}
    for level, layer in LAYERS.items():
        columns, geometry = _content(connection, level)
        names = [name for name, values in columns.items() if any(value is not None for value in values)]
        kept = {name: columns[name] for name in names}
        types = {
            name: int if all(isinstance(value, int) for value in values if value is not None) else str
            for name, values in kept.items()
        }
        data, masks = vector_files.fields(kept, types)
        pyogrio.raw.write(
            path,
            np.array(geometry, dtype=object),
            data,
            np.array(names),
            field_mask=masks,
            layer=layer,
            driver="GPKG",
            geometry_type="MultiPolygon",
            crs="EPSG:4326",
            append=bool(written),
        )
        written[layer] = len(geometry)
    return written


def _content(connection: Connection, level: Level) -> tuple[dict[str, list[Any]], list[bytes]]:
    """Columns by name and the geometry as WKB, in the order of the geometry file."""
    district, state, shape = aliased(Boundary), aliased(Boundary), aliased(BoundaryShape)
    rows = connection.execute(
        select(
            Boundary.key.label("ars"),
            Boundary.name.label("gen"),
            Boundary.designation.label("bez"),
            func.coalesce(Authority.population, Boundary.population).label("ewz"),
            Authority.ars.label("behoerde"),
            district.name.label("im_kreis"),
            state.name.label("im_land"),
            func.ST_AsBinary(shape.geom).label("wkb"),
        )
        .join(BoundaryRelease, BoundaryRelease.id == Boundary.release_id)
        .join(shape, (shape.boundary_id == Boundary.id) & (shape.detail == DETAIL))
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .join(district, district.id == Boundary.district_id, isouter=True)
        .join(state, state.id == Boundary.state_id, isouter=True)
        .where(BoundaryRelease.is_current, Boundary.level == int(level))
        .order_by(Boundary.ordinal)
    ).all()
    names = [name for name in rows[0]._fields if name != "wkb"] if rows else []
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in names}
    columns |= _values(connection, level)
    return columns, [bytes(row.wkb) for row in rows]


def _values(connection: Connection, level: Level) -> dict[str, list[Any]]:
    """Numbers of services: all by status, those available on the spot, and those of each subject area."""
    columns: dict[str, list[Any]] = {}

    def add(name: str, total: str | None, query: Query) -> list[int]:
        n, of = areas.values_as_array(connection, query, resolve(connection, query), Audience.PUBLIC)
        numbers: list[int] = json.loads(n)
        columns[name] = [number if number >= 0 else None for number in numbers]
        if total is not None:
            columns[total] = json.loads(of)
        return numbers

    reasons = add("leistungen_online", "leistungen_zustaendig", Query(level))
    add("leistungen_in_umsetzung", None, Query(level, statuses=(Status.IN_PROGRESS,)))
    add("leistungen_in_planung", None, Query(level, statuses=(Status.PLANNED,)))
    columns["ohne_wert_weil"] = [_REASONS[Reason(code)] if code < 0 else None for code in reasons]
    available = Query(level, scope=Scope.AVAILABLE)
    add("verfuegbar_online", "verfuegbar_zustaendig", available)
    for slug, _ in SUBJECT_AREAS:
        add(f"{slug}_online", f"{slug}_zustaendig", Query(level, subjects=(slug,)))
    return columns
