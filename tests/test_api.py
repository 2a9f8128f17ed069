"""The JSON interface as a client meets it: parameters, paging, errors, caching, encodings."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from mapservice import create_app
from mapservice.config import DatabaseUrls
from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.errors import UnavailableError
from mapservice.params import LIMIT_MOST
from tests.asking import client_of
from tests.entries import add_entry, add_service, set_publication

MUENSTER, WARENDORF, TELGTE = "055150000000", "055700000000", "055700044044"


def fill(database: Database) -> Database:
    with database.owner() as connection:
        add_service(connection, "10500")
        add_service(connection, "10501", subject_area_id=6)
        for ars in (MUENSTER, WARENDORF, TELGTE):
            set_publication(connection, ars)
        add_entry(connection, MUENSTER, "10500", url="https://demo.example/<script>${1}")
        add_entry(connection, WARENDORF, "10501", status=2)
        add_entry(connection, TELGTE, "10500", status=5)
    return database


@pytest.fixture(scope="module")
def filled(module_boundaries: Database) -> Database:
    return fill(module_boundaries)


@pytest.fixture(scope="module")
def client(filled: Database) -> Iterator[FlaskClient]:
    with client_of(filled) as client:
        yield client


def said(response: TestResponse) -> Any:
    return json.loads(response.data)


def get(client: FlaskClient, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return said(response)


def test_a_layer_is_geojson_with_everything_a_portal_needs(client: FlaskClient) -> None:
    response = client.get("/api/layers/districts.geojson?measure=share")
    assert response.mimetype == "application/geo+json"
    layer = json.loads(response.data)
    assert layer["type"] == "FeatureCollection"
    assert "BKG" in layer["attribution"]
    assert "verändert" in layer["attribution"]
    assert {"geometry_licence", "data_licence", "data_as_of", "title", "numberReturned"} <= layer.keys()
    assert layer["demonstration"] is False
    by_id = {feature["id"]: feature for feature in layer["features"]}
    assert len(by_id) == layer["numberReturned"] == 9
    muenster = by_id["05515"]
    assert muenster["geometry"]["type"] == "MultiPolygon"
    assert muenster["properties"] == {
        "ars": MUENSTER,
        "authority": MUENSTER,
        "ags": "05515000",
        "name": "Münster",
        "designation": "Kreisfreie Stadt",
        "level": "district",
        "district": None,
        "state": "Nordrhein-Westfalen",
        "services_total": 2,
        "services_online": 1,
        "services_in_progress": 0,
        "services_planned": 0,
        "share": 0.5,
        "value": 0.5,
        "value_label": "50\xa0% (1 von 2 Leistungen)",
        "value_reason": None,
        "class": "c3",
        "data_as_of": layer["data_as_of"],
    }
    hamm = by_id["05915"]["properties"]
    assert (hamm["value"], hamm["value_reason"], hamm["class"]) == (None, "no_data", "no_data")


def test_every_grey_has_its_reason(client: FlaskClient) -> None:
    content = get(client, "/api/values/municipalities?service=10500")
    assert content["values"]["055150000000"] == 1
    assert content["reasons"]["055700044044"] == "not_responsible"
    assert content["reasons"]["055700052052"] == "no_data"
    assert "unincorporated" in content["reasons"].values()


def test_the_array_stands_in_the_order_of_the_geometry_file(client: FlaskClient) -> None:
    content = get(client, "/api/values/districts?format=array&detail=1000")
    response = client.get(content["geometry"]["href"])
    assert "immutable" in response.headers["Cache-Control"]
    topology = json.loads(
        gzip.decompress(response.data) if response.headers.get("Content-Encoding") else response.data
    )
    keys = [area["id"] for area in topology["objects"]["areas"]["geometries"]]
    assert len(keys) == len(content["n"]) == len(content["of"])
    by_key = get(client, "/api/values/districts")
    shown = {key: n for key, n in zip(keys, content["n"], strict=True) if n >= 0}
    assert shown == by_key["values"]
    greys = {key: content["reasons"][str(n)] for key, n in zip(keys, content["n"], strict=True) if n < 0}
    assert greys == by_key["reasons"]
    outside = get(client, "/api/values/districts?format=array&within=05515")
    assert [n for n in outside["n"] if n is not None] == [1]


def test_a_geometry_file_that_is_no_longer_current_is_a_conflict(client: FlaskClient) -> None:
    response = client.get(f"/api/values/districts?format=array&geometry={'0' * 64}")
    assert response.status_code == 409
    assert said(response)["parameter"] == "geometry"
    current = get(client, "/api/geometry?level=districts")
    assert said(response)["allowed"] == [current["hash"]]
    assert client.get(f"/api/geometry/{'0' * 64}.topojson").status_code == 404


def test_paging_by_next_links_gives_every_area_once(client: FlaskClient) -> None:
    address: str | None = "/api/collections/municipalities/items?limit=25&detail=1000"
    seen: list[str] = []
    while address:
        page = get(client, address)
        seen += [feature["id"] for feature in page["features"]]
        assert page["numberReturned"] == len(page["features"]) <= 25
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    layer = get(client, "/api/layers/municipalities.geojson?detail=1000")
    assert seen == [feature["id"] for feature in layer["features"]]
    assert len(seen) == len(set(seen)) == 91
    skipped = get(client, "/api/collections/municipalities/items?offset=90&detail=1000")
    assert [feature["id"] for feature in skipped["features"]] == seen[90:]
    most = get(client, f"/api/collections/municipalities/items?limit={LIMIT_MOST * 50}&detail=1000")
    assert most["numberReturned"] == 91


def test_the_box_finds_what_it_touches(client: FlaskClient) -> None:
    found = get(client, "/api/collections/districts/items?bbox=7.6,51.94,7.65,51.98")
    assert [feature["properties"]["name"] for feature in found["features"]] == ["Münster"]
    assert get(client, "/api/collections/districts/items?bbox=-20,-10,-19,-9")["features"] == []
    everything = get(client, "/api/collections/districts/items?bbox=170,-80,-170,80")
    assert everything["features"] == []  # across the antimeridian: a thin strip, not the whole world


def test_a_region_is_a_prefix_or_an_area(client: FlaskClient) -> None:
    prefix = get(client, "/api/values/municipalities?within=05570")
    area = get(client, f"/api/values/municipalities?within={WARENDORF}")
    assert prefix["values"] | prefix["reasons"] == area["values"] | area["reasons"]
    keys = area["values"].keys() | area["reasons"].keys()
    assert len(keys) == 13
    assert all(key.startswith("05570") for key in keys)
    both = get(client, "/api/values/districts?within=05570&within=055150000000")
    assert sorted(both["values"]) == ["05515", "05570"]


def test_one_area_with_what_is_offered_there(client: FlaskClient) -> None:
    content = get(client, f"/api/areas/{TELGTE}")
    assert content["name"] == "Telgte"
    assert content["chain"][0]["ars"] == TELGTE
    assert content["chain"][-1]["ars"] == "0" * 12
    assert content["counts"]["own"]["online"] == 0
    offered = {
        (entry["authority"], entry["service"], entry["status"]) for entry in content["implementations"]
    }
    assert offered == {(TELGTE, "10500", "not_responsible"), (WARENDORF, "10501", "in_progress")}
    family = next(item for item in content["subjects"]["available"] if item["slug"] == "familie_kind")
    assert (family["total"], family["in_progress"]) == (1, 1)
    assert get(client, f"/api/areas/{MUENSTER}")["levels"] == ["districts", "associations", "municipalities"]


def test_neighbours_share_a_border(client: FlaskClient) -> None:
    content = get(client, "/api/neighbours/05515")
    lengths = [neighbour["shared_m"] for neighbour in content["neighbours"]]
    assert {neighbour["name"] for neighbour in content["neighbours"]} == {"Coesfeld", "Warendorf"}
    assert lengths == sorted(lengths, reverse=True)
    assert min(lengths) > 1000
    assert get(client, f"/api/neighbours/{TELGTE}")["district"] == {"ars": WARENDORF, "name": "Warendorf"}


@pytest.mark.parametrize(
    ("address", "status", "parameter"),
    [
        ("/api/values/planets", 404, "level"),
        ("/api/values/districts?colour=red", 400, "colour"),
        ("/api/values/districts?subject=sport", 400, "subject"),
        ("/api/values/districts?subject=", 400, "subject"),
        ("/api/values/districts?situation=x", 400, "situation"),
        ("/api/values/districts?situation=99999", 404, "situation"),
        ("/api/values/districts?service=123", 400, "service"),
        ("/api/values/districts?service=10999", 404, "service"),
        ("/api/values/districts?service=99999999999999", 404, "service"),
        ("/api/values/districts?service=10500&subject=bildung", 400, "service"),
        ("/api/values/districts?status=fertig", 400, "status"),
        ("/api/values/districts?measure=sum", 400, "measure"),
        ("/api/values/districts?measure=status", 400, "measure"),
        ("/api/values/districts?measure=count&measure=share", 400, "measure"),
        ("/api/values/municipalities?measure=spread&service=10500", 400, "measure"),
        ("/api/values/districts?measure=share&status=not_responsible", 400, "status"),
        ("/api/values/districts?scope=all", 400, "scope"),
        ("/api/values/districts?within=5570", 400, "within"),
        ("/api/values/districts?within=99", 404, "within"),
        ("/api/values/districts?within=%D9%A0%D9%A5", 400, "within"),
        ("/api/values/districts?format=xml", 400, "format"),
        ("/api/values/districts?detail=1", 400, "detail"),
        ("/api/layers/districts.geojson?bbox=1,2,3,4", 400, "bbox"),
        ("/api/collections/districts/items?bbox=abc", 400, "bbox"),
        ("/api/collections/districts/items?bbox=1,2,3", 400, "bbox"),
        ("/api/collections/districts/items?bbox=1,2,nan,4", 400, "bbox"),
        ("/api/collections/districts/items?bbox=1,9,3,4", 400, "bbox"),
        ("/api/collections/districts/items?bbox=500,2,501,4", 400, "bbox"),
        ("/api/collections/districts/items?limit=-1", 400, "limit"),
        ("/api/collections/districts/items?limit=0", 400, "limit"),
        ("/api/collections/districts/items?limit=10&limit=20", 400, "limit"),
        ("/api/collections/districts/items?offset=1e3", 400, "offset"),
        ("/api/collections/districts/items?cursor=%00", 400, "cursor"),
        ("/api/collections/districts/items?cursor=" + "W1tb" * 1000, 400, "cursor"),
        ("/api/collections/districts/items?cursor=W10", 400, "cursor"),
        ("/api/areas/05515?lang=%00", 400, "lang"),
        ("/api/collections/districts/items?cursor=WzEsMl0&offset=2", 400, "offset"),
        ("/api/areas/abc", 400, "ars"),
        ("/api/areas/05999", 404, "ars"),
        ("/api/areas/05515?level=planets", 404, "level"),
        ("/api/neighbours/055700044099", 404, "ars"),
        ("/api/values/districts?service=%3Cscript%3Ealert(1)%3C/script%3E", 400, "service"),
        ("/api/values/districts?" + "subject=bildung&" * 201, 400, "subject"),
    ],
)
def test_a_wrong_request_names_the_parameter(
    client: FlaskClient, address: str, status: int, parameter: str
) -> None:
    response = client.get(address)
    assert response.status_code == status, response.text
    assert said(response)["parameter"] == parameter
    assert said(response)["description"]
    assert "<script" not in response.text
    assert "no-store" in response.headers["Cache-Control"]
    assert "ETag" not in response.headers


def test_a_nul_is_refused_everywhere(client: FlaskClient) -> None:
    for address in ("/api/geometry/%00.topojson", "/suche?q=%00", "/gebiete/%00", "/tabelle?service=%00"):
        assert client.get(address).status_code == 400, address


def test_unknown_addresses_and_methods_are_json_too(client: FlaskClient) -> None:
    assert said(client.get("/api/nothing"))["code"] == "not_found"
    refused = client.post("/api/values/districts")
    assert refused.status_code == 405
    assert "GET" in refused.headers["Allow"]


def test_an_unchanged_answer_is_304(boundaries_loaded: Database) -> None:
    database = fill(boundaries_loaded)
    app = create_app(database.settings, database)
    client = app.test_client()
    address = "/api/values/districts"
    first = client.get(address)
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = client.get(address, headers={"If-None-Match": f'W/"x", {etag}'})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert client.get(address + "?scope=own", headers={"If-None-Match": etag}).status_code == 200
    with database.owner() as connection:
        add_entry(connection, MUENSTER, "10501")
    time.sleep(0.6)
    moved = client.get(address, headers={"If-None-Match": etag})
    assert moved.status_code == 200
    assert moved.headers["ETag"] != etag
    assert said(moved)["values"]["05515"] == 2
    app.extensions["mapservice"].versions.close()


def test_answers_are_compressed_as_asked(client: FlaskClient) -> None:
    address = "/api/layers/districts.geojson"
    plain = client.get(address)
    assert "Content-Encoding" not in plain.headers
    zipped = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert (zipped.headers["Content-Encoding"], gzip.decompress(zipped.data)) == ("gzip", plain.data)
    both = client.get(address, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert (both.headers["Content-Encoding"], brotli.decompress(both.data)) == ("br", plain.data)
    assert client.get(address, headers={"Accept-Encoding": "br;q=0, gzip;q=0"}).data == plain.data
    assert len({plain.headers["ETag"], zipped.headers["ETag"], both.headers["ETag"]}) == 3
    assert both.headers["Vary"] == "Accept-Encoding"


def test_other_origins_may_read(client: FlaskClient) -> None:
    assert client.get("/api/values/districts").headers["Access-Control-Allow-Origin"] == "*"


def test_health_tells_the_state(client: FlaskClient) -> None:
    assert get(client, "/api/health")["status"] == "ok"


def test_a_database_that_is_down_is_503_with_retry_after(filled: Database) -> None:
    urls = DatabaseUrls(None, None, "postgresql+psycopg://nobody@127.0.0.1:1/none")
    app = create_app(filled.settings, Database(urls, filled.settings))
    response = app.test_client().get("/api/values/districts")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert said(response)["code"] == "unavailable"
    assert "127.0.0.1" not in response.text
    app.extensions["mapservice"].versions.close()


def test_a_query_over_its_time_limit_is_503(filled: Database) -> None:
    hasty = Database(filled.urls, replace(filled.settings, statement_timeout=0.1))
    with pytest.raises(UnavailableError), hasty.reader(Audience.PUBLIC) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    hasty.dispose()


def test_names_for_the_map_put_capitals_first(client: FlaskClient) -> None:
    content = get(client, "/api/names")
    assert ["11", "Berlin", 13.38, 52.52] in content["states"]
    towns = [name for name, _lon, _lat in content["towns"]]
    assert set(towns[:2]) == {"Berlin", "Bremen"}
    assert set(towns[2:5]) == {"Bremerhaven", "Hamm", "Münster"}, "then cities, as no inhabitants are known"
    districts = [name for name, _lon, _lat in content["districts"]]
    assert "Warendorf" in districts
    assert "Münster" not in districts, "a city is a town alone"
