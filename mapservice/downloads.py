"""What map and table show, to take along: /tabelle.csv and /tabelle.xlsx, with the filters of /tabelle.

Text from files and from the database is text in every program that opens a download: no cell is a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row

from mapservice import about, forms, i18n, params, results, tables, titles
from mapservice.database import Version
from mapservice.domain import Level, Measure, Reason, Status
from mapservice.layers import areas, legends
from mapservice.layers.areas import Page
from mapservice.layers.classes import share
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.responses import Payload, versioned
from mapservice.service import service

blueprint = Blueprint("downloads", __name__)
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BOM = "\ufeff"
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML cannot hold."""
_SHARES = (Measure.SHARE, Measure.SPREAD)

Cell = str | int | float | None


@blueprint.get("/tabelle.csv")
@versioned
def as_csv(connection: Connection, version: Version) -> Payload:
    """UTF-8 with byte order mark and semicolons, as spreadsheets in Germany expect it."""
    query, rows, notes = _content(connection, version)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    comma = i18n.language() == "de"
    for row in rows:
        writer.writerow([_csv_cell(cell, comma=comma) for cell in row])
    writer.writerow([])
    for name, said in notes:
        writer.writerow([_csv_cell(name), _csv_cell(said)])
    return Payload((_BOM + text.getvalue()).encode(), CSV, (as_file(query, "csv"),))


@blueprint.get("/tabelle.xlsx")
@versioned
def as_xlsx(connection: Connection, version: Version) -> Payload:
    """A workbook of two sheets: the table, and what it shows, of when and from whom."""
    # openpyxl takes half a second to load: paid by the first download, not by every start.
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    query, rows, notes = _content(connection, version)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Tabelle"))
    sheet.freeze_panes = "B2"
    widths = [14, 32, 22, *([20] * (len(rows[0]) - 3))]
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for number, row in enumerate(rows):
        sheet.append([_xlsx_cell(sheet, cell, head=number == 0) for cell in row])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(rows[0]))}{len(rows)}"
    about_it = book.create_sheet(_("Angaben"))
    about_it.column_dimensions["A"].width, about_it.column_dimensions["B"].width = 24, 100
    for name, said in notes:
        about_it.append([_xlsx_cell(about_it, name, head=True), _xlsx_cell(about_it, said)])
    book.properties.title = notes[0][1]
    book.properties.creator = _("OZG-Landkarte")
    made = io.BytesIO()
    book.save(made)
    return Payload(made.getvalue(), XLSX, (as_file(query, "xlsx"),), weak=True)


def as_file(query: Query, ending: str, *, inline: bool = False) -> tuple[str, str]:
    """The header that names a download; inline: which a browser may show, as in a page of ours."""
    names = {
        Level.STATE: "laender",
        Level.DISTRICT: "kreise",
        Level.ASSOCIATION: "verbaende",
        Level.MUNICIPALITY: "gemeinden",
    }
    kind = "inline" if inline else "attachment"
    return "Content-Disposition", f'{kind}; filename="ozg-landkarte-{names[query.level]}.{ending}"'


def _content(
    connection: Connection, version: Version
) -> tuple[Query, list[list[Cell]], list[tuple[str, str]]]:
    """The query, the table with its head, and what it says about itself."""
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
    notice = _("Demonstrationsdaten, frei erfunden") if version.demonstration else None
    rows: list[list[Cell]] = [[*head, *([_("Hinweis")] if notice else [])]]
    rows += [[*row, notice] if notice else row for row in _rows(query, found)]

    release = about.current_release(connection)
    given: dict[str, Any] = {**dict(args.lists()), "class": request.args.getlist("class")}
    notes = [
        (_("Titel"), titles.title(query, selection)),
        (_("Ergebnis"), results.sentence(query, selection, n, of)),
        (_("Datenstand"), i18n.date(version.changed_at)),
        (_("Quellenvermerk"), " · ".join(filter(None, (release.attribution, release.attribution_url)))),
        (_("Gebietsstand"), about.release_name(release)),
        (_("Lizenz der Geometrie"), release.licence),
        (_("Lizenz der Angaben"), about.data_licence() or _("Der Betreiber nennt keine Lizenz.")),
        (_("Adresse"), url_for("pages.table", _external=True, **given)),
    ]
    if notice:
        notes.insert(0, (_("Hinweis"), notice))
    if service().internal:
        notes.insert(0, (_("Interne Ansicht"), _("Nicht veröffentlicht")))
    return query, rows, notes


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


def _csv_cell(cell: Cell, *, comma: bool = False) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        # OWASP, CSV injection: what would start a formula is led by an apostrophe.
        return f"'{cell}" if cell.startswith(_STARTS_FORMULA) else cell
    return str(cell).replace(".", ",") if comma else str(cell)


def _xlsx_cell(sheet: Any, cell: Cell, *, head: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub("", cell)
    if not head and not text.startswith("="):
        return text
    made = WriteOnlyCell(sheet, text)
    # openpyxl takes a text that starts with = for a formula.
    made.data_type = "s"
    if head:
        made.font = Font(bold=True)
    return made


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
    geojson = Download(
        "geojson",
        "GeoJSON",
        _("Grenzen und Werte für GIS-Programme"),
        url_for("api.layer", name=level, **unclassed),
        url_for("api.layer", name="LEVEL").replace("LEVEL", "{level}"),
    )
    return [*listed, *drawn, geojson]


def _path(endpoint: str) -> str:
    return url_for(endpoint).partition("?")[0]
