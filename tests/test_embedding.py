"""The map in frames of other sites: who may show it, and the code that does."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.errors import ConfigurationError


@pytest.fixture(scope="module")
def served(module_boundaries: Database) -> Iterator[Callable[..., FlaskClient]]:
    made: list[Flask] = []

    def make(**settings: Any) -> FlaskClient:
        app = create_app(replace(module_boundaries.settings, **settings), module_boundaries)
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        app.extensions["mapservice"].versions.close()


def ancestors(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert "X-Frame-Options" not in response.headers, "it knows no list and would contradict"
    found = re.search(r"frame-ancestors ([^;]*)", response.headers["Content-Security-Policy"])
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("setting", "view", "expected"),
    [
        ("*", "public", "*"),
        ("none", "public", "'none'"),
        ("https://stadt.example https://*.kreis.example:8443", "public",
         "'self' https://stadt.example https://*.kreis.example:8443"),
        ("*", "internal", "'self'"),
        ("https://intranet.example", "internal", "'self' https://intranet.example"),
    ],
)  # fmt: skip
def test_only_the_embed_page_may_be_framed_and_by_whom_is_set(
    served: Callable[..., FlaskClient], setting: str, view: str, expected: str
) -> None:
    allowed = Settings.from_environment({"MAPSERVICE_FRAME_ANCESTORS": setting}).frame_ancestors
    client = served(frame_ancestors=allowed, view=view)
    assert ancestors(client, "/embed") == expected
    # Errors are read inside the frame too.
    assert ancestors(client, "/embed?level=falsch") == expected
    for path in ("/", "/tabelle", "/einbinden", "/hilfe", "/api/health"):
        assert ancestors(client, path) == "'none'"


@pytest.mark.parametrize(
    "value",
    [
        "* https://x.example",
        "javascript:x",
        "https://x.example; script-src *",
        "https://x.example/pfad",
        "'none' *",
    ],
)
def test_wrong_sources_are_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="MAPSERVICE_FRAME_ANCESTORS"):
        Settings.from_environment({"MAPSERVICE_FRAME_ANCESTORS": value})


def test_the_embed_page_is_the_map_without_the_rest(served: Callable[..., FlaskClient]) -> None:
    page = served().get("/embed?level=municipalities&within=05570&lang=en").text
    assert '<base target="_blank">' in page
    link = re.search(r'id="embed-open" href="([^"]*)"([^>]*)>', page)
    assert link
    assert html.unescape(link[1]) == "/?level=municipalities&within=05570&lang=en"
    assert 'target="_blank" rel="noopener"' in link[2]
    assert "Open large map" in page


def test_the_code_shows_what_the_address_chooses(served: Callable[..., FlaskClient]) -> None:
    client = served(public_url="https://karten.example/ozg")
    response = client.get("/einbinden?level=municipalities&within=05570&status=planned&width=500&height=400")
    assert "frame-src 'self';" in response.headers["Content-Security-Policy"]
    found = re.search(r'<textarea[^>]*id="embed-code"[^>]*>(.*?)</textarea>', response.text, re.S)
    assert found
    code = html.unescape(found[1])
    source = re.search(r'src="([^"]*)"', code)
    assert source
    address = html.unescape(source[1])
    assert address.startswith("https://karten.example/ozg/embed?")
    assert {"level=municipalities", "within=05570", "status=planned"} == set(address.split("?")[1].split("&"))
    assert 'width="500" height="400"' in code
    assert "angebote der gemeinden" in code.casefold(), "a frame has a title"
    assert 'loading="lazy"' in code
    for wrong in ("width=5", "height=9999", "height=x", "height=-1", "measure=falsch"):
        assert client.get(f"/einbinden?{wrong}").status_code == 400, wrong


def test_where_nobody_may_embed_no_code_is_offered(served: Callable[..., FlaskClient]) -> None:
    client = served(frame_ancestors=())
    page = client.get("/einbinden").text
    assert "lässt das Einbetten nicht zu" in page
    assert "<iframe" not in page
    assert "/einbinden" not in client.get("/").text
