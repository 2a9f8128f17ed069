"""Tiles cut in memory, against PostGIS: the same areas, the same ground, the same format."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from sqlalchemy import Connection, func, literal_column, select

from mapservice.database import Database
from mapservice.domain import Level
from mapservice.layers import atlas, mvt, tile_shapes
from mapservice.layers.outlines import DEGREE, Outlines, joined, of_geometries, of_wkb
from mapservice.layers.tile_shapes import BUFFER, EXTENT, Cut, Tile
from mapservice.models import Boundary, BoundaryShape

DETAIL = 300


def read(body: bytes, folder: Path) -> dict[str, Any]:
    """Shapes by key as GDAL reads them, in steps of the tile."""
    path = folder / "tile.mvt"
    path.write_bytes(body)
    meta, _fids, shapes, columns = pyogrio.raw.read(path, CLIP="NO", X=0, Y=0, Z=0)
    keys = columns[list(meta["fields"]).index("key")]
    half, step = 20037508.342789244, 2 * 20037508.342789244 / EXTENT
    found = {}
    for key, shape in zip(keys, shapes, strict=True):
        steps = shapely.transform(
            shapely.from_wkb(shape),
            lambda points: np.column_stack([(points[:, 0] + half) / step, (half - points[:, 1]) / step]),
        )
        found[str(key)] = shapely.set_precision(steps, 1, mode="pointwise")
    return found


def theirs(connection: Connection, level: Level, tile: Tile) -> bytes:
    """What ST_AsMVT makes of the same shapes."""
    drawn = (
        select(
            func.ST_AsMVTGeom(
                func.ST_Transform(BoundaryShape.geom, 3857),
                func.ST_TileEnvelope(tile.z, tile.x, tile.y),
                EXTENT,
                BUFFER,
                True,
            ).label("geom"),
            Boundary.key,
        )
        .join(Boundary, Boundary.id == BoundaryShape.boundary_id)
        .where(Boundary.level == int(level), BoundaryShape.detail == DETAIL)
        .offset(0)
        .subquery("drawn")
    )
    made = func.ST_AsMVT(literal_column("drawn"), level.plural, EXTENT, "geom")
    found = connection.scalar(select(made).select_from(drawn).where(drawn.c.geom.is_not(None)))
    return bytes(found or b"")


def ours(keys: Sequence[str], cut: Cut, name: str) -> bytes:
    return mvt.tile(name, EXTENT, cut.shapes, {"key": [keys[at] for at in cut.positions]})


def some_tiles(zoom: int) -> list[Tile]:
    chance = random.Random(zoom)
    places = [(7.63, 51.96), (8.8, 53.1), (13.4, 52.5), (8.35, 49.2), (10.9, 52.2)]
    found = set()
    for x, y in places:
        row = tile_shapes.tile_at(zoom, x + chance.uniform(-0.1, 0.1), y + chance.uniform(-0.1, 0.1))
        found.add(row)
    return sorted(found, key=lambda tile: (tile.x, tile.y))


@pytest.mark.parametrize("level", [Level.STATE, Level.DISTRICT, Level.MUNICIPALITY])
@pytest.mark.parametrize("zoom", [5, 7, 9, 11, 13])
def test_tiles_show_what_postgis_cuts(
    module_boundaries: Database, tmp_path: Path, level: Level, zoom: int
) -> None:
    with module_boundaries.owner() as connection:
        release = atlas.release(connection)
        assert release is not None
        areas = atlas.atlas(connection, release.id, level)
        sheets = (
            atlas.shapes_as_wkb(connection, release.id, level, detail=DETAIL, sheet=sheet)
            for sheet in areas.sheets
        )
        grid = of_wkb(sheets, tile_shapes.grid)
        keys = areas.keys
        shown = 0
        for tile in some_tiles(zoom):
            cut = tile_shapes.cut(grid, tile, EXTENT)
            expected = theirs(connection, level, tile)
            assert bool(cut.positions) == bool(expected)
            if not expected:
                continue
            mine = read(ours(keys, cut, level.plural), tmp_path)
            other = read(expected, tmp_path)
            shown += len(mine)
            visible = shapely.box(0, 0, EXTENT, EXTENT)
            for key in mine.keys() | other.keys():
                a, b = (
                    shapely.intersection(side.get(key, shapely.Polygon()), visible) for side in (mine, other)
                )
                # A corner may be rounded the other way: a step along the border at most.
                border = max(a.length, b.length, 8.0)
                assert a.symmetric_difference(b).area <= border, (tile, key)
        assert shown


def test_every_shape_is_valid_and_turned_as_the_format_wants(module_boundaries: Database) -> None:
    with module_boundaries.owner() as connection:
        release = atlas.release(connection)
        assert release is not None
        wkb = atlas.shapes_as_wkb(connection, release.id, Level.MUNICIPALITY, detail=1000, sheet=0)
    grid = tile_shapes.grid(of_wkb([wkb]))
    for zoom, extent in ((3, 512), (4, 512), (5, 2048), (6, EXTENT)):
        seen = 0
        for tile in some_tiles(zoom):
            _at, shapes = tile_shapes.drawn(grid, tile, extent)
            geometries = shapes.geometries()
            assert shapely.is_valid(geometries).all()
            rings = [
                (ring, position == 0)
                for geometry in geometries
                for polygon in geometry.geoms
                for position, ring in enumerate([polygon.exterior, *polygon.interiors])
            ]
            # Anticlockwise where y goes up is clockwise on the screen.
            assert all(ring.is_ccw == outside for ring, outside in rings)
            seen += len(rings)
        assert seen, zoom


def test_an_area_with_a_hole_islands_and_a_spike() -> None:
    """Rounding closes the hole and folds the spike; what is left is drawn as GDAL and PostGIS would."""
    outside = [(0, 0), (400, 0), (400, 400), (0, 400)]
    hole = [(100, 100), (100, 101), (101, 101), (101, 100)]
    speck = [(1000, 1000), (1001, 1000), (1001, 1001)]
    spike = [(600, 0), (700, 0), (700, 100), (2000, 101), (700, 102), (600, 102)]
    area = shapely.MultiPolygon([(outside, [hole]), (speck, []), (spike, [])])
    outlines = of_geometries(shapely.multipolygons([area.geoms]), clockwise=False)
    left, drawn = tile_shapes.drawn(outlines, Tile(4, 0, 0), EXTENT)  # a step is 1,024 of the finest grid
    assert left.tolist() == []
    left, drawn = tile_shapes.drawn(outlines, Tile(9, 0, 0), EXTENT)  # 32
    (shape,) = drawn.geometries()
    assert left.tolist() == [0]
    assert shape.is_valid
    assert sorted(len(polygon.interiors) for polygon in shape.geoms) == [0, 0]
    assert shape.bounds[2] < 30


def test_parts_of_outlines_are_what_they_were() -> None:
    chance = random.Random(1)
    boxes = [
        shapely.MultiPolygon(
            [
                shapely.box(x, y, x + 5, y + 5)
                for x, y in [(chance.randrange(0, 90, 10), row * 10) for row in range(n)]
            ]
        )
        for n in (1, 3, 2)
    ]
    whole = of_geometries(np.array(boxes), clockwise=True)
    again = joined(whole.some(np.array([2])), whole.some(np.array([0, 1])))
    assert isinstance(again, Outlines)
    for found, expected in zip(again.geometries(), (boxes[2], boxes[0], boxes[1]), strict=True):
        assert found.equals(expected)
    assert whole.bounds.tolist() == [list(map(int, box.bounds)) for box in boxes]
    assert DEGREE == 100_000
