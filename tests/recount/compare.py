"""The service's answers beside the recount: every difference is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pandas as pd

from .areas import DIGITS
from .count import Filter, Recount

SUBJECTS = (
    *("arbeit_ruhestand", "bauen_wohnen", "bildung", "ein_auswanderung", "engagement_hobby", "familie_kind"),
    *("forschung_foerderung", "gesundheit", "mobilitaet_reisen", "querschnittsleistungen", "recht_ordnung"),
    *("steuern_zoll", "umwelt", "unternehmensfuehrung_entwicklung"),
)
REASONS = {"no_data": -1, "not_responsible": -2, "unincorporated": -3}


class Response(Protocol):
    status_code: int
    data: bytes


class Client(Protocol):
    """As much of Flask's test client as is needed."""

    def get(self, path: str, *, query_string: Any) -> Response: ...


class Comparison:
    """situations: (slug, name) -> the service's number of it. differences: what was found so far.

    compared: how many areas; reasons: those met among the recounted values.
    """

    def __init__(
        self, client: Client, recount: Recount, situations: Mapping[tuple[str, str], int], label: str
    ) -> None:
        self.client, self.recount, self.situations, self.label = client, recount, situations, label
        self.differences: dict[tuple[str, Filter], list[str]] = {}
        self.compared = 0
        self.reasons: set[str] = set()
        self._turn = 0

    def levels(self, query: Filter) -> list[str]:
        return [level for level in DIGITS if not (query.measure == "spread" and level == "municipalities")]

    def values(self, query: Filter, levels: Sequence[str] = tuple(DIGITS)) -> None:
        """/api/values as array at these levels; every other time also by key, at one of them in turn."""
        levels = [level for level in levels if level in self.levels(query)]
        self._turn += 1
        for number, level in enumerate(levels):
            expected = self.recount.values(level, query)
            self.reasons |= set(expected["reason"].dropna())
            self._array(level, query, expected)
            if self._turn % (2 * len(levels)) == 2 * number:
                self._keys(level, query, expected)

    def layer(self, level: str, query: Filter) -> None:
        """The properties of /api/layers/<level>.geojson."""
        expected = self.recount.values(level, query)
        answer = self._get(f"/api/layers/{level}.geojson", query, {"detail": "1000"})
        found = {item["id"]: item["properties"] for item in answer["features"]}
        wanted = {str(row.Index): _properties(query, row) for row in expected.itertuples()}
        names = next(iter(wanted.values()), {})
        said = {key: {name: item.get(name) for name in names} for key, item in found.items()}
        self._compare(f"layer {level}", query, wanted, said)

    def subjects(self, level: str, query: Filter) -> None:
        """What columns=subjects adds: the numbers of each subject area, each as if it were chosen alone."""
        answer = self._get(f"/api/layers/{level}.geojson", query, {"detail": "1000", "columns": "subjects"})
        said = {item["id"]: item["properties"] for item in answer["features"]}
        every = replace(query, services=(), situations=(), measure="count")
        for slug in SUBJECTS:
            alone = self.recount.values(level, replace(every, subjects=(slug,)))
            wanted = {key: None if reason else int(n) for key, reason, n in _rows(alone)}
            found = {key: item.get(slug, "missing") for key, item in said.items()}
            self._compare(f"{slug} {level}", query, wanted, found)

    def facets(self, level: str, query: Filter) -> None:
        """/api/facets/<level>: by subject area and by life situation."""
        answer = self._get(f"/api/facets/{level}", query, {})
        places = self.recount.facets(level, query)
        wanted: dict[str, list[int]] = {}
        for (slug, situation), (n, of) in places.items():
            for key in (slug, str(self.situations[(slug, situation)])):
                before = wanted.setdefault(key, [0, 0])
                wanted[key] = [before[0] + n, before[1] + of]
        said = {**answer["subjects"], **answer["situations"]}
        found = {key: [said.get(key, {}).get("n", 0), said.get(key, {}).get("of", 0)] for key in wanted}
        self._compare(f"facets {level}", query, wanted, found)

    def area(self, level: str, key: str) -> None:
        """The counts of /api/areas/<ars>, in both scopes, of all services and by subject area."""
        answer = self._get(f"/api/areas/{key}", None, {"level": level})
        subjects = sorted(set(self.recount.catalogue.bundles["subject"]))
        for scope in ("own", "available"):
            query = Filter(scope=scope)
            wanted = {"": _counts(self.recount.values(level, query).loc[key])}
            said = {"": answer["counts"][scope]}
            found = {item["slug"]: item for item in answer["subjects"][scope]}
            for subject in subjects if answer["authority"] else ():
                one = self.recount.values(level, Filter(scope=scope, subjects=(subject,)))
                wanted[subject] = _counts(one.loc[key])
                said[subject] = {
                    name: found.get(subject, {}).get(name, "missing") for name in wanted[subject]
                }
            self._compare(f"area {key} {level}", query, wanted, said)

    def _array(self, level: str, query: Filter, expected: pd.DataFrame) -> None:
        answer = self._get(f"/api/values/{level}", query, {"format": "array"})
        areas = self.recount.land.areas
        keys = sorted(areas.loc[areas["level"] == level, "key"])
        wanted: dict[str, Any] = dict.fromkeys(keys, (None, None))
        for key, reason, n, of in zip(*_columns(expected, "reason", "n", "of"), strict=True):
            wanted[key] = (REASONS[reason], 0) if reason else (int(n), int(of))
        assert len(answer["n"]) == len(answer["of"]) == len(keys)
        said = dict(zip(keys, zip(answer["n"], answer["of"], strict=True), strict=True))
        self._compare(f"array {level}", query, wanted, said)

    def _keys(self, level: str, query: Filter, expected: pd.DataFrame) -> None:
        answer = self._get(f"/api/values/{level}", query, {"format": "keys"})
        columns = zip(*_columns(expected, "reason", "value"), strict=True)
        wanted = {key: reason or _plain(value) for key, reason, value in columns}
        assert not answer["values"].keys() & answer["reasons"].keys()
        self._compare(f"keys {level}", query, wanted, {**answer["values"], **answer["reasons"]})

    def _get(self, path: str, query: Filter | None, more: dict[str, str]) -> Any:
        parameters = [*more.items(), *(parameters_of(query, self.situations) if query else [])]
        response = self.client.get(path, query_string=parameters)
        assert response.status_code == 200, (path, parameters, response.data[:500])
        return json.loads(response.data)

    def _compare(self, what: str, query: Filter, wanted: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        self.compared += len(wanted)
        if wanted == said:
            return
        for key in sorted(wanted.keys() | said.keys()):
            expected, answered = wanted.get(key, "absent"), said.get(key, "absent")
            if expected != answered:
                if isinstance(expected, dict) and isinstance(answered, dict):
                    answered = {name: cell for name, cell in answered.items() if cell != expected.get(name)}
                    expected = {name: expected.get(name) for name in answered}
                found = self.differences.setdefault((what, query), [])
                found.append(f"{key}: recounted {expected}, answered {answered}")

    def report(self) -> str:
        """Differences by answer, with a few areas each; empty if there are none."""
        return "\n".join(
            f"{self.label} {what} {query}: {len(found)} differ: {found[:3]}"
            for (what, query), found in self.differences.items()
        )


def parameters_of(query: Filter, situations: Mapping[tuple[str, str], int]) -> Iterator[tuple[str, str]]:
    yield from (("subject", slug) for slug in query.subjects)
    yield from (("situation", str(situations[name])) for name in query.situations)
    yield from (("service", key) for key in query.services)
    yield from (("status", status) for status in query.statuses)
    yield from (("within", key) for key in query.within)
    yield from (("kind", kind) for kind in query.kinds)
    if query.maturity:
        yield "maturity", query.maturity
    if query.confirmed:
        yield "confirmed", query.confirmed
    yield "measure", query.measure
    yield "scope", query.scope


def _columns(table: pd.DataFrame, *names: str) -> list[list[Any]]:
    """Keys and columns as lists: rows one by one are slow in pandas."""
    return [table.index.tolist(), *(table[name].tolist() for name in names)]


def _rows(table: pd.DataFrame) -> Iterator[tuple[str, str | None, Any]]:
    return zip(*_columns(table, "reason", "n"), strict=True)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def _properties(query: Filter, row: Any) -> dict[str, Any]:
    result: dict[str, Any] = {
        "value": None if row.reason else _plain(row.value),
        "value_reason": row.reason or None,
    }
    if query.measure == "spread":
        known = pd.notna(row.population_share)
        return result | {
            "municipalities_total": int(row.of),
            "municipalities_wanted": int(row.n),
            "municipalities_left_out": int(row.left_out),
            "population_share": float(row.population_share) if known else None,
        }
    names = {
        "services_total": "of",
        **{f"services_{name}": name for name in ("online", "in_progress", "planned")},
    }
    result |= {name: None if row.reason else int(getattr(row, of)) for name, of in names.items()}
    return result if query.measure != "share" else result | {"share": result["value"]}


def _counts(row: pd.Series) -> dict[str, Any]:
    names = {"total": "of", "online": "online", "in_progress": "in_progress", "planned": "planned"}
    counts = {name: None if row["reason"] else int(row[column]) for name, column in names.items()}
    return {**counts, "reason": row["reason"] or None}
