"""Entries, users and filters of the register, recounted with pandas alone from the files imported."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient

from mapservice.database import Database
from tests.boundary_fixture import SMALL
from tests.recount import areas, catalogue, entries, register, small, small_register
from tests.recount.register import Key, Question, Register
from tests.test_recount import World, copy_of  # noqa: F401 - a fixture

AUDIENCES = pytest.mark.parametrize("audience", ["public", "internal"])
STATUSES = {"online": 1, "in Umsetzung": 2, "in Planung": 3}
KINDS = {
    "Einer für Alle (EfA)": "efa",
    "Eigenentwicklung": "in_house",
    "Nachnutzung": "reuse",
    "Fachverfahren": "specialist_system",
}
ANSWERS = {"ja": True, "nein": False, "": None}
QUESTIONS = (
    Question(subjects=("umwelt",)),
    Question(subjects=("bauen_wohnen", "gesundheit"), reusable=True),
    Question(subjects=("bildung",)),
    Question(services=("10001",)),
    Question(services=("10951",)),
    Question(services=("99004002000000",)),
    Question(services=("99009001000000", "eigen:Hundefotos"), named=False),
    Question(platform="Serviceportal Nord"),
    Question(platform="Landesportal", reusable=True),
    Question(kinds=("efa",), named=True),
    Question(kinds=("in_house", "reuse"), within=("05570",)),
    Question(maturity="1.1:4"),
    Question(maturity="2.0:3", subjects=("familie_kind",)),
    Question(confirmed="2025-10-01"),
    Question(confirmed="2024-06-14", within=("11",), named=False),
    Question(within=("055",)),
    Question(within=("05570", "03")),
    Question(within=("055700000000",)),
    Question(within=("055700044044", "073345001")),
    Question(within=("05",), by_provider=True),
    Question(within=("05515", "03"), by_provider=True, named=True),
    Question(reusable=True),
    Question(named=True),
    Question(named=False, subjects=("querschnittsleistungen", "umwelt"), kinds=("efa", "specialist_system")),
)


@dataclass
class Solutions:
    """The files in the service's database, and as tables for the recount."""

    world: World
    entries: entries.Entries
    said: Any

    def client(self, audience: str) -> FlaskClient:
        return self.world.client(audience)

    def recount(self, audience: str) -> Register:
        return Register(self.world.catalogue, self.entries, self.said, audience, self.world.published)


