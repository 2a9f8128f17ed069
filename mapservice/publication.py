"""Publication: which authorities agreed to be seen by the public, and with --entries their entries too.

An entry is public if it is public itself and its authority is published; both start as internal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    any_,
    cast,
    delete,
    func,
    or_,
    select,
    table,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from mapservice import copies
from mapservice.database import Database
from mapservice.domain import ARS_LENGTH, FEDERATION, Visibility
from mapservice.errors import MapServiceError
from mapservice.imports.keys import AuthorityIndex
from mapservice.imports.report import counted, number
from mapservice.imports.runs import run
from mapservice.imports.values import CellError
from mapservice.models import Authority, Implementation, Publication, Solution

_PUBLIC = table("public_implementation")
_LISTED = 12
"""So many keys are named before a region is looked for."""
_COPIED = 200
"""So many keys, 2.6 kB, fit on a command line that someone copies."""
_RELEASED = func.coalesce(Publication.visibility, int(Visibility.INTERNAL)) == int(Visibility.PUBLIC)
"""Whether the authority is released, where Publication is joined from outside."""
_OWN = Implementation.visibility == int(Visibility.PUBLIC)
"""Whether the entry itself is public."""


class UnknownKeysError(MapServiceError):
    """Keys on the command line that name no authority."""

    exit_code = 2
    status = 404
    code = "unknown_key"


@dataclass
class Change:
    """What publishing or withdrawing did. authorities: whose publication changed; entries: whose own
    visibility changed."""

    authorities: int = 0
    entries: int = 0
    public_before: int = 0
    public_after: int = 0
    lines: list[str] = field(default_factory=list)


def count_public(connection: Connection) -> int:
    """How many entries the public sees."""
    return int(connection.execute(select(func.count()).select_from(_PUBLIC)).scalar_one())


def publish(
    database: Database,
    keys: Sequence[str] = (),
    *,
    within: Sequence[str] = (),
    everything: bool = False,
    entries: bool = False,
    dry_run: bool = False,
) -> Change:
    """Release authorities: those of the keys, and those with entries in a region or anywhere.

    entries: make their entries public too. Raises UnknownKeysError before anything is changed.
    """
    return _change(database, Visibility.PUBLIC, keys, within, everything, entries, dry_run)


def unpublish(
    database: Database,
    keys: Sequence[str] = (),
    *,
    within: Sequence[str] = (),
    everything: bool = False,
    entries: bool = False,
    dry_run: bool = False,
) -> Change:
    """Withdraw authorities; works backwards too, because history and counts follow the present state."""
    return _change(database, Visibility.INTERNAL, keys, within, everything, entries, dry_run)


def _change(
    database: Database,
    to: Visibility,
    keys: Sequence[str],
    within: Sequence[str],
    everything: bool,
    entries: bool,
    dry_run: bool,
) -> Change:
    options = {
        "action": "publish" if to is Visibility.PUBLIC else "unpublish",
        "keys": list(keys),
        "within": list(within),
        "all": everything,
        "entries": entries,
    }
    with (
        run(database, "publication", options=options, dry_run=dry_run) as current,
        database.owner() as connection,
    ):
        current.attach(connection)
        ids = _select(connection, to, keys, within, everything)
        change = Change(public_before=count_public(connection))
        if entries:
            change.entries = _set_entries(connection, ids, to, current.id)
        change.authorities = _set_authorities(connection, ids, to, current.id)
        if change.authorities or change.entries:
            copies.refresh(connection, ids)
        change.public_after = count_public(connection)
        change.lines = _lines(connection, to, ids, change, entries)
        current.finish(
            connection,
            {
                "authorities": change.authorities,
                "entries": change.entries,
                "public_before": change.public_before,
                "public_after": change.public_after,
            },
        )
        if dry_run:
            connection.rollback()
            change.lines.append("Probelauf: Es wurde nichts geändert.")
    return change


def _among(ids: Collection[int]) -> ColumnElement[Any]:
    """One bound array instead of thousands of parameters."""
    return any_(cast(list(ids), ARRAY(Integer)))


def _select(
    connection: Connection, to: Visibility, keys: Sequence[str], within: Sequence[str], everything: bool
) -> list[int]:
    index = AuthorityIndex(connection)
    chosen: set[int] = set()
    unknown: list[str] = []
    for key in keys:
        try:
            chosen.add(index.find(key.strip()).id)
        except CellError as error:
            hint = f" Gemeint: {error.suggestion}?" if error.suggestion else ""
            unknown.append(f"{key}: {error.reason}.{hint}")
    # a region, or all: who has something to release, or to withdraw
    reporting = select(Implementation.authority_id).where(~Implementation.demonstration)
    providing = select(Solution.provider_id).where(Solution.provider_id.is_not(None), ~Solution.demonstration)
    released = () if to is Visibility.PUBLIC else (select(Publication.authority_id),)
    concerned = union(reporting, providing, *released)
    for key in within:
        try:
            region = _region(index, key.strip())
        except CellError as error:
            unknown.append(f"{key}: {error.reason}.")
            continue
        chosen |= set(connection.scalars(select(Authority.id).where(region, Authority.id.in_(concerned))))
        if not connection.scalar(select(func.count()).where(region)):
            unknown.append(f"{key}: in diesem Gebiet gibt es keine Behörde.")
    if unknown:
        raise UnknownKeysError("\n".join(["Unbekannte Schlüssel, es wurde nichts geändert:", *unknown]))
    if everything:
        chosen |= set(connection.scalars(concerned))
    return sorted(chosen)


def _region(index: AuthorityIndex, key: str) -> ColumnElement[bool]:
    """Authorities of a region: by prefix, or by hierarchy for a full key."""
    if not key.isascii() or not key.isdigit() or len(key) not in (1, 2, 3, 4, 5, 8, 9, 12):
        raise CellError("kein Schlüssel eines Gebiets (2, 3, 5, 9 oder 12 Ziffern)")
    if len(key) in (1, 4):
        key = "0" + key
    if len(key) in (8, ARS_LENGTH):
        place = index.find(key)
        if place.ars == FEDERATION:
            return Authority.is_current.is_(True)
        above = (Authority.association_id, Authority.district_id, Authority.state_id)
        return or_(Authority.id == place.id, *(column == place.id for column in above))
    return Authority.ars.startswith(key)


def _set_entries(connection: Connection, ids: list[int], to: Visibility, run_id: int | None) -> int:
    changed = connection.execute(
        update(Implementation)
        .where(
            Implementation.authority_id == _among(ids),
            Implementation.visibility != int(to),
            ~Implementation.demonstration,
        )
        .values(visibility=int(to), import_run_id=run_id)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount


def _set_authorities(connection: Connection, ids: list[int], to: Visibility, run_id: int | None) -> int:
    if to is not Visibility.PUBLIC:
        gone = connection.execute(
            delete(Publication)
            .where(Publication.authority_id == _among(ids))
            .execution_options(synchronize_session=False)
        )
        return gone.rowcount
    statement = insert(Publication).from_select(
        ["authority_id", "visibility", "import_run_id"],
        select(Authority.id, cast(int(to), Publication.visibility.type), cast(run_id, Integer)).where(
            Authority.id == _among(ids)
        ),
    )
    changed = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[Publication.authority_id],
            set_={
                "visibility": statement.excluded.visibility,
                "import_run_id": statement.excluded.import_run_id,
                "changed_at": func.now(),
            },
            where=Publication.visibility != int(to),
        ).execution_options(preserve_rowcount=True)
    )
    return changed.rowcount


def _lines(
    connection: Connection, to: Visibility, ids: list[int], change: Change, entries: bool
) -> list[str]:
    lines = []
    authorities = _authorities(change.authorities)
    if to is Visibility.PUBLIC:
        before = len(ids) - change.authorities
        were = counted(before, "war", "waren")
        lines.append(f"{authorities} neu freigegeben, {were} es schon.")
    else:
        lines.append(f"Freigabe von {authorities} zurückgenommen.")
    if entries:
        word = "öffentlich" if to is Visibility.PUBLIC else "intern"
        lines.append(f"{_entries(change.entries)} auf »{word}« gesetzt.")
    lines.append(_seen(change.public_before, change.public_after))
    if to is Visibility.PUBLIC:
        kept = connection.scalar(
            select(func.count()).where(
                Implementation.authority_id == _among(ids),
                Implementation.visibility != int(Visibility.PUBLIC),
                ~Implementation.demonstration,
            )
        )
        if kept:
            lines.append(
                "1 Eintrag dieser Behörden bleibt intern, weil er selbst nicht »öffentlich« ist; mit "
                "--entries wird auch er freigegeben."
                if kept == 1
                else f"{number(kept)} Einträge dieser Behörden bleiben intern, weil sie selbst nicht "
                "»öffentlich« sind; mit --entries werden auch sie freigegeben."
            )
    return lines


def _entries(count: int) -> str:
    return counted(count, "Eintrag", "Einträge")


def _authorities(count: int) -> str:
    return counted(count, "Behörde", "Behörden")


def _seen(before: int, after: int) -> str:
    return f"Öffentlich sichtbar: {_entries(after)} (vorher {number(before)})."


def outlook(connection: Connection, authority_ids: Collection[int], before: int, after: int) -> list[str]:
    """What an import says at its end: what the public sees now, and the command that releases the rest.

    authority_ids: whose entries the import spoke of.
    """
    lines = [_seen(before, after)]
    rows = connection.execute(
        select(
            Authority.ars,
            func.count().filter(_OWN).label("ready"),
            func.count().filter(~_OWN).label("internal"),
            _RELEASED.label("released"),
        )
        .join_from(Implementation, Authority, Authority.id == Implementation.authority_id)
        .outerjoin(Publication, Publication.authority_id == Authority.id)
        .where(Implementation.authority_id == _among(authority_ids), ~Implementation.demonstration)
        .group_by(Authority.ars, Publication.visibility)
        .order_by(Authority.ars)
    ).all()
    waiting = [row for row in rows if row.ready and not row.released]
    internal = [row for row in rows if row.internal]
    command = _whom(connection, waiting, rows) if waiting else None
    if command is not None:
        total = sum(row.ready for row in waiting)
        verb, whose = ("wartet", "seiner") if total == 1 else ("warten", "ihrer")
        lines.append(
            f"{_entries(total)} von {_authorities(len(waiting))} {verb} auf die Freigabe {whose} Behörde:\n"
            f"  mapservice publish {command.arguments}{command.beyond()}"
        )
    if internal:
        total = sum(row.internal for row in internal)
        more = _whom(connection, internal, rows, entries=True)
        if command is not None and more.arguments == command.arguments:
            what = (
                "1 Eintrag frei, der selbst nicht »öffentlich« ist"
                if total == 1
                else f"{number(total)} Einträge frei, die selbst nicht »öffentlich« sind"
            )
            lines.append(f"Mit --entries gibt derselbe Befehl auch {what}.{more.beyond()}")
        else:
            verb, they = ("ist", "ihn") if total == 1 else ("sind", "sie")
            lines.append(
                f"{_entries(total)} von {_authorities(len(internal))} {verb} selbst nicht »öffentlich«; auch "
                f"{they} gibt frei:\n  mapservice publish --entries {more.arguments}{more.beyond()}"
            )
    return lines


@dataclass(frozen=True)
class _Command:
    """Arguments of publish; others: authorities that it would change besides those it is for."""

    arguments: str
    others: int = 0

    def beyond(self) -> str:
        if not self.others:
            return ""
        return (
            f"\n  Achtung: Das betrifft auch {counted(self.others, 'weitere Behörde', 'weitere Behörden')}."
        )


def _whom(
    connection: Connection,
    wanted: Sequence[Row[Any]],
    spoken_of: Sequence[Row[Any]],
    *,
    entries: bool = False,
) -> _Command:
    """The wanted keys; if they are many, the smallest region with no other authority than those spoken of;
    if there is none and a command line cannot hold the keys, all.

    entries: for publish --entries, which also changes released authorities with internal entries.
    """
    keys = [row.ars for row in wanted]
    if len(keys) <= _LISTED:
        return _Command(" ".join(keys))
    changing = or_(~_RELEASED, ~_OWN) if entries else ~_RELEASED
    having = {
        ars: bool(changes)
        for ars, changes in connection.execute(
            select(Authority.ars, func.bool_or(changing))
            .join_from(Implementation, Authority, Authority.id == Implementation.authority_id)
            .outerjoin(Publication, Publication.authority_id == Authority.id)
            .where(~Implementation.demonstration)
            .group_by(Authority.ars)
        )
    }
    others = having.keys() - {row.ars for row in spoken_of}

    def command(arguments: str, prefix: str = "") -> _Command:
        besides = [ars for ars in having.keys() - set(keys) if having[ars] and ars.startswith(prefix)]
        return _Command(arguments, len(besides))

    for length in (5, 2):
        prefix = keys[0][:length]
        if all(key.startswith(prefix) for key in keys):
            if not any(other.startswith(prefix) for other in others):
                return command(f"--within {prefix}", prefix)
            break
    return _Command(" ".join(keys)) if others and len(keys) <= _COPIED else command("--all")
