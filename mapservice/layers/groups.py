"""Groups of authorities that are looked at side by side: imported ones, and those that the boundaries make.

How addresses name them (`group=`): the key of an imported group; `municipalities:` with the key of a
district or association; `associations:` with that of a district; `districts:` with that of a state or
Regierungsbezirk; `neighbours:` with the ARS of an authority; `states`. What the asker may not see is
not there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from mapservice.domain import Audience, Kind, Level, pad_ars
from mapservice.errors import N_, NotFoundError
from mapservice.layers.counting import current_release
from mapservice.models import Authority, Boundary, BoundaryNeighbour
from mapservice.plans import MOST_COMPARED, AuthorityGroup, GroupMember

STATES = "states"
_COMPUTED = re.compile(r"(municipalities|associations|districts|neighbours):([0-9]{2,12})")
_DIGITS = {
    "municipalities": (5, 9, 12),
    "associations": (5, 12),
    "districts": (2, 3, 12),
    "neighbours": (12,),
}
_REGION_DIGITS = 3
_COLUMNS = (
    Authority.id,
    Authority.ars,
    Authority.name,
    Authority.designation,
    Authority.kinds,
    Authority.is_current,
)


@dataclass(frozen=True)
class Group:
    """kind: imported, or one of those that boundaries make (municipalities, associations, districts,
    neighbours, states). of: name and designation of the area that makes it. members: id, ars, name,
    designation, kinds, is_current; in the order of their columns. former: members that the boundary release
    no longer has.
    """

    key: str
    kind: str
    name: str | None = None
    description: str | None = None
    of: tuple[str, str | None] | None = None
    members: tuple[Row[Any], ...] = ()
    former: tuple[Row[Any], ...] = ()
    demonstration: bool = False


@dataclass(frozen=True)
class Offered:
    """A group to choose from, with the number of its members."""

    key: str
    kind: str
    name: str | None
    of: tuple[str, str | None] | None
    size: int


def find(connection: Connection, key: str, audience: Audience) -> Group:
    """The group of this key with its members; raises NotFoundError, of an internal group too."""
    if key == STATES:
        members = connection.execute(_of_level(Level.STATE).order_by(Boundary.key)).all()
        return Group(STATES, STATES, members=tuple(members))
    if match := _COMPUTED.fullmatch(key):
        return _computed(connection, key, match[1], match[2])
    return _imported(connection, key, audience)


def unknown(key: str) -> NotFoundError:
    return NotFoundError(
        N_("Die Gruppe „%(key)s“ gibt es nicht."), words={"key": key[:80]}, parameter="group"
    )


def imported(connection: Connection) -> Sequence[Row[Any]]:
    """Imported groups that the asker may see, by name: key, name, demonstration, size."""
    return connection.execute(
        select(
            AuthorityGroup.key,
            AuthorityGroup.name,
            AuthorityGroup.demonstration,
            func.count(GroupMember.authority_id).label("size"),
        )
        .join(GroupMember, GroupMember.group_id == AuthorityGroup.id)
        .group_by(AuthorityGroup.id)
        .order_by(AuthorityGroup.name, AuthorityGroup.key)
    ).all()


def around(connection: Connection, authority: Any) -> list[Offered]:
    """What an authority may compare itself with, the nearest first: groups that hold it and that fit side by
    side. authority: id, ars, kinds.
    """
    kinds, ars = Kind(authority.kinds), str(authority.ars)
    candidates: list[str] = []
    if kinds & Kind.DISTRICT:
        candidates = [f"districts:{ars[:2]}", f"districts:{ars[:3]}"]
        if not kinds & Kind.MUNICIPALITY:
            candidates.append(f"municipalities:{ars[:5]}")
    elif kinds & Kind.STATE:
        candidates = [STATES, f"districts:{ars[:2]}"]
    elif kinds & Kind.ASSOCIATION:
        candidates = [f"associations:{ars[:5]}", f"municipalities:{ars[:9]}"]
    elif kinds & Kind.MUNICIPALITY:
        candidates = [f"municipalities:{ars[:5]}", f"municipalities:{ars[:9]}"]
    if kinds & Kind.STATE and STATES not in candidates:
        candidates.insert(0, STATES)
    candidates.append(f"neighbours:{ars}")
    found = []
    for key in candidates:
        try:
            group = find(connection, key, Audience.PUBLIC)
        except NotFoundError:
            continue
        if 1 < len(group.members) <= MOST_COMPARED:
            found.append(Offered(group.key, group.kind, group.name, group.of, len(group.members)))
    return found


def named(connection: Connection, ars: Sequence[str]) -> list[Row[Any]]:
    """Authorities by their 12-digit keys, in this order; raises NotFoundError that names an unknown one."""
    rows = {row.ars: row for row in connection.execute(select(*_COLUMNS).where(Authority.ars.in_(list(ars))))}
    for key in ars:
        if key not in rows:
            raise NotFoundError(
                N_("Eine Behörde mit dem Schlüssel „%(key)s“ gibt es nicht."),
                words={"key": key},
                parameter="authority",
            )
    return [rows[key] for key in dict.fromkeys(ars)]


def _imported(connection: Connection, key: str, audience: Audience) -> Group:
    description = (
        AuthorityGroup.public_description if audience is Audience.PUBLIC else AuthorityGroup.description
    )
    group = connection.execute(
        select(
            AuthorityGroup.id,
            AuthorityGroup.key,
            AuthorityGroup.name,
            description.label("description"),
            AuthorityGroup.demonstration,
        ).where(AuthorityGroup.key == key)
    ).one_or_none()
    if group is None:
        raise unknown(key)
    members = connection.execute(
        select(*_COLUMNS)
        .join(GroupMember, GroupMember.authority_id == Authority.id)
        .where(GroupMember.group_id == group.id)
        .order_by(GroupMember.position, Authority.ars)
    ).all()
    return Group(
        key=group.key,
        kind="imported",
        name=group.name,
        description=group.description,
        members=tuple(row for row in members if row.is_current),
        former=tuple(row for row in members if not row.is_current),
        demonstration=group.demonstration,
    )


def _computed(connection: Connection, key: str, kind: str, digits: str) -> Group:
    if len(digits) not in _DIGITS[kind]:
        raise unknown(key)
    if kind == "neighbours":
        return _neighbours(connection, key, digits)
    area = _area(connection, kind, digits)
    level = {
        "municipalities": Level.MUNICIPALITY,
        "associations": Level.ASSOCIATION,
        "districts": Level.DISTRICT,
    }[kind]
    prefix = digits if area is None else area.key
    first, last = pad_ars(prefix), prefix.ljust(12, "9")
    members = connection.execute(
        _of_level(level).where(Boundary.ars.between(first, last)).order_by(Boundary.name, Boundary.key)
    ).all()
    if not members:
        raise unknown(key)
    of = (area.name, area.designation) if area is not None else (prefix, None)
    return Group(f"{kind}:{prefix}", kind, of=of, members=_once(members))


def _area(connection: Connection, kind: str, digits: str) -> Row[Any] | None:
    """The boundary that makes the group; None for a Regierungsbezirk, which the boundaries do not hold."""
    if len(digits) == _REGION_DIGITS:
        return None
    levels = {
        "districts": (Level.STATE,),
        "associations": (Level.DISTRICT,),
        "municipalities": (Level.DISTRICT, Level.ASSOCIATION),
    }[kind]
    area = connection.execute(
        select(Boundary.key, Boundary.name, Boundary.designation)
        .where(
            Boundary.release_id == current_release(),
            Boundary.level.in_([int(level) for level in levels]),
            or_(Boundary.key == digits, Boundary.ars == digits),
        )
        .order_by(Boundary.level)
        .limit(1)
    ).one_or_none()
    if area is None:
        raise unknown(f"{kind}:{digits}")
    return area


def _neighbours(connection: Connection, key: str, ars: str) -> Group:
    """The authority, then those that share a border line with it at its highest level, the longest first."""
    here = connection.execute(
        select(Boundary.id, Boundary.name, Boundary.designation, Boundary.authority_id)
        .join(Authority, Authority.id == Boundary.authority_id)
        .where(Boundary.release_id == current_release(), Authority.ars == ars)
        .order_by(Boundary.level)
        .limit(1)
    ).one_or_none()
    if here is None:
        raise unknown(key)
    rows = connection.execute(
        select(*_COLUMNS)
        .join_from(BoundaryNeighbour, Boundary, Boundary.id == BoundaryNeighbour.neighbour_id)
        .join(Authority, Authority.id == Boundary.authority_id)
        .where(BoundaryNeighbour.boundary_id == here.id)
        .order_by(BoundaryNeighbour.shared_m.desc(), Boundary.key)
    ).all()
    own = connection.execute(select(*_COLUMNS).where(Authority.id == here.authority_id)).all()
    return Group(key, "neighbours", of=(here.name, here.designation), members=_once([*own, *rows]))


def _of_level(level: Level) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(Boundary, Boundary.authority_id == Authority.id)
        .where(Boundary.release_id == current_release(), Boundary.level == int(level))
    )


def _once(rows: Sequence[Row[Any]]) -> tuple[Row[Any], ...]:
    """An authority may have several areas of a level."""
    return tuple({row.id: row for row in rows}.values())
