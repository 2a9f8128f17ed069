"""What map and table show, to take along: /tabelle.csv and /tabelle.xlsx, with the filters of /tabelle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row

from mapservice import forms, params, results, sheets, tables, titles
from mapservice.database import Version
from mapservice.domain import Level, Measure, Reason, Status
from mapservice.layers import areas, legends
from mapservice.layers.areas import Page
from mapservice.layers.classes import share
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.service import service
from mapservice.sheets import Cell, Sheet

blueprint = Blueprint("downloads", __name__)
_SHARES = (Measure.SHARE, Measure.SPREAD)


def as_file(query: Query, ending: str, *, inline: bool = False) -> tuple[str, str]:
    """The header that names a download of this level; inline: which a browser may show."""
    return sheets.as_file(_file_name(query), ending, inline=inline)


def _file_name(query: Query) -> str:
    names = {
        Level.STATE: "laender",
        Level.DISTRICT: "kreise",
        Level.ASSOCIATION: "verbaende",
        Level.MUNICIPALITY: "gemeinden",
    }
    return names[query.level]


@sheets.routes(blueprint, "/tabelle")
def _sheet(connection: Connection, version: Version) -> Sheet:
    """The table of this request, with its head and what it says about itself."""
    args = forms.filter_arguments(request.args)
    params.allow_only(args, (*params.FILTERS, "level"), single=("level",))
    query = params.parse_query(args, params.parse_level(args.get("level", Level.DISTRICT.plural)))
    sort = tables.parse_sort(request.args.get("sort"))
    selection = resolve(connection, query)
    audience = service().audience
    order = tables.page_of(sort, 1)
    n, of = areas.values_as_array(connection, query, selection, audience)
    among = legends.classes(connection, query, selection, audience, (n, of))
    found = areas.rows(
        connection,
        query,
        selection,
        audience,
        page=Page(order=order.order, descending=order.descending),
        only=tables.parse_classes(request.args.getlist("class"), among),
    )
    head = [_("Schlüssel"), _("Gebiet"), _("Art"), _("Kreis"), _("Land"), *_value_heads(query)]
    given: dict[str, Any] = {**dict(args.lists()), "class": request.args.getlist("class")}
    return sheets.sheet(
        connection,
        version,
        file=_file_name(query),
        title=titles.title(query, selection),
        result=results.sentence(query, selection, n, of),
        address=url_for("pages.table", _external=True, **given),
        head=head,
        rows=_rows(query, found),
        widths=(14, 32, 22),
    )


def _value_heads(query: Query) -> list[str]:
    what = {
        Measure.COUNT: _("Leistungen"),
        Measure.SHARE: _("Anteil (0 bis 1)"),
        Measure.STATUS: _("Status"),
        Measure.SPREAD: _("Anteil der Gemeinden (0 bis 1)"),
    }
    heads = [what[query.measure]]
    if query.measure in _SHARES:
        heads.append(_("Zähler"))
    heads.append(_("von Gemeinden") if query.measure is Measure.SPREAD else _("von Leistungen"))
    statuses = (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED)
    return [*heads, *(titles.status_name(status) for status in statuses), _("Ohne Wert, weil")]


def _rows(query: Query, found: Sequence[Row[Any]]) -> list[list[Cell]]:
    # Words are looked up once, not once a row: there may be eleven thousand.
    reasons = {int(reason): titles.reason_name(reason) for reason in Reason}
    statuses = {int(status): titles.status_name(status) for status in Status}
    nothing: list[Cell] = [None] * (len(_value_heads(query)) - 1)
    rows: list[list[Cell]] = []
    for row in found:
        who: list[Cell] = [row.key, row.name, row.designation, row.district, row.state]
        if row.reason is not None:
            rows.append([*who, *nothing, reasons[row.reason]])
            continue
        value: list[Cell] = [row.n]
        if query.measure in _SHARES:
            value = [share(row.n, row.of), row.n]
        elif query.measure is Measure.STATUS:
            value = [statuses[row.status]]
        rows.append([*who, *value, row.of, row.online, row.in_progress, row.planned, None])
    return rows


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@dataclass(frozen=True)
class Download:
    """One form of what is shown. kind: short name; follows: its address without filters, for the script that
    keeps the link up to date, {level} standing for the level; with_area: whether it rings the open area.
    """

    kind: str
    name: str
    purpose: str
    link: str
    follows: str
    with_area: bool = False


def links(arguments: Mapping[str, Any], level: str) -> list[Download]:
    """All forms with these filters, the most used first."""
    given = {name: values for name, values in arguments.items() if name not in ("sort", "level")}
    chosen: dict[str, Any] = {"level": level} if "level" in arguments else {}
    unclassed = {name: values for name, values in given.items() if name not in ("class", "area")}
    forms_of: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
        ("pdf-a4", _("Papier A4 (PDF)"), _("barrierefrei, mit Tabelle, für Sitzungen"), "papers.as_pdf", {}),
        ("pdf-a3", _("Papier A3 (PDF)"), _("dasselbe zum Aushängen"), "papers.as_pdf", {"paper": "a3"}),
        ("png", _("Bild (PNG)"), _("für Folien, Mails und Webseiten"), "pictures.as_png", {}),
        ("svg", _("Vektorbild (SVG)"), _("zum Bearbeiten, in jeder Größe scharf"), "pictures.as_svg", {}),
    )
    drawn = [
        Download(
            kind,
            name,
            purpose,
            url_for(endpoint, **chosen, **given, **own),
            f"{_path(endpoint)}{'?paper=a3' if own else ''}",
            with_area=True,
        )
        for kind, name, purpose, endpoint, own in forms_of
    ]
    rows = {name: values for name, values in arguments.items() if name != "area"}
    listed = [
        Download(kind, name, purpose, url_for(endpoint, **rows), _path(endpoint))
        for kind, name, purpose, endpoint in (
            ("csv", "CSV", _("für jede Tabellenkalkulation"), "downloads.as_csv"),
            ("xlsx", "Excel (XLSX)", _("Arbeitsblatt mit Angaben zur Quelle"), "downloads.as_xlsx"),
        )
    ]
    layers = [
        Download(
            kind,
            name,
            purpose,
            url_for(endpoint, name=level, **unclassed),
            url_for(endpoint, name="LEVEL").replace("LEVEL", "{level}"),
        )
        for kind, name, purpose, endpoint in (
            ("geojson", "GeoJSON", _("Grenzen und Werte für GIS-Programme"), "api.layer"),
            ("gpkg", "GeoPackage", _("dasselbe für QGIS, mit Farben"), "level_files.as_geopackage"),
        )
    ]
    return [*listed, *drawn, *layers]


def _path(endpoint: str) -> str:
    return url_for(endpoint).partition("?")[0]
