"""What a page of neighbours is asked: services, subject areas, a search text, statuses, how far around."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from mapservice import day_fields, held_levels, i18n, listings, params, past_days, search_pages
from mapservice.coordination.own import Own
from mapservice.database import Version
from mapservice.domain import SUBJECT_AREAS, Level, Status
from mapservice.errors import ParameterError
from mapservice.layers.catalogue import Wanted, wanted
from mapservice.layers.nearby import OFFERED
from mapservice.layers.selection import check_day
from mapservice.layers.surroundings import Reach
from mapservice.search.find import FoundService, find
from mapservice.search.folding import LONGEST
from mapservice.search.ranking import Rank
from mapservice.titles import subject_name

MOST_KM = 500
STEPS = (10, 25, 50, 100, 200)
"""Kilometres that the form offers."""
_USUAL_KM = {Level.MUNICIPALITY: 25, Level.ASSOCIATION: 25, Level.DISTRICT: 75}
_MOST_FOUND = 30
_BORDER, _DISTRICT = "border", "district"


@dataclass(frozen=True)
class Picks:
    """services, subjects: keys and slugs of the address; text: what was typed; found: services that it led
    to. statuses: the wanted ones.
    """

    services: tuple[str, ...]
    subjects: tuple[str, ...]
    text: str
    found: tuple[FoundService, ...]
    statuses: tuple[Status, ...]
    asked: Wanted

    @property
    def guessed(self) -> bool:
        return bool(self.found) and all(item.rank is Rank.SIMILAR for item in self.found)

    @property
    def chosen(self) -> bool:
        """Whether anything is asked for at all."""
        return bool(self.services or self.subjects or self.text)


def arguments() -> MultiDict[str, str]:
    """The parameters of the request; a form sends its empty fields too, those say nothing."""
    given = MultiDict(
        (name, value.strip()) for name, value in request.args.items(multi=True) if value.strip()
    )
    return day_fields.as_in_addresses(given, past_days.NAME)


def past_day(connection: Connection, args: MultiDict[str, str]) -> dt.date | None:
    """The day at the end of which it is shown, None for now. Raises ParameterError, and NotFoundError for one
    before the first.
    """
    day: dt.date | None = _query(args, past_days.NAME).stand
    check_day(connection, day)
    return day


def picks(
    connection: Connection,
    version: Version,
    args: MultiDict[str, str],
) -> Picks:
    """Raises ParameterError, and NotFoundError for a service that there is not."""
    services = _query(args, "service").services
    areas = subjects(args)
    text = args.get("q", "")[:LONGEST]
    found: tuple[FoundService, ...] = ()
    if text:
        held = search_pages.entries(connection, version)
        found = find(connection, text, held, limit=_MOST_FOUND, places=False).services
    known = held_levels.services(connection, version)
    asked = wanted(known, {*services, *(item.key for item in found)}, areas)
    # What was chosen, without what the text led to; in the order of their keys.
    chosen = sorted((row for row in asked.chosen if row.key in services), key=lambda row: row.key)
    asked = replace(asked, chosen=tuple(chosen))
    return Picks(services, areas, text, found, statuses(args, OFFERED), asked)


def subjects(args: MultiDict[str, str]) -> tuple[str, ...]:
    """Slugs of subject areas; raises ParameterError."""
    slugs: tuple[str, ...] = _query(args, "subject").subjects
    return slugs


def statuses(args: MultiDict[str, str], allowed: Sequence[Status]) -> tuple[Status, ...]:
    """Those of the address, without any all that are allowed; raises ParameterError."""
    found = _query(args, "status").statuses if "status" in args else tuple(allowed)
    if not set(found) <= set(allowed):
        raise ParameterError(
            _("Diesen Status gibt es hier nicht."),
            parameter="status",
            allowed=[status.code for status in allowed],
        )
    return tuple(sorted(found))


def _query(args: MultiDict[str, str], name: str) -> Any:
    """One of the filters that maps have too; each alone, since here they are added to each other."""
    return params.parse_query(MultiDict((name, value) for value in args.getlist(name)), Level.DISTRICT)


def changed(endpoint: str, known: Collection[str], changes: Mapping[str, Any]) -> str:
    """The present page with other parameters, from its first rows on; None takes one away."""
    kept: dict[str, Any] = {name: values for name, values in arguments().lists() if name in known}
    kept |= {"page": None, **changes}
    return url_for(endpoint, **{name: value for name, value in kept.items() if value})


def downloads(blueprint: str, known: Collection[str], args: MultiDict[str, str]) -> list[tuple[str, str]]:
    """Name and address of each file with the rows of a page."""
    given: dict[str, Any] = {
        name: values for name, values in args.lists() if name in known and name != "page"
    }
    return [
        ("CSV", url_for(f"{blueprint}.as_csv", **given)),
        ("Excel (XLSX)", url_for(f"{blueprint}.as_xlsx", **given)),
    ]


def require_own(mine: Own) -> None:
    """Files are made for an authority that is clear; raises ParameterError."""
    if mine.authority is None:
        raise ParameterError(
            mine.message or _("Bitte die eigene Behörde angeben."),
            parameter="authority",
            allowed=mine.offered or [_("Schlüssel (ARS, AGS) oder eindeutiger Name")],
        )


def instead(connection: Connection, ars: str) -> list[listings.Found]:
    """For an authority without an area: those of today whose keys begin alike, else the states."""
    near = [found for found in listings.near_keys(connection, ars) if found.ars != ars]
    return near or listings.states(connection)


def reach(text: str | None, lowest: Level | None) -> Reach:
    """How far around: `border`, `district`, kilometres, or (None) what is usual at the lowest level."""
    if text is None:
        km = _USUAL_KM.get(lowest) if lowest is not None else None
        return Reach(district=km is not None, km=km)
    if text == _BORDER:
        return Reach()
    if text == _DISTRICT:
        return Reach(district=True)
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST_KM:
        return Reach(district=True, km=int(text))
    raise ParameterError(
        _("So weit reicht der Umkreis nicht."),
        parameter="around",
        allowed=[_BORDER, _DISTRICT, _("1 bis %(most)s (Kilometer)", most=MOST_KM)],
    )


def reach_choices(text: str) -> list[tuple[str, str]]:
    """Value and label of each choice in the form, with the one of the address."""
    kilometres = sorted({*STEPS, *([int(text)] if text.isdigit() else [])})
    return [
        ("", _("üblich (25 km, Kreise 75 km)")),
        (_BORDER, _("nur angrenzende")),
        (_DISTRICT, _("angrenzende und eigener Kreis")),
        *((str(km), _("bis %(km)s km", km=i18n.number(km))) for km in kilometres),
    ]


def wider(reached: Reach) -> str | None:
    """The next wider reach, as the address has it; None at the end."""
    if reached.km is None and not reached.district:
        return _DISTRICT
    return next((str(km) for km in (*STEPS, MOST_KM) if km > (reached.km or 0)), None)


def subject_choices() -> list[tuple[str, str]]:
    return [(slug, subject_name(name) or name) for slug, name in SUBJECT_AREAS]
