"""Light and dark: as the system, or as the visitor chose; readable in both; nothing stored unasked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, Visitor

WARENDORF = "055700000000"
STORED = "[document.cookie, localStorage.length, sessionStorage.length]"


def ground(page: Page) -> int:
    """How light the page's ground is, 0 to 255."""
    return int(
        page.evaluate(
            """() => {
                const paint = document.createElement('canvas').getContext('2d');
                paint.fillStyle = getComputedStyle(document.body).backgroundColor;
                paint.fillRect(0, 0, 1, 1);
                return paint.getImageData(0, 0, 1, 1).data[1];
            }"""
        )
    )


def test_it_follows_the_system_and_the_choice(visit: Visitor) -> None:
    made = visit(color_scheme="dark")
    page = made.open("/")
    assert ground(page) < 60
    assert page.evaluate(STORED) == ["", 0, 0]
    page.emulate_media(color_scheme="light")
    assert ground(page) > 200
    button = page.locator("#theme summary")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Wie das System")).to_be_checked()
    expect(page.locator("#theme")).to_contain_text("ohne Cookie")
    page.get_by_label("Dunkel").check()
    assert ground(page) < 60
    assert page.evaluate(STORED) == ["", 1, 0]
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    # From the first line on: the attribute is there before the body is.
    page.add_init_script(
        "new MutationObserver((_, me) => { if (!document.body) return; me.disconnect();"
        " window.early = document.documentElement.dataset.kernTheme; })"
        ".observe(document, {childList: true, subtree: true})"
    )
    made.open("/tabelle", painted=False)
    assert page.evaluate("window.early") == "dark"
    assert ground(page) < 60
    button.click()
    page.get_by_label("Wie das System").check()
    assert ground(page) > 200
    assert page.evaluate(STORED) == ["", 0, 0]


def test_the_canvases_change_with_the_theme(visit: Visitor) -> None:
    corner = """() => {
        const canvas = document.querySelector('.leaflet-overlay-pane canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = {};
        for (let i = 0; i < data.length; i += 4)
            if (data[i + 3] === 255) {
                const colour = data.slice(i, i + 3).join();
                seen[colour] = (seen[colour] ?? 0) + 1;
            }
        return seen;
    }"""
    page = visit().open("/?within=05570")
    page.wait_for_timeout(300)
    light = page.evaluate(corner)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    dark = page.evaluate(corner)
    # Areas outside the region have the map's own ground, which is light or dark.
    assert light.get("233,236,241", 0) > 1000
    assert dark.get("233,236,241", 0) < 50
    assert dark.get("9,11,20", 0) > 1000


@pytest.mark.parametrize("width", [1440, 320])
def test_no_barrier_in_the_dark(visit: Visitor, width: int) -> None:
    made = visit({"width": width, "height": 800}, color_scheme="dark")
    page = made.open(f"/?area={WARENDORF}")
    expect(page.locator("#area-panel")).to_contain_text("Eigene Angebote")
    assert made.axe() == []
    page.keyboard.press("Escape")
    page.locator("#theme summary").click()
    assert made.axe() == []
    for path in ("/tabelle", f"/gebiete/{WARENDORF}", "/daten", "/hilfe", "/gebiete?q=war"):
        made.open(path, painted=False)
        assert made.axe() == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({type: 'layout-shift', buffered: true});
"""


@pytest.mark.parametrize("width", [320, 390, 1440, 2560])
def test_nothing_moves_while_the_page_loads(visit: Visitor, width: int) -> None:
    heights = {320: 640, 390: 844, 1440: 900, 2560: 1440}
    made = visit({"width": width, "height": heights[width]})
    made.page.add_init_script(SHIFTS)
    page = made.open("/")
    page.wait_for_selector(".leaflet-names-pane canvas[data-names]")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") < 0.02
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    header = page.locator(".site-header")
    inside = header.evaluate(
        "(node) => [...node.querySelectorAll('a, summary')].every("
        "(item) => item.getBoundingClientRect().right <= innerWidth)"
    )
    assert inside, "no part of the header is cut off"


WORDS = """() => [...document.querySelectorAll('.segments, .segments label, .legend__label, nav a')]
    .map((node) => node.getBoundingClientRect()).map(({width, height}) => [width, Math.round(height)])"""


@pytest.mark.parametrize("width", [390, 1440])
def test_controls_look_alike_without_our_letters(visit: Visitor, width: int) -> None:
    size = {"width": width, "height": 844}
    first = visit(size)
    page = first.open("/")
    assert page.evaluate("document.fonts.check('600 16px \"Fira Sans\"', 'Gemeinden')"), (
        "there on the first visit"
    )
    asked = [url for url in first.requests if url.endswith(".woff2")]
    assert len(asked) >= 3
    assert [url for url in asked if "/app/fonts/" not in url] == [], "the small files alone"
    without = visit(size)
    # Answered with nothing that is a font: a refused request would be an error of the page.
    without.page.route("**/*.woff2", lambda route: route.fulfill(status=200, body=b""))
    other = without.open("/")
    without.wrong.clear()
    pairs = list(zip(page.evaluate(WORDS), other.evaluate(WORDS), strict=True))
    assert len(pairs) > 5
    assert [(ours, theirs) for ours, theirs in pairs if ours[1] != theirs[1]] == []
    assert all(abs(ours[0] - theirs[0]) < 6 + 0.08 * ours[0] for ours, theirs in pairs)


def test_it_prints_on_white(visit: Visitor) -> None:
    page = visit(DESKTOP, color_scheme="dark").open("/tabelle", painted=False)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert ground(page) > 200
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert ground(page) < 60


def test_a_dark_map_is_printed_in_light_colours(visit: Visitor) -> None:
    page = visit(DESKTOP, color_scheme="dark").open("/?within=05570")
    page.wait_for_timeout(300)
    # In one go: printing does not wait for a frame. Colours of the classes as the legend has them just then.
    shown = """(event) => {
        if (event) dispatchEvent(new Event(event));
        const canvas = document.querySelector('.leaflet-overlay-pane canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = {};
        for (let i = 0; i < data.length; i += 4) {
            const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
            seen[colour] = (seen[colour] ?? 0) + (data[i + 3] === 255);
        }
        const item = document.querySelector('#legend-list button:enabled .legend__swatch');
        const colour = item.style.backgroundColor;
        return [colour, seen[colour] ?? 0, seen['rgb(233, 236, 241)'] ?? 0, seen['rgb(9, 11, 20)'] ?? 0];
    }"""
    dark, area, light_ground, dark_ground = page.evaluate(shown, "")
    assert area > 1000
    assert (light_ground < 50, dark_ground > 1000) == (True, True)
    page.emulate_media(media="print", color_scheme="dark")
    light, area, light_ground, dark_ground = page.evaluate(shown, "beforeprint")
    assert light != dark
    assert area > 1000
    assert (light_ground > 1000, dark_ground < 50) == (True, True)
    page.emulate_media(media="screen", color_scheme="dark")
    again, area, light_ground, dark_ground = page.evaluate(shown, "afterprint")
    assert again == dark
    assert area > 1000
    assert (light_ground < 50, dark_ground > 1000) == (True, True)
