"""CQL2 (OGC 21-065): the classes of the language, in both encodings, over both kinds of collections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapservice.cql2 import parse
from mapservice.database import Database
from mapservice.domain import FEDERATION
from tests.asking import client_of
from tests.entries import add_entry, add_service
from tests.ogc.asking import get
from tests.ogc.filling import fill_richly
from tests.test_api import MUENSTER

COLLECTIONS = ("districts", "implementations")
VALUES = {
    "string": "'München'",
    "number": "0.5",
    "integer": "1",
    "boolean": "true",
    "date": "DATE('2026-05-01')",
}
LITERALS = ("'foo'", "true", "3.14", "1", "TIMESTAMP('2022-04-14T14:48:46Z')", "DATE('2022-04-14')")
ODD = "Bad 'Quell'\ttab\\weg"


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    filled = fill_richly(module_boundaries)
    with filled.owner() as connection:
        add_service(connection, "10777")
        add_entry(connection, MUENSTER, "10777", source=ODD, reusable=False)
    with client_of(filled) as client:
        yield client


def found(
    client: FlaskClient, collection: str, text: str, language: str = "cql2-text", **more: Any
) -> list[str]:
    shape = {"geometry": "point"} if collection == "implementations" else {"detail": "1000"}
    query = {"filter": text, "filter-lang": language, "limit": 1000, **shape, **more}
    response = client.get(f"/api/collections/{collection}/items", query_string=query)
    assert response.status_code == 200, (text, response.text)
    return [feature["id"] for feature in json.loads(response.data)["features"]]


def both(client: FlaskClient, collection: str, text: str, **more: Any) -> set[str]:
    """What a filter finds, which has to be the same in both encodings."""
    ids = found(client, collection, text, **more)
    assert ids == found(client, collection, json.dumps(parse(text, "cql2-text")), "cql2-json", **more)
    return set(ids)


def everywhere(client: FlaskClient, collection: str, conditions: list[str]) -> None:
    """Each of these conditions holds for every feature; asked together, and one by one if they do not."""
    whole = both(client, collection, "true")
    for start in range(0, len(conditions), 18):
        part = conditions[start : start + 18]
        if both(client, collection, " AND ".join(f"({condition})" for condition in part)) != whole:
            failing = [each for each in part if both(client, collection, each) != whole]
            raise AssertionError(failing)


def queryables(client: FlaskClient, collection: str) -> dict[str, str]:
    """Name and type of each queryable but the geometry; dates by their format."""
    properties = get(client, f"/api/collections/{collection}/queryables")["properties"]
    simple = {name: entry for name, entry in properties.items() if "type" in entry}
    assert properties.keys() - simple.keys() == {"geometry"}
    return {
        name: "number" if isinstance(entry["type"], list) else entry.get("format", entry["type"])
        for name, entry in simple.items()
    }


# --- basic-cql2 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_basic_test(client: FlaskClient, collection: str) -> None:
    """There is at least one queryable, and each says its type."""
    types = queryables(client, collection)
    assert {"string", "integer"} <= set(types.values())
    assert set(types.values()) <= VALUES.keys()


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_comparison(client: FlaskClient, collection: str) -> None:
    """For every queryable the six comparisons part what has a value, and no feature is on both sides."""
    pattern = (
        "{q} IS NULL OR ({q} = {v} OR {q} < {v} OR {q} > {v}) AND NOT ({q} = {v} AND {q} <> {v} "
        "OR {q} > {v} AND {q} <= {v} OR {q} < {v} AND {q} >= {v})"
    )
    types = queryables(client, collection)
    everywhere(client, collection, [pattern.format(q=f'"{q}"', v=VALUES[types[q]]) for q in types])


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_is_null(client: FlaskClient, collection: str) -> None:
    """Every queryable, the geometry too, is null or not, and then the feature says the same."""
    shape = "&geometry=point" if collection == "implementations" else ""
    whole = get(client, f"/api/collections/{collection}/items?limit=1000{shape}")["features"]
    compared = set()
    for name in (*queryables(client, collection), "geometry"):
        null = found(client, collection, f'"{name}" IS NULL')
        for feature in whole:
            said = {"geometry": feature["geometry"], **feature["properties"]}
            if name in said:
                assert (said[name] is None) is (feature["id"] in null), (name, feature["id"])
                compared.add(said[name] is None)
    assert compared == {True, False}
    names = [f'"{name}"' for name in queryables(client, collection)]
    everywhere(client, collection, [f"NOT ({q} IS NULL AND {q} IS NOT NULL)" for q in names])
    everywhere(client, collection, [f"{q} is null or {q} is not null" for q in (*names, "geometry")])


def test_is_null_of_a_geometry_finds_the_federation(client: FlaskClient) -> None:
    (one,) = found(client, "implementations", "geometry IS NULL")
    feature = get(client, f"/api/collections/implementations/items/{one}")
    assert (feature["geometry"], feature["properties"]["authority"]) == (None, FEDERATION)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_boolean(client: FlaskClient, collection: str) -> None:
    assert both(client, collection, "false") == set()
    assert both(client, collection, "true") == set(found(client, collection, "NOT FALSE")) != set()


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_logical(client: FlaskClient, collection: str) -> None:
    """The standard's expression over four predicates, against the same over sets."""
    simple = {
        "districts": ("state = 'Bremen'", "services_online >= 0", "name > 'C'", "population IS NULL"),
        "implementations": ("status = 'online'", "state <> 'Berlin'", "reusable = true", "as_of IS NULL"),
    }[collection]
    everything = both(client, collection, "true")
    for turn in range(4):
        p = simple[turn:] + simple[:turn]
        text = f"(NOT ({p[1]}) AND {p[0]}) OR ({p[2]} and {p[3]}) or not ({p[0]} OR {p[3]})"
        s = [both(client, collection, each) for each in p]
        no = [both(client, collection, f"NOT ({each})") for each in p]
        # What is unknown is in neither; NOT (a OR b) holds where both are known to be false.
        assert both(client, collection, text) == no[1] & s[0] | s[2] & s[3] | no[0] & no[3]
        assert s[0] | no[0] <= everything


