"""Levels as a worker holds them: names, shapes and outlines of the current release, and the values of queries
at the present data version (mapservice/held.py).
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from isal import isal_zlib
from sqlalchemy import Connection, Row

from mapservice import about, features, i18n
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.features import Tails, timestamp
from mapservice.held import (
    carried,
    is_remembered,
    kept_at,
    of_release,
    remembered,
    shapes_held,
    times_asked,
    version_of,
)
from mapservice.layers import areas, extents, inputs, legends, past_nearby, tallied, tile_shapes, tiles
from mapservice.layers import atlas as atlases
from mapservice.layers import catalogue as catalogues
from mapservice.layers import selection as selections
from mapservice.layers.atlas import SHEET, Atlas, Release
from mapservice.layers.catalogue import Catalogue
from mapservice.layers.classes import ValueClass
from mapservice.layers.crs import Crs
from mapservice.layers.inputs import Inputs
from mapservice.layers.outlines import Outlines, of_wkb
from mapservice.layers.positions import Positions
from mapservice.layers.positions import positions as read_positions
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.layers.tallied import Tallied
from mapservice.layers.tile_shapes import Cut, Tile
from mapservice.layers.tiles import Form
from mapservice.service import service

PAGES_OF_A_LEVEL = 8
"""So many pages take the database as long as counting all municipalities."""
QUESTIONS_OF_A_FEW = 8
"""So many questions for some hundred tallies take the database as long as reading all."""
FEW = 4
"""Up to one in so many areas, those that changed are counted alone."""
_POINTER = 8
_COUNTING, _CUTTING = threading.Lock(), threading.Lock()
"""One level, one tile at a time: four at once would take four times the room, and be no faster."""


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


@dataclass(frozen=True)
class Folded:
    """Texts of a sheet packed: a quarter of the room, and a millisecond to read."""

    packed: bytes

    def texts(self) -> Sequence[bytes]:
        # JSON has no line feeds but those that it escapes.
        return isal_zlib.decompress(self.packed).split(b"\n")

    @property
    def nbytes(self) -> int:
        return len(self.packed)


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


@dataclass(frozen=True)
class Basis:
    """What all answers to a query at a data version stand on. said: about.said()."""

    release: Release
    atlas: Atlas
    selection: Selection
    among: tuple[ValueClass, ...]
    said: dict[str, Any]


def basis(connection: Connection, version: Version, query: Query) -> Basis:
    """Raises NotFoundError that names an unknown key."""

    def read() -> Basis:
        chosen = selection(connection, query)
        return Basis(
            release(connection),
            atlas(connection, query.level),
            chosen,
            classes(connection, query),
            about.said(query, chosen, about.current_release(connection), version),
        )

    return remembered(connection, ("basis", query, i18n.language()), read)


def atlas(connection: Connection, level: Level) -> Atlas:
    current = release(connection)
    return of_release((current.mark, level), lambda: atlases.atlas(connection, current.id, level))


def positions(connection: Connection, version: Version) -> Positions:
    """Where the areas of the current release lie; none while there is no release."""
    current = kept_at(version, "release", lambda: atlases.release(connection))
    if current is None:
        return read_positions(connection, None)
    return of_release((current.mark, "positions"), lambda: read_positions(connection, current.id))


def services(connection: Connection, version: Version) -> Catalogue:
    """The services that the audience may see. version: the one that the connection sees."""
    return kept_at(version, "catalogue", lambda: catalogues.catalogue(connection))


def tallies(connection: Connection, version: Version, ids: Sequence[int], day: dt.date | None) -> Tallied:
    """What these authorities report of bundles, now or at the end of a past day.

    Those of all are read, and held, where a few questions at this version have shown that it is worth it.
    """
    if day is not None:
        return past_nearby.tallied(connection, ids, day)
    audience = service().audience
    if times_asked(version, "tallies") <= QUESTIONS_OF_A_FEW:
        return tallied.read(connection, audience, ids)
    return kept_at(version, "tallies", lambda: tallied.read(connection, audience)).of(ids)


def boundary_of(connection: Connection, level: Level, key: str) -> int | None:
    """The id of the boundary with this own key at this level of the current release."""
    held = shapes_held().look((release(connection).mark, level))
    if held is None:
        return extents.boundary_of(connection, level, key)
    at = held.of_key(key)
    return None if at is None else int(held.ids[at])


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
        return of_wkb(_wkb(connection, level, form.detail), tile_shapes.grid)

    def make() -> Cut:
        on_grid = of_release((mark, level, "grid", form.detail), grid)
        with _CUTTING:
            return tile_shapes.cut(on_grid, tile, form.extent)

    return of_release((mark, level, tile), make)


# --- values -----------------------------------------------------------------------------------------


def counts(connection: Connection, query: Query, *, subjects: bool = False) -> Sequence[Row[Any]]:
    """What is counted of each area of the level. subjects: with the columns of layers.subject_counts."""

    def count() -> Counts:
        found = None if subjects else _followed(connection, query)
        if found is None:
            chosen = selection(connection, query)
            with _COUNTING:
                rows = areas.counts(connection, query, chosen, service().audience, subjects=subjects)
            found = Counts(rows)
            if not subjects:
                _carry(connection, query, found)
        return found

    return remembered(connection, ("counts", query, subjects), count).rows


def counts_of(connection: Connection, query: Query, positions: Sequence[int]) -> Sequence[Row[Any]]:
    """What is counted of the areas at these positions: looked up, if the whole level was counted, most of it
    at an earlier data version, or if so many pages were asked for at this one that it would have been
    cheaper; else counted for them alone. A version that moves as soon as all is counted would else cost
    every page a whole level.
    """
    if not is_remembered(connection, ("counts", query, False)) and _followed(connection, query) is None:
        areas_alone = len(positions) * 4 < len(atlas(connection, query.level))
        if areas_alone and times_asked(version_of(connection), query) <= PAGES_OF_A_LEVEL:
            return _counted(connection, query, positions)
    every = counts(connection, query)
    return [every[position] for position in positions]


def _counted(connection: Connection, query: Query, positions: Sequence[int]) -> Sequence[Row[Any]]:
    """Counted for the areas at these positions alone."""
    chosen = selection(connection, query)
    of = atlas(connection, query.level).ids[list(positions)].tolist()
    return areas.counts(connection, query, chosen, service().audience, of=of) if of else ()


# --- counts of earlier data versions ----------------------------------------------------------------


@dataclass(frozen=True)
class Carried:
    """Counts and what they were made from."""

    selection: Selection
    inputs: Inputs
    counts: Counts

    @property
    def nbytes(self) -> int:
        return self.inputs.nbytes + self.counts.nbytes


@dataclass(frozen=True)
class Followed:
    """Counts at this data version, made from earlier ones; None where most had to be counted."""

    counts: Counts | None


def _followed(connection: Connection, query: Query) -> Counts | None:
    """The counts of the level, if this worker has those of an earlier data version and few areas differ."""

    def follow() -> Followed:
        before: Carried | None = carried().look(query)
        chosen = selection(connection, query)
        if before is None or before.selection != chosen:
            return Followed(None)
        changed = _inputs(connection, query).changed_since(before.inputs)
        if changed is None or len(changed) > len(before.counts.rows) // FEW:
            return Followed(None)
        found = before.counts
        if len(changed):
            rows = list(found.rows)
            for position, row in zip(changed, _counted(connection, query, changed.tolist()), strict=True):
                rows[position] = row
            found = Counts(rows)
        _carry(connection, query, found)
        return Followed(found)

    if carried().look(query) is None:
        return None
    return remembered(connection, ("followed", query), follow).counts


def _carry(connection: Connection, query: Query, found: Counts) -> None:
    chosen = selection(connection, query)
    if inputs.tell(query, chosen):
        carried().put(query, Carried(chosen, _inputs(connection, query), found))


def _inputs(connection: Connection, query: Query) -> Inputs:
    return remembered(
        connection,
        ("inputs", query.level, query.scope),
        lambda: inputs.inputs(connection, query.level, query.scope, service().audience),
    )


# --- what is made of counts -------------------------------------------------------------------------


def tails(connection: Connection, version: Version, query: Query, *, subjects: bool = False) -> Tails:
    """What writes features from their numbers on."""
    return remembered(
        connection,
        ("tails", query, subjects, i18n.language()),
        lambda: Tails(query, classes(connection, query), timestamp(version.changed_at), subjects),
    )


def tile_values(connection: Connection, query: Query) -> tiles.Values:
    """What tiles say of the areas of the level."""
    return remembered(
        connection,
        ("tile values", query),
        lambda: tiles.Values(query, counts(connection, query), classes(connection, query)),
    )


# --- shapes as text ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheets:
    """The features of a level up to their numbers, by detail and reference system."""

    release: Release
    atlas: Atlas
    detail: int
    crs: Crs

    def heads(self, connection: Connection, positions: Sequence[int]) -> list[bytes]:
        """Those of the areas at these positions."""
        sheets = {number: self._open(connection, number) for number in {at // SHEET for at in positions}}
        return [sheets[at // SHEET][at % SHEET] for at in positions]

    def all(self) -> Iterator[tuple[int, Sequence[bytes]]]:
        """Position of the first and texts, a sheet at a time, which is not kept open. What is not held is
        read over connections of its own, each given back at once: a release does not change while an answer
        is made.
        """
        held = service()
        memory = shapes_held()
        for number in self.atlas.sheets:
            folded = memory.look(self._key(number))
            if folded is None:
                with held.reader() as connection:
                    folded = memory.get(self._key(number), partial(self._read, connection, number))
            yield number * SHEET, folded.texts()

    def _open(self, connection: Connection, number: int) -> Sequence[bytes]:
        """The texts of a sheet, kept at hand as long as there is room."""
        key = self._key(number)
        return of_release(
            ("open", key), lambda: Texts(of_release(key, partial(self._read, connection, number)).texts())
        ).texts

    def _key(self, number: int) -> Hashable:
        return self.release.mark, self.atlas.level, self.detail, self.crs, number

    def _read(self, connection: Connection, number: int) -> Folded:
        level = self.atlas.level
        rows = atlases.drawn(
            connection, self.release.id, level, detail=self.detail, crs=self.crs, sheet=number
        )
        texts = [features.head(row.key, row.geojson, features.named(level, row)).encode() for row in rows]
        return Folded(isal_zlib.compress(b"\n".join(texts), 1))
