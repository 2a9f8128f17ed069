"""The OZG-Landkarte: which authority offers which online service, as maps and layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from mapservice.config import Settings
    from mapservice.database import Database


def create_app(settings: Settings | None = None, database: Database | None = None) -> Flask:
    """The web application. Wires settings, database, blueprints, errors and headers; nothing else.

    settings: from the environment if left out. database: needed unless the settings name an existing
    one; the server passes that of the embedded cluster. Raises ConfigurationError.
    """
    from flask import Flask

    from mapservice import (
        addresses,
        api,
        assets,
        busy,
        coordination,
        dataset,
        dcat,
        downloads,
        embedding,
        error_pages,
        guards,
        headers,
        i18n,
        level_files,
        ogc,
        pages,
        papers,
        pictures,
        portals,
        search_pages,
        sitemap,
        text_pages,
        tiles,
    )
    from mapservice.basemap import basemap
    from mapservice.config import DatabaseUrls, Settings
    from mapservice.database import Database, DataVersions
    from mapservice.domain import Audience
    from mapservice.errors import ConfigurationError
    from mapservice.paths import TEMPLATES
    from mapservice.service import Service, attach

    settings = settings or Settings.from_environment()
    if database is None:
        if settings.public_database_url is None:
            raise ConfigurationError(
                "Ohne MAPSERVICE_PUBLIC_DATABASE_URL startet der Dienst mit: mapservice serve"
            )
        urls = DatabaseUrls(None, settings.internal_database_url, settings.public_database_url)
        database = Database(urls, settings)
    audience = Audience.INTERNAL if settings.view == "internal" else Audience.PUBLIC

    app = Flask("mapservice", static_folder=None, template_folder=str(TEMPLATES))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    attach(app, Service(settings, database, audience, DataVersions(database, audience)))
    i18n.init_app(app)
    assets.init_app(app)
    base = basemap(settings)
    headers.init_app(app, internal=audience is Audience.INTERNAL, tiles=base.origin if base else None)
    guards.init_app(app, settings)
    busy.init_app(app, settings)
    pages.init_app(app)
    search_pages.init_app(app, settings)
    api.init_app(app, settings.cache_mb, public=audience is Audience.PUBLIC)
    ogc.init_app(app)
    tiles.init_app(app)
    level_files.init_app(app)
    downloads.init_app(app)
    dataset.init_app(app)
    text_pages.init_app(app)
    pictures.init_app(app, settings.state_dir)
    papers.init_app(app)
    embedding.init_app(app)
    portals.init_app(app)
    dcat.init_app(app)
    sitemap.init_app(app)
    coordination.init_app(app)
    error_pages.init_app(app)
    addresses.init_app(app, settings)
    return app
