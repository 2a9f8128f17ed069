"""Importing groups of authorities, and target lists with who takes what."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from mapservice.cli import cli
from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.errors import ImportRefusedError
from tests.entries import INTERNAL, PUBLIC, add_entry, add_service, change_entry, set_publication
from tests.places import BRUNSBUETTEL, FORMER, MUENSTER, OELDE, WARENDORF, WARENDORF_DISTRICT
from tests.plan_files import PLANS, load_groups, load_lists, plain, seen, state, version
from tests.rows import prepare

NOBODY: dict[str, list[str]] = {table: [] for table in PLANS}


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    return prepare(database, tmp_path)


def members(database: Database, key: str) -> list[str]:
    with database.owner() as connection:
        return list(
            connection.scalars(
                text(
                    "SELECT a.ars FROM group_member m JOIN authority_group g ON g.id = group_id"
                    " JOIN authority a ON a.id = authority_id WHERE g.key = :key ORDER BY position"
                ),
                {"key": key},
            )
        )


def rows_of(database: Database, key: str) -> list[tuple[object, ...]]:
    """Service, who, role, day and note of a list's rows, in its order."""
    with database.owner() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text(
                    "SELECT s.key, coalesce(a.ars, k.who), k.role, k.due::text, k.note FROM commitment k"
                    " JOIN target t ON t.id = target_id JOIN target_list l ON l.id = list_id"
                    " JOIN service s ON s.id = service_id LEFT JOIN authority a ON a.id = k.authority_id"
                    " WHERE l.key = :key ORDER BY t.position, k.id"
                ),
                {"key": key},
            )
        ]


# --- groups -----------------------------------------------------------------------------------------------


def test_a_group_is_read_in_the_order_of_its_file(filled: Database, tmp_path: Path) -> None:
    result = load_groups(
        filled,
        tmp_path,
        f"Partner;Die Partner;{WARENDORF};öffentlich;Vergleichen sich.",
        "partner;;5570028;öffentlich;",
        "partner;;5515;öffentlich;",
    )
    assert (result.counts.read, result.counts.inserted, result.counts.rejected) == (3, 3, 0)
    assert members(filled, "partner") == [WARENDORF, OELDE, MUENSTER]
    assert seen(filled, Audience.PUBLIC)["authority_group"] == ["partner:Die Partner:Vergleichen sich."]
    before = state(filled)
    again = load_groups(
        filled,
        tmp_path,
        f"Partner;Die Partner;{WARENDORF};öffentlich;Vergleichen sich.",
        "partner;;5570028;öffentlich;",
        "partner;;5515;öffentlich;",
    )
    assert again.counts.unchanged == 3
    assert state(filled) == before


def test_update_adds_and_replace_takes_away(filled: Database, tmp_path: Path) -> None:
    load_groups(filled, tmp_path, f"a;A;{WARENDORF};;", f"a;;{OELDE};;", f"b;B;{OELDE};;")
    load_groups(filled, tmp_path, f"a;;{MUENSTER};;")
    assert members(filled, "a") == [WARENDORF, OELDE, MUENSTER]
    result = load_groups(filled, tmp_path, f"a;;{MUENSTER};;", f"a;;{OELDE};;", mode="replace")
    assert (result.counts.updated, result.counts.removed) == (1, 1)
    assert members(filled, "a") == [MUENSTER, OELDE]
    assert members(filled, "b") == [OELDE]


def test_a_member_whose_row_has_a_slip_stays_when_replacing(filled: Database, tmp_path: Path) -> None:
    load_groups(filled, tmp_path, f"a;A;{WARENDORF};;", f"a;;{OELDE};;")
    result = load_groups(filled, tmp_path, f"a;;{OELDE};;", f"a;;{WARENDORF};geheim;", mode="replace")
    assert (result.counts.rejected, result.counts.removed) == (1, 0)
    assert members(filled, "a") == [OELDE, WARENDORF]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a;A;99999999;;", "unbekannter Schlüssel im Gebietsstand VG250 (Test)"),
        (f"a;A;{FORMER};;", "früherer Schlüssel: Altdorf gibt es im Gebietsstand VG250 (Test) nicht mehr"),
        ("a;A;010539105105;;", "gemeindefreies Gebiet"),
        ("a;A;Oelde;;", f"Gemeint: {OELDE}?"),
        (f"Die Vier;A;{OELDE};;", "Gemeint: die-vier?"),
        (f"states;A;{OELDE};;", "dieser Schlüssel ist vergeben"),
        (f"a;A;{OELDE};halb;", "intern, Partner, öffentlich"),
        (f";A;{OELDE};;", "gruppe: fehlt"),
        ("a;A;;;", "ars: fehlt"),
    ],
)
def test_rejected_rows_of_groups(filled: Database, tmp_path: Path, line: str, reason: str) -> None:
    before = state(filled)
    with pytest.raises(ImportRefusedError) as refused:
        load_groups(filled, tmp_path, line)
    assert "gruppen.csv, Zeile 2" in refused.value.message
    assert reason in refused.value.message
    assert state(filled) == before


