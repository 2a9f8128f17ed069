"""The paper for councils: PDF/UA-1 by its structure, as far as a program can tell, and its text as text."""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pikepdf
import pytest
from flask.testing import FlaskClient

from mapservice import create_app, papers
from mapservice.database import Database
from tests.entries import add_entry, add_service, set_publication

MUENSTER, WARENDORF = "055150000000", "055700000000"
TELGTE = "055700044044"
EVIL = '<img src="https://boese.example/x"> ${7*7} <script>1</script>'
UA_PART = "{http://www.aiim.org/pdfua/ns/id/}part"


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    with module_boundaries.owner() as connection:
        add_service(connection, "10500", name=EVIL)
        add_service(connection, "10501", subject_area_id=6, name="Elterngeld")
        for ars in (MUENSTER, WARENDORF):
            set_publication(connection, ars)
        add_entry(connection, MUENSTER, "10500")
        add_entry(connection, MUENSTER, "10501", demonstration=True)
        add_entry(connection, WARENDORF, "10501", status=2)
        connection.exec_driver_sql("UPDATE boundary SET name = %s WHERE ars = %s", (EVIL, WARENDORF))
    app = create_app(replace(module_boundaries.settings), module_boundaries)
    yield app.test_client()
    app.extensions["mapservice-workshop"].close()
    app.extensions["mapservice"].versions.close()


class Paper:
    """A PDF with the elements of its structure by type."""

    def __init__(self, client: FlaskClient, address: str) -> None:
        response = client.get(address)
        assert response.status_code == 200, response.text[:500]
        assert response.headers["Content-Type"] == "application/pdf"
        assert ".pdf" in response.headers["Content-Disposition"]
        self.file = pikepdf.open(io.BytesIO(response.data))
        self.elements: dict[str, list[Any]] = defaultdict(list)
        self._walk(self.file.Root.StructTreeRoot.K)

    def _walk(self, node: Any) -> None:
        if isinstance(node, pikepdf.Array):
            for child in node:
                self._walk(child)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                self.elements[str(node.S)].append(node)
            if "/K" in node:
                self._walk(node.K)

    def size(self) -> tuple[int, int]:
        """Of the first page, in millimetres."""
        _, _, width, height = (float(number) for number in self.file.pages[0].MediaBox)
        return round(width / 72 * 25.4), round(height / 72 * 25.4)

    def text(self) -> str:
        """All text, by the fonts' own tables from glyphs to letters."""
        said = []
        for page in self.file.pages:
            letters: dict[int, str] = {}
            fonts = {name: _letters(font) for name, font in page.Resources.Font.items()}
            for instruction in pikepdf.parse_content_stream(page):
                operands, operator = list(instruction.operands), instruction.operator
                if str(operator) == "Tf":
                    letters = fonts[str(operands[0])]
                elif str(operator) in ("TJ", "Tj"):
                    parts = operands[0] if str(operator) == "TJ" else [operands[0]]
                    for part in parts:
                        if isinstance(part, pikepdf.String):
                            data = bytes(part)
                            codes = [data[n] << 8 | data[n + 1] for n in range(0, len(data), 2)]
                            said.append("".join(letters.get(code, "?") for code in codes))
        return "".join(said)


def _letters(font: Any) -> dict[int, str]:
    table = bytes(font.ToUnicode.read_bytes()).decode()
    return {
        int(code, 16): bytes.fromhex(letter).decode("utf-16-be")
        for code, letter in re.findall(r"<([0-9a-fA-F]{4})> <([0-9a-fA-F]+)>", table)
    }


@pytest.fixture(scope="module")
def paper(client: FlaskClient) -> Paper:
    return Paper(client, "/karte.pdf")


def test_a_paper_is_tagged_for_assistive_technology(paper: Paper) -> None:
    root = paper.file.Root
    assert root.MarkInfo.Marked == True  # noqa: E712 - a PDF boolean
    assert root.Lang == "de"
    assert root.ViewerPreferences.DisplayDocTitle == True  # noqa: E712
    with paper.file.open_metadata() as metadata:
        assert metadata[UA_PART] == "1"
        assert metadata["dc:title"].startswith("Zahl der Online-Leistungen – Angebote der Kreise")
    assert len(paper.elements["/H1"]) == 1
    assert len(paper.elements["/H2"]) == 3
    assert all(page.get("/Tabs") == "/S" for page in paper.file.pages)


def test_the_map_has_an_alternative_text_that_says_what_it_shows(paper: Paper) -> None:
    (figure,) = paper.elements["/Figure"]
    said = str(figure.Alt)
    assert "In 1 von 9 Kreisen und kreisfreien Städten ist mindestens eine Leistung online." in said
    assert "0: 1; 1: 0; 2: 1; keine Angaben: 7" in said


