"""Bit strings over services made from entries at request time, where the tallies do not tell.

The entries are those that the connection's role may see: row-level security is the filter of the audience.
For a past day they are the versions that held then, and tell all that the tallies tell of today.
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
from mapservice.layers.past import versions_on
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Implementation, Service
from mapservice.tallies import STATUS_COLUMNS, no_bundles, restricted_rows

OFFERED = tuple(name for name, worst in STATUS_COLUMNS.items() if worst <= Status.PLANNED)
Versions = list[tuple[Any, ColumnElement[bool]]]
"""Tables of entries, each with the condition on its rows."""


def meets(query: Query, entry: Any = Implementation) -> ColumnElement[bool]:
    """Whether the query counts an entry as an offer. What an entry does not say, it does not meet."""
    conditions: list[ColumnElement[bool]] = []
    if query.kinds:
        kinds = [int(kind) for kind in query.kinds]
        conditions.append(entry.solution_kind == any_(cast(kinds, ARRAY(SmallInteger))))
    if query.maturity is not None:
        conditions.append(entry.maturity_model == int(query.maturity.model))
        conditions.append(entry.maturity >= query.maturity.step)
    if query.confirmed is not None:
        conditions.append(entry.as_of >= query.confirmed)
    return and_(true(), *conditions)


def of_bundles(query: Query, selection: Selection, name: str, among: Select[Any] | None = None) -> CTE:
    """Per authority the bundles of S that it offers by entries that meet the query: the columns of OFFERED.

    What is reported as open or not responsible is no offer, and is left to the tallies. Of a past day they
    tell nothing: then all the columns of a tally, and a row for each authority with an entry of any service.
    among: ids of the authorities that matter.
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
    if query.stand is None:
        wanted = [
            (entry, held & (entry.status <= int(Status.PLANNED)) & meets(query))
            for entry, held in _held(query, among)
        ]
        return _aggregated(query, wanted, members, list(OFFERED), name)
    return _aggregated(
        query, _held(query, among), members, list(STATUS_COLUMNS), name, judged=query.filters_entries
    )


def of_services(
    query: Query,
    selection: Selection,
    services: Select[Any],
    name: str,
    among: Select[Any] | None = None,
) -> CTE:
    """The same over the chosen services, as all the columns of a tally; `services` has their id and bit."""
    chosen, member = services.subquery("chosen"), aliased(Service)
    members = select(member.id, chosen.c.bit).join(
        chosen, or_(chosen.c.id == member.id, chosen.c.id == member.parent_id)
    )
    wanted = _held(query, among)
    if query.stand is None:
        ids = cast(list(selection.member_ids), ARRAY(Integer))
        wanted = [(entry, held & (entry.service_id == any_(ids))) for entry, held in wanted]
    return _aggregated(query, wanted, members, list(STATUS_COLUMNS), name, judged=True)


def _held(query: Query, among: Select[Any] | None) -> Versions:
    """The entries of the query's day."""
    held = versions_on(query.stand)
    if among is None:
        return held
    # As a list made before: a condition that the index of each table answers.
    ids = func.array(among.scalar_subquery())
    return [(entry, condition & (entry.authority_id == any_(ids))) for entry, condition in held]


def _aggregated(
    query: Query,
    wanted: Versions,
    members: Select[Any],
    columns: list[str],
    name: str,
    *,
    judged: bool = False,
) -> CTE:
    """One row per authority. OR over all its entries: cumulative bit strings need no best status first.

    judged: whether an entry meets the query decides entry by entry. Of a past day there is also a row for
    authorities that have entries of other services alone.
    """
    carried = ["service_id", "status", *(["meets"] if judged else [])]

    def entries(*, limited: bool) -> list[Select[Any]]:
        # Apart, since only those without `gilt_fuer` are in an index together with what is asked of them.
        made = []
        for entry, held in wanted:
            read = [entry.authority_id, entry.service_id, entry.status]
            read += [meets(query, entry).label("meets")] if judged else []
            read += [entry.valid_for] if limited and query.scope is Scope.AVAILABLE else []
            where = entry.valid_for.is_not(None) if limited else entry.valid_for.is_(None)
            rows = select(*read).where(held, where)
            if query.stand is not None and not limited:
                # As the index has them: grouped as they come, without a place in memory for each group.
                rows = rows.order_by(entry.authority_id, entry.status)
            made.append(rows)
        return made

    limited = entries(limited=True)
    if query.scope is Scope.AVAILABLE:
        limited = [restricted_rows(union_all(*limited).subquery("limited"), carried)]
    row = union_all(*entries(limited=False), *limited).subquery("row")
    # Kept apart: the planner would guess a handful of them, and sort all the entries to join them.
    member = members.cte(f"{name}_members").prefix_with("MATERIALIZED")
    # By status first: one OR for each entry, not one for each column.
    groups = [row.c.authority_id, row.c.status, *([row.c.meets] if judged else [])]
    one = (
        select(*groups, func.bit_or(member.c.bit).label("bits"))
        .join_from(row, member, member.c.id == row.c.service_id, isouter=query.stand is not None)
        .group_by(*groups)
        .subquery("one")
    )

    def bits(column: str) -> ColumnElement[Any]:
        counts = one.c.status <= int(STATUS_COLUMNS[column])
        if column in OFFERED and judged:
            counts &= one.c.meets
        return func.coalesce(func.bit_or(one.c.bits).filter(counts), no_bundles()).label(column)

    made = select(one.c.authority_id, *(bits(column) for column in columns)).group_by(one.c.authority_id)
    # Computed once and kept: the planner knows nothing of bit strings joined with bit strings.
    return made.cte(f"{name}_made").prefix_with("MATERIALIZED")
