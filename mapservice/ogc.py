"""OGC API - Features below /api: Part 1 (core, GeoJSON, HTML, OpenAPI 3.0), Part 2 (CRS by
reference) and Part 3 (filtering with CQL2).

Names in comments, such as fc-links, are those of the standard's requirements.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Flask, Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row

from mapservice import (
    feature_pages,
    held_levels,
    json_schemas,
    level_files,
    ogc_entries,
    openapi,
    params,
    single_features,
    tiles,
    vocabulary,
)
from mapservice.about import current_release, release_as_json, version_as_json
from mapservice.database import Version
from mapservice.domain import Level, is_region_key
from mapservice.errors import N_, NotFoundError, ParameterError
from mapservice.feature_pages import Asked, Found
from mapservice.features import dumps
from mapservice.filter_params import FILTER_PARAMETERS, parse_filter, query_parameters
from mapservice.json_schemas import SCHEMA
from mapservice.layers import area_properties, crs
from mapservice.layers.areas import Page
from mapservice.layers.extents import Extent, extents
from mapservice.ogc_links import (
    QUERYABLES_REL,
    SCHEMA_REL,
    here,
    itself,
    licence_links,
    licences,
    link,
    of_collection,
    to,
)
from mapservice.outline import outline
from mapservice.representations import HTML, answer, as_html, leading, represented
from mapservice.responses import GEOJSON, JSON, Payload, versioned
from mapservice.service import service
from mapservice.sheets import CSV

blueprint = Blueprint("ogc", __name__, url_prefix="/api")

CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    *(
        f"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/{name}"
        for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(
        f"http://www.opengis.net/spec/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "property-property",
        )
    ),
    *tiles.CONFORMANCE,
)
_OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_COMMON = ("f", params.LANGUAGE)
_PROPERTIES = tuple(query_parameters(area_properties.types()))
_ITEMS = (
    *FILTER_PARAMETERS,
    *_PROPERTIES,
    "detail",
    "crs",
    "bbox",
    "bbox-crs",
    "datetime",
    "limit",
    "cursor",
    "offset",
    params.COLUMNS,
    *_COMMON,
)
_ITEM = tuple(name for name in params.FILTERS if name != "within")
_PAGE_DETAIL = 1000
"""Detail of the small maps on pages."""


# --- what there is ----------------------------------------------------------------------------------


@blueprint.get("", strict_slashes=False)
@represented
@versioned
def landing(connection: Connection, version: Version) -> Payload:
    """root-success: links to the definition, conformance and data."""
    params.allow_only(request.args, _COMMON, single=_COMMON)
    release = current_release(connection)
    content = {
        "title": _("OZG-Landkarte"),
        "description": _(
            "Welche Online-Dienste Länder, Kreise, Gemeindeverbände und Gemeinden anbieten: "
            "Verwaltungsgrenzen mit Werten je Gebiet."
        ),
        **release_as_json(release),
        **version_as_json(version),
        "links": [
            *itself(JSON),
            link(
                "service-desc", _OPENAPI, to(".definition"), _("Beschreibung der Schnittstelle, OpenAPI 3.0")
            ),
            link("service-doc", HTML, to(".documentation"), _("Beschreibung der Schnittstelle zum Lesen")),
            link("conformance", JSON, to(".conformance"), _("Was von OGC API umgesetzt ist")),
            link("data", JSON, to(".collections"), _("Ebenen und Umsetzungen als Sammlungen")),
            link(
                "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes",
                JSON,
                to("tiles.schemes"),
                _("Kachelschemata der Vektorkacheln"),
            ),
            *licence_links(_("Lizenz der Daten")),
        ],
    }
    return answer(content, "api/landing.html")


@blueprint.get("/conformance")
@represented
@versioned
def conformance(connection: Connection, version: Version) -> Payload:
    """conformance-success."""
    params.allow_only(request.args, _COMMON, single=_COMMON)
    return answer({"conformsTo": list(CONFORMANCE), "links": itself(JSON)}, "api/conformance.html")


@blueprint.get("/openapi.json")
@versioned
def definition(connection: Connection, version: Version) -> Payload:
    """api-definition-success: the OpenAPI 3.0 document."""
    params.allow_only(request.args, (params.LANGUAGE,), single=(params.LANGUAGE,))
    return Payload(dumps(_document()).encode(), _OPENAPI)


@blueprint.get("/docs")
def documentation() -> Response:
    """The same document as a page."""
    params.allow_only(request.args, (params.LANGUAGE,), single=(params.LANGUAGE,))
    document = _document()
    body = render_template("api/docs.html", document=document, resolve=openapi.resolver(document))
    return Response(body, mimetype=HTML, headers={"Cache-Control": "no-cache"})


def _document() -> dict[str, Any]:
    return openapi.document(to(".landing"), service().settings.contact_mail)


# --- collections ------------------------------------------------------------------------------------


@blueprint.get("/collections")
@represented
@versioned
def collections(connection: Connection, version: Version) -> Payload:
    """fc-md-success."""
    params.allow_only(request.args, _COMMON, single=_COMMON)
    release = current_release(connection)
    content = {
        "title": _("Ebenen und Umsetzungen"),
        "links": [*itself(JSON), *licences(release)],
        "crs": [system.uri for system in crs.ALL],
        "collections": [
            *(
                _collection(level, extent, release, own=False)
                for level, extent in extents(connection).items()
            ),
            ogc_entries.described(connection, release, own=False),
        ],
    }
    return answer(content, "api/collections.html")


@blueprint.get("/collections/<name>")
@represented
@versioned
def collection(connection: Connection, version: Version, name: str) -> Payload:
    """sfc-md-success: as within the list of collections."""
    level = params.parse_level(name)
    params.allow_only(request.args, _COMMON, single=_COMMON)
    content = _collection(level, _extent(connection, level), current_release(connection), own=True)
    return answer(content, "api/collection.html")


@blueprint.get("/collections/<name>/queryables")
@represented
@versioned
def queryables(connection: Connection, version: Version, name: str) -> Payload:
    """Part 3, queryables-op: the properties that a filter may name."""
    level = params.parse_level(name)
    params.allow_only(request.args, _COMMON, single=_COMMON)
    return _described(level, json_schemas.queryables(level, to(".queryables", name=name)))


@blueprint.get("/collections/<name>/schema")
@represented
@versioned
def schema(connection: Connection, version: Version, name: str) -> Payload:
    """What the features have: type, title, unit and explanation of each property."""
    level = params.parse_level(name)
    params.allow_only(request.args, _COMMON, single=_COMMON)
    return _described(level, json_schemas.schema(level, to(".schema", name=name)))


def _described(level: Level, content: dict[str, Any]) -> Payload:
    if not as_html():
        return Payload(dumps(content).encode(), SCHEMA)
    body = render_template(
        "api/properties.html",
        content=content,
        links=itself(SCHEMA),
        collection=vocabulary.level_words(level)[0],
        collection_link=to(".collection", name=level.plural, f="html"),
    )
    return Payload(body.encode(), HTML)


def _extent(connection: Connection, level: Level) -> Extent:
    extent = extents(connection).get(level)
    if extent is None:
        raise NotFoundError(
            N_("Der aktuelle Gebietsstand hat die Ebene %(level)s nicht."),
            words={"level": level.plural},
            parameter="level",
        )
    return extent


def _collection(level: Level, extent: Extent, release: Row[Any], *, own: bool) -> dict[str, Any]:
    """own: its own answer, rather than an entry of the list."""
    name = level.plural
    itself_here = [
        link("self", JSON, to(".collection", name=name), _("Diese Sammlung")),
        link("alternate", HTML, to(".collection", name=name, f="html"), _("Diese Sammlung als Seite")),
    ]
    title, description = vocabulary.level_words(level)
    return {
        "id": name,
        "title": title,
        "description": description + " " + _("%(n)s Gebiete.", n=extent.areas),
        "attribution": release.attribution,
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [list(extent.box)], "crs": crs.CRS84.uri}},
        "crs": [system.uri for system in crs.ALL],
        "storageCrs": crs.CRS84.uri,
        "links": [
            *(itself(JSON) if own else itself_here),
            link("items", GEOJSON, to(".items", name=name), _("Die Gebiete als GeoJSON")),
            link("items", HTML, to(".items", name=name, f="html"), _("Die Gebiete als Seite")),
            link(QUERYABLES_REL, SCHEMA, to(".queryables", name=name), _("Wonach sich filtern lässt")),
            link(SCHEMA_REL, SCHEMA, to(".schema", name=name), _("Die Eigenschaften der Gebiete")),
            link(
                tiles.TILESETS_REL, JSON, to("tiles.tilesets", name=name), _("Die Gebiete als Vektorkacheln")
            ),
            link("enclosure", GEOJSON, to("api.layer", name=name), _("Die ganze Ebene als eine Datei")),
            *(
                link("enclosure", type_, to(f"level_files.{view}", name=name), text)
                for type_, view, text in (
                    (level_files.GEOPACKAGE, "as_geopackage", _("Die ganze Ebene als GeoPackage")),
                    (level_files.FLATGEOBUF, "as_flatgeobuf", _("Die ganze Ebene als FlatGeobuf")),
                    (CSV, "as_csv", _("Die Werte der ganzen Ebene als CSV")),
                )
            ),
            *licences(release),
        ],
    }


# --- features ---------------------------------------------------------------------------------------


@blueprint.get("/collections/<name>/items")
@represented
@versioned
def items(connection: Connection, version: Version, name: str) -> Payload:
    """fc-op: areas of a level page by page; `cursor` goes on where a page ended, `offset` skips."""
    level = params.parse_level(name)
    params.allow_only(request.args, (*params.FILTERS, *_ITEMS), single=_ITEMS)
    query = params.parse_query(request.args, level)
    detail = params.parse_detail(request.args)
    system, boxes = params.parse_crs(request.args), params.parse_bbox(request.args)
    filter_ = parse_filter(request.args, area_properties.types(query.measure))
    params.check_datetime(request.args)
    release = current_release(connection)
    after = params.parse_cursor(request.args, release.id)
    if after is not None and "offset" in request.args:
        raise ParameterError(N_("cursor und offset schließen einander aus."), parameter="offset")
    page = Page(limit=params.parse_limit(request.args), after=after, offset=params.parse_offset(request.args))
    subjects = params.parse_columns(request.args)
    asked = Asked(query, detail, system, boxes, page, filter_=filter_, subjects=subjects)
    if not as_html():
        found = feature_pages.find_texts(connection, version, asked)
        header = feature_pages.content_crs(system)
        body = found.geojson(**_beside(found, asked, release))
        return Payload(body, GEOJSON, (header,), quick=True)
    asked = replace(asked, crs=crs.CRS84, detail=_PAGE_DETAIL)
    shown = feature_pages.find_rows(connection, version, asked)
    content = {**shown.members, "numberReturned": shown.number, **_beside(shown, asked, release)}
    html = render_template(
        "api/items.html",
        content=content,
        collection=vocabulary.level_words(level)[0],
        collection_id=name,
        words={**vocabulary.area_properties(), **vocabulary.subject_properties()},
        rows=[(row.key, leading(shown.properties(row), "name", "value_label")) for row in shown.rows],
        outline=outline(shown),
    )
    return Payload(html.encode(), HTML)


def _beside(found: Found, asked: Asked, release: Row[Any]) -> dict[str, Any]:
    """What a page of areas says beside them: its links, and how many areas match."""
    # fc-timeStamp is left out: with it two workers would send different bytes under one ETag.
    beside: dict[str, Any] = {}
    if asked.page.after is None and not asked.page.offset and not found.more:
        # fc-numberMatched: said where it costs nothing, never counted.
        beside["numberMatched"] = found.number
    links = [*itself(GEOJSON), of_collection(to(".collection", name=asked.query.level.plural))]
    if found.more and found.last is not None:
        following = here(offset=None, cursor=params.make_cursor(release.id, found.last))
        links.append(link("next", HTML if as_html() else GEOJSON, following, _("Die nächste Seite")))
    return {**beside, "links": links}


@blueprint.get("/collections/<name>/items/<key>")
@represented
@versioned
def item(connection: Connection, version: Version, name: str, key: str) -> Payload:
    """f-success: one area by its own key."""
    level = params.parse_level(name)
    known = None if as_html() else single_features.known(connection, version, level, key)
    if known is not None:
        return known
    own = ("detail", "crs", params.COLUMNS, *_COMMON)
    params.allow_only(request.args, (*_ITEM, *own), single=own)
    query = params.parse_query(request.args, level)
    subjects = params.parse_columns(request.args)
    detail, system = params.parse_detail(request.args), params.parse_crs(request.args)
    boundary_id = held_levels.boundary_of(connection, level, key) if is_region_key(key) else None
    if boundary_id is None:
        raise NotFoundError(
            N_("Ein Gebiet mit diesem Schlüssel gibt es auf dieser Ebene nicht."), parameter="featureId"
        )
    asked = Asked(query, detail, system, boundary_id=boundary_id, subjects=subjects)
    links = [*itself(GEOJSON), of_collection(to(".collection", name=name))]
    if not as_html() and not subjects:
        return single_features.answer(connection, version, query, key, detail=detail, crs=system, links=links)
    if not as_html():
        found = feature_pages.find_texts(connection, version, asked)
        body = found.features[0][:-1] + b"," + dumps({"links": links, **found.members})[1:].encode()
        return Payload(body, GEOJSON, (feature_pages.content_crs(system),), quick=True)
    asked = replace(asked, crs=crs.CRS84, detail=params.DETAIL_DEFAULT)
    shown = feature_pages.find_rows(connection, version, asked)
    row = shown.rows[0]
    html = render_template(
        "api/item.html",
        content={**shown.members, "links": links},
        collection=vocabulary.level_words(level)[0],
        collection_id=name,
        key=key,
        words={**vocabulary.area_properties(), **vocabulary.subject_properties()},
        properties=shown.properties(row),
        outline=outline(shown),
        area_link=url_for("pages.area", key=row.authority or row.ars),
    )
    return Payload(html.encode(), HTML)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    ogc_entries.init_app(app)
