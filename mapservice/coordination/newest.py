"""/neu: what went online lately, as a page, tables and an Atom feed, by region, subject area and service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from mapservice import forms, listings, params, sheets, tables, titles
from mapservice.coordination import feeds
from mapservice.database import Version
from mapservice.domain import SUBJECT_AREAS, Level
from mapservice.errors import ParameterError
from mapservice.layers import newest
from mapservice.layers.newest import Wanted
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection, resolve
from mapservice.responses import Payload, versioned
from mapservice.service import service
from mapservice.sheets import Sheet
from mapservice.stale import without_missing

blueprint = Blueprint("newest", __name__)
FILTERS = ("within", "subject", "service")
_PARAMETERS = (*FILTERS, "page", "limit", params.LANGUAGE)
_ROWS, _MOST_ROWS, _MOST_PAGES = 50, 200, 100
_TAKEN_ALONG = 2000


@dataclass(frozen=True)
class Asked:
    """wanted: the question; args: as in addresses, without page and limit; selection: what the keys mean."""

    wanted: Wanted
    query: Query
    selection: Selection
    page: int
    args: dict[str, Any]


@blueprint.get("/neu")
def page() -> str:
    """The newest first, in pages; the address of the feed that follows the same."""
    return without_missing(_page)


def _page(missing: list[str]) -> str:
    with service().reader() as connection:
        asked = _asked(connection)
        rows = newest.newest(connection, asked.wanted)
    more = len(rows) > asked.wanted.limit
    rows = rows[: asked.wanted.limit]
    if not rows and asked.page > 1:
        raise ParameterError(
            _("So viele Seiten hat die Liste nicht."), parameter="page", allowed=[f"1 – {asked.page - 1}"]
        )
    form = forms.filter_arguments(request.args)
    return render_template(
        "coordination/newest.html",
        missing=missing,
        rows=rows,
        form=form,
        subjects=form.getlist("subject"),
        services=service().kept("bundles", listings.bundles),
        choices=[(slug, titles.subject_name(name) or name) for slug, name in SUBJECT_AREAS],
        regions=forms.choices().regions,
        chips=_chips(_filters(form)),
        title=_title(asked),
        feed=url_for(".feed", _external=True, **asked.args),
        before=_link(asked, asked.page - 1) if asked.page > 1 else None,
        after=_link(asked, asked.page + 1) if more and asked.page < _MOST_PAGES else None,
        page=asked.page,
        downloads=[(kind, url_for(f".as_{kind}", **asked.args)) for kind in ("csv", "xlsx")],
        subject_name=titles.subject_name,
    )


def _chips(filters: MultiDict[str, str]) -> list[tuple[str, str]]:
    """Label of each filter that is set, and the page without it."""
    links: list[tuple[str, Any]] = [(chip.label, chip.arguments) for chip in forms.chips(filters)]
    return [(label, url_for(".page", **arguments)) for label, arguments in links]


def _link(asked: Asked, number: int) -> str:
    return url_for(".page", page=number if number > 1 else None, **asked.args)


def _filters(args: MultiDict[str, str]) -> MultiDict[str, str]:
    return MultiDict((name, value) for name, value in args.items(multi=True) if name in FILTERS)


def _asked(connection: Connection, *, most: int = _ROWS) -> Asked:
    """Raises ParameterError, and NotFoundError for a service or region that there is not."""
    shared = forms.filter_arguments(request.args)
    own = [
        (name, value) for name in ("page", "limit") for value in request.args.getlist(name) if value.strip()
    ]
    args = MultiDict([*(item for item in shared.items(multi=True) if item[0] != "limit"), *own])
    params.allow_only(args, _PARAMETERS, single=("page", "limit"))
    filters = _filters(args)
    query = params.parse_query(filters, Level.DISTRICT)
    selection = resolve(connection, query)
    chosen = selection.service_ids or selection.bundle_ids if query.services or query.subjects else None
    limit = min(params.parse_limit(args), _MOST_ROWS) if "limit" in args else most
    number = tables.parse_page(args.get("page"))
    if number > _MOST_PAGES:
        raise ParameterError(
            _("So viele Seiten hat die Liste nicht."), parameter="page", allowed=[f"1 – {_MOST_PAGES}"]
        )
    wanted = Wanted(params.today(), chosen, selection.regions, limit, (number - 1) * limit)
    kept: dict[str, Any] = dict(filters.lists())
    if "limit" in args:
        kept["limit"] = str(limit)
    return Asked(wanted, query, selection, number, kept)


def _title(asked: Asked) -> str:
    """What is shown, in words: "Neu online: Hundesteuer – Bayern"."""
    what = ", ".join(asked.selection.names[:3]) if asked.query.services or asked.query.subjects else ""
    names = {
        key: name
        for state in forms.choices().regions
        for key, name in ((state.key, state.name), *((item.key, item.label) for item in state.districts))
    }
    where = ", ".join(names.get(key, key) for key in asked.query.within[:3])
    said = " – ".join(part for part in (what, where) if part)
    return _("Neu online: %(what)s", what=said) if said else _("Neu online")


@blueprint.get("/neu.atom")
@versioned
def feed(connection: Connection, version: Version) -> Payload:
    """An Atom feed (RFC 4287), in pages (RFC 5005): withdrawn entries are gone from it at once."""
    asked = _asked(connection)
    rows = newest.newest(connection, asked.wanted)
    more = len(rows) > asked.wanted.limit and asked.page < _MOST_PAGES

    def link(number: int) -> str:
        return url_for(".feed", _external=True, page=number if number > 1 else None, **asked.args)

    made = feeds.Feed(
        title=_title(asked),
        own=link(asked.page),
        first=link(1),
        page=url_for(".page", _external=True, **asked.args),
        next=link(asked.page + 1) if more else None,
        previous=link(asked.page - 1) if asked.page > 1 else None,
        changed_at=version.changed_at,
        demonstration=version.demonstration,
    )
    return Payload(feeds.atom(made, rows[: asked.wanted.limit]), feeds.ATOM)


@sheets.routes(blueprint, "/neu")
def _sheet(connection: Connection, version: Version) -> Sheet:
    """The newest, so many as a file of such a list is good for."""
    asked = _asked(connection)
    rows = newest.newest(connection, replace(asked.wanted, limit=_TAKEN_ALONG, offset=0))[:_TAKEN_ALONG]
    yes = {True: _("ja"), False: _("nein"), None: None}
    return sheets.sheet(
        connection,
        version,
        file="neu-online",
        title=_title(asked),
        address=url_for(".page", _external=True, **asked.args),
        more=[(_("Umfang"), _("die neuesten %(number)s", number=len(rows)))],
        head=[
            *(_("online seit"), _("Schlüssel"), _("Behörde"), _("Art"), _("Kreis"), _("Leistungsschlüssel")),
            *(_("Leistung"), _("Themenfeld"), _("Lösung"), _("nachnutzbar"), _("Kontakt"), _("Adresse")),
        ],
        rows=[
            [
                *(row.online_since, row.ars, row.name, row.designation, row.above, row.service),
                *(row.service_name, titles.subject_name(row.subject_name), row.solution, yes[row.reusable]),
                *(row.contact, row.url),
            ]
            for row in rows
        ],
        widths=(12, 14, 30, 20, 24, 18, 36),
    )
