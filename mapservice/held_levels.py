"""Levels as a worker holds them: names, shapes and outlines of the current release, and the values of queries
at the present data version (mapservice/held.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from mapservice import about, features, i18n
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.features import timestamp
from mapservice.held import is_remembered, of_release, remembered, shapes_held, times_asked
from mapservice.layers import areas, extents, legends, tile_shapes, tiles
from mapservice.layers import atlas as atlases
from mapservice.layers import selection as selections
from mapservice.layers.atlas import SHEET, Atlas, Release
from mapservice.layers.classes import ValueClass
from mapservice.layers.crs import Crs
from mapservice.layers.outlines import Outlines, of_wkb
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.layers.tile_shapes import Cut, Tile
from mapservice.layers.tiles import Form
from mapservice.service import service

PAGES_OF_A_LEVEL = 8
"""So many pages take the database as long as counting all municipalities."""
_POINTER = 8


@dataclass(frozen=True)
class Counts:
    """Rows of layers.areas.counts(): what is counted of each area."""

    rows: Sequence[Row[Any]]

    @property
    def nbytes(self) -> int:
        return 250 * len(set(map(id, self.rows))) + _POINTER * len(self.rows)


@dataclass(frozen=True)
class Texts:
    """Parts of features as text, one an area."""

    texts: Sequence[bytes]

    @property
    def nbytes(self) -> int:
        different = {id(text): len(text) for text in self.texts}
        return sum(different.values()) + 33 * len(different) + _POINTER * len(self.texts)


def release(connection: Connection) -> Release:
    """The current release; raises UnavailableError while there is none."""
    found = remembered(connection, "release", lambda: atlases.release(connection))
    if found is None:
        about.current_release(connection)
        raise AssertionError
    return found


def selection(connection: Connection, query: Query) -> Selection:
    """What the query chooses; raises NotFoundError that names the unknown key."""
    return remembered(connection, ("selection", query), lambda: selections.resolve(connection, query))


def classes(connection: Connection, query: Query) -> tuple[ValueClass, ...]:
    """The classes of the query."""
    return remembered(
        connection,
        ("classes", query),
        lambda: legends.classes(connection, query, selection(connection, query), service().audience),
    )


def atlas(connection: Connection, level: Level) -> Atlas:
    current = release(connection)
    return of_release((current.mark, level), lambda: atlases.atlas(connection, current.id, level))


def boundary_of(connection: Connection, level: Level, key: str) -> int | None:
    """The id of the boundary with this own key at this level of the current release."""
    held = shapes_held().look((release(connection).mark, level))
    if held is None:
        return extents.boundary_of(connection, level, key)
    at = held.position.get(key)
    return None if at is None else int(held.rows[at].boundary_id)


def outlines(connection: Connection, level: Level, detail: int) -> Outlines:
    """In steps of degrees."""
    current = release(connection)
    return of_release(
        (current.mark, level, "outlines", detail),
        lambda: of_wkb(_wkb(connection, level, detail)),
    )


def _wkb(connection: Connection, level: Level, detail: int) -> Iterator[Sequence[bytes]]:
    current = release(connection)
    for sheet in atlas(connection, level).sheets:
        yield atlases.shapes_as_wkb(connection, current.id, level, detail=detail, sheet=sheet)


def cut(connection: Connection, level: Level, tile: Tile, form: Form) -> Cut:
    """The shapes of a tile."""
    mark = release(connection).mark

    def grid() -> Outlines:
        return tile_shapes.grid(of_wkb(_wkb(connection, level, form.detail)))

    def make() -> Cut:
        on_grid = of_release((mark, level, "grid", form.detail), grid)
        return tile_shapes.cut(on_grid, tile, form.extent)

    return of_release((mark, level, tile), make)


# --- values -----------------------------------------------------------------------------------------


def counts(connection: Connection, query: Query, *, subjects: bool = False) -> Sequence[Row[Any]]:
    """What is counted of each area of the level. subjects: with the columns of layers.subject_counts."""

    def count() -> Counts:
        chosen = selection(connection, query)
        return Counts(areas.counts(connection, query, chosen, service().audience, subjects=subjects))

    return remembered(connection, ("counts", query, subjects), count).rows


def counts_of(connection: Connection, query: Query, positions: Sequence[int]) -> Sequence[Row[Any]]:
    """What is counted of the areas at these positions: looked up, if the whole level was counted or if so
    many pages were asked for at this data version that it would have been cheaper, else counted for them
    alone. A version that moves as soon as all is counted would else cost every page a whole level.
    """
    if not is_remembered(connection, ("counts", query, False)):
        areas_alone = len(positions) * 4 < len(atlas(connection, query.level).rows)
        if areas_alone and times_asked(connection, query) <= PAGES_OF_A_LEVEL:
            chosen, rows = selection(connection, query), atlas(connection, query.level).rows
            of = [rows[position].boundary_id for position in positions]
            return areas.counts(connection, query, chosen, service().audience, of=of) if of else ()
    every = counts(connection, query)
    return [every[position] for position in positions]


def tails_of(
    connection: Connection,
    version: Version,
    query: Query,
    positions: Sequence[int],
    counted: Sequence[Row[Any]],
) -> Sequence[bytes]:
    """The features of the areas at these positions from their numbers on; counted: what counts_of() said."""
    if is_remembered(connection, ("counts", query, False)):
        every = tails(connection, version, query)
        return [every[position] for position in positions]
    among = classes(connection, query)
    return features.tails(query, counted, among, timestamp(version.changed_at))


def tails(
    connection: Connection, version: Version, query: Query, *, subjects: bool = False
) -> Sequence[bytes]:
    """The features of the level from their numbers on (features.tails())."""

    def write() -> Texts:
        among = classes(connection, query)
        rows = counts(connection, query, subjects=subjects)
        as_of = timestamp(version.changed_at)
        return Texts(features.tails(query, rows, among, as_of, subjects=subjects))

    return remembered(connection, ("tails", query, subjects, i18n.language()), write).texts


def tile_values(connection: Connection, query: Query) -> tiles.Values:
    """What tiles say of each area of the level."""
    return remembered(
        connection,
        ("tile values", query),
        lambda: tiles.values(query, counts(connection, query), classes(connection, query)),
    )


# --- shapes as text ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheets:
    """The features of a level up to their numbers, by detail and reference system."""

    release: Release
    atlas: Atlas
    detail: int
    crs: Crs

    def sheet(self, connection: Connection, number: int) -> Sequence[bytes]:
        """Those of the areas from number * SHEET on."""
        return of_release(self._key(number), lambda: self._read(connection, number)).texts

    def _key(self, number: int) -> Hashable:
        return self.release.mark, self.atlas.level, self.detail, self.crs, number

    def _read(self, connection: Connection, number: int) -> Texts:
        level, first = self.atlas.level, number * SHEET
        shapes = atlases.shapes_as_text(
            connection, self.release.id, level, detail=self.detail, crs=self.crs, sheet=number
        )
        return Texts(
            [
                features.head(row.key, shape, features.named(level, row)).encode()
                for row, shape in zip(self.atlas.rows[first : first + SHEET], shapes, strict=True)
            ]
        )

    def heads(self, connection: Connection, positions: Sequence[int]) -> list[bytes]:
        """Those of the areas at these positions."""
        sheets = {number: self.sheet(connection, number) for number in {at // SHEET for at in positions}}
        return [sheets[at // SHEET][at % SHEET] for at in positions]

    def all(self) -> Iterator[Iterator[tuple[int, bytes]]]:
        """Positions and texts, a sheet at a time. What is not held is read over connections of its own, each
        given back at once: a release does not change while an answer is made.
        """
        held = service()
        memory = shapes_held()
        for number in self.atlas.sheets:
            found = memory.look(self._key(number))
            if found is None:
                with held.reader() as connection:
                    found = memory.get(self._key(number), partial(self._read, connection, number))
            yield enumerate(found.texts, number * SHEET)


def sheets(connection: Connection, query: Query, detail: int, crs: Crs) -> Sheets:
    return Sheets(release(connection), atlas(connection, query.level), detail, crs)
