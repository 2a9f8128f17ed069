"""Coordinate reference systems by OGC URI (OGC API - Features, Part 2), and their SQL.

Shapes are stored in longitude and latitude (EPSG:4326 with x first, which OGC calls CRS84).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func

STORED_SRID = 4326
_OGC = "http://www.opengis.net/def/crs/"


@dataclass(frozen=True)
class Crs:
    """uri: the OGC URI. srid: of PostGIS. flipped: whether the first axis is north (latitude).

    digits: decimals of coordinates, 1e-5 degrees as stored, else millimetres. world: west, south, east,
    north (x first) within which coordinates can be transformed; all our areas lie far inside.
    """

    uri: str
    name: str
    srid: int
    digits: int
    world: tuple[float, float, float, float]
    flipped: bool = False

    @property
    def code(self) -> str:
        """The short form, such as EPSG:25832."""
        return f"EPSG:{self.srid}"

    @property
    def urn(self) -> str:
        """The name that GeoJSON of 2008 uses."""
        return f"urn:ogc:def:crs:EPSG::{self.srid}"

    @property
    def geographic(self) -> bool:
        return self.srid == STORED_SRID

    def geojson(self, shape: Any) -> ColumnElement[str]:
        """The geometry of a BoundaryShape as GeoJSON text in this system and its axis order."""
        if self.flipped:
            return func.ST_AsGeoJSON(func.ST_FlipCoordinates(shape.geom), self.digits, 0)
        if self.geographic:
            return shape.geojson
        return func.ST_AsGeoJSON(func.ST_Transform(shape.geom, self.srid), self.digits, 0)

    def wkb(self, shape: Any) -> ColumnElement[bytes]:
        """The geometry of a BoundaryShape as WKB in this system, longitude or easting first."""
        return func.ST_AsBinary(shape.geom if self.geographic else func.ST_Transform(shape.geom, self.srid))


CRS84 = Crs(_OGC + "OGC/1.3/CRS84", "WGS 84, Länge/Breite", STORED_SRID, 5, (-180, -90, 180, 90))
EPSG_4326 = Crs(
    _OGC + "EPSG/0/4326", "WGS 84, Breite/Länge", STORED_SRID, 5, (-180, -90, 180, 90), flipped=True
)
WEB_MERCATOR = Crs(
    _OGC + "EPSG/0/3857", "Web Mercator", 3857, 3, (-20037508.34, -20037508.34, 20037508.34, 20037508.34)
)
UTM_32 = Crs(
    _OGC + "EPSG/0/25832", "ETRS89 / UTM Zone 32N", 25832, 3, (-700_000, 4_000_000, 1_700_000, 7_500_000)
)
UTM_33 = Crs(
    _OGC + "EPSG/0/25833", "ETRS89 / UTM Zone 33N", 25833, 3, (-1_200_000, 4_000_000, 1_200_000, 7_500_000)
)
ALL = (CRS84, EPSG_4326, WEB_MERCATOR, UTM_32, UTM_33)
"""The default first."""


@dataclass(frozen=True)
class Box:
    """A rectangle in a reference system, x (longitude, easting) before y whatever its axis order."""

    west: float
    south: float
    east: float
    north: float
    crs: Crs = CRS84

    def stored(self) -> ColumnElement[Any]:
        """The box in the system of the stored shapes: the box is transformed, so that their index serves.

        A straight edge of another system is curved there, so it is bent at 32 points a side.
        """
        corners = [
            func.ST_SetSRID(func.ST_MakePoint(x, y), self.crs.srid)
            for x, y in ((self.west, self.south), (self.east, self.north))
        ]
        box: ColumnElement[Any]
        if self.west == self.east and self.south == self.north:
            box = corners[0]
        elif self.west == self.east or self.south == self.north:
            # As a rectangle without width it would not be valid.
            box = func.ST_MakeLine(*corners)
        else:
            box = func.ST_MakeEnvelope(self.west, self.south, self.east, self.north, self.crs.srid)
        if self.crs.geographic:
            return box
        step = max(self.east - self.west, self.north - self.south, 32.0) / 32
        return func.ST_Transform(func.ST_Segmentize(box, step), STORED_SRID)
