"""The pages of the register, and what is taken along from them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]
from openpyxl import load_workbook
from sqlalchemy import insert, select, update

from mapservice import copies, create_app
from mapservice.database import Database
from mapservice.models import Authority, Implementation, Service, Solution
from tests.asking import client_of
from tests.entries import add_entry, add_service, set_publication
from tests.test_register import MUENSTER, OELDE, TELGTE, solution

HOSTILE = '<img src=x onerror="alert(1)"> ${7*7} \u202eabc "quoted"'


def fill(database: Database) -> None:
    with database.owner() as connection:
        add_service(connection, "10500", name="Hundesteuer", subject_area_id=12)
        add_service(connection, "10501", name=HOSTILE, subject_area_id=11)
        for ars in (MUENSTER, TELGTE, OELDE):
            set_publication(connection, ars)
        provider = connection.execute(select(Authority.id).where(Authority.ars == MUENSTER)).scalar_one()
        connection.execute(
            update(Authority)
            .where(Authority.ars == MUENSTER)
            .values(contact="it@muenster.example", contact_kind=1)
        )
        form = solution(
            connection, "Formularwerk", platform=HOSTILE, provider_id=provider, visibility=3, reusable=True,
            costs="=1+1", conditions="Beitritt", trust_level=2, confirmed_on=dt.date(2026, 2, 3),
        )  # fmt: skip
        hostile = solution(connection, HOSTILE)
        long = solution(connection, "L" * 5000)
        day = dt.date(2024, 3, 1)
        more: dict[str, Any] = {"online_since": day, "reusable": True, "reuse_note": HOSTILE}
        add_entry(
            connection,
            TELGTE,
            "10500",
            solution_id=form,
            contact="hund@telgte.example",
            contact_kind=1,
            **more,
        )
        add_entry(
            connection,
            OELDE,
            "10500",
            status=2,
            solution_id=form,
            contact="anna@oelde.example",
            contact_kind=2,
        )
        add_entry(connection, TELGTE, "10501", solution_id=hostile, specialist_system=HOSTILE)
        add_entry(connection, OELDE, "10501", solution_id=long)
        add_entry(connection, MUENSTER, "10501", **more)


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    """For tests that only read."""
    fill(module_boundaries)
    yield from serving(module_boundaries)


@pytest.fixture
def database(boundaries_loaded: Database) -> Database:
    """For tests that change something."""
    fill(boundaries_loaded)
    return boundaries_loaded


@pytest.fixture
def own_client(database: Database) -> Iterator[FlaskClient]:
    yield from serving(database)


def serving(database: Database) -> Iterator[FlaskClient]:
    with client_of(database) as client:
        yield client


def address(client: FlaskClient, text: str) -> str:
    page = html.fromstring(client.get(f"/register?q={text}").text)
    return str(page.xpath("//tbody//th/a/@href")[0])


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def names(client: FlaskClient, address_: str) -> list[str]:
    page = html.fromstring(client.get(address_).text)
    return [" ".join(found.text_content().split()) for found in page.xpath("//table//tbody//th/a")]


def test_the_list_names_solutions_and_offers_without_a_name(client: FlaskClient) -> None:
    page = client.get("/register")
    assert page.status_code == 200
    assert "3 Lösungen im Register; dazu nachnutzbare Angebote ohne Produktname zu 1 Leistung." in page.text
    shown = names(client, "/register?sort=name")
    assert [name[:16] for name in shown] == ["Formularwerk", HOSTILE[:16], "L" * 16, "Ohne Produktname"]
    english = client.get("/register?lang=en").text
    assert "Register of solutions" in english
    assert "Keine" not in english


@pytest.mark.parametrize(
    "path", ["/register", "/register?sort=confirmed&limit=100", "/register.csv", "/register.xlsx"]
)
def test_strange_text_is_text_everywhere(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    if "csv" in path:
        table = rows(answer.text)
        by_name = {row["Lösung"]: row for row in table}
        assert HOSTILE in by_name
        assert by_name["Formularwerk"]["Kosten"] == "'=1+1"
        assert "L" * 5000 in by_name
    elif "xlsx" in path:
        sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]
        cells = {str(cell.value): cell for row in sheet.iter_rows() for cell in row if cell.value is not None}
        assert HOSTILE in cells
        assert cells["=1+1"].data_type == "s"
    else:
        page = html.fromstring(answer.text)
        assert not page.xpath("//img[@onerror]")
        assert "49" not in page.xpath("string(//table)")
        assert len(max(names(client, path), key=len)) < 200


def test_the_page_of_one_says_who_uses_it_since_when_and_whom_to_ask(client: FlaskClient) -> None:
    page = client.get(address(client, "Formularwerk"))
    assert page.status_code == 200
    for text in (
        "Münster",
        "Beitritt",
        "=1+1",
        "substantiell",
        "03.02.2026",
        "01.03.2024",
        "hund@telgte.example",
    ):
        assert text in page.text
    # A person's address is nobody's business; Oelde has no other.
    assert "anna@oelde.example" not in page.text
    tree = html.fromstring(page.text)
    mails = tree.xpath("//a[starts-with(@href, 'mailto:')]/@href")
    assert any(link.startswith("mailto:it@muenster.example?subject=") for link in mails)
    assert any(link.startswith("mailto:hund@telgte.example?subject=") for link in mails)
    assert all("&cc" not in link and "\n" not in link for link in mails)
    assert not tree.xpath("//img[@onerror]")
    assert tree.xpath("//table//tbody/tr[1]/th/a/text()") == ["Oelde"]


def test_users_are_sorted_filtered_and_taken_along(client: FlaskClient) -> None:
    own = address(client, "Formularwerk")
    assert names(client, f"{own}?sort=since") == ["Telgte", "Oelde"]
    assert names(client, f"{own}?within=055700044044") == ["Telgte"]
    assert "In dieser Region nutzt sie niemand" in client.get(f"{own}?within=11").text
    table = [row for row in rows(client.get(f"{own}.csv").text) if row["Behörde"]]
    assert [(row["Behörde"], row["Status"], row["nachnutzbar"]) for row in table[:2]] == [
        ("Oelde", "in Umsetzung", ""),
        ("Telgte", "online", "ja"),
    ]
    assert load_workbook(io.BytesIO(client.get(f"{own}.xlsx").data)).worksheets[0]["B3"].value == "Telgte"


def test_the_map_marks_the_districts_of_users(client: FlaskClient) -> None:
    picture = client.get(f"{address(client, 'Formularwerk')}.svg")
    assert picture.mimetype == "image/svg+xml"
    used = re.search(r'fill="#084594" d="(M[^"]+)"', picture.text)
    assert used
    assert used[1].count("Z") >= 1
    assert re.search(r'fill="#4292c6" d=""', picture.text)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (f"/register/{uuid.UUID(int=7)}", 404, "steht nicht im Register"),
        ("/register/xyz", 404, "steht nicht im Register"),
        ("/register/xyz.csv", 404, "steht nicht im Register"),
        ("/register?service=10999", 200, "10999"),
        ("/register?within=99", 200, "99"),
        ("/register?page=99", 400, "So viele Seiten"),
        ("/register?page=0", 400, "eine Zahl ab 1"),
        ("/register?limit=7", 400, "100"),
        ("/register?sort=color", 400, "users"),
        ("/register?maturity=3", 400, "1.1:3"),
        ("/register?colour=red", 400, "colour"),
        ("/register?confirmed=2999-01-01", 400, "Zukunft"),
        ("/register?q=%25_%27%26|!(", 200, "Nichts im Register"),
        ("/register?q=Xqzqzq", 200, "Nichts im Register passt zu"),
        ("/register?platform=Nirgends", 200, "Keine Lösung erfüllt alle Filter"),
    ],
)
def test_wrong_questions_are_answered_helpfully(
    client: FlaskClient, path: str, status: int, text: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert text in html.fromstring(answer.text).text_content()


def test_an_empty_register_says_who_fills_it(boundaries_loaded: Database) -> None:
    app = create_app(boundaries_loaded.settings, boundaries_loaded)
    assert "Das Register ist noch leer" in app.test_client().get("/register").text
    app.extensions["mapservice"].versions.close()


def test_a_withdrawal_takes_the_page_away(own_client: FlaskClient, database: Database) -> None:
    own = address(own_client, "Formularwerk")
    assert own_client.get(own).status_code == 200
    with database.owner() as connection:
        connection.execute(update(Implementation).values(visibility=1))
        connection.execute(update(Solution).values(visibility=1))
        copies.refresh(connection)
    assert own_client.get(own).status_code == 404
    assert own_client.get(f"{own}.svg").status_code == 404
    assert "Nichts im Register" in own_client.get("/register?q=Formularwerk").text
    assert len([row for row in rows(own_client.get("/register.csv").text) if row["Adresse"]]) == 0


def test_pages_of_fifty(own_client: FlaskClient, database: Database) -> None:
    with database.owner() as connection:
        service = connection.execute(select(Service.id).where(Service.key == "10500")).scalar_one()
        authority = connection.execute(select(Authority.id).where(Authority.ars == TELGTE)).scalar_one()
        for number in range(60):
            made = solution(connection, f"Werk {number:02}")
            connection.execute(
                insert(Implementation).values(
                    id=uuid.uuid4(),
                    authority_id=authority,
                    service_id=service,
                    identifier=str(number),
                    status=1,
                    visibility=3,
                    solution_id=made,
                )
            )
        copies.refresh(connection)
    first, second = (names(own_client, f"/register?sort=name&page={page}") for page in (1, 2))
    assert (len(first), len(second)) == (50, 14)
    assert len(names(own_client, "/register?sort=name&limit=100")) == 64
    assert not set(first) & set(second)
