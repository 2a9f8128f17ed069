"""The collection `implementations`: properties, filters, paging while rows come and go, visibility."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapservice.database import Database
from mapservice.domain import FEDERATION
from mapservice.layers import crs
from tests.asking import client_of
from tests.ogc.asking import get, read
from tests.ogc.filling import HAMM, MAILBOX, PERSON, fill_richly
from tests.test_api import MUENSTER, TELGTE, WARENDORF

ITEMS = "/api/collections/implementations/items"


@pytest.fixture(scope="module")
def filled(module_boundaries: Database) -> Database:
    return fill_richly(module_boundaries)


@pytest.fixture(scope="module")
def client(filled: Database) -> Iterator[FlaskClient]:
    with client_of(filled) as client:
        yield client


def features(client: FlaskClient, query: str = "") -> list[Any]:
    found: list[Any] = get(client, f"{ITEMS}?{query}")["features"]
    return found


def said(found: list[Any]) -> set[tuple[str, str]]:
    return {(f["properties"]["authority"], f["properties"]["service"]) for f in found}


ALL = {
    (MUENSTER, "10500"),
    (MUENSTER, "10501"),
    (MUENSTER, "99001001001001"),
    (WARENDORF, "10501"),
    (TELGTE, "10500"),
    (FEDERATION, "10500"),
}


def test_one_feature_per_visible_implementation(client: FlaskClient) -> None:
    page = get(client, ITEMS)
    assert said(page["features"]) == ALL
    assert page["numberMatched"] == page["numberReturned"] == 6
    assert [f["id"] for f in page["features"]] == sorted(f["id"] for f in page["features"])
    text = json.dumps(page)
    assert "Geheimquelle" not in text
    assert PERSON not in text
    assert MAILBOX in text
    described = get(client, "/api/collections/implementations/schema")["properties"]
    for feature in page["features"]:
        assert feature["properties"].keys() | {"geometry"} == described.keys()
        assert (feature["geometry"] is None) == (feature["properties"]["authority"] == FEDERATION)
    assert all(entry["title"] and entry["description"] for entry in described.values())
    assert described == get(client, "/api/collections/implementations/queryables")["properties"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("service=10501", {(MUENSTER, "10501"), (WARENDORF, "10501")}),
        ("subject=familie_kind", {(MUENSTER, "10501"), (WARENDORF, "10501")}),
        ("subject=bildung", {(MUENSTER, "99001001001001")}),
        ("status=in_progress", {(MUENSTER, "10501"), (WARENDORF, "10501")}),
        ("within=05570", {(WARENDORF, "10501"), (TELGTE, "10500")}),
        ("maturity=1.1:3", {(MUENSTER, "10501")}),
        ("confirmed=2026-04-01", {(MUENSTER, "10501")}),
        ("authority_name=Telgte", {(TELGTE, "10500")}),
        ("bbox=7.61,51.95,7.63,51.97", {entry for entry in ALL if entry[0] == MUENSTER}),
        ("filter=status = 'not_responsible'", {(TELGTE, "10500")}),
        ("filter=as_of >= DATE('2026-05-01') AND reusable = true", {(MUENSTER, "10501")}),
        ("filter=url LIKE 'https://demo%25'", {(MUENSTER, "10500")}),
        ("filter=state IS NULL", {(FEDERATION, "10500")}),
        (
            "geometry=point&filter=S_INTERSECTS(geometry, POINT(7.62 51.96)) AND subject = 'bildung'",
            {(MUENSTER, "99001001001001")},
        ),
        # What is hidden answers no question either.
        ("filter=source = 'Geheimquelle'", set()),
        (f"filter=authority = '{HAMM}'", set()),
        (f"filter=contact = '{PERSON}'", set()),
    ],
)
def test_filters(client: FlaskClient, query: str, expected: set[tuple[str, str]]) -> None:
    assert said(features(client, query)) == expected


@pytest.mark.parametrize(
    "query",
    [
        "measure=share",
        "scope=own",
        "geometry=circle",
        "cursor=x",
        "cursor=" + "_" * 22 + "x",
        "offset=3",
        "filter=visibility = 1",
        "filter=public_contact = 'x'",
        "filter=as_of = 'x'",
        "as_of=yesterday",
        "filter=reusable = 1",
    ],
)
def test_what_it_does_not_know_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"{ITEMS}?{query}").status_code == 400


def test_hidden_services_and_entries_are_unknown(client: FlaskClient) -> None:
    unknown = client.get(f"{ITEMS}?service=eigen:nie-gesehen")
    hidden = client.get(f"{ITEMS}?service=eigen:brunnen")
    assert unknown.status_code == hidden.status_code == 404
    assert hidden.text.replace("brunnen", "") == unknown.text.replace("nie-gesehen", "")
    for key in (str(uuid.uuid4()), "x", "../items"):
        assert client.get(f"{ITEMS}/{key}").status_code == 404


def test_f_success_and_points(client: FlaskClient) -> None:
    (listed,) = features(client, "authority_name=Telgte")
    own = get(client, f"{ITEMS}/{listed['id']}")
    assert {name: own[name] for name in ("type", "id", "geometry", "properties")} == listed
    assert listed["geometry"]["type"] == "MultiPolygon"
    (point,) = features(client, "authority_name=Telgte&geometry=point")
    assert point["geometry"]["type"] == "Point"
    lon, lat = point["geometry"]["coordinates"]
    assert (lon, lat) == pytest.approx((7.78, 51.98), abs=0.1)
    (flipped,) = features(client, f"authority_name=Telgte&geometry=point&crs={crs.EPSG_4326.uri}")
    assert flipped["geometry"]["coordinates"] == [lat, lon]
    (metres,) = features(client, f"authority_name=Telgte&geometry=point&crs={crs.UTM_32.uri}")
    assert 380_000 < metres["geometry"]["coordinates"][0] < 450_000


def test_pages_of_the_site(client: FlaskClient) -> None:
    (listed,) = features(client, "authority_name=Telgte")
    for address in (
        "/api/collections/implementations",
        "/api/collections/implementations/queryables",
        "/api/collections/implementations/schema",
        ITEMS,
        f"{ITEMS}/{listed['id']}",
        f"{ITEMS}?filter=false",
    ):
        page = read(client, address)
        assert page.count["h1"] == 1
        assert PERSON not in page.text
    assert "Telgte" in read(client, f"{ITEMS}?filter=true").text
