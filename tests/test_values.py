"""Checks of cells: keys with lost zeros, dates, addresses, maturity; each refusal with its reason."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from mapservice.database import Database
from mapservice.domain import implementation_hex, implementation_id
from mapservice.errors import ImportRefusedError
from mapservice.imports.implementations import Result, import_implementations
from tests.places import MUENSTER, OELDE, WARENDORF
from tests.rows import entries, prepare, row, said, write


@pytest.fixture
def loaded(database: Database, tmp_path: Path) -> Database:
    """A database with authorities and a catalogue."""
    return prepare(database, tmp_path)


@pytest.fixture
def load(loaded: Database, tmp_path: Path) -> Callable[..., Result]:
    """Import rows, each a dict or a line below HEADER."""

    def load(*rows: dict[str, str], name: str = "umsetzungen.csv", **options: object) -> Result:
        path = write(tmp_path / name, *rows)
        return import_implementations(loaded, [path], **options)  # type: ignore[arg-type]

    return load


def test_missing_means_internal_and_a_person(load: Callable[..., Result], loaded: Database) -> None:
    load(row(kontakt="erika.muster@stadt.example"))
    values = said(loaded)
    assert (values["visibility"], values["contact_kind"], values["public_contact"]) == (1, 2, None)


AUTHORITY_KEYS = {
    "055150000000": MUENSTER,
    "05515000": MUENSTER,
    "5515000": MUENSTER,
    "5515000.0": MUENSTER,
    "05515": MUENSTER,
    "5570028": OELDE,
    "055700028028": OELDE,
    "55700028028": OELDE,
    "5570": "055700000000",
    "1051": "010510000000",
    "01051000": "010510000000",
    "010515163": "010515163000",
    "10515163": "010515163000",
    "010510011": "010510011011",
    "05": "050000000000",
    "000000000000": "000000000000",
}


def test_keys_of_authorities(load: Callable[..., Result], loaded: Database) -> None:
    """All spellings of a key, with and without the zeros that spreadsheets eat."""
    load(*(row(ars=key, kennung=key) for key in AUTHORITY_KEYS))
    assert {(ars, key) for ars, _, key in entries(loaded)} == {
        (ars, key) for key, ars in AUTHORITY_KEYS.items()
    }


SERVICE_KEYS = {
    "10000": "10000",
    "10000.0": "10000",
    "99041009017000": "99041009017000",
    "99 041 009 017 000": "99041009017000",
    "eigen: Bürgerkoffer  ausleihen": "eigen:Bürgerkoffer ausleihen",
}


def test_keys_of_services(load: Callable[..., Result], loaded: Database) -> None:
    rows = [row(leistung=key, kennung=str(number)) for number, key in enumerate(SERVICE_KEYS)]
    assert load(*rows).counts.inserted == len(rows)
    assert load(*rows).counts.unchanged == len(rows)
    found = {int(identifier): key for _, key, identifier in entries(loaded)}
    assert [found[number] for number in range(len(rows))] == list(SERVICE_KEYS.values())


REJECTED = [
    ("ars", "", "fehlt", None),
    ("ars", "99999999", "Gebietsstand VG250 (Test) (Stand 01.01.2016)", None),
    ("ars", "05570029", "mapservice import boundaries", "05570028 (Oelde)"),
    ("ars", "05570099", "Altdorf gibt es", None),
    ("ars", "010539105105", "gemeindefreies Gebiet", None),
    ("ars", "Oelde", "kein Schlüssel", OELDE),
    ("ars", "5,5700028028E+10", "Exponent", None),
    ("ars", "0557002802", "10 Ziffern", None),
    ("leistung", "", "fehlt", None),
    ("leistung", "10001", "nicht im Katalog", "10000"),
    ("leistung", "99041009018000", "nicht im Katalog", "99041009017000"),
    ("leistung", "99041009017", "14 Ziffern", "99041009017000"),
    ("leistung", "9,9041E+13", "Exponent", None),
    ("leistung", "9.9041009017E+13", "Exponent", "99041009017000"),
    ("leistung", "nicht im LeiKa", "eigen:", None),
    ("leistung", "Elterngeld", "kein Schlüssel einer Leistung", "10000"),
    ("leistung", "eigen:", "fehlt der Name", None),
    ("status", "", "fehlt", None),
    ("status", "fertig?", "unbekannter Wert; erlaubt: online", None),
    ("status", "in umsezung", "unbekannter Wert", "in umsetzung"),
    ("url", "javascript:alert(1)", "nur Adressen mit http", None),
    ("url", "www.oelde.example/a", "nur Adressen mit http", "https://www.oelde.example/a"),
    ("url", "https://u:p@host.example", "keine gültige Adresse", None),
    ("url", 'https://x.example/"><script>', "keine gültige Adresse", None),
    ("url", "https://x.example/" + "a" * 2000, "länger als 2000", None),
    ("loesungsart", "gekauft", "EfA, Eigenentwicklung", None),
    ("loesung", "a\x07b", "Steuerzeichen", None),
    ("loesung", "x" * 501, "länger als 500", None),
    ("loesung", "M\ufffdnster", "Umlaute gingen", None),
    ("reifegradmodell", "3", "1.1 und 2.0", None),
    ("reifegrad", "3", "Reifegrad ohne Modell", None),
    ("nachnutzbar", "vielleicht", "ja, nein", None),
    ("kontakt", "Frau Muster", "keine E-Mail", None),
    ("kontakt_art", "chef", "funktion, person", None),
    ("online_seit", "31.02.2024", "diesen Tag gibt es nicht", None),
    ("online_seit", "2/1/2024", "kein Datum", None),
    ("stand", "01.01.0024", "das Jahr", None),
    ("sichtbarkeit", "geheim", "intern, Partner, öffentlich", None),
    ("gilt_fuer", "05570|99999", "unbekannter Schlüssel", None),
    ("vertrauensniveau", "mittel", "ohne, niedrig", None),
]


def test_rejected_cells(load: Callable[..., Result], loaded: Database) -> None:
    """Every bad row is reported with line, column, value, reason and suggestion; the good one is taken."""
    wrong = [row(**{"ars": MUENSTER, column: value}) for column, value, _, _ in REJECTED]
    result = load(row(ars=WARENDORF), *wrong)
    assert (result.counts.inserted, result.counts.rejected) == (1, len(REJECTED))
    assert entries(loaded) == [(WARENDORF, "10000", "")]
    with loaded.owner() as connection:
        stored = connection.execute(text("SELECT * FROM import_rejection ORDER BY id")).all()
    for line, (item, (column, value, reason, suggestion)) in enumerate(
        zip(stored, REJECTED, strict=True), start=3
    ):
        assert (item.file, item.line, item.column_name) == ("umsetzungen.csv", line, column)
        assert (item.value or "") == (value if len(value) <= 200 else value[:199] + "…")
        assert reason in item.reason
        assert item.suggestion == suggestion, value
    assert any("Zeile 3, ars: fehlt" in line for line in result.lines)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"reifegrad": "3", "stand": "30.06.2025"}, (11, 3)),
        ({"reifegrad": "4.0", "reifegradmodell": "1,1"}, (11, 4)),
        ({"reifegrad": "7", "reifegradmodell": "2"}, (20, 7)),
        ({"reifegradmodell": "2.0"}, (None, None)),
        ({"reifegrad": "3", "stand": "2025-07-01"}, "seit 1.7.2025"),
        ({"reifegrad": "5", "reifegradmodell": "1.1"}, "0 bis 4"),
        ({"reifegrad": "8", "reifegradmodell": "2.0"}, "kein Reifegrad|0 bis 7"),
    ],
)
def test_maturity(
    load: Callable[..., Result], loaded: Database, cells: dict[str, str], expected: tuple[int, int] | str
) -> None:
    if isinstance(expected, str):
        with pytest.raises(ImportRefusedError, match=expected):
            load(row(**cells))
    else:
        load(row(**cells))
        values = said(loaded)
        assert (values["maturity_model"], values["maturity"]) == expected


@given(st.text(), st.text(), st.text())
def test_short_way_to_the_public_id(ars: str, service: str, identifier: str) -> None:
    """The importer computes ids by a short way: they are those of the definition."""
    assert uuid.UUID(implementation_hex(ars, service, identifier)) == implementation_id(
        ars, service, identifier
    )
