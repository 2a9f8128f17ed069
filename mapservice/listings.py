"""Lists that pages offer to choose from or show as they are: regions, services, releases, the catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from mapservice.domain import SUBJECT_AREAS, Audience, Kind, Level, Scope, ServiceKind, pad_ars
from mapservice.models import (
    Authority,
    Boundary,
    BoundaryRelease,
    GeometryFile,
    ImportRun,
    LifeSituation,
    Service,
    Tally,
)
from mapservice.titles import subject_name


@dataclass(frozen=True)
class District:
    key: str
    name: str
    label: str
    """Name with designation, since a city and the district around it often share the name."""
    designation: str | None = None


@dataclass(frozen=True)
class State:
    key: str
    name: str
    districts: tuple[District, ...]


@dataclass(frozen=True)
class Found:
    """An authority found by its key."""

    ars: str
    name: str
    hint: str


@dataclass(frozen=True)
class SubjectSummary:
    name: str
    situations: int
    bundles: int
    leika: int


@dataclass(frozen=True)
class BoundaryReleaseRow:
    """A boundary release as the page on data shows it."""

    name: str
    source: str
    as_of: dt.date
    licence: str
    licence_url: str | None
    attribution: str
    attribution_url: str | None
    is_current: bool
    imported_at: dt.datetime
    areas: dict[Level, int]


@dataclass(frozen=True)
class Reported:
    """How much an audience sees: authorities with data, and pairs of authority and OZG service."""

    authorities: int
    reported: int
    online: int


@dataclass(frozen=True)
class Run:
    """A run that changed data, for the internal view."""

    kind: str
    state: str
    files: tuple[str, ...]
    finished_at: dt.datetime | None
    report: dict[str, Any]


def regions(connection: Connection) -> tuple[State, ...]:
    """The states of the current release with their districts, each sorted by name."""
    rows = connection.execute(
        select(Boundary.level, Boundary.key, Boundary.name, Boundary.designation)
        .join(BoundaryRelease, Boundary.release_id == BoundaryRelease.id)
        .where(BoundaryRelease.is_current, Boundary.level.in_([int(Level.STATE), int(Level.DISTRICT)]))
        .order_by(Boundary.name, Boundary.key)
    ).all()
    districts: dict[str, list[District]] = {}
    for row in rows:
        if row.level == Level.DISTRICT:
            label = f"{row.name}, {row.designation}" if row.designation else row.name
            districts.setdefault(row.key[:2], []).append(District(row.key, row.name, label, row.designation))
    return tuple(
        State(row.key, row.name, tuple(districts.get(row.key, ())))
        for row in rows
        if row.level == Level.STATE
    )


def services(connection: Connection) -> list[dict[str, str]]:
    """All services that can be chosen, as {key, label, hint}: bundles by name, then the others.

    Hints are in the language of the request.
    """
    subjects = dict(enumerate((subject_name(name) for _, name in SUBJECT_AREAS), 1))
    rows = connection.execute(
        select(Service.key, Service.kind, Service.name, Service.subject_area_id)
        .where(~Service.retired, ~Service.key.startswith("ohne-leika:", autoescape=True))
        .order_by(Service.kind, Service.name)
    )
    kinds = {ServiceKind.BUNDLE: "OZG ", ServiceKind.LEIKA: "LeiKa ", ServiceKind.OWN: ""}
    result = []
    for row in rows:
        hint = kinds[ServiceKind(row.kind)] + row.key
        subject = subjects.get(row.subject_area_id or 0)
        result.append({"key": row.key, "label": row.name, "hint": f"{hint} · {subject}" if subject else hint})
    return result


def situations(connection: Connection) -> dict[str, str]:
    """Names of the life situations by id, as addresses write it."""
    return {str(row.id): row.name for row in connection.execute(select(LifeSituation.id, LifeSituation.name))}


def situation_groups(connection: Connection) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Subject areas in their order, by German name, each with id and name of the life situations that
    services of the present catalogue lie in.
    """
    present = select(Service.life_situation_id).where(
        ~Service.retired, Service.kind == int(ServiceKind.BUNDLE), Service.life_situation_id.is_not(None)
    )
    rows = connection.execute(
        select(LifeSituation.id, LifeSituation.name, LifeSituation.subject_area_id)
        .where(LifeSituation.id.in_(present))
        .order_by(LifeSituation.subject_area_id, LifeSituation.name)
    )
    groups: dict[int, list[tuple[str, str]]] = {}
    for row in rows:
        groups.setdefault(row.subject_area_id, []).append((str(row.id), row.name))
    return [(SUBJECT_AREAS[number - 1][1], tuple(group)) for number, group in groups.items()]


def bundles(connection: Connection) -> list[dict[str, str]]:
    """The OZG services alone, as {key, label}: what a plain list can suggest."""
    rows = connection.execute(
        select(Service.key, Service.name)
        .where(~Service.retired, Service.kind == int(ServiceKind.BUNDLE))
        .order_by(Service.name)
    )
    return [{"key": row.key, "label": row.name} for row in rows]


