"""The register of solutions: what its entries add up to, how they are found, and whom they show it to."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update

from mapservice import copies
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.domain import Audience, MaturityModel, SolutionKind, Visibility, implementation_id
from mapservice.imports.solutions import import_solutions
from mapservice.models import Authority, Implementation, Publication, Service, Solution
from mapservice.postgres import Server
from mapservice.register import find as register
from mapservice.register import vocabulary
from mapservice.register.find import Region, Sort, Wanted
from mapservice.register.refresh import unnamed_id
from tests.conftest import databases
from tests.entries import add_entry, add_service, set_publication

MUENSTER, TELGTE, OELDE, WARENDORF = "055150000000", "055700044044", "055700028028", "055700000000"
NRW, BERLIN = "050000000000", "110000000000"
EXAMPLES = int(os.environ.get("MAPSERVICE_TEST_HIDDEN_EXAMPLES", "12"))
STATE = [
    text("SELECT * FROM register_entry ORDER BY audience, entry_id"),
    text("SELECT * FROM register_user ORDER BY audience, entry_id, authority_id"),
    text("SELECT * FROM register_word ORDER BY audience, word"),
]


def solution(connection: Connection, name: str, **more: Any) -> int:
    return connection.execute(insert(Solution).values(name=name, **more).returning(Solution.id)).scalar_one()


def state(connection: Connection) -> list[Any]:
    found = []
    for statement in STATE:
        rows = [dict(row._mapping) for row in connection.execute(statement)]
        for row in rows:
            for name, value in row.items():
                row[name] = sorted(value) if isinstance(value, list) else value
        found.append(rows)
    return found


def names(database: Database, audience: Audience = Audience.PUBLIC, **wanted: Any) -> list[str | None]:
    with database.reader(audience) as connection:
        found = register.find(connection, Wanted(**wanted), audience)
        assert found.total == len(found.rows)
        return [row.name for row in found.rows]


@pytest.fixture(scope="module")
def made(
    server: Server, template: str, boundaries_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Filled once, for tests that only read."""
    with databases(server, template, Settings(state_dir=tmp_path_factory.mktemp("state"))) as make:
        yield fill(make(boundaries_template))


@pytest.fixture
def filled(boundaries_loaded: Database) -> Database:
    """For tests that change something."""
    return fill(boundaries_loaded)


def fill(database: Database) -> Database:
    """Three solutions and an offer without a name."""
    with database.owner() as connection:
        add_service(connection, "10500", name="Hundesteuer", subject_area_id=12)
        add_service(connection, "10501", name="Wohnsitzanmeldung", subject_area_id=11)
        parent = connection.execute(select(Service.id).where(Service.key == "10500")).scalar_one()
        add_service(connection, "99102013001000", name="Hund anmelden", parent_id=parent)
        for ars in (MUENSTER, TELGTE, OELDE, NRW):
            set_publication(connection, ars)
        provider = connection.execute(select(Authority.id).where(Authority.ars == MUENSTER)).scalar_one()
        form = solution(
            connection, "Formularwerk", platform="Serviceportal Muster", provider_id=provider, visibility=3
        )
        desk = solution(connection, "Amtstisch")
        solution(connection, "Geheimwerk", platform="Geheimplattform")
        day = dt.date(2024, 3, 1)
        add_entry(
            connection, MUENSTER, "10500", solution_id=form, reusable=True, online_since=day,
            as_of=dt.date(2025, 1, 2), solution_kind=1, maturity_model=11, maturity=3,
        )  # fmt: skip
        add_entry(
            connection, TELGTE, "99102013001000", status=2, solution_id=form, specialist_system="KASSE9"
        )
        add_entry(connection, OELDE, "10501", solution_id=desk, online_since=dt.date(2022, 1, 1))
        add_entry(connection, TELGTE, "10501", reusable=True, online_since=day, reuse_note="auf Anfrage")
        add_entry(connection, NRW, "10501", status=4, solution_id=desk)
    return database


def test_an_entry_sums_up_what_its_users_say(made: Database) -> None:
    with made.reader(Audience.PUBLIC) as connection:
        found = register.find(connection, Wanted(sort=Sort.NAME), Audience.PUBLIC)
    rows = {row.name: row for row in found.rows}
    assert list(rows) == ["Amtstisch", "Formularwerk", None]
    form = rows["Formularwerk"]
    assert (form.users, form.coming, form.sharing, form.keeping) == (1, 1, 1, 0)
    assert (form.maturity_11, form.maturity_20, form.since) == (3, None, dt.date(2024, 3, 1))
    assert form.confirmed_on == dt.date(2025, 1, 2)
    assert form.systems == ["KASSE9"]
    assert len(form.service_ids) == 2
    assert (form.platform, form.provider_ars) == ("Serviceportal Muster", MUENSTER)
    # "open" uses nothing
    assert (rows["Amtstisch"].users, rows["Amtstisch"].coming) == (1, 0)
    unnamed = rows[None]
    assert (unnamed.service, unnamed.service_name, unnamed.users) == ("10501", "Wohnsitzanmeldung", 1)
    assert unnamed.public_id == unnamed_id("10501")


