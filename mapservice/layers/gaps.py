"""What others have online and an authority lacks, and the other way round: from tallies, without entries."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from mapservice.domain import BUNDLE_BITS, OZG_ID_FIRST, SUBJECT_AREAS, Status
from mapservice.layers.catalogue import Catalogue
from mapservice.layers.counting import current_release
from mapservice.layers.surroundings import Near
from mapservice.layers.tallied import ONLINE, REFUSED, Tallied
from mapservice.models import Authority, Boundary

MOST_SIMILAR = 50
_NAMED = 3


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
    services: Catalogue,
    tallied: Tallied,
    own: Row[Any],
    others: Sequence[Near],
    direction: Direction,
    subjects: Collection[str] = (),
    statuses: Collection[Status] = (Status.OPEN, Status.IN_PROGRESS, Status.PLANNED),
) -> Gaps:
    """By how many, then by how near, then by name. tallied: of one's own authority and of the others; others:
    in the order by place.

    Only bundles of the catalogue for which one's own kinds are responsible, and that it does not report as
    not its business. statuses: one's own ones that are looked at, for MISSING.
    """
    with_data = set(tallied.ids.tolist())
    known = tuple(near for near in others if near.authority_id in with_data)
    columns = _Columns(known, tallied)
    mine = _statuses(tallied, own.id)
    found = []
    for bundle in services.bundles(subjects):
        if not bundle.responsible & own.kinds:
            continue
        status = mine[int(bundle.key) - OZG_ID_FIRST]
        wanted = status in statuses if direction is Direction.MISSING else status is Status.ONLINE
        if not wanted:
            continue
        gap = columns.gap(bundle, status, direction)
        if gap.number:
            found.append(gap)
    found.sort(key=lambda gap: (-gap.number, gap.nearest, gap.name, gap.key))
    return Gaps(own.id in with_data, known, tuple(found))


def _statuses(tallied: Tallied, authority_id: int) -> list[Status]:
    """That of each bundle, by its place among the bits."""
    mine = tallied.of([authority_id])
    if not mine.ids.size:
        return [Status.OPEN] * BUNDLE_BITS
    first = (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED, Status.NOT_RESPONSIBLE)
    bits = np.unpackbits(mine.bits[0], axis=1).astype(bool)
    return [Status(status) for status in np.select(list(bits), first, Status.OPEN).tolist()]


class _Columns:
    """The bit strings of many authorities turned: one number per bundle, whose bits are these in order."""

    def __init__(self, others: Sequence[Near], tallied: Tallied) -> None:
        self.others = others
        ids = [near.authority_id for near in others]
        self.online, self.refused = tallied.by_bundle(ONLINE, ids), tallied.by_bundle(REFUSED, ids)
        self._responsible: dict[int, int] = {}

    def gap(self, bundle: Row[Any], mine: Status, direction: Direction) -> Gap:
        position = int(bundle.key) - OZG_ID_FIRST
        # docs/counting.md, 4 and 7: who is not responsible, or says so, is not in the denominator.
        asked = self._kinds(bundle.responsible) & ~self.refused[position]
        online = self.online[position] & asked
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