def near_keys(connection: Connection, key: str, limit: int = 10) -> list[Found]:
    """Authorities whose key starts as an unknown key does, with the longest prefix that has any."""
    if not (key.isascii() and key.isdigit()):
        return []
    for length in range(min(len(key) - 1, 9), 1, -1):
        begins = (Authority.ars.startswith(key[:length]), Authority.ags.startswith(key[:length]))
        rows = connection.execute(
            select(Authority.ars, Authority.name, Authority.designation)
            .where(Authority.is_current, or_(*begins))
            .order_by(Authority.ars)
            .limit(limit)
        ).all()
        if rows:
            return _found(rows)
    return []


def states(connection: Connection) -> list[Found]:
    """The states of today."""
    is_state = Authority.kinds.op("&")(int(Kind.STATE)) != 0
    return _found(
        connection.execute(
            select(Authority.ars, Authority.name, Authority.designation)
            .where(Authority.is_current, is_state)
            .order_by(Authority.name)
        ).all()
    )


def _found(rows: Iterable[Row[Any]]) -> list[Found]:
    return [
        Found(row.ars, row.name, ", ".join(part for part in (row.designation, row.ars) if part))
        for row in rows
    ]


def full_key(connection: Connection, key: str) -> str | None:
    """The 12-digit ARS of a known authority from an ARS, a shorter key or an AGS; None if there is none."""
    candidates = [Authority.ags == key] if len(key) == 8 else [Authority.ars == pad_ars(key)]
    return connection.scalar(
        select(Authority.ars).where(*candidates).order_by(Authority.is_current.desc(), Authority.ars).limit(1)
    )


def key_of(connection: Connection, authority_id: int) -> str | None:
    """The ARS of an authority."""
    return connection.scalar(select(Authority.ars).where(Authority.id == authority_id))


def geometry_files(connection: Connection) -> dict[str, str]:
    """Hashes of the current release's geometry files by `level/detail`, for example `districts/1000`."""
    rows = connection.execute(
        select(GeometryFile.level, GeometryFile.detail, GeometryFile.hash)
        .join(BoundaryRelease, BoundaryRelease.id == GeometryFile.release_id)
        .where(BoundaryRelease.is_current)
    )
    return {f"{Level(row.level).plural}/{row.detail}": row.hash for row in rows}


def current_release(connection: Connection) -> BoundaryReleaseRow | None:
    """The current boundary release, without the numbers of areas."""
    row = connection.execute(
        select(*BoundaryRelease.__table__.c).where(BoundaryRelease.is_current)
    ).one_or_none()
    return None if row is None else _release(row, {})


def releases(connection: Connection) -> list[BoundaryReleaseRow]:
    """All complete boundary releases, the current one first, with the number of areas per level."""
    counts: dict[int, dict[int, int]] = {}
    for row in connection.execute(
        select(Boundary.release_id, Boundary.level, func.count().label("areas")).group_by(
            Boundary.release_id, Boundary.level
        )
    ):
        counts.setdefault(row.release_id, {})[row.level] = row.areas
    rows = connection.execute(
        select(*BoundaryRelease.__table__.c)
        .where(BoundaryRelease.complete)
        .order_by(BoundaryRelease.is_current.desc(), BoundaryRelease.as_of.desc())
    ).all()
    return [_release(row, counts.get(row.id, {})) for row in rows]


def _release(row: Row[Any], areas: dict[int, int]) -> BoundaryReleaseRow:
    return BoundaryReleaseRow(
        row.name,
        row.source,
        row.as_of,
        row.licence,
        row.licence_url,
        row.attribution,
        row.attribution_url,
        row.is_current,
        row.imported_at,
        {level: areas.get(level, 0) for level in Level},
    )


def catalogue(connection: Connection) -> list[SubjectSummary]:
    """Per subject area: life situations, bundles and LeiKa services in the catalogue."""
    kinds: dict[tuple[int | None, int], int] = {
        (row.subject_area_id, row.kind): row.number
        for row in connection.execute(
            select(Service.subject_area_id, Service.kind, func.count().label("number"))
            .where(~Service.retired)
            .group_by(Service.subject_area_id, Service.kind)
        )
    }
    situations: dict[int, int] = {
        row.subject_area_id: row.number
        for row in connection.execute(
            select(LifeSituation.subject_area_id, func.count().label("number")).group_by(
                LifeSituation.subject_area_id
            )
        )
    }
    return [
        SubjectSummary(
            subject_name(name) or name,
            situations.get(number, 0),
            kinds.get((number, ServiceKind.BUNDLE), 0),
            kinds.get((number, ServiceKind.LEIKA), 0),
        )
        for number, (_, name) in enumerate(SUBJECT_AREAS, 1)
    ]


def reported(connection: Connection, audience: Audience) -> Reported:
    """Read from the tallies: a count over all entries takes seconds once there are millions."""
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(func.bit_count(Tally.reported)), 0),
            func.coalesce(func.sum(func.bit_count(Tally.online)), 0),
        ).where(Tally.audience == int(audience), Tally.scope == int(Scope.OWN))
    ).one()
    return Reported(*(int(number) for number in row))


def runs(connection: Connection, limit: int = 20) -> list[Run]:
    """The latest finished runs. For the internal role: the public has no right to read them."""
    rows = connection.execute(
        select(ImportRun.kind, ImportRun.state, ImportRun.files, ImportRun.finished_at, ImportRun.report)
        .where(ImportRun.state != "running")
        .order_by(ImportRun.id.desc())
        .limit(limit)
    )
    return [Run(row.kind, row.state, tuple(row.files), row.finished_at, row.report) for row in rows]
