"""The operator's base map: nothing of it before the visitor agrees, and only for this visit."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from mapservice import create_app
from mapservice.config import Settings
from mapservice.database import Database
from tests.browser.conftest import AXE, DESKTOP, OF_AXE

GREY = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGM4AgAAygDJgFcl3QAAAABJRU5ErkJggg=="
)


@dataclass
class Tiles:
    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def tiles() -> Iterator[Tiles]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(GREY)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Tiles(f"http://localhost:{server.server_port}", asked)
    server.shutdown()


@pytest.fixture(scope="module")
def with_tiles(
    tiles: Tiles, module_boundaries: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a site with a base map that its operator configured."""
    settings = Settings(
        state_dir=tmp_path_factory.mktemp("basemap"),
        basemap_url=tiles.address + "/{z}/{y}/{x}.png",
        basemap_name="Graukarte",
        basemap_attribution="© Beispiel <b>",
        basemap_attribution_url="https://karte.example/",
        basemap_max_zoom=6,
    )
    app = create_app(settings, module_boundaries)
    running = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    app.extensions["mapservice"].versions.close()


def test_tiles_come_only_after_consent(browser: Browser, with_tiles: str, tiles: Tiles) -> None:
    context = browser.new_context(viewport=DESKTOP, locale="de-DE")  # type: ignore[arg-type]
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    answer = page.goto(with_tiles + "/")
    page.wait_for_selector("#map-page[data-painted][aria-busy=false]")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert f"img-src 'self' data: {tiles.address};" in policy
    page.locator("#zoom-in").click()
    page.wait_for_timeout(500)
    assert tiles.asked == [], "nothing before consent, not even after the map moved"
    button = page.get_by_role("button", name="Hintergrundkarte von Graukarte laden")
    button.click()
    question = page.locator("#basemap-question")
    expect(question).to_be_focused()
    expect(question).to_contain_text("kommt von localhost. Dieser Server erfährt dabei Ihre IP-Adresse")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert (
        page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((run) => run.violations)") == []
    )
    page.get_by_role("button", name="Nicht laden").click()
    expect(question).to_be_hidden()
    expect(button).to_be_focused()
    assert tiles.asked == []
    button.click()
    page.get_by_role("button", name="Zustimmen und laden").click()
    page.wait_for_selector(".leaflet-tile-loaded")
    assert tiles.asked
    zooms = {int(path.split("/")[1]) for path in tiles.asked}
    assert max(zooms) == 6, "no deeper than there are tiles"
    expect(page.locator(".map-sources")).to_contain_text("© Beispiel <b>")
    expect(page.locator(".map-sources")).to_contain_text("BKG")
    toggle = page.get_by_role("button", name="Hintergrundkarte von Graukarte", exact=True)
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#basemap-source")).to_be_hidden()
    # Remembered for this visit alone: neither stored nor in the address.
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]
    assert page.url == with_tiles + "/"
    before = len(tiles.asked)
    page.reload()
    page.wait_for_selector("#map-page[data-painted][aria-busy=false]")
    expect(button).to_be_visible()
    assert len(tiles.asked) == before
    page.goto(with_tiles + "/datenschutz")
    expect(page.locator("main")).to_contain_text(
        "Ausgenommen ist die Hintergrundkarte Graukarte: Sie kommt von localhost"
    )
    assert [text for text in wrong if not text.startswith(OF_AXE)] == []
    context.close()
