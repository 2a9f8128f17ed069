"""The map as visitors use it, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor

WARENDORF, COESFELD = "055700000000", "055580000000"


def legend(page: Page) -> dict[str, int]:
    """Areas per class as the legend says."""
    found = page.locator(".legend__item").all_inner_texts()
    rows = [[part for part in text.split("\n") if part] for text in found]
    return {row[0]: int(row[-1].replace(".", "")) for row in rows}


def test_it_loads_and_says_what_it_shows(visit: Visitor) -> None:
    page = visit().open("/")
    expect(page.locator("#map-title")).to_contain_text("Angebote der Kreise und kreisfreien Städte selbst")
    expect(page.locator("#map-result")).to_contain_text(
        "In 7 von 9 Kreisen und kreisfreien Städten ist mindestens eine Leistung online. Zu 1 fehlen Angaben."
    )
    expect(page.locator("#map-sources")).to_contain_text("Daten verändert")
    expect(page.locator("#demonstration")).to_be_visible()
    counts = legend(page)
    assert sum(counts.values()) == 9
    assert counts["Keine Angaben"] == 1
    colours = page.evaluate(
        """() => {
            const canvas = document.querySelector('.leaflet-overlay-pane canvas');
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let i = 0; i < data.length; i += 4)
                    if (data[i + 3] === 255) seen.add(data.slice(i, i + 3).join());
            return seen.size;
        }"""
    )
    assert colours > 3, "the canvas shows areas in different colours"


def test_a_filter_recolours_without_reloading(visit: Visitor) -> None:
    made = visit()
    page = made.open("/")
    before = legend(page)
    page.evaluate("window.stays = true")
    made.requests.clear()
    page.locator("#status-in_progress").check()
    page.wait_for_url("**/?status=online&status=in_progress")
    made.painted()
    expect(page.locator("#map-title")).to_contain_text("online / in Umsetzung")
    assert page.evaluate("window.stays") is True
    assert legend(page) != before
    assert [url for url in made.requests if "geometry" in url] == []
    assert len([url for url in made.requests if "/api/values/" in url]) == 1


def test_a_link_shows_the_same_map_and_back_goes_back(visit: Visitor) -> None:
    made = visit()
    page = made.open("/")
    page.get_by_text("Themenfelder", exact=True).last.click()
    page.get_by_role("checkbox", name="Familie & Kind").check()
    page.wait_for_url("**/?subject=familie_kind")
    page.get_by_label("Gemeinden", exact=True).check()
    page.wait_for_url("**/?level=municipalities&subject=familie_kind")
    made.painted()
    expect(page.locator("#map-title")).to_contain_text("Angebote der Gemeinden selbst")
    shown, title, address = legend(page), page.title(), page.url

    other = visit()
    copy = other.open(address.removeprefix(other.site))
    assert (legend(copy), copy.title()) == (shown, title)
    expect(copy.get_by_role("checkbox", name="Familie & Kind")).to_be_checked()

    page.go_back()
    page.wait_for_url("**/?subject=familie_kind")
    expect(page.locator("#map-title")).to_contain_text("Kreise")
    page.go_back()
    expect(page.get_by_role("checkbox", name="Familie & Kind")).not_to_be_checked()
    expect(page.locator("#map-title")).not_to_contain_text("Familie")
    page.go_forward()
    expect(page.get_by_role("checkbox", name="Familie & Kind")).to_be_checked()


def test_a_service_is_found_by_name_and_opens_the_measures_that_need_one(visit: Visitor) -> None:
    made = visit()
    page = made.open("/")
    expect(page.get_by_label("Status einer Leistung")).to_be_disabled()
    expect(page.locator("#measure-status-note")).to_have_text(re.compile("zuerst eine einzelne Leistung"))
    field = page.get_by_role("combobox", name="Leistung", exact=True)
    field.fill("kinder")
    expect(page.locator(".combobox__option")).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url("**/?service=10502")
    page.get_by_label("Status einer Leistung").check()
    page.wait_for_url("**/?service=10502&measure=status")
    made.painted()
    expect(page.locator("#map-title")).to_contain_text("Status von „Kindertagesbetreuung“")
    assert {"online", "in Umsetzung", "offen"} <= legend(page).keys()
    page.reload()
    made.painted()
    expect(field).to_have_value("Kindertagesbetreuung")
    page.get_by_role("link", name="Zurücksetzen").click()
    made.painted()
    expect(field).to_have_value("")
    assert page.url.endswith("/")


def test_set_filters_are_chips_that_come_off_by_keyboard(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?within=05570&service=10502&measure=status&scope=available&status=planned")
    chips = page.locator("#chips .chip:not(.chip--reset)")
    expect(chips).to_have_text(
        [
            re.compile("Warendorf, Kreis"),
            re.compile("Kindertagesbetreuung"),
            re.compile("Status einer Leistung"),
            re.compile("vor Ort verfügbar"),
            re.compile("Status: in Planung"),
        ]
    )
    expect(page.locator("#map-result")).to_contain_text(
        "im Kreis Warendorf ist „Kindertagesbetreuung“ in Planung"
    )
    assert made.axe() == []
    page.get_by_role("button", name="Filter entfernen: Kindertagesbetreuung").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?within=05570&status=planned&scope=available")
    made.painted()
    expect(page.get_by_role("combobox", name="Leistung", exact=True)).to_have_value("")
    expect(chips).to_have_count(3)
    expect(page.get_by_role("button", name="Filter entfernen: vor Ort verfügbar")).to_be_focused()
    expect(page.locator("#map-result")).to_contain_text("mindestens eine Leistung in Planung")
    page.get_by_role("button", name="Alle Filter zurücksetzen").click()
    made.painted()
    expect(page.locator("#chips")).to_be_hidden()
    expect(page.locator("#map-title")).to_be_focused()
    assert page.url.endswith("/")
    page.go_back()
    expect(chips).to_have_count(3)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_area_opens_by_a_click_and_leads_to_its_page(visit: Visitor, size: dict[str, int]) -> None:
    made = visit(size)
    page = made.open("/?within=05570")
    page.wait_for_load_state("networkidle")  # finer borders follow where the map starts close
    canvas = page.locator("#map_ozg").bounding_box()
    assert canvas is not None
    centre = page.evaluate(
        f"""async () => {{
            const area = await (await fetch('/api/areas/{WARENDORF}')).json();
            const point = map_ozg.latLngToContainerPoint([area.label[1], area.label[0]]);
            return [point.x, point.y];
        }}"""
    )
    page.mouse.move(canvas["x"] + centre[0] + 1, canvas["y"] + centre[1])
    page.mouse.click(canvas["x"] + centre[0], canvas["y"] + centre[1])
    panel = page.locator("#area-panel")
    expect(page.locator("#download-pdf-a4")).to_have_attribute("href", re.compile("area=055700000000"))
    expect(panel.get_by_role("heading", name="Warendorf")).to_be_visible()
    page.wait_for_url(f"**/?within=05570&area={WARENDORF}")
    expect(panel.get_by_text("Eigene Angebote")).to_be_visible()
    counted = page.evaluate(f"fetch('/api/areas/{WARENDORF}').then((answer) => answer.json())")["counts"][
        "own"
    ]
    shown = [int(text) for text in panel.locator(".fact dd").all_inner_texts()][:3]
    assert shown == [counted["online"], counted["in_progress"], counted["planned"]]
    panel.locator("summary").first.click()
    assert page.locator("img[src=x]").count() == 0, "names are text"
    assert made.axe() == []
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.go_back()
    expect(panel).to_be_visible()
    panel.get_by_role("link", name="Alle Angaben").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Warendorf")


def test_the_tooltip_names_the_area_and_its_value(visit: Visitor) -> None:
    page = visit().open("/?within=05558")
    page.wait_for_load_state("networkidle")
    box = page.locator("#map_ozg").bounding_box()
    assert box is not None
    x, y = page.evaluate(
        f"""async () => {{
            const area = await (await fetch('/api/areas/{COESFELD}')).json();
            const point = map_ozg.latLngToContainerPoint([area.label[1], area.label[0]]);
            return [point.x, point.y];
        }}"""
    )
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.move(box["x"] + x + 2, box["y"] + y + 2)
    expect(page.locator(".tooltip")).to_contain_text("Coesfeld")
    expect(page.locator(".tooltip")).to_contain_text("keine Angaben")


def test_a_place_is_found_by_keyboard(visit: Visitor) -> None:
    made = visit()
    page = made.open("/?level=municipalities")
    field = page.get_by_role("combobox", name="Ort oder Leistung suchen")
    field.focus()
    page.keyboard.type("muenst")
    expect(page.locator(".combobox__option", has_text="Münster")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-heading")).to_have_text("Münster")
    expect(page.locator("#panel-heading")).to_be_focused()


def test_on_a_phone_the_filters_are_a_sheet_from_below(visit: Visitor) -> None:
    made = visit(PHONE)
    page = made.open("/")
    expect(page.locator("#map-title")).to_be_in_viewport()
    expect(page.locator("#rail")).not_to_be_in_viewport()
    button = page.get_by_role("button", name="Filtern")
    button.click()
    expect(page.locator("#filter-within")).to_be_in_viewport()
    assert made.axe() == []
    page.get_by_label("Länder", exact=True).check()
    page.wait_for_url("**/?level=states")
    page.keyboard.press("Escape")
    expect(page.locator("#rail")).not_to_be_visible()
    expect(button).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_failing_answer_is_said_in_words_and_can_be_repeated(visit: Visitor) -> None:
    made = visit()
    made.page.route("**/api/values/**", lambda route: route.abort())
    page = made.open("/", painted=False)
    expect(page.get_by_role("alert")).to_contain_text("konnten nicht geladen werden")
    made.wrong.clear()
    page.unroute("**/api/values/**")
    page.get_by_role("button", name="Noch einmal versuchen").click()
    made.painted()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_without_scripts_there_are_form_picture_legend_and_table(visit: Visitor) -> None:
    made = visit(PHONE, java_script_enabled=False)
    page = made.page
    # The first picture of a process takes some seconds more, on a busy machine many.
    page.set_default_navigation_timeout(90_000)
    page.goto(f"{made.site}/")
    picture = page.locator(".map-picture img")
    expect(picture).to_have_attribute("alt", re.compile("^In [0-9] von 9 Kreisen und kreisfreien Städten"))
    expect(page.locator("#sheet-close")).to_be_hidden()
    page.get_by_label("Region").select_option("05570")
    page.get_by_label("Gemeinden", exact=True).check()
    page.get_by_role("button", name="Anzeigen").click()
    expect(page.locator(".map-picture figcaption")).to_contain_text("von 13 Gemeinden im Kreis Warendorf")
    page.wait_for_load_state()
    assert page.locator(".map-picture img").evaluate("image => image.naturalWidth") == 1000
    counts = page.locator(".map-picture__legend td").all_inner_texts()
    assert sum(int(count) for count in counts) == 13
    expect(page.get_by_role("link", name="Alle Werte als Tabelle")).to_have_attribute(
        "href", re.compile("within=05570")
    )
    page.get_by_role("button", name="Als Tabelle zeigen").click()
    expect(page.get_by_role("rowheader", name="Telgte")).to_be_visible()
    page.get_by_role("link", name="Leistungen", exact=True).click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Leistungen"))
