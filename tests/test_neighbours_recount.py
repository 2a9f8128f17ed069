"""Who borders on whom, in which order and how far: recounted by shapely from the boundary file."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from mapservice.database import Database
from mapservice.domain import Audience, Level
from mapservice.imports.boundaries import import_boundaries
from mapservice.layers.surroundings import Near, Reach, Surroundings, surroundings
from mapservice.models import Authority
from tests import borders
from tests.borders import Borders
from tests.boundary_fixture import SMALL
from tests.conftest import ROOT
from tests.places import current_positions
from tests.recount import areas
from tests.recount.areas import Land

AUTHORITIES = 500
KM = 20


@pytest.fixture
def official(database: Database, shared: Callable[[str], Path]) -> tuple[Database, Path]:
    path = shared("data/vg250_01-01.utm32s.gpkg.ebenen.zip")
    import_boundaries(database, [path])
    return database, path


def test_neighbours_of_all_of_the_small_release(boundaries_loaded: Database) -> None:
    land = areas.land(areas.read_topojson(SMALL))
    compared = compare(boundaries_loaded, land, borders.from_topojson(SMALL), land.authorities)
    assert compared > 100


@pytest.mark.timeout(1500)
def test_neighbours_of_500_authorities_of_the_official_file(
    official: tuple[Database, Path], shared: Callable[[str], Path]
) -> None:
    database, path = official
    land = areas.land(areas.read_table(shared("data/verwaltungseinheiten_2016.csv")))
    chosen = random.Random(5).sample(land.authorities, AUTHORITIES)
    # Those at several levels and those on islands, whatever the dice say.
    chosen += ["055150000000", "110000000000", "020000000000", "040110000000", "010560025025", "073340007007"]
    assert compare(database, land, borders.from_gpkg(path), chosen) > 2000


def compare(database: Database, land: Land, by_level: dict[str, Borders], authorities: list[str]) -> int:
    """Set, order and lengths of each authority at each of its levels; returns the number of pairs."""
    owner = {
        level: dict(rows[["key", "authority"]].itertuples(index=False))
        for level, rows in land.areas.groupby("level")
    }
    of_authority = land.areas.dropna(subset=["authority"]).groupby("authority")
    pairs = 0
    with database.reader(Audience.PUBLIC) as connection:
        ids = dict(connection.execute(select(Authority.ars, Authority.id)).tuples().all())
        everywhere = current_positions(connection)
        for ars in authorities:
            for row in of_authority.get_group(ars).itertuples() if ars in of_authority.groups else ():
                level = Level.from_plural(str(row.level))
                found = surroundings(everywhere, ids[ars], Reach(), level)
                shared = by_level[str(row.level)].neighbours(str(row.key))
                of_area = owner[str(row.level)]
                # Without an authority (gemeindefrei) there is nobody to ask.
                wanted = {
                    of_area[other]: (other, metres)
                    for other, metres in shared.items()
                    if isinstance(of_area[other], str)
                }
                check(str(row.key), found, wanted)
                pairs += len(wanted)
    return pairs


def check(key: str, found: Surroundings, wanted: dict[str, tuple[str, float]]) -> None:
    bordering = [near for near in found.nears if near.shared_m is not None]
    assert {near.ars for near in bordering} == set(wanted), key
    for near in bordering:
        assert near.shared_m == pytest.approx(wanted[near.ars][1], rel=0.01), (key, near.ars)

    def order(near: Near) -> tuple[int, bool, int, str]:
        other, metres = wanted[near.ars]
        same = len(key) > 5 and other[:5] == key[:5]
        return (-max(1, borders.half_up(metres / 100)), not same, distance(found, near), near.ars)

    assert [near.ars for near in bordering] == [near.ars for near in sorted(bordering, key=order)], key


def distance(found: Surroundings, near: Near) -> int:
    own = found.own[0]
    return borders.half_up(borders.kilometres((own.lon, own.lat), (near.lon, near.lat)))


def test_the_circle_holds_all_within_reach_and_nobody_else(boundaries_loaded: Database) -> None:
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        ids = dict(connection.execute(select(Authority.ars, Authority.id)).tuples().all())
        everywhere = current_positions(connection)
        everybody = surroundings(everywhere, ids["055700044044"], Reach(True, 500), Level.MUNICIPALITY)
        near = surroundings(everywhere, ids["055700044044"], Reach(True, KM), Level.MUNICIPALITY)
    own = everybody.own[0]
    expected = set()
    for other in everybody.nears:
        km = borders.half_up(borders.kilometres((own.lon, own.lat), (other.lon, other.lat)))
        if other.above or km <= KM or other.shared_m is not None or other.ars.startswith("05570"):
            expected.add(other.ars)
    assert {other.ars for other in near.nears} == expected
    assert len(expected) < len(everybody.nears)
    assert "055700000000" in expected


def test_the_recount_shares_no_code_with_the_service() -> None:
    source = (ROOT / "tests" / "borders.py").read_text(encoding="utf-8")
    assert "mapservice" not in source
