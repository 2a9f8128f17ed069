"""What a filter may ask of areas: names and types, and the SQL of each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, Double, Numeric, Text, case, cast, func, literal, null, select
from sqlalchemy.orm import aliased

from mapservice.domain import Measure, Reason, Status
from mapservice.layers.classes import ValueClass
from mapservice.layers.predicates import Predicate, Properties, Type
from mapservice.layers.query import Query
from mapservice.layers.subject_counts import NAMES as SUBJECTS
from mapservice.models import Authority, Boundary, BoundaryShape

STATIC = {
    "key": Type.TEXT,
    "ars": Type.TEXT,
    "authority": Type.TEXT,
    "ags": Type.TEXT,
    "name": Type.TEXT,
    "designation": Type.TEXT,
    "district": Type.TEXT,
    "state": Type.TEXT,
    "population": Type.INTEGER,
    "geometry": None,
}
"""Known of an area before anything is counted."""
COUNTED = {
    "services_total": Type.INTEGER,
    "services_online": Type.INTEGER,
    "services_in_progress": Type.INTEGER,
    "services_planned": Type.INTEGER,
    "share": Type.NUMBER,
    "value": Type.NUMBER,
    "value_reason": Type.TEXT,
    "class": Type.TEXT,
    "municipalities_total": Type.INTEGER,
    "municipalities_wanted": Type.INTEGER,
    "municipalities_left_out": Type.INTEGER,
    "population_share": Type.NUMBER,
    **dict.fromkeys(SUBJECTS, Type.INTEGER),
}
"""`value` is text with measure=status."""
GEOMETRY = "geometry"
Columns = dict[str, tuple[Type, ColumnElement[Any]]]


def types(measure: Measure = Measure.COUNT) -> dict[str, Type]:
    """Names and types of all but the geometry."""
    found = {name: type_ for name, type_ in {**STATIC, **COUNTED}.items() if type_ is not None}
    return found | ({"value": Type.TEXT} if measure is Measure.STATUS else {})


def named(district: Any, state: Any) -> Properties:
    """The static ones, over Boundary, its outer-joined Authority, and the boundaries above."""
    columns: Columns = {
        "key": (Type.TEXT, _column(Boundary.key)),
        "ars": (Type.TEXT, _column(Boundary.ars)),
        "authority": (Type.TEXT, _column(Authority.ars)),
        "ags": (Type.TEXT, _column(Authority.ags)),
        "name": (Type.TEXT, _column(Boundary.name)),
        "designation": (Type.TEXT, _column(Boundary.designation)),
        "district": (Type.TEXT, district.name),
        "state": (Type.TEXT, state.name),
        "population": (Type.NUMBER, func.coalesce(Authority.population, Boundary.population)),
    }
    return Properties(columns, GEOMETRY, _where_shape)


def counted(
    query: Query, counts: CTE, subjects: CTE, among: tuple[ValueClass, ...], static: Properties
) -> Properties:
    """All of them, as layers' features say them. counts: the CTE of layers.areas, joined with Boundary;
    subjects: that of subject_counts, to be joined where a filter names one of its columns.
    """
    c = counts.c
    known = c.reason.is_(None)
    spread = query.measure is Measure.SPREAD
    share = func.round(cast(c.n, Numeric) / func.nullif(c.of, 0), 3)

    def number(column: ColumnElement[Any], *, when: bool) -> tuple[Type, ColumnElement[Any]]:
        return Type.NUMBER, case((known, cast(column, Double))) if when else cast(null(), Double)

    value: tuple[Type, ColumnElement[Any]]
    if query.measure is Measure.STATUS:
        code = case(*((c.status == int(status), status.code) for status in Status))
        value = Type.TEXT, case((known, code))
    else:
        value = number(c.n if query.measure is Measure.COUNT else share, when=True)
    reason: ColumnElement[Any] = case(*((c.reason == int(item), item.code) for item in Reason))
    columns: Columns = {
        **static.columns,
        "services_total": number(c.of, when=not spread),
        "services_online": number(c.online, when=not spread),
        "services_in_progress": number(c.in_progress, when=not spread),
        "services_planned": number(c.planned, when=not spread),
        "share": number(share, when=True),
        "value": value,
        "value_reason": (Type.TEXT, cast(reason, Text)),
        "class": (Type.TEXT, _class(query, counts, among, reason)),
    }
    absent = Type.NUMBER, cast(null(), Double)
    for name in ("municipalities_total", "municipalities_wanted", "municipalities_left_out"):
        columns[name] = absent
    columns["population_share"] = absent
    if spread:
        columns["municipalities_total"] = Type.NUMBER, cast(c.of, Double)
        columns["municipalities_wanted"] = Type.NUMBER, cast(c.n, Double)
        columns["municipalities_left_out"] = Type.NUMBER, cast(c.left_out, Double)
        part = func.round(cast(c.population_n, Numeric) / func.nullif(c.population_of, 0), 3)
        columns["population_share"] = Type.NUMBER, cast(part, Double)
    columns |= {name: (Type.NUMBER, cast(subjects.c[name], Double)) for name in SUBJECTS}
    return Properties(columns, GEOMETRY, _where_shape)


def _class(
    query: Query, counts: CTE, among: tuple[ValueClass, ...], reason: ColumnElement[Any]
) -> ColumnElement[Any]:
    c = counts.c
    code: ColumnElement[Any]
    if query.measure is Measure.STATUS:
        code = case(*((c.status == int(status), status.code) for status in Status))
        return func.coalesce(reason, code)
    if not among:  # computed limits, and no area has a value
        return reason
    limits = [(_reaches(query, counts, item), item.code) for item in reversed(among[1:])]
    code = case(*limits, else_=among[0].code) if limits else literal(among[0].code, Text)
    return func.coalesce(reason, code)


def _reaches(query: Query, counts: CTE, item: ValueClass) -> ColumnElement[bool]:
    """Whether the value, a fraction, is not below the class: in whole numbers, as classes.class_of() does."""
    of: ColumnElement[Any] = counts.c.of if query.measure is not Measure.COUNT else literal(1)
    of = cast(of, Numeric)
    n = cast(counts.c.n, Numeric)
    return n * item.lower.denominator >= of * item.lower.numerator


def _where_shape(predicate: Predicate) -> ColumnElement[bool]:
    # By the finest shape: the same areas whatever detail is asked for.
    shape = aliased(BoundaryShape)
    return Boundary.id.in_(
        select(shape.boundary_id).where(shape.detail == 100, predicate(_column(shape.geom)))
    )


def _column(attribute: Any) -> ColumnElement[Any]:
    return attribute  # type: ignore[no-any-return]
