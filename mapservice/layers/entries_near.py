"""The entries that nearby.py asks for, as statements over those of today or of a past day (past.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Select, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import Status
from mapservice.models import Service


def mine_of(entry: Any) -> Select[Any]:
    """Parameter: authority."""
    return (
        select(entry.service_id, Service.parent_id, entry.status, entry.solution_id)
        .join_from(entry, Service, Service.id == entry.service_id)
        .where(entry.authority_id == bindparam("authority", type_=Integer))
    )


def entries_of(entry: Any, contact: Any) -> Select[Any]:
    """Parameters: ids (of authorities), services."""
    return (
        select(
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
        )
        .join_from(entry, Service, Service.id == entry.service_id)
        .where(
            entry.authority_id == any_(bindparam("ids", type_=ARRAY(Integer))),
            entry.service_id == any_(bindparam("services", type_=ARRAY(Integer))),
            entry.status <= int(Status.PLANNED),
        )
    )
