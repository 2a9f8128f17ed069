"""JSON and GeoJSON endpoints (docs/api.md). Glue: parameters in, rows from the layers, bytes out."""

from __future__ import annotations

import gzip
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row, select

from mapservice import area_pages, feature_pages, held, params, profiles, responses, results, titles
from mapservice.about import current_release, release_as_json, said, version_as_json
from mapservice.database import Version
from mapservice.domain import Level, Measure, Reason, Scope, Status, is_region_key
from mapservice.error_pages import wants_json
from mapservice.errors import N_, ConflictError, NotFoundError, ParameterError
from mapservice.features import dumps
from mapservice.layers import areas, authorities, legends, place_names
from mapservice.layers import facets as layer_facets
from mapservice.layers.classes import ValueClass
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.layers.standing import Standing, standing
from mapservice.models import BoundaryRelease, GeometryFile
from mapservice.responses import (
    JSON,
    Payload,
    accepted_encoding,
    immutable,
    versioned,
)
from mapservice.service import service

blueprint = Blueprint("api", __name__, url_prefix="/api")
_EXPOSED = "ETag, Content-Crs, Content-Range, Retry-After"


# --- layers -----------------------------------------------------------------------------------------


@blueprint.get("/layers/<name>.geojson")
@versioned
def layer(connection: Connection, version: Version, name: str) -> Payload:
    """A whole level as one FeatureCollection, EPSG:4326 with longitude first unless `crs` says otherwise."""
    level = params.parse_level(name)
    own = ("detail", "crs", params.COLUMNS)
    params.allow_only(request.args, (*params.FILTERS, *own, params.LANGUAGE), single=own)
    query = params.parse_query(request.args, level)
    detail, subjects = params.parse_detail(request.args), params.parse_columns(request.args)
    crs = params.parse_crs(request.args, short=True)
    # GeoJSON of 2008: readers that know no other way take the system from this member.
    named = {} if crs.geographic else {"crs": {"type": "name", "properties": {"name": crs.urn}}}
    return feature_pages.whole(
        connection, version, query, detail=detail, crs=crs, subjects=subjects, further=named
    )


# --- values -----------------------------------------------------------------------------------------


@blueprint.get("/values/<name>")
@versioned
def values(connection: Connection, version: Version, name: str) -> Payload:
    """Values without geometry, for recolouring: by key, or in the order of the geometry file."""
    level = params.parse_level(name)
    own = ("format", "detail", "geometry")
    params.allow_only(request.args, (*params.FILTERS, *own, params.LANGUAGE), single=own)
    query = params.parse_query(request.args, level)
    form = params.parse_format(request.args, ("keys", "array"), "keys")
    detail = params.parse_detail(request.args)
    selection = resolve(connection, query)
    audience = service().audience
    arrays = areas.values_as_array(connection, query, selection, audience) if form == "array" else None
    members = {
        "level": level.plural,
        "measure": query.measure.value,
        "scope": query.scope.code,
        **said(query, selection, current_release(connection), version),
        "method": query.classing.method.value,
        "classes": [
            _class_as_json(item) for item in legends.classes(connection, query, selection, audience, arrays)
        ],
    }
    head = dumps(members)[:-1]
    if arrays is None:
        found, reasons = areas.values_by_key(connection, query, selection, audience)
        return Payload(f'{head},"values":{found},"reasons":{reasons}}}'.encode())
    geometry = _geometry_file(connection, level, detail)
    wanted = request.args.get("geometry")
    if wanted is not None and wanted != geometry.hash:
        raise ConflictError(
            N_("Diese Geometriedatei ist nicht mehr aktuell. Laden Sie die Geometrie neu."),
            parameter="geometry",
            allowed=[geometry.hash],
        )
    n, of = arrays
    extra = dumps(
        {
            "geometry": _geometry_as_json(geometry.hash, detail),
            "result": results.sentence(query, selection, n, of),
            "where": results.where(query.within) or _("in Deutschland"),
            "reasons": {str(int(reason)): reason.code for reason in Reason},
        }
    )[1:-1]
    return Payload(f'{head},{extra},"n":{n},"of":{of}}}'.encode())


