"""The journey "find and ask": from one's own authority and a service to the neighbour who has it, a mail."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, Visitor

TELGTE = "055700044044"
FOUND = f"/nachbarn?authority={TELGTE}&service=10500&around=50"


def choose(page: Page, label: str, text: str, option: str) -> None:
    """By keyboard alone: type, take the suggestion, and wait for the page that answers."""
    field = page.get_by_role("combobox", name=label)
    field.focus()
    field.fill("")
    page.keyboard.type(text)
    expect(page.get_by_role("option", name=option).first).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")


def barriers(made: Visit) -> list[str]:
    """What axe finds; it tries inline styles itself, which the policy forbids and the browser reports."""
    found = made.axe()
    # Reports of the policy come a moment later.
    made.page.wait_for_timeout(100)
    made.wrong[:] = [
        text for text in made.wrong if "inline style" not in text and "style-src-elem" not in text
    ]
    return found


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_find_and_ask(visit: Visitor, size: dict[str, int]) -> None:
    made = visit(size)
    page = made.open("/nachbarn", painted=False)
    choose(page, "Eigene Behörde", "telgt", "Telgte")
    expect(page.get_by_role("heading", name="Rund um Telgte (Stadt)")).to_be_visible()
    choose(page, "Leistung oder Suchwort", "wohnsitz", "Wohnsitzmeldungen")
    expect(page.get_by_role("heading", name="„Wohnsitzmeldungen“ rund um Telgte (Stadt)")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["service"] == ["10500"]
    first = page.locator("#n1")
    expect(first).to_contain_text("grenzt an")
    mail = first.get_by_role("link", name="E-Mail vorbereiten").get_attribute("href")
    assert mail is not None
    assert mail.startswith("mailto:team@demo.example?subject=")
    assert "Telgte" in unquote(mail)
    assert barriers(made) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_a_mark_of_the_map_leads_to_its_row_by_keyboard(visit: Visitor, size: dict[str, int]) -> None:
    page = visit(size).open(FOUND, painted=False)
    mark = page.locator("svg.smap a").nth(1)
    mark.focus()
    page.keyboard.press("Enter")
    row = page.locator("#n2")
    expect(row).to_be_in_viewport()
    assert urlsplit(page.url).fragment == "n2"
    name = mark.get_attribute("aria-label") or ""
    expect(row.locator("h4")).to_have_text(name.removeprefix("2: ").rpartition(",")[0])
    page.get_by_role("link", name="Karte überspringen").focus()
    expect(page.get_by_role("link", name="Karte überspringen")).to_be_in_viewport()


def test_several_services_are_chips_that_come_off(visit: Visitor) -> None:
    page = visit().open(FOUND, painted=False)
    choose(page, "Leistung oder Suchwort", "kinder", "Kindertagesbetreuung")
    chips = page.locator("main .chip")
    expect(chips).to_have_count(2)
    page.get_by_role("link", name="Nicht mehr suchen: Wohnsitzmeldungen").click()
    expect(chips).to_have_count(1)
    expect(page.get_by_role("heading", name="„Kindertagesbetreuung“ rund um Telgte (Stadt)")).to_be_visible()


def test_any_word_can_be_searched(visit: Visitor) -> None:
    page = visit().open(f"/nachbarn?authority={TELGTE}", painted=False)
    choose_all = "Alle Treffer zu „kind“"
    page.get_by_role("combobox", name="Leistung oder Suchwort").fill("kind")
    with page.expect_navigation():
        page.get_by_role("option", name=choose_all).click()
    assert parse_qs(urlsplit(page.url).query)["q"] == ["kind"]
    expect(page.locator("#n1")).to_be_visible()


def test_it_works_without_scripts(visit: Visitor) -> None:
    page = visit(java_script_enabled=False).open("/nachbarn", painted=False)
    page.get_by_label("Eigene Behörde", exact=True).fill("Telgte")
    page.get_by_label("Leistung oder Suchwort", exact=True).fill("Wohnsitz")
    page.get_by_role("button", name="Zeigen").click()
    expect(page.locator("#n1")).to_contain_text("grenzt an")
    page.locator("svg.smap a").first.click()
    assert urlsplit(page.url).fragment == "n1"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_gaps(visit: Visitor, size: dict[str, int]) -> None:
    """From what is missing at home to those who have it, and to whom one could help."""
    made = visit(size)
    page = made.open("/luecken", painted=False)
    choose(page, "Eigene Behörde", "telgt", "Telgte")
    expect(page.get_by_role("heading", name="Was bei Telgte (Stadt) fehlt")).to_be_visible()
    expect(page.locator("#result")).to_contain_text("haben andere online und Sie nicht")
    assert barriers(made) == []
    service = page.locator(".table__name").first.inner_text()
    page.get_by_role("link", name="Wen fragen?").first.click()
    expect(page.get_by_role("heading", name=f"„{service}“ rund um Telgte (Stadt)")).to_be_visible()
    expect(page.locator("#n1").get_by_role("link", name="E-Mail vorbereiten")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Wem wir helfen können").click()
    expect(page.get_by_role("heading", name="Was Telgte (Stadt) hat und andere nicht")).to_be_visible()


STATES = (
    "/luecken",
    f"/luecken?authority={TELGTE}",
    f"/luecken?authority={TELGTE}&direction=help",
    f"/luecken?authority={TELGTE}&around=similar",
    "/nachbarn",
    FOUND,
    f"/nachbarn?authority={TELGTE}",
    f"/nachbarn?authority={TELGTE}&q=xyzxyz",
    f"/nachbarn?authority={TELGTE}&service=10999",
    "/nachbarn?authority=Warendorf",
    "/nachbarn?authority=055150000000&subject=familie_kind",
    "/nachbarn?authority=110000000000&service=10500&around=border",
)


@pytest.mark.parametrize("form", ["desk", "phone"])
def test_no_barrier_that_a_machine_finds(visit: Visitor, form: str) -> None:
    size = DESKTOP if form == "desk" else {"width": 320, "height": 640}
    made: Visit = visit(size, color_scheme="light" if form == "desk" else "dark")
    found = []
    for path in STATES:
        page = made.open(
            path if form == "desk" else f"{path}{'&' if '?' in path else '?'}lang=en", painted=False
        )
        found += [f"{path}: {text}" for text in barriers(made)]
        if page.evaluate("document.querySelector('main').scrollWidth > innerWidth"):
            found.append(f"{path}: wider than the window")
    assert not found, "\n".join(found)
