"""Solutions: what is known of assistants and products besides who uses them (columns: docs/formats.md).

A solution is known by its name, whatever its case; implementations create it by naming it, and this file adds
what there is to say. A row says all about its solution: an empty cell takes away what stood there. Columns
that the file does not have are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from mapservice.database import Database
from mapservice.domain import Visibility
from mapservice.imports import values
from mapservice.imports.checking import Check, checked_rows, refuse_implementations
from mapservice.imports.importing import File, described, importing, refuse_made_up
from mapservice.imports.keys import AuthorityIndex
from mapservice.imports.read import Column, Table, open_table
from mapservice.imports.report import Counts, Rejections, Result, counted
from mapservice.imports.values import CellError
from mapservice.models import Solution
from mapservice.register import refresh as register

COLUMNS = (
    Column("loesung", ("name", "produkt", "assistent"), required=True),
    Column("plattform"),
    Column("bereitgestellt_von", ("bereitsteller", "anbieter")),
    Column("nachnutzbar", ("nachnutzung",)),
    Column("bedingungen"),
    Column("kosten"),
    Column("fachverfahren"),
    Column("vertrauensniveau"),
    Column("bestaetigt_am", ("stand",)),
    Column("sichtbarkeit"),
)
TEMPLATE = ";".join(column.name for column in COLUMNS)
"""Heading of the file to download and fill in."""
_FIELDS = (
    "platform",
    "provider_id",
    "reusable",
    "conditions",
    "costs",
    "specialist_systems",
    "trust_level",
    "confirmed_on",
    "visibility",
)


@dataclass
class _Collected:
    """Rows by the solution's name in lower case: its name, its values, and where it was said last."""

    names: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: dict[str, tuple[str, int]] = field(default_factory=dict)


def import_solutions(
    database: Database, paths: Sequence[Path], *, dry_run: bool = False, rejected: Path | None = None
) -> Result:
    """Add and update solutions; none is removed. Raises ImportRefusedError if a file cannot be read, is no
    table of solutions, or has no acceptable row."""
    tables = [open_table(path, COLUMNS) for path in paths]
    for table in tables:
        refuse_made_up(table)
        refuse_implementations(table, "Lösungen")
    files = [File(table.name, table.sha256) for table in tables]
    with importing(
        database, "solutions", files, dry_run=dry_run, rejected=rejected, analysed=("solution",)
    ) as work:
        index = AuthorityIndex(work.connection)
        index.require()
        result = Result(lines=work.lines)
        collected = _Collected()
        for table in tables:
            result.lines += described(table)
            _read(table, _checks(index), collected, work.rejections, result.counts)
        result.counts.rejected = work.rejections.rows
        if result.counts.read and result.counts.read == result.counts.rejected:
            raise work.rejections.nothing_usable()
        work.store_rejections()
        changed = _write(work.connection, collected, result.counts)
        register.refresh_solutions(work.connection, changed)
        result.lines += [*result.counts.lines(), *work.rejections.lines()]
        result.lines += _outlook(work.connection)
        work.run.finish(work.connection, result.counts.as_dict())
    return result


def _checks(index: AuthorityIndex) -> tuple[Check, ...]:
    return (
        _name,
        values.line_of_text,
        lambda cell: index.find(cell).id,
        values.boolean,
        values.note,
        values.note,
        values.note,
        lambda cell: int(values.trust_level(cell)),
        values.date,
        lambda cell: int(values.visibility(cell)),
    )


def _name(cell: str) -> str:
    if not cell:
        raise CellError("fehlt")
    return values.line_of_text(cell)


def _read(
    table: Table, checks: Sequence[Check], collected: _Collected, rejections: Rejections, counts: Counts
) -> None:
    fields = dict(zip((column.name for column in COLUMNS[1:]), _FIELDS, strict=True))
    for row in checked_rows(table, checks, rejections, counts):
        if not row.good:
            continue
        said = {to: row.found.get(column) for column, to in fields.items() if column in table.present}
        if "visibility" in said:
            said["visibility"] = said["visibility"] or int(Visibility.INTERNAL)
        name = row.found["loesung"]
        key = name.lower()
        if key in collected.wanted:
            counts.superseded += 1
            rejections.note_superseded(*collected.said[key], "", f"Zeile {row.line} in {table.name}")
        collected.names[key] = name
        collected.said[key] = (table.name, row.line)
        collected.wanted[key] = said


def _write(connection: Connection, collected: _Collected, counts: Counts) -> set[int]:
    """Returns the ids of the solutions that are new or say something else."""
    table = Solution.__table__
    known = {
        row.key: row
        for row in connection.execute(
            select(
                table.c.id, func.lower(table.c.name).label("key"), *(table.c[name] for name in _FIELDS)
            ).where(~table.c.demonstration)
        )
    }
    changed: set[int] = set()
    updates = []
    for key, said in collected.wanted.items():
        row = known.get(key)
        if row is None:
            values_ = {"name": collected.names[key], **said}
            changed.add(
                connection.execute(insert(Solution).values(values_).returning(Solution.id)).scalar_one()
            )
            counts.inserted += 1
            continue
        now = {name: getattr(row, name) for name in _FIELDS}
        then = now | said
        if then == now:
            counts.unchanged += 1
        else:
            updates.append({"the_id": row.id, **{f"the_{name}": value for name, value in then.items()}})
            changed.add(row.id)
            counts.updated += 1
    if updates:
        connection.execute(
            update(Solution)
            .where(table.c.id == bindparam("the_id"))
            .values({name: bindparam(f"the_{name}") for name in _FIELDS})
            .execution_options(synchronize_session=None),
            updates,
        )
    return changed


def _outlook(connection: Connection) -> list[str]:
    """What the public sees of what solutions say."""
    solution = Solution.__table__
    real = ~solution.c.demonstration
    total, open_ = connection.execute(
        select(
            func.count().filter(real),
            func.count().filter(real, solution.c.visibility == int(Visibility.PUBLIC)),
        ).select_from(solution)
    ).one()
    known = counted(total, "Lösung", "Lösungen")
    return [
        f"{known} bekannt, {open_} davon »öffentlich«. Deren Angaben sieht die Öffentlichkeit, wenn auch die "
        "bereitstellende Behörde freigegeben ist; von den anderen nur den Namen, und nur bei öffentlichen "
        "Umsetzungen."
    ]
