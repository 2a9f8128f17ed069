"""The form's seldom-used fields: kind of solution, maturity, day of confirmation; and the life situations."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from mapservice import conditions, day_fields, listings, params
from mapservice.domain import MaturityModel, SolutionKind
from mapservice.service import service
from mapservice.titles import subject_name

_MONTHS_BACK = (3, 6, 12)

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class KindChoice:
    code: str
    name: str
    hint: str


@dataclass(frozen=True)
class SituationGroup:
    """A subject area with its life situations, as pairs of id and name."""

    name: str
    situations: Pairs


@dataclass(frozen=True)
class EntryChoices:
    """What the fields offer. `today` bounds the day of one's own; presets are days with a label."""

    kinds: tuple[KindChoice, ...]
    maturities: tuple[tuple[str, Pairs], ...]
    """By model: value and label of each step."""
    presets: Pairs
    today: str
    situations: tuple[SituationGroup, ...]


@dataclass(frozen=True)
class EntryForm:
    """The choice in a request, as text. confirmed: the option chosen, `day` for a day of one's own."""

    situation: tuple[str, ...]
    kind: tuple[str, ...]
    maturity: str
    confirmed: str
    day: str

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> EntryForm:
        option, day = day_fields.option_and_day(args, "confirmed", dict(_presets()))
        return cls(
            situation=tuple(args.getlist("situation")),
            kind=tuple(kind for kind in args.getlist("kind") if kind),
            maturity=args.get("maturity", ""),
            confirmed=option,
            day=day,
        )

    @property
    def number(self) -> int:
        """How many of the fields below "further filters" are set."""
        return bool(self.kind) + bool(self.maturity) + bool(self.confirmed)


def choices() -> EntryChoices:
    hints = {
        SolutionKind.EFA: _("von einem Land für alle entwickelt"),
        SolutionKind.IN_HOUSE: _("selbst entwickelt"),
        SolutionKind.REUSE: _("von anderen übernommen"),
        SolutionKind.SPECIALIST_SYSTEM: _("Teil der Fachsoftware im Amt"),
    }
    steps = {
        0: _("Offline"),
        1: _("Information"),
        2: _("Formular-Assistent"),
        3: _("Online-Leistung"),
        4: _("Online-Transaktion"),
    }
    models = {
        MaturityModel.V1_1: _("Modell 1.1, bis Juni 2025"),
        MaturityModel.V2_0: _("Modell 2.0, seit Juli 2025"),
    }
    return EntryChoices(
        kinds=tuple(KindChoice(kind.code, conditions.kind_name(kind), hint) for kind, hint in hints.items()),
        maturities=tuple(
            (
                name,
                tuple(
                    (
                        item.code,
                        _("ab Stufe %(step)s – %(name)s", step=item.step, name=steps[item.step])
                        if model is MaturityModel.V1_1
                        else _("ab Stufe %(step)s", step=item.step),
                    )
                    for item in params.MATURITIES
                    if item.model is model
                ),
            )
            for model, name in models.items()
        ),
        presets=_presets(),
        today=params.today().isoformat(),
        situations=tuple(
            SituationGroup(subject_name(name) or name, situations) for name, situations in _groups()
        ),
    )


def _groups() -> list[tuple[str, Pairs]]:
    return service().kept("situation groups", listings.situation_groups)


def not_offered(args: MultiDict[str, str]) -> list[tuple[str, str]]:
    """Life situations that no present service lies in: the form has no box for them, and keeps them."""
    offered = {key for _name, situations in _groups() for key, _situation in situations}
    return [("situation", key) for key in args.getlist("situation") if key and key not in offered]


def _presets() -> Pairs:
    return tuple(
        (day_fields.months_ago(months).isoformat(), _("in den letzten %(months)s Monaten", months=months))
        for months in _MONTHS_BACK
    )


def as_in_addresses(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """The same arguments with the form's two fields for a day made one."""
    return day_fields.as_in_addresses(args, "confirmed")


def names(args: MultiDict[str, str]) -> dict[str, dict[str, str]]:
    """What chips say, by parameter and value."""
    said: dict[str, dict[str, str]] = {
        "kind": {kind.code: conditions.kind_name(kind) for kind in SolutionKind},
        "maturity": {item.code: conditions.maturity_said(item) for item in params.MATURITIES},
        "confirmed": {},
    }
    day = args.get("confirmed", "")
    with suppress(ValueError):
        said["confirmed"][day] = conditions.confirmed_said(dt.date.fromisoformat(day))
    return said
