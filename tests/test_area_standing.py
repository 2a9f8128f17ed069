"""The page of an area and its JSON: rank and averages recounted, entries by who offers them, mails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from mapservice import create_app, tallies
from mapservice.database import Database
from mapservice.domain import FEDERATION, implementation_id
from mapservice.models import Authority, Implementation, Publication, Service
from tests.asking import client_of
from tests.entries import add_service

TELGTE, WARENDORF, NRW, MUENSTER = "055700044044", "055700000000", "050000000000", "055150000000"
NASTY = "<img src=x onerror=alert(1)>${alert(1)}\u202e&subject=x?body=y%0A" + "A" * 300


@pytest.fixture(scope="module")
def filled(module_boundaries: Database) -> Database:
    """Five services; authority number k has k*7 modulo 6 of them online, every seventh tells nothing."""
    with module_boundaries.owner() as connection:
        for number in range(5):
            add_service(
                connection,
                str(10500 + number),
                subject_area_id=6 if number else 13,
                name=f"Leistung {number}",
            )
        connection.execute(update(Service).where(Service.key == "10503").values(name=NASTY))
        services = connection.execute(select(Service.id, Service.key).order_by(Service.key)).all()
        authorities = connection.execute(select(Authority.id, Authority.ars).order_by(Authority.ars)).all()
        connection.execute(
            insert(Publication), [{"authority_id": row.id, "visibility": 3} for row in authorities]
        )
        rows = [
            {
                "id": implementation_id(authority.ars, service.key, ""),
                "authority_id": authority.id,
                "service_id": service.id,
                "status": 1 if place < number * 7 % 6 else 3,
                "url": f"https://demo.example/{service.key}",
                "visibility": 3,
                "contact": "team@stadt.example" if service.key == "10500" else "erika@stadt.example",
                "contact_kind": 1 if service.key == "10500" else 2,
            }
            for number, authority in enumerate(authorities)
            for place, service in enumerate(services)
            if number % 7 or authority.ars in (TELGTE, FEDERATION)
        ]
        connection.execute(insert(Implementation), rows)
        tallies.refresh(connection)
    return module_boundaries


@pytest.fixture(scope="module")
def client(filled: Database) -> Iterator[FlaskClient]:
    with client_of(filled, contact_mail="karte@amt.example") as client:
        yield client


def get(client: FlaskClient, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return json.loads(response.data)


@pytest.mark.parametrize(
    "choice",
    [
        "",
        "measure=share",
        "measure=share&scope=available&subject=familie_kind",
        "within=05&status=planned",
        "service=10502&measure=status",
    ],
)
def test_rank_and_averages_are_those_of_the_layer(client: FlaskClient, choice: str) -> None:
    """Recounted in plain Python from the GeoJSON of all areas, for every area of Kreis Warendorf."""
    everywhere = choice.replace("within=05&", "")
    table = [
        feature["properties"]
        for feature in get(client, f"/api/layers/municipalities.geojson?{everywhere}")["features"]
    ]

    def value(row: dict[str, Any]) -> float | None:
        if row["value"] is None:
            return None
        if "measure=status" in choice:
            return 1.0 if row["value"] == "online" else 0.0
        return row["share"] if "share" in choice else float(row["value"])

    def mean(rows: list[dict[str, Any]]) -> tuple[float, int]:
        known = [number for row in rows if (number := value(row)) is not None]
        return sum(known) / len(known), len(known)

    checked = 0
    for me in (row for row in table if row["district"] == "Warendorf"):
        said = get(client, f"/api/areas/{me['ars']}?level=municipalities&{choice}")["standing"]
        assert said["value"] == me["value"]
        assert said["reason"] == me["value_reason"]
        shown = [row for row in table if "within=05" not in choice or row["ars"].startswith("05")]
        own = value(me)
        if own is not None and "measure=status" not in choice:
            higher = [row for row in shown if (other := value(row)) is not None and other > own]
            assert (said["rank"], said["ranked"]) == (len(higher) + 1, mean(shown)[1])
            checked += 1
        else:
            assert said["rank"] is None
        expected = [
            mean([row for row in table if row["district"] == "Warendorf"]),
            mean([row for row in table if row["state"] == "Nordrhein-Westfalen"]),
            mean(table),
        ]
        assert [item["name"] for item in said["averages"]] == ["Warendorf", "Nordrhein-Westfalen", None]
        for item, (number, areas) in zip(said["averages"], expected, strict=True):
            # The layer's shares have three decimals.
            assert item["value"] == pytest.approx(number, abs=0.00101)
            assert item["areas"] == areas
    assert checked or "status" in choice


def test_a_city_is_compared_with_its_state_and_a_state_with_germany(client: FlaskClient) -> None:
    city = get(client, f"/api/areas/{MUENSTER}?level=districts")["standing"]["averages"]
    assert [item["level"] for item in city] == ["states", None]
    state = get(client, "/api/areas/05?level=states")["standing"]["averages"]
    assert [item["level"] for item in state] == [None]


def test_the_panel_groups_by_who_offers(client: FlaskClient) -> None:
    panel = client.get(f"/api/areas/{TELGTE}?level=municipalities&format=html").text
    page = client.get(f"/gebiete/{TELGTE}").text
    for text in (panel, page):
        headings = re.findall(r'class="provider__name">(.*?)</h', text)
        assert headings == [
            "Eigene Angebote",
            "Vom Kreis: Warendorf",
            "Vom Land: Nordrhein-Westfalen",
            "Vom Bund: Bundesrepublik Deutschland",
        ]
        assert "Durchschnitt Kreis Warendorf (" in text
        assert re.search(r"Platz \d+ von \d+ in Deutschland", text)
        assert "<img" not in text
        assert "&lt;img src=x onerror=alert(1)&gt;${alert(1)}" in text
        assert not re.search(r"<[^>]*\s(style|on\w+)=", text)
    json_entries = get(client, f"/api/areas/{TELGTE}?level=municipalities")["implementations"]
    online = [entry for entry in json_entries if entry["status"] == "online"]
    assert online
    for entry in online:
        assert entry["url"] in panel
    chain = get(client, f"/api/areas/{TELGTE}?level=municipalities")["chain"]
    assert [row["role"] for row in chain] == ["own", "district", "state", "federation"]


def test_filters_hold_in_the_panel_and_on_the_page(client: FlaskClient) -> None:
    for address in (
        f"/api/areas/{TELGTE}?level=municipalities&format=html&service=10501",
        f"/gebiete/{TELGTE}?service=10501",
    ):
        text = client.get(address).text
        assert "https://demo.example/10501" in text or "Leistung 1" in text
        assert "Leistung 2" not in text
        assert "Alle Angebote zeigen (" in text
    entries = get(client, f"/api/areas/{TELGTE}?service=10501")["implementations"]
    assert {entry["service"] for entry in entries if entry["in_filter"]} == {"10501"}
    assert (
        client.get(f"/api/areas/{TELGTE}?measure=spread&service=10501&level=municipalities").status_code
        == 400
    )
    assert client.get(f"/gebiete/{TELGTE}?unsinn=1").status_code == 400


def mails(text: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="(mailto:[^"]*)"', text)]


def test_a_mail_goes_to_a_public_contact_and_nothing_can_be_slipped_in(client: FlaskClient) -> None:
    text = client.get(f"/gebiete/{TELGTE}").text
    assert "erika" not in text, "a person's address is nobody's business"
    found = mails(text)
    assert {unquote(urlsplit(link).path) for link in found} == {"team@stadt.example", "karte@amt.example"}
    for link in found:
        parts = urlsplit(link)
        assert re.fullmatch(r"[!-~]*", link), "percent-encoded ASCII alone"
        fields = parse_qs(parts.query, strict_parsing=True)
        assert set(fields) == {"subject", "body"}
        assert len(link) < 6000
        (subject,) = fields["subject"]
        assert "\n" not in subject
        (body,) = fields["body"]
        assert "http://localhost/gebiete/" in body
        assert body.count("\r\n") == body.count("\n")
    entry = str(implementation_id(TELGTE, "10500", ""))
    own = next(link for link in found if entry in link)
    assert urlsplit(own).path == "team@stadt.example"
    body = parse_qs(urlsplit(own).query)["body"][0]
    assert "Leistung: Leistung 0 (10500)" in body
    assert "Behörde: Telgte" in body
    assert f"/gebiete/{TELGTE}\r\n" in body


def test_without_any_address_a_sentence_stands_in(filled: Database) -> None:
    app = create_app(filled.settings, filled)
    text = app.test_client().get("/gebiete/055700008008").text
    app.extensions["mapservice"].versions.close()
    assert "Eine Adresse für Hinweise ist noch nicht bekannt" in text
    # Of an entry its own contact is asked; nobody is asked of the area.
    subjects = [parse_qs(urlsplit(link).query)["subject"][0] for link in mails(text)]
    assert subjects
    assert all(subject.startswith("Eintrag stimmt nicht: Leistung 0 (") for subject in subjects), subjects


def test_a_town_without_data_is_helped_on(filled: Database, client: FlaskClient) -> None:
    with filled.owner() as connection:
        silent = connection.scalar(
            select(Authority.ars)
            .where(Authority.ars.like("05570%"), Authority.ars.not_in([TELGTE, WARENDORF]))
            .where(~select(Implementation.id).where(Implementation.authority_id == Authority.id).exists())
            .limit(1)
        )
        connection.execute(
            update(Authority).where(Authority.ars == WARENDORF).values(website="https://kreis.example/")
        )
    assert silent is not None
    text = client.get(f"/gebiete/{silent}").text
    assert "Wir kennen auch keine Webseite" in text
    assert "Vielleicht hilft der Kreis weiter" in text
    assert 'href="https://kreis.example/"' in text
