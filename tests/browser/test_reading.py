"""Reading the map: classes, the legend that picks out areas, the tooltip, and the panel of one area."""

from __future__ import annotations

import io
import re
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor

TELGTE, WARENDORF, COESFELD = "055700044044", "055700000000", "055580000000"
SMALL = {"width": 320, "height": 640}
PAINTED = """() => {
    let found;
    map_ozg.eachLayer((layer) => (found = layer.fills?.map((paint) => layer.paints[paint].style) ?? found));
    return found.filter((style) => typeof style === 'string');
}"""
FILLED = """() => {
    let found;
    map_ozg.eachLayer((layer) => (found = layer.fills?.map((_, area) => layer.opacity(area)) ?? found));
    return found;
}"""


def opacities(page: Page) -> list[float]:
    found: list[float] = page.evaluate(FILLED)
    return found


def at(page: Page, ars: str) -> tuple[float, float]:
    """Where on the screen the label point of an area is."""
    page.wait_for_load_state("networkidle")
    x, y = page.evaluate(
        f"""async () => {{
            const area = await (await fetch('/api/areas/{ars}')).json();
            const point = map_ozg.latLngToContainerPoint([area.label[1], area.label[0]]);
            const box = map_ozg.getContainer().getBoundingClientRect();
            return [point.x + box.left, point.y + box.top];
        }}"""
    )
    return x, y


