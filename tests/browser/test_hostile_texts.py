"""Text from files is text on every page, and no length or direction of it breaks a page.

The names stand in the database as no import lets them through: longer, and with a direction of their own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect
from sqlalchemy import insert, update
from werkzeug.serving import make_server

from mapservice import create_app
from mapservice.database import Database
from mapservice.models import Authority, Boundary, Solution
from mapservice.search import terms
from tests.browser.conftest import DESKTOP
from tests.entries import add_entry, add_service, set_publication

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script> ${alert(3)} {{7*7}} {alert(4)}"
RIGHT_TO_LEFT = "שירות \u202eרישום מגורים"
LONG = "Wohnsitzanmeldungsbestätigungsverfahren" * 128 + "ENDE"
WARENDORF, MUENSTER, TELGTE = "055700000000", "055150000000", "055700044044"
SMALL = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def hostile(module_boundaries: Database) -> Iterator[str]:
    """A site whose catalogue, authorities, areas, solutions and entries all say the like."""
    assert len(LONG) > 4_990
    with module_boundaries.owner() as connection:
        for key, name in (("10500", MARKUP), ("10501", RIGHT_TO_LEFT), ("10502", LONG)):
            add_service(connection, key, name=name, subject_area_id=6)
        solution = connection.execute(
            insert(Solution)
            .values(name=MARKUP, platform=RIGHT_TO_LEFT, conditions=LONG)
            .returning(Solution.id)
        ).scalar_one()
        for ars in (WARENDORF, MUENSTER, TELGTE):
            set_publication(connection, ars)
            for key in ("10500", "10501", "10502"):
                add_entry(connection, ars, key, solution_id=solution, url=f"https://demo.example/{ars}/{key}")
        for ars, name in ((WARENDORF, MARKUP), (MUENSTER, RIGHT_TO_LEFT), (TELGTE, LONG)):
            connection.execute(
                update(Boundary).where(Boundary.ars == ars).values(name=name, designation=name)
            )
            connection.execute(update(Authority).where(Authority.ars == ars).values(name=name))
        terms.refresh_places(connection)
        terms.refresh_services(connection)
    app = create_app(module_boundaries.settings, module_boundaries)
    running = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    app.extensions["mapservice"].versions.close()


ADDRESSES = (
    "/?service=10500",
    "/?service=10501&measure=status&status=planned",
    "/?service=10502",
    f"/?level=municipalities&within=05570&area={TELGTE}&service=10502&service=10500",
    f"/?area={MUENSTER}",
    f"/embed?area={WARENDORF}&service=10502",
    "/tabelle?service=10502&within=05570",
    "/tabelle?level=municipalities&within=05570",
    f"/gebiete/{TELGTE}",
    f"/gebiete/{WARENDORF}?service=10500",
    "/suche?q=wohnsitz",
    "/einbinden?service=10502",
    "/api/collections/municipalities/items?f=html&limit=50",
)


@pytest.mark.parametrize("size", [DESKTOP, SMALL], ids=["desktop", "small"])
def test_nothing_of_it_is_run_or_breaks_the_page(
    browser: Browser, hostile: str, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport=size, locale="de-DE")  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    page = context.new_page()
    said: list[str] = []
    watch(page, said)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    wrong: list[str] = []
    for address in ADDRESSES:
        page.goto(hostile + address)
        if page.locator("#map-page").count():
            page.wait_for_selector("#map-page[data-painted][aria-busy=false]")
            wrong += look_at_map(page, address)
        checks = {
            "a picture": page.locator("img[src='x'], img[onerror]").count() == 0,
            "wider than the window": page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
            "a template's answer": "49" not in page.locator("main").inner_text().split(),
        }
        wrong += [f"{address}: {what}" for what, fine in checks.items() if not fine]
    assert not wrong, "\n".join(wrong)
    assert said == []
    context.close()


def watch(page: Page, said: list[str]) -> None:
    """Notes what a script would say that ran."""

    def dialog(shown: Dialog) -> None:
        said.append(shown.message)
        shown.dismiss()

    page.on("dialog", dialog)


def look_at_map(page: Page, address: str) -> list[str]:
    """The map keeps a place to be seen, whatever its title says."""
    box = page.locator(".leaflet-container").bounding_box()
    assert box is not None
    if "area=" in address:
        expect(page.locator("#panel-body h3").first).to_be_visible()
    return [f"{address}: {box['height']} pixels are left of the map"] if box["height"] < 120 else []


def with_markup(route: Route) -> None:
    """A geometry file as an import of such a name would have made it."""
    text = route.fetch().text()
    assert '"Warendorf"' in text
    route.fulfill(body=text.replace('"Warendorf"', json.dumps(MARKUP)), content_type="application/json")


def test_search_and_tooltip_show_it_as_it_is(browser: Browser, hostile: str) -> None:
    context = browser.new_context(viewport=DESKTOP, locale="de-DE")  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    watch(page, said)
    page.goto(hostile + "/")
    page.wait_for_selector("#map-page[data-painted][aria-busy=false]")
    page.locator("#search-field").fill("onerror")
    options = page.locator("[role=option]")
    expect(options.filter(has_text=MARKUP).first).to_be_visible()
    page.locator("#search-field").fill("10502")
    expect(options.first).to_contain_text("Wohnsitzanmeldung")
    box = options.first.bounding_box()
    assert box is not None
    assert box["height"] < 200
    page.route("**/*.topojson", with_markup)
    page.goto(f"{hostile}/?area={WARENDORF}")
    page.wait_for_selector("#map-page[data-painted][aria-busy=false]")
    page.locator("#panel-close").click()
    page.locator(".leaflet-container").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tooltip")).to_contain_text(MARKUP)
    assert page.locator("img[src='x']").count() == 0
    assert said == []
    context.close()
