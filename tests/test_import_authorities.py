"""Importing what is known of authorities: tables and the register of Destatis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.errors import ImportRefusedError
from mapservice.imports.authorities import import_authorities
from mapservice.imports.report import Result
from tests.places import AVERLAK, BRICKELN, BURG, MUENSTER, OELDE, add_places

HEADER = "ars;einwohner;plz;webseite;serviceportal;kontakt;kontakt_art\n"


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Callable[..., Result]:
    with database.owner() as connection:
        add_places(connection)

    def load(content: str | bytes, dry_run: bool = False) -> Result:
        path = tmp_path / "behoerden.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_authorities(database, [path], dry_run=dry_run)

    return load


def authority(database: Database, ars: str) -> tuple[object, ...]:
    with database.owner() as connection:
        row = connection.execute(
            text(
                "SELECT population, postcode, website, service_portal, contact, contact_kind, public_contact"
                " FROM authority WHERE ars = :ars"
            ),
            {"ars": ars},
        ).one()
        return tuple(row)


def test_columns_and_empty_cells(load: Callable[..., Result], database: Database) -> None:
    result = load(
        HEADER
        + "5515000;310.039;48127;https://muenster.example;https://service.muenster.example;a@b.example;"
        "funktion\n5570028;29000;;;;erika@oelde.example;\n"
    )
    assert (result.counts.read, result.counts.updated) == (2, 2)
    assert authority(database, MUENSTER) == (
        310039,
        "48127",
        "https://muenster.example",
        "https://service.muenster.example",
        "a@b.example",
        1,
        "a@b.example",
    )
    assert authority(database, OELDE) == (29000, None, None, None, "erika@oelde.example", 2, None)
    load("ars;plz\n5570028;59302\n")
    assert authority(database, OELDE)[:2] == (29000, "59302")
    assert load("ars;plz\n5570028;59302\n").counts.unchanged == 1


def test_personal_contact_never_reaches_the_public_role(
    load: Callable[..., Result], database: Database
) -> None:
    load(HEADER + "5570028;;;;;erika@oelde.example;person\n")
    with database.reader(Audience.PUBLIC) as connection:
        seen = connection.execute(text("SELECT count(public_contact) FROM authority")).scalar_one()
    assert seen == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("99999999;1;;;;;", "unbekannter Schlüssel"),
        ("5570028;viele;;;;;", "keine ganze Zahl"),
        ("5570028;;593;;;;", "keine Postleitzahl"),
        ("5570028;;;www.oelde.example;;;", "Gemeint: https://www.oelde.example"),
        ("5570028;;;;javascript:alert(1);;", "nur Adressen mit http"),
        ("5570028;;;;;Rathaus;", "keine E-Mail-Adresse"),
        ("5570028;;;;;a@b.example;privat", "funktion, person"),
    ],
)
def test_rejected_rows(load: Callable[..., Result], database: Database, line: str, reason: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        load(HEADER + line + "\n")
    assert reason in refused.value.message
    assert authority(database, OELDE) == (None,) * 7


def test_a_table_without_a_useful_column(load: Callable[..., Result]) -> None:
    with pytest.raises(ImportRefusedError, match="Neben ars gibt es keine Spalte mit Angaben zu Behörden"):
        load("ars;name\n5570028;Oelde\n")


@pytest.mark.parametrize(
    "header",
    ["ars;leistung;status;kontakt;webseite", "AGS;LeiKa-ID;Status;Kontakt;Webseite", "ars;x;y;kontakt;z"],
)
def test_implementations_do_not_overwrite_contacts(
    load: Callable[..., Result], database: Database, header: str
) -> None:
    load(HEADER + "5570028;;;;;rathaus@oelde.example;funktion\n")
    with pytest.raises(ImportRefusedError, match="mapservice import implementations"):
        load(f"{header}\n5570028;10000;online;erika@oelde.example;https://a.example\n")
    assert authority(database, OELDE)[4] == "rathaus@oelde.example"


def record(
    kind: str, ags: str, name: str, population: int, postcode: str = "", *, text_kind: str = "64"
) -> str:
    """A line of GV100AD, fixed width."""
    line = list(" " * 220)
    for start, value in (
        (0, kind),
        (2, "20240331"),
        (10, ags),
        (22, name),
        (122, text_kind),
        (139, f"{population:011d}"),
        (165, postcode),
    ):
        line[start : start + len(value)] = value
    return "".join(line)


REGISTER = "\n".join(
    [
        record("10", "01", "Schleswig-Holstein", 0),
        record("40", "01051", "Dithmarschen", 0),
        record("60", "01051003", "Averlak", 600, "25715"),
        record("60", "01051012", "Brickeln", 200, "25712"),
        record("60", "01053105", "Sachsenwald", 0, text_kind="66"),
        record("60", "01051999", "Unbekannt", 5),
    ]
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_register(load: Callable[..., Result], database: Database, encoding: str) -> None:
    result = load(REGISTER.replace("Averlak", "Äverlak").encode(encoding))
    assert (result.counts.read, result.counts.updated, result.counts.rejected) == (3, 2, 1)
    assert authority(database, AVERLAK)[:2] == (600, "25715")
    assert authority(database, BRICKELN)[:2] == (200, "25712")
    for ars in (BURG, "010510000000", "010000000000"):
        assert authority(database, ars)[0] == 800
    assert any("Stand 31.03.2024" in line for line in result.lines)


def test_dry_run(load: Callable[..., Result], database: Database) -> None:
    assert load(REGISTER, dry_run=True).counts.updated == 2
    assert authority(database, AVERLAK)[0] is None
