"""/nachbarn: what is looked for, and around whom how far."""

from __future__ import annotations

from flask.testing import FlaskClient

from mapservice.database import Database
from tests.around import DISTRICT, DOG, ID_CARD, MUENSTER, SENDEN, SENDENHORST, TELGTE
from tests.entries import add_entry, set_publication
from tests.neighbours.conftest import Enter
from tests.neighbours.reading import names, page, rows


def test_several_services_subject_areas_and_words_are_added_up(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, DOG)
    enter(SENDENHORST, ID_CARD, status=3)
    both = page(client, authority=TELGTE, service=[DOG, ID_CARD])
    assert names(both) == ["Münster (Kreisfreie Stadt)", "Sendenhorst (Stadt)"]
    assert [chip.text for chip in both.xpath("//a[@class='chip']")] == ["Hundehaltung", "Personalausweis"]
    assert names(page(client, authority=TELGTE, subject="engagement_hobby")) == ["Münster (Kreisfreie Stadt)"]
    assert names(page(client, authority=TELGTE, q="Ausweis")) == ["Sendenhorst (Stadt)"]
    mixed = page(client, authority=TELGTE, q="Personalausweis", subject="engagement_hobby")
    assert len(names(mixed)) == 2


def test_a_district_looks_at_districts_and_a_city_at_both(client: FlaskClient, enter: Enter) -> None:
    for ars in (TELGTE, SENDEN, DISTRICT):
        enter(ars)
    assert names(page(client, authority=DISTRICT, service=DOG, around="100")) == []
    assert set(names(page(client, authority=MUENSTER, service=DOG))) == {
        "Telgte (Stadt)",
        "Senden (Gemeinde)",
        "Warendorf (Kreis)",
    }
    assert names(page(client, authority=MUENSTER, service=DOG, level="districts")) == ["Warendorf (Kreis)"]
    assert "Warendorf (Kreis)" not in names(
        page(client, authority=MUENSTER, service=DOG, level="municipalities")
    )


def test_a_member_of_an_association_has_its_association_beside_it(
    client: FlaskClient, database: Database
) -> None:
    association, member = "073345001000", "073345001001"
    with database.owner() as connection:
        set_publication(connection, association)
        add_entry(connection, association, DOG, 1)
    found = page(client, authority=member, service=DOG, around="border")
    assert [row[2] for row in rows(found)] == ["Ihr Gemeindeverband"]


def test_the_circle_is_as_wide_as_asked(client: FlaskClient, enter: Enter) -> None:
    enter(SENDENHORST)
    enter(SENDEN)
    enter(DISTRICT)
    assert names(page(client, authority=TELGTE, service=DOG, around="border")) == ["Warendorf (Kreis)"]
    assert names(page(client, authority=TELGTE, service=DOG, around="district")) == [
        "Warendorf (Kreis)",
        "Sendenhorst (Stadt)",
    ]
    assert "Senden (Gemeinde)" in names(page(client, authority=TELGTE, service=DOG, around="24"))
    assert "Senden (Gemeinde)" not in names(page(client, authority=TELGTE, service=DOG, around="23"))


def test_nothing_chosen_shows_who_is_around(client: FlaskClient) -> None:
    found = page(client, authority="Telgte")
    listed = found.xpath("//ol[contains(@class, 'hits__list--plain')]/li//a/text()")
    assert listed[:3] == ["Ostbevern (Gemeinde)", "Münster (Kreisfreie Stadt)", "Everswinkel (Gemeinde)"]
    assert "Warendorf (Kreis)" in listed
