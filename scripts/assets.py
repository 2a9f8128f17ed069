#!/usr/bin/env python3
"""Copy what pages need from node_modules/ to mapservice/static/vendor/ (never committed).

    vendor/leaflet/leaflet.js, leaflet.css, images/
    vendor/kern/kern.min.css, fonts/fira-sans.css, fonts/fira-sans/*.woff2
    vendor/app/js, css     our own modules and style sheets, bundled and made small by esbuild
    vendor/app/fonts       the letters of Western and Central Europe alone: a seventh of the typeface's bytes
    vendor/app/sources     checksum of what they were made of (mapservice/assets.py compares)

Each folder has the package's LICENSE beside it. axe-core is for tests and stays in node_modules/.
With --check: exit code 0 if the bundle is that of the present modules, else 1.
Runs in the project's environment: fontTools, which the drawing of PDFs brings along, cuts the typeface.
"""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fontTools import subset

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "mapservice" / "static" / "vendor"

FILES = {
    "leaflet": ("leaflet", ["LICENSE", "dist/leaflet.js", "dist/leaflet.css", "dist/images/*"]),
    "kern": ("@kern-ux/native", ["LICENSE.md", "dist/kern.min.css", "dist/fonts/fira-sans.css"]),
}


LETTERS = [
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x2010, 0x2026),
    (0x202F, 0x2030),
    (0x2039, 0x203A),
    (0x20AC, 0x20AC),
    (0x2122, 0x2122),
    (0x2190, 0x2193),
    (0x2212, 0x2212),
    (0x2264, 0x2265),
]
"""First and last character of each range that vendor/app/fonts holds."""


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


STATIC = ROOT / "mapservice" / "static"
SCRIPTS = (
    *("map", "share", "theme", "pages/embed", "pages/embed_code"),
    *("pages/coordination", "pages/neighbours"),
)
STYLES = ("site", "map", "embed", "matrix")


def sources(static: Path) -> str:
    """Checksum of our own modules and style sheets; mapservice/assets.py has the same."""
    digest = hashlib.sha256()
    for path in sorted([*static.glob("js/**/*.js"), *static.glob("css/*.css")]):
        digest.update(f"{path.relative_to(static).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def cut_font(source: Path, target: Path) -> None:
    """Write the part of a WOFF2 file that LETTERS name, with kerning and figures of both kinds."""
    # It remarks on a table of Fira Sans that no browser reads.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    options = subset.Options(flavor="woff2")
    # Figures of equal width, for columns of numbers; not among what is kept by default.
    options.layout_features.append("tnum")
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in LETTERS for code in range(first, last + 1)])
    subsetter.subset(font)
    subset.save_font(font, target, options)


def ranges(pairs: list[tuple[int, int]]) -> str:
    """As CSS writes them."""
    return ",".join(f"U+{first:X}-{last:X}" for first, last in pairs)


def split_fonts(style: str) -> str:
    """Every @font-face twice: the cut file for LETTERS, the whole one for whatever else a text may hold.

    The cut file is there with the first paint (pages preload it), or not used on this visit: changing letters
    later would move the page. Rare characters may come later.
    """
    ends = [-1, *(last for _, last in LETTERS)]
    starts = [*(first for first, _ in LETTERS), 0x110000]
    others = ranges(
        [(last + 1, first - 1) for last, first in zip(ends, starts, strict=True) if first > last + 1]
    )

    def both(face: re.Match[str]) -> str:
        if "woff2" not in face[0]:
            return face[0]
        cut = face[0].replace("../../kern/fonts/fira-sans/", "../fonts/")
        whole = face[0].replace("{", f"{{font-display:swap;unicode-range:{others};", 1)
        return whole + cut.replace("{", f"{{font-display:optional;unicode-range:{ranges(LETTERS)};", 1)

    return re.sub(r"@font-face\{[^}]*\}", both, style)


def bundle(vendor: Path) -> None:
    """Write vendor/app. Built from a copy beside `vendor`, as the style sheets import from there."""
    with tempfile.TemporaryDirectory(dir=vendor.parent) as folder:
        static = Path(folder)
        for name in ("js", "css"):
            shutil.copytree(STATIC / name, static / name)
        shutil.copytree(vendor, static / "vendor")
        entries = [f"js/{name}.js" for name in SCRIPTS] + [f"css/{name}.css" for name in STYLES]
        options = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8"]
        options += ["--sourcemap", "--sources-content=true", "--legal-comments=none", "--log-level=error"]
        options += ["--external:*.woff2", "--external:*.png", "--outbase=.", "--outdir=vendor/app"]
        # The platform's binary itself: esbuild's own script wants node, which need not be on the path.
        (program,) = PACKAGES.glob("@esbuild/*/bin/esbuild")
        subprocess.run([program, *entries, *options], cwd=static, check=True)
        shutil.copytree(static / "vendor" / "app", vendor / "app")
    for style in (vendor / "app" / "css").glob("*.css"):
        text = style.read_text(encoding="utf-8")
        text = text.replace("./fira-sans/", "../../kern/fonts/fira-sans/")
        text = re.sub(r"url\(images/", "url(../../leaflet/images/", text)
        style.write_text(split_fonts(text), encoding="utf-8")
    fonts = vendor / "app" / "fonts"
    fonts.mkdir()
    for font in (vendor / "kern" / "fonts" / "fira-sans").glob("*.woff2"):
        cut_font(font, fonts / font.name)
    (vendor / "app" / "sources").write_text(sources(STATIC), encoding="utf-8")


def main() -> int:
    made = VENDOR / "app" / "sources"
    if sys.argv[1:] == ["--check"]:
        return 0 if made.is_file() and made.read_text(encoding="utf-8") == sources(STATIC) else 1
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
        bundle(new)
        new.chmod(0o755)
        if VENDOR.exists():
            VENDOR.rename(Path(folder) / "old")
        new.rename(VENDOR)
    return 0


if __name__ == "__main__":
    sys.exit(main())
