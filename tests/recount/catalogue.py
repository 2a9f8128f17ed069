"""Catalogue CSV -> countable services, with subject, situation and who is responsible."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .areas import EVERY_KIND, KINDS

SUBJECTS = {
    "Arbeit & Ruhestand": "arbeit_ruhestand",
    "Bauen & Wohnen": "bauen_wohnen",
    "Bildung": "bildung",
    "Ein- & Auswanderung": "ein_auswanderung",
    "Engagement & Hobby": "engagement_hobby",
    "Familie & Kind": "familie_kind",
    "Forschung & Förderung": "forschung_foerderung",
    "Gesundheit": "gesundheit",
    "Mobilität & Reisen": "mobilitaet_reisen",
    "Querschnittsleistungen": "querschnittsleistungen",
    "Querschnitt": "querschnittsleistungen",
    "Recht & Ordnung": "recht_ordnung",
    "Steuern & Zoll": "steuern_zoll",
    "Umwelt": "umwelt",
    "Unternehmensführung & -entwicklung": "unternehmensfuehrung_entwicklung",
}


@dataclass(frozen=True)
class Catalogue:
    """bundles: index OZG-ID; subject, situation, kinds, retired. leika: index key; bundle or None, kinds."""

    bundles: pd.DataFrame
    leika: pd.DataFrame

    def bundle_of(self) -> dict[str, str]:
        """The bundle an entry of a service counts for."""
        children = self.leika["bundle"].dropna()
        return {**{bundle: bundle for bundle in self.bundles.index}, **children.to_dict()}

    def kinds_of(self, service: str) -> int:
        """Bits of the kinds that are responsible for a chosen service."""
        if service.startswith("eigen:"):
            return EVERY_KIND
        table = self.bundles if len(service) == 5 else self.leika
        return int(table.loc[service, "kinds"])

    def knows(self, service: str) -> bool:
        return service in self.bundles.index or service in self.leika.index


def read_catalogue(path: Path) -> Catalogue:
    """Rows with an unusable LeiKa key are left out; 'nicht im LeiKa' is a service without key."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = ";" if ";" in file.readline() else ","
        file.seek(0)
        rows = [
            {name.strip().lower(): (cell or "").strip() for name, cell in row.items() if name}
            for row in csv.DictReader(file, delimiter=delimiter)
        ]
    table = pd.DataFrame(rows)
    if "zustaendig" not in table:
        table["zustaendig"] = ""
    table["key"] = table["leika_schluessel"].str.replace(" ", "")
    named = (table["leika_schluessel"] != "") | (table["leika_leistung"] != "")
    usable = table["key"].str.fullmatch(r"99\d{12}") | table["leika_schluessel"].isin(["", "nicht im LeiKa"])
    table, named = table[usable], named[usable]
    table = table.assign(said=[_kinds(cell) for cell in table["zustaendig"]], named=named)

    in_bundle = table[table["ozg_id"] != ""]
    groups = in_bundle.groupby("ozg_id")
    bundles = pd.DataFrame(
        {
            "subject": groups["themenfeld"].first().map(_subject),
            "situation": groups["lage"].first(),
            "said": groups["said"].agg(lambda bits: _union(bits)),
        }
    )
    types = (
        in_bundle[in_bundle["named"]].groupby("ozg_id")["leika_typ"].agg(lambda found: set(found) == {"1"})
    )
    federal = types.reindex(bundles.index, fill_value=False)
    bundles["kinds"] = bundles["said"].where(bundles["said"] > 0, EVERY_KIND)
    bundles.loc[(bundles["said"] == 0) & federal, "kinds"] = KINDS["Bund"]
    bundles["retired"] = False

    leika = (
        table[table["key"].str.fullmatch(r"99\d{12}")].drop_duplicates("key", keep="last").set_index("key")
    )
    leika = pd.DataFrame(
        {
            "bundle": leika["ozg_id"].where(leika["ozg_id"] != "", None),
            "kinds": leika["said"].where(leika["said"] > 0, EVERY_KIND),
        }
    )
    return Catalogue(bundles, leika)


def _subject(name: str) -> str:
    squeezed = {subject.replace(" ", "").lower(): slug for subject, slug in SUBJECTS.items()}
    return squeezed[name.replace(" ", "").lower()]


def _kinds(cell: str) -> int:
    return _union(pd.Series([KINDS[word.strip()] for word in cell.split("|") if word.strip()], dtype=int))


def _union(bits: pd.Series) -> int:
    result = 0
    for value in bits:
        result |= int(value)
    return result


def succeeded(earlier: Catalogue, present: Catalogue) -> Catalogue:
    """The present catalogue, with what only the earlier one lists as retired."""
    gone = earlier.bundles[~earlier.bundles.index.isin(present.bundles.index)].assign(retired=True)
    former = earlier.leika[~earlier.leika.index.isin(present.leika.index)]
    return Catalogue(pd.concat([present.bundles, gone]), pd.concat([present.leika, former]))
