"""Geometry of a release: check and repair, generalise, dissolve, label, measure.

The full geometry stays in the release's own CRS. Generalised shapes are EPSG:4326 on a grid of whole
steps (GRIDS), so that neighbours share every vertex of their border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

from ..errors import ImportRefusedError
from .findings import Findings
from .vector import Geometries, Layer, Texts

Numbers = npt.NDArray[np.float64]

DETAILS = (100, 300, 1000)
"""Tolerances of generalisation in metres: the edge of a square as large as the smallest kept triangle."""
GRIDS = {100: 2e-5, 300: 1e-4, 1000: 1e-4}
"""Degrees between two vertices of the grid at each detail: about 2 m and 10 m."""

_WGS84 = CRS.from_epsg(4326)
_METRIC = CRS.from_epsg(25832)
_GERMANY = (5.0, 46.8, 16.0, 55.7)
"""West, south, east, north with a margin; land reaches from 5.87 to 15.04 and from 47.27 to 55.06."""
_MIDDLE_LATITUDE = 51.2
# Degrees to metres in a plane that is good enough to measure a tolerance, and that changes no vertex's
# neighbours: back and forth gives the same grid points.
_PLANE = np.array([111_320 * np.cos(np.radians(_MIDDLE_LATITUDE)), 111_250])
_POLYGONS = (3, 6)
_COLLECTION = 7
_AREA_TOLERANCE = 0.1
_SLIVER = 5.0
"""Metres: gaps between neighbours up to this width are errors of the source and are closed."""


def to_wgs84(crs: CRS) -> Transformer:
    """The transformation of a release's CRS to longitude and latitude."""
    return Transformer.from_crs(crs, _WGS84, always_xy=True)


def transformed(geometries: Geometries, transformer: Transformer) -> Geometries:
    """The geometries with every vertex transformed."""

    def move(points: Numbers) -> Numbers:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    result: Geometries = shapely.transform(geometries, move)
    return result


def metric(geometries: Geometries, crs: CRS) -> Geometries:
    """The geometries in metres: as they are in a projected CRS, else in EPSG:25832."""
    if crs.is_projected and all(axis.unit_conversion_factor == 1 for axis in crs.axis_info):
        return geometries
    return transformed(geometries, Transformer.from_crs(crs, _METRIC, always_xy=True))


def repair(layer: Layer, crs: CRS, findings: Findings) -> Layer:
    """The layer with polygons that are valid and in Germany; faults go to the findings.

    Repaired and reported: invalid polygons, swapped axes, collections that hold polygons. Refused: no
    geometry, lines and points, coordinates that are not numbers or not in Germany, areas without extent.
    """
    geometries = layer.geometries.copy()
    usable = np.ones(len(layer), dtype=bool)

    def refuse(wrong: npt.NDArray[np.bool_], reason: str, remedy: str) -> None:
        for at in np.flatnonzero(wrong & usable):
            findings.problem(layer.name, int(layer.rows[at]), layer.keys[at] or None, reason, remedy)
        usable[wrong] = False

    refuse(layer.unreadable, "Die Geometrie ist beschädigt.", "Bitte die Datei neu ausgeben.")
    none = shapely.is_missing(geometries) | shapely.is_empty(geometries)
    refuse(none, "Die Geometrie fehlt oder ist leer.", "Bitte die Fläche ergänzen oder die Zeile entfernen.")
    types = shapely.get_type_id(geometries)
    for at in np.flatnonzero(usable & (types == _COLLECTION)):
        parts = [part for part in shapely.get_parts(geometries[at]) if part.geom_type.endswith("Polygon")]
        if parts:
            geometries[at] = shapely.union_all(parts)
            types[at] = shapely.get_type_id(geometries[at])
            findings.repair(
                layer.name, int(layer.rows[at]), layer.keys[at], "Nur die Flächen der Sammlung übernommen."
            )
    refuse(~np.isin(types, _POLYGONS), "Die Geometrie ist keine Fläche.", "Erwartet werden Polygone.")
    finite = np.isfinite(shapely.bounds(geometries)).all(axis=1)
    refuse(~finite, "Koordinaten sind keine Zahlen.", "Bitte die Datei neu ausgeben.")
    geometries = _in_germany(layer, geometries, usable, crs, findings, refuse)

    invalid = usable & ~shapely.is_valid(geometries)
    if invalid.any():
        mended = shapely.make_valid(geometries[invalid], method="structure", keep_collapsed=False)
        reasons = shapely.is_valid_reason(geometries[invalid])
        for at, geometry, reason in zip(np.flatnonzero(invalid), mended, reasons, strict=True):
            before, after = abs(shapely.area(geometries[at])), shapely.area(geometry)
            if after == 0 or abs(after - before) > _AREA_TOLERANCE * max(before, after):
                continue
            text = f"{layer.names[at]}: ungültige Fläche repariert ({reason})."
            findings.repair(layer.name, int(layer.rows[at]), layer.keys[at], text)
            geometries[at] = geometry
    flat = usable & ((shapely.area(geometries) <= 0) | ~shapely.is_valid(geometries))
    refuse(flat, "Die Fläche überschneidet sich selbst oder hat keine Ausdehnung.", "Bitte berichtigen.")
    chosen = layer.take(usable)
    chosen.geometries = geometries[usable]
    return chosen


