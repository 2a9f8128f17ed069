"""/nachbarn: who around has a service online, under way or planned, why in this order, and whom to ask."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection
from sqlalchemy import Row as Record
from werkzeug.datastructures import MultiDict

from mapservice import held_levels, listings, params, past_days, sheets, tables, titles
from mapservice.coordination import asking, picks, reasons, small_map
from mapservice.coordination.contacts import Contact
from mapservice.coordination.own import Own, full_name, full_names, own
from mapservice.database import Version
from mapservice.domain import KIND_NAMES, Kind, Level, MaturityModel, Status
from mapservice.errors import ParameterError
from mapservice.i18n import number
from mapservice.layers import nearby
from mapservice.layers.nearby import Entry, Mine, Ranked, Standing
from mapservice.layers.past_nearby import OnDay
from mapservice.layers.surroundings import Reach, Surroundings, authorities_by_id, own_areas, surroundings
from mapservice.service import service
from mapservice.stale import without_missing

blueprint = Blueprint("neighbours", __name__)
ROWS_PER_PAGE = 25
_FEW = 4
"""So many services of one authority need no folding."""
_KNOWN = (
    *("authority", "service", "subject", "q", "status"),
    *("around", "level", "stand", "page", params.LANGUAGE),
)
_SINGLE = ("authority", "q", "around", "level", "stand", "page")
_MOST_MARKS = 40
_BUNDLED = "bundled"
_NOT_OFFERED = (Status.OPEN, Status.NOT_RESPONSIBLE)


@dataclass(frozen=True)
class Item:
    """One service of one authority: the entry that speaks for it, and how many more there are."""

    key: str
    name: str
    status: Status
    bundled: bool
    entry: Entry
    more: int


@dataclass(frozen=True)
class Row:
    """One authority of the list. authority: as authorities_by_id() has it; code: of its section."""

    number: int
    ranked: Ranked
    authority: Record[Any]
    name: str
    code: str
    reasons: tuple[str, ...]
    items: tuple[Item, ...]
    contact: Contact


@dataclass(frozen=True)
class Answer:
    """What was asked and who answers. found: standing by authority, one without data is not in it; ranked:
    all who offer something, before entries are looked at. day: a past one.
    """

    own: Own
    picks: picks.Picks
    reach: Reach
    around: Surroundings
    found: dict[int, Standing]
    ranked: list[Ranked]
    levels: tuple[Level, ...]
    mine: Mine
    day: dt.date | None

    @property
    def counts(self) -> Counter[str]:
        """Authorities around by section, and the others by why they are in none."""
        counted = Counter(_code(row.section) for row in self.ranked)
        listed = {row.near.authority_id for row in self.ranked}
        for near in self.around.nears:
            if near.authority_id not in listed:
                best = self.found.get(near.authority_id, Standing()).best
                counted["no_data" if best is None else best.code] += 1
        return counted


@blueprint.get("/nachbarn")
def page() -> str:
    """A link may name a service that there is no more: the page goes on without it and says so."""
    return without_missing(_page)


def answer(connection: Connection, version: Version, args: MultiDict[str, str]) -> Answer:
    """Raises ParameterError, and NotFoundError for a service or a day that there is not."""
    params.allow_only(args, _KNOWN, single=_SINGLE)
    day = picks.past_day(connection, args)
    level = params.parse_level(args["level"]) if "level" in args else None
    asked = picks.picks(connection, version, args)
    mine = own(connection, args.get("authority", ""))
    if mine.authority is None:
        picks.reach(args.get("around"), None)
        return Answer(mine, asked, Reach(), Surroundings((), ()), {}, [], (), Mine({}, frozenset()), day)
    audience = service().audience
    positions = held_levels.positions(connection, version)
    levels = tuple(area.level for area in own_areas(positions, mine.authority.id))
    chosen = level if level in levels else None
    lowest = chosen or (levels[-1] if levels else None)
    reached = picks.reach(args.get("around"), lowest)
    around = surroundings(positions, mine.authority.id, reached, chosen)
    ids = [near.authority_id for near in around.nears]
    on_day = OnDay(connection, audience, day)
    found: dict[int, Standing] = {}
    if ids:
        found = on_day.standings(held_levels.tallies(connection, version, ids, day), ids, asked.asked)
    reported = on_day.mine(mine.authority.id, asked.asked) if asked.asked.size else Mine({}, frozenset())
    ranked = nearby.ranked(around.nears, found, asked.statuses) if asked.asked.size else []
    return Answer(mine, asked, reached, around, found, ranked, levels, reported, day)


def rows_of(connection: Connection, given: Answer, start: int, stop: int) -> list[Row]:
    """The rows from `start` (0) up to `stop` with all that is told of them."""
    asked = (given.picks.asked, given.picks.statuses, given.mine.solutions)
    on_day = OnDay(connection, service().audience, given.day)
    part = nearby.part(given.ranked, start, stop, lambda ids: on_day.entries(ids, *asked))
    ids = [ranked.near.authority_id for ranked in part]
    known = authorities_by_id(connection, ids, service().audience)
    return [
        _row(given, place, ranked, known[ranked.near.authority_id])
        for place, ranked in enumerate(part, start + 1)
    ]


def _row(given: Answer, place: int, ranked: Ranked, authority: Record[Any]) -> Row:
    near, items, name = ranked.near, _items(given, ranked), full_name(authority)
    said = reasons.of_place(near)
    if items:
        said += reasons.of_entry(items[0].entry)
    of_entry = items[0].entry.row.contact if items else None
    code = _code(ranked.section)
    if not items or given.day is not None:
        # A prepared mail speaks of today.
        asked = Contact(of_entry or authority.contact, None)
        return Row(place, ranked, authority, name, code, tuple(said), tuple(items), asked)
    inquiry = asking.Inquiry(
        own=full_name(given.own.authority),
        authority=name,
        services=[item.name for item in items],
        status=items[0].status,
        page=_link(given, external=True),
    )
    asked = asking.contact(of_entry, authority.contact, inquiry)
    return Row(place, ranked, authority, name, code, tuple(said), tuple(items), asked)


def _items(given: Answer, ranked: Ranked) -> list[Item]:
    """The services in the order of their first entry; one at the bundle only where it has none itself."""
    asked = given.picks.asked
    names = {**asked.bundles, **asked.exact}
    by_item: dict[int, list[Entry]] = {}
    for entry in ranked.entries:
        by_item.setdefault(entry.item, []).append(entry)
    items = []
    for item, entries in by_item.items():
        # Exact entries stand first in the order; with one of them those at the bundle say nothing more.
        first = entries[0]
        alike = [entry for entry in entries if entry.bundled == first.bundled]
        items.append(
            Item(
                names[item].key,
                names[item].name,
                Status(first.row.status),
                first.bundled,
                first,
                len(alike) - 1,
            )
        )
    return items


def _code(section: Status | None) -> str:
    return _BUNDLED if section is None else section.code


def _page(missing: list[str]) -> str:
    args = picks.arguments()
    held = service()
    with held.reader() as connection:
        version = held.versions.read(connection)
        given = answer(connection, version, args)
        number_of_page = tables.parse_page(args.get("page"))
        start = (number_of_page - 1) * ROWS_PER_PAGE
        if start and start >= len(given.ranked):
            raise ParameterError(
                _("So viele Seiten hat die Liste nicht."),
                parameter="page",
                allowed=[f"1 – {max(1, -(-len(given.ranked) // ROWS_PER_PAGE))}"],
            )
        rows: list[Row] = []
        mine: list[tuple[str, Status]] = []
        drawn, names = None, dict[int, str]()
        if given.around.own:
            rows = rows_of(connection, given, start, start + ROWS_PER_PAGE)
            mine = _own_statuses(given)
            names = _names(connection, given)
            drawn = _drawn(connection, given, rows, names)
        former = _former(connection, given)
    return render_template(
        "coordination/neighbours.html",
        given=given,
        own=given.own,
        picks=given.picks,
        missing=missing,
        rows=rows,
        sections=_sections(rows),
        result=past_days.dated(_result(given), given.day),
        title=past_days.titled(_title(given), given.day),
        day_form=past_days.DayForm.of(args),
        days=past_days.choices(),
        mine=mine,
        not_mine=_not_mine(given),
        map=drawn,
        former=former,
        level=args.get("level", ""),
        reach_text=args.get("around", ""),
        reach_choices=picks.reach_choices(args.get("around", "")),
        wider=picks.wider(given.reach),
        level_choices=_level_choices(given),
        subject_choices=picks.subject_choices(),
        statuses=nearby.OFFERED,
        status_names={status: titles.status_name(status) for status in nearby.OFFERED + _NOT_OFFERED},
        facts=reasons.facts,
        why=reasons.of_entry,
        chips=_chips(given),
        pages=tables.page_links(number_of_page, len(given.ranked), _changed, ROWS_PER_PAGE),
        changed=_changed,
        alone=_alone(),
        few=_FEW,
        downloads=picks.downloads("coordination.neighbours", _KNOWN, args),
        overview=_overview(given, names),
        full_name=full_name,
    )


# --- words --------------------------------------------------------------------------------------------


def _title(given: Answer) -> str:
    if given.own.authority is None:
        return _("Wer in der Nähe hat das?")
    where = full_name(given.own.authority)
    names = _asked_names(given)
    if not names:
        return _("Rund um %(where)s", where=where)
    return _("%(what)s rund um %(where)s", what=names, where=where)


def _asked_names(given: Answer) -> str:
    named = [_("„%(name)s“", name=row.name) for row in given.picks.asked.chosen]
    named += [name for slug, name in picks.subject_choices() if slug in given.picks.subjects]
    if given.picks.text:
        named.append(_("„%(name)s“", name=given.picks.text))
    if len(named) > 3:
        named = [*named[:3], _("%(count)s weitere", count=len(named) - 3)]
    return ", ".join(named)


def _result(given: Answer) -> str:
    """The list in one sentence."""
    around, counts = len(given.around.nears), given.counts
    if not given.picks.asked.size or not around:
        return ""
    said = [
        _("%(n)s online", n=number(counts["online"])),
        _("%(n)s in Umsetzung", n=number(counts["in_progress"])),
        _("%(n)s in Planung", n=number(counts["planned"])),
    ]
    if counts[_BUNDLED]:
        said.append(_("%(n)s nur im Bündel gemeldet", n=number(counts[_BUNDLED])))
    said.append(_("%(n)s offen", n=number(counts["open"])))
    if counts["not_responsible"]:
        said.append(_("%(n)s nicht zuständig", n=number(counts["not_responsible"])))
    said.append(_("%(n)s ohne Angaben", n=number(counts["no_data"])))
    who = ngettext("Von %(n)s Behörde", "Von %(n)s Behörden", around, n=number(around))
    return _("%(who)s im Umkreis: %(counts)s.", who=who, counts=", ".join(said))


def _sections(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    names = {
        Status.ONLINE.code: _("Online"),
        Status.IN_PROGRESS.code: _("In Umsetzung"),
        Status.PLANNED.code: _("In Planung"),
        _BUNDLED: _("Nur im Bündel gemeldet"),
    }
    return [
        (code, name, listed)
        for code, name in names.items()
        if (listed := [row for row in rows if row.code == code])
    ]


def _not_mine(given: Answer) -> list[tuple[str, str]]:
    """Services chosen one by one that one's own kind is not responsible for: name, and who is."""
    authority = given.own.authority
    if authority is None:
        return []
    return [
        (row.name, ", ".join(name for kind, name in KIND_NAMES.items() if kind & Kind(row.responsible)))
        for row in given.picks.asked.chosen
        if not row.responsible & authority.kinds
    ]


