"""Import runs: what changes data leaves a row that says what, when, from which files and how it ended."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from mapservice.database import Database
from mapservice.errors import ConflictError, MapServiceError
from mapservice.models import ImportRun

_LOCK = 0x4F5A47  # "OZG": one lock for everything that changes data, so that no two imports interleave


@dataclass
class Run:
    """A run that has begun. id is None for a dry run, which leaves no row. `guard` is a second connection
    of the owner, which holds the lock; numbers drawn from sequences there are never given back."""

    id: int | None
    guard: Connection
    finished: bool = False

    def attach(self, connection: Connection) -> None:
        """Tell the triggers of this transaction which run removes rows."""
        if self.id is not None:
            connection.execute(select(func.set_config("mapservice.run", str(self.id), True)))

    def finish(self, connection: Connection, report: Mapping[str, Any]) -> None:
        """Mark the run done within the transaction that changes the data: both hold or neither."""
        if self.id is not None:
            _end(connection, self.id, "done", report)
            self.finished = True


@contextlib.contextmanager
def run(
    database: Database,
    kind: str,
    *,
    files: Sequence[str] = (),
    checksum: str | None = None,
    options: Mapping[str, Any] | None = None,
    dry_run: bool = False,
) -> Iterator[Run]:
    """Begin a run, alone: raises ConflictError while another one is at work.

    Runs that a killed process left behind as running are marked failed. A MapServiceError marks this run
    refused, any other exception failed; both are raised again.
    """
    with database.owner() as guard:
        if not guard.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
            raise ConflictError(
                "Ein anderer Import läuft gerade. Bitte warten, bis er fertig ist, dann noch einmal starten."
            )
        if dry_run:
            yield Run(None, guard)
            return
        with database.owner() as connection:
            connection.execute(
                update(ImportRun)
                .where(ImportRun.state == "running")
                .values(
                    state="failed",
                    finished_at=func.clock_timestamp(),
                    report={"message": "Abgebrochen: Der Prozess endete vor der Zeit."},
                )
            )
            run_id = connection.execute(
                insert(ImportRun)
                .values(kind=kind, files=list(files), checksum=checksum, options=dict(options or {}))
                .returning(ImportRun.id)
            ).scalar_one()
        current = Run(run_id, guard)
        try:
            yield current
        except BaseException as error:
            refused = isinstance(error, MapServiceError)
            message = error.message if isinstance(error, MapServiceError) else type(error).__name__
            with contextlib.suppress(Exception), database.owner() as connection:
                _end(connection, run_id, "refused" if refused else "failed", {"message": message})
            raise
        if not current.finished:
            with database.owner() as connection:
                _end(connection, run_id, "done", {})


def _end(connection: Connection, run_id: int, state: str, report: Mapping[str, Any]) -> None:
    connection.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id)
        .values(state=state, finished_at=func.clock_timestamp(), report=_plain(report))
    )


def _plain(report: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, dt.date) else value for key, value in report.items()}


def analyse(database: Database, *tables: str) -> None:
    """Bring the planner's statistics up to date after a large change. `tables` are names of models."""
    with database.owner() as connection:
        for table in tables:
            connection.execute(text(f"ANALYZE {table}"))
