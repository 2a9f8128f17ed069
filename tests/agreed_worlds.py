"""Random worlds of coordinators: entries, solutions, groups and target lists, each row public or hidden.

World.public() is what the public may know of it, by the rules of docs/formats.md and docs/counting.md. Each
text says whether it may be seen: OPEN stands in what is public, SECRET in everything else.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from mapservice.domain import implementation_id
from mapservice.models import Authority, Implementation, ImplementationHistory, Publication, Service, Solution
from mapservice.plans import AuthorityGroup, Commitment, GroupMember, Target, TargetList
from tests.entries import INTERNAL, PARTNERS, PUBLIC, add_service, refresh

OPEN, SECRET = "Offenwort", "Geheimwort"
MUENSTER, TELGTE, WARENDORF = "055150000000", "055700044044", "055700000000"
NRW, BERLIN = "050000000000", "110000000000"
HAMM, COESFELD = "059150000000", "055580000000"
SHOWN = (MUENSTER, TELGTE, WARENDORF, NRW, BERLIN)
UNPUBLISHED = (HAMM, COESFELD)
BUNDLES, LEIKA, OWN = ("10500", "10501", "10502"), "99001001001001", "eigen:brunnen"
SERVICES = (*BUNDLES, LEIKA, OWN)
SECRET_OWN = f"eigen:{SECRET}"
"""A service of one's own that hidden rows alone name."""
SOLUTIONS = tuple(uuid.uuid5(uuid.NAMESPACE_OID, f"Werk {number}") for number in range(1, 5))
"""Public ids; the last one is named by hidden rows alone."""
SECRET_SOLUTION = 3
GROUPS, LISTS = ("ring", "geheim"), ("ziele", "geheim")
DAYS = (None, dt.date(2023, 5, 6), dt.date(2024, 3, 1), dt.date(2025, 1, 2))
FUNCTION, PERSON = 1, 2


@dataclass(frozen=True)
class Entry:
    """An implementation. solution: place in SOLUTIONS, None without; day: since when, and last confirmed."""

    status: int
    visibility: int
    solution: int | None = None
    reusable: bool | None = None
    day: dt.date | None = None
    contact_kind: int = FUNCTION


@dataclass(frozen=True)
class Statement:
    """What a solution says of itself."""

    visibility: int
    provider: str | None

    @property
    def public(self) -> bool:
        return self.visibility == PUBLIC and self.provider not in UNPUBLISHED


@dataclass(frozen=True)
class Wish:
    """A row of a target list: who takes the service, an ARS or a name; empty for nobody."""

    list_key: str
    service: str
    who: str
    visibility: int
    role: int | None = None
    due: dt.date | None = None
    noted: bool = False


@dataclass(frozen=True)
class World:
    """entries by (ARS, service); statements by place in SOLUTIONS; members: (group, ARS) -> visibility;
    described: visibility of each group's description.
    """

    entries: Mapping[tuple[str, str], Entry] = field(default_factory=dict)
    statements: Mapping[int, Statement] = field(default_factory=dict)
    members: Mapping[tuple[str, str], int] = field(default_factory=dict)
    described: Mapping[str, int] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()

    def public(self) -> World:
        """What the public may know; a wish whose taker is hidden stays as one that nobody took."""
        seen = {
            key: entry
            for key, entry in self.entries.items()
            if entry.visibility == PUBLIC and key[0] not in UNPUBLISHED
        }
        members = {key: how for key, how in self.members.items() if how == PUBLIC}
        groups = {group for group, _ars in members}
        offered = {service for _ars, service in seen}
        wishes = [
            wish if wish.who not in UNPUBLISHED else Wish(wish.list_key, wish.service, "", PUBLIC)
            for wish in self.wishes
            if wish.visibility == PUBLIC
            and (not wish.service.startswith("eigen:") or wish.service in offered)
        ]
        return World(
            seen,
            {number: said for number, said in self.statements.items() if said.public},
            members,
            {group: how for group, how in self.described.items() if how == PUBLIC and group in groups},
            tuple(dict.fromkeys(wishes)),
        )

    @property
    def solutions(self) -> list[int]:
        """Those that somebody names, or that say something."""
        named = {entry.solution for entry in self.entries.values() if entry.solution is not None}
        return sorted(named | set(self.statements))


