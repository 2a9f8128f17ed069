"""Where a page of coordinators has nothing to show, it names the place and says what to do instead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]
from sqlalchemy import insert, select

from mapservice.database import Database
from mapservice.models import Authority
from mapservice.search import terms
from tests.asking import client_of
from tests.entries import INTERNAL, add_entry, add_service, set_publication
from tests.past import berlin, date_back
from tests.plan_files import load_groups, load_lists

MUENSTER, TELGTE, SENDENHORST = "055150000000", "055700044044", "055700040040"
FEDERATION, FOREST, BERLIN = "000000000000", "031549502502", "110000000000"
FORMER, NOBODY, HELMSTEDT = "055700099099", "055700077077", "031540000000"
NO_SOLUTION = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def client(module_boundaries: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """Münster has one service online since January 2026; a former town is in a group."""
    database, folder = module_boundaries, tmp_path_factory.mktemp("plans")
    with database.owner() as connection:
        add_service(connection, "10500", name="Hundesteuer", subject_area_id=12)
        add_service(connection, "10501", name="Wohngeld", subject_area_id=2)
        add_service(connection, "10509", name="Abgelöst", subject_area_id=2, retired=True)
        terms.refresh_services(connection)
        for ars in (MUENSTER, TELGTE):
            set_publication(connection, ars)
        district = select(Authority.id).where(Authority.ars == "055700000000").scalar_subquery()
        connection.execute(
            insert(Authority).values(
                ars=FORMER, name="Altstadt", kinds=32, chain_kinds=32, is_current=False, district_id=district
            )
        )
        add_entry(connection, MUENSTER, "10500")
        add_entry(connection, SENDENHORST, "10500", visibility=INTERNAL)
        date_back(connection, berlin("2026-01-10 12:00+01:00"))
    load_groups(database, folder, f"zwei;Zwei;{MUENSTER};öffentlich;", f"zwei;;{TELGTE};öffentlich;")
    load_lists(database, folder, "wunsch;Wunschzettel;10500;;;;;öffentlich", "wunsch;;10501;;;;;öffentlich")
    with client_of(database) as client:
        yield client


def told(client: FlaskClient, address: str) -> tuple[int, str, list[str]]:
    """Status, text and links of the page without its form."""
    answer = client.get(address)
    page = html.fromstring(answer.text)
    for node in page.xpath("//main//select | //main//option"):
        node.drop_tree()
    main = page.xpath("//main")[0]
    return answer.status_code, " ".join(main.text_content().split()), main.xpath(".//a/@href")


UNKNOWN = f"Zu „{NOBODY}“ ist keine Behörde bekannt", "Name oder Schlüssel (ARS, AGS) prüfen"
NO_TOWN = (
    f"„{FOREST}“ ist gemeindefrei und hat keine eigene Verwaltung",
    "Zuständig ist in der Regel der Kreis",
)
GONE = "Altstadt gibt es im aktuellen Gebietsstand nicht mehr"
NO_AREA = (
    "Bundesrepublik Deutschland hat auf der Karte keine Fläche",
    "eine Behörde mit einem Gebiet",
)
WHO = "Welche Behörde ist gemeint?"
FIRST = "Für den 09.01.2026 gibt es noch keine Angaben", "Die ersten sind vom 10.01.2026"
TOWNS = ("/nachbarn?", "/nachbarn?service=10500&", "/luecken?", "/vergleich?", "/fortschritt?")
AUTHORITIES = (*TOWNS, "/fortschritt/liste/wunsch?")


@pytest.mark.parametrize("page", AUTHORITIES)
@pytest.mark.parametrize(
    ("typed", "said", "link"),
    [
        (NOBODY, UNKNOWN, ""),
        ("Nirgendwo", ("Zu „Nirgendwo“ ist keine Behörde bekannt",), ""),
        ("", (), ""),
        (FOREST, NO_TOWN, HELMSTEDT),
        ("Brunsleberfeld", ("„Brunsleberfeld“ ist gemeindefrei", "Helmstedt (Landkreis)"), HELMSTEDT),
        ("Warendorf", (WHO, "Kreis"), "055700000000"),
    ],
)
def test_an_authority_that_is_not_clear(
    client: FlaskClient, page: str, typed: str, said: tuple[str, ...], link: str
) -> None:
    """Every page says what is wrong with the text, and offers whoever may be meant at a click."""
    status, text, links = told(client, f"{page}authority={typed}")
    assert status == 200
    assert [part for part in said if part not in text] == []
    here = page.split("?")[0]
    assert any(address.startswith(here) and link in address for address in links) or not link


@pytest.mark.parametrize(
    ("address", "said", "link"),
    [
        # without an area
        (f"/nachbarn?authority={FEDERATION}", NO_AREA, "authority=050000000000"),
        (f"/luecken?authority={FEDERATION}", NO_AREA, "authority=050000000000"),
        (f"/vergleich?authority={FEDERATION}", ("Bundesrepublik Deutschland", "keine Angaben"), ""),
        (f"/fortschritt?authority={FEDERATION}", ("Zu Bundesrepublik Deutschland liegen keine Angaben",), ""),
        # former
        (f"/nachbarn?authority={FORMER}", (GONE, "Wählen Sie die heutige"), "authority=055700004004"),
        (f"/luecken?authority={FORMER}", (GONE, "Wählen Sie die heutige"), "authority=055700004004"),
        (f"/vergleich?authority={FORMER}", (f"{GONE} und fehlt hier",), ""),
        (f"/vergleich?group=zwei&authority={FORMER}", (f"{GONE} und fehlt hier", "Telgte"), ""),
        (f"/fortschritt?authority={FORMER}", (GONE, "Alle Behörden im Kreis Warendorf"), "within=05570"),
        (f"/fortschritt/liste/wunsch?authority={FORMER}", (f"{GONE} und fehlt hier",), ""),
        # without neighbours
        (f"/nachbarn?authority={BERLIN}&around=border", ("gezeigt sind die nächsten Behörden",), ""),
        (f"/luecken?authority={BERLIN}&around=border", ("gezeigt sind die nächsten Behörden",), ""),
        # without data
        (
            f"/luecken?authority={SENDENHORST}",
            ("Von Sendenhorst (Stadt) liegen noch keine Angaben vor", "über den Betreiber"),
            "",
        ),
        (
            f"/fortschritt?authority={SENDENHORST}",
            ("Zu Sendenhorst (Stadt) liegen keine Angaben vor", "Seite der Behörde, mit Kontakt"),
            f"/gebiete/{SENDENHORST}",
        ),
        (f"/vergleich?authority={SENDENHORST}", ("keine Angaben",), ""),
        ("/nachbarn?authority=073345001001&service=10500", ("noch keine Angaben vor",), ""),
        # a list that nobody took anything of
        ("/fortschritt/liste/wunsch", ("Wunschzettel", "Noch hat keine Behörde etwas übernommen"), ""),
        # days before the first import
        (f"/nachbarn?authority={TELGTE}&service=10500&stand=2026-01-09", FIRST, ""),
        (f"/luecken?authority={TELGTE}&stand=2026-01-09", FIRST, ""),
        ("/leistungen/10500?stand=2026-01-09", FIRST, ""),
        # services
        ("/nachbarn?authority=Telgte&service=10999", ("Leistung 10999 ist im Katalog nicht vorhanden",), ""),
        ("/register?service=10999", ("Leistung 10999 ist im Katalog nicht vorhanden",), "/register"),
        ("/neu?service=10999", ("Leistung 10999 ist im Katalog nicht vorhanden",), "/neu"),
        ("/leistungen/10509", ("führt diese Leistung nicht mehr",), ""),
    ],
)
def test_a_page_goes_on_and_says_why_it_is_empty(
    client: FlaskClient, address: str, said: tuple[str, ...], link: str
) -> None:
    status, text, links = told(client, address)
    assert status == 200
    assert [part for part in said if part not in text] == [], text
    assert any(link in found for found in links)


@pytest.mark.parametrize(
    ("address", "status", "said", "link"),
    [
        (
            "/leistungen/10999",
            404,
            ("10999 gibt es im Katalog nicht (mehr)",),
            "/leistungen/105",
        ),
        ("/vergleich?group=zwei&service=10999", 404, ("10999 ist im Katalog nicht vorhanden",), "/vergleich"),
        ("/neu.atom?service=10999", 404, ("10999 ist im Katalog nicht vorhanden",), "/suche"),
        ("/fortschritt/liste/nix", 404, ("Die Zielliste „nix“ gibt es nicht",), "/fortschritt/liste"),
        ("/fortschritt/liste/nix.csv", 404, ("Die Zielliste „nix“ gibt es nicht",), "/fortschritt/liste"),
        ("/vergleich?group=zwei&list=nix", 404, ("Die Zielliste „nix“ gibt es nicht",), "/vergleich"),
        ("/vergleich?group=nix", 404, ("Die Gruppe „nix“ gibt es nicht",), "/vergleich"),
        ("/fortschritt?group=nix", 404, ("Die Gruppe „nix“ gibt es nicht",), "/vergleich"),
        ("/fortschritt/liste/wunsch?group=nix", 404, ("Die Gruppe „nix“ gibt es nicht",), "/vergleich"),
        (f"/register/{NO_SOLUTION}", 404, ("steht nicht im Register", "nach ihrem Namen"), "/register"),
        ("/fortschritt?within=99", 404, ("Das Gebiet 99 gibt es im aktuellen Gebietsstand nicht",), "/"),
        # a list of authorities of which one is unknown
        (f"/fortschritt?authority={MUENSTER}&authority={NOBODY}", 400, UNKNOWN, ""),
        (f"/vergleich.csv?authority={MUENSTER},{NOBODY}", 400, UNKNOWN, ""),
        # files are made for an authority that is clear: who may be meant is named, with the key to take
        (f"/nachbarn.csv?authority={FOREST}", 400, (*NO_TOWN, f"{HELMSTEDT} (Helmstedt (Landkreis))"), ""),
        (f"/luecken.csv?authority={FOREST}", 400, (*NO_TOWN, f"{HELMSTEDT} (Helmstedt (Landkreis))"), ""),
        (f"/vergleich.csv?authority={FOREST}", 400, (*NO_TOWN, f"{HELMSTEDT} (Helmstedt (Landkreis))"), ""),
        (f"/fortschritt.csv?authority={FOREST}", 400, (*NO_TOWN, f"{HELMSTEDT} (Helmstedt (Landkreis))"), ""),
        ("/fortschritt.xlsx?authority=Warendorf", 400, (WHO, "055700052052 (Warendorf)"), ""),
        (f"/vergleich.csv?authority={FORMER}", 400, (GONE,), ""),
        # before the first import, to come, and none
        ("/vergleich?group=zwei&stand=2026-01-09", 404, FIRST, "/vergleich"),
        ("/vergleich.csv?group=zwei&stand=2026-01-09", 404, FIRST, ""),
        (f"/luecken.csv?authority={TELGTE}&stand=2026-01-09", 404, FIRST, ""),
        ("/vergleich?group=zwei&stand=2999-01-01", 400, ("2999-01-01“ liegt in der Zukunft",), "/vergleich"),
        ("/vergleich?group=zwei&stand=gestern", 400, ("stand=„gestern“ ist kein Tag", "Jahr-Monat-Tag"), ""),
    ],
)
def test_what_there_is_not_is_named_with_a_way_on(
    client: FlaskClient, address: str, status: int, said: tuple[str, ...], link: str
) -> None:
    answered, text, links = told(client, address)
    assert answered == status
    assert [part for part in said if part not in text] == [], text
    assert any(found.startswith(link) and (link != "/" or found == "/") for found in links)


def test_the_day_before_the_first_import_leads_to_the_first(client: FlaskClient) -> None:
    """The address that the message allows answers."""
    _status, text, _links = told(client, "/vergleich?group=zwei&stand=2026-01-09")
    assert "2026-01-10" in text
    assert client.get("/vergleich?group=zwei&stand=2026-01-10").status_code == 200
