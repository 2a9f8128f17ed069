"""The page of one service, and what went online lately: as pages, tables and an Atom feed."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import feedparser
import pytest
from flask.testing import FlaskClient
from lxml import etree, html  # type: ignore[import-untyped]
from sqlalchemy import insert, select, update

from mapservice import copies, create_app, params
from mapservice.coordination.growth import growth
from mapservice.database import Database
from mapservice.domain import implementation_id
from mapservice.models import Authority, Implementation, Service
from mapservice.search import terms
from tests.asking import client_of
from tests.atom_rules import ATOM, broken
from tests.entries import add_entry, add_service, set_publication
from tests.test_register import BERLIN, MUENSTER, OELDE, TELGTE, WARENDORF, solution
from tests.test_register_pages import HOSTILE

LEIKA = "99102013001000"


def fill(database: Database) -> None:
    with database.owner() as connection:
        dog = add_service(connection, "10500", name="Hundesteuer", subject_area_id=12)
        add_service(connection, LEIKA, name="Hund anmelden", parent_id=dog)
        add_service(connection, "10502", name="Wohngeld", subject_area_id=2)
        add_service(connection, "10509", name="Abgelöst", retired=True)
        add_service(connection, f"eigen:{HOSTILE}", name=HOSTILE)
        for ars in (MUENSTER, TELGTE, OELDE, WARENDORF):
            set_publication(connection, ars)
        form = solution(connection, "Formularwerk")
        first, then = dt.date(2023, 3, 1), dt.date(2024, 5, 6)
        ahead = params.today() + dt.timedelta(days=40)
        add_entry(
            connection, MUENSTER, "10500", online_since=first, solution_id=form, reusable=True, as_of=then,
            contact="hund@muenster.example", contact_kind=1, url="https://demo.example/hund",
        )  # fmt: skip
        add_entry(connection, TELGTE, LEIKA, online_since=then, contact="eva@telgte.example", contact_kind=2)
        add_entry(connection, TELGTE, "10500", status=3)
        add_entry(connection, OELDE, "10500", status=2, planned_until=dt.date(2027, 1, 1))
        add_entry(connection, WARENDORF, "10500", status=4)
        add_entry(
            connection, WARENDORF, f"eigen:{HOSTILE}", online_since=dt.date(2025, 1, 1), reuse_note=HOSTILE
        )
        add_entry(connection, OELDE, "10502", online_since=ahead)
        add_entry(connection, MUENSTER, "10502", online_since=first, visibility=1)
        add_entry(connection, BERLIN, "10502", online_since=first)
        terms.refresh_services(connection)


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    fill(module_boundaries)
    with client_of(module_boundaries) as client:
        yield client


def tree(client: FlaskClient, address: str, status: int = 200) -> Any:
    answer = client.get(address)
    assert answer.status_code == status, answer.text[:500]
    return html.fromstring(answer.text)


def names(page: Any) -> list[str]:
    return [
        link.text_content() for link in page.xpath("//table[.//caption[@id='where-caption']]/tbody//th/a")
    ]


def feed(client: FlaskClient, address: str = "/neu.atom") -> Any:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == "application/atom+xml"
    assert broken(answer.data) == []
    return feedparser.parse(answer.data)


# --- one service ------------------------------------------------------------------------------------


def test_a_bundle_shows_everywhere_it_runs_with_its_leika_services(client: FlaskClient) -> None:
    page = tree(client, "/leistungen/10500")
    facts = {item.findtext("dt"): item.findtext("dd") for item in page.xpath("//dl[@class='facts']/div")}
    # Telgte's LeiKa service is online, whatever it plans for the bundle.
    assert facts == {"online": "2", "in Umsetzung": "1", "in Planung": "0"}
    assert names(page) == ["Münster", "Oelde", "Telgte"]
    assert "Formularwerk" in page.text_content()
    assert page.xpath(f"//a[contains(@href, '/leistungen/{LEIKA}')]")
    assert any(
        "hund%40" in href or "hund@" in href for href in page.xpath("//a/@href") if href.startswith("mailto:")
    )
    assert "eva@telgte.example" not in page.text_content()
    image = page.xpath("//figure[@class='service-map']//img/@src")[0]
    assert parse_qs(urlsplit(image).query)["service"] == ["10500"]


def test_a_leika_service_leads_to_its_bundle_and_counts_alone(client: FlaskClient) -> None:
    page = tree(client, f"/leistungen/{LEIKA}")
    assert names(page) == ["Telgte"]
    assert page.xpath("//nav[@class='breadcrumb']//a[contains(@href, '/leistungen/10500')]")
    assert names(tree(client, "/leistungen/99 102 013 001 000")) == ["Telgte"]


def test_the_list_follows_status_region_and_order(client: FlaskClient) -> None:
    assert names(tree(client, "/leistungen/10500?status=open")) == ["Warendorf"]
    assert names(tree(client, "/leistungen/10500?within=05515")) == ["Münster"]
    assert names(tree(client, "/leistungen/10500?sort=since")) == ["Münster", "Telgte", "Oelde"]
    assert "Keine Behörde passt" in tree(client, "/leistungen/10500?within=11").text_content()
    table = list(csv.DictReader(io.StringIO(client.get("/leistungen/10500.csv").text[1:]), delimiter=";"))
    rows = [(row["Behörde"], row["Leistungsschlüssel"], row["Status"]) for row in table if row["Status"]]
    assert rows == [
        ("Münster", "10500", "online"),
        ("Oelde", "10500", "in Umsetzung"),
        ("Telgte", LEIKA, "online"),
        ("Telgte", "10500", "in Planung"),
    ]
    assert client.get("/leistungen/10500.xlsx").data[:2] == b"PK"


def test_growth_is_drawn_and_told_month_by_month(client: FlaskClient) -> None:
    page = tree(client, "/leistungen/10500")
    rows = page.xpath("//table[.//caption[@id='growth-caption']]/tbody/tr")
    cells = [[cell.text_content() for cell in row] for row in rows]
    assert cells[:2] == [["03/2023", "1", "1"], ["04/2023", "0", "1"]]
    assert ["05/2024", "1", "2"] in cells
    assert cells[-1] == [f"{params.today():%m/%Y}", "0", "2"]
    assert page.xpath("string(//figure[@class='growth']//title)").endswith("von 1 auf 2")


def test_growth_counts_days_as_one_would_by_hand() -> None:
    day = dt.date
    grown = growth(
        [day(2024, 1, 31), day(2024, 1, 1), day(2024, 3, 5), None, day(2030, 1, 1)], day(2024, 4, 2)
    )
    assert grown is not None
    assert [(month.first.month, month.new, month.total) for month in grown.months] == [
        (1, 2, 2), (2, 0, 2), (3, 1, 3), (4, 0, 3),
    ]  # fmt: skip
    assert grown.undated == 1
    assert growth([None], day(2024, 4, 2)) is None


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/leistungen/10501", 404, "Hundesteuer"),
        ("/leistungen/99999999999999", 404, "LeiKa-Leistung 99999999999999"),
        ("/leistungen/Hundesteur", 404, "Hundesteuer"),
        ("/leistungen/%3Cimg%20onerror=alert(1)%3E", 404, "kein Schlüssel einer Leistung"),
        ("/leistungen/eigen:gibt%20es%20nicht", 404, "kein Schlüssel einer Leistung"),
        ("/leistungen/10501.csv", 404, "10501"),
        ("/leistungen/10500?page=9", 400, "So viele Seiten"),
        ("/leistungen/10500?status=halb", 400, "in_progress"),
        ("/leistungen/10500?within=99", 200, "99"),
        ("/leistungen/10509", 200, "führt diese Leistung nicht mehr"),
        ("/leistungen/10502", 200, "Oelde"),
    ],
)
def test_what_there_is_not_is_answered_helpfully(
    client: FlaskClient, path: str, status: int, text: str
) -> None:
    page = tree(client, path, status)
    assert text in page.text_content()
    assert not page.xpath("//img[@onerror]")


def test_a_service_of_ones_own_with_a_strange_name_has_its_page(client: FlaskClient) -> None:
    address = client.application.url_map.bind("localhost").build(
        "coordination.services.page", {"key": f"eigen:{HOSTILE}"}
    )
    page = tree(client, address)
    assert names(page) == ["Warendorf"]
    assert HOSTILE in page.xpath("string(//h1)")
    assert not page.xpath("//img[@onerror]")


# --- new online -------------------------------------------------------------------------------------


def test_the_newest_come_first_by_the_day_they_name(client: FlaskClient) -> None:
    page = tree(client, "/neu")
    rows = page.xpath("//table/tbody/tr")
    days = [row.xpath("string(td[1])").strip() for row in rows]
    assert days == ["01.01.2025", "06.05.2024", "01.03.2023"]
    assert page.xpath("//link[@rel='alternate'][@type='application/atom+xml']/@href")[0].endswith("/neu.atom")
    # neither what is internal, nor what is only announced
    assert "Wohngeld" not in page.xpath("string(//table)")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("within=05515", 1),
        ("within=055700044044", 1),
        ("subject=steuern_zoll", 2),
        ("service=10500", 2),
        (f"service={LEIKA}", 1),
        ("service=10500&within=05570", 1),
        ("within=11", 0),
    ],
)
def test_page_feed_and_tables_follow_the_same_filters(client: FlaskClient, query: str, number: int) -> None:
    assert len(tree(client, f"/neu?{query}").xpath("//table/tbody/tr")) == number
    assert len(feed(client, f"/neu.atom?{query}").entries) == number
    table = csv.DictReader(io.StringIO(client.get(f"/neu.csv?{query}").text[1:]), delimiter=";")
    assert len([row for row in table if row["Leistungsschlüssel"]]) == number
    assert client.get(f"/neu.xlsx?{query}").data[:2] == b"PK"


def test_the_feed_keeps_its_ids_and_dates(client: FlaskClient) -> None:
    read = feed(client)
    by_id = {entry.id: entry for entry in read.entries}
    entry = by_id[f"urn:uuid:{implementation_id(MUENSTER, '10500')}"]
    assert entry.published.startswith("2023-03-01")
    assert entry.updated.startswith("2024-05-06")
    assert "Hundesteuer" in entry.title
    assert "Formularwerk" in entry.summary
    assert entry.author == "Münster"
    assert entry.tags[0].term == "Steuern & Zoll"
    assert read.feed.updated.startswith("2025-01-01")
    assert read.feed.language == "de"
    assert feed(client, "/neu.atom?lang=en").feed.language == "en"
    first, again = (client.get("/neu.atom") for _ in range(2))
    assert first.data == again.data
    assert client.get("/neu.atom", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_strange_text_is_text_in_the_feed(client: FlaskClient) -> None:
    data = client.get("/neu.atom").data
    titles = [node.text for node in etree.fromstring(data).iter(f"{ATOM}title")]
    assert any("<img src=x" in title for title in titles)
    assert not [node for node in etree.fromstring(data).iter() if "img" in str(node.tag)]


def test_the_feed_goes_in_pages(client: FlaskClient) -> None:
    first = feed(client, "/neu.atom?limit=2")
    links = {link.rel: link.href for link in first.feed.links}
    assert len(first.entries) == 2
    second = feed(client, links["next"].removeprefix("http://localhost"))
    assert len(second.entries) == 1
    assert {link.rel for link in second.feed.links} >= {"first", "previous", "self", "alternate"}
    assert first.feed.id == second.feed.id
    assert not {entry.id for entry in first.entries} & {entry.id for entry in second.entries}


def test_an_empty_feed_is_valid_and_does_not_change_by_itself(client: FlaskClient) -> None:
    first, again = (client.get("/neu.atom?within=11").data for _ in range(2))
    assert first == again
    assert broken(first) == []


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/neu?service=10501", 200, "10501"),
        ("/neu?within=99", 200, "99"),
        ("/neu?page=2", 400, "So viele Seiten"),
        ("/neu?page=101", 400, "So viele Seiten"),
        ("/neu?colour=red", 400, "colour"),
        ("/neu.atom?service=10501", 404, "10501"),
        ("/neu.atom?limit=0", 400, "limit"),
    ],
)
def test_wrong_questions_about_news(client: FlaskClient, path: str, status: int, text: str) -> None:
    assert text in tree(client, path, status).text_content()


def test_a_withdrawal_takes_entries_out_of_the_feed(boundaries_loaded: Database) -> None:
    fill(boundaries_loaded)
    app = create_app(replace(boundaries_loaded.settings, cache_mb=0), boundaries_loaded)
    client = app.test_client()
    try:
        assert len(feed(client).entries) == 3
        with boundaries_loaded.owner() as connection:
            ids = select(Authority.id).where(Authority.ars == MUENSTER)
            connection.execute(
                update(Implementation).where(Implementation.authority_id.in_(ids)).values(visibility=1)
            )
            copies.refresh(connection)
        assert [entry.author for entry in feed(client).entries] == ["Warendorf", "Telgte"]
        assert names(tree(client, "/leistungen/10500")) == ["Oelde", "Telgte"]
    finally:
        app.extensions["mapservice"].versions.close()


def test_made_up_entries_say_so(boundaries_loaded: Database) -> None:
    with boundaries_loaded.owner() as connection:
        service = add_service(connection, "10500", name="Hundesteuer")
        authority = connection.execute(select(Authority.id).where(Authority.ars == TELGTE)).scalar_one()
        connection.execute(
            insert(Implementation).values(
                id=implementation_id(TELGTE, "10500"), authority_id=authority, service_id=service, status=1,
                visibility=3, demonstration=True, online_since=dt.date(2024, 1, 1),
            )
        )  # fmt: skip
        copies.refresh(connection)
        assert connection.scalar(select(Service.id).where(Service.key == "10500")) == service
    app = create_app(boundaries_loaded.settings, boundaries_loaded)
    read = feed(app.test_client())
    app.extensions["mapservice"].versions.close()
    assert "Demonstrationsdaten" in read.feed.title
    assert "frei erfunden" in read.feed.subtitle
    assert "frei erfunden" in read.entries[0].summary
