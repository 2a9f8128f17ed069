"""/luecken, recounted by pandas: what others have online and one's own lacks, and the reverse."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import select

from mapservice.domain import Audience
from mapservice.layers.surroundings import Reach, of_authorities, surroundings
from mapservice.models import Authority
from tests.asking import csv_records
from tests.places import current_positions
from tests.recount import gaps as recounted
from tests.test_recount import World, copy_of, small_world  # noqa: F401 - fixtures


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_gaps_are_those_that_pandas_counts(small_world: World, audience: str) -> None:  # noqa: F811
    comparison = small_world.comparison(audience)
    client, recount = comparison.client, comparison.recount
    viewer = Audience.PUBLIC if audience == "public" else Audience.INTERNAL
    draw = random.Random(11)
    candidates = [ars for ars in small_world.land.authorities if ars != "000000000000"]
    found = 0
    with small_world.database.reader(viewer) as connection:
        ids = dict(connection.execute(select(Authority.ars, Authority.id)).tuples().all())
        everywhere = current_positions(connection)
        for own in draw.sample(candidates, 60):
            around = draw.choice(("border", "30", "200", "similar"))
            direction, subjects = (
                draw.choice(("missing", "help")),
                draw.choice(((), (), ("umwelt", "familie_kind"))),
            )
            if around == "similar":
                alike = recounted.similar(recount, own, 50)
                nears = of_authorities(everywhere, ids[own], [ids[ars] for ars in alike])
                assert {near.ars for near in nears} == set(alike)
            else:
                reach = Reach() if around == "border" else Reach(True, int(around))
                nears = surroundings(everywhere, ids[own], reach).nears
            expected = recounted.gaps(recount, own, [near.ars for near in nears], direction, subjects)
            parameters = {"authority": own, "around": around, "direction": direction, "subject": subjects}
            response: Any = client.get("/luecken.csv", query_string=parameters)
            answered = [
                (row["Schlüssel der Leistung"], int(row["von Behörden"]), row)
                for row in csv_records(response)
            ]
            number = "fehlt bei" if direction == "help" else "online bei"
            told = [
                (key, int(row[number]), of, row["Schlüssel der nächsten"].split(", "))
                for key, of, row in answered
            ]
            assert sorted(told) == sorted(expected), (own, around, direction)
            # In the order of the recount, but for equals, which go by name.
            place = {row[0]: (row[1], row[3][0]) for row in expected}
            assert [place[row[0]] for row in told] == [place[row[0]] for row in expected], (own, around)
            found += len(told)
    assert found > 60
