"""ZIP archives as offices deliver them, opened without trusting them."""

from __future__ import annotations

import contextlib
import errno
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mapservice.errors import ImportRefusedError

MAX_BYTES = 4 * 1024**3
MAX_RATIO = 200
MAX_MEMBERS = 2000
_RATIO_FROM = 50 * 1024**2
"""A small file of blanks may compress well; a large one that does is a bomb."""

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    OSError,
    ValueError,
)
"""What zipfile raises on truncated, inconsistent or encrypted archives, and, as a kind of RuntimeError, where
it does not know how they were packed; OSError also comes from bzip2.
"""

_DATA_SUFFIXES = (".gpkg", ".shp", ".fgb", ".geojson", ".topojson", ".json", ".gml", ".parquet")
_PART_SUFFIXES = (".dbf", ".shx", ".prj", ".cpg", ".txt")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[list[Path], list[Path]]]:
    """The data files and the text files behind a path: itself, or the unpacked members of a ZIP.

    A ZIP is unpacked into a temporary folder that goes at the end. Raises ImportRefusedError for what is
    damaged, encrypted, too large or leaves the folder; nothing is unpacked then.
    """
    if path.is_dir():
        raise ImportRefusedError(
            f"{path} ist ein Ordner. Bitte die Datei darin nennen, oder das ZIP wie geliefert."
        )
    if not path.is_file():
        raise ImportRefusedError(f"Die Datei {path} gibt es nicht. Bitte Pfad prüfen.")
    if not zipfile.is_zipfile(path):
        if path.suffix.lower() == ".zip" or _starts_like_zip(path):
            raise ImportRefusedError(
                f"{path.name} ist als ZIP unvollständig oder beschädigt. Bitte erneut herunterladen."
            )
        yield [path], []
        return
    with tempfile.TemporaryDirectory(prefix="mapservice-") as folder:
        unpacked = _unpack(path, Path(folder))
        data = [file for file in unpacked if file.suffix.lower() in _DATA_SUFFIXES]
        if not data:
            raise ImportRefusedError(
                f"{path.name} enthält keine Grenzen. Erwartet wird eine Datei mit einer der Endungen "
                + ", ".join(_DATA_SUFFIXES)
                + "."
            )
        yield data, [file for file in unpacked if file.suffix.lower() == ".txt"]


def _starts_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _unpack(path: Path, folder: Path) -> list[Path]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked(path, archive.infolist())
            for member in members:
                target = folder / PurePosixPath(member.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("xb") as copy:
                    shutil.copyfileobj(source, copy, 1024 * 1024)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ImportRefusedError(
                f"{path.name} lässt sich nicht auspacken: Auf dem Datenträger von {folder.parent} ist kein "
                "Platz mehr. Bitte Platz schaffen oder mit TMPDIR einen anderen Ordner nennen."
            ) from error
        raise ImportRefusedError(
            f"{path.name} ist als ZIP unvollständig oder beschädigt. Bitte die Datei erneut herunterladen."
        ) from error
    return [folder / PurePosixPath(member.filename) for member in members]


def _checked(path: Path, entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The members worth unpacking, after every member was looked at."""
    if len(entries) > MAX_MEMBERS:
        raise ImportRefusedError(f"{path.name} enthält mehr als {MAX_MEMBERS} Dateien. Bitte neu packen.")
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        linked = stat.S_ISLNK(entry.external_attr >> 16)
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name.split("/")[0] or linked:
            raise ImportRefusedError(
                f"{path.name} enthält einen Pfad, der aus dem Archiv hinausführt ({name[:80]}). "
                "Die Datei wird nicht geöffnet; bitte die Quelle prüfen."
            )
        if entry.flag_bits & 1:
            raise ImportRefusedError(f"{path.name} ist verschlüsselt. Bitte ohne Kennwort packen.")
    wanted = [
        entry
        for entry in entries
        if not entry.is_dir() and entry.filename.lower().endswith(_DATA_SUFFIXES + _PART_SUFFIXES)
    ]
    size = sum(entry.file_size for entry in wanted)
    packed = max(1, sum(entry.compress_size for entry in wanted))
    if size > MAX_BYTES or (size > _RATIO_FROM and size / packed > MAX_RATIO):
        raise ImportRefusedError(
            f"{path.name} würde ausgepackt {size / 1024**2:.0f} MB groß. "
            f"Erlaubt sind {MAX_BYTES // 1024**2} MB und das {MAX_RATIO}-Fache der gepackten Größe."
        )
    return wanted
