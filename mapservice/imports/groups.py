"""Groups of authorities, from files with a row for each member (columns: docs/formats.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mapservice.domain import Visibility
from mapservice.imports import agreed, values
from mapservice.imports.agreed import Named
from mapservice.imports.checking import Check, Checked
from mapservice.imports.importing import Importing
from mapservice.imports.keys import AuthorityIndex
from mapservice.imports.read import Column
from mapservice.imports.report import Result
from mapservice.plans import MOST_COMPARED, AuthorityGroup, GroupMember

COLUMNS = (
    Column("gruppe", ("gruppenschluessel", "group"), required=True),
    Column("name", ("bezeichnung", "gruppenname")),
    Column(
        "ars",
        ("ags", "regionalschluessel", "gemeindeschluessel", "schluessel", "kennziffer", "mitglied"),
        required=True,
    ),
    Column("sichtbarkeit"),
    Column("beschreibung", ("erlaeuterung",)),
)
TEMPLATE = "gruppe;name;ars;sichtbarkeit;beschreibung"


@dataclass(frozen=True)
class _Member:
    visibility: int
    position: int


def _checks(connection: Connection) -> Sequence[Check]:
    index = AuthorityIndex(connection)
    index.require()
    return agreed.key, values.line_of_text, index.find, values.visibility, values.note


def _identity(row: Checked) -> int | None:
    return row.found["ars"].id if "ars" in row.found else None


def _take(group: Named, row: Checked) -> int:
    """The visibility of a member; the group's description on the way."""
    visibility = int(row.found.get("sichtbarkeit", Visibility.INTERNAL))
    text = row.found.get("beschreibung")
    if text and visibility > (group.description_visibility or 0):
        group.description, group.description_visibility = text, visibility
    return visibility


def _write(work: Importing, group: Named, known: Any, mode: str, result: Result) -> None:
    """Store one group with its members, and say what the public sees of it."""
    connection = work.connection
    present = _members(connection, known.id) if known is not None else {}
    wanted = _wanted(group, present, mode)
    said: dict[str, Any] = {
        "key": group.key,
        "name": group.name or (known.name if known is not None else group.key),
        "visibility": max(member.visibility for member in wanted.values()),
    }
    if group.description or mode == "replace":
        said["description"] = group.description
        said["description_visibility"] = group.description_visibility
    group_id = agreed.save(connection, AuthorityGroup, known, work.run.id, said)
    _write_members(connection, group_id, group, present, wanted, result)
    public = sum(member.visibility == Visibility.PUBLIC for member in wanted.values())
    result.lines.append(
        agreed.outlook("Gruppe", said["name"], public, len(wanted), ("Mitglied", "Mitglieder"))
    )
    if len(wanted) > MOST_COMPARED:
        result.lines.append(f"  Der Vergleich zeigt höchstens {MOST_COMPARED} Behörden auf einmal.")


def _wanted(group: Named, present: dict[int, _Member], mode: str) -> dict[int, _Member]:
    """Who the members will be. Replacing takes the order of the file; else new ones follow those present."""
    if mode == "replace":
        listed = {id_: _Member(seen, at) for at, (id_, seen) in enumerate(group.rows.items(), 1)}
        kept = [id_ for id_ in present if id_ in group.kept and id_ not in listed]
        return listed | {
            id_: _Member(present[id_].visibility, at) for at, id_ in enumerate(kept, len(listed) + 1)
        }
    last = max((member.position for member in present.values()), default=0)
    wanted = dict(present)
    for id_, seen in group.rows.items():
        if id_ in present:
            wanted[id_] = _Member(seen, present[id_].position)
        else:
            last += 1
            wanted[id_] = _Member(seen, last)
    return wanted


def _write_members(
    connection: Connection,
    group_id: int,
    group: Named,
    present: dict[int, _Member],
    wanted: dict[int, _Member],
    result: Result,
) -> None:
    counts = result.counts
    new = [
        {"group_id": group_id, "authority_id": id_, "position": item.position, "visibility": item.visibility}
        for id_, item in wanted.items()
        if id_ not in present
    ]
    if new:
        connection.execute(insert(GroupMember), new)
    for id_, item in wanted.items():
        if id_ in present and present[id_] != item:
            connection.execute(
                update(GroupMember)
                .where(GroupMember.group_id == group_id, GroupMember.authority_id == id_)
                .values(position=item.position, visibility=item.visibility)
            )
    changed = sum(id_ in present and present[id_] != wanted[id_] for id_ in group.rows)
    counts.inserted += len(new)
    counts.updated += changed
    counts.unchanged += len(group.rows) - len(new) - changed
    gone = set(present) - set(wanted)
    if gone:
        connection.execute(
            delete(GroupMember).where(GroupMember.group_id == group_id, GroupMember.authority_id.in_(gone))
        )
        counts.removed += len(gone)


def _members(connection: Connection, group_id: int) -> dict[int, _Member]:
    rows = connection.execute(
        select(GroupMember.authority_id, GroupMember.visibility, GroupMember.position)
        .where(GroupMember.group_id == group_id)
        .order_by(GroupMember.position, GroupMember.authority_id)
    )
    return {row.authority_id: _Member(row.visibility, row.position) for row in rows}


KIND = agreed.Kind("groups", AuthorityGroup, COLUMNS, _checks, _identity, _take, _write)
