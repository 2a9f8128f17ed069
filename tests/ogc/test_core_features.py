"""OGC API - Features Part 1, conf/core: features, page by page and one by one."""

from __future__ import annotations

import json
import re

import pytest
import shapely
from flask.testing import FlaskClient
from shapely.geometry import shape

from mapservice import params
from mapservice.layers import crs
from mapservice.params import LIMIT_MOST
from tests.ogc.asking import COLLECTIONS, LEVELS, SIZES, get, links, mimetype, parameter, stands_in_the_query

DISTRICTS = "/api/collections/districts/items"
BOX = "7.6,51.7,8.2,52.1"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fc_op(client: FlaskClient, name: str) -> None:
    response = client.get(f"/api/collections/{name}/items")
    assert (response.status_code, mimetype(response)) == (200, "application/geo+json")


@pytest.mark.parametrize("level", LEVELS)
def test_fc_response(client: FlaskClient, level: str) -> None:
    page = get(client, f"/api/collections/{level}/items?limit=1000")
    assert page["type"] == "FeatureCollection"
    assert len(page["features"]) == page["numberReturned"] == SIZES[level]


def test_fc_links(client: FlaskClient) -> None:
    address = "/api/collections/districts/items?limit=4&subject=bildung&status=online&status=planned"
    page = get(client, address)
    (itself,), (other,) = links(page, "self"), links(page, "alternate")
    assert itself["type"] == "application/geo+json"
    assert get(client, itself["href"])["features"] == page["features"]
    response = client.get(other["href"])
    assert mimetype(response) == other["type"] == "text/html"
    assert links(page, "collection")[0]["href"].endswith("/api/collections/districts")
    following = get(client, links(page, "next")[0]["href"])
    assert following["title"] == page["title"]


@pytest.mark.parametrize("address", [f"{DISTRICTS}?limit=2", f"{DISTRICTS}/05515"])
def test_fc_rel_type(client: FlaskClient, address: str) -> None:
    """Each link has a relation, a type and an absolute address."""
    content = get(client, address)
    assert len(content["links"]) >= 3
    for link in content["links"]:
        assert link["rel"]
        assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", link["type"])
        assert link["href"].startswith("http://localhost/api/")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fc_limit_definition(client: FlaskClient, name: str) -> None:
    limit = parameter(client, name, "limit")
    assert (limit["in"], limit["required"], limit["style"], limit["explode"]) == (
        "query",
        False,
        "form",
        False,
    )
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": 100}


@pytest.mark.parametrize(("name", "all_"), [("municipalities", 91), ("implementations", 3)])
def test_fc_limit_response(client: FlaskClient, name: str, all_: int) -> None:
    """No more than asked for; more than the maximum is served as the maximum, and is no error."""
    address = f"/api/collections/{name}/items"
    for limit in (1, 2, 90, 1000, LIMIT_MOST + 1, 999_999_999):
        page = get(client, f"{address}?limit={limit}")
        assert len(page["features"]) == page["numberReturned"] == min(limit, all_)
        assert bool(links(page, "next")) is (limit < all_)
    for wrong in ("0", "-1", "1.5", "", "ten", "1e3", "٣", "1000000000"):
        response = client.get(address, query_string={"limit": wrong})
        assert response.status_code == 400, wrong
        assert json.loads(response.data)["parameter"] == "limit"


