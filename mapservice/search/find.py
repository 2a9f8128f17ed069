"""Answer a question with places and services, best first (ranking.py says what is best)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    cast,
    desc,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from mapservice.domain import Level, pad_ars
from mapservice.models import Authority, Boundary, BoundaryRelease, Service
from mapservice.search import memory
from mapservice.search.folding import LONGEST, digits, fold, question, spell
from mapservice.search.memory import Entry
from mapservice.search.ranking import SIMILAR_FROM, WHOLE_WORDS, WITHIN_FROM, Hit, Rank
from mapservice.search.tables import SearchTerm, TermKind

_NEAR = 0.2
"""Guesses that are so much less alike than the best one are left out."""
_MILLISECONDS = 2000
_POSTCODE_DIGITS = 5
_FILLERS = frozenset(
    fold(
        "antrag beantragen bekommen bestellen brauche formular für hier holen ich mein meine meinen mich "
        "muss neu neue neuen neuer neues online ein eine einen der die das den dem wie wo kann man im in auf "
        "zum zur und"
    ).split()
)
"""Words that say nothing about which service is meant; left out if nothing is found with them."""


_LIMITS = select(
    func.set_config("statement_timeout", str(_MILLISECONDS), True),
    # With the index already at the likeness that we want, few rows are left to be compared one by one.
    func.set_config("pg_trgm.similarity_threshold", str(SIMILAR_FROM), True),
)


@dataclass(frozen=True)
class Place:
    """A place: authority or area without one. areas: its own key at each level, the highest first."""

    ars: str
    name: str
    designation: str | None
    rank: Rank
    areas: tuple[tuple[Level, str], ...]
    above: str | None
    """What tells it from others of its name: its district, or its state."""
    postcode: str | None = None
    """Of the town hall; only where it was asked for."""


@dataclass(frozen=True)
class FoundService:
    key: str
    kind: int
    name: str
    subject_area_id: int | None
    rank: Rank
    word: str | None = None


@dataclass(frozen=True)
class Answer:
    places: tuple[Place, ...] = field(default=())
    services: tuple[FoundService, ...] = field(default=())


def find(
    connection: Connection,
    text: str,
    held: Sequence[Entry],
    *,
    limit: int,
    places: bool = True,
    services: bool = True,
) -> Answer:
    """Up to `limit` places and as many services; held: memory.entries() of the same audience.

    Any text is allowed: what is no letter or digit parts words, what is too long is cut.
    """
    asked = question(text)
    if not asked:
        return Answer()
    connection.execute(_LIMITS)
    number = digits(text)
    if number:
        hits = _by_number(connection, number, limit)
        return _answer(connection, hits[0] if places else [], hits[1] if services else [])
    spelled = spell(text[:LONGEST])
    found_places, found_services = _by_text(connection, asked, spelled, held, limit, services)
    own = memory.match_key(held, text.strip())
    kept = " ".join(word for word in asked.split() if word not in _FILLERS)
    if services and not found_services and kept and kept != asked:
        _, found_services = _by_text(connection, kept, kept, held, limit, services)
    best = min((hit.rank for hit in (*found_places, *found_services, *own)), default=Rank.SIMILAR)
    if best > Rank.WORDS:
        # Nothing good: one may have mistyped.
        more = _similar(connection, asked, spelled, held, limit, (places, services))
        least = max((hit.likeness for hits in more for hit in hits), default=0.0) - _NEAR
        found_places, found_services = (
            _merge(limit, found, [hit for hit in hits if hit.likeness >= least])
            for found, hits in zip((found_places, found_services), more, strict=True)
        )
    found_services = _merge(limit, own, found_services)
    return _answer(connection, found_places if places else [], found_services if services else [])


# --- questions to the database ----------------------------------------------------------------------

_T = SearchTerm
_IS_PLACE = _T.service_id.is_(None)
_NAMES = _T.kind.in_([int(TermKind.NAME), int(TermKind.TITLE)])


def _by_text(
    connection: Connection, asked: str, spelled: str, held: Sequence[Entry], limit: int, services: bool
) -> tuple[list[Hit], list[Hit]]:
    begins = _T.folded.startswith(asked)
    every = _T.words.op("@@")(cast(" & ".join(f"'{word}':*" for word in asked.split()), TSQUERY))
    where = begins if len(asked) < WITHIN_FROM else or_(_T.folded.contains(asked), every)
    rank = case(
        (_T.folded == asked, int(Rank.EXACT)),
        (begins, int(Rank.PREFIX)),
        (_T.folded.contains(f" {asked}"), int(Rank.WORD)),
        (every, int(Rank.WORDS)),
        else_=int(Rank.WITHIN),
    )
    hits = _hits(connection, rank, literal(0.0), spelled, and_(_NAMES, where), limit)
    from_memory = memory.match(held, asked, spelled) if services else []
    return hits[0], _merge(limit, hits[1], from_memory)


def _similar(
    connection: Connection,
    asked: str,
    spelled: str,
    held: Sequence[Entry],
    limit: int,
    wanted: tuple[bool, bool],
) -> tuple[list[Hit], list[Hit]]:
    if not any(wanted) or len(asked) < WITHIN_FROM:
        return [], []
    # The operators reach the index, the functions only judge what it found.
    alike = or_(_T.folded.op("%")(asked), literal(asked).op("<%")(_T.folded))
    likeness = func.greatest(
        func.similarity(_T.folded, asked), func.word_similarity(asked, _T.folded) * WHOLE_WORDS
    )
    which = [condition for condition, yes in zip((_IS_PLACE, ~_IS_PLACE), wanted, strict=True) if yes]
    where = and_(_NAMES, alike, likeness >= SIMILAR_FROM, or_(*which))
    hits = _hits(connection, literal(int(Rank.SIMILAR)), likeness, spelled, where, limit)
    from_memory = memory.match_similar(held, asked, spelled) if wanted[1] else []
    return hits[0], _merge(limit, hits[1], from_memory)


def _by_number(connection: Connection, number: str, limit: int) -> tuple[list[Hit], list[Hit]]:
    """Keys and postcodes: whole, or their beginning. A short ARS is that of an area above municipalities."""
    exact = [number]
    if len(number) in (2, 3, 5, 9):
        exact.append(pad_ars(number))
    whole = and_(
        _T.folded.in_(exact), or_(_T.kind == int(TermKind.KEY), func.length(number) == _POSTCODE_DIGITS)
    )
    rank = case((whole, int(Rank.KEY)), else_=int(Rank.PREFIX))
    where = and_(
        _T.kind.in_([int(TermKind.KEY), int(TermKind.POSTCODE)]),
        or_(_T.folded.in_(exact), _T.folded.startswith(number)),
    )
    return _hits(connection, rank, literal(0.0), number, where, limit)


def _hits(
    connection: Connection,
    rank: ColumnElement[Any],
    likeness: ColumnElement[Any],
    spelled: str,
    where: ColumnElement[bool],
    limit: int,
) -> tuple[list[Hit], list[Hit]]:
    """The best hit of each place and service, and of these the best of each type."""
    literally = func.starts_with(_T.spelled, spelled)
    found = select(
        _T.authority_id,
        _T.boundary_id,
        _T.service_id,
        _T.kind,
        _T.folded,
        _T.weight,
        rank.label("rank"),
        likeness.label("likeness"),
        literally.label("literal"),
    ).where(where)
    inner = found.subquery("found")
    order = (
        inner.c.rank,
        desc(inner.c.likeness),
        desc(inner.c.literal),
        desc(inner.c.weight),
        func.length(inner.c.folded),
        inner.c.folded,
    )
    identity = (inner.c.authority_id, inner.c.boundary_id, inner.c.service_id)
    best = select(*inner.c).distinct(*identity).order_by(*identity, *order).subquery("best")
    outer = (
        best.c.rank,
        desc(best.c.likeness),
        desc(best.c.literal),
        desc(best.c.weight),
        func.length(best.c.folded),
        best.c.folded,
        func.coalesce(best.c.authority_id, best.c.boundary_id, best.c.service_id),
    )
    numbered = select(
        *best.c,
        func.row_number().over(partition_by=best.c.service_id.is_(None), order_by=outer).label("number"),
    ).subquery("numbered")
    statement: Select[Any] = select(*numbered.c).where(numbered.c.number <= limit).order_by(numbered.c.number)
    places: list[Hit] = []
    services: list[Hit] = []
    for row in connection.execute(statement):
        (places if row.service_id is None else services).append(_hit(row))
    return places, services


def _hit(row: Row[Any]) -> Hit:
    return Hit(
        Rank(row.rank),
        next(id_ for id_ in (row.authority_id, row.boundary_id, row.service_id) if id_ is not None),
        row.literal,
        row.weight,
        row.folded,
        round(float(row.likeness), 4),
        boundary=row.boundary_id is not None,
        postcode=row.kind == TermKind.POSTCODE,
    )


def _merge(limit: int, *lists: Sequence[Hit]) -> list[Hit]:
    """One hit per thing, best first. Of a service's hits the better one counts."""
    best: dict[tuple[bool, int], Hit] = {}
    for hit in sorted((hit for hits in lists for hit in hits), key=lambda hit: hit.order):
        best.setdefault((hit.boundary, hit.id), hit)
    return list(best.values())[:limit]


