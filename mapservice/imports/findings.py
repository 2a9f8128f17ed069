"""What an import of boundaries found in a file: repaired, left out, or reason to refuse it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mapservice.errors import ImportRefusedError

SHOWN = 12
"""So many findings of one kind are written out; the rest is counted."""


@dataclass(frozen=True)
class Finding:
    """One place in a file. row: 1-based position within the layer; reason and remedy in German."""

    layer: str
    row: int | None
    key: str | None
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        place = [f"Schicht {self.layer}" if self.layer else ""]
        place.append(f"Zeile {self.row}" if self.row is not None else "")
        place.append(f"Schlüssel {self.key}" if self.key else "")
        text = ", ".join(part for part in place if part)
        return f"{text}: {self.reason}" + (f" {self.remedy}" if self.remedy else "")


@dataclass
class Findings:
    """Collects findings, so that a refused file names all its faults at once."""

    repaired: list[Finding] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows left out on purpose, by layer and reason."""

    def repair(self, layer: str, row: int | None, key: str | None, reason: str) -> None:
        self.repaired.append(Finding(layer, row, key, reason))

    def problem(self, layer: str, row: int | None, key: str | None, reason: str, remedy: str) -> None:
        self.problems.append(Finding(layer, row, key, reason, remedy))

    def raise_problems(self) -> None:
        """Raise ImportRefusedError if anything was found that cannot be repaired."""
        if not self.problems:
            return
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"… und {len(self.problems) - SHOWN} weitere.")
        raise ImportRefusedError(
            "Die Grenzen können nicht übernommen werden:\n" + "\n".join(f"  - {line}" for line in lines)
        )

    def as_dict(self) -> dict[str, Any]:
        """For the import run's report."""
        return {
            "repaired": [str(finding) for finding in self.repaired],
            "dropped": dict(self.dropped),
            "notes": list(self.notes),
        }
