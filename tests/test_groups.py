"""Groups as pages ask for them: those that the boundaries make, and imported ones."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.errors import NotFoundError
from mapservice.layers import groups, targets
from mapservice.models import Authority
from tests.entries import add_service
from tests.plan_files import load_groups, load_lists

MUENSTER, WARENDORF_DISTRICT, TELGTE = "055150000000", "055700000000", "055700044044"


def found(database: Database, key: str, audience: Audience = Audience.PUBLIC) -> groups.Group:
    with database.reader(audience) as connection:
        return groups.find(connection, key, audience)


@pytest.mark.parametrize(
    ("key", "size", "some"),
    [
        ("municipalities:05570", 13, TELGTE),
        ("municipalities:055700000000", 13, TELGTE),
        ("municipalities:05515", 1, MUENSTER),
        ("districts:05", 4, WARENDORF_DISTRICT),
        ("districts:055", 3, MUENSTER),
        ("states", 5, "110000000000"),
    ],
)
def test_boundaries_make_groups(boundaries_loaded: Database, key: str, size: int, some: str) -> None:
    group = found(boundaries_loaded, key)
    assert len(group.members) == size
    assert some in {member.ars for member in group.members}
    assert len({member.id for member in group.members}) == size


def test_an_area_without_authority_is_no_member(boundaries_loaded: Database) -> None:
    """Helmstedt has five gemeindefreie Gebiete; its associations are their own or a single municipality's."""
    group = found(boundaries_loaded, "municipalities:03154")
    assert group.members
    assert all(member.ars for member in group.members)
    associations = found(boundaries_loaded, "associations:03154")
    assert "Samtgemeinde" in {member.designation for member in associations.members}


def test_neighbours_begin_with_the_authority_itself(boundaries_loaded: Database) -> None:
    group = found(boundaries_loaded, f"neighbours:{TELGTE}")
    assert group.members[0].ars == TELGTE
    assert MUENSTER in {member.ars for member in group.members}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "unbekannt",
        "municipalities:99999",
        "districts:05570",
        "states:05",
        "municipalities:05",
        "a' OR 1=1",
    ],
)
def test_an_unknown_group_is_said(boundaries_loaded: Database, key: str) -> None:
    with pytest.raises(NotFoundError) as error:
        found(boundaries_loaded, key)
    assert error.value.parameter == "group"


def test_an_internal_group_is_answered_as_an_unknown_one(boundaries_loaded: Database, tmp_path: Path) -> None:
    def said() -> str:
        with pytest.raises(NotFoundError) as error:
            found(boundaries_loaded, "ring")
        return error.value.message

    before = said()
    load_groups(boundaries_loaded, tmp_path, f"ring;Geheimring;{TELGTE};intern;geheim")
    assert said() == before
    inside = found(boundaries_loaded, "ring", Audience.INTERNAL)
    assert (inside.name, inside.description) == ("Geheimring", "geheim")
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        assert groups.imported(connection) == []


def test_imported_groups_keep_their_order_and_name_former_members(
    boundaries_loaded: Database, tmp_path: Path
) -> None:
    load_groups(
        boundaries_loaded, tmp_path, f"ring;Ring;{TELGTE};öffentlich;", f"ring;;{MUENSTER};öffentlich;"
    )
    group = found(boundaries_loaded, "ring")
    assert [member.ars for member in group.members] == [TELGTE, MUENSTER]
    with boundaries_loaded.owner() as connection:
        connection.execute(update(Authority).where(Authority.ars == MUENSTER).values(is_current=False))
    group = found(boundaries_loaded, "ring")
    assert [member.ars for member in group.members] == [TELGTE]
    assert [member.ars for member in group.former] == [MUENSTER]


@pytest.mark.parametrize(
    ("ars", "keys"),
    [
        (TELGTE, ["municipalities:05570", f"neighbours:{TELGTE}"]),
        (MUENSTER, ["districts:05", "districts:055", f"neighbours:{MUENSTER}"]),
        (
            WARENDORF_DISTRICT,
            ["districts:05", "districts:055", "municipalities:05570", f"neighbours:{WARENDORF_DISTRICT}"],
        ),
        ("050000000000", ["states", "districts:05"]),
    ],
)
def test_what_an_authority_may_compare_itself_with(
    boundaries_loaded: Database, ars: str, keys: list[str]
) -> None:
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        own = connection.execute(
            select(Authority.id, Authority.ars, Authority.kinds).where(Authority.ars == ars)
        )
        offered = groups.around(connection, own.one())
    assert [item.key for item in offered if item.key in keys] == keys
    assert all(1 < item.size <= 60 for item in offered)


def test_the_federation_stands_alone(boundaries_loaded: Database) -> None:
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        assert groups.around(connection, SimpleNamespace(id=1, ars="0" * 12, kinds=1)) == []


def test_a_list_is_a_choice_of_services_in_its_order(boundaries_loaded: Database, tmp_path: Path) -> None:
    with boundaries_loaded.owner() as connection:
        bundle = add_service(connection, "10500")
        add_service(connection, "10501")
        add_service(connection, "99000000000001", parent_id=bundle)
    load_lists(boundaries_loaded, tmp_path, "a;A;10501;;;;;öffentlich", "a;;10500;Hort;;;;öffentlich")
    load_lists(boundaries_loaded, tmp_path, "b;B;99000000000001;;;;;öffentlich")
    with boundaries_loaded.reader(Audience.PUBLIC) as connection:
        listed = targets.find(connection, "a")
        assert [service.key for service in listed.services] == ["10501", "10500"]
        chosen = targets.selection(connection, listed)
        assert (chosen.size, len(chosen.bundle_ids or ()), chosen.service_ids) == (2, 2, ())
        leika = targets.selection(connection, targets.find(connection, "b"))
        assert (leika.bundle_ids, len(leika.service_ids)) == (None, 1)
        assert [row.who for row in targets.commitments(connection, "a")] == ["", "Hort"]
        assert [(row.key, row.size) for row in targets.imported(connection)] == [("a", 2), ("b", 1)]
        with pytest.raises(NotFoundError) as error:
            targets.find(connection, "c")
    assert error.value.parameter == "list"
