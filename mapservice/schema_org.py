"""schema.org/Dataset in pages, for search engines."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from mapservice import about, i18n, listings
from mapservice.features import dumps, timestamp
from mapservice.service import service


def dataset() -> str | None:
    """The JSON of the block, safe inside HTML. None for what no index should hold, or without borders."""
    held = service()
    version = held.version()
    release = held.kept("current release", listings.current_release)
    if held.internal or version.demonstration or release is None:
        return None
    licence = about.data_licence()
    said: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": _("Online-Dienste der Verwaltungen in Deutschland"),
        "description": _(
            "Welche Behörde welche Verwaltungsleistung online anbietet, daran arbeitet oder es plant."
        ),
        "url": url_for("pages.data", _external=True),
        "inLanguage": i18n.language(),
        "dateModified": timestamp(version.changed_at),
        "isAccessibleForFree": True,
        "spatialCoverage": _("Deutschland"),
        "creditText": release.attribution,
        "distribution": [
            _download("application/zip", url_for("dataset.archive", _external=True)),
            _download("text/turtle", url_for("dcat.catalogue", form="ttl", _external=True)),
        ],
    }
    if licence:
        said["license"] = licence
    if held.settings.publisher:
        said["publisher"] = {"@type": "Organization", "name": held.settings.publisher}
    # dumps() escapes what could end the block.
    return dumps(said)


def _download(media_type: str, address: str) -> dict[str, str]:
    return {"@type": "DataDownload", "encodingFormat": media_type, "contentUrl": address}
