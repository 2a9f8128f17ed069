"""axe-core over every page and state, light and dark, German and English, on a desk and at 320 px.

A new page or state is a line in PAGES or STATES.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Visitor

WARENDORF, COESFELD = "055700000000", "055580000000"
PAGES = (
    "/tabelle",
    "/tabelle?level=municipalities&measure=share&subject=familie_kind&sort=-value",
    "/tabelle?service=10500&measure=status&within=05570",
    "/tabelle?service=99999",
    f"/gebiete/{WARENDORF}",
    f"/gebiete/{COESFELD}",
    "/gebiete/99999",
    "/gebiete?q=war",
    "/suche?q=war",
    "/suche?q=xyzxyz",
    "/daten",
    "/hilfe",
    "/fragen",
    "/aktuelles",
    "/impressum",
    "/datenschutz",
    "/barrierefreiheit",
    "/einbinden",
    "/vergleich",
    "/vergleich?group=vier-partner",
    "/vergleich?group=districts:05&sort=subject&scope=available",
    "/vergleich?group=nirgends",
    "/fortschritt/liste",
    "/fortschritt/liste/top-20",
    "/nirgends",
    "/api/?f=html",
    "/api/collections?f=html",
    "/api/collections/districts?f=html",
    "/api/collections/districts/items?f=html",
)
MAPS = ("/", "/?level=municipalities&measure=share", "/embed")
WIDE = "document.documentElement.scrollWidth > innerWidth"
FORMS = {
    "desk": ({"width": 1440, "height": 900}, "light", "de"),
    "phone": ({"width": 320, "height": 640}, "dark", "en"),
}


def panel(page: Page) -> None:
    expect(page.locator("#area-panel")).to_be_visible()
    expect(page.locator("#panel-body h3").first).to_be_visible()


def filters(page: Page) -> None:
    if page.locator("#sheet-button").is_visible():
        page.locator("#sheet-button").click()
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")


def suggestions(page: Page) -> None:
    page.locator("#search-field").fill("waren")
    expect(page.get_by_role("option").first).to_be_visible()


def chips(page: Page) -> None:
    expect(page.locator("#chips li").first).to_be_visible()


def message(page: Page) -> None:
    expect(page.locator("#map-message")).to_be_visible()


def walking(page: Page) -> None:
    page.locator(".leaflet-container").focus()
    page.keyboard.press("ArrowRight")


STATES: tuple[tuple[str, Callable[[Page], None]], ...] = (
    (f"/?area={WARENDORF}", panel),
    ("/", filters),
    ("/", suggestions),
    ("/?subject=familie_kind&within=05570&status=planned", chips),
    ("/?area=999999999999", message),
    ("/?level=municipalities&within=05570", walking),
)


def look(made: Visit, what: str) -> list[str]:
    """What axe finds, and what is wider than the window."""
    wide = made.page.evaluate(WIDE)
    return [f"{what}: {text}" for text in (*made.axe(), *(["wider than the window"] if wide else []))]


@pytest.mark.parametrize("form", FORMS)
def test_no_barrier_that_a_machine_finds(visit: Visitor, form: str) -> None:
    size, scheme, language = FORMS[form]
    made = visit(size, color_scheme=scheme)

    def address(path: str) -> str:
        return path if language == "de" else f"{path}{'&' if '?' in path else '?'}lang={language}"

    found: list[str] = []
    for path in PAGES:
        made.open(address(path), painted=False)
        found += look(made, path)
    for path in MAPS:
        made.open(address(path))
        found += look(made, path)
    for path, act in STATES:
        act(made.open(address(path)))
        found += look(made, f"{path} {act.__name__}")
    # The browser reports what this test asked for: addresses that there are not.
    made.wrong[:] = [text for text in made.wrong if "Failed to load resource" not in text]
    assert not found, "\n".join(found)
