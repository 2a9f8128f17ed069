"""What past days are counted from, as this process holds it: each version of each entry in 14 bytes.

The entries of a day become bit strings of the shape of a tally in arrays, in a fraction of the time that the
database takes to aggregate them, and go to the one statement that counts (counting.py). What is held was
read by the role of the connection at one data version: row-level security is the filter of the audience here
too, and a withdrawal works backwards, as it moves the version.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.pq import Format
from sqlalchemy import CTE, Connection, Integer, Select, cast, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY, BIT, BYTEA, TIMESTAMP
from sqlalchemy.orm import aliased
from sqlalchemy.types import UserDefinedType

from mapservice.domain import BUNDLE_BITS, FEDERATION, OZG_ID_FIRST, Scope, ServiceKind, Status
from mapservice.layers import past
from mapservice.models import Authority, Implementation, ImplementationHistory, Service
from mapservice.seen import Kept
from mapservice.tallies import STATUS_COLUMNS, restricted_rows

T = TypeVar("T")
_BLOCK = 500
"""The versions of so many authorities come at once: some megabytes on the way, however many there are."""
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""PostgreSQL counts microseconds from here."""
_BYTES = BUNDLE_BITS // 8
_DAY_0, _MOST_DAYS = _EPOCH.date(), 2**16
_BIT_OID, _BITS_OID = 1560, 1561
"""pg_type.oid of bit and of its arrays."""


@dataclass(frozen=True)
class Held:
    """Entries, one element for each, sorted by place.

    authority: place in Authorities. place, bit: of its bundle among the bytes of all authorities' strings,
    and in that byte; place -1 for an entry of no bundle, which only tells that there are data.
    """

    authority: NDArray[np.int32]
    place: NDArray[np.int32]
    bit: NDArray[np.uint8]
    status: NDArray[np.int8]

    def at(self, where: NDArray[Any]) -> Held:
        return Held(*(column[where] for column in self.columns()))

    def columns(self) -> tuple[NDArray[Any], ...]:
        return self.authority, self.place, self.bit, self.status


@dataclass(frozen=True)
class Versions:
    """What was held, and from when until when: days in Germany, counted from 1 January 2000. A version holds
    at the end of `since`, and no longer at the end of `until`.
    """

    held: Held
    since: NDArray[np.uint16]
    until: NDArray[np.uint16]

    def on(self, day: int) -> Held:
        """What held at the end of the day."""
        return self.held.at(np.flatnonzero((self.since <= day) & (self.until > day)))


@dataclass(frozen=True)
class Authorities:
    """ids: ascending. above: a column for each link of the chain above an authority, as places in `ids`, or
    their number where there is none.
    """

    ids: NDArray[np.int32]
    above: NDArray[np.intp]


@dataclass(frozen=True)
class Record:
    """All versions that an audience may see; limited: those with `gilt_fuer` by scope, at each authority that
    they count for (docs/counting.md).
    """

    authorities: Authorities
    whole: Versions
    limited: dict[Scope, Versions]

    def at_end_of(self, day: dt.date, scope: Scope) -> DayTallies:
        """The tallies of the scope at the end of a day."""
        number = day_number(day)
        held = [self.whole.on(number), self.limited[scope].on(number)]
        return _tallied(held, self.authorities, scope)


@dataclass(frozen=True)
class BitStrings:
    """An array of bit strings in PostgreSQL's binary form."""

    binary: bytes


@dataclass(frozen=True)
class DayTallies:
    """Per authority with entries in the scope the bit strings of a tally; columns: in the order of
    STATUS_COLUMNS.
    """

    authority_ids: list[int]
    columns: list[BitStrings]

    def rows(self, name: str) -> CTE:
        """The columns of a tally that counting reads."""
        arrays = [literal(bits, _BitStringArray()) for bits in self.columns]
        ids = cast(self.authority_ids, ARRAY(Integer))
        valued = func.unnest(ids, *arrays).table_valued("authority_id", *STATUS_COLUMNS, name=f"{name}_given")
        given = valued.render_derived().c
        bits = [cast(given[column], BIT(BUNDLE_BITS)).label(column) for column in STATUS_COLUMNS]
        made = select(cast(given.authority_id, Integer).label("authority_id"), *bits)
        return made.cte(f"{name}_made")


class _BitStringArray(UserDefinedType[BitStrings]):
    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return f"BIT({BUNDLE_BITS})[]"


class _Dumper(psycopg.adapt.Dumper):
    format = Format.BINARY
    oid = _BITS_OID

    def dump(self, obj: BitStrings) -> bytes:
        return obj.binary


# Before any engine is made: each takes a copy of what psycopg knows.
psycopg.adapters.register_dumper(BitStrings, _Dumper)


