"""/vergleich: services by authorities, as page and as tables to take along."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapservice import create_app
from mapservice.database import Database
from mapservice.domain import Kind
from tests.asking import client_of
from tests.entries import INTERNAL, PUBLIC, add_entry, add_service, set_publication
from tests.plan_files import load_groups, load_lists

MUENSTER, HAMM, TELGTE, WARENDORF = "055150000000", "059150000000", "055700044044", "055700000000"
COESFELD, SENDENHORST = "055580000000", "055700040040"


@pytest.fixture
def filled(boundaries_loaded: Database, tmp_path: Path) -> Database:
    """Three services, the last for states alone; Münster and Warendorf published, Hamm not."""
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500", name="Hundesteuer", subject_area_id=12)
        add_service(connection, "10501", name="Abfall <b>", subject_area_id=13)
        add_service(connection, "10502", name="Landessache", responsible=int(Kind.STATE))
        set_publication(connection, MUENSTER)
        set_publication(connection, WARENDORF)
        add_entry(connection, MUENSTER, "10500")
        add_entry(connection, WARENDORF, "10500", status=2)
        add_entry(connection, MUENSTER, "10501", status=5)
        add_entry(connection, HAMM, "10500", visibility=PUBLIC)
    load_groups(
        boundaries_loaded,
        tmp_path,
        f"vier;Vier Partner;{MUENSTER};öffentlich;Zum Üben.",
        f"vier;;{COESFELD};öffentlich;",
        f"vier;;{WARENDORF};öffentlich;",
        f"vier;;{HAMM};öffentlich;",
        f"geheim;Geheimring;{MUENSTER};intern;",
    )
    return boundaries_loaded


@pytest.fixture
def client(filled: Database) -> Iterator[FlaskClient]:
    with client_of(filled) as client:
        yield client


def rows(text: str) -> list[list[str]]:
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    return read[: read.index([])]


def cells_of(page: str, service: str) -> list[str]:
    """The words of a service's cells on the page."""
    row = re.search(rf"<tr><th scope=\"row\">(?:(?!</tr>).)*{service}(?:(?!</tr>).)*</tr>", page, re.S)
    assert row, service
    return re.findall(r'<td class="s s\d"><span>([^<]*)</span>', row[0])


def test_a_group_side_by_side(client: FlaskClient) -> None:
    page = client.get("/vergleich?group=vier").text
    assert "Vier Partner" in page
    assert "Zum Üben." in page
    assert cells_of(page, "10500") == ["online", "keine Angaben", "in Umsetzung", "keine Angaben"]
    assert cells_of(page, "10501") == ["nicht zuständig", "keine Angaben", "offen", "keine Angaben"]
    assert "Landessache" not in page[page.index("<table") :]
    assert "Nicht gezeigt, weil keine dieser Behörden zuständig ist: 1." in page
    assert "Abfall &lt;b&gt;" in page
    assert "2 Leistungen bei 4 Behörden: 1 von 3 möglichen Angeboten sind online (33,3\xa0%)." in page
    assert "Von 2 Behörden fehlen Angaben." in page


def test_ones_own_authority_is_compared_with_its_district(client: FlaskClient) -> None:
    page = client.get(f"/vergleich?authority={TELGTE}").text
    assert "Gemeinden im Kreis Warendorf" in page
    names = re.findall(r'<th scope="col"><a class="matrix__name"[^>]*>([^<]+)', page)
    assert names[0] == "Telgte"
    assert names[1:] == sorted(names[1:])
    assert len(names) == 13
    assert '<col class="matrix__own">' in page


def test_authorities_by_name_and_by_keys_with_commas(client: FlaskClient) -> None:
    by_keys = client.get(f"/vergleich.csv?authority={TELGTE},05515").text
    by_names = client.get("/vergleich.csv?authority=Telgte&authority=05515000").text
    assert rows(by_keys) == rows(by_names)
    assert [head.rpartition(" ")[2] for head in rows(by_keys)[0][6:]] == [TELGTE, MUENSTER]


def test_named_authorities_stand_before_the_group(client: FlaskClient) -> None:
    head = rows(client.get(f"/vergleich.csv?group=vier&authority={TELGTE}&authority={HAMM}").text)[0]
    assert [cell.rpartition(" ")[2] for cell in head[6:]] == [TELGTE, HAMM, MUENSTER, COESFELD, WARENDORF]