def _own_statuses(given: Answer) -> list[tuple[str, Status]]:
    """What one's own authority reports of the services asked for; left out where they are many."""
    asked = given.picks.asked
    if not 0 < asked.size <= _FEW or given.own.authority is None:
        return []
    return [
        (row.name, given.mine.statuses.get(item, Status.OPEN))
        for item, row in {**asked.bundles, **asked.exact}.items()
    ]


def _former(connection: Connection, given: Answer) -> list[listings.Found]:
    """For an authority without an area: whom to take instead."""
    authority = given.own.authority
    if authority is None or given.around.own:
        return []
    return picks.instead(connection, authority.ars)


def _names(connection: Connection, given: Answer) -> dict[int, str]:
    """Of everybody around, where nothing was asked for."""
    if given.picks.chosen:
        return {}
    return full_names(connection, (near.authority_id for near in given.around.nears))


def _overview(given: Answer, names: Mapping[int, str]) -> list[tuple[str, str, list[str], bool]]:
    """Where nothing was asked for: ARS and name of everybody around, why, and whether there are data."""
    if given.picks.chosen:
        return []
    return [
        (
            near.ars,
            names[near.authority_id],
            reasons.of_place(near),
            near.authority_id in given.found,
        )
        for near in given.around.nears
    ]


