"""Importing the catalogue: real files with their dirt, responsibility, services that vanish."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from mapservice import demo
from mapservice.database import Database
from mapservice.errors import ImportRefusedError
from mapservice.imports.catalogue import Result, import_catalogue
from mapservice.imports.implementations import import_implementations
from tests.places import CATALOGUE, MUENSTER, add_places

HEADER = "themenfeld;lage;ozg_id;ozg_leistung;leika_schluessel;leika_leistung;leika_typ;zustaendig\n"


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Callable[..., Result]:
    def load(content: str = CATALOGUE, dry_run: bool = False) -> Result:
        path = tmp_path / "katalog.csv"
        path.write_text(content, encoding="utf-8")
        return import_catalogue(database, [path], dry_run=dry_run)

    return load


def services(database: Database) -> dict[str, dict[str, object]]:
    with database.owner() as connection:
        rows = connection.execute(
            text(
                "SELECT s.key, s.kind, s.name, p.key AS parent, a.name AS area, l.name AS situation,"
                " s.leika_type, s.declared_kinds, s.responsible, position('1' IN s.bit::text) - 1 AS bit,"
                " s.retired, s.demonstration FROM service s LEFT JOIN service p ON p.id = s.parent_id"
                " LEFT JOIN subject_area a ON a.id = s.subject_area_id"
                " LEFT JOIN life_situation l ON l.id = s.life_situation_id"
            )
        ).mappings()
        return {row["key"]: dict(row) for row in rows}


def test_bundles_and_children(load: Callable[..., Result], database: Database) -> None:
    result = load()
    assert (result.bundles, result.leika) == (4, 5)
    assert (result.counts.read, result.counts.inserted) == (6, 6)
    found = services(database)
    assert found["10000"] == {
        "key": "10000",
        "kind": 1,
        "name": "Elterngeld",
        "parent": None,
        "area": "Familie & Kind",
        "situation": "Geburt",
        "leika_type": None,
        "declared_kinds": 12,
        "responsible": 12,
        "bit": 0,
        "retired": False,
        "demonstration": False,
    }
    child = found["99041009017000"]
    assert (child["kind"], child["parent"], child["leika_type"], child["bit"]) == (2, "10000", "2/3", None)
    assert found["10119"]["area"] == "Querschnittsleistungen"
    assert found["10119"]["bit"] == 119
    without_key = [row for key, row in found.items() if key.startswith("ohne-leika:")]
    assert [(row["name"], row["parent"], row["leika_type"]) for row in without_key] == [
        ("Ausweis verloren", "10119", "1, 2/3")
    ]
    assert found["99089022000000"]["parent"] is None


def test_responsibility(load: Callable[..., Result], database: Database) -> None:
    """`zustaendig` as it says; empty: every kind; all LeiKa children of type 1: the federation alone."""
    load()
    found = services(database)
    kinds = {key: row["responsible"] for key, row in found.items() if row["kind"] == 1}
    assert kinds == {"10000": 4 | 8, "10117": 63, "10119": 32, "10360": 1}


def test_twice_changes_nothing(load: Callable[..., Result], database: Database) -> None:
    load()
    before = services(database)
    version = text("SELECT version FROM data_version ORDER BY audience")
    with database.owner() as connection:
        versions = connection.execute(version).all()
    counts = load().counts
    assert (counts.inserted, counts.updated, counts.unchanged, counts.removed) == (0, 0, 6, 0)
    with database.owner() as connection:
        assert connection.execute(version).all() == versions
    assert services(database) == before
    changed = load(CATALOGUE.replace("Elterngeld Bewilligung", "Elterngeld, Bewilligung"))
    assert (changed.counts.updated, changed.counts.unchanged) == (1, 5)


def test_what_vanishes_is_retired_whether_entries_refer_to_it_or_not(
    load: Callable[..., Result], database: Database, tmp_path: Path
) -> None:
    """Else the public could tell from what stays which services have internal entries."""
    load()
    with database.owner() as connection:
        add_places(connection)
    path = tmp_path / "a.csv"
    path.write_text(f"ars;leistung;status\n{MUENSTER};99041009017000;online\n")
    import_implementations(database, [path])
    before = services(database).keys()
    result = load(HEADER + "Bauen & Wohnen;Wohnen & Umzug;10117;Grundsteuer;;;;\n")
    found = services(database)
    assert found.keys() == before
    assert [key for key, row in found.items() if not row["retired"]] == ["10117"]
    assert result.retired == len(before) - 1
    load()
    assert not any(row["retired"] for row in services(database).values())


def test_rejected_rows_keep_their_service(load: Callable[..., Result], database: Database) -> None:
    load()
    result = load(CATALOGUE.replace("Bauen & Wohnen;", "Bauen und so;"))
    assert result.counts.rejected == 1
    assert "10117" in services(database)
    assert any("unbekanntes Themenfeld" in line for line in result.lines)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Familie & Kind;x;9999;Name;;;;", "keine OZG-ID"),
        ("Familie & Kind;x;10001;;;;;", "ozg_leistung: fehlt"),
        ("Familie;x;10001;Name;;;;", "Gemeint: Familie & Kind"),
        (";;;;;;;Land", "weder OZG-Leistung noch"),
        ("Familie & Kind;x;10001;Name;3233;Test;1;", "14 Ziffern, beginnt mit 99"),
        ("Familie & Kind;x;10001;Name;9,9E+13;Test;1;", "Exponent"),
        ("Familie & Kind;x;10001;Name;99041009000000;;1;", "leika_leistung: fehlt"),
        ("Familie & Kind;x;10001;Name;;;;Bezirk", "Bund, Land, Kreis"),
        ("Familie & Kind;x;10001;Na\x01me;;;;", "Steuerzeichen"),
    ],
)
def test_rejected_rows(load: Callable[..., Result], database: Database, line: str, reason: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        load(HEADER + line + "\n")
    assert reason in refused.value.message
    assert services(database) == {}


def test_a_missing_column_is_named(load: Callable[..., Result], database: Database) -> None:
    with pytest.raises(
        ImportRefusedError, match=r"ozg_id, ozg_leistung\. Gefunden \(Zeile 1\): themenfeld, lage"
    ):
        load("themenfeld;lage\nUmwelt;x\n")
    with database.owner() as connection:
        run = connection.execute(text("SELECT count(*) FROM import_run")).scalar_one()
    assert run == 0


def test_subject_areas_as_files_write_them(load: Callable[..., Result], database: Database) -> None:
    names = (
        "Ein-&Auswanderung",
        "unternehmensführung &  -Entwicklung",
        "Querschnitt",
        "FORSCHUNG & FÖRDERUNG",
    )
    load(HEADER + "".join(f"{name};x;{10100 + n};Leistung;;;;\n" for n, name in enumerate(names)))
    found = services(database)
    assert [found[str(10100 + n)]["area"] for n in range(4)] == [
        "Ein- & Auswanderung",
        "Unternehmensführung & -entwicklung",
        "Querschnittsleistungen",
        "Forschung & Förderung",
    ]


def test_dry_run(load: Callable[..., Result], database: Database) -> None:
    result = load(dry_run=True)
    assert result.counts.inserted == 6
    assert services(database) == {}


def test_real_catalogue_takes_over_the_demonstration_services(
    load: Callable[..., Result], database: Database
) -> None:
    with database.owner() as connection:
        add_places(connection)
    demo.load(database)
    load()
    found = services(database)
    assert not found["10000"]["demonstration"]
    assert found["10110"]["demonstration"]
    demo.remove(database)
    found = services(database)
    assert len(found) == 9
    assert not any(row["demonstration"] for row in found.values())


def test_the_shared_catalogue(database: Database, shared: Callable[[str], Path]) -> None:
    result = import_catalogue(database, [shared("data/ozg_katalog.csv")])
    counts = result.counts
    assert counts.read == 5251
    # one row without LeiKa key stands in it twice; two are tests of its editors, with keys of 4 and 8 digits
    assert (counts.superseded, counts.rejected, result.bundles, result.leika) == (1, 2, 557, 5248)
    found = services(database)
    assert sum(key.startswith("ohne-leika:") for key in found) == 435
    assert sum(row["kind"] == 2 and row["parent"] is None for row in found.values()) == 26
    assert len({row["area"] for row in found.values() if row["area"]}) == 14
    assert found["99012001000000"]["name"] == "Abbruchgenehmigung"
    federal = [row for row in found.values() if row["kind"] == 1 and row["responsible"] == 1]
    assert len(federal) == 93
    again = import_catalogue(database, [shared("data/ozg_katalog.csv")])
    assert again.counts.unchanged == 5248
