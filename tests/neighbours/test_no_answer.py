"""/nachbarn: bad input, and what to do where there is nothing to show."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from mapservice.database import Database
from mapservice.models import Authority
from tests.around import DISTRICT, DOG, ID_CARD, MUENSTER, TELGTE, refused, said
from tests.entries import add_service
from tests.neighbours.conftest import Enter
from tests.neighbours.reading import PATH, page

CITY_ON_ITS_OWN = "110000000000"


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        ({}, "Eigene Behörde"),
        ({"authority": "Xyzzyqwert"}, "keine Behörde bekannt"),
        ({"authority": "Warendorf"}, "Welche Behörde ist gemeint?"),
        ({"authority": "031549502502"}, "gemeindefrei"),
        ({"authority": "Brunsleberfeld"}, "Helmstedt (Landkreis)"),
        ({"authority": "000000000000"}, "hat auf der Karte keine Fläche"),
        ({"authority": TELGTE, "service": "10999"}, "Leistung 10999 ist im Katalog nicht vorhanden"),
        ({"authority": TELGTE, "q": "xyzzyqwert"}, "Zu „xyzzyqwert“ ist keine Leistung bekannt"),
        ({"authority": TELGTE, "service": DOG}, "Aus dem Umkreis liegen noch keine Angaben vor"),
        ({"authority": CITY_ON_ITS_OWN, "around": "border"}, "gezeigt sind die nächsten Behörden"),
    ],
)
def test_what_cannot_be_answered_is_explained(
    client: FlaskClient, parameters: dict[str, str], answer: str
) -> None:
    assert answer in said(page(client, **parameters))


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"around": "0"}, "around"),
        ({"around": "-5"}, "around"),
        ({"around": "501"}, "around"),
        ({"around": "٢٥"}, "around"),
        ({"status": "open"}, "status"),
        ({"status": "quatsch"}, "status"),
        ({"service": "quatsch"}, "service"),
        ({"subject": "quatsch"}, "subject"),
        ({"page": "0"}, "page"),
        ({"page": "7", "authority": TELGTE, "service": DOG}, "page"),
        ({"radius": "7"}, "radius"),
        ({"authority": [TELGTE, MUENSTER]}, "authority"),
    ],
)
def test_wrong_parameters_are_named(
    client: FlaskClient, enter: Enter, parameters: dict[str, Any], parameter: str
) -> None:
    enter(MUENSTER)
    refused(client, PATH, parameters, parameter)


def test_a_former_authority_leads_to_those_of_today(client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        former = connection.scalar(select(Authority.id).where(Authority.ars == DISTRICT))
        connection.execute(
            insert(Authority).values(
                ars="055700099099",
                name="Altstadt",
                kinds=32,
                chain_kinds=32,
                is_current=False,
                district_id=former,
            )
        )
    found = page(client, authority="055700099099", service=DOG)
    assert "Altstadt gibt es im aktuellen Gebietsstand nicht mehr" in said(found)
    assert any("055700" in link for link in found.xpath("//main//ul[@class='link-list']//a/@href"))


def test_where_nobody_has_it_the_next_step_is_offered(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, ID_CARD)
    found = page(client, authority=TELGTE, service=DOG, around="10")
    assert "Im Umkreis meldet das niemand" in said(found)
    (link,) = found.xpath("//a[contains(., 'Im Umkreis von 25 km suchen')]/@href")
    assert parse_qs(urlsplit(link).query)["around"] == ["25"]


def test_who_is_responsible_instead_is_said(client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        add_service(connection, "10700", name="Baugenehmigung", declared_kinds=4, responsible=4)
    assert "nach dem Katalog nicht zuständig, sondern: Kreis" in said(
        page(client, authority=TELGTE, service="10700")
    )