def test_the_wanted_statuses_are_counted(client: FlaskClient) -> None:
    table = rows(client.get("/vergleich.csv?group=vier&status=online&status=in_progress").text)
    assert table[1][:5] == ["Summe", "", "", "2", ""]
    assert {row[1]: row[3:6] for row in table[4:]} == {"10500": ["2", "2", "2"], "10501": ["0", "1", "2"]}


@pytest.mark.parametrize(
    ("sort", "keys"),
    [("", ["10500", "10501"]), ("-reach", ["10501", "10500"]), ("name", ["10501", "10500"])],
)
def test_the_order_is_chosen(client: FlaskClient, sort: str, keys: list[str]) -> None:
    table = rows(client.get("/vergleich.csv", query_string={"group": "vier", "sort": sort}).text)
    assert [row[1] for row in table[4:]] == keys


def test_by_subject_the_table_has_headings(client: FlaskClient) -> None:
    page = client.get("/vergleich?group=vier&sort=subject").text
    assert re.findall(r'scope="rowgroup"[^>]*><span>([^<]+)', page) == ["Steuern &amp; Zoll", "Umwelt"]


def test_one_authority_at_a_time_keeps_the_sums_of_all(client: FlaskClient) -> None:
    page = client.get(f"/vergleich?group=vier&column={WARENDORF}").text
    assert cells_of(page, "10500") == ["in Umsetzung"]
    assert re.search(r'10500</span></th><td class="matrix__sum">1 <span class="matrix__of">von 2', page)


def test_a_list_chooses_services_in_its_order(client: FlaskClient, filled: Database, tmp_path: Path) -> None:
    load_lists(filled, tmp_path, "top;Zehn Ziele;10501;;;;;öffentlich", "top;;10500;;;;;öffentlich")
    table = rows(client.get("/vergleich.csv?group=vier&list=top&sort=list").text)
    assert [row[1] for row in table[4:]] == ["10501", "10500"]
    assert "Zielliste „Zehn Ziele“" in client.get("/vergleich?group=vier&list=top").text


def test_pages_of_a_hundred_with_the_sums_of_all(client: FlaskClient, filled: Database) -> None:
    with filled.owner() as connection:
        for number in range(600, 730):
            add_service(connection, f"10{number}", name=f"Leistung {number}")
    first = client.get("/vergleich?group=vier").text
    assert first.count('<th scope="row"><a') == 100
    second = client.get("/vergleich?group=vier&page=2").text
    assert second.count('<th scope="row"><a') == 32
    assert "101 bis 132 von 132 Leistungen" in second
    assert client.get("/vergleich?group=vier&page=all").text.count('<th scope="row"><a') == 132
    assert re.search(r"von zuständigen</th>\s*<td[^>]*>263", first)
    assert re.search(r"von zuständigen</th>\s*<td[^>]*>263", second)
    beyond = client.get("/vergleich?group=vier&page=3")
    assert beyond.status_code == 400
    assert "1 – 2" in beyond.text


def test_the_workbook(client: FlaskClient) -> None:
    answer = client.get("/vergleich.xlsx?group=vier")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "G2"
    table = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert table[0][6:] == [
        f"Münster (Kreisfreie Stadt) {MUENSTER}",
        f"Coesfeld (Kreis) {COESFELD}",
        f"Warendorf (Kreis) {WARENDORF}",
        f"Hamm (Kreisfreie Stadt) {HAMM}",
    ]
    assert table[1][:4] == ["Summe", None, None, 1]
    assert table[1][6:] == [1, "keine Angaben", 0, "keine Angaben"]
    assert table[4][6:] == ["● online", "? keine Angaben", "▲ in Umsetzung", "? keine Angaben"]
    assert table[5][6:] == ["– nicht zuständig", "? keine Angaben", "○ offen", "? keine Angaben"]
    notes = {row[0].value: row[1].value for row in book.worksheets[1].iter_rows()}
    assert "● online" in notes["Zeichen"]
    assert notes["Adresse"].endswith("/vergleich?group=vier")


def test_in_english(client: FlaskClient) -> None:
    page = client.get("/vergleich?group=vier&lang=en").text
    assert cells_of(page, "10500") == ["online", "no information", "in progress", "no information"]
    assert 'href="/vergleich?group=vier"' in page  # to the other language, with what is compared


