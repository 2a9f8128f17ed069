"""The journeys "register" and "subscribe", on a desk and on a phone, each state clean for axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
pytestmark = pytest.mark.browser


@SIZES
def test_a_solution_is_found_with_a_slip_and_its_users_are_asked(
    visit: Visitor, size: dict[str, int]
) -> None:
    made = visit(size)
    page = made.open("/koordination", painted=False)
    page.get_by_role("navigation", name="Für Koordinierende").get_by_role("link", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Register der Lösungen")
    assert made.axe() == []
    page.get_by_label("Suche", exact=True).fill("Formulrwerk")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ähnlich geschrieben sind")).to_be_visible()
    page.get_by_text("Filter ändern").click()
    page.get_by_label("nur nachnutzbare").check()
    page.get_by_role("button", name="Anzeigen").click()
    expect(page.get_by_role("link", name="Filter entfernen: nachnutzbar")).to_be_visible()
    assert made.axe() == []
    page.get_by_role("link", name="Formularwerk Beispiel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Formularwerk Beispiel")
    expect(page.get_by_role("heading", name="Wen fragen?")).to_be_visible()
    asked = page.get_by_role("link", name="Anfrage per Mail an").first
    assert (asked.get_attribute("href") or "").startswith("mailto:team@demo.example?subject=Nachnutzung")
    assert made.axe() == []
    # nothing beside the table's own scroll area is wider than the screen
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.get_by_role("link", name="Kindertagesbetreuung").first.click()
    expect(page.get_by_role("heading", name="Wo es läuft")).to_be_visible()
    assert made.axe() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@SIZES
def test_what_is_new_is_chosen_and_subscribed(visit: Visitor, size: dict[str, int]) -> None:
    made = visit(size)
    page = made.open("/daten", painted=False)
    page.get_by_role("contentinfo").get_by_role("link", name="Neu online").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Neu online")
    page.get_by_label("Themenfeld").select_option("familie_kind")
    page.get_by_role("button", name="Anzeigen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Neu online: Familie & Kind")
    assert made.axe() == []
    feed = page.locator("link[type='application/atom+xml']").get_attribute("href")
    assert feed is not None
    assert page.get_by_role("link", name=feed).get_attribute("href") == feed
    answer = page.request.get(feed)
    assert answer.status == 200
    assert "<entry>" in answer.text()
    assert "Demonstrationsdaten" in answer.text()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("path", ["/register", "/neu", "/leistungen/10502", "/leistungen/10999"])
def test_pages_are_clean_in_the_dark_and_in_english_without_scripts(visit: Visitor, path: str) -> None:
    made = visit(PHONE, color_scheme="dark")
    page = made.open(f"{path}?lang=en", painted=False)
    assert made.axe() == []
    assert page.get_attribute("html", "lang") == "en"
    plain = visit(PHONE, java_script_enabled=False)
    plain.open(path, painted=False)
    expect(plain.page.get_by_role("heading", level=1)).to_be_visible()
    made.wrong[:] = [text for text in made.wrong if "404" not in text]
    plain.wrong[:] = [text for text in plain.wrong if "404" not in text]
