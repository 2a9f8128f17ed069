"""What others have online and an authority lacks, and the other way round: from tallies, without entries."""

from __future__ import annotations

import datetime as dt
import enum
import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Connection, Integer, Row, SmallInteger, any_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import BUNDLE_BITS, OZG_ID_FIRST, SUBJECT_AREAS, Audience, Scope, ServiceKind, Status
from mapservice.layers import past_nearby
from mapservice.layers.counting import current_release
from mapservice.layers.prepared import Prepared
from mapservice.layers.surroundings import Near
from mapservice.models import Authority, Boundary, Service, Tally

MOST_SIMILAR = 50
_NAMED = 3
_SUBJECT_IDS = {slug: number for number, (slug, _) in enumerate(SUBJECT_AREAS, 1)}


class Direction(enum.StrEnum):
    """MISSING: what others have and one's own lacks; HELP: what one's own has and others lack."""

    MISSING = "missing"
    HELP = "help"


@dataclass(frozen=True)
class Gap:
    """One bundle. mine: one's own status. number: of the others that have it online (HELP: that lack it), of
    so many that have data and are responsible. who: the first of them in the order by place, the nearest.
    """

    key: str
    name: str
    subject: str | None
    mine: Status
    number: int
    of: int
    who: tuple[Near, ...]
    nearest: int
    """Position of the first of them in that order."""


@dataclass(frozen=True)
class Gaps:
    """has_data: whether one's own authority has any; others: those compared with, all with data."""

    has_data: bool
    others: tuple[Near, ...]
    found: tuple[Gap, ...]


def similar(connection: Connection, authority_id: int) -> tuple[int | None, list[int]]:
    """One's own population, and the ids of the 50 authorities of exactly the same kinds that are nearest in
    population; equal ones by key. Nobody where one's own is unknown.
    """
    known = func.coalesce(Authority.population, func.max(Boundary.population)).label("population")
    inhabitants = (
        select(Authority.id, Authority.ars, Authority.kinds, known)
        .join(Boundary, Boundary.authority_id == Authority.id)
        .where(Boundary.release_id == current_release())
        .group_by(Authority.id)
    )
    me = connection.execute(inhabitants.where(Authority.id == authority_id)).one_or_none()
    if me is None or me.population is None:
        return None, []
    other = inhabitants.where(Authority.kinds == me.kinds, Authority.id != authority_id).subquery("other")
    ids = connection.scalars(
        select(other.c.id)
        .where(other.c.population.is_not(None))
        .order_by(func.abs(other.c.population - me.population), other.c.ars)
        .limit(MOST_SIMILAR)
    )
    return int(me.population), list(ids)


def gaps(
    connection: Connection,
    own: Row[Any],
    others: Sequence[Near],
    audience: Audience,
    direction: Direction,
    subjects: Collection[str] = (),
    statuses: Collection[Status] = (Status.OPEN, Status.IN_PROGRESS, Status.PLANNED),
    day: dt.date | None = None,
) -> Gaps:
    """By how many, then by how near, then by name. others: in the order by place. day: a past one.

    Only bundles of the catalogue for which one's own kinds are responsible, and that it does not report as
    not its business. statuses: one's own ones that are looked at, for MISSING.
    """
    ids = [own.id, *(near.authority_id for near in others)]
    if day is None:
        rows = _tallies().rows(connection, ids=ids, audience=int(audience))
    else:
        rows = past_nearby.tallies(connection, ids, day)
    tallies = {row.authority_id: row for row in rows}
    mine = tallies.get(own.id)
    known = tuple(near for near in others if near.authority_id in tallies)
    columns = _Columns(known, [tallies[near.authority_id] for near in known])
    found = []
    for bundle in _bundles(connection, own.kinds, subjects):
        status = _status(mine, int(bundle.key) - OZG_ID_FIRST)
        wanted = status in statuses if direction is Direction.MISSING else status is Status.ONLINE
        if not wanted:
            continue
        gap = columns.gap(bundle, status, direction)
        if gap.number:
            found.append(gap)
    found.sort(key=lambda gap: (-gap.number, gap.nearest, gap.name, gap.key))
    return Gaps(mine is not None, known, tuple(found))