@blueprint.get("/facets/<name>")
@versioned
def facets(connection: Connection, version: Version, name: str) -> Payload:
    """How many services each subject area and life situation would show, for the form."""
    level = params.parse_level(name)
    params.allow_only(request.args, (*params.FILTERS, params.LANGUAGE))
    query = params.parse_query(request.args, level)
    found = layer_facets.facets(connection, query, resolve(connection, query), service().audience)
    content = {"level": level.plural, "scope": query.scope.code, **asdict(found)}
    return Payload(dumps(content).encode())


def _class_as_json(item: ValueClass) -> dict[str, Any]:
    return {
        "class": item.code,
        "label": titles.class_label(item),
        "from": _plain(item.lower),
        "to": None if item.upper is None else _plain(item.upper),
        "colour": item.colour,
        "dark": item.dark,
    }


def _plain(number: Any) -> int | float:
    return int(number) if number.denominator == 1 else float(number)


# --- geometry ---------------------------------------------------------------------------------------


@blueprint.get("/geometry")
@versioned
def current_geometry(connection: Connection, version: Version) -> Payload:
    """The current geometry file of a level and detail."""
    params.allow_only(request.args, ("level", "detail", params.LANGUAGE), single=("level", "detail"))
    level = params.parse_level(request.args.get("level", Level.DISTRICT.plural))
    detail = params.parse_detail(request.args)
    return Payload(dumps(_geometry_as_json(_geometry_file(connection, level, detail).hash, detail)).encode())


@blueprint.get("/geometry/<digest>.topojson")
def geometry(digest: str) -> Response:
    """A geometry file by its hash; of stored releases, current or not."""
    encoding = accepted_encoding(request.headers.get("Accept-Encoding", ""))
    column = GeometryFile.brotli if encoding == "br" else GeometryFile.gzip
    with service().reader() as connection:
        body = connection.scalar(select(column).where(GeometryFile.hash == digest).limit(1))
    if body is None:
        raise NotFoundError(N_("Diese Geometriedatei gibt es nicht (mehr). Laden Sie die Karte neu."))
    if encoding is None:
        body = gzip.decompress(body)
    return immutable(body, JSON, encoding, f'"{digest[:32]}-{encoding or "plain"}"')


def _geometry_file(connection: Connection, level: Level, detail: int) -> Row[Any]:
    row = connection.execute(
        select(GeometryFile.hash)
        .join(BoundaryRelease, BoundaryRelease.id == GeometryFile.release_id)
        .where(BoundaryRelease.is_current, GeometryFile.level == int(level), GeometryFile.detail == detail)
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            N_("Der aktuelle Gebietsstand hat die Ebene %(level)s nicht."),
            words={"level": level.plural},
            parameter="level",
        )
    return row


def _geometry_as_json(digest: str, detail: int) -> dict[str, Any]:
    return {"hash": digest, "href": url_for(".geometry", digest=digest), "detail": detail}


@blueprint.get("/names")
@versioned
def names(connection: Connection, version: Version) -> Payload:
    """Names for the map, [name, longitude, latitude]: states (key first), districts, the first towns."""
    params.allow_only(request.args, (params.LANGUAGE,))

    def listed(rows: list[Row[Any]]) -> list[list[Any]]:
        # Hundredths of a degree, about a kilometre: a name is wider than that.
        return [[row.name, round(row.lon, 2), round(row.lat, 2)] for row in rows]

    states = place_names.regions(connection, Level.STATE)
    content = {
        "states": [[row.key, *name] for row, name in zip(states, listed(states), strict=True)],
        "districts": listed(place_names.regions(connection, Level.DISTRICT)),
        "towns": listed(place_names.towns(connection)),
        **release_as_json(current_release(connection)),
    }
    return Payload(dumps(content).encode())


