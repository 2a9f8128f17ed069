"""Entries of the register in words: for the list, the page of one, and the tables to take along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection, Row, select

from mapservice.conditions import kind_name
from mapservice.domain import SolutionKind, TrustLevel
from mapservice.i18n import number
from mapservice.models import Service
from mapservice.register.find import Found
from mapservice.sheets import Cell


def name_of(row: Row[Any]) -> str:
    """The product's name; of offers without one the service that they are for."""
    return str(row.name) if row.name else _("Ohne Produktname: %(service)s", service=row.service_name)


def result(found: Found) -> str:
    """The list in one sentence."""
    named = found.total - found.unnamed
    solutions = ngettext("%(n)s Lösung", "%(n)s Lösungen", named, n=number(named))
    if not found.unnamed:
        return _("%(solutions)s im Register.", solutions=solutions)
    offers = ngettext("%(n)s Leistung", "%(n)s Leistungen", found.unnamed, n=number(found.unnamed))
    return _(
        "%(solutions)s im Register; dazu nachnutzbare Angebote ohne Produktname zu %(offers)s.",
        solutions=solutions,
        offers=offers,
    )


def users_said(row: Row[Any]) -> str:
    """How many authorities use it, and how many will."""
    used = ngettext("%(n)s Behörde", "%(n)s Behörden", row.users, n=number(row.users))
    if not row.coming:
        return used
    return _("%(used)s, %(coming)s in Vorbereitung", used=used, coming=number(row.coming))


def reuse_said(row: Row[Any]) -> str:
    """Whether others may use it: what the solution says, else what its users say of theirs."""
    if row.reusable is not None:
        said = _("ja") if row.reusable else _("nein")
    elif row.sharing:
        said = _("ja, sagen Nutzende")
    elif row.keeping:
        said = _("nein, sagen Nutzende")
    else:
        return _("keine Angabe")
    return said


def sharing_said(row: Row[Any]) -> str | None:
    """What users say of their own entries, summed up; None where none says anything."""
    if not row.sharing and not row.keeping:
        return None
    return _(
        "%(sharing)s bieten ihre zur Nachnutzung an, %(keeping)s nicht.",
        sharing=ngettext("%(n)s Behörde", "%(n)s Behörden", row.sharing, n=number(row.sharing)),
        keeping=number(row.keeping),
    )


def kinds_said(kinds: int) -> str:
    return ", ".join(kind_name(kind) for kind in SolutionKind if kinds >> int(kind) & 1)


def trust_said(level: int | None) -> str:
    if level is None:
        return ""
    return {
        TrustLevel.NONE: _("ohne"),
        TrustLevel.LOW: _("niedrig"),
        TrustLevel.SUBSTANTIAL: _("substantiell"),
        TrustLevel.HIGH: _("hoch"),
    }[TrustLevel(level)]


def maturity_said(row: Any) -> str:
    """The highest step in each model; they are not compared."""
    steps = (("1.1", row.maturity_11), ("2.0", row.maturity_20))
    return ", ".join(
        _("bis %(step)s (Modell %(model)s)", step=step, model=model)
        for model, step in steps
        if step is not None
    )


def first_services(connection: Connection, rows: Sequence[Row[Any]], most: int) -> Mapping[int, Row[Any]]:
    """key and name of the first services of each row, by id."""
    ids = {id_ for row in rows for id_ in row.service_ids[:most]}
    found = connection.execute(select(Service.id, Service.key, Service.name).where(Service.id.in_(ids)))
    return {row.id: row for row in found}


def service_keys(connection: Connection) -> dict[int, str]:
    return dict(connection.execute(select(Service.id, Service.key)).tuples().all())


def head() -> list[str]:
    """Of the table to take along."""
    return [
        _("Kennung"), _("Lösung"), _("ohne Produktname, für Leistung"), _("Plattform"),
        _("bereitgestellt von"), _("Schlüssel"), _("nachnutzbar"), _("Behörden, die ihre anbieten"),
        _("Behörden, die ihre nicht anbieten"), _("Bedingungen"), _("Kosten"), _("Fachverfahren"),
        _("Fachverfahren bei Nutzenden"), _("Vertrauensniveau"), _("Lösungsart"), _("Reifegrad 1.1 bis"),
        _("Reifegrad 2.0 bis"), _("Zahl der Leistungen"), _("Leistungen"),
        _("nutzende Behörden"), _("Behörden in Vorbereitung"), _("online seit"), _("zuletzt bestätigt"),
        _("Kontakt"), _("Adresse"),
    ]  # fmt: skip


def cells(row: Row[Any], keys: Mapping[int, str]) -> list[Cell]:
    """One entry in the order of head()."""
    reusable = None if row.reusable is None else _("ja") if row.reusable else _("nein")
    return [
        str(row.public_id), row.name, row.service_name, row.platform, row.provider,
        row.provider_ars, reusable, row.sharing, row.keeping,
        row.conditions, row.costs, row.specialist_systems, " | ".join(row.systems),
        trust_said(row.trust_level), kinds_said(row.kinds), row.maturity_11, row.maturity_20,
        len(row.service_ids), " | ".join(sorted(keys[id_] for id_ in row.service_ids if id_ in keys)),
        row.users, row.coming, row.since, row.confirmed_on,
        row.provider_contact, url_for("coordination.register.entry", public_id=row.public_id, _external=True),
    ]  # fmt: skip