def _bundles(connection: Connection, kinds: int, subjects: Collection[str]) -> Sequence[Row[Any]]:
    # Without any chosen, those without a subject area are among them too.
    numbers = [_SUBJECT_IDS[slug] for slug in subjects]
    return _services().rows(connection, kinds=kinds, subjects=numbers, every=not numbers)


@functools.cache
def _services() -> Prepared:
    """Parameters: kinds, subjects (ids), every (whether those of all subjects)."""
    return Prepared(
        select(Service.key, Service.name, Service.responsible, Service.subject_area_id).where(
            Service.kind == int(ServiceKind.BUNDLE),
            ~Service.retired,
            Service.responsible.op("&")(bindparam("kinds", type_=SmallInteger)) != 0,
            or_(
                bindparam("every", type_=Boolean),
                Service.subject_area_id == any_(bindparam("subjects", type_=ARRAY(Integer))),
            ),
        )
    )


@functools.cache
def _tallies() -> Prepared:
    """Parameters: ids, audience."""
    return Prepared(
        select(
            Tally.authority_id,
            Tally.online,
            Tally.in_progress,
            Tally.planned,
            Tally.reported.op("&")(func.bitnot(Tally.open)).label("refused"),
        ).where(
            Tally.audience == bindparam("audience", type_=SmallInteger),
            Tally.scope == int(Scope.OWN),
            Tally.authority_id == any_(bindparam("ids", type_=ARRAY(Integer))),
        )
    )


def _status(tally: Row[Any] | None, position: int) -> Status:
    if tally is None:
        return Status.OPEN
    for bits, status in (
        (tally.online, Status.ONLINE),
        (tally.in_progress, Status.IN_PROGRESS),
        (tally.planned, Status.PLANNED),
        (tally.refused, Status.NOT_RESPONSIBLE),
    ):
        if bits[position] == "1":
            return status
    return Status.OPEN


class _Columns:
    """The bit strings of many authorities turned: one number per bundle, whose bits are these in order."""

    def __init__(self, others: Sequence[Near], tallies: Sequence[Row[Any]]) -> None:
        self.others = others
        self.online = "".join(row.online for row in tallies)
        self.refused = "".join(row.refused for row in tallies)
        self._responsible: dict[int, int] = {}

    def gap(self, bundle: Row[Any], mine: Status, direction: Direction) -> Gap:
        position = int(bundle.key) - OZG_ID_FIRST
        # docs/counting.md, 4 and 7: who is not responsible, or says so, is not in the denominator.
        asked = self._kinds(bundle.responsible) & ~self._column(self.refused, position)
        online = self._column(self.online, position) & asked
        chosen = online if direction is Direction.MISSING else asked & ~online
        first = self._first(chosen)
        subject = SUBJECT_AREAS[bundle.subject_area_id - 1][1] if bundle.subject_area_id else None
        return Gap(
            bundle.key,
            bundle.name,
            subject,
            mine,
            chosen.bit_count(),
            asked.bit_count(),
            tuple(self.others[at] for at in first),
            first[0] if first else len(self.others),
        )

    def _column(self, bits: str, position: int) -> int:
        return int(bits[position::BUNDLE_BITS] or "0", 2)

    def _kinds(self, responsible: int) -> int:
        if responsible not in self._responsible:
            bits = "".join("1" if near.kinds & responsible else "0" for near in self.others)
            self._responsible[responsible] = int(bits or "0", 2)
        return self._responsible[responsible]

    def _first(self, chosen: int) -> list[int]:
        """Positions of the first bits that are set, in the order of the authorities."""
        text = f"{chosen:0{len(self.others)}b}"
        found: list[int] = []
        at = -1
        while len(found) < _NAMED and (at := text.find("1", at + 1)) >= 0:
            found.append(at)
        return found
