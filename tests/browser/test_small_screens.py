"""Small screens and the keyboard: what is there can be seen, reached and left again."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visitor

SMALL = {"width": 320, "height": 640}
FOCUSED = "document.activeElement.id || document.activeElement.tagName"


def focused(page: Page) -> str:
    return str(page.evaluate(FOCUSED))


def test_the_sheet_can_be_used_by_keyboard_alone(visit: Visitor) -> None:
    page = visit(SMALL).open("/")
    button = page.locator("#sheet-button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rail-heading")).to_be_focused()
    page.keyboard.press("Tab")
    assert focused(page) == "sheet-close"
    page.keyboard.press("Shift+Tab")
    for _ in range(40):
        assert page.evaluate("document.getElementById('rail').contains(document.activeElement)")
        page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect(page.locator("#rail")).to_be_hidden()
    expect(button).to_be_focused()
    assert button.get_attribute("aria-expanded") == "false"


def test_no_focus_is_invisible_on_a_large_screen(visit: Visitor) -> None:
    page = visit().open("/")
    page.locator("#language-link").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "filter-place"
