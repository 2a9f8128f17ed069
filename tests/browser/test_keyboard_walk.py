"""The map by keyboard: one tab stop, arrows from area to area, Enter opens, Escape closes and leaves."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor


def reach_map(page: Page) -> int:
    """Tab from the last control of the rail on until the map has the focus; the number of steps."""
    page.locator("#reset").focus()
    for steps in range(1, 12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "map_ozg":
            return steps
    raise AssertionError("the map is not in the order of tabs")


def test_arrows_go_to_the_neighbour_and_say_it(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?within=05515&within=05558&within=05570&within=05915")
    spoken = page.locator("#map-spoken")
    map_ = page.locator("#map_ozg")
    reach_map(page)
    expect(spoken).to_contain_text(":")
    expect(page.locator("#map-help")).to_contain_text("Pfeiltasten")
    assert page.locator("#map-help").bounding_box()["height"] > 20, "who sees sees the keys too"  # type: ignore[index]
    # Warendorf from wherever the walk began: it lies in the east of the four.
    for key in ("ArrowUp", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".tooltip")).to_contain_text("Warendorf")
    page.keyboard.press("ArrowRight")
    expect(spoken).to_have_text("Kein weiteres Gebiet in dieser Richtung")
    page.keyboard.press("ArrowLeft")
    expect(spoken).to_contain_text("Münster, Kreisfreie Stadt")
    page.keyboard.press("ArrowRight")
    expect(spoken).to_have_text(
        re.compile(r"Warendorf, Kreis, Nordrhein-Westfalen: \d von 3 Leistungen: online\. Klasse: \d$")
    )
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(spoken).to_contain_text("Coesfeld, Kreis, Nordrhein-Westfalen: Es liegen keine Angaben vor.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(spoken).to_contain_text("Hamm, Kreisfreie Stadt")
    assert made.axe() == []
    page.keyboard.press("Enter")
    expect(page.locator("#panel-heading")).to_have_text("Hamm")
    expect(page.locator("#panel-heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#area-panel")).to_be_hidden()
    expect(map_).to_be_focused()
    expect(spoken).to_contain_text("Hamm")
    page.keyboard.press("Escape")
    expect(page.locator("#zoom-in")).to_be_focused()
    expect(page.locator(".tooltip")).to_be_hidden()
    page.keyboard.press("Shift+Tab")
    expect(map_).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(spoken).to_contain_text("Warendorf")


def test_keys_zoom_and_move_without_a_pointer(visit: Visitor) -> None:
    page = visit(reduced_motion="reduce").open("/")
    reach_map(page)
    place = "[map_ozg.getZoom(), map_ozg.getCenter().lng, map_ozg.getCenter().lat]"
    zoom, lon, lat = page.evaluate(place)
    page.keyboard.press("+")
    assert page.evaluate(place)[0] > zoom
    page.keyboard.press("-")
    assert abs(page.evaluate(place)[0] - zoom) < 0.15
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    moved = page.evaluate(place)
    assert moved[1] > lon
    assert moved[2] > lat
    page.keyboard.press("Home")
    assert abs(page.evaluate(place)[1] - lon) < 0.01
    # One stop: the next one is behind the map, and every button of the map is large enough to hit.
    page.keyboard.press("Tab")
    expect(page.locator("#zoom-in")).to_be_focused()
    buttons = page.locator(".map-zoom button").all()
    assert len(buttons) > 1
    for button in buttons:
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


def test_the_pointer_needs_no_ring_of_the_keyboard(visit: Visitor) -> None:
    page = visit().open("/")
    page.mouse.click(1000, 480)
    expect(page.locator("#map-page")).not_to_have_class("is-walking")
    expect(page.locator("#map-spoken")).to_have_text("")


def test_the_next_area_is_the_nearest_within_the_right_angle(visit: Visitor) -> None:
    page = visit().open("/")
    # the module itself: pages take it bundled with others
    script = "/static/any/js/walk.js"
    # From the first point to the right: the second is nearer but more above than beside.
    points = [[0, 0], [2, -3], [5, 4], [9, 0], [-1, 0]]
    find = "async ([script, points, way]) => (await import(script)).nextIn(points, 0, way)"
    assert page.evaluate(find, [script, points, [1, 0]]) == 2
    assert page.evaluate(find, [script, points, [0, -1]]) == 1
    assert page.evaluate(find, [script, points, [-1, 0]]) == 4
    assert page.evaluate(find, [script, points[:4], [-1, 0]]) is None
