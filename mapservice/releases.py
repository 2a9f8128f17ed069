"""Boundary releases (Gebietsstände): make one current, list them, delete them.

Which release is current decides which authorities there are and what stands above them; both change in one
transaction. Authorities that a release no longer has stay, for implementations refer to them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Connection, cast, delete, func, insert, or_, select, update

from . import copies
from .domain import FEDERATION, Kind, Level, ags_of
from .errors import ConflictError, NotFoundError
from .models import Authority, Boundary, BoundaryRelease
from .search import terms


@dataclass(frozen=True)
class ReleaseSummary:
    """A release as the list shows it. counts: areas by level."""

    id: int
    name: str
    source: str
    as_of: dt.date
    is_current: bool
    imported_at: dt.datetime
    counts: dict[Level, int]


def listed(connection: Connection) -> list[ReleaseSummary]:
    """All complete releases, newest Gebietsstand first."""
    counts: dict[int, dict[Level, int]] = {}
    for release_id, level, count in connection.execute(
        select(Boundary.release_id, Boundary.level, func.count()).group_by(
            Boundary.release_id, Boundary.level
        )
    ):
        counts.setdefault(release_id, {})[Level(level)] = count
    rows = connection.execute(
        select(BoundaryRelease.__table__)
        .where(BoundaryRelease.complete)
        .order_by(BoundaryRelease.as_of.desc(), BoundaryRelease.id.desc())
    )
    return [
        ReleaseSummary(
            row.id,
            row.name,
            row.source,
            row.as_of,
            row.is_current,
            row.imported_at,
            dict(sorted(counts.get(row.id, {}).items())),
        )
        for row in rows
    ]


def activate(connection: Connection, release_id: int) -> None:
    """Make a complete release current, within the connection's transaction (owner role).

    Authorities get name, designation, kinds and hierarchy of the release; those it lacks are marked as no
    longer current; tallies and search follow. Raises NotFoundError for an unknown or unfinished release.
    """
    _require(connection, release_id)
    connection.execute(
        update(BoundaryRelease)
        .where(BoundaryRelease.is_current, BoundaryRelease.id != release_id)
        .values(is_current=False)
    )
    connection.execute(
        update(BoundaryRelease)
        .where(BoundaryRelease.id == release_id, ~BoundaryRelease.is_current)
        .values(is_current=True)
    )
    _update_authorities(connection, release_id)
    copies.refresh(connection)
    terms.refresh_places(connection)


def remove(connection: Connection, release_id: int) -> None:
    """Delete a release with its boundaries. Raises ConflictError for the current one."""
    if _require(connection, release_id):
        raise ConflictError(
            f"Gebietsstand {release_id} ist der aktuelle. Bitte zuerst einen anderen aktuell machen: "
            "mapservice releases activate ID"
        )
    connection.execute(delete(BoundaryRelease).where(BoundaryRelease.id == release_id))


def _require(connection: Connection, release_id: int) -> bool:
    """Whether the release is current; raises NotFoundError."""
    current = connection.execute(
        select(BoundaryRelease.is_current).where(BoundaryRelease.id == release_id, BoundaryRelease.complete)
    ).scalar_one_or_none()
    if current is None:
        raise NotFoundError(
            f"Einen Gebietsstand {release_id} gibt es nicht. Vorhandene zeigt: mapservice releases list"
        )
    return bool(current)


def _update_authorities(connection: Connection, release_id: int) -> None:
    # One pass here instead of one statement: the planner takes the nested selections for a row or two.
    wanted = _wanted_authorities(connection, release_id)
    columns = (Authority.id, *_FOLLOWING)
    present = {row[0]: row for row in connection.execute(select(*columns).where(Authority.ars != FEDERATION))}
    changed = [row for id_, row in wanted.items() if tuple(present[id_]) != row]
    gone = [id_ for id_, row in present.items() if id_ not in wanted and row[-1]]
    # One statement for all: each statement moves the data versions once.
    if changed:
        arrays = [cast([row[at] for row in changed], ARRAY(column.type)) for at, column in enumerate(columns)]
        values = (
            func.unnest(*arrays)
            .table_valued(*(column.key for column in columns), name="wanted")
            .render_derived()
        )
        connection.execute(
            update(Authority)
            .where(Authority.id == values.c.id)
            .values({column.key: values.c[column.key] for column in _FOLLOWING})
        )
    if gone:
        connection.execute(update(Authority).where(Authority.id.in_(gone)).values(is_current=False))


_FOLLOWING = (
    Authority.name,
    Authority.designation,
    Authority.kinds,
    Authority.chain_kinds,
    Authority.association_id,
    Authority.district_id,
    Authority.state_id,
    Authority.population,
    Authority.is_current,
)
"""What an authority has from the current release."""


def _wanted_authorities(connection: Connection, release_id: int) -> dict[int, tuple[Any, ...]]:
    """By id: the id and the values of _FOLLOWING, by the release's boundaries.

    Named by the highest boundary that bears its key (Münster: „Kreisfreie Stadt“), placed by the lowest:
    its association, district and state are those around it.
    """
    rows = connection.execute(
        select(
            Boundary.id,
            Boundary.authority_id,
            Boundary.kinds,
            Boundary.name,
            Boundary.designation,
            Boundary.association_id,
            Boundary.district_id,
            Boundary.state_id,
            func.coalesce(Boundary.population, Authority.population).label("population"),
            (Authority.ars == Boundary.ars).label("own"),
        )
        .outerjoin(Authority, Authority.id == Boundary.authority_id)
        .where(Boundary.release_id == release_id)
        .order_by(Boundary.level)
    ).all()
    by_id = {row.id: row for row in rows}
    names: dict[int, tuple[str, str | None]] = {}
    wanted: dict[int, tuple[Any, ...]] = {}
    for row in rows:
        if not row.own:
            continue
        around = [by_id.get(above) for above in (row.association_id, row.district_id, row.state_id)]
        above_ids = [
            None if above is None or above.authority_id == row.authority_id else above.authority_id
            for above in around
        ]
        chain = row.kinds | int(Kind.FEDERATION)
        for above in around:
            chain |= 0 if above is None else above.kinds
        name = names.setdefault(row.authority_id, (row.name, row.designation))
        wanted[row.authority_id] = (
            row.authority_id,
            *name,
            row.kinds,
            chain,
            *above_ids,
            row.population,
            True,
        )
    return wanted


def ensure_authorities(connection: Connection, found: dict[str, tuple[str, str, int]]) -> dict[str, int]:
    """The ids of authorities by ARS; unknown ones are added as not current, until a release is activated.

    found: ARS -> name, designation, kinds.
    """
    known = _authority_ids(connection)
    missing = [
        {
            "ars": ars,
            "ags": ags_of(ars) if kinds & (Kind.MUNICIPALITY | Kind.DISTRICT | Kind.STATE) else None,
            "name": name,
            "designation": designation or None,
            "kinds": kinds,
            "chain_kinds": kinds | Kind.FEDERATION,
            "is_current": False,
        }
        for ars, (name, designation, kinds) in found.items()
        if ars not in known
    ]
    if missing:
        connection.execute(insert(Authority), missing)
        known = _authority_ids(connection)
    return {ars: known[ars] for ars in found}


def _authority_ids(connection: Connection) -> dict[str, int]:
    return dict(connection.execute(select(Authority.ars, Authority.id)).tuples().all())


def current_areas(connection: Connection, *levels: Level) -> dict[Level, dict[str, str]]:
    """Key -> name of the areas of the current release, by level; empty without one."""
    result: dict[Level, dict[str, str]] = {level: {} for level in levels}
    for level, key, name in connection.execute(
        select(Boundary.level, Boundary.key, Boundary.name)
        .join(BoundaryRelease, BoundaryRelease.id == Boundary.release_id)
        .where(BoundaryRelease.is_current, or_(*(Boundary.level == level for level in levels)))
    ):
        result[Level(level)][key] = name
    return result
