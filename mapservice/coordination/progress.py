"""/fortschritt: online, under way and planned over time, of an authority, a region, a group or a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection, Row, or_, select
from werkzeug.datastructures import MultiDict

from mapservice import i18n, params, results, sheets, titles
from mapservice.coordination import own as owns
from mapservice.coordination import progress_chart
from mapservice.database import Version
from mapservice.domain import Kind, Level, is_region_key
from mapservice.errors import N_, ParameterError, UnavailableError
from mapservice.layers import groups, past, progress
from mapservice.layers.progress import Numbers, SubjectNumbers
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection, resolve
from mapservice.models import Authority
from mapservice.service import service
from mapservice.sheets import Cell, Sheet

blueprint = Blueprint("progress", __name__)
PARAMETERS = ("authority", "within", "group", params.LANGUAGE)
_MANY = 200
"""From so many authorities on, their number may be why the database takes too long."""
MOST_LISTED = 60
"""Authorities of a list in the address."""


@dataclass(frozen=True)
class Asked:
    """Whose progress. own: the authority asked for, or what was typed; members: ids of all that take part;
    kind: authority, list, region, group, or empty where nothing was asked for.
    """

    kind: str = ""
    name: str = ""
    own: owns.Own = field(default_factory=owns.Own)
    members: tuple[int, ...] = ()
    listed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """timeline: from the first day of which there are entries to today; others: of comparable authorities on
    the same days, empty without. compared: how many these are.
    """

    asked: Asked
    timeline: list[Numbers]
    subjects: list[SubjectNumbers]
    others: list[Numbers]
    compared: int = 0

    @property
    def has_data(self) -> bool:
        return any(item.reporting for item in self.timeline)

    @property
    def now(self) -> Numbers:
        return self.timeline[-1]


@blueprint.get("/fortschritt")
def page() -> str:
    """The chart and its numbers."""
    args = _arguments()
    asked = Asked()
    try:
        with service().reader() as connection:
            asked = _asked(connection, args)
            found = _progress(connection, asked) if asked.members else None
            suggested = _suggested(connection, asked)
    except UnavailableError:
        if len(asked.members) < _MANY:
            raise
        raise UnavailableError(
            N_(
                "Für %(n)s Behörden auf einmal dauert das gerade zu lange. Versuchen Sie es gleich"
                " erneut, oder nehmen Sie einen Kreis (within=05570)."
            ),
            words={"n": len(asked.members)},
        ) from None
    chart = progress_chart.drawn(found.timeline, found.others) if found and found.has_data else None
    given: dict[str, Any] = dict(args.lists())
    return render_template(
        "coordination/progress.html",
        asked=asked,
        found=found,
        chart=chart,
        suggested=suggested,
        several=len(asked.members) > 1,
        mean=progress_chart.mean,
        result=_result(found) if found else None,
        subject_name=titles.subject_name,
        own_link=lambda ars: url_for(".page", authority=ars),
        downloads=[(kind, url_for(f".as_{kind}", **given)) for kind in ("csv", "xlsx")],
        data_as_of=service().version().changed_at,
    )


def _arguments() -> MultiDict[str, str]:
    """A form sends its empty fields too."""
    params.allow_only(request.args, PARAMETERS, single=("group",))
    args = MultiDict((name, text.strip()) for name, text in request.args.items(multi=True) if text.strip())
    kinds = [name for name in ("authority", "within", "group") if name in args]
    if len(kinds) > 1:
        raise ParameterError(
            _("Entweder Behörden (authority), Regionen (within) oder eine Gruppe (group)."),
            parameter=kinds[1],
            allowed=kinds[:1],
        )
    args.poplist(params.LANGUAGE)
    return args


def _asked(connection: Connection, args: MultiDict[str, str]) -> Asked:
    listed = tuple(dict.fromkeys(args.getlist("authority")))
    if len(listed) > 1:
        return _list(connection, listed)
    if listed:
        own = owns.own(connection, listed[0])
        if own.authority is None:
            return Asked(own=own)
        return Asked("authority", owns.full_name(own.authority), own, (own.authority.id,))
    if "within" in args:
        return _region(connection, args.getlist("within"))
    if "group" in args:
        group = groups.find(connection, args["group"], service().audience)
        name = group.name or (group.of[0] if group.of else _("Länder"))
        return Asked("group", name, members=tuple(row.id for row in group.members))
    return Asked()


def _list(connection: Connection, listed: tuple[str, ...]) -> Asked:
    if len(listed) > MOST_LISTED:
        raise ParameterError(
            _("Höchstens %(most)s Behörden auf einmal.", most=MOST_LISTED), parameter="authority"
        )
    found = [owns.own(connection, text) for text in listed]
    for one in found:
        if one.authority is None:
            raise ParameterError(
                one.message or _("Das ist keine Behörde."),
                parameter="authority",
                allowed=one.offered,
            )
    rows = [one.authority for one in found if one.authority is not None]
    name = ngettext("%(n)s Behörde", "%(n)s Behörden", len(rows), n=i18n.number(len(rows)))
    return Asked("list", name, members=tuple(row.id for row in rows), listed=tuple(map(owns.full_name, rows)))


def _region(connection: Connection, keys: Sequence[str]) -> Asked:
    for key in keys:
        if not is_region_key(key):
            raise ParameterError(
                _("within=%(value)s ist kein Gebietsschlüssel.", value=f"„{key[:40]}“"),
                parameter="within",
                allowed=[_("2, 3, 5, 9 oder 12 Ziffern, zum Beispiel 05 oder 05570")],
            )
    within = tuple(sorted(set(keys)))
    selection = resolve(connection, Query(Level.MUNICIPALITY, within=within))
    ids = connection.scalars(
        select(Authority.id).where(Authority.is_current, _in_regions(selection)).order_by(Authority.ars)
    )
    name = _("Alle Behörden %(where)s", where=results.where(within))
    return Asked("region", name, members=tuple(ids))


def _in_regions(selection: Selection) -> Any:
    return or_(*(Authority.ars.between(region.first, region.last) for region in selection.regions))


def _progress(connection: Connection, asked: Asked) -> Progress:
    today = params.today()
    first = past.first_day(connection) or today
    days = progress.days_between(min(first, today), today)
    compared: list[int] = []
    if asked.kind == "authority":
        compared = progress.comparable(connection, asked.own.authority)
    return Progress(
        asked,
        progress.over_time(connection, asked.members, days),
        progress.by_subject(connection, asked.members, days[0], days[-1]),
        progress.over_time(connection, compared, days) if compared else [],
        len(compared),
    )


def _suggested(connection: Connection, asked: Asked) -> list[tuple[str, str]]:
    """Name and address of what lies near the question: the whole of a region, groups around an authority."""
    authority: Row[Any] | None = asked.own.authority
    if authority is None:
        return [
            (row.name, url_for(".page", group=row.key)) for row in groups.imported(connection)[:MOST_LISTED]
        ]
    made = []
    kinds = Kind(authority.kinds)
    if kinds & (Kind.STATE | Kind.DISTRICT) and not kinds & Kind.MUNICIPALITY:
        prefix = authority.ars[:2] if kinds & Kind.STATE else authority.ars[:5]
        name = _("Alle Behörden %(where)s", where=results.where((prefix,)))
        made.append((name, url_for(".page", within=prefix)))
    elif authority.district_id is not None and authority.district_id != authority.id:
        prefix = authority.ars[:5]
        name = _("Alle Behörden %(where)s", where=results.where((prefix,)))
        made.append((name, url_for(".page", within=prefix)))
    return made


def _result(found: Progress) -> str:
    """What the chart says, in one or two sentences."""
    now, first = found.now, next((item for item in found.timeline if item.reporting), found.now)
    if not found.has_data:
        return _("Zu %(name)s liegen keine Angaben vor.", name=found.asked.name)
    words = {"name": found.asked.name, "of": i18n.number(now.of), "now": i18n.number(now.online)}
    if len(found.asked.members) > 1:
        said = _(
            "%(name)s: %(reporting)s von %(all)s Behörden machen Angaben. Bei ihnen sind heute %(now)s von"
            " %(of)s Leistungen online.",
            reporting=i18n.number(now.reporting),
            all=i18n.number(len(found.asked.members)),
            **words,
        )
    else:
        said = _("%(name)s: Heute sind %(now)s von %(of)s Leistungen online.", **words)
    if first.day == now.day:
        return said + " " + _("Die Aufzeichnung beginnt heute.")
    then = _("Am %(day)s waren es %(then)s.", day=i18n.date(first.day), then=i18n.number(first.online))
    return f"{said} {then}"


@sheets.routes(blueprint, "/fortschritt")
def _sheet(connection: Connection, version: Version) -> Sheet:
    """The numbers of every day, those of the comparable authorities beside them."""
    args = _arguments()
    asked = _asked(connection, args)
    if not asked.members:
        raise ParameterError(
            asked.own.message
            or _("Wessen Fortschritt? Nennen Sie eine Behörde, eine Region oder eine Gruppe."),
            parameter="authority",
            allowed=asked.own.offered or ["authority=055700000000", "within=05570", "group=districts:05"],
        )
    found = _progress(connection, asked)
    head = [_("Tag"), _("Behörden mit Angaben")]
    names = [titles.status_name(status) for status in progress.SHOWN]
    head += [*names, _("von Leistungen")]
    if found.others:
        head += [_("Vergleichbare mit Angaben"), _("Vergleichbare: online im Mittel")]
    rows: list[list[Cell]] = []
    for number, item in enumerate(found.timeline):
        row: list[Cell] = [item.day, item.reporting]
        row += (
            [item.online, item.in_progress, item.planned, item.of]
            if item.reporting
            else [None, None, None, None]
        )
        if found.others:
            other = found.others[number]
            row += [
                other.reporting,
                round(progress_chart.mean(other.online, other), 2) if other.reporting else None,
            ]
        rows.append(row)
    given: dict[str, Any] = dict(args.lists())
    return sheets.sheet(
        connection,
        version,
        file="fortschritt",
        title=_("Fortschritt: %(name)s", name=asked.name),
        result=_result(found),
        address=url_for(".page", _external=True, **given),
        head=head,
        rows=rows,
        widths=(12, 22),
    )
