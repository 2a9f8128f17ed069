"""Rows of the catalogue and implementations, written through the models as the importers do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from mapservice import copies
from mapservice.domain import BUNDLE_BITS, OZG_ID_FIRST, ServiceKind, implementation_id
from mapservice.models import Authority, Implementation, Publication, Service

PUBLIC, PARTNERS, INTERNAL = 3, 2, 1


def add_service(connection: Connection, key: str, **more: Any) -> int:
    """A bundle for an OZG-ID, a LeiKa service for 14 digits, else one of one's own. Returns its id."""
    if len(key) == 5:
        position = int(key) - OZG_ID_FIRST
        bit = "0" * position + "1" + "0" * (BUNDLE_BITS - position - 1)
        more = {"kind": int(ServiceKind.BUNDLE), "bit": bit, "subject_area_id": 1, **more}
    else:
        kind = ServiceKind.LEIKA if key.startswith("99") else ServiceKind.OWN
        more = {"kind": int(kind), **more}
    more.setdefault("name", f"Leistung {key}")
    return connection.execute(insert(Service).values(key=key, **more).returning(Service.id)).scalar_one()


def add_entry(
    connection: Connection, ars: str, service: str, status: int = 1, visibility: int = PUBLIC, **more: Any
) -> str:
    """One implementation, with the tallies refreshed. Returns its id."""
    authority = select(Authority.id).where(Authority.ars == ars).scalar_subquery()
    service_id = select(Service.id).where(Service.key == service).scalar_subquery()
    entry = implementation_id(ars, service, more.get("identifier", ""))
    connection.execute(
        insert(Implementation).values(
            id=entry,
            authority_id=authority,
            service_id=service_id,
            status=status,
            visibility=visibility,
            **more,
        )
    )
    refresh(connection)
    return str(entry)


def change_entry(connection: Connection, entry: str, **values: Any) -> None:
    connection.execute(update(Implementation).where(Implementation.id == entry).values(**values))
    refresh(connection)


def remove_entry(connection: Connection, entry: str) -> None:
    connection.execute(delete(Implementation).where(Implementation.id == entry))
    refresh(connection)


def set_publication(connection: Connection, ars: str, visibility: int = PUBLIC) -> None:
    values = select(Authority.id, literal(visibility)).where(Authority.ars == ars)
    statement = upsert(Publication).from_select(["authority_id", "visibility"], values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["authority_id"], set_={"visibility": statement.excluded.visibility}
        )
    )
    refresh(connection)


def refresh(connection: Connection) -> None:
    copies.refresh(connection)
