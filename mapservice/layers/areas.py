"""Areas of one level joined with their counts: rows for features and tables, texts for recolouring."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Integer,
    Numeric,
    Row,
    Select,
    SmallInteger,
    Text,
    and_,
    case,
    cast,
    collate,
    false,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import aliased

from mapservice.domain import Audience, Level, Measure, Reason, Status
from mapservice.layers import area_properties, subject_counts
from mapservice.layers.classes import ValueClass
from mapservice.layers.counting import counted_areas, current_release, inside
from mapservice.layers.crs import CRS84, Box, Crs
from mapservice.layers.past_levels import for_whole_levels
from mapservice.layers.predicates import Filter
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Authority, Boundary, BoundaryShape

_AT_ONCE = 5000
_NOT_COUNTED = ("boundary_id", "ordinal", "authority_id")


class Order(enum.StrEnum):
    """How the rows of a table are sorted; areas without a value come last."""

    ORDINAL = "ordinal"
    NAME = "name"
    VALUE = "value"


@dataclass(frozen=True)
class Only:
    """Areas in one of these classes, or without a value for one of these reasons."""

    classes: tuple[ValueClass, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Page:
    """Which rows: after this ordinal, or skipping so many; at most limit rows (None: all)."""

    limit: int | None = None
    after: int | None = None
    offset: int = 0
    order: Order = Order.ORDINAL
    descending: bool = False


def values_as_array(
    connection: Connection, query: Query, selection: Selection, audience: Audience
) -> tuple[str, str]:
    """Two JSON arrays in the order of the geometry file: numerators and denominators.

    A negative numerator is a Reason; null is an area outside the region of the query.
    """
    counted = valued(connection, query, selection, audience)
    numerator = counted.c.status if query.measure is Measure.STATUS else counted.c.n
    inside = counted.c.inside
    shown = case((~inside, "null"), else_=cast(func.coalesce(counted.c.reason, numerator), Text))
    denominator = case((~inside, "null"), (counted.c.reason.is_(None), cast(counted.c.of, Text)), else_="0")
    row = connection.execute(
        select(func.coalesce(_joined(shown, counted), ""), func.coalesce(_joined(denominator, counted), ""))
    ).one()
    return f"[{row[0]}]", f"[{row[1]}]"


def counts(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    *,
    of: Sequence[int] | None = None,
    subjects: bool = False,
) -> Sequence[Row[Any]]:
    """What is counted of every area of the level, in the order of the release, whether inside the region or
    not; of: of these boundaries alone. Columns: inside, online, in_progress, planned, n, of, status, reason,
    for spread left_out, population_n, population_of; subjects: with the columns of subject_counts.py.
    """
    chosen = None if of is None else select(func.unnest(cast(list(of), ARRAY(Integer))))
    counted = valued(connection, query, selection, audience, touching=chosen)
    columns = [column for column in counted.c if column.name not in _NOT_COUNTED]
    statement = select(*columns).order_by(counted.c.ordinal)
    if subjects:
        by_subject = subject_counts.counted_subjects(connection, query, selection, audience, touching=chosen)
        statement = statement.join_from(
            counted, by_subject, by_subject.c.boundary_id == counted.c.boundary_id
        ).add_columns(*(by_subject.c[name] for name in subject_counts.NAMES))
    # Many areas have the same counts: of a level of a hundred thousand no more is held than what differs.
    found = connection.execute(statement)
    # Tuples compare in C, rows do not.
    known: dict[tuple[Any, ...], Row[Any]] = {}
    same = known.setdefault
    return [same(tuple(row), row) for rows in found.partitions(_AT_ONCE) for row in rows]


def values_by_key(
    connection: Connection, query: Query, selection: Selection, audience: Audience
) -> tuple[str, str]:
    """Two JSON objects by boundary key: values (number or status), and reasons where there is none."""
    counted = valued(connection, query, selection, audience)
    key, reason = cast(func.to_json(Boundary.key), Text), counted.c.reason
    statement = (
        select(
            _joined(key + ":" + _value_as_json(query, counted), counted).filter(reason.is_(None)),
            _joined(key + ":" + _reason_as_json(counted), counted).filter(reason.is_not(None)),
        )
        .join_from(counted, Boundary, Boundary.id == counted.c.boundary_id)
        .where(counted.c.inside)
    )
    row = connection.execute(statement).one()
    return f"{{{row[0] or ''}}}", f"{{{row[1] or ''}}}"


def rows(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    *,
    detail: int | None = None,
    crs: Crs = CRS84,
    boxes: Sequence[Box] = (),
    page: Page | None = None,
    boundary_id: int | None = None,
    only: Only | None = None,
    wanted: Filter | None = None,
    among: tuple[ValueClass, ...] = (),
    subjects: bool = False,
    binary: bool = False,
) -> Sequence[Row[Any]]:
    """One row per area inside the region (and touching one of the boxes), with its names and counts.

    Columns: boundary_id, ordinal, key, ars, authority (ARS or null), ags, name, designation, district, state
    (names), online, in_progress, planned, n, of, status, reason, for spread left_out, population_n,
    population_of; with a detail also geojson, the generalised geometry as text in the
    reference system `crs`. boundary_id: that area alone. only: those areas. wanted: a filter over the
    properties in area_properties.py; among: the classes that it may name. subjects: with the columns of
    subject_counts.py. binary: the geometry as `wkb` instead, longitude or easting first.
    """
    page = page or Page()
    # In the order of the release a page is known without a single count: its areas alone are counted.
    of_area, of_counts = wanted.parts(area_properties.STATIC) if wanted else (None, None)
    early = page.order is Order.ORDINAL and only is None and of_counts is None
    chosen = None
    if boundary_id is None and (boxes or of_area or (early and page.limit is not None)):
        chosen = _chosen(query, selection, boxes, of_area, page if early else None)
    counted = valued(connection, query, selection, audience, boundary_id, chosen)
    district, state = aliased(Boundary), aliased(Boundary)
    statement = (
        select(
            Boundary.id.label("boundary_id"),
            Boundary.ordinal,
            Boundary.key,
            Boundary.ars,
            Authority.ars.label("authority"),
            Authority.ags,
            Boundary.name,
            Boundary.designation,
            district.name.label("district"),
            state.name.label("state"),
            *(column for column in counted.c if column.name not in _NOT_COUNTED),
        )
        .join_from(counted, Boundary, Boundary.id == counted.c.boundary_id)
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .join(district, district.id == Boundary.district_id, isouter=True)
        .join(state, state.id == Boundary.state_id, isouter=True)
        .where(counted.c.inside)
    )
    if only is not None:
        statement = statement.where(_among(query, counted, only))
    if subjects or of_counts is not None:
        by_subject = subject_counts.counted_subjects(
            connection, query, selection, audience, boundary_id, chosen
        )
        if subjects or (of_counts is not None and of_counts.names() & set(subject_counts.NAMES)):
            statement = statement.join(by_subject, by_subject.c.boundary_id == counted.c.boundary_id)
        if subjects:
            statement = statement.add_columns(*(by_subject.c[name] for name in subject_counts.NAMES))
        if of_counts is not None:
            static = area_properties.named(district, state)
            offered = area_properties.counted(query, counted, by_subject, among, static)
            statement = statement.where(offered.condition(of_counts))
    if detail is not None:
        shape = aliased(BoundaryShape)
        statement = statement.join(
            shape, (shape.boundary_id == Boundary.id) & (shape.detail == detail)
        ).add_columns(crs.wkb(shape).label("wkb") if binary else crs.geojson(shape).label("geojson"))
    rest = Page(order=page.order) if early and chosen is not None else page
    return connection.execute(_paged(statement, query, counted, rest)).all()


def count_of_some(
    connection: Connection, query: Query, selection: Selection, audience: Audience, only: Only
) -> int:
    """How many areas inside the region are in these classes."""
    counted = valued(connection, query, selection, audience)
    statement = select(func.count()).select_from(counted).where(counted.c.inside)
    return connection.scalar(statement.where(_among(query, counted, only))) or 0


def _among(query: Query, counted: CTE, only: Only) -> ColumnElement[bool]:
    n: ColumnElement[Any] = counted.c.status if query.measure is Measure.STATUS else counted.c.n
    of: ColumnElement[Any] = counted.c.of if query.measure in (Measure.SHARE, Measure.SPREAD) else literal(1)
    conditions = [counted.c.reason == int(reason) for reason in only.reasons]
    for item in only.classes:
        # Whole numbers on both sides: exact, as the map's own classes are.
        low, high = item.lower, item.upper
        inside_class = n * low.denominator >= of * low.numerator
        if high is not None:
            inside_class &= n * high.denominator < of * high.numerator
        conditions.append(and_(counted.c.reason.is_(None), inside_class))
    return or_(false(), *conditions)


def count_of_areas(connection: Connection, selection: Selection, level: Level) -> int:
    """How many areas the level has inside the region; cheap, as it needs no counts."""
    return (
        connection.scalar(
            select(func.count())
            .select_from(Boundary)
            .where(Boundary.release_id == current_release(), Boundary.level == int(level), inside(selection))
        )
        or 0
    )


def _chosen(
    query: Query, selection: Selection, boxes: Sequence[Box], wanted: Filter | None, page: Page | None
) -> Select[Any]:
    """Ids of the boundaries inside the region that touch a box and pass a filter without counts; of the page
    alone, if there is one.

    By the finest shape: the same areas whatever detail is asked for.
    """
    ids = select(Boundary.id).where(
        Boundary.release_id == current_release(), Boundary.level == int(query.level), inside(selection)
    )
    if boxes:
        shape = aliased(BoundaryShape)
        touching = select(shape.boundary_id).where(
            shape.detail == 100,
            or_(*(func.ST_Intersects(shape.geom, box.stored()) for box in boxes)),
        )
        ids = ids.where(Boundary.id.in_(touching))
    if wanted is not None:
        district, state = aliased(Boundary), aliased(Boundary)
        ids = (
            ids.join(Authority, Authority.id == Boundary.authority_id, isouter=True)
            .join(district, district.id == Boundary.district_id, isouter=True)
            .join(state, state.id == Boundary.state_id, isouter=True)
            .where(area_properties.named(district, state).condition(wanted))
        )
    if page is None:
        return ids
    if page.after is not None:
        ids = ids.where(Boundary.ordinal > page.after)
    return ids.order_by(Boundary.ordinal).limit(page.limit).offset(page.offset or None)


def _paged(statement: Select[Any], query: Query, counted: CTE, page: Page) -> Select[Any]:
    order: list[ColumnElement[Any]] = [counted.c.ordinal.asc()]
    if page.order is Order.NAME:
        # German order: Öhringen with O, not after Z.
        name: Any = collate(Boundary.name, "de-x-icu")
        order.insert(0, name.desc() if page.descending else name.asc())
    elif page.order is Order.VALUE:
        value = _sortable(query, counted)
        order.insert(0, (value.desc() if page.descending else value.asc()).nulls_last())
    if page.after is not None:
        statement = statement.where(counted.c.ordinal > page.after)
    if page.limit is not None:
        statement = statement.limit(page.limit)
    return statement.order_by(*order).offset(page.offset or None)


def _sortable(query: Query, counted: CTE) -> ColumnElement[Any]:
    number: ColumnElement[Any]
    if query.measure is Measure.COUNT:
        number = counted.c.n
    elif query.measure is Measure.STATUS:
        number = counted.c.status
    else:
        number = counted.c.n * literal(1.0) / func.nullif(counted.c.of, 0)
    return case((counted.c.reason.is_(None), number))


def _joined(text: ColumnElement[str], counted: CTE) -> Any:
    # In order, whatever the plan: the same ETag must name the same bytes.
    return func.string_agg(text, aggregate_order_by(literal(","), counted.c.ordinal))


def _value_as_json(query: Query, counted: CTE) -> ColumnElement[str]:
    if query.measure is Measure.COUNT:
        return cast(counted.c.n, Text)
    if query.measure is Measure.STATUS:
        return case(*((counted.c.status == int(status), f'"{status.code}"') for status in Status))
    share = cast(counted.c.n, Numeric) / func.nullif(counted.c.of, 0)
    return cast(func.round(share, 3), Text)


def _reason_as_json(counted: CTE) -> ColumnElement[str]:
    return case(*((counted.c.reason == int(reason), f'"{reason.code}"') for reason in Reason))


def valued(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    boundary_id: int | None = None,
    touching: Select[Any] | None = None,
) -> CTE:
    """The rows of counting.counted_areas(), for spread with numbers of municipalities in `n` and `of`."""
    whole = boundary_id is None and touching is None
    if whole:
        selection = for_whole_levels(connection, query, selection)
    counted = counted_areas(query, selection, audience, boundary_id=boundary_id, touching=touching)
    if query.measure is not Measure.SPREAD:
        return counted
    return _spread(query, selection, audience, counted, whole=whole)


def _spread(query: Query, selection: Selection, audience: Audience, counted: CTE, *, whole: bool) -> CTE:
    """The municipalities of each area whose status is wanted, of those with data that are responsible.

    whole: all areas of the level are counted, and so are all municipalities.
    """
    inner = replace(selection, regions=())
    parent = {
        Level.STATE: Boundary.state_id,
        Level.DISTRICT: Boundary.district_id,
        Level.ASSOCIATION: Boundary.association_id,
    }[query.level]
    within = None if whole else select(Boundary.id).where(parent.in_(select(counted.c.boundary_id)))
    municipalities = counted_areas(
        query, inner, audience, level=Level.MUNICIPALITY, touching=within, name="municipality"
    )
    m = municipalities.c
    population = func.coalesce(Authority.population, Boundary.population)
    counts, wanted = m.reason.is_(None), m.reason.is_(None) & (m.n > 0)
    known = func.bool_and(population.is_not(None)).filter(counts)
    spread = (
        select(
            parent.label("parent_id"),
            func.count().filter(wanted).label("n"),
            func.count().filter(counts).label("of"),
            func.count().filter(m.reason.is_not(None)).label("left_out"),
            func.bool_or(m.reason == int(Reason.NO_DATA)).label("no_data"),
            case((known, func.coalesce(func.sum(population).filter(wanted), 0))).label("population_n"),
            case((known, func.sum(population).filter(counts))).label("population_of"),
        )
        .join_from(municipalities, Boundary, Boundary.id == m.boundary_id)
        .join(Authority, Authority.id == Boundary.authority_id)
        .group_by(parent)
        .subquery("spread")
    )
    reason = case(
        (spread.c.parent_id.is_(None), int(Reason.UNINCORPORATED)),
        (spread.c.of > 0, null()),
        (spread.c.no_data, int(Reason.NO_DATA)),
        else_=int(Reason.NOT_RESPONSIBLE),
    )
    kept = ("boundary_id", "ordinal", "inside", "authority_id", "online", "in_progress", "planned", "status")
    return (
        select(
            *(counted.c[name] for name in kept),
            func.coalesce(spread.c.n, 0).label("n"),
            func.coalesce(spread.c.of, 0).label("of"),
            func.coalesce(spread.c.left_out, 0).label("left_out"),
            spread.c.population_n,
            spread.c.population_of,
            cast(reason, SmallInteger).label("reason"),
        )
        .join_from(counted, spread, spread.c.parent_id == counted.c.boundary_id, isouter=True)
        .cte("spread_counted")
    )
