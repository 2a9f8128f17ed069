"""Every text of the interface speaks English too."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

from mapservice import create_app
from mapservice.database import Database
from mapservice.paths import TRANSLATIONS
from tests.conftest import ROOT
from tests.entries import add_entry, add_service, set_publication

MUENSTER = "055150000000"


@pytest.fixture(scope="module")
def english() -> Catalog:
    path = TRANSLATIONS / "en" / "LC_MESSAGES" / "messages.po"
    return read_po(BytesIO(path.read_bytes()), locale="en")


def texts(message: Message) -> tuple[str, ...]:
    said = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return tuple(text or "" for text in said)


def places(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|\{\w+\}", text))


def in_use() -> set[str]:
    """Every message id in code and templates."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = extract_from_dir(ROOT, methods, options)
    return {ids[0] if isinstance(ids, tuple) else ids for _, _, ids, _, _ in found}


def test_nothing_is_untranslated_or_doubtful(english: Catalog) -> None:
    translated = {
        message.id[0] if isinstance(message.id, tuple) else message.id
        for message in english
        if message.id and all(texts(message)) and not message.fuzzy
    }
    # scripts/translations brings new texts into the catalogue.
    assert in_use() - translated == set()


def test_translations_fill_in_the_same_values(english: Catalog) -> None:
    for message in english:
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        for text in texts(message):
            assert places(text) == places(ids[-1]), ids


@pytest.fixture
def client(boundaries_loaded: Database) -> Iterator[FlaskClient]:
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10501", subject_area_id=6, name="Elterngeld")
        set_publication(connection, MUENSTER)
        add_entry(connection, MUENSTER, "10501", demonstration=True)
    app = create_app(replace(boundaries_loaded.settings), boundaries_loaded)
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/?lang=en", "Number of services"),
        ("/tabelle?lang=en&subject=familie_kind", "Number of online services (“Family &amp; Children”)"),
        (f"/gebiete/{MUENSTER}?lang=en", "Own offers"),
        ("/suche?lang=en&q=xyz", "Nothing found for “xyz”"),
        ("/daten?lang=en", "Boundary releases"),
        ("/impressum?lang=en", "Legal notice"),
        ("/datenschutz?lang=en", "no cookies"),
        ("/barrierefreiheit?lang=en", "Accessibility"),
        ("/gibt-es-nicht?lang=en", "This page does not exist"),
    ],
)
def test_an_english_page_holds_no_german(
    client: FlaskClient, english: Catalog, address: str, said: str
) -> None:
    page = client.get(address).text
    assert '<html lang="en"' in page
    assert said in page
    german = [
        message.id
        for message in english
        if isinstance(message.id, str) and len(message.id) > 10 and message.id != message.string
    ]
    shown = re.sub(r"<[^>]+>", "\n", page)
    # Only whole texts: "Gemeinden" may stand in a name from the data.
    lines = {line.strip() for line in shown.splitlines()}
    assert [text for text in german if text in lines] == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/?measure=size", "measure=„size“ does not exist."),
        ("/tabelle?within=7", "within=„7“ is not the key of an area."),
        ("/tabelle?service=10001&situation=1", "Choose either services"),
        ("/api/values/districts?service=10999", "Service 10999 is not in the catalogue."),
        ("/api/values/districts?%25(key)s=1", "There is no parameter „%(key)s“ here."),
        ("/api/collections/districts/items?bbox=1", "bbox=„1“ is not a box."),
    ],
)
def test_errors_are_said_in_the_language_of_the_page(client: FlaskClient, address: str, said: str) -> None:
    answer = client.get(f"{address}&lang=en")
    assert answer.status_code in (400, 404)
    assert said in html.unescape(answer.get_data(as_text=True))


def test_the_legend_and_its_title_are_english(client: FlaskClient) -> None:
    answer = client.get("/api/values/districts?lang=en&measure=share").json
    assert answer is not None
    assert answer["title"].startswith("Share of online services – offered by the districts")
    labels = [item["label"] for item in answer["classes"]]
    assert labels[:3] == ["0%", "below 20%", "20 to below 40%"]
    german = client.get("/api/values/districts?measure=share").json
    assert german is not None
    assert [item["label"] for item in german["classes"]][1] == "unter 20 %"


def test_texts_of_scripts_are_all_there(client: FlaskClient) -> None:
    page = client.get("/?lang=en").text
    found = re.search(r'id="texts">(.*?)</script>', page, re.DOTALL)
    assert found
    said = json.loads(found[1])
    used: set[str] = set()
    for path in (ROOT / "mapservice" / "static" / "js").glob("*.js"):
        used |= set(re.findall(r'\bt\("(\w+)"', path.read_text(encoding="utf-8")))
    assert used - said.keys() == set()


def switch(page: str) -> str:
    """Where the link to the other language leads."""
    return re.findall(r'id="language-link" href="([^"]*)"', page)[0].replace("&amp;", "&")


@pytest.mark.parametrize(
    "address", ["/tabelle?level=states&status=planned&page=1", f"/gebiete/{MUENSTER}", "/"]
)
def test_each_page_leads_to_itself_in_the_other_language(client: FlaskClient, address: str) -> None:
    english = switch(client.get(address).text)
    assert "lang=en" in english
    assert english.startswith(address.partition("?")[0])
    page = client.get(english).text
    assert '<html lang="en"' in page
    assert switch(page) == address


def test_the_link_to_the_other_language_takes_no_orders_from_the_address(client: FlaskClient) -> None:
    page = client.get("/suche?q=xyz&_scheme=javascript&_external=1&endpoint=x&_anchor=y").text
    assert switch(page) == "/suche?q=xyz&lang=en"
