"""stand= on the lists of coordinators: neighbours, gaps and the page of a service, as of a past day."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]
from sqlalchemy import select

from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.layers.surroundings import Reach, surroundings
from mapservice.models import Authority
from tests.asking import client_of
from tests.entries import INTERNAL, add_entry, add_service, change_entry, remove_entry, set_publication
from tests.past import berlin, date_back
from tests.places import current_positions
from tests.recount import gaps as recounted
from tests.test_recount import World, copy_of, small_world  # noqa: F401 - fixtures
from tests.test_recount_past import Diary, diary  # noqa: F401 - a fixture

TELGTE, OSTBEVERN, MUENSTER, WARENDORF = "055700044044", "055700032032", "055150000000", "055700000000"
DOG, LEIKA = "10160", "99110009104000"
MARCH, JUNE = "2026-03-01", "2026-06-30"
MAIL = "hund@muenster.example"


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    """The dog: Münster planned it on 10 January and has it online since 31 March; Ostbevern had its LeiKa
    service online from 10 January until 30 June; the district's entry of 10 January was withdrawn since.
    """
    database = module_boundaries
    with database.owner() as connection:
        bundle = add_service(connection, DOG, name="Hundehaltung")
        add_service(connection, LEIKA, name="Hund anmelden", parent_id=bundle)
        for ars in (TELGTE, OSTBEVERN, MUENSTER, WARENDORF):
            set_publication(connection, ars)
        first = add_entry(connection, MUENSTER, DOG, status=3, contact=MAIL, contact_kind=1)
        second = add_entry(connection, OSTBEVERN, LEIKA, online_since="2026-01-02")
        district = add_entry(connection, WARENDORF, DOG)
        date_back(connection, berlin("2026-01-10 12:00+01:00"))
    with database.owner() as connection:
        change_entry(connection, first, status=1)
        date_back(connection, berlin("2026-03-31 23:30+02:00"))
    with database.owner() as connection:
        remove_entry(connection, second)
        add_entry(connection, TELGTE, DOG, status=2)
        date_back(connection, berlin("2026-07-01 00:30+02:00"))
    with database.owner() as connection:
        change_entry(connection, district, visibility=INTERNAL)
    with client_of(database, cache_mb=0) as client:
        yield client


def rows(client: FlaskClient, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200, response.text
    table = response.data.decode("utf-8-sig").split("\r\n\r\n")[0]
    return list(csv.DictReader(io.StringIO(table), delimiter=";"))


def neighbours(client: FlaskClient, day: str | None, service: str = DOG) -> list[tuple[str, str]]:
    stand = f"&stand={day}" if day else ""
    found = rows(client, f"/nachbarn.csv?authority={TELGTE}&service={service}{stand}")
    return [(row["Behörde"], row["Status"]) for row in found]


def said(client: FlaskClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return " ".join(html.fromstring(response.text).xpath("string(//main)").split())


def test_neighbours_are_those_of_the_day(client: FlaskClient) -> None:
    """What was withdrawn since, as the district's entry, is hidden of every day."""
    ostbevern, muenster = "Ostbevern (Gemeinde)", "Münster (Kreisfreie Stadt)"
    assert neighbours(client, MARCH) == [(ostbevern, "online"), (muenster, "in Planung")]
    assert neighbours(client, "2026-03-31") == [(ostbevern, "online"), (muenster, "online")]
    assert neighbours(client, JUNE) == [(ostbevern, "online"), (muenster, "online")]
    assert neighbours(client, None) == [(muenster, "online")]
    assert neighbours(client, MARCH, LEIKA) == [(ostbevern, "online"), (muenster, "in Planung")]


def test_the_page_says_the_day_and_prepares_no_mail_of_today(client: FlaskClient) -> None:
    address = f"/nachbarn?authority={TELGTE}&service={DOG}"
    page = said(client, f"{address}&stand={MARCH}")
    assert "Stand vom 01.03.2026." in page
    assert "Hundehaltung“ rund um Telgte (Stadt) – am 01.03.2026" in page
    assert "Am 01.03.2026: Von" in page
    assert "1 online, 0 in Umsetzung, 1 in Planung" in page
    assert MAIL in page
    assert "mailto:" not in client.get(f"{address}&stand={MARCH}").text.split("<main")[1].split("</main")[0]
    assert f"mailto:{MAIL}" in client.get(address).text
    back = html.fromstring(client.get(f"{address}&stand={MARCH}").text)
    (link,) = back.xpath("//p[@class='past-day']/a/@href")
    assert "stand" not in link
    assert f"authority={TELGTE}" in link


