"""Rows -> GeoJSON (RFC 7946). Geometry text comes from the database and is spliced in, never parsed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import Row

from mapservice.domain import Level, Measure, Reason, Status
from mapservice.layers.classes import ValueClass, class_of, share
from mapservice.layers.query import Query
from mapservice.layers.subject_counts import NAMES as SUBJECTS
from mapservice.titles import reason_name, value_label

LEVEL_NAMES = {
    Level.STATE: "state",
    Level.DISTRICT: "district",
    Level.ASSOCIATION: "association",
    Level.MUNICIPALITY: "municipality",
}


@dataclass(frozen=True)
class Value:
    """An area's value: number or status code, null with a reason; as a person reads it; its class."""

    value: float | str | None
    label: str
    reason: str | None
    code: str


def value_of(query: Query, row: Row[Any], among: tuple[ValueClass, ...]) -> Value:
    """The value of a row of layers.areas.rows(). The class is its reason where there is no value."""
    if row.reason is not None:
        reason = Reason(row.reason)
        return Value(None, reason_name(reason), reason.code, reason.code)
    label = value_label(query, row.n, row.of, row.status)
    if query.measure is Measure.STATUS:
        status = Status(row.status)
        return Value(status.code, label, None, status.code)
    if query.measure is Measure.COUNT:
        return Value(row.n, label, None, class_of(row.n, among))
    return Value(share(row.n, row.of), label, None, class_of(Fraction(row.n, row.of), among))


def properties(
    query: Query, row: Row[Any], among: tuple[ValueClass, ...], data_as_of: str, *, subjects: bool = False
) -> dict[str, Any]:
    """The flat properties of a feature (docs/api.md). subjects: the row has the numbers by subject area."""
    value = value_of(query, row, among)
    result = {
        "ars": row.ars,
        "authority": row.authority,
        "ags": row.ags,
        "name": row.name,
        "designation": row.designation,
        "level": LEVEL_NAMES[query.level],
        "district": row.district,
        "state": row.state,
        "services_total": None,
        "services_online": None,
        "services_in_progress": None,
        "services_planned": None,
        "share": share(row.n, row.of) if row.of and row.reason is None else None,
        "value": value.value,
        "value_label": value.label,
        "value_reason": value.reason,
        "class": value.code,
        "data_as_of": data_as_of,
    }
    if query.measure is Measure.SPREAD:
        result |= {
            "municipalities_total": row.of,
            "municipalities_wanted": row.n,
            "municipalities_left_out": row.left_out,
            "population_share": share(row.population_n, row.population_of) if row.population_of else None,
        }
    elif row.reason is None:
        result |= {
            "services_total": row.of,
            "services_online": row.online,
            "services_in_progress": row.in_progress,
            "services_planned": row.planned,
        }
    if subjects:
        result |= {name: getattr(row, name) for name in SUBJECTS}
    return result


def feature(
    query: Query, row: Row[Any], among: tuple[ValueClass, ...], data_as_of: str, *, subjects: bool = False
) -> str:
    """One GeoJSON feature as text; its id is the boundary's own key."""
    said = dumps(properties(query, row, among, data_as_of, subjects=subjects))
    return f'{{"type":"Feature","id":"{row.key}","geometry":{row.geojson},"properties":{said}}}'


def collection(members: dict[str, Any], features: Iterable[str]) -> bytes:
    """A FeatureCollection with foreign members in front of the features."""
    head = dumps({"type": "FeatureCollection", **members})[:-1]
    return f'{head},"features":[{",".join(features)}]}}'.encode()


def links(pairs: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    """OGC links from (rel, type, href)."""
    return [{"rel": rel, "type": type_, "href": href} for rel, type_, href in pairs]


def dumps(content: Any) -> str:
    """Compact JSON in UTF-8 that is also safe inside HTML."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def timestamp(moment: dt.datetime) -> str:
    """UTC in the form of RFC 3339, to the second."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
