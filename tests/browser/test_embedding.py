"""The map in a frame of another site, the code for it, and the pages of texts, as visitors meet them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from mapservice import create_app, privileges
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.postgres import Server
from tests.browser.conftest import Visit, Visitor
from tests.conftest import urls_of

SMALL = {"width": 320, "height": 640}
PAINTED = "#map-page[data-painted][aria-busy=false]"


class Host(BaseHTTPRequestHandler):
    """Another site, whose page shows the address in its query in a frame."""

    def do_GET(self) -> None:
        address = self.path.partition("?")[2]
        body = (
            f"<!doctype html><title>Stadt</title><iframe src='{address}' width='300' height='300'></iframe>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The address of a site of another origin."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()


@pytest.fixture(scope="module")
def closed_site(
    site: str, server: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The same data, with texts of the operator, and frames for its own pages alone."""
    folder: Path = tmp_path_factory.mktemp("texte")
    (folder / "aktuelles").mkdir()
    for name in ("impressum", "datenschutz", "barrierefreiheit", "schlichtungsstelle"):
        (folder / f"{name}.md").write_text(
            f"# {name}\n\n## Abschnitt\n\nText mit [Link](https://stadt.example)."
        )
    table = "| Wann | Was wird erneuert und wer macht das |\n| --- | --- |\n| monatlich | alles |\n"
    (folder / "fragen.md").write_text(f"# Fragen\n## Wer?\nWir.\n## Was?\nDas.\n## Wann?\n{table}")
    (folder / "aktuelles" / "2026-11-20-neu.md").write_text("# Neue Grenzen\n\nText")
    settings = Settings(
        state_dir=tmp_path_factory.mktemp("closed"),
        texts_dir=folder,
        frame_ancestors=("'self'",),
        contact_mail="karte@stadt.example",
        plain_language_url="https://stadt.example/leicht",
    )
    database = Database(urls_of(server, f"{template}_browser", privileges.Roles.of(template)), settings)
    app = create_app(settings, database)
    running = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    app.extensions["mapservice"].versions.close()
    database.dispose()


def test_another_site_shows_the_map_in_a_frame(browser: Browser, site: str, elsewhere: str) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 600}, locale="de-DE")
    page = context.new_page()
    page.goto(f"{elsewhere}/?{site}/embed?within=05570&level=municipalities")
    frame = page.frame_locator("iframe")
    frame.locator(PAINTED).wait_for()
    expect(frame.locator("#map-title")).to_contain_text("Gemeinden")
    expect(frame.locator("#demonstration")).to_be_visible()
    expect(frame.locator("#map-sources")).to_be_visible()
    expect(frame.locator("#legend-heading")).to_be_visible()
    for hidden in ("#rail", "#sheet-button", ".site-header", "#chips"):
        expect(frame.locator(hidden)).to_be_hidden()
    room = frame.locator("#map_ozg").bounding_box()
    assert room, "the map has room even here"
    assert room["height"] >= 90
    with context.expect_page() as opened:
        frame.get_by_role("link", name="Große Karte öffnen").click()
    opened.value.wait_for_url(f"{site}/?*")
    assert {"level=municipalities", "within=05570"} <= set(opened.value.url.partition("?")[2].split("&"))
    assert opened.value.evaluate("window.opener") is None
    # What is opened inside the frame is no step of the page around it, and its links leave the frame.
    steps = page.evaluate("history.length")
    page.goto(f"{elsewhere}/?{site}/embed?area=055700000000")
    frame.locator("#area-panel").wait_for()
    assert page.evaluate("history.length") == steps + 1
    frame.locator("#panel-close").click()
    expect(frame.locator("#area-panel")).to_be_hidden()
    assert page.evaluate("history.length") == steps + 1
    context.close()


def test_a_site_that_is_not_allowed_shows_nothing(browser: Browser, closed_site: str, elsewhere: str) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{elsewhere}/?{closed_site}/embed")
    page.wait_for_timeout(300)
    assert any("frame-ancestors" in text for text in said)
    assert page.frames[1].url.startswith("chrome-error:")
    page.goto(f"{elsewhere}/?{closed_site}/tabelle")
    assert page.frames[1].url.startswith("chrome-error:")
    # Its own preview is its own site.
    page.goto(f"{closed_site}/einbinden")
    page.locator("#embed-preview").scroll_into_view_if_needed()
    page.frame_locator("#embed-preview").locator(PAINTED).wait_for()
    page.close()


def test_link_and_code_are_copied_by_keyboard(browser: Browser, site: str) -> None:
    context = browser.new_context(locale="de-DE", viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page: Page = context.new_page()
    page.goto(f"{site}/?level=municipalities&within=05570")
    page.wait_for_selector(PAINTED)
    clipboard = "navigator.clipboard.readText()"
    page.get_by_role("button", name="Link kopieren").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Link kopiert", exact=True)).to_be_visible()
    assert page.evaluate(clipboard) == page.url
    page.get_by_role("link", name="Einbetten").click()
    page.wait_for_url("**/einbinden?level=municipalities&within=05570")
    page.get_by_label("Höhe in Pixeln").fill("450")
    expect(page.locator("#embed-preview")).to_have_attribute("height", "450")
    page.get_by_role("button", name="Code kopieren").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Code kopiert")
    assert 'width="100%" height="450"' in page.evaluate(clipboard)
    assert f'src="{site}/embed?level=municipalities&amp;within=05570"' in page.evaluate(clipboard)
    context.close()


@pytest.mark.parametrize("language", ["de", "en"])
def test_pages_are_accessible_on_the_smallest_phone(visit: Visitor, closed_site: str, language: str) -> None:
    made: Visit = visit(SMALL)
    made.site = closed_site
    paths = (
        "/embed",
        "/einbinden",
        "/hilfe",
        "/fragen",
        "/aktuelles",
        "/aktuelles/2026-11-20-neu",
        "/impressum",
        "/datenschutz",
        "/barrierefreiheit",
    )
    for path in paths:
        made.open(f"{path}?lang={language}", painted=path == "/embed")
        assert made.axe() == [], path
        wide = made.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{path} scrolls sideways"
    made.requests.clear()  # all of them went to the closed site
