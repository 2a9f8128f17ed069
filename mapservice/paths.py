"""Where the folders lie that are not Python: in a checkout beside the package, in the wheel inside it."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_ROOT = PACKAGE.parent


def _resolve(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else _ROOT / name


TEMPLATES = _resolve("templates")
MIGRATIONS = _resolve("migrations")
BUNDLED = _resolve("boundaries")
"""Boundaries that come with the software."""
STATIC = PACKAGE / "static"
TRANSLATIONS = PACKAGE / "translations"
