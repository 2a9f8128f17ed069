"""/vergleich: services by authorities, for mayors' conferences and comparison rings."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from mapservice import forms, i18n, listings, sheets
from mapservice.coordination import compared, matrix_cells, matrix_paper
from mapservice.coordination import matrix_request as asking
from mapservice.coordination.compared import TooManyError
from mapservice.coordination.own import Own, full_name
from mapservice.database import Version
from mapservice.errors import MapServiceError, NotFoundError, ParameterError
from mapservice.layers import targets
from mapservice.layers.matrix import Order
from mapservice.responses import Payload, versioned
from mapservice.service import service
from mapservice.sheets import Sheet
from mapservice.tables import PageLink

blueprint = Blueprint("matrix", __name__)
PAGE = "coordination.matrix.page"
_WORDS_UP_TO = 6
"""So many columns leave room for words beside the symbols."""
_TOLD_ABOVE = (
    "authority",
    "group",
    "list",
    "column",
    "service",
    "situation",
    "subject",
    "page",
    "sort",
    "status",
    "stand",
)


@blueprint.get("/vergleich")
def page() -> str | Response:
    """The comparison; what is wrong with it is told above the form."""
    try:
        return _page()
    except (NotFoundError, ParameterError) as error:
        if error.parameter not in _TOLD_ABOVE:
            raise
        return Response(_failed(error), error.status, mimetype="text/html")


def _page() -> str:
    asked = asking.parse()
    with service().reader() as connection:
        shown = asking.read(connection, asked)
        content = _form(connection)
        if shown.table is not None:
            content |= _table(shown)
    return render_template("coordination/matrix.html", shown=shown, who=shown.compared, **content)


def _failed(error: MapServiceError) -> str:
    with service().reader() as connection:
        content = _form(connection)
    return render_template(
        "coordination/matrix.html",
        shown=None,
        who=compared.Compared(Own()),
        message=i18n.error_message(error),
        allowed=error.allowed,
        smaller=error.choices if isinstance(error, TooManyError) else (),
        group_link=lambda key: asking.link(PAGE, group=key, authority=None, page=None),
        **content,
    )


def _form(connection: Connection) -> dict[str, Any]:
    """What the form offers and holds; and, of the address, what it carries along."""
    args = asking.filter_arguments()
    return {
        "form": forms.FilterForm.of(args),
        "choices": forms.choices(),
        "services": service().kept("bundles", listings.bundles),
        "imported": compared.offered(connection),
        "by_state": compared.by_state(),
        "lists": targets.imported(connection),
        "orders": asking.order_names(),
        "asked_group": request.args.get("group", ""),
        "asked_list": request.args.get("list", ""),
        "asked_sort": request.args.get("sort", "") or Order.REACH.value,
        "chips": [(chip.label, url_for(PAGE, **{**_who(), **chip.arguments})) for chip in forms.chips(args)],
        "full_name": full_name,
        "given": asking.arguments(),
        "own_link": lambda ars: asking.link(PAGE, authority=ars),
        "without": _without,
        "otherwise": lambda **changes: asking.link(PAGE, **changes),
    }


def _without(row: Any) -> str:
    """This comparison without a further authority of the address."""
    texts = compared.split(request.args.getlist("authority"))
    named = {row.ars, row.name, full_name(row), row.ars[:5] + row.ars[9:]}
    return asking.link(PAGE, authority=[text for text in texts if text not in named], page=None)


def _who() -> dict[str, Any]:
    return {name: values for name, values in asking.arguments().items() if name in (*asking.OWN, "sort")}


def _table(shown: asking.Shown) -> dict[str, Any]:
    assert shown.table is not None
    lines = asking.lines_of_page(shown)
    members = shown.compared.members
    picked = _picked(shown)
    columns = list(zip(members, compared.short_names(members), shown.table.columns, strict=True))
    last = -(-len(shown.table.lines) // asking.ROWS_PER_PAGE)
    return {
        "title": asking.title(shown),
        "result": asking.sentence(shown),
        "wanted": asking.wanted_name(shown.asked.query),
        "legend": list(matrix_cells.names().items()),
        "rows": matrix_cells.rows(lines, shown.asked.order, _service_link(shown), picked),
        "columns": columns if picked is None else columns[picked : picked + 1],
        "picked": picked,
        "sum_markup": matrix_cells.sum_markup,
        "sum_text": matrix_cells.sum_text,
        "words": len(members) <= _WORDS_UP_TO or picked is not None,
        "first": lines and shown.table.lines.index(lines[0]) + 1,
        "last": lines and shown.table.lines.index(lines[-1]) + 1,
        "pages": _pages(shown.asked.page, last),
        "downloads": _downloads(),
        "data_as_of": service().version().changed_at,
    }


def _picked(shown: asking.Shown) -> int | None:
    """The place of the one column asked for; raises ParameterError if it is none of them."""
    if not shown.asked.column:
        return None
    keys = [row.ars for row in shown.compared.members]
    if shown.asked.column not in keys:
        raise ParameterError(_("Diese Behörde steht nicht in der Tabelle."), parameter="column", allowed=keys)
    return keys.index(shown.asked.column)


def _service_link(shown: asking.Shown) -> Any:
    """Where a service leads: to its page, of the same day."""
    address = url_for("coordination.services.page", key="SERVICE", stand=shown.asked.query.stand)
    return lambda key: address.replace("SERVICE", quote(key, safe=":"))


def _pages(present: int | None, last: int) -> list[PageLink]:
    if last < 2:
        return []
    return [
        PageLink(
            number, None if number == present else asking.link(PAGE, page=number if number > 1 else None)
        )
        for number in range(1, last + 1)
    ]


def _downloads() -> list[dict[str, str]]:
    kinds = (
        ("xlsx", "Excel (XLSX)", _("alle Leistungen, Symbole und Worte, fixierte Köpfe")),
        ("pdf", "PDF", _("A3 quer zum Drucken, alle Leistungen, Köpfe auf jeder Seite")),
        ("csv", "CSV", _("alle Leistungen, für jede Tabellenkalkulation")),
    )
    return [
        {
            "kind": kind,
            "name": name,
            "purpose": purpose,
            "link": asking.link(f"coordination.matrix.as_{kind}", page=None, column=None),
        }
        for kind, name, purpose in kinds
    ]


# --- downloads --------------------------------------------------------------------------------------


@blueprint.get("/vergleich.csv")
@versioned
def as_csv(connection: Connection, version: Version) -> Payload:
    return sheets.as_csv(_sheet(connection, version, symbols=False))


@blueprint.get("/vergleich.xlsx")
@versioned
def as_xlsx(connection: Connection, version: Version) -> Payload:
    return sheets.as_xlsx(_sheet(connection, version, symbols=True))


@blueprint.get("/vergleich.pdf")
@versioned
def as_pdf(connection: Connection, version: Version) -> Payload:
    shown = _whole(connection)
    return matrix_paper.paper(connection, version, shown, _remarks(shown), asking.link(PAGE, _external=True))


def _whole(connection: Connection) -> asking.Shown:
    """The whole table, whatever page the address names."""
    shown = asking.read(connection, asking.parse())
    if shown.table is None:
        raise ParameterError(
            shown.compared.own.message
            or " ".join(shown.compared.notes)
            or _("Wer verglichen werden soll, fehlt."),
            parameter="authority",
            allowed=shown.compared.own.offered or [_("eine Gruppe (group) oder Behörden (authority)")],
        )
    return shown


def _sheet(connection: Connection, version: Version, *, symbols: bool) -> Sheet:
    shown = _whole(connection)
    assert shown.table is not None
    table = shown.table
    words = matrix_cells.names()
    legend = ", ".join(f"{matrix_cells.SYMBOLS[code]} {name}" for code, name in words.items())
    order = dict(asking.order_names())[shown.asked.order]
    return sheets.sheet(
        connection,
        version,
        file=_("vergleich"),
        title=asking.title(shown),
        address=asking.link(PAGE, _external=True),
        head=matrix_cells.head(shown.compared.members),
        rows=matrix_cells.as_rows(table.lines, table.columns, table.total, symbols=symbols),
        result=asking.sentence(shown),
        more=[(_("Zeichen"), legend), (_("Reihenfolge"), order), *_remarks(shown)],
        widths=(44, 12, 26, 10, 10, 10, *([16] * len(table.columns))),
        freeze="G2",
    )


def _remarks(shown: asking.Shown) -> list[tuple[str, str]]:
    assert shown.table is not None
    remarks = [(_("Hinweis"), note) for note in shown.compared.notes]
    if shown.table.left_out:
        said = _(
            "Nicht gezeigt, weil keine dieser Behörden zuständig ist: %(count)s.",
            count=i18n.number(shown.table.left_out),
        )
        remarks.append((_("Hinweis"), said))
    return remarks