# --- what is told about it --------------------------------------------------------------------------


def _answer(connection: Connection, places: Sequence[Hit], services: Sequence[Hit]) -> Answer:
    return Answer(tuple(_told_places(connection, places)), tuple(_told_services(connection, services)))


def _told_services(connection: Connection, hits: Sequence[Hit]) -> list[FoundService]:
    if not hits:
        return []
    columns = (Service.id, Service.key, Service.kind, Service.name, Service.subject_area_id)
    statement = select(*columns).where(Service.id.in_([hit.id for hit in hits]))
    rows = {row.id: row for row in connection.execute(statement)}
    return [
        FoundService(row.key, row.kind, row.name.strip(), row.subject_area_id, hit.rank, hit.word)
        for hit in hits
        if (row := rows.get(hit.id)) is not None
    ]


def _told_places(connection: Connection, hits: Sequence[Hit]) -> list[Place]:
    if not hits:
        return []
    authority_ids = [hit.id for hit in hits if not hit.boundary]
    boundary_ids = [hit.id for hit in hits if hit.boundary]
    authorities = {
        row.id: row
        for row in connection.execute(
            select(
                Authority.id, Authority.ars, Authority.name, Authority.designation, Authority.postcode
            ).where(Authority.id.in_(authority_ids))
        )
    }
    district, state = Boundary.__table__.alias("district"), Boundary.__table__.alias("state")
    areas: dict[int, list[Row[Any]]] = {}
    alone: dict[int, Row[Any]] = {}
    for row in connection.execute(
        select(
            Boundary.id,
            Boundary.authority_id,
            Boundary.level,
            Boundary.ars,
            Boundary.name,
            Boundary.designation,
            district.c.name.label("district"),
            district.c.designation.label("district_designation"),
            district.c.authority_id.label("district_authority"),
            state.c.name.label("state"),
            state.c.authority_id.label("state_authority"),
        )
        .join(BoundaryRelease, BoundaryRelease.id == Boundary.release_id)
        .outerjoin(district, district.c.id == Boundary.district_id)
        .outerjoin(state, state.c.id == Boundary.state_id)
        .where(
            BoundaryRelease.is_current,
            or_(Boundary.authority_id.in_(authority_ids), Boundary.id.in_(boundary_ids)),
        )
        .order_by(Boundary.level)
    ):
        if row.authority_id is None:
            alone[row.id] = row
        else:
            areas.setdefault(row.authority_id, []).append(row)
    result = []
    for hit in hits:
        place = (alone if hit.boundary else authorities).get(hit.id)
        if place is None:
            continue
        own = [place] if hit.boundary else areas.get(hit.id, [])
        result.append(
            Place(
                place.ars,
                place.name,
                place.designation,
                hit.rank,
                tuple((Level(row.level), row.ars) for row in own),
                _above(own[-1]) if own else None,
                place.postcode if hit.postcode else None,
            )
        )
    return result


def _above(area: Row[Any]) -> str | None:
    """The district with its designation, or the state, unless it is the place itself."""
    if area.district and (area.district_authority is None or area.district_authority != area.authority_id):
        if fold(area.district).endswith("kreis"):  # Heidekreis
            return str(area.district)
        return " ".join(part for part in (area.district_designation, area.district) if part)
    if area.state and (area.state_authority is None or area.state_authority != area.authority_id):
        return str(area.state)
    return None
