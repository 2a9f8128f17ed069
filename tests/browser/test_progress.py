"""Progress over time and what is new: read, compared with the table beside the chart, followed by a feed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from lxml import etree  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.atom_rules import ATOM, broken
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_neighbours import barriers, choose

DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=100)
FIRST = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=300)
SENTENCE = re.compile(r"(.+): Heute sind (\d+) von (\d+) Leistungen online\. Am ([\d.]+) waren es (\d+)\.")
WIDE = "document.documentElement.scrollWidth > innerWidth"


def rows(page: Page) -> list[list[str]]:
    """What the table below the chart says, day by day, the newest first."""
    lines = page.get_by_role("table", name="Verlauf").locator("tbody tr").all()
    return [[text.strip() for text in line.locator("th, td").all_text_contents()] for line in lines]


def heights(page: Page, name: str) -> list[float]:
    """How high an area stands at each of its days, as part of the highest mark of the axis."""
    drawing = page.locator("svg.progress__chart")
    points = drawing.locator(f".progress__area--{name}").get_attribute("points") or ""
    pairs = [tuple(float(number) for number in pair.split(",")) for pair in points.split()]
    lines = [float(line.get_attribute("y1") or 0) for line in drawing.locator(".progress__grid").all()]
    by_day: dict[float, list[float]] = {}
    for x, y in pairs:
        by_day.setdefault(x, []).append(y)
    return [(max(ys) - min(ys)) / (max(lines) - min(lines)) for _, ys in sorted(by_day.items())]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_how_far_an_authority_has_come(visit: Visitor, size: dict[str, int]) -> None:
    made = visit(size)
    page = made.open("/fortschritt", painted=False)
    assert barriers(made) == []
    choose(page, "Behörde", "sendenhorst", "Sendenhorst")
    expect(page.get_by_role("heading", name="Sendenhorst", level=2)).to_be_visible()
    said = SENTENCE.fullmatch(page.locator(".result").inner_text())
    assert said
    name, now, of, then, earlier = said.groups()
    assert name.startswith("Sendenhorst")
    told = rows(page)
    assert (told[0][1], told[0][4]) == (now, of)
    assert int(now) > int(earlier) == 0
    assert (told[-1][0], told[-1][1], then) == (f"{FIRST:%d.%m.%Y}", earlier, f"{FIRST:%d.%m.%Y}")
    chart = page.get_by_role("img", name=said[0])
    expect(chart).to_be_visible()
    top = max(
        int(text.replace(".", ""))
        for text in chart.locator("text[text-anchor=end]").all_text_contents()
        if text.isdigit()
    )
    for area, column in (("online", 1), ("in_progress", 2), ("planned", 3)):
        drawn = heights(page, area)
        assert drawn == pytest.approx([int(row[column]) / top for row in reversed(told)], abs=0.01), area
    assert not page.evaluate(WIDE)
    assert barriers(made) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_to_the_target_lists_and_back_by_keyboard(visit: Visitor, size: dict[str, int]) -> None:
    made = visit(size)
    page = made.open("/fortschritt", painted=False)
    page.get_by_role("link", name="Ziellisten: wer übernimmt was bis wann?").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/fortschritt/liste")
    expect(page.get_by_role("heading", name="Ziellisten", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Zielliste (Demonstration)")).to_be_visible()
    assert not page.evaluate(WIDE)
    assert barriers(made) == []
    page.get_by_role("navigation", name="Wo Sie sind").get_by_role("link", name="Fortschritt").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fortschritt", level=1)).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_neighbours_on_a_past_day_by_keyboard(visit: Visitor, size: dict[str, int]) -> None:
    """Then nothing was online: the list says so of that day, and leads back to today."""
    made = visit(size)
    page = made.open("/nachbarn?authority=055700044044&service=10500&around=50&status=online", painted=False)
    expect(page.locator("#n1")).to_contain_text("online")
    page.get_by_label("Stand", exact=True).focus()
    page.get_by_label("Stand", exact=True).select_option(label="an einem bestimmten Tag")
    day = page.get_by_label("Tag", exact=True)
    day.fill(DAY.isoformat())
    with page.expect_navigation():
        day.press("Enter")
    expect(page.locator(".past-day")).to_contain_text(f"Stand vom {DAY:%d.%m.%Y}.")
    expect(page.locator("#n1")).to_have_count(0)
    assert not page.evaluate(WIDE)
    assert barriers(made) == []
    page.get_by_role("link", name="Zurück zu heute").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#n1")).to_contain_text("online")
    assert "stand" not in page.url


def test_a_feed_reader_finds_the_feed(visit: Visitor) -> None:
    """By the link in the head, as readers do, with the filters of the page."""
    page = visit().open("/neu?within=05570", painted=False)
    link = page.locator("head link[rel=alternate][type='application/atom+xml']")
    answer = page.request.get(link.get_attribute("href") or "")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert broken(answer.body()) == []
    feed = etree.fromstring(answer.body())
    assert feed.findtext(f"{ATOM}title") == f"Demonstrationsdaten · {link.get_attribute('title')}"
    listed = page.locator("table tbody tr").count()
    assert len(feed.findall(f"{ATOM}entry")) == listed > 0
