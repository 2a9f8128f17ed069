"""What answers say about the data that they stand on: boundary release, data version, licences."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from mapservice import i18n, titles
from mapservice.database import Version
from mapservice.errors import N_, UnavailableError
from mapservice.features import timestamp
from mapservice.held import remembered
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import BoundaryRelease
from mapservice.service import service


def data_licence() -> str | None:
    """The licence of the entries as the operator set it; made-up data have none."""
    return service().settings.data_licence


def current_release(connection: Connection) -> Row[Any]:
    """Of the current boundary release: id, name, as_of, attribution, attribution_url, licence, licence_url.

    Raises UnavailableError while no boundaries are loaded.
    """
    row = remembered(connection, "current release", lambda: _read_release(connection))
    if row is None:
        raise UnavailableError(
            N_(
                "Es sind noch keine Verwaltungsgrenzen geladen. Befehl dafür: "
                "mapservice import boundaries DATEI"
            )
        )
    return row


def _read_release(connection: Connection) -> Row[Any] | None:
    return connection.execute(
        select(
            BoundaryRelease.id,
            BoundaryRelease.name,
            BoundaryRelease.as_of,
            BoundaryRelease.attribution,
            BoundaryRelease.attribution_url,
            BoundaryRelease.licence,
            BoundaryRelease.licence_url,
        ).where(BoundaryRelease.is_current)
    ).one_or_none()


def release_name(release: Row[Any]) -> str:
    """The release and its day, which many names hold already."""
    day = i18n.date(release.as_of)
    return release.name if day in release.name else f"{release.name}, {day}"


def said(query: Query, selection: Selection, release: Row[Any], version: Version) -> dict[str, Any]:
    """The members that every answer with values carries: what it shows, of when, from whom, on what terms."""
    return {
        "title": titles.title(query, selection),
        "stand": query.stand and query.stand.isoformat(),
        **release_as_json(release),
        **version_as_json(version),
    }


def release_as_json(release: Row[Any]) -> dict[str, Any]:
    return {
        "attribution": release.attribution,
        "attribution_url": release.attribution_url,
        "geometry_licence": release.licence,
        "geometry_licence_url": release.licence_url,
        "boundaries_as_of": release.as_of.isoformat(),
    }


def version_as_json(version: Version) -> dict[str, Any]:
    return {
        "data_as_of": timestamp(version.changed_at),
        "data_licence": None if version.demonstration else data_licence(),
        "demonstration": version.demonstration,
    }
