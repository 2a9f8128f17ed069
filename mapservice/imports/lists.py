"""Target lists: services that are to be had, with who takes what, from files (columns: docs/formats.md)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from mapservice.domain import BUNDLE_BITS, Visibility
from mapservice.errors import ImportRefusedError
from mapservice.imports import agreed, values
from mapservice.imports.agreed import Named
from mapservice.imports.checking import Check, Checked
from mapservice.imports.importing import Importing
from mapservice.imports.keys import AuthorityIndex, ServiceIndex
from mapservice.imports.read import Column
from mapservice.imports.report import Result
from mapservice.imports.values import CellError
from mapservice.plans import Commitment, Role, Target, TargetList

COLUMNS = (
    Column("liste", ("listenschluessel", "list"), required=True),
    Column("name", ("bezeichnung", "listenname")),
    Column(
        "leistung",
        ("ozg_id", "ozgid", "leika", "leika_id", "leika_key", "leika_schluessel", "leistungsschluessel"),
        required=True,
    ),
    Column("verantwortlich", ("zustaendig", "verantwortliche_stelle")),
    Column("rolle"),
    Column("bis", ("termin", "frist", "geplant_bis")),
    Column("notiz", ("bemerkung", "hinweis")),
    Column("sichtbarkeit"),
)
TEMPLATE = "liste;name;leistung;verantwortlich;rolle;bis;notiz;sichtbarkeit"
_ROLES = {
    "umsetzung": Role.IMPLEMENTS,
    "umsetzend": Role.IMPLEMENTS,
    "information": Role.INFORMED,
    "info": Role.INFORMED,
}
_DIGITS = re.compile(r"[\d\s.,]+(?:[eE]\+?\d+)?")

MOST_LISTED = BUNDLE_BITS
"""Services of a list: each takes a bit when the list is counted."""

_Who = tuple[int | None, str]
"""Id of an authority, or a text; (None, "") where a row names nobody."""
_Identity = tuple[int, _Who]


@dataclass(frozen=True)
class _Said:
    """What a row says beside its identity."""

    role: int | None
    due: dt.date | None
    note: str | None
    visibility: int


# --- reading ----------------------------------------------------------------------------------------------


def _checks(connection: Connection) -> Sequence[Check]:
    authorities = AuthorityIndex(connection)
    authorities.require()
    services = ServiceIndex(connection)
    services.require()
    return (
        agreed.key,
        values.line_of_text,
        _service(services),
        _who(authorities),
        _role,
        values.date,
        values.note,
        values.visibility,
    )


def _service(index: ServiceIndex) -> Callable[[str], int]:
    def check(cell: str) -> int:
        id_, _key = index.find(cell)
        if id_ is None:
            raise CellError(
                "von dieser eigenen Leistung ist keine Umsetzung geladen, und im Katalog steht sie nicht"
            )
        return id_

    return check


def _who(index: AuthorityIndex) -> Callable[[str], _Who]:
    def check(cell: str) -> _Who:
        if _DIGITS.fullmatch(cell):
            return index.find(cell).id, ""
        return None, values.line_of_text(cell)

    return check


def _role(cell: str) -> Role:
    role = _ROLES.get(values.fold(cell))
    if role is None:
        raise CellError("unbekannter Wert; erlaubt: Umsetzung, Information")
    return role


def _identity(row: Checked) -> _Identity | tuple[int, None] | None:
    """Who is not known where that very cell is wrong: all rows of the service are meant then."""
    found = row.found
    if "leistung" not in found:
        return None
    unclear = row.cells["verantwortlich"] and "verantwortlich" not in found
    return found["leistung"], None if unclear else found.get("verantwortlich", (None, ""))


def _take(named: Named, row: Checked) -> _Said:
    found = row.found
    visibility = int(found.get("sichtbarkeit", Visibility.INTERNAL))
    return _Said(found.get("rolle"), found.get("bis"), found.get("notiz") or None, visibility)


# --- writing ----------------------------------------------------------------------------------------------


def _write(work: Importing, named: Named, known: Any, mode: str, result: Result) -> None:
    """Store one list: its targets, and who takes them; and say what the public sees of it."""
    connection = work.connection
    present = _present(connection, known.id) if known is not None else {}
    wanted: dict[_Identity, _Said] = dict(named.rows)
    for identity, said in present.items():
        if mode == "update" or identity in named.kept or (identity[0], None) in named.kept:
            wanted.setdefault(identity, said)
    first = present if mode == "update" else {}
    order = list(dict.fromkeys(service_id for service_id, _who in (*first, *wanted)))
    seen = {
        service_id: max(said.visibility for (of, _who), said in wanted.items() if of == service_id)
        for service_id in order
    }
    name = named.name or (known.name if known is not None else named.key)
    if len(order) > MOST_LISTED:
        raise ImportRefusedError(
            f"Liste »{named.key}«: {len(order)} Leistungen, möglich sind höchstens {MOST_LISTED}. "
            "Bitte in mehrere Listen teilen. Es wurde nichts geändert."
        )
    content = {"key": named.key, "name": name, "visibility": max(seen.values())}
    list_id = agreed.save(connection, TargetList, known, work.run.id, content)
    targets = _write_targets(connection, list_id, order, seen)
    _write_commitments(connection, targets, present, wanted)
    counts = result.counts
    for identity, said in named.rows.items():
        if identity not in present:
            counts.inserted += 1
        elif present[identity] != said:
            counts.updated += 1
        else:
            counts.unchanged += 1
    counts.removed += len(set(present) - set(wanted))
    public = sum(value == Visibility.PUBLIC for value in seen.values())
    result.lines.append(agreed.outlook("Liste", name, public, len(order), ("Leistung", "Leistungen")))


def _present(connection: Connection, list_id: int) -> dict[_Identity, _Said]:
    """The rows of a list as they are, in its order. One that names nobody is a commitment of nobody."""
    rows = connection.execute(
        select(
            Target.service_id,
            Commitment.authority_id,
            Commitment.who,
            Commitment.role,
            Commitment.due,
            Commitment.note,
            Commitment.visibility,
        )
        .join(Commitment, Commitment.target_id == Target.id)
        .where(Target.list_id == list_id)
        .order_by(Target.position, Commitment.id)
    )
    return {
        (row.service_id, (row.authority_id, row.who)): _Said(row.role, row.due, row.note, row.visibility)
        for row in rows
    }


def _write_targets(
    connection: Connection, list_id: int, order: Sequence[int], seen: dict[int, int]
) -> dict[int, int]:
    """Store the services of the list in this order. Returns ids of targets by that of the service."""
    known = {
        row.service_id: row
        for row in connection.execute(
            select(Target.id, Target.service_id, Target.position, Target.visibility).where(
                Target.list_id == list_id
            )
        )
    }
    ids: dict[int, int] = {}
    for position, service_id in enumerate(order, 1):
        content = {"position": position, "visibility": seen[service_id]}
        there = known.get(service_id)
        if there is None:
            ids[service_id] = connection.execute(
                insert(Target).values(list_id=list_id, service_id=service_id, **content).returning(Target.id)
            ).scalar_one()
            continue
        ids[service_id] = there.id
        if (there.position, there.visibility) != (position, seen[service_id]):
            connection.execute(update(Target).where(Target.id == there.id).values(**content))
    gone = [row.id for service_id, row in known.items() if service_id not in ids]
    if gone:
        connection.execute(delete(Target).where(Target.id.in_(gone)))
    return ids


def _write_commitments(
    connection: Connection,
    targets: dict[int, int],
    present: dict[_Identity, _Said],
    wanted: dict[_Identity, _Said],
) -> None:
    for identity, said in wanted.items():
        service_id, (authority_id, who) = identity
        content = {"role": said.role, "due": said.due, "note": said.note, "visibility": said.visibility}
        if identity not in present:
            new = {"target_id": targets[service_id], "authority_id": authority_id, "who": who, **content}
            connection.execute(insert(Commitment).values(**new))
        elif present[identity] != said:
            connection.execute(update(Commitment).where(*_row(targets, identity)).values(**content))
    for identity in set(present) - set(wanted):
        if identity[0] in targets:
            connection.execute(delete(Commitment).where(*_row(targets, identity)))


def _row(targets: dict[int, int], identity: _Identity) -> tuple[ColumnElement[bool], ...]:
    service_id, (authority_id, who) = identity
    return (
        Commitment.target_id == targets[service_id],
        Commitment.authority_id.is_not_distinct_from(authority_id),
        Commitment.who == who,
    )


KIND = agreed.Kind("lists", TargetList, COLUMNS, _checks, _identity, _take, _write)
