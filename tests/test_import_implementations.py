"""Importing implementations: checks, identity, modes, report, and that nothing is ever half written."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from mapservice import demo, publication
from mapservice.cli import cli
from mapservice.database import Database
from mapservice.domain import implementation_id
from mapservice.errors import ConflictError, ImportRefusedError
from mapservice.imports.implementations import TEMPLATE, Result, import_implementations
from mapservice.imports.runs import run
from tests.places import BRUNSBUETTEL, CATALOGUE, MUENSTER, OELDE, WARENDORF, add_places
from tests.rows import entries, prepare, row, said, state, write


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


def test_every_column_arrives(load: Callable[..., Result], loaded: Database) -> None:
    load(
        row(
            url="https://service.example/a?b=c&d=ü",
            loesungsart="EfA",
            loesung="Formularwerk",
            reifegradmodell="2.0",
            reifegrad="5",
            nachnutzbar="ja",
            kontakt="digital@muenster.example",
            kontakt_art="Funktion",
            online_seit="01.02.2024",
            stand="2025-08-01",
            quelle="Meldung <script>alert(1)</script> ${x}",
            sichtbarkeit="öffentlich",
            kennung="A-1",
            gilt_fuer="05570|5570028",
            fachverfahren="XFall \\ Tab\tein",
            vertrauensniveau="substantiell",
            geplant_bis="31.12.2026",
        )
    )
    values = said(loaded)
    expected = {
        "identifier": "A-1",
        "status": 1,
        "url": "https://service.example/a?b=c&d=ü",
        "solution_kind": 1,
        "maturity_model": 20,
        "maturity": 5,
        "reusable": True,
        "contact": "digital@muenster.example",
        "contact_kind": 1,
        "public_contact": "digital@muenster.example",
        "online_since": "2024-02-01",
        "as_of": "2025-08-01",
        "planned_until": "2026-12-31",
        "source": "Meldung <script>alert(1)</script> ${x}",
        "visibility": 3,
        "specialist_system": "XFall \\ Tab ein",
        "trust_level": 2,
        "demonstration": False,
        "id": str(implementation_id(MUENSTER, "10000", "A-1")),
    }
    assert {name: values[name] for name in expected} == expected
    with loaded.owner() as connection:
        areas = connection.execute(
            text("SELECT array_agg(ars ORDER BY ars) FROM authority WHERE id = ANY(:ids)"),
            {"ids": values["valid_for"]},
        ).scalar_one()
        assert areas == ["055700000000", OELDE]
        name = text("SELECT name FROM solution WHERE id = :id")
        assert connection.execute(name, {"id": values["solution_id"]}).scalar_one() == "Formularwerk"


def test_all_errors_of_a_row_count_once(load: Callable[..., Result], loaded: Database) -> None:
    result = load(row(), row(ars="77777", status="?", url="ftp://x", stand="gestern"))
    assert result.counts.rejected == 1
    with loaded.owner() as connection:
        columns = connection.execute(text("SELECT column_name FROM import_rejection ORDER BY id")).scalars()
        assert list(columns) == ["ars", "url", "status", "stand"]


def test_the_report_adds_up_and_the_second_time_nothing_changes(
    load: Callable[..., Result], loaded: Database
) -> None:
    rows = [row(), row(ars=OELDE), row(ars=OELDE, status="geplant"), row(ars="77777"), row(ars=WARENDORF)]
    counts = load(*rows).counts
    assert counts.as_dict() == {
        "read": 5,
        "inserted": 3,
        "updated": 0,
        "unchanged": 0,
        "superseded": 1,
        "rejected": 1,
        "removed": 0,
    }
    before = state(loaded)
    counts = load(*rows).counts
    assert (counts.inserted, counts.updated, counts.unchanged) == (0, 0, 3)
    assert state(loaded) == before
    counts = load(row(status="offen"), row(ars=OELDE, status="geplant")).counts
    assert (counts.inserted, counts.updated, counts.unchanged, counts.removed) == (0, 1, 1, 0)
    with loaded.owner() as connection:
        report = connection.execute(
            text("SELECT report FROM import_run ORDER BY id DESC LIMIT 1")
        ).scalar_one()
        history = connection.execute(text("SELECT status, removed FROM implementation_history")).all()
    assert report["updated"] == 1
    assert [tuple(item) for item in history] == [(1, False)]


def test_superseded_rows_stand_in_the_csv(load: Callable[..., Result], tmp_path: Path) -> None:
    load(row(status="offen"), row(ars=OELDE), row(), rejected=tmp_path / "r.csv")
    rows = list(csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8-sig"), delimiter=";"))
    assert [(item["zeile"], item["grund"]) for item in rows] == [("2", "ersetzt durch Zeile 4")]


def test_several_files_are_one(loaded: Database, tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", row(status="offen"), row(ars=OELDE))
    second = write(tmp_path / "b.csv", row(status="geplant"))
    counts = import_implementations(loaded, [first, second]).counts
    assert (counts.read, counts.inserted, counts.superseded) == (3, 2, 1)
    with loaded.owner() as connection:
        status = text(
            "SELECT status FROM implementation i JOIN authority a ON a.id = authority_id WHERE ars = :a"
        )
        assert connection.execute(status, {"a": MUENSTER}).scalar_one() == 3


def test_identifiers_make_entries_of_their_own(load: Callable[..., Result], loaded: Database) -> None:
    load(row(kennung="A"), row(kennung="B"), row(url="https://a.example"), row(url="https://b.example"))
    assert entries(loaded) == [(MUENSTER, "10000", ""), (MUENSTER, "10000", "A"), (MUENSTER, "10000", "B")]


def test_replace_ends_what_the_file_no_longer_lists(load: Callable[..., Result], loaded: Database) -> None:
    load(row(quelle="X"), row(leistung="10117", quelle="X"), row(leistung="10119", quelle="Y"), name="1.csv")
    load(row(ars=OELDE, quelle="X"), row(leistung="10360", quelle="X"), name="2.csv")
    # 10117 has a slip in another column: rejected, but not gone
    rows = [row(quelle="X"), row(leistung="10117", quelle="X", stand="gestern")]
    result = load(*rows, mode="replace")
    assert (result.counts.removed, result.counts.rejected) == (1, 1)
    keys = [(MUENSTER, "10000", ""), (MUENSTER, "10117", ""), (MUENSTER, "10119", ""), (OELDE, "10000", "")]
    assert entries(loaded) == sorted(keys)
    with loaded.owner() as connection:
        ended = connection.execute(text("SELECT removed, ended_by_run_id FROM implementation_history")).one()
        last = connection.execute(text("SELECT max(id) FROM import_run")).scalar_one()
    assert (ended.removed, ended.ended_by_run_id) == (True, last)


def test_dry_run_changes_nothing(load: Callable[..., Result], loaded: Database) -> None:
    load(row(), row(leistung="10117"))
    before = state(loaded)
    result = load(
        row(status="offen", loesung="Neu"), row(ars=OELDE), row(ars="77777"), mode="replace", dry_run=True
    )
    counts = result.counts
    assert (counts.inserted, counts.updated, counts.rejected, counts.removed) == (1, 1, 1, 1)
    assert state(loaded) == before
    with loaded.owner() as connection:
        assert connection.execute(text("SELECT count(*) FROM import_run")).scalar_one() == 2


def test_rejected_csv_holds_no_formula(load: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    load(row(), row(status='=HYPERLINK("http://x.example")'), row(url="@SUM(A1)"), rejected=path)
    rows = list(csv.DictReader(path.open(encoding="utf-8-sig"), delimiter=";"))
    assert [item["wert"] for item in rows] == ['\'=HYPERLINK("http://x.example")', "'@SUM(A1)"]
    assert [(item["zeile"], item["spalte"]) for item in rows] == [("3", "status"), ("4", "url")]


def test_the_screen_shows_twenty_and_says_where_the_rest_is(
    load: Callable[..., Result], tmp_path: Path
) -> None:
    result = load(row(), *(row(ars=f"9{n:07}") for n in range(332)), rejected=tmp_path / "r.csv")
    shown = [line for line in result.lines if ", Zeile " in line]
    assert len(shown) == 20
    assert any(f"… und 312 weitere in {tmp_path / 'r.csv'}" in line for line in result.lines)
    assert sum(1 for _ in (tmp_path / "r.csv").open()) == 333


def test_numbers_of_a_spreadsheet(loaded: Database, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["AGS", "Leika-Schlüssel", "Status", "Reifegradmodell", "Reifegrad", "Stand"])
    sheet.append([5570028, 99041009017000, "umgesetzt", 1.1, 3, "2025-01-01"])
    sheet.append([5515, 10000, "=A1", None, None, None])
    book.save(tmp_path / "a.xlsx")
    result = import_implementations(loaded, [tmp_path / "a.xlsx"])
    assert entries(loaded) == [(OELDE, "99041009017000", "")]
    assert any("Zeile 3, status »=A1«" in line for line in result.lines)


def test_without_boundaries_or_catalogue(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", row())
    with pytest.raises(ImportRefusedError, match="mapservice import boundaries"):
        import_implementations(database, [path])
    with database.owner() as connection:
        add_places(connection)
    with pytest.raises(ImportRefusedError, match="mapservice import catalogue"):
        import_implementations(database, [path])


def test_demonstration_data_never_mix(load: Callable[..., Result], loaded: Database) -> None:
    demo.load(loaded)
    before = state(loaded)
    with pytest.raises(ImportRefusedError, match="--remove-demo"):
        load(row())
    assert state(loaded) == before
    for dry_run in (True, False):
        lines = load(row(), remove_demo=True, dry_run=dry_run).lines
        assert any(re.fullmatch(r"[\d.]+ Demonstrationseinträge entfernt\.", line) for line in lines)
    assert entries(loaded) == [(MUENSTER, "10000", "")]
    with pytest.raises(ConflictError, match="echte Umsetzungen"):
        demo.load(loaded)


def test_two_imports_do_not_interleave(load: Callable[..., Result], loaded: Database) -> None:
    with run(loaded, "catalogue"), pytest.raises(ConflictError, match="läuft gerade"):
        load(row())
    assert entries(loaded) == []


def test_the_end_names_the_command_that_releases_the_rest(
    load: Callable[..., Result], loaded: Database
) -> None:
    lines = load(row(sichtbarkeit="öffentlich"), row(leistung="10117")).lines
    assert lines[-3:] == [
        "Öffentlich sichtbar: 0 Einträge (vorher 0).",
        f"1 Eintrag von 1 Behörde wartet auf die Freigabe seiner Behörde:\n  mapservice publish {MUENSTER}",
        "Mit --entries gibt derselbe Befehl auch 1 Eintrag frei, der selbst nicht »öffentlich« ist.",
    ]
    lines = load(row(ars=OELDE, leistung="10117")).lines
    assert lines[-1] == (
        "1 Eintrag von 1 Behörde ist selbst nicht »öffentlich«; auch ihn gibt frei:\n"
        f"  mapservice publish --entries {OELDE}"
    )
    publication.publish(loaded, [MUENSTER], entries=True)
    lines = load(row(sichtbarkeit="öffentlich")).lines
    assert "Öffentlich sichtbar: 2 Einträge (vorher 2)." in lines
    assert not any("mapservice publish" in line for line in lines)


def test_the_command_for_many_says_whom_else_it_releases(
    load: Callable[..., Result], loaded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "_LISTED", 1)
    public = {"sichtbarkeit": "öffentlich"}
    # the third authority is spoken of too, but none of its entries waits
    lines = load(row(**public), row(ars=OELDE, **public), row(ars=WARENDORF)).lines
    more = "\n  Achtung: Das betrifft auch {}."
    assert any(
        line.endswith("mapservice publish --within 05" + more.format("1 weitere Behörde")) for line in lines
    )
    lines = load(row(ars=BRUNSBUETTEL, **public), row(ars=OELDE, **public)).lines
    assert any(line.endswith(f"mapservice publish {BRUNSBUETTEL} {OELDE}") for line in lines)
    monkeypatch.setattr(publication, "_COPIED", 1)
    lines = load(row(ars=BRUNSBUETTEL, **public), row(ars=OELDE, **public)).lines
    assert any(
        line.endswith("mapservice publish --all" + more.format("2 weitere Behörden")) for line in lines
    )


def test_command(command_environment: Database, tmp_path: Path) -> None:
    with command_environment.owner() as connection:
        add_places(connection)
    catalogue = tmp_path / "katalog.csv"
    catalogue.write_text(CATALOGUE)
    good = write(tmp_path / "a.csv", row(), row(ars="77777"))
    runner = CliRunner()
    assert runner.invoke(cli, ["import", "catalogue", str(catalogue)]).exit_code == 0
    done = runner.invoke(cli, ["import", "implementations", str(good), "--rejected", str(tmp_path / "r.csv")])
    assert done.exit_code == 0, done.output
    assert "2 Zeilen gelesen: 1 neu" in done.output
    assert "Zeile 3, ars »77777«" in done.output
    bad = tmp_path / "b.csv"
    bad.write_text("ars;url\n")
    refused = runner.invoke(cli, ["import", "implementations", str(bad)])
    assert refused.exit_code == 1
    assert "Es fehl" in refused.output
    assert "Traceback" not in refused.output
    assert runner.invoke(cli, ["import", "implementations", str(tmp_path / "none.csv")]).exit_code == 2
    template = runner.invoke(cli, ["import", "implementations", "--template"])
    assert template.output.strip() == TEMPLATE
    assert "Beispiel:" in runner.invoke(cli, ["import", "implementations", "--help"]).output


START = "from mapservice.cli import main; main()"


def test_killed_while_importing(load: Callable[..., Result], loaded: Database, tmp_path: Path) -> None:
    """SIGKILL in the middle: the old data stay as they are, and the next import succeeds."""
    load(row())
    before = state(loaded)
    path = write(tmp_path / "gross.csv", *(row(ars=OELDE, kennung=str(n)) for n in range(60_000)))
    urls = loaded.urls
    environment = {
        **os.environ,
        "MAPSERVICE_DATABASE_URL": urls.owner or "",
        "MAPSERVICE_INTERNAL_DATABASE_URL": urls.internal or "",
        "MAPSERVICE_PUBLIC_DATABASE_URL": urls.public,
    }
    command = [sys.executable, "-c", START, "import", "implementations", str(path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    working = text(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND datname = current_database()"
        " AND query LIKE 'COPY incoming%')"
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with loaded.owner() as connection:
            if connection.execute(working).scalar_one():
                break
        time.sleep(0.01)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    runs = text("SELECT state FROM import_run WHERE kind = 'implementations' ORDER BY id")
    with loaded.owner() as connection:
        assert list(connection.execute(runs).scalars()) == ["done", "running"]
    assert state(loaded) == before
    for _ in range(100):  # until the server noticed that its client is gone, and gave back the lock
        try:
            result = import_implementations(loaded, [path])
            break
        except ConflictError:
            time.sleep(0.1)
    assert result.counts.inserted == 60_000
    with loaded.owner() as connection:
        assert list(connection.execute(runs).scalars()) == ["done", "failed", "done"]
