"""Mapbox Vector Tiles 2.1, encoded: shapes apart from what is said of them.

Shapes stay when values change, so that a tile is put together from encoded shapes and new tags. The format is
small (a protocol buffer of four messages); points are encoded all at once, as arrays.

Own code, since ST_AsMVT cuts and encodes all again for other values: a tile of 1,500 municipalities (zoom 7)
takes it 30 ms, new tags take 4. At a first cut it is as fast, and faster from zoom 9. mapbox_vector_tile
takes 170 ms to encode these shapes, this module 6 (docs/performance.md, portals).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapservice.layers.outlines import Numbers, Outlines

_MOVE_TO, _LINE_TO, _CLOSE = 1 | 1 << 3, 2, 7 | 1 << 3
_POLYGON = b"\x18\x03"
"""Field 3 of a feature: its type."""
_VERSION = b"\x78\x02"
_LAYER, _NAME, _FEATURE, _KEY, _VALUE, _EXTENT = 0x1A, 0x0A, 0x12, 0x1A, 0x22, 0x28
_TAGS, _GEOMETRY = 0x12, 0x22
_TEXT, _UNSIGNED = 0x0A, 0x28


def shapes(outlines: Outlines) -> list[bytes]:
    """The areas' types and geometries, as they stand in features. Coordinates in steps of the tile; rings
    closed, outsides positive where y goes down, holes negative.
    """
    numbers, starts = _commands(outlines)
    data, offsets = _varints(numbers)
    ends = offsets[starts[1:]].tolist()
    begins = offsets[starts[:-1]].tolist()
    return [_POLYGON + _field(_GEOMETRY, data[begin:end]) for begin, end in zip(begins, ends, strict=True)]


def _commands(outlines: Outlines) -> tuple[NDArray[np.uint32], Numbers]:
    """The integers of all geometries, and where each area's begin and the last one's end."""
    sizes = np.diff(outlines.rings) - 1  # the last point closes the ring, which a command says
    ring_of = np.repeat(np.arange(len(sizes)), sizes)
    in_ring = np.arange(len(ring_of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    points = outlines.points[outlines.rings[:-1][ring_of] + in_ring].astype(np.int64)
    # Each point is said by its way from the one before, the first of an area from the tile's corner.
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    first_rings = outlines.polygons[outlines.areas[:-1]]
    first_points = (np.cumsum(sizes) - sizes)[first_rings]
    steps[first_points] = points[first_points]
    steps = (steps << 1) ^ (steps >> 63)
    # A ring: MoveTo, x, y, LineTo, x, y …, ClosePath.
    lengths = 2 * sizes + 3
    begins = np.cumsum(lengths) - lengths
    total = int(lengths.sum())
    numbers = np.empty(total, dtype=np.uint32)
    at = begins[ring_of] + 1 + 2 * in_ring + (in_ring > 0)
    numbers[at], numbers[at + 1] = steps[:, 0], steps[:, 1]
    numbers[begins] = _MOVE_TO
    numbers[begins + 3] = (sizes - 1) << 3 | _LINE_TO
    numbers[begins + lengths - 1] = _CLOSE
    starts = np.append(begins, total)[np.append(first_rings, len(sizes))]
    return numbers, starts


def _varints(numbers: NDArray[np.uint32]) -> tuple[bytes, Numbers]:
    """All as bytes, seven bits each, and where each number's begin and the last one's end."""
    lengths = np.ones(len(numbers), dtype=np.int64)
    for bits in (7, 14, 21, 28):
        lengths += numbers >= np.uint32(1 << bits)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    data = np.empty(offsets[-1], dtype=np.uint8)
    left, at, longer = numbers, offsets[:-1], lengths
    while len(left):
        more = longer > 1
        data[at] = (left & np.uint32(0x7F)) | np.where(more, np.uint32(0x80), np.uint32(0))
        left, at, longer = left[more] >> np.uint32(7), at[more] + 1, longer[more] - 1
    return data.tobytes(), offsets


def tile(
    name: str, extent: int, shapes: Sequence[bytes], properties: Mapping[str, Sequence[str | int | None]]
) -> bytes:
    """A tile of one layer. properties: by name what each area has, None where it has none."""
    numbers: dict[str | int, int] = {}
    tags = [bytearray() for _ in shapes]
    for key, column in enumerate(properties.values()):
        prefix = _varint(key)
        known: dict[Any, bytes] = {}
        for tag, value in zip(tags, column, strict=True):
            if value is None:
                continue
            pair = known.get(value)
            if pair is None:
                pair = known[value] = prefix + _varint(numbers.setdefault(value, len(numbers)))
            tag += pair
    parts = [_VERSION, _field(_NAME, name.encode())]
    parts += [_field(_FEATURE, _field(_TAGS, tag) + shape) for tag, shape in zip(tags, shapes, strict=True)]
    parts += [_field(_KEY, key.encode()) for key in properties]
    parts += [_field(_VALUE, _value(value)) for value in numbers]
    parts.append(bytes([_EXTENT]) + _varint(extent))
    return _field(_LAYER, b"".join(parts))


def _value(value: str | int) -> bytes:
    if isinstance(value, str):
        return _field(_TEXT, value.encode())
    return bytes([_UNSIGNED]) + _varint(value)


def _field(tag: int, content: bytes | bytearray) -> bytes:
    return b"".join((_SINGLE[tag], _varint(len(content)), content))


def _varint(number: int) -> bytes:
    if number < 0x80:
        return _SINGLE[number]
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


_SINGLE = [bytes([number]) for number in range(0x80)]
