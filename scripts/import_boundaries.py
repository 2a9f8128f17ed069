#!/usr/bin/env python3
"""Import a boundary file: the same as `mapservice import boundaries FILE`, with the project's environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PYTHON = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "python"


def main() -> None:
    """Run the command by the virtual environment that ./scripts/serve made."""
    python = str(PYTHON) if PYTHON.exists() else sys.executable
    os.execv(python, [python, "-m", "mapservice.cli", "import", "boundaries", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
