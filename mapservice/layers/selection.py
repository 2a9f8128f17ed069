"""From the keys in a query to rows of the catalogue and to regions; unknown keys are a NotFoundError."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, func, select

from mapservice.domain import ARS_LENGTH, SUBJECT_AREAS, Level, ServiceKind
from mapservice.errors import N_, NotFoundError
from mapservice.layers import past
from mapservice.layers.query import Query
from mapservice.layers.record import DayTallies
from mapservice.models import Boundary, BoundaryRelease, LifeSituation, Service

_SUBJECT_IDS = {slug: number for number, (slug, _) in enumerate(SUBJECT_AREAS, 1)}


@dataclass(frozen=True)
class Region:
    """The areas whose padded key lies between two keys, both included."""

    key: str
    first: str
    last: str


@dataclass(frozen=True)
class Selection:
    """The services of a query.

    bundle_ids: the bundles of S, None for all. service_ids: the chosen services if not all of them are
    bundles; then bundle_ids is None, and counting goes over the entries of member_ids: the chosen services
    and the LeiKa children of chosen bundles. size: number of services in S. day: the tallies of a past
    day, where all areas of a level are counted; without them counting makes them of the entries.
    """

    bundle_ids: tuple[int, ...] | None
    service_ids: tuple[int, ...]
    member_ids: tuple[int, ...]
    size: int
    names: tuple[str, ...]
    regions: tuple[Region, ...]
    day: DayTallies | None = field(default=None, compare=False)


def resolve(connection: Connection, query: Query) -> Selection:
    """Look up services, situations and regions; raises NotFoundError that names the unknown key, or the first
    day of which there are entries where the query asks for one before.
    """
    check_day(connection, query.stand)
    regions = tuple(_region(connection, key) for key in query.within)
    if query.services:
        return _chosen_services(connection, query.services, regions)
    condition = and_(Service.kind == int(ServiceKind.BUNDLE), ~Service.retired)
    names: tuple[str, ...] = ()
    if query.situations:
        rows = connection.execute(
            select(LifeSituation.id, LifeSituation.name).where(LifeSituation.id.in_(query.situations))
        ).all()
        missing = N_("Lage %(key)s ist im Katalog nicht vorhanden.")
        _all_known(missing, "situation", query.situations, [row.id for row in rows])
        names = tuple(row.name for row in rows)
    if query.subjects or query.situations:
        subject_ids = [_SUBJECT_IDS[slug] for slug in query.subjects]
        chosen = Service.subject_area_id.in_(subject_ids) | Service.life_situation_id.in_(query.situations)
        ids = tuple(connection.scalars(select(Service.id).where(condition, chosen).order_by(Service.id)))
        subject_names = tuple(SUBJECT_AREAS[number - 1][1] for number in subject_ids)
        return Selection(ids, (), (), len(ids), subject_names + names, regions)
    size = connection.scalar(select(func.count()).select_from(Service).where(condition)) or 0
    return Selection(None, (), (), size, (), regions)


def check_day(connection: Connection, stand: dt.date | None) -> None:
    """Raises NotFoundError that names the first day for one before: then every area would be without data,
    which says nothing. Where there never was an entry, that is just what there is to say.
    """
    first = None if stand is None else past.first_day(connection)
    if stand is not None and first is not None and stand < first:
        raise NotFoundError(
            N_("Für den %(day)s gibt es noch keine Angaben. Die ersten sind vom %(first)s."),
            words={"day": stand, "first": first, "key": stand.isoformat()},
            parameter="stand",
            allowed=[first.isoformat()],
        )


def _chosen_services(connection: Connection, keys: Sequence[str], regions: tuple[Region, ...]) -> Selection:
    rows = connection.execute(
        select(Service.id, Service.key, Service.kind, Service.name)
        .where(Service.key.in_(keys))
        .order_by(Service.key)
    ).all()
    missing = N_("Leistung %(key)s ist im Katalog nicht vorhanden.")
    _all_known(missing, "service", keys, [row.key for row in rows])
    ids = tuple(row.id for row in rows)
    names = tuple(row.name for row in rows)
    if all(row.kind == ServiceKind.BUNDLE for row in rows):
        return Selection(ids, (), (), len(ids), names, regions)
    children = connection.scalars(select(Service.id).where(Service.parent_id.in_(ids)))
    return Selection(None, ids, tuple(sorted({*ids, *children})), len(ids), names, regions)


def _all_known(pattern: str, parameter: str, wanted: Sequence[object], found: Sequence[object]) -> None:
    for key in wanted:
        if key not in found:
            raise NotFoundError(pattern, words={"key": key}, parameter=parameter)


def _region(connection: Connection, key: str) -> Region:
    """A key of 2, 3, 5, 9 digits is a prefix; one of 12 is looked up and means its (highest) area.

    That of a municipality is its association's, if it is the only one in there: both are the same land.
    """
    current = select(BoundaryRelease.id).where(BoundaryRelease.is_current).scalar_subquery()
    prefix = key
    if len(key) == ARS_LENGTH:
        found = connection.scalar(
            select(Boundary.key)
            .where(Boundary.release_id == current, Boundary.ars == key)
            .order_by(Boundary.level)
            .limit(1)
        )
        prefix = found or key
        if found == key:
            members = select(func.count()).where(
                Boundary.release_id == current,
                Boundary.level == int(Level.MUNICIPALITY),
                Boundary.ars.between(key[:9] + "000", key[:9] + "999"),
            )
            prefix = key[:9] if connection.scalar(members) == 1 else key
    region = Region(key, prefix.ljust(ARS_LENGTH, "0"), prefix.ljust(ARS_LENGTH, "9"))
    known = connection.scalar(
        select(Boundary.id)
        .where(Boundary.release_id == current, Boundary.ars.between(region.first, region.last))
        .limit(1)
    )
    if known is None:
        raise NotFoundError(
            N_("Das Gebiet %(key)s gibt es im aktuellen Gebietsstand nicht."),
            words={"key": key},
            parameter="within",
        )
    return region
