"""Which entries count as offers, in words: for titles, results, chips and the form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from flask_babel import gettext as _

from mapservice.domain import SolutionKind
from mapservice.i18n import date
from mapservice.layers.query import Maturity, Query


def kind_name(kind: SolutionKind) -> str:
    return {
        SolutionKind.EFA: _("Einer für Alle (EfA)"),
        SolutionKind.IN_HOUSE: _("Eigenentwicklung"),
        SolutionKind.REUSE: _("Nachnutzung"),
        SolutionKind.SPECIALIST_SYSTEM: _("Fachverfahren"),
    }[kind]


def maturity_said(maturity: Maturity) -> str:
    return _("Reifegrad ab %(step)s (Modell %(model)s)", step=maturity.step, model=maturity.model.code)


def confirmed_said(day: dt.date) -> str:
    return _("bestätigt seit %(day)s", day=date(day))


def said(query: Query) -> str:
    """All of them as one list; empty where every entry counts."""
    parts = []
    if query.kinds:
        parts.append(_("Lösungsart %(names)s", names=either([kind_name(kind) for kind in query.kinds])))
    if query.maturity is not None:
        parts.append(maturity_said(query.maturity))
    if query.confirmed is not None:
        parts.append(confirmed_said(query.confirmed))
    return ", ".join(parts)


def either(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return _("%(some)s oder %(last)s", some=", ".join(names[:-1]), last=names[-1])