def _in_germany(
    layer: Layer,
    geometries: Geometries,
    usable: npt.NDArray[np.bool_],
    crs: CRS,
    findings: Findings,
    refuse: Callable[[npt.NDArray[np.bool_], str, str], None],
) -> Geometries:
    bounds = shapely.bounds(geometries)
    transformer = to_wgs84(crs)
    outside = usable & ~_inside(bounds, transformer)
    if not outside.any():
        return geometries
    swapped = _inside(bounds[:, [1, 0, 3, 2]], transformer)
    if swapped[usable].all():
        findings.repair(layer.name, None, None, "Koordinaten vertauscht (Breite vor Länge), berichtigt.")
        turned: Geometries = shapely.transform(geometries, lambda points: points[:, ::-1])
        return turned
    refuse(
        outside,
        f"Koordinaten liegen außerhalb Deutschlands (angegebenes Koordinatensystem: {crs.name}).",
        "Bitte das Koordinatensystem der Datei und die Reihenfolge der Achsen prüfen.",
    )
    return geometries


def _inside(bounds: Numbers, transformer: Transformer) -> npt.NDArray[np.bool_]:
    west, south, east, north = _GERMANY
    inside = np.ones(len(bounds), dtype=bool)
    for columns in ((0, 1), (2, 3)):
        x, y = transformer.transform(bounds[:, columns[0]], bounds[:, columns[1]])
        inside &= (x > west) & (x < east) & (y > south) & (y < north)
    return inside


def merge_duplicates(layer: Layer, findings: Findings) -> Layer:
    """One row per key, ordered by key. Rows of one key and one name are parts of one area; else refused."""
    order = np.argsort(layer.keys, kind="stable")
    layer = layer.take(order)
    keys, first, counts = np.unique(layer.keys.astype(str), return_index=True, return_counts=True)
    for key, start, count in zip(keys[counts > 1], first[counts > 1], counts[counts > 1], strict=True):
        rows = slice(start, start + count)
        names = sorted(set(layer.names[rows]))
        if len(names) > 1:
            findings.problem(
                layer.name,
                int(layer.rows[start + 1]),
                str(key),
                f"Der Schlüssel kommt mehrfach vor, mit verschiedenen Namen ({', '.join(names)}).",
                "Bitte einen der Schlüssel berichtigen.",
            )
            continue
        layer.geometries[start] = shapely.union_all(layer.geometries[rows])
        findings.repair(layer.name, int(layer.rows[start]), str(key), f"{count} Teile zusammengefügt.")
    return layer.take(first)


@dataclass
class Generalised:
    """The lowest level, generalised. shapes: detail -> polygons in EPSG:4326 on the detail's grid;
    bounds: west, south, east, north per area, degrees; matched: whether the full geometry shared its
    borders exactly, else `cleaned` (EPSG:4326) does."""

    shapes: dict[int, Geometries]
    bounds: Numbers
    cleaned: Geometries
    matched: bool


def generalise(
    geometries: Geometries, keys: Texts, crs: CRS, step: Callable[[], None] = lambda: None
) -> Generalised:
    """Generalise areas that cover a region, sharing their borders before and after.

    Rounding comes before simplifying, because rounding a simplified coverage breaks its borders; each
    detail starts from the one before. Raises ImportRefusedError if the areas cannot be made a coverage.
    """
    matched = bool(shapely.coverage_is_valid(geometries))
    degrees = transformed(geometries, to_wgs84(crs))
    plane: Geometries = shapely.transform(degrees, lambda points: points * _PLANE)
    bounds = shapely.bounds(degrees)
    if not matched:
        plane = shapely.coverage_clean(plane, gap_width=_SLIVER, snapping_distance=_SLIVER)
    step()
    shapes, cleaned = {}, None
    for detail in DETAILS:
        plane = _settle(plane, GRIDS[detail], keys)
        if cleaned is None:
            cleaned = _on_grid(plane, GRIDS[detail])
        plane = shapely.coverage_simplify(plane, detail)
        shapes[detail] = _on_grid(plane, GRIDS[detail])
        _check(shapes[detail], keys)
        step()
    assert cleaned is not None
    return Generalised(shapes, bounds, cleaned, matched)