# --- one area ---------------------------------------------------------------------------------------


@blueprint.get("/areas/<key>")
@versioned
def area(connection: Connection, version: Version, key: str) -> Payload:
    """One area: its authority, its value among the others in this filter, counts by subject area in both
    scopes, and what is offered there by whom. format=html: as the map's panel shows it.
    """
    own = ("level", "format")
    params.allow_only(request.args, (*params.FILTERS, *own, params.LANGUAGE), single=own)
    form = params.parse_format(request.args, ("json", "html"), "json")
    found = _area(connection, key)
    level, audience = Level(found.level), service().audience
    query = params.parse_query(request.args, level)
    if form == "html":
        shown = profiles.made(connection, found, found.authority_id, audience, lambda _level: query)
        text = render_template("area_panel.html", **area_pages.content(connection, shown))
        return Payload(text.encode(), "text/html")
    content: dict[str, Any] = {
        "ars": found.ars,
        "key": found.key,
        "level": level.plural,
        "name": found.name,
        "designation": found.designation,
        "population": found.population,
        "label": [round(found.lon, 5), round(found.lat, 5)],
        "bbox": [found.west, found.south, found.east, found.north],
        "authority": None,
        "standing": _standing_as_json(
            query, standing(connection, query, resolve(connection, query), audience, found.boundary_id)
        ),
        "chain": [],
        "levels": [level.plural],
        "counts": {},
        "subjects": {},
        "implementations": [],
        "neighbours": url_for(".neighbours", key=found.key),
        **release_as_json(current_release(connection)),
        **version_as_json(version),
    }
    if found.authority_id is not None:
        chain = authorities.chain(connection, found.authority_id)
        content["authority"] = _authority_as_json(chain[0])
        content["chain"] = [
            {
                "ars": row.ars,
                "name": row.name,
                "designation": row.designation,
                "role": profiles.role(chain[0].ars, row.ars),
            }
            for row in chain
        ]
        content["levels"] = [item.plural for item in authorities.levels_of(connection, found.authority_id)]
        offers = authorities.offers(connection, [row.id for row in chain], query.stand)
        content["implementations"] = [
            {**_implementation_as_json(row), "in_filter": profiles.matches(query, row)} for row in offers
        ]
    for scope in Scope:
        asked = (connection, found.boundary_id, level, scope, audience, query.stand)
        total = authorities.totals(*asked)
        content["counts"][scope.code] = _counts_as_json(total)
        content["subjects"][scope.code] = [
            {"slug": row.slug, "name": titles.subject_name(row.name), **_counts_as_json(row)}
            for row in authorities.counts_by_subject(*asked)
        ]
    return Payload(dumps(content).encode())


@blueprint.get("/neighbours/<key>")
@versioned
def neighbours(connection: Connection, version: Version, key: str) -> Payload:
    """Areas of the same level that share a border line, longest first; the own district comes along."""
    params.allow_only(request.args, ("level", params.LANGUAGE), single=("level",))
    found = _area(connection, key)
    own_district = None
    if found.authority_id is not None and found.level > Level.DISTRICT:
        above = authorities.chain(connection, found.authority_id)[1:]
        own_district = next(
            ({"ars": row.ars, "name": row.name} for row in above if row.ars[5:] == "0000000"), None
        )
    content = {
        "ars": found.ars,
        "key": found.key,
        "name": found.name,
        "level": Level(found.level).plural,
        "district": own_district,
        "neighbours": [
            {
                "key": row.key,
                "ars": row.ars,
                "authority": row.authority,
                "name": row.name,
                "designation": row.designation,
                "shared_m": round(row.shared_m),
            }
            for row in authorities.neighbours(connection, found.boundary_id)
        ],
        **release_as_json(current_release(connection)),
    }
    return Payload(dumps(content).encode())


