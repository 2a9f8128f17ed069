"""The table's form keeps what was chosen, also what it cannot show; columns fit the measure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from mapservice import create_app
from mapservice.database import Database
from mapservice.models import ImportRun
from tests.entries import add_entry, add_service, set_publication

MUENSTER, TELGTE, WARENDORF_TOWN = "055150000000", "055700044044", "055700052052"


@pytest.fixture
def filled(boundaries_loaded: Database) -> Database:
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500", name="Wohnsitzmeldungen")
        add_service(connection, "10501", subject_area_id=6, name="Elterngeld")
        for ars in (MUENSTER, TELGTE):
            set_publication(connection, ars)
            add_entry(connection, ars, "10500")
    return boundaries_loaded


@pytest.fixture
def client(filled: Database) -> Iterator[FlaskClient]:
    app = create_app(replace(filled.settings), filled)
    yield app.test_client()
    app.extensions["mapservice"].versions.close()


def sent(page: str) -> list[tuple[str, str]]:
    """What a browser sends with the table's form as it stands."""
    form = page[page.index('class="filter-grid"') : page.index("</form>")]
    fields = []
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" not in attributes:
            continue
        if attributes.get("type") in ("radio", "checkbox") and not re.search(r"\schecked", tag):
            continue
        fields.append((attributes["name"], unescape(attributes.get("value", ""))))
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)"[^>]* selected', options)
        assert len(chosen) <= 1, "a list of which one is chosen"
        fields.append((name, chosen[0] if chosen else ""))
    return fields


@pytest.mark.parametrize(
    "query",
    [
        "within=05&within=06&service=10500&service=10501",
        f"within={TELGTE}&within=05515",
        "level=municipalities&status=planned&status=open&measure=share",
        "service=10500&measure=status&scope=available",
        "kind=efa&kind=reuse&maturity=2.0:4&confirmed=2026-03-01",
        "maturity=1.1:0&confirmed=" + (dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)).isoformat(),
    ],
)
def test_sending_the_form_again_asks_for_the_same(client: FlaskClient, query: str) -> None:
    if "within=06" in query:
        query = query.replace("within=06", "within=05515")
    page = client.get(f"/tabelle?{query}").text
    again = client.get("/tabelle?" + urlencode(sent(page)))
    assert again.status_code == 200
    chips = r'aria-label="Filter entfernen: ([^"]*)"'
    assert sorted(re.findall(chips, again.text)) == sorted(re.findall(chips, page)) != []
    result = r'id="result">(.*?)</p>'
    assert re.findall(result, again.text) == re.findall(result, page)


def test_a_life_situation_stays_without_a_field(client: FlaskClient, filled: Database) -> None:
    with filled.owner() as connection:
        situation = connection.exec_driver_sql(
            "INSERT INTO life_situation (subject_area_id, name) VALUES (6, 'Geburt') RETURNING id"
        ).scalar_one()
    page = client.get(f"/tabelle?situation={situation}&measure=share").text
    assert ("situation", str(situation)) in sent(page)
    assert f'name="situation" value="{situation}"' in client.get(f"/?situation={situation}").text


@pytest.mark.parametrize(
    ("query", "status", "said", "kept"),
    [
        ("measure=status&status=planned&within=05570", 400, "genau eine Leistung", 'value="status" checked'),
        ("measure=spread&service=10500&level=municipalities", 400, "Gemeindeebene", 'value="10500"'),
        (
            "service=abc%3Cscript%3E&scope=available",
            400,
            "kein Leistungsschlüssel",
            'value="available" checked',
        ),
        ("confirmed=2999-01-01&kind=efa", 400, "in der Zukunft", 'value="efa" checked'),
        ("confirmed=day&confirmed_day=gestern", 400, "kein Tag", 'name="confirmed_day" value="gestern"'),
        ("service=10500&subject=umwelt&situation=3", 400, "Entweder Leistungen", 'value="umwelt" checked'),
        ("maturity=9:9&scope=available", 400, "maturity", 'value="available" checked'),
    ],
)
def test_a_wrong_choice_is_told_above_the_form(
    client: FlaskClient, query: str, status: int, said: str, kept: str
) -> None:
    response = client.get(f"/tabelle?{query}")
    page = response.text
    assert response.status_code == status
    notice, form = page[page.index('role="alert"') :].split("<form", 1)
    assert said in notice
    assert "Ohne Filter zeigen" in notice
    assert "<details" in notice
    assert re.search(r'<details class="fold filter-fold" open>', notice)
    assert kept in form
    assert "<script>" not in page
    assert "<table" not in page
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "missing", "kept"),
    [
        ("service=10999&measure=status&within=05570", ["10999"], "within=05570"),
        ("service=10999&service=10500&measure=share", ["10999"], "service=10500"),
        ("within=99&within=05570&within=98", ["98", "99"], "within=05570"),
        (
            "situation=999999&within=059999999999&scope=available",
            ["999999", "059999999999"],
            "scope=available",
        ),
        ("class=no-such&class=no_data&within=05570", ["Klasse"], "class=no_data"),
        ("area=059999999999&within=05570", ["059999999999"], "within=05570"),
        ("area=nowhere&area=05515&within=05570", ["nowhere"], "within=05570"),
    ],
)
def test_a_link_to_what_is_no_longer_there_says_so_and_shows_the_rest(
    client: FlaskClient, query: str, missing: list[str], kept: str
) -> None:
    response = client.get(f"/tabelle?{query}")
    assert response.status_code == 200
    page = response.text
    notice = page[page.index('class="notice" role="status"') :].split("</div>", 1)[0]
    assert all(key in notice for key in missing)
    assert "no-such" not in page
    assert "<table" in page
    assert kept in page
    rest = page.replace(notice, "")
    assert not re.search(rf'(=|value=")({"|".join(missing)})\b', rest.split("<main", 1)[1])


