"""/nachbarn: whom to ask, by which prepared mail."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from mapservice.database import Database
from mapservice.models import Authority
from tests.around import DOG, MUENSTER, TELGTE, said
from tests.asking import client_of
from tests.entries import add_entry, add_service, change_entry
from tests.neighbours.conftest import Enter
from tests.neighbours.reading import mail, page


def test_the_mail_goes_to_the_entrys_contact_else_to_the_authoritys(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    with database.owner() as connection:
        contact = {"contact": "stadt@muster.example", "contact_kind": 1}
        connection.execute(update(Authority).where(Authority.ars == MUENSTER).values(contact))
    entry = enter(MUENSTER, contact="hunde@muster.example", contact_kind=1)
    address, subject, body = mail(page(client, authority=TELGTE, service=DOG))
    assert address == "hunde@muster.example"
    assert subject == "Nachnutzung von „Hundehaltung“? Anfrage von Telgte (Stadt)"
    assert "Münster (Kreisfreie Stadt)" in body
    assert f"http://localhost/nachbarn?authority={TELGTE}&service={DOG}" in body
    with database.owner() as connection:
        change_entry(connection, entry, contact=None, contact_kind=None)
    assert mail(page(client, authority=TELGTE, service=DOG))[0] == "stadt@muster.example"


def test_who_is_still_at_work_is_asked_to_work_together(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, status=2, contact="hunde@muster.example", contact_kind=1)
    _, subject, body = mail(page(client, authority=TELGTE, service=DOG))
    assert subject == "„Hundehaltung“ gemeinsam umsetzen? Anfrage von Telgte (Stadt)"
    assert "nicht dasselbe zweimal bauen" in body


def test_a_persons_address_is_for_the_internal_view_alone(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    enter(MUENSTER, contact="erika.muster@muster.example", contact_kind=2)
    found = client.get("/nachbarn", query_string={"authority": TELGTE, "service": DOG}).text
    assert "erika" not in found
    assert "Kein Kontakt gemeldet" in found
    with client_of(database, view="internal") as inside:
        assert mail(page(inside, authority=TELGTE, service=DOG))[0] == "erika.muster@muster.example"


@pytest.mark.parametrize("contact", ["a?bcc=x@b.example", "a&bcc=x@b.example", "a%0D%0Abcc=x@b.example"])
def test_no_contact_can_add_a_field_to_the_mail(client: FlaskClient, enter: Enter, contact: str) -> None:
    enter(MUENSTER, contact=contact, contact_kind=1)
    assert mail(page(client, authority=TELGTE, service=DOG))[0] == contact


@pytest.mark.parametrize(
    "contact",
    [
        "a@b.example?bcc=x@y.example",
        "a@b.example,c@d.example",
        "Rathaus, Zimmer 3",
        "a@b.example\r\nBcc: x@y.example",
    ],
)
def test_what_is_no_mail_address_is_shown_but_no_link(
    client: FlaskClient, enter: Enter, contact: str
) -> None:
    enter(MUENSTER, contact=contact, contact_kind=1)
    found = page(client, authority=TELGTE, service=DOG)
    assert found.xpath("//a[starts-with(@href, 'mailto:')]/@href") == []
    assert " ".join(contact.split()) in said(found)


def test_many_services_leave_the_mail_short_enough_for_mail_programs(
    client: FlaskClient, database: Database
) -> None:
    with database.owner() as connection:
        for number in range(20):
            add_service(
                connection, f"105{number + 20}", name=f"Äußerst übermäßig lange Leistung {number} " * 5
            )
            add_entry(connection, MUENSTER, f"105{number + 20}", 1, contact="a@b.example", contact_kind=1)
    found = page(client, authority=TELGTE, subject="arbeit_ruhestand")
    address = found.xpath("//p[@class='hit__ask']/a/@href")[0]
    assert len(address) < 2000
    assert "weitere" in unquote(address)
