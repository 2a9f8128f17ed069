"""OGC API - Tiles, Part 1, below /api: vector tiles of the levels, their metadata, TileJSON and styles."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, request
from flask_babel import gettext as _
from sqlalchemy import Connection

from mapservice import about, held_levels, params, tile_matrices, tile_style, vocabulary
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.errors import N_, NotFoundError
from mapservice.features import dumps
from mapservice.layers import crs, legends
from mapservice.layers import tiles as layer
from mapservice.layers.extents import Extent, extents
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection, resolve
from mapservice.layers.tile_shapes import ZOOM_MOST, Tile
from mapservice.ogc_links import licences, link, to
from mapservice.responses import JSON, Payload, versioned
from mapservice.service import service

blueprint = Blueprint("tiles", __name__, url_prefix="/api")

CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{name}"
    for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30")
)
MVT = "application/vnd.mapbox-vector-tile"
TILESETS_REL = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
_SCHEME_REL = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_QUAD = tile_matrices.ID
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
_COMMON = ("f", params.LANGUAGE)

# --- tiling scheme ----------------------------------------------------------------------------------


@blueprint.get("/tileMatrixSets")
@versioned
def schemes(connection: Connection, version: Version) -> Payload:
    """The tile matrix sets: one."""
    _parameters("json")
    itself = link("self", JSON, to(".scheme"), "WebMercatorQuad")
    known = {"id": _QUAD, "title": _QUAD, "uri": tile_matrices.URI, "links": [itself]}
    return _json({"tileMatrixSets": [known]})


@blueprint.get("/tileMatrixSets/WebMercatorQuad")
@versioned
def scheme(connection: Connection, version: Version) -> Payload:
    """The definition of WebMercatorQuad (OGC 17-083r4)."""
    _parameters("json")
    return _json(tile_matrices.definition())


# --- tilesets ---------------------------------------------------------------------------------------


@blueprint.get("/collections/<name>/tiles")
@versioned
def tilesets(connection: Connection, version: Version, name: str) -> Payload:
    """tsl-op: the tilesets of a collection: one."""
    level = params.parse_level(name)
    _parameters("json", *params.FILTERS)
    query = params.parse_query(request.args, level)
    resolve(connection, query)
    entry = _tileset(connection, level)
    kept = ("title", "dataType", "crs", "tileMatrixSetURI", "links")
    content = {
        "links": [
            link("self", JSON, _here(".tilesets", level), _("Diese Antwort als JSON")),
            link("collection", JSON, to("ogc.collection", name=name), _("Diese Sammlung")),
        ],
        "tilesets": [{key: entry[key] for key in kept}],
    }
    return _json(content)


@blueprint.get("/collections/<name>/tiles/WebMercatorQuad")
@versioned
def tileset(connection: Connection, version: Version, name: str) -> Payload:
    """tileset-op: the tileset's metadata; f=tilejson: as TileJSON."""
    level = params.parse_level(name)
    if _parameters("json", *params.FILTERS, forms=("json", "tilejson")) == "tilejson":
        return _tilejson(connection, version, level)
    resolve(connection, params.parse_query(request.args, level))
    return _json(_tileset(connection, level))


@blueprint.get("/collections/<name>/tiles/WebMercatorQuad/tilejson.json")
@versioned
def tilejson(connection: Connection, version: Version, name: str) -> Payload:
    """TileJSON 3.0.0, whose tiles have the filters of this request."""
    level = params.parse_level(name)
    _parameters("tilejson", *params.FILTERS, forms=("tilejson",))
    return _tilejson(connection, version, level)


@blueprint.get("/collections/<name>/tiles/WebMercatorQuad/<z>/<y>/<x>")
@versioned
def tile(connection: Connection, version: Version, name: str, z: str, y: str, x: str) -> Payload:
    """tc-op: a tile; 204 where no area is."""
    level = params.parse_level(name)
    _parameters("mvt", *params.FILTERS, forms=("mvt",))
    query = params.parse_query(request.args, level)
    wanted = _wanted(z, y, x)
    form = layer.form(level, wanted.z)
    cut = held_levels.cut(connection, level, wanted, form)
    worth = held_levels.tile_values(connection, query)
    body = layer.tile(query, held_levels.atlas(connection, level), worth, cut, form)
    return Payload(body, MVT, status=200 if body else 204, quick=True)


@blueprint.get("/styles/<name>.json")
@versioned
def style(connection: Connection, version: Version, name: str) -> Payload:
    """A MapLibre style of a level: colours by `class`, with the filters of this request."""
    level = params.parse_level(name)
    _parameters("json", *params.FILTERS)
    query = params.parse_query(request.args, level)
    selection = resolve(connection, query)
    among = legends.classes(connection, query, selection, service().audience)
    source = _source(connection, version, level, query, selection)
    return _json(tile_style.style(level, among, source))


# --- parts ------------------------------------------------------------------------------------------


