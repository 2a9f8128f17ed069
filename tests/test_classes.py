"""Classes computed from values: recounted here by other means, and the same in map, layer and table."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from mapservice import tallies
from mapservice.database import Database
from mapservice.domain import implementation_id
from mapservice.layers.breaks import lower_limits, thousandth, whole
from mapservice.layers.query import Method
from mapservice.models import Authority, Implementation, Publication, Service
from tests.asking import client_of
from tests.entries import add_service


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    """Twelve services; authority number k reports k*k modulo 13 of them, every ninth none."""
    with module_boundaries.owner() as connection:
        for number in range(12):
            add_service(connection, str(10500 + number))
        services = connection.execute(select(Service.id, Service.key).order_by(Service.key)).all()
        authorities = connection.execute(select(Authority.id, Authority.ars).order_by(Authority.ars)).all()
        connection.execute(
            insert(Publication), [{"authority_id": row.id, "visibility": 3} for row in authorities]
        )
        rows = [
            {
                "id": implementation_id(authority.ars, service.key, ""),
                "authority_id": authority.id,
                "service_id": service.id,
                "status": 1 if place < number * number % 13 else 3,
                "visibility": 3,
            }
            for number, authority in enumerate(authorities)
            for place, service in enumerate(services)
            if number % 9
        ]
        connection.execute(insert(Implementation), rows)
        tallies.refresh(connection)
    with client_of(module_boundaries) as client:
        yield client


def get(client: FlaskClient, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return response.get_json(force=True)


def least_spread(values: list[int], count: int) -> float:
    """The least sum of squared distances from class means: every parting is tried."""
    distinct = sorted(set(values))
    best = float("inf")
    for cuts in itertools.combinations(range(1, len(distinct)), count - 1):
        edges = [0, *cuts, len(distinct)]
        parts = [set(distinct[a:b]) for a, b in itertools.pairwise(edges)]
        best = min(best, sum(squares([v for v in values if v in part]) for part in parts))
    return best


def squares(part: list[int]) -> float:
    mean = sum(part) / len(part)
    return sum((value - mean) ** 2 for value in part)


def parted(values: list[int], limits: tuple[Fraction, ...]) -> list[list[int]]:
    edges = [*limits, Fraction(10**9)]
    return [[v for v in values if low <= v < high] for low, high in itertools.pairwise(edges)]


@pytest.mark.parametrize("seed", range(6))
def test_natural_breaks_are_the_best_parting_there_is(seed: int) -> None:
    chance = random.Random(seed)
    values = [chance.choice((0, 0, 1, 2, 3, 5, 8, 9, 20, 21, 40)) for _ in range(60)]
    limits, highest = lower_limits(Method.NATURAL, map(Fraction, values), 4, whole)
    assert highest == max(values)
    assert sum(map(squares, parted(values, limits))) == pytest.approx(least_spread(values, 4))


@pytest.mark.parametrize("seed", range(6))
def test_quantiles_part_equally_and_never_ties(seed: int) -> None:
    chance = random.Random(seed)
    values = chance.sample(range(10_000), 103)
    parts = parted(values, lower_limits(Method.QUANTILE, map(Fraction, values), 5, whole)[0])
    assert {len(part) for part in parts} <= {20, 21}
    ties = [0] * 70 + values[:30]
    parts = parted(ties, lower_limits(Method.QUANTILE, map(Fraction, ties), 5, whole)[0])
    assert sum(map(len, parts)) == 100
    assert all(part for part in parts)
    assert 70 <= len(parts[0]) < 100


def begins(method: Method, values: list[int], count: int) -> list[float]:
    return [float(limit) for limit in lower_limits(method, map(Fraction, values), count, whole)[0]]


def test_few_or_equal_values_have_as_many_classes_as_they_can() -> None:
    for method in (Method.EQUAL, Method.QUANTILE, Method.NATURAL):
        assert lower_limits(method, [], 5, whole) == ((), None)
        assert begins(method, [7, 7, 7, 7], 5) == [7]
    assert begins(Method.NATURAL, [3, 1, 3], 5) == [1, 3]
    assert begins(Method.EQUAL, [0, 1, 2], 7) == [0, 1, 2]
    assert begins(Method.EQUAL, [0, 3, 10], 4) == [0, 3, 5, 8]
    third = [Fraction(1, 3)] * 5 + [Fraction(2, 3)] * 5
    assert [float(limit) for limit in lower_limits(Method.QUANTILE, third, 4, thousandth)[0]] == [
        0.333,
        0.666,
    ]


def test_all_municipalities_of_germany_take_a_moment_only() -> None:
    chance = random.Random(3)
    values = [Fraction(chance.randrange(0, of + 1), of) for of in chance.choices(range(1, 576), k=11_299)]
    lower_limits(Method.NATURAL, values[:100], 7, thousandth)  # loads numpy
    begin = time.process_time()
    limits, _ = lower_limits(Method.NATURAL, values, 7, thousandth)
    assert time.process_time() - begin < 0.25  # 0.05 s alone on a machine
    assert len(limits) == 7


@pytest.mark.parametrize(
    "choice",
    [
        "method=equal&classes=4",
        "method=quantile&classes=3&measure=share",
        "method=natural&classes=5&measure=share&scope=available",
        "method=own&breaks=2,6,9",
        "breaks=12,5;%2050&measure=share",
        "method=quantile&within=05",
        "measure=status&service=10503&method=natural",
        "measure=spread&service=10503&method=equal",
    ],
)
def test_map_layer_and_table_agree_on_every_class(client: FlaskClient, choice: str) -> None:
    level = "districts" if "spread" in choice else "municipalities"
    array = get(client, f"/api/values/{level}?format=array&{choice}")
    features = get(client, f"/api/layers/{level}.geojson?{choice}")["features"]
    by_class: dict[str, int] = {}
    ratio = array["measure"] in ("share", "spread")
    for n, of in zip(array["n"], array["of"], strict=True):
        if n is None:
            continue
        code = array["reasons"].get(str(n))
        if code is None:  # as the script in the page does it
            value = n / of if ratio else n
            code = [item for item in array["classes"] if item["from"] <= value][-1]["class"]
        by_class[code] = by_class.get(code, 0) + 1
    of_layer: dict[str, int] = {}
    for feature in features:
        code = feature["properties"]["class"]
        of_layer[code] = of_layer.get(code, 0) + 1
    assert of_layer == by_class
    assert len(by_class) > 2
    for code, count in by_class.items():
        page = client.get(f"/tabelle?level={level}&{choice}&class={code}").text
        assert re.search(rf"(\d+) bis \d+ von {count} Gebieten", page), (code, count)
    both = "&class=".join(list(by_class)[:2])
    page = client.get(f"/tabelle?level={level}&{choice}&class={both}").text
    assert f"von {sum(list(by_class.values())[:2])} Gebieten" in page
    rows = client.get(f"/tabelle.csv?level={level}&{choice}&class={both}").text.split("\r\n\r\n")[0]
    assert rows.count("\r\n") == sum(list(by_class.values())[:2])


def test_fixed_limits_stay_whatever_the_data(client: FlaskClient) -> None:
    content = get(client, "/api/values/districts")
    assert [item["from"] for item in content["classes"]] == [0, 1, 5, 10]
    assert content["method"] == "fixed"
    labels = [item["label"] for item in get(client, "/api/values/districts?breaks=3,10")["classes"]]
    assert labels == ["0 bis 2", "3 bis 9", "ab 10"]
    labels = [
        item["label"] for item in get(client, "/api/values/districts?measure=share&breaks=12,5;50")["classes"]
    ]
    assert labels == ["unter 12,5 %", "12,5 bis unter 50 %", "ab 50 %"]


@pytest.mark.parametrize(
    ("choice", "parameter"),
    [
        ("method=own", "breaks"),
        ("breaks=5,3", "breaks"),
        ("breaks=5,5", "breaks"),
        ("breaks=5,x", "breaks"),
        ("breaks=-5,1", "breaks"),
        ("breaks=0", "breaks"),
        ("breaks=1,2,3,4,5,6,7", "breaks"),
        ("breaks=2.5", "breaks"),
        ("breaks=2,5&method=equal", "breaks"),
        ("breaks=50,120&measure=share", "breaks"),
        ("classes=8&method=equal", "classes"),
        ("classes=2&method=equal", "classes"),
        ("method=jenks", "method"),
    ],
)
def test_wrong_choices_are_told_plainly(client: FlaskClient, choice: str, parameter: str) -> None:
    response = client.get(f"/api/values/districts?{choice}")
    assert response.status_code == 400
    assert response.get_json()["parameter"] == parameter
    assert response.get_json()["allowed"]


def test_an_unknown_class_is_told_above_the_table(client: FlaskClient) -> None:
    response = client.get("/tabelle?class=c99")
    # A link goes stale when limits change; the rest is shown all the same.
    assert response.status_code == 200
    assert "Der Link nennt eine Klasse, die es in der Legende nicht gibt." in response.text
    assert 'id="result"' in response.text
