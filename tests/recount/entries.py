"""Implementations CSV -> the entries that count: broken rows out, the last of one identity wins."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .catalogue import Catalogue

ONLINE, IN_PROGRESS, PLANNED, OPEN, NOT_RESPONSIBLE = 1, 2, 3, 4, 5
STATUSES = {
    "online": ONLINE,
    "umgesetzt": ONLINE,
    "in umsetzung": IN_PROGRESS,
    "in bearbeitung": IN_PROGRESS,
    "in planung": PLANNED,
    "geplant": PLANNED,
    "offen": OPEN,
    "nicht zuständig": NOT_RESPONSIBLE,
}
VISIBILITIES = {"": "internal", "intern": "internal", "partner": "partners", "öffentlich": "public"}
YES, NO = {"ja", "yes", "true", "1", "x"}, {"nein", "no", "false", "0"}
HIGHEST = {"1.1": 4, "2.0": 7}
KINDS = {
    "": None,
    "efa": "efa",
    "eigenentwicklung": "in_house",
    "nachnutzung": "reuse",
    "fachverfahren": "specialist_system",
}
COLUMNS = (
    *("authority", "service", "identifier", "status", "visibility", "valid_for"),
    *("kind", "model", "step", "as_of"),
    *("solution", "reusable", "online_since", "system"),
)


@dataclass(frozen=True)
class Entries:
    """table: COLUMNS, with valid_for a tuple or None, kind as addresses write it, as_of an ISO day, reusable
    True, False or None, online_since a day or None; and how many rows were read, rejected and superseded."""

    table: pd.DataFrame
    read: int
    rejected: int
    superseded: int


class BrokenRowError(ValueError):
    """A row that the rules of the format do not admit."""


def read_entries(path: Path, catalogue: Catalogue, authorities: Iterable[str]) -> Entries:
    keys = key_lookup(authorities)
    kept: dict[tuple[str, str, str], tuple[object, ...]] = {}
    read = rejected = superseded = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            read += 1
            cells = {name: (cell or "").strip() for name, cell in row.items() if name}
            try:
                entry = _entry(cells, catalogue, keys)
            except BrokenRowError:
                rejected += 1
                continue
            identity = (str(entry[0]), str(entry[1]), str(entry[2]))
            superseded += identity in kept
            kept.pop(identity, None)
            kept[identity] = entry
    return Entries(pd.DataFrame(list(kept.values()), columns=list(COLUMNS)), read, rejected, superseded)


def key_lookup(authorities: Iterable[str]) -> dict[str, str]:
    """Every way to write a key: 12 digits, 8, 5 for districts; each also without its leading zero."""
    found: dict[str, str] = {}
    for ars in authorities:
        ways = {ars}
        if ars[5:9] == "0000" or ars[9:] != "000":  # an association has no AGS
            ways.add(ars[:5] + ars[9:])
        if ars.endswith("0000000") and ars[2:5] != "000":
            ways.add(ars[:5])
        for way in ways:
            found[way] = ars
            if way.startswith("0") and ars != "000000000000":
                found[way[1:]] = ars
    return found


def _entry(cells: dict[str, str], catalogue: Catalogue, keys: dict[str, str]) -> tuple[object, ...]:
    require(cells["ars"] in keys)
    service = cells["leistung"]
    if not service.startswith("eigen:"):
        service = service.replace(" ", "")
        require(catalogue.knows(service))
    status = cells["status"].lower()
    require(status in STATUSES)
    url = cells.get("url", "")
    require(not url or re.match(r"https?://", url, re.IGNORECASE) is not None)
    kind = cells.get("loesungsart", "").lower()
    require(kind in KINDS)
    model, step = _maturity(cells)
    reusable = cells.get("nachnutzbar", "").lower()
    require(reusable in YES | NO | {""})
    require(cells.get("kontakt_art", "") in ("", "funktion", "person"))
    online_since = day(cells.get("online_seit", ""))
    day(cells.get("geplant_bis", ""))
    as_of = day(cells.get("stand", ""))
    visibility = cells.get("sichtbarkeit", "").lower()
    require(visibility in VISIBILITIES)
    named = [key.strip() for key in cells.get("gilt_fuer", "").split("|") if key.strip()]
    require(all(key in keys for key in named))
    valid_for = tuple(keys[key] for key in named) or None
    return (
        keys[cells["ars"]],
        service,
        cells.get("kennung", ""),
        STATUSES[status],
        VISIBILITIES[visibility],
        valid_for,
        KINDS[kind],
        model,
        step,
        as_of.isoformat() if as_of else None,
        cells.get("loesung", ""),
        True if reusable in YES else False if reusable else None,
        online_since,
        cells.get("fachverfahren", ""),
    )


def require(holds: bool) -> None:
    if not holds:
        raise BrokenRowError


def day(text: str) -> dt.date | None:
    if not text:
        return None
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    raise BrokenRowError


def _maturity(cells: dict[str, str]) -> tuple[str | None, int | None]:
    model, level = cells.get("reifegradmodell", ""), cells.get("reifegrad", "")
    require(not model or model in HIGHEST)
    if not level:
        return None, None
    if not model:
        stated = day(cells.get("stand", ""))
        require(stated is not None and stated < dt.date(2025, 7, 1))
        model = "1.1"
    require(level.isdigit() and int(level) <= HIGHEST[model])
    return model, int(level)