def _parameters(default: str, *allowed: str, forms: tuple[str, ...] = ("json",)) -> str:
    """Refuse unknown parameters; the form that is asked for."""
    params.allow_only(request.args, (*allowed, *_COMMON), single=_COMMON)
    return params.parse_choice(request.args, "f", (default, *(form for form in forms if form != default)))


def _wanted(z: str, y: str, x: str) -> Tile:
    """The tile of an address; NotFoundError where there is none."""
    if _NUMBER.fullmatch(z) and int(z) <= ZOOM_MOST:
        side = 2 ** int(z)
        if all(_NUMBER.fullmatch(part) and int(part) < side for part in (x, y)):
            return Tile(int(z), int(x), int(y))
        raise NotFoundError(
            N_("Auf Stufe %(zoom)s haben Kacheln die Nummern 0 bis %(last)s, erst y, dann x."),
            words={"zoom": int(z), "last": side - 1},
            parameter="tileRow, tileCol",
        )
    raise NotFoundError(
        N_("Kacheln gibt es auf den Stufen 0 bis %(last)s."),
        words={"last": ZOOM_MOST},
        parameter="tileMatrix",
    )


def _filters() -> dict[str, list[str]]:
    """The filters of this request, to go on in addresses."""
    return {name: texts for name, texts in request.args.lists() if name in params.FILTERS}


def _here(endpoint: str, level: Level) -> str:
    given: dict[str, Any] = {"name": level.plural, **_filters()}
    return to(endpoint, **given)


def _template(level: Level, places: str) -> str:
    # Without a language, which changes nothing in a tile, and would make two of it.
    query = urlencode(_filters(), doseq=True)
    path = to(".tileset", name=level.plural).partition("?")[0]
    return f"{path}{places}?{query}" if query else path + places


def _extent(connection: Connection, level: Level) -> Extent:
    extent = extents(connection).get(level)
    if extent is None:
        raise NotFoundError(
            N_("Der aktuelle Gebietsstand hat die Ebene %(level)s nicht."),
            words={"level": level.plural},
            parameter="level",
        )
    return extent


def _tileset(connection: Connection, level: Level) -> dict[str, Any]:
    """Metadata of OGC Two Dimensional Tile Matrix Set, Part 1, section 9."""
    extent, release = _extent(connection, level), about.current_release(connection)
    title, description = vocabulary.level_words(level)
    west, south, east, north = extent.box
    return {
        "title": title,
        "description": description,
        "attribution": release.attribution,
        "dataType": "vector",
        "crs": crs.WEB_MERCATOR.uri,
        "tileMatrixSetURI": tile_matrices.URI,
        "tileMatrixSetLimits": tile_matrices.limits(extent.box, ZOOM_MOST),
        "boundingBox": {
            "lowerLeft": [west, south],
            "upperRight": [east, north],
            "crs": crs.CRS84.uri,
            "orderedAxes": ["Lon", "Lat"],
        },
        "layers": [{"id": level.plural, "title": title, "dataType": "vector", "geometryDimension": 2}],
        "links": [
            link("self", JSON, _here(".tileset", level), _("Die Kacheln dieser Sammlung")),
            {
                **link("item", MVT, _template(level, "/{tileMatrix}/{tileRow}/{tileCol}"), _("Eine Kachel")),
                "templated": True,
            },
            link(_SCHEME_REL, JSON, to(".scheme"), _("Das Kachelschema")),
            link("describedby", JSON, _here(".tilejson", level), "TileJSON"),
            link(
                "http://www.opengis.net/def/rel/ogc/1.0/styles",
                JSON,
                _here(".style", level),
                _("Ein Stil für MapLibre"),
            ),
            link("geodata", JSON, to("ogc.collection", name=level.plural), _("Diese Sammlung")),
            *licences(release),
        ],
    }


def _tilejson(connection: Connection, version: Version, level: Level) -> Payload:
    query = params.parse_query(request.args, level)
    selection = resolve(connection, query)
    said = about.said(query, selection, about.current_release(connection), version)
    content = {
        "tilejson": "3.0.0",
        "name": said.pop("title"),
        "scheme": "xyz",
        **_source(connection, version, level, query, selection),
        "vector_layers": [
            {
                "id": level.plural,
                "description": vocabulary.level_words(level)[1],
                "fields": layer.fields(query.measure),
                "minzoom": 0,
                "maxzoom": ZOOM_MOST,
            }
        ],
        **{name: text for name, text in said.items() if name != "attribution"},
    }
    return Payload(dumps(content).encode(), JSON)


def _source(
    connection: Connection, version: Version, level: Level, query: Query, selection: Selection
) -> dict[str, Any]:
    """What TileJSON and a style's source have in common."""
    said = about.said(query, selection, about.current_release(connection), version)
    return {
        "tiles": [_template(level, "/{z}/{y}/{x}")],
        "minzoom": 0,
        "maxzoom": ZOOM_MOST,
        "bounds": list(_extent(connection, level).box),
        "attribution": said["attribution"],
    }


def _json(content: dict[str, Any]) -> Payload:
    return Payload(dumps(content).encode(), JSON)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