def test_moments_are_compared_to_the_second(client: FlaskClient) -> None:
    """A day is its beginning, UTC."""
    confirmed = both(client, "implementations", "as_of = DATE('2026-05-01')")
    assert len(confirmed) == 1
    assert both(client, "implementations", "as_of = TIMESTAMP('2026-05-01T00:00:00Z')") == confirmed
    assert both(client, "implementations", "as_of = TIMESTAMP('2026-05-01T02:00:00+02:00')") == confirmed
    assert both(client, "implementations", "as_of < TIMESTAMP('2026-05-01T00:00:01Z')") == confirmed
    assert both(client, "implementations", "as_of = TIMESTAMP('2026-05-01T00:00:01Z')") == set()
    earlier = "TIMESTAMP('2026-05-01T00:00:00Z') < TIMESTAMP('2026-05-01T00:00:01Z')"
    assert both(client, "districts", earlier) == both(client, "districts", "true")


# --- further classes --------------------------------------------------------------------------------


def by_properties(client: FlaskClient, collection: str, judge: Any) -> set[str]:
    shape = "&geometry=point" if collection == "implementations" else ""
    whole = get(client, f"/api/collections/{collection}/items?limit=1000{shape}")["features"]
    return {feature["id"] for feature in whole if judge(feature["properties"])}