@pytest.fixture(scope="module")
def solutions(
    copy_of: Callable[[str], Database],  # noqa: F811
    boundaries_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Solutions:
    """Nine districts; a catalogue that lost three rows since, half of the authorities published."""
    folder = tmp_path_factory.mktemp("register")
    land = areas.land(areas.read_topojson(SMALL))
    earlier, present = (catalogue.read_catalogue(path) for path in small.write_catalogues(folder))
    small_register.write_entries(folder / "entries.csv", land)
    small_register.write_solutions(folder / "solutions.csv", land)
    read = entries.read_entries(folder / "entries.csv", earlier, land.authorities)
    said, rejected, superseded = register.read_solutions(folder / "solutions.csv", land.authorities)
    assert min(read.rejected, read.superseded, rejected, superseded) > 0
    world = World(
        copy_of(boundaries_template), land, catalogue.succeeded(earlier, present), read.table, set(), {}
    )
    world.run("import", "catalogue", folder / "earlier.csv")
    world.run("import", "implementations", folder / "entries.csv")
    world.run("import", "solutions", folder / "solutions.csv")
    world.run("import", "catalogue", folder / "catalogue.csv")
    draw = random.Random(8)
    candidates = [ars for ars in land.authorities if ars != areas.FEDERATION]
    world.publish(draw.sample(candidates, len(candidates) // 2))
    return Solutions(world, read, said)


def table(client: FlaskClient, address: str, asked: Any = None) -> list[dict[str, str]]:
    """The rows of a download, without its notes."""
    answer = client.get(address, query_string=asked)
    assert answer.status_code == 200, answer.text
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    head, *body = rows[: rows.index([])]
    return [dict(zip(head, row, strict=True)) for row in body]


def key_of(row: dict[str, str], recount: Register) -> Key:
    if row["Lösung"]:
        return "named", row["Lösung"].lower()
    served = row["Leistungen"].split(" | ")[0]
    return "unnamed", recount.catalogue.bundle_of().get(served, served)


def words(cell: str) -> set[str]:
    return {word for word in cell.split(" | ") if word}


def kinds(cell: str) -> set[str]:
    return {KINDS[word] for word in cell.split(", ") if word}


def day(value: Any) -> str:
    return f"{value:%d.%m.%Y}" if value else ""


def step(value: int | None) -> str:
    return "" if value is None else str(value)


def parameters(asked: Question) -> dict[str, Any]:
    said = {
        "subject": list(asked.subjects),
        "service": list(asked.services),
        "kind": list(asked.kinds),
        "within": list(asked.within),
        "maturity": asked.maturity,
        "confirmed": asked.confirmed,
        "platform": asked.platform,
        "place": "provider" if asked.by_provider else "",
        "reusable": "yes" if asked.reusable else "",
        "product": {None: "", True: "named", False: "unnamed"}[asked.named],
    }
    return {name: value for name, value in said.items() if value}


@AUDIENCES
def test_every_entry(solutions: Solutions, audience: str) -> None:
    recount = solutions.recount(audience)
    rows = {key_of(row, recount): row for row in table(solutions.client(audience), "/register.csv")}
    assert set(rows) == recount.keys
    assert {kind for kind, _name in rows} == {"named", "unnamed"}
    for key, row in rows.items():
        entry = recount.entry(key)
        assert row["nutzende Behörden"] == str(entry["users"]), key
        assert row["Behörden in Vorbereitung"] == str(entry["coming"]), key
        assert row["Behörden, die ihre anbieten"] == str(entry["sharing"]), key
        assert row["Behörden, die ihre nicht anbieten"] == str(entry["keeping"]), key
        assert ANSWERS[row["nachnutzbar"]] is entry["reusable"], key
        assert (row["online seit"], row["zuletzt bestätigt"]) == (
            day(entry["since"]),
            day(entry["confirmed"]),
        ), key
        assert (row["Plattform"], row["Schlüssel"]) == (entry["platform"], entry["provider"]), key
        assert row["Vertrauensniveau"] == entry["trust"], key
        assert words(row["Leistungen"]) == entry["services"], key
        assert row["Zahl der Leistungen"] == str(len(entry["services"])), key
        assert words(row["Fachverfahren bei Nutzenden"]) == entry["systems"], key
        assert kinds(row["Lösungsart"]) == entry["kinds"], key
        highest = entry["maturity"]
        assert row["Reifegrad 1.1 bis"] == step(highest.get("1.1")), key
        assert row["Reifegrad 2.0 bis"] == step(highest.get("2.0")), key


@AUDIENCES
def test_the_order_by_number_of_users(solutions: Solutions, audience: str) -> None:
    recount = solutions.recount(audience)
    keys = [key_of(row, recount) for row in table(solutions.client(audience), "/register.csv")]
    numbers = [(recount.entry(key)["users"], recount.entry(key)["coming"], key) for key in keys]
    for one, other in pairwise(numbers):
        assert one[:2] >= other[:2]
        if one[:2] == other[:2]:
            assert one[2][0] < other[2][0] or one[2][0] == other[2][0] == "unnamed" or one[2] < other[2]


@AUDIENCES
def test_who_uses_each_since_when(solutions: Solutions, audience: str) -> None:
    client, recount = solutions.client(audience), solutions.recount(audience)
    for row in table(client, "/register.csv"):
        key = key_of(row, recount)
        users = recount.users(key)
        shown = {user["Schlüssel"]: user for user in table(client, f"/register/{row['Kennung']}.csv")}
        assert set(shown) == set(users), key
        for ars, user in users.items():
            said = shown[ars]
            assert STATUSES[said["Status"]] == user["status"], (key, ars)
            assert said["online seit"] == day(user["since"]), (key, ars)
            assert said["zuletzt bestätigt"] == day(user["confirmed"]), (key, ars)
            assert ANSWERS[said["nachnutzbar"]] is user["sharing"], (key, ars)
            assert words(said["Leistungen"]) == user["services"], (key, ars)
            assert words(said["Fachverfahren"]) == user["systems"], (key, ars)
            assert kinds(said["Lösungsart"]) == user["kinds"], (key, ars)
            assert said["Reifegrad 1.1 bis"] == step(user["maturity"].get("1.1")), (key, ars)


@AUDIENCES
def test_every_filter(solutions: Solutions, audience: str) -> None:
    client, recount = solutions.client(audience), solutions.recount(audience)
    numbers = []
    for asked in QUESTIONS:
        rows = table(client, "/register.csv", parameters(asked))
        assert {key_of(row, recount) for row in rows} == recount.found(asked), asked
        numbers.append(len(rows))
    # Most divide: questions that find all or nothing would prove little.
    dividing = sum(0 < number < len(recount.keys) for number in numbers)
    assert dividing * 3 >= len(QUESTIONS) * 2, numbers
