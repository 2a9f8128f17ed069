"""The entries that nearby.py asks for, as statements over those of today or of a past day (past.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Select, and_, any_, bindparam, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import Status
from mapservice.models import Service


def mine_of(entry: Any) -> Select[Any]:
    """What an authority says of some services, and whatever names a solution.

    Parameters: authority, services.
    """
    return (
        select(entry.service_id, Service.parent_id, entry.status, entry.solution_id)
        .join_from(entry, Service, Service.id == entry.service_id)
        .where(
            entry.authority_id == bindparam("authority", type_=Integer),
            or_(
                entry.service_id == any_(bindparam("services", type_=ARRAY(Integer))),
                entry.solution_id.is_not(None),
            ),
        )
    )


def entries_of(entry: Any, contact: Any) -> Select[Any]:
    """Parameters: ids (of authorities), services."""
    return (
        _told(entry, contact)
        .join_from(entry, Service, Service.id == entry.service_id)
        .where(
            entry.authority_id == any_(bindparam("ids", type_=ARRAY(Integer))),
            entry.service_id == any_(bindparam("services", type_=ARRAY(Integer))),
        )
    )


def entries_of_few(entry: Any, contact: Any) -> Select[Any]:
    """The same, looked up one pair of authority and service after the other: sooner for a few thousand pairs,
    where two arrays let the database look at all entries of these services in all of Germany.
    """
    authority, service = (
        func.unnest(bindparam(name, type_=ARRAY(Integer)))
        .table_valued("id", name=f"{name}_given")
        .render_derived()
        for name in ("ids", "services")
    )
    pair = and_(entry.authority_id == authority.c.id, entry.service_id == service.c.id)
    return (
        _told(entry, contact)
        .select_from(authority)
        .join(service, true())
        .join(entry, pair)
        .join(Service, Service.id == entry.service_id)
    )


def _told(entry: Any, contact: Any) -> Select[Any]:
    return select(
        entry.id,
        entry.authority_id,
        entry.service_id,
        Service.key.label("service"),
        Service.name.label("service_name"),
        Service.parent_id,
        entry.status,
        entry.url,
        entry.solution_kind,
        entry.solution_id,
        entry.maturity_model,
        entry.maturity,
        entry.reusable,
        entry.reuse_note,
        entry.specialist_system,
        contact.label("contact"),
        entry.online_since,
        entry.planned_until,
        entry.as_of,
        entry.identifier,
    ).where(entry.status <= int(Status.PLANNED))
