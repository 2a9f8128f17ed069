"""Demonstration data: marked, repeatable, gone without a trace."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
from sqlalchemy import text

from mapservice import demo
from mapservice.database import Database
from mapservice.demo import generate
from mapservice.domain import SUBJECT_AREAS, Audience, is_leika_key
from mapservice.errors import ImportRefusedError
from tests.places import MUENSTER, add_places


@pytest.fixture
def loaded(database: Database) -> Database:
    with database.owner() as connection:
        add_places(connection)
    demo.load(database)
    return database


def everything(database: Database) -> list[tuple[object, ...]]:
    with database.owner() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text(
                    "SELECT id, status, url, visibility, online_since, demonstration, source"
                    " FROM implementation ORDER BY id"
                )
            )
        ]


def test_catalogue_of_our_own() -> None:
    with demo.CATALOGUE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    bundles = {row["ozg_id"] for row in rows}
    assert 60 <= len(bundles) <= 70
    assert {row["themenfeld"] for row in rows} == {name for _, name in SUBJECT_AREAS}
    assert all(row["zustaendig"] for row in rows)
    children = [row["leika_schluessel"] for row in rows if row["leika_schluessel"]]
    assert len(children) > 20
    assert all(map(is_leika_key, children))


def test_catalogue_agrees_with_the_real_one(shared: object) -> None:
    with shared("data/ozg_katalog.csv").open(encoding="utf-8", newline="") as file:  # type: ignore[operator]
        real = {row["ozg_id"]: row["ozg_leistung"].strip() for row in csv.DictReader(file)}
    with demo.CATALOGUE.open(encoding="utf-8", newline="") as file:
        ours = {row["ozg_id"]: row["ozg_leistung"] for row in csv.DictReader(file, delimiter=";")}
    assert {key: real[key] for key in ours} == ours


def test_everything_is_marked_and_made_up(loaded: Database) -> None:
    rows = everything(loaded)
    assert len(rows) > 50
    for _, _, url, _, _, demonstration, source in rows:
        assert demonstration
        assert source == "Demodaten"
        assert url is None or str(url).startswith("https://demo.example/")
    assert {3, 1} == {row[3] for row in rows}
    with loaded.reader(Audience.PUBLIC) as connection:
        seen = connection.execute(text("SELECT count(*) FROM implementation")).scalar_one()
        assert seen == Counter(row[3] for row in rows)[3]
        assert connection.execute(text("SELECT demonstration FROM data_version")).scalar_one()


def test_same_seed_same_rows(loaded: Database) -> None:
    before = everything(loaded)
    demo.load(loaded)
    assert everything(loaded) == before
    demo.load(loaded, seed=2)
    assert everything(loaded) != before


def test_the_partners_have_entries_with_any_seed() -> None:
    """Kreise Coesfeld and Warendorf, Städte Hamm and Münster; their municipalities may still be without."""
    for place in ("05558", "05570", "05915", "05515"):
        for seed in range(1, 60):
            assert generate._progress(seed, place.ljust(12, "0")) is not None
    assert generate._progress(1, "055700000000") is not None
    assert None in [generate._progress(seed, "055660000000") for seed in range(1, 60)]


def test_responsible_authorities_only(loaded: Database) -> None:
    with loaded.owner() as connection:
        wrong = connection.execute(
            text(
                "SELECT count(*) FROM implementation i JOIN authority a ON a.id = i.authority_id"
                " JOIN service s ON s.id = i.service_id WHERE a.kinds & s.responsible = 0"
            )
        ).scalar_one()
        city = connection.execute(
            text(
                "SELECT count(*) FROM implementation JOIN authority a ON a.id = authority_id WHERE ars = :ars"
            ),
            {"ars": MUENSTER},
        ).scalar_one()
    assert wrong == 0
    assert city > 10


def test_a_group_and_a_list_that_say_so(loaded: Database) -> None:
    with loaded.reader(Audience.PUBLIC) as connection:
        names = connection.scalars(
            text("SELECT name FROM authority_group UNION ALL SELECT name FROM target_list")
        ).all()
        assert len(names) == 2
        assert all("(Demonstration)" in name for name in names)
        members = connection.scalar(text("SELECT count(*) FROM group_member"))
        taken = connection.scalar(text("SELECT count(*) FROM commitment WHERE due IS NOT NULL"))
    assert members == 3  # of the places of this test three are districts
    assert taken > 10


def test_remove_leaves_nothing(loaded: Database) -> None:
    demo.remove(loaded)
    with loaded.owner() as connection:
        for table in (
            "implementation",
            "implementation_history",
            "service",
            "solution",
            "tally",
            "life_situation",
            "authority_group",
            "group_member",
            "target_list",
            "target",
            "commitment",
        ):
            count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            assert (table, count) == (table, 0)
        assert not any(connection.execute(text("SELECT demonstration FROM data_version")).scalars())


def test_needs_boundaries(database: Database) -> None:
    with pytest.raises(ImportRefusedError, match="mapservice import boundaries"):
        demo.load(database)
