"""The table of /vergleich as markup and as a sheet: thousands of cells, each one of a handful of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup, escape

from mapservice.coordination.own import full_name
from mapservice.domain import Reason, Status
from mapservice.i18n import number, percent
from mapservice.layers.matrix import NO_DATA, Line, Order, Sum
from mapservice.sheets import Cell
from mapservice.titles import reason_name, status_name, subject_name

SYMBOLS = {"1": "●", "2": "▲", "3": "■", "4": "○", "5": "–", NO_DATA: "?"}
"""By cell, with the forms that the pages give a status."""


def names() -> dict[str, str]:
    """The word of each cell, in the order of the legend."""
    known = {str(int(status)): status_name(status) for status in Status}
    return {**known, NO_DATA: reason_name(Reason.NO_DATA)}


def rows(
    lines: Sequence[Line], order: Order, service_link: Callable[[str], str], picked: int | None
) -> Markup:
    """The table's bodies; picked: the one column that is shown, None for all. By subject area with a heading
    for each. Written by hand: a template would take a second for what are six different cells.
    """
    cells = {
        code: f'<td class="s s{code}"><span>{escape(name)}</span></td>' for code, name in names().items()
    }
    pieces: list[str] = []
    if order is not Order.SUBJECT:
        return Markup(f"<tbody>{_lines(lines, cells, service_link, picked)}</tbody>")  # noqa: S704
    width = 2 + (len(lines[0].cells) if lines and picked is None else 1)
    for subject, part in groupby(lines, key=lambda line: line.service.subject_name):
        name = escape(subject_name(subject) or _("ohne Themenfeld"))
        pieces.append(
            f'<tbody><tr class="matrix__subject"><th scope="rowgroup" colspan="{width}"><span>{name}</span>'
            f"</th></tr>{_lines(list(part), cells, service_link, picked)}</tbody>"
        )
    # Every text of the database went through escape().
    return Markup("".join(pieces))  # noqa: S704


def _lines(
    lines: Sequence[Line], cells: dict[str, str], service_link: Callable[[str], str], picked: int | None
) -> str:
    pieces = []
    for line in lines:
        key = line.service.key
        shown = line.cells if picked is None else line.cells[picked]
        pieces.append(
            f'<tr><th scope="row"><a class="kern-link" href="{escape(service_link(key))}">'
            f'{escape(line.service.name)}</a> <span class="matrix__key">{escape(key)}</span></th>'
            f'<td class="matrix__sum">{sum_markup(line.sum)}</td>'
            f"{''.join([cells[code] for code in shown])}</tr>"
        )
    return "".join(pieces)


def sum_markup(item: Sum) -> str:
    """ "57 von 59", or why there is no number."""
    if item.reason is not None:
        return f'<span class="reason">{escape(reason_name(item.reason))}</span>'
    of = escape(_("von %(of)s", of=number(item.of)))
    return f'{number(item.n)} <span class="matrix__of">{of}</span>'


def sum_text(item: Sum) -> str:
    if item.reason is not None:
        return reason_name(item.reason)
    share = percent(item.share)
    return _("%(n)s von %(of)s, %(share)s", n=number(item.n), of=number(item.of), share=share)


def as_rows(lines: Sequence[Line], columns: Sequence[Sum], total: Sum, *, symbols: bool) -> list[list[Cell]]:
    """The rows of a download: sums first, then a row for each service."""
    words = {code: f"{SYMBOLS[code]} {name}" if symbols else name for code, name in names().items()}
    made: list[list[Cell]] = []
    for said, value in (
        (_("Summe"), lambda item: item.n),
        (_("von"), lambda item: item.of),
        (_("Anteil"), lambda item: round(item.share, 3) if item.of else None),
    ):
        made.append([said, None, None, value(total), None, None, *map(value, columns)])
    # A column without a number says why, where the number would stand.
    made[0] = made[0][:6] + [
        reason_name(item.reason) if item.reason is not None else item.n for item in columns
    ]
    for row in made[1:]:
        row[6:] = [
            None if item.reason is not None else cell for item, cell in zip(columns, row[6:], strict=True)
        ]
    for line in lines:
        item = line.sum
        made.append(
            [
                line.service.name,
                line.service.key,
                subject_name(line.service.subject_name),
                reason_name(item.reason) if item.reason is not None else item.n,
                item.of,
                item.unknown,
                *(words[code] for code in line.cells),
            ]
        )
    return made


def head(members: Sequence[Any]) -> list[str]:
    """The heading of as_rows()."""
    return [
        _("Leistung"),
        _("Schlüssel"),
        _("Themenfeld"),
        _("haben es"),
        _("von zuständigen"),
        _("ohne Angaben"),
        *(f"{full_name(row)} {row.ars}" for row in members),
    ]
