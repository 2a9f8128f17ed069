#!/usr/bin/env python3
"""Neighbour finder and gap list against the plain SQL that joins by ST_Touches at request time.

    benchmarks/neighbours.py --state DIR [--rows 3000000] [--quick]

DIR is a state folder of its own; it is filled on the first run (shared VG250, shared catalogue, made-up rows
with --mix, everything published). Everything is read as the public role, each question by turns: first the
plain SQL, then the layer that answers it (which is checked to give the same), then the whole page, uncached.
The finder: who around has it in which status, in the order by place. "Shown": with what the page tells of
authorities, their names, best entries and whom to ask; the plain SQL of all, the layer of the first 25.
Prints a Markdown table of medians and 95th percentiles; ratios are of one run.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import Connection, select, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.values import fill
from mapservice import cluster, create_app, held_levels
from mapservice.config import Settings
from mapservice.database import Database, Version
from mapservice.domain import Audience, Kind, Level, Status
from mapservice.layers import catalogue, gaps, nearby
from mapservice.layers.surroundings import Reach, Surroundings, authorities_by_id, surroundings
from mapservice.models import Authority, Service

T = TypeVar("T")
KM = 25
PAGE = 25
WARM = 10
"""So many first questions do not count: a worker then holds the tallies."""
AROUND = f"""
WITH me AS (
    SELECT b.* FROM peer.area b WHERE b.authority_id = :authority AND b.level = 4
), touching AS (
    SELECT b.id, ST_Length(ST_CollectionExtract(ST_Intersection(me.geom, b.geom), 2)) AS metres
    FROM me JOIN peer.area b ON b.level = 4 AND b.geom && me.geom AND ST_Touches(b.geom, me.geom)
), around AS (
    SELECT b.authority_id, b.kinds, nullif(t.metres, 0) AS metres,
        b.district_id = me.district_id AS same_district,
        ST_DistanceSphere(b.label_point, me.label_point) / 1000 AS km
    FROM me JOIN peer.area b ON b.level = 4 AND b.id <> me.id AND b.authority_id IS NOT NULL
    LEFT JOIN touching t ON t.id = b.id
    WHERE t.metres > 0 OR b.district_id = me.district_id
        OR b.label_point && ST_Expand(me.label_point, 0.6)
            AND floor(ST_DistanceSphere(b.label_point, me.label_point) / 1000 + 0.5) <= {KM}
    UNION ALL
    SELECT a.id, a.kinds, NULL, true, 0 FROM authority me
    JOIN authority a ON a.id IN (me.district_id, me.association_id)
    WHERE me.id = :authority AND a.id <> me.id
)"""
FINDER = (
    AROUND
    + """
SELECT r.authority_id, best.status
FROM around r JOIN (
    SELECT i.authority_id, min(i.status) AS status FROM implementation i
    JOIN service s ON s.id = i.service_id
    WHERE (s.id = :service OR s.parent_id = :service) AND i.authority_id IN (SELECT authority_id FROM around)
    GROUP BY i.authority_id
) best ON best.authority_id = r.authority_id AND best.status <= 3
ORDER BY best.status, r.metres IS NULL, -greatest(1, floor(r.metres / 100 + 0.5)),
    NOT r.same_district, floor(r.km + 0.5)"""
)
SHOWN = (
    AROUND
    + """
SELECT r.authority_id, a.ars, a.name, a.designation, a.website, r.metres, r.same_district, r.km, best.*,
    so.name AS solution, coalesce(best.public_contact, a.public_contact) AS contact
