"""What went online lately, newest first, by the day that the entry gives; only what it gives is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, any_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import Status
from mapservice.layers.selection import Region
from mapservice.models import Authority, Implementation, Service, Solution, SubjectArea


@dataclass(frozen=True)
class Wanted:
    """until: the last day that counts. service_ids: None for all; a bundle stands for its LeiKa services."""

    until: dt.date
    service_ids: tuple[int, ...] | None = None
    regions: tuple[Region, ...] = ()
    limit: int = 50
    offset: int = 0


def newest(connection: Connection, wanted: Wanted) -> Sequence[Row[Any]]:
    """id, online_since, as_of, url, ars, name, designation, above, service, service_name, bundle,
    bundle_name, subject, subject_name, solution, solution_id (public), reusable, contact, demonstration.

    One row more than the limit where there are more.
    """
    entry = Implementation
    bundle, district, state = aliased(Service), aliased(Authority), aliased(Authority)
    statement = (
        select(
            entry.id,
            entry.online_since,
            entry.as_of,
            entry.url,
            Authority.ars,
            Authority.name,
            Authority.designation,
            func.coalesce(district.name, state.name).label("above"),
            Service.key.label("service"),
            Service.name.label("service_name"),
            bundle.key.label("bundle"),
            bundle.name.label("bundle_name"),
            SubjectArea.slug.label("subject"),
            SubjectArea.name.label("subject_name"),
            Solution.name.label("solution"),
            Solution.public_id.label("solution_id"),
            entry.reusable,
            func.coalesce(entry.public_contact, Authority.public_contact).label("contact"),
            entry.demonstration,
        )
        .join(Authority, Authority.id == entry.authority_id)
        .join(Service, Service.id == entry.service_id)
        .outerjoin(bundle, bundle.id == Service.parent_id)
        .outerjoin(
            SubjectArea, SubjectArea.id == func.coalesce(Service.subject_area_id, bundle.subject_area_id)
        )
        .outerjoin(Solution, Solution.id == entry.solution_id)
        .outerjoin(district, district.id == Authority.district_id)
        .outerjoin(state, state.id == Authority.state_id)
        .where(
            entry.status == int(Status.ONLINE),
            entry.online_since.is_not(None),
            entry.online_since <= wanted.until,
        )
        .order_by(entry.online_since.desc(), entry.id.desc())
        .limit(wanted.limit + 1)
        .offset(wanted.offset)
    )
    if wanted.service_ids is not None:
        ids = _with_children(connection, wanted.service_ids)
        statement = statement.where(entry.service_id == any_(cast(ids, ARRAY(Integer))))
    if wanted.regions:
        inside = or_(*(Authority.ars.between(item.first, item.last) for item in wanted.regions))
        # Ids, not keys: under row-level security a condition on keys would reach no index of the entries.
        among = list(connection.scalars(select(Authority.id).where(inside)))
        statement = statement.where(entry.authority_id == any_(cast(among, ARRAY(Integer))))
    return connection.execute(statement).all()


def _with_children(connection: Connection, service_ids: Sequence[int]) -> list[int]:
    ids = cast(list(service_ids), ARRAY(Integer))
    children = select(Service.id).where(Service.parent_id == any_(ids))
    return sorted({*service_ids, *connection.scalars(children)})