@dataclass(frozen=True)
class Form:
    """How versions are sent. columns: of an entry, beside its authority; packed: these in PostgreSQL's binary
    form, given the columns of a subquery; fields: as numpy reads them.
    """

    columns: tuple[str, ...]
    packed: Callable[[Any], list[Any]]
    fields: list[tuple[str, str]]

    def read(self, connection: Connection, rows: Any) -> Iterator[NDArray[Any]]:
        """The rows (authority_id, columns, since, until) in blocks of some authorities."""
        v = rows.c
        moments = [func.timestamptz_send(v.since), func.timestamptz_send(v.until)]
        sent: Any = func.int4send(v.authority_id)
        for part in (*self.packed(v), *moments):
            sent = sent.op("||")(part)
        # The divisions of integers: by SQLAlchemy's own operator it would be a fraction.
        block = v.authority_id.op("/")(_BLOCK)
        statement = select(func.string_agg(sent, cast(b"", BYTEA))).group_by(block)
        found = connection.execute(statement.execution_options(stream_results=True, max_row_buffer=1))
        form = np.dtype([("authority", ">i4"), *self.fields, ("since", ">i8"), ("until", ">i8")])
        for (packed,) in found:
            yield np.frombuffer(packed, form)


def read_versions(
    connection: Connection, form: Form, made: Callable[[Iterable[NDArray[Any]]], T]
) -> tuple[T, dict[Scope, T]]:
    """All versions that the connection's role may see, made of blocks of a form: those that hold for their
    authority; and those with `gilt_fuer` by scope, at each authority that they count for (docs/counting.md).
    """
    now, then = Implementation, ImplementationHistory
    never = cast(literal("infinity"), TIMESTAMP(timezone=True))
    tables: list[tuple[Any, Any]] = [(now, never), (then, then.valid_to)]

    def versions(*, limited: bool) -> list[Select[Any]]:
        found = []
        for entry, until in tables:
            said = [entry.authority_id, *(getattr(entry, name) for name in form.columns)]
            said += [entry.valid_from.label("since"), until.label("until")]
            said += [entry.valid_for] if limited else []
            where = entry.valid_for.is_not(None) if limited else entry.valid_for.is_(None)
            found.append(select(*said).where(where))
        return found

    # One table at a time: an index holds what is asked of it, and their union would be kept in memory first.
    whole = made(
        block for rows in versions(limited=False) for block in form.read(connection, rows.subquery("version"))
    )
    some = union_all(*versions(limited=True)).subquery("some")
    reached = restricted_rows(some, (*form.columns, "since", "until")).subquery("version")
    return whole, {
        Scope.OWN: made(form.read(connection, some)),
        Scope.AVAILABLE: made(form.read(connection, reached)),
    }


_FORM = Form(
    ("service_id", "status"),
    lambda v: [func.int4send(v.service_id), func.int2send(v.status)],
    [("service", ">i4"), ("status", ">i2")],
)
_record: Kept[Record] = Kept(1)


def record(connection: Connection) -> Record:
    """What this connection's role may see of all days; kept in this process while the data version stays."""
    return _record.get(connection, _read)


def _read(connection: Connection) -> Record:
    authorities, places = authorities_of(connection), places_of_bundles(connection)

    def made(blocks: Iterable[NDArray[Any]]) -> Versions:
        return _joined([_unpacked(sent, authorities, places) for sent in blocks])

    return Record(authorities, *read_versions(connection, _FORM, made))


def authorities_of(connection: Connection) -> Authorities:
    a = Authority
    links = [func.coalesce(link, -1) for link in (a.association_id, a.district_id, a.state_id)]
    rows = connection.execute(select(a.id, *links, a.ars == FEDERATION).order_by(a.id)).all()
    ids = np.array([row[0] for row in rows], np.int32)
    federation = next((row[0] for row in rows if row[-1]), -1)
    linked = np.array([[*row[1:-1], federation] for row in rows], np.int32).reshape(len(rows), len(links) + 1)
    above = np.searchsorted(ids, linked)
    above[linked < 0] = len(ids)
    return Authorities(ids, above)


def places_of_bundles(connection: Connection) -> NDArray[np.int16]:
    """By the id of a service the place of its bundle in a bit string, -1 without one; the last element stands
    for services that the role does not see.
    """
    bundle = aliased(Service)
    rows = connection.execute(
        select(Service.id, bundle.key)
        .join(bundle, bundle.id == func.coalesce(Service.parent_id, Service.id))
        .where(bundle.kind == int(ServiceKind.BUNDLE))
    ).all()
    last = connection.scalar(select(func.max(Service.id))) or 0
    places = np.full(last + 2, -1, np.int16)
    for service_id, key in rows:
        places[service_id] = int(key) - OZG_ID_FIRST
    return places


