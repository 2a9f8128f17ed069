"""Who uses an entry of the register, for what, since when; and where, for a small map."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, and_, any_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from mapservice.domain import Audience, Status
from mapservice.models import Authority, Implementation, Service
from mapservice.register.find import Region
from mapservice.register.tables import RegisterUser

_U = RegisterUser


class UserSort(enum.StrEnum):
    NAME = "name"
    SINCE = "since"


@dataclass(frozen=True)
class Users:
    """rows: columns of RegisterUser, ars, name, designation, public_contact, above (the district's name, or
    the state's); total: without the limit.
    """

    rows: Sequence[Row[Any]]
    total: int


def users(
    connection: Connection,
    audience: Audience,
    entry_id: int,
    *,
    regions: Sequence[Region] = (),
    sort: UserSort = UserSort.NAME,
    limit: int | None = None,
    offset: int = 0,
) -> Users:
    """By name, or those that have it longest first; who has no day comes last."""
    district, state = aliased(Authority), aliased(Authority)
    where = and_(_U.audience == int(audience), _U.entry_id == entry_id)
    if regions:
        where = and_(where, or_(*(Authority.ars.between(item.first, item.last) for item in regions)))
    joined = (
        select(func.count()).select_from(_U).join(Authority, Authority.id == _U.authority_id).where(where)
    )
    by_name = [Authority.name, Authority.ars]
    order = [_U.since.nulls_last(), _U.status, *by_name] if sort is UserSort.SINCE else by_name
    rows = connection.execute(
        select(
            *_U.__table__.c,
            Authority.ars,
            Authority.name,
            Authority.designation,
            Authority.public_contact,
            func.coalesce(district.name, state.name).label("above"),
        )
        .join(Authority, Authority.id == _U.authority_id)
        .outerjoin(district, district.id == Authority.district_id)
        .outerjoin(state, state.id == Authority.state_id)
        .where(where)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    ).all()
    return Users(rows, connection.execute(joined).scalar_one())


def told(connection: Connection, entry_id: int, authority_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """The visible entries behind these users, by authority, best status first: service, service_name, status,
    url, reusable, reuse_note, public_contact, specialist_system, maturity, maturity_model, online_since.
    """
    said = Implementation
    which = said.solution_id == entry_id
    if entry_id < 0:
        which = and_(
            said.solution_id.is_(None),
            said.status == int(Status.ONLINE),
            said.reusable.is_(True),
            func.coalesce(Service.parent_id, Service.id) == -entry_id,
        )
    rows = connection.execute(
        select(
            said.authority_id,
            Service.key.label("service"),
            Service.name.label("service_name"),
            said.status,
            said.url,
            said.reusable,
            said.reuse_note,
            said.public_contact,
            said.specialist_system,
            said.maturity,
            said.maturity_model,
            said.online_since,
        )
        .join(Service, Service.id == said.service_id)
        .where(
            said.authority_id == any_(cast(list(authority_ids), ARRAY(Integer))),
            said.status <= int(Status.PLANNED),
            which,
        )
        .order_by(said.authority_id, said.status, Service.key, said.identifier)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.authority_id, []).append(row)
    return found


def served(connection: Connection, audience: Audience, entry_id: int) -> Sequence[Row[Any]]:
    """The services that it serves, with the number of authorities: id, key, name, kind, bundle, bundle_name,
    authorities; the commonest first.
    """
    bundle = aliased(Service)
    named = func.unnest(_U.service_ids).table_valued("id").render_derived(name="named")
    counted = (
        select(named.c.id, func.count().label("authorities"))
        .select_from(_U)
        .join(named, true())
        .where(_U.audience == int(audience), _U.entry_id == entry_id)
        .group_by(named.c.id)
        .subquery("counted")
    )
    return connection.execute(
        select(
            Service.id,
            Service.key,
            Service.name,
            Service.kind,
            bundle.key.label("bundle"),
            bundle.name.label("bundle_name"),
            counted.c.authorities,
        )
        .join(counted, counted.c.id == Service.id)
        .outerjoin(bundle, bundle.id == Service.parent_id)
        .order_by(counted.c.authorities.desc(), Service.name, Service.key)
    ).all()


def by_district(connection: Connection, audience: Audience, entry_id: int) -> dict[str, int]:
    """The best status among the users in each district, by the first five digits of the ARS; that of a state
    itself ends in 000.
    """
    part = func.left(Authority.ars, 5)
    rows = connection.execute(
        select(part, func.min(_U.status))
        .join(Authority, Authority.id == _U.authority_id)
        .where(_U.audience == int(audience), _U.entry_id == entry_id)
        .group_by(part)
    )
    return dict(rows.tuples().all())
