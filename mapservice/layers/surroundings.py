"""Who is around an authority: by shared border, district and distance (docs/counting.md, Neighbours)."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Row, any_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import Audience, Level
from mapservice.layers.positions import Area, Positions, distance_km
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
    border, None without. km: between label points, unrounded; None for one above. above: ASSOCIATION or
    DISTRICT for the own one. contact: of the authority, as the audience may see it.
    """

    authority_id: int
    ars: str
    name: str
    designation: str | None
    kinds: int
    population: int | None
    website: str | None
    contact: str | None
    level: Level
    boundary_id: int
    key: str
    lon: float
    lat: float
    shared_m: float | None
    same_district: bool
    km: float | None
    above: Level | None = None

    @property
    def border_tenths(self) -> int | None:
        """Shared border in tenths of a kilometre, as it is shown and compared; at least one."""
        return None if self.shared_m is None else max(1, _half_up(self.shared_m / 100))

    @property
    def whole_km(self) -> int:
        """Distance as it is shown and compared; 0 for the own district, which surrounds."""
        return 0 if self.km is None else _half_up(self.km)

    @property
    def place(self) -> tuple[int, int, int, int]:
        """The order by place: shared border (longest first), same district, distance."""
        tenths = self.border_tenths
        return (tenths is None, -(tenths or 0), not self.same_district, self.whole_km)


@dataclass(frozen=True)
class Surroundings:
    """own: the areas of the authority, the highest level first. nears: in the order by place. only_nearest:
    nobody was in reach, these are the nearest.
    """

    own: tuple[Area, ...]
    nears: tuple[Near, ...]
    only_nearest: bool = False


class _Spot(NamedTuple):
    """An area that was found from the place of one's own."""

    area: Area
    shared_m: float | None
    same_district: bool
    km: float | None
    above: Level | None = None


def surroundings(
    connection: Connection,
    positions: Positions,
    authority_id: int,
    reach: Reach,
    audience: Audience,
    level: Level | None = None,
) -> Surroundings:
    """Authorities with an area at a level at which this one has one, and its association and district.

    level: that level alone, if the authority has an area there. Each authority once, by the area that comes
    first in the order. Without an area at all: nobody.
    """
    places = positions.of_authority(authority_id)
    own = own_areas(positions, authority_id)
    chosen = [place for place, area in zip(places, own, strict=True) if level in (None, area.level)] or places
    if not chosen:
        return Surroundings((), ())
    spots = [spot for place in chosen for spot in _around(positions, place, reach)]
    only_nearest = not spots
    if only_nearest:
        spots = [spot for place in chosen for spot in _nearest(positions, place)]
    ids = {spot.area.authority_id for spot in spots}
    authorities = _authorities(connection, ids, audience, authority_id)
    me = authorities[authority_id]
    # They serve the same place, whatever the reach.
    above = {me.association_id, me.district_id} - {None, authority_id}
    spots += [
        _Spot(area, None, True, None, area.level)
        for other in above
        for area in own_areas(positions, other)
        if area.level in (Level.DISTRICT, Level.ASSOCIATION)
    ]
    return Surroundings(
        tuple(positions.areas(chosen)),
        tuple(_each_once(_nears(spots, authorities))),
        only_nearest,
    )


def own_areas(positions: Positions, authority_id: int) -> tuple[Area, ...]:
    """The areas of an authority in the release, the highest level first."""
    return tuple(positions.areas(positions.of_authority(authority_id)))


def of_authorities(
    connection: Connection, positions: Positions, authority_id: int, ids: Sequence[int], audience: Audience
) -> tuple[Near, ...]:
    """The same of authorities chosen otherwise, seen from this one: by the highest area of each."""
    own = positions.of_authority(authority_id)
    if not own or not ids:
        return ()
    others = [place for other in ids for place in positions.of_authority(other)]
    authorities = _authorities(connection, ids, audience)
    # Of one at the same place from here _each_once() takes the first, as they are ordered: the highest level.
    return tuple(_each_once(_nears(_spots(positions, own[0], sorted(others)), authorities)))


def _around(positions: Positions, place: int, reach: Reach) -> list[_Spot]:
    others = set(positions.neighbours(place))
    if reach.district:
        others.update(positions.of_district(place))
    if reach.km is not None:
        others.update(positions.within(place, reach.km + 0.5))
    return [spot for spot in _spots(positions, place, others) if _in_reach(spot, reach)]


def _spots(positions: Positions, place: int, others: Iterable[int]) -> list[_Spot]:
    """The areas at other places, but for those of the same authority."""
    me, shared = positions.area(place), positions.neighbours(place)
    spots, places = [], list(others)
    for other, area in zip(places, positions.areas(places), strict=True):
        if area.authority_id != me.authority_id:
            same = me.district_id is not None and area.district_id == me.district_id
            km = distance_km(me.lon, me.lat, area.lon, area.lat)
            spots.append(_Spot(area, shared.get(other), same, km))
    return spots


def _in_reach(spot: _Spot, reach: Reach) -> bool:
    if spot.shared_m is not None or (reach.district and spot.same_district):
        return True
    # As it is shown: what is said to be 25 km away is within 25 km.
    return reach.km is not None and spot.km is not None and _half_up(spot.km) <= reach.km


def _nearest(positions: Positions, place: int) -> list[_Spot]:
    """The nearest areas of the level."""
    spots = _spots(positions, place, positions.of_level(place))
    return sorted(spots, key=lambda spot: (spot.km, spot.area.key))[:_NEAREST]


def _nears(spots: Iterable[_Spot], authorities: Mapping[int, Row[Any]]) -> Iterable[Near]:
    """The spots with what is said of their authorities."""
    for spot in spots:
        area, row = spot.area, authorities[spot.area.authority_id]
        yield Near(
            row.id,
            row.ars,
            row.name,
            row.designation,
            row.kinds,
            area.population if row.population is None else row.population,
            row.website,
            row.contact,
            area.level,
            area.boundary_id,
            area.key,
            area.lon,
            area.lat,
            spot.shared_m,
            spot.same_district,
            spot.km,
            spot.above,
        )


def _authorities(
    connection: Connection, ids: Collection[int], audience: Audience, own: int | None = None
) -> dict[int, Row[Any]]:
    """By id; with one's own, if it is named, and the association and the district of that."""
    return {row.id: row for row in _by_ids(audience).rows(connection, ids=list(ids), own=own)}


@functools.cache
def _by_ids(audience: Audience) -> Prepared:
    """Parameters: ids, own (id or None)."""
    # The public role has no right to the other column.
    contact = Authority.contact if audience is Audience.INTERNAL else Authority.public_contact
    own, me = bindparam("own", type_=Integer), aliased(Authority)
    return Prepared(
        select(
            Authority.id,
            Authority.ars,
            Authority.name,
            Authority.designation,
            Authority.kinds,
            Authority.population,
            Authority.website,
            contact.label("contact"),
            Authority.association_id,
            Authority.district_id,
        ).where(
            or_(
                Authority.id == any_(bindparam("ids", type_=ARRAY(Integer))),
                Authority.id == own,
                *(
                    Authority.id == select(above).where(me.id == own).scalar_subquery()
                    for above in (me.association_id, me.district_id)
                ),
            )
        )
    )


def _each_once(nears: Iterable[Near]) -> list[Near]:
    """In the order by place; of an authority found by several areas the first, of the lowest level."""
    best: dict[int, Near] = {}
    for near in sorted(nears, key=lambda near: (near.place, near.ars, -near.level)):
        best.setdefault(near.authority_id, near)
    return list(best.values())


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)
