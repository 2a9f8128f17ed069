"""/vergleich.pdf, the sheet for conferences: A3 across, heads on each page, everybody and all services."""

from __future__ import annotations

from collections.abc import Iterator

import pikepdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from mapservice import create_app
from mapservice.database import Database
from mapservice.drawing import workshop
from mapservice.models import Authority
from tests.entries import add_entry, add_service, set_publication
from tests.test_papers import UA_PART, Paper

MUENSTER, TELGTE = "055150000000", "055700044044"
MOST = 60
EVIL = '<b>Kindergarten</b> & "Kita"'


@pytest.fixture(scope="module")
def keys(module_boundaries: Database) -> list[str]:
    """Sixty authorities with 90 services; two have data."""
    with module_boundaries.owner() as connection:
        found = list(
            connection.scalars(
                select(Authority.ars)
                .where(Authority.ars.not_in((MUENSTER, TELGTE, "000000000000")))
                .order_by(Authority.ars)
                .limit(MOST - 2)
            )
        )
        for number in range(90):
            add_service(connection, str(10100 + number), name=f"Leistung Nummer {number}")
        add_service(connection, "10500", name=EVIL)
        for ars in (MUENSTER, TELGTE):
            set_publication(connection, ars)
        add_entry(connection, MUENSTER, "10500")
        add_entry(connection, MUENSTER, "10101", status=2)
        add_entry(connection, TELGTE, "10102", status=3)
    return [MUENSTER, TELGTE, *found]


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    app = create_app(module_boundaries.settings, module_boundaries)
    yield app.test_client()
    app.extensions["mapservice-workshop"].close()
    app.extensions["mapservice"].versions.close()


@pytest.fixture(scope="module")
def paper(client: FlaskClient, keys: list[str]) -> Paper:
    assert len(keys) == MOST
    return Paper(client, f"/vergleich.pdf?authority={','.join(keys)}")


def test_it_is_a3_across_and_tagged(paper: Paper) -> None:
    assert paper.size() == (420, 297)
    root = paper.file.Root
    assert root.MarkInfo.Marked == True  # noqa: E712 - a PDF boolean
    assert root.Lang == "de"
    with paper.file.open_metadata() as metadata:
        assert metadata[UA_PART] == "1"
        assert metadata["dc:title"].startswith("Vergleich: ")
    assert len(paper.elements["/H1"]) == 1
    assert len(paper.elements["/TH"]) >= 91 + MOST
    assert len(paper.elements["/TD"]) >= 91 * MOST


def test_everybody_and_every_service_is_in_it(
    paper: Paper, client: FlaskClient, keys: list[str], module_boundaries: Database
) -> None:
    text = paper.text()
    with module_boundaries.owner() as connection:
        names = connection.scalars(select(Authority.name).where(Authority.ars.in_(keys))).all()
    for name in names:
        assert name[:59] in text, name
    for number in range(90):
        assert str(10100 + number) in text
    assert EVIL in text
    for sign in "●▲■○?":
        assert sign in text
    assert "Summe: online" in text
    assert "Datenstand" in text
    assert "BKG" in text


def test_heads_and_footer_are_on_each_page(paper: Paper) -> None:
    pages = len(paper.file.pages)
    assert pages >= 2
    for number in range(pages):
        single = pikepdf.new()
        single.pages.append(paper.file.pages[number])
        one = object.__new__(Paper)
        one.file = single
        text = one.text()
        assert "Telgte" in text, number
        assert "Summe: online" in text, number
        assert f"Seite {number + 1} von {pages}" in text
        assert "BKG" in text


def test_the_page_offers_it_and_the_partners_get_a_sheet(client: FlaskClient, keys: list[str]) -> None:
    four = ",".join(keys[:4])
    page = client.get(f"/vergleich?authority={four}").text
    assert 'id="download-pdf"' in page
    small = Paper(client, f"/vergleich.pdf?authority={four}&lang=en")
    assert small.size() == (420, 297)
    assert small.file.Root.Lang == "en"
    assert "no information" in small.text()
    assert client.get("/vergleich.pdf").status_code == 400


@pytest.mark.parametrize(
    ("language", "remedy"),
    [
        ("", "Wählen Sie weniger Behörden oder Leistungen."),
        ("&lang=en", "Choose fewer authorities or services."),
    ],
)
def test_one_that_takes_too_long_says_what_to_leave_out(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, language: str, remedy: str
) -> None:
    client.application.extensions["mapservice-workshop"].close()
    monkeypatch.setitem(workshop.SECONDS, "pdf", 0.05)
    response = client.get(f"/vergleich.pdf?authority={TELGTE},{MUENSTER}{language}")
    assert response.status_code == 503
    assert remedy in response.text
