"""Areas of a level with their values as GeoJSON: the whole level, a page of it, or one feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from mapservice import about, features
from mapservice.database import Version
from mapservice.features import timestamp
from mapservice.layers import areas, legends
from mapservice.layers.areas import Page
from mapservice.layers.classes import ValueClass
from mapservice.layers.crs import CRS84, Box, Crs
from mapservice.layers.predicates import Filter
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.service import service


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
) -> FeaturePage:
    """Look up areas with their values. detail: of the generalised shape, None for none. filter_: which areas,
    by their properties (layers/area_properties.py). subjects: with the numbers by subject area.
    binary: with shapes as WKB, for files.
    """
    page = page or Page()
    selection = resolve(connection, query)
    release = about.current_release(connection)
    among = legends.classes(connection, query, selection, service().audience)
    # One row more than asked for tells whether there is a next page, without counting.
    wanted = Page(None if page.limit is None else page.limit + 1, page.after, page.offset)
    found = areas.rows(
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
    shown = found if page.limit is None else found[: page.limit]
    return FeaturePage(
        query,
        shown,
        about.said(query, selection, release, version),
        among,
        timestamp(version.changed_at),
        len(found) > len(shown),
        subjects,
    )


def content_crs(crs: Crs) -> tuple[str, str]:
    """The header that names the reference system of an answer's coordinates (Part 2, ogc-crs-header)."""
    return "Content-Crs", f"<{crs.uri}>"
