"""The operator's base map: tiles of another host, loaded only after a visitor has agreed."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from mapservice.config import Settings


@dataclass(frozen=True)
class Basemap:
    """A base map as pages need it."""

    url: str
    """Template with {z}, {x} and {y}, as Leaflet fills it in."""
    name: str
    attribution: str
    attribution_url: str | None
    max_zoom: int
    """The deepest zoom that the host has tiles for."""

    @property
    def host(self) -> str:
        """Who gets to know the visitor's IP address."""
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> str:
        """The source for img-src of the Content-Security-Policy."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def basemap(settings: Settings) -> Basemap | None:
    """The configured base map; None, the default, is no third party at all."""
    if settings.basemap_url is None:
        return None
    return Basemap(
        settings.basemap_url,
        settings.basemap_name or "",
        settings.basemap_attribution or "",
        settings.basemap_attribution_url,
        settings.basemap_max_zoom,
    )
