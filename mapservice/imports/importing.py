"""What the imports of rows have in common: a run with its transaction, its rejected rows, and a dry run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from mapservice.database import Database
from mapservice.errors import ImportRefusedError
from mapservice.imports.read import Table, normalise_heading
from mapservice.imports.report import Rejections
from mapservice.imports.runs import Run, analyse, run

MADE_UP = "demonstrationsdaten"
"""Column of a table that the service gave out as made up."""


@dataclass(frozen=True)
class File:
    """A file as the run remembers it."""

    name: str
    sha256: str


@dataclass
class Importing:
    """An import at work. lines: what the user is told at the end."""

    run: Run
    connection: Connection
    rejections: Rejections
    lines: list[str] = field(default_factory=list)

    def store_rejections(self) -> None:
        """Keep the rejected rows with the run; a dry run leaves none."""
        if self.run.id is not None:
            self.rejections.store(self.connection, self.run.id)


@contextlib.contextmanager
def importing(
    database: Database,
    kind: str,
    files: Sequence[File],
    *,
    dry_run: bool,
    rejected: Path | None,
    options: Mapping[str, Any] | None = None,
    analysed: Sequence[str] = (),
) -> Iterator[Importing]:
    """One run in one transaction of the owner, which a dry run rolls back.

    rejected: where the CSV of rejected rows goes; analysed: tables whose statistics are renewed afterwards.
    """
    checksum = files[0].sha256 if len(files) == 1 else None
    with run(
        database,
        kind,
        files=[file.name for file in files],
        checksum=checksum,
        options=options,
        dry_run=dry_run,
    ) as current:
        name = f"abgelehnt-{current.id}.csv" if current.id else "abgelehnt-probelauf.csv"
        with (
            Rejections(rejected or database.settings.state_dir / name) as rejections,
            database.owner() as connection,
        ):
            current.attach(connection)
            work = Importing(current, connection, rejections)
            yield work
            rejections.flush()
            if dry_run:
                connection.rollback()
                work.lines.append("Probelauf: Es wurde nichts geändert.")
    if not dry_run and analysed:
        analyse(database, *analysed)


def refuse_made_up(table: Table) -> None:
    """Raises ImportRefusedError for a table that the service itself gave out as made up."""
    if any(normalise_heading(heading) == MADE_UP for heading in table.unknown):
        raise ImportRefusedError(
            f"{table.name} enthält Demonstrationsdaten (Spalte {MADE_UP}): frei erfunden, keine Aussage über "
            "wirkliche Angebote. Sie werden nicht als echte Angaben eingelesen. Vorführdaten lädt: "
            "mapservice demo load"
        )


def described(table: Table) -> list[str]:
    """How a table was understood, and which of its columns are not."""
    notes = [table.format, *table.notes]
    if table.unknown:
        notes.append(f"nicht verwendete Spalten: {', '.join(name[:60] for name in table.unknown[:30])}")
    return [f"{table.name}: {note}" for note in notes]