FROM around r JOIN authority a ON a.id = r.authority_id JOIN (
    SELECT DISTINCT ON (i.authority_id) i.authority_id AS id, i.status, s.key, s.name AS service, i.url,
        i.solution_id, i.solution_kind, i.maturity_model, i.maturity, i.reusable, i.reuse_note,
        i.public_contact, i.online_since, i.planned_until, i.as_of
    FROM implementation i JOIN service s ON s.id = i.service_id
    WHERE (s.id = :service OR s.parent_id = :service) AND i.authority_id IN (SELECT authority_id FROM around)
    ORDER BY i.authority_id, i.status, i.reusable DESC NULLS LAST, i.maturity DESC NULLS LAST,
        i.as_of DESC NULLS LAST
) best ON best.id = r.authority_id AND best.status <= 3
LEFT JOIN solution so ON so.id = best.solution_id
ORDER BY best.status, r.metres IS NULL, -greatest(1, floor(r.metres / 100 + 0.5)),
    NOT r.same_district, floor(r.km + 0.5)"""
)
GAPS = (
    AROUND
    + """, best AS (
    SELECT i.authority_id, coalesce(s.parent_id, s.id) AS bundle_id, min(i.status) AS status
    FROM implementation i JOIN service s ON s.id = i.service_id
    WHERE i.authority_id = :authority OR i.authority_id IN (SELECT authority_id FROM around)
    GROUP BY 1, 2
)
SELECT b.key, count(*) AS number
FROM service b
JOIN best ON best.bundle_id = b.id AND best.status = 1 AND best.authority_id <> :authority
JOIN around r ON r.authority_id = best.authority_id AND b.responsible & r.kinds <> 0
JOIN authority me ON me.id = :authority AND b.responsible & me.kinds <> 0
LEFT JOIN best mine ON mine.bundle_id = b.id AND mine.authority_id = :authority
WHERE b.kind = 1 AND NOT b.retired AND coalesce(mine.status, 4) IN (2, 3, 4)
GROUP BY b.key ORDER BY number DESC"""
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--quick", action="store_true", help="30 questions instead of 300")
    arguments = parser.parse_args()
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    settings = replace(Settings.from_environment(), cache_mb=0, statement_timeout=60.0)
    with cluster.connected(settings) as urls:
        database = Database(urls, settings)
        fill(database, arguments.rows)
        prepare(database)
        measure(database, 30 if arguments.quick else 300)


def prepare(database: Database) -> None:
    """What the plain SQL joins: the full geometry of the current release, indexed."""
    with database.owner() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS peer"))
        connection.execute(text("DROP TABLE IF EXISTS peer.area"))
        connection.execute(
            text(
                "CREATE TABLE peer.area AS SELECT b.id, b.level, b.authority_id, b.kinds, b.district_id,"
                " b.label_point, b.geom FROM boundary b JOIN boundary_release r ON r.id = b.release_id"
                " WHERE r.is_current"
            )
        )
        connection.execute(text("ALTER TABLE peer.area ADD PRIMARY KEY (id)"))
        connection.execute(text("CREATE INDEX ON peer.area (authority_id)"))
        connection.execute(text("CREATE INDEX ON peer.area (district_id)"))
        connection.execute(text("CREATE INDEX ON peer.area USING gist (geom)"))
        connection.execute(text("CREATE INDEX ON peer.area USING gist (label_point)"))
        connection.execute(text("GRANT USAGE ON SCHEMA peer TO PUBLIC"))
        connection.execute(text("GRANT SELECT ON peer.area TO PUBLIC"))
        connection.execute(text("ANALYZE peer.area"))


def measure(database: Database, questions: int) -> None:
    app = create_app(database.settings, database)
    client = app.test_client()
    draw = random.Random(7)
    with database.reader(Audience.PUBLIC) as connection:
        # Members of associations are found at one level, as the plain SQL asks.
        towns = connection.execute(
            select(Authority.id, Authority.ars, Authority.kinds).where(
                Authority.kinds == int(Kind.MUNICIPALITY), Authority.is_current
            )
        ).all()
        services = connection.execute(
            select(Service.id, Service.key).where(Service.kind == 1, ~Service.retired)
        ).all()
    asked = [(draw.choice(towns), draw.choice(services)) for _ in range(questions + WARM)]
    names = (
        "plain SQL, finder",
        "layer, finder",
        "plain SQL, shown",
        "layer, shown",
        "page, shown",
        "plain SQL, gaps",
        "layer, gaps",
        "page, gaps",
    )
    times: dict[str, list[float]] = {name: [] for name in names}
    for number, (town, service) in enumerate(asked):
        with database.reader(Audience.PUBLIC) as connection, app.app_context():
            connection.execute(text("SELECT 1"))
            answers = ask(connection, client, town, service)
        check(town.ars, answers)
        if number >= WARM:
            for name, (seconds, _) in zip(names, answers, strict=True):
                times[name].append(seconds)
    report(times)
    app.extensions["mapservice"].versions.close()


def ask(connection: Connection, client: Any, town: Any, service: Any) -> list[tuple[float, Any]]:
    """Seconds and answer of each way, in the order of the table."""
    values = {"authority": town.id, "service": service.id}
    # The page reads it too, as its first question.
    version = current_app.extensions["mapservice"].versions.read(connection)
    acts: list[Callable[[], Any]] = [
        lambda: connection.execute(text(FINDER), values).all(),
        lambda: finder(connection, version, town.id, service.key),
        lambda: connection.execute(text(SHOWN), values).all(),
        lambda: shown(connection, version, town.id, service.key),
        lambda: page(client, f"/nachbarn?authority={town.ars}&service={service.key}"),
        lambda: connection.execute(text(GAPS), values).all(),
        lambda: gap_list(connection, version, town),
        lambda: page(client, f"/luecken?authority={town.ars}"),
    ]
    return [timed(act) for act in acts]


def timed(act: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    found = act()
    return time.perf_counter() - started, found


def finder(connection: Connection, version: Version, authority_id: int, key: str) -> list[nearby.Ranked]:
    """As the page asks: who is around, how each stands to the service, in the order by place."""
    asked = catalogue.wanted(held_levels.services(connection, version), [key], [])
    around = around_of(connection, version, authority_id)
    ids = [near.authority_id for near in around.nears]
    tallied = held_levels.tallies(connection, version, ids, None)
    return nearby.ranked(around.nears, nearby.standings(connection, tallied, ids, asked), nearby.OFFERED)


def shown(connection: Connection, version: Version, authority_id: int, key: str) -> list[nearby.Ranked]:
    """The same with all that the page tells of its first 25 rows, in the order to its end."""
    rows = finder(connection, version, authority_id, key)
    asked = catalogue.wanted(held_levels.services(connection, version), [key], [])
    own = nearby.mine(connection, authority_id, asked)
    authorities_by_id(connection, [row.near.authority_id for row in rows[:PAGE]], Audience.PUBLIC)
    nearby.part(
        rows,
        0,
        PAGE,
        lambda some: nearby.entries(connection, some, asked, nearby.OFFERED, own.solutions, Audience.PUBLIC),
    )
    return rows


def around_of(connection: Connection, version: Version, authority_id: int) -> Surroundings:
    """With what a worker holds of the boundary release, as the pages ask."""
    positions = held_levels.positions(connection, version)
    return surroundings(positions, authority_id, Reach(True, KM), Level.MUNICIPALITY)


def gap_list(connection: Connection, version: Version, town: Any) -> gaps.Gaps:
    around = around_of(connection, version, town.id)
    ids = [town.id, *(near.authority_id for near in around.nears)]
    tallied = held_levels.tallies(connection, version, ids, None)
    services = held_levels.services(connection, version)
    return gaps.gaps(services, tallied, town, around.nears, gaps.Direction.MISSING)


def page(client: Any, address: str) -> int:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return len(response.data)


def check(ars: str, answers: Any) -> None:
    """The same authorities in the same order, the same gaps with the same numbers."""
    plain, ours = answers[0][1], answers[1][1]
    told = [(row.near.authority_id, row.section) for row in ours]
    assert {(row.authority_id, Status(row.status)) for row in plain} == set(told), ars
    border = {row.near.authority_id for row in ours if row.near.shared_m}
    assert [row.authority_id for row in plain if row.authority_id in border] == [
        authority for authority, _ in told if authority in border
    ], ars
    assert {(row.authority_id, row.status) for row in answers[2][1]} == {tuple(row) for row in plain}, ars
    expected = {row.key: row.number for row in answers[5][1]}
    found = {gap.key: gap.number for gap in answers[6][1].found}
    assert found == expected, (ars, set(found.items()) ^ set(expected.items()))


def report(times: dict[str, list[float]]) -> None:
    print("\n| as the public role | median | p95 | p95 of the plain SQL |\n| --- | --- | --- | --- |")
    percentiles = {name: percentile(found) for name, found in times.items()}
    for name, found in times.items():
        plain = percentiles[f"plain SQL, {name.rpartition(' ')[2]}"]
        ratio = "1" if name.startswith("plain") else f"1/{plain / percentiles[name]:.1f}"
        median, high = statistics.median(found) * 1000, percentiles[name] * 1000
        print(f"| {name} | {median:.0f} ms | {high:.0f} ms | {ratio} |")


def percentile(found: list[float]) -> float:
    return statistics.quantiles(found, n=20)[-1]


if __name__ == "__main__":
    main()
