"""The seldom-used filters, as a visitor sets and takes them off."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit, Visitor

START = "/?level=municipalities&within=05570"


def answered(made: Visit, page: Page, *, act: Any) -> Any:
    """What the server says to the values that the act makes the map ask for."""
    with page.expect_response(lambda response: "/api/values/" in response.url) as waited:
        act()
    made.painted()
    return waited.value.json()


def test_a_filter_of_entries_from_the_fold_to_the_table(visit: Visitor) -> None:
    made = visit()
    page = made.open(START)
    before = page.locator("#map-result").inner_text()
    further = page.locator("#further")
    page.get_by_text("Weitere Filter").click()
    found = answered(made, page, act=lambda: page.get_by_label("Einer für Alle (EfA)").check())
    assert page.url.endswith("&kind=efa")
    result = page.locator("#map-result")
    expect(result).to_contain_text("Als Angebot zählt nur: Lösungsart Einer für Alle (EfA).")
    assert result.inner_text() != before
    online = sum(n > 0 for n in found["n"] if n is not None)
    expect(result).to_contain_text(f"In {online} von 13 Gemeinden im Kreis Warendorf")
    counted = page.locator("#legend-list").inner_text()
    maturity = page.get_by_label("Reifegrad mindestens")
    answered(made, page, act=lambda: maturity.select_option(label="ab Stufe 4 – Online-Transaktion"))
    assert page.locator("#legend-list").inner_text() != counted
    three = page.get_by_label("Zuletzt bestätigt")
    answered(made, page, act=lambda: three.select_option(label="in den letzten 12 Monaten"))
    expect(further.locator("#further-count")).to_have_text("3")
    chips = page.locator("#chips .chip:not(.chip--reset)")
    expect(chips).to_have_text(
        [
            re.compile("Warendorf, Kreis"),
            re.compile(r"Einer für Alle \(EfA\)"),
            re.compile(r"Reifegrad ab 4 \(Modell 1.1\)"),
            re.compile(r"bestätigt seit \d\d\.\d\d\.\d{4}"),
        ]
    )
    assert made.axe() == []
    page.get_by_role("button", name=re.compile("Filter entfernen: Reifegrad")).click()
    made.painted()
    assert "maturity" not in page.url
    expect(page.get_by_label("Reifegrad mindestens")).to_have_value("")
    expect(further.locator("#further-count")).to_have_text("2")
    said = page.locator("#map-result").inner_text().split(" Datenstand")[0]
    page.get_by_role("link", name="Als Tabelle zeigen").click()
    expect(page.locator("#result")).to_have_text(said)
    expect(page.locator(".chips li")).to_have_count(4)
    page.get_by_text("Filter ändern").click()
    expect(page.locator("#kind-efa")).to_be_checked()
    assert made.axe() == []
    page.get_by_role("link", name="Auf der Karte zeigen").click()
    made.painted()
    expect(page.locator("#map-result")).to_contain_text(said)


def test_a_day_of_ones_own_is_checked_before_the_map_is_asked(visit: Visitor) -> None:
    made = visit(PHONE)
    page = made.open(START)
    page.get_by_role("button", name="Filtern").click()
    page.get_by_text("Weitere Filter").click()
    day = page.get_by_label("Bestätigt seit dem Tag")
    expect(day).to_be_hidden()
    page.get_by_label("Zuletzt bestätigt").select_option("day")
    expect(day).to_be_focused()
    asked = len(made.requests)
    day.fill((dt.datetime.now(dt.UTC).date() + dt.timedelta(days=400)).isoformat())
    expect(page.locator("#confirmed-error")).to_contain_text("in der Zukunft")
    assert not [url for url in made.requests[asked:] if "/api/values/" in url]
    yesterday = (dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)).isoformat()
    answered(made, page, act=lambda: day.fill(yesterday))
    expect(page.locator("#confirmed-error")).to_be_hidden()
    assert page.url.endswith(f"confirmed={yesterday}")
    assert made.axe() == []
    answered(made, page, act=lambda: page.get_by_label("Zuletzt bestätigt").select_option(index=0))
    assert page.url.endswith(START)
    expect(day).to_be_hidden()


def test_life_situations_are_searched_counted_and_give_way_to_a_service(visit: Visitor) -> None:
    made = visit()
    page = made.open(START)
    assert not [url for url in made.requests if "/api/facets/" in url], "asked for by an open list alone"
    page.locator("#filter-subjects summary").click()
    family = page.locator("[data-facet=subject-familie_kind]")
    expect(family).to_have_text(re.compile(r"\d von 2"))
    numbers = json.loads(page.request.get(f"{made.site}/api/facets/municipalities?within=05570").body())
    expect(family).to_have_text("{n} von {of}".format(**numbers["subjects"]["familie_kind"]))
    page.locator("#filter-situations > details > summary").click()
    page.get_by_label("Lagen durchsuchen").fill("xyz")
    expect(page.locator("#situation-found")).to_have_text("Kein Treffer für „xyz“")
    page.get_by_label("Lagen durchsuchen").fill("GEB")
    expect(page.locator("#situation-found")).to_have_text("1 Treffer")
    answered(made, page, act=lambda: page.get_by_role("checkbox", name="Geburt").check())
    expect(page.locator("#map-result")).to_contain_text("mindestens eine Leistung aus „Geburt“")
    expect(page.locator("#chips .chip").first).to_contain_text("Warendorf")
    assert made.axe() == []
    page.get_by_role("combobox", name="Leistung", exact=True).fill("Wohnsitz")
    answered(made, page, act=lambda: page.get_by_role("option", name=re.compile("Wohnsitz")).click())
    assert "situation" not in page.url
    assert "service=10500" in page.url
    expect(page.get_by_label("Lagen durchsuchen")).to_be_disabled()
    expect(page.locator("#filter-situations [data-note]")).to_contain_text("nur die gewählte Leistung")
    expect(page.locator("#map-result")).to_contain_text("im Kreis Warendorf ist „Wohnsitzmeldungen“ online")
