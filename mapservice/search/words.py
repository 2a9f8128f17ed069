"""Everyday words for services („Perso“, „Hund anmelden“): a bundled list, and one of the operator.

A file is CSV in UTF-8 with the columns `wort;leistung`: a word or a few, and the key of a service (OZG-ID,
LeiKa key or `eigen:…`). One word may stand in several rows.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from mapservice.domain import is_leika_key, is_ozg_id
from mapservice.errors import ConfigurationError
from mapservice.search.folding import LONGEST, fold

BUNDLED = Path(__file__).parent / "words.csv"
SETTING = "MAPSERVICE_SEARCH_WORDS"
_COLUMNS = ["wort", "leistung"]
_OWN = re.compile(r"eigen:[^\x00-\x1f\x7f]{1,200}")
_MOST_SHOWN = 10
_LARGEST = 2_000_000
"""Bytes; every row is held in memory and looked at for every question."""


@dataclass(frozen=True)
class Word:
    """What people say, and the key of the service that they mean."""

    text: str
    service: str


def load(extra: Path | None) -> tuple[Word, ...]:
    """The bundled words and those of the operator's file. Raises ConfigurationError as read() does."""
    words = dict.fromkeys(read(BUNDLED))
    if extra is not None:
        words |= dict.fromkeys(read(extra))
    return tuple(words)


def read(path: Path) -> list[Word]:
    """The words of one file. Raises ConfigurationError with the lines at fault."""
    try:
        if path.stat().st_size > _LARGEST:
            raise _wrong(path, [f"größer als {_LARGEST // 1_000_000} MB"])
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(path, ["kein UTF-8"]) from None
    except OSError as error:
        raise _wrong(path, [f"nicht lesbar: {error.strerror}"]) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    words: list[Word] = []
    wrong: list[str] = []
    try:
        heading = [cell.strip().lower() for cell in next(reader, [])]
        if heading != _COLUMNS:
            raise _wrong(path, [f"Zeile 1: die Überschrift muss {';'.join(_COLUMNS)} heißen"])
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            said, key = (*(cell.strip() for cell in row), "", "")[:2]
            fault = _fault(row, said, key)
            if fault:
                wrong.append(f"Zeile {reader.line_num}: {fault}")
            else:
                words.append(Word(said, _plain(key)))
    except csv.Error as error:
        wrong.append(f"Zeile {reader.line_num}: kein gültiges CSV ({error})")
    if wrong:
        raise _wrong(path, wrong)
    return words


def _plain(key: str) -> str:
    return "".join(key.split()) if key[:1].isdigit() else key


def _fault(row: list[str], said: str, key: str) -> str:
    if len(row) != len(_COLUMNS):
        return f"{len(row)} Spalten statt {len(_COLUMNS)}"
    if not fold(said):
        return "kein Wort"
    if len(said) > LONGEST:
        return f"das Wort hat mehr als {LONGEST} Zeichen"
    plain = _plain(key)
    if not (is_ozg_id(plain) or is_leika_key(plain) or _OWN.fullmatch(plain)):
        return f"»{key[:40]}« ist kein Schlüssel einer Leistung (OZG-ID, LeiKa-Schlüssel oder eigen:…)"
    return ""


def _wrong(path: Path, faults: list[str]) -> ConfigurationError:
    shown = faults[:_MOST_SHOWN]
    if len(faults) > len(shown):
        shown.append(f"und {len(faults) - len(shown)} weitere")
    return ConfigurationError(
        f"Die Wörterliste {path} ({SETTING}) ist fehlerhaft:\n  " + "\n  ".join(shown), parameter=SETTING
    )
