"""What a visitor asked the system or the browser for: forced colours, less motion, a larger size."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

WARENDORF = "055700000000"


def test_forced_colours_keep_what_is_chosen_and_the_legend(visit: Visitor) -> None:
    made = visit(forced_colors="active")
    page = made.open(f"/?area={WARENDORF}")
    background = "(node) => getComputedStyle(node).backgroundColor"
    chosen = page.locator("label[for=level-districts]").evaluate(background)
    other = page.locator("label[for=level-states]").evaluate(background)
    assert chosen != other, "the chosen level differs from the others"
    classes = page.locator(".legend__swatch[style]")
    colours = {classes.nth(index).evaluate(background) for index in range(classes.count())}
    assert len(colours) == classes.count(), "each class keeps its colour"
    expect(page.locator("#area-panel")).to_be_visible()
    made.open(f"/gebiete/{WARENDORF}", painted=False)
    markers = page.evaluate(
        "() => [...document.querySelectorAll('.status--online, .status--in_progress')]"
        ".map((node) => getComputedStyle(node, '::before').backgroundColor)"
    )
    assert len(set(markers)) == 2, "statuses keep their colours"


def test_less_motion_moves_the_map_at_once(visit: Visitor) -> None:
    moved = """() => {
        const zoom = map_ozg.getZoom(), centre = map_ozg.getCenter();
        document.getElementById('zoom-in').click();
        const closer = map_ozg.getZoom() - zoom;
        map_ozg.panBy([120, 0]);
        return [closer > 0, map_ozg.getCenter().lng - centre.lng > 0];
    }"""
    made = visit(reduced_motion="reduce")
    page = made.open(f"/?area={WARENDORF}")
    assert page.locator("#area-panel").evaluate("(node) => getComputedStyle(node).animationName") == "none"
    assert page.evaluate(moved) == [True, True]
    # Without the wish the same steps are followed with the eye.
    assert visit().open("/").evaluate(moved) == [False, False]


def test_english_from_the_header_keeps_the_map(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?level=municipalities&within=05570")
    page.locator("#status-in_progress").check()
    page.wait_for_url("**/?level=municipalities&within=05570&status=online&status=in_progress")
    made.painted()
    page.get_by_role("link", name="English").click()
    made.painted()
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.locator("#map-title")).to_contain_text("Number of services with status online / in progress")
    expect(page.get_by_label("Municipalities", exact=True)).to_be_checked()
    expect(page.locator("#legend-heading")).to_contain_text("Legend")
    page.get_by_role("combobox", name="Find a place or a service").fill("warendorf")
    page.keyboard.press("Enter")
    expect(page.locator("#area-panel")).to_contain_text("All details of this area")
    page.get_by_role("link", name="All details of this area").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("link", name="Deutsch")).to_be_visible()


def test_what_the_map_shows_can_be_taken_along(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?level=municipalities")
    page.get_by_label("Region").select_option("05570")
    page.wait_for_url("**/?level=municipalities&within=05570")
    made.painted()
    page.locator("#downloads > summary").click()
    for name, address in (
        ("Bild (PNG)", "/karte.png?level=municipalities&within=05570"),
        ("Vektorbild (SVG)", "/karte.svg?level=municipalities&within=05570"),
        ("Papier A4 (PDF)", "/karte.pdf?level=municipalities&within=05570"),
        ("Papier A3 (PDF)", "/karte.pdf?level=municipalities&within=05570&paper=a3"),
        ("GeoJSON", "/api/layers/municipalities.geojson?within=05570"),
    ):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("href", address)
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    assert started.value.suggested_filename == "ozg-landkarte-gemeinden.csv"
    lines = started.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines.index("") == 14, "a head and the 13 municipalities of the district"
    assert any("im Kreis Warendorf" in line for line in lines)


@pytest.mark.parametrize("address", ["/?level=municipalities&within=05570&area=055700044044", "/tabelle"])
def test_everything_can_be_reached_at_twice_the_size(visit: Visitor, address: str) -> None:
    """A desktop's window of 1440 × 900 at 200 % has 720 × 450 pixels of its own."""
    made = visit({"width": 720, "height": 450}, device_scale_factor=2)
    page = made.open(address, painted=address != "/tabelle")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert made.axe() == []
    if address == "/tabelle":
        return
    close = page.locator("#panel-close")
    expect(close).to_be_in_viewport()
    close.click()
    for name in ("#search-field", "#zoom-in", "#map-title", "#sheet-button"):
        expect(page.locator(name)).to_be_in_viewport()
    box = page.locator(".leaflet-container").bounding_box()
    assert box is not None
    assert box["height"] >= 100
    page.locator("#sheet-button").click()
    expect(page.locator("#sheet-close")).to_be_in_viewport()
    page.locator("#reset").scroll_into_view_if_needed()
    expect(page.locator("#reset")).to_be_in_viewport()
