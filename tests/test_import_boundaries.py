"""Import of boundaries on a real PostGIS: a release complete and current, or nothing at all."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result
from sqlalchemy import func, select, text

from mapservice.cli import cli
from mapservice.database import Database
from mapservice.domain import Kind, Level
from mapservice.imports import boundaries as importer
from mapservice.models import Authority, Boundary, BoundaryRelease, BoundaryShape, GeometryFile, ImportRun
from tests.boundary_fixture import SMALL
from tests.geojson_files import feature, geojson, shifted

STATED = ["--date", "2025-12-31", "--attribution", "© Kreis X", "--licence", "dl-de/zero-2-0"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def state_of(database: Database) -> list[Any]:
    with database.owner() as connection:
        return [
            connection.execute(select(BoundaryRelease.id, BoundaryRelease.is_current)).all(),
            connection.execute(select(func.count()).select_from(Boundary)).scalar(),
            connection.execute(select(Authority.ars, Authority.is_current).order_by(Authority.ars)).all(),
        ]


def use(monkeypatch: pytest.MonkeyPatch, database: Database) -> Database:
    for name, url in (
        ("MAPSERVICE_DATABASE_URL", database.urls.owner),
        ("MAPSERVICE_INTERNAL_DATABASE_URL", database.urls.internal),
        ("MAPSERVICE_PUBLIC_DATABASE_URL", database.urls.public),
    ):
        assert url is not None
        monkeypatch.setenv(name, url)
    return database


@pytest.fixture
def loaded(boundaries_loaded: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    return use(monkeypatch, boundaries_loaded)


def test_one_authority_has_several_boundaries(loaded: Database) -> None:
    with loaded.owner() as connection:
        levels = connection.execute(
            select(Boundary.level)
            .join(Authority, Authority.id == Boundary.authority_id)
            .where(Authority.ars == "055150000000")
            .order_by(Boundary.level)
        ).scalars()
        assert list(levels) == [Level.DISTRICT, Level.ASSOCIATION, Level.MUNICIPALITY]
        kinds = dict(connection.execute(select(Authority.ars, Authority.kinds)).tuples().all())
        chain = dict(connection.execute(select(Authority.ars, Authority.chain_kinds)).tuples().all())
        free = connection.execute(
            select(Boundary.level, func.count())
            .where(Boundary.authority_id.is_(None))
            .group_by(Boundary.level)
        )
        assert dict(free.tuples().all()) == {Level.ASSOCIATION: 5, Level.MUNICIPALITY: 5}
    city = Kind.DISTRICT | Kind.DISTRICT_FREE_CITY | Kind.MUNICIPALITY
    assert kinds["055150000000"] == city
    assert kinds["110000000000"] == city | Kind.STATE
    assert kinds["031545401000"] == Kind.ASSOCIATION
    assert "031540010000" not in kinds, "an area with one municipality is no organisation of its own"
    assert chain["031545401008"] == 63 - Kind.DISTRICT_FREE_CITY


def test_details_share_borders_across_levels(loaded: Database) -> None:
    with loaded.owner() as connection:
        for detail in (100, 300, 1000):
            shapes = {}
            for level in Level:
                rows = connection.execute(
                    select(Boundary.key, func.ST_AsBinary(BoundaryShape.geom), BoundaryShape.geojson)
                    .join(BoundaryShape, BoundaryShape.boundary_id == Boundary.id)
                    .where(Boundary.level == level, BoundaryShape.detail == detail)
                    .order_by(Boundary.ordinal)
                ).all()
                shapes[level] = shapely.from_wkb([bytes(row[1]) for row in rows])
                assert shapely.equals(shapes[level], shapely.from_geojson([row[2] for row in rows])).all()
                assert [row[0] for row in rows] == sorted(row[0] for row in rows)
            check_shapes(shapes)


def check_shapes(shapes: dict[Level, Any]) -> None:
    for areas in shapes.values():
        assert shapely.is_valid(areas).all()
        assert not shapely.is_empty(areas).any()
        assert shapely.coverage_is_valid(areas)
    # Whoever covers the same area with a part of the same vertices has the same borders.
    whole = shapely.area(shapes[Level.MUNICIPALITY]).sum()
    points = vertices(shapes[Level.MUNICIPALITY])
    for areas in shapes.values():
        assert shapely.area(areas).sum() == pytest.approx(whole, rel=1e-12)
        assert np.isin(vertices(areas), points).all()


def vertices(areas: Any) -> Any:
    """Vertices as single numbers; all lie on a grid of 1e-5 degrees."""
    steps = np.rint(shapely.get_coordinates(areas) * 1e5).astype(np.int64)
    return np.unique(steps[:, 0] << 32 | steps[:, 1])


def test_labels_neighbours_and_files(loaded: Database) -> None:
    with loaded.owner() as connection:
        outside = connection.execute(
            text("SELECT count(*) FROM boundary WHERE NOT ST_Contains(geom, label_point)")
        ).scalar()
        assert outside == 0
        pairs = connection.execute(
            text(
                "SELECT n.shared_m, ST_Length(ST_Intersection(a.geom, b.geom)::geography)"
                " FROM boundary_neighbour n JOIN boundary a ON a.id = n.boundary_id"
                " JOIN boundary b ON b.id = n.neighbour_id"
            )
        ).all()
        assert len(pairs) > 300
        for stored, measured in pairs:
            assert stored == pytest.approx(measured, rel=0.01)
        count = connection.execute(select(func.count()).select_from(GeometryFile)).scalar()
        assert count == 12


def test_a_geometry_file_holds_the_areas_in_order(loaded: Database) -> None:
    import brotli

    with loaded.owner() as connection:
        data = brotli.decompress(
            connection.execute(
                select(GeometryFile.brotli).where(
                    GeometryFile.level == Level.MUNICIPALITY, GeometryFile.detail == 1000
                )
            ).scalar_one()
        )
        rows = connection.execute(
            select(Boundary.key, func.ST_AsBinary(BoundaryShape.geom))
            .join(BoundaryShape, BoundaryShape.boundary_id == Boundary.id)
            .where(Boundary.level == Level.MUNICIPALITY, BoundaryShape.detail == 1000)
            .order_by(Boundary.ordinal)
        ).all()
    document = json.loads(data)
    geometries = document["objects"]["areas"]["geometries"]
    assert [item["id"] for item in geometries] == [row[0] for row in rows]
    decoded = [decode(document, item) for item in geometries]
    for (_, wkb), area in zip(rows, decoded, strict=True):
        assert shapely.symmetric_difference(shapely.from_wkb(bytes(wkb)), area).area < 1e-9
    # Names and the like stand in columns; what the key tells is left out.
    assert all("properties" not in item for item in geometries)
    columns = document["columns"]
    assert "district" not in columns
    assert "state" not in columns
    with loaded.owner() as connection:
        stored = connection.execute(
            select(
                Boundary.name,
                Boundary.designation,
                Boundary.ars,
                Authority.ars.label("authority"),
                func.ST_X(Boundary.label_point).label("x"),
                func.ST_Y(Boundary.label_point).label("y"),
            )
            .outerjoin(Authority, Authority.id == Boundary.authority_id)
            .where(Boundary.level == Level.MUNICIPALITY)
            .order_by(Boundary.ordinal)
        ).all()
    assert columns["name"] == [row.name for row in stored]
    designation = columns["designation"]
    assert [designation["values"][n] for n in designation["of"]] == [row.designation for row in stored]
    others = {str(at): row.authority for at, row in enumerate(stored) if row.authority != row.ars}
    assert columns["authority"] == others
    steps = np.cumsum(np.array(columns["label"]).reshape(-1, 2), axis=0)
    labels = steps * document["transform"]["scale"] + document["transform"]["translate"]
    assert labels == pytest.approx(np.array([(row.x, row.y) for row in stored]), abs=1e-4)


def decode(document: dict[str, Any], item: dict[str, Any]) -> Any:
    scale, origin = document["transform"]["scale"], document["transform"]["translate"]
    arcs = [np.cumsum(arc, axis=0) * scale + origin for arc in document["arcs"]]

    def ring(numbers: list[int]) -> Any:
        parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])

    polygons = [item["arcs"]] if item["type"] == "Polygon" else item["arcs"]
    return shapely.MultiPolygon(
        [shapely.Polygon(ring(lines[0]), [ring(hole) for hole in lines[1:]]) for lines in polygons]
    )


def test_the_same_file_again_does_nothing(loaded: Database) -> None:
    before = state_of(loaded)
    result = run("import", "boundaries", SMALL)
    assert result.exit_code == 0
    assert "schon eingelesen und aktuell" in result.output
    assert state_of(loaded) == before


def test_a_new_release_replaces_and_can_be_taken_back(loaded: Database, tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "kreis.geojson",
        feature("055700044044", GEN="Warendorf", EWZ=37000),
        feature("055700004004", shifted(0.1), GEN="Ahlen an der Werse", EWZ=52000),
    )
    dry = run("import", "boundaries", path, *STATED, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "umbenannt: 055700004004 Ahlen → Ahlen an der Werse" in dry.output
    assert "90 weggefallen" not in dry.output
    assert "89 weggefallen" in dry.output
    assert state_of(loaded)[0] == [(1, True)]

    assert run("import", "boundaries", path, *STATED).exit_code == 0
    with loaded.owner() as connection:
        current = connection.execute(
            select(Authority.ars, Authority.name, Authority.population)
            .where(Authority.is_current)
            .order_by(Authority.ars)
        ).all()
    assert [tuple(row) for row in current] == [
        ("000000000000", "Bundesrepublik Deutschland", None),
        ("050000000000", "Nordrhein-Westfalen", 89000),
        ("055700000000", "Warendorf", 89000),
        ("055700004004", "Ahlen an der Werse", 52000),
        ("055700044044", "Warendorf", 37000),
    ]
    assert run("releases", "delete", 2).exit_code == 1
    assert run("releases", "activate", 1).exit_code == 0
    assert "*   1" in run("releases", "list").output
    assert run("releases", "delete", 2).exit_code == 0
    assert run("releases", "activate", 99).exit_code == 1
    with loaded.owner() as connection:
        name = connection.execute(select(Authority.name).where(Authority.ars == "055700004004")).scalar()
    assert name == "Ahlen"


def test_repairs_are_made_and_named(loaded: Database, tmp_path: Path) -> None:
    bow = [[7.6, 51.9], [7.7, 51.9], [7.7, 52.0], [7.65, 52.0], [7.65, 51.9], [7.6, 51.9]]
    swapped = geojson(
        tmp_path / "swapped.geojson",
        feature("55700044044", [[y, x] for x, y in bow]),
        feature("055700004004", [[y, x] for x, y in shifted(0.1)]),
    )
    result = run("import", "boundaries", swapped, *STATED, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "vertauscht" in result.output
    assert "führende Null" in result.output
    assert "ungültige Fläche repariert" in result.output


def test_unknown_source_needs_attribution(loaded: Database, tmp_path: Path) -> None:
    path = geojson(tmp_path / "x.geojson", feature("055700044044"))
    result = run("import", "boundaries", path, "--date", "2025-12-31")
    assert result.exit_code == 1
    assert "--attribution" in result.output
    assert run("import", "boundaries", path, *STATED, "--column", "key=NIX").exit_code == 1
    assert run("import", "boundaries", path, *STATED, "--column", "NIX").exit_code == 2


def test_killed_import_leaves_the_old_release(loaded: Database) -> None:
    before = state_of(loaded)
    process = subprocess.Popen(
        [sys.executable, "-m", "mapservice", "import", "boundaries", str(importer.BUNDLED)],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Grenzen schreiben"):
            break
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(100):
        if run("import", "boundaries", SMALL, "--dry-run").exit_code == 0:
            break
        time.sleep(0.1)
    assert state_of(loaded) == before
    with loaded.owner() as connection:
        connection.execute(text("DELETE FROM boundary_release WHERE NOT is_current"))
    result = run("releases", "activate", 1)
    assert result.exit_code == 0, result.output
    with loaded.owner() as connection:
        states = connection.execute(select(ImportRun.state).order_by(ImportRun.id)).scalars().all()
    assert states == ["done", "failed", "done"]


def test_official_file(
    database: Database, monkeypatch: pytest.MonkeyPatch, shared: Callable[[str], Path]
) -> None:
    use(monkeypatch, database)
    result = run("import", "boundaries", shared("data/vg250_01-01.utm32s.gpkg.ebenen.zip"))
    assert result.exit_code == 0, result.output
    assert (
        "16 Länder, 402 Kreise, 4.677 Gemeindeverbände, 11.299 Gemeinden; 215 gemeindefrei" in result.output
    )
    assert "132 Zeilen, vg250_gem: Wasserflächen" in result.output
    assert "Repariert in vg250_gem: 11" in result.output
    assert "St. Märgen" in result.output
    with database.owner() as connection:
        for detail in (100, 300, 1000):
            shapes = {
                level: shapely.from_wkb(
                    [
                        bytes(wkb)
                        for wkb in connection.execute(
                            select(func.ST_AsBinary(BoundaryShape.geom))
                            .join(Boundary, BoundaryShape.boundary_id == Boundary.id)
                            .where(Boundary.level == level, BoundaryShape.detail == detail)
                        ).scalars()
                    ]
                )
                for level in Level
            }
            check_shapes(shapes)
        pairs = connection.execute(
            text("SELECT boundary_id, neighbour_id, shared_m FROM boundary_neighbour ORDER BY 1, 2")
        ).all()
        for one, other, metres in random.Random(7).sample(list(pairs), 60):
            geometries = connection.execute(
                select(func.ST_AsBinary(Boundary.geom)).where(Boundary.id.in_([one, other]))
            ).scalars()
            a, b = shapely.from_wkb([bytes(wkb) for wkb in geometries])
            assert metres == pytest.approx(shapely.intersection(a, b).length, rel=0.01)
