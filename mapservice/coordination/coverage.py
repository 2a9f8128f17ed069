"""/fortschritt/liste/<key>: how far a target list has come, by authority, and who takes what until when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row
from werkzeug.datastructures import MultiDict

from mapservice import i18n, params, sheets
from mapservice.coordination import compared
from mapservice.coordination.compared import Compared
from mapservice.coordination.matrix_cells import SYMBOLS, names
from mapservice.coordination.own import full_name
from mapservice.database import Version
from mapservice.domain import Level, Measure, Scope, Status
from mapservice.layers import groups, targets
from mapservice.layers.matrix import Line, Order, Sum, matrix
from mapservice.layers.query import Query
from mapservice.plans import MOST_COMPARED, Role
from mapservice.service import service
from mapservice.sheets import Cell, Sheet

blueprint = Blueprint("coverage", __name__)
PAGE = "coordination.coverage.page"
_KNOWN = ("authority", "group", "scope", params.LANGUAGE)
_DONE = str(int(Status.ONLINE))


@dataclass(frozen=True)
class Taken:
    """A row of the list. who: in words, empty for nobody; status: the cell of the service at the authority
    that takes it, None where that is no authority. overdue: the day is over and it is not online.
    """

    line: Line
    who: str
    ars: str | None
    role: str
    due: Any
    status: str | None
    overdue: bool
    note: str


@dataclass(frozen=True)
class Covered:
    """How far an authority has come: services of the list by status, among those that are its own."""

    authority: Row[Any]
    sum: Sum
    numbers: Counter[str]


@dataclass(frozen=True)
class Shown:
    """of_takers: whether the authorities are those that take something, as nobody was asked for."""

    listed: targets.Listed
    who: Compared
    scope: Scope
    of_takers: bool
    covered: tuple[Covered, ...]
    taken: tuple[Taken, ...]

    @property
    def services_taken(self) -> int:
        return len({row.line.service.id for row in self.taken if row.who})

    @property
    def services_done(self) -> int:
        return len({row.line.service.id for row in self.taken if row.status == _DONE})

    @property
    def overdue(self) -> int:
        return sum(row.overdue for row in self.taken)


@blueprint.get("/fortschritt/liste")
def index() -> str:
    """The lists that there are."""
    params.allow_only(request.args, (params.LANGUAGE,))
    with service().reader() as connection:
        return render_template("coordination/target_lists.html", lists=targets.imported(connection))


@blueprint.get("/fortschritt/liste/<key>")
def page(key: str) -> str:
    with service().reader() as connection:
        shown = _read(connection, key)
        offered = compared.offered(connection)
    return render_template(
        "coordination/target_list.html",
        shown=shown,
        who=shown.who,
        imported=offered,
        asked_group=request.args.get("group", ""),
        words=names(),
        full_name=full_name,
        by_state=compared.by_state(),
        sentence=sentence(shown),
        own_link=lambda ars: url_for(PAGE, key=key, **{**_kept(), "authority": ars}),
        matrix_link=_matrix_link(shown),
        kept=_kept(),
        data_as_of=service().version().changed_at,
    )


def _kept() -> dict[str, Any]:
    """What the address says, for links; the language is added to each."""
    return {name: request.args.getlist(name) for name in _KNOWN[:3] if request.args.get(name)}


def _matrix_link(shown: Shown) -> str:
    """The same authorities and services side by side."""
    whom = _kept()
    if shown.of_takers:
        whom["authority"] = [item.authority.ars for item in shown.covered[:MOST_COMPARED]]
    return url_for("coordination.matrix.page", list=shown.listed.key, sort="list", **whom)


def _read(connection: Connection, key: str) -> Shown:
    """Raises NotFoundError, of an internal list too, and ParameterError."""
    args = MultiDict((name, value.strip()) for name, value in request.args.items(multi=True) if value.strip())
    params.allow_only(args, _KNOWN, single=("group",))
    listed = targets.find(connection, key)
    query = Query(
        level=Level.MUNICIPALITY,
        measure=Measure.SHARE,
        scope=params.parse_query(args, Level.MUNICIPALITY).scope,
    )
    who = compared.find(connection, args.getlist("authority"), args.get("group", ""))
    said = targets.commitments(connection, key)
    takers = list(dict.fromkeys(row.ars for row in said if row.ars))
    authorities = {row.id: row for row in who.members} | {
        row.id: row for row in groups.named(connection, takers)
    }
    asked = [row.id for row in who.members] or list(authorities)
    selection = targets.selection(connection, listed)
    table = matrix(
        connection, query, selection, service().audience, list(authorities), Order.LIST, every=True
    )
    places = {id_: place for place, id_ in enumerate(authorities)}
    covered = tuple(
        Covered(
            authorities[id_],
            table.columns[places[id_]],
            Counter(line.cells[places[id_]] for line in table.lines),
        )
        for id_ in asked
    )
    lines = {line.service.id: line for line in table.lines}
    taken = _taken(said, lines, places)
    return Shown(listed, who, query.scope, not who.members, covered, taken)


def _taken(said: Any, lines: dict[int, Line], places: dict[int, int]) -> tuple[Taken, ...]:
    today = params.today()
    made = []
    for row in said:
        line = lines[row.service_id]
        status = line.cells[places[row.authority_id]] if row.authority_id else None
        late = row.due is not None and row.due < today and status != _DONE
        role = {Role.IMPLEMENTS: _("Umsetzung"), Role.INFORMED: _("Information")}.get(row.role, "")
        name = full_name(_Named(row.authority_name, row.designation)) if row.ars else row.who
        overdue = late and row.role != Role.INFORMED
        made.append(Taken(line, name, row.ars, role, row.due, status, overdue, row.note or ""))
    # A service of which the asker may see no row has none of these: nobody is known to take it.
    known = {row.line.service.id for row in made}
    made += [
        Taken(line, "", None, "", None, None, False, "") for id_, line in lines.items() if id_ not in known
    ]
    order = {id_: place for place, id_ in enumerate(lines)}
    # Of several rows those that name somebody tell all; the empty one only keeps the service in the list.
    named = {row.line.service.id for row in made if row.who}
    made = [row for row in made if row.who or row.note or row.due or row.line.service.id not in named]
    return tuple(sorted(made, key=lambda row: order[row.line.service.id]))


@dataclass(frozen=True)
class _Named:
    name: str
    designation: str | None


# --- downloads --------------------------------------------------------------------------------------


@sheets.routes(blueprint, "/fortschritt/liste/<key>")
def _sheet(connection: Connection, version: Version, key: str) -> Sheet:
    """Who takes what, with the status of each service at each authority asked for."""
    shown = _read(connection, key)
    words = names()
    head = [
        *(_("Leistung"), _("Schlüssel"), _("verantwortlich"), _("Rolle"), _("bis")),
        *(_("Stand dort"), _("überfällig"), _("Notiz"), _("haben es"), _("von zuständigen")),
    ]
    rows: list[list[Cell]] = [
        [
            row.line.service.name,
            row.line.service.key,
            f"{row.who} {row.ars}" if row.ars else row.who,
            row.role,
            row.due,
            f"{SYMBOLS[row.status]} {words[row.status]}" if row.status else None,
            _("ja") if row.overdue else None,
            row.note,
            row.line.sum.n,
            row.line.sum.of,
        ]
        for row in shown.taken
    ]
    coverage = "; ".join(
        f"{full_name(item.authority)}: {i18n.number(item.sum.n)} / {i18n.number(item.sum.of)}"
        for item in shown.covered
    )
    address = url_for(PAGE, key=key, _external=True, **_kept())
    return sheets.sheet(
        connection,
        version,
        file=_("zielliste"),
        title=_("Zielliste „%(name)s“", name=shown.listed.name),
        address=address,
        head=head,
        rows=rows,
        result=sentence(shown),
        more=[(_("online / zuständig"), coverage)] if coverage else [],
        widths=(44, 12, 30, 14, 12, 18, 11, 40, 10, 12),
        freeze="C2",
    )


def sentence(shown: Shown) -> str:
    """The state of the list in one sentence."""
    said = _(
        "%(taken)s von %(services)s Leistungen hat jemand übernommen, %(done)s davon sind dort online.",
        taken=i18n.number(shown.services_taken),
        services=i18n.number(len(shown.listed.services)),
        done=i18n.number(shown.services_done),
    )
    if shown.overdue:
        said += " " + _("Überfällig: %(count)s.", count=i18n.number(shown.overdue))
    return said
