"""Small screens and the keyboard: what is there can be seen, reached and left again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visitor

WARENDORF = "055700000000"
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
    page.locator("#theme summary").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "search-field"


VISIBLE = """() => {
    const canvas = document.querySelector('.map-canvas').getBoundingClientRect();
    const map = document.querySelector('#map_ozg').getBoundingClientRect();
    const size = map_ozg.getSize(), view = map_ozg.getBounds();
    let all;
    map_ozg.eachLayer((layer) => (all = layer.fills ? layer.areas.boundsOf(() => true) : all));
    const near = (height) => Math.abs(height - canvas.height) < 1;
    return [near(size.y), near(map.height), view.contains(all),
            canvas.height];
}"""


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["phone", "small"])
def test_the_whole_country_is_visible_on_a_phone(visit: Visitor, size: dict[str, int]) -> None:
    page = visit(size).open("/")
    page.wait_for_timeout(300)
    knows, fills, whole, height = page.evaluate(VISIBLE)
    assert knows, "Leaflet knows the height that is left beside title and legend"
    assert fills
    assert whole, "every area is in view"
    assert height > 180
    page.locator("#legend-heading").click()
    page.wait_for_timeout(300)
    assert page.evaluate(VISIBLE)[:3] == [True, True, True], "also after the legend took or gave room"


def test_who_moved_the_map_keeps_the_place(visit: Visitor) -> None:
    page = visit(PHONE).open("/")
    page.wait_for_timeout(300)
    page.locator("#zoom-in").click()
    page.wait_for_timeout(500)
    zoom = page.evaluate("map_ozg.getZoom()")
    page.locator("#legend-heading").click()
    page.wait_for_timeout(300)
    assert page.evaluate("map_ozg.getZoom()") == zoom
    page.locator("#zoom-home").click()
    page.wait_for_timeout(500)
    assert page.evaluate(VISIBLE)[2]


def test_an_open_area_is_not_under_its_panel(visit: Visitor) -> None:
    page = visit(PHONE).open(f"/?area={WARENDORF}")
    expect(page.locator("#area-panel")).to_contain_text("Eigene Angebote")
    page.wait_for_timeout(600)
    y = page.evaluate(
        f"""async () => {{
            const area = await (await fetch('/api/areas/{WARENDORF}')).json();
            const [west, south, east] = area.bbox;
            const box = document.getElementById('map_ozg').getBoundingClientRect();
            return map_ozg.latLngToContainerPoint([south, (west + east) / 2]).y + box.top;
        }}"""
    )
    panel = page.locator("#area-panel").bounding_box()
    canvas = page.locator("#map_ozg").bounding_box()
    assert panel is not None
    assert canvas is not None
    assert canvas["y"] < y < panel["y"], "down to its southern end"


def test_closing_an_area_empties_the_search(visit: Visitor) -> None:
    page = visit().open("/")
    field = page.get_by_role("combobox", name="Ort oder Leistung suchen")
    field.fill("warendorf")
    field.press("Enter")
    expect(page.locator("#panel-heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#area-panel")).to_be_hidden()
    expect(field).to_have_value("")


@pytest.mark.parametrize(
    ("query", "named", "left"),
    [
        ("service=10999&measure=status", "10999", "/"),
        ("within=05570&within=99", "99", "/?within=05570"),
        ("situation=999999", "999999", "/"),
        ("area=059999999999", "059999999999", "/"),
        ("class=50-75&within=05570", "Klasse", "/?within=05570"),
    ],
)
def test_a_link_to_what_is_not_there_says_so_and_shows_the_rest(
    visit: Visitor, query: str, named: str, left: str
) -> None:
    made = visit()
    page = made.open(f"/?{query}")
    message = page.get_by_role("alert")
    expect(message).to_contain_text(named)
    expect(page.locator("#map-result")).to_contain_text("mindestens eine Leistung online")
    expect(page.locator("#map-title")).to_contain_text("Zahl der Online-Leistungen")
    expect(page).to_have_url(made.site + left)
    expect(page.locator("#area-panel")).to_be_hidden()
    page.get_by_role("button", name="Ohne Filter zeigen").click()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(message).to_be_hidden()
    made.wrong.clear()  # the browser reports the 404 that this test asked for


def test_filters_of_a_link_stay_when_another_one_changes(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?within=05570&within=05558&service=10501&service=10502")
    expect(page.get_by_label("Status einer Leistung")).to_be_disabled()
    page.get_by_label("Anteil der Leistungen").check()
    page.wait_for_url("**/?service=10501&service=10502&within=05570&within=05558&measure=share")
    made.painted()
    page.get_by_label("Region").select_option("")
    page.wait_for_url("**/?service=10501&service=10502&measure=share")
    made.painted()


OUT_OF_VIEW = """() => [...document.querySelectorAll(".site-header :is(a, summary)")]
  .filter((item) => item.offsetParent)
  .filter((item) => item.getBoundingClientRect().left < 0 || item.getBoundingClientRect().right > innerWidth)
  .map((item) => item.textContent.trim())"""


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["phone", "small"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_link_of_the_header_is_in_view(visit: Visitor, size: dict[str, int], language: str) -> None:
    """The map's page does not scroll: what lies beside the screen cannot be reached with a finger."""
    page = visit(size).open(f"/?lang={language}")
    assert page.locator(".site-header a:visible").count() >= 6
    assert page.evaluate(OUT_OF_VIEW) == []


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["phone", "small"])
@pytest.mark.parametrize(
    "path",
    [
        *("/koordination", "/nachbarn", "/register", "/neu", "/fortschritt", "/fortschritt/liste"),
        "/nachbarn?authority=055700044044&service=10500",
        "/luecken?authority=055700044044",
        "/vergleich?group=municipalities:05570",
        "/leistungen/10500",
        "/fortschritt?authority=055700000000",
    ],
)
def test_no_page_for_coordinators_is_wider_than_its_window(
    visit: Visitor, size: dict[str, int], path: str
) -> None:
    page = visit(size).open(path, painted=False)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["phone", "small"])
def test_whom_to_ask_is_in_view_beside_each_gap(visit: Visitor, size: dict[str, int]) -> None:
    page = visit(size).open("/luecken?authority=055700044044", painted=False)
    links = page.locator(".table--gaps a", has_text="Wen fragen?")
    assert links.count() > 0
    for link in links.all():
        box = link.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= size["width"]
