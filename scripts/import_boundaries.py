#!/usr/bin/env python3
"""Import a boundary file: the same as `mapservice import boundaries FILE`, with the project's environment."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"


def main() -> None:
    """Run the command by the virtual environment that ./scripts/serve made, else by this interpreter."""
    if PYTHON.exists():
        python = str(PYTHON)
    elif importlib.util.find_spec("click") and importlib.util.find_spec("mapservice"):
        python = sys.executable
    else:
        sys.exit(
            f"Fehler: Die Python-Umgebung {ROOT / '.venv'} fehlt. Sie entsteht beim ersten Start: "
            f"{ROOT / 'scripts' / 'serve'}"
        )
    os.execv(python, [python, "-m", "mapservice", "import", "boundaries", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
