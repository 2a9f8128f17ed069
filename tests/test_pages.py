"""Pages as a visitor without JavaScript meets them: content, links, errors, headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from mapservice import create_app
from mapservice.config import DatabaseUrls, Settings
from mapservice.database import Database
from mapservice.domain import FEDERATION, Measure
from mapservice.layers.classes import fixed
from tests.entries import INTERNAL, add_entry, add_service, set_publication

MUENSTER, WARENDORF, TELGTE, NRW = "055150000000", "055700000000", "055700044044", "050000000000"
PAGES = (
    "/",
    "/tabelle",
    "/daten",
    "/suche",
    f"/gebiete/{MUENSTER}",
    "/hilfe",
    "/impressum",
    "/datenschutz",
    "/barrierefreiheit",
)


@pytest.fixture
def filled(boundaries_loaded: Database) -> Database:
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500", name="Wohnsitzmeldungen")
        add_service(connection, "10501", subject_area_id=6, name="Elterngeld")
        for ars in (MUENSTER, WARENDORF, NRW, FEDERATION):
            set_publication(connection, ars)
        add_entry(connection, MUENSTER, "10500", url="https://demo.example/wohnsitz", source="Stadt <b>")
        add_entry(connection, MUENSTER, "10501", status=3, url="https://demo.example/geplant")
        add_entry(connection, WARENDORF, "10501", status=2)
        add_entry(connection, NRW, "10501", url="https://demo.example/land")
        add_entry(connection, TELGTE, "10500", visibility=INTERNAL)
    return boundaries_loaded


@pytest.fixture
def make_client() -> Iterator[Callable[..., FlaskClient]]:
    made: list[Flask] = []

    def make(database: Database, **settings: object) -> FlaskClient:
        app = create_app(replace(database.settings, **settings), database)  # type: ignore[arg-type]
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        app.extensions["mapservice"].versions.close()


@pytest.fixture
def client(filled: Database, make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(filled)


def html(client: FlaskClient, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.text[:500]
    assert response.mimetype == "text/html"
    return response.text


def test_every_page_is_strict_and_sets_no_cookie(client: FlaskClient) -> None:
    for address in (*PAGES, "/gebiete/99999", "/tabelle?level=x"):
        response = client.get(address)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Referrer-Policy" in response.headers
        assert "Permissions-Policy" in response.headers
        assert "Set-Cookie" not in response.headers
        body = response.text
        assert not re.search(r"<[^>]+\s(?:on\w+|style)\s*=", body), address
        for script in re.findall(r"<script(?![^>]*\ssrc=)([^>]*)>", body):
            assert "nonce=" in script or "application/json" in script
        for loaded in re.findall(r'<(?:script|link|img|form)[^>]*(?:src|href|action)="([^"]*)"', body):
            # Of the page itself (rel=expect) or of this server.
            assert loaded.startswith(("/", "#")), loaded
            assert not loaded.startswith("//"), loaded


def test_the_nonce_is_new_for_each_answer_and_stands_in_its_policy(client: FlaskClient) -> None:
    nonces = set()
    for _ in range(2):
        response = client.get("/")
        (found,) = set(re.findall(r'<script nonce="([^"]+)"', response.text))
        assert f"'nonce-{found}'" in response.headers["Content-Security-Policy"]
        nonces.add(found)
    assert len(nonces) == 2


def test_the_map_page_is_a_form_that_works_without_scripts(client: FlaskClient) -> None:
    page = html(
        client, "/?level=municipalities&subject=familie_kind&status=planned&scope=available&within=05"
    )
    # To itself: without scripts the answer is a picture of the map, with legend and result.
    assert '<form id="filters" action="/" method="get"' in page
    assert 'formaction="/tabelle"' in page
    for chosen in ("level-municipalities", "subject-familie_kind", "status-planned", "scope-available"):
        assert re.search(rf'id="{chosen}"[^>]* checked', page), chosen
    assert not re.search(r'id="status-online"[^>]* checked', page)
    assert re.search(r'<option value="05"[^>]* selected', page)
    assert "Kreisfreie Stadt" in page


def test_the_table_counts_as_the_map_does(client: FlaskClient) -> None:
    page = html(client, "/tabelle?sort=-value")
    assert "Zahl der Online-Leistungen" in page
    assert "1 bis 9 von 9 Gebieten" in page
    assert re.search(r'aria-sort="descending"><a href="[^"]*sort=value', page)
    names = re.findall(r'<th scope="row"><a[^>]*href="/gebiete/(\d+)"', page)
    assert names[:2] == [MUENSTER, WARENDORF]
    rows = {row[0]: row[1] for row in re.findall(r'/gebiete/(\d{12})"[^>]*>(.*?)</tr>', page, re.DOTALL)}
    cells = re.findall(r'<td class="number">(.*?)</td>', rows[MUENSTER])
    assert cells == ["1", "2", "1", "0", "1"]
    assert "keine Angaben" in rows["055580000000"]


def test_the_table_takes_the_empty_fields_of_its_form_and_the_name_of_a_service(client: FlaskClient) -> None:
    page = html(
        client, "/tabelle?level=districts&within=&service=elterngeld&measure=status&scope=own&q=&status="
    )
    assert "Status von „Elterngeld“" in page
    assert "in Umsetzung" in page
    assert "in Planung" in page


@pytest.mark.parametrize(
    ("address", "status", "named"),
    [
        ("/tabelle?level=planets", 404, "districts"),
        ("/tabelle?subject=alles", 400, "familie_kind"),
        ("/tabelle?sort=ars", 400, "-value"),
        ("/tabelle?page=0", 400, "ab 1"),
        ("/tabelle?page=99", 400, "1 – 1"),
        ("/tabelle?colour=red", 400, "subject"),
        ("/?within=abc", 400, "05570"),
        ("/gibt-es-nicht", 404, "Zur Karte"),
    ],
)
def test_wrong_addresses_say_what_is_wrong_and_what_to_do(
    client: FlaskClient, address: str, status: int, named: str
) -> None:
    page = html(client, address, status)
    assert named in page
    assert "Was Sie tun können" in page
    assert "<script>" not in page
    assert client.get(address).headers["Cache-Control"] == "no-store"


def test_an_area_shows_its_own_and_what_others_add(client: FlaskClient) -> None:
    page = html(client, f"/gebiete/{MUENSTER}")
    own, above = page.split("Vom Land: ")
    assert (
        '<a class="kern-link external" href="https://demo.example/wohnsitz" rel="noopener noreferrer">' in own
    )
    assert "Quelle: Stadt &lt;b&gt;" in own
    assert "https://demo.example/geplant" not in page, "a planned service has no link yet"
    assert "https://demo.example/land" in above
    assert "Nachbarn" in above
    assert f'href="/gebiete/{WARENDORF}"' in above


def test_an_area_without_data_leads_on(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(filled)
    page = html(client, f"/gebiete/{TELGTE}")
    assert "keine Angaben" in page
    assert "Wir kennen auch keine Webseite" in page
    with filled.owner() as connection:
        connection.exec_driver_sql(
            "UPDATE authority SET website = 'https://telgte.example', service_portal = 'javascript:alert(1)' "
            f"WHERE ars = '{TELGTE}'"
        )
    page = html(client, f"/gebiete/{TELGTE}")
    assert 'href="https://telgte.example"' in page
    assert "javascript:" not in page


def test_short_keys_lead_to_the_full_one_and_unknown_keys_to_suggestions(client: FlaskClient) -> None:
    for short in ("05515", "05515000"):
        response = client.get(f"/gebiete/{short}")
        assert response.status_code == 301
        assert response.headers["Location"] == f"/gebiete/{MUENSTER}"
    page = html(client, "/gebiete/055700099099", 404)
    assert "Meinten Sie?" in page
    assert "Warendorf" in page
    assert html(client, "/gebiete/%3Cscript%3E", 404).count("&lt;script&gt;") >= 1


def test_an_area_without_municipality_says_so(client: FlaskClient) -> None:
    page = html(client, "/tabelle?level=municipalities&sort=value&page=1")
    assert "gemeindefreies Gebiet" in page
    found = client.get("/api/values/municipalities").json
    assert found is not None
    key = next(key for key, reason in found["reasons"].items() if reason == "unincorporated")
    assert "Gemeindefreies Gebiet." in html(client, f"/gebiete/{key}")


def test_search_finds_by_name_and_key(client: FlaskClient) -> None:
    assert client.get("/suche?q=Telgt").headers["Location"] == f"/gebiete/{TELGTE}"
    assert "Nichts gefunden" in html(client, "/suche?q=%25")
    assert "Warendorf" in html(client, "/suche?q=0557")
    assert client.get("/gebiete?q=Telgt").headers["Location"] == "/suche?q=Telgt"


def test_demonstration_data_are_marked_on_every_page(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client(filled)
    assert 'id="demonstration" hidden' in html(client, "/daten")
    with filled.owner() as connection:
        add_entry(connection, NRW, "10500", demonstration=True)
    client = make_client(filled)
    for address in (*PAGES, "/gibt-es-nicht"):
        page = client.get(address).text
        assert 'id="demonstration">' in page, address
        assert '<meta name="robots" content="noindex">' in page, address


def test_the_internal_view_is_marked_and_kept_by_nobody(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client(filled, view="internal")
    for address in (*PAGES, "/api/values/districts", "/leistungen.json", "/gibt-es-nicht"):
        response = client.get(address)
        assert response.headers["Cache-Control"] == "private, no-store", address
        if response.mimetype == "text/html":
            assert "Interne Ansicht – nicht veröffentlicht" in response.text
    assert "Wohnsitzmeldungen" in html(client, f"/gebiete/{TELGTE}")
    assert "keine Angaben" in html(make_client(filled), f"/gebiete/{TELGTE}")


def test_a_database_that_is_down_is_said_in_words(make_client: Callable[..., FlaskClient]) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    client = make_client(Database(DatabaseUrls(None, None, nowhere), Settings()))
    for address in ("/", "/tabelle", f"/gebiete/{MUENSTER}", "/daten"):
        response = client.get(address)
        assert response.status_code == 503
        assert "Retry-After" in response.headers
        assert "nicht erreichbar" in response.text
        assert "psycopg" not in response.text
    assert client.get("/api/values/districts").json["code"] == "unavailable"  # type: ignore[index]


def test_links_are_built_from_the_public_address(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client(filled, public_url="https://karte.example/geoportal/ozg")
    for address in ("/", "/geoportal/ozg/"):
        page = html(client, address)
        assert 'action="/geoportal/ozg/tabelle"' in page
        assert not re.search(r'(?:href|src|action)="/(?!geoportal/ozg/)', page)
        assert '"values": "/geoportal/ozg/api/values/"' in page
    location = client.get("/gebiete/05515").headers["Location"]
    assert location == f"/geoportal/ozg/gebiete/{MUENSTER}"


def test_english_keeps_its_language_in_links(client: FlaskClient) -> None:
    page = html(client, "/tabelle?lang=en")
    assert '<html lang="en"' in page
    assert 'href="/daten?lang=en"' in page


def test_static_files_are_kept_for_ever_and_compressed(client: FlaskClient) -> None:
    address = re.findall(r'href="(/static/[^"]+/css/site\.css)"', html(client, "/"))[0]
    response = client.get(address, headers={"Accept-Encoding": "br"})
    assert response.headers["Content-Encoding"] == "br"
    assert "immutable" in response.headers["Cache-Control"]
    stale = re.sub(r"/static/[^/]+/", "/static/0/", address)
    assert client.get(stale).headers["Cache-Control"] == "no-cache"
    assert client.get("/static/0/../pages.py").status_code == 404
    assert client.get("/static/0/%2e%2e/pages.py").status_code == 404


def test_a_status_has_the_same_colour_on_the_map_and_beside_a_service(client: FlaskClient) -> None:
    address = re.findall(r'href="(/static/[^"]+/css/site\.css)"', html(client, "/"))[0]
    style = client.get(address).text
    shown = fixed(Measure.STATUS, 1)[:3]
    assert len(shown) == 3
    for item in shown:
        assert f"--{item.code.replace('_', '-')}: {item.colour};" in style


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/tabelle", "In 1 von 9 Kreisen und kreisfreien Städten ist mindestens eine Leistung online."),
        ("/tabelle?within=05515", "In 1 von 1 Kreis in Münster ist mindestens eine Leistung online."),
        (
            "/tabelle?level=municipalities&within=05570&scope=available",
            "In 13 von 13 Gemeinden im Kreis Warendorf ist mindestens eine Leistung verfügbar.",
        ),
        (
            "/tabelle?within=05515&scope=available&status=online&status=planned&lang=en",
            "In 1 of 1 district in Münster, at least one service is available or planned.",
        ),
        (
            "/tabelle?service=10501&measure=status&status=planned&status=in_progress&within=05570&within=05515",
            "In 2 von 2 Kreisen und kreisfreien Städten in den gewählten Regionen ist „Elterngeld“"
            " in Umsetzung oder in Planung.",
        ),
        (
            "/tabelle?level=states&service=10500&measure=spread",
            "In 1 von 1 Gemeinde mit Angaben ist „Wohnsitzmeldungen“ online.",
        ),
        (
            "/tabelle?subject=familie_kind&within=05558",
            "In 0 von 1 Kreis im Kreis Coesfeld ist mindestens eine Leistung aus „Familie &amp; Kind“ online."
            " Zu 1 fehlen Angaben.",
        ),
        (
            "/tabelle?service=10500&lang=en&within=05",
            "In 1 of 4 districts and independent cities in Nordrhein-Westfalen, “Wohnsitzmeldungen”"
            " is online. There is no information on 2.",
        ),
    ],
)
def test_the_result_is_a_sentence_that_map_and_table_share(
    client: FlaskClient, address: str, said: str
) -> None:
    found = re.search(r'id="result">(.*?)</p>', html(client, address))
    assert found
    assert found[1].startswith(said)
    args = dict(parse_qsl(urlsplit(address).query))
    level = args.get("level", "districts")
    query = re.sub(r"level=\w+&?", "", urlsplit(address).query)
    answer = client.get(f"/api/values/{level}?format=array&{query}").json
    assert answer is not None
    assert escape(answer["result"]) == found[1]


def test_filters_that_are_set_come_off_one_by_one(client: FlaskClient) -> None:
    address = (
        "/tabelle?level=municipalities&service=10501&measure=status&status=planned&within=05570&sort=-value"
    )
    page = html(client, address)
    chips = {
        label: link.replace("&amp;", "&")
        for link, label in re.findall(
            r'<a class="chip" href="([^"]*)" aria-label="Filter entfernen: ([^"]*)"', page
        )
    }
    assert list(chips) == ["Warendorf, Kreis", "Elterngeld", "Status einer Leistung", "Status: in Planung"]
    without = html(client, chips["Elterngeld"])
    assert "service=" not in chips["Elterngeld"]
    assert "measure=" not in chips["Elterngeld"], "no other measure stands without its service"
    assert "sort=-value" in chips["Elterngeld"]
    assert 'aria-label="Filter entfernen: Warendorf, Kreis"' in without
    assert 'class="chip"' not in html(client, "/tabelle?level=states")


def test_without_scripts_every_filtered_map_has_a_page_with_words_and_legend(client: FlaskClient) -> None:
    """A browser without scripts is sent there; a link to what is gone says so and shows the rest."""
    page = html(client, "/?level=municipalities&within=05570&service=10999&area=055700000000")
    sent = re.search(r'<noscript><meta http-equiv="refresh" content="0; url=([^"]+)"></noscript>', page)
    assert sent
    there = html(client, unescape(sent[1]))
    assert "http-equiv" not in there
    picture = re.search(r'<img src="([^"]+)" alt="In (\d+) von 13 Gemeinden im Kreis Warendorf', there)
    assert picture
    assert "within=05570" in picture[1]
    assert "10999" not in picture[1]
    legend = there[there.index("map-picture__legend") :].split("</table>", 1)[0]
    assert sum(map(int, re.findall(r'<td class="number">(\d+)</td>', legend))) == 13
    notice = there[there.index('class="notice" role="status"') :].split("</div>", 1)[0]
    assert "10999" in notice
    assert "http-equiv" not in html(client, "/")
    # Each row has the colour or the pattern of its areas, without a style of its own.
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>", legend, re.S)
    assert len(rows) > 1
    assert all(
        re.match(r'<svg[^>]*aria-hidden="true"[^>]*><rect [^>]*fill="#[0-9a-f]{6}"', row) for row in rows
    )
    assert "style=" not in legend


def test_without_scripts_a_link_to_a_lost_class_or_area_says_so(client: FlaskClient) -> None:
    page = html(client, "/?picture=1&within=05570&class=no-such&class=no_data&area=059999999999")
    notice = page[page.index('class="notice" role="status"') :].split("</div>", 1)[0]
    assert "Klasse" in notice
    assert "059999999999" in notice
    assert "map-picture__legend" in page
    assert 'class="notice" role="status"' not in html(client, "/?picture=1&class=no_data&area=055700000000")
