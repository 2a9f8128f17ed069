"""What is known of authorities besides their areas: inhabitants, postcode, website, service portal, contact.

From a table (columns: docs/formats.md), where an empty cell leaves what is there, or from the municipality
register of Destatis (GV100AD, fixed width), which has inhabitants and postcodes.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from mapservice.database import Database
from mapservice.domain import pad_ars
from mapservice.errors import ImportRefusedError
from mapservice.imports import values
from mapservice.imports.checking import checked_rows, refuse_implementations
from mapservice.imports.importing import File, described, importing
from mapservice.imports.keys import AuthorityIndex
from mapservice.imports.read import Column, Table, open_table
from mapservice.imports.report import Rejections, Result
from mapservice.imports.values import CellError
from mapservice.models import Authority
from mapservice.search import terms

COLUMNS = (
    Column(
        "ars",
        ("ags", "regionalschluessel", "gemeindeschluessel", "schluessel", "kennziffer"),
        required=True,
    ),
    Column("einwohner", ("ewz", "einwohnerzahl", "bevoelkerung")),
    Column("plz", ("postleitzahl",)),
    Column("webseite", ("website", "homepage", "internet")),
    Column("serviceportal", ("portal",)),
    Column("kontakt"),
    Column("kontakt_art"),
)
_OWN = ("einwohner", "plz", "webseite", "serviceportal")
"""Columns that tables of implementations do not have."""
_FIELDS = ("population", "postcode", "website", "service_portal", "contact", "contact_kind")
_GV100_TYPES = {b"10", b"20", b"30", b"40", b"50", b"60"}
_GV100_LINE = 220
"""Every record of GV100AD has this width."""


@dataclass
class _Collected:
    """Wanted values of authorities by their id, where each was said last, and sums for those above."""

    wanted: dict[int, dict[str, Any]] = field(default_factory=dict)
    sums: dict[int, int] = field(default_factory=dict)
    said: dict[int, tuple[str, int]] = field(default_factory=dict)


def import_authorities(
    database: Database, paths: Sequence[Path], *, dry_run: bool = False, rejected: Path | None = None
) -> Result:
    """Update authorities from tables or GV100AD files. Raises ImportRefusedError if one cannot be
    read, or is no table of authorities."""
    registers = {path for path in paths if is_gv100(path)}
    tables = {path: open_table(path, COLUMNS) for path in paths if path not in registers}
    for table in tables.values():
        _refuse_other_tables(table)
    files = [File(path.name, tables[path].sha256 if path in tables else _checksum(path)) for path in paths]
    with importing(database, "authorities", files, dry_run=dry_run, rejected=rejected) as work:
        rejections = work.rejections
        index = AuthorityIndex(work.connection)
        index.require()
        result = Result(lines=work.lines)
        collected = _Collected()
        for path in paths:
            if path in registers:
                _read_register(path, index, collected, rejections, result)
            else:
                result.lines += described(tables[path])
                _read_table(tables[path], index, collected, rejections, result)
        result.counts.rejected = rejections.rows
        if result.counts.read and result.counts.read == result.counts.rejected:
            raise rejections.nothing_usable()
        work.store_rejections()
        result.counts.updated = _update(work.connection, collected.wanted)
        result.counts.unchanged = len(collected.wanted) - result.counts.updated
        upper = {
            id_: {"population": total} for id_, total in collected.sums.items() if id_ not in collected.wanted
        }
        _update(work.connection, upper)
        terms.refresh_places(work.connection)
        result.lines += [*result.counts.lines(), *rejections.lines()]
        work.run.finish(work.connection, result.counts.as_dict())
    return result


def _refuse_other_tables(table: Table) -> None:
    refuse_implementations(table, "Behörden")
    if not table.present & set(_OWN):
        raise ImportRefusedError(
            f"{table.name}: Neben ars gibt es keine Spalte mit Angaben zu Behörden. Gebraucht wird "
            f"wenigstens eine von {', '.join(_OWN)}, auch ohne Inhalt. Umsetzungen liest "
            "»mapservice import implementations DATEI«, den Katalog »mapservice import catalogue DATEI«."
        )


# --- tables -----------------------------------------------------------------------------------------------


def _read_table(
    table: Table, index: AuthorityIndex, collected: _Collected, rejections: Rejections, result: Result
) -> None:
    checks = (
        index.find,
        values.whole_number,
        _postcode,
        values.url,
        values.url,
        values.mail,
        values.contact_kind,
    )
    names = dict(zip((column.name for column in COLUMNS[1:]), _FIELDS, strict=True))
    for row in checked_rows(table, checks, rejections, result.counts):
        if not row.good:
            continue
        found = row.found
        place = found.pop("ars")
        if "kontakt" in found:
            found.setdefault("kontakt_art", 2)
        else:
            found.pop("kontakt_art", None)
        said = {names[name]: value for name, value in found.items()}
        _collect(place.id, said, (table.name, row.line), collected, rejections, result)


def _collect(
    id_: int,
    said: dict[str, Any],
    where: tuple[str, int],
    collected: _Collected,
    rejections: Rejections,
    result: Result,
) -> None:
    """The last row of an authority wins, as in every import."""
    if id_ in collected.wanted:
        result.counts.superseded += 1
        rejections.note_superseded(*collected.said[id_], "", f"Zeile {where[1]} in {where[0]}")
    collected.wanted[id_] = said
    collected.said[id_] = where


def _postcode(text: str) -> str:
    key = re.sub(r"^D-|[.,]0$", "", text)
    if not re.fullmatch(r"[0-9]{4,5}", key):
        raise CellError("keine Postleitzahl (5 Ziffern)")
    return key.zfill(5)


def _update(connection: Connection, wanted: dict[int, dict[str, Any]]) -> int:
    table = Authority.__table__
    columns = [table.c[name] for name in _FIELDS]
    rows = {row.id: row for row in connection.execute(select(table.c.id, *columns))}
    changed = []
    for id_, said in wanted.items():
        now = {name: getattr(rows[id_], name) for name in _FIELDS}
        then = now | said
        if then != now:
            changed.append({"the_id": id_, **{f"the_{name}": value for name, value in then.items()}})
    if changed:
        connection.execute(
            update(Authority)
            .where(table.c.id == bindparam("the_id"))
            .values({name: bindparam(f"the_{name}") for name in _FIELDS})
            .execution_options(synchronize_session=None),
            changed,
        )
    return len(changed)


# --- GV100AD ----------------------------------------------------------------------------------------------


def is_gv100(path: Path) -> bool:
    """Whether the file is Destatis' register: records of fixed width, beginning with type and date."""
    try:
        with path.open("rb") as file:
            first = file.readline(1000).removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise ImportRefusedError(f"{path.name} lässt sich nicht lesen: {error.strerror}.") from error
    return first[:2] in _GV100_TYPES and first[2:12].isdigit() and len(first.rstrip(b"\r\n")) > 100


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _records(path: Path) -> Iterator[tuple[int, str]]:
    """(line, record); UTF-8, else Windows-1252: older editions."""
    with path.open("rb") as file:
        for number, raw in enumerate(iter(lambda: file.readline(_GV100_LINE * 10), b""), start=1):
            line = raw.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
            if b"\0" in line or len(line) > _GV100_LINE * 5:
                raise ImportRefusedError(f"{path.name}, Zeile {number}: kein Satz des Verzeichnisses.")
            try:
                yield number, line.decode()
            except UnicodeDecodeError:
                yield number, line.decode("cp1252", errors="replace")