def test_fc_limit_response_above_the_maximum_goes_on(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a maximum that the data exceed: pages of the maximum, with `next`, and nothing lost."""
    monkeypatch.setattr(params, "LIMIT_MOST", 40)
    whole = [feature["id"] for feature in get(client, "/api/layers/municipalities.geojson")["features"]]
    seen: list[str] = []
    address = "/api/collections/municipalities/items?limit=5000"
    sizes = []
    while address:
        page = get(client, address)
        seen += [feature["id"] for feature in page["features"]]
        sizes.append(page["numberReturned"])
        following = links(page, "next")
        address = following[0]["href"] if following else ""
    assert sizes == [40, 40, 11]
    assert seen == whole


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fc_bbox_definition(client: FlaskClient, name: str) -> None:
    bbox = parameter(client, name, "bbox")
    assert stands_in_the_query(bbox)
    assert bbox["schema"]["type"] == "array"
    assert bbox["schema"]["items"] == {"type": "number"}
    assert bbox["schema"]["oneOf"] == [{"minItems": n, "maxItems": n} for n in (4, 6)]


@pytest.mark.parametrize("name", ["districts", "municipalities"])
@pytest.mark.parametrize(
    "box",
    [
        "7.6,51.94,7.65,51.98",
        BOX,
        "7.6,51.94,0,7.65,51.98,900",
        "8.5,53.5,8.5,53.6",
        "7.62,51.96,7.62,51.96",
        "-180,-90,180,90",
        "-20,-10,-19,-9",
        "160.6,-55.95,-170,-25.89",
        "8,40,-170,60",
    ],
)
def test_fc_bbox_response(client: FlaskClient, name: str, box: str) -> None:
    """Exactly the features whose geometry touches the box, as shapely judges the finest geometry."""
    numbers = [float(number) for number in box.split(",")]
    west, south, east, north = numbers if len(numbers) == 4 else (numbers[i] for i in (0, 1, 3, 4))
    parts = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    boxes = [shapely.box(first, south, last, north) for first, last in parts]
    whole = get(client, f"/api/collections/{name}/items?limit=1000&detail=100")["features"]
    wanted = [f["id"] for f in whole if any(shape(f["geometry"]).intersects(box) for box in boxes)]
    found = get(client, f"/api/collections/{name}/items?limit=1000&bbox={box}")["features"]
    assert [feature["id"] for feature in found] == wanted


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fc_time_definition(client: FlaskClient, name: str) -> None:
    moment = parameter(client, name, "datetime")
    assert (moment["in"], moment["required"], moment["style"], moment["explode"]) == (
        "query",
        False,
        "form",
        False,
    )
    assert moment["schema"]["type"] == "string"


def test_fc_time_stamp(client: FlaskClient) -> None:
    """Left out, which the requirement allows, so that the same page has a strong ETag and the same bytes."""
    first, again = (client.get("/api/collections/districts/items?limit=2&offset=3") for _ in range(2))
    assert "timeStamp" not in first.text
    assert first.headers["ETag"].startswith('"')
    assert (first.data, first.headers["ETag"]) == (again.data, again.headers["ETag"])


@pytest.mark.parametrize("query", ["", "?limit=3", "?bbox=-20,-10,-19,-9", f"?bbox={BOX}", "?filter=false"])
def test_fc_number_returned(client: FlaskClient, query: str) -> None:
    page = get(client, DISTRICTS + query)
    assert page["numberReturned"] == len(page["features"])


def test_fc_number_matched(client: FlaskClient) -> None:
    """Where it is said it is right; it is never counted."""
    whole = get(client, "/api/collections/districts/items")
    assert whole["numberMatched"] == 9
    assert "numberMatched" not in get(client, "/api/collections/districts/items?limit=5")
    assert get(client, "/api/collections/districts/items?bbox=7.6,51.94,7.65,51.98")["numberMatched"] == 1
    assert get(client, f"{DISTRICTS}?limit=9")["numberMatched"] == 9
    assert get(client, f"{DISTRICTS}?limit=2&filter=state='Bremen'")["numberMatched"] == 2
    assert get(client, f"{DISTRICTS}?filter=false")["numberMatched"] == 0
    # On a later page it would have to be counted.
    for query in ("limit=5&offset=5", "offset=9"):
        assert "numberMatched" not in get(client, f"{DISTRICTS}?{query}")
    last = links(get(client, f"{DISTRICTS}?limit=5"), "next")[0]["href"]
    assert "numberMatched" not in get(client, last)
    assert get(client, "/api/collections/implementations/items")["numberMatched"] == 3
    assert "numberMatched" not in get(client, "/api/collections/implementations/items?limit=2")


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T10:00:00Z",
        "2026-01-01T00:00:00Z/2026-12-31T23:59:59.5+01:00",
        "../2026-12-31T00:00:00Z",
        "2018-02-12T00:00:00Z/",
        "1066-10-14",
    ],
)
def test_fc_time_response(client: FlaskClient, value: str) -> None:
    """Features without a temporal geometry match every time (fc-time-response, C)."""
    address = "/api/collections/districts/items"
    response = client.get(address, query_string={"datetime": value})
    assert json.loads(response.data)["numberReturned"] == 9


@pytest.mark.parametrize(
    "value", ["", "..", "../..", "yesterday", "2026-13-01", "2026-1-1", "1/2/3", "20260101"]
)
def test_fc_time_definition_refuses_the_rest(client: FlaskClient, value: str) -> None:
    response = client.get("/api/collections/districts/items", query_string={"datetime": value})
    assert response.status_code == 400
    assert json.loads(response.data)["parameter"] == "datetime"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_f_op(client: FlaskClient, name: str) -> None:
    """Each id of a page leads to its feature."""
    page = get(client, f"/api/collections/{name}/items?limit=5")["features"]
    assert page
    for listed in page:
        response = client.get(f"/api/collections/{name}/items/{listed['id']}")
        assert (response.status_code, mimetype(response)) == (200, "application/geo+json")


@pytest.mark.parametrize("level", COLLECTIONS)
def test_f_success(client: FlaskClient, level: str) -> None:
    """One feature by id is the one of the page, with all its numbers."""
    page = get(client, f"/api/collections/{level}/items?limit=3")["features"]
    assert page
    for listed in page:
        own = get(client, f"/api/collections/{level}/items/{listed['id']}")
        assert {name: own[name] for name in ("type", "id", "geometry", "properties")} == listed


def test_f_links(client: FlaskClient) -> None:
    own = get(client, "/api/collections/districts/items/05515?measure=share")
    assert own["properties"]["value"] == 0.5
    assert get(client, links(own, "self")[0]["href"]) == own
    assert mimetype(client.get(links(own, "alternate")[0]["href"])) == "text/html"
    assert get(client, links(own, "collection")[0]["href"])["id"] == "districts"


def test_a_feature_in_another_system(client: FlaskClient) -> None:
    response = client.get(f"/api/collections/districts/items/05515?crs={crs.UTM_32.uri}")
    assert response.headers["Content-Crs"] == f"<{crs.UTM_32.uri}>"
    x, y = json.loads(response.data)["geometry"]["coordinates"][0][0][0]
    assert 380_000 < x < 420_000
    assert 5_740_000 < y < 5_780_000


@pytest.mark.parametrize(
    "query",
    [
        "measure=count",
        "measure=share&scope=available",
        "measure=spread&service=10500",
        "measure=spread&service=10500&scope=available",
        "measure=status&service=10501&scope=available",
    ],
)
def test_a_box_changes_no_number(client: FlaskClient, query: str) -> None:
    """Only areas in the box, on the page or asked for are counted: with the numbers of the whole level."""
    whole = get(client, f"/api/layers/districts.geojson?{query}")["features"]
    known = {feature["id"]: feature for feature in whole}
    found = get(client, f"/api/collections/districts/items?{query}&bbox=7.4,51.8,7.9,52.1")["features"]
    assert 1 < len(found) < len(whole)
    assert all(feature == known[feature["id"]] for feature in found)
    paged = [
        *get(client, f"/api/collections/districts/items?{query}&limit=4")["features"],
        *get(client, f"/api/collections/districts/items?{query}&limit=4&offset=4")["features"],
    ]
    assert paged == whole[:8]
    one = get(client, f"/api/collections/districts/items/05515?{query}")
    assert one["properties"] == known["05515"]["properties"]
