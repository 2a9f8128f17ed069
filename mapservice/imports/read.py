"""Tables out of files: CSV, XLSX and ODS, row by row, in memory that does not grow with the file.

CSV is read as text line by line; XLSX by openpyxl's read-only mode, which streams the sheet; ODS by
python-calamine, because no maintained library streams ODS (odfpy builds the whole document as objects, about
ten times as large), so that its size is limited before it is opened.

What is wrong with a whole file raises ImportRefusedError before a row is handed out, or names the line at
which reading had to stop; what is wrong with one row goes to the caller's `reject` and reading goes on.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import hashlib
import itertools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mapservice.errors import ImportRefusedError
from mapservice.imports import workbook

HEADER_WITHIN = 20
"""The header is looked for in so many rows from the top."""
LINE_LIMIT = 1_000_000
"""Characters in one line of a CSV file."""
CELL_LIMIT = 131_072
"""Characters in one cell: the limit that the csv module has anyway."""
RECORD_LINES = 5_000
"""Lines that one record may span by quoted line breaks; more is a quotation mark that was never closed."""
DELIMITERS = ";,|\t"
_DELIMITER_NAMES = {";": "Semikolon", ",": "Komma", "|": "senkrechter Strich", "\t": "Tabulator"}

Reject = Callable[[int, str, str, str], None]
"""Called with line, column, value and reason of a row that cannot be read."""


@dataclass(frozen=True)
class Column:
    """A column that an importer knows: its name, other spellings of it, and whether it must be there."""

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = False


@dataclass
class Table:
    """A file whose header was understood.

    columns: the known columns in the order in which `rows` hands out their cells; unknown: headings that are
    ignored; notes: what the reader decided and the user should know; size: bytes, for progress.
    """

    path: Path
    format: str
    sha256: str
    size: int
    columns: tuple[Column, ...]
    header_line: int
    present: frozenset[str]
    unknown: tuple[str, ...]
    _positions: tuple[int, ...]
    _width: int
    _records: Callable[[Reject], Iterator[tuple[int, list[str]]]]
    notes: list[str] = field(default_factory=list)
    position: int = 0

    @property
    def name(self) -> str:
        return self.path.name

    def rows(self, reject: Reject) -> Iterator[tuple[int, tuple[str, ...]]]:
        """(line, cells) of every row below the header: trimmed, in the order of `columns`, "" if missing.

        Empty rows are passed over. A row with more cells than the header has columns is rejected: an
        unquoted delimiter has moved its cells.
        """
        width, pick, strip = self._width, operator.itemgetter(*self._positions), str.strip
        for line, record in self._records(reject):
            count = len(record)
            if count != width:
                if count < width:
                    record.extend([""] * (width - count))
                elif any(map(strip, record[width:])):
                    reason = (
                        f"Die Zeile hat {count} Zellen, die Kopfzeile nur {width} Spalten. Steht das "
                        "Trennzeichen in einem Text, gehört der Text in Anführungszeichen."
                    )
                    reject(line, "", record[-1].strip(), reason)
                    continue
                else:
                    del record[width:]
            record.append("")  # where the positions of missing columns point
            cells = tuple(map(strip, pick(record)))
            if any(cells):
                yield line, cells


def open_table(path: Path, columns: Sequence[Column]) -> Table:
    """Recognise the file, find its header and check its columns.

    Reads a text file once from end to end, for its checksum and encoding. Raises ImportRefusedError if
    the file cannot be read, is of another kind, or misses a required column.
    """
    if len(columns) < 2:
        raise ValueError("a table needs two known columns or more")
    try:
        with path.open("rb") as file:
            start = file.read(4096)
            file.seek(0)
            if start.startswith(b"PK"):
                return _open_workbook(path, tuple(columns), hashlib.file_digest(file, "sha256").hexdigest())
            _refuse_other_kinds(path, start)
            survey = _survey(path, file, start)
        return _open_csv(path, tuple(columns), survey)
    except OSError as error:
        raise ImportRefusedError(f"{path.name} lässt sich nicht lesen: {error.strerror}.") from error


def normalise_heading(text: str) -> str:
    """A heading in the spelling of column names: lower case, umlauts spelled out, other characters to _."""
    text = text.strip().strip("\ufeff").casefold()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, letters)
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def cell_text(value: Any) -> str:
    """The text of a spreadsheet's cell: whole numbers without fraction, ISO dates, ja/nein."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


