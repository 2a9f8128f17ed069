"""A group and a target list for demonstration: who is in them and who takes what is made up."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, delete, insert, select

from mapservice.domain import Kind, ServiceKind, Visibility
from mapservice.models import Authority, Service
from mapservice.plans import AuthorityGroup, Commitment, GroupMember, Role, Target, TargetList

GROUP, LIST = "vier-partner", "top-20"
_FIRST = ("055150000000", "055580000000", "055700000000", "059150000000")
"""Who are asked first; where the boundaries lack one, others take their place."""
_PARTNERS, _SERVICES = 4, 20
_EPOCH = dt.date(2026, 3, 31)
_NOTES = ("", "Pilot läuft", "wartet auf Schnittstelle", "", "Formular liegt vor")


def load(connection: Connection, run_id: int | None) -> None:
    """Insert both. The same authorities and catalogue give the same rows."""
    remove(connection)
    partners = _partners(connection)
    services = list(
        connection.scalars(
            select(Service.id)
            .where(
                Service.kind == int(ServiceKind.BUNDLE),
                ~Service.retired,
                Service.responsible.op("&")(int(Kind.DISTRICT | Kind.DISTRICT_FREE_CITY)) != 0,
            )
            .order_by(Service.key)
            .limit(_SERVICES)
        )
    )
    if not partners or not services:
        return
    common = {"visibility": int(Visibility.PUBLIC), "demonstration": True, "import_run_id": run_id}
    group_id = connection.execute(
        insert(AuthorityGroup)
        .values(
            key=GROUP,
            name="Vier Partner (Demonstration)",
            description="Frei erfundene Gruppe, um den Vergleich zu zeigen.",
            description_visibility=int(Visibility.PUBLIC),
            **common,
        )
        .returning(AuthorityGroup.id)
    ).scalar_one()
    shown = {"visibility": int(Visibility.PUBLIC)}
    connection.execute(
        insert(GroupMember),
        [
            {"group_id": group_id, "authority_id": id_, "position": position, **shown}
            for position, id_ in enumerate(partners, 1)
        ],
    )
    list_id = connection.execute(
        insert(TargetList)
        .values(key=LIST, name="Zielliste (Demonstration)", **common)
        .returning(TargetList.id)
    ).scalar_one()
    for number, service_id in enumerate(services):
        target_id = connection.execute(
            insert(Target)
            .values(list_id=list_id, service_id=service_id, position=number + 1, **shown)
            .returning(Target.id)
        ).scalar_one()
        takes = {
            "target_id": target_id,
            "authority_id": partners[number % len(partners)],
            "role": int(Role.IMPLEMENTS),
            "due": _EPOCH + dt.timedelta(days=61 * (number % 9)),
            "note": _NOTES[number % len(_NOTES)] or None,
        }
        informed = {
            "target_id": target_id,
            "authority_id": partners[(number + 1) % len(partners)],
            "role": int(Role.INFORMED),
            "due": None,
            "note": None,
        }
        several = number % 3 == 0 and len(partners) > 1
        connection.execute(insert(Commitment), [{**row, **shown} for row in (takes, informed)[: 1 + several]])


def remove(connection: Connection) -> None:
    """Remove every group and list that is for demonstration."""
    connection.execute(delete(AuthorityGroup).where(AuthorityGroup.demonstration))
    connection.execute(delete(TargetList).where(TargetList.demonstration))


def _partners(connection: Connection) -> list[int]:
    rows = connection.execute(
        select(Authority.id, Authority.ars)
        .where(Authority.is_current, Authority.kinds.op("&")(int(Kind.DISTRICT)) != 0)
        .order_by(Authority.ars)
    ).all()
    asked = sorted(rows, key=lambda row: (row.ars not in _FIRST, row.ars))
    return [row.id for row in asked[:_PARTNERS]]
