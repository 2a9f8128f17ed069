"""Past days, recounted with pandas alone: what the files held then, over the visibility of today."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from mapservice.domain import Audience, Level
from mapservice.layers import progress
from mapservice.models import Boundary
from tests.past import berlin, date_back
from tests.recount import areas, count, small
from tests.recount.compare import Comparison
from tests.test_recount import (  # noqa: F401 - copy_of and small_world are fixtures
    AUDIENCES,
    SCOPES,
    World,
    agree,
    copy_of,
    small_filters,
    small_world,
)

SUMMED = ("online", "in_progress", "planned", "of")
IDENTITY = ["authority", "service", "identifier"]


class OnDay:
    """A client whose every question is about one day."""

    def __init__(self, client: Any, day: str) -> None:
        self.client, self.day = client, day

    def get(self, path: str, *, query_string: Any) -> Any:
        return self.client.get(path, query_string=[*query_string, ("stand", self.day)])


class Diary:
    """Days and the entries that held at their ends; visible as they are by what was last said of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pages: list[tuple[str, pd.DataFrame]] = []
        self.visibility: dict[tuple[str, ...], str] = {}

    def write(self, moment: str, *days: str) -> None:
        """What the world now holds was imported at the moment, and holds at the end of these days."""
        with self.world.database.owner() as connection:
            date_back(connection, berlin(moment))
        table = self.world.entries
        for row in table.itertuples():
            self.visibility[row.authority, row.service, row.identifier] = str(row.visibility)
        self.pages += [(day, table.copy()) for day in days]

    def comparison(self, day: str, table: pd.DataFrame, audience: str) -> Comparison:
        world = self.world
        keys = zip(*(table[name] for name in IDENTITY), strict=True)
        table = table.assign(visibility=[self.visibility[key] for key in keys])
        recount = count.Recount(
            world.land, world.catalogue, table, audience, world.published, world.population
        )
        client = OnDay(world.client(audience), day)
        return Comparison(client, recount, world.situations(), f"{audience} {day}")


@pytest.fixture(scope="module")
def diary(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Diary:  # noqa: F811
    """Three imports, the second half an hour before, the third half an hour after midnight in Germany; then
    some authorities withdraw, and others publish.
    """
    world, folder = small_world, tmp_path_factory.mktemp("past")
    diary = Diary(world)
    diary.write("2026-01-10 09:00+01:00", "2026-01-10", "2026-03-30")
    small.write_implementations(folder / "second.csv", world.land, seed=2, retired=False, part=0.3)
    world.import_more(folder / "second.csv")
    diary.write("2026-03-31 23:30+02:00", "2026-03-31", "2026-06-30")
    small.write_implementations(folder / "third.csv", world.land, seed=3, retired=False, part=0.2)
    world.import_more(folder / "third.csv", replace=True)
    diary.write("2026-07-01 00:30+02:00", "2026-07-01", "2026-10-01")
    draw = random.Random(23)
    world.unpublish(sorted(world.published)[::3])
    hidden = sorted(set(world.land.authorities) - world.published - {areas.FEDERATION})
    world.publish(draw.sample(hidden, 10))
    return diary


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_values_of_past_days(diary: Diary, audience: str, scope: str) -> None:
    filters = small_filters(audience, scope)
    for number, (day, table) in enumerate(diary.pages):
        comparison = diary.comparison(day, table, audience)
        for turn, query in enumerate(filters[number % 5 :: 5]):
            comparison.values(query, list(areas.DIGITS)[(turn + number) % 2 :: 2])
        agree(comparison)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_layers_areas_and_facets_of_past_days(diary: Diary, audience: str) -> None:
    for number, (day, table) in enumerate(diary.pages[1::2]):
        comparison = diary.comparison(day, table, audience)
        for scope in SCOPES:
            for turn, query in enumerate(small_filters(audience, scope)[number::9]):
                levels = comparison.levels(query)
                comparison.layer(levels[turn % len(levels)], query)
            comparison.facets("districts", count.Filter(scope=scope))
        for area in diary.world.land.areas.iloc[number::40].itertuples():
            comparison.area(str(area.level), str(area.key))
        agree(comparison)


def test_the_days_differ(diary: Diary) -> None:
    """Else the comparisons above would say nothing about time."""
    tables = [table[[*IDENTITY, "status"]] for _day, table in diary.pages[::2]]
    assert len({tuple(sorted(map(tuple, table.to_numpy().tolist()))) for table in tables}) == 3


def test_progress(diary: Diary) -> None:
    """Sums over the authorities of municipalities in two districts, on all days in one question."""
    world = diary.world
    with world.database.reader(Audience.PUBLIC) as connection:
        for district in ("05570", "05558"):
            ids = connection.scalars(
                select(Boundary.authority_id).where(
                    Boundary.level == int(Level.MUNICIPALITY),
                    Boundary.key.startswith(district),
                    Boundary.authority_id.is_not(None),
                )
            )
            days = [dt.date.fromisoformat(day) for day, _table in diary.pages]
            found = progress.over_time(connection, [number for number in ids if number], days)
            for (day, table), numbers in zip(diary.pages, found, strict=True):
                comparison = diary.comparison(day, table, "public")
                rows = comparison.recount.values("municipalities", count.Filter(within=(district,)))
                rows = rows[rows["reason"].isna() | (rows["reason"] == "")]
                wanted = [len(rows), *(int(rows[name].sum()) for name in SUMMED)]
                said = [numbers.reporting, *(getattr(numbers, name) for name in SUMMED)]
                assert said == wanted, (district, day)