def test_like_predicate(client: FlaskClient) -> None:
    for text, judge in (
        ("name LIKE 'B%'", lambda p: p["name"].startswith("B")),
        ("name NOT LIKE '%er_'", lambda p: p["name"][-3:-1] != "er"),
        ("name LIKE 'm%'", lambda p: False),
        ("name like 'M_nster'", lambda p: p["name"] == "Münster"),
        (r"name LIKE '\M\ünster'", lambda p: p["name"] == "Münster"),
        (r"name LIKE '%\_%' OR name LIKE '%\%%'", lambda p: False),
    ):
        assert both(client, "districts", text) == by_properties(client, "districts", judge), text


def test_between_predicate(client: FlaskClient) -> None:
    for text, judge in (
        ("services_online BETWEEN 1 AND 3", lambda p: 1 <= (p["services_online"] or 0) <= 3),
        ("services_online between 3 and 1", lambda p: False),
        ("services_total NOT BETWEEN 0 AND 2", lambda p: (p["services_total"] or 0) > 2),
        (
            "1 BETWEEN services_online AND services_total",
            lambda p: p["services_total"] is not None and p["services_online"] <= 1 <= p["services_total"],
        ),
    ):
        assert both(client, "districts", text) == by_properties(client, "districts", judge), text


def test_in_predicate(client: FlaskClient) -> None:
    for text, judge in (
        ("state IN ('Bremen','Berlin')", lambda p: p["state"] in ("Bremen", "Berlin")),
        ("state NOT IN ('Bremen')", lambda p: p["state"] not in ("Bremen", None)),
        ("services_online in (0, 1.0)", lambda p: p["services_online"] in (0, 1)),
        ("'Berlin' IN (name, 'x')", lambda p: p["name"] == "Berlin"),
    ):
        assert both(client, "districts", text) == by_properties(client, "districts", judge), text
    days = "as_of IN (DATE('2026-05-01'), DATE('1999-01-01'))"
    judged = by_properties(client, "implementations", lambda p: p["as_of"] == "2026-05-01")
    assert both(client, "implementations", days) == judged != set()


def test_casei_function(client: FlaskClient) -> None:
    for text, judge in (
        ("CASEI(name) = casei('MÜNSTER')", lambda p: p["name"] == "Münster"),
        ("CASEI(name) IN (casei('HAMM'), casei('berlin'))", lambda p: p["name"] in ("Hamm", "Berlin")),
        ("CASEI(name) LIKE casei('BR_M%')", lambda p: p["name"].startswith("Brem")),
        ("CASEI(name) = CASEI(district)", lambda p: p["name"] == p["district"]),
        ("CASEI('ÄÖÜSS') = casei('äöüss')", lambda p: True),
    ):
        assert both(client, "districts", text) == by_properties(client, "districts", judge), text


POINT = "POINT(7.62 51.96)"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_basic_spatial_functions_spatial_predicate(client: FlaskClient, collection: str) -> None:
    """S_INTERSECTS with a point and a box."""
    in_muenster = both(client, collection, f"S_INTERSECTS(geometry, {POINT})")
    assert in_muenster == both(client, collection, "s_intersects(geometry,BBOX(7.61,51.95,7.63,51.97))")
    name = "name" if collection == "districts" else "authority_name"
    assert in_muenster == both(client, collection, f"{name} = 'Münster'") != set()


