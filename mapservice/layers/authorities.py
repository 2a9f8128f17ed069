"""One area and its authority: who it is, its chain, what it and those above it offer, its neighbours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Row, and_, any_, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import ARS_LENGTH, FEDERATION, Audience, Level, Scope
from mapservice.layers.counting import counted_areas, current_release
from mapservice.layers.past import entries_on
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import (
    Authority,
    Boundary,
    BoundaryNeighbour,
    LifeSituation,
    Service,
    Solution,
    SubjectArea,
)

EVERYTHING = Selection(None, (), (), 0, (), ())
"""All bundles, no region."""


def find_area(connection: Connection, key: str, level: Level | None = None) -> Row[Any] | None:
    """The boundary of the current release with this key (2, 5, 9 or 12 digits), the highest level first.

    Columns: boundary_id, key, ars, level, name, designation, population, authority_id, lon, lat, west,
    south, east, north. The 12-digit key of an authority finds its boundary even where that has another key.
    """
    area = (
        select(
            Boundary.id.label("boundary_id"),
            Boundary.key,
            Boundary.ars,
            Boundary.level,
            Boundary.name,
            Boundary.designation,
            func.coalesce(Authority.population, Boundary.population).label("population"),
            Boundary.authority_id,
            func.ST_X(Boundary.label_point).label("lon"),
            func.ST_Y(Boundary.label_point).label("lat"),
            Boundary.west,
            Boundary.south,
            Boundary.east,
            Boundary.north,
        )
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .where(Boundary.release_id == current_release())
        .order_by(Boundary.level)
        .limit(1)
    )
    if level is not None:
        area = area.where(Boundary.level == int(level))
    if len(key) == ARS_LENGTH:
        area = area.where(or_(Boundary.ars == key, Authority.ars == key))
    else:
        area = area.where(Boundary.key == key)
    return connection.execute(area).one_or_none()


def levels_of(connection: Connection, authority_id: int) -> list[Level]:
    """The levels at which the authority has an area."""
    found = connection.scalars(
        select(Boundary.level)
        .where(Boundary.release_id == current_release(), Boundary.authority_id == authority_id)
        .order_by(Boundary.level)
    )
    return [Level(level) for level in found]


def chain(connection: Connection, authority_id: int) -> Sequence[Row[Any]]:
    """The authority and those above it, nearest first: id, ars, name, designation, kinds, website,
    service_portal, public_contact, population, postcode.
    """
    start = aliased(Authority)
    rank = case(
        (Authority.id == start.id, 0),
        (Authority.id == start.association_id, 1),
        (Authority.id == start.district_id, 2),
        (Authority.id == start.state_id, 3),
        else_=4,
    )
    return connection.execute(
        select(
            Authority.id,
            Authority.ars,
            Authority.name,
            Authority.designation,
            Authority.kinds,
            Authority.website,
            Authority.service_portal,
            Authority.public_contact,
            Authority.population,
            Authority.postcode,
            Authority.is_current,
        )
        .join_from(
            start,
            Authority,
            or_(
                Authority.id.in_((start.id, start.association_id, start.district_id, start.state_id)),
                Authority.ars == FEDERATION,
            ),
        )
        .where(start.id == authority_id)
        .order_by(rank)
    ).all()


def counts_by_subject(
    connection: Connection,
    boundary_id: int,
    level: Level,
    scope: Scope,
    audience: Audience,
    stand: dt.date | None = None,
) -> Sequence[Row[Any]]:
    """Per subject area: slug, name, online, in_progress, planned, of, reason. stand: as in Query."""
    query = Query(level=level, scope=scope, stand=stand)
    counted = counted_areas(query, EVERYTHING, audience, boundary_id=boundary_id, by_subject=True)
    return connection.execute(
        select(SubjectArea.slug, SubjectArea.name, *counted.c)
        .join_from(counted, SubjectArea, SubjectArea.id == counted.c.subject_area_id)
        .order_by(SubjectArea.id)
    ).all()


def totals(
    connection: Connection,
    boundary_id: int,
    level: Level,
    scope: Scope,
    audience: Audience,
    stand: dt.date | None = None,
) -> Row[Any] | None:
    """Over all bundles: online, in_progress, planned, of, reason. stand: as in Query."""
    query = Query(level=level, scope=scope, stand=stand)
    counted = counted_areas(query, EVERYTHING, audience, boundary_id=boundary_id)
    return connection.execute(select(counted)).one_or_none()


def offers(
    connection: Connection, chain_ids: Sequence[int], stand: dt.date | None = None
) -> Sequence[Row[Any]]:
    """Visible implementations that hold for the area of an authority, by subject area, best status first.

    chain_ids: the authority's id, then those above it. An entry with `gilt_fuer` holds where the list names
    an authority of the chain; the area's own entries are always listed. Columns: those that the public may
    read, with the names of service, bundle, subject area, situation, solution and offering authority.
    """
    entry = entries_on(stand)
    ids = cast(list(chain_ids), ARRAY(Integer))
    bundle = aliased(Service)
    holds = or_(
        entry.valid_for.is_(None),
        entry.authority_id == chain_ids[0],
        entry.valid_for.overlap(ids),
    )
    return connection.execute(
        select(
            entry.id,
            entry.authority_id,
            Authority.ars.label("offered_by"),
            Authority.name.label("offered_by_name"),
            Service.key.label("service"),
            Service.name.label("service_name"),
            Service.kind.label("service_kind"),
            bundle.key.label("bundle"),
            bundle.name.label("bundle_name"),
            SubjectArea.slug.label("subject"),
            SubjectArea.name.label("subject_name"),
            LifeSituation.id.label("situation"),
            LifeSituation.name.label("situation_name"),
            entry.status,
            entry.url,
            entry.solution_kind,
            Solution.name.label("solution"),
            entry.maturity_model,
            entry.maturity,
            entry.reusable,
            entry.reuse_note,
            entry.public_contact,
            entry.online_since,
            entry.planned_until,
            entry.as_of,
            entry.source,
            entry.identifier,
            entry.demonstration,
        )
        .join_from(entry, Service, Service.id == entry.service_id)
        .join(Authority, Authority.id == entry.authority_id)
        .join(bundle, bundle.id == Service.parent_id, isouter=True)
        .join(
            SubjectArea,
            SubjectArea.id == func.coalesce(Service.subject_area_id, bundle.subject_area_id),
            isouter=True,
        )
        .join(
            LifeSituation,
            LifeSituation.id == func.coalesce(Service.life_situation_id, bundle.life_situation_id),
            isouter=True,
        )
        .join(Solution, Solution.id == entry.solution_id, isouter=True)
        .where(and_(entry.authority_id == any_(ids), holds))
        .order_by(
            SubjectArea.id.nulls_last(),
            entry.status,
            Service.name,
            Service.key,
            entry.identifier,
        )
    ).all()


def neighbours(connection: Connection, boundary_id: int) -> Sequence[Row[Any]]:
    """Areas of the same level that share a border line, longest first: key, ars, authority, name,
    designation, shared_m (metres).
    """
    return connection.execute(
        select(
            Boundary.key,
            Boundary.ars,
            Authority.ars.label("authority"),
            Boundary.name,
            Boundary.designation,
            BoundaryNeighbour.shared_m,
        )
        .join_from(BoundaryNeighbour, Boundary, Boundary.id == BoundaryNeighbour.neighbour_id)
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .where(BoundaryNeighbour.boundary_id == boundary_id)
        .order_by(BoundaryNeighbour.shared_m.desc(), Boundary.key)
    ).all()
