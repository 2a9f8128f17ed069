"""Where one is on the map: names and borders of the levels above, from the boundaries themselves."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import Visitor

NAMES = """() => {
    let found;
    map_ozg.eachLayer((layer) => (found = layer.placed ?? found));
    return found;
}"""


WRITTEN = ".leaflet-names-pane canvas[data-names]:not([data-names='0'])"


def names(page: Page, lat: float, lon: float, zoom: float) -> list[dict[str, Any]]:
    page.evaluate(f"map_ozg.setView([{lat}, {lon}], {zoom}, {{animate: false}}); null")
    placed = page.evaluate(NAMES)
    boxes = [name["box"] for name in placed]
    for at, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:at]:
            apart = left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]
            assert apart, "no name lies on another one"
    return list(placed)


def test_names_come_after_the_areas_and_thin_out(visit: Visitor) -> None:
    made = visit()
    with made.page.expect_response("**/api/names*"):
        page = made.open("/?level=municipalities")
    page.wait_for_selector(WRITTEN)
    asked = [url.split("?")[0].rpartition("/api/")[2] for url in made.requests if "/api/" in url]
    assert asked.count("names") == 1
    assert asked[-1] == "names", "nothing that the first picture needs waits for them"
    far = {name["text"] for name in names(page, 51.2, 10, 6)}
    assert {"Nordrhein-Westfalen", "Berlin"} <= far
    assert "Telgte" not in far
    farthest = {name["text"] for name in names(page, 51.2, 10, 5)}
    assert {"NW", "BE"} <= farthest
    near = {name["text"]: name["kind"] for name in names(page, 51.95, 7.9, 9)}
    assert near["Münster"] == "city"
    assert "Nordrhein-Westfalen" not in near
    close = {name["text"] for name in names(page, 51.95, 7.9, 10)}
    assert {"Everswinkel", "Ostbevern"} <= close, "close up every municipality has its name"
    assert len(names(page, 51.95, 7.9, 8)) < len(close)


def test_names_are_for_the_eye_alone(visit: Visitor) -> None:
    page = visit().open("/")
    pane = page.locator(".leaflet-names-pane")
    assert pane.get_attribute("aria-hidden") == "true"
    page.wait_for_selector(WRITTEN)
    # A click on a name is a click on the area below it.
    names(page, 51.93, 8.0, 9)
    box = page.locator("#map_ozg").bounding_box()
    assert box is not None
    placed = page.evaluate(NAMES)
    warendorf = next(name for name in placed if name["text"] == "Warendorf")
    x, y = page.evaluate(
        "(box) => { const at = map_ozg.layerPointToContainerPoint([(box[0] + box[2]) / 2,"
        " (box[1] + box[3]) / 2]); return [at.x, at.y]; }",
        warendorf["box"],
    )
    page.mouse.click(box["x"] + x, box["y"] + y)
    page.wait_for_url("**/?area=055700000000")


def test_short_names_are_those_one_says(visit: Visitor) -> None:
    page = visit().open("/")
    # the module itself: pages take it bundled with others
    script = "/static/any/js/names.js"
    long = {
        "Frankfurt am Main": "Frankfurt",
        "Frankfurt (Oder)": "Frankfurt",
        "Neumarkt i.d.OPf.": "Neumarkt",
        "Bad Homburg v. d. Höhe": "Bad Homburg",
        "Brandenburg an der Havel": "Brandenburg",
        "Saalfeld/Saale": "Saalfeld",
        "Rothenburg ob der Tauber": "Rothenburg",
        "Mühldorf a. Inn": "Mühldorf",
        "Bad Soden-Salmünster": "Bad Soden-Salmünster",
        "St. Ingbert": "St. Ingbert",
        "Villingen-Schwenningen": "Villingen-Schwenningen",
        "Neuburg a.d.Donau": "Neuburg",
    }
    short = page.evaluate(
        "async ([script, names]) => names.map((await import(script)).shortName)",
        [script, list(long)],
    )
    assert short == list(long.values())
