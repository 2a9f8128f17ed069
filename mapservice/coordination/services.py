"""/leistungen/<key>: everywhere one service runs, since when, with what, and whom to ask."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row
from werkzeug.datastructures import MultiDict

from mapservice import day_fields, forms, i18n, params, past_days, sheets, tables, titles
from mapservice.coordination import contacts, growth, progress_chart, register_form
from mapservice.coordination.register_form import kept
from mapservice.database import Version
from mapservice.domain import Kind, Level, Measure, ServiceKind, Status, is_leika_key, is_ozg_id
from mapservice.errors import NotFoundError
from mapservice.layers import past, progress, running
from mapservice.layers.progress import ServiceNumbers
from mapservice.layers.running import Family
from mapservice.layers.selection import resolve
from mapservice.search.find import find
from mapservice.service import service
from mapservice.sheets import Cell, Sheet
from mapservice.stale import without_missing

blueprint = Blueprint("services", __name__)
_ROWS = 50
_SHOWN = (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED)
_SORTS = ("name", "since")
_PARAMETERS = ("status", "within", "stand", "sort", "page", params.LANGUAGE)
_NEAR = 5


class UnknownServiceError(NotFoundError):
    """A key that no service has, with those that may have been meant: (key, name)."""

    def __init__(self, message: str, near: Sequence[tuple[str, str]]) -> None:
        super().__init__(message, parameter="key")
        self.near = near


@dataclass(frozen=True)
class _Asked:
    """The parameters of the page. statuses: of the rows shown; day: a past one."""

    args: MultiDict[str, str]
    statuses: tuple[Status, ...]
    regions: Any
    sort: str
    page: int
    day: dt.date | None


@blueprint.get("/leistungen/<path:key>")
def page(key: str) -> str | Response:
    """The page, or one that says that there is no such service, and which are near."""
    try:
        return without_missing(lambda missing: _page(key, missing))
    except UnknownServiceError as error:
        body = render_template(
            "coordination/no_service.html", error=error, key=key[:100], message=error.message
        )
        return Response(body, error.status, mimetype="text/html")


def _page(key: str, missing: list[str]) -> str:
    with service().reader() as connection:
        found = _family(connection, key)
        asked = _asked(connection)
        everyone = running.authorities(connection, found.ids, day=asked.day)
        rows = _chosen(connection, found, asked, everyone)
        register_form.require_page(asked.page, len(rows), _ROWS)
        shown = rows[(asked.page - 1) * _ROWS : asked.page * _ROWS]
        entries = running.entries(connection, found.ids, [row.id for row in shown], asked.day)
        online = running.by_service(connection, found.ids, asked.day)
        until = asked.day or params.today()
        first = min(past.first_day(connection) or until, until)
        recorded = progress.of_services(connection, found.ids, progress.days_between(first, until))
    counts = Counter(row.status for row in everyone)
    key = found.service.key

    def link(**changes: Any) -> str:
        return url_for(".page", key=key, **{**kept(asked.args), **changes})

    level, measure = _shown_as(found)
    filters: dict[str, Any] = {"service": key, "level": level.plural, "measure": measure.value}
    if asked.day is not None:
        filters[past_days.NAME] = asked.day.isoformat()

    def about(authority: str) -> contacts.Subject | None:
        # A prepared mail speaks of today.
        if asked.day is not None:
            return None
        own = url_for(".page", key=key, _external=True, lang=None)
        return contacts.Subject(f"{found.service.name} ({key[:60]})", authority, own)

    return render_template(
        "coordination/service.html",
        missing=missing,
        found=found,
        bundles=ServiceKind.BUNDLE,
        online=online,
        counts=[(status.code, titles.status_name(status), counts[status]) for status in Status],
        everyone=len(everyone),
        grown=growth.growth([row.since for row in everyone if row.status == Status.ONLINE], until),
        recorded=recorded,
        recorded_said=_recorded(recorded),
        chart=progress_chart.of_service(recorded),
        size=(growth.WIDTH, growth.HEIGHT),
        rows=[
            (row, told, contacts.contact(told, row.public_contact, about(row.name)))
            for row in shown
            for told in (entries.get(row.id, []),)
        ],
        total=len(rows),
        first=(asked.page - 1) * _ROWS + 1,
        pages=tables.page_links(asked.page, len(rows), link, _ROWS),
        sort=asked.sort,
        sorts=[(name, link(sort=name if name != _SORTS[0] else None, page=None)) for name in _SORTS],
        statuses=[status.code for status in asked.statuses],
        choices=[(status.code, titles.status_name(status)) for status in Status],
        chosen="status" in asked.args or "within" in asked.args,
        within=asked.args.get("within", ""),
        regions=forms.choices().regions,
        day=asked.day,
        today_link=link(stand=None, page=None),
        day_form=past_days.DayForm.of(asked.args),
        days=forms.choices().days,
        status_names={int(status): titles.status_name(status) for status in Status},
        status_codes={int(status): status.code for status in Status},
        downloads=[
            (kind, url_for(f".as_{kind}", key=key, **kept(asked.args, "page"))) for kind in ("csv", "xlsx")
        ],
        subject_name=titles.subject_name,
        picture=url_for("pictures.as_png", width=800, **filters),
        map_link=url_for("pages.map_page", **filters),
        table_link=url_for("pages.table", **filters),
    )


def _recorded(days: Sequence[ServiceNumbers]) -> str:
    """What the chart says."""
    return _(
        "Behörden mit dieser Leistung online: %(then)s am %(first)s, %(now)s am %(last)s.",
        first=i18n.date(days[0].day),
        then=i18n.number(days[0].online),
        last=i18n.date(days[-1].day),
        now=i18n.number(days[-1].online),
    )


def _family(connection: Connection, key: str) -> Family:
    """Raises UnknownServiceError."""
    wanted = key.strip()
    if wanted[:1].isdigit():
        wanted = "".join(wanted.split())
    found = running.family(connection, wanted[:300].replace("\x00", ""))
    if found is not None:
        return found
    shown = key[:60]
    if is_ozg_id(wanted):
        near = [(row.key, row.name) for row in running.near(connection, wanted, _NEAR)]
        said = _("Eine OZG-Leistung %(key)s gibt es im Katalog nicht (mehr).", key=wanted)
    else:
        answer = find(connection, key, (), limit=_NEAR, places=False)
        near = [(item.key, item.name) for item in answer.services]
        said = (
            _("Eine LeiKa-Leistung %(key)s gibt es im Katalog nicht (mehr).", key=wanted)
            if is_leika_key(wanted)
            else _("„%(key)s“ ist kein Schlüssel einer Leistung, die wir kennen.", key=shown)
        )
    raise UnknownServiceError(said, near)


def _asked(connection: Connection) -> _Asked:
    args = MultiDict((name, value) for name, value in request.args.items(multi=True) if value.strip())
    args = day_fields.as_in_addresses(args, past_days.NAME)
    params.allow_only(args, _PARAMETERS, single=("stand", "sort", "page"))
    shared = MultiDict(
        (name, value) for name, value in args.items(multi=True) if name in ("status", "within", "stand")
    )
    query = params.parse_query(shared, Level.DISTRICT)
    return _Asked(
        args,
        query.statuses if "status" in args else _SHOWN,
        resolve(connection, query).regions,
        params.parse_choice(args, "sort", _SORTS),
        tables.parse_page(args.get("page")),
        query.stand,
    )


def _chosen(
    connection: Connection, found: Family, asked: _Asked, everyone: Sequence[Row[Any]]
) -> Sequence[Row[Any]]:
    """The rows of the list, in its order."""
    rows = running.authorities(connection, found.ids, asked.regions, asked.day) if asked.regions else everyone
    rows = [row for row in rows if row.status in asked.statuses]
    if asked.sort == "since":
        rows.sort(key=lambda row: (row.since is None, row.since, row.status))
    return rows


def _shown_as(found: Family) -> tuple[Level, Measure]:
    """The map that tells most: its spread among municipalities, else the status of each authority."""
    responsible = found.service.responsible
    if responsible & int(Kind.MUNICIPALITY):
        return Level.DISTRICT, Measure.SPREAD
    if responsible & int(Kind.DISTRICT | Kind.DISTRICT_FREE_CITY):
        return Level.DISTRICT, Measure.STATUS
    return Level.STATE, Measure.STATUS


@sheets.routes(blueprint, "/leistungen/<path:key>")
def _sheet(connection: Connection, version: Version, key: str) -> Sheet:
    """A row for each entry of the authorities that the page lists."""
    found = _family(connection, key)
    asked = _asked(connection)
    rows = _chosen(connection, found, asked, running.authorities(connection, found.ids, day=asked.day))
    entries = running.entries(connection, found.ids, [row.id for row in rows], asked.day)
    statuses = {int(status): titles.status_name(status) for status in Status}
    yes = {True: _("ja"), False: _("nein"), None: None}
    cells: list[Sequence[Cell]] = [
        [
            *(row.ars, row.name, row.designation, row.above, item.service, item.service_name),
            *(statuses[item.status], item.online_since, item.planned_until, item.solution),
            *(yes[item.reusable], item.reuse_note, item.public_contact or row.public_contact),
            *(item.as_of, item.url),
        ]
        for row in rows
        for item in entries.get(row.id, [])
    ]
    return sheets.sheet(
        connection,
        version,
        file="leistung",
        title=past_days.titled(found.service.name, asked.day),
        address=url_for(".page", key=found.service.key, _external=True, **kept(asked.args, "page")),
        head=[
            *(_("Schlüssel"), _("Behörde"), _("Art"), _("Kreis"), _("Leistungsschlüssel"), _("Leistung")),
            *(_("Status"), _("online seit"), _("geplant bis"), _("Lösung"), _("nachnutzbar")),
            *(_("Hinweis zur Nachnutzung"), _("Kontakt"), _("zuletzt bestätigt"), _("Adresse")),
        ],
        rows=cells,
        widths=(14, 30, 20, 24, 18, 36),
    )
