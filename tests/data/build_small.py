"""Cut the small boundaries for tests out of the bundled ones: python tests/data/build_small.py"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from boundaries import build_bundled  # noqa: E402
from mapservice.imports import archive, geometry, vector  # noqa: E402
from mapservice.imports.findings import Findings  # noqa: E402

TARGET = Path(__file__).with_name("small_boundaries.zip")
DISTRICTS = ("03154", "04011", "04012", "05515", "05558", "05570", "05915", "07334", "11000")
"""Helmstedt (Samtgemeinden, gemeindefreie Gebiete), Bremen, Münster and around, Germersheim
(Verbandsgemeinden), Berlin."""


def main() -> None:
    """Keep the areas of DISTRICTS, and of the states what is left of them."""
    with archive.opened(build_bundled.TARGET) as (files, _):
        layers = vector.read(files, vector.Mapped(), Findings()).layers
    base = layers[max(layers)]
    base = base.take(np.array([key.startswith(DISTRICTS) for key in base.keys]))
    objects: build_bundled.Objects = {}
    for level, (_, name) in build_bundled.FILES.items():
        layer = layers[level]
        wanted, group = np.unique([key[: vector.KEY_LENGTH[level]] for key in base.keys], return_inverse=True)
        layer = layer.take(np.isin(layer.keys.astype(str), wanted))
        assert layer.keys.tolist() == wanted.tolist()
        members = [np.flatnonzero(group == at) for at in range(len(wanted))]
        objects[name] = (
            geometry.dissolve(base.geometries, members),
            [
                (key, {"ARS": key, "GEN": title, "BEZ": kind, "IBZ": int(code), "GF": 4})
                for key, title, kind, code in zip(
                    layer.keys, layer.names, layer.designations, layer.codes, strict=True
                )
            ],
        )
    build_bundled.write(objects, TARGET)


if __name__ == "__main__":
    main()
