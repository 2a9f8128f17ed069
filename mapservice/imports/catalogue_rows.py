"""Rows of catalogue files: the columns, and the checks of each row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mapservice.domain import KIND_NAMES, SUBJECT_AREAS, Kind, is_leika_key, is_ozg_id
from mapservice.errors import ImportRefusedError
from mapservice.imports.keys import NO_LEIKA_PREFIX
from mapservice.imports.read import Column, Table
from mapservice.imports.report import Counts, Rejections, progress
from mapservice.imports.values import CellError, fold, line_of_text

COLUMNS = (
    Column("themenfeld", required=True),
    Column("lage"),
    Column("ozg_id", ("ozgid",), required=True),
    Column("ozg_leistung", ("ozg_bezeichnung",), required=True),
    Column("leika_schluessel", ("leika_key", "leika_id", "leika", "leistungsschluessel")),
    Column("leika_leistung", ("leika_bezeichnung", "leika_name")),
    Column("leika_typ", ("typ", "typisierung")),
    Column("zustaendig", ("zustaendigkeit",)),
)
ROW_LIMIT = 100_000
"""The catalogue is compared in memory; the real one has some 6,000 rows."""
_NAME_LIMIT = 1000


def _area_words(name: str) -> str:
    return re.sub(r"\s*&\s*", "&", fold(name))


_AREAS = {_area_words(name): number for number, (_, name) in enumerate(SUBJECT_AREAS, start=1)}
_AREAS |= {slug.replace("_", " "): number for number, (slug, _) in enumerate(SUBJECT_AREAS, start=1)}
_AREAS["querschnitt"] = _AREAS["querschnittsleistungen"]
_KINDS = {fold(name): kind for kind, name in KIND_NAMES.items()}


@dataclass(frozen=True)
class Row:
    """An accepted row. ozg_id is "" for a LeiKa service without bundle, key "" for a bundle alone."""

    file: str
    line: int
    ozg_id: str
    bundle: str
    area: int | None
    situation: str
    key: str
    name: str
    type: str | None
    kinds: Kind

    @property
    def identity(self) -> str:
        return self.key or self.ozg_id


def check_rows(
    table: Table, rows: dict[str, Row], mentioned: set[str], rejections: Rejections, counts: Counts
) -> int:
    """Add accepted rows to `rows` by identity, and every key to `mentioned`. Returns how many were read."""
    read = by_reader = 0

    def reject(line: int, column: str, value: str, reason: str) -> None:
        nonlocal by_reader
        by_reader += 1
        rejections.add(table.name, line, column, value, reason)

    with progress(f"Prüfe {table.name}", table.size) as show:
        for line, cells in table.rows(reject):
            read += 1
            if read > ROW_LIMIT:
                raise ImportRefusedError(
                    f"{table.name} hat mehr als {ROW_LIMIT} Zeilen; das ist kein Katalog."
                )
            row = _check_row(table.name, line, cells, mentioned, rejections)
            if row is None:
                continue
            earlier = rows.pop(row.identity, None)
            if earlier is not None:
                counts.superseded += 1
                rejections.note_superseded(earlier.file, earlier.line, earlier.identity, f"Zeile {line}")
            rows[row.identity] = row
        show(table.size)
    return read + by_reader


def _check_row(
    file: str, line: int, cells: Sequence[str], mentioned: set[str], rejections: Rejections
) -> Row | None:
    area_name, situation, ozg_id, bundle, leika, name, type_, kinds = cells
    ozg_id = re.sub(r"[.,]0$", "", ozg_id)
    errors: list[tuple[str, str, CellError]] = []

    def check(column: str, value: str, error: CellError | None) -> None:
        if error is not None:
            errors.append((column, value, error))

    area = None
    if ozg_id:
        if not is_ozg_id(ozg_id):
            check("ozg_id", ozg_id, CellError("keine OZG-ID (10000 bis 10999)"))
        else:
            mentioned.add(ozg_id)
        if not bundle:
            check("ozg_leistung", "", CellError("fehlt"))
        area = _AREAS.get(_area_words(area_name))
        if area is None:
            check("themenfeld", area_name, _unknown_area(area_name))
    key = ""
    if name or leika:
        try:
            key = _leika_key(leika, ozg_id, name)
            mentioned.add(key)
        except CellError as error:
            check("leika_schluessel", leika, error)
        if not name:
            check("leika_leistung", "", CellError("fehlt"))
    elif not ozg_id:
        check("ozg_id", "", CellError("weder OZG-Leistung noch LeiKa-Leistung"))
    declared = Kind(0)
    for word in filter(None, (part.strip() for part in kinds.split("|"))):
        kind = _KINDS.get(fold(word))
        if kind is None:
            allowed = ", ".join(KIND_NAMES.values())
            check("zustaendig", word, CellError(f"unbekannter Wert; erlaubt: {allowed}, getrennt durch |"))
        else:
            declared |= kind
    texts = {"lage": situation, "ozg_leistung": bundle, "leika_leistung": name, "leika_typ": type_}
    for column, value in texts.items():
        try:
            texts[column] = line_of_text(value, _NAME_LIMIT)
        except CellError as error:
            check(column, value, error)
    for column, value, wrong in errors:
        rejections.add(file, line, column, value, wrong.reason, wrong.suggestion)
    if errors:
        return None
    return Row(
        file,
        line,
        ozg_id,
        texts["ozg_leistung"],
        area,
        texts["lage"] if area else "",
        key,
        texts["leika_leistung"],
        texts["leika_typ"] or None,
        declared,
    )


def _unknown_area(name: str) -> CellError:
    import difflib

    if not name:
        return CellError("fehlt")
    names = {_area_words(known): known for _, known in SUBJECT_AREAS}
    close = difflib.get_close_matches(_area_words(name)[:60], list(names), n=1)
    return CellError("unbekanntes Themenfeld", names[close[0]] if close else None)


def _leika_key(text: str, ozg_id: str, name: str) -> str:
    """The LeiKa key without blanks; a key of our own for what is not in the LeiKa: never matched by text."""
    key = re.sub(r"[.,]0$", "", re.sub(r"\s", "", text))
    if is_leika_key(key):
        return key
    if not key or key.casefold() == "nichtimleika":
        digest = hashlib.sha256(f"{ozg_id}\x1f{name}".encode()).hexdigest()
        return NO_LEIKA_PREFIX + digest[:16]
    if re.fullmatch(r"\d([.,]\d+)?[eE]\+?\d+", key):
        raise CellError(
            "von der Tabellenkalkulation als Zahl mit Exponent gespeichert, Ziffern sind verloren; bitte die "
            "Spalte als Text formatieren und neu einfügen"
        )
    raise CellError(
        "kein LeiKa-Schlüssel (14 Ziffern, beginnt mit 99); »nicht im LeiKa«, wenn es keinen gibt"
    )
