"""Generated implementations for demonstration: drawn at random, nothing in them is about a real authority.

How far an authority has come is drawn per state, per district and per authority, so that the map shows
regions that differ, and some without data; which services come first is drawn per service. Addresses are in
the reserved domain demo.example, names of solutions are invented.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from mapservice.domain import (
    FEDERATION,
    Kind,
    MaturityModel,
    ServiceKind,
    SolutionKind,
    Status,
    TrustLevel,
    Visibility,
    implementation_hex,
)
from mapservice.imports import incoming
from mapservice.imports.report import driver, progress
from mapservice.models import Authority, Service, Solution

SOURCE = "Demodaten"
SOLUTIONS = (
    "Formularwerk Beispiel",
    "Amtsweg Muster",
    "Bürgerlotse Beispiel",
    "Antragsbote Demo",
    "Portalbaukasten Muster",
    "Kommunal-Assistent Demo",
    "Fachdialog Beispiel",
    "Landesdienst Muster",
)
PLATFORMS = ("Serviceplattform Muster", "Antragsplattform Beispiel", "Länderdienste Demo")
CONDITIONS = ("Beitritt zur Vereinbarung Muster", "Vertrag mit dem Beispielverband", "frei für Mitglieder")
COSTS = ("keine", "500 Euro im Jahr (Beispiel)", "nach Einwohnern (Beispiel)")
_ROWS_EXPECTED = {Kind.FEDERATION: 12, Kind.STATE: 22, Kind.DISTRICT: 22, Kind.ASSOCIATION: 11}
_MUNICIPALITY_ROWS = 8
"""Entries of an average authority of each kind: some 100,000 in all, which load in seconds."""
_PARTNERS = ("05558", "05570", "05915", "05515")
"""Coesfeld, Warendorf, Hamm and Münster, who try the map first: they have data with any seed."""
_WITHOUT_DATA = {"district": 0.04, "authority": 0.05}


@dataclass(frozen=True)
class _Offered:
    """A service to draw from, with how early authorities take it up (0 to 1)."""

    id: int
    key: str
    responsible: int
    popularity: float


def implementations(connection: Connection, seed: int, run_id: int | None) -> int:
    """Insert generated implementations for the current authorities; returns how many.

    One in ten is internal, so that both audiences have something to see. The same seed, authorities and
    catalogue give the same rows.
    """
    incoming.create(connection)
    services = _services(connection, seed)
    solutions = _solutions(connection, seed)
    authorities = connection.execute(
        select(Authority.id, Authority.ars, Authority.kinds)
        .where(Authority.is_current)
        .order_by(Authority.ars)
    ).all()
    with (
        driver(connection).cursor() as cursor,
        cursor.copy(incoming.COPY) as copy,
        progress("Erzeuge Demonstrationsdaten", len(authorities)) as show,
    ):
        for number, (id_, ars, kinds) in enumerate(authorities, start=1):
            lines = "".join(_lines(seed, id_, ars, Kind(kinds), services, solutions))
            if lines:
                copy.write(lines)
            if not number % 200:
                show(number)
        show(len(authorities))
    return incoming.insert_new(connection, run_id, demonstration=True)


def _random(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - made-up data, the same for the same seed


def _services(connection: Connection, seed: int) -> list[_Offered]:
    draw = _random(f"{seed}/services")
    rows = connection.execute(
        select(Service.id, Service.key, Service.responsible, Service.kind, Service.demonstration)
        .where(Service.kind != int(ServiceKind.OWN), ~Service.retired)
        .order_by(Service.key)
    )
    return [
        _Offered(
            row.id,
            row.key,
            row.responsible,
            # a LeiKa service is reported here and there only
            draw.uniform(0.15, 1.0) * (1.0 if row.kind == ServiceKind.BUNDLE else 0.12),
        )
        for row in rows
    ]


def _solutions(connection: Connection, seed: int) -> list[int]:
    """The invented solutions, each with what a register says: provided by an authority drawn at random."""
    draw = _random(f"{seed}/solutions")
    states = list(
        connection.scalars(
            select(Authority.id)
            .where(Authority.is_current, Authority.kinds.op("&")(int(Kind.STATE | Kind.DISTRICT)) != 0)
            .order_by(Authority.ars)
        )
    )
    rows = connection.scalars(
        insert(Solution).returning(Solution.id, sort_by_parameter_order=True),
        [
            {
                "name": name,
                "demonstration": True,
                "visibility": int(Visibility.PUBLIC),
                "reusable": number % 3 != 0,
                "platform": draw.choice(PLATFORMS),
                "provider_id": draw.choice(states) if states and draw.random() < 0.7 else None,
                "conditions": draw.choice(CONDITIONS) if number % 3 else None,
                "costs": draw.choice(COSTS) if number % 3 else None,
                "specialist_systems": draw.choice(("Meldesoftware Beispiel", "Kassenverfahren Muster", None)),
                "trust_level": draw.choice(list(TrustLevel)),
                "confirmed_on": dt.date(2026, draw.randint(1, 9), draw.randint(1, 28)),
            }
            for number, name in enumerate(SOLUTIONS)
        ],
    )
    return list(rows)


def _progress(seed: int, ars: str) -> float | None:
    """How far an authority has come, 0 to 1; None: it has no data."""
    state = _random(f"{seed}/{ars[:2]}").uniform(0.3, 0.7)
    district = _random(f"{seed}/{ars[:5]}")
    without = district.random() < _WITHOUT_DATA["district"] and ars[:5] not in _PARTNERS
    regional = state + district.uniform(-0.2, 0.2)
    own = _random(f"{seed}/{ars}")
    if ars != FEDERATION and ars[2:] != "0" * 10:
        silent = without or own.random() < _WITHOUT_DATA["authority"]
        if silent and not (ars[:5] in _PARTNERS and ars[5:] == "0" * 7):
            return None
    return min(1.0, max(0.05, regional + own.gauss(0, 0.12)))


def _lines(
    seed: int, id_: int, ars: str, kinds: Kind, services: list[_Offered], solutions: list[int]
) -> Iterator[str]:
    """The rows of one authority in the text format of COPY (columns of incoming.INCOMING)."""
    progress_made = _progress(seed, ars)
    candidates = [service for service in services if service.responsible & kinds]
    if progress_made is None or not candidates:
        return
    # Apart: what was added later leaves the rest as it was.
    draw, further = _random(f"{seed}/{ars}/rows"), _random(f"{seed}/{ars}/further")
    expected = float(_MUNICIPALITY_ROWS)
    if kinds & Kind.DISTRICT_FREE_CITY:
        expected = 40
    else:
        expected = next((rows for kind, rows in _ROWS_EXPECTED.items() if kinds & kind), expected)
    scale = expected * (0.4 + 1.2 * progress_made) / sum(service.popularity for service in candidates)
    for service in candidates:
        if draw.random() >= service.popularity * scale:
            continue
        status = _status(draw, progress_made)
        online = status is Status.ONLINE
        year, month, day = draw.randint(2020, 2025), draw.randint(1, 12), draw.randint(1, 28)
        kind = draw.choice(list(SolutionKind)) if online else SolutionKind.EFA
        level = draw.randint(2, 4) if online else 0
        confirmed_year, confirmed_month = divmod(further.randrange(22), 12)
        model = MaturityModel.V1_1
        if (confirmed_year, confirmed_month) >= (0, 6) and further.random() < 0.5:
            model, level = MaturityModel.V2_0, level + further.randint(0, 3)
        yield (
            "\t".join(
                (
                    "0",
                    "0",
                    implementation_hex(ars, service.key),
                    str(id_),
                    str(service.id),
                    "",
                    f"https://demo.example/{ars}/{service.key}" if online else r"\N",
                    str(int(status)),
                    str(int(kind)) if online else r"\N",
                    str(int(model)) if online else r"\N",
                    str(level) if online else r"\N",
                    draw.choice("tf") if online else r"\N",
                    f"{2025 + confirmed_year}-{confirmed_month + 1:02}-{further.randint(1, 28):02}",
                    str(int(Visibility.INTERNAL if draw.random() < 0.1 else Visibility.PUBLIC)),
                    r"\N",
                    f"{year}-{month:02}-{day:02}" if online else r"\N",
                    r"\N",
                    str(draw.choice(solutions)) if online and draw.random() < 0.8 else r"\N",
                    SOURCE,
                    r"\N",
                    r"\N",
                    r"\N",
                    r"\N",
                    r"\N",
                )
            )
            + "\n"
        )


def _status(draw: random.Random, progress_made: float) -> Status:
    weights = (progress_made, 0.22, 0.2, 0.9 * (1 - progress_made), 0.03)
    return draw.choices(list(Status), weights)[0]
