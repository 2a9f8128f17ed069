"""Geometry, neighbours and hierarchy of boundaries, without a database."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import CRS

from mapservice.domain import Kind, Level
from mapservice.imports import geometry, hierarchy, neighbours, topology
from mapservice.imports.findings import Findings
from mapservice.imports.vector import Layer

UTM = CRS.from_epsg(25832)
X, Y = 400_000, 5_750_000


def tiles(*corners: tuple[int, int]) -> Any:
    """Squares of 10 km by their column and row."""
    return np.array(
        [shapely.box(X + 1e4 * i, Y + 1e4 * j, X + 1e4 * i + 1e4, Y + 1e4 * j + 1e4) for i, j in corners]
    )


def layer(level: Level, keys: list[str], areas: Any, kinds: list[str] | None = None) -> Layer:
    count = len(keys)
    none = np.full(count, -1)
    texts = np.array(keys, dtype=object)
    return Layer(
        level,
        level.plural,
        texts,
        np.array([f"Ort {key}" for key in keys], dtype=object),
        np.array(kinds or [""] * count, dtype=object),
        none,
        none,
        none.copy(),
        np.full(count, "", dtype=object),
        np.arange(1, count + 1),
        areas,
        shapely.is_missing(areas),
    )


def test_a_corner_makes_no_neighbours() -> None:
    areas = tiles((0, 0), (1, 0), (0, 1), (1, 1))
    first, second, metres = neighbours.neighbours(neighbours.shared_edges(areas), np.arange(4))
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 3), (3, 1), (2, 3), (3, 2)}
    assert metres == pytest.approx(10_000)


def test_every_border_is_stored_once_in_topojson() -> None:
    inner = shapely.box(0.4, 0.4, 0.6, 0.6)
    areas = np.array([shapely.box(0, 0, 1, 1) - inner, inner, shapely.box(1, 0, 2, 1)])
    document = topology.topology({"areas": (areas, [(str(n), {}) for n in range(3)])}, 0.1)
    geometries = document["objects"]["areas"]["geometries"]
    assert len(document["arcs"]) == 4, "outside left, outside right, the border between, the enclave"
    hole, enclave = geometries[0]["arcs"][1], geometries[1]["arcs"][0]
    assert hole in ([enclave[0]], [~enclave[0]])


def test_gaps_and_overlaps_are_mended() -> None:
    areas = tiles((0, 0), (1, 0), (2, 0))
    areas[1] = shapely.box(X + 10_002, Y - 1, X + 20_003, Y + 10_000)
    result = geometry.generalise(areas, np.array(["a", "b", "c"], dtype=object), UTM)
    assert not result.matched
    assert result.shapes
    for shapes in result.shapes.values():
        assert shapely.coverage_is_valid(shapes, gap_width=1e-4)
        assert shapely.is_valid(shapes).all()


@pytest.mark.parametrize(
    ("level", "key", "expected"),
    [
        (Level.STATE, "5", "05"),
        (Level.DISTRICT, "5570", "05570"),
        (Level.DISTRICT, "055700000000", "05570"),
        (Level.MUNICIPALITY, "5570044", "055700044044"),
        (Level.MUNICIPALITY, "05515000", "055150000000"),
        (Level.MUNICIPALITY, "10515163019", "010515163019"),
        (Level.MUNICIPALITY, "01051001", "010515163001"),
    ],
)
def test_keys_become_those_of_their_level(level: Level, key: str, expected: str) -> None:
    found = layer(level, [key], tiles((0, 0)))
    findings = Findings()
    hierarchy.normalise_keys(found, {"01051001": "010515163001"}.get, findings)
    assert found.keys.tolist() == [expected]
    assert not findings.problems


def test_associations_follow_members_and_designation() -> None:
    keys = ["010510001001", "010515001001", "010515001002", "010519999999", "010550000000"]
    kinds = ["Gemeinde", "Gemeinde", "Gemeinde", "Gemeindefreies Gebiet", "Stadt"]
    areas = tiles(*((n, 0) for n in range(5)))
    associations = layer(
        Level.ASSOCIATION,
        ["010510001", "010515001", "010519999", "010550000"],
        np.array([areas[0], shapely.union_all(areas[1:3]), areas[3], areas[4]]),
        ["Amtsfreie Gemeinde", "Amt", "Einheitsgemeinde", "Amtsfreie Gemeinde"],
    )
    tiers = hierarchy.build(
        {Level.MUNICIPALITY: layer(Level.MUNICIPALITY, keys, areas, kinds), Level.ASSOCIATION: associations},
        True,
        {"010510000000": "Dithmarschen"},
        Findings(),
    )
    assert tiers[Level.ASSOCIATION].authorities.tolist() == [
        "010510001001",
        "010515001000",
        None,
        "010550000000",
    ]
    assert tiers[Level.DISTRICT].names.tolist() == ["Dithmarschen", "Ort 010550000000"]
    assert tiers[Level.DISTRICT].kinds.tolist() == [
        Kind.DISTRICT,
        Kind.DISTRICT | Kind.DISTRICT_FREE_CITY | Kind.MUNICIPALITY,
    ]
    assert tiers[Level.STATE].names.tolist() == ["Schleswig-Holstein"]
