"""A level of a release -> the TopoJSON file that the map fetches.

Names and the like stand in columns beside the geometries, and what follows from an area's key is left out:
two fifths of the bytes and half of the browser's reading. docs/architecture.md has the contract.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import brotli
import numpy as np

from ..domain import Level, pad_ars
from . import geometry, topology

if TYPE_CHECKING:
    from .prepared import Prepared, PreparedTier

OBJECT = "areas"
"""Name of the object in a geometry file."""
_FIRST = max(geometry.DETAILS)
"""The detail that a visit starts with: worth the packer's effort, a second a megabyte at import."""
_QUALITY = {_FIRST: 11}
_OTHERS = 7
_WINDOW = 24
"""Sixteen megabytes, so that the end of a file is packed knowing its beginning."""


def file_row(release_id: int, level: Level, detail: int, prepared: Prepared) -> dict[str, Any]:
    """The row of `geometry_file`: the document packed both ways, under the hash of its bytes."""
    item = prepared.tiers[level]
    grid = geometry.GRIDS[detail]
    areas: list[topology.Member] = [(str(key), {}) for key in item.tier.keys]
    document = topology.topology({OBJECT: (geometry.as_multi(item.shapes[detail]), areas)}, grid)
    # The members of our own keep two levels or details of equal geometry apart, and the source with it.
    document = {
        "level": level.plural,
        "detail": detail,
        "attribution": prepared.info.attribution,
        "columns": columns(prepared, level, document["transform"]),
        **document,
    }
    data = topology.encode(document)
    return {"release_id": release_id, "level": int(level), "detail": detail, **packed(data, detail)}


def packed(data: bytes, detail: int) -> dict[str, Any]:
    """The columns that a document's bytes make: hash, size, brotli and gzip."""
    return {
        "hash": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "brotli": brotli.compress(data, quality=_QUALITY.get(detail, _OTHERS), lgwin=_WINDOW),
        "gzip": gzip.compress(data, 9 if detail == _FIRST else 6, mtime=0),
    }


def columns(prepared: Prepared, level: Level, transform: dict[str, Any]) -> dict[str, Any]:
    """Properties of a level's areas, each as one list in their order; what the key tells is not there.

    label: longitudes and latitudes in turn, in steps of the transform, each as the difference to the one
    before. authority: only where it is not the key padded to twelve digits, by position. district, state:
    only if they are not the first five and two digits of longer keys.
    """
    item = prepared.tiers[level]
    tier = item.tier
    keys = [str(key) for key in tier.keys]
    found: dict[str, Any] = {
        "name": tier.names.tolist(),
        "designation": _indexed(tier.designations.tolist()),
        "label": _labels(item, transform),
    }
    others = {
        at: None if ars is None else str(ars)
        for at, (key, ars) in enumerate(zip(keys, tier.authorities, strict=True))
        if ars != pad_ars(key)
    }
    if others:
        found["authority"] = others
    for name, parent, digits in (("district", Level.DISTRICT, 5), ("state", Level.STATE, 2)):
        above = _above(prepared, item, parent)
        if above != [key[:digits] if len(key) > digits else None for key in keys]:
            found[name] = _indexed(above)
    return found


def _above(prepared: Prepared, item: PreparedTier, parent: Level) -> list[str | None]:
    if parent not in item.tier.parents:
        return [None] * len(item.tier)
    keys = prepared.tiers[parent].tier.keys
    return [str(keys[at]) for at in item.tier.parents[parent]]


def _indexed(listed: Iterable[str | None]) -> dict[str, Sequence[Any]]:
    """Few values that repeat: those there are, and the number of each area's."""
    numbers: dict[str | None, int] = {}
    of = [numbers.setdefault(value or None, len(numbers)) for value in listed]
    return {"values": list(numbers), "of": of}


def _labels(item: PreparedTier, transform: dict[str, Any]) -> list[int]:
    steps = np.rint((item.labels - transform["translate"]) / transform["scale"]).astype(np.int64)
    steps[1:] -= steps[:-1].copy()
    return [int(number) for number in steps.ravel()]
