"""What the page of an area and the map's panel have in common: _area.html, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection, Row

from mapservice import corrections, i18n, profiles, results, titles
from mapservice.domain import Level, Measure, Reason, Status
from mapservice.i18n import number, percent
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.layers.standing import Average, Standing
from mapservice.service import service

_FEW = 8
"""So many entries of one authority need no folding."""
_SHARES = (Measure.SHARE, Measure.SPREAD)


@dataclass(frozen=True)
class Bar:
    """A value beside others, in words, and how long its bar is, from 0 to 100."""

    label: str
    value: str
    length: float
    own: bool


def content(connection: Connection, found: profiles.Profile) -> dict[str, Any]:
    """The variables of _area.html."""
    shown: dict[str, Any] = {"title": None, "value": None, "rank": None, "bars": []}
    if found.standing is not None and found.query is not None:
        shown = in_words(connection, found.query, found.standing, found.name)
    return {
        "area": found,
        **shown,
        "few": _FEW,
        "status_names": {int(status): titles.status_name(status) for status in Status},
        "status_codes": {int(status): status.code for status in Status},
        "reason_names": {int(reason): titles.reason_name(reason) for reason in Reason},
        "subject_name": titles.subject_name,
        "role_name": profiles.role_name,
        "details": lambda row: profiles.details(row, i18n.date),
        "report": lambda row, contact: _entry_mail(row, contact),
        "area_report": _area_mail(found),
    }


def in_words(connection: Connection, query: Query, stands: Standing, name: str) -> dict[str, Any]:
    """Title, value, rank and bars of an area: how it stands among the others."""
    return {
        "title": titles.title(query, resolve(connection, query)),
        "value": _value(query, stands),
        "rank": _rank(query, stands),
        "bars": _bars(name, query, stands),
    }


def outward(address: str | None) -> str:
    """The address if it is http(s), else nothing: data must not bring javascript: into a link."""
    if not address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


def _value(query: Query, stands: Standing) -> str:
    if stands.reason is not None:
        return titles.reason_name(Reason(stands.reason))
    label = titles.value_label(query, stands.n, stands.of, stands.status)
    if query.measure is Measure.COUNT:
        return _("%(value)s von %(of)s", value=label, of=number(stands.of))
    return label


def _rank(query: Query, stands: Standing) -> str | None:
    if stands.rank is None:
        return None
    rank, among = stands.rank
    where = results.where(query.within) or _("in Deutschland")
    return _("Platz %(rank)s von %(of)s %(where)s", rank=number(rank), of=number(among), where=where)


def _bars(name: str, query: Query, stands: Standing) -> list[Bar]:
    """The area's own value and the averages; none where there is nothing to compare."""
    if not stands.averages:
        return []
    values = [average.value for average in stands.averages]
    own = stands.value
    most = 1.0 if query.measure is not Measure.COUNT else max([*values, own or 0.0, 1.0])
    bars = []
    if own is not None:
        bars.append(Bar(name, _number(query, own), round(100 * own / most, 1), True))
    for average in stands.averages:
        text = _number(query, average.value)
        bars.append(Bar(_average_label(query, average), text, round(100 * average.value / most, 1), False))
    return bars


def _number(query: Query, value: float) -> str:
    if query.measure is Measure.COUNT:
        return number(rounded(value, 1))
    return percent(rounded(value, 3))


def rounded(value: float, digits: int) -> float:
    """Half away from zero, as everywhere (docs/counting.md, 7)."""
    scale = 10**digits
    return int(Fraction(repr(value)) * scale + Fraction(1, 2)) / scale


def _average_label(query: Query, average: Average) -> str:
    areas = {
        Level.STATE: ngettext("%(n)s Land", "%(n)s Länder", average.areas, n=number(average.areas)),
        Level.DISTRICT: ngettext("%(n)s Kreis", "%(n)s Kreise", average.areas, n=number(average.areas)),
        Level.ASSOCIATION: ngettext(
            "%(n)s Verband", "%(n)s Verbände", average.areas, n=number(average.areas)
        ),
        Level.MUNICIPALITY: ngettext(
            "%(n)s Gemeinde", "%(n)s Gemeinden", average.areas, n=number(average.areas)
        ),
    }[query.level]
    where = average.name or _("Deutschland")
    if average.level is Level.DISTRICT and average.designation in ("Kreis", "Landkreis"):
        where = f"{average.designation} {where}"
    return _("Durchschnitt %(where)s (%(areas)s)", where=where, areas=areas)


def _entry_mail(row: Row[Any], contact: str | None) -> str | None:
    address = corrections.recipient(row.public_contact, contact, service().settings.contact_mail)
    if address is None:
        return None
    about = corrections.Subject(
        row.offered_by_name, _page(row.offered_by), row.service_name, row.service, str(row.id)
    )
    return corrections.mail_link(address, about)


def _area_mail(found: profiles.Profile) -> str | None:
    contact = found.authority.public_contact if found.authority else None
    address = corrections.recipient(contact, service().settings.contact_mail)
    if address is None:
        return None
    return corrections.mail_link(address, corrections.Subject(found.name, _page(found.ars)))


def _page(ars: str) -> str:
    return url_for("pages.area", key=ars, _external=True, lang=None)
