"""A level as a file for GIS programs and joins: FlatGeobuf, GeoPackage and CSV, beside its GeoJSON.

The same filters and the same properties as the GeoJSON, one column each, in the same order whatever the data.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from mapservice import about, downloads, params, portals, sheets, vector_files, vocabulary
from mapservice.database import Version
from mapservice.domain import Measure
from mapservice.feature_pages import Asked, RowPage, content_crs, find_rows
from mapservice.layers import crs
from mapservice.layers.query import Method, Query
from mapservice.responses import Payload, versioned
from mapservice.service import service
from mapservice.snippets import qgis, sld

blueprint = Blueprint("level_files", __name__, url_prefix="/api/layers")
FLATGEOBUF = "application/vnd.flatgeobuf"
GEOPACKAGE = "application/geopackage+sqlite3"
_TYPES = {"integer": int, "number": float, "string": str}
_NAMES_IN_CSVT = {int: "Integer", float: "Real", str: "String"}
_SPREAD = ("municipalities_total", "municipalities_wanted", "municipalities_left_out", "population_share")


def ranged(view: Callable[..., Response]) -> Callable[..., Response]:
    """Answer parts of a file, as GDAL and QGIS ask for them where they open an address (/vsicurl/)."""

    @wraps(view)
    def endpoint(**arguments: Any) -> Response:
        if "Range" in request.headers:
            # Places are those of the file itself, not of its compressed form.
            request.environ.pop("HTTP_ACCEPT_ENCODING", None)
        response = view(**arguments)
        if response.status_code == 200 and "Content-Encoding" not in response.headers:
            response.make_conditional(
                request.environ, accept_ranges=True, complete_length=response.content_length
            )
        return response

    return endpoint


@blueprint.get("/<name>.fgb")
@ranged
@versioned
def as_flatgeobuf(connection: Connection, version: Version, name: str) -> Payload:
    """A whole level as FlatGeobuf."""
    query, found, system = _drawn(connection, version, name)
    content = _content(query, found, version, system)
    headers = (downloads.as_file(query, "fgb"), content_crs(system))
    return Payload(b"", FLATGEOBUF, headers, later=lambda: vector_files.flatgeobuf(content))


@blueprint.get("/<name>.gpkg")
@ranged
@versioned
def as_geopackage(connection: Connection, version: Version, name: str) -> Payload:
    """A whole level as GeoPackage, with the style of the map for QGIS."""
    query, found, system = _drawn(connection, version, name)
    content = _content(query, found, version, system)
    style = _style(connection, version, query)
    headers = (downloads.as_file(query, "gpkg"), content_crs(system))
    return Payload(b"", GEOPACKAGE, headers, later=lambda: vector_files.geopackage(content, style))


@blueprint.get("/<name>.csv")
@versioned
def as_csv(connection: Connection, version: Version, name: str) -> Payload:
    """A whole level without shapes, for joins: UTF-8, commas, decimal points, first the key."""
    query, subjects = _asked(name)
    found = find_rows(connection, version, Asked(query, detail=None, subjects=subjects))
    said = _said(found.members)
    columns = {**_columns(found), **{key: [text] * len(found.rows) for key, text in said.items()}}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([sheets.csv_cell(cell) for cell in row])
    return Payload(text.getvalue().encode(), sheets.CSV, (downloads.as_file(query, "csv"),))


@blueprint.get("/<name>.csvt")
@versioned
def types_of_csv(connection: Connection, version: Version, name: str) -> Payload:
    """The types of the CSV's columns, as GDAL and QGIS read them beside it: keys are text, not numbers."""
    query, subjects = _asked(name)
    types = {**_types(query, subjects=subjects), **dict.fromkeys(_SAID, str)}
    line = ",".join(f'"{_NAMES_IN_CSVT[type_]}"' for type_ in types.values())
    return Payload(f"{line}\r\n".encode(), sheets.CSV, (downloads.as_file(query, "csvt"),))


# --- what is asked for --------------------------------------------------------------------------------


def _asked(name: str, *own: str) -> tuple[Query, bool]:
    level = params.parse_level(name)
    single = (*own, params.COLUMNS)
    params.allow_only(request.args, (*params.FILTERS, *single, params.LANGUAGE), single=single)
    return params.parse_query(request.args, level), params.parse_columns(request.args)


