"""Parameters that are wrong: 4xx that names the parameter."""

from __future__ import annotations

import json
import time

import pytest
from flask.testing import FlaskClient

ITEMS = "/api/collections/{}/items"
SECONDS = 3
"""Of the processor, for one refusal."""
WRONG = {
    "NaN in a box": ("bbox", "7,51,NaN,52"),
    "infinity in a box": ("bbox", "7,51,inf,52"),
    "exponents beyond floats": ("bbox", "7,51,1e999,52"),
    "south above north": ("bbox", "7,52,8,51"),
    "three numbers": ("bbox", "7,51,8"),
    "beyond the world": ("bbox", "170,51,190,52"),
    "an unknown system": ("crs", "http://www.opengis.net/def/crs/EPSG/0/31467"),
    "an unknown system of the box": ("bbox-crs", "EPSG:99999"),
    "an unknown system of the filter": ("filter-crs", "urn:x"),
    "NaN in a filter": ("filter", "S_INTERSECTS(geometry, POINT(NaN 51))"),
    "a negative limit": ("limit", "-1"),
    "half a limit": ("limit", "1.5"),
    "no limit": ("limit", ""),
    "a cursor of ours it is not": ("cursor", "abc"),
}


def refused(client: FlaskClient, collection: str, name: str, value: str) -> None:
    started = time.process_time()
    response = client.get(ITEMS.format(collection), query_string={name: value})
    assert time.process_time() - started < SECONDS
    assert 400 <= response.status_code < 500
    content = json.loads(response.data)
    assert content["parameter"] == name
    assert content["description"]
    assert len(response.data) < 5_000


@pytest.mark.parametrize("collection", ["districts", "implementations"])
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(client: FlaskClient, collection: str, case: str) -> None:
    refused(client, collection, *WRONG[case])


@pytest.mark.parametrize("collection", ["districts", "implementations"])
def test_a_box_across_the_antimeridian_is_two(client: FlaskClient, collection: str) -> None:
    """West above east goes around the other side: without Münster, or with it and nearly all the world."""

    def found(box: str) -> int:
        response = client.get(ITEMS.format(collection), query_string={"bbox": box})
        assert response.status_code == 200, response.text
        return int(json.loads(response.data)["numberReturned"])

    everything = found("-180,-90,180,90")
    assert found("170,40,-170,60") == 0
    assert found("7,40,-170,60") + found("-180,40,5,60") == everything
