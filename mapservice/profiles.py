"""What the page of one area tells: who it is, what it offers itself, what those above add, its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Connection, Row, select

from mapservice.conditions import kind_name
from mapservice.domain import (
    FEDERATION,
    Audience,
    Level,
    MaturityModel,
    Measure,
    Scope,
    SolutionKind,
    Status,
)
from mapservice.layers import authorities
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.layers.standing import Standing, standing
from mapservice.models import Authority
from mapservice.titles import subject_name

_SHOWN = (Status.ONLINE, Status.IN_PROGRESS, Status.PLANNED)


@dataclass(frozen=True)
class Group:
    """Offers under one heading: a subject area; `others` are the ones reported as open or not responsible."""

    name: str
    offers: tuple[Row[Any], ...]
    others: tuple[Row[Any], ...]


@dataclass(frozen=True)
class Offering:
    """What one authority of the chain offers here; `role` says where in the chain it stands.

    number: entries that are online, in progress or planned; contact: the authority's public contact.
    """

    role: str
    ars: str
    name: str
    contact: str | None
    number: int
    online: int
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Profile:
    """`authority` is None for an area that belongs to no municipality, `area` for one without a boundary."""

    ars: str
    name: str
    designation: str | None
    area: Row[Any] | None
    authority: Row[Any] | None
    levels: tuple[Level, ...]
    above: tuple[Row[Any], ...]
    """Highest first, without the federation."""
    own: Row[Any] | None
    """Counts over all OZG services, scope own; None without a boundary."""
    available: Row[Any] | None
    subjects: tuple[Row[Any], ...]
    offerings: tuple[Offering, ...]
    """The authority itself first, then those above it, as far as they report something in this filter."""
    hidden: int
    """Entries outside the filter."""
    neighbours: tuple[Row[Any], ...]
    has_own: bool
    """Whether the authority itself reports anything, in this filter or outside."""
    query: Query | None = None
    standing: Standing | None = None

    @property
    def district(self) -> Row[Any] | None:
        """The district above, whose website may help on."""
        return next((row for row in self.above if role(self.ars, row.ars) == "district"), None)


Ask = Callable[[Level], Query]
"""The question of a request, put to areas of a level."""


def role(ars: str, offered_by: str) -> str:
    """Where an authority stands in the chain of another: own, association, district, state, federation."""
    if offered_by == ars:
        return "own"
    if offered_by == FEDERATION:
        return "federation"
    if offered_by[2:] == "0" * 10:
        return "state"
    return "district" if offered_by[5:] == "0" * 7 else "association"


def matches(query: Query, row: Row[Any]) -> bool:
    """Whether an offer is of a chosen service, and of a status where one was chosen on purpose."""
    if query.services and not {row.service, row.bundle} & set(query.services):
        return False
    if query.subjects or query.situations:
        chosen = row.subject in query.subjects or row.situation in query.situations
        if not chosen:
            return False
    if query.filters_entries and row.status != Status.NOT_RESPONSIBLE and not _is_offer(query, row):
        return False
    if query.statuses == (Status.ONLINE,) or query.measure is Measure.STATUS:
        return True
    return row.status in query.statuses


def _is_offer(query: Query, row: Row[Any]) -> bool:
    """Whether an entry counts as an offer (docs/counting.md, 5)."""
    if query.kinds and row.solution_kind not in query.kinds:
        return False
    maturity = query.maturity
    if maturity is not None and (
        row.maturity is None or row.maturity_model != maturity.model or row.maturity < maturity.step
    ):
        return False
    return query.confirmed is None or (row.as_of is not None and row.as_of >= query.confirmed)


def profile(
    connection: Connection, ars: str, audience: Audience, ask: Ask, level: Level | None = None
) -> Profile | None:
    """The profile for a 12-digit ARS, None if neither an authority nor an area has it."""
    area = authorities.find_area(connection, ars, level) if level else None
    area = area or _most_telling(connection, ars)
    authority_id = connection.scalar(select(Authority.id).where(Authority.ars == ars))
    if authority_id is None and area is None:
        return None
    return made(connection, area, authority_id, audience, ask)


def _most_telling(connection: Connection, ars: str) -> Row[Any] | None:
    """The highest area of an authority; of one that is its own association, the municipality."""
    area = authorities.find_area(connection, ars)
    if area is None or area.level != Level.ASSOCIATION or area.authority_id is None:
        return area
    return authorities.find_area(connection, ars, Level.MUNICIPALITY) or area


def made(
    connection: Connection, area: Row[Any] | None, authority_id: int | None, audience: Audience, ask: Ask
) -> Profile:
    """The profile of an area, of an authority without one, or of an area without an authority."""
    if authority_id is None:
        assert area is not None
        return _without_authority(connection, area)
    chain = authorities.chain(connection, authority_id)
    own_row, above = chain[0], chain[1:]
    levels = authorities.levels_of(connection, authority_id)
    query = ask(Level(area.level) if area is not None else levels[0] if levels else Level.STATE)
    selection, day = resolve(connection, query), query.stand
    offers = authorities.offers(connection, [row.id for row in chain], day)
    own = available = None
    subjects: Sequence[Row[Any]] = ()
    neighbours: Sequence[Row[Any]] = ()
    stands = None
    if area is not None:
        level, number = Level(area.level), area.boundary_id
        stands = standing(connection, query, selection, audience, number)
        own = authorities.totals(connection, number, level, Scope.OWN, audience, day)
        available = authorities.totals(connection, number, level, Scope.AVAILABLE, audience, day)
        subjects = authorities.counts_by_subject(connection, number, level, Scope.OWN, audience, day)
        neighbours = authorities.neighbours(connection, area.boundary_id)
    shown = [row for row in offers if matches(query, row)]
    return Profile(
        ars=own_row.ars,
        name=own_row.name,
        designation=own_row.designation,
        area=area,
        authority=own_row,
        levels=tuple(levels),
        above=tuple(row for row in reversed(above) if row.ars != FEDERATION),
        own=own,
        available=available,
        subjects=tuple(subjects),
        offerings=tuple(_offerings(chain, shown)),
        hidden=len(offers) - len(shown),
        neighbours=tuple(neighbours),
        has_own=any(row.authority_id == authority_id for row in offers),
        query=query,
        standing=stands,
    )


def _without_authority(connection: Connection, area: Row[Any]) -> Profile:
    return Profile(
        ars=area.ars,
        name=area.name,
        designation=area.designation,
        area=area,
        authority=None,
        levels=(Level(area.level),),
        above=(),
        own=None,
        available=None,
        subjects=(),
        offerings=(),
        hidden=0,
        has_own=False,
        neighbours=tuple(authorities.neighbours(connection, area.boundary_id)),
    )


def _groups(offers: Sequence[Row[Any]]) -> tuple[Group, ...]:
    """By subject area in the order of the rows; services without one come last."""
    names = dict.fromkeys(row.subject_name for row in offers)
    return tuple(
        Group(
            subject_name(name) or _("Ohne Themenfeld"),
            tuple(row for row in offers if row.subject_name == name and row.status in _SHOWN),
            tuple(row for row in offers if row.subject_name == name and row.status not in _SHOWN),
        )
        for name in names
    )


def _offerings(chain: Sequence[Row[Any]], offers: Sequence[Row[Any]]) -> list[Offering]:
    result = []
    for authority in chain:
        theirs = [row for row in offers if row.authority_id == authority.id]
        shown = [row for row in theirs if row.status in _SHOWN]
        place = role(chain[0].ars, authority.ars)
        # What others report as open is none of this area's business.
        if shown or (theirs and place == "own"):
            result.append(
                Offering(
                    place,
                    authority.ars,
                    authority.name,
                    authority.public_contact,
                    len(shown),
                    sum(row.status == Status.ONLINE for row in shown),
                    _groups(theirs if place == "own" else shown),
                )
            )
    return result


def role_name(place: str) -> str:
    """The heading above what an authority of the chain offers."""
    return {
        "own": _("Eigene Angebote"),
        "association": _("Vom Verband"),
        "district": _("Vom Kreis"),
        "state": _("Vom Land"),
        "federation": _("Vom Bund"),
    }[place]


def details(row: Row[Any], date: Callable[[Any], str]) -> list[str]:
    """What else is known of an offer, as short texts in local form."""
    said: list[str] = []
    if row.bundle_name:
        said.append(_("gehört zu %(bundle)s", bundle=row.bundle_name))
    if row.status == Status.ONLINE and row.online_since:
        said.append(_("online seit %(date)s", date=date(row.online_since)))
    if row.status != Status.ONLINE and row.planned_until:
        said.append(_("geplant bis %(date)s", date=date(row.planned_until)))
    if row.solution:
        said.append(_("Lösung: %(name)s", name=row.solution))
    elif row.solution_kind:
        said.append(kind_name(SolutionKind(row.solution_kind)))
    if row.maturity is not None:
        model = "1.1" if row.maturity_model == MaturityModel.V1_1 else "2.0"
        said.append(_("Reifegrad %(level)s (Modell %(model)s)", level=row.maturity, model=model))
    if row.public_contact:
        said.append(_("Kontakt: %(contact)s", contact=row.public_contact))
    if row.as_of:
        said.append(_("Stand %(date)s", date=date(row.as_of)))
    if row.source:
        said.append(_("Quelle: %(source)s", source=row.source))
    return said
