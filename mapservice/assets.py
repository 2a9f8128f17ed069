"""Static files: addresses that hold a version, and compressed answers.

The version stands in the path, not in the query, so that ES modules that import each other by relative
path carry it along and the whole tree may be cached for ever. Pages take our modules and style sheets as
scripts/assets.py bundled them; in a checkout where these were edited since, as they are.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import mimetypes
from pathlib import Path

import brotli
from flask import Blueprint, Flask, Response, abort, request, send_from_directory
from werkzeug.security import safe_join

from mapservice.paths import STATIC
from mapservice.responses import accepted_encoding

_COMPRESSIBLE = {".css", ".js", ".map", ".svg", ".json", ".txt"}
_FOREVER = "public, max-age=31536000, immutable"

blueprint = Blueprint("static_files", __name__)


@functools.cache
def version() -> str:
    """Hash over name, size and time of every static file; another one after every change and set-up."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path.relative_to(STATIC)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:12]


@functools.cache
def _sources() -> str:
    """Checksum of our own modules and style sheets; scripts/assets.py has the same."""
    digest = hashlib.sha256()
    for path in sorted([*STATIC.glob("js/**/*.js"), *STATIC.glob("css/*.css")]):
        digest.update(f"{path.relative_to(STATIC).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def bundled(filename: str) -> str:
    """The bundled form of a file below static/, or the file itself where there is none that is up to date."""
    made = STATIC / "vendor" / "app" / "sources"
    name = f"vendor/app/{filename}"
    current = made.is_file() and made.read_text(encoding="utf-8") == _sources()
    return name if current and (STATIC / name).is_file() else filename


def map_modules() -> list[str]:
    """What the map's module brings with it, to be fetched beforehand: one file, or all of them unbundled."""
    entry = bundled("js/map.js")
    if entry != "js/map.js":
        return [entry]
    names = sorted(path.name for path in (STATIC / "js").glob("*.js"))
    return [f"js/{name}" for name in names if not name.endswith("early.js")]


@functools.cache
def first_fonts() -> list[str]:
    """The cuts of the typeface for a page's first paint; none while pages take the files as they are."""
    names = [bundled(f"fonts/FiraSans-{cut}.woff2") for cut in ("Regular", "Medium", "SemiBold")]
    return [name for name in names if name.startswith("vendor/")]


@functools.cache
def inlined(filename: str) -> str:
    """The text of one of our own small scripts, to stand in the page itself."""
    return (STATIC / filename).read_text(encoding="utf-8")


@functools.lru_cache(maxsize=256)
def _compressed(path: Path, encoding: str) -> bytes:
    content = path.read_bytes()
    return brotli.compress(content, quality=9) if encoding == "br" else gzip.compress(content, 9, mtime=0)


@blueprint.get("/static/<asset_version>/<path:filename>", endpoint="file")
def static_file(asset_version: str, filename: str) -> Response:
    full = safe_join(str(STATIC), filename)
    if full is None or not Path(full).is_file():
        abort(404)
    path = Path(full)
    encoding = (
        accepted_encoding(request.headers.get("Accept-Encoding", ""))
        if path.suffix in _COMPRESSIBLE
        else None
    )
    if encoding is None:
        response = send_from_directory(STATIC, filename, conditional=True)
    else:
        response = Response(_compressed(path, encoding), mimetype=mimetypes.guess_type(path.name)[0])
        response.headers["Content-Encoding"] = encoding
    if path.suffix in _COMPRESSIBLE:
        response.vary.add("Accept-Encoding")
    # A worker started before an update may be asked for the next version's files: never keep those for ever.
    response.headers["Cache-Control"] = _FOREVER if asset_version == version() else "no-cache"
    return response


def init_app(app: Flask) -> None:
    """Serve the files and let `url_for("static_files.file", filename=…)` fill in the version."""

    def fill_version(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static_files.file":
            values.setdefault("asset_version", version())

    app.url_defaults(fill_version)
    app.register_blueprint(blueprint)
