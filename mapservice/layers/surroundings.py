"""Who is around an authority: by shared border, district and distance (docs/counting.md, Neighbours)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Integer, Row, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import Audience, Level
from mapservice.layers.positions import Area, Positions
from mapservice.layers.prepared import Prepared
from mapservice.models import Authority

_NEAREST = 10
"""So many are shown of an authority that has nobody around it, an island for one."""


@dataclass(frozen=True)
class Reach:
    """Who counts as around: those with a shared border always, those of the own district, those within km."""

    district: bool = False
    km: int | None = None


class Near(NamedTuple):
    """An authority around another one.

    level, boundary_id, key, lon, lat (degrees): of the area by which it was found. shared_m: metres of shared
    border, None without. km: between label points, unrounded; None for one above. place: the order by place:
    shared border (longest first), same district, distance. above: ASSOCIATION or DISTRICT for the own one.
    """

    authority_id: int
    ars: str
    kinds: int
    level: Level
    boundary_id: int
    key: str
    lon: float
    lat: float
    shared_m: float | None
    same_district: bool
    km: float | None
    place: tuple[bool, int, bool, int]
    above: Level | None = None

    @property
    def border_tenths(self) -> int | None:
        """Shared border in tenths of a kilometre, as it is shown and compared; at least one."""
        return None if self.shared_m is None else -self.place[1]

    @property
    def whole_km(self) -> int:
        """Distance as it is shown and compared; 0 for the own district, which surrounds."""
        return self.place[3]


@dataclass(frozen=True)
class Surroundings:
    """own: the areas of the authority, the highest level first. nears: in the order by place. only_nearest:
    nobody was in reach, these are the nearest.
    """

    own: tuple[Area, ...]
    nears: tuple[Near, ...]
    only_nearest: bool = False


def surroundings(
    positions: Positions, authority_id: int, reach: Reach, level: Level | None = None
) -> Surroundings:
    """Authorities with an area at a level at which this one has one, and its association and district.

    level: that level alone, if the authority has an area there. Each authority once, by the area that comes
    first in the order. Without an area at all: nobody.
    """
    places = positions.of_authority(authority_id)
    chosen = [place for place in places if level in (None, positions.levels[place])] or places
    if not chosen:
        return Surroundings((), ())
    nears = [near for place in chosen for near in _around(positions, place, reach)]
    only_nearest = not nears
    if only_nearest:
        nears = [near for place in chosen for near in _nearest(positions, place)]
    # They serve the same place, whatever the reach.
    nears += [
        _above(positions, place)
        for other in positions.authorities_above(chosen[0])
        for place in positions.of_authority(other)
        if positions.levels[place] in (Level.DISTRICT, Level.ASSOCIATION)
    ]
    return Surroundings(positions.areas(chosen), tuple(_each_once(nears)), only_nearest)


def own_areas(positions: Positions, authority_id: int) -> tuple[Area, ...]:
    """The areas of an authority in the release, the highest level first."""
    return positions.areas(positions.of_authority(authority_id))


def of_authorities(positions: Positions, authority_id: int, ids: Sequence[int]) -> tuple[Near, ...]:
    """The same of authorities chosen otherwise, seen from this one: by the highest area of each."""
    own = positions.of_authority(authority_id)
    others = [place for other in ids for place in positions.of_authority(other)]
    if not own or not others:
        return ()
    # Of one at the same place from here _each_once() takes the first, as they are ordered: the highest level.
    return tuple(_each_once(_seen(positions, own[0], np.unique(others))))


def authorities_by_id(connection: Connection, ids: Iterable[int], audience: Audience) -> dict[int, Row[Any]]:
    """By id of an authority: name, designation, website, contact, as the audience may see them."""
    wanted = sorted(set(ids))
    return {row.id: row for row in _by_ids(audience).rows(connection, ids=wanted)} if wanted else {}


def _around(positions: Positions, place: int, reach: Reach) -> list[Near]:
    others: list[NDArray[Any]] = [positions.neighbours(place)[0]]
    if reach.district:
        others.append(positions.of_district(place))
    if reach.km is not None:
        others.append(positions.within(place, reach.km + 0.5))
    return _seen(positions, place, np.unique(np.concatenate(others)), reach)


def _seen(positions: Positions, place: int, others: NDArray[Any], reach: Reach | None = None) -> list[Near]:
    """The areas at other places (ascending) as they are seen from this one, but for those of the same
    authority; with `reach` those in it.
    """
    others = others[positions.authorities[others] != positions.authorities[place]]
    km, same = positions.km(place, others), positions.in_district(place, others)
    # As it is shown: what is said to be 25 km away is within 25 km.
    whole = np.floor(km + 0.5)
    shared = np.full(len(others), np.nan)
    bordering, metres = positions.neighbours(place)
    if others.size:
        at = np.searchsorted(others, bordering)
        known = others.take(at, mode="clip") == bordering
        shared[at[known]] = metres[known]
    if reach is not None:
        within = False if reach.km is None else whole <= reach.km
        found = np.flatnonzero(~np.isnan(shared) | (same & reach.district) | within)
        others, km, same = others[found], km[found], same[found]
        whole, shared = whole[found], shared[found]
    tenths = np.where(np.isnan(shared), 0, np.maximum(1, np.floor(shared / 100 + 0.5)))
    columns = zip(
        *_of_areas(positions, others),
        shared.tolist(),
        same.tolist(),
        km.tolist(),
        tenths.astype(int).tolist(),
        whole.astype(int).tolist(),
        strict=True,
    )
    return [
        Near._make(
            (*area, metres if border else None, near, away, (not border, -border, not near, shown), None)
        )
        for *area, metres, near, away, border, shown in columns
    ]


def _of_areas(positions: Positions, places: NDArray[np.intp]) -> Iterable[Iterable[Any]]:
    """The first columns of Near."""
    return (
        positions.authorities[places].tolist(),
        (ars.decode() for ars in positions.ars[places].tolist()),
        positions.kinds[places].tolist(),
        map(Level, positions.levels[places].tolist()),
        positions.ids[places].tolist(),
        (key.decode() for key in positions.keys[places].tolist()),
        *positions.points[places].T.tolist(),
    )


def _above(positions: Positions, place: int) -> Near:
    (area,) = zip(*_of_areas(positions, np.array([place])), strict=True)
    return Near._make((*area, None, True, None, (True, 0, False, 0), area[3]))


def _nearest(positions: Positions, place: int) -> list[Near]:
    """The nearest areas of the level."""
    nears = _seen(positions, place, positions.of_level(place))
    return sorted(nears, key=lambda near: (near.km, near.key))[:_NEAREST]


@functools.cache
def _by_ids(audience: Audience) -> Prepared:
    # The public role has no right to the other column.
    contact = Authority.contact if audience is Audience.INTERNAL else Authority.public_contact
    return Prepared(
        select(
            Authority.id, Authority.name, Authority.designation, Authority.website, contact.label("contact")
        ).where(Authority.id == any_(bindparam("ids", type_=ARRAY(Integer))))
    )


def _each_once(nears: Iterable[Near]) -> list[Near]:
    """In the order by place; of an authority found by several areas the first, of the lowest level."""
    best: dict[int, Near] = {}
    for near in sorted(nears, key=lambda near: (near.place, near.ars, -near.level)):
        best.setdefault(near.authority_id, near)
    return list(best.values())