def test_an_area_that_there_is_needs_no_word(client: FlaskClient) -> None:
    page = client.get(f"/tabelle?area={TELGTE}&level=municipalities").text
    assert 'class="notice" role="status"' not in page


def test_the_form_is_folded_and_names_what_is_chosen(client: FlaskClient) -> None:
    page = client.get("/tabelle?level=municipalities&within=05570&service=10500").text
    summary = re.search(
        r'<details class="fold filter-fold">\s*<summary[^>]*>(.*?)</summary>', page, re.DOTALL
    )
    assert summary
    said = re.sub(r"<[^>]+>", "", summary[1])
    for named in ("Filter ändern", "Gemeinden", "Warendorf, Kreis", "Wohnsitzmeldungen"):
        assert named in said


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("confirmed=day&confirmed_day=2026-03-01", "2026-03-01"),
        ("confirmed=&confirmed_day=2026-03-01", "2026-03-01"),
        ("confirmed=any&confirmed_day=2026-03-01", ""),
        ("confirmed=2026-01-31&confirmed_day=2026-03-01", "2026-01-31"),
        ("confirmed=day&confirmed_day=", ""),
    ],
)
def test_two_fields_of_the_form_are_one_day(client: FlaskClient, sent: str, day: str) -> None:
    """Without scripts too: a preset, a day of one's own, or any."""
    page = client.get(f"/tabelle?{sent}").text
    said = re.findall(r"bestätigt seit (\d\d\.\d\d\.\d{4})", page)
    assert set(said) == ({dt.date.fromisoformat(day).strftime("%d.%m.%Y")} if day else set())
    assert "confirmed_day=" not in "".join(re.findall(r'href="([^"]*)"', page))


def test_numbers_beside_subjects_and_situations(client: FlaskClient, filled: Database) -> None:
    """Two services: one of two subject areas is online somewhere, and the other's life situation is not."""
    with filled.owner() as connection:
        situation = connection.exec_driver_sql(
            "INSERT INTO life_situation (subject_area_id, name) VALUES (6, 'Geburt') RETURNING id"
        ).scalar_one()
        connection.exec_driver_sql(f"UPDATE service SET life_situation_id = {situation} WHERE key = '10501'")

    def numbers(query: str) -> dict[str, str]:
        page = client.get(f"/tabelle?{query}").text
        return dict(re.findall(r'data-facet="([^"]*)">([^<]+)<', page))

    other = {"subject-familie_kind": "0 von 1", f"situation-{situation}": "0 von 1"}
    assert numbers("level=municipalities") == {"subject-arbeit_ruhestand": "1 von 1", **other}
    assert numbers("level=municipalities&subject=familie_kind&kind=efa") == {
        "subject-arbeit_ruhestand": "0 von 1",
        **other,
    }
    page = client.get(f"/tabelle?situation={situation}").text
    assert re.search(rf'id="situation-{situation}" name="situation" value="{situation}" checked', page)
    assert "mindestens eine Leistung aus „Geburt“" in page


def test_spread_shows_what_it_left_out_instead_of_own_counts(client: FlaskClient, filled: Database) -> None:
    with filled.owner() as connection:
        connection.exec_driver_sql(f"UPDATE authority SET population = 20000 WHERE ars = '{TELGTE}'")
    page = client.get("/tabelle?service=10500&measure=spread").text
    heads = [
        re.sub(r"<[^>]+>", "", head).strip("▲▼ \n")
        for head in re.findall(r"<th scope=\"col\".*?</th>", page, re.S)
    ]
    assert heads[-3:] == ["von Gemeinden", "ausgelassen", "nach Einwohnern"]
    assert "in Umsetzung" not in heads
    row = next(row for row in page.split("<tr>") if "/gebiete/055700000000" in row)
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r'<td class="number">(.*?)</td>', row)]
    assert cells == ["100\xa0%", "1 von 1", "12", "100\xa0%"], "twelve municipalities told nothing"


def test_runs_are_told_in_words(filled: Database) -> None:
    with filled.owner() as connection:
        connection.execute(
            insert(ImportRun),
            [
                {
                    "kind": "authorities",
                    "state": "done",
                    "files": ["a.csv"],
                    "report": {"read": 3058, "removed": 0},
                },
                {
                    "kind": "catalogue",
                    "state": "refused",
                    "files": ["k.csv"],
                    "report": {"message": "Spalte fehlt."},
                },
            ],
        )
    app = create_app(replace(filled.settings, view="internal"), filled)
    page = app.test_client().get("/daten").text
    app.extensions["mapservice"].versions.close()
    assert re.search(r"Gebietskörperschaften</th><td>a.csv</td><td>fertig: gelesen 3.058</td>", page)
    assert re.search(r"Leistungskatalog</th><td>k.csv</td><td>abgelehnt: Spalte fehlt.</td>", page)


def test_browsers_and_crawlers_find_what_they_ask_for(client: FlaskClient, filled: Database) -> None:
    icon = client.get("/favicon.ico", follow_redirects=True)
    assert (icon.status_code, icon.mimetype) == (200, "image/svg+xml")
    assert client.get("/robots.txt").text == (
        "User-agent: *\nDisallow:\n\nSitemap: http://localhost/sitemap.xml\n"
    )
    with filled.owner() as connection:
        add_entry(connection, MUENSTER, "10501", demonstration=True)
    for view in ("public", "internal"):
        app = create_app(replace(filled.settings, view=view), filled)
        response = app.test_client().get("/robots.txt")
        assert (response.mimetype, response.text) == ("text/plain", "User-agent: *\nDisallow: /\n")
        app.extensions["mapservice"].versions.close()