def test_two_names_for_one_group_are_not_guessed_at(filled: Database, tmp_path: Path) -> None:
    result = load_groups(filled, tmp_path, f"a;Ring;{OELDE};;", f"a;Kreis;{WARENDORF};;")
    assert result.counts.rejected == 1
    assert any("heißt in gruppen.csv, Zeile 2 anders Gemeint: Ring?" in line for line in result.lines)


def test_the_last_row_of_a_member_counts(filled: Database, tmp_path: Path) -> None:
    result = load_groups(filled, tmp_path, f"a;A;{OELDE};öffentlich;", f"a;A;{OELDE};intern;")
    assert (result.counts.superseded, result.counts.inserted) == (1, 1)
    assert seen(filled, Audience.PUBLIC) == NOBODY


# --- lists ------------------------------------------------------------------------------------------------


def test_a_list_says_who_takes_what(filled: Database, tmp_path: Path) -> None:
    lines = (
        f"top;Top 3;10117;{MUENSTER};Umsetzung;31.12.2026;Pilot;öffentlich",
        "top;;10000;Zweckverband;Umsetzung;;;öffentlich",
        f"top;;10000;{OELDE};Information;;;öffentlich",
        "top;;10119;;;;;öffentlich",
    )
    result = load_lists(filled, tmp_path, *lines)
    assert (result.counts.read, result.counts.inserted) == (4, 4)
    assert rows_of(filled, "top") == [
        ("10117", MUENSTER, 1, "2026-12-31", "Pilot"),
        ("10000", "Zweckverband", 1, None, None),
        ("10000", OELDE, 2, None, None),
        ("10119", "", None, None, None),
    ]
    before = state(filled)
    assert load_lists(filled, tmp_path, *lines).counts.unchanged == 4
    assert load_lists(filled, tmp_path, *lines, mode="replace").counts.unchanged == 4
    assert state(filled) == before


