"""What the imports of groups and of target lists share: keys, names, and what the public will see of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from mapservice.database import Database
from mapservice.domain import Visibility
from mapservice.errors import NotFoundError
from mapservice.imports.checking import Check, Checked, checked_rows
from mapservice.imports.importing import File, Importing, described, importing, refuse_made_up
from mapservice.imports.read import Column, Table, open_table
from mapservice.imports.report import Result, counted
from mapservice.imports.runs import run
from mapservice.imports.values import CellError, fold
from mapservice.plans import AuthorityGroup, GroupMember, Target, TargetList

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
RESERVED = frozenset({"states"})
"""Names of groups that addresses know without any import (layers/groups.py)."""


@dataclass
class Named:
    """A group or list as files describe it. row: identity of a row -> (content, file and line that said it);
    kept: identities of rejected rows, which replacing must not end.
    """

    key: str
    name: str = ""
    named_in: tuple[str, int] = ("", 0)
    rows: dict[Any, Any] = field(default_factory=dict)
    said: dict[Any, tuple[str, int]] = field(default_factory=dict)
    kept: set[Any] = field(default_factory=set)
    description: str | None = None
    description_visibility: int | None = None


def key(text: str) -> str:
    """The key in addresses: small letters, digits, hyphen and underscore, at most 60."""
    found = text.casefold()
    if not text:
        raise CellError("fehlt")
    if not _KEY.fullmatch(found):
        meant = re.sub(r"[^a-z0-9_]+", "-", fold(text).replace("ß", "ss")).strip("-_")[:60]
        raise CellError(
            "kein Schlüssel: erlaubt sind Kleinbuchstaben ohne Umlaute, Ziffern, - und _ (nicht am Anfang), "
            "höchstens 60 Zeichen",
            meant or None,
        )
    if found in RESERVED:
        raise CellError("dieser Schlüssel ist vergeben", f"{found}-2")
    return found


@dataclass(frozen=True)
class Kind:
    """What tells the imports of groups and of lists apart.

    checks: of the columns, made over a connection; identity: of a row, from what the checks found, None if it
    cannot be known; take: what a good row says beside its identity; write: stores one group or list, with
    what is there of it (None: nothing) and the mode.
    """

    name: str
    model: type[AuthorityGroup | TargetList]
    columns: tuple[Column, ...]
    checks: Callable[[Connection], Sequence[Check]]
    identity: Callable[[Checked], Any]
    take: Callable[[Named, Checked], Any]
    write: Callable[[Importing, Named, Any, str, Result], None]


def import_files(
    database: Database,
    kind: Kind,
    paths: Sequence[Path],
    *,
    mode: str = "update",
    dry_run: bool = False,
    rejected: Path | None = None,
) -> Result:
    """Import files one after the other as if they were one.

    mode: "update" removes nothing; "replace" removes rows of the files' groups or lists that they no longer
    hold. Raises ImportRefusedError before anything is written if a file cannot be read or has no acceptable
    row.
    """
    tables = [open_table(path, kind.columns) for path in paths]
    for table in tables:
        refuse_made_up(table)
    files = [File(table.name, table.sha256) for table in tables]
    options = {"mode": mode}
    with importing(database, kind.name, files, dry_run=dry_run, rejected=rejected, options=options) as work:
        result = Result(lines=work.lines)
        result.lines += [line for table in tables for line in described(table)]
        named = _read(work, kind, tables, result)
        known = _existing(work.connection, kind.model, named)
        for item in named.values():
            if item.rows:
                kind.write(work, item, known.get(item.key), mode, result)
        result.lines += [*result.counts.lines(), *work.rejections.lines()]
        work.run.finish(work.connection, result.counts.as_dict())
    return result


def _read(work: Importing, kind: Kind, tables: Sequence[Table], result: Result) -> dict[str, Named]:
    checks = kind.checks(work.connection)
    named: dict[str, Named] = {}
    first = kind.columns[0].name
    for table in tables:
        for row in checked_rows(table, checks, work.rejections, result.counts):
            if first in row.found:
                item = named.setdefault(row.found[first], Named(row.found[first]))
                _take(work, kind, item, row, (table.name, row.line), result)
    result.counts.rejected = work.rejections.rows
    if result.counts.read and result.counts.read == result.counts.rejected:
        raise work.rejections.nothing_usable()
    work.store_rejections()
    return named


def _take(
    work: Importing, kind: Kind, item: Named, row: Checked, where: tuple[str, int], result: Result
) -> None:
    """The last row of an identity wins, as in every import."""
    good, identity = row.good, kind.identity(row)
    try:
        _name_it(item, row.found.get("name") if good else None, where)
    except CellError as error:
        work.rejections.add(*where, "name", row.cells["name"], error.reason, error.suggestion)
        good = False
    if not good:
        if identity is not None:
            item.kept.add(identity)
        return
    if identity in item.rows:
        result.counts.superseded += 1
        work.rejections.note_superseded(*item.said[identity], "", f"Zeile {where[1]} in {where[0]}")
    item.rows[identity], item.said[identity] = kind.take(item, row), where


def _name_it(named: Named, name: str | None, where: tuple[str, int]) -> None:
    """Take the name of a row. Raises CellError where an earlier row says another."""
    if not name:
        return
    if named.name and named.name != name:
        file, line = named.named_in
        raise CellError(f"heißt in {file}, Zeile {line} anders", named.name)
    if not named.name:
        named.name, named.named_in = name, where


def _existing(
    connection: Connection, model: type[AuthorityGroup | TargetList], keys: Iterable[str]
) -> dict[str, Any]:
    """The rows of these keys, by key; demonstration ones are replaced, not mixed with."""
    table = model.__table__
    connection.execute(delete(model).where(table.c.key.in_(list(keys)), table.c.demonstration))
    return {row.key: row for row in connection.execute(select(table).where(table.c.key.in_(list(keys))))}


def save(
    connection: Connection,
    model: type[AuthorityGroup | TargetList],
    known: Any,
    run_id: int | None,
    values: dict[str, Any],
) -> int:
    """Insert the group or list, or update what differs. Returns its id."""
    if known is not None:
        if any(getattr(known, name) != value for name, value in values.items()):
            changed = update(model).where(model.id == known.id).values(**values, import_run_id=run_id)
            connection.execute(changed)
        return int(known.id)
    return int(
        connection.execute(
            insert(model).values(**values, import_run_id=run_id).returning(model.id)
        ).scalar_one()
    )


def outlook(what: str, name: str, visible: int, total: int, rows: tuple[str, str]) -> str:
    """How much of a group or list the public sees, and how to change that."""
    if not visible:
        return (
            f"{what} »{name}« ist intern: {counted(total, *rows)}. Öffentlich wird, was in der Spalte "
            "sichtbarkeit so heißt."
        )
    if visible < total:
        return f"{what} »{name}«: {visible} von {counted(total, *rows)} öffentlich, die übrigen intern."
    return f"{what} »{name}«: {counted(total, *rows)}, öffentlich."


_KINDS: dict[str, tuple[type[AuthorityGroup | TargetList], type[GroupMember | Target], str]] = {
    "groups": (AuthorityGroup, GroupMember, "Gruppe"),
    "lists": (TargetList, Target, "Liste"),
}


def listed(database: Database, kind: str) -> list[str]:
    """Key, name, size and visibility of every group (kind "groups") or list ("lists"), a line each."""
    model, row_model, what = _KINDS[kind]
    row = row_model.__table__
    owner = row.c["group_id" if kind == "groups" else "list_id"]
    with database.owner() as connection:
        rows = connection.execute(
            select(
                model.key,
                model.name,
                model.demonstration,
                func.count(owner).label("rows"),
                func.count(owner).filter(row.c.visibility == int(Visibility.PUBLIC)).label("public"),
            )
            .join_from(model, row, owner == model.id, isouter=True)
            .group_by(model.id)
            .order_by(model.key)
        ).all()
    units = ("Mitglied", "Mitglieder") if kind == "groups" else ("Leistung", "Leistungen")
    return [
        f"{item.key}: {item.name}, {counted(item.rows, *units)}, davon {item.public} öffentlich"
        + (" (Demonstration)" if item.demonstration else "")
        for item in rows
    ] or [f"Es ist keine {what} geladen. Einlesen: mapservice import {kind} DATEI"]


def remove(database: Database, kind: str, keys: Sequence[str]) -> list[str]:
    """Remove groups or lists with all their rows. Raises NotFoundError before anything is changed."""
    model, _row, what = _KINDS[kind]
    options = {"action": "remove", "keys": list(keys)}
    with run(database, kind, options=options) as current, database.owner() as connection:
        current.attach(connection)
        known = set(connection.scalars(select(model.key).where(model.key.in_(keys))))
        unknown = [key for key in keys if key not in known]
        if unknown:
            raise NotFoundError(
                f"Nicht vorhanden: {', '.join(unknown)}. Alle zeigt »mapservice {kind}«. "
                "Es wurde nichts geändert."
            )
        connection.execute(delete(model).where(model.key.in_(keys)))
        current.finish(connection, {"removed": len(known)})
    return [f"{what} {key} entfernt." for key in sorted(known)]
