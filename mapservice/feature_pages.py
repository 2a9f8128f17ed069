"""Areas of a level with their values as GeoJSON: the whole level, a page of it, or one feature.

Two ways lead to the same bytes. A question that this worker hears for the first time is asked of the
database, for the areas of the page alone. One that is asked again, or that needs the whole level anyway, is
counted once for all areas, and further pages are put together from what the worker then holds
(mapservice/held.py): values under the data version, shapes under the boundary release.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from mapservice import about, features, held_levels
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.features import timestamp
from mapservice.held_levels import Basis, Sheets
from mapservice.layers import area_properties, areas, outlines, subject_counts
from mapservice.layers.areas import Page
from mapservice.layers.classes import ValueClass
from mapservice.layers.crs import CRS84, Box, Crs
from mapservice.layers.predicates import Filter
from mapservice.layers.query import Query
from mapservice.layers.quick_filter import QuickFilter, quick
from mapservice.responses import GEOJSON, Payload
from mapservice.service import service

FINEST = 100
_ABSENT = dict.fromkeys(area_properties.COUNTED)
_HELD = frozenset(area_properties.COUNTED) - {*subject_counts.NAMES}
"""What a filter may name without the database, beside geometries."""


@dataclass(frozen=True)
class FeaturePage:
    """Rows of layers.areas.rows() with what it takes to write them.

    members: what the collection says beside its features. more: whether further areas follow. subjects:
    whether the rows have the numbers by subject area.
    """

    query: Query
    rows: Sequence[Row[Any]]
    members: dict[str, Any]
    among: tuple[ValueClass, ...]
    data_as_of: str
    more: bool
    subjects: bool = False

    def feature(self, row: Row[Any]) -> str:
        return features.feature(self.query, row, self.among, self.data_as_of, subjects=self.subjects)

    def properties(self, row: Row[Any]) -> dict[str, Any]:
        return features.properties(self.query, row, self.among, self.data_as_of, subjects=self.subjects)

    def geojson(self, **further: Any) -> bytes:
        """The FeatureCollection; further members stand in front of the features."""
        members = {**self.members, "numberReturned": len(self.rows), **further}
        return features.collection(members, (self.feature(row) for row in self.rows))


@dataclass(frozen=True)
class Place:
    """An area of a page: its position in the level, and its feature."""

    ordinal: int
    text: bytes


@dataclass(frozen=True)
class HeldPage(FeaturePage):
    """A page put together from memory."""

    rows: Sequence[Any]  # of Place

    def feature(self, row: Any) -> str:
        return str(row.text, "utf-8")

    def properties(self, row: Row[Any]) -> dict[str, Any]:
        raise NotImplementedError("asked for as text: find(…, as_rows=True)")

    def geojson(self, **further: Any) -> bytes:
        members = {**self.members, "numberReturned": len(self.rows), **further}
        return features.opening(members) + b",".join(row.text for row in self.rows) + b"]}"


def find(
    connection: Connection,
    version: Version,
    query: Query,
    *,
    detail: int | None,
    crs: Crs = CRS84,
    boxes: Sequence[Box] = (),
    page: Page | None = None,
    boundary_id: int | None = None,
    filter_: Filter | None = None,
    subjects: bool = False,
    binary: bool = False,
    as_rows: bool = False,
) -> FeaturePage:
    """Look up areas with their values. detail: of the generalised shape, None for none. filter_: which areas,
    by their properties (layers/area_properties.py). subjects: with the numbers by subject area. binary: with
    shapes as WKB, for files. as_rows: with the counts of each row, not only as text.
    """
    page = page or Page()
    if not (as_rows or binary or subjects) and detail is not None:
        found = _from_memory(connection, version, query, detail, crs, boxes, page, boundary_id, filter_)
        if found is not None:
            return found
    selection = held_levels.selection(connection, query)
    release = about.current_release(connection)
    among = held_levels.classes(connection, query)
    # One row more than asked for tells whether there is a next page, without counting.
    wanted = Page(None if page.limit is None else page.limit + 1, page.after, page.offset)
    rows = areas.rows(
        connection,
        query,
        selection,
        service().audience,
        detail=detail,
        crs=crs,
        boxes=boxes,
        page=wanted,
        boundary_id=boundary_id,
        wanted=filter_,
        among=among,
        subjects=subjects,
        binary=binary,
    )
    shown = rows if page.limit is None else rows[: page.limit]
    return FeaturePage(
        query,
        shown,
        about.said(query, selection, release, version),
        among,
        timestamp(version.changed_at),
        len(rows) > len(shown),
        subjects,
    )


def _from_memory(
    connection: Connection,
    version: Version,
    query: Query,
    detail: int,
    crs: Crs,
    boxes: Sequence[Box],
    page: Page,
    boundary_id: int | None,
    filter_: Filter | None,
) -> FeaturePage | None:
    """The same from what this worker holds; None where the database has to judge."""
    wanted = QuickFilter((), ())
    if filter_ is not None:
        simple = quick(filter_, area_properties.types(query.measure), area_properties.GEOMETRY)
        if simple is None or not {item.name for item in simple.conditions} <= _HELD:
            return None
        wanted = simple
    if page.order is not areas.Order.ORDINAL or not all(box.crs.geographic for box in boxes):
        return None
    basis = held_levels.basis(connection, version, query)
    among = basis.among
    positions: Sequence[int]
    if boundary_id is None:
        positions = _places(connection, query.level, basis, boxes, wanted)
    else:
        positions = [basis.atlas.of_id(boundary_id)]
    if page.after is not None:
        positions = positions[bisect_right(positions, page.after) :]
    if not wanted.conditions:
        positions = positions[page.offset :]
        shown = positions if page.limit is None else positions[: page.limit]
        counted = held_levels.counts_of(connection, query, shown)
    else:
        every = held_levels.counts_of(connection, query, positions)
        among_all = [
            (position, row)
            for position, row in zip(positions, every, strict=True)
            if _holds(query, row, among, wanted)
        ][page.offset :]
        positions = [position for position, _row in among_all]
        shown = positions if page.limit is None else positions[: page.limit]
        counted = [row for _position, row in among_all[: len(shown)]]
    tails = held_levels.tails(connection, version, query).of(counted)
    heads = Sheets(basis.release, basis.atlas, detail, crs).heads(connection, shown)
    return HeldPage(
        query,
        [Place(*of) for of in zip(shown, map(add, heads, tails), strict=True)],
        basis.said,
        among,
        timestamp(version.changed_at),
        len(positions) > len(shown),
    )


def _places(
    connection: Connection, level: Level, basis: Basis, boxes: Sequence[Box], wanted: QuickFilter
) -> Sequence[int]:
    """Positions of the areas in the region that touch a box and every geometry of the filter, ascending."""
    regions = basis.selection.regions
    places: Sequence[int] = range(len(basis.atlas))
    if boxes or wanted.geometries:
        # By the finest shape: the same areas whatever detail is asked for.
        finest = held_levels.outlines(connection, level, FINEST)
        found = outlines.in_boxes(finest, boxes) if boxes else np.ones(len(finest), dtype=bool)
        for geometry in wanted.geometries:
            found &= outlines.meeting(finest, geometry)
        places = np.flatnonzero(found).tolist()
    if regions:
        places = [at for at in places if any(r.first <= basis.atlas.ars(at) <= r.last for r in regions)]
    return places


def _holds(query: Query, row: Row[Any], among: tuple[ValueClass, ...], wanted: QuickFilter) -> bool:
    said: dict[str, Any] = {**features.counted(query, row)}
    if not {condition.name for condition in wanted.conditions} <= said.keys():
        said = _ABSENT | said | features.valued(query, row, among, "")
    return all(condition.holds(said) for condition in wanted.conditions)


def whole(
    connection: Connection,
    version: Version,
    query: Query,
    *,
    detail: int,
    crs: Crs,
    subjects: bool = False,
    further: dict[str, Any],
) -> Payload:
    """All areas of the level inside the region, made piece by piece; further members stand in front of the
    features. subjects: with the numbers by subject area.
    """
    basis = held_levels.basis(connection, version, query)
    sheets = Sheets(basis.release, basis.atlas, detail, crs)
    counted = held_levels.counts(connection, query, subjects=subjects)
    tails = held_levels.tails(connection, version, query, subjects=subjects)
    # Not looked through where no region is asked for, as a level may be large.
    inside = sum(row.inside for row in counted) if basis.selection.regions else len(counted)
    members = {**basis.said, "numberReturned": inside, **further}

    def pieces() -> Iterator[bytes]:
        mark = features.opening(members)
        for first, heads in sheets.all():
            rows = counted[first : first + len(heads)]
            parts: list[bytes] = []
            for head, row, tail in zip(heads, rows, tails.of(rows), strict=True):
                if row.inside:
                    parts += mark, head, tail
                    mark = b","
            yield b"".join(parts)
        yield (mark if mark != b"," else b"") + b"]}"

    return Payload(media_type=GEOJSON, headers=(content_crs(crs),), pieces=pieces)


def content_crs(crs: Crs) -> tuple[str, str]:
    """The header that names the reference system of an answer's coordinates (Part 2, ogc-crs-header)."""
    return "Content-Crs", f"<{crs.uri}>"
