"""Bit strings over services made from entries at request time, where the tallies do not tell.

The entries are those that the connection's role may see: row-level security is the filter of the audience.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    and_,
    any_,
    cast,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import Scope, ServiceKind, Status
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Implementation, Service
from mapservice.tallies import no_bundles, restricted_rows

OFFERED = {"online": Status.ONLINE, "in_progress": Status.IN_PROGRESS, "planned": Status.PLANNED}
REPORTED = {"open": Status.OPEN, "reported": Status.NOT_RESPONSIBLE}
STATUS_COLUMNS = {**OFFERED, **REPORTED}
"""The bit strings of a tally, each with the worst status in it."""


def meets(query: Query) -> ColumnElement[bool]:
    """Whether the query counts an entry as an offer. What an entry does not say, it does not meet."""
    conditions: list[ColumnElement[bool]] = []
    if query.kinds:
        kinds = [int(kind) for kind in query.kinds]
        conditions.append(Implementation.solution_kind == any_(cast(kinds, ARRAY(SmallInteger))))
    if query.maturity is not None:
        conditions.append(Implementation.maturity_model == int(query.maturity.model))
        conditions.append(Implementation.maturity >= query.maturity.step)
    if query.confirmed is not None:
        conditions.append(Implementation.as_of >= query.confirmed)
    return and_(true(), *conditions)


def of_bundles(query: Query, selection: Selection, name: str) -> CTE:
    """Per authority the bundles of S that it offers by entries that meet the query: the columns of OFFERED.

    What is reported as open or not responsible is no offer, and is left to the tallies.
    """
    bundle = aliased(Service)
    members = select(Service.id, bundle.bit).join(
        bundle,
        and_(
            bundle.id == func.coalesce(Service.parent_id, Service.id), bundle.kind == int(ServiceKind.BUNDLE)
        ),
    )
    if selection.bundle_ids is not None:
        members = members.where(bundle.id == any_(cast(list(selection.bundle_ids), ARRAY(Integer))))
    entries = _entries().where(Implementation.status <= int(Status.PLANNED), meets(query))
    return _aggregated(query.scope, entries, members, list(OFFERED), name)


def of_services(query: Query, selection: Selection, services: Select[Any], name: str) -> CTE:
    """The same over the chosen services, as all the columns of a tally; `services` has their id and bit."""
    chosen, member = services.subquery("chosen"), aliased(Service)
    members = select(member.id, chosen.c.bit).join(
        chosen, or_(chosen.c.id == member.id, chosen.c.id == member.parent_id)
    )
    among = Implementation.service_id == any_(cast(list(selection.member_ids), ARRAY(Integer)))
    entries = _entries().where(among).add_columns(meets(query).label("meets"))
    return _aggregated(query.scope, entries, members, list(STATUS_COLUMNS), name)


def _entries() -> Select[Any]:
    return select(Implementation.authority_id, Implementation.service_id, Implementation.status)


def _aggregated(
    scope: Scope, entries: Select[Any], members: Select[Any], columns: list[str], name: str
) -> CTE:
    """One row per authority. OR over all its entries: cumulative bit strings need no best status first."""
    carried = [column.name for column in entries.selected_columns if column.name != "authority_id"]
    # Apart, since only those without `gilt_fuer` are in an index together with what is asked of them.
    everywhere = entries.where(Implementation.valid_for.is_(None))
    limited = entries.where(Implementation.valid_for.is_not(None))
    if scope is Scope.AVAILABLE:
        limited = restricted_rows(limited.add_columns(Implementation.valid_for).subquery("limited"), carried)
    row = union_all(everywhere, limited).subquery("row")
    # Kept apart: the planner would guess a handful of them, and sort all the entries to join them.
    member = members.cte(f"{name}_members").prefix_with("MATERIALIZED")
    # By status first: one OR for each entry, not one for each column.
    groups = [row.c.authority_id, row.c.status, *([row.c.meets] if "meets" in carried else [])]
    one = (
        select(*groups, func.bit_or(member.c.bit).label("bits"))
        .join_from(row, member, member.c.id == row.c.service_id)
        .group_by(*groups)
        .subquery("one")
    )

    def bits(column: str) -> ColumnElement[Any]:
        counts = one.c.status <= int(STATUS_COLUMNS[column])
        if column in OFFERED and "meets" in carried:
            counts &= one.c.meets
        return func.coalesce(func.bit_or(one.c.bits).filter(counts), no_bundles()).label(column)

    made = select(one.c.authority_id, *(bits(column) for column in columns)).group_by(one.c.authority_id)
    # Computed once and kept: the planner knows nothing of bit strings joined with bit strings.
    return made.cte(f"{name}_made").prefix_with("MATERIALIZED")
