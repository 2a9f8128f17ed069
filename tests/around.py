"""Around Telgte: the places and services by which neighbours and gaps are tested, and reading their pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]
from sqlalchemy import Connection

from tests.entries import add_service, set_publication

TELGTE, OSTBEVERN, EVERSWINKEL, WARENDORF, SENDENHORST = (
    "055700044044",
    "055700032032",
    "055700024024",
    "055700052052",
    "055700040040",
)
DISTRICT, MUENSTER, SENDEN = "055700000000", "055150000000", "055580044044"
"""The district of those five; a city that borders on Telgte; a municipality of the next district but one."""
DOG, DOG_REGISTRATION, ID_CARD = "10160", "99110009104000", "10500"


def add_services(connection: Connection) -> None:
    """Two bundles, and a LeiKa service of the first."""
    bundle = add_service(connection, DOG, name="Hundehaltung", subject_area_id=5)
    add_service(connection, DOG_REGISTRATION, name="Hund anmelden", parent_id=bundle)
    add_service(connection, ID_CARD, name="Personalausweis", subject_area_id=10)


def publish(connection: Connection, places: Iterable[str]) -> None:
    for ars in places:
        set_publication(connection, ars)


def page(client: FlaskClient, path: str, **parameters: Any) -> Any:
    """The page as a tree; a list as a parameter is given several times."""
    response = client.get(path, query_string=parameters)
    assert response.status_code == 200, response.text
    return html.fromstring(response.text)


def said(found: Any) -> str:
    """The words of the page's main part."""
    return " ".join(found.xpath("string(//main)").split())


def refused(client: FlaskClient, path: str, parameters: dict[str, Any], parameter: str) -> None:
    """The question is refused, and the answer names the parameter that is wrong."""
    response = client.get(path, query_string=parameters)
    assert response.status_code == 400
    assert parameter in response.text
