"""/nachbarn: who around has a service, why in this order, whom to ask, and what to do where nobody has it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]
from openpyxl import load_workbook
from sqlalchemy import Connection, insert, select, update

from mapservice import copies, create_app
from mapservice.database import Database
from mapservice.models import Authority, Solution
from mapservice.search import terms
from tests.entries import INTERNAL, add_entry, add_service, change_entry, remove_entry, set_publication

TELGTE, OSTBEVERN, EVERSWINKEL, WARENDORF, SENDENHORST = (
    "055700044044",
    "055700032032",
    "055700024024",
    "055700052052",
    "055700040040",
)
DISTRICT, MUENSTER, COESFELD, HAMM = "055700000000", "055150000000", "055580000000", "059150000000"
SENDEN = "055580044044"
DOG, DOG_REGISTRATION, ID_CARD, OWN = "10160", "99110009104000", "10500", "eigen:Hundefotos"
CITY_ON_ITS_OWN = "110000000000"


@pytest.fixture
def database(boundaries_loaded: Database) -> Database:
    with boundaries_loaded.owner() as connection:
        bundle = add_service(connection, DOG, name="Hundehaltung", subject_area_id=5)
        add_service(connection, DOG_REGISTRATION, name="Hund anmelden", parent_id=bundle)
        add_service(connection, ID_CARD, name="Personalausweis", subject_area_id=10)
        terms.refresh_services(connection)
        for ars in (TELGTE, OSTBEVERN, EVERSWINKEL, WARENDORF, SENDENHORST, DISTRICT, MUENSTER, SENDEN):
            set_publication(connection, ars)
    return boundaries_loaded


@pytest.fixture
def client(database: Database) -> Iterator[FlaskClient]:
    app = create_app(database.settings, database)
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


Enter = Callable[..., str]


@pytest.fixture
def enter(database: Database) -> Enter:
    def add(ars: str, service: str = DOG, status: int = 1, **more: Any) -> str:
        with database.owner() as connection:
            return add_entry(connection, ars, service, status, **more)

    return add


def page(client: FlaskClient, **parameters: Any) -> Any:
    response = client.get("/nachbarn", query_string=parameters)
    assert response.status_code == 200, response.text
    return html.fromstring(response.text)


def rows(found: Any) -> list[tuple[str, str, str]]:
    """Section, name and reasons of each authority in the list."""
    return [
        (section.xpath("string(.//h3)").strip(), hit.xpath("string(.//h4)").strip(), why(hit))
        for section in found.xpath("//section[contains(@class, 'hits')]")
        for hit in section.xpath(".//li[contains(@class, 'hit ') or @class='hit']")
    ]


def why(hit: Any) -> str:
    text = " ".join(hit.xpath("string(.//p[@class='hit__why'])").split())
    # Lengths are recounted elsewhere; those of the small release are of generalised borders.
    return re.sub(r"\([\d,]+ km gemein", "(… km gemein", text).removeprefix("Warum auf diesem Platz: ")


def names(found: Any) -> list[str]:
    return [name for _, name, _ in rows(found)]


def said(found: Any) -> str:
    return " ".join(found.xpath("string(//main)").split())


def test_online_comes_first_then_border_district_and_distance(client: FlaskClient, enter: Enter) -> None:
    for ars in (SENDENHORST, WARENDORF, MUENSTER, SENDEN, DISTRICT):
        enter(ars)
    enter(OSTBEVERN, status=3)
    enter(EVERSWINKEL, status=2)
    found = page(
        client, authority=TELGTE, service=DOG, around="50", status=["online", "in_progress", "planned"]
    )
    assert rows(found) == [
        ("Online", "Münster (Kreisfreie Stadt)", "grenzt an (… km gemeinsame Grenze) · 11 km entfernt"),
        (
            "Online",
            "Warendorf (Stadt)",
            "grenzt an (… km gemeinsame Grenze) · im selben Kreis · 13 km entfernt",
        ),
        ("Online", "Warendorf (Kreis)", "Ihr Kreis"),
        ("Online", "Sendenhorst (Stadt)", "im selben Kreis · 15 km entfernt"),
        ("Online", "Senden (Gemeinde)", "24 km entfernt"),
        (
            "In Umsetzung",
            "Everswinkel (Gemeinde)",
            "grenzt an (… km gemeinsame Grenze) · im selben Kreis · 8 km entfernt",
        ),
        (
            "In Planung",
            "Ostbevern (Gemeinde)",
            "grenzt an (… km gemeinsame Grenze) · im selben Kreis · 10 km entfernt",
        ),
    ]
    assert "5 online, 1 in Umsetzung, 1 in Planung" in said(found)


def test_the_map_has_a_mark_for_each_row_that_leads_to_it(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER)
    enter(OSTBEVERN, status=3)
    found = page(client, authority=TELGTE, service=DOG)
    marks = {mark.get("href"): mark.get("aria-label") for mark in found.xpath("//svg//a")}
    assert marks == {
        "#n1": "1: Münster (Kreisfreie Stadt), online",
        "#n2": "2: Ostbevern (Gemeinde), in Planung",
    }
    for target in marks:
        assert len(found.xpath(f"//*[@id='{target[1:]}']")) == 1
    shapes = found.xpath("//svg//a/*[contains(@class, 'smap__sign')]")
    assert [shape.tag for shape in shapes] == ["circle", "rect"]


def test_reuse_own_solution_maturity_and_day_decide_at_the_same_place(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    """Two entries of one authority stand at the same place: the better one speaks for it."""
    with database.owner() as connection:
        solution = insert(Solution).values(name="Fellnase", reusable=True, visibility=3)
        solution = solution.returning(Solution.id)
        own = connection.execute(solution).scalar_one()
    enter(TELGTE, ID_CARD, solution_id=own)
    day = dt.date(2026, 5, 1)
    enter(MUENSTER, maturity_model=11, maturity=4, as_of=day, identifier="a", url="https://a.example")
    enter(MUENSTER, maturity_model=20, maturity=2, identifier="b", url="https://b.example", solution_id=own)
    found = page(client, authority=TELGTE, service=DOG)
    (row,) = rows(found)
    assert row[2].endswith("Nachnutzung angeboten · gleiche Lösung wie bei Ihnen · Reifegrad 2 (Modell 2.0)")
    assert found.xpath("//a[@href='https://b.example']")
    assert "und 1 weiterer Eintrag dazu" in said(found)
    assert "Lösung: Fellnase" in said(found)


def test_what_a_solution_says_of_itself_is_internal_until_it_is_released(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    with database.owner() as connection:
        values = {"name": "Fellnase", "reusable": True, "conditions": "Beitritt", "costs": "42 Euro"}
        made = connection.execute(insert(Solution).values(values).returning(Solution.id)).scalar_one()
    enter(MUENSTER, solution_id=made)
    found = page(client, authority=TELGTE, service=DOG)
    assert "Lösung: Fellnase" in said(found)
    assert "Beitritt" not in said(found)
    assert "42 Euro" not in said(found)
    assert "Nachnutzung angeboten" not in rows(found)[0][2]
    with database.owner() as connection:
        connection.execute(update(Solution).values(visibility=3))
        copies.refresh(connection)
    found = page(client, authority=TELGTE, service=DOG)
    assert "Bedingungen: Beitritt" in said(found)
    assert "Kosten: 42 Euro" in said(found)
    assert "Nachnutzung angeboten" in rows(found)[0][2]


@pytest.mark.parametrize(
    ("one", "other", "better"),
    [
        ({"maturity_model": 11, "maturity": 3}, {"maturity_model": 11, "maturity": 2}, "one"),
        ({"maturity_model": 11, "maturity": 2}, {}, "one"),
        # Steps of two models do not compare: the day decides.
        (
            {"maturity_model": 20, "maturity": 7, "as_of": dt.date(2024, 1, 1)},
            {"maturity_model": 11, "maturity": 1, "as_of": dt.date(2025, 1, 1)},
            "other",
        ),
        ({"as_of": dt.date(2025, 1, 1)}, {"as_of": dt.date(2024, 1, 1)}, "one"),
        ({"as_of": dt.date(2025, 1, 1)}, {}, "one"),
        ({"reusable": True}, {"maturity_model": 11, "maturity": 4, "as_of": dt.date(2026, 1, 1)}, "one"),
    ],
)
def test_the_order_among_entries(
    client: FlaskClient, enter: Enter, one: dict[str, Any], other: dict[str, Any], better: str
) -> None:
    enter(MUENSTER, identifier="z", url="https://one.example", **one)
    enter(MUENSTER, identifier="a", url="https://other.example", **other)
    assert page(client, authority=TELGTE, service=DOG).xpath(f"//a[@href='https://{better}.example']")


def test_a_bundle_counts_the_entries_of_its_leika_services(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, DOG, status=3)
    enter(MUENSTER, DOG_REGISTRATION, status=1)
    assert rows(page(client, authority=TELGTE, service=DOG))[0][:2] == (
        "Online",
        "Münster (Kreisfreie Stadt)",
    )


def test_a_leika_service_is_exact_and_one_at_the_bundle_is_told_apart(
    client: FlaskClient, enter: Enter
) -> None:
    enter(MUENSTER, DOG, status=1)
    enter(SENDENHORST, DOG_REGISTRATION, status=2)
    enter(SENDENHORST, DOG, status=1)
    found = page(client, authority=TELGTE, service=DOG_REGISTRATION)
    assert [row[:2] for row in rows(found)] == [
        ("In Umsetzung", "Sendenhorst (Stadt)"),
        ("Nur im Bündel gemeldet", "Münster (Kreisfreie Stadt)"),
    ]
    assert "0 online, 1 in Umsetzung, 0 in Planung, 1 nur im Bündel gemeldet" in said(found)


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


# --- asking -------------------------------------------------------------------------------------------


def mail(found: Any) -> tuple[str, str, str]:
    """Address, subject and text of the first prepared mail."""
    address = found.xpath("//p[@class='hit__ask']/a/@href")[0]
    parts = urlsplit(address)
    assert parts.scheme == "mailto"
    assert set(parse_qs(parts.query)) == {"subject", "body"}
    query = parse_qs(parts.query)
    return unquote(parts.path), query["subject"][0], query["body"][0]


def contact_of(connection: Connection, ars: str, contact: str, kind: int) -> None:
    connection.execute(
        update(Authority).where(Authority.ars == ars).values(contact=contact, contact_kind=kind)
    )


def test_the_mail_goes_to_the_entrys_contact_else_to_the_authoritys(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    with database.owner() as connection:
        contact_of(connection, MUENSTER, "stadt@muster.example", 1)
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
    app = create_app(replace(database.settings, view="internal"), database)
    internal = page(app.test_client(), authority=TELGTE, service=DOG)
    app.extensions["mapservice"].versions.close()
    assert mail(internal)[0] == "erika.muster@muster.example"


@pytest.mark.parametrize(
    "contact",
    [
        "a@b.example?bcc=x@y.example",
        "a@b.example,c@d.example",
        "Rathaus, Zimmer 3",
        "a@b.example\r\nBcc: x@y.example",
    ],
)
def test_no_contact_can_add_a_field_to_the_mail(client: FlaskClient, enter: Enter, contact: str) -> None:
    enter(MUENSTER, contact=contact, contact_kind=1)
    found = page(client, authority=TELGTE, service=DOG)
    for address in found.xpath("//a[starts-with(@href, 'mailto:')]/@href"):
        assert set(parse_qs(urlsplit(address).query)) <= {"subject", "body"}
        assert "," not in unquote(urlsplit(address).path)


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


# --- bad input, and nothing to show ----------------------------------------------------------------------


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
    response = client.get("/nachbarn", query_string=parameters)
    assert response.status_code == 400
    assert parameter in response.text


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


# --- withdrawal, files, pages ----------------------------------------------------------------------------


def test_a_withdrawal_takes_it_off_list_map_and_files(
    client: FlaskClient, database: Database, enter: Enter
) -> None:
    entry = enter(MUENSTER, url="https://muenster.example", contact="hunde@muster.example", contact_kind=1)
    for address in ("/nachbarn", "/nachbarn.csv"):
        assert "https://muenster.example" in client.get(f"{address}?authority={TELGTE}&service={DOG}").text
    with database.owner() as connection:
        change_entry(connection, entry, visibility=INTERNAL)
    for address in ("/nachbarn", "/nachbarn.csv"):
        text = client.get(f"{address}?authority={TELGTE}&service={DOG}").text
        assert "muenster.example" not in text
        assert "hunde@" not in text
        assert "Münster (Kreisfreie Stadt), online" not in text
    with database.owner() as connection:
        remove_entry(connection, entry)


def test_csv_and_workbook_hold_what_the_page_shows(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, url="https://muenster.example", as_of=dt.date(2026, 5, 1), reusable=True)
    enter(OSTBEVERN, status=3)
    response = client.get(f"/nachbarn.csv?authority={TELGTE}&service={DOG}")
    table = list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff")), delimiter=";"))[:2]
    assert [(row["Platz"], row["Behörde"], row["Status"]) for row in table] == [
        ("1", "Münster (Kreisfreie Stadt)", "online"),
        ("2", "Ostbevern (Gemeinde)", "in Planung"),
    ]
    assert table[0]["gemeinsame Grenze (km)"] == "18,1"
    assert table[0]["Nachnutzung angeboten"] == "ja"
    assert table[0]["Stand"] == "01.05.2026"
    assert table[1]["im selben Kreis"] == "ja"
    book = load_workbook(io.BytesIO(client.get(f"/nachbarn.xlsx?authority={TELGTE}&service={DOG}").data))
    assert [row[1].value for row in book["Tabelle"].iter_rows(min_row=2)] == [row["Behörde"] for row in table]
    assert client.get("/nachbarn.csv").status_code == 400
    assert client.get(f"/nachbarn.csv?authority={TELGTE}&service=10999").status_code == 404


def test_a_long_list_has_pages_that_continue_the_numbers(client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        near = connection.scalars(select(Authority.ars).where(Authority.ars.like("0733450%"))).all()
        for ars in near:
            set_publication(connection, ars)
            add_entry(connection, ars, DOG, 1)
    first = page(client, authority="073345001001", service=DOG)
    second = page(client, authority="073345001001", service=DOG, page="2")
    assert len(names(first)) == 25
    assert names(second)
    assert not set(names(first)) & set(names(second))
    assert second.xpath("//ol[@class='hits__list']/@start") == ["26"]
    assert second.xpath("//svg//a/@href")[0] == "#n26"


def test_the_page_is_there_in_english(client: FlaskClient, enter: Enter) -> None:
    enter(MUENSTER, contact="hunde@muster.example", contact_kind=1)
    found = page(client, authority=TELGTE, service=DOG, lang="en")
    assert "shared border" in why(found.xpath("//li[@id='n1']")[0])
    assert "Reuse" in mail(found)[1]
    assert found.xpath("//form//input[@name='lang']/@value") == ["en"]
    (other,) = found.xpath("//a[@id='language-link']/@href")
    assert re.search(r"authority=\d+", other)
    assert "service=" in other