def test_the_legend_picks_out_areas_by_keyboard(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?level=municipalities")
    button = page.locator("#legend-list button:enabled").first
    label = button.locator(".legend__label").inner_text()
    count = int(button.locator(".legend__count").inner_text())
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#legend-picked")).to_have_text(f"{count} von 91 Gebieten hervorgehoben")
    assert sum(opacity == 1 for opacity in opacities(page)) == count
    assert made.axe() == []
    code = button.get_attribute("data-code")
    expect(page).to_have_url(re.compile(rf"class={code}$"))

    other = visit()
    copy = other.open(page.url.removeprefix(other.site))
    assert sum(opacity == 1 for opacity in opacities(copy)) == count
    copy.get_by_role("link", name="Diese Gebiete als Tabelle").click()
    expect(copy.locator("caption")).to_contain_text(f"von {count} Gebieten")
    expect(copy.get_by_role("link", name=f"Filter entfernen: Klasse: {label}")).to_be_visible()

    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#legend-note")).to_be_hidden()
    assert set(opacities(page)) == {1}
    assert "class=" not in page.url


def test_classes_are_chosen_in_the_legend_and_stay_in_the_link(visit: Visitor) -> None:
    made = visit(SMALL)
    page = made.open("/?measure=share")
    if not page.locator("#legend-fold").evaluate("(fold) => fold.open"):
        page.locator("#legend-heading").click()
    page.locator("#classing-summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Klassen", exact=True).select_option("equal")
    page.wait_for_url("**/?measure=share&method=equal")
    made.painted()
    page.get_by_label("Zahl der Klassen").select_option("3")
    page.wait_for_url("**/?measure=share&method=equal&classes=3")
    made.painted()
    expect(page.locator("#legend-list button[data-code^=c]")).to_have_count(3)
    page.get_by_label("Klassen", exact=True).select_option("own")
    field = page.get_by_label("Eigene Grenzen")
    expect(field).to_be_focused()
    field.fill("30, 20")
    field.press("Enter")
    expect(page.locator("#breaks-error")).to_have_text("Die Grenzen müssen aufsteigen.")
    field.fill("20, 30")
    field.press("Enter")
    page.wait_for_url("**/?measure=share&breaks=20%2C+30")
    made.painted()
    expect(page.locator("#legend-list .legend__label")).to_contain_text(
        ["unter 20 %", "20 bis unter 30 %", "ab 30 %"]
    )
    assert made.axe() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    page.reload()
    made.painted()
    expect(page.locator("#filter-method")).to_have_value("own")
    page.go_back()
    page.wait_for_url("**/?measure=share&method=equal&classes=3")
    made.painted()
    expect(page.locator("#legend-list button[data-code^=c]")).to_have_count(3)


def test_the_tooltip_has_the_rank_can_be_hovered_and_dismissed(visit: Visitor) -> None:
    page = visit().open("/?within=05")
    x, y = at(page, WARENDORF)
    page.mouse.move(x, y)
    page.mouse.move(x + 1, y + 1)
    tooltip = page.locator(".tooltip")
    expect(tooltip).to_contain_text(re.compile(r"Platz \d von 3 in Nordrhein-Westfalen"))
    box = tooltip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.wait_for_timeout(400)
    expect(tooltip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tooltip).to_be_hidden()


def test_the_panel_says_who_offers_what_and_how_it_compares(visit: Visitor) -> None:
    made = visit()
    page = made.open(f"/?level=municipalities&within=05570&area={TELGTE}")
    panel = page.locator("#area-panel")
    expect(panel.get_by_role("heading", name="Eigene Angebote")).to_be_visible()
    expect(panel.get_by_role("heading", name="Vom Kreis: Warendorf")).to_be_visible()
    expect(panel.locator(".standing__rank")).to_contain_text("im Kreis Warendorf")
    expect(panel.locator(".bar")).to_have_count(4)
    drawn = page.evaluate("[...document.querySelectorAll('.bar__length')].map((n) => n.getBBox().width)")
    assert 0 < max(drawn) <= 100
    if panel.locator(".subject[open]").count() == 0:
        panel.locator(".subject summary").first.press("Enter")
    assert page.locator("img[src=x]").count() == 0
    panel.get_by_role("link", name="Alle Angaben zu diesem Gebiet").focus()
    assert page.evaluate("document.scrollingElement.scrollTop + document.body.scrollTop") == 0
    assert made.axe() == []
    link = panel.get_by_role("link", name=re.compile("Eintrag stimmt nicht")).first
    href = link.get_attribute("href")
    assert href is not None
    parts = urlsplit(href)
    assert parts.path == "team@demo.example"
    assert f"/gebiete/{TELGTE}" in parse_qs(parts.query)["body"][0]
    page.get_by_text("Themenfelder", exact=True).last.click()
    page.get_by_role("checkbox", name="Familie & Kind").check()
    expect(panel.get_by_text("Gezeigt ist, was zum Filter passt.")).to_be_visible()
    expect(panel).not_to_contain_text("Wohnsitzmeldungen")
    panel_links = set(panel.locator(".services a").evaluate_all("(all) => all.map((link) => link.href)"))
    page.goto(f"{made.site}/gebiete/{TELGTE}?level=municipalities&within=05570&subject=familie_kind")
    expect(page.locator(".standing__rank")).to_contain_text("im Kreis Warendorf")
    page_links = set(page.locator(".services a").evaluate_all("(all) => all.map((link) => link.href)"))
    assert panel_links == page_links != set()
    assert made.axe() == []


def test_the_greys_differ_by_pattern_also_in_forced_colours(visit: Visitor) -> None:
    """Without hue: each swatch is reduced to which of its pixels are darker than its own mean."""
    page = visit(forced_colors="active").open("/")
    page.evaluate(
        """() => document.getElementById('legend-list').replaceChildren(
            ...['no_data', 'not_responsible', 'unincorporated', 'outside'].map((reason) => {
                const swatch = document.createElement('span');
                swatch.className = `legend__swatch legend__swatch--${reason}`;
                swatch.id = reason;
                swatch.style.cssText = 'display: block; width: 40px; height: 40px';
                return swatch;
            }))"""
    )
    shapes = {}
    for reason in ("no_data", "not_responsible", "unincorporated", "outside"):
        with Image.open(io.BytesIO(page.locator(f"#{reason}").screenshot())) as picture:
            grey = picture.convert("L").crop((3, 3, 37, 37))
        pixels = list(grey.getdata())
        mean = sum(pixels) / len(pixels)
        shapes[reason] = [pixel < mean - 4 for pixel in pixels]
    reasons = list(shapes)
    for number, one in enumerate(reasons):
        for other in reasons[:number]:
            differing = sum(a != b for a, b in zip(shapes[one], shapes[other], strict=True))
            assert differing > 0.05 * len(shapes[one]), (one, other)


def test_classes_have_colours_of_their_own_on_dark_ground(visit: Visitor) -> None:
    page = visit().open("/")
    given = {
        item["label"]: item
        for item in page.evaluate("fetch('/api/values/districts').then((r) => r.json())")["classes"]
    }
    for scheme, name in (("light", "colour"), ("dark", "dark")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        swatch = page.locator("#legend-list button", has_text=re.compile("^1")).locator(".legend__swatch")
        red, green, blue = (int(given["1"][name][i : i + 2], 16) for i in (1, 3, 5))
        expect(swatch).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
        assert given["1"][name] in page.evaluate(PAINTED)