def test_offers_without_a_name_need_to_be_online_and_open_to_others(filled: Database) -> None:
    with filled.owner() as connection:
        connection.execute(
            update(Implementation).where(Implementation.reuse_note.is_not(None)).values(status=2)
        )
        copies.refresh(connection)
    assert None not in names(filled)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Formularwerk", ["Formularwerk"]),
        ("formularwrek", ["Formularwerk"]),
        ("Frmularwerk", ["Formularwerk"]),
        ("muster serviceportal", ["Formularwerk"]),
        ("Servceportal", ["Formularwerk"]),
        ("Münster", ["Formularwerk"]),
        ("Hundesteuer", ["Formularwerk"]),
        ("Hundesteur", ["Formularwerk"]),
        ("hund", ["Formularwerk"]),
        ("10500", ["Formularwerk"]),
        ("99 102 013 001 000", ["Formularwerk"]),
        ("KASSE9", ["Formularwerk"]),
        ("Kase9", ["Formularwerk"]),
        ("anmeldung", ["Amtstisch", None]),
        ("Wohnsitzanmeldng", ["Amtstisch", None]),
        ("Amtstisch Wohnsitz", ["Amtstisch"]),
        ("Geheimwerk", []),
        ("Geheimplattform", []),
        ("%_'&|!():*\\", []),
        ("\x00", []),
        ("'; DROP TABLE register_entry; --", []),
        ("x" * 5000, []),
        ("<img onerror=alert(1)>", []),
        ("a b c", []),
    ],
)
def test_it_is_found_with_typos_too(made: Database, typed: str, expected: list[str | None]) -> None:
    assert names(made, text=typed) == expected


@pytest.mark.parametrize("word", ["formularwrek", "hundesteur", "anmeldng", "kase9", "munstr", "qqq"])
def test_words_are_as_alike_as_the_database_finds_them(made: Database, word: str) -> None:
    likeness = text(
        "SELECT word, similarity(word, :word) AS likeness FROM register_word"
        " WHERE audience = 3 AND similarity(word, :word) >= 0.2"
    )
    with made.reader(Audience.PUBLIC) as connection:
        expected = dict(connection.execute(likeness, {"word": word}).tuples().all())
        found = vocabulary.words(connection, Audience.PUBLIC).alike(word, 0.2)
    assert {other: pytest.approx(like, abs=1e-6) for like, other in found} == expected
    assert [like for like, _ in found] == sorted((like for like, _ in found), reverse=True)


def test_words_of_an_audience_are_not_told_to_another_one(made: Database) -> None:
    """However both are asked in one process, and whichever comes first."""
    told = {}
    for audience in (Audience.INTERNAL, Audience.PUBLIC):
        with made.reader(audience) as connection:
            told[audience] = set(vocabulary.words(connection, audience).words)
    assert "geheimwerk" in told[Audience.INTERNAL]
    assert not {"geheimwerk", "geheimplattform"} & told[Audience.PUBLIC]


def test_a_word_that_nothing_is_like_is_left_out_and_named(made: Database) -> None:
    with made.reader(Audience.PUBLIC) as connection:
        found = register.find(connection, Wanted(text="Hundesteuer Qqqxyzw"), Audience.PUBLIC)
    assert [row.name for row in found.rows] == ["Formularwerk"]
    assert found.guessed
    assert found.left_out == ("qqqxyzw",)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"platform": "Serviceportal Muster"}, {"Formularwerk"}),
        ({"platform": "Geheimplattform"}, set()),
        ({"kinds": (SolutionKind.EFA,)}, {"Formularwerk"}),
        ({"maturity": (MaturityModel.V1_1, 3)}, {"Formularwerk"}),
        ({"maturity": (MaturityModel.V1_1, 4)}, set()),
        ({"maturity": (MaturityModel.V2_0, 0)}, set()),
        ({"reusable": True}, {"Formularwerk", None}),
        ({"confirmed": dt.date(2025, 1, 2)}, {"Formularwerk"}),
        ({"confirmed": dt.date(2025, 1, 3)}, set()),
        ({"named": True}, {"Formularwerk", "Amtstisch"}),
        ({"named": False}, {None}),
        ({"regions": (Region(NRW, "059999999999"),)}, {"Formularwerk", "Amtstisch", None}),
        ({"regions": (Region(BERLIN, "119999999999"),)}, set()),
        ({"regions": (Region(OELDE, OELDE),)}, {"Amtstisch"}),
        ({"regions": (Region("055150000000", "055159999999"),)}, {"Formularwerk"}),
        ({"regions": (Region(TELGTE, TELGTE),), "by_provider": True}, {None}),
        ({"regions": (Region(MUENSTER, MUENSTER),), "by_provider": True}, {"Formularwerk"}),
    ],
)
def test_filters(made: Database, wanted: dict[str, Any], expected: set[str | None]) -> None:
    assert set(names(made, **wanted)) == expected


