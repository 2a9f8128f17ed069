"""Tallies: per audience, which bundles an authority reports with which status (see docs/data-model.md).

They are derived from implementations alone and can be made anew at any time. Whatever changes
implementations, publications, the catalogue or the hierarchy calls refresh() in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    any_,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    outerjoin,
    select,
    table,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT
from sqlalchemy.orm import aliased

from mapservice.domain import BUNDLE_BITS, FEDERATION, Audience, Scope, ServiceKind, Status
from mapservice.models import Authority, DataVersion, Implementation, Service, Tally

_MANY = 100
STATUS_COLUMNS = {
    "online": Status.ONLINE,
    "in_progress": Status.IN_PROGRESS,
    "planned": Status.PLANNED,
    "open": Status.OPEN,
    "reported": Status.NOT_RESPONSIBLE,
}
"""The bit strings of a tally, each with the worst status in it."""
# The owner's view of what the public may see; its condition stands in the migration that makes the policies.
_PUBLIC_IMPLEMENTATION = table(
    "public_implementation",
    *(column(name) for name in ("id", "authority_id", "service_id", "status", "valid_for", "demonstration")),
)


CONTRIBUTED = 3
"""A third value of Tally.scope: what an authority gives to its area; AVAILABLE is made from these."""


def refresh(connection: Connection, authority_ids: Collection[int] | None = None) -> None:
    """Make the tallies of these authorities (None: of all) anew, for every audience; needs the owner role.

    Those of the areas below them follow. Also keeps data_version.demonstration: whether demonstration data
    are among what the audience sees.
    """
    ids = None if authority_ids is None else set(authority_ids)
    for audience in Audience:
        source = _PUBLIC_IMPLEMENTATION if audience is Audience.PUBLIC else Implementation.__table__
        _refresh_own(connection, audience, source, ids)
        changed = _refresh_contributed(connection, audience, source, ids)
        _refresh_available(connection, audience, changed)
        _refresh_demonstration(connection, audience, source)
    if ids is None or len(ids) >= _MANY:
        # Before anybody asks: an audience that had no rows yet would be guessed empty, and joined by loops.
        connection.execute(text("ANALYZE tally, publication"))


def _among(column_: Any, ids: Collection[int] | None) -> ColumnElement[bool]:
    return true() if ids is None else column_ == any_(cast(sorted(ids), ARRAY(Integer)))


def _refresh_own(
    connection: Connection, audience: Audience, source: FromClause, ids: Collection[int] | None
) -> None:
    _remove(connection, audience, Scope.OWN, ids)
    rows = select(source.c.authority_id, source.c.service_id, source.c.status).where(
        _among(source.c.authority_id, ids)
    )
    _insert(connection, audience, Scope.OWN, rows, restricted=False)


def _refresh_contributed(
    connection: Connection, audience: Audience, source: FromClause, ids: Collection[int] | None
) -> Collection[int] | None:
    """Copies of the own tallies, but for authorities that entries with `gilt_fuer` give to or take from.

    Returns the ids whose contribution may have changed, None for all.
    """
    targets = restricted_rows(source).subquery()
    involved = set(
        connection.scalars(
            union_all(
                select(source.c.authority_id).where(source.c.valid_for.is_not(None)),
                select(targets.c.authority_id),
                select(Tally.authority_id).where(
                    Tally.audience == int(audience), Tally.scope == CONTRIBUTED, Tally.restricted
                ),
            )
        )
    )
    changed = None if ids is None else {*ids, *involved}
    _remove(connection, audience, CONTRIBUTED, changed)
    connection.execute(
        insert(Tally).from_select(
            ["audience", "scope", "authority_id", *STATUS_COLUMNS, "restricted"],
            select(
                Tally.audience,
                literal(CONTRIBUTED),
                Tally.authority_id,
                *(getattr(Tally, name) for name in STATUS_COLUMNS),
                literal(False),
            ).where(
                Tally.audience == int(audience),
                Tally.scope == int(Scope.OWN),
                _among(Tally.authority_id, ids),
                ~_among(Tally.authority_id, involved),
            ),
        )
    )
    if involved:
        unrestricted = select(source.c.authority_id, source.c.service_id, source.c.status).where(
            source.c.valid_for.is_(None), _among(source.c.authority_id, involved)
        )
        rows = union_all(unrestricted, select(targets)).subquery()
        _insert(connection, audience, CONTRIBUTED, select(rows), restricted=True)
    return changed


def _refresh_available(connection: Connection, audience: Audience, changed: Collection[int] | None) -> None:
    """Bitwise OR over the chain of each authority that is, or stands below, a changed one."""
    federation = connection.scalar(select(Authority.id).where(Authority.ars == FEDERATION))
    above = (Authority.id, Authority.association_id, Authority.district_id, Authority.state_id)
    below: ColumnElement[bool] = true()
    if changed is not None and federation not in changed:
        below = or_(*(_among(link, changed) for link in above))
    affected = select(Authority.id).where(below)
    connection.execute(
        delete(Tally).where(
            Tally.audience == int(audience),
            Tally.scope == int(Scope.AVAILABLE),
            Tally.authority_id.in_(affected),
        )
    )
    joined: Any = Authority
    parts = []
    for link in (
        Authority.id,
        Authority.association_id,
        Authority.district_id,
        Authority.state_id,
        federation,
    ):
        part = aliased(Tally)
        parts.append(part)
        joined = outerjoin(
            joined,
            part,
            and_(part.audience == int(audience), part.scope == CONTRIBUTED, part.authority_id == link),
        )
    connection.execute(
        insert(Tally).from_select(
            ["audience", "scope", "authority_id", *STATUS_COLUMNS],
            select(
                literal(int(audience)),
                literal(int(Scope.AVAILABLE)),
                Authority.id,
                *(any_of([getattr(part, name) for part in parts]) for name in STATUS_COLUMNS),
            )
            .select_from(joined)
            .where(below, func.coalesce(*(part.authority_id for part in parts)).is_not(None)),
        )
    )


def no_bundles() -> ColumnElement[Any]:
    """The bit string without any bundle."""
    return cast(cast(literal("0" * BUNDLE_BITS), String), BIT(BUNDLE_BITS))


def any_of(bits: Sequence[Any]) -> ColumnElement[Any]:
    """Bitwise OR; null counts as none."""
    result: ColumnElement[Any] = func.coalesce(bits[0], no_bundles())
    for more in bits[1:]:
        result = result.op("|")(func.coalesce(more, no_bundles()))
    return result


def restricted_rows(source: FromClause, carried: Sequence[str] = ("service_id", "status")) -> Select[Any]:
    """(authority_id, *carried columns) of entries with `gilt_fuer`, each at the authorities it reaches.

    It reaches a listed authority in whose chain the offering one stands; where the listed one is above
    the offering one, it reaches the offering one itself.
    """
    listed = (
        select(
            source.c.authority_id.label("offering_id"),
            *(source.c[name] for name in carried),
            func.unnest(source.c.valid_for).label("listed_id"),
        )
        .where(source.c.valid_for.is_not(None))
        .subquery()
    )
    offering, target = aliased(Authority), aliased(Authority)
    reached = case(
        (
            or_(
                target.id == offering.id,
                offering.id.in_((target.association_id, target.district_id, target.state_id)),
                offering.ars == FEDERATION,
            ),
            target.id,
        ),
        (
            or_(
                target.id.in_((offering.association_id, offering.district_id, offering.state_id)),
                target.ars == FEDERATION,
            ),
            offering.id,
        ),
    )
    return (
        select(reached.label("authority_id"), *(listed.c[name] for name in carried))
        .join_from(listed, offering, offering.id == listed.c.offering_id)
        .join(target, target.id == listed.c.listed_id)
        .where(reached.is_not(None))
    )


def _remove(connection: Connection, audience: Audience, scope: int, ids: Collection[int] | None) -> None:
    connection.execute(
        delete(Tally).where(
            Tally.audience == int(audience), Tally.scope == int(scope), _among(Tally.authority_id, ids)
        )
    )


def _insert(
    connection: Connection, audience: Audience, scope: int, rows: Select[Any], *, restricted: bool
) -> None:
    """Aggregate rows of (authority_id, service_id, status) into one tally per authority."""
    row = rows.subquery("row")
    bundle_id = func.coalesce(Service.parent_id, Service.id)
    best = (
        select(row.c.authority_id, bundle_id.label("bundle_id"), func.min(row.c.status).label("status"))
        .join(Service, Service.id == row.c.service_id)
        .group_by(row.c.authority_id, bundle_id)
        .subquery("best")
    )
    bundle = aliased(Service)
    bits = [
        func.coalesce(func.bit_or(bundle.bit).filter(best.c.status <= int(worst)), no_bundles())
        for worst in STATUS_COLUMNS.values()
    ]
    connection.execute(
        insert(Tally).from_select(
            ["audience", "scope", "authority_id", *STATUS_COLUMNS, "restricted"],
            select(
                literal(int(audience)), literal(int(scope)), best.c.authority_id, *bits, literal(restricted)
            )
            .join_from(
                best,
                bundle,
                and_(bundle.id == best.c.bundle_id, bundle.kind == int(ServiceKind.BUNDLE)),
                isouter=True,
            )
            .group_by(best.c.authority_id),
        )
    )


def _refresh_demonstration(connection: Connection, audience: Audience, source: FromClause) -> None:
    present = exists(select(source.c.id).where(source.c.demonstration))
    connection.execute(
        update(DataVersion)
        .where(DataVersion.audience == audience, DataVersion.demonstration != present)
        .values(demonstration=present)
    )
