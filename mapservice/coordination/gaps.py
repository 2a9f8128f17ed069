"""/luecken: what neighbours or authorities of similar size have online and one's own lacks; whom to ask."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from mapservice import held_levels, listings, params, past_days, sheets, tables, titles
from mapservice.coordination import picks, reasons
from mapservice.coordination.own import Own, full_name, full_names, own
from mapservice.database import Version
from mapservice.domain import Level, Status
from mapservice.errors import ParameterError
from mapservice.i18n import number
from mapservice.layers import gaps as layer
from mapservice.layers.gaps import Direction, Gap, Gaps
from mapservice.layers.surroundings import (
    Surroundings,
    of_authorities,
    own_areas,
    surroundings,
)
from mapservice.service import service
from mapservice.stale import without_missing

blueprint = Blueprint("gaps", __name__)
ROWS_PER_PAGE = 50
SIMILAR = "similar"
_KNOWN = ("authority", "around", "subject", "status", "direction", "level", "stand", "page", params.LANGUAGE)
_SINGLE = ("authority", "around", "direction", "level", "stand", "page")
_OWN_STATUSES = (Status.OPEN, Status.IN_PROGRESS, Status.PLANNED)


@dataclass(frozen=True)
class Answer:
    """levels: of one's own areas; population: one's own, where those of similar size were asked for and it is
    known. around: whom one's own was compared with. day: a past one.
    """

    own: Own
    direction: Direction
    subjects: tuple[str, ...]
    statuses: tuple[Status, ...]
    levels: tuple[Level, ...]
    around: Surroundings
    population: int | None
    gaps: Gaps
    day: dt.date | None


@dataclass(frozen=True)
class Row:
    """link: the neighbour finder for this service, which tells whom to ask. place: its number in the list."""

    place: int
    gap: Gap
    subject: str | None
    link: str


@blueprint.get("/luecken")
def page() -> str:
    """A link may name a day of which there are no entries: the page goes on with the first that there is."""
    return without_missing(_page)


def _page(missing: list[str]) -> str:
    args = picks.arguments()
    held = service()
    with held.reader() as connection:
        version = held.versions.read(connection)
        given = answer(connection, version, args)
        former = _former(connection, given)
        names = _names(connection, given)
    found = _in_sections(given)
    number_of_page = tables.parse_page(args.get("page"))
    start = (number_of_page - 1) * ROWS_PER_PAGE
    if start and start >= len(found):
        raise ParameterError(
            _("So viele Seiten hat die Liste nicht."),
            parameter="page",
            allowed=[f"1 – {max(1, -(-len(found) // ROWS_PER_PAGE))}"],
        )
    listed = found[start : start + ROWS_PER_PAGE]
    rows = [_row(place, gap, args) for place, gap in enumerate(listed, start + 1)]
    return render_template(
        "coordination/gaps.html",
        given=given,
        own=given.own,
        helping=given.direction is Direction.HELP,
        title=past_days.titled(_title(given), given.day),
        result=past_days.dated(_result(given, args), given.day),
        missing=missing,
        day_form=past_days.DayForm.of(args),
        days=past_days.choices(),
        sections=_sections(rows),
        pages=tables.page_links(number_of_page, len(found), _changed, ROWS_PER_PAGE),
        changed=_changed,
        former=former,
        around_text=args.get("around", ""),
        around_choices=_around_choices(args.get("around", "")),
        is_similar=args.get("around") == SIMILAR,
        subject_choices=picks.subject_choices(),
        statuses=_OWN_STATUSES,
        status_names={status: _status_name(status) for status in _OWN_STATUSES},
        chips=_chips(given),
        downloads=_downloads(args),
        names=names,
        where=reasons.short_place,
    )


def answer(connection: Connection, version: Version, args: MultiDict[str, str]) -> Answer:
    """Raises ParameterError, and NotFoundError for a day before the first."""
    params.allow_only(args, _KNOWN, single=_SINGLE)
    day = picks.past_day(connection, args)
    direction = Direction(params.parse_choice(args, "direction", [item.value for item in Direction]))
    subjects = picks.subjects(args)
    statuses = picks.statuses(args, _OWN_STATUSES)
    level = params.parse_level(args["level"]) if "level" in args else None
    mine = own(connection, args.get("authority", ""))
    text = args.get("around")
    if text != SIMILAR:
        picks.reach(text, None)
    nothing = Gaps(False, (), ())
    nobody = Answer(mine, direction, subjects, statuses, (), Surroundings((), ()), None, nothing, day)
    if mine.authority is None:
        return nobody
    positions = held_levels.positions(connection, version)
    areas = own_areas(positions, mine.authority.id)
    levels = tuple(area.level for area in areas)
    if not levels:
        return nobody
    population = None
    if text == SIMILAR:
        population, ids = layer.similar(connection, mine.authority.id)
        around = Surroundings(areas, of_authorities(positions, mine.authority.id, ids))
    else:
        chosen = level if level in levels else None
        reached = picks.reach(text, chosen or levels[-1])
        around = surroundings(positions, mine.authority.id, reached, chosen)
    ids = [mine.authority.id, *(near.authority_id for near in around.nears)]
    found = layer.gaps(
        held_levels.services(connection, version),
        held_levels.tallies(connection, version, ids, day),
        mine.authority,
        around.nears,
        direction,
        subjects,
        statuses,
    )
    return Answer(mine, direction, subjects, statuses, levels, around, population, found, day)


def _names(connection: Connection, given: Answer) -> dict[int, str]:
    """Of the authorities that are named with a gap."""
    return full_names(connection, (near.authority_id for gap in given.gaps.found for near in gap.who))


def _in_sections(given: Answer) -> list[Gap]:
    """What is missing altogether first, then what is under way or planned, each in its order."""
    return [
        gap for status in (*_OWN_STATUSES, Status.ONLINE) for gap in given.gaps.found if gap.mine is status
    ]


def _row(place: int, gap: Gap, args: MultiDict[str, str]) -> Row:
    kept: dict[str, Any] = {
        name: args.get(name)
        for name in ("authority", "around", "level", "stand")
        if args.get(name) and args.get(name) != SIMILAR
    }
    link = url_for("coordination.neighbours.page", service=gap.key, **kept)
    return Row(place, gap, titles.subject_name(gap.subject), link)


def _sections(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    names = {
        Status.OPEN: _("Fehlt bei Ihnen"),
        Status.IN_PROGRESS: _("Bei Ihnen in Umsetzung"),
        Status.PLANNED: _("Bei Ihnen in Planung"),
        Status.ONLINE: _("Bei Ihnen online, bei anderen nicht"),
    }
    return [
        (name, listed)
        for status, name in names.items()
        if (listed := [row for row in rows if row.gap.mine is status])
    ]


# --- words ----------------------------------------------------------------------------------------------


def _status_name(status: Status) -> str:
    return _("fehlt") if status is Status.OPEN else titles.status_name(status)


def _title(given: Answer) -> str:
    if given.own.authority is None:
        return _("Was fehlt bei uns?")
    where = full_name(given.own.authority)
    if given.direction is Direction.HELP:
        return _("Was %(where)s hat und andere nicht", where=where)
    return _("Was bei %(where)s fehlt", where=where)


def _result(given: Answer, args: MultiDict[str, str]) -> str:
    """The list and with whom it compares, in one sentence."""
    if given.own.authority is None or not given.gaps.others:
        return ""
    found, others = len(given.gaps.found), len(given.gaps.others)
    if args.get("around") == SIMILAR:
        who = ngettext(
            "%(n)s Behörde gleicher Art und ähnlicher Größe",
            "%(n)s Behörden gleicher Art und ähnlicher Größe",
            others,
            n=number(others),
        )
    else:
        who = ngettext("%(n)s Behörde im Umkreis", "%(n)s Behörden im Umkreis", others, n=number(others))
    if given.direction is Direction.HELP:
        what = ngettext("%(n)s OZG-Leistung", "%(n)s OZG-Leistungen", found, n=number(found))
        return _(
            "%(what)s, die Sie online haben, fehlen anderen. Verglichen mit: %(who)s mit Angaben.",
            what=what,
            who=who,
        )
    what = ngettext("%(n)s OZG-Leistung", "%(n)s OZG-Leistungen", found, n=number(found))
    return _(
        "%(what)s haben andere online und Sie nicht. Verglichen mit: %(who)s mit Angaben.", what=what, who=who
    )


def _around_choices(text: str) -> list[tuple[str, str]]:
    return [
        *picks.reach_choices(text),
        (SIMILAR, _("ähnliche Größe: %(n)s Behörden gleicher Art", n=layer.MOST_SIMILAR)),
    ]


def _former(connection: Connection, given: Answer) -> list[listings.Found]:
    authority = given.own.authority
    if authority is None or given.around.own:
        return []
    return picks.instead(connection, authority.ars)


# --- addresses, files --------------------------------------------------------------------------------------


def _changed(**changes: Any) -> str:
    """This page with other parameters, from its first rows on; None takes one away."""
    return picks.changed("coordination.gaps.page", _KNOWN, changes)


def _chips(given: Answer) -> list[tuple[str, str]]:
    return [
        (name, _changed(subject=[other for other in given.subjects if other != slug]))
        for slug, name in picks.subject_choices()
        if slug in given.subjects
    ]


def _downloads(args: MultiDict[str, str]) -> list[tuple[str, str]]:
    return picks.downloads("coordination.gaps", _KNOWN, args)


@sheets.routes(blueprint, "/luecken")
def _sheet(connection: Connection, version: Version) -> sheets.Sheet:
    args = picks.arguments()
    given = answer(connection, version, args)
    picks.require_own(given.own)
    names = _names(connection, given)
    helping = given.direction is Direction.HELP
    return sheets.sheet(
        connection,
        version,
        file="luecken",
        title=past_days.titled(_title(given), given.day),
        result=past_days.dated(_result(given, args), given.day),
        address=_changed(_external=True),
        head=[
            _("Platz"),
            _("Leistung"),
            _("Schlüssel der Leistung"),
            _("Themenfeld"),
            _("Status bei Ihnen"),
            _("fehlt bei") if helping else _("online bei"),
            _("von Behörden"),
            _("am nächsten"),
            _("Schlüssel der nächsten"),
        ],
        rows=[
            [
                place,
                gap.name,
                gap.key,
                titles.subject_name(gap.subject),
                titles.status_name(gap.mine),
                gap.number,
                gap.of,
                ", ".join(names[near.authority_id] for near in gap.who),
                ", ".join(near.ars for near in gap.who),
            ]
            for place, gap in enumerate(_in_sections(given), 1)
        ],
        widths=(8, 44, 18, 28),
    )
