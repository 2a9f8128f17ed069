"""Find Telgte, filter by Familie & Kind, open a service, download the CSV: with the keyboard alone."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor

SERVICE = "#panel-body a[href^='https://demo.example/']"


def tab_to(page: Page, selector: str, *, key: str = "Tab", most: int = 120) -> None:
    """Presses a key until the focus is on what matches, as somebody without a mouse does."""
    for _ in range(most):
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} cannot be reached by {key}")


def test_find_filter_open_and_download_by_keyboard(visit: Visitor) -> None:
    made = visit()
    page = made.open("/")
    tab_to(page, "#search-field")
    page.keyboard.type("telgt")
    option = page.get_by_role("option", name="Telgte")
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    heading = page.locator("#panel-heading")
    expect(heading).to_have_text("Telgte")
    expect(heading).to_be_focused()

    # Back to the filters, which stand before the map.
    tab_to(page, "#filter-subjects summary", key="Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, "#subject-familie_kind")
    page.keyboard.press("Space")
    page.wait_for_url("**/?level=municipalities&subject=familie_kind&area=055700044044")
    expect(page.locator("#map-result")).to_contain_text("Familie & Kind")

    # The panel's folds are opened on the way to the first online service.
    tab_to(page, "#panel-body summary")
    for _ in range(20):
        if page.evaluate("document.activeElement.matches('details:not([open]) > summary')"):
            page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", SERVICE):
            break
    link = page.evaluate("document.activeElement.href")
    assert link.startswith("https://demo.example/05"), link
    # An answer without content: the page stays, and what was asked for is known.
    page.context.route("https://demo.example/**", lambda route: route.fulfill(status=204))
    with page.context.expect_event("request", lambda request: request.url == link):
        page.keyboard.press("Enter")
    made.requests[:] = [url for url in made.requests if url != link]

    tab_to(page, "#downloads summary", key="Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, "#download-csv")
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    lines = list(
        csv.reader(Path(started.value.path()).read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    )
    assert "Telgte" in [line[1] for line in lines[: lines.index([])]]
    assert "Familie" in dict(lines[lines.index([]) + 1 :])["Titel"]
