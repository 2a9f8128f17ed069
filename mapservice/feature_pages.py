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
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from mapservice import about, features, held_levels
from mapservice.database import Version
from mapservice.features import timestamp
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
_HELD = frozenset({*area_properties.STATIC, *area_properties.COUNTED}) - {"population", *subject_counts.NAMES}
"""What a filter may name without the database: not what other imports may change, nor what is not counted."""


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
class HeldPage(FeaturePage):
    """A page put together from memory: rows are those of layers.atlas, texts the features."""

    texts: Sequence[bytes] = ()

    def feature(self, row: Row[Any]) -> str:
        return self.texts[self.rows.index(row)].decode()

    def properties(self, row: Row[Any]) -> dict[str, Any]:
        raise NotImplementedError("asked for as text: find(…, as_rows=True)")

    def geojson(self, **further: Any) -> bytes:
        members = {**self.members, "numberReturned": len(self.rows), **further}
        return features.opening(members) + b",".join(self.texts) + b"]}"


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
    among = held_levels.classes(connection, query)
    sheets = held_levels.sheets(connection, query, detail, crs)
    rows = sheets.atlas.rows
    positions: Sequence[int]
    if boundary_id is None:
        positions = _places(connection, query, rows, boxes, wanted)
    else:
        positions = [sheets.atlas.by_id[boundary_id]]
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
            if _holds(query, rows[position], row, among, wanted)
        ][page.offset :]
        positions = [position for position, _row in among_all]
        shown = positions if page.limit is None else positions[: page.limit]
        counted = [row for _position, row in among_all[: len(shown)]]
    tails = held_levels.tails_of(connection, version, query, shown, counted)
    heads = sheets.heads(connection, shown)
    selection = held_levels.selection(connection, query)
    return HeldPage(
        query,
        [rows[number] for number in shown],
        about.said(query, selection, about.current_release(connection), version),
        among,
        timestamp(version.changed_at),
        len(positions) > len(shown),
        texts=[head + tail for head, tail in zip(heads, tails, strict=True)],
    )


def _places(
    connection: Connection, query: Query, rows: Sequence[Row[Any]], boxes: Sequence[Box], wanted: QuickFilter
) -> Sequence[int]:
    """Positions of the areas in the region that touch a box and every geometry of the filter, ascending."""
    places: Sequence[int] = range(len(rows))
    if boxes or wanted.geometries:
        # By the finest shape: the same areas whatever detail is asked for.
        finest = held_levels.outlines(connection, query.level, FINEST)
        found = outlines.in_boxes(finest, boxes) if boxes else np.ones(len(finest), dtype=bool)
        for geometry in wanted.geometries:
            found &= outlines.meeting(finest, geometry)
        places = np.flatnonzero(found).tolist()
    regions = held_levels.selection(connection, query).regions
    if regions:
        places = [at for at in places if any(r.first <= rows[at].ars <= r.last for r in regions)]
    return places


def _holds(
    query: Query, named: Row[Any], counted: Row[Any], among: tuple[ValueClass, ...], wanted: QuickFilter
) -> bool:
    said = features.counted(query, counted)
    if not {condition.name for condition in wanted.conditions} <= said.keys():
        said = {**_ABSENT, "key": named.key, **features.named(query.level, named), **said}
        said |= features.valued(query, counted, among, "")
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
    selection = held_levels.selection(connection, query)
    sheets = held_levels.sheets(connection, query, detail, crs)
    tails = held_levels.tails(connection, version, query, subjects=subjects)
    inside = [True] * len(tails)
    if selection.regions:
        inside = [row.inside for row in held_levels.counts(connection, query)]
    members = {
        **about.said(query, selection, about.current_release(connection), version),
        "numberReturned": sum(inside),
        **further,
    }

    def pieces() -> Iterator[bytes]:
        mark = features.opening(members)
        for sheet in sheets.all():
            parts: list[bytes] = []
            for number, head in sheet:
                if inside[number]:
                    parts += mark, head, tails[number]
                    mark = b","
            yield b"".join(parts)
        yield (mark if mark != b"," else b"") + b"]}"

    return Payload(media_type=GEOJSON, headers=(content_crs(crs),), pieces=pieces)


def content_crs(crs: Crs) -> tuple[str, str]:
    """The header that names the reference system of an answer's coordinates (Part 2, ogc-crs-header)."""
    return "Content-Crs", f"<{crs.uri}>"