def prepare(connection: Connection) -> dict[str, int]:
    """Add services and publish who agreed. Returns ids of authorities and services by key."""
    for number, key in enumerate(BUNDLES):
        add_service(connection, key, subject_area_id=3 if number else 1, name=f"Leistung {key}")
    parent = select(Service.id).where(Service.key == BUNDLES[0]).scalar_subquery()
    add_service(connection, LEIKA, parent_id=parent, name="Brunnen anzeigen")
    add_service(connection, OWN, name="Brunnen")
    add_service(connection, SECRET_OWN, name=f"Leistung {SECRET}")
    for ars in SHOWN:
        authority = select(Authority.id).where(Authority.ars == ars).scalar_subquery()
        connection.execute(insert(Publication).values(authority_id=authority, visibility=PUBLIC))
    # A person's address is nobody's business, whoever agreed to publication.
    of_person = update(Authority).where(Authority.ars == TELGTE)
    connection.execute(of_person.values(contact=f"{SECRET}@telgte.example", contact_kind=PERSON))
    # Who is of similar size is asked for too.
    connection.execute(update(Authority).values(population=50_000))
    rows = [*connection.execute(select(Authority.ars, Authority.id)).tuples()]
    return dict([*rows, *connection.execute(select(Service.key, Service.id)).tuples()])


def clear(connection: Connection) -> None:
    """Take away all rows of a world, as if they had never been."""
    for table in (Implementation, ImplementationHistory, Solution, AuthorityGroup, TargetList):
        connection.execute(delete(table))


def write(connection: Connection, world: World, ids: Mapping[str, int]) -> None:
    """Add the world, or what it has beyond what stands there already."""
    public = world.public()
    solutions = _write_solutions(connection, world, public, ids)
    known = set(connection.scalars(select(Implementation.id)))
    rows = [
        _entry_row(key, entry, key in public.entries, ids, solutions)
        for key, entry in world.entries.items()
        if implementation_id(*key) not in known
    ]
    if rows:
        connection.execute(insert(Implementation), rows)
    _write_groups(connection, world, public, ids)
    _write_lists(connection, world, public, ids)
    refresh(connection)


def _entry_row(
    key: tuple[str, str], entry: Entry, seen: bool, ids: Mapping[str, int], solutions: Mapping[int, int]
) -> dict[str, Any]:
    ars, service = key
    word = OPEN if seen else SECRET
    return {
        "id": implementation_id(ars, service),
        "authority_id": ids[ars],
        "service_id": ids[service],
        "status": entry.status,
        "visibility": entry.visibility,
        "solution_id": None if entry.solution is None else solutions[entry.solution],
        "solution_kind": 1 + entry.status % 3,
        "reusable": entry.reusable,
        "reuse_note": f"{word} Hinweis",
        "specialist_system": f"{word} Fachverfahren",
        "source": word,
        "url": f"https://{word.lower()}.example/",
        "contact": f"{word if entry.contact_kind == FUNCTION else SECRET}@muster.example",
        "contact_kind": entry.contact_kind,
        "online_since": entry.day,
        "as_of": entry.day,
        "maturity_model": 11,
        "maturity": entry.status % 5,
    }


