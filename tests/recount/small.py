"""A small catalogue and implementations with every corner of the rules in them; made up, always the same."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .areas import FEDERATION, Land

CATALOGUE = """\
themenfeld;lage;ozg_id;ozg_leistung;leika_schluessel;leika_leistung;leika_typ;zustaendig
Umwelt;Abfall;10001;Sperrmüll;99001001000000;Sperrmüll anmelden;5;
Umwelt;Abfall;10001;Sperrmüll;99 001 001 001 000;Sperrmüll abholen;5;
Umwelt;Abfall;10002;Container;99001002000000;Container aufstellen;2/3;Gemeinde
Umwelt;Abfall;10002;Container;99001002001000;Container verlängern;2/3;
Umwelt;Sonstiges;10003;Baumfällung;99001003000000;Baumfällung;4;Kreis|kreisfreie Stadt
Umwelt;Sonstiges;10004;Emissionshandel;99001004000000;Emissionshandel;1;
Umwelt;Sonstiges;10004;Emissionshandel;nicht im LeiKa;Emissionsbericht;1;
Bauen & Wohnen;Bauen;10101;Baugenehmigung;99002001000000;Baugenehmigung;4;Kreis|kreisfreie Stadt|Verband
Bauen & Wohnen;Bauen;10101;Baugenehmigung;99002001001000;Bauvoranfrage;4;Kreis
Bauen & Wohnen;Bauen;10102;Denkmalpflege;99002002000000;Denkmal verändern;4;Land|Kreis
Bauen & Wohnen;Bauen;10103;Baulasten;;;;Verband|Gemeinde
Bauen & Wohnen;Wohnen;10104;Wohngeld;99002004000000;Wohngeld;1, 2/3;
Bauen & Wohnen;Wohnen;10104;Wohngeld;99002004001000;Wohngeld ändern;1;
Bauen & Wohnen;Sonstiges;10105;Ummeldung;99002005000000;Ummeldung;2/3;Verband|Gemeinde|kreisfreie Stadt
Querschnitt;Bürger;10201;Zuwendung;nicht im LeiKa;Zuwendung;2;
Querschnitt;Bürger;10202;Rente;99003002000000;Rente;1;Bund
Querschnitt;Bürger;10203;Zoll;99003003000000;Zoll;1;
Querschnitt;Bürger;10203;Zoll;99003003001000;Zoll zurück;1;
Querschnitt;Bürger;10204;Beglaubigung;99003004000000;Beglaubigung;1;Kreis|Gemeinde
Familie&Kind;Geburt;10301;Geburtsurkunde;99004001000000;Geburtsurkunde;2/3;Gemeinde|kreisfreie Stadt
Familie&Kind;Geburt;10302;Elterngeld;99004002000000;Elterngeld;2/3;Land|Kreis|kreisfreie Stadt
Familie&Kind;Geburt;10302;Elterngeld;99004002001000;Elterngeld digital;;
Familie&Kind;Geburt;10303;Kindergeld;99004003000000;Kindergeld;1;
Gesundheit;Pflege;10901;Pflege;99005001000000;Pflege;4;Bund|Land|Kreis|kreisfreie Stadt|Verband|Gemeinde
Gesundheit;Pflege;10999;Heilpraktiker;99005002000000;Heilpraktiker;;Land
Gesundheit;Pflege;10950;Rezept;99005003000000;Rezept;3;
;;;;99009001000000;Geldwäsche;2/3;
;;;;99009002000000;Strafanzeige;2/3;Land
"""
RETIRED = """\
Gesundheit;Pflege;10951;Krankenschein;99005009000000;Krankenschein;2/3;
Gesundheit;Pflege;10951;Krankenschein;99005009001000;Krankenschein holen;2/3;
Umwelt;Abfall;10001;Sperrmüll;99001001002000;Sperrmüll auf Karte;5;
"""
"""Rows of an earlier catalogue, gone from CATALOGUE."""

OWN_SERVICES = ("eigen:Hundefotos", "eigen:Bürger-App")
HEADER = (
    *("ars", "leistung", "status", "url", "reifegradmodell", "reifegrad", "stand", "quelle"),
    *("sichtbarkeit", "kennung", "gilt_fuer", "loesungsart"),
)
STATUSES = ("online", "umgesetzt", "in Umsetzung", "in Bearbeitung", "in Planung", "offen", "nicht zuständig")


def write_catalogues(folder: Path) -> tuple[Path, Path]:
    """(earlier, present)."""
    earlier, present = folder / "earlier.csv", folder / "catalogue.csv"
    earlier.write_text(CATALOGUE + RETIRED, encoding="utf-8")
    present.write_text(CATALOGUE, encoding="utf-8")
    return earlier, present


def services(*, retired: bool) -> list[str]:
    """Everything an entry can name: bundles, LeiKa services (with spaces too), services of one's own."""
    text = CATALOGUE + RETIRED if retired else CATALOGUE
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    bundles = {row["ozg_id"] for row in rows if row["ozg_id"]}
    leika = {row["leika_schluessel"] for row in rows if row["leika_schluessel"].startswith("99")}
    return sorted(bundles) + sorted(leika) + list(OWN_SERVICES)