# --- header -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    line: int
    headings: tuple[str, ...]
    positions: dict[str, int]
    ignored: tuple[str, ...]


def _match(line: int, record: Sequence[str], columns: Sequence[Column]) -> _Header:
    """Which of the columns this record names. A column's own name goes before its aliases."""
    headings = tuple(cell.strip().strip("\ufeff") for cell in record)
    names = [normalise_heading(heading) for heading in headings]
    positions: dict[str, int] = {}
    for column in columns:
        for name in (column.name, *column.aliases):
            if name in names:
                positions[column.name] = names.index(name)
                break
    used = set(positions.values())
    ignored = tuple(h for i, h in enumerate(headings) if h and i not in used)
    return _Header(line, headings, positions, ignored)


def _find_header(
    records: Iterable[tuple[int, Sequence[str]]], columns: Sequence[Column]
) -> tuple[_Header, bool]:
    """The first record with all required columns and True, else the most promising one and False."""
    required = {column.name for column in columns if column.required}
    best: _Header | None = None
    for line, record in itertools.islice(records, HEADER_WITHIN):
        header = _match(line, record, columns)
        if required <= header.positions.keys():
            return header, True
        rank = (len(header.positions), len([h for h in header.headings if h]))
        if best is None or rank > (len(best.positions), len([h for h in best.headings if h])):
            best = header
    return best or _Header(1, (), {}, ()), False


def _refuse_twice(name: str, header: _Header) -> None:
    """The same heading twice would leave it to chance which cell counts."""
    names = [normalise_heading(heading) for heading in header.headings]
    for position in header.positions.values():
        if names.count(names[position]) > 1:
            raise ImportRefusedError(
                f"{name}, Zeile {header.line}: Die Spalte »{header.headings[position]}« steht mehrmals in "
                "der Kopfzeile. Bitte eine davon löschen oder umbenennen."
            )


def _missing_columns(
    name: str, header: _Header, columns: Sequence[Column], more: str = ""
) -> ImportRefusedError:
    required = [column.name for column in columns if column.required]
    missing = [column for column in required if column not in header.positions]
    found = [heading[:60] for heading in header.headings if heading][:30]
    shown = ", ".join(found) if found else "keine"
    return ImportRefusedError(
        f"{name}: Es fehlt {'die Spalte' if len(missing) == 1 else 'jede der Spalten'} {', '.join(missing)}. "
        f"Gefunden (Zeile {header.line}): {shown}. Gebraucht: {', '.join(required)}.{more} "
        "Es wurde nichts geändert.",
        allowed=required,
    )


def _table(
    path: Path,
    columns: tuple[Column, ...],
    header: _Header,
    *,
    kind: str,
    sha256: str,
    records: Callable[[Reject], Iterator[tuple[int, list[str]]]],
) -> Table:
    _refuse_twice(path.name, header)
    width = len(header.headings)
    while width > 1 and not header.headings[width - 1]:
        width -= 1
    return Table(
        path=path,
        format=kind,
        sha256=sha256,
        size=path.stat().st_size,
        columns=columns,
        header_line=header.line,
        present=frozenset(header.positions),
        unknown=header.ignored,
        _positions=tuple(header.positions.get(column.name, width) for column in columns),
        _width=width,
        _records=records,
    )


# --- CSV --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Survey:
    sha256: str
    encoding: str


