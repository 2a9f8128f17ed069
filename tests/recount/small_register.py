"""Implementations that name solutions, and what these say of themselves; made up, always the same."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from .areas import FEDERATION, Land
from .small import services

NAMES = (
    *("Formularwerk", "Amtstisch", "Bauportal", "Meldehelfer", "Zulassung 24", "Antragskasten"),
    *("Bescheidbote", "Dokumentenlotse", "Einbuergerungshilfe", "Friedhofsplan"),
)
UNUSED = ("Gewerbeassistent", "Nirgends im Einsatz", "Verborgenes Werk")
"""Of these there is nothing but what they say of themselves."""
PLATFORMS = ("", "Serviceportal Nord", "Landesportal", "Baukasten")
ENTRIES = (
    *("ars", "leistung", "status", "loesungsart", "loesung", "reifegradmodell", "reifegrad"),
    *("nachnutzbar", "online_seit", "stand", "sichtbarkeit", "kennung", "fachverfahren"),
)
SOLUTIONS = (
    *("loesung", "plattform", "bereitgestellt_von", "nachnutzbar", "bedingungen", "kosten"),
    *("fachverfahren", "vertrauensniveau", "bestaetigt_am", "sichtbarkeit"),
)


def write_entries(path: Path, land: Land, *, seed: int = 4) -> None:
    """Two thirds of the authorities, each with some services; every fifth name in another spelling."""
    draw = random.Random(seed)
    offered = services(retired=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, ENTRIES, delimiter=";", restval="", lineterminator="\n")
        out.writeheader()
        for ars in land.authorities:
            if ars == FEDERATION or draw.random() < 0.33:
                continue
            for service in draw.sample(offered, draw.randint(1, 7)):
                row = _entry(draw, ars, service)
                out.writerow(row)
                if draw.random() < 0.15:
                    out.writerow({**_entry(draw, ars, service), "kennung": "zwei"})
                if draw.random() < 0.05:
                    out.writerow({**row, "nachnutzbar": "vielleicht"})
                if draw.random() < 0.05:
                    out.writerow({**row, "status": "geplant", "loesung": "Amtstisch"})  # counts instead


def _entry(draw: random.Random, ars: str, service: str) -> dict[str, str]:
    name = draw.choice((*NAMES, *NAMES[:3], "", "", "", ""))
    spelt = draw.choice((name, name, name, name, name.upper()))
    model = draw.choice(("", "1.1", "2.0"))
    return {
        "ars": ars,
        "leistung": service,
        "status": draw.choices(
            ("online", "umgesetzt", "in Umsetzung", "geplant", "offen", "nicht zuständig"),
            (40, 10, 15, 15, 10, 10),
        )[0],
        "loesungsart": draw.choice(("", "EfA", "Eigenentwicklung", "Nachnutzung", "Fachverfahren")),
        "loesung": spelt,
        "reifegradmodell": model,
        "reifegrad": str(draw.randint(0, 4)) if model else "",
        "nachnutzbar": draw.choice(("", "ja", "ja", "nein", "x", "no")),
        "online_seit": _day(draw),
        "stand": _day(draw),
        "sichtbarkeit": draw.choices(("öffentlich", "intern", "Partner", ""), (70, 15, 10, 5))[0],
        "fachverfahren": draw.choice(("", "", "KASSE9", "AkteX")),
    }


def write_solutions(path: Path, land: Land, *, seed: int = 6) -> None:
    """Some say everything, some little, some only internally; with rows that are refused or replaced."""
    draw = random.Random(seed)
    providers = [ars for ars in land.authorities if ars != FEDERATION]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, SOLUTIONS, delimiter=";", restval="", lineterminator="\n")
        out.writeheader()
        for number, name in enumerate((*NAMES[1:], *UNUSED, NAMES[2].upper())):
            row = {
                "loesung": name,
                "plattform": draw.choice(PLATFORMS),
                "bereitgestellt_von": draw.choice(("", *draw.sample(providers, 3))),
                "nachnutzbar": draw.choice(("", "ja", "nein")),
                "bedingungen": draw.choice(("", "Beitritt")),
                "vertrauensniveau": draw.choice(("", "niedrig", "hoch")),
                "bestaetigt_am": _day(draw),
                "sichtbarkeit": ("öffentlich", "öffentlich", "öffentlich", "intern", "Partner")[number % 5],
            }
            out.writerow({**row, **draw.choice(({"bereitgestellt_von": "99999"}, {"nachnutzbar": "evtl."}))})
            out.writerow(row)


def _day(draw: random.Random) -> str:
    year, month, day = draw.choice((2022, 2023, 2024, 2025)), draw.randint(1, 12), draw.choice((1, 14, 28))
    return draw.choice(("", f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}"))