def _area(connection: Connection, key: str) -> Row[Any]:
    if not is_region_key(key):
        raise ParameterError(
            N_("Ein Gebietsschlüssel hat 2, 5, 9 oder 12 Ziffern."),
            parameter="ars",
            allowed=["zum Beispiel 05, 05570 oder 055700040040"],
        )
    level = request.args.get("level")
    found = authorities.find_area(connection, key, params.parse_level(level) if level else None)
    if found is None:
        raise NotFoundError(
            N_("Das Gebiet %(key)s gibt es im aktuellen Gebietsstand nicht."),
            words={"key": key},
            parameter="ars",
        )
    return found


def _authority_as_json(row: Row[Any]) -> dict[str, Any]:
    names = (
        "ars",
        "name",
        "designation",
        "website",
        "service_portal",
        "public_contact",
        "population",
        "postcode",
    )
    return {"contact" if name == "public_contact" else name: getattr(row, name) for name in names}


def _standing_as_json(query: Query, stands: Standing) -> dict[str, Any]:
    is_status = query.measure is Measure.STATUS and stands.reason is None
    return {
        "measure": query.measure.value,
        "scope": query.scope.code,
        "n": None if stands.reason is not None or is_status else stands.n,
        "of": None if stands.reason is not None else stands.of,
        "value": Status(stands.status).code if is_status else _rounded(stands.value),
        "reason": None if stands.reason is None else Reason(stands.reason).code,
        "rank": stands.rank and stands.rank[0],
        "ranked": stands.rank and stands.rank[1],
        "averages": [
            {
                "level": average.level and average.level.plural,
                "key": average.key,
                "name": average.name,
                "value": _rounded(average.value),
                "areas": average.areas,
            }
            for average in stands.averages
        ],
    }


def _rounded(value: float | None) -> float | int | None:
    if value is None:
        return None
    three = area_pages.rounded(value, 3)
    return int(three) if three.is_integer() else three


def _counts_as_json(row: Row[Any] | None) -> dict[str, Any]:
    if row is None or row.reason is not None:
        reason = None if row is None else Reason(row.reason).code
        return {"total": None, "online": None, "in_progress": None, "planned": None, "reason": reason}
    return {
        "total": row.of,
        "online": row.online,
        "in_progress": row.in_progress,
        "planned": row.planned,
        "reason": None,
    }


def _implementation_as_json(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "authority": row.offered_by,
        "authority_name": row.offered_by_name,
        "service": row.service,
        "service_name": row.service_name,
        "bundle": row.bundle,
        "bundle_name": row.bundle_name,
        "subject": row.subject,
        "status": Status(row.status).code,
        "url": row.url,
        "solution": row.solution,
        "reusable": row.reusable,
        "contact": row.public_contact,
        "online_since": row.online_since.isoformat() if row.online_since else None,
        "planned_until": row.planned_until.isoformat() if row.planned_until else None,
        "as_of": row.as_of.isoformat() if row.as_of else None,
        "source": row.source,
    }


# --- health -----------------------------------------------------------------------------------------


@blueprint.get("/health")
def health() -> Response:
    """200 while the database answers and has a current boundary release; else 503."""
    with service().reader() as connection:
        version = service().versions.read(connection)
        release = current_release(connection)
    content = {"status": "ok", "data_version": version.number, "boundary_release": release.as_of.isoformat()}
    return Response(dumps(content), mimetype=JSON)


# --- cross-origin ------------------------------------------------------------------------


def init_app(app: Flask, cache_mb: int, *, public: bool) -> None:
    """Register the endpoints. public: other origins may read (CORS); never in the internal view."""
    responses.init_app(app, cache_mb)
    held.init_app(app, cache_mb)
    app.register_blueprint(blueprint)
    if public:

        def allow_origins(response: Response) -> Response:
            if wants_json():
                response.headers["Access-Control-Allow-Origin"] = "*"
                response.headers["Access-Control-Expose-Headers"] = _EXPOSED
                if request.method == "OPTIONS":  # what a browser asks before a script sends these
                    response.headers["Access-Control-Allow-Headers"] = "If-None-Match, If-Range, Range"
            return response

        app.after_request(allow_origins)