_SIGNATURES = (
    (
        b"\xd0\xcf\x11\xe0",
        "eine Datei im alten Excel-Format (.xls) oder eine mit Kennwort geschützte. Bitte ohne Kennwort als "
        "XLSX oder CSV speichern",
    ),
    (b"%PDF", "ein PDF. Gebraucht wird eine Tabelle als CSV, XLSX oder ODS"),
    (b"\x1f\x8b", "mit gzip gepackt. Bitte erst entpacken"),
    (b"Rar!", "ein RAR-Archiv. Bitte erst entpacken"),
    (b"7z\xbc\xaf", "ein 7z-Archiv. Bitte erst entpacken"),
    (b"SQLite format 3", "eine SQLite-Datenbank. Gebraucht wird eine Tabelle als CSV, XLSX oder ODS"),
    (b"<!DOCTYPE", "eine Webseite (HTML). Gebraucht wird eine Tabelle als CSV, XLSX oder ODS"),
    (b"<html", "eine Webseite (HTML). Gebraucht wird eine Tabelle als CSV, XLSX oder ODS"),
    (b"<?xml", "eine XML-Datei. Gebraucht wird eine Tabelle als CSV, XLSX oder ODS"),
)


def _refuse_other_kinds(path: Path, start: bytes) -> None:
    if not start.strip():
        raise ImportRefusedError(f"{path.name} ist leer.")
    for signature, what in _SIGNATURES:
        if start.startswith(signature):
            raise ImportRefusedError(f"{path.name} ist {what}.")


def _survey(path: Path, file: IO[bytes], start: bytes) -> _Survey:
    """Checksum and encoding of a text file. Only a file without a byte order mark may be Windows-1252."""
    encoding = _utf_16(start)
    digest = hashlib.sha256()
    decoder = None if encoding else codecs.getincrementaldecoder("utf-8")()
    lines = 0
    while block := file.read(1 << 20):
        digest.update(block)
        if decoder is None:
            continue
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            if start.startswith(codecs.BOM_UTF8):
                line = lines + error.object[: error.start].count(b"\n") + 1
                raise ImportRefusedError(
                    f"{path.name}, Zeile {line}: Die Datei kennzeichnet sich als UTF-8, enthält hier aber "
                    "Bytes, die kein UTF-8 sind. Bitte neu als UTF-8 speichern."
                ) from error
            decoder, encoding = None, "cp1252"
        lines += block.count(b"\n")
    return _Survey(digest.hexdigest(), encoding or "utf-8-sig")


