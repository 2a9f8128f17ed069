"""What a map or table shows, in one sentence: "In 7 von 13 Gemeinden im Kreis Warendorf ist „…“ online."."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext, npgettext

from mapservice import conditions, listings
from mapservice.conditions import either
from mapservice.domain import Level, Measure, Reason, Scope, Status
from mapservice.i18n import date, number
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.service import service
from mapservice.titles import status_name, subject_name


def sentence(query: Query, selection: Selection, numerators: str, denominators: str) -> str:
    """The result in words; the two JSON arrays are those of layers.areas.values_as_array().

    Areas count that have a wanted status, among those responsible; who told nothing is named besides.
    """
    n: list[int] = [value for value in json.loads(numerators) if value is not None]
    if not n:
        return _("Auf dieser Ebene gibt es in der gewählten Region keine Gebiete.")
    missing = n.count(int(Reason.NO_DATA))
    if query.measure is Measure.SPREAD:
        with_it = sum(value for value in n if value > 0)
        among = sum(value for value in json.loads(denominators) if value is not None)
        areas = ngettext("Gemeinde mit Angaben", "Gemeinden mit Angaben", among)
        missing = 0
    else:
        wanted = {int(status) for status in query.statuses}
        is_status = query.measure is Measure.STATUS
        with_it = sum(value in wanted if is_status else value > 0 for value in n)
        among = sum(value >= 0 for value in n) + missing
        areas = _areas(query.level, among)
    words = {"n": number(with_it), "of": number(among), "areas": areas, "what": _what(query, selection)}
    words["status"] = either([_state(status, query.scope) for status in query.statuses])
    region = where(query.within)
    if query.stand is not None:
        said = _past(query.stand, region, words)
    elif region:
        said = _("In %(n)s von %(of)s %(areas)s %(where)s ist %(what)s %(status)s.", where=region, **words)
    else:
        said = _("In %(n)s von %(of)s %(areas)s ist %(what)s %(status)s.", **words)
    if query.filters_entries:
        said += " " + _("Als Angebot zählt nur: %(conditions)s.", conditions=conditions.said(query))
    if missing:
        said += " " + _("Zu %(count)s fehlen Angaben.", count=number(missing))
    return said


def _past(day: dt.date, region: str, words: dict[str, str]) -> str:
    words = {**words, "day": date(day)}
    if region:
        return _(
            "Am %(day)s war in %(n)s von %(of)s %(areas)s %(where)s %(what)s %(status)s.",
            where=region,
            **words,
        )
    return _("Am %(day)s war in %(n)s von %(of)s %(areas)s %(what)s %(status)s.", **words)


def _state(status: Status, scope: Scope) -> str:
    """What comes from state or district is available in a place, which has not put it online itself."""
    if status is Status.ONLINE and scope is Scope.AVAILABLE:
        return _("verfügbar")
    return status_name(status)


def _areas(level: Level, count: int) -> str:
    return {
        Level.STATE: npgettext("dative", "Land", "Ländern", count),
        Level.DISTRICT: npgettext("dative", "Kreis", "Kreisen und kreisfreien Städten", count),
        Level.ASSOCIATION: npgettext("dative", "Verband", "Verbänden", count),
        Level.MUNICIPALITY: npgettext("dative", "Gemeinde", "Gemeinden", count),
    }[level]


def _what(query: Query, selection: Selection) -> str:
    if len(query.services) == 1:
        return _("„%(name)s“", name=selection.names[0])
    if query.services:
        return _("mindestens eine der gewählten Leistungen")
    if selection.names:
        named = either([_("„%(name)s“", name=subject_name(name)) for name in selection.names])
        return _("mindestens eine Leistung aus %(subjects)s", subjects=named)
    return _("mindestens eine Leistung")


def where(within: Sequence[str]) -> str:
    """The region in words that follow a name: "im Kreis Warendorf"; empty for all of Germany."""
    if not within:
        return ""
    if len(within) > 1:
        return _("in den gewählten Regionen")
    (key,) = within
    for state in service().kept("regions", listings.regions):
        if key.rstrip("0") == state.key.rstrip("0"):
            # The one state whose name takes an article.
            return _("im Saarland") if state.name == "Saarland" else _("in %(name)s", name=state.name)
        for district in state.districts:
            if key.ljust(12, "0") == district.key.ljust(12, "0"):
                return _in_district(district)
    return _("in der gewählten Region")


def _in_district(district: listings.District) -> str:
    if district.designation == "Kreis":
        return _("im Kreis %(name)s", name=district.name)
    if district.designation == "Landkreis":
        return _("im Landkreis %(name)s", name=district.name)
    return _("in %(name)s", name=district.name)
