"""The comparison of the four partners: on a desk, on a phone, by keyboard, on paper."""

from __future__ import annotations

import io
import time

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor

PARTNERS = ["Münster", "Coesfeld", "Warendorf", "Hamm"]


def choose_partners(page: Page) -> None:
    page.get_by_label("Vergleichen mit").select_option(label="Vier Partner (Demonstration) (4)")
    page.get_by_role("button", name="Vergleichen").click()
    expect(page.locator("table.matrix")).to_be_visible()


def heads(page: Page) -> list[str]:
    """What stands in the head of each column, as it is seen."""
    return [head.text_content().partition(" (")[0] for head in page.locator("thead .matrix__name").all()[1:]]  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_four_partners(visit: Visitor, size: dict[str, int]) -> None:
    made = visit(size)
    page = made.open("/vergleich", painted=False)
    choose_partners(page)
    assert heads(page) == PARTNERS
    row = page.locator("tbody tr", has_text="10500")
    cells = [cell.strip() for cell in row.locator("td.s").all_text_contents()]
    assert cells[1] == "keine Angaben"
    assert {"online", "in Umsetzung", "in Planung", "offen"} > {cells[0], cells[2], cells[3]}
    expect(page.locator("#result")).to_contain_text("3 Leistungen bei 4 Behörden")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert made.axe() == []
    page.get_by_label("Zeigen").first.select_option(label="Warendorf (Kreis)")
    page.get_by_role("button", name="Zeigen", exact=True).click()
    assert heads(page) == ["Warendorf"]
    expect(row.locator("td.s")).to_contain_text(cells[2])
    assert made.axe() == []


def test_heads_stay_in_view_both_ways(visit: Visitor) -> None:
    page = visit(PHONE).open("/vergleich?group=municipalities:05570", painted=False)
    frame = page.locator(".matrix-scroll")
    frame.evaluate("(box) => { box.style.maxHeight = '16rem'; box.scrollTop = 400; box.scrollLeft = 300 }")
    box = frame.bounding_box()
    assert box
    head = page.locator("thead").bounding_box()
    name = page.locator("tbody tr").last.locator("th").bounding_box()
    assert head
    assert name
    assert abs(head["y"] - box["y"]) <= 2
    assert abs(name["x"] - box["x"]) <= 2


def test_the_table_is_scrolled_by_keyboard(visit: Visitor) -> None:
    page = visit(PHONE).open("/vergleich?group=municipalities:05570", painted=False)
    frame = page.locator(".matrix-scroll")
    frame.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    deadline = time.monotonic() + 10
    while frame.evaluate("box => box.scrollLeft") <= 50:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def test_the_workbook_is_taken_along(visit: Visitor) -> None:
    page = visit().open("/vergleich?group=vier-partner", painted=False)
    page.get_by_text("Herunterladen und drucken").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Excel (XLSX)").click()
    book = openpyxl.load_workbook(io.BytesIO(waiting.value.path().read_bytes()))
    assert book.worksheets[0].freeze_panes == "G2"


def test_on_paper_the_whole_table_stands_without_a_frame(visit: Visitor) -> None:
    page = visit().open("/vergleich?group=municipalities:05570", painted=False)
    page.emulate_media(media="print")
    assert page.locator(".matrix-tools").is_hidden()
    assert page.evaluate(
        "(() => { const box = document.querySelector('.matrix-scroll');"
        " return getComputedStyle(box).overflow === 'visible' })()"
    )


def test_what_a_list_wants_and_who_takes_it(visit: Visitor) -> None:
    made = visit(PHONE)
    page = made.open("/vergleich", painted=False)
    page.get_by_role("link", name="Zielliste (Demonstration)").click()
    expect(page.get_by_role("heading", name="Wer übernimmt was?")).to_be_visible()
    assert page.locator("caption#taken").is_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert made.axe() == []
    page.get_by_role("link", name="Nebeneinander vergleichen").click()
    expect(page.locator("#caption")).to_contain_text("Zielliste „Zielliste (Demonstration)“")