# --- what is wrong is said --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("group=nix", 404, "Die Gruppe „nix“ gibt es nicht."),
        ("group=geheim", 404, "Die Gruppe „geheim“ gibt es nicht."),
        ("group=vier&list=nix", 404, "Die Zielliste „nix“ gibt es nicht."),
        ("group=vier&service=10999", 404, "Leistung 10999 ist im Katalog nicht vorhanden."),
        ("group=vier&sort=schoen", 400, "So kann die Tabelle nicht sortiert werden."),
        ("group=vier&page=0", 400, "Die Seite muss eine Zahl ab 1 sein."),
        (f"group=vier&column={TELGTE}", 400, "Diese Behörde steht nicht in der Tabelle."),
        ("group=vier&list=top&subject=umwelt", 400, "Entweder eine Zielliste"),
        ("group=vier&status=not_responsible", 400, "zählen nur unter den Leistungen"),
        ("group=municipalities:03154&group=vier", 400, "group darf nur einmal angegeben werden."),
        ("group=vier&within=05", 400, "Den Parameter „within“ gibt es hier nicht."),
    ],
)
def test_bad_questions(client: FlaskClient, query: str, status: int, said: str) -> None:
    answer = client.get(f"/vergleich?{query}")
    assert (answer.status_code, said in answer.text) == (status, True), answer.text[:3000]
    assert client.get(f"/vergleich.csv?{query}").status_code == (status if "column" not in query else 200)


def test_an_internal_group_answers_as_an_unknown_one(client: FlaskClient) -> None:
    def page(key: str) -> str:
        text = client.get(f"/vergleich?group={key}").text.replace(key, "KEY")
        return re.sub(r'nonce="[^"]+"', "", text)

    assert page("geheim") == page("geheimnis")
    assert "Geheimring" not in page("geheim")


def test_more_than_sixty_are_refused_with_smaller_groups(client: FlaskClient) -> None:
    keys = ",".join(f"05570{number:07}" for number in range(61))
    answer = client.get(f"/vergleich?authority={keys}")
    assert answer.status_code == 400
    assert "Das wären 61 Behörden. Nebeneinander stehen höchstens 60." in answer.text


def test_a_text_that_is_not_clear_is_asked_back(client: FlaskClient) -> None:
    page = client.get("/vergleich?authority=Warendorf").text
    assert "Welche Behörde ist gemeint?" in page
    assert f"authority={WARENDORF}" in page
    unknown = client.get("/vergleich?authority=Xyzzyqwert")
    assert "ist keine Behörde bekannt" in unknown.text
    assert client.get("/vergleich.csv?authority=Xyzzyqwert").status_code == 400
    assert client.get("/vergleich.csv").status_code == 400


def test_nothing_for_which_they_are_responsible(client: FlaskClient) -> None:
    page = client.get("/vergleich?group=vier&subject=bildung")
    assert page.status_code == 200
    assert "Für die gewählten Leistungen ist keine dieser Behörden zuständig." in page.text


def test_a_chosen_service_is_shown_even_so(client: FlaskClient) -> None:
    page = client.get("/vergleich?group=vier&service=10502").text
    assert cells_of(page, "10502") == ["nicht zuständig", "keine Angaben", "nicht zuständig", "keine Angaben"]


# --- who sees what ----------------------------------------------------------------------------------------


def test_the_internal_view_shows_what_is_internal(filled: Database) -> None:
    app = create_app(replace(filled.settings, view="internal"), filled)
    page = app.test_client().get("/vergleich?group=geheim&authority=05915").text
    assert "Geheimring" in page
    assert cells_of(page, "10500") == ["online", "online"]
    app.extensions["mapservice"].versions.close()


def test_hidden_entries_change_no_byte(filled: Database, client: FlaskClient) -> None:
    addresses = ("/vergleich.csv?group=vier", "/vergleich.xlsx?group=vier", "/vergleich?group=vier")

    def ask() -> list[tuple[str | None, bytes]]:
        answers = [client.get(address) for address in addresses]
        return [(item.headers.get("ETag"), without_nonce(item)) for item in answers]

    before = ask()
    with filled.owner() as connection:
        add_entry(connection, HAMM, "10501", visibility=PUBLIC)
        add_entry(connection, MUENSTER, "10502", visibility=INTERNAL)
        add_entry(connection, COESFELD, "10500", visibility=PUBLIC)
    assert ask() == before


def without_nonce(answer: TestResponse) -> bytes:
    """A workbook holds the time of its making: nothing of it is compared but its ETag."""
    workbook = (answer.mimetype or "").endswith("sheet")
    return b"" if workbook else re.sub(rb'nonce="[^"]+"', b"", answer.data)