def _level_choices(given: Answer) -> list[tuple[str, str]]:
    """A kreisfreie Stadt is looked at among districts, among municipalities, or both."""
    if not {Level.DISTRICT, Level.MUNICIPALITY} <= set(given.levels):
        return []
    return [
        ("", _("Kreise, kreisfreie Städte und Gemeinden")),
        (Level.DISTRICT.plural, _("nur Kreise und kreisfreie Städte")),
        (Level.MUNICIPALITY.plural, _("nur Gemeinden")),
    ]


def _drawn(
    connection: Connection, given: Answer, rows: Sequence[Row], names: Mapping[int, str]
) -> small_map.SmallMap | None:
    codes = {row.near.authority_id: _code(row.section) for row in given.ranked}
    marked = [small_map.Told(row.ranked.near, row.number, row.name, row.code) for row in rows]
    if not given.picks.chosen:
        marked = [
            small_map.Told(near, place, names[near.authority_id], "around")
            for place, near in enumerate(given.around.nears[:_MOST_MARKS], 1)
        ]
    return small_map.small_map(connection, given.around, codes, marked)


# --- addresses ----------------------------------------------------------------------------------------


def _changed(**changes: Any) -> str:
    """This page with other parameters, from its first rows on; None takes one away."""
    return picks.changed("coordination.neighbours.page", _KNOWN, changes)


