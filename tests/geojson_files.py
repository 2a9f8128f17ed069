"""Small GeoJSON files of areas: for tests of the import of boundaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SQUARE = [[7.6, 51.9], [7.7, 51.9], [7.7, 52.0], [7.6, 52.0], [7.6, 51.9]]


def feature(key: str | None, ring: Any = None, kind: str = "Polygon", **properties: Any) -> dict[str, Any]:
    coordinates = [SQUARE if ring is None else ring] if kind == "Polygon" else ring
    geometry = {"type": kind, "coordinates": coordinates} if coordinates else None
    return {
        "type": "Feature",
        "properties": {"ARS": key, "GEN": f"Ort {key}", **properties},
        "geometry": geometry,
    }


def geojson(path: Path, *features: dict[str, Any], **more: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **more}))
    return path


def shifted(dx: float) -> list[list[float]]:
    return [[x + dx, y] for x, y in SQUARE]
