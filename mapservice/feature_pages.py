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
_WHOLE_LEVEL = Page()
_ABSENT = dict.fromkeys(area_properties.COUNTED)
_HELD = frozenset(area_properties.COUNTED) - {*subject_counts.NAMES}
"""What a filter may name without the database, beside geometries."""


@dataclass(frozen=True)
class Asked:
    """A query, and of which areas. detail: of the generalised shape, None for none. filter_: which areas, by
    their properties (layers/area_properties.py). subjects: with the numbers by subject area.
    """

    query: Query
    detail: int | None
    crs: Crs = CRS84
    boxes: Sequence[Box] = ()
    page: Page = _WHOLE_LEVEL
    boundary_id: int | None = None
    filter_: Filter | None = None
    subjects: bool = False


@dataclass(frozen=True)
class Found:
    """What a page says beside its areas. members: of the collection. number: of areas. last: the last one's
    position in the level, None without any. more: whether further areas follow.
    """

    members: dict[str, Any]
    number: int
    last: int | None
    more: bool


@dataclass(frozen=True)
class TextPage(Found):
    """Areas as GeoJSON features."""

    features: Sequence[bytes]

    def geojson(self, **further: Any) -> bytes:
        """The FeatureCollection; further members stand in front of the features."""
        members = {**self.members, "numberReturned": self.number, **further}
        return features.opening(members) + b",".join(self.features) + b"]}"


@dataclass(frozen=True)
class RowPage(Found):
    """Areas as rows of layers.areas.rows(), with what it takes to say what they mean."""

    asked: Asked
    rows: Sequence[Row[Any]]
    among: tuple[ValueClass, ...]
    data_as_of: str

    def properties(self, row: Row[Any]) -> dict[str, Any]:
        asked = self.asked
        return features.properties(asked.query, row, self.among, self.data_as_of, subjects=asked.subjects)


def find_texts(connection: Connection, version: Version, asked: Asked) -> TextPage:
    """Areas with their values as GeoJSON features."""
    if asked.detail is not None and not asked.subjects:
        held = _from_memory(connection, version, asked, asked.detail)
        if held is not None:
            return held
    found = find_rows(connection, version, asked)
    tails = features.Tails(asked.query, found.among, found.data_as_of, asked.subjects)
    texts = features.texts(asked.query.level, found.rows, tails)
    return TextPage(found.members, found.number, found.last, found.more, texts)


def find_rows(connection: Connection, version: Version, asked: Asked, *, binary: bool = False) -> RowPage:
    """Areas with their values as rows. binary: with shapes as WKB, for files, else as GeoJSON."""
    query, page = asked.query, asked.page
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
        detail=asked.detail,
        crs=asked.crs,
        boxes=asked.boxes,
        page=wanted,
        boundary_id=asked.boundary_id,
        wanted=asked.filter_,
        among=among,
        subjects=asked.subjects,
        binary=binary,
    )
    shown = rows if page.limit is None else rows[: page.limit]
    return RowPage(
        about.said(query, selection, release, version),
        len(shown),
        shown[-1].ordinal if shown else None,
        len(rows) > len(shown),
        asked,
        shown,
        among,
        timestamp(version.changed_at),
    )


def _from_memory(connection: Connection, version: Version, asked: Asked, detail: int) -> TextPage | None:
    """The same from what this worker holds; None where the database has to judge."""
    query, page = asked.query, asked.page
    wanted = QuickFilter((), ())
    if asked.filter_ is not None:
        simple = quick(asked.filter_, area_properties.types(query.measure), area_properties.GEOMETRY)
        if simple is None or not {item.name for item in simple.conditions} <= _HELD:
            return None
        wanted = simple
    if page.order is not areas.Order.ORDINAL or not all(box.crs.geographic for box in asked.boxes):
        return None
    basis = held_levels.basis(connection, version, query)
    positions: Sequence[int]
    if asked.boundary_id is None:
        positions = _places(connection, query.level, basis, asked.boxes, wanted)
    else:
        positions = [basis.atlas.of_id(asked.boundary_id)]
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
            if _holds(query, row, basis.among, wanted)
        ][page.offset :]
        positions = [position for position, _row in among_all]
        shown = positions if page.limit is None else positions[: page.limit]
        counted = [row for _position, row in among_all[: len(shown)]]
    tails = held_levels.tails(connection, version, query).of(counted)
    heads = Sheets(basis.release, basis.atlas, detail, asked.crs).heads(connection, shown)
    return TextPage(
        basis.said,
        len(shown),
        shown[-1] if shown else None,
        len(positions) > len(shown),
        [head + tail for head, tail in zip(heads, tails, strict=True)],
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
