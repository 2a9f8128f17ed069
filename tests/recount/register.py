"""Which solutions there are, who uses each since when, and what a question finds (docs/counting.md, 10)."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .catalogue import Catalogue
from .entries import (
    KINDS,
    NO,
    ONLINE,
    PLANNED,
    VISIBILITIES,
    YES,
    BrokenRowError,
    Entries,
    day,
    key_lookup,
    require,
)

Key = tuple[str, str]
"""("named", name in lower case) or ("unnamed", key of the service)."""
TRUST = {"": None, "ohne": 0, "niedrig": 1, "substantiell": 2, "hoch": 3}


@dataclass(frozen=True)
class Question:
    """Filters of the register, as addresses write them; reusable and unnamed: None for no matter."""

    subjects: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    maturity: str = ""
    confirmed: str = ""
    within: tuple[str, ...] = ()
    by_provider: bool = False
    platform: str = ""
    reusable: bool = False
    named: bool | None = None


def read_solutions(path: Path, authorities: Iterable[str]) -> tuple[pd.DataFrame, int, int]:
    """What solutions say of themselves, by name in lower case, the last row of each; rejected; superseded."""
    keys = key_lookup(authorities)
    kept: dict[str, dict[str, Any]] = {}
    rejected = superseded = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            cells = {name: (cell or "").strip() for name, cell in row.items()}
            try:
                said = _statement(cells, keys)
            except BrokenRowError:
                rejected += 1
                continue
            name = cells["loesung"].lower()
            superseded += name in kept
            kept[name] = said
    return pd.DataFrame.from_dict(kept, orient="index"), rejected, superseded


def _statement(cells: dict[str, str], keys: dict[str, str]) -> dict[str, Any]:
    provider = cells["bereitgestellt_von"]
    require(bool(cells["loesung"]) and (not provider or provider in keys))
    reusable = cells["nachnutzbar"].lower()
    require(reusable in YES | NO | {""} and cells["vertrauensniveau"] in TRUST)
    require(cells["sichtbarkeit"].lower() in VISIBILITIES)
    return {
        "platform": cells["plattform"],
        "provider": keys.get(provider, ""),
        "reusable": True if reusable in YES else False if reusable else None,
        "confirmed": day(cells["bestaetigt_am"]),
        "trust": cells["vertrauensniveau"],
        "visibility": VISIBILITIES[cells["sichtbarkeit"].lower()],
    }


class Register:
    """Of one audience. uses: a row for each implementation that counts, with the key of its entry."""

    def __init__(
        self,
        catalogue: Catalogue,
        entries: Entries,
        solutions: pd.DataFrame,
        audience: str,
        published: Collection[str],
    ) -> None:
        self.catalogue = catalogue
        table, said = entries.table, solutions
        if audience == "public":
            agreed = set(published)
            table = table[(table["visibility"] == "public") & table["authority"].isin(agreed)]
            provided = said["provider"].isin(agreed) | (said["provider"] == "")
            said = said[(said["visibility"] == "public") & provided]
        self.said = said
        table = table[table["status"] <= PLANNED]
        bundle = catalogue.bundle_of()
        named = table["solution"] != ""
        offered = (table["status"] == ONLINE) & (table["reusable"] == True)  # noqa: E712 - a column
        table = table[named | offered].copy()
        table["key"] = [
            ("named", name.lower()) if name else ("unnamed", bundle.get(service, service))
            for name, service in zip(table["solution"], table["service"], strict=True)
        ]
        table["bundle"] = [bundle.get(service, service) for service in table["service"]]
        self.uses = table

    @property
    def keys(self) -> set[Key]:
        return set(self.uses["key"]) | {("named", name) for name in self.said.index}

    def used_in(self, key: Key) -> pd.DataFrame:
        return self.uses[[item == key for item in self.uses["key"]]]

    def users(self, key: Key) -> dict[str, dict[str, Any]]:
        """By authority: status, since, sharing (None: does not say), services, systems, kinds, confirmed."""
        return {str(ars): _summed(rows) for ars, rows in self.used_in(key).groupby("authority")}

    def entry(self, key: Key) -> dict[str, Any]:
        """What the list says of it."""
        uses = self.used_in(key)
        users = list(self.users(key).values())
        said = self.said.loc[key[1]] if key[0] == "named" and key[1] in self.said.index else None
        days = [*uses["as_of"].dropna().map(dt.date.fromisoformat)]
        if said is not None and said["confirmed"] is not None:
            days.append(said["confirmed"])
        return {
            **_summed(uses),
            "users": sum(user["status"] == ONLINE for user in users),
            "coming": sum(user["status"] != ONLINE for user in users),
            "sharing": sum(user["sharing"] is True for user in users),
            "keeping": sum(user["sharing"] is False for user in users),
            "confirmed": max(days, default=None),
            "reusable": None if said is None else said["reusable"],
            "platform": "" if said is None else said["platform"],
            "provider": "" if said is None else said["provider"],
            "trust": "" if said is None else said["trust"],
        }

    def found(self, asked: Question) -> set[Key]:
        """Entries for which every filter holds, each by some implementation."""
        tests = [test for test in self._tests(asked) if test is not None]
        return {key for key in self.keys if all(test(key) for test in tests)}

    def _tests(self, asked: Question) -> list[Callable[[Key], bool] | None]:
        def of_service(key: Key) -> bool:
            bundles = set(self.catalogue.bundles.index)
            wanted = set(asked.services)
            if asked.subjects:
                table = self.catalogue.bundles
                wanted |= set(table.index[table["subject"].isin(asked.subjects) & ~table["retired"]])
            uses = self.used_in(key)
            return bool(set(uses["service"]) & wanted | set(uses["bundle"]) & wanted & bundles)

        def mature(key: Key) -> bool:
            model, _colon, step = asked.maturity.partition(":")
            highest = self.entry(key)["maturity"].get(model)
            return highest is not None and highest >= int(step)

        def near(key: Key) -> bool:
            here = {self.entry(key)["provider"]} if asked.by_provider and key[0] == "named" else set()
            if key[0] == "unnamed" or not asked.by_provider:
                here = set(self.users(key))
            return any(ars.startswith(_prefix(region)) for ars in here for region in asked.within if ars)

        def reusable(key: Key) -> bool:
            entry = self.entry(key)
            return entry["sharing"] > 0 if entry["reusable"] is None else bool(entry["reusable"])

        def fresh(key: Key) -> bool:
            confirmed = self.entry(key)["confirmed"]
            return confirmed is not None and confirmed >= dt.date.fromisoformat(asked.confirmed)

        return [
            of_service if asked.subjects or asked.services else None,
            (lambda key: bool(self.entry(key)["kinds"] & set(asked.kinds))) if asked.kinds else None,
            mature if asked.maturity else None,
            fresh if asked.confirmed else None,
            near if asked.within else None,
            (lambda key: self.entry(key)["platform"] == asked.platform) if asked.platform else None,
            reusable if asked.reusable else None,
            None if asked.named is None else (lambda key: (key[0] == "named") == asked.named),
        ]


def _prefix(key: str) -> str:
    """What keys within a region begin with: that of an authority is of the region that it is for."""
    if len(key) < 12:
        return key
    for digits in (2, 5, 9):
        if key[digits:] == "0" * (12 - digits):
            return key[:digits]
    return key


def _summed(uses: pd.DataFrame) -> dict[str, Any]:
    said = set(uses["reusable"].dropna())
    online = uses[uses["status"] == ONLINE]
    steps = uses.dropna(subset=["step"]).groupby("model")["step"].max()
    return {
        "status": int(uses["status"].min()) if len(uses) else None,
        "since": min(online["online_since"].dropna(), default=None),
        "confirmed": max(uses["as_of"].dropna().map(dt.date.fromisoformat), default=None),
        "sharing": True if True in said else False if False in said else None,
        "services": set(uses["service"]),
        "systems": set(uses["system"]) - {""},
        "kinds": set(uses["kind"].dropna()) & set(KINDS.values()),
        "maturity": {str(model): int(step) for model, step in steps.items()},
    }
