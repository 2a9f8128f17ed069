"""Find a place or a service as a visitor does, by keyboard, on a phone, and from where one stands."""

from __future__ import annotations

import pytest
from playwright.sync_api import Geolocation, expect

from tests.browser.conftest import PHONE, Visitor

FIELD = "Ort oder Leistung suchen"
TELGTE: Geolocation = {"latitude": 51.98, "longitude": 7.785}
PARIS: Geolocation = {"latitude": 48.8566, "longitude": 2.3522}


def test_a_place_of_another_level_is_found_by_keyboard_alone(visit: Visitor) -> None:
    made = visit()
    page = made.open("/")
    page.get_by_role("combobox", name=FIELD).focus()
    page.keyboard.type("telgt")
    option = page.get_by_role("option", name="Telgte")
    expect(option).to_contain_text("Stadt, Kreis Warendorf")
    expect(page.get_by_role("group", name="Orte")).to_be_visible()
    expect(page.locator(".combobox__mark")).to_have_text("Telgt")
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    assert made.axe() == []
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(option).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-heading")).to_have_text("Telgte")
    page.wait_for_url("**/?level=municipalities&area=055700044044")
    expect(page.locator("#panel-heading")).to_be_focused()
    page.go_back()
    expect(page.locator("#area-panel")).to_be_hidden()


def test_a_service_sets_the_filter_even_mistyped(visit: Visitor) -> None:
    made = visit()
    page = made.open("/")
    field = page.get_by_role("combobox", name=FIELD)
    field.fill("qqqq")
    expect(page.locator(".combobox__option--none")).to_contain_text("Prüfen Sie die Schreibweise")
    field.fill("kindertagesbetreung")
    # Enter before the answer is there: the best match is taken once it has come
    field.press("Enter")
    # of one service one asks whether it is there
    page.wait_for_url("**/?service=10502&measure=status")
    made.painted()
    expect(page.get_by_role("radio", name="Status einer Leistung")).to_be_checked()
    expect(page.locator("#chips")).to_contain_text("Kindertagesbetreuung")
    expect(field).to_have_value("")
    field.fill("elternge")
    expect(page.locator(".combobox__label")).to_contain_text("<img src=x onerror=alert(1)>")


def test_on_a_phone_the_search_comes_before_the_map(visit: Visitor) -> None:
    page = visit(PHONE).open("/")
    field = page.get_by_role("combobox", name=FIELD)
    expect(field).to_be_in_viewport(ratio=1)
    above, below = field.bounding_box(), page.locator("#map-title").bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]
    field.fill("warndorf")
    page.get_by_role("option", name="Stadt, Kreis Warendorf").click()
    expect(page.locator("#panel-heading")).to_have_text("Warendorf")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_position_stays_in_the_browser(visit: Visitor) -> None:
    made = visit()
    made.page.context.grant_permissions(["geolocation"])
    made.page.context.set_geolocation(TELGTE)
    page = made.open("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    page.get_by_role("button", name="Mein Standort").click()
    expect(page.locator("#panel-heading")).to_have_text("Telgte")
    page.context.set_geolocation(PARIS)
    page.get_by_role("button", name="Mein Standort").click()
    expect(page.locator("#locate-said")).to_contain_text("in keiner Gemeinde")
    assert asked
    for number in ("51.98", "7.785", "48.85", "2.35"):
        assert not any(number in request for request in asked)


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_refused_position_is_said_in_words(visit: Visitor, language: str) -> None:
    page = visit().open("/" if language == "de" else "/?lang=en")
    page.locator("#locate").click()
    said = "darf Ihren Standort nicht nennen" if language == "de" else "may not tell your location"
    expect(page.locator("#locate-said")).to_contain_text(said)