def test_gaps_are_those_of_the_day(client: FlaskClient) -> None:
    def gaps(day: str | None) -> list[tuple[str, str, str]]:
        stand = f"&stand={day}" if day else ""
        found = rows(client, f"/luecken.csv?authority={TELGTE}&around=border{stand}")
        return [(row["Status bei Ihnen"], row["online bei"], row["von Behörden"]) for row in found]

    assert gaps(MARCH) == [("offen", "1", "2")]
    assert gaps(JUNE) == [("offen", "2", "2")]
    assert gaps(None) == [("in Umsetzung", "1", "1")]
    page = client.get(f"/luecken?authority={TELGTE}&around=border&stand={JUNE}").text
    assert "Stand vom 30.06.2026." in page
    ask = html.fromstring(page).xpath("//a[starts-with(., 'Wen fragen?')]/@href")[0]
    assert f"stand={JUNE}" in ask


def test_the_page_of_a_service_is_that_of_the_day(client: FlaskClient) -> None:
    def who(day: str | None) -> list[tuple[str, str]]:
        stand = f"?stand={day}" if day else ""
        return [(row["Behörde"], row["Status"]) for row in rows(client, f"/leistungen/{DOG}.csv{stand}")]

    assert who(MARCH) == [("Münster", "in Planung"), ("Ostbevern", "online")]
    assert who(JUNE) == [("Münster", "online"), ("Ostbevern", "online")]
    assert who(None) == [("Münster", "online"), ("Telgte", "in Umsetzung")]
    page = said(client, f"/leistungen/{DOG}?stand={JUNE}")
    assert "Stand vom 30.06.2026." in page
    assert "Ostbevern" in page
    assert "bei einer Behörde online" in page


def test_the_curve_of_a_service_shows_what_the_record_knows(client: FlaskClient) -> None:
    """Not `online_seit`, which says less of what is no longer online; nor what was withdrawn since."""

    def curve(address: str) -> dict[str, list[str]]:
        found = html.fromstring(client.get(address).text)
        rows_ = found.xpath("//caption[@id='recorded-caption']/..//tbody/tr")
        return {row.xpath("string(th)"): row.xpath("td/text()") for row in rows_}

    found = curve(f"/leistungen/{DOG}")
    assert found["10.01.2026"] == ["1", "0", "1"]
    assert found["28.02.2026"] == ["1", "0", "1"]
    assert found["31.03.2026"] == ["2", "0", "0"]
    assert found["30.06.2026"] == ["2", "0", "0"]
    assert found["31.07.2026"] == ["1", "1", "0"]
    assert next(iter(curve(f"/leistungen/{DOG}?stand={MARCH}"))) == "01.03.2026"
    page = html.fromstring(client.get(f"/leistungen/{DOG}?stand={JUNE}").text)
    said_ = "Behörden mit dieser Leistung online: 1 am 10.01.2026, 2 am 30.06.2026."
    assert page.xpath("//svg[@role='img' and contains(@class, 'progress__chart')]/@aria-label") == [said_]


@pytest.mark.parametrize(
    "path", [f"/nachbarn?authority={TELGTE}", f"/luecken?authority={TELGTE}", f"/leistungen/{DOG}?"]
)
def test_days_that_there_are_not(client: FlaskClient, path: str) -> None:
    page = said(client, f"{path}&stand=2025-12-31")
    assert "Die ersten sind vom 10.01.2026." in page
    assert "Stand vom 10.01.2026." in page
    assert client.get(f"{path}&stand=gestern").status_code == 400
    assert client.get(f"{path}&stand=2999-01-01").status_code == 400
    file = path.split("?")[0] + ".csv"
    assert client.get(f"{file}?{path.split('?')[1]}&stand=2025-12-31").status_code == 404


