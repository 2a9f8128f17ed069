"""The counting rules as SQL (docs/counting.md): how many services by status an area has, or why none.

Everything is computed from tallies, bit strings over services, so that a status along a chain of
authorities is a bitwise OR and a number is a bit count. Where LeiKa services or services of one's own are
chosen, not every entry counts as an offer, or a past day is asked for, bit strings of the same shape are made
at request time from the entries themselves (offers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    Subquery,
    any_,
    case,
    cast,
    distinct,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT, array

from mapservice.domain import BUNDLE_BITS, FEDERATION, Audience, Level, Reason, Scope, ServiceKind, Status
from mapservice.layers.offers import of_bundles, of_services
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Authority, Boundary, BoundaryRelease, Service, Tally
from mapservice.tallies import STATUS_COLUMNS, no_bundles

Bits = ColumnElement[Any]
_BIT = BIT(BUNDLE_BITS)
_ABOUT_AUTHORITIES: tuple[Any, ...] = (
    Authority.kinds,
    Authority.chain_kinds,
    func.coalesce(Authority.association_id, 0).label("association_id"),
    func.coalesce(Authority.district_id, 0).label("district_id"),
    func.coalesce(Authority.state_id, 0).label("state_id"),
)


def current_release() -> ColumnElement[int]:
    """The id of the current boundary release, as a scalar subquery."""
    return select(BoundaryRelease.id).where(BoundaryRelease.is_current).scalar_subquery()


def inside(selection: Selection) -> ColumnElement[bool]:
    """Whether a boundary lies in one of the regions of the query."""
    if not selection.regions:
        return true()
    return or_(*(Boundary.ars.between(region.first, region.last) for region in selection.regions))


def counted_areas(
    query: Query,
    selection: Selection,
    audience: Audience,
    *,
    level: Level | None = None,
    boundary_id: int | None = None,
    touching: Select[Any] | None = None,
    by_subject: bool = False,
    name: str = "area",
) -> CTE:
    """One row per boundary of the current release at the level.

    Columns: boundary_id, ordinal, inside, authority_id, online, in_progress, planned (numbers of services
    of S by status), n (by the wanted statuses), of (services of S that are not not_responsible), status (best
    status as a number, for a single service), reason (domain.Reason, null where there is a value).
    level: another than the query's. boundary_id: that area alone. touching: ids of the boundaries to count
    for, others are left out. by_subject: one row per area and subject area, in the column subject_area_id.
    name: prefix of the CTEs, where two stand in one statement.
    """
    v = valued_bits(
        query,
        selection,
        audience,
        level=level,
        boundary_id=boundary_id,
        touching=touching,
        by_subject=by_subject,
        name=name,
    ).c
    # Bit strings are counted once, in a subquery of their own, and the rest is done with numbers: written
    # out, each of them would be made and counted anew for every column. They are cumulative, so that
    # differences are the services with exactly a status.
    bits = (
        select(
            v.boundary_id,
            v.ordinal,
            v.inside,
            v.authority_id,
            *([v.subject_area_id] if by_subject else []),
            v.present,
            bits_set(v.mask).label("every"),
            bits_set(v.online).label("online"),
            bits_set(v.in_progress).label("in_progress"),
            bits_set(v.planned).label("planned"),
            bits_set(v.not_responsible).label("not_responsible"),
        )
        .offset(0)
        .subquery(f"{name}_bits")
        .c
    )
    by_status: dict[Status, ColumnElement[int]] = {
        Status.ONLINE: bits.online,
        Status.IN_PROGRESS: bits.in_progress - bits.online,
        Status.PLANNED: bits.planned - bits.in_progress,
        Status.OPEN: bits.every - bits.planned - bits.not_responsible,
        Status.NOT_RESPONSIBLE: bits.not_responsible,
    }
    of = bits.every - bits.not_responsible
    reason = case(
        (bits.authority_id.is_(None), int(Reason.UNINCORPORATED)),
        (bits.present.is_(None), int(Reason.NO_DATA)),
        (of == 0, int(Reason.NOT_RESPONSIBLE)),
        else_=null(),
    )
    wanted = sum((by_status[status] for status in query.statuses), start=literal(0))
    single = case(
        *((by_status[status] > 0, int(status)) for status in Status),
        else_=int(Status.OPEN),
    )
    return select(
        bits.boundary_id,
        bits.ordinal,
        bits.inside,
        bits.authority_id,
        *([bits.subject_area_id] if by_subject else []),
        *(
            func.coalesce(by_status[status], 0).label(status.code)
            for status in (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED)
        ),
        func.coalesce(wanted, 0).label("n"),
        func.coalesce(of, 0).label("of"),
        single.label("status"),
        cast(reason, SmallInteger).label("reason"),
    ).cte(f"{name}_counted")


def valued_bits(
    query: Query,
    selection: Selection,
    audience: Audience,
    *,
    level: Level | None = None,
    boundary_id: int | None = None,
    touching: Select[Any] | None = None,
    authority_ids: Sequence[int] | None = None,
    by_subject: bool = False,
    name: str = "area",
) -> CTE:
    """Per boundary the bit strings themselves: mask (S after rule 4) and the services in it by status.

    Columns: boundary_id, ordinal, inside, authority_id, mask, online, in_progress, planned (cumulative),
    not_responsible, present (null where there are no data); subject_area_id. Arguments: counted_areas().
    authority_ids: one row for each of these authorities, of whatever level, in place of the boundaries.
    """
    statement = _areas(level or query.level, selection)
    if authority_ids is not None:
        statement = _authorities(authority_ids)
    if boundary_id is not None:
        statement = statement.where(Boundary.id == boundary_id)
    if touching is not None:
        statement = statement.where(Boundary.id.in_(touching))
    areas = statement.cte(f"{name}_areas")
    some = boundary_id is not None or touching is not None
    few = authority_ids is not None or (some and query.stand is not None)
    bits, present = _bits(query, selection, audience, areas, name, few=few)
    responsible_kinds = areas.c.kinds if query.scope is Scope.OWN else areas.c.chain_kinds
    masks = _masks(responsible_kinds, selection, by_subject)
    subject = [masks.c.subject_area_id] if by_subject else []
    return (
        select(
            areas.c.boundary_id,
            areas.c.ordinal,
            areas.c.inside,
            areas.c.authority_id,
            *subject,
            masks.c.mask,
            (bits.c.online.op("&")(masks.c.mask)).label("online"),
            (bits.c.in_progress.op("&")(masks.c.mask)).label("in_progress"),
            (bits.c.planned.op("&")(masks.c.mask)).label("planned"),
            (bits.c.reported.op("&")(_not(bits.c.open)).op("&")(masks.c.mask)).label("not_responsible"),
            present.label("present"),
        )
        .join_from(areas, masks, masks.c.kinds == responsible_kinds, isouter=True)
        .join(bits, bits.c.authority_id == areas.c.authority_id, isouter=True)
    ).cte(f"{name}_valued")


def bits_by_status(v: Any) -> dict[Status, Bits]:
    """The services of S with exactly this status, from the columns of valued_bits()."""
    return {
        Status.ONLINE: v.online,
        Status.IN_PROGRESS: v.in_progress.op("&")(_not(v.online)),
        Status.PLANNED: v.planned.op("&")(_not(v.in_progress)),
        Status.OPEN: v.mask.op("&")(_not(v.planned)).op("&")(_not(v.not_responsible)),
        Status.NOT_RESPONSIBLE: v.not_responsible,
    }


def _areas(level: Level, selection: Selection) -> Select[Any]:
    return (
        select(
            Boundary.id.label("boundary_id"),
            Boundary.ordinal,
            inside(selection).label("inside"),
            Boundary.authority_id,
            *_ABOUT_AUTHORITIES,
        )
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .where(Boundary.release_id == current_release(), Boundary.level == int(level))
    )


def _authorities(ids: Sequence[int]) -> Select[Any]:
    return select(
        null().label("boundary_id"),
        null().label("ordinal"),
        true().label("inside"),
        Authority.id.label("authority_id"),
        *_ABOUT_AUTHORITIES,
    ).where(Authority.id == any_(cast(list(ids), ARRAY(Integer))))


def _masks(kinds: ColumnElement[int], selection: Selection, by_subject: bool) -> Subquery:
    """For each set of kinds that occurs: the services of S for which one of them is responsible (rule 4)."""
    occurring = select(distinct(kinds).label("kinds")).where(kinds.is_not(None)).subquery("occurring")
    services = chosen_services(selection).subquery("services")
    responsible = services.c.responsible.op("&")(occurring.c.kinds) != 0
    groups = [occurring.c.kinds, *([services.c.subject_area_id] if by_subject else [])]
    return (
        select(
            *groups,
            func.coalesce(func.bit_or(services.c.bit).filter(responsible), no_bundles()).label("mask"),
        )
        .join_from(occurring, services, true(), isouter=True)
        .group_by(*groups)
        .subquery("masks")
    )


def chosen_services(selection: Selection) -> Select[Any]:
    """The services of S: id, bit, responsible kinds, subject area. Chosen ones get their bit by position."""
    if selection.service_ids:
        ids = cast(list(selection.service_ids), ARRAY(Integer))
        bit = func.set_bit(no_bundles(), func.array_position(ids, Service.id) - 1, 1)
        return select(
            Service.id, cast(bit, _BIT).label("bit"), Service.responsible, Service.subject_area_id
        ).where(Service.id == any_(ids))
    services = select(Service.id, Service.bit, Service.responsible, Service.subject_area_id).where(
        Service.kind == int(ServiceKind.BUNDLE)
    )
    if selection.bundle_ids is None:
        return services.where(~Service.retired)
    return services.where(Service.id == any_(cast(list(selection.bundle_ids), ARRAY(Integer))))


def _bits(
    query: Query,
    selection: Selection,
    audience: Audience,
    areas: CTE,
    name: str,
    *,
    few: bool,
) -> tuple[Any, ColumnElement[Any]]:
    """Per authority the bit strings in the scope, and a column that is null where there are no data.

    Of today it is the tallies that tell whether there are data, and for bundles what is reported at all,
    whatever the query asks of entries. few: so few areas are counted that their entries are looked up one by
    one.
    """
    if selection.day is not None:
        day = selection.day.rows(name)
        return day, day.c.authority_id
    tally = (
        select(Tally)
        .where(Tally.audience == int(audience), Tally.scope == int(query.scope))
        .subquery("tally_in_scope")
    )
    links: list[Any] = [areas.c.authority_id]
    if query.scope is Scope.AVAILABLE:
        federation = select(Authority.id).where(Authority.ars == FEDERATION).scalar_subquery()
        links += [areas.c.association_id, areas.c.district_id, areas.c.state_id, federation]
    # One row per area and link of its chain: a single join, however the planner guesses.
    linked = (
        select(areas.c.authority_id, func.unnest(array(links)).label("link_id"))
        .where(areas.c.authority_id.is_not(None))
        .subquery("linked")
    )
    among = select(linked.c.link_id).distinct() if few else None
    if selection.service_ids:
        made = of_services(query, selection, chosen_services(selection), name, among)
    elif query.filters_entries or query.stand is not None:
        made = of_bundles(query, selection, name, among)
    else:
        return tally, tally.c.authority_id
    columns = [column.name for column in made.c if column.name != "authority_id"]
    along = (
        select(linked.c.authority_id, *(func.bit_or(made.c[column]).label(column) for column in columns))
        .join_from(linked, made, made.c.authority_id == linked.c.link_id)
        .group_by(linked.c.authority_id)
        .subquery("along")
    )
    if query.stand is not None:
        return along, along.c.authority_id
    kept = [column for column in STATUS_COLUMNS if column not in columns]
    bits = (
        select(
            tally.c.authority_id,
            *(func.coalesce(along.c[column], no_bundles()).label(column) for column in columns),
            *(tally.c[column] for column in kept),
        )
        .join_from(tally, along, along.c.authority_id == tally.c.authority_id, isouter=True)
        .subquery("bits")
    )
    return bits, bits.c.authority_id


def _not(bits: Bits) -> Bits:
    return func.bitnot(bits)


def bits_set(bits: Bits) -> ColumnElement[int]:
    return func.bit_count(bits, type_=Integer)
