"""Opening boundary files: which layers they hold, at which level, of which source, in which CRS.

Known are the BKG's products (VG250, VG250-EW, VG5000, VG25), North Rhine-Westphalia's DVG, and every other
vector file that GDAL reads, with a mapping of its columns. Read without pandas: arrays, WKB to shapely.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio
import pyogrio.raw
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError

from ..domain import Level
from ..errors import ImportRefusedError
from .findings import Findings
from .report import counted

Texts = npt.NDArray[np.object_]
Geometries = npt.NDArray[np.object_]

_BKG_LAYER = re.compile(r"(?:^|.*[_-])(vg\w*?|vg\w*[_-]ew)[_-](lan|krs|vwg|gem)$|^()(lan|krs|vwg|gem)$", re.I)
_BKG_LEVELS = {
    "lan": Level.STATE,
    "krs": Level.DISTRICT,
    "vwg": Level.ASSOCIATION,
    "gem": Level.MUNICIPALITY,
}
_DVG_LAYER = re.compile(r"^dvg\d?(bld|lan|krs|gem)_nw$", re.I)
_DVG_LEVELS = {
    "bld": Level.STATE,
    "lan": Level.STATE,
    "krs": Level.DISTRICT,
    "gem": Level.MUNICIPALITY,
}

ROLES: Mapping[str, tuple[str, ...]] = {
    "key": ("ars", "rs", "regionalschluessel", "ars_0", "rs_0", "kn", "ags", "ags_0", "schluessel", "key"),
    "name": ("gen", "gn", "name", "bezeichner", "gemeinde", "kreis"),
    "designation": ("bez", "art", "bezeichnung", "designation"),
    "code": ("ibz",),
    "gf": ("gf",),
    "population": ("ewz", "einwohner", "population"),
    "date": ("stand", "beginn", "wsk"),
}
"""What a column can mean, and the names that are taken for it where the user names none."""

LEVEL_NAMES = {
    "state": Level.STATE,
    "district": Level.DISTRICT,
    "association": Level.ASSOCIATION,
    "municipality": Level.MUNICIPALITY,
}
LEVEL_COUNTED = {
    Level.STATE: ("Land", "Länder"),
    Level.DISTRICT: ("Kreis", "Kreise"),
    Level.ASSOCIATION: ("Gemeindeverband", "Gemeindeverbände"),
    Level.MUNICIPALITY: ("Gemeinde", "Gemeinden"),
}
"""One of a level, and several."""
LEVEL_GERMAN = {level: many for level, (_, many) in LEVEL_COUNTED.items()}
KEY_LENGTH = {Level.STATE: 2, Level.DISTRICT: 5, Level.ASSOCIATION: 9, Level.MUNICIPALITY: 12}
"""Digits of a boundary's own key at its level."""


