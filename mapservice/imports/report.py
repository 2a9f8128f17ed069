"""What an import tells its user: progress, rejected rows, counts."""

from __future__ import annotations

import contextlib
import csv
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import click
import psycopg
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert, literal, select

from mapservice.errors import ImportRefusedError
from mapservice.models import ImportRejection

SHOWN = 20
"""Rejections on the screen; the others are in the file."""
VALUE_LIMIT = 200
"""Characters of a value that a report repeats."""
PLAIN_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""
_HEADER = ("datei", "zeile", "spalte", "wert", "grund", "vorschlag")

_REJECTED = Table(
    "rejected",
    MetaData(),
    Column("file", Text),
    Column("line", Integer),
    Column("column_name", Text),
    Column("value", Text),
    Column("reason", Text),
    Column("suggestion", Text),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


@dataclass(frozen=True)
class Rejection:
    """One reason why a row was rejected, and where. A row can have several."""

    file: str
    line: int
    column: str
    value: str
    reason: str
    suggestion: str | None = None


@dataclass
class Counts:
    """Rows of an import: read = inserted + updated + unchanged + superseded + rejected; removed apart."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    rejected: int = 0
    removed: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    def lines(self) -> list[str]:
        names = {
            "inserted": "neu",
            "updated": "geändert",
            "unchanged": "unverändert",
            "superseded": "durch spätere Zeilen ersetzt",
            "rejected": "abgelehnt",
        }
        parts = ", ".join(f"{number(getattr(self, key))} {name}" for key, name in names.items())
        lines = [f"{counted(self.read, 'Zeile', 'Zeilen')} gelesen: {parts}."]
        if self.removed:
            them = "ihn" if self.removed == 1 else "sie"
            entries = counted(self.removed, "Eintrag", "Einträge")
            lines.append(f"{entries} beendet, weil die Datei {them} nicht mehr nennt.")
        return lines


@dataclass
class Result:
    """What an import did; lines: what the user is told."""

    counts: Counts = field(default_factory=Counts)
    lines: list[str] = field(default_factory=list)


@dataclass
class Rejections:
    """Collects rejected rows without keeping them in memory: the first few, a count, the rest in files.

    The CSV at `path` appears with the first row. Use as a context manager.
    """

    path: Path
    rows: int = 0
    first: list[Rejection] = field(default_factory=list)
    _reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    _last: tuple[str, int] | None = None
    _csv: IO[str] | None = None
    _spool: IO[bytes] | None = None

    def __enter__(self) -> Rejections:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._csv, self._spool):
            if file is not None:
                file.close()

    def add(
        self, file: str, line: int, column: str, value: str, reason: str, suggestion: str | None = None
    ) -> None:
        """Several rejections of one row come one after the other and count once."""
        rejection = Rejection(file, line, column, shorten(value), reason, suggestion)
        if (file, line) != self._last:
            self.rows, self._last = self.rows + 1, (file, line)
        if len(self.first) < SHOWN:
            self.first.append(rejection)
        if (column, reason) in self._reasons or len(self._reasons) < 1000:
            self._reasons[column, reason] += 1
        self._write(rejection)
        if self._spool is None:
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        values = (file, str(line), column or None, rejection.value or None, reason, suggestion)
        self._spool.write(("\t".join(map(copy_text, values)) + "\n").encode())

    def note_superseded(self, file: str, line: int, value: str, by: str) -> None:
        """A row that a later one replaces: in the file, but not rejected."""
        self._write(Rejection(file, line, "", shorten(value), f"ersetzt durch {by}"))

    def _write(self, rejection: Rejection) -> None:
        if self._csv is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # With a byte order mark and semicolons: a German Excel opens it as it is.
            self._csv = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._csv, delimiter=";").writerow(_HEADER)
        writer = csv.writer(self._csv, delimiter=";")
        writer.writerow(
            [
                defused(rejection.file),
                rejection.line or "",
                rejection.column,
                defused(rejection.value),
                defused(rejection.reason),
                defused(rejection.suggestion or ""),
            ]
        )

    def store(self, connection: Connection, run_id: int) -> None:
        """Write the rejected rows to import_rejection, in the connection's transaction."""
        if self._spool is None:
            return
        # COPY is not possible into a table with row-level security, so a temporary table stands between.
        rejected = _REJECTED
        rejected.create(connection)
        self._spool.seek(0)
        with driver(connection).cursor() as cursor, cursor.copy("COPY rejected FROM STDIN") as copy:
            while block := self._spool.read(1 << 16):
                copy.write(block)
        names = [column.name for column in rejected.c]
        connection.execute(
            insert(ImportRejection).from_select(
                ["import_run_id", *names], select(literal(run_id), *rejected.c), include_defaults=False
            )
        )
        rejected.drop(connection)

    @property
    def written(self) -> bool:
        return self._csv is not None

    def nothing_usable(self) -> ImportRefusedError:
        """The refusal of an import all of whose rows were rejected."""
        self.flush()
        return ImportRefusedError(
            "\n".join(["Keine Zeile ist verwendbar, es wurde nichts geändert.", *self.lines()])
        )

    def flush(self) -> None:
        if self._csv is not None:
            self._csv.flush()

    def lines(self) -> list[str]:
        """The first rejections, where the others are, and the commonest reasons."""
        lines = []
        for item in self.first:
            value = f" »{item.value}«" if item.value else ""
            hint = f" Gemeint: {item.suggestion}?" if item.suggestion else ""
            where = f", {item.column}{value}" if item.column else value
            lines.append(f"  {item.file}, Zeile {item.line}{where}: {item.reason}{hint}")
        shown = len({(item.file, item.line) for item in self.first})
        if self.rows > shown:
            lines.append(f"  … und {number(self.rows - shown)} weitere in {self.path}")
            for (column, reason), count in self._reasons.most_common(5):
                lines.append(f"    {number(count)} × {column + ': ' if column else ''}{reason}")
        elif self.written:
            lines.append(f"  Auch als Tabelle: {self.path}")
        return lines


def shorten(value: str) -> str:
    return value if len(value) <= VALUE_LIMIT else value[: VALUE_LIMIT - 1] + "…"


def defused(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would take for a formula."""
    return "'" + text if text[:1] in "=+-@\t\r" and text else text


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": ""})


def copy_text(value: str | None) -> str:
    """A value in the text format of COPY."""
    return r"\N" if value is None else value.translate(_ESCAPES)


def driver(connection: Connection) -> psycopg.Connection:
    """The psycopg connection below: for COPY, which SQLAlchemy does not know."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def number(value: int) -> str:
    """1234567 as 1.234.567."""
    return f"{value:,}".replace(",", ".")


def counted(value: int, one: str, many: str) -> str:
    """The number with its noun: 1 Eintrag, 2.000 Einträge."""
    return f"{number(value)} {one if value == 1 else many}"


def say(text: str) -> None:
    """A line for the user, on standard output."""
    click.echo(text)


@contextlib.contextmanager
def progress(label: str, size: int) -> Iterator[Callable[[int], None]]:
    """A function that takes the position reached: a bar on a terminal, otherwise a line now and then."""
    if sys.stderr.isatty():
        with click.progressbar(length=max(size, 1), label=label, file=sys.stderr) as bar:
            reached = 0

            def show(position: int) -> None:
                nonlocal reached
                bar.update(position - reached)
                reached = position

            yield show
        return
    say(f"{label} …")
    last = time.monotonic()

    def tell(position: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_EVERY:
            last = time.monotonic()
            say(f"{label}: {100 * position // max(size, 1)} %")

    yield tell
