"""Spreadsheets: sheets and their rows, after the checks that a file from outside needs.

Both formats are ZIP archives of XML. Sizes are checked before anything is unpacked, so that a small file
cannot fill the memory; formulas give the value that the spreadsheet last computed, and their own text where
there is none, so that no cell turns silently into an empty one.
"""

from __future__ import annotations

import itertools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from mapservice.errors import ImportRefusedError

UNPACKED_LIMIT = 4 << 30
"""Bytes of all members together."""
RATIO_LIMIT, RATIO_FROM = 250, 50 << 20
"""Archives that unpack to more than RATIO_FROM bytes may grow by this factor; spreadsheets reach 20 to 60."""
WHOLE_LIMIT = 400 << 20
"""Bytes of a member that is read into memory as a whole: XLSX' shared texts, ODS' content."""
ODS_CELL_LIMIT = 20_000_000
"""Cells of an ODS sheet, repetitions counted: a repetition of a million rows takes a few bytes."""
MEMBERS_LIMIT = 10_000


@dataclass(frozen=True)
class Book:
    """kind: XLSX or ODS; sheets: names in their order; rows(sheet): (1-based row number, values)."""

    kind: str
    sheets: Sequence[str]
    rows: Callable[[str], Iterator[tuple[int, Sequence[Any]]]]


def open_workbook(path: Path) -> Book:
    """Raises ImportRefusedError for a damaged, dangerous or foreign ZIP archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_archive(path.name, archive)
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                return _open_xlsx(path)
            if "content.xml" in names and archive.read("mimetype").startswith(
                b"application/vnd.oasis.opendocument.spreadsheet"
            ):
                _check_ods(path.name, archive)
                return _open_ods(path)
    except _DAMAGED as error:
        raise _damaged(path.name) from error
    raise ImportRefusedError(
        f"{path.name} ist ein ZIP-Archiv, aber keine Tabelle (XLSX oder ODS). Bitte erst entpacken."
    )


_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, ParseError)
"""What zipfile and openpyxl raise on truncated, inconsistent or encrypted archives, and zipfile, as a kind of
RuntimeError, where it does not know how they were packed.
"""


def _damaged(name: str) -> ImportRefusedError:
    return ImportRefusedError(
        f"{name} ist beschädigt, unvollständig oder mit Kennwort geschützt. Bitte die Datei neu übertragen "
        "oder in der Tabellenkalkulation neu speichern. Es wurde nichts geändert."
    )


def _check_archive(name: str, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
            raise ImportRefusedError(
                f"{name} enthält einen Pfad, der aus dem Archiv hinausführt ({member.filename[:80]}); so "
                "etwas schreibt keine Tabellenkalkulation."
            )
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if (
        len(members) > MEMBERS_LIMIT
        or total > UNPACKED_LIMIT
        or (total > RATIO_FROM and total > RATIO_LIMIT * max(packed, 1))
    ):
        raise ImportRefusedError(
            f"{name} würde entpackt {total / 1e6:.0f} MB groß (gepackt {packed / 1e6:.1f} MB). Das "
            "übersteigt die Grenze; bitte als CSV speichern."
        )


def _check_whole(name: str, archive: zipfile.ZipFile, member: str) -> None:
    if member in archive.namelist() and archive.getinfo(member).file_size > WHOLE_LIMIT:
        raise ImportRefusedError(
            f"{name} enthält mehr Text, als sich im Speicher halten lässt. Bitte als CSV speichern."
        )


# --- XLSX -------------------------------------------------------------------------------------------------


def _open_xlsx(path: Path) -> Book:
    from openpyxl import load_workbook  # only here: half a second that CSV files need not pay
    from openpyxl.utils.exceptions import InvalidFileException

    damaged = (*_DAMAGED, InvalidFileException, ValueError, TypeError, AttributeError, IndexError)

    def load(data_only: bool) -> Any:
        book = load_workbook(path, read_only=True, data_only=data_only, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # programs write wrong dimensions, which would cut rows off
        return book

    def rows(name: str) -> Iterator[tuple[int, Sequence[Any]]]:
        book = load(data_only=True)
        formulas = None
        try:
            values = book[name].iter_rows(values_only=True)
            if _has_formulas(book[name]):
                formulas = load(data_only=False)
                both = zip(values, formulas[name].iter_rows(values_only=True), strict=True)
                values = (_computed(value, formula) for value, formula in both)
            yield from enumerate(values, start=1)
        except damaged as error:
            raise _damaged(path.name) from error
        finally:
            book.close()
            if formulas is not None:
                formulas.close()

    try:
        with zipfile.ZipFile(path) as archive:
            _check_whole(path.name, archive, "xl/sharedStrings.xml")
        book = load(data_only=True)
        names = [sheet.title for sheet in book.worksheets]
        book.close()
    except damaged as error:
        raise _damaged(path.name) from error
    return Book("XLSX", names, rows)


def _has_formulas(sheet: Any) -> bool:
    """Whether the sheet's XML holds a formula, so that only such sheets are read twice."""
    with sheet._get_source() as source:
        return _contains(source, re.compile(rb"<(?:\w+:)?f[\s>/]"))


def _contains(source: IO[bytes], pattern: re.Pattern[bytes]) -> bool:
    tail = b""
    while block := source.read(1 << 20):
        if pattern.search(tail + block):
            return True
        tail = block[-32:]
    return False


def _computed(values: Sequence[Any], formulas: Sequence[Any]) -> list[Any]:
    """The computed values, and the formula's text where none was stored."""
    return [
        formula if value is None and isinstance(formula, str) else value
        for value, formula in itertools.zip_longest(values, formulas)
    ]


# --- ODS --------------------------------------------------------------------------------------------------


def _check_ods(name: str, archive: zipfile.ZipFile) -> None:
    """Count the cells, repetitions included: calamine builds them all."""
    _check_whole(name, archive, "content.xml")
    cells = row_cells = repeated = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal cells, row_cells, repeated
        if tag == "table:table-row":
            row_cells, repeated = 0, int(attributes.get("table:number-rows-repeated", "1"))
        elif tag == "table:table-cell" and (
            "office:value-type" in attributes or "table:formula" in attributes
        ):
            row_cells += int(attributes.get("table:number-columns-repeated", "1"))

    def end(tag: str) -> None:
        nonlocal cells
        if tag == "table:table-row":
            cells += row_cells * repeated
            if cells > ODS_CELL_LIMIT:
                raise ImportRefusedError(
                    f"{name} hat mehr als {ODS_CELL_LIMIT // 1_000_000} Millionen gefüllte Zellen. Bitte als "
                    "CSV speichern."
                )

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        with archive.open("content.xml") as content:
            parser.ParseFile(content)
    except (expat.ExpatError, ValueError) as error:
        raise _damaged(name) from error


def _open_ods(path: Path) -> Book:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
    except CalamineError as error:
        raise _damaged(path.name) from error

    def rows(name: str) -> Iterator[tuple[int, Sequence[Any]]]:
        try:
            yield from enumerate(book.get_sheet_by_name(name).iter_rows(), start=1)
        except CalamineError as error:
            raise _damaged(path.name) from error

    return Book("ODS", names, rows)