def test_services_count_with_their_leika_services(made: Database) -> None:
    with made.owner() as connection:
        ids = dict(connection.execute(select(Service.key, Service.id)).tuples().all())
    assert names(made, service_ids=(ids["10500"],)) == ["Formularwerk"]
    assert names(made, service_ids=(ids["99102013001000"],)) == ["Formularwerk"]
    assert set(names(made, service_ids=(ids["10501"],))) == {"Amtstisch", None}
    assert names(made, service_ids=()) == []


def test_what_a_solution_says_follows_its_provider(filled: Database) -> None:
    with filled.owner() as connection:
        connection.execute(
            delete(Publication).where(
                Publication.authority_id.in_(select(Authority.id).where(Authority.ars == MUENSTER))
            )
        )
        copies.refresh(connection, [_id(connection, MUENSTER)])
    with filled.reader(Audience.PUBLIC) as connection:
        (row,) = register.find(connection, Wanted(text="Formularwerk"), Audience.PUBLIC).rows
    # Telgte's entry still names it; that is all.
    assert (row.users, row.coming) == (0, 1)
    assert (row.platform, row.provider, row.since, row.kinds) == (None, None, None, 0)
    assert names(filled, text="Serviceportal") == []
    assert names(filled, Audience.INTERNAL, text="Serviceportal") == ["Formularwerk"]


def test_the_public_role_reads_names_of_solutions_and_no_more(made: Database) -> None:
    from sqlalchemy.exc import ProgrammingError

    with made.reader(Audience.PUBLIC) as connection:
        assert set(connection.scalars(select(Solution.name))) == {"Formularwerk", "Amtstisch"}
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(select(Solution.platform))


def _id(connection: Connection, ars: str) -> int:
    return connection.execute(select(Authority.id).where(Authority.ars == ars)).scalar_one()


# --- incremental, and whom it tells -----------------------------------------------------------------

_ARS = (MUENSTER, TELGTE, OELDE, WARENDORF, BERLIN)
_change = st.tuples(
    st.sampled_from(_ARS),
    st.sampled_from(("10500", "10501", "eigen:brunnen")),
    st.sampled_from(("none", "Eins", "Zwei")),
    st.integers(1, 5),
    st.sampled_from((1, 3)),
    st.booleans(),
)
_step = st.one_of(
    st.tuples(st.just("write"), _change),
    st.tuples(st.just("remove"), st.tuples(st.sampled_from(_ARS), st.sampled_from(("10500", "10501")))),
    st.tuples(st.just("publish"), st.tuples(st.sampled_from(_ARS), st.booleans())),
)


@pytest.fixture(scope="module")
def small(module_boundaries: Database) -> Database:
    with module_boundaries.owner() as connection:
        for key in ("10500", "10501", "eigen:brunnen"):
            add_service(connection, key)
        provider = _id(connection, TELGTE)
        solution(connection, "Eins", platform="Plattform", provider_id=provider, visibility=3)
        solution(connection, "Zwei", platform="Verborgen")
        copies.refresh(connection)
    return module_boundaries


def _apply(connection: Connection, step: tuple[str, Any]) -> int:
    kind, what = step
    authority = _id(connection, what[0])
    if kind == "write":
        ars, key, name, status, visibility, reusable = what
        entry = implementation_id(ars, key)
        connection.execute(delete(Implementation).where(Implementation.id == entry))
        chosen = (
            None if name == "none" else select(Solution.id).where(Solution.name == name).scalar_subquery()
        )
        connection.execute(
            insert(Implementation).values(
                id=entry,
                authority_id=authority,
                service_id=select(Service.id).where(Service.key == key).scalar_subquery(),
                solution_id=chosen,
                status=status,
                visibility=visibility,
                reusable=reusable,
                specialist_system=f"System {status}",
            )
        )
    elif kind == "remove":
        connection.execute(delete(Implementation).where(Implementation.id == implementation_id(*what)))
    else:
        connection.execute(delete(Publication).where(Publication.authority_id == authority))
        if what[1]:
            connection.execute(insert(Publication).values(authority_id=authority, visibility=3))
    return authority


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(_step, min_size=1, max_size=4), min_size=1, max_size=6))
def test_following_changes_gives_what_making_anew_gives(small: Database, groups: list[Any]) -> None:
    with small.owner() as connection:
        outer = connection.begin_nested()
        for group in groups:
            copies.refresh(connection, {_apply(connection, step) for step in group})
        followed = state(connection)
        for table in ("register_entry", "register_user", "register_word"):
            connection.execute(text(f"DELETE FROM {table}"))
        copies.refresh(connection)
        assert state(connection) == followed
        outer.rollback()


