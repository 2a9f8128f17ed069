"""The public data set as the tables that the importers read (docs/formats.md): CSV, UTF-8, semicolons.

What stands in a cell comes out of the import as it went in; a text that a spreadsheet would compute is led
by an apostrophe, which the import takes off again (imports/values.py).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from sqlalchemy import ColumnElement, Connection, Text, case, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from mapservice.domain import (
    KIND_NAMES,
    SUBJECT_AREAS,
    Audience,
    Kind,
    ServiceKind,
    SolutionKind,
    Status,
    TrustLevel,
)
from mapservice.models import Authority, Implementation, LifeSituation, Service, Solution
from mapservice.register.tables import RegisterEntry

BOM = "\ufeff"
MADE_UP = "demonstrationsdaten"
"""A column of this name marks made-up rows; the importers refuse a table that has it."""
_MADE_UP_TEXT = "frei erfunden"
_COMPUTED = re.compile("'*[=+\\-@]")
"""What a spreadsheet runs as a formula, and what looks like a text that was led by an apostrophe already."""
_AUTHORITIES_AT_A_TIME = 50
"""So that memory stays the same whatever the number of entries, and each query short of its time limit."""

AUTHORITY_COLUMNS = ("ars", "einwohner", "plz", "webseite", "serviceportal", "kontakt", "kontakt_art")
CATALOGUE_COLUMNS = (
    "themenfeld",
    "lage",
    "ozg_id",
    "ozg_leistung",
    "leika_schluessel",
    "leika_leistung",
    "leika_typ",
    "zustaendig",
)
SOLUTION_COLUMNS = (
    *("loesung", "plattform", "bereitgestellt_von", "nachnutzbar", "bedingungen", "kosten"),
    *("fachverfahren", "vertrauensniveau", "bestaetigt_am", "sichtbarkeit"),
)
_STATUSES = {
    Status.ONLINE: "online",
    Status.IN_PROGRESS: "in Umsetzung",
    Status.PLANNED: "in Planung",
    Status.OPEN: "offen",
    Status.NOT_RESPONSIBLE: "nicht zuständig",
}
_SOLUTION_KINDS = {
    SolutionKind.EFA: "EfA",
    SolutionKind.IN_HOUSE: "Eigenentwicklung",
    SolutionKind.REUSE: "Nachnutzung",
    SolutionKind.SPECIALIST_SYSTEM: "Fachverfahren",
}
_TRUST_LEVELS = {
    TrustLevel.NONE: "ohne",
    TrustLevel.LOW: "niedrig",
    TrustLevel.SUBSTANTIAL: "substantiell",
    TrustLevel.HIGH: "hoch",
}
_SUBJECTS = dict(enumerate((name for _, name in SUBJECT_AREAS), 1))

Line = Sequence[Any]


def escaped(cell: Any) -> Any:
    """The cell, led by an apostrophe where a spreadsheet would compute it (OWASP, CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and _COMPUTED.match(cell) else cell


def write(file: IO[str], head: Sequence[str], lines: Iterable[Line], *, made_up: bool) -> int:
    """Write a table; returns its rows, the heading left out. made_up: each row says so."""
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    file.write(BOM)
    writer.writerow([*head, MADE_UP] if made_up else head)
    count = 0

    def counted() -> Iterator[Line]:
        nonlocal count
        for line in lines:
            count += 1
            cells = [escaped(cell) for cell in line]
            yield [*cells, _MADE_UP_TEXT] if made_up else cells

    writer.writerows(counted())
    return count


def authorities(connection: Connection) -> Iterator[Line]:
    """What is known of current authorities besides their areas; contacts that are a function's alone."""
    said = (
        Authority.population,
        Authority.postcode,
        Authority.website,
        Authority.service_portal,
        Authority.public_contact,
    )
    rows = connection.execute(
        select(Authority.ars, *said)
        .where(Authority.is_current, func.num_nonnulls(*said) > 0)
        .order_by(Authority.ars)
    )
    for row in rows:
        yield [*row, "funktion" if row.public_contact else ""]


def catalogue(connection: Connection, *, retired: bool = False) -> Iterator[Line]:
    """The catalogue; retired: with the services that it no longer lists.

    A bundle's own row follows those of its LeiKa services, as the last row decides on name, subject area and
    life situation of a bundle.
    """
    parent = aliased(Service)
    rows = connection.execute(
        select(
            Service.kind,
            Service.key,
            Service.name,
            Service.subject_area_id,
            LifeSituation.name.label("situation"),
            Service.leika_type,
            Service.declared_kinds,
            parent.key.label("bundle"),
            parent.name.label("bundle_name"),
        )
        .join(LifeSituation, LifeSituation.id == Service.life_situation_id, isouter=True)
        .join(parent, parent.id == Service.parent_id, isouter=True)
        .where(Service.kind != int(ServiceKind.OWN), literal(True) if retired else ~Service.retired)
        .order_by(
            func.coalesce(parent.key, case((Service.kind == int(ServiceKind.BUNDLE), Service.key)), ""),
            Service.kind.desc(),
            Service.key,
        )
    )
    for row in rows:
        kinds = "|".join(name for kind, name in KIND_NAMES.items() if kind in Kind(row.declared_kinds))
        where = [_SUBJECTS.get(row.subject_area_id, ""), row.situation]
        if row.kind == ServiceKind.BUNDLE:
            yield [*where, row.key, row.name, "", "", "", kinds]
        else:
            key = row.key if row.key.isdigit() else ""
            yield [*where, row.bundle, row.bundle_name, key, row.name, row.leika_type, kinds]


def has_retired(connection: Connection) -> bool:
    """Whether there are services that the catalogue no longer lists."""
    found = select(Service.id).where(Service.retired, Service.kind != int(ServiceKind.OWN)).limit(1)
    return connection.scalar(found) is not None


def _word(column: Any, words: dict[Any, str]) -> ColumnElement[str]:
    return case(*((column == int(code), literal(word)) for code, word in words.items()))


def _yes_or_no(column: Any) -> ColumnElement[str]:
    return case((column, literal("ja")), (~column, literal("nein")))


def solutions(connection: Connection) -> Iterator[Line]:
    """Solutions of which more is known than the name that entries give them."""
    entry = RegisterEntry
    said = (
        entry.platform,
        Authority.ars,
        _yes_or_no(entry.reusable),
        entry.conditions,
        entry.costs,
        entry.specialist_systems,
        _word(entry.trust_level, _TRUST_LEVELS),
        cast(entry.stated_on, Text),
    )
    stated = func.num_nonnulls(*said) > 0
    rows = connection.execute(
        select(entry.name, *said, literal("öffentlich"))
        .outerjoin(Authority, Authority.id == entry.provider_id)
        .where(
            entry.audience == int(Audience.PUBLIC),
            entry.name.is_not(None),
            or_(stated, entry.users + entry.coming == 0),
        )
        .order_by(entry.folded, entry.name)
    )
    yield from rows


def _implementation_columns() -> dict[str, Any]:
    """Columns of the import format, in their order, and what stands in them."""
    entry = Implementation
    model = {11: "1.1", 20: "2.0"}
    area = aliased(Authority)
    # The list names areas; the import takes their keys.
    valid_for = (
        select(func.string_agg(area.ars, "|"))
        .where(area.id == func.any(entry.valid_for))
        .scalar_subquery()
        .correlate(entry)
    )
    return {
        "ars": Authority.ars,
        "leistung": Service.key,
        "kennung": entry.identifier,
        "status": _word(entry.status, _STATUSES),
        "url": entry.url,
        "loesungsart": _word(entry.solution_kind, _SOLUTION_KINDS),
        "loesung": Solution.name,
        "reifegradmodell": _word(entry.maturity_model, model),
        "reifegrad": entry.maturity,
        "nachnutzbar": _yes_or_no(entry.reusable),
        "nachnutzung_hinweis": entry.reuse_note,
        "kontakt": entry.public_contact,
        "kontakt_art": case((entry.public_contact.is_not(None), literal("funktion"))),
        "online_seit": cast(entry.online_since, Text),
        "geplant_bis": cast(entry.planned_until, Text),
        "stand": cast(entry.as_of, Text),
        "quelle": entry.source,
        "sichtbarkeit": literal("öffentlich"),
        "gilt_fuer": case((entry.valid_for.is_not(None), valid_for)),
        "fachverfahren": entry.specialist_system,
        "vertrauensniveau": _word(entry.trust_level, _TRUST_LEVELS),
    }


IMPLEMENTATION_COLUMNS = tuple(_implementation_columns())


def implementations(connection: Connection) -> Iterator[Line]:
    """All entries that this connection's role may see, by authority, service and identifier."""
    columns = _implementation_columns()
    statement = (
        select(*columns.values())
        .join_from(Implementation, Authority, Authority.id == Implementation.authority_id)
        .join(Service, Service.id == Implementation.service_id)
        .join(Solution, Solution.id == Implementation.solution_id, isouter=True)
        .order_by(Authority.ars, Service.key, Implementation.identifier)
    )
    keys = connection.scalars(select(Authority.id).order_by(Authority.ars)).all()
    for start in range(0, len(keys), _AUTHORITIES_AT_A_TIME):
        some = keys[start : start + _AUTHORITIES_AT_A_TIME]
        yield from connection.execute(statement.where(Implementation.authority_id.in_(some)))