def test_replacing_a_list_follows_the_file(filled: Database, tmp_path: Path) -> None:
    load_lists(
        filled, tmp_path, f"top;Top;10000;{MUENSTER};;;;", f"top;;10000;{OELDE};;;;", "top;;10117;;;;;"
    )
    result = load_lists(
        filled, tmp_path, "top;;10119;;;;;", f"top;;10000;{OELDE};Umsetzung;;;", mode="replace"
    )
    assert (result.counts.inserted, result.counts.updated, result.counts.removed) == (1, 1, 2)
    assert rows_of(filled, "top") == [("10119", "", None, None, None), ("10000", OELDE, 1, None, None)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a;A;10999;;;;;", "leistung »10999«: OZG-ID nicht im Katalog"),
        ("a;A;eigen:Brunnen;;;;;", "von dieser eigenen Leistung ist keine Umsetzung geladen"),
        ("a;A;10000;99999999;;;;", "unbekannter Schlüssel im Gebietsstand"),
        (f"a;A;10000;{FORMER};;;;", "früherer Schlüssel"),
        (f"a;A;10000;{OELDE};Beifall;;;", "erlaubt: Umsetzung, Information"),
        (f"a;A;10000;{OELDE};;31.2.2026;;", "diesen Tag gibt es nicht"),
        ("a;A;;;;;;", "leistung: fehlt"),
    ],
)
def test_rejected_rows_of_lists(filled: Database, tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        load_lists(filled, tmp_path, line)
    assert "listen.csv, Zeile 2" in refused.value.message
    assert reason in refused.value.message


# --- who sees what ----------------------------------------------------------------------------------------


def test_what_is_not_said_to_be_public_is_internal(filled: Database, tmp_path: Path) -> None:
    public = version(filled, Audience.PUBLIC)
    load_groups(filled, tmp_path, f"ring;Geheimring;{OELDE};;intern gemeint", f"ring;;{MUENSTER};Partner;")
    load_lists(filled, tmp_path, f"top;Geheimliste;10000;{MUENSTER};;;geheim;", "top;;10117;;;;;Partner")
    assert seen(filled, Audience.PUBLIC) == NOBODY
    assert version(filled, Audience.PUBLIC) == public
    inside = seen(filled, Audience.INTERNAL)
    assert inside["group_member"] == [MUENSTER, OELDE]
    assert inside["target"] == ["10000", "10117"]


def test_of_a_public_group_the_public_sees_public_rows_alone(filled: Database, tmp_path: Path) -> None:
    result = load_groups(
        filled, tmp_path, f"ring;Ring;{OELDE};intern;nur unter uns", f"ring;;{MUENSTER};öffentlich;"
    )
    said = seen(filled, Audience.PUBLIC)
    assert said["authority_group"] == ["ring:Ring:"]
    assert said["group_member"] == [MUENSTER]
    assert "Gruppe »Ring«: 1 von 2 Mitglieder öffentlich, die übrigen intern." in result.lines


def test_what_an_unpublished_authority_takes_stays_internal(filled: Database, tmp_path: Path) -> None:
    load_lists(
        filled,
        tmp_path,
        f"top;Top;10000;{MUENSTER};Umsetzung;;übernimmt;öffentlich",
        f"top;;10117;{OELDE};Umsetzung;;intern geplant;intern",
        "top;;10117;;;;;öffentlich",
        "top;;10119;Zweckverband;;;;öffentlich",
    )
    said = seen(filled, Audience.PUBLIC)
    assert said["target"] == ["10000", "10117", "10119"]
    assert said["commitment"] == [":", "Zweckverband:"]
    known = version(filled, Audience.PUBLIC)
    with filled.owner() as connection:
        set_publication(connection, MUENSTER)
    assert seen(filled, Audience.PUBLIC)["commitment"] == [f"{MUENSTER}:übernimmt", ":", "Zweckverband:"]
    assert version(filled, Audience.PUBLIC) > known
    known = version(filled, Audience.PUBLIC)
    with filled.owner() as connection:
        set_publication(connection, MUENSTER, INTERNAL)
    assert seen(filled, Audience.PUBLIC)["commitment"] == [":", "Zweckverband:"]
    assert version(filled, Audience.PUBLIC) > known
    with filled.owner() as connection:
        known = version(filled, Audience.PUBLIC)
        set_publication(connection, OELDE)
    assert version(filled, Audience.PUBLIC) == known


def test_a_list_does_not_tell_of_an_internal_service_of_ones_own(filled: Database, tmp_path: Path) -> None:
    with filled.owner() as connection:
        add_service(connection, "eigen:brunnen")
        set_publication(connection, MUENSTER)
        entry = add_entry(connection, MUENSTER, "eigen:brunnen", visibility=INTERNAL)
    load_lists(filled, tmp_path, "top;Top;10000;;;;;öffentlich")
    known = version(filled, Audience.PUBLIC)
    load_lists(filled, tmp_path, "top;;eigen:brunnen;Bauhof;;;;öffentlich")
    said = seen(filled, Audience.PUBLIC)
    assert (said["target"], said["commitment"]) == (["10000"], [":"])
    assert version(filled, Audience.PUBLIC) == known
    with filled.owner() as connection:
        change_entry(connection, entry, visibility=PUBLIC)
    said = seen(filled, Audience.PUBLIC)
    assert (said["target"], said["commitment"]) == (["10000", "eigen:brunnen"], [":", "Bauhof:"])


def test_withdrawing_rows_moves_the_public_version_once_more(filled: Database, tmp_path: Path) -> None:
    load_groups(filled, tmp_path, f"ring;Ring;{OELDE};öffentlich;", f"ring;;{MUENSTER};öffentlich;")
    known = version(filled, Audience.PUBLIC)
    load_groups(filled, tmp_path, f"ring;;{OELDE};intern;")
    assert seen(filled, Audience.PUBLIC)["group_member"] == [MUENSTER]
    assert version(filled, Audience.PUBLIC) > known


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT description FROM authority_group",
        "SELECT visibility FROM group_member",
        "SELECT * FROM target_list",
        "DELETE FROM target",
        "UPDATE commitment SET note = ''",
    ],
)
def test_the_public_role_is_refused(filled: Database, statement: str) -> None:
    from sqlalchemy.exc import ProgrammingError

    with pytest.raises(ProgrammingError, match="permission denied"):
        plain(filled, Audience.PUBLIC, statement)


def test_without_a_viewer_the_internal_role_sees_nothing(filled: Database, tmp_path: Path) -> None:
    load_groups(filled, tmp_path, f"ring;Ring;{OELDE};;")
    load_lists(filled, tmp_path, "top;Top;10000;;;;;")
    for table in PLANS:
        assert plain(filled, Audience.INTERNAL, f"SELECT count(*) FROM {table}") == [(0,)], table


# --- commands ---------------------------------------------------------------------------------------------


def test_the_commands(command_environment: Database, tmp_path: Path) -> None:
    prepare(command_environment, tmp_path)
    path = tmp_path / "ring.csv"
    path.write_text(f"gruppe;name;ars\nring;Ring;{BRUNSBUETTEL}\nring;;{WARENDORF_DISTRICT}\n")
    run = CliRunner().invoke
    tried = run(cli, ["import", "groups", "--dry-run", str(path)])
    assert tried.exit_code == 0, tried.output
    assert members(command_environment, "ring") == []
    done = run(cli, ["import", "groups", str(path)])
    assert "Gruppe »Ring« ist intern: 2 Mitglieder." in done.output
    assert "ring: Ring, 2 Mitglieder, davon 0 öffentlich" in run(cli, ["groups"]).output
    wrong = run(cli, ["groups", "--remove", "rang"])
    assert (wrong.exit_code, "Nicht vorhanden: rang" in wrong.output) == (1, True)
    assert run(cli, ["groups", "--remove", "ring"]).exit_code == 0
    assert "keine Gruppe" in run(cli, ["groups"]).output
    assert "keine Liste" in run(cli, ["lists"]).output
    assert run(cli, ["import", "lists", "--template"]).output.startswith("liste;name;leistung;")