@pytest.mark.parametrize(
    "literal",
    [
        "LINESTRING(7.61 51.95, 7.63 51.97)",
        "POLYGON((7.61 51.95, 7.63 51.95, 7.63 51.97, 7.61 51.95))",
        "POLYGON((7.61 51.95, 7.63 51.95, 7.63 51.97, 7.61 51.95), (7.62 51.951, 7.621 51.951, 7.62 51.952, "
        "7.62 51.951))",
        "MULTIPOINT((7.62 51.96), (0 0))",
        "MULTILINESTRING((7.61 51.95, 7.63 51.97), (0 0, 1 1))",
        "MULTIPOLYGON(((7.61 51.95, 7.63 51.95, 7.63 51.97, 7.61 51.95)), ((0 0, 1 0, 1 1, 0 0)))",
        "GEOMETRYCOLLECTION(POINT(7.62 51.96), LINESTRING(0 0, 1 1))",
        "POINT Z (7.62 51.96 60)",
    ],
)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_spatial_data_types(client: FlaskClient, collection: str, literal: str) -> None:
    wanted = both(client, collection, f"S_INTERSECTS(geometry, {POINT})")
    assert both(client, collection, f"S_INTERSECTS(geometry, {literal})") == wanted != set()


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_spatial_functions(client: FlaskClient, collection: str) -> None:
    """The relations among each other, and each by a feature that has to be found by it."""
    placed = both(client, collection, "geometry IS NOT NULL")
    box = "BBOX(7.5,51.9,7.7,52.0)"
    touching = both(client, collection, f"S_INTERSECTS(geometry, {box})")
    assert both(client, collection, f"S_DISJOINT(geometry, {box})") == placed - touching
    assert both(client, collection, f"S_CONTAINS(geometry, {POINT})") == both(
        client, collection, f"S_WITHIN({POINT}, geometry)"
    )
    assert both(client, collection, "S_WITHIN(geometry, BBOX(5,47,16,56))") == placed
    assert both(client, collection, "S_WITHIN(geometry, BBOX(7,51.5,8,52.5))") < placed
    assert both(client, collection, f"S_OVERLAPS(geometry, {box})") <= touching
    assert both(client, collection, "S_CROSSES(LINESTRING(7.62 51.96, 0 50), geometry)") != set()
    assert both(client, collection, "S_EQUALS(geometry, geometry)") == placed
    assert both(client, collection, "S_TOUCHES(geometry, geometry)") == set()


