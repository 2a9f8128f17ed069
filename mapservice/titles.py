"""What a map shows, of when and from whom, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from mapservice import conditions
from mapservice.domain import Level, Measure, Reason, Scope, Status
from mapservice.errors import N_
from mapservice.i18n import date, number, percent
from mapservice.layers.classes import ValueClass, share
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection

_MOST_NAMED = 3
_SUBJECT_NAMES = frozenset(
    (
        N_("Arbeit & Ruhestand"),
        N_("Bauen & Wohnen"),
        N_("Bildung"),
        N_("Ein- & Auswanderung"),
        N_("Engagement & Hobby"),
        N_("Familie & Kind"),
        N_("Forschung & Förderung"),
        N_("Gesundheit"),
        N_("Mobilität & Reisen"),
        N_("Querschnittsleistungen"),
        N_("Recht & Ordnung"),
        N_("Steuern & Zoll"),
        N_("Umwelt"),
        N_("Unternehmensführung & -entwicklung"),
    )
)
"""Literals, so that they are found for translation; a page asks for one hundreds of times."""


def status_name(status: Status) -> str:
    return {
        Status.ONLINE: _("online"),
        Status.IN_PROGRESS: _("in Umsetzung"),
        Status.PLANNED: _("in Planung"),
        Status.OPEN: _("offen"),
        Status.NOT_RESPONSIBLE: _("nicht zuständig"),
    }[status]


def reason_name(reason: Reason) -> str:
    return {
        Reason.NO_DATA: _("keine Angaben"),
        Reason.NOT_RESPONSIBLE: _("nicht zuständig"),
        Reason.UNINCORPORATED: _("gemeindefreies Gebiet"),
    }[reason]


def class_label(item: ValueClass) -> str:
    """A class of the legend in the language of the request."""
    # Message ids stand here as literals, where the catalogue's extraction finds them.
    words = {name: number(float(value)) for name, value in item.words.items()}
    known = {
        "%(lower)s %%": lambda: _("%(lower)s %%", **words),
        "%(lower)s bis %(upper)s %%": lambda: _("%(lower)s bis %(upper)s %%", **words),
        "unter %(upper)s %%": lambda: _("unter %(upper)s %%", **words),
        "%(lower)s bis unter %(upper)s %%": lambda: _("%(lower)s bis unter %(upper)s %%", **words),
        "ab %(lower)s %%": lambda: _("ab %(lower)s %%", **words),
        "%(lower)s bis %(last)s": lambda: _("%(lower)s bis %(last)s", **words),
        "ab %(lower)s": lambda: _("ab %(lower)s", **words),
        "online": lambda: status_name(Status.ONLINE),
        "in Umsetzung": lambda: status_name(Status.IN_PROGRESS),
        "in Planung": lambda: status_name(Status.PLANNED),
        "offen": lambda: status_name(Status.OPEN),
    }
    return known[item.pattern]() if item.pattern in known else item.label


def subject_name(name: str | None) -> str | None:
    """The name of a subject area in the language of the request; any other text as it is."""
    return str(_(name)) if name in _SUBJECT_NAMES else name


def title(query: Query, selection: Selection) -> str:
    """Says what the map shows and whose it is (domain rule 8)."""
    said = f"{_what(query, selection)} – {_whose(query)}"
    if query.filters_entries:
        said += " – " + _("nur: %(conditions)s", conditions=conditions.said(query))
    if query.stand is not None:
        said += " – " + _("am %(day)s", day=date(query.stand))
    return said


def value_label(query: Query, row_n: int, row_of: int, status: int) -> str:
    """A value as a person reads it, with its denominator."""
    if query.measure is Measure.STATUS:
        return status_name(Status(status))
    if query.measure is Measure.COUNT:
        return ngettext("%(n)s Leistung", "%(n)s Leistungen", row_n, n=number(row_n))
    words = {"share": percent(share(row_n, row_of)), "n": number(row_n), "of": number(row_of)}
    if query.measure is Measure.SPREAD:
        return _("%(share)s (%(n)s von %(of)s Gemeinden)", **words)
    return _("%(share)s (%(n)s von %(of)s Leistungen)", **words)


def _what(query: Query, selection: Selection) -> str:
    chosen = _names(selection)
    statuses = " / ".join(status_name(status) for status in query.statuses)
    if query.measure is Measure.STATUS:
        return _("Status von %(service)s", service=chosen)
    if query.measure is Measure.SPREAD:
        return _("Anteil der Gemeinden mit %(service)s: %(status)s", service=chosen, status=statuses)
    if query.measure is Measure.SHARE:
        what = _("Anteil der Leistungen mit Status %(status)s", status=statuses)
    else:
        what = _("Zahl der Leistungen mit Status %(status)s", status=statuses)
    if query.statuses == (Status.ONLINE,):
        is_share = query.measure is Measure.SHARE
        what = _("Anteil der Online-Leistungen") if is_share else _("Zahl der Online-Leistungen")
    return f"{what} ({chosen})" if chosen else what


def _names(selection: Selection) -> str:
    named = [_("„%(name)s“", name=subject_name(name)) for name in selection.names[:_MOST_NAMED]]
    rest = len(selection.names) - len(named)
    if rest:
        named.append(_("%(count)s weitere", count=rest))
    return ", ".join(named)


def _whose(query: Query) -> str:
    if query.measure is Measure.SPREAD:
        own = _("eigene Angebote der Gemeinden")
        available = _("in den Gemeinden verfügbar, gleich von welcher Ebene")
        return own if query.scope is Scope.OWN else available
    if query.scope is Scope.OWN:
        return {
            Level.STATE: _("Angebote der Landesverwaltungen selbst"),
            Level.DISTRICT: _("Angebote der Kreise und kreisfreien Städte selbst"),
            Level.ASSOCIATION: _("Angebote der Gemeindeverbände und Einheitsgemeinden selbst"),
            Level.MUNICIPALITY: _("Angebote der Gemeinden selbst"),
        }[query.level]
    return {
        Level.STATE: _("in den Ländern verfügbar, auch vom Bund"),
        Level.DISTRICT: _("in den Kreisen verfügbar, auch von Land und Bund"),
        Level.ASSOCIATION: _("in den Verbänden verfügbar, auch von Kreis, Land und Bund"),
        Level.MUNICIPALITY: _("in den Gemeinden verfügbar, auch von Verband, Kreis, Land und Bund"),
    }[query.level]


def run_kind(kind: str) -> str:
    """What an import run changes."""
    names = {
        "boundaries": _("Grenzen"),
        "catalogue": _("Leistungskatalog"),
        "implementations": _("Umsetzungen"),
        "authorities": _("Gebietskörperschaften"),
        "solutions": _("Lösungen"),
        "publication": _("Freigabe"),
        "demo": _("Demonstrationsdaten"),
    }
    return names.get(kind, kind)


def run_result(state: str, report: Mapping[str, Any]) -> str:
    """How a run ended, with its counts or why it did not."""
    states = {"done": _("fertig"), "refused": _("abgelehnt"), "failed": _("abgebrochen")}
    names = {
        "read": _("gelesen"),
        "inserted": _("neu"),
        "updated": _("geändert"),
        "unchanged": _("unverändert"),
        "superseded": _("durch spätere Zeilen ersetzt"),
        "rejected": _("abgelehnt"),
        "removed": _("beendet"),
        "removed_demonstration": _("Demonstrationseinträge entfernt"),
        "retired": _("nicht mehr im Katalog"),
        "bundles": _("OZG-Leistungen"),
        "leika": _("LeiKa-Leistungen"),
        "authorities": _("Gebietskörperschaften"),
        "entries": _("Einträge"),
        "public_before": _("vorher öffentlich"),
        "public_after": _("jetzt öffentlich"),
        "without_authority": _("Gebiete ohne Behörde"),
    }
    counts = ((name, report.get(key)) for key, name in names.items())
    parts = [f"{name} {number(count)}" for name, count in counts if isinstance(count, int) and count]
    if report.get("message"):
        parts.insert(0, str(report["message"]))
    ended = states.get(state, state)
    return f"{ended}: {', '.join(parts)}" if parts else ended
