"""What is shown for one filter, read from every output as its reader finds it, and laid side by side.

Expected numbers come from tests/recount, which shares no code with the service.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from lxml import html  # type: ignore[import-untyped]
from openpyxl import load_workbook

from tests.recount.compare import Client, Comparison, parameters_of
from tests.recount.count import Filter

REASONS = {
    "no_data": "keine Angaben",
    "not_responsible": "nicht zuständig",
    "unincorporated": "gemeindefreies Gebiet",
}
STATUSES = ("online", "in_progress", "planned", "open")
STATUS_NAMES = dict(zip(STATUSES, ("online", "in Umsetzung", "in Planung", "offen"), strict=True))
MATURITIES = ("", "", "", "1.1:2", "1.1:0", "2.0:3")
DAYS = ("", "", "", "2025-01-14", "2024-06-01")


def random_filters(
    count: int,
    seed: int,
    services: Sequence[str],
    subjects: Sequence[str],
    situations: Sequence[tuple[str, str]],
    regions: Sequence[str],
) -> list[Filter]:
    """Filters of all measures and scopes, each with some of what can be combined."""
    draw = random.Random(seed)

    def some(listed: Sequence[Any], most: int, chance: float) -> tuple[Any, ...]:
        return tuple(draw.sample(listed, draw.randint(1, most))) if draw.random() < chance else ()

    found = []
    for _ in range(count):
        query = Filter(
            measure=draw.choice(("count", "count", "share", "status", "spread")),
            scope=draw.choice(("own", "available")),
            statuses=some(STATUSES, 3, 0.5) or ("online",),
            within=some(regions, 2, 0.3),
            kinds=some(("efa", "reuse", "in_house", "specialist_system"), 2, 0.2),
            maturity=draw.choice(MATURITIES),
            confirmed=draw.choice(DAYS),
        )
        if query.measure in ("status", "spread"):
            query = replace(query, services=(draw.choice(services),))
        elif draw.random() < 0.4:
            query = replace(query, services=some(services, 4, 1))
        else:
            query = replace(query, subjects=some(subjects, 3, 0.4), situations=some(situations, 2, 0.25))
        found.append(query)
    return found


class Outputs:
    """All outputs of one level and filter. differences: what does not agree, in words."""

    def __init__(self, comparison: Comparison, level: str, query: Filter) -> None:
        self.client: Client = comparison.client
        self.level, self.query = level, query
        self.parameters = list(parameters_of(query, comparison.situations))
        self.expected: pd.DataFrame = comparison.recount.values(level, query)
        self.differences: list[str] = []

    def compare(self, draw: random.Random) -> list[str]:
        """Everything but the values and layers, which Comparison has: differences."""
        answer = json.loads(self._get(f"/api/values/{self.level}", format="array").data)
        rows, sentence = self._csv()
        self._same("sentence of the CSV", answer["result"], sentence)
        self._numbers(answer["result"])
        by_key = {row["Schlüssel"]: row for row in rows}
        self._same("areas of the CSV", set(self.expected.index), set(by_key))
        for row in self.expected.itertuples():
            self._same(f"CSV {row.Index}", self._wanted(row), self._cells(by_key[str(row.Index)]))
        self._workbook(rows, sentence)
        self._table(rows, answer["result"])
        self._legend(answer["classes"], draw)
        if len(self.expected):
            self._area(draw.choice(list(self.expected.index)))
        return self.differences

    def _get(self, path: str, **more: Any) -> Any:
        parameters = [*self.parameters, *((name, value) for name, value in more.items())]
        response = self.client.get(path, query_string=parameters)
        assert response.status_code == 200, (path, parameters, response.data[:500])
        return response

    def _same(self, what: str, wanted: Any, said: Any) -> None:
        if wanted != said:
            self.differences.append(f"{self.level} {self.query} {what}: expected {wanted}, found {said}")

    def _csv(self, **more: Any) -> tuple[list[dict[str, str]], str]:
        text = self._get("/tabelle.csv", level=self.level, **more).data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text), delimiter=";"))
        end = lines.index([])
        rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:end]]
        return rows, dict(lines[end + 1 :])["Ergebnis"]

    def _wanted(self, row: Any) -> tuple[Any, ...]:
        """Value, denominator and reason of an area; a share rounded as far as people read it."""
        if row.reason:
            return None, None, REASONS[row.reason]
        if self.query.measure == "status":
            return STATUS_NAMES[row.value], int(row.of), None
        value = round(row.n / row.of, 3) if self.query.measure in ("share", "spread") else int(row.n)
        return value, int(row.of), None

    def _cells(self, row: dict[str, str]) -> tuple[Any, ...]:
        value = list(row.values())[5]
        reason = row["Ohne Wert, weil"].casefold() or None
        reason = next((text for text in REASONS.values() if reason == text.casefold()), reason)
        of = row["von Gemeinden" if self.query.measure == "spread" else "von Leistungen"]
        if reason:
            return value or None, of or None, reason
        if self.query.measure in ("share", "spread"):
            return round(float(value.replace(",", ".")), 3), int(of), None
        return value if self.query.measure == "status" else int(value), int(of), None

    def _numbers(self, sentence: str) -> None:
        """The numbers of the sentence, recounted."""
        known = self.expected[self.expected["reason"].isna()]
        missing = int((self.expected["reason"] == "no_data").sum())
        if self.query.measure == "spread":
            with_it, among, missing = int(known["n"].sum()), int(known["of"].sum()), 0
        elif self.query.measure == "status":
            with_it = int(known["value"].isin(self.query.statuses).sum())
            among = len(known) + missing
        else:
            with_it, among = int((known["n"] > 0).sum()), len(known) + missing
        wanted = [with_it, among, *([missing] if missing else [])] if len(self.expected) else []
        found = re.search(r"In ([\d.]+) von ([\d.]+) ", sentence)
        besides = re.search(r"Zu ([\d.]+) fehlen Angaben", sentence)
        said = [*(found.groups() if found else ()), *(besides.groups() if besides else ())]
        self._same("numbers of the sentence", wanted, [int(number.replace(".", "")) for number in said])

    def _workbook(self, rows: list[dict[str, str]], sentence: str) -> None:
        book = load_workbook(io.BytesIO(self._get("/tabelle.xlsx", level=self.level).data), read_only=True)
        lines = list(book.worksheets[0].values)
        self._same("head of the XLSX", list(rows[0]) if rows else list(lines[0]), list(lines[0]))
        for row, line in zip(rows, lines[1:], strict=True):
            # Empty cells at the end of a line are not in the file.
            cells = ["" if cell is None else cell for cell in (*line, *[None] * (len(row) - len(line)))]
            written = [
                text if isinstance(cell, str) else float(text.replace(",", "."))
                for text, cell in zip(row.values(), cells, strict=True)
            ]
            self._same("row of the XLSX", written, cells)
        notes = dict(row[:2] for row in book.worksheets[1].values)
        self._same("sentence of the XLSX", sentence, notes["Ergebnis"])

    def _table(self, rows: list[dict[str, str]], sentence: str) -> None:
        """The page has the same areas in the same order, rounded as people read them."""
        page = html.fromstring(self._get("/tabelle", level=self.level).data.decode())
        shown = page.xpath("//p[@id='result']")[0].text_content().strip()
        self._same("sentence of the table", sentence, shown[: len(sentence)])
        lines = page.xpath("//table/tbody/tr")
        self._same("rows of the table", min(len(rows), 100), len(lines))
        for row, line in zip(rows, lines, strict=False):
            place = line.xpath("./th/a/text()") or line.xpath("./th/text()")
            number, basis = (cell.text_content().strip() for cell in line.xpath("./td[@class='number']")[:2])
            value, of, reason = self._cells(row)
            if reason:
                written, over = row["Ohne Wert, weil"], ""
            elif self.query.measure in ("share", "spread"):
                precise = float(list(row.values())[5].replace(",", "."))
                written = self._nearest(number, precise)
                over = f"{row['Zähler']} von {of}"
            else:
                written, over = str(value), str(of)
            found = (place[0].strip(), number.casefold(), basis)
            self._same("row of the table", (row["Gebiet"], written.casefold(), over), found)

    def _nearest(self, shown: str, precise: float) -> str:
        """The text itself if it is the share in per cent to one decimal."""
        found = re.fullmatch(r"(\d+(?:,\d)?)\s%", shown)
        near = found is not None and abs(float(found[1].replace(",", ".")) - precise * 100) <= 0.0501
        return shown if near else f"{precise:.1%}"

    def _legend(self, classes: list[dict[str, Any]], draw: random.Random) -> None:
        """Areas per class by the limits of the values, as the map counts them, in layer and table."""
        if not classes:
            return
        known = self.expected[self.expected["reason"].isna()]
        ratio = self.query.measure in ("share", "spread")
        counted: Counter[str] = Counter()
        for row in known.itertuples():
            value = row.n / row.of if ratio else row.n
            counted[next(item for item in reversed(classes) if item["from"] <= value)["class"]] += 1
        layer = json.loads(self._get(f"/api/layers/{self.level}.geojson", detail=1000).data)
        said = Counter(item["properties"]["class"] for item in layer["features"])
        self._same("classes of the layer", counted, Counter({k: n for k, n in said.items() if k in counted}))
        chosen = draw.choice(classes)["class"]
        only, _ = self._csv(**{"class": chosen})
        self._same(f"rows of {chosen} in the CSV", counted[chosen], len(only))

    def _area(self, key: str) -> None:
        """The answer of which the panel is made, and the panel."""
        row = self.expected.loc[key]
        answer = json.loads(self._get(f"/api/areas/{key}", level=self.level).data)["standing"]
        self._same(f"reason at {key}", row["reason"] or None, answer["reason"])
        panel = html.fromstring(self._get(f"/api/areas/{key}", level=self.level, format="html").data.decode())
        said = panel.xpath("string(//p[contains(@class, 'standing__value')])").strip()
        if row["reason"]:
            return
        self._same(f"denominator at {key}", int(row["of"]), answer["of"])
        if self.query.measure == "status":
            self._same(f"status at {key}", row["value"], answer["value"])
            self._same(f"panel at {key}", STATUS_NAMES[row["value"]], said)
            return
        self._same(f"numerator at {key}", int(row["n"]), answer["n"])
        numbers = [int(number) for number in re.findall(r"\b\d+\b(?![,\d]*\s%)", said.replace(".", ""))]
        for number in (int(row["n"]), int(row["of"])):
            if number not in numbers:
                self.differences.append(f"{self.level} {self.query} panel at {key}: {number} not in {said!r}")
