"""Everywhere that one service runs: per authority the best of its entries, and what counts for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, and_, any_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import Status
from mapservice.layers.past import entries_on
from mapservice.layers.selection import Region
from mapservice.models import Authority, LifeSituation, Service, Solution, SubjectArea


@dataclass(frozen=True)
class Family:
    """A service with its bundle, or with its LeiKa services. service, children: id, key, name, kind, retired,
    leika_type, responsible; of the service also bundle, bundle_name, subject, subject_name, situation_name.
    """

    service: Row[Any]
    children: tuple[Row[Any], ...]

    @property
    def ids(self) -> list[int]:
        """The services whose entries are the service's (counting rule 5)."""
        return [self.service.id, *(child.id for child in self.children)]


def family(connection: Connection, key: str) -> Family | None:
    """The service of this key that the audience may know, with those that count for it; else None."""
    bundle = aliased(Service)
    columns = (
        Service.id,
        Service.key,
        Service.name,
        Service.kind,
        Service.retired,
        Service.leika_type,
        Service.responsible,
    )
    row = connection.execute(
        select(
            *columns,
            bundle.key.label("bundle"),
            bundle.name.label("bundle_name"),
            SubjectArea.slug.label("subject"),
            SubjectArea.name.label("subject_name"),
            LifeSituation.name.label("situation_name"),
        )
        .outerjoin(bundle, bundle.id == Service.parent_id)
        .outerjoin(
            SubjectArea, SubjectArea.id == func.coalesce(Service.subject_area_id, bundle.subject_area_id)
        )
        .outerjoin(
            LifeSituation,
            LifeSituation.id == func.coalesce(Service.life_situation_id, bundle.life_situation_id),
        )
        .where(Service.key == key)
    ).one_or_none()
    if row is None:
        return None
    children = connection.execute(
        select(*columns)
        .where(Service.parent_id == row.id)
        .order_by(Service.retired, Service.name, Service.key)
    )
    return Family(row, tuple(children))


def near(connection: Connection, key: str, limit: int = 5) -> Sequence[Row[Any]]:
    """Bundles whose OZG-ID is nearest to one that there is not: key, name."""
    distance = func.abs(cast(Service.key, Integer) - int(key))
    return connection.execute(
        select(Service.key, Service.name)
        .where(Service.bit.is_not(None), ~Service.retired)
        .order_by(distance, Service.key)
        .limit(limit)
    ).all()


def authorities(
    connection: Connection,
    service_ids: Sequence[int],
    regions: Sequence[Region] = (),
    day: dt.date | None = None,
) -> Sequence[Row[Any]]:
    """Who has an entry, by name: id, ars, name, designation, public_contact, above, status (the best), since
    (the earliest of those online), sharing (whether one may be reused; null: nothing is said), planned_until.
    day: a past one.
    """
    entry = entries_on(day)
    online = entry.status == int(Status.ONLINE)
    best = (
        select(
            entry.authority_id,
            func.min(entry.status).label("status"),
            func.min(entry.online_since).filter(online).label("since"),
            func.bool_or(entry.reusable).label("sharing"),
            func.min(entry.planned_until).label("planned_until"),
        )
        .where(entry.service_id == any_(cast(list(service_ids), ARRAY(Integer))))
        .group_by(entry.authority_id)
        .subquery("best")
    )
    district, state = aliased(Authority), aliased(Authority)
    statement = (
        select(
            Authority.id,
            Authority.ars,
            Authority.name,
            Authority.designation,
            Authority.public_contact,
            func.coalesce(district.name, state.name).label("above"),
            best.c.status,
            best.c.since,
            best.c.sharing,
            best.c.planned_until,
        )
        .join(best, best.c.authority_id == Authority.id)
        .outerjoin(district, district.id == Authority.district_id)
        .outerjoin(state, state.id == Authority.state_id)
        .order_by(Authority.name, Authority.ars)
    )
    if regions:
        statement = statement.where(or_(*(Authority.ars.between(item.first, item.last) for item in regions)))
    return connection.execute(statement).all()


def entries(
    connection: Connection,
    service_ids: Sequence[int],
    authority_ids: Sequence[int],
    day: dt.date | None = None,
) -> dict[int, list[Row[Any]]]:
    """Their entries by authority, best status first: id, service, service_name, identifier, status, url,
    solution, solution_id (public), reusable, reuse_note, public_contact, online_since, planned_until, as_of.
    """
    entry = entries_on(day)
    rows = connection.execute(
        select(
            entry.authority_id,
            entry.id,
            Service.key.label("service"),
            Service.name.label("service_name"),
            entry.identifier,
            entry.status,
            entry.url,
            Solution.name.label("solution"),
            Solution.public_id.label("solution_id"),
            entry.reusable,
            entry.reuse_note,
            entry.public_contact,
            entry.online_since,
            entry.planned_until,
            entry.as_of,
        )
        .join(Service, Service.id == entry.service_id)
        .outerjoin(Solution, Solution.id == entry.solution_id)
        .where(
            and_(
                entry.authority_id == any_(cast(list(authority_ids), ARRAY(Integer))),
                entry.service_id == any_(cast(list(service_ids), ARRAY(Integer))),
            )
        )
        .order_by(entry.authority_id, entry.status, Service.key, entry.identifier)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.authority_id, []).append(row)
    return found


def by_service(
    connection: Connection, service_ids: Sequence[int], day: dt.date | None = None
) -> dict[int, int]:
    """How many authorities have each of these services online."""
    entry = entries_on(day)
    rows = connection.execute(
        select(entry.service_id, func.count(entry.authority_id.distinct()))
        .where(
            entry.service_id == any_(cast(list(service_ids), ARRAY(Integer))),
            entry.status == int(Status.ONLINE),
        )
        .group_by(entry.service_id)
    )
    return dict(rows.tuples().all())
