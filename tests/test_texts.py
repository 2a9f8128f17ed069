"""The operator's texts: shown as written, never as more than text; wrong ones named with file and line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.cli import cli
from mapservice.database import Database
from mapservice.texts import Texts, is_safe

LEGAL = ("/impressum", "/datenschutz", "/barrierefreiheit")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texte" / "aktuelles").mkdir(parents=True)
    return tmp_path / "texte"


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


def test_a_text_is_a_page(folder: Path, served: Callable[..., FlaskClient]) -> None:
    (folder / "impressum.md").write_text("# Anbieter\n\nStadt Musterlingen\n\n#### Vertretung\n\nFrau Muster")
    (folder / "fragen.md").write_text("# Fragen\n## Wer?\nWir.\n## Wie?\nSo.\n## Öfter?\n[Tabelle](/tabelle)")
    client = served(texts_dir=folder, public_url="https://karten.example/ozg")
    page = client.get("/impressum").text
    assert page.count("<h1") == 1
    assert "Stadt Musterlingen" in page
    assert '<h2 id="t-vertretung"' in page, "no level of headings is left out"
    assert "Hier fehlt der Text" not in page
    questions = client.get("/fragen").text
    assert [*re.findall(r'href="#(t-[a-z]+)"', questions)] == ["t-wer", "t-wie", "t-oefter"]
    assert 'href="/ozg/tabelle"' in questions, "links into the site keep its path"
    assert "/ozg/fragen" in client.get("/hilfe").text


def test_a_missing_text_is_told_to_the_operator_and_invented_for_nobody(
    served: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    for settings in ({}, {"texts_dir": tmp_path / "gibt-es-nicht"}):
        client = served(**settings)
        for path, name in zip(LEGAL, ("impressum", "datenschutz", "barrierefreiheit"), strict=True):
            page = client.get(path)
            assert page.status_code == 200
            assert f"Datei {name}.md im Ordner der Einstellung MAPSERVICE_TEXTS_DIR" in page.text
            assert str(tmp_path) not in page.text, "the public does not learn of folders"
        assert "schlichtungsstelle.md" in client.get("/barrierefreiheit").text
        assert client.get("/fragen").status_code == client.get("/aktuelles").status_code == 404
        footer = client.get("/daten").text
        assert "/fragen" not in footer
        assert "/aktuelles" not in footer
        assert "Leichte Sprache" not in footer


def test_news_are_listed_with_the_newest_first(folder: Path, served: Callable[..., FlaskClient]) -> None:
    news = folder / "aktuelles"
    (news / "2026-01-05-alt.md").write_text("# Alte Meldung\nText")
    (news / "2026-11-20-neu.md").write_text("# Neue Meldung\nText")
    (news / "2026-11-20-neu.en.md").write_text("# New message\nText in English")
    (news / "ohne-datum-im-namen.md").write_text("---\ntitel: Mittlere <b>\ndatum: 03.05.2026\n---\nText")
    (news / "kaputt.md").write_text("Text")
    client = served(texts_dir=folder)
    page = client.get("/aktuelles").text
    assert re.findall(r">([^<]* Meldung|Mittlere[^<]*)</a>", page) == [
        "Neue Meldung",
        "Mittlere &lt;b&gt;",
        "Alte Meldung",
    ]
    assert "20.11.2026" in page
    assert "Neue Meldung</h1>" in client.get("/aktuelles/2026-11-20-neu").text
    english = client.get("/aktuelles/2026-11-20-neu?lang=en").text
    assert "New message</h1>" in english
    assert 'href="/aktuelles/2026-11-20-neu"' in english, "the other language leads to the same news"
    assert 'lang="de"' in client.get("/aktuelles/2026-01-05-alt?lang=en").text
    for wrong in ("gibt-es-nicht", "..%2Fimpressum", "2026-11-20-neu.en", "kaputt"):
        assert client.get(f"/aktuelles/{wrong}").status_code == 404


def test_a_change_is_seen_without_a_restart(folder: Path, served: Callable[..., FlaskClient]) -> None:
    path = folder / "impressum.md"
    client = served(texts_dir=folder)
    assert "Hier fehlt" in client.get("/impressum").text
    for number, text in enumerate(("Erste Fassung", "Zweite Fassung")):
        path.write_text(text)
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
        assert text in client.get("/impressum").text
    path.unlink()
    assert "Hier fehlt" in client.get("/impressum").text


HOSTILE = """# Impressum <script>alert(1)</script>

<script>alert(2)</script>

