"""Target lists: which services they hold, and who takes what. What the asker may not see is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from mapservice.domain import ServiceKind
from mapservice.errors import N_, NotFoundError
from mapservice.layers.selection import Selection
from mapservice.models import Authority, Service
from mapservice.plans import Commitment, Target, TargetList


@dataclass(frozen=True)
class Listed:
    """A list with its services (id, key, kind, name, subject_area_id) in its order."""

    key: str
    name: str
    demonstration: bool
    services: tuple[Row[Any], ...]


def imported(connection: Connection) -> Sequence[Row[Any]]:
    """The lists that the asker may see, by name: key, name, demonstration, size."""
    return connection.execute(
        select(
            TargetList.key,
            TargetList.name,
            TargetList.demonstration,
            func.count(Service.id).label("size"),
        )
        .join(Target, Target.list_id == TargetList.id)
        .join(Service, Service.id == Target.service_id)
        .group_by(TargetList.id)
        .order_by(TargetList.name, TargetList.key)
    ).all()


def find(connection: Connection, key: str) -> Listed:
    """The list of this key; raises NotFoundError, of an internal list too."""
    found = connection.execute(
        select(TargetList.id, TargetList.key, TargetList.name, TargetList.demonstration).where(
            TargetList.key == key
        )
    ).one_or_none()
    if found is None:
        raise NotFoundError(
            N_("Die Zielliste „%(key)s“ gibt es nicht."), words={"key": key[:80]}, parameter="list"
        )
    services = connection.execute(
        select(Service.id, Service.key, Service.kind, Service.name, Service.subject_area_id)
        .join(Target, Target.service_id == Service.id)
        .where(Target.list_id == found.id)
        .order_by(Target.position, Service.key)
    ).all()
    return Listed(found.key, found.name, found.demonstration, tuple(services))


def selection(connection: Connection, listed: Listed) -> Selection:
    """The services of the list as the choice of a query: each one service, as if chosen one by one."""
    ids = tuple(row.id for row in listed.services)
    names = (listed.name,)
    if all(row.kind == ServiceKind.BUNDLE for row in listed.services):
        return Selection(ids, (), (), len(ids), names, ())
    children = connection.scalars(select(Service.id).where(Service.parent_id.in_(ids)))
    return Selection(None, ids, tuple(sorted({*ids, *children})), len(ids), names, ())


def commitments(connection: Connection, key: str) -> Sequence[Row[Any]]:
    """Who takes what, in the order of the list: service_id, ars, authority_name, designation, who, role
    (plans.Role), due, note. Nobody: ars is null and who empty.
    """
    return connection.execute(
        select(
            Target.service_id,
            Authority.id.label("authority_id"),
            Authority.ars,
            Authority.name.label("authority_name"),
            Authority.designation,
            Commitment.who,
            Commitment.role,
            Commitment.due,
            Commitment.note,
        )
        .join_from(Commitment, Target, Target.id == Commitment.target_id)
        .join(TargetList, TargetList.id == Target.list_id)
        .join(Service, Service.id == Target.service_id)
        .join(Authority, Authority.id == Commitment.authority_id, isouter=True)
        .where(TargetList.key == key)
        .order_by(Target.position, Commitment.id)
    ).all()