def _write_solutions(
    connection: Connection, world: World, public: World, ids: Mapping[str, int]
) -> dict[int, int]:
    known = dict(connection.execute(select(Solution.public_id, Solution.id)).tuples().all())
    for number in world.solutions:
        said = world.statements.get(number)
        word = OPEN if number in public.solutions else SECRET
        values: dict[str, Any] = {"name": f"Werk {number} {word}"}
        if said is not None:
            text = OPEN if said.public else SECRET
            values |= {
                "visibility": said.visibility,
                "provider_id": ids[said.provider] if said.provider else None,
                "platform": f"{text} Plattform {number}",
                "conditions": f"{text} Bedingungen",
                "costs": f"{text} Kosten",
                "specialist_systems": f"{text} System",
                "reusable": number % 2 == 0,
                "trust_level": 2,
                "confirmed_on": dt.date(2025, 6, 1 + number),
            }
        if SOLUTIONS[number] in known:
            connection.execute(update(Solution).where(Solution.public_id == SOLUTIONS[number]).values(values))
        else:
            connection.execute(insert(Solution).values(public_id=SOLUTIONS[number], **values))
    by_id = dict(connection.execute(select(Solution.public_id, Solution.id)).tuples().all())
    return {number: by_id[public_id] for number, public_id in enumerate(SOLUTIONS) if public_id in by_id}


def _write_groups(connection: Connection, world: World, public: World, ids: Mapping[str, int]) -> None:
    for key in GROUPS:
        members = {ars: how for (group, ars), how in world.members.items() if group == key}
        if not members:
            continue
        seen = any(group == key for group, _ars in public.members)
        word = OPEN if world.described.get(key) == PUBLIC and seen else SECRET
        values = {"name": f"Gruppe {OPEN if seen else SECRET}", "visibility": max(members.values())}
        if key in world.described:
            values |= {
                "description": f"{word} Beschreibung",
                "description_visibility": world.described[key],
            }
        group_id = _one_by_key(connection, AuthorityGroup, key, values)
        there = set(
            connection.scalars(select(GroupMember.authority_id).where(GroupMember.group_id == group_id))
        )
        rows = [
            {"group_id": group_id, "authority_id": ids[ars], "position": ids[ars], "visibility": how}
            for ars, how in members.items()
            if ids[ars] not in there
        ]
        if rows:
            connection.execute(insert(GroupMember), rows)


def _write_lists(connection: Connection, world: World, public: World, ids: Mapping[str, int]) -> None:
    for key in LISTS:
        wishes = [wish for wish in world.wishes if wish.list_key == key]
        if not wishes:
            continue
        seen = any(wish.visibility == PUBLIC for wish in wishes)
        values = {
            "name": f"Ziele {OPEN if seen else SECRET}",
            "visibility": max(wish.visibility for wish in wishes),
        }
        list_id = _one_by_key(connection, TargetList, key, values)
        for service in dict.fromkeys(wish.service for wish in wishes):
            rows = [wish for wish in wishes if wish.service == service]
            _write_target(connection, list_id, service, rows, ids)


def _write_target(
    connection: Connection, list_id: int, service: str, wishes: list[Wish], ids: Mapping[str, int]
) -> None:
    best = max(wish.visibility for wish in wishes)
    place = Target.list_id == list_id, Target.service_id == ids[service]
    target_id = connection.scalar(select(Target.id).where(*place))
    if target_id is None:
        row = {"list_id": list_id, "service_id": ids[service], "position": ids[service], "visibility": best}
        target_id = connection.execute(insert(Target).values(row).returning(Target.id)).scalar_one()
    there = {
        (row.authority_id, row.who)
        for row in connection.execute(
            select(Commitment.authority_id, Commitment.who).where(Commitment.target_id == target_id)
        )
    }
    for wish in wishes:
        authority = ids[wish.who] if wish.who.isdigit() else None
        word = OPEN if wish.visibility == PUBLIC and wish.who not in UNPUBLISHED else SECRET
        who = f"{wish.who} {word}" if wish.who and authority is None else ""
        says_nothing = not (who or authority or wish.role or wish.due or wish.noted)
        if says_nothing or (authority, who) in there:
            continue
        there.add((authority, who))
        connection.execute(
            insert(Commitment).values(
                target_id=target_id,
                authority_id=authority,
                who=who,
                role=wish.role,
                due=wish.due,
                note=f"{word} Notiz" if wish.noted else None,
                visibility=wish.visibility,
            )
        )


