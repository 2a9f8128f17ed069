"""The pages for coordinators: how they are reached, and how one's own authority is found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from mapservice.coordination.own import full_name, own
from mapservice.database import Database
from mapservice.domain import Audience
from tests.asking import client_of

MUENSTER, WARENDORF_DISTRICT, TELGTE = "055150000000", "055700000000", "055700044044"


@pytest.fixture
def client(boundaries_loaded: Database) -> Iterator[FlaskClient]:
    with client_of(boundaries_loaded) as client:
        yield client


def test_the_start_page_leads_to_every_page_and_keeps_the_language(client: FlaskClient) -> None:
    from mapservice.coordination import navigation

    page = client.get("/koordination?lang=en")
    assert page.status_code == 200
    assert "For coordinators" in page.text
    with client.application.test_request_context("/?lang=en"):
        addresses = [client.application.url_for(item.endpoint) for item in navigation.pages()]
    assert len(addresses) > 3
    for address in addresses:
        assert f'href="{address}"' in page.text
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    ("text", "ars"),
    [
        (TELGTE, TELGTE),
        ("05570044", TELGTE),
        ("05570", WARENDORF_DISTRICT),
        ("Telgte", TELGTE),
        ("  telgte ", TELGTE),
        ("05 5 70 0044 044", TELGTE),
    ],
)
def test_an_authority_is_found_by_key_and_by_name(boundaries_loaded: Database, text: str, ars: str) -> None:
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        found = own(connection, text)
    assert found.authority is not None
    assert found.authority.ars == ars
    assert found.choices == ()


def test_a_name_that_two_bear_is_asked_back(boundaries_loaded: Database) -> None:
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        found = own(connection, "Warendorf")
    assert found.authority is None
    assert {WARENDORF_DISTRICT} < {ars for ars, _name, _hint in found.choices}
    assert found.message


@pytest.mark.parametrize("text", ["Xyzzyqwert", "99999999", "%", "'; DROP TABLE authority; --", "\x00"])
def test_what_no_authority_bears_is_said(client: FlaskClient, boundaries_loaded: Database, text: str) -> None:
    with (
        client.application.test_request_context("/"),
        boundaries_loaded.reader(Audience.PUBLIC) as connection,
    ):
        found = own(connection, text)
    assert found.authority is None
    assert found.choices == ()
    assert found.message


def test_districts_and_towns_of_one_name_are_told_apart(boundaries_loaded: Database) -> None:
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        district = own(connection, WARENDORF_DISTRICT).authority
    assert full_name(district) == "Warendorf (Kreis)"
