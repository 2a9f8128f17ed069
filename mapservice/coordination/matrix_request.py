"""/vergleich: what an address asks for, and what is shown for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from mapservice import conditions, forms, i18n, params
from mapservice.coordination import compared
from mapservice.coordination.compared import Compared
from mapservice.domain import Level, Measure, Scope
from mapservice.errors import ParameterError
from mapservice.layers import targets
from mapservice.layers.matrix import Matrix, Order, matrix
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection, resolve
from mapservice.service import service
from mapservice.titles import status_name, subject_name

FILTERS = ("subject", "situation", "service", "status", "scope", "kind", "maturity", "confirmed", "stand")
OWN = ("authority", "group", "list", "column")
"""Parameters of this page alone; `authority` repeats."""
SINGLE = ("group", "list", "column", "sort", "page")
ALL = "all"
ROWS_PER_PAGE = 100
_FORM_FIELDS = ("confirmed_day", "stand_day")
_EXCLUDED_BY_LIST = ("subject", "situation", "service")


@dataclass(frozen=True)
class Asked:
    """authorities, group: who (compared.py). list_key: target list whose services are shown. column: the one
    that is shown, an ARS. page: None for all.
    """

    query: Query
    authorities: tuple[str, ...]
    group: str
    list_key: str
    column: str
    order: Order
    page: int | None


@dataclass(frozen=True)
class Shown:
    """What the address shows. table is None where nobody is compared yet."""

    asked: Asked
    compared: Compared
    selection: Selection
    listed: targets.Listed | None
    table: Matrix | None


def filter_arguments() -> MultiDict[str, str]:
    """The filters of this request, without who is compared."""
    args = forms.filter_arguments(request.args)
    return MultiDict(pair for pair in args.items(multi=True) if pair[0] not in OWN)


def arguments() -> dict[str, Any]:
    """Everything that the address says, for links."""
    given: dict[str, Any] = dict(filter_arguments().lists())
    for name in ("authority", "group", "list", "column", "sort", "page"):
        values = [value.strip() for value in request.args.getlist(name) if value.strip()]
        if values:
            given[name] = values
    return given


def link(endpoint: str, **changes: Any) -> str:
    """This comparison elsewhere or otherwise; None takes a parameter away."""
    return url_for(endpoint, **{k: v for k, v in {**arguments(), **changes}.items() if v})


def parse() -> Asked:
    """Raises ParameterError."""
    args = filter_arguments()
    known = (*FILTERS, *OWN, params.LANGUAGE, "sort", "page")
    params.allow_only(args, known)
    params.allow_only(MultiDict(request.args), (*known, *_FORM_FIELDS), single=SINGLE)
    list_key = request.args.get("list", "").strip()
    if list_key and any(args.get(name) for name in _EXCLUDED_BY_LIST):
        raise ParameterError(
            _("Entweder eine Zielliste (list) oder Themenfelder, Lagen und Leistungen wählen."),
            parameter="list",
        )
    # As a share: what is counted is counted among those who are responsible.
    query = replace(params.parse_query(args, Level.MUNICIPALITY), measure=Measure.SHARE)
    orders = {item.value: item for item in Order}
    sort = request.args.get("sort", "").strip() or Order.REACH.value
    if sort not in orders:
        raise ParameterError(
            _("So kann die Tabelle nicht sortiert werden."), parameter="sort", allowed=list(orders)
        )
    return Asked(
        query,
        tuple(request.args.getlist("authority")),
        request.args.get("group", "").strip(),
        list_key,
        request.args.get("column", "").strip(),
        orders[sort],
        _page(request.args.get("page", "").strip()),
    )


def _page(text: str) -> int | None:
    if text == ALL:
        return None
    if not text:
        return 1
    if not (text.isascii() and text.isdigit()) or len(text) > 4 or int(text) < 1:
        raise ParameterError(
            _("Die Seite muss eine Zahl ab 1 sein."), parameter="page", allowed=[_("ganze Zahl ab 1"), ALL]
        )
    return int(text)


def read(connection: Connection, asked: Asked) -> Shown:
    """Who, which services, and the table of both. Raises NotFoundError, ParameterError."""
    who = compared.find(connection, asked.authorities, asked.group)
    listed = targets.find(connection, asked.list_key) if asked.list_key else None
    # Of a list too: the day is checked.
    selection = resolve(connection, asked.query)
    if listed is not None:
        selection = targets.selection(connection, listed)
    table = None
    if who.members:
        ids = [row.id for row in who.members]
        table = matrix(connection, asked.query, selection, service().audience, ids, asked.order)
    return Shown(asked, who, selection, listed, table)


def lines_of_page(shown: Shown) -> tuple[Any, ...]:
    """The services of the page; raises ParameterError if there are not so many pages."""
    assert shown.table is not None
    lines, page = shown.table.lines, shown.asked.page
    if page is None:
        return lines
    part = lines[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
    if not part and page > 1:
        last = max(1, -(-len(lines) // ROWS_PER_PAGE))
        raise ParameterError(
            _("So viele Seiten hat die Tabelle nicht."), parameter="page", allowed=[f"1 – {last}", ALL]
        )
    return part


# --- in words ---------------------------------------------------------------------------------------


def wanted_name(query: Query) -> str:
    """What is counted: „online“, „online oder in Umsetzung“."""
    return conditions.either([status_name(status) for status in query.statuses])


def title(shown: Shown) -> str:
    """Who is compared, by what, and what is counted."""
    query = shown.asked.query
    parts = [_("Vergleich: %(who)s", who=shown.compared.title)]
    if shown.listed is not None:
        parts.append(_("Zielliste „%(name)s“", name=shown.listed.name))
    elif shown.selection.names:
        names = [str(subject_name(name)) for name in shown.selection.names]
        parts.append(", ".join(names[:3]) + (" …" if len(names) > 3 else ""))
    whose = _("auch von Kreis, Land und Bund") if query.scope is Scope.AVAILABLE else _("eigene Angebote")
    parts.append(whose)
    if query.filters_entries:
        parts.append(_("nur: %(conditions)s", conditions=conditions.said(query)))
    if query.stand is not None:
        parts.append(_("am %(day)s", day=i18n.date(query.stand)))
    return " – ".join(parts)


def sentence(shown: Shown) -> str:
    """The result in one sentence."""
    assert shown.table is not None
    total = shown.table.total
    without = sum(item.reason is not None and item.unknown > 0 for item in shown.table.columns)
    said = _(
        "%(services)s Leistungen bei %(authorities)s Behörden: %(n)s von %(of)s möglichen Angeboten sind "
        "%(status)s (%(share)s).",
        services=i18n.number(len(shown.table.lines)),
        authorities=i18n.number(len(shown.compared.members)),
        n=i18n.number(total.n),
        of=i18n.number(total.of),
        status=wanted_name(shown.asked.query),
        share=i18n.percent(total.share) or "–",
    )
    if without:
        said += " " + _("Von %(count)s Behörden fehlen Angaben.", count=i18n.number(without))
    return said


def order_names() -> list[tuple[Order, str]]:
    return [
        (Order.REACH, _("Fast alle haben es zuerst")),
        (Order.LEAST, _("Kaum jemand hat es zuerst")),
        (Order.NAME, _("Name der Leistung")),
        (Order.SUBJECT, _("Themenfeld")),
        (Order.LIST, _("Reihenfolge der Zielliste, sonst OZG-ID")),
    ]
