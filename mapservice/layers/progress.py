"""How far authorities have come over time, by the versions of their entries (docs/counting.md, Progress)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Row,
    Select,
    Subquery,
    any_,
    cast,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import aliased

from mapservice.domain import ServiceKind, Status
from mapservice.layers.counting import bits_set, current_release
from mapservice.layers.past import end_of
from mapservice.models import Authority, Boundary, Implementation, ImplementationHistory, Service, SubjectArea
from mapservice.tallies import no_bundles

SHOWN = (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED)
MOST_DAYS = 61
COMPARED = 30
"""Comparable authorities at most, those nearest in size."""
_SIMILAR = 2
"""Similar in size: at least half, at most twice the inhabitants."""
_COLUMNS = {
    "online": Status.ONLINE,
    "in_progress": Status.IN_PROGRESS,
    "planned": Status.PLANNED,
    "open": Status.OPEN,
    "reported": Status.NOT_RESPONSIBLE,
}


@dataclass(frozen=True)
class Numbers:
    """Sums over authorities on one day. reporting: how many have data and are responsible for something; of:
    services for which they are, each authority's for itself.
    """

    day: dt.date
    reporting: int
    online: int
    in_progress: int
    planned: int
    of: int


@dataclass(frozen=True)
class ServiceNumbers:
    """How many authorities have a service on one day, by the best status of each."""

    day: dt.date
    online: int
    in_progress: int
    planned: int


@dataclass(frozen=True)
class SubjectNumbers:
    """The same of one subject area on a day before and on the last one."""

    slug: str
    name: str
    before: Numbers
    now: Numbers


def days_between(first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
    """The first day, the ends of the months between (of weeks, Sundays, within two months), and the last one;
    of more than MOST_DAYS the latest.
    """
    found = {first, last}
    day = first
    while day < last:
        following = day + dt.timedelta(days=1)
        if following.month != day.month or ((last - first).days <= 62 and day.isoweekday() == 7):
            found.add(day)
        day = following
    return tuple(sorted(found))[-MOST_DAYS:]


def over_time(
    connection: Connection, authority_ids: Collection[int], days: Sequence[dt.date]
) -> list[Numbers]:
    """The numbers at the end of each of these days, which ascend; own entries over all bundles."""
    counted = _counted(_bits(authority_ids, days), _masks(authority_ids, by_subject=False))
    found = {row.day: row for row in connection.execute(_summed(counted, []))}
    return [_numbers(day, found.get(number)) for number, day in enumerate(days, 1)]


def of_services(
    connection: Connection, service_ids: Collection[int], days: Sequence[dt.date]
) -> list[ServiceNumbers]:
    """Authorities with an entry of these services at the end of each of these days, which ascend: each once,
    with its best status.
    """
    ids = cast(sorted(service_ids), ARRAY(Integer))
    v = _versions(days, lambda entry: entry.service_id == any_(ids)).c
    day = func.generate_series(v.first, v.last).table_valued("day").render_derived(name="held")
    best = (
        select(v.authority_id, day.c.day, func.min(v.status).label("status"))
        .join(day, true())
        .where(v.status <= int(Status.PLANNED), v.first <= v.last)
        .group_by(v.authority_id, day.c.day)
        .subquery("best")
    )
    rows = connection.execute(
        select(best.c.day, best.c.status, func.count()).group_by(best.c.day, best.c.status)
    )
    found = {(number, status): count for number, status, count in rows}
    return [
        ServiceNumbers(day_, *(found.get((number, int(status)), 0) for status in SHOWN))
        for number, day_ in enumerate(days, 1)
    ]


def by_subject(
    connection: Connection, authority_ids: Collection[int], before: dt.date, now: dt.date
) -> list[SubjectNumbers]:
    """The numbers of two days by subject area; those for which nobody is responsible are left out."""
    days = (before, now) if before < now else (now,)
    counted = _counted(_bits(authority_ids, days), _masks(authority_ids, by_subject=True))
    subject = counted.c.subject_area_id
    rows = connection.execute(_summed(counted, [subject.label("subject_id")]))
    found = {(row.subject_id, row.day): row for row in rows}
    areas = connection.execute(
        select(SubjectArea.id, SubjectArea.slug, SubjectArea.name).order_by(SubjectArea.id)
    )
    made = [
        SubjectNumbers(
            area.slug,
            area.name,
            _numbers(before, found.get((area.id, 1))),
            _numbers(now, found.get((area.id, len(days)))),
        )
        for area in areas
    ]
    return [item for item in made if item.now.of or item.before.of]


def comparable(connection: Connection, authority: Any) -> list[int]:
    """Ids of authorities of the same kind and of similar size, at most COMPARED, the nearest in size first.
    Without a number of inhabitants: those of the same kind in the same state. authority: id, kinds, state_id.
    """
    area = aliased(Boundary)
    known = (
        select(func.max(area.population))
        .where(area.release_id == current_release(), area.authority_id == Authority.id)
        .correlate(Authority)
        .scalar_subquery()
    )
    population: ColumnElement[Any] = func.coalesce(Authority.population, known)
    own = connection.scalar(select(population).where(Authority.id == authority.id))
    others = select(Authority.id).where(
        Authority.kinds == authority.kinds, Authority.id != authority.id, Authority.is_current
    )
    if not own:
        others = others.where(Authority.state_id == authority.state_id).order_by(Authority.ars)
    else:
        others = others.where(population >= own / _SIMILAR, population <= own * _SIMILAR).order_by(
            func.abs(func.ln(population) - func.ln(literal(own))), Authority.ars
        )
    return list(connection.scalars(others.limit(COMPARED)))


def _numbers(day: dt.date, row: Row[Any] | None) -> Numbers:
    if row is None:
        return Numbers(day, 0, 0, 0, 0, 0)
    return Numbers(day, row.reporting, int(row.online), int(row.in_progress), int(row.planned), int(row.of))


def _bits(authority_ids: Collection[int], days: Sequence[dt.date]) -> CTE:
    """Per authority and number of the day (from 1): the columns of a tally."""
    ids = cast(sorted(authority_ids), ARRAY(Integer))
    bundle = aliased(Service)
    members = (
        select(Service.id, bundle.bit)
        .join(bundle, bundle.id == func.coalesce(Service.parent_id, Service.id))
        .where(bundle.kind == int(ServiceKind.BUNDLE))
        .cte("members")
        .prefix_with("MATERIALIZED")
    )
    version = _versions(days, lambda entry: entry.authority_id == any_(ids))
    v = version.c
    # Versions of one import share their days: few are left to be laid over the days.
    together = (
        select(v.authority_id, v.status, v.first, v.last, func.bit_or(members.c.bit).label("bits"))
        .join_from(version, members, members.c.id == v.service_id, isouter=True)
        .where(v.first <= v.last)
        .group_by(v.authority_id, v.status, v.first, v.last)
        .cte("together")
        .prefix_with("MATERIALIZED")
    )
    t = together.c
    day = func.generate_series(t.first, t.last).table_valued("day").render_derived(name="held")
    columns = [
        func.coalesce(func.bit_or(t.bits).filter(t.status <= int(worst)), no_bundles()).label(name)
        for name, worst in _COLUMNS.items()
    ]
    return (
        select(t.authority_id, day.c.day, *columns)
        .select_from(together.join(day, true()))
        .group_by(t.authority_id, day.c.day)
        .cte("on_day")
    )


def _versions(days: Sequence[dt.date], among: Callable[[Any], ColumnElement[bool]]) -> Subquery:
    """authority_id, service_id, status of the versions of some entries, with the numbers (from 1) of the
    first and the last of these days that they held at the end of.
    """
    ends = select(
        cast(array([end_of(day) for day in days]), ARRAY(DateTime(timezone=True)))
    ).scalar_subquery()
    now, then = Implementation, ImplementationHistory
    # A version holds from the first day whose end lies behind its beginning to the last one whose end it saw.
    return union_all(
        select(
            now.authority_id,
            now.service_id,
            now.status,
            (func.width_bucket(now.valid_from, ends) + 1).label("first"),
            literal(len(days)).label("last"),
        ).where(among(now)),
        select(
            then.authority_id,
            then.service_id,
            then.status,
            (func.width_bucket(then.valid_from, ends) + 1).label("first"),
            func.width_bucket(then.valid_to, ends).label("last"),
        ).where(among(then)),
    ).subquery("version")


def _masks(authority_ids: Collection[int], *, by_subject: bool) -> Subquery:
    """Per authority the bundles for which its kind is responsible (rule 4)."""
    group = [Service.subject_area_id] if by_subject else []
    of_kinds = (
        select(Authority.kinds, *group, func.bit_or(Service.bit).label("mask"))
        .join(Service, Service.responsible.op("&")(Authority.kinds) != 0)
        .where(
            Service.kind == int(ServiceKind.BUNDLE),
            ~Service.retired,
            Authority.id == any_(cast(sorted(authority_ids), ARRAY(Integer))),
        )
        .group_by(Authority.kinds, *group)
        .subquery("of_kinds")
    )
    return (
        select(
            Authority.id.label("authority_id"),
            of_kinds.c.mask,
            *([of_kinds.c.subject_area_id] if by_subject else []),
        )
        .join(of_kinds, of_kinds.c.kinds == Authority.kinds)
        .where(Authority.id == any_(cast(sorted(authority_ids), ARRAY(Integer))))
        .subquery("masks")
    )


def _counted(on_day: CTE, masks: Subquery) -> CTE:
    d, mask = on_day.c, masks.c.mask
    subject = [masks.c.subject_area_id] if "subject_area_id" in masks.c else []

    def number(bits: ColumnElement[Any]) -> ColumnElement[int]:
        return bits_set(bits.op("&")(mask))

    without = d.reported.op("&")(func.bitnot(d.open))
    return (
        select(
            d.authority_id,
            d.day,
            *subject,
            number(d.online).label("online"),
            number(d.in_progress.op("&")(func.bitnot(d.online))).label("in_progress"),
            number(d.planned.op("&")(func.bitnot(d.in_progress))).label("planned"),
            (bits_set(mask) - number(without)).label("of"),
        )
        .join_from(on_day, masks, masks.c.authority_id == d.authority_id)
        .cte("counted")
    )


def _summed(counted: CTE, groups: list[Any]) -> Select[Any]:
    c = counted.c
    return (
        select(
            c.day,
            *groups,
            func.count().label("reporting"),
            *(func.sum(c[name]).label(name) for name in ("online", "in_progress", "planned", "of")),
        )
        .where(c.of > 0)
        .group_by(c.day, *groups)
    )
