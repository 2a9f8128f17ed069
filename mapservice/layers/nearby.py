"""Who around has a service, and how far: from tallies, and from entries where they do not tell.

Tallies say which bundles an authority has in which status. Entries are read for LeiKa services and services
of one's own, and of the few authorities of a page. The rows are those that the connection's role may see.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    SmallInteger,
    any_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import (
    Audience,
    Status,
)
from mapservice.layers.catalogue import Wanted
from mapservice.layers.entries_near import entries_of, entries_of_few, mine_of
from mapservice.layers.prepared import Prepared
from mapservice.layers.surroundings import Near
from mapservice.layers.tallied import Tallied
from mapservice.models import Authority, Implementation
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


def standings(
    connection: Connection,
    tallied: Tallied,
    ids: Sequence[int],
    asked: Wanted,
    entry: Any = Implementation,
) -> dict[int, Standing]:
    """By authority; one without visible entries is not in it. tallied: of these authorities; entry: the
    entries of a past day (past.py) in place of those of today.
    """
    offered, refused = tallied.having(asked.mask)
    found: dict[int, Standing] = {}
    known: dict[tuple[Any, ...], Standing] = {}
    rows = list(zip(tallied.ids.tolist(), *offered.T.tolist(), refused.tolist(), strict=True))
    for authority_id, *alike in rows:
        key = tuple(alike)
        if key not in known:
            *has, number = key
            best = min((status for status, is_so in zip(OFFERED, has, strict=True) if is_so), default=None)
            known[key] = _standing(best, number, asked)
        found[authority_id] = known[key]
    if not asked.exact:
        return found
    by_tally = {authority_id: number for authority_id, *_, number in rows}
    for authority_id, own, at_bundle, exactly_refused in _exact(connection, ids, asked, entry):
        before = found.get(authority_id, Standing()).best
        best = min((status for status in (*own, before) if status in OFFERED), default=None)
        number = by_tally.get(authority_id, 0) + exactly_refused
        found[authority_id] = _standing(best, number, asked, at_bundle)
    return found


def _standing(best: Status | None, refused: int, asked: Wanted, bundled: Status | None = None) -> Standing:
    """best: of OFFERED."""
    if best is None:
        best = Status.NOT_RESPONSIBLE if refused == asked.size else Status.OPEN
    return Standing(True, best, bundled)


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


def _exact(connection: Connection, ids: Sequence[int], asked: Wanted, entry: Any) -> Iterable[Exact]:
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