def _unpacked(sent: NDArray[Any], authorities: Authorities, bundles: NDArray[np.int16]) -> Versions:
    authority = np.searchsorted(authorities.ids, sent["authority"]).astype(np.int32)
    bundle = bundles[np.minimum(sent["service"], len(bundles) - 1)]
    place = np.where(bundle < 0, -1, authority * _BYTES + (bundle >> 3)).astype(np.int32)
    bit = np.uint8(128) >> (bundle & 7).astype(np.uint8)
    held = Held(authority, place, bit, sent["status"].astype(np.int8))
    return Versions(held, days_of(sent["since"]), days_of(sent["until"]))


def day_number(day: dt.date) -> int:
    """A day as versions name it, and as PostgreSQL sends it: counted from 1 January 2000."""
    return (day - _DAY_0).days


def days_of(moments: NDArray[np.int64]) -> NDArray[np.uint16]:
    """The day in Germany on which each moment lies, the last one for what never ends."""
    return (np.searchsorted(_midnights(), moments, side="right") - 1).clip(0).astype(np.uint16)


@lru_cache
def _midnights() -> NDArray[np.int64]:
    """When the days that a version can name begin."""
    zone, microsecond = ZoneInfo(past.ZONE), dt.timedelta(microseconds=1)
    days = (dt.datetime.combine(_DAY_0 + dt.timedelta(n), dt.time(), zone) for n in range(_MOST_DAYS))
    return np.array([(day - _EPOCH) // microsecond for day in days], np.int64)


def _joined(parts: Sequence[Versions]) -> Versions:
    def column(of: Callable[[Versions], NDArray[Any]], kind: Any) -> NDArray[Any]:
        # With an empty one, so that there is always something to join.
        return np.concatenate([np.empty(0, kind), *map(of, parts)])

    held = Held(
        column(lambda part: part.held.authority, np.int32),
        column(lambda part: part.held.place, np.int32),
        column(lambda part: part.held.bit, np.uint8),
        column(lambda part: part.held.status, np.int8),
    )
    order = np.argsort(held.place, kind="stable")
    since = column(lambda part: part.since, np.uint16)
    until = column(lambda part: part.until, np.uint16)
    return Versions(held.at(order), since[order], until[order])


def _tallied(entries: Sequence[Held], authorities: Authorities, scope: Scope) -> DayTallies:
    # One row more than authorities: the empty one of links that there are not.
    count = len(authorities.ids) + 1
    present = np.zeros(count, np.bool_)
    for held in entries:
        present[held.authority] = True
    columns, so_far = [], np.zeros((count, _BYTES), np.uint8)
    for worst in STATUS_COLUMNS.values():
        # Cumulative, as those of a tally are.
        so_far = so_far.copy()
        for held in entries:
            _set_bits(so_far.reshape(-1), held, worst)
        columns.append(so_far)
    return day_tallies(present, columns, authorities, scope)


def day_tallies(
    present: NDArray[np.bool_], columns: Sequence[NDArray[np.uint8]], authorities: Authorities, scope: Scope
) -> DayTallies:
    """present: who has entries; columns: packed bit strings in the order of STATUS_COLUMNS; each with a row
    for every authority and an empty one for links that there are not.
    """
    if scope is Scope.AVAILABLE:
        present = _along(present, authorities)
        columns = [_along(column, authorities) for column in columns]
    shown = np.flatnonzero(present)
    return DayTallies(authorities.ids[shown].tolist(), [_binary(column[shown]) for column in columns])


def _set_bits(flat: NDArray[np.uint8], held: Held, status: Status) -> None:
    """Set the bits of the entries with this status."""
    chosen = np.flatnonzero((held.status == int(status)) & (held.place >= 0))
    if chosen.size:
        place = held.place[chosen]
        first = np.flatnonzero(np.diff(place, prepend=-1))
        flat[place[first]] |= np.bitwise_or.reduceat(held.bit[chosen], first)


def _along(rows: NDArray[Any], authorities: Authorities) -> NDArray[Any]:
    """OR over the chain of each authority; rows of authorities, the last one empty."""
    together = rows.copy()
    for above in authorities.above.T:
        together[:-1] |= rows[above]
    return together


def _binary(packed: NDArray[np.uint8]) -> BitStrings:
    """One bit string for each row."""
    element = np.dtype([("size", ">i4"), ("bits", ">i4"), ("packed", np.uint8, packed.shape[1])])
    elements = np.empty(len(packed), element)
    elements["size"], elements["bits"] = element.itemsize - 4, BUNDLE_BITS
    elements["packed"] = packed
    # Dimensions, no nulls, type of the elements, their number, the first index.
    head = np.array([1, 0, _BIT_OID, len(packed), 1], ">i4")
    return BitStrings(head.tobytes() + elements.tobytes())