def test_spatial_functions_touch_and_equal(client: FlaskClient) -> None:
    """With a vertex of Münster's border: it is touched, as are its neighbours there; with its own polygon."""
    (muenster,) = get(client, "/api/collections/districts/items?name=Münster&detail=100")["features"]
    (polygon, *_more) = muenster["geometry"]["coordinates"]
    x, y = polygon[0][0]
    touched = both(client, "districts", f"S_TOUCHES(geometry, POINT({x} {y}))")
    assert touched == both(client, "districts", f"S_INTERSECTS(geometry, POINT({x} {y}))")
    assert "05515" in touched
    tree = {"op": "s_equals", "args": [{"property": "geometry"}, muenster["geometry"]]}
    text = json.dumps(tree, separators=(",", ":"))
    assert len(text) < 32_000
    assert found(client, "districts", text, "cql2-json") == ["05515"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_comparison_value_property(client: FlaskClient, collection: str) -> None:
    """The value may stand first: then it says the same, turned round."""
    pattern = (
        "{q} IS NULL OR ({v} = {q} OR {v} > {q} OR {v} < {q}) AND NOT ({v} = {q} AND {q} <> {v} "
        "OR {v} > {q} AND {q} >= {v} OR {v} <= {q} AND {q} < {v} OR {v} >= {q} AND {q} > {v})"
    )
    types = queryables(client, collection)
    everywhere(client, collection, [pattern.format(q=f'"{q}"', v=VALUES[types[q]]) for q in types])


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_comparison_property_property(client: FlaskClient, collection: str) -> None:
    same = "{q} = {q} AND {q} <= {q} AND {q} >= {q}"
    pattern = "{q} IS NULL OR " + same + " AND NOT ({q} <> {q} OR {q} < {q} OR {q} > {q})"
    names = [f'"{name}"' for name in queryables(client, collection)]
    everywhere(client, collection, [pattern.format(q=q) for q in names])


def test_comparison_value_value(client: FlaskClient) -> None:
    for value in LITERALS:
        wrong = " OR ".join(f"{value} {operator} {value}" for operator in ("<>", "<", ">"))
        right = [f"{value} {operator} {value}" for operator in ("=", "<=", ">=")]
        everywhere(client, "districts", [*right, f"NOT ({wrong})"])


# --- encodings --------------------------------------------------------------------------------------


def test_escaping(client: FlaskClient) -> None:
    r"""Quotes double or after a backslash, and the seven signs for control characters."""
    wanted = by_properties(client, "implementations", lambda p: p["source"] == ODD)
    assert len(wanted) == 1
    for text in (
        r"source = 'Bad ''Quell''\ttab\\weg'",
        r"source = 'Bad \'Quell\'\ttab\\weg'",
        "source = 'Bad ''Quell''\ttab\\\\weg'",
        r"source LIKE 'Bad \'%\'\t%'",
    ):
        assert both(client, "implementations", text) == wanted, text
    (tree,) = parse(r"source = '\a\b\t\n\v\f\r'", "cql2-text")["args"][1:]
    assert tree == "\a\b\t\n\v\f\r"
    # A bracket inside a text is none, also behind an escaped quote.
    assert parse(r"source = '\'((((('", "cql2-text")["args"][1] == "'((((("


def test_cql2_text_validate(client: FlaskClient) -> None:
    """Keywords in either case, blanks as one likes, names in quotes or not."""
    plain = both(client, "districts", "NOT (name = 'Hamm' OR services_online > 0)")
    for text in (
        "not(name='Hamm'or services_online>0)",
        '\n NOT\t( "name" = \'Hamm\' Or "services_online" > 0.0e0 ) ',
        "NOT (name = 'Hamm') AND NOT services_online > +0",
    ):
        assert both(client, "districts", text) == plain


def test_cql2_json_validate(client: FlaskClient) -> None:
    """The JSON that the standard gives for each class."""
    name, geometry = {"property": "name"}, {"property": "geometry"}
    for tree, text in (
        ({"op": "=", "args": [name, "Hamm"]}, "name = 'Hamm'"),
        ({"op": "<>", "args": [name, "Hamm"]}, "name <> 'Hamm'"),
        ({"op": "isNull", "args": [{"property": "population"}]}, "population IS NULL"),
        ({"op": "not", "args": [{"op": "isNull", "args": [name]}]}, "name IS NOT NULL"),
        ({"op": "like", "args": [name, "B%"]}, "name LIKE 'B%'"),
        ({"op": "between", "args": [{"property": "share"}, 0, 1]}, "share BETWEEN 0 AND 1"),
        ({"op": "in", "args": [name, ["Hamm", "Berlin"]]}, "name IN ('Hamm', 'Berlin')"),
        ({"op": "=", "args": [{"op": "casei", "args": [name]}, {"op": "casei", "args": ["HAMM"]}]},
         "CASEI(name) = CASEI('HAMM')"),
        ({"op": "s_intersects", "args": [geometry, {"type": "Point", "coordinates": [7.62, 51.96]}]},
         f"S_INTERSECTS(geometry, {POINT})"),
        ({"op": "s_intersects", "args": [geometry, {"bbox": [7.61, 51.95, 7.63, 51.97]}]},
         "S_INTERSECTS(geometry, BBOX(7.61, 51.95, 7.63, 51.97))"),
        ({"op": "and", "args": [True, {"op": "or", "args": [False, {"op": "=", "args": [name, "Hamm"]}]}]},
         "true AND (false OR name = 'Hamm')"),
        ({"op": "<", "args": [{"date": "2022-04-14"}, {"date": "2022-04-15"}]},
         "DATE('2022-04-14') < DATE('2022-04-15')"),
        ({"op": "<", "args": [{"timestamp": "2022-04-14T14:48:46Z"}, {"timestamp": "2022-04-14T14:48:47Z"}]},
         "TIMESTAMP('2022-04-14T14:48:46Z') < TIMESTAMP('2022-04-14T14:48:47Z')"),
    ):  # fmt: skip
        assert parse(text, "cql2-text") == tree
        assert found(client, "districts", json.dumps(tree), "cql2-json") == found(client, "districts", text)
