"""Services by authorities: the status of each at each, by the rules of docs/counting.md (11).

The statuses come as bit strings, a handful for each authority, and become one character for each service
here: 33,420 cells are 60 rows of the database.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, Row, String, cast, select
from sqlalchemy.orm import aliased

from mapservice.domain import OZG_ID_FIRST, Audience, Reason, ServiceKind, Status
from mapservice.layers.counting import valued_bits
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Service, SubjectArea

NO_DATA = "0"
"""The cell of an authority of which nothing is known. The others are the number of a domain.Status."""
NOT_RESPONSIBLE = str(int(Status.NOT_RESPONSIBLE))
_BITS = ("mask", "online", "in_progress", "planned", "not_responsible")


class Order(enum.StrEnum):
    """How the services are sorted; ties by name, then by key."""

    REACH = "reach"
    """Those that most of the authorities have, first; of equally many, those that fewer lack."""
    LEAST = "-reach"
    """Those that fewest have, first; those that nobody could have, last."""
    NAME = "name"
    SUBJECT = "subject"
    LIST = "list"
    """As the target list has them; else by key."""


@dataclass(frozen=True)
class Sum:
    """n: with a wanted status; of: responsible, with data; unknown: without data. reason: why there is no
    number.
    """

    n: int
    of: int
    unknown: int = 0
    reason: Reason | None = None

    @property
    def share(self) -> float | None:
        return self.n / self.of if self.of else None


@dataclass(frozen=True)
class Line:
    """A service with its cells, one character for each authority, and their sum."""

    service: Row[Any]
    cells: str
    sum: Sum


@dataclass(frozen=True)
class Matrix:
    """lines: sorted. columns: the sum of each authority over all services of S that it is responsible for.
    left_out: services of S for which none of the authorities is responsible, and which were not asked for
    one by one. total: over all cells.
    """

    lines: tuple[Line, ...]
    columns: tuple[Sum, ...]
    left_out: int
    total: Sum


def matrix(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    authority_ids: Sequence[int],
    order: Order = Order.REACH,
    *,
    every: bool = False,
) -> Matrix:
    """The whole of it, whatever page is shown: sums are over all. every: leave no service out."""
    services = _services(connection, selection)
    positions = [_position(row, selection) for row in services]
    strings = _strings(connection, query, selection, audience, authority_ids)
    columns = [_cells(strings[id_], positions) for id_ in authority_ids]
    masks = [strings[id_].mask for id_ in authority_ids]
    wanted = {str(int(status)) for status in query.statuses}
    asked_for = every or bool(query.services) or bool(selection.service_ids)
    lines = []
    left_out = 0
    # A column's text by service becomes a service's text by column; of no columns none would be left.
    by_service = map("".join, zip(*columns, strict=True)) if columns else repeat("", len(services))
    for row, position, cells in zip(services, positions, by_service, strict=True):
        if not asked_for and not any(mask[position] == "1" for mask in masks):
            left_out += 1
            continue
        lines.append(Line(row, cells, _sum(cells, wanted)))
    sums = tuple(_sum(cells, wanted) for cells in columns)
    total = Sum(sum(item.n for item in sums), sum(item.of for item in sums))
    return Matrix(tuple(_sorted(lines, order, selection)), sums, left_out, total)


def _strings(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    authority_ids: Sequence[int],
) -> dict[int, Row[Any]]:
    v = valued_bits(query, selection, audience, authority_ids=authority_ids, name="column").c
    rows = connection.execute(
        select(
            v.authority_id,
            v.present.is_not(None).label("present"),
            *(cast(v[name], String).label(name) for name in _BITS),
        )
    )
    return {row.authority_id: row for row in rows}


def _cells(bits: Row[Any], positions: Sequence[int]) -> str:
    """One character for each service."""
    if not bits.present:
        return NO_DATA * len(positions)
    known = {
        "11110": "1",
        "10110": "2",
        "10010": "3",
        "10000": "4",
        "10001": NOT_RESPONSIBLE,
    }
    rows = list(map("".join, zip(*(getattr(bits, name) for name in _BITS), strict=True)))
    return "".join(known.get(rows[position], NOT_RESPONSIBLE) for position in positions)


def _sum(cells: str, wanted: set[str]) -> Sum:
    numbers = Counter(cells)
    unknown = numbers[NO_DATA]
    of = len(cells) - unknown - numbers[NOT_RESPONSIBLE]
    reason = None
    if not of:
        reason = Reason.NO_DATA if unknown else Reason.NOT_RESPONSIBLE
    return Sum(sum(numbers[code] for code in wanted), of, unknown, reason)


def _services(connection: Connection, selection: Selection) -> Sequence[Row[Any]]:
    """The services of S: id, key, kind, name, subject (slug), subject_name, subject_area_id."""
    bundle = aliased(Service)
    subject_id = bundle.subject_area_id
    statement = (
        select(
            Service.id,
            Service.key,
            Service.kind,
            Service.name,
            SubjectArea.slug.label("subject"),
            SubjectArea.name.label("subject_name"),
            SubjectArea.id.label("subject_area_id"),
        )
        .join(bundle, bundle.id == Service.parent_id, isouter=True)
        .join(
            SubjectArea,
            (SubjectArea.id == Service.subject_area_id) | (SubjectArea.id == subject_id),
            isouter=True,
        )
        .order_by(Service.key)
    )
    if selection.service_ids:
        return connection.execute(statement.where(Service.id.in_(selection.service_ids))).all()
    statement = statement.where(Service.kind == int(ServiceKind.BUNDLE))
    if selection.bundle_ids is None:
        return connection.execute(statement.where(~Service.retired)).all()
    return connection.execute(statement.where(Service.id.in_(selection.bundle_ids))).all()


def _position(service: Row[Any], selection: Selection) -> int:
    """The service's bit: chosen ones have theirs by place, bundles by number."""
    if selection.service_ids:
        return selection.service_ids.index(service.id)
    return int(service.key) - OZG_ID_FIRST


def _sorted(lines: list[Line], order: Order, selection: Selection) -> list[Line]:
    def name(line: Line) -> tuple[str, str]:
        return line.service.name.casefold(), line.service.key

    if order is Order.REACH:
        return sorted(lines, key=lambda line: (-line.sum.n, line.sum.of - line.sum.n, name(line)))
    if order is Order.LEAST:
        return sorted(
            lines, key=lambda line: (not line.sum.of, line.sum.n, line.sum.n - line.sum.of, name(line))
        )
    if order is Order.SUBJECT:
        return sorted(lines, key=lambda line: (line.service.subject_area_id or 99, name(line)))
    if order is Order.NAME:
        return sorted(lines, key=name)
    places = {id_: place for place, id_ in enumerate(selection.bundle_ids or selection.service_ids)}
    return sorted(lines, key=lambda line: places.get(line.service.id, 0))
