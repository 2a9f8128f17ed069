#!/usr/bin/env python3
"""Copy what pages need from node_modules/ to mapservice/static/vendor/ (never committed).

    vendor/leaflet/leaflet.js, leaflet.css, images/
    vendor/kern/kern.min.css, fonts/fira-sans.css, fonts/fira-sans/*.woff2

Each folder has the package's LICENSE beside it. axe-core is for tests and stays in node_modules/.
Only the standard library is used, since set-up runs this before anything else is certain.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "mapservice" / "static" / "vendor"

FILES = {
    "leaflet": ("leaflet", ["LICENSE", "dist/leaflet.js", "dist/leaflet.css", "dist/images/*"]),
    "kern": ("@kern-ux/native", ["LICENSE.md", "dist/kern.min.css", "dist/fonts/fira-sans.css"]),
}


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main() -> int:
    VENDOR.parent.mkdir(parents=True, exist_ok=True)
    # Built beside and then renamed, so that a running service never sees half of it.
    with tempfile.TemporaryDirectory(dir=VENDOR.parent, prefix=".vendor-") as folder:
        new = Path(folder) / "vendor"
        for name, (package, patterns) in FILES.items():
            source = PACKAGES / package
            for pattern in patterns:
                found = sorted(source.glob(pattern))
                if not found:
                    print(f"Paket {package}: {pattern} fehlt", file=sys.stderr)
                    return 1
                for file in found:
                    copy(file, new / name / file.relative_to(source).as_posix().removeprefix("dist/"))
        # The package holds 32 cuts, its style sheet names ten: the others would be dead weight in the wheel.
        style = new / "kern" / "fonts" / "fira-sans.css"
        for reference in re.findall(r'url\("\./([^"]+)"\)', style.read_text(encoding="utf-8")):
            copy(PACKAGES / "@kern-ux/native/dist/fonts" / reference, style.parent / reference)
        new.chmod(0o755)
        if VENDOR.exists():
            VENDOR.rename(Path(folder) / "old")
        new.rename(VENDOR)
    return 0


if __name__ == "__main__":
    sys.exit(main())