def _utf_16(start: bytes) -> str | None:
    """UTF-16 by its byte order mark, or by zero bytes at every second place."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    half = len(start) // 2
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if half >= 8 and start[offset::2].count(0) > 0.8 * half and not start[1 - offset :: 2].count(0):
            return encoding
    return None


_ENCODING_NAMES = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


def _open_csv(path: Path, columns: tuple[Column, ...], survey: _Survey) -> Table:
    """Try every delimiter on the first rows; the one under which the header is understood is it."""
    lines = _first_lines(path, survey.encoding)
    best: tuple[_Header, str] | None = None
    for delimiter in DELIMITERS:
        header, complete = _find_header(_first_records(lines, delimiter), columns)
        if complete:
            break
        if best is None or len(header.positions) > len(best[0].positions):
            best = header, delimiter
    else:
        assert best is not None
        raise _missing_columns(path.name, best[0], columns)

    def records(reject: Reject) -> Iterator[tuple[int, list[str]]]:
        return _csv_records(table, survey.encoding, delimiter, reject)

    name = _ENCODING_NAMES.get(survey.encoding, "UTF-16")
    kind = f"CSV, {name}, Trennzeichen {_DELIMITER_NAMES[delimiter]}"
    table = _table(path, columns, header, kind=kind, sha256=survey.sha256, records=records)
    if survey.encoding == "cp1252":
        table.notes.append(
            "Die Datei ist kein UTF-8 und wurde als Windows-1252 gelesen; bitte Umlaute prüfen."
        )
    return table


def _first_lines(path: Path, encoding: str) -> list[str]:
    with path.open(encoding=encoding) as file:
        return list(itertools.islice(_lines(path.name, file), HEADER_WITHIN * 5))


def _first_records(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=delimiter)
    last = 0
    try:
        for record in reader:
            yield last + 1, record
            last = reader.line_num
    except csv.Error:
        return


def _lines(name: str, file: IO[str]) -> Iterator[str]:
    """The lines of a text file, refused where one is too long, is no text, or holds a zero byte."""
    number = 0
    try:
        while line := file.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT:
                raise ImportRefusedError(
                    f"{name}, Zeile {number}: Die Zeile hat mehr als {LINE_LIMIT} Zeichen. Das ist keine "
                    "Tabelle, oder ein Zeilenumbruch fehlt."
                )
            if "\0" in line:
                raise ImportRefusedError(
                    f"{name}, Zeile {number}: Die Datei enthält Null-Bytes; sie ist beschädigt oder keine "
                    "Textdatei. Bitte neu als CSV (UTF-8) speichern."
                )
            yield line
    except UnicodeError as error:
        raise ImportRefusedError(
            f"{name}, nach Zeile {number}: Die Zeichen sind weder UTF-8 noch Windows-1252. Bitte als UTF-8 "
            "speichern."
        ) from error


def _csv_records(
    table: Table, encoding: str, delimiter: str, reject: Reject
) -> Iterator[tuple[int, list[str]]]:
    """(first line, cells) of each record below the header; strict, so that no quotation mark eats rows."""
    with table.path.open(encoding=encoding) as file:
        raw: IO[bytes] = file.buffer  # type: ignore[assignment]
        last = 0

        def guarded() -> Iterator[str]:
            for number, line in enumerate(_lines(table.name, file), start=1):
                if number - last > RECORD_LINES:
                    raise _never_closed(table.name, last + 1)
                yield line

        reader = csv.reader(guarded(), delimiter=delimiter, strict=True)
        while True:
            try:
                for record in reader:
                    first, last = last + 1, reader.line_num
                    if first > table.header_line:
                        if not last & 1023:
                            table.position = raw.tell()
                        yield first, record
                table.position = table.size
                return
            except csv.Error as error:
                first, last = last + 1, reader.line_num
                message = str(error)
                if "field limit" in message:
                    raise ImportRefusedError(
                        f"{table.name}, Zeile {first}: Eine Zelle hat mehr als {CELL_LIMIT} Zeichen. "
                        "Vermutlich fehlt ein schließendes Anführungszeichen. Es wurde nichts geändert."
                    ) from error
                if "unexpected end" in message:
                    raise _never_closed(table.name, first) from error
                if first > table.header_line:
                    reject(
                        first,
                        "",
                        "",
                        "Anführungszeichen falsch gesetzt: Nach einem schließenden muss das Trennzeichen "
                        "folgen; innerhalb eines Textes werden sie verdoppelt.",
                    )


def _never_closed(name: str, line: int) -> ImportRefusedError:
    return ImportRefusedError(
        f"{name}, ab Zeile {line}: Ein Anführungszeichen wird nicht geschlossen; alle Zeilen danach "
        "gehörten zu einer einzigen Zelle. Es wurde nichts geändert."
    )


# --- XLSX and ODS -----------------------------------------------------------------------------------------


def _open_workbook(path: Path, columns: tuple[Column, ...], sha256: str) -> Table:
    """The first sheet with the required columns."""
    book = workbook.open_workbook(path)
    best: tuple[_Header, str] | None = None
    for sheet in book.sheets:
        first = ((line, [cell_text(value) for value in values]) for line, values in book.rows(sheet))
        header, complete = _find_header(first, columns)
        if complete:
            break
        if best is None or len(header.positions) > len(best[0].positions):
            best = header, sheet
    else:
        if best is None:
            raise ImportRefusedError(f"{path.name} hat kein Tabellenblatt.")
        sheets = ", ".join(f"»{sheet}«" for sheet in book.sheets[:10])
        raise _missing_columns(path.name, best[0], columns, f" Durchsucht: {sheets}; gezeigt: »{best[1]}«.")

    def records(reject: Reject) -> Iterator[tuple[int, list[str]]]:
        for line, values in book.rows(sheet):
            if line > header.line:
                yield line, [cell_text(value) for value in values]
        table.position = table.size

    table = _table(
        path, columns, header, kind=f"{book.kind}, Blatt »{sheet}«", sha256=sha256, records=records
    )
    return table
