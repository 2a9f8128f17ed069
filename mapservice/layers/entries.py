"""Implementations one by one, with the area or the label point of their authority, in the order of their ids.

The rows are those that the connection's role may see: row-level security is the filter of the audience.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    SmallInteger,
    Text,
    and_,
    any_,
    case,
    cast,
    func,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import MaturityModel, SolutionKind, Status, TrustLevel
from mapservice.layers.counting import current_release
from mapservice.layers.crs import CRS84, Box, Crs
from mapservice.layers.offers import meets
from mapservice.layers.past import READ, entries_on
from mapservice.layers.predicates import Filter, Predicate, Properties, Type
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import (
    Authority,
    Boundary,
    BoundaryShape,
    Implementation,
    LifeSituation,
    Service,
    Solution,
    SubjectArea,
)

GEOMETRY = "geometry"
_OF_AUTHORITY = {"authority", "authority_name", "designation"}
_OF_SERVICE = {"service", "service_name", "bundle", "bundle_name", "subject", "situation_name"}
TYPES = {
    "authority": Type.TEXT,
    "authority_name": Type.TEXT,
    "designation": Type.TEXT,
    "state": Type.TEXT,
    "service": Type.TEXT,
    "service_name": Type.TEXT,
    "bundle": Type.TEXT,
    "bundle_name": Type.TEXT,
    "subject": Type.TEXT,
    "situation_name": Type.TEXT,
    "status": Type.TEXT,
    "url": Type.TEXT,
    "solution": Type.TEXT,
    "solution_kind": Type.TEXT,
    "maturity_model": Type.TEXT,
    "maturity": Type.INTEGER,
    "reusable": Type.BOOLEAN,
    "reuse_note": Type.TEXT,
    "specialist_system": Type.TEXT,
    "trust_level": Type.TEXT,
    "contact": Type.TEXT,
    "online_since": Type.DATE,
    "planned_until": Type.DATE,
    "as_of": Type.DATE,
    "source": Type.TEXT,
    "identifier": Type.TEXT,
    "demonstration": Type.BOOLEAN,
}
"""The properties of an implementation, all of which a filter may name, in the order of the answer."""


@dataclass(frozen=True)
class Wanted:
    """Which implementations. query: selection, region, conditions on entries; its statuses only if
    by_status. after: those behind this id. entry_id: that one alone.
    """

    query: Query
    selection: Selection
    by_status: bool = False
    boxes: Sequence[Box] = ()
    filter: Filter | None = None
    after: uuid.UUID | None = None
    entry_id: uuid.UUID | None = None
    limit: int | None = None


def rows(
    connection: Connection, wanted: Wanted, *, detail: int = 300, crs: Crs = CRS84, point: bool = False
) -> Sequence[Row[Any]]:
    """Columns: id, geojson (text, null for authorities without an area such as the federation), area_key, and
    those of TYPES. detail: of the shape; point: the label point instead.

    Nothing is counted. Which entries is settled first, from their own table and whatever the question needs
    besides, so that names, areas and shapes are looked up for one page and not for millions.
    """
    area, above, bundle = aliased(Boundary), aliased(Boundary), aliased(Service)
    page = _chosen(wanted).cte("chosen").prefix_with("MATERIALIZED")
    entry: Any = aliased(Implementation, page, adapt_on_names=True)
    columns = _columns(entry, above.name, bundle)
    drawn: Any = SimpleNamespace(geom=area.label_point, geojson=func.ST_AsGeoJSON(area.label_point, 5, 0))
    # A kreisfreie Stadt has areas at several levels, which are the same land: the highest.
    other = aliased(Boundary)
    highest = (
        select(other.id)
        .where(other.release_id == current_release(), other.authority_id == entry.authority_id)
        .order_by(other.level)
        .limit(1)
        .correlate(entry)
        .scalar_subquery()
    )
    statement = (
        select(entry.id, *(column.label(name) for name, column in columns.items()))
        .join_from(entry, Authority, Authority.id == entry.authority_id)
        .join(Solution, Solution.id == entry.solution_id, isouter=True)
        .join(area, area.id == highest, isouter=True)
        .join(above, above.id == func.coalesce(area.state_id, area.id), isouter=True)
        .order_by(entry.id)
    )
    statement = _with_service(statement, entry, bundle)
    if not point:
        shape = aliased(BoundaryShape)
        statement = statement.join(
            shape, and_(shape.boundary_id == area.id, shape.detail == detail), isouter=True
        )
        drawn = shape
    statement = statement.add_columns(crs.geojson(drawn).label("geojson"), area.key.label("area_key"))
    return connection.execute(statement).all()


def _with_service(statement: Select[Any], entry: Any, bundle: Any) -> Select[Any]:
    """Joined with the service of each entry, its bundle, subject area and life situation."""
    subject, situation = _place_of(bundle)
    return (
        statement.join(Service, Service.id == entry.service_id)
        .join(bundle, bundle.id == Service.parent_id, isouter=True)
        .join(SubjectArea, SubjectArea.id == subject, isouter=True)
        .join(LifeSituation, LifeSituation.id == situation, isouter=True)
    )


def _place_of(bundle: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Ids of subject area and life situation of a service: its own, or those of its bundle."""
    return (
        func.coalesce(Service.subject_area_id, bundle.subject_area_id),
        func.coalesce(Service.life_situation_id, bundle.life_situation_id),
    )