@pytest.mark.parametrize("path", ["/nachbarn", "/luecken", f"/leistungen/{DOG}"])
def test_the_form_sends_a_day_of_ones_own(client: FlaskClient, path: str) -> None:
    own = {} if DOG in path else {"authority": TELGTE}
    query: dict[str, Any] = {**own, "stand": "day", "stand_day": MARCH}
    found = html.fromstring(client.get(path, query_string=query).text)
    assert "Stand vom 01.03.2026." in found.xpath("string(//p[@class='past-day'])")
    assert found.xpath("//input[@name='stand_day']/@value") == [MARCH]
    assert found.xpath("//label[@for='filter-stand-day']")
    offered = found.xpath("//select[@name='stand']//option/@value")
    assert {"2026-01-10", "2026-03-31", "2026-07-01"} <= set(offered)
    assert not html.fromstring(client.get(path, query_string={**query, "stand": "any"}).text).xpath(
        "//p[@class='past-day']"
    )


def test_english(client: FlaskClient) -> None:
    page = said(client, f"/nachbarn?authority={TELGTE}&service={DOG}&stand={MARCH}&lang=en")
    assert "Contacts, and what solutions say of themselves, are of today." in page


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_gaps_of_past_days_are_those_that_pandas_counts(diary: Diary, audience: str) -> None:  # noqa: F811
    viewer = Audience.PUBLIC if audience == "public" else Audience.INTERNAL
    draw = random.Random(31)
    candidates = [ars for ars in diary.world.land.authorities if ars != "000000000000"]
    found = 0
    for day, table in diary.pages:
        comparison = diary.comparison(day, table, audience)
        with diary.world.database.reader(viewer) as connection:
            ids = dict(connection.execute(select(Authority.ars, Authority.id)).tuples().all())
            everywhere = current_positions(connection)
            for own in draw.sample(candidates, 12):
                direction = draw.choice(("missing", "help"))
                nears = surroundings(everywhere, ids[own], Reach(True, 60)).nears
                expected = recounted.gaps(comparison.recount, own, [near.ars for near in nears], direction)
                asked = [("authority", own), ("around", "60"), ("direction", direction)]
                response = comparison.client.get("/luecken.csv", query_string=asked)
                answered = csv.DictReader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=";")
                number = "fehlt bei" if direction == "help" else "online bei"
                told = [
                    (
                        row["Schlüssel der Leistung"],
                        int(row[number]),
                        int(row["von Behörden"]),
                        row["Schlüssel der nächsten"].split(", "),
                    )
                    for row in answered
                    if (row["von Behörden"] or "").isdigit()
                ]
                assert sorted(told) == sorted(expected), (day, own, direction)
                found += len(told)
    assert found > 60


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_neighbours_of_past_days_are_those_that_pandas_finds(diary: Diary, audience: str) -> None:  # noqa: F811
    """Who has a bundle online, among everybody within 100 km, by the recount's status of each."""
    viewer = Audience.PUBLIC if audience == "public" else Audience.INTERNAL
    draw = random.Random(37)
    candidates = [ars for ars in diary.world.land.authorities if ars != "000000000000"]
    found = 0
    for day, table in diary.pages:
        comparison = diary.comparison(day, table, audience)
        recount = comparison.recount
        statuses = recount._statuses("own", ((), "", "")).astype({"asker": str, "key": str})
        best = {(row.asker, row.key): int(row.status) for row in statuses.itertuples()}
        bundles = sorted({key for _asker, key in best if len(key) == 5})
        with diary.world.database.reader(viewer) as connection:
            ids = dict(connection.execute(select(Authority.ars, Authority.id)).tuples().all())
            everywhere = current_positions(connection)
            for own in draw.sample(candidates, 8):
                key = draw.choice(bundles)
                nears = surroundings(everywhere, ids[own], Reach(True, 100)).nears
                expected = {near.ars for near in nears if best.get((near.ars, key)) == 1}
                asked = [("authority", own), ("around", "100"), ("service", key), ("status", "online")]
                response = comparison.client.get("/nachbarn.csv", query_string=asked)
                answered = csv.DictReader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=";")
                told = {row["Schlüssel"] for row in answered if (row["Platz"] or "").isdigit()}
                assert told == expected, (day, own, key)
                found += len(told)
    assert found > 20
