"""Publishing and withdrawing: what the public role sees after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from mapservice import publication
from mapservice.cli import cli
from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.imports.catalogue import import_catalogue
from mapservice.imports.implementations import import_implementations
from tests.places import CATALOGUE, MUENSTER, NRW, OELDE, WARENDORF, WARENDORF_DISTRICT, add_places

ROWS = f"""\
ars;leistung;status;sichtbarkeit
{MUENSTER};10000;online;öffentlich
{MUENSTER};10117;online;intern
{OELDE};10117;online;öffentlich
{WARENDORF};10117;online;Partner
{WARENDORF_DISTRICT};10000;online;öffentlich
010510011011;10117;online;öffentlich
"""


@pytest.fixture
def loaded(database: Database, tmp_path: Path) -> Database:
    with database.owner() as connection:
        add_places(connection)
    (tmp_path / "k.csv").write_text(CATALOGUE)
    import_catalogue(database, [tmp_path / "k.csv"])
    (tmp_path / "u.csv").write_text(ROWS)
    import_implementations(database, [tmp_path / "u.csv"])
    return database


def public(database: Database) -> list[tuple[str, str]]:
    """What the public role itself reads."""
    with database.reader(Audience.PUBLIC) as connection:
        rows = connection.execute(
            text(
                "SELECT a.ars, s.key FROM implementation i JOIN authority a ON a.id = i.authority_id"
                " JOIN service s ON s.id = i.service_id ORDER BY 1, 2"
            )
        )
        return [(row.ars, row.key) for row in rows]


def public_tallies(database: Database) -> list[str]:
    with database.reader(Audience.PUBLIC) as connection:
        return list(
            connection.execute(
                text("SELECT DISTINCT ars FROM tally JOIN authority a ON a.id = authority_id ORDER BY 1")
            ).scalars()
        )


def test_nothing_is_public_before(loaded: Database) -> None:
    assert public(loaded) == []
    assert public_tallies(loaded) == []


def test_publish_one_and_withdraw(loaded: Database) -> None:
    change = publication.publish(loaded, ["05515"])
    assert public(loaded) == [(MUENSTER, "10000")]
    assert public_tallies(loaded) == [MUENSTER]
    assert (change.authorities, change.public_before, change.public_after) == (1, 0, 1)
    assert any("1 Eintrag dieser Behörden bleibt intern" in line for line in change.lines)
    again = publication.publish(loaded, [MUENSTER])
    assert (again.authorities, again.public_after) == (0, 1)
    change = publication.unpublish(loaded, [MUENSTER])
    assert (public(loaded), public_tallies(loaded)) == ([], [])
    assert (change.authorities, change.public_before, change.public_after) == (1, 1, 0)


def test_entries_too(loaded: Database) -> None:
    change = publication.publish(loaded, [MUENSTER, "05570052"], entries=True)
    assert change.entries == 2
    assert public(loaded) == [(MUENSTER, "10000"), (MUENSTER, "10117"), (WARENDORF, "10117")]
    change = publication.unpublish(loaded, [MUENSTER], entries=True)
    assert change.entries == 2
    publication.publish(loaded, [MUENSTER])
    assert public(loaded) == [(WARENDORF, "10117")]


REGIONS = {
    "05570": {OELDE, WARENDORF_DISTRICT},
    "5570": {OELDE, WARENDORF_DISTRICT},
    "055": {MUENSTER, OELDE, WARENDORF_DISTRICT},
    NRW: {MUENSTER, OELDE, WARENDORF_DISTRICT},
    WARENDORF_DISTRICT: {OELDE, WARENDORF_DISTRICT},
    "01": {"010510011011"},
}


def test_within(loaded: Database) -> None:
    for region, expected in REGIONS.items():
        publication.publish(loaded, within=[region])
        assert {ars for ars, _ in public(loaded)} == expected
        publication.unpublish(loaded, within=[region])
        assert public(loaded) == []


def test_all_means_those_with_entries(loaded: Database) -> None:
    change = publication.publish(loaded, everything=True)
    assert change.authorities == 5
    assert len(public(loaded)) == 4
    assert publication.unpublish(loaded, everything=True).public_after == 0


def test_unknown_keys_change_nothing(loaded: Database) -> None:
    with pytest.raises(publication.UnknownKeysError) as error:
        publication.publish(loaded, [MUENSTER, "05570099"], within=["77"])
    assert "05570099: früherer Schlüssel" in error.value.message
    assert "77: in diesem Gebiet" in error.value.message
    assert public(loaded) == []


def test_dry_run_and_recorded_run(loaded: Database) -> None:
    change = publication.publish(loaded, [MUENSTER], dry_run=True)
    assert change.public_after == 1
    assert public(loaded) == []
    publication.publish(loaded, [MUENSTER])
    with loaded.owner() as connection:
        run = connection.execute(
            text("SELECT kind, state, options, report FROM import_run ORDER BY id DESC")
        ).first()
    assert run is not None
    assert (run.kind, run.state, run.options["action"], run.report["public_after"]) == (
        "publication",
        "done",
        "publish",
        1,
    )


def test_commands(loaded: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, url in (
        ("DATABASE_URL", loaded.urls.owner),
        ("INTERNAL_DATABASE_URL", loaded.urls.internal),
        ("PUBLIC_DATABASE_URL", loaded.urls.public),
    ):
        assert url is not None
        monkeypatch.setenv(f"MAPSERVICE_{name}", url)
    runner = CliRunner()
    done = runner.invoke(cli, ["publish", MUENSTER])
    assert done.exit_code == 0, done.output
    assert "Öffentlich sichtbar: 1 Eintrag (vorher 0)." in done.output
    assert "1 Behörde neu freigegeben, 0 waren es schon." in done.output
    assert "0 Behörden neu freigegeben, 1 war es schon." in runner.invoke(cli, ["publish", MUENSTER]).output
    gone = runner.invoke(cli, ["unpublish", MUENSTER])
    assert "Freigabe von 1 Behörde zurückgenommen." in gone.output
    assert runner.invoke(cli, ["publish"]).exit_code == 2
    assert runner.invoke(cli, ["publish", "--all", MUENSTER]).exit_code == 2
    unknown = runner.invoke(cli, ["unpublish", "99999"])
    assert unknown.exit_code == 2
    assert "99999" in unknown.output
    assert runner.invoke(cli, ["unpublish", "--within", "05"]).exit_code == 0
    assert public(loaded) == []
