"""/register: all solutions; and the page of one: what it serves, who uses it since when, whom to ask."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row
from werkzeug.datastructures import MultiDict

from mapservice import forms, params, sheets, tables, titles
from mapservice.coordination import contacts, register_form, register_words, solution_map
from mapservice.coordination.register_form import kept
from mapservice.database import Version
from mapservice.domain import Level, Status
from mapservice.errors import NotFoundError
from mapservice.register import find as register
from mapservice.register import users as register_users
from mapservice.register.find import Region, Sort
from mapservice.register.users import UserSort
from mapservice.responses import Payload, versioned
from mapservice.service import service
from mapservice.sheets import Cell, Sheet
from mapservice.stale import without_missing

blueprint = Blueprint("register", __name__)
_NAMED, _SERVED, _USERS = 3, 100, 50
_USER_PARAMETERS = ("sort", "page", "within", params.LANGUAGE)


@blueprint.get("/register")
def page() -> str:
    """The list, with search, filters and pages."""
    return without_missing(_page)


def _page(missing: list[str]) -> str:
    audience = service().audience
    with service().reader() as connection:
        asked = register_form.asked(connection)
        found = register.find(connection, asked.wanted, audience)
        register_form.require_page(asked.page, found.total, asked.wanted.limit or 1)
        names = register_words.first_services(connection, found.rows, _NAMED)
    form = asked.args

    def link(**changes: Any) -> str:
        return asked.link(".page", **changes)

    return render_template(
        "coordination/register.html",
        missing=missing,
        found=found,
        result=register_words.result(found),
        names=names,
        named=_NAMED,
        words=register_words,
        form=form,
        subjects=form.getlist("subject"),
        kinds=form.getlist("kind"),
        service_text=form.get("service", ""),
        kept=[("within", key) for key in form.getlist("within")[1:]],
        choices=register_form.choices(),
        services=register_form.services(),
        chips=register_form.chips(asked),
        columns=_columns(asked.wanted.sort, link),
        pages=tables.page_links(asked.page, found.total, link, asked.wanted.limit or 1),
        first=asked.wanted.offset + 1,
        downloads=[(kind, url_for(f".as_{kind}", **kept(form, "page", "limit"))) for kind in ("csv", "xlsx")],
        data_as_of=service().version().changed_at,
        limits=[
            (size, link(limit=size if size != register_form.PAGES[0] else None, page=None))
            for size in register_form.PAGES
        ],
        limit=str(asked.wanted.limit),
    )


def _columns(sort: Sort | None, link: tables.Link) -> list[tables.Column]:
    def column(
        label: str, by: Sort, direction: str, *, number: bool = False, place: bool = False
    ) -> tables.Column:
        chosen = direction if sort is by else None
        return tables.Column(label, number, link(sort=by.value, page=None), chosen, place)

    return [
        column(_("Lösung"), Sort.NAME, "ascending"),
        tables.Column(_("Leistungen"), place=True),
        column(_("Nutzende"), Sort.USERS, "descending"),
        tables.Column(_("nachnutzbar")),
        column(_("zuletzt bestätigt"), Sort.CONFIRMED, "descending", place=True),
    ]


@sheets.routes(blueprint, "/register")
def _sheet(connection: Connection, version: Version) -> Sheet:
    """The list of this request, all pages of it."""
    asked = register_form.asked(connection)
    found = register.find(connection, replace(asked.wanted, limit=None, offset=0), service().audience)
    keys = register_words.service_keys(connection)
    return sheets.sheet(
        connection,
        version,
        file="register",
        title=_("Register der Lösungen"),
        result=register_words.result(found),
        address=url_for(".page", _external=True, **kept(asked.args, "page", "limit")),
        head=register_words.head(),
        rows=[register_words.cells(row, keys) for row in found.rows],
        widths=(38, 32, 32, 24, 28, 14),
    )


# --- one solution -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What the page of one solution is asked about its users."""

    args: MultiDict[str, str]
    regions: tuple[Region, ...]
    sort: UserSort
    page: int


def _entry(connection: Connection, public_id: str) -> Row[Any]:
    """Raises NotFoundError for what is no id, or none that this audience may see."""
    row = None
    with suppress(ValueError):
        row = register.entry(connection, uuid.UUID(public_id), service().audience)
    if row is None:
        raise NotFoundError(
            _(
                "Diese Lösung steht nicht im Register. Vielleicht wurde sie zurückgezogen; suchen Sie sie "
                "dort nach ihrem Namen."
            ),
            parameter="id",
        )
    return row


