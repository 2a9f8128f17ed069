"""Who is around an authority: by shared border, district and distance (docs/counting.md, Neighbours)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Double,
    Integer,
    Row,
    Select,
    and_,
    any_,
    bindparam,
    func,
    null,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import Audience, Level
from mapservice.layers.counting import current_release
from mapservice.layers.prepared import Prepared
from mapservice.models import Authority, Boundary, BoundaryNeighbour

EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG); distances are great circles on that sphere."""
_KM_OF_A_DEGREE = EARTH_KM * math.pi / 180
_AUTHORITY = bindparam("authority", type_=Integer)
_NEAREST = 10
"""So many are shown of an authority that has nobody around it, an island for one."""


@dataclass(frozen=True)
class Reach:
    """Who counts as around: those with a shared border always, those of the own district, those within km."""

    district: bool = False
    km: int | None = None


@dataclass(frozen=True)
class Near:
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
        return None if self.shared_m is None else max(1, math.floor(self.shared_m / 100 + 0.5))

    @property
    def whole_km(self) -> int:
        """Distance as it is shown and compared; 0 for the own district, which surrounds."""
        return 0 if self.km is None else math.floor(self.km + 0.5)

    @property
    def place(self) -> tuple[int, int, int, int]:
        """The order by place: shared border (longest first), same district, distance."""
        tenths = self.border_tenths
        return (tenths is None, -(tenths or 0), not self.same_district, self.whole_km)


@dataclass(frozen=True)
class Surroundings:
    """own: the areas of the authority, the highest level first, each with boundary_id, level, key, lon, lat
    and its box. nears: in the order by place. only_nearest: nobody was in reach, these are the nearest.
    """

    own: tuple[Row[Any], ...]
    nears: tuple[Near, ...]
    only_nearest: bool = False


def surroundings(
    connection: Connection, authority_id: int, reach: Reach, audience: Audience, level: Level | None = None
) -> Surroundings:
    """Authorities with an area at a level at which this one has one, and its association and district.

    level: that level alone, if the authority has an area there. Each authority once, by the area that comes
    first in the order. Without an area at all: nobody.
    """
    own = own_areas(connection, authority_id)
    chosen = tuple(row for row in own if level is None or row.level == level) or own
    if not chosen:
        return Surroundings((), ())
    by_id = {row.boundary_id: row for row in chosen}
    north = ((reach.km or 0) + 0.5) / _KM_OF_A_DEGREE
    farthest = min(89.0, max(abs(row.lat) for row in chosen) + north)
    rows = _candidates(audience).rows(
        connection,
        own=list(by_id),
        authority=authority_id,
        district=reach.district,
        circle=reach.km is not None,
        east=north / math.cos(math.radians(farthest)),
        north=north,
    )
    found = [near for row in rows if _in_reach(near := _near(by_id[row.me_id], row), reach)]
    only_nearest = not found
    if only_nearest:
        found = _nearest(connection, chosen, authority_id, audience)
    above = [
        replace(_near(row, row), shared_m=None, same_district=True, km=None, above=Level(row.level))
        for row in _above(audience).rows(connection, authority=authority_id)
    ]
    return Surroundings(chosen, tuple(_each_once([*found, *above])), only_nearest)


def own_areas(connection: Connection, authority_id: int) -> tuple[Row[Any], ...]:
    """The areas of an authority in the current release, the highest level first."""
    return tuple(_own_areas().rows(connection, authority=authority_id))


@functools.cache
def _own_areas() -> Prepared:
    return Prepared(
        select(
            Boundary.id.label("boundary_id"),
            Boundary.level,
            Boundary.key,
            Boundary.district_id,
            func.ST_X(Boundary.label_point).label("lon"),
            func.ST_Y(Boundary.label_point).label("lat"),
            Boundary.west,
            Boundary.south,
            Boundary.east,
            Boundary.north,
        )
        .where(Boundary.release_id == current_release(), Boundary.authority_id == _AUTHORITY)
        .order_by(Boundary.level)
    )