def write_implementations(
    path: Path, land: Land, *, seed: int = 1, retired: bool = True, part: float = 1.0
) -> None:
    """Authorities of all levels: busy, idle, without a row, with internal rows alone, with one kind of row.

    retired: also entries of services of the earlier catalogue; part: how many of the authorities.
    """
    draw, further = random.Random(seed), random.Random(1000 + seed)
    offered = services(retired=retired)
    weights = [1 / (1 + 12 * draw.random()) for _ in offered]
    chains = land.chains.groupby("asker")["member"].agg(list)
    below = land.chains.groupby("member")["asker"].agg(sorted)
    authorities = land.authorities
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, HEADER, delimiter=";", restval="", lineterminator="\n")
        out.writeheader()
        for ars in authorities:
            if draw.random() >= part:
                continue
            character = draw.choices(
                ("usual", "none", "internal", "not responsible", "own", "leika without bundle", "limited"),
                (70, 6, 6, 5, 3, 3, 7),
            )[0]
            count = 0 if character == "none" else min(int(draw.lognormvariate(1.8, 0.8)), 3 * len(offered))
            if ars == FEDERATION or ars[2:] == "0000000000":
                character, count = "usual", 12
            for _ in range(count):
                row = {
                    "ars": _way_to_write(draw, ars),
                    "leistung": draw.choices(offered, weights)[0],
                    "status": draw.choices(STATUSES, (25, 10, 10, 5, 10, 15, 15))[0],
                    "quelle": "Test",
                    "sichtbarkeit": draw.choices(("öffentlich", "intern", "Partner", ""), (75, 10, 8, 7))[0],
                    "kennung": draw.choices(("", "a", "b"), (80, 10, 10))[0],
                }
                if character == "internal":
                    row["sichtbarkeit"] = draw.choice(("intern", "Partner", ""))
                elif character == "not responsible":
                    row["status"] = "nicht zuständig"
                elif character == "own":
                    row["leistung"] = draw.choice(OWN_SERVICES)
                elif character == "leika without bundle":
                    row["leistung"] = draw.choice(("99009001000000", "99009002000000"))
                if character == "limited" or draw.random() < 0.15:
                    row["gilt_fuer"] = _regions(draw, ars, chains, below, authorities)
                row |= _solution(further)
                if draw.random() < 0.05:
                    out.writerow({**row, "status": "offen", "sichtbarkeit": "öffentlich"})  # superseded
                if draw.random() < 0.05:
                    out.writerow(_spoilt(draw, row))
                out.writerow(row)


def _solution(draw: random.Random) -> dict[str, str]:
    """Kind, maturity and day, each missing now and then: also of what is only planned."""
    model = draw.choice(("", "1.1", "1.1", "2.0"))
    step = draw.randint(0, 7 if model == "2.0" else 4) if model else ""
    day = f"{draw.choice((2024, 2025))}-{draw.randint(1, 12):02d}-{draw.choice((1, 14, 28)):02d}"
    return {
        "loesungsart": draw.choice(("", "EfA", "Eigenentwicklung", "Nachnutzung", "Fachverfahren")),
        "reifegradmodell": model,
        "reifegrad": "" if draw.random() < 0.2 else str(step),
        "stand": draw.choice(("", day, day, day)),
    }


def _way_to_write(draw: random.Random, ars: str) -> str:
    ways = [ars]
    if ars == FEDERATION:
        return ars
    if ars[9:] != "000":
        ways.append(ars[:5] + ars[9:])
    if ars.endswith("0000000") and ars[2:5] != "000":
        ways.append(ars[:5])
    chosen = draw.choice(ways)
    return chosen.removeprefix("0") if draw.random() < 0.2 else chosen


def _regions(
    draw: random.Random, ars: str, chains: pd.Series, below: pd.Series, authorities: Iterable[str]
) -> str:
    """Regions below the authority, itself, one above it, or anywhere."""
    chosen = []
    for _ in range(draw.randint(1, 3)):
        lower = [other for other in below.get(ars, []) if other != ars] or [ars]
        upper = chains.get(ars, [ars])
        where = draw.choices((lower, [ars], upper, list(authorities)), (55, 15, 10, 20))[0]
        chosen.append(draw.choice(where))
    return " | ".join(chosen)


def _spoilt(draw: random.Random, row: dict[str, str]) -> dict[str, str]:
    wrong = (
        {"ars": "99999999"},
        {"ars": ""},
        {"leistung": "99999999999999"},
        {"leistung": "10888"},
        {"leistung": "nicht im LeiKa"},
        {"status": "fertig?"},
        {"url": "javascript:alert(1)"},
        {"reifegradmodell": "1.1", "reifegrad": "9"},
        {"reifegradmodell": "", "reifegrad": "2", "stand": "2025-07-01"},
        {"stand": "31.02.2024"},
        {"sichtbarkeit": "geheim"},
        {"gilt_fuer": "055700044044|999999999999"},
    )
    return {**row, **draw.choice(wrong)}