def _chosen(wanted: Wanted) -> Select[Any]:
    """The entries of the page by id. Only tables whose columns the filter names are joined."""
    entry = entries_on(wanted.query.stand)
    bundle, states = aliased(Service), _states()
    columns = _columns(entry, states.c.name, bundle)
    properties = Properties(
        {name: (TYPES[name], column) for name, column in columns.items()},
        GEOMETRY,
        functools.partial(_where_shape, entry),
    )
    named = wanted.filter.names() if wanted.filter else set()
    statement: Select[Any] = select(*(getattr(entry, name) for name in READ)).select_from(entry)
    if named & _OF_AUTHORITY:
        statement = statement.join(Authority, Authority.id == entry.authority_id)
    if named & _OF_SERVICE:
        statement = _with_service(statement, entry, bundle)
    if "solution" in named:
        statement = statement.join(Solution, Solution.id == entry.solution_id, isouter=True)
    if "state" in named:
        statement = statement.join(states, states.c.authority_id == entry.authority_id, isouter=True)
    return (
        statement.where(*_conditions(wanted, entry), properties.condition(wanted.filter))
        .order_by(entry.id)
        .limit(wanted.limit)
    )


def _states() -> CTE:
    """The name of the state of each authority that has an area, by its highest one."""
    area, above = aliased(Boundary), aliased(Boundary)
    return (
        select(area.authority_id, above.name)
        .distinct(area.authority_id)
        .join(above, above.id == func.coalesce(area.state_id, area.id))
        .where(area.release_id == current_release(), area.authority_id.is_not(None))
        .order_by(area.authority_id, area.level)
        .cte("states")
        .prefix_with("MATERIALIZED")
    )


def _conditions(wanted: Wanted, entry: Any) -> list[ColumnElement[bool]]:
    """Over the entries alone; what is asked of services and authorities as sets of their ids."""
    query = wanted.query
    conditions: list[ColumnElement[bool]] = [meets(query, entry)]
    if wanted.entry_id is not None:
        conditions.append(entry.id == wanted.entry_id)
    if wanted.after is not None:
        conditions.append(entry.id > wanted.after)
    if wanted.by_status:
        statuses = [int(status) for status in query.statuses]
        conditions.append(entry.status == any_(cast(statuses, ARRAY(SmallInteger))))
    if query.services:
        # The key itself, as the property says it: a client that filters by properties trusts in that.
        conditions.append(entry.service_id.in_(select(Service.id).where(Service.key.in_(query.services))))
    if query.subjects or query.situations:
        bundle = aliased(Service)
        subject, situation = _place_of(bundle)
        services = (
            select(Service.id)
            .join(bundle, bundle.id == Service.parent_id, isouter=True)
            .join(SubjectArea, SubjectArea.id == subject, isouter=True)
            .where(or_(SubjectArea.slug.in_(query.subjects), situation.in_(query.situations)))
        )
        conditions.append(entry.service_id.in_(services))
    regions = wanted.selection.regions
    if regions:
        inside = or_(*(Authority.ars.between(region.first, region.last) for region in regions))
        conditions.append(entry.authority_id.in_(select(Authority.id).where(inside)))
    if wanted.boxes:
        boxes = wanted.boxes
        conditions.append(
            _where_shape(
                entry, lambda shape: or_(*(func.ST_Intersects(shape, box.stored()) for box in boxes))
            )
        )
    return conditions


def _where_shape(entry: Any, predicate: Predicate) -> ColumnElement[bool]:
    # By the finest shape: the same entries whatever detail is asked for, or point.
    shape, area = aliased(BoundaryShape), aliased(Boundary)
    geometry: Any = shape.geom
    touched: Select[Any] = (
        select(area.authority_id)
        .join(shape, and_(shape.boundary_id == area.id, shape.detail == 100))
        .where(area.release_id == current_release(), area.authority_id.is_not(None), predicate(geometry))
    )
    condition: ColumnElement[bool] = entry.authority_id.in_(touched)
    return condition


def _columns(i: Any, state: Any, bundle: Any) -> dict[str, ColumnElement[Any]]:
    return {
        "authority": _any(Authority.ars),
        "authority_name": _any(Authority.name),
        "designation": _any(Authority.designation),
        "state": state,
        "service": _any(Service.key),
        "service_name": _any(Service.name),
        "bundle": bundle.key,
        "bundle_name": bundle.name,
        "subject": _any(SubjectArea.slug),
        "situation_name": _any(LifeSituation.name),
        "status": _codes(i.status, {int(item): item.code for item in Status}),
        "url": i.url,
        "solution": _any(Solution.name),
        "solution_kind": _codes(i.solution_kind, {int(item): item.code for item in SolutionKind}),
        "maturity_model": _codes(i.maturity_model, {int(item): item.code for item in MaturityModel}),
        "maturity": i.maturity,
        "reusable": i.reusable,
        "reuse_note": i.reuse_note,
        "specialist_system": i.specialist_system,
        "trust_level": _codes(i.trust_level, {int(item): item.name.lower() for item in TrustLevel}),
        # The contact itself may be a person's; this column holds function mailboxes alone.
        "contact": i.public_contact,
        "online_since": i.online_since,
        "planned_until": i.planned_until,
        "as_of": i.as_of,
        "source": i.source,
        "identifier": func.nullif(i.identifier, ""),
        "demonstration": i.demonstration,
    }


def _codes(column: Any, names: dict[int, str]) -> ColumnElement[Any]:
    return case(*((column == number, name) for number, name in names.items()), else_=cast(null(), Text))


def _any(attribute: Any) -> ColumnElement[Any]:
    return attribute  # type: ignore[no-any-return]
