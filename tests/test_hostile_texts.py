"""Text from files is text in every output: pages without scripts, data, downloads, pictures, the data set.

tests/browser/test_hostile_texts.py does the same with scripts running.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import pikepdf
import pytest
from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]
from openpyxl import load_workbook
from sqlalchemy import insert, update

from mapservice import create_app
from mapservice.database import Database
from mapservice.models import Authority, Boundary, Solution
from mapservice.search import terms
from tests.entries import add_entry, add_service, set_publication

MUENSTER, WARENDORF, TELGTE = "055150000000", "055700000000", "055700044044"
MARKUP = "<img src=x onerror=alert(1)> ${7*7} {{7*7}} </script>"
FORMULA = '=HYPERLINK("https://boese.example";"hier")'
RIGHT_TO_LEFT = "שירות مدينة"
LONG = "Wohnsitzanmeldungsbestätigungsverfahren" * 128
NAMES = {WARENDORF: MARKUP, MUENSTER: FORMULA, TELGTE: RIGHT_TO_LEFT}


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    with module_boundaries.owner() as connection:
        for key, name in (("10500", MARKUP), ("10501", RIGHT_TO_LEFT), ("10502", LONG), ("10503", FORMULA)):
            add_service(connection, key, name=name, subject_area_id=6)
        about = {"name": MARKUP, "platform": RIGHT_TO_LEFT, "conditions": LONG, "costs": FORMULA}
        solution = connection.execute(insert(Solution).values(about).returning(Solution.id)).scalar_one()
        for ars, name in NAMES.items():
            set_publication(connection, ars)
            for key in ("10500", "10501", "10502", "10503"):
                add_entry(connection, ars, key, solution_id=solution, source=FORMULA)
            connection.execute(update(Boundary).where(Boundary.ars == ars).values(name=name))
            connection.execute(update(Authority).where(Authority.ars == ars).values(name=name))
        terms.refresh_places(connection)
        terms.refresh_services(connection)
    app = create_app(replace(module_boundaries.settings), module_boundaries)
    yield app.test_client()
    app.extensions["mapservice-workshop"].close()
    app.extensions["mapservice"].versions.close()


PAGES = (
    "/?service=10500&picture=1",
    "/?service=10502&within=05570",
    "/embed?service=10500",
    "/tabelle?service=10500&service=10503",
    "/tabelle?level=municipalities&within=05570",
    f"/gebiete/{WARENDORF}",
    f"/gebiete/{TELGTE}?service=10502",
    "/suche?q=onerror",
    "/einbinden?service=10500",
    "/daten",
    "/api/collections/districts/items?f=html&limit=50",
    "/api/collections/districts/items/05570?f=html",
    "/api/collections/implementations/items?f=html",
    f"/api/areas/{WARENDORF}?format=html",
)


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_it_as_markup(client: FlaskClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200, response.text[:300]
    page = html.document_fromstring(response.text)
    assert page.xpath("//img[@src='x']") == []
    assert page.xpath("//@onerror") == []
    for element in page.iter("script", "style"):
        element.text = ""
    assert " 49 " not in f" {' '.join(page.text_content().split())} "


def test_data_and_tables_hold_it_as_it_is(client: FlaskClient) -> None:
    layer = json.loads(client.get("/api/layers/districts.geojson").text)
    names = {feature["properties"]["ars"]: feature["properties"]["name"] for feature in layer["features"]}
    assert (names[WARENDORF], names[MUENSTER]) == (MARKUP, FORMULA)
    assert "<img" not in client.get("/api/layers/districts.geojson").text, "sniffed as a page it would run"
    lines = list(csv.reader(io.StringIO(client.get("/tabelle.csv").data.decode("utf-8-sig")), delimiter=";"))
    cells = {cell for line in lines for cell in line}
    assert {MARKUP, f"'{FORMULA}"} <= cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))]
    book = load_workbook(io.BytesIO(client.get("/tabelle.xlsx?service=10503").data))
    kinds = {cell.value: cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds[MARKUP] == "s"
    assert "f" not in kinds.values()


@pytest.mark.parametrize("service", ["10500", "10501", "10502", "10503"])
def test_a_drawing_holds_it_as_text(client: FlaskClient, service: str) -> None:
    address = f"/karte.svg?service={service}&level=municipalities&within=05570&area={TELGTE}"
    drawn = ElementTree.fromstring(client.get(address).data)
    assert {element.tag.rpartition("}")[2] for element in drawn.iter()}.isdisjoint({"script", "image", "a"})
    titles = {"".join(element.itertext()) for element in drawn.iter("{http://www.w3.org/2000/svg}title")}
    assert any(title.startswith(RIGHT_TO_LEFT) for title in titles)
    assert client.get(f"/karte.png?service={service}").data.startswith(b"\x89PNG")


def test_a_paper_holds_it_as_text(client: FlaskClient) -> None:
    found = client.get(f"/karte.pdf?service=10500&service=10502&area={WARENDORF}&within=05570")
    assert found.status_code == 200, found.text[:300]
    paper = pikepdf.open(io.BytesIO(found.data))
    assert "<img src=x onerror=alert(1)>" in str(paper.docinfo.Title)
    assert len(str(paper.docinfo.Title)) <= 600
    raw = paper.Root.unparse()
    assert b"/JavaScript" not in raw
    targets = {
        str(note.A.URI)
        for page in paper.pages
        for note in page.get("/Annots", [])
        if note.Subtype == "/Link" and "/A" in note
    }
    assert targets
    assert all(target.startswith("http://localhost/") for target in targets)


def test_the_whole_data_set_holds_it_as_it_is(client: FlaskClient) -> None:
    archive = zipfile.ZipFile(io.BytesIO(client.get("/daten/ozg-landkarte.zip").data))
    tables = [name for name in archive.namelist() if name.endswith(".csv")]
    assert tables
    cells = [
        cell
        for name in tables
        for line in csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig")), delimiter=";")
        for cell in line
    ]
    assert MARKUP in cells
    assert RIGHT_TO_LEFT in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "\t"))]
