"""The time control: a past day is chosen, seen to be one, and left again, with and without scripts."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor

DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=100)
FIRST = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=300)
SHOWN, FIRST_SHOWN = (f"{day:%d.%m.%Y}" for day in (DAY, FIRST))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_past_day_on_the_map(visit: Visitor, size: dict[str, int]) -> None:
    made = visit(size)
    page = made.open("/")
    today = page.locator("#map-result").inner_text()
    if size is PHONE:
        page.locator("#sheet-button").click()
    page.get_by_label("Stand", exact=True).select_option("day")
    day = page.get_by_label("Tag", exact=True)
    expect(day).to_be_focused()
    day.fill(DAY.isoformat())
    day.press("Enter")
    made.painted()
    assert page.url.endswith(f"stand={DAY.isoformat()}")
    if size is PHONE:
        page.locator("#sheet-close").click()
    expect(page.locator("#past-day")).to_contain_text(f"Stand vom {SHOWN}")
    expect(page.locator("#map-result")).to_contain_text(f"Am {SHOWN} war in 0 von")
    assert made.axe() == []
    page.get_by_role("button", name="Zurück zu heute").click()
    made.painted()
    expect(page.locator("#past-day")).to_be_hidden()
    expect(page.locator("#map-result")).to_have_text(today)
    assert "stand" not in page.url


def test_the_chip_takes_the_day_off(visit: Visitor) -> None:
    made = visit()
    page = made.open(f"/?stand={DAY.isoformat()}&status=planned")
    expect(page.get_by_label("Tag", exact=True)).to_have_value(DAY.isoformat())
    page.get_by_role("button", name=f"Filter entfernen: Stand {SHOWN}").click()
    made.painted()
    expect(page).to_have_url(re.compile(r"\?status=planned$"))


def test_a_link_to_a_day_before_the_first_shows_the_first(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?stand=2001-01-01")
    expect(page.locator("#map-message")).to_contain_text(f"Die ersten sind vom {FIRST_SHOWN}.")
    expect(page.locator("#past-day")).to_contain_text(f"Stand vom {FIRST_SHOWN}")
    made.wrong.clear()  # the browser reports the 404 that this test asked for


def test_without_scripts(visit: Visitor) -> None:
    made = visit(java_script_enabled=False)
    page = made.open("/tabelle", painted=False)
    page.locator(".filter-fold summary").first.click()
    page.get_by_label("Stand", exact=True).select_option("day")
    page.get_by_label("Tag", exact=True).fill(DAY.isoformat())
    page.get_by_role("button", name="Anzeigen").click()
    expect(page.locator(".past-day")).to_contain_text(f"Stand vom {SHOWN}.")
    expect(page.locator("#result")).to_contain_text(f"Am {SHOWN} war in 0 von")
    page.get_by_role("link", name="Zurück zu heute").click()
    expect(page.locator(".past-day")).to_have_count(0)


def test_a_list_asks_for_a_day_of_ones_own_when_that_is_chosen(visit: Visitor) -> None:
    made = visit()
    page = made.open("/luecken?authority=055700044044", painted=False)
    day = page.get_by_label("Tag", exact=True)
    expect(day).to_be_hidden()
    page.get_by_label("Stand", exact=True).select_option("day")
    day.fill(DAY.isoformat())
    with page.expect_navigation():
        page.get_by_role("button", name="Zeigen").click()
    expect(page.locator(".past-day")).to_contain_text(f"Stand vom {SHOWN}")
    expect(day).to_have_value(DAY.isoformat())
