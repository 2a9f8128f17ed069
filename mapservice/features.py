"""Rows -> GeoJSON (RFC 7946). Geometry text comes from the database and is spliced in, never parsed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

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
_SERVICES = ("services_total", "services_online", "services_in_progress", "services_planned")
_NO_SERVICES = ",".join(f'"{name}":null' for name in _SERVICES)


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


def named(level: Level, row: Row[Any]) -> dict[str, Any]:
    """The properties that a boundary release fixes (docs/api.md)."""
    return {
        "ars": row.ars,
        "authority": row.authority,
        "ags": row.ags,
        "name": row.name,
        "designation": row.designation,
        "level": LEVEL_NAMES[level],
        "district": row.district,
        "state": row.state,
    }


def counted(query: Query, row: Row[Any]) -> dict[str, int | None]:
    """Numbers of services by status, whatever the query asks for; none where there is no value."""
    if query.measure is Measure.SPREAD or row.reason is not None:
        return dict.fromkeys(_SERVICES)
    return dict(zip(_SERVICES, (row.of, row.online, row.in_progress, row.planned), strict=True))


def valued(query: Query, row: Row[Any], among: tuple[ValueClass, ...], data_as_of: str) -> dict[str, Any]:
    """What a query makes of these numbers (docs/api.md)."""
    value = value_of(query, row, among)
    result = {
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
    return result


def properties(
    query: Query, row: Row[Any], among: tuple[ValueClass, ...], data_as_of: str, *, subjects: bool = False
) -> dict[str, Any]:
    """All flat properties of a feature. subjects: the row has the numbers by subject area."""
    return {
        **named(query.level, row),
        **counted(query, row),
        **valued(query, row, among, data_as_of),
        **({name: getattr(row, name) for name in SUBJECTS} if subjects else {}),
    }


def head(key: str, geojson: str, names: dict[str, Any]) -> str:
    """A feature up to its numbers: what stays while the release does."""
    return f'{{"type":"Feature","id":"{key}","geometry":{geojson},"properties":{dumps(names)[:-1]}'


@dataclass
class Tails:
    """Writes the rest of features that begin with head(). Few different counts occur, and each is written
    once; with numbers by subject area (subjects) each row anew.
    """

    query: Query
    among: tuple[ValueClass, ...]
    data_as_of: str
    subjects: bool = False
    _written: dict[Row[Any], bytes] = field(default_factory=dict)
    _values: dict[tuple[Any, ...], str] = field(default_factory=dict)

    nbytes: ClassVar[int] = 3_000_000
    """Of all municipalities of Germany."""

    def of(self, rows: Iterable[Row[Any]]) -> list[bytes]:
        """Of rows of layers.areas.counts() or rows(), in their order."""
        written = self._written
        return [written.get(row) or self._write(row) for row in rows]

    def _write(self, row: Row[Any]) -> bytes:
        text = self._valued(row)
        if self.subjects:
            text += "," + dumps({name: getattr(row, name) for name in SUBJECTS})[1:-1]
        tail = f",{_services(self.query, row)},{text}}}}}".encode()
        if not self.subjects:
            self._written[row] = tail
        return tail

    def _valued(self, row: Row[Any]) -> str:
        """valued() as text, without its braces: many counts have the same value."""
        key: tuple[Any, ...] = (row.n, row.of, row.status, row.reason)
        if self.query.measure is Measure.SPREAD:
            key = (*key, row.left_out, row.population_n, row.population_of)
        text = self._values.get(key)
        if text is None:
            said = valued(self.query, row, self.among, self.data_as_of)
            text = self._values[key] = dumps(said)[1:-1]
        return text


def texts(level: Level, rows: Sequence[Row[Any]], tails: Tails) -> list[bytes]:
    """A GeoJSON feature of each row of layers.areas.rows(); its id is the boundary's own key."""
    return [
        head(row.key, row.geojson, named(level, row)).encode() + tail
        for row, tail in zip(rows, tails.of(rows), strict=True)
    ]


def _services(query: Query, row: Row[Any]) -> str:
    """counted() as text, without its braces."""
    if query.measure is Measure.SPREAD or row.reason is not None:
        return _NO_SERVICES
    return (
        f'"services_total":{row.of},"services_online":{row.online},'
        f'"services_in_progress":{row.in_progress},"services_planned":{row.planned}'
    )


def collection(members: dict[str, Any], features: Iterable[str]) -> bytes:
    """A FeatureCollection with foreign members in front of the features."""
    return opening(members) + ",".join(features).encode() + b"]}"


def opening(members: dict[str, Any]) -> bytes:
    """A FeatureCollection up to its first feature; after the last one follows `]}`."""
    return f'{dumps({"type": "FeatureCollection", **members})[:-1]},"features":['.encode()


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