def test_legend_and_values_are_tables_with_heads(paper: Paper) -> None:
    legend, values = paper.elements["/Table"]
    heads = Counter(str(cell.get("/P").get("/P").S) for cell in paper.elements["/TH"])
    assert heads == {"/THead": 2 + 8, "/TBody": 4 + 9}
    for cell in paper.elements["/TD"]:
        assert len(cell.A.Headers) == 1 + int(cell.A.get("/ColSpan", 1)), "the heads of row and column"
    assert legend is not values


def test_fonts_are_embedded_and_nothing_is_fetched_or_run(paper: Paper) -> None:
    fonts = set()
    for page in paper.file.pages:
        for font in page.Resources.Font.values():
            (descendant,) = font.DescendantFonts
            assert {"/FontFile2", "/FontFile3"} & set(descendant.FontDescriptor.keys())
            fonts.add(str(font.BaseFont))
    assert any("Fira-Sans" in name for name in fonts)
    targets = [
        str(note.A.URI)
        for page in paper.file.pages
        for note in page.get("/Annots", [])
        if note.Subtype == "/Link" and "/A" in note
    ]
    assert targets == ["http://localhost/"]
    raw = paper.file.Root.unparse()
    assert b"/JavaScript" not in raw
    assert b"/OpenAction" not in raw


def test_what_the_paper_says(paper: Paper) -> None:
    said = paper.text()
    for expected in (
        "Demonstrationsdaten, frei erfunden",
        "Was die Farben bedeuten",
        "BKG",
        "Datenstand",
        "http://localhost/",
        "Seite 1 von 2",
        "Münster",
        # Text from a file, as it is.
        "<script>1</script>",
        "${7*7}",
    ):
        assert expected in said, expected


def test_a_paper_with_an_area_says_how_it_stands(client: FlaskClient) -> None:
    said = Paper(client, f"/karte.pdf?area={MUENSTER}").text()
    for expected in ("Münster, ", "Platz 1 von ", "Durchschnitt Deutschland", f"area={MUENSTER}"):
        assert expected in said, expected
    # An area of another level is left out, from the link as well.
    assert "Platz 1" not in Paper(client, f"/karte.pdf?area={MUENSTER}&level=states").text()


def test_an_open_town_is_shown_from_close_by_and_marked_in_the_table(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers, "MOST_ROWS", 5)
    paper = Paper(client, f"/karte.pdf?level=municipalities&area={TELGTE}")
    whole, closeup = (str(figure.Alt) for figure in paper.elements["/Figure"])
    assert whole.startswith("Karte. ")
    assert closeup.startswith("Ausschnitt der Karte mit Telgte: keine Angaben, umrandet. Ringsum: ")
    around = closeup.partition("Ringsum: ")[2].split("; ")
    assert {name.partition(":")[0] for name in around} >= {"Everswinkel", "Münster"}
    assert "Münster: 2" in closeup
    said = paper.text()
    assert "Telgte und Umgebung" in said
    # The table ends before the town's turn: it comes last.
    assert "Gezeigt sind die ersten 5 von " in said
    assert "Telgte (umrandet)" in re.sub(r"\s+", " ", said.partition("zuletzt das umrandete")[2])
    assert len(paper.elements["/TR"]) == 1 + 5 + 1 + 5 + 1


def test_what_the_map_shows_large_needs_no_closeup(client: FlaskClient) -> None:
    for address in (f"/karte.pdf?area={MUENSTER}&within=05515", f"/karte.pdf?area={TELGTE}"):
        assert len(Paper(client, address).elements["/Figure"]) == 1, address


@pytest.mark.parametrize(
    ("address", "size"),
    [
        ("/karte.pdf?paper=a4&orientation=landscape&within=05515", (297, 210)),
        ("/karte.pdf?paper=a3&within=05515&service=10500", (297, 420)),
        ("/karte.pdf?paper=a3&orientation=landscape&within=05515&lang=en", (420, 297)),
    ],
)
def test_sizes_languages_and_hostile_titles(client: FlaskClient, address: str, size: tuple[int, int]) -> None:
    paper = Paper(client, address)
    assert paper.size() == size
    if "lang=en" in address:
        assert paper.file.Root.Lang == "en"
        assert "Page 1 of 2" in paper.text()
    if "service" in address:
        assert EVIL in str(paper.file.docinfo.Title)


def test_a_long_table_ends_with_the_address_of_the_whole_one(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers, "MOST_ROWS", 4)
    paper = Paper(client, "/karte.pdf?measure=share")
    said = paper.text()
    assert "Gezeigt sind die ersten 4 von 9 Gebieten." in said
    assert "http://localhost/tabelle?measure=share" in said
    assert len(paper.elements["/TR"]) == 1 + 7 + 1 + 4
