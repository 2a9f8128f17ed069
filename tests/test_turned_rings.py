"""Boundaries that an earlier build imported with rings the other way round: the migration turns them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brotli
import pyogrio
import pytest
import shapely
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, select, text, update

from mapservice import create_app, schema
from mapservice.database import Database
from mapservice.imports.geometry_files import packed
from mapservice.imports.topology import encode
from mapservice.models import Boundary, BoundaryShape, GeometryFile
from tests.ogc.asking import LEVELS, get
from tests.test_api import fill
from tests.test_import_boundaries import decode

BEFORE = "0009"
DETAILS = (100, 300, 1000)
TABLES = {
    "boundary": select(Boundary.id, func.ST_AsEWKB(Boundary.geom)).order_by(Boundary.id),
    "boundary_shape": select(
        BoundaryShape.boundary_id,
        BoundaryShape.detail,
        func.ST_AsEWKB(BoundaryShape.geom),
        BoundaryShape.geojson,
    ).order_by(BoundaryShape.boundary_id, BoundaryShape.detail),
}
FILES = select(GeometryFile).order_by(GeometryFile.level, GeometryFile.detail)
Content = dict[str, list[tuple[Any, ...]]]


@contextmanager
def asking(database: Database) -> Iterator[FlaskClient]:
    """A worker that starts on the database as it is, as the service does after a migration."""
    app = create_app(database.settings, database)
    try:
        yield app.test_client()
    finally:
        app.extensions["mapservice"].versions.close()


def content(connection: Connection) -> Content:
    """All rows; texts as what they say, since PostGIS writes 53 where shapely writes 53.0."""
    return {
        name: [
            tuple(json.loads(value) if isinstance(value, str) else value for value in row)
            for row in connection.execute(rows)
        ]
        for name, rows in TABLES.items()
    }


def documents(connection: Connection) -> list[dict[str, Any]]:
    """The geometry files, the same in both packings and under the hash of their bytes."""
    found = []
    for row in connection.execute(FILES.with_only_columns(*GeometryFile.__table__.c)):
        data = gzip.decompress(row.gzip)
        assert brotli.decompress(row.brotli) == data
        assert packed(data, row.detail)["hash"] == row.hash
        assert row.size == len(data)
        found.append(json.loads(data))
    return found


def turn_all(connection: Connection) -> None:
    """Every ring of what is stored the other way round, as none of an earlier build was worse."""
    connection.execute(update(Boundary).values(geom=func.ST_ForcePolygonCW(Boundary.geom)))
    connection.execute(update(BoundaryShape).values(geom=func.ST_ForcePolygonCW(BoundaryShape.geom)))
    connection.execute(update(BoundaryShape).values(geojson=func.ST_AsGeoJSON(BoundaryShape.geom, 5, 0)))
    for row in connection.execute(FILES.with_only_columns(*GeometryFile.__table__.c)).all():
        document = json.loads(gzip.decompress(row.gzip))
        for item in document["objects"]["areas"]["geometries"]:
            polygons = [item["arcs"]] if item["type"] == "Polygon" else item["arcs"]
            for ring in (ring for polygon in polygons for ring in polygon):
                ring[:] = [~number for number in ring[::-1]]
        connection.execute(
            update(GeometryFile)
            .where(GeometryFile.hash == row.hash)
            .values(packed(encode(document), row.detail))
        )
    assert not any(
        runs_right(decode(document, item))
        for document in documents(connection)
        for item in document["objects"]["areas"]["geometries"]
    )


def versions(connection: Connection) -> dict[int, int]:
    return dict(connection.execute(text("SELECT audience, version FROM data_version")).tuples().all())


def migrated(database: Database) -> None:
    with database.owner_engine().connect() as connection:
        schema.migrate(connection)


@pytest.fixture
def before(boundaries_loaded: Database) -> Content:
    """The small release as an earlier build left it, at that build's version; what is in it as of today."""
    fill(boundaries_loaded)
    with boundaries_loaded.owner_engine().connect() as connection:
        today = content(connection)
        connection.rollback()
        schema.migrate(connection, BEFORE)
        turn_all(connection)
        connection.commit()
    return today


def runs_right(area: Any) -> bool:
    """Outsides anticlockwise and holes clockwise, where y goes up."""
    return all(
        polygon.exterior.is_ccw and not any(hole.is_ccw for hole in polygon.interiors)
        for polygon in shapely.get_parts(area)
    )