@dataclass
class Layer:
    """One level as the file has it. All arrays have one entry per row; rows count from 1.

    keys: as read, text; geometries: shapely or None, in the CRS of the release; codes: IBZ or -1;
    parts: the GF column or -1; populations: -1 where unknown; dates: texts or empty.
    """

    level: Level
    name: str
    keys: Texts
    names: Texts
    designations: Texts
    codes: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int64]
    populations: npt.NDArray[np.int64]
    dates: Texts
    rows: npt.NDArray[np.int64]
    geometries: Geometries
    unreadable: npt.NDArray[np.bool_]

    def take(self, chosen: npt.NDArray[Any]) -> Layer:
        """The layer with the rows of an index or mask."""
        arrays = {name: value[chosen] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return Layer(level=self.level, name=self.name, **arrays)

    def __len__(self) -> int:
        return len(self.keys)


@dataclass
class Mapped:
    """The user's mapping for files that are not laid out as the known products."""

    columns: Mapping[str, str] = field(default_factory=dict)
    levels: Sequence[Level] = ()
    layer: str | None = None


@dataclass
class Source:
    """The layers of all given files. product: `vg` (with its lower-case prefix), `dvg` or `other`."""

    product: str
    prefix: str
    crs: CRS
    layers: dict[Level, Layer]


def read(paths: Sequence[Path], mapped: Mapped, findings: Findings) -> Source:
    """Read the boundary layers of unpacked files. Raises ImportRefusedError, with what to do."""
    chosen = _choose(paths, mapped)
    layers: dict[Level, Layer] = {}
    systems: dict[str, CRS] = {}
    for path, name, level in chosen:
        layer, crs = _read_layer(path, name, level, mapped, findings)
        if layer.level in layers:
            raise ImportRefusedError(
                f"Die Ebene {LEVEL_GERMAN[layer.level]} ist doppelt vorhanden (Schicht {layer.name} und "
                f"{layers[layer.level].name}). Bitte nur eine davon übergeben."
            )
        layers[layer.level] = layer
        systems[layer.name] = crs
    first_crs = next(iter(systems.values()))
    if any(crs != first_crs for crs in systems.values()):
        listed = ", ".join(f"{name}: {crs.name}" for name, crs in systems.items())
        raise ImportRefusedError(
            f"Die Schichten haben verschiedene Koordinatensysteme ({listed}). "
            "Bitte alle im selben Koordinatensystem übergeben."
        )
    product, prefix = _product([name for _, name, _ in chosen])
    return Source(product, prefix, first_crs, dict(sorted(layers.items())))


def _choose(paths: Sequence[Path], mapped: Mapped) -> list[tuple[Path, str, Level | None]]:
    """Which layers to read: those of a known product, else one per file."""
    found = [(path, name) for path in paths for name in _layer_names(path)]
    by_mapping = bool(mapped.columns or mapped.levels or mapped.layer)
    known: list[tuple[Path, str, Level | None]] = [
        (path, name, level) for path, name in found if (level := _known_level(name))
    ]
    if known and not by_mapping:
        return known
    if mapped.layer is not None:
        found = [(path, name) for path, name in found if name.lower() == mapped.layer.lower()]
        if not found:
            raise ImportRefusedError(f"Eine Schicht {mapped.layer} gibt es nicht. Bitte --layer prüfen.")
    if len(found) > len(paths) or not found:
        listed = ", ".join(name for _, name in found) or "keine"
        raise ImportRefusedError(
            f"Keine bekannte Gliederung (VG250, VG5000, VG25, DVG), vorhandene Schichten: {listed}. "
            "Bitte die Schicht mit --layer, die Ebene mit --level und die Spalten mit --column nennen."
        )
    if mapped.levels and len(mapped.levels) != len(found):
        raise ImportRefusedError(
            f"{counted(len(found), 'Schicht', 'Schichten')}, aber "
            f"{counted(len(mapped.levels), 'Ebene', 'Ebenen')}. Bitte je Datei einmal --level."
        )
    levels: Sequence[Level | None] = mapped.levels or [None] * len(found)
    return [(path, name, level) for (path, name), level in zip(found, levels, strict=True)]


def _layer_names(path: Path) -> list[str]:
    try:
        return [str(name) for name, _ in pyogrio.list_layers(path)]
    except (DataSourceError, DataLayerError) as error:
        raise ImportRefusedError(
            f"{path.name} kann nicht gelesen werden: beschädigt oder kein bekanntes Vektorformat "
            "(GeoPackage, Shapefile, GeoJSON, FlatGeobuf …)."
        ) from error


def _known_level(name: str) -> Level | None:
    if match := _BKG_LAYER.match(name):
        return _BKG_LEVELS[(match[2] or match[4]).lower()]
    if match := _DVG_LAYER.match(name):
        return _DVG_LEVELS[match[1].lower()]
    return None


def _product(names: Sequence[str]) -> tuple[str, str]:
    prefixes = {match[1].lower() for name in names if (match := _BKG_LAYER.match(name)) and match[1]}
    if len(prefixes) == 1:
        return "vg", prefixes.pop()
    if all(_DVG_LAYER.match(name) for name in names):
        return "dvg", "dvg"
    return "other", ""


def _read_layer(
    path: Path, name: str, level: Level | None, mapped: Mapped, findings: Findings
) -> tuple[Layer, CRS]:
    try:
        meta, _, wkb, values = pyogrio.raw.read(path, layer=name, force_2d=True)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise ImportRefusedError(
            f"Die Schicht {name} in {path.name} kann nicht gelesen werden: die Datei ist beschädigt. "
            "Bitte erneut herunterladen."
        ) from error
    if wkb is None or len(wkb) == 0:
        raise ImportRefusedError(f"Die Schicht {name} in {path.name} enthält keine Flächen.")
    crs = _crs(path, name, meta["crs"])
    columns = _columns(name, {str(column).lower(): str(column) for column in meta["fields"]}, mapped)
    by_column = {str(field_name): column for field_name, column in zip(meta["fields"], values, strict=True)}
    data = {role: by_column[column] for role, column in columns.items()}
    count = len(wkb)
    geometries = shapely.from_wkb(wkb, on_invalid="ignore")
    missing = np.array([value is None for value in wkb])
    keys = _texts(data["key"], count)
    designations = _texts(data.get("designation"), count)
    layer = Layer(
        level=level or _known_level(name) or _level_of_keys(name, keys),
        name=name,
        keys=keys,
        names=_texts(data.get("name"), count),
        designations=designations,
        codes=_integers(data.get("code"), count),
        parts=_integers(data.get("gf"), count),
        populations=_integers(data.get("population"), count),
        dates=_texts(data.get("date"), count),
        rows=np.arange(1, count + 1),
        geometries=geometries,
        unreadable=shapely.is_missing(geometries) & ~missing,
    )
    if "name" not in columns:
        findings.notes.append(f"Schicht {name}: keine Spalte mit Namen; Namen kommen aus dem Schlüssel.")
    return layer, crs


def _columns(layer: str, available: Mapping[str, str], mapped: Mapped) -> dict[str, str]:
    """Role -> column of the file: the user's word first, then the known names."""
    columns = {}
    for role, column in mapped.columns.items():
        if column.lower() not in available:
            raise ImportRefusedError(
                f"Schicht {layer}: eine Spalte {column} gibt es nicht, vorhanden sind: "
                f"{', '.join(available.values()) or 'keine'}. Bitte --column {role}=… berichtigen."
            )
        columns[role] = available[column.lower()]
    for role, names in ROLES.items():
        found = next((available[name] for name in names if name in available), None)
        if role not in columns and found is not None:
            columns[role] = found
    if "key" not in columns:
        raise ImportRefusedError(
            f"Schicht {layer}: keine Spalte mit dem Schlüssel (ARS, AGS, KN), vorhanden sind: "
            f"{', '.join(available.values()) or 'keine'}. Bitte mit --column key=SPALTE nennen."
        )
    return columns


def _crs(path: Path, layer: str, text: str | None) -> CRS:
    if not text:
        # TopoJSON has no way to name another CRS, and its areas are degrees by convention like GeoJSON's;
        # the check of the coordinates follows.
        if path.suffix.lower() == ".topojson":
            return CRS.from_epsg(4326)
        raise ImportRefusedError(
            f"Die Schicht {layer} in {path.name} nennt kein Koordinatensystem. Bitte die Datei mit "
            "Koordinatensystem übergeben, bei Shapefiles samt .prj (etwa mit ogr2ogr -a_srs EPSG:25832)."
        )
    try:
        crs = CRS.from_user_input(text)
    except CRSError as error:
        raise ImportRefusedError(
            f"Das Koordinatensystem der Schicht {layer} in {path.name} ist unbekannt. "
            "Bitte in EPSG:25832 umprojizieren."
        ) from error
    if crs.to_epsg(min_confidence=40) is None:
        raise ImportRefusedError(
            f"Das Koordinatensystem der Schicht {layer} ({crs.name[:60]}) hat keine EPSG-Nummer. "
            "Bitte in EPSG:25832 umprojizieren."
        )
    return crs


def _level_of_keys(layer: str, keys: Texts) -> Level:
    lengths = {len(key) for key in keys}
    by_length = {2: Level.STATE, 5: Level.DISTRICT, 9: Level.ASSOCIATION, 8: Level.MUNICIPALITY, 12: None}
    levels = {by_length.get(length) for length in lengths}
    if levels == {None} and 12 in lengths and any(not key.endswith("0000000") for key in keys):
        return Level.MUNICIPALITY
    if len(levels) == 1 and (level := levels.pop()) is not None:
        return level
    raise ImportRefusedError(
        f"Die Ebene der Schicht {layer} geht aus ihren Schlüsseln nicht hervor. Bitte --level angeben: "
        + ", ".join(LEVEL_NAMES)
        + "."
    )


def _texts(values: npt.NDArray[Any] | None, count: int) -> Texts:
    result = np.full(count, "", dtype=object)
    if values is None:
        return result
    if values.dtype.kind == "f":
        result[:] = ["" if np.isnan(value) else f"{value:.0f}" for value in values]
    elif values.dtype.kind == "M":
        result[:] = ["" if np.isnat(value) else str(value)[:10] for value in values]
    else:
        result[:] = ["" if value is None else str(value).replace("\x00", "").strip() for value in values]
    return result


def _integers(values: npt.NDArray[Any] | None, count: int) -> npt.NDArray[np.int64]:
    result = np.full(count, -1, dtype=np.int64)
    if values is None:
        return result
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    for position, value in enumerate(values):
        try:
            result[position] = int(float(value))
        except (TypeError, ValueError, OverflowError):
            continue
    return result
