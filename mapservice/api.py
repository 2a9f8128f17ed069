"""JSON and GeoJSON endpoints (docs/api.md). Glue: parameters in, rows from the layers, bytes out."""

from __future__ import annotations

import gzip
from typing import Any

from flask import Blueprint, Flask, Response, request, url_for
from sqlalchemy import Connection, Row, select

from mapservice import features, params, responses, titles
from mapservice.database import Version
from mapservice.domain import Level, Reason, Scope, Status, is_region_key
from mapservice.error_pages import wants_json
from mapservice.errors import ConflictError, NotFoundError, ParameterError, UnavailableError
from mapservice.features import dumps, timestamp
from mapservice.layers import areas, authorities
from mapservice.layers.areas import Page
from mapservice.layers.classes import ValueClass, classes
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection, resolve
from mapservice.models import BoundaryRelease, GeometryFile
from mapservice.responses import (
    GEOJSON,
    JSON,
    Payload,
    accepted_encoding,
    immutable,
    versioned,
)
from mapservice.service import service

blueprint = Blueprint("api", __name__, url_prefix="/api")
DEFAULT_DETAIL = 300
DATA_LICENCE = "https://www.govdata.de/dl-de/by-2-0"


# --- layers -----------------------------------------------------------------------------------------


@blueprint.get("/layers/<name>.geojson")
@versioned
def layer(connection: Connection, version: Version, name: str) -> Payload:
    """A whole level as one FeatureCollection, EPSG:4326."""
    level = params.parse_level(name)
    params.allow_only(request.args, (*params.FILTERS, "detail", params.LANGUAGE), single=("detail",))
    query = params.parse_query(request.args, level)
    detail = params.parse_detail(request.args, DEFAULT_DETAIL)
    return _features(connection, version, query, detail, boxes=(), page=Page())


@blueprint.get("/collections/<name>/items")
@versioned
def items(connection: Connection, version: Version, name: str) -> Payload:
    """Areas of a level page by page; `cursor` goes on where a page ended, `offset` skips."""
    level = params.parse_level(name)
    own = ("detail", "bbox", "limit", "cursor", "offset")
    params.allow_only(request.args, (*params.FILTERS, *own, params.LANGUAGE), single=own)
    query = params.parse_query(request.args, level)
    release = _release(connection)
    after = params.parse_cursor(request.args, release.id)
    if after is not None and "offset" in request.args:
        raise ParameterError("cursor und offset schließen einander aus.", parameter="offset")
    page = Page(limit=params.parse_limit(request.args), after=after, offset=params.parse_offset(request.args))
    boxes = params.parse_bbox(request.args)
    return _features(
        connection, version, query, params.parse_detail(request.args, DEFAULT_DETAIL), boxes=boxes, page=page
    )


def _features(
    connection: Connection,
    version: Version,
    query: Query,
    detail: int,
    *,
    boxes: tuple[areas.Box, ...],
    page: Page,
) -> Payload:
    selection = resolve(connection, query)
    release = _release(connection)
    # One row more than asked for tells whether there is a next page, without counting.
    more = Page(None if page.limit is None else page.limit + 1, page.after, page.offset)
    found = areas.rows(
        connection, query, selection, service().audience, detail=detail, boxes=boxes, page=more
    )
    shown = found if page.limit is None else found[: page.limit]
    members = _said(query, selection, release, version)
    members["numberReturned"] = len(shown)
    if page.limit is not None:
        members["links"] = _item_links(query, release, shown if len(found) > len(shown) else ())
    among = classes(query.measure, selection.size)
    as_of = timestamp(version.changed_at)
    body = features.collection(members, (features.feature(query, row, among, as_of) for row in shown))
    return Payload(body, GEOJSON)


def _item_links(query: Query, release: Row[Any], followed: Any) -> list[dict[str, str]]:
    name = query.level.plural
    given = request.args.to_dict(flat=False)
    found = [("self", GEOJSON, url_for(".items", name=name, _external=True, **given))]  # type: ignore[arg-type]
    if followed:
        following: dict[str, Any] = {key: value for key, value in given.items() if key != "offset"}
        following["cursor"] = params.make_cursor(release.id, followed[-1].ordinal)
        found.append(("next", GEOJSON, url_for(".items", name=name, _external=True, **following)))
    return features.links(found)


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
    detail = params.parse_detail(request.args, DEFAULT_DETAIL)
    selection = resolve(connection, query)
    members = {
        "level": level.plural,
        "measure": query.measure.value,
        "scope": query.scope.code,
        **_said(query, selection, _release(connection), version),
        "classes": [_class_as_json(item) for item in classes(query.measure, selection.size)],
    }
    head = dumps(members)[:-1]
    audience = service().audience
    if form == "keys":
        found, reasons = areas.values_by_key(connection, query, selection, audience)
        return Payload(f'{head},"values":{found},"reasons":{reasons}}}'.encode())
    geometry = _geometry_file(connection, level, detail)
    wanted = request.args.get("geometry")
    if wanted is not None and wanted != geometry.hash:
        raise ConflictError(
            "Diese Geometriedatei ist nicht mehr aktuell. Laden Sie die Geometrie neu.",
            parameter="geometry",
            allowed=[geometry.hash],
        )
    n, of = areas.values_as_array(connection, query, selection, audience)
    extra = dumps(
        {
            "geometry": _geometry_as_json(geometry.hash, detail),
            "reasons": {str(int(reason)): reason.code for reason in Reason},
        }
    )[1:-1]
    return Payload(f'{head},{extra},"n":{n},"of":{of}}}'.encode())