def _read_register(
    path: Path, index: AuthorityIndex, collected: _Collected, rejections: Rejections, result: Result
) -> None:
    """Inhabitants and postcode of municipalities; those of districts and states are their sums."""
    sums = collected.sums
    date = ""
    for line, record in _records(path):
        if record[:2] != "60":
            continue
        date = record[2:10]
        if record[122:124].strip() in {"65", "66"}:
            continue  # gemeindefrei: no authority
        result.counts.read += 1
        ags, name = record[10:18], record[22:72].strip()
        population = record[139:150].strip()
        try:
            place = index.find(ags)
        except CellError as error:
            rejections.add(path.name, line, "AGS", f"{ags} {name}", error.reason, error.suggestion)
            continue
        if not population.isdigit():
            rejections.add(path.name, line, "Bevölkerung", population, "keine ganze Zahl")
            continue
        said: dict[str, Any] = {"population": int(population)}
        if re.fullmatch(r"\d{5}", record[165:170]):
            said["postcode"] = record[165:170]
        _collect(place.id, said, (path.name, line), collected, rejections, result)
        for above in {pad_ars(place.ars[:2]), pad_ars(place.ars[:5]), pad_ars(place.ars[:9])} - {place.ars}:
            upper = index.current(above)
            if upper is not None:
                sums[upper.id] = sums.get(upper.id, 0) + int(population)
    if not date:
        raise ImportRefusedError(f"{path.name}: keine Gemeinden (Satzart 60) gefunden.")
    result.lines.append(
        f"{path.name}: Gemeindeverzeichnis (GV100AD), Stand {date[6:]}.{date[4:6]}.{date[:4]}"
    )
