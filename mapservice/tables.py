"""The table: the map's filters as rows, sorted by link, in pages of a hundred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row

from mapservice.domain import Measure, Reason, Status
from mapservice.errors import ParameterError
from mapservice.i18n import number, percent
from mapservice.layers.areas import Only, Order, Page
from mapservice.layers.classes import ValueClass, share
from mapservice.layers.query import Query
from mapservice.titles import reason_name, status_name

ROWS_PER_PAGE = 100
SORTS = ("name", "-name", "value", "-value")
_DEFAULT_SORT = "name"
Link = Callable[..., str]


@dataclass(frozen=True)
class Column:
    """A head cell; with a link the table can be sorted by it. A small screen has no room for a `place`."""

    label: str
    number: bool = False
    link: str | None = None
    aria_sort: str | None = None
    place: bool = False


@dataclass(frozen=True)
class TableRow:
    """One area; `value` and `basis` are text in local form, `reason` says why there is no value."""

    name: str
    link: str | None
    designation: str | None
    district: str | None
    state: str | None
    value: str
    basis: str
    reason: str | None
    further: tuple[str, ...]
    """Cells after the basis: the area's own counts by status; for spread the municipalities left out, and the
    share of inhabitants."""


@dataclass(frozen=True)
class PageLink:
    """An entry of the pagination: a link, the present page (no link), or a gap (neither)."""

    number: int | None
    link: str | None


def parse_sort(text: str | None) -> str:
    if not text:
        return _DEFAULT_SORT
    if text not in SORTS:
        raise ParameterError(_("So kann die Tabelle nicht sortiert werden."), parameter="sort", allowed=SORTS)
    return text


def parse_classes(codes: Sequence[str], among: Sequence[ValueClass]) -> Only | None:
    """The classes and reasons picked out, as the legend names them; None for all areas."""
    codes = [code for code in codes if code]
    if not codes:
        return None
    known: dict[str, ValueClass | Reason] = {item.code: item for item in among}
    # A status and a reason may share a code: of the areas it is the reason.
    known |= {reason.code: reason for reason in Reason}
    for code in codes:
        if code not in known:
            raise ParameterError(
                _("Diese Klasse gibt es in der Legende nicht."), parameter="class", allowed=list(known)
            )
    picked = [known[code] for code in dict.fromkeys(codes)]
    return Only(
        tuple(item for item in picked if isinstance(item, ValueClass)),
        tuple(item for item in picked if isinstance(item, Reason)),
    )


def parse_page(text: str | None) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) < 1:
        raise ParameterError(
            _("Die Seite muss eine Zahl ab 1 sein."), parameter="page", allowed=[_("ganze Zahl ab 1")]
        )
    return int(text)


def page_of(sort: str, number_of_page: int) -> Page:
    order = Order.VALUE if sort.endswith("value") else Order.NAME
    return Page(
        limit=ROWS_PER_PAGE,
        offset=(number_of_page - 1) * ROWS_PER_PAGE,
        order=order,
        descending=sort.startswith("-"),
    )


def columns(query: Query, sort: str, *, district: bool, state: bool, link: Link) -> list[Column]:
    values = {
        Measure.COUNT: _("Leistungen"),
        Measure.SHARE: _("Anteil"),
        Measure.STATUS: _("Status"),
        Measure.SPREAD: _("Anteil der Gemeinden"),
    }
    basis = _("von Gemeinden") if query.measure is Measure.SPREAD else _("von Leistungen")
    heads = [_sortable(_("Gebiet"), "name", sort, link), Column(_("Art"), place=True)]
    if district:
        heads.append(Column(_("Kreis"), place=True))
    if state:
        heads.append(Column(_("Land"), place=True))
    heads.append(_sortable(values[query.measure], "value", sort, link, number=True))
    heads.append(Column(basis, number=True))
    further = [status_name(status) for status in (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED)]
    if query.measure is Measure.SPREAD:
        # The area's own counts would stand beside a share of its municipalities, and mean something else.
        further = [_("ausgelassen"), _("nach Einwohnern")]
    heads += [Column(label, number=True) for label in further]
    return heads


def _sortable(label: str, key: str, sort: str, link: Link, *, number: bool = False) -> Column:
    active = sort.lstrip("-") == key
    descending = sort.startswith("-")
    # Numbers are looked at from the top first, names from the front.
    first = f"-{key}" if key == "value" else key
    other = key if descending else f"-{key}"
    return Column(
        label,
        number,
        link(sort=other if active else first, page=None),
        ("descending" if descending else "ascending") if active else None,
    )


def table_rows(query: Query, rows: Sequence[Row[Any]], area_link: Callable[[str], str]) -> list[TableRow]:
    result = []
    for row in rows:
        known = row.reason is None
        value = ""
        if known and query.measure is Measure.STATUS:
            value = status_name(Status(row.status))
        elif known and query.measure is Measure.COUNT:
            value = number(row.n)
        elif known:
            value = percent(share(row.n, row.of))
        result.append(
            TableRow(
                name=row.name,
                link=area_link(row.authority) if row.authority else None,
                designation=row.designation,
                district=row.district,
                state=row.state,
                value=value,
                basis=_basis(query, row) if known else "",
                reason=None if known else reason_name(Reason(row.reason)),
                further=_further(query, row, known),
            )
        )
    return result


def _further(query: Query, row: Row[Any], known: bool) -> tuple[str, ...]:
    if query.measure is Measure.SPREAD:
        weighed = percent(share(row.population_n, row.population_of)) if known and row.population_of else ""
        return number(row.left_out), weighed
    counts = (row.online, row.in_progress, row.planned)
    return tuple(number(count) if known else "" for count in counts)


def _basis(query: Query, row: Row[Any]) -> str:
    if query.measure in (Measure.SHARE, Measure.SPREAD):
        return _("%(n)s von %(of)s", n=number(row.n), of=number(row.of))
    return number(row.of)


def page_links(present: int, total: int, link: Link, rows_per_page: int = ROWS_PER_PAGE) -> list[PageLink]:
    """First, last and the neighbours of the present page, with gaps between."""
    last = max(1, -(-total // rows_per_page))
    shown = sorted({1, last, *range(max(1, present - 2), min(last, present + 2) + 1)})
    result: list[PageLink] = []
    before = 0
    for page in shown:
        if page > before + 1:
            result.append(PageLink(None, None))
        result.append(PageLink(page, None if page == present else link(page=page if page > 1 else None)))
        before = page
    return result
