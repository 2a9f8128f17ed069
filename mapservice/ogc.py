"""OGC API - Features below /api: Part 1 (core, GeoJSON, HTML, OpenAPI 3.0) and Part 2 (CRS by reference)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, request, url_for
from sqlalchemy import Connection

from mapservice import feature_pages, features, params
from mapservice.about import current_release
from mapservice.database import Version
from mapservice.errors import ParameterError
from mapservice.layers.areas import Page
from mapservice.responses import GEOJSON, Payload, versioned

blueprint = Blueprint("ogc", __name__, url_prefix="/api")


@blueprint.get("/collections/<name>/items")
@versioned
def items(connection: Connection, version: Version, name: str) -> Payload:
    """Areas of a level page by page; `cursor` goes on where a page ended, `offset` skips."""
    level = params.parse_level(name)
    own = ("detail", "crs", "bbox", "bbox-crs", "limit", "cursor", "offset")
    params.allow_only(request.args, (*params.FILTERS, *own, params.LANGUAGE), single=own)
    query = params.parse_query(request.args, level)
    detail = params.parse_detail(request.args)
    crs, boxes = params.parse_crs(request.args), params.parse_bbox(request.args)
    release = current_release(connection)
    after = params.parse_cursor(request.args, release.id)
    if after is not None and "offset" in request.args:
        raise ParameterError("cursor und offset schließen einander aus.", parameter="offset")
    page = Page(limit=params.parse_limit(request.args), after=after, offset=params.parse_offset(request.args))
    found = feature_pages.find(connection, version, query, detail=detail, crs=crs, boxes=boxes, page=page)

    given: dict[str, Any] = request.args.to_dict(flat=False)
    links = [("self", GEOJSON, url_for(".items", name=name, _external=True, **given))]
    if found.more:
        following = {key: value for key, value in given.items() if key != "offset"}
        following["cursor"] = params.make_cursor(release.id, found.rows[-1].ordinal)
        links.append(("next", GEOJSON, url_for(".items", name=name, _external=True, **following)))
    return Payload(found.geojson(links=features.links(links)), GEOJSON, (feature_pages.content_crs(crs),))


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
