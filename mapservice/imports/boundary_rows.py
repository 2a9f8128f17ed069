"""A prepared release -> rows, by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from psycopg import sql
from sqlalchemy import Connection, func, insert, select, text, update

from .. import releases
from ..domain import Level, pad_ars
from ..models import Authority, Boundary, BoundaryNeighbour, BoundaryRelease, BoundaryShape, GeometryFile
from . import geometry, geometry_files
from .report import driver, progress

if TYPE_CHECKING:
    from .prepared import Prepared, PreparedTier

TABLES = ("boundary", "boundary_shape", "boundary_neighbour", "geometry_file", "authority")

_CHUNK = 500
_BOUNDARY = (
    Boundary.id,
    Boundary.release_id,
    Boundary.level,
    Boundary.ordinal,
    Boundary.key,
    Boundary.ars,
    Boundary.authority_id,
    Boundary.kinds,
    Boundary.name,
    Boundary.designation,
    Boundary.state_id,
    Boundary.district_id,
    Boundary.association_id,
    Boundary.population,
    Boundary.area_m2,
    Boundary.label_point,
    Boundary.west,
    Boundary.south,
    Boundary.east,
    Boundary.north,
    Boundary.geom,
)
_SHAPE = (BoundaryShape.boundary_id, BoundaryShape.detail, BoundaryShape.geom, BoundaryShape.geojson)
_NEIGHBOUR = (BoundaryNeighbour.boundary_id, BoundaryNeighbour.neighbour_id, BoundaryNeighbour.shared_m)


def write(connection: Connection, prepared: Prepared, checksum: str, run_id: int | None) -> int:
    """Write everything of a release and mark it complete; its id. Nothing refers to it as current yet."""
    info = prepared.info
    release_id = int(
        connection.execute(
            insert(BoundaryRelease)
            .values(
                name=info.name,
                source=info.source,
                as_of=info.as_of,
                licence=info.licence,
                licence_url=info.licence_url,
                attribution=info.attribution,
                attribution_url=info.attribution_url,
                checksum=checksum,
                crs=f"EPSG:{prepared.epsg}",
                import_run_id=run_id,
            )
            .returning(BoundaryRelease.id)
        ).scalar_one()
    )
    authority_ids = releases.ensure_authorities(connection, _authorities(prepared))
    tiers = prepared.tiers
    ids = {level: _draw_ids(connection, len(item.tier)) for level, item in tiers.items()}
    total = sum(len(item.tier) for item in tiers.values()) * 4
    with progress("Grenzen schreiben", total + 3 * len(tiers)) as show:
        written = 0

        def counted(rows: Iterable[Sequence[Any]], weight: bool = True) -> Iterator[Sequence[Any]]:
            nonlocal written
            for row in rows:
                yield row
                if weight:
                    written += 1
                    if written % _CHUNK == 0:
                        show(written)

        # One COPY for all levels: the checks of references between boundaries are planned when the first
        # COPY ends, and a plan made for 16 states would read the whole table for each municipality.
        rows = chain.from_iterable(
            _boundary_rows(level, item, release_id, ids, authority_ids, prepared.epsg)
            for level, item in tiers.items()
        )
        _copy(connection, _BOUNDARY, counted(rows))
        # Nobody else can gather statistics of rows that are not committed yet, and what follows needs them.
        for table in (Authority, Boundary):
            connection.execute(text(f"ANALYZE {table.__tablename__}"))
        for level, item in tiers.items():
            _copy(connection, _SHAPE, counted(_shape_rows(item, ids[level])))
            _copy(connection, _NEIGHBOUR, counted(_neighbour_rows(item, ids[level]), weight=False))
        for level in tiers:
            for detail in geometry.DETAILS:
                row = geometry_files.file_row(release_id, level, detail, prepared)
                connection.execute(insert(GeometryFile).values(row))
                written += 1
                show(written)
    connection.execute(update(BoundaryRelease).where(BoundaryRelease.id == release_id).values(complete=True))
    return release_id


def _authorities(prepared: Prepared) -> dict[str, tuple[str, str, int]]:
    found: dict[str, tuple[str, str, int]] = {}
    for item in prepared.tiers.values():
        tier = item.tier
        for ars, key, name, designation, kinds in zip(
            tier.authorities, tier.keys, tier.names, tier.designations, tier.kinds, strict=True
        ):
            if ars is not None and ars == pad_ars(key):
                found.setdefault(ars, (name, designation, int(kinds)))
    return found


def _draw_ids(connection: Connection, count: int) -> list[int]:
    sequence = func.pg_get_serial_sequence(Boundary.__tablename__, "id")
    numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, count))
    return list(connection.execute(numbers).scalars())


def _copy(connection: Connection, columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(columns[0].class_.__tablename__),
        sql.SQL(", ").join(sql.Identifier(column.key) for column in columns),
    )
    with driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _boundary_rows(
    level: Level,
    item: PreparedTier,
    release_id: int,
    ids: dict[Level, list[int]],
    authority_ids: dict[str, int],
    epsg: int,
) -> Iterator[Sequence[Any]]:
    tier = item.tier
    labels = shapely.to_wkb(shapely.set_srid(shapely.points(item.labels), 4326), hex=True, include_srid=True)

    def parent(above: Level, at: int) -> int | None:
        return ids[above][tier.parents[above][at]] if above in tier.parents else None

    for start in range(0, len(tier), _CHUNK):
        chunk = geometry.as_multi(tier.geometries[start : start + _CHUNK])
        full = shapely.to_wkb(shapely.set_srid(chunk, epsg), hex=True, include_srid=True)
        for at, geom in enumerate(full, start):
            ars = tier.authorities[at]
            population = int(tier.populations[at])
            yield (
                ids[level][at],
                release_id,
                int(level),
                at,
                tier.keys[at],
                pad_ars(tier.keys[at]),
                None if ars is None else authority_ids[ars],
                int(tier.kinds[at]),
                tier.names[at],
                tier.designations[at] or None,
                parent(Level.STATE, at),
                parent(Level.DISTRICT, at),
                parent(Level.ASSOCIATION, at),
                None if population < 0 else population,
                float(item.areas[at]),
                labels[at],
                *(float(value) for value in item.bounds[at]),
                geom,
            )


def _shape_rows(item: PreparedTier, ids: list[int]) -> Iterator[Sequence[Any]]:
    for detail, shapes in item.shapes.items():
        for start in range(0, len(shapes), _CHUNK):
            chunk = shapes[start : start + _CHUNK]
            multi = shapely.set_srid(geometry.as_multi(chunk), 4326)
            # Multi throughout: a layer of one geometry type is what portals and GDAL expect.
            geojson = shapely.to_geojson(multi)
            wkb = shapely.to_wkb(multi, hex=True, include_srid=True)
            for at, (geom, written) in enumerate(zip(wkb, geojson, strict=True), start):
                yield ids[at], detail, geom, written


def _neighbour_rows(item: PreparedTier, ids: list[int]) -> Iterator[Sequence[Any]]:
    numbers = np.array(ids)
    first, second, length = item.neighbours
    yield from zip(numbers[first].tolist(), numbers[second].tolist(), length.tolist(), strict=True)
