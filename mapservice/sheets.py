"""Tables to take along as CSV and XLSX, with what they show, of when and from whom.

Text from files and from the database is text in every program that opens them: no cell is a formula.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint
from flask_babel import gettext as _
from sqlalchemy import Connection

from mapservice import about, i18n
from mapservice.database import Version
from mapservice.responses import Payload, versioned
from mapservice.service import service

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BOM = "\ufeff"
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML cannot hold."""
_WIDTH = 20

Cell = str | int | float | dt.date | None


@dataclass(frozen=True)
class Sheet:
    """One table. file: name without ending; notes: name and text of what it says about itself;
    widths: of the first columns in characters, the others have a common one; freeze: the cell above and left
    of which everything stays in view.
    """

    file: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[tuple[str, str]]
    widths: Sequence[int] = ()
    freeze: str = "B2"


_Made = TypeVar("_Made", bound=Callable[..., Sheet])


def sheet(
    connection: Connection,
    version: Version,
    *,
    file: str,
    title: str,
    address: str,
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    result: str | None = None,
    more: Sequence[tuple[str, str]] = (),
    widths: Sequence[int] = (),
    freeze: str = "B2",
) -> Sheet:
    """A table with the notes that every download carries, and `more` of its own. With demonstration data
    each row says so, for rows are copied without their notes.

    result: the table in one sentence. address: the page that shows the same.
    """
    release = about.current_release(connection)
    notes = [
        (_("Titel"), title),
        *([(_("Ergebnis"), result)] if result else []),
        *more,
        (_("Datenstand"), i18n.date(version.changed_at)),
        (_("Quellenvermerk"), " · ".join(filter(None, (release.attribution, release.attribution_url)))),
        (_("Gebietsstand"), about.release_name(release)),
        (_("Lizenz der Geometrie"), release.licence),
        (_("Lizenz der Angaben"), about.data_licence() or _("Der Betreiber nennt keine Lizenz.")),
        (_("Adresse"), address),
    ]
    if version.demonstration:
        notice = _("Demonstrationsdaten, frei erfunden")
        notes.insert(0, (_("Hinweis"), notice))
        head, rows = [*head, _("Hinweis")], [[*row, notice] for row in rows]
    if service().internal:
        notes.insert(0, (_("Interne Ansicht"), _("Nicht veröffentlicht")))
    return Sheet(file, title, head, rows, notes, widths, freeze)


def routes(blueprint: Blueprint, rule: str, name: str = "as") -> Callable[[_Made], _Made]:
    """Serve the sheet that a function makes of (connection, version, **arguments of the rule) at this address
    with .csv and with .xlsx; endpoints as_csv and as_xlsx, or with another beginning.
    """

    def serve(made: _Made) -> _Made:
        def csv_file(connection: Connection, version: Version, **arguments: Any) -> Payload:
            return as_csv(made(connection, version, **arguments))

        def xlsx_file(connection: Connection, version: Version, **arguments: Any) -> Payload:
            return as_xlsx(made(connection, version, **arguments))

        blueprint.add_url_rule(f"{rule}.csv", f"{name}_csv", versioned(csv_file))
        blueprint.add_url_rule(f"{rule}.xlsx", f"{name}_xlsx", versioned(xlsx_file))
        return made

    return serve


def as_csv(table: Sheet) -> Payload:
    """UTF-8 with byte order mark and semicolons, as spreadsheets in Germany expect it; the notes below."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    comma = i18n.language() == "de"
    for row in (table.head, *table.rows):
        writer.writerow([csv_cell(cell, comma=comma) for cell in row])
    writer.writerow([])
    for name, said in table.notes:
        writer.writerow([csv_cell(name), csv_cell(said)])
    return Payload((_BOM + text.getvalue()).encode(), CSV, (as_file(table.file, "csv"),))


def as_xlsx(table: Sheet) -> Payload:
    """A workbook of two sheets: the table, and its notes."""
    # openpyxl takes half a second to load: paid by the first download, not by every start.
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    page = book.create_sheet(_("Tabelle"))
    page.freeze_panes = table.freeze
    widths = [*table.widths, *([_WIDTH] * (len(table.head) - len(table.widths)))]
    for number, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(number)].width = width
    page.append([_xlsx_cell(page, cell, head=True) for cell in table.head])
    for row in table.rows:
        page.append([_xlsx_cell(page, cell) for cell in row])
    page.auto_filter.ref = f"A1:{get_column_letter(len(table.head))}{len(table.rows) + 1}"
    about_it = book.create_sheet(_("Angaben"))
    about_it.column_dimensions["A"].width, about_it.column_dimensions["B"].width = 24, 100
    for name, said in table.notes:
        about_it.append([_xlsx_cell(about_it, name, head=True), _xlsx_cell(about_it, said)])
    book.properties.title = table.title
    book.properties.creator = _("OZG-Landkarte")
    made = io.BytesIO()
    book.save(made)
    return Payload(made.getvalue(), XLSX, (as_file(table.file, "xlsx"),), weak=True)


def as_file(name: str, ending: str, *, inline: bool = False) -> tuple[str, str]:
    """The header that names a download; inline: which a browser may show, as in a page of ours."""
    kind = "inline" if inline else "attachment"
    return "Content-Disposition", f'{kind}; filename="ozg-landkarte-{name}.{ending}"'


def csv_cell(cell: Cell, *, comma: bool = False) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        # OWASP, CSV injection: what would start a formula is led by an apostrophe.
        return f"'{cell}" if cell.startswith(_STARTS_FORMULA) else cell
    if isinstance(cell, dt.date):
        return i18n.date(cell) if comma else cell.isoformat()
    return str(cell).replace(".", ",") if comma else str(cell)


def _xlsx_cell(page: Any, cell: Cell, *, head: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub("", cell)
    if not head and not text.startswith("="):
        return text
    made = WriteOnlyCell(page, text)
    # openpyxl takes a text that starts with = for a formula.
    made.data_type = "s"
    if head:
        made.font = Font(bold=True)
    return made