def _one_by_key(connection: Connection, table: Any, key: str, values: Mapping[str, Any]) -> int:
    found = connection.scalar(select(table.id).where(table.key == key))
    if found is not None:
        connection.execute(update(table).where(table.id == found).values(values))
        return int(found)
    return int(connection.execute(insert(table).values(key=key, **values).returning(table.id)).scalar_one())


# --- drawn --------------------------------------------------------------------------------------------

_hidden = st.sampled_from((INTERNAL, PARTNERS))
_any = st.sampled_from((INTERNAL, PARTNERS, PUBLIC))
_everybody = st.sampled_from((*SHOWN, *UNPUBLISHED))


def _entries(visibility: st.SearchStrategy[int], solutions: tuple[int | None, ...]) -> Any:
    return st.builds(
        Entry,
        st.integers(1, 5),
        visibility,
        st.sampled_from(solutions),
        st.sampled_from((None, True, False)),
        st.sampled_from(DAYS),
        st.sampled_from((FUNCTION, PERSON)),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Most of them with something public and something hidden of each kind."""
    shown, every = st.sampled_from(SHOWN), st.sampled_from((*SERVICES, SECRET_OWN))
    public = st.tuples(shown, st.sampled_from(SERVICES))
    some = (None, 0, 1, 2, SECRET_SOLUTION)
    withheld = st.tuples(st.sampled_from(UNPUBLISHED), every)
    entries = {
        **draw(st.dictionaries(st.tuples(shown, every), _entries(_hidden, some), min_size=1, max_size=5)),
        **draw(st.dictionaries(withheld, _entries(_any, some), max_size=4)),
        **draw(st.dictionaries(public, _entries(st.just(PUBLIC), (None, 0, 1)), max_size=7)),
    }
    said = st.builds(Statement, _any, st.one_of(st.none(), _everybody))
    unsaid = st.one_of(
        st.builds(Statement, _hidden, st.one_of(st.none(), _everybody)),
        st.builds(Statement, st.just(PUBLIC), st.sampled_from(UNPUBLISHED)),
    )
    statements = {
        **draw(st.dictionaries(st.integers(0, 2), said)),
        **draw(st.dictionaries(st.just(SECRET_SOLUTION), unsaid)),
    }
    members = {
        **draw(st.dictionaries(st.tuples(st.just("ring"), _everybody), _any)),
        **draw(st.dictionaries(st.tuples(st.just("geheim"), _everybody), _hidden)),
    }
    described = draw(st.dictionaries(st.sampled_from(GROUPS), _any))
    return World(entries, statements, members, described, _wishes(draw))


def _wishes(draw: st.DrawFn) -> tuple[Wish, ...]:
    def rows(list_key: str, visibility: st.SearchStrategy[int]) -> Any:
        return st.builds(
            Wish,
            st.just(list_key),
            st.sampled_from((*SERVICES, SECRET_OWN)),
            st.sampled_from(("", "Zweckverband", *SHOWN[:3], *UNPUBLISHED)),
            visibility,
            st.sampled_from((None, 1, 2)),
            st.sampled_from((None, dt.date(2020, 1, 1), dt.date(2099, 1, 1))),
            st.booleans(),
        )

    drawn = draw(st.lists(rows("ziele", _any), max_size=7)) + draw(
        st.lists(rows("geheim", _hidden), max_size=2)
    )
    if any(wish.list_key == "ziele" and wish.visibility == PUBLIC for wish in drawn):
        # A public list of nothing but services that nobody may know of is a case of its own.
        drawn.insert(0, Wish("ziele", BUNDLES[0], "", PUBLIC))
    return tuple({(wish.list_key, wish.service, wish.who): wish for wish in reversed(drawn)}.values())