def _alone() -> Callable[[str], str]:
    """This page for a single service by its key; made once, as hundreds may be listed."""
    pattern = _changed(service="SERVICE", subject=None, q=None)
    return lambda key: pattern.replace("SERVICE", quote(key, safe=""))


def _link(given: Answer, *, external: bool = False) -> str:
    """The short address of the question, for mails."""
    keys = list(given.picks.services[:_FEW]) or [item.key for item in given.picks.found[:_FEW]]
    chosen: dict[str, Any] = {"service": keys, "subject": list(given.picks.subjects[:_FEW])}
    return url_for(
        "coordination.neighbours.page",
        authority=given.own.authority.ars if given.own.authority else None,
        **chosen,
        _external=external,
    )


def _chips(given: Answer) -> list[tuple[str, str]]:
    """Label of each thing asked for, and the page without it."""
    made = []
    for row in given.picks.asked.chosen:
        left = [key for key in given.picks.services if key != row.key]
        made.append((row.name, _changed(service=left)))
    for slug, name in picks.subject_choices():
        if slug in given.picks.subjects:
            made.append((name, _changed(subject=[s for s in given.picks.subjects if s != slug])))
    if given.picks.text:
        made.append((_("Suchwort „%(text)s“", text=given.picks.text), _changed(q=None)))
    return made


# --- table to take along --------------------------------------------------------------------------------


@sheets.routes(blueprint, "/nachbarn")
def _sheet(connection: Connection, version: Version) -> sheets.Sheet:
    args = picks.arguments()
    given = answer(connection, version, args)
    picks.require_own(given.own)
    rows = rows_of(connection, given, 0, len(given.ranked))
    return sheets.sheet(
        connection,
        version,
        file="nachbarn",
        title=past_days.titled(_title(given), given.day),
        result=past_days.dated(_result(given), given.day),
        address=_changed(_external=True),
        head=[
            _("Platz"),
            _("Behörde"),
            _("Schlüssel"),
            _("Leistung"),
            _("Schlüssel der Leistung"),
            _("Status"),
            _("nur im Bündel gemeldet"),
            _("gemeinsame Grenze (km)"),
            _("im selben Kreis"),
            _("Entfernung (km)"),
            _("Nachnutzung angeboten"),
            _("Lösung"),
            _("gleiche Lösung wie bei Ihnen"),
            _("Reifegradmodell"),
            _("Reifegrad"),
            _("Stand"),
            _("Kontakt"),
            _("Adresse"),
            _("Warum auf diesem Platz"),
        ],
        rows=[_cells(row, item) for row in rows for item in row.items],
        widths=(8, 32, 16, 40, 18),
    )


def _cells(row: Row, item: Item) -> list[sheets.Cell]:
    near, entry = row.ranked.near, item.entry
    yes, no = _("ja"), _("nein")
    return [
        row.number,
        row.name,
        near.ars,
        item.name,
        item.key,
        titles.status_name(item.status),
        yes if item.bundled else no,
        None if near.border_tenths is None else near.border_tenths / 10,
        yes if near.same_district else no,
        None if near.km is None else near.whole_km,
        yes if entry.reuse else no,
        entry.solution.name if entry.solution else None,
        yes if entry.same_solution else no,
        None if entry.row.maturity is None else MaturityModel(entry.row.maturity_model).code,
        entry.row.maturity,
        entry.row.as_of,
        entry.row.contact or row.authority.contact,
        entry.row.url,
        ", ".join([*reasons.of_place(near), *reasons.of_entry(entry)]),
    ]