def test_all_that_is_stored_is_as_an_import_of_today_leaves_it(
    boundaries_loaded: Database, before: Content
) -> None:
    with boundaries_loaded.owner() as connection:
        turned, files = content(connection), documents(connection)
        assert all(turned[name] != before[name] for name in TABLES)
    migrated(boundaries_loaded)
    with boundaries_loaded.owner() as connection:
        assert content(connection) == before
        mended = documents(connection)
    assert len(mended) == len(LEVELS) * len(DETAILS)
    for old, new in zip(files, mended, strict=True):
        assert {**old, "objects": None} == {**new, "objects": None}
        pairs = zip(*(one["objects"]["areas"]["geometries"] for one in (old, new)), strict=True)
        for wrong, right in pairs:
            assert runs_right(decode(new, right)), right["id"]
            assert decode(old, wrong).equals(decode(new, right))


def test_everything_is_served_anticlockwise(
    boundaries_loaded: Database, before: Content, tmp_path: Path
) -> None:
    def served(client: FlaskClient) -> Iterator[tuple[str, Any]]:
        """Address and area of every form in which shapes leave the house."""
        for name in (*LEVELS, "implementations"):
            for detail in DETAILS:
                address = f"/api/collections/{name}/items?limit=1000&detail={detail}"
                for feature in get(client, address)["features"]:
                    yield address, shapely.geometry.shape(feature["geometry"])
            one = f"/api/collections/{name}/items/{feature['id']}?crs=http://www.opengis.net/def/crs/EPSG/0/25832"
            yield one, shapely.geometry.shape(get(client, one)["geometry"])
        for name in LEVELS:
            address = f"/api/layers/{name}.geojson"
            for feature in get(client, address)["features"]:
                yield address, shapely.geometry.shape(feature["geometry"])
            for ending in ("fgb", "gpkg"):
                address = f"/api/layers/{name}.{ending}"
                path = tmp_path / f"{name}.{ending}"
                path.write_bytes(client.get(address).data)
                shapes = pyogrio.raw.read(path, layer=name)[2]
                yield from ((address, shape) for shape in shapely.from_wkb(shapes))
            for detail in DETAILS:
                address = get(client, f"/api/geometry?level={name}&detail={detail}")["href"]
                document = get(client, address)
                for item in document["objects"]["areas"]["geometries"]:
                    yield address, decode(document, item)

    def wrong(client: FlaskClient) -> set[str]:
        return {address for address, area in served(client) if not runs_right(area)}

    with asking(boundaries_loaded) as client:
        assert {address.rsplit(".", 1)[-1] for address in wrong(client)} >= {"geojson", "topojson"}
    migrated(boundaries_loaded)
    with asking(boundaries_loaded) as client:
        assert wrong(client) == set()
    with boundaries_loaded.owner() as connection:
        for name in LEVELS:
            areas = connection.scalars(text(f"SELECT ST_AsBinary(geom) FROM portal.{name}")).all()
            assert areas
            assert all(map(runs_right, shapely.from_wkb([bytes(area) for area in areas])))


def test_caches_ask_anew(boundaries_loaded: Database, before: Content) -> None:
    """What a browser keeps of the old shapes is not confirmed, and the map asks for another file."""
    addresses = ["/api/layers/districts.geojson", "/api/collections/districts/items/05515"]
    with asking(boundaries_loaded) as client:
        tags = {address: client.get(address).headers["ETag"] for address in addresses}
        for address, tag in tags.items():
            assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
        old = {level: get(client, f"/api/geometry?level={level}")["hash"] for level in LEVELS}
    migrated(boundaries_loaded)
    with asking(boundaries_loaded) as client:
        for address, tag in tags.items():
            assert client.get(address, headers={"If-None-Match": tag}).status_code == 200
        new = {level: get(client, f"/api/geometry?level={level}")["hash"] for level in LEVELS}
        assert not set(old.values()) & set(new.values())
        assert (
            client.get(f"/api/values/districts?format=array&geometry={old['districts']}").status_code == 409
        )


def test_boundaries_that_run_right_are_left_alone(boundaries_loaded: Database) -> None:
    with boundaries_loaded.owner_engine().connect() as connection:
        schema.migrate(connection, BEFORE)
        earlier, files = versions(connection), documents(connection)
        connection.rollback()
        schema.migrate(connection)
        assert versions(connection) == earlier
        assert documents(connection) == files
