"""The question that a map, a table or a layer answers: a frozen value without any input or output."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, replace
from fractions import Fraction

from mapservice.domain import Level, MaturityModel, Measure, Scope, SolutionKind, Status
from mapservice.errors import N_, ParameterError

DETAILS = (100, 300, 1000)
MOST_SERVICES = 100
_WHOLE = 100
SINGLE_SERVICE_MEASURES = (Measure.STATUS, Measure.SPREAD)


class Method(enum.StrEnum):
    """How values are put into classes (docs/counting.md, Classes)."""

    FIXED = "fixed"
    EQUAL = "equal"
    QUANTILE = "quantile"
    NATURAL = "natural"
    OWN = "own"


LEAST_CLASSES, MOST_CLASSES, DEFAULT_CLASSES = 3, 7, 5


@dataclass(frozen=True)
class Classing:
    """Which classes a map has. They change no value.

    count: of classes, for the methods that compute limits. breaks: limits of one's own, ascending, above 0;
    whole numbers for counts, in per cent for shares.
    """

    method: Method = Method.FIXED
    count: int = DEFAULT_CLASSES
    breaks: tuple[Fraction, ...] = ()


@dataclass(frozen=True, order=True)
class Maturity:
    """From this step on, in this model alone: steps of two models do not compare."""

    model: MaturityModel
    step: int

    @property
    def code(self) -> str:
        """As addresses write it: 1.1:3."""
        return f"{self.model.code}:{self.step}"


@dataclass(frozen=True)
class Query:
    """Level, selection of services, measure, scope, region, entries. Tuples are sorted, each value once.

    subjects: slugs; situations: ids; services: keys; statuses: the wanted ones; within: keys of regions;
    kinds, maturity, confirmed: which entries count as offers (docs/counting.md, 5). stand: the day at the end
    of which the entries held, None for now (docs/counting.md, Past days).
    classing: how values are put into classes.
    """

    level: Level
    subjects: tuple[str, ...] = ()
    situations: tuple[int, ...] = ()
    services: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = (Status.ONLINE,)
    measure: Measure = Measure.COUNT
    scope: Scope = Scope.OWN
    within: tuple[str, ...] = ()
    classing: Classing = Classing()
    kinds: tuple[SolutionKind, ...] = ()
    maturity: Maturity | None = None
    confirmed: dt.date | None = None
    stand: dt.date | None = None

    @property
    def filters_entries(self) -> bool:
        """Whether not every entry counts as an offer."""
        return bool(self.kinds) or self.maturity is not None or self.confirmed is not None

    def with_all_services(self) -> Query:
        """The same question about every service, as numbers: what a choice of services is made from."""
        return replace(
            self, subjects=(), situations=(), services=(), measure=Measure.COUNT, classing=Classing()
        )

    def __post_init__(self) -> None:
        """Refuse combinations that no counting rule covers; raises ParameterError."""
        if self.services and (self.subjects or self.situations):
            raise ParameterError(
                N_("Entweder Leistungen (service) oder Themenfelder und Lagen (subject, situation) wählen."),
                parameter="service",
            )
        self._check_breaks()
        if len(self.services) > MOST_SERVICES:
            raise ParameterError(
                N_("Höchstens %(most)s Leistungen auf einmal."),
                words={"most": MOST_SERVICES},
                parameter="service",
            )
        if self.measure in SINGLE_SERVICE_MEASURES and len(self.services) != 1:
            raise ParameterError(
                N_("Das Maß %(measure)s zeigt genau eine Leistung (service)."),
                words={"measure": self.measure.value},
                parameter="measure",
                allowed=[measure.value for measure in Measure if measure not in SINGLE_SERVICE_MEASURES],
            )
        if self.measure is Measure.SPREAD and self.level is Level.MUNICIPALITY:
            raise ParameterError(
                N_("Die Verbreitung zählt Gemeinden und ist auf der Gemeindeebene nicht möglich."),
                parameter="measure",
                allowed=[measure.value for measure in Measure if measure is not Measure.SPREAD],
            )
        if self.measure in (Measure.SHARE, Measure.SPREAD) and Status.NOT_RESPONSIBLE in self.statuses:
            raise ParameterError(
                N_("Anteil und Verbreitung zählen nur unter den Leistungen, für die jemand zuständig ist."),
                parameter="status",
                allowed=[status.code for status in Status if status is not Status.NOT_RESPONSIBLE],
            )

    def _check_breaks(self) -> None:
        breaks = self.classing.breaks
        if self.measure is Measure.COUNT and any(limit.denominator != 1 for limit in breaks):
            raise ParameterError(
                N_("Die Zahl der Leistungen hat ganze Zahlen als Klassengrenzen."),
                parameter="breaks",
                allowed=["zum Beispiel 5,10,50"],
            )
        if self.measure in (Measure.SHARE, Measure.SPREAD) and any(limit > _WHOLE for limit in breaks):
            raise ParameterError(
                N_("Bei Anteilen stehen die Klassengrenzen in Prozent und reichen bis 100."),
                parameter="breaks",
                allowed=["zum Beispiel 20,50,80"],
            )