Text <img src=x onerror=alert(3)> [a](javascript:alert(4)) [b](JaVaScRiPt&#58;alert(5))
[c](data:text/html,x) [d](//boese.example) [e](vbscript:x) [f](/\\boese.example) ![g](https://boese.example/g.png)

<javascript:alert(6)> [h](https://gut.example "x\\" onclick=\\"alert(7)") ${1+1} {{ 7*7 }}
"""


def test_hostile_text_is_text(folder: Path, served: Callable[..., FlaskClient]) -> None:
    (folder / "impressum.md").write_text(HOSTILE)
    page = served(texts_dir=folder).get("/impressum").text
    main = page[page.index("<main") : page.index("</main")]
    assert "<script" not in main
    assert "<img" not in main
    # Nothing of the file is a tag or an attribute of one.
    assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', main))
    links = re.findall(r'href="([^"]*)"', main)
    assert set(links) == {"https://boese.example/g.png", "https://gut.example"}
    assert "{{ 7*7 }}" in main
    found = [str(finding) for finding in Texts(folder).findings()]
    assert "impressum.md, Zeile 3: HTML wird als Text gezeigt, nicht ausgeführt" in found
    assert any(text.startswith("impressum.md, Zeile 5: dieser Link wird nicht angeboten") for text in found)
    assert any(text.startswith("impressum.md, Zeile 6: Bilder") for text in found)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:x",
        " JAVASCRIPT:x",
        "data:x",
        "file:///etc/passwd",
        "//x.example",
        "\\\\x",
        "/\\x",
        "http://[",
    ],
)
def test_links_lead_nowhere_else(address: str) -> None:
    assert not is_safe(address)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("impressum.md", b"# A\nText\n\xff\xfe", "impressum.md, Zeile 3: kein UTF-8"),
        ("impressum.md", b"x" * 200_001, "impressum.md, Zeile 1: größer als 200 kB"),
        ("impressum.md", b"a\nb\x00c", "impressum.md, Zeile 2: enthält Steuerzeichen"),
        ("impressum.md", "a\n\nb\u202ec".encode(), "impressum.md, Zeile 3: enthält Steuerzeichen"),
        ("aktuelles/2026-11-23-x.md", b"Nur Text", "aktuelles/2026-11-23-x.md, Zeile 1: ohne Titel"),
        ("aktuelles/x.md", b"# Titel", "aktuelles/x.md, Zeile 1: ohne Datum"),
        ("aktuelles/x.md", b"---\ntitel: A\ndatum: 31.02.2026\n---\n", "Zeile 3: kein Datum: 31.02.2026"),
        ("aktuelles/2026-13-01-x.md", b"# Titel", "Zeile 1: kein Datum: 2026-13-01"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_shown_is_named_with_its_line(
    folder: Path, served: Callable[..., FlaskClient], name: str, content: bytes, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (folder / name).write_bytes(content)
    monkeypatch.setenv("MAPSERVICE_TEXTS_DIR", str(folder))
    done = CliRunner().invoke(cli, ["check-texts"])
    assert done.exit_code == 1
    assert said in done.output
    client = served(texts_dir=folder)
    if name == "impressum.md":
        assert said in client.get("/impressum").text
    else:
        assert client.get("/aktuelles").status_code == 404


def test_the_check_of_texts_is_content_with_whole_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSERVICE_TEXTS_DIR", str(folder))
    done = CliRunner().invoke(cli, ["check-texts"])
    assert done.exit_code == 1
    assert "fehlt  impressum.md" in done.output
    for name in ("impressum", "datenschutz", "barrierefreiheit", "schlichtungsstelle"):
        (folder / f"{name}.md").write_text("Text")
    done = CliRunner().invoke(cli, ["check-texts"])
    assert done.exit_code == 0, done.output
    assert "da     impressum.md" in done.output
    assert "fehlt  MAPSERVICE_CONTACT_MAIL" in done.output


def test_settings_lead_to_forms_and_other_languages(served: Callable[..., FlaskClient]) -> None:
    client = served(
        contact_mail="karte@stadt.example",
        accessibility_form_url="https://stadt.example/melden",
        plain_language_url="https://stadt.example/leicht",
        sign_language_url="https://stadt.example/dgs",
    )
    page = client.get("/barrierefreiheit").text
    assert 'href="https://stadt.example/melden"' in page
    assert 'href="mailto:karte@stadt.example?subject=Barriere%20melden"' in page
    for path in ("/", "/tabelle", "/hilfe"):
        text = client.get(path).text
        assert 'href="https://stadt.example/leicht"' in text
        assert 'href="https://stadt.example/dgs"' in text


def test_the_present_page_is_marked_in_both_languages(
    served: Callable[..., FlaskClient],
) -> None:
    client = served()
    assert re.search(r'href="/hilfe" aria-current="page"', client.get("/hilfe").text)
    assert re.search(r'href="/impressum" aria-current="page"', client.get("/impressum").text)
    assert "Grau heißt nicht null" in client.get("/hilfe").text
    assert "Grey does not mean zero" in client.get("/hilfe?lang=en").text
    assert "keine Cookies" in client.get("/datenschutz").text
