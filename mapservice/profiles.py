"""What the page of one area tells: who it is, what it offers itself, what those above add, its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Connection, Row, select

from mapservice.conditions import kind_name
from mapservice.domain import FEDERATION, Audience, Level, MaturityModel, Scope, SolutionKind, Status
from mapservice.layers import authorities
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
    """What one authority above the area adds."""

    ars: str
    name: str
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
    groups: tuple[Group, ...]
    offerings: tuple[Offering, ...]
    neighbours: tuple[Row[Any], ...]

    @property
    def has_own(self) -> bool:
        return bool(self.groups)


def profile(connection: Connection, ars: str, audience: Audience) -> Profile | None:
    """The profile for a 12-digit ARS, None if neither an authority nor an area has it."""
    area = authorities.find_area(connection, ars)
    authority_id = connection.scalar(select(Authority.id).where(Authority.ars == ars))
    if authority_id is None:
        if area is None:
            return None
        return _without_authority(connection, area)
    chain = authorities.chain(connection, authority_id)
    own_row, above = chain[0], chain[1:]
    offers = authorities.offers(connection, [row.id for row in chain])
    levels = authorities.levels_of(connection, authority_id)
    own = available = None
    subjects: Sequence[Row[Any]] = ()
    neighbours: Sequence[Row[Any]] = ()
    if area is not None:
        level = Level(area.level)
        own = authorities.totals(connection, area.boundary_id, level, Scope.OWN, audience)
        available = authorities.totals(connection, area.boundary_id, level, Scope.AVAILABLE, audience)
        subjects = authorities.counts_by_subject(connection, area.boundary_id, level, Scope.OWN, audience)
        neighbours = authorities.neighbours(connection, area.boundary_id)
    return Profile(
        ars=ars,
        name=own_row.name,
        designation=own_row.designation,
        area=area,
        authority=own_row,
        levels=tuple(levels),
        above=tuple(row for row in reversed(above) if row.ars != FEDERATION),
        own=own,
        available=available,
        subjects=tuple(subjects),
        groups=_groups([row for row in offers if row.authority_id == authority_id]),
        offerings=tuple(_offerings(above, offers)),
        neighbours=tuple(neighbours),
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
        groups=(),
        offerings=(),
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


def _offerings(above: Sequence[Row[Any]], offers: Sequence[Row[Any]]) -> list[Offering]:
    result = []
    for authority in above:
        theirs = [row for row in offers if row.authority_id == authority.id and row.status in _SHOWN]
        if theirs:
            online = sum(row.status == Status.ONLINE for row in theirs)
            result.append(Offering(authority.ars, authority.name, len(theirs), online, _groups(theirs)))
    return result


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