def test_a_change_that_the_public_cannot_see_leaves_its_rows_and_version(filled: Database) -> None:
    def version(connection: Connection) -> int:
        found = text("SELECT version FROM data_version WHERE audience = 3")
        return int(connection.execute(found).scalar_one())

    with filled.owner() as connection:
        before = version(connection)
        hidden = solution(connection, "Nur intern")
        add_entry(connection, TELGTE, "10500", visibility=1, solution_id=hidden)
        add_entry(connection, BERLIN, "10500", solution_id=hidden)
        connection.execute(update(Solution).where(Solution.id == hidden).values(platform="Anders"))
        copies.refresh(connection)
        assert version(connection) == before
    assert names(filled, text="Nur intern") == []
    assert names(filled, Audience.INTERNAL, text="Nur intern") == ["Nur intern"]


# --- the file ---------------------------------------------------------------------------------------


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


HEAD = (
    "loesung;plattform;bereitgestellt_von;nachnutzbar;bedingungen;kosten;fachverfahren;vertrauensniveau;"
    "bestaetigt_am;sichtbarkeit"
)


def test_a_file_of_solutions_adds_and_updates_and_changes_nothing_twice(
    filled: Database, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "loesungen.csv",
        HEAD,
        "FORMULARWERK;Neue Plattform;05515;ja;Beitritt;keine;KASSE9;substantiell;2026-01-02;öffentlich",
        "Neues Werk;;;nein;;;;;;öffentlich",
        "Falsch;;99999;vielleicht;;;;;gestern;",
        ";ohne Namen;;;;;;;;",
        "Neues Werk;Zweite;;nein;;;;;;öffentlich",
    )
    result = import_solutions(filled, [path])
    counts = result.counts
    assert (counts.read, counts.inserted, counts.updated, counts.rejected, counts.superseded) == (
        5,
        1,
        1,
        2,
        1,
    )
    assert any("vielleicht" in line for line in result.lines)
    with filled.reader(Audience.PUBLIC) as connection:
        rows = {row.name: row for row in register.find(connection, Wanted(named=True), Audience.PUBLIC).rows}
    assert set(rows) == {"Formularwerk", "Amtstisch", "Neues Werk"}
    assert rows["Formularwerk"].platform == "Neue Plattform"
    assert rows["Formularwerk"].confirmed_on == dt.date(2026, 1, 2)
    assert rows["Neues Werk"].users == 0
    again = import_solutions(filled, [path]).counts
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 2)


def test_an_empty_cell_takes_away_and_a_missing_column_leaves(filled: Database, tmp_path: Path) -> None:
    def stands() -> tuple[Any, ...]:
        said = select(Solution.platform, Solution.costs, Solution.visibility).where(Solution.name == "Werk")
        with filled.owner() as connection:
            return tuple(connection.execute(said).one())

    heading = "loesung;plattform;kosten;sichtbarkeit"
    path = tmp_path / "loesungen.csv"
    import_solutions(filled, [write(path, heading, "Werk;Erste;keine;öffentlich")])
    assert stands() == ("Erste", "keine", int(Visibility.PUBLIC))
    assert import_solutions(filled, [write(path, "loesung;plattform", "Werk;")]).counts.updated == 1
    assert stands() == (None, "keine", int(Visibility.PUBLIC))
    import_solutions(filled, [write(path, heading, "Werk;;;")])
    assert stands() == (None, None, int(Visibility.INTERNAL))


def test_a_dry_run_writes_nothing_and_other_tables_are_refused(filled: Database, tmp_path: Path) -> None:
    from mapservice.errors import ImportRefusedError

    path = write(tmp_path / "loesungen.csv", "loesung;plattform", "Probe;P")
    assert import_solutions(filled, [path], dry_run=True).counts.inserted == 1
    assert names(filled, Audience.INTERNAL, text="Probe") == []
    other = write(tmp_path / "umsetzungen.csv", "ars;leistung;status;loesung", "05515;10500;online;X")
    with pytest.raises(ImportRefusedError, match="import implementations"):
        import_solutions(filled, [other])
