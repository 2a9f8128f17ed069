"""The temporary table of incoming implementations, and what is done with it in the database.

It exists for one transaction. A row without status is a rejected one whose identity is known: it is never
written, but keeps replacing from ending the entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    Uuid,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import ALL_KINDS, ServiceKind
from mapservice.imports.keys import OWN_PREFIX
from mapservice.imports.report import Rejections
from mapservice.models import Implementation, Service, Solution

INCOMING = Table(
    "incoming",
    MetaData(),
    Column("file", SmallInteger),
    Column("line", Integer),
    Column("id", Uuid),
    Column("authority_id", Integer),
    Column("service_id", Integer),
    Column("identifier", Text),
    Column("url", Text),
    Column("status", SmallInteger),
    Column("solution_kind", SmallInteger),
    Column("maturity_model", SmallInteger),
    Column("maturity", SmallInteger),
    Column("reusable", Boolean),
    Column("as_of", Date),
    Column("visibility", SmallInteger),
    Column("trust_level", SmallInteger),
    Column("online_since", Date),
    Column("planned_until", Date),
    Column("solution_id", Integer),
    Column("source", Text),
    Column("specialist_system", Text),
    Column("reuse_note", Text),
    Column("valid_for", ARRAY(Integer)),
    Column("contact", Text),
    Column("contact_kind", SmallInteger),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
"""In the order in which implementations.Stage writes the columns."""

COPY = "COPY incoming FROM STDIN"
_IDENTITY = ("id", "authority_id", "service_id", "identifier")
_SAID = tuple(c.name for c in INCOMING.c if c.name not in {"file", "line", *_IDENTITY})


def rejected_line(file: int, line: int, id_: str, authority_id: str, service_id: str) -> str:
    """The line for COPY of a rejected row of known identity."""
    rest = "\t".join([r"\N"] * (len(INCOMING.c) - 5))
    return f"{file}\t{line}\t{id_}\t{authority_id}\t{service_id}\t{rest}\n"


def create(connection: Connection) -> None:
    """Create the table for this transaction."""
    for setting in ("temp_buffers", "work_mem"):
        connection.execute(select(func.set_config(setting, "64MB", True)))
    INCOMING.create(connection)


def drop_superseded(connection: Connection, files: Sequence[str], rejections: Rejections) -> int:
    """Of rows with one identity keep the last; note the others. Returns how many went."""
    connection.execute(text("ANALYZE incoming"))
    accepted = INCOMING.c.status.is_not(None)
    rows, distinct = connection.execute(
        select(func.count(), func.count(INCOMING.c.id.distinct())).where(accepted)
    ).one()
    if rows == distinct:
        return 0
    window: dict[str, Any] = {
        "partition_by": INCOMING.c.id,
        "order_by": (INCOMING.c.file, INCOMING.c.line),
    }
    last = func.last_value
    ranked = (
        select(
            INCOMING.c.file,
            INCOMING.c.line,
            last(INCOMING.c.file).over(**window, rows=(None, None)).label("last_file"),
            last(INCOMING.c.line).over(**window, rows=(None, None)).label("last_line"),
        )
        .where(accepted)
        .subquery()
    )
    earlier = tuple_(ranked.c.file, ranked.c.line) != tuple_(ranked.c.last_file, ranked.c.last_line)
    superseded = connection.execute(
        select(ranked)
        .where(earlier)
        .order_by(ranked.c.file, ranked.c.line)
        .execution_options(stream_results=True, yield_per=1000)
    )
    row: Row[Any]
    for row in superseded:
        where = f"Zeile {row.last_line}"
        if row.last_file != row.file:
            where += f" in {files[row.last_file]}"
        rejections.note_superseded(files[row.file], row.line, "", where)
    gone = connection.execute(
        delete(INCOMING).where(
            tuple_(INCOMING.c.file, INCOMING.c.line).in_(select(ranked.c.file, ranked.c.line).where(earlier))
        )
    )
    return gone.rowcount


def create_solutions(connection: Connection, names: Mapping[int, str]) -> None:
    """Insert those of the new solutions that an accepted row names."""
    used = _used(connection, INCOMING.c.solution_id, names)
    if used:
        connection.execute(insert(Solution), [{"id": id_, "name": names[id_]} for id_ in used])


def create_own_services(connection: Connection, keys: Mapping[int, str]) -> None:
    """Insert those of the new services of one's own that an accepted row names."""
    used = _used(connection, INCOMING.c.service_id, keys)
    if used:
        connection.execute(
            insert(Service),
            [
                {
                    "id": id_,
                    "key": keys[id_],
                    "kind": ServiceKind.OWN,
                    "name": keys[id_].removeprefix(OWN_PREFIX),
                    "responsible": int(ALL_KINDS),
                }
                for id_ in used
            ],
        )


def _used(connection: Connection, column: ColumnElement[Any], ids: Mapping[int, str]) -> list[int]:
    if not ids:
        return []
    found = connection.scalars(
        select(column).distinct().where(INCOMING.c.status.is_not(None), column.in_(list(ids)))
    )
    return sorted(found)


def authorities(connection: Connection) -> list[int]:
    """Ids of the authorities that the files name in accepted rows."""
    return list(
        connection.scalars(select(INCOMING.c.authority_id).distinct().where(INCOMING.c.status.is_not(None)))
    )


def update_changed(connection: Connection, run_id: int | None) -> int:
    """Update the entries that the files describe differently. Returns how many."""
    said = [(INCOMING.c[name], getattr(Implementation, name)) for name in _SAID]
    # a comparison of whole rows: nulls are equal
    differs = func.row(*(new for new, _ in said)).is_distinct_from(func.row(*(old for _, old in said)))
    changed = connection.execute(
        update(Implementation)
        .where(Implementation.id == INCOMING.c.id, INCOMING.c.status.is_not(None), differs)
        .values(**{name: INCOMING.c[name] for name in _SAID}, import_run_id=run_id)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount


def insert_new(connection: Connection, run_id: int | None, *, demonstration: bool = False) -> int:
    """Insert the entries that are not there yet. Returns how many."""
    names = [*_IDENTITY, *_SAID]
    absent = ~exists().where(Implementation.id == INCOMING.c.id)
    new = connection.execute(
        insert(Implementation)
        .from_select(
            [*names, "import_run_id", "demonstration"],
            select(*(INCOMING.c[name] for name in names), literal(run_id, Integer), literal(demonstration))
            .where(INCOMING.c.status.is_not(None), absent)
            .order_by(INCOMING.c.authority_id, INCOMING.c.service_id),
            include_defaults=False,
        )
        .execution_options(preserve_rowcount=True)
    )
    return new.rowcount


def delete_unlisted(connection: Connection) -> int:
    """End entries of an authority and a source that the files speak of, but no longer list."""
    spoken = (
        select(INCOMING.c.authority_id, INCOMING.c.source)
        .where(INCOMING.c.status.is_not(None))
        .distinct()
        .subquery()
    )
    listed = exists().where(INCOMING.c.id == Implementation.id)
    gone = connection.execute(
        delete(Implementation)
        .where(
            Implementation.authority_id == spoken.c.authority_id,
            Implementation.source.is_not_distinct_from(spoken.c.source),
            ~listed,
        )
        .execution_options(synchronize_session=False)
    )
    return gone.rowcount
