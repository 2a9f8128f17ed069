"""The collection `implementations` of the OGC API: one feature per implementation that the audience sees."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from typing import Any

from flask import Blueprint, Flask, render_template, request
from flask_babel import gettext as _
from sqlalchemy import Connection, Row
from werkzeug.datastructures import MultiDict

from mapservice import json_schemas, params, vocabulary
from mapservice.about import current_release, data_licence, release_as_json, version_as_json
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.errors import N_, NotFoundError, ParameterError
from mapservice.feature_pages import content_crs
from mapservice.features import collection, dumps
from mapservice.filter_params import FILTER_PARAMETERS, parse_filter, query_parameters
from mapservice.json_schemas import SCHEMA
from mapservice.layers import crs, entries
from mapservice.layers.entries import TYPES, Wanted
from mapservice.layers.extents import extents
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.ogc_links import QUERYABLES_REL, SCHEMA_REL, here, itself, licences, link, to
from mapservice.representations import HTML, answer, as_html, leading, represented
from mapservice.responses import GEOJSON, JSON, Payload, versioned

blueprint = Blueprint("entries", __name__, url_prefix="/api/collections/implementations")

NAME = "implementations"
_COMMON = ("f", params.LANGUAGE)
_ITEM = ("crs", "detail", "geometry", *_COMMON)
_PAGE = ("limit", "cursor", "bbox", "bbox-crs", "datetime")
_ITEMS = (*FILTER_PARAMETERS, *query_parameters(TYPES), *_PAGE, *_ITEM)
_SHAPES = ("area", "point")


@blueprint.get("")
@represented
@versioned
def description(connection: Connection, version: Version) -> Payload:
    """sfc-md-success."""
    params.allow_only(request.args, _COMMON, single=_COMMON)
    return answer(described(connection, current_release(connection), own=True), "api/collection.html")


def described(connection: Connection, release: Row[Any], *, own: bool) -> dict[str, Any]:
    """The collection; own: as its own answer, rather than an entry of the list."""
    boxes = [extent.box for extent in extents(connection).values()]
    sides = list(zip(*boxes, strict=True))
    box = [min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])] if sides else [-180, -90, 180, 90]
    title, text = vocabulary.implementations_words()
    listed = [
        link("self", JSON, to("entries.description"), _("Diese Sammlung")),
        link("alternate", HTML, to("entries.description", f="html"), _("Diese Sammlung als Seite")),
    ]
    return {
        "id": NAME,
        "title": title,
        "description": text,
        "attribution": release.attribution,
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [box], "crs": crs.CRS84.uri}},
        "crs": [system.uri for system in crs.ALL],
        "storageCrs": crs.CRS84.uri,
        "links": [
            *(itself(JSON) if own else listed),
            link("items", GEOJSON, to("entries.items"), _("Die Umsetzungen als GeoJSON")),
            link("items", HTML, to("entries.items", f="html"), _("Die Umsetzungen als Seite")),
            link(QUERYABLES_REL, SCHEMA, to("entries.queryables"), _("Wonach sich filtern lässt")),
            link(SCHEMA_REL, SCHEMA, to("entries.schema"), _("Die Eigenschaften der Umsetzungen")),
            *licences(release),
        ],
    }


@blueprint.get("/queryables")
@represented
@versioned
def queryables(connection: Connection, version: Version) -> Payload:
    """Part 3, queryables-op."""
    params.allow_only(request.args, _COMMON, single=_COMMON)
    return _schema_page(json_schemas.entries_queryables(to("entries.queryables")))


@blueprint.get("/schema")
@represented
@versioned
def schema(connection: Connection, version: Version) -> Payload:
    """What the features have."""
    params.allow_only(request.args, _COMMON, single=_COMMON)
    return _schema_page(json_schemas.entries_schema(to("entries.schema")))


def _schema_page(content: dict[str, Any]) -> Payload:
    if not as_html():
        return Payload(dumps(content).encode(), SCHEMA)
    body = render_template(
        "api/properties.html",
        content=content,
        links=itself(SCHEMA),
        collection=vocabulary.implementations_words()[0],
        collection_link=to("entries.description", f="html"),
    )
    return Payload(body.encode(), HTML)


@blueprint.get("/items")
@represented
@versioned
def items(connection: Connection, version: Version) -> Payload:
    """fc-op: page by page in the order of the ids, which stay, so that none is skipped or repeated."""
    arguments = request.args
    params.allow_only(arguments, (*params.ENTRY_FILTERS, *_ITEMS), single=_ITEMS)
    query, of_properties = _query(arguments)
    limit = params.parse_limit(arguments)
    params.check_datetime(arguments)
    system, detail, point = _form()
    wanted = Wanted(
        query,
        resolve(connection, query),
        by_status="status" in arguments,
        boxes=params.parse_bbox(arguments),
        filter=parse_filter(arguments, TYPES, properties=of_properties),
        after=_cursor(arguments.get("cursor")),
        limit=limit + 1,
    )
    found = entries.rows(connection, wanted, detail=detail, crs=system, point=point)
    shown = found[:limit]
    members: dict[str, Any] = {**_said(connection, version), "numberReturned": len(shown)}
    if wanted.after is None and len(found) <= limit:
        members["numberMatched"] = len(shown)
    members["links"] = [
        *itself(GEOJSON),
        link("collection", JSON, to("entries.description"), _("Diese Sammlung")),
    ]
    if len(found) > limit:
        following = here(cursor=_mark(shown[-1].id))
        members["links"].append(
            link("next", HTML if as_html() else GEOJSON, following, _("Die nächste Seite"))
        )
    if not as_html():
        return Payload(collection(members, map(_feature, shown)), GEOJSON, (content_crs(system),))
    body = render_template(
        "api/entries.html",
        content=members,
        words=vocabulary.implementation_properties(),
        rows=[
            (str(row.id), leading(_properties(row), "authority_name", "service_name", "status"))
            for row in shown
        ],
        collection=vocabulary.implementations_words()[0],
    )
    return Payload(body.encode(), HTML)


@blueprint.get("/items/<key>")
@represented
@versioned
def item(connection: Connection, version: Version, key: str) -> Payload:
    """f-success: one implementation by its id."""
    params.allow_only(request.args, _ITEM, single=_ITEM)
    system, detail, point = _form()
    query = params.parse_query(request.args, Level.MUNICIPALITY)
    found = []
    if (entry_id := _uuid(key)) is not None:
        wanted = Wanted(query, resolve(connection, query), entry_id=entry_id, limit=1)
        found = list(entries.rows(connection, wanted, detail=detail, crs=system, point=point))
    if not found:
        raise NotFoundError(
            N_("Eine Umsetzung mit dieser Kennung gibt es hier nicht."), parameter="featureId"
        )
    links = [*itself(GEOJSON), link("collection", JSON, to("entries.description"), _("Diese Sammlung"))]
    members = {**_said(connection, version), "links": links}
    if not as_html():
        text = _feature(found[0])[:-1] + "," + dumps(members)[1:]
        return Payload(text.encode(), GEOJSON, (content_crs(system),))
    body = render_template(
        "api/entry.html",
        content=members,
        words=vocabulary.implementation_properties(),
        properties=_properties(found[0]),
        collection=vocabulary.implementations_words()[0],
    )
    return Payload(body.encode(), HTML)


def _query(arguments: params.Arguments) -> tuple[Query, tuple[str, ...]]:
    """The filters, and what is a property here: `maturity=3` is one, `maturity=1.1:3` a filter."""
    if not arguments.get("maturity", "").isdecimal():
        return params.parse_query(arguments, Level.MUNICIPALITY), ()
    others = MultiDict((name, value) for name, value in arguments.items(multi=True) if name != "maturity")
    return params.parse_query(others, Level.MUNICIPALITY), ("maturity",)


def _form() -> tuple[crs.Crs, int, bool]:
    """Reference system, generalisation, and whether points are asked for."""
    point = params.parse_choice(request.args, "geometry", _SHAPES) == "point"
    return params.parse_crs(request.args), params.parse_detail(request.args), point


def _said(connection: Connection, version: Version) -> dict[str, Any]:
    said = {"title": vocabulary.implementations_words()[0], **release_as_json(current_release(connection))}
    return {**said, **version_as_json(version), "data_licence": data_licence()}


def _properties(row: Row[Any]) -> dict[str, Any]:
    values = ((name, getattr(row, name)) for name in TYPES)
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values}


def _feature(row: Row[Any]) -> str:
    geometry = row.geojson or "null"
    said = dumps(_properties(row))
    return f'{{"type":"Feature","id":"{row.id}","geometry":{geometry},"properties":{said}}}'


def _mark(entry_id: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(entry_id.bytes).decode().rstrip("=")


def _cursor(text: str | None) -> uuid.UUID | None:
    if text is None:
        return None
    try:
        if len(text) == 22:
            return uuid.UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    except (binascii.Error, ValueError):
        pass
    raise ParameterError(
        N_("cursor ist unbrauchbar. Verwenden Sie den next-Verweis einer Antwort unverändert."),
        parameter="cursor",
    )


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
