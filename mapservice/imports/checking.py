"""Small tables: whether one is of another kind, and its rows, each cell checked by its column's function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mapservice.errors import ImportRefusedError
from mapservice.imports import implementations
from mapservice.imports.read import Table, normalise_heading
from mapservice.imports.report import Counts, Rejections
from mapservice.imports.values import CellError

Check = Callable[[str], Any]


def refuse_implementations(table: Table, wanted: str) -> None:
    """Raises ImportRefusedError for a table of implementations, which says some of the same, but of entries.
    wanted: what a table should be of, in the dative plural."""
    headings = {normalise_heading(heading) for heading in table.unknown}
    service = implementations.KEYS[1]
    if "status" in headings and headings & {service.name, *service.aliases}:
        raise ImportRefusedError(
            f"{table.name} ist eine Tabelle von Umsetzungen (mit leistung und status), nicht von {wanted}. "
            f"Bitte so einlesen: mapservice import implementations {table.name}"
        )


@dataclass(frozen=True)
class Checked:
    """One row. found: what the checks returned, by column, without empty cells; good: none refused."""

    line: int
    cells: dict[str, str]
    found: dict[str, Any]
    good: bool


def checked_rows(
    table: Table, checks: Sequence[Check], rejections: Rejections, counts: Counts
) -> Iterator[Checked]:
    """Every row that has cells; what is wrong is reported, and counted as read.

    checks: in the order of the table's columns. An empty cell is checked only where the column is required.
    """

    def reject(line: int, column: str, value: str, reason: str) -> None:
        counts.read += 1
        rejections.add(table.name, line, column, value, reason)

    for line, cells in table.rows(reject):
        counts.read += 1
        found: dict[str, Any] = {}
        good = True
        for column, cell, check in zip(table.columns, cells, checks, strict=True):
            if not cell and not column.required:
                continue
            try:
                found[column.name] = check(cell)
            except CellError as error:
                good = False
                rejections.add(table.name, line, column.name, cell, error.reason, error.suggestion)
        names = (column.name for column in table.columns)
        yield Checked(line, dict(zip(names, cells, strict=True)), found, good)