def _drawn(connection: Connection, version: Version, name: str) -> tuple[Query, RowPage, crs.Crs]:
    """Query, areas with WKB, and their system: both formats have longitude first, whatever EPSG says."""
    query, subjects = _asked(name, "detail", "crs")
    system = params.parse_crs(request.args, short=True)
    system = crs.CRS84 if system.geographic else system
    asked = Asked(query, params.parse_detail(request.args), system, subjects=subjects)
    return query, find_rows(connection, version, asked, binary=True), system


def _style(connection: Connection, version: Version, query: Query) -> vector_files.Style | None:
    """The style that /einbinden gives for these filters; none for classes of this day alone."""
    if query.classing.method is not Method.FIXED:
        return None
    given = MultiDict(item for item in request.args.items(multi=True) if item[0] in params.FILTERS)
    given["level"] = query.level.plural
    made = portals.group(connection, version, about.current_release(connection), given, each=False)
    layer = made.layers[0]
    return vector_files.Style(_("OZG-Landkarte"), qgis.style(layer), sld.style(layer, sld.VERSIONS[1]))


# --- rows -> columns ----------------------------------------------------------------------------------


def _types(query: Query, *, subjects: bool) -> dict[str, type]:
    """The columns in their order, whatever the data: key, and the properties of docs/api.md."""
    words = dict(vocabulary.area_properties())
    if query.measure is not Measure.SPREAD:
        words = {name: word for name, word in words.items() if name not in _SPREAD}
    if subjects:
        words |= vocabulary.subject_properties()
    types = {name: _TYPES.get(type_, float) for name, (type_, _title, _text) in words.items()}
    if query.measure is Measure.STATUS:
        types["value"] = str
    return {"key": str, **types}


def _columns(found: RowPage) -> dict[str, list[Any]]:
    properties = [{"key": row.key, **found.properties(row)} for row in found.rows]
    names = _types(found.asked.query, subjects=found.asked.subjects)
    return {name: [one[name] for one in properties] for name in names}


_SAID = ("attribution", "data_licence", "demonstration")


def _said(members: dict[str, Any]) -> dict[str, str | None]:
    """What each line of a CSV says, as a table has no other place for it."""
    return {name: members[name] if name != "demonstration" else _truth(members[name]) for name in _SAID}


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _content(query: Query, found: RowPage, version: Version, system: crs.Crs) -> vector_files.Content:
    members = found.members
    title = str(members["title"])
    marks = []
    if version.demonstration:
        marks.append(_("Demonstrationsdaten, frei erfunden"))
    if service().internal:
        marks.append(_("Nicht veröffentlicht"))
    licence = members["data_licence"]
    sources = [str(members["attribution"])]
    if licence:
        sources.append(f"{_('Lizenz der Angaben')}: {licence}")
    metadata = {
        name: _truth(value) if isinstance(value, bool) else str(value)
        for name, value in members.items()
        if value is not None
    }
    metadata["source"] = url_for("pages.map_page", _external=True)
    return vector_files.Content(
        layer=query.level.plural,
        columns=_columns(found),
        types=_types(query, subjects=found.asked.subjects),
        geometry=[bytes(row.wkb) for row in found.rows],
        srid=system.srid,
        title=f"{title} ({', '.join(marks)})" if marks else title,
        description=" · ".join([*marks, *sources]),
        metadata=metadata,
        as_of=version.changed_at,
    )


def links(level: str, arguments: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Of each form name, purpose, and address with these filters, without and with columns=subjects."""
    given = {name: values for name, values in arguments.items() if name in (*params.FILTERS, params.LANGUAGE)}
    drawn, large = (
        _("für QGIS und andere, mit den Farben der Karte"),
        _("für Programme, die Ausschnitte holen"),
    )
    forms = (
        ("GeoPackage", drawn, "level_files.as_geopackage"),
        ("FlatGeobuf", large, "level_files.as_flatgeobuf"),
        ("GeoJSON", _("für Webkarten; crs=EPSG:25832 für UTM"), "api.layer"),
        (
            _("CSV zum Verknüpfen"),
            _("ohne Grenzen, mit Schlüssel in der ersten Spalte"),
            "level_files.as_csv",
        ),
    )
    return [
        (
            name,
            purpose,
            url_for(endpoint, name=level, **given),
            url_for(endpoint, name=level, **given, columns="subjects"),
        )
        for name, purpose, endpoint in forms
    ]


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