def _users_asked(connection: Connection) -> _Asked:
    args = MultiDict((name, value) for name, value in request.args.items(multi=True) if value.strip())
    params.allow_only(args, _USER_PARAMETERS, single=("sort", "page"))
    shared = MultiDict((name, value) for name, value in args.items(multi=True) if name == "within")
    query = params.parse_query(shared, Level.DISTRICT)
    return _Asked(
        args,
        register_form.regions(connection, query),
        UserSort(params.parse_choice(args, "sort", [sort.value for sort in UserSort])),
        tables.parse_page(args.get("page")),
    )


@blueprint.get("/register/<public_id>")
def entry(public_id: str) -> str:
    """What it serves, who uses it since when, whom to ask."""
    return without_missing(lambda missing: _entry_page(public_id, missing))


def _entry_page(public_id: str, missing: list[str]) -> str:
    audience = service().audience
    with service().reader() as connection:
        row = _entry(connection, public_id)
        asked = _users_asked(connection)
        found = register_users.users(
            connection,
            audience,
            row.entry_id,
            regions=asked.regions,
            sort=asked.sort,
            limit=_USERS,
            offset=(asked.page - 1) * _USERS,
        )
        register_form.require_page(asked.page, found.total, _USERS)
        told = register_users.told(connection, row.entry_id, [user.authority_id for user in found.rows])
        served = register_users.served(connection, audience, row.entry_id)

    def link(**changes: Any) -> str:
        return url_for(".entry", public_id=row.public_id, **{**kept(asked.args), **changes})

    def about(authority: str) -> contacts.Subject:
        address = url_for(".entry", public_id=row.public_id, _external=True, lang=None)
        return contacts.Subject(register_words.name_of(row), authority, address)

    return render_template(
        "coordination/register_entry.html",
        missing=missing,
        row=row,
        words=register_words,
        served=served[:_SERVED],
        services=len(served),
        users=[
            (user, entries, contacts.contact(entries, user.public_contact, about(user.name)))
            for user in found.rows
            for entries in (told.get(user.authority_id, []),)
        ],
        total=found.total,
        first=(asked.page - 1) * _USERS + 1,
        pages=tables.page_links(asked.page, found.total, link, _USERS),
        sort=asked.sort.value,
        within=asked.args.get("within", ""),
        regions=forms.choices().regions,
        provider_mail=contacts.mail([row.provider_contact], about(row.provider or "")),
        status_names={int(status): titles.status_name(status) for status in Status},
        status_codes={int(status): status.code for status in Status},
        downloads=[
            (kind, url_for(f".entry_{kind}", public_id=row.public_id, **kept(asked.args, "page")))
            for kind in ("csv", "xlsx")
        ],
        picture=url_for(".picture", public_id=row.public_id),
        in_months=lambda day: f"{day:%m/%Y}",
    )


@sheets.routes(blueprint, "/register/<public_id>", "entry")
def _users_sheet(connection: Connection, version: Version, public_id: str) -> Sheet:
    """All users of one solution, a row for each."""
    row = _entry(connection, public_id)
    asked = _users_asked(connection)
    found = register_users.users(
        connection, service().audience, row.entry_id, regions=asked.regions, sort=asked.sort
    )
    keys = register_words.service_keys(connection)
    statuses = {int(status): titles.status_name(status) for status in Status}
    yes = {True: _("ja"), False: _("nein"), None: None}
    rows: list[Sequence[Cell]] = [
        (
            user.ars, user.name, user.designation, user.above, statuses[user.status], user.since,
            yes[user.sharing], " | ".join(sorted(keys[id_] for id_ in set(user.service_ids) if id_ in keys)),
            register_words.kinds_said(user.kinds), user.maturity_11, user.maturity_20,
            " | ".join(user.systems or ()), user.confirmed_on, user.public_contact,
        )
        for user in found.rows
    ]  # fmt: skip
    return sheets.sheet(
        connection,
        version,
        file="loesung",
        title=register_words.name_of(row),
        address=url_for(".entry", public_id=row.public_id, _external=True, **kept(asked.args, "page")),
        head=[
            _("Schlüssel"),
            _("Behörde"),
            _("Art"),
            _("Kreis"),
            _("Status"),
            _("online seit"),
            _("nachnutzbar"),
            _("Leistungen"),
            _("Lösungsart"),
            _("Reifegrad 1.1 bis"),
            _("Reifegrad 2.0 bis"),
            _("Fachverfahren"),
            _("zuletzt bestätigt"),
            _("Kontakt der Behörde"),
        ],
        rows=rows,
        widths=(14, 30, 20, 24),
    )


@blueprint.get("/register/<public_id>.svg")
@versioned
def picture(connection: Connection, version: Version, public_id: str) -> Payload:
    """Districts where it is used, as a small map for the page."""
    params.allow_only(request.args, (params.LANGUAGE,), single=(params.LANGUAGE,))
    row = _entry(connection, public_id)
    statuses = register_users.by_district(connection, service().audience, row.entry_id)
    return Payload(solution_map.drawn(connection, statuses), "image/svg+xml")
