"""Who around has a service, and how far: from tallies, and from entries where they do not tell.

Tallies say which bundles an authority has in which status. Entries are read for LeiKa services and services
of one's own, and of the few authorities of a page. The rows are those that the connection's role may see.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Select,
    SmallInteger,
    String,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT
from sqlalchemy.orm import aliased

from mapservice.domain import (
    BUNDLE_BITS,
    OZG_ID_FIRST,
    SUBJECT_AREAS,
    Audience,
    Scope,
    ServiceKind,
    Status,
)
from mapservice.errors import N_, NotFoundError
from mapservice.layers.counting import bits_set
from mapservice.layers.entries_near import entries_of, entries_of_few, mine_of
from mapservice.layers.prepared import Prepared
from mapservice.layers.surroundings import Near
from mapservice.models import Authority, Implementation, Service, Tally
from mapservice.register.tables import RegisterEntry

T = TypeVar("T")
OFFERED = (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED)
Exact = tuple[int, set[Status], Status | None, int]
"""Per authority: offered statuses of the exact services, that of the bundles of those that it lacks, and how
many of them it reports as not its business alone.
"""
_FEW_PAIRS = 5000
"""Of authorities and services; looking up so many takes 5 ms."""
_IDS = any_(bindparam("ids", type_=ARRAY(Integer)))
_NAMED = Service.key == any_(bindparam("keys", type_=ARRAY(Text)))
_SUBJECT_IDS = {slug: number for number, (slug, _) in enumerate(SUBJECT_AREAS, 1)}


@dataclass(frozen=True)
class Wanted:
    """The services asked for. bundles: by id, with key and name; children: ids of their LeiKa services;
    exact: LeiKa services and services of one's own; parents: id of the bundle of each of these that has one.
    A LeiKa service whose bundle is asked for as well is left out: its entries count for the bundle. chosen:
    what was named one by one.
    """

    bundles: dict[int, Row[Any]] = field(default_factory=dict)
    exact: dict[int, Row[Any]] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)
    children: tuple[int, ...] = ()
    chosen: tuple[Row[Any], ...] = ()

    @property
    def size(self) -> int:
        return len(self.bundles) + len(self.exact)

    @property
    def members(self) -> list[int]:
        """Ids of all services whose entries may answer."""
        return [*self.bundles, *self.children, *self.exact, *self.parents.values()]

    @property
    def mask(self) -> str:
        """The bit string with the bits of the bundles set."""
        return bits_of(row.key for row in self.bundles.values())


@dataclass(frozen=True)
class Standing:
    """How an authority stands to the services asked for.

    has_data: whether anything of it may be seen. best: over all of them, None without data. bundled: the best
    status of an entry at the bundle of a LeiKa service asked for, where it has no offer of that one itself.
    """

    has_data: bool = False
    best: Status | None = None
    bundled: Status | None = None


@dataclass(frozen=True)
class Entry:
    """One entry that answers. item: id of the service asked for; bundled: it is at its bundle."""

    row: Row[Any]
    solution: Row[Any] | None
    item: int
    bundled: bool
    reuse: bool
    same_solution: bool


@dataclass(frozen=True)
class Ranked:
    """An authority in the list. section: the best status that it offers; None: at the bundle alone."""

    near: Near
    standing: Standing
    section: Status | None
    entries: tuple[Entry, ...] = ()

    @property
    def first(self) -> tuple[Any, ...]:
        """What the order goes by before entries are looked at."""
        return (self.section is None, self.section or 0, self.near.place)


def bits_of(ozg_ids: Iterable[str]) -> str:
    """The bit string of a tally with the bits of these bundles set."""
    bits = ["0"] * BUNDLE_BITS
    for key in ozg_ids:
        bits[int(key) - OZG_ID_FIRST] = "1"
    return "".join(bits)


def wanted(connection: Connection, keys: Collection[str], subjects: Collection[str]) -> Wanted:
    """Services by key together with the bundles of subject areas; NotFoundError names an unknown key."""
    if not keys and not subjects:
        return Wanted()
    # The keys alone are looked up by an index; with subject areas all services are read.
    numbers = [_SUBJECT_IDS[slug] for slug in subjects]
    if numbers:
        rows = _with_subjects().rows(connection, keys=list(keys), subjects=numbers)
    else:
        rows = _by_keys().rows(connection, keys=list(keys))
    known = {row.key: row for row in rows}
    for key in keys:
        if key not in known:
            message = N_("Leistung %(key)s ist im Katalog nicht vorhanden.")
            raise NotFoundError(message, words={"key": key}, parameter="service")
    bundles = {row.id: row for row in rows if row.kind == ServiceKind.BUNDLE}
    exact = {row.id: row for row in rows if row.id not in bundles and row.parent_id not in bundles}
    parents = {row.id: row.parent_id for row in exact.values() if row.parent_id is not None}
    children = tuple(row.id for row in _children().rows(connection, ids=list(bundles))) if bundles else ()
    return Wanted(bundles, exact, parents, children, tuple(known[key] for key in keys))


def _services() -> Select[Any]:
    return select(
        Service.id,
        Service.key,
        Service.kind,
        Service.name,
        Service.parent_id,
        Service.responsible,
        Service.retired,
    ).order_by(Service.name, Service.key)


@functools.cache
def _by_keys() -> Prepared:
    return Prepared(_services().where(_NAMED))


@functools.cache
def _with_subjects() -> Prepared:
    """Parameters: keys, subjects (ids), whose bundles are meant."""
    in_subject = Service.subject_area_id == any_(bindparam("subjects", type_=ARRAY(Integer)))
    bundles = and_(in_subject, Service.kind == int(ServiceKind.BUNDLE), ~Service.retired)
    return Prepared(_services().where(or_(_NAMED, bundles)))


@functools.cache
def _children() -> Prepared:
    return Prepared(select(Service.id).where(Service.parent_id == _IDS))


def standings(
    connection: Connection, ids: Sequence[int], asked: Wanted, audience: Audience
) -> dict[int, Standing]:
    """By authority; one without visible entries is not in it."""
    rows = _tallies().rows(connection, mask=asked.mask, ids=list(ids), audience=int(audience))
    return stood(rows, exact(connection, ids, asked), asked)


def stood(tallied: Iterable[Sequence[Any]], exactly: Iterable[Exact], asked: Wanted) -> dict[int, Standing]:
    """tallied: authorities that stand alike, whether they have any of the bundles in each of OFFERED or
    better, and how many of them they report as not their business.
    """
    found: dict[int, Standing] = {}
    refused: dict[int, int] = {}
    for ids, *offered, not_responsible in tallied:
        best = min((status for status, has in zip(OFFERED, offered, strict=True) if has), default=None)
        found.update(dict.fromkeys(ids, _standing(best, not_responsible, asked)))
        refused.update(dict.fromkeys(ids, not_responsible))
    for authority_id, own, at_bundle, exactly_refused in exactly:
        known = found.get(authority_id, Standing()).best
        best = min((status for status in (*own, known) if status in OFFERED), default=None)
        number = refused.get(authority_id, 0) + exactly_refused
        found[authority_id] = _standing(best, number, asked, at_bundle)
    return found


def _standing(best: Status | None, refused: int, asked: Wanted, bundled: Status | None = None) -> Standing:
    """best: of OFFERED."""
    if best is None:
        best = Status.NOT_RESPONSIBLE if refused == asked.size else Status.OPEN
    return Standing(True, best, bundled)


@functools.cache
def _tallies() -> Prepared:
    """Parameters: mask (bits as text), ids, audience."""
    mask = cast(bindparam("mask", type_=String), BIT(BUNDLE_BITS))
    offered = (Tally.online, Tally.in_progress, Tally.planned)
    alike: list[Any] = [
        *(
            (bits_set(column.op("&")(mask)) > 0).label(f"has_{status.code}")
            for column, status in zip(offered, OFFERED, strict=True)
        ),
        bits_set(Tally.reported.op("&")(func.bitnot(Tally.open)).op("&")(mask)).label("refused"),
    ]
    return Prepared(
        select(func.array_agg(Tally.authority_id), *alike)
        .where(
            Tally.audience == bindparam("audience", type_=SmallInteger),
            Tally.scope == int(Scope.OWN),
            Tally.authority_id == _IDS,
        )
        .group_by(*alike)
    )


def ranked(
    nears: Iterable[Near], found: Mapping[int, Standing], statuses: Collection[Status]
) -> list[Ranked]:
    """Those who offer something of a wanted status: by status, then by place."""
    rows = []
    for near in nears:
        standing = found.get(near.authority_id, Standing())
        if standing.best in statuses:
            rows.append(Ranked(near, standing, standing.best))
        elif standing.bundled in statuses:
            rows.append(Ranked(near, standing, None))
    return sorted(rows, key=lambda row: row.first)


def part(
    rows: Sequence[Ranked], start: int, stop: int, read: Callable[[Sequence[int]], Mapping[int, list[Entry]]]
) -> list[Ranked]:
    """The rows of a page with their entries, in the order to its end. Entries are read of these alone, and of
    those that stand at the same place as the first or last of them.

    read: entries by authority, for ids.
    """
    first, last = start, min(stop, len(rows))
    if first >= last:
        return []
    while first > 0 and rows[first - 1].first == rows[first].first:
        first -= 1
    while last < len(rows) and rows[last].first == rows[last - 1].first:
        last += 1
    found = read([row.near.authority_id for row in rows[first:last]])
    whole = [replace(row, entries=tuple(found.get(row.near.authority_id, ()))) for row in rows[first:last]]
    ordered = in_order(whole, lambda row: row.first, lambda row: row.entries[0] if row.entries else None)
    return ordered[start - first : stop - first]


@dataclass(frozen=True)
class Mine:
    """What the authority itself reports. statuses: the best of each service asked for, by id
    (docs/counting.md, 5); solutions: ids of those that its entries use, for whatever service.
    """

    statuses: dict[int, Status]
    solutions: frozenset[int]


def mine(connection: Connection, authority_id: int, asked: Wanted) -> Mine:
    """From its visible entries."""
    rows = _mine().rows(connection, authority=authority_id, services=asked.members)
    return reported(rows, asked)


def reported(rows: Iterable[Any], asked: Wanted) -> Mine:
    """rows: as mine_of() selects them."""
    statuses: dict[int, Status] = {}
    solutions = set()
    for row in rows:
        for item in (row.service_id, row.parent_id):
            if item in asked.bundles or item in asked.exact:
                statuses[item] = min(statuses.get(item, Status.NOT_RESPONSIBLE), Status(row.status))
        if row.solution_id is not None:
            solutions.add(row.solution_id)
    return Mine(statuses, frozenset(solutions))


@functools.cache
def _mine() -> Prepared:
    return Prepared(mine_of(Implementation))


def exact(
    connection: Connection, ids: Sequence[int], asked: Wanted, entry: Any = Implementation
) -> Iterable[Exact]:
    """entry: the entries of a past day (past.py) in place of those of today."""
    if not asked.exact:
        return
    services = [*asked.exact, *set(asked.parents.values())]
    by_authority: dict[int, dict[int, Status]] = {}
    for authority_id, service_id, status in connection.execute(
        select(entry.authority_id, entry.service_id, func.min(entry.status))
        .where(entry.authority_id == _any_of(ids), entry.service_id == _any_of(services))
        .group_by(entry.authority_id, entry.service_id)
    ):
        by_authority.setdefault(authority_id, {})[service_id] = Status(status)
    for authority_id, found in by_authority.items():
        own = {found[item] for item in asked.exact if item in found}
        at_bundle = [
            found[parent]
            for item, parent in asked.parents.items()
            if found.get(parent, Status.OPEN) in OFFERED and found.get(item, Status.OPEN) not in OFFERED
        ]
        refused = sum(found.get(item) is Status.NOT_RESPONSIBLE for item in asked.exact)
        yield (
            authority_id,
            {status for status in own if status in OFFERED},
            min(at_bundle, default=None),
            refused,
        )


def entries(
    connection: Connection,
    ids: Sequence[int],
    asked: Wanted,
    statuses: Collection[Status],
    own_solutions: Collection[int],
    audience: Audience,
) -> dict[int, list[Entry]]:
    """By authority the entries that answer, in the order among entries of one authority."""
    if not ids or not asked.size:
        return {}
    services = asked.members
    few = len(ids) * len(services) <= _FEW_PAIRS
    rows = _entries(audience, few).rows(connection, ids=list(ids), services=services)
    return answers(connection, rows, asked, statuses, own_solutions, audience)


def answers(
    connection: Connection,
    rows: Iterable[Row[Any]],
    asked: Wanted,
    statuses: Collection[Status],
    own_solutions: Collection[int],
    audience: Audience,
) -> dict[int, list[Entry]]:
    """rows: as entries_of() selects them."""
    wanted_rows = [row for row in rows if Status(row.status) in statuses]
    solutions = _solutions(connection, {row.solution_id for row in wanted_rows} - {None}, audience)
    made: dict[int, list[Entry]] = {}
    for row in wanted_rows:
        solution = solutions.get(row.solution_id)
        made.setdefault(row.authority_id, []).extend(_answers(row, solution, asked, own_solutions))
    return {
        authority_id: in_order(found, _status_first, lambda entry: entry)
        for authority_id, found in made.items()
    }


@functools.cache
def _entries(audience: Audience, few: bool) -> Prepared:
    # The public role has no right to the other column.
    contact = Implementation.contact if audience is Audience.INTERNAL else Implementation.public_contact
    return Prepared((entries_of_few if few else entries_of)(Implementation, contact))


def _solutions(connection: Connection, ids: Collection[int], audience: Audience) -> dict[int, Row[Any]]:
    """What solutions say of themselves, as far as the audience may see it: as the register holds it."""
    if not ids:
        return {}
    rows = _solutions_by_id().rows(connection, ids=sorted(ids), audience=int(audience))
    return {row.id: row for row in rows}


@functools.cache
def _solutions_by_id() -> Prepared:
    provider = aliased(Authority)
    return Prepared(
        select(
            RegisterEntry.entry_id.label("id"),
            RegisterEntry.name,
            RegisterEntry.reusable,
            RegisterEntry.conditions,
            RegisterEntry.costs,
            provider.name.label("provider"),
        )
        .join_from(RegisterEntry, provider, provider.id == RegisterEntry.provider_id, isouter=True)
        .where(
            RegisterEntry.audience == bindparam("audience", type_=SmallInteger),
            RegisterEntry.entry_id == _IDS,
        )
    )


def _answers(
    row: Row[Any], solution: Row[Any] | None, asked: Wanted, own_solutions: Collection[int]
) -> Iterable[Entry]:
    """What an entry answers: its bundle or itself, and as one at a bundle each LeiKa service of it."""
    bundle = row.parent_id if row.parent_id is not None else row.service_id
    reuse = bool(row.reusable if row.reusable is not None or solution is None else solution.reusable)
    same = row.solution_id is not None and row.solution_id in own_solutions
    if bundle in asked.bundles:
        yield Entry(row, solution, bundle, False, reuse, same)
    elif row.service_id in asked.exact:
        yield Entry(row, solution, row.service_id, False, reuse, same)
    else:
        for item, parent in asked.parents.items():
            if parent == row.service_id:
                yield Entry(row, solution, item, True, reuse, same)


def _any_of(ids: Collection[int]) -> Any:
    return any_(cast(list(ids), ARRAY(Integer)))


def _status_first(entry: Entry) -> tuple[Any, ...]:
    return (entry.bundled, entry.row.status)


def in_order(
    rows: Iterable[T], first: Callable[[T], tuple[Any, ...]], speaks: Callable[[T], Entry | None]
) -> list[T]:
    """By `first`, then by the entry that speaks for a row: reuse offered, a solution of one's own, maturity,
    day of the statement.

    Maturity counts among rows that are equal so far only where all that state it do so in one model: steps of
    two models do not compare. What is not stated comes last.
    """
    groups: dict[tuple[Any, ...], list[tuple[T, Entry | None]]] = {}
    for row in rows:
        entry = speaks(row)
        reuse, same = (entry.reuse, entry.same_solution) if entry else (False, False)
        groups.setdefault((first(row), not reuse, not same), []).append((row, entry))
    result: list[T] = []
    for key in sorted(groups):
        group = groups[key]
        models = {entry.row.maturity_model for _, entry in group if entry and entry.row.maturity is not None}
        comparable = len(models) == 1
        group.sort(key=lambda pair: _later(pair[1], comparable))
        result += [row for row, _ in group]
    return result


def _later(entry: Entry | None, comparable: bool) -> tuple[Any, ...]:
    if entry is None:
        return (0, 0, "", "")
    row = entry.row
    maturity = -row.maturity if comparable and row.maturity is not None else 1
    day = row.as_of if row.as_of is not None else dt.date.min
    return (maturity if comparable else 0, -day.toordinal(), row.service, str(row.id))
