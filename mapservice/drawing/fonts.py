"""The interface's typeface, unpacked once: matplotlib reads no WOFF2, WeasyPrint takes seconds for it."""

from __future__ import annotations

import os
from pathlib import Path

from mapservice.paths import STATIC

FAMILY = "Fira Sans"
CUTS = {"Regular": 400, "Medium": 500, "SemiBold": 600}
"""Names and weights."""
_FOLDER = STATIC / "vendor" / "kern" / "fonts" / "fira-sans"
_REGISTERED: set[str] = set()


def unpacked(cache: Path) -> dict[str, Path]:
    """The cuts as TrueType files in the cache folder, by name; those missing at set-up are left out."""
    files = {}
    for cut in CUTS:
        source = _FOLDER / f"FiraSans-{cut}.woff2"
        if not source.is_file():
            continue
        # The size belongs to the name, so that an update of the package is noticed.
        target = cache / f"FiraSans-{cut}-{source.stat().st_size}.ttf"
        if not target.is_file():
            _unpack(source, target)
        files[cut] = target
    return files


def signs() -> Path:
    """A typeface with circles, triangles and squares: comes with matplotlib."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def register(cache: Path) -> list[str]:
    """Make the typeface known to matplotlib. Returns the families to use, the fallback last."""
    from matplotlib.font_manager import fontManager

    families = ["DejaVu Sans"]  # comes with matplotlib, and has far more letters
    for path in unpacked(cache).values():
        if str(path) not in _REGISTERED:
            fontManager.addfont(str(path))
            _REGISTERED.add(str(path))
        families = [FAMILY, "DejaVu Sans"]
    return families


def _unpack(source: Path, target: Path) -> None:
    from fontTools.ttLib import TTFont

    font = TTFont(source)
    font.flavor = None
    # Several workers may do so at once; each writes a file of its own and puts it in place whole.
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    font.save(partial)
    partial.replace(target)
