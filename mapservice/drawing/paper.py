"""A paper around a map as PDF/UA-1, for councils and files: WeasyPrint from our own HTML.

Nothing is fetched: the paper may name our own static files and the picture, everything else is refused.
"""

from __future__ import annotations

import io
import logging
import mimetypes
from pathlib import Path
from urllib.parse import unquote

import weasyprint
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from mapservice.drawing import chart, fonts
from mapservice.drawing.picture import OWN_FILES, Job
from mapservice.paths import STATIC

_PICTURE, _CLOSEUP, _FONTS = f"{OWN_FILES}picture", f"{OWN_FILES}closeup", f"{OWN_FILES}font/"
_SVG, _PNG = "image/svg+xml", "image/png"
_SIGNS = "Signs"
"""The family of the forms that tell a status, which the interface's typeface does not have."""

# One line for each property of CSS that it does not know: those of KERN's style sheet are many.
logging.getLogger("weasyprint").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


class OwnFiles(URLFetcher):  # type: ignore[misc]
    """Gives out our static files and the pictures of this paper; no network, no other file.

    pictures: bytes and media type by address.
    """

    def __init__(self, pictures: dict[str, tuple[bytes, str]], cuts: dict[str, Path]) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False)
        self._pictures = pictures
        self._cuts = {f"{_FONTS}{cut}": path for cut, path in cuts.items()}

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url in self._pictures:
            content, media_type = self._pictures[url]
            return URLFetcherResponse(url, io.BytesIO(content), {"Content-Type": media_type})
        if url in self._cuts:
            return URLFetcherResponse(
                url, io.BytesIO(self._cuts[url].read_bytes()), {"Content-Type": "font/ttf"}
            )
        path = (STATIC / unquote(url.removeprefix(OWN_FILES))).resolve()
        if not url.startswith(OWN_FILES) or not path.is_relative_to(STATIC.resolve()) or not path.is_file():
            raise FatalURLFetchingError(f"not one of our files: {url[:200]}")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, io.BytesIO(path.read_bytes()), {"Content-Type": kind})


def write(job: Job, cache: Path) -> bytes:
    """The paper as PDF/UA-1. job.html names the pictures by their addresses among OWN_FILES."""
    form, media_type = ("svg", _SVG) if job.vector else ("png", _PNG)
    pictures = {}
    if job.picture is not None:
        pictures[_PICTURE] = (chart.draw(job.picture, form, cache, text_as_paths=True), media_type)
    if job.closeup is not None:
        pictures[_CLOSEUP] = (chart.draw(job.closeup, "svg", cache, text_as_paths=True), _SVG)
    cuts = fonts.unpacked(cache)
    fetcher = OwnFiles(pictures, {**cuts, _SIGNS: fonts.signs()})
    configuration = FontConfiguration()
    faces = "".join(
        f'@font-face {{ font-family: "{fonts.FAMILY}"; font-weight: {fonts.CUTS[cut]}; '
        f"src: url({_FONTS}{cut}) }}"
        for cut in cuts
    )
    faces += f'@font-face {{ font-family: "{_SIGNS}"; src: url({_FONTS}{_SIGNS}) }}'
    style = weasyprint.CSS(string=faces, base_url=OWN_FILES, url_fetcher=fetcher, font_config=configuration)
    document = weasyprint.HTML(string=job.html, base_url=OWN_FILES, url_fetcher=fetcher)
    written: bytes = document.write_pdf(
        stylesheets=[style], pdf_variant="pdf/ua-1", pdf_tags=True, font_config=configuration
    )
    return written