def distance_km(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Great circle between two points in degrees (haversine)."""
    north, other_north = math.radians(lat), math.radians(other_lat)
    a = (
        math.sin((other_north - north) / 2) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(a))


def of_authorities(
    connection: Connection, authority_id: int, ids: Sequence[int], audience: Audience
) -> tuple[Near, ...]:
    """The same of authorities chosen otherwise, seen from this one: by the highest area of each."""
    own = own_areas(connection, authority_id)
    if not own or not ids:
        return ()
    me = own[0]
    neighbour = aliased(BoundaryNeighbour)
    statement = _columns(audience, neighbour.shared_m).join(
        neighbour,
        and_(neighbour.boundary_id == me.boundary_id, neighbour.neighbour_id == Boundary.id),
        isouter=True,
    )
    statement = statement.where(Boundary.release_id == current_release(), Boundary.authority_id.in_(ids))
    # Highest level first, which is kept: _each_once() takes the first of those at the same place.
    rows = connection.execute(statement.order_by(Boundary.level))
    return tuple(_each_once(_near(me, row) for row in rows))


def _columns(audience: Audience, shared: Any) -> Select[Any]:
    # The public role has no right to the other column.
    contact = Authority.contact if audience is Audience.INTERNAL else Authority.public_contact
    return select(
        Boundary.id.label("boundary_id"),
        Boundary.level,
        Boundary.key,
        Boundary.district_id,
        func.ST_X(Boundary.label_point).label("lon"),
        func.ST_Y(Boundary.label_point).label("lat"),
        shared.label("shared_m"),
        Authority.id.label("authority_id"),
        Authority.ars,
        Authority.name,
        Authority.designation,
        Authority.kinds,
        func.coalesce(Authority.population, Boundary.population).label("population"),
        Authority.website,
        contact.label("contact"),
    ).join_from(Boundary, Authority, Authority.id == Boundary.authority_id)


@functools.cache
def _candidates(audience: Audience) -> Prepared:
    """Parameters: own (ids of boundaries), authority, district, circle (whether), east, north (degrees).

    The column me_id is the own area by which a row was found. Three questions that an index answers each,
    instead of one that reads every area of a level; the circle is a rectangle here.
    """
    me, other, neighbour = aliased(Boundary), aliased(Boundary), aliased(BoundaryNeighbour)
    mine = any_(bindparam("own", type_=ARRAY(Integer)))
    rectangle = func.ST_Expand(
        me.label_point, bindparam("east", type_=Double), bindparam("north", type_=Double)
    )
    pairs = union(
        select(neighbour.boundary_id.label("me_id"), neighbour.neighbour_id.label("other_id")).where(
            neighbour.boundary_id == mine
        ),
        select(me.id, other.id)
        .join_from(me, other, other.district_id == me.district_id)
        .where(me.id == mine, other.level == me.level, bindparam("district", type_=Boolean)),
        select(me.id, other.id)
        .join_from(me, other, other.label_point.op("&&")(rectangle))
        .where(
            me.id == mine,
            other.level == me.level,
            other.release_id == me.release_id,
            bindparam("circle", type_=Boolean),
        ),
    ).subquery("pairs")
    shared = aliased(BoundaryNeighbour)
    return Prepared(
        _columns(audience, shared.shared_m)
        .add_columns(pairs.c.me_id)
        .join(pairs, pairs.c.other_id == Boundary.id)
        .join(
            shared,
            and_(shared.boundary_id == pairs.c.me_id, shared.neighbour_id == Boundary.id),
            isouter=True,
        )
        .where(Boundary.authority_id != _AUTHORITY)
    )


def _near(me: Row[Any], row: Row[Any]) -> Near:
    return Near(
        row.authority_id,
        row.ars,
        row.name,
        row.designation,
        row.kinds,
        row.population,
        row.website,
        row.contact,
        Level(row.level),
        row.boundary_id,
        row.key,
        row.lon,
        row.lat,
        row.shared_m,
        me.district_id is not None and row.district_id == me.district_id,
        distance_km(me.lon, me.lat, row.lon, row.lat),
    )


def _in_reach(near: Near, reach: Reach) -> bool:
    if near.shared_m is not None or (reach.district and near.same_district):
        return True
    # As it is shown: what is said to be 25 km away is within 25 km.
    return reach.km is not None and near.whole_km <= reach.km


def _nearest(
    connection: Connection, own: Sequence[Row[Any]], authority_id: int, audience: Audience
) -> list[Near]:
    """The nearest authorities of each level: of twice as many by the plane, the nearest by the sphere."""
    found = []
    for me in own:
        shrink = math.cos(math.radians(me.lat))
        x = (func.ST_X(Boundary.label_point) - me.lon) * shrink
        y = func.ST_Y(Boundary.label_point) - me.lat
        rows = connection.execute(
            _columns(audience, null())
            .where(
                Boundary.release_id == current_release(),
                Boundary.level == me.level,
                Boundary.authority_id != authority_id,
            )
            .order_by(x * x + y * y)
            .limit(2 * _NEAREST)
        )
        nears = sorted((_near(me, row) for row in rows), key=lambda near: (near.km, near.ars))
        found += nears[:_NEAREST]
    return found


@functools.cache
def _above(audience: Audience) -> Prepared:
    """The own association and district: they serve the same place, whatever the reach."""
    me = aliased(Authority)
    return Prepared(
        _columns(audience, null())
        .join(me, or_(me.association_id == Authority.id, me.district_id == Authority.id))
        .where(
            me.id == _AUTHORITY,
            Authority.id != _AUTHORITY,
            Boundary.release_id == current_release(),
            Boundary.level.between(int(Level.DISTRICT), int(Level.ASSOCIATION)),
        )
    )


def _each_once(nears: Iterable[Near]) -> list[Near]:
    """In the order by place; of an authority found by several areas the first, of the lowest level."""
    best: dict[int, Near] = {}
    for near in sorted(nears, key=lambda near: (near.place, near.ars, -near.level)):
        best.setdefault(near.authority_id, near)
    return list(best.values())