def _on_grid(plane: Geometries, grid: float) -> Geometries:
    steps = round(1 / grid)
    result: Geometries = shapely.transform(plane, lambda points: np.rint(points / _PLANE * steps) / steps)
    return result


def _settle(plane: Geometries, grid: float, keys: Texts) -> Geometries:
    """Move all vertices onto the grid and mend what that breaks, until nothing is broken."""
    size = _PLANE * grid
    for attempt in range(5):
        plane = shapely.transform(plane, lambda points: np.rint(points / size) * size)
        plane = shapely.remove_repeated_points(plane)
        invalid = ~shapely.is_valid(plane)
        if not invalid.any() and shapely.coverage_is_valid(plane):
            return plane
        plane[invalid] = shapely.make_valid(plane[invalid], method="structure", keep_collapsed=False)
        gone = shapely.is_empty(plane)
        if gone.any():
            raise ImportRefusedError(
                "Zu kleine Flächen (unter 10 m): "
                + ", ".join(map(str, keys[gone][:10]))
                + ". Bitte in der Datei berichtigen."
            )
        broken = invalid | ~shapely.is_empty(shapely.coverage_invalid_edges(plane))
        # Cleaning the whole takes ten times as long as the rest; a few faults are mended where they are.
        area = _around(plane, broken) if attempt < 2 else np.arange(len(plane))
        plane[area] = shapely.coverage_clean(plane[area], gap_width=float(size.max()))
    raise ImportRefusedError(
        "Die Flächen überschneiden sich so, dass sich keine gemeinsamen Grenzen bilden lassen. "
        "Bitte die Datei auf Überschneidungen prüfen."
    )


def _around(plane: Geometries, broken: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    tree = shapely.STRtree(plane)
    _, near = tree.query(plane[broken], predicate="intersects")
    return np.union1d(np.flatnonzero(broken), near)


def _check(shapes: Geometries, keys: Texts) -> None:
    wrong = shapely.is_empty(shapes) | ~shapely.is_valid(shapes)
    if wrong.any() or not shapely.coverage_is_valid(shapes):
        listed = ", ".join(map(str, keys[wrong][:10])) or "gemeinsame Grenzen"
        raise ImportRefusedError(
            f"Beim Vereinfachen entstünden ungültige Flächen ({listed}). Bitte die Datei auf "
            "Überschneidungen und sehr kleine Flächen prüfen."
        )


def dissolve(geometries: Geometries, groups: Iterable[npt.NDArray[np.int64]]) -> Geometries:
    """One area per group of indexes, dissolved. The areas must share their borders vertex by vertex."""
    parts = list(groups)
    result = np.empty(len(parts), dtype=object)
    for at, members in enumerate(parts):
        result[at] = (
            geometries[members[0]] if len(members) == 1 else shapely.coverage_union_all(geometries[members])
        )
    invalid = ~shapely.is_valid(result)
    if invalid.any():
        result[invalid] = shapely.make_valid(result[invalid], method="structure", keep_collapsed=False)
    return result


def label_points(shapes: Geometries, full: Geometries, crs: CRS) -> Numbers:
    """Longitude and latitude of a point well inside each area (n × 2), rounded to 1e-5 degrees.

    shapes: generalised, EPSG:4326; full: the same areas in their own CRS, in which the point must lie.
    """
    plane = shapely.transform(shapes, lambda points: points * _PLANE)
    tolerance = np.maximum(20.0, np.sqrt(shapely.area(plane)) / 100)
    circles = shapely.maximum_inscribed_circle(plane, tolerance=tolerance)
    centres = shapely.get_coordinates(shapely.get_point(circles, 0))
    points = np.round(centres / _PLANE, 5)
    back = Transformer.from_crs(_WGS84, crs, always_xy=True)
    x, y = back.transform(points[:, 0], points[:, 1])
    outside = ~shapely.contains_xy(full, x, y)
    if outside.any():
        inner = shapely.get_coordinates(shapely.point_on_surface(full[outside]))
        points[outside] = np.round(np.column_stack(to_wgs84(crs).transform(inner[:, 0], inner[:, 1])), 7)
    return points


def as_multi(geometries: Geometries) -> Geometries:
    """Every area as a multi polygon, as the tables hold them, outer rings anticlockwise (RFC 7946, 3.1.6)."""
    parts, index = shapely.get_parts(geometries, return_index=True)
    result: Geometries = shapely.multipolygons(shapely.orient_polygons(parts), indices=index)
    return result


def areas_m2(geometries: Geometries, crs: CRS) -> npt.NDArray[Any]:
    """Area in square metres, in the release's metric CRS or EPSG:25832."""
    area: npt.NDArray[Any] = shapely.area(metric(geometries, crs))
    return area