def _class_as_json(item: ValueClass) -> dict[str, Any]:
    return {
        "class": item.code,
        "label": item.label,
        "from": _plain(item.lower),
        "to": None if item.upper is None else _plain(item.upper),
        "colour": item.colour,
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
    detail = params.parse_detail(request.args, DEFAULT_DETAIL)
    return Payload(dumps(_geometry_as_json(_geometry_file(connection, level, detail).hash, detail)).encode())


@blueprint.get("/geometry/<digest>.topojson")
def geometry(digest: str) -> Response:
    """A geometry file by its hash; of stored releases, current or not."""
    encoding = accepted_encoding(request.headers.get("Accept-Encoding", ""))
    column = GeometryFile.brotli if encoding == "br" else GeometryFile.gzip
    with service().reader() as connection:
        body = connection.scalar(select(column).where(GeometryFile.hash == digest).limit(1))
    if body is None:
        raise NotFoundError("Diese Geometriedatei gibt es nicht (mehr). Laden Sie die Karte neu.")
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
            f"Der aktuelle Gebietsstand hat die Ebene {level.plural} nicht.",
            parameter="level",
        )
    return row


def _geometry_as_json(digest: str, detail: int) -> dict[str, Any]:
    return {"hash": digest, "href": url_for(".geometry", digest=digest), "detail": detail}


# --- one area ---------------------------------------------------------------------------------------


@blueprint.get("/areas/<key>")
@versioned
def area(connection: Connection, version: Version, key: str) -> Payload:
    """One area: its authority, counts by subject area in both scopes, and what is offered there by whom."""
    params.allow_only(request.args, (*params.FILTERS, "level", params.LANGUAGE), single=("level",))
    found = _area(connection, key)
    level, audience = Level(found.level), service().audience
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
        "chain": [],
        "levels": [level.plural],
        "counts": {},
        "subjects": {},
        "implementations": [],
        "neighbours": url_for(".neighbours", key=found.key),
        **_release_as_json(_release(connection)),
        **_version_as_json(version),
    }
    if found.authority_id is not None:
        chain = authorities.chain(connection, found.authority_id)
        content["authority"] = _authority_as_json(chain[0])
        content["chain"] = [
            {"ars": row.ars, "name": row.name, "designation": row.designation} for row in chain
        ]
        content["levels"] = [item.plural for item in authorities.levels_of(connection, found.authority_id)]
        offers = authorities.offers(connection, [row.id for row in chain])
        content["implementations"] = [_implementation_as_json(row) for row in offers]
    for scope in Scope:
        total = authorities.totals(connection, found.boundary_id, level, scope, audience)
        content["counts"][scope.code] = _counts_as_json(total)
        content["subjects"][scope.code] = [
            {"slug": row.slug, "name": row.name, **_counts_as_json(row)}
            for row in authorities.counts_by_subject(connection, found.boundary_id, level, scope, audience)
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
        **_release_as_json(_release(connection)),
    }
    return Payload(dumps(content).encode())


def _area(connection: Connection, key: str) -> Row[Any]:
    if not is_region_key(key):
        raise ParameterError(
            "Ein Gebietsschlüssel hat 2, 5, 9 oder 12 Ziffern.",
            parameter="ars",
            allowed=["zum Beispiel 05, 05570 oder 055700040040"],
        )
    level = request.args.get("level")
    found = authorities.find_area(connection, key, params.parse_level(level) if level else None)
    if found is None:
        raise NotFoundError(f"Das Gebiet {key} gibt es im aktuellen Gebietsstand nicht.", parameter="ars")
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
        release = _release(connection)
    content = {"status": "ok", "data_version": version.number, "boundary_release": release.as_of.isoformat()}
    return Response(dumps(content), mimetype=JSON)


# --- what every answer says -------------------------------------------------------------------------


def _release(connection: Connection) -> Row[Any]:
    row = connection.execute(
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
    if row is None:
        raise UnavailableError(
            "Es sind noch keine Verwaltungsgrenzen geladen. Befehl dafür: mapservice import boundaries DATEI"
        )
    return row


def _said(query: Query, selection: Selection, release: Row[Any], version: Version) -> dict[str, Any]:
    return {
        "title": titles.title(query, selection),
        **_release_as_json(release),
        **_version_as_json(version),
    }


def _release_as_json(release: Row[Any]) -> dict[str, Any]:
    return {
        "attribution": release.attribution,
        "attribution_url": release.attribution_url,
        "geometry_licence": release.licence,
        "geometry_licence_url": release.licence_url,
        "boundaries_as_of": release.as_of.isoformat(),
    }


def _version_as_json(version: Version) -> dict[str, Any]:
    return {
        "data_as_of": timestamp(version.changed_at),
        "data_licence": DATA_LICENCE,
        "demonstration": version.demonstration,
    }


# --- cross-origin ------------------------------------------------------------------------


def init_app(app: Flask, cache_mb: int, *, public: bool) -> None:
    """Register the endpoints. public: other origins may read (CORS); never in the internal view."""
    responses.init_app(app, cache_mb)
    app.register_blueprint(blueprint)
    if public:

        def allow_origins(response: Response) -> Response:
            if wants_json():
                response.headers["Access-Control-Allow-Origin"] = "*"
                response.headers["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After"
            return response

        app.after_request(allow_origins)
