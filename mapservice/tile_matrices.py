"""The tile matrix set WebMercatorQuad (OGC 17-083r4, annex D)."""

from __future__ import annotations

import math
from typing import Any

from mapservice.layers.crs import WEB_MERCATOR

ID = "WebMercatorQuad"
URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
_CORNER = 20037508.342789244
_PIXELS = 256
_PIXEL_METRES = 0.00028
"""The size of a pixel that scale denominators stand on."""
_LAST = 24


def definition() -> dict[str, Any]:
    """The set as JSON."""
    return {
        "id": ID,
        "title": "Google Maps Compatible for the World",
        "uri": URI,
        "crs": WEB_MERCATOR.uri,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [_matrix(zoom) for zoom in range(_LAST + 1)],
    }


def _matrix(zoom: int) -> dict[str, Any]:
    size = 2 * _CORNER / _PIXELS / 2**zoom
    return {
        "id": str(zoom),
        "scaleDenominator": size / _PIXEL_METRES,
        "cellSize": size,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-_CORNER, _CORNER],
        "tileWidth": _PIXELS,
        "tileHeight": _PIXELS,
        "matrixWidth": 2**zoom,
        "matrixHeight": 2**zoom,
    }


def limits(box: tuple[float, float, float, float], last: int) -> list[dict[str, Any]]:
    """Which rows and columns hold a box of west, south, east, north in degrees, for each zoom to the last."""
    west, south, east, north = box
    return [
        {
            "tileMatrix": str(zoom),
            "minTileRow": _row(zoom, north),
            "maxTileRow": _row(zoom, south),
            "minTileCol": _column(zoom, west),
            "maxTileCol": _column(zoom, east),
        }
        for zoom in range(last + 1)
    ]


def _column(zoom: int, longitude: float) -> int:
    return _within(zoom, (longitude + 180) / 360)


def _row(zoom: int, latitude: float) -> int:
    return _within(zoom, (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2)


def _within(zoom: int, part: float) -> int:
    return min(max(math.floor(part * 2**zoom), 0), 2**zoom - 1)
