"""Keep the terms by which places and services are found; for the owner role.

Whatever changes places or the catalogue calls refresh_places() or refresh_services() in the same transaction.
Publication needs nothing: services of one's own, the only ones that it shows or hides, have no rows here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Integer,
    Row,
    SmallInteger,
    Text,
    any_,
    cast,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine

from mapservice.domain import FEDERATION, SUBJECT_AREAS, Level, ServiceKind
from mapservice.models import Authority, Boundary, BoundaryRelease, LifeSituation, Service
from mapservice.search.folding import fold, spell
from mapservice.search.tables import SearchTerm, TermKind

_MANY = 500
_LEVEL_WEIGHT = 100_000_000
"""More inhabitants has no place."""
_ALSO = {"Kreis": "Landkreis", "Landkreis": "Kreis"}
"""What people call a district, whatever its state says."""
_SUFFIX = re.compile(r"\s*\(.*|,.*|\s+(?:am|an|auf|bei|im|in|ob|unter|vor|a\.|b\.|i\.)\s*.*")
"""What many leave out: Halle (Saale), Frankfurt am Main, Neustadt a.d. Aisch."""
_COLUMNS = (
    SearchTerm.authority_id,
    SearchTerm.boundary_id,
    SearchTerm.service_id,
    SearchTerm.kind,
    SearchTerm.folded,
    SearchTerm.spelled,
    SearchTerm.words,
    SearchTerm.weight,
)


class _Term(NamedTuple):
    """A row as the database holds it; words: sorted, parted by blanks."""

    authority_id: int | None
    boundary_id: int | None
    service_id: int | None
    kind: int
    folded: str
    spelled: str
    words: str | None
    weight: int


def refresh(connection: Connection) -> None:
    """Make all terms anew: after a migration."""
    refresh_places(connection)
    refresh_services(connection)


def refresh_places(connection: Connection) -> None:
    """Bring the terms of current authorities, and of areas without one, up to date."""
    _replace(connection, SearchTerm.service_id.is_(None), _places(connection))


def refresh_services(connection: Connection) -> None:
    """Bring the terms of the catalogue's services up to date."""
    _replace(connection, SearchTerm.service_id.is_not(None), _services(connection))


def _places(connection: Connection) -> Iterator[_Term]:
    boundaries = connection.execute(
        select(
            Boundary.id,
            Boundary.level,
            Boundary.ars,
            Boundary.authority_id,
            Boundary.name,
            Boundary.designation,
            Boundary.state_id,
            Boundary.district_id,
            Boundary.population,
        )
        .join(BoundaryRelease, BoundaryRelease.id == Boundary.release_id)
        .where(BoundaryRelease.is_current)
        .order_by(Boundary.level, Boundary.id)
    ).all()
    by_id = {row.id: row for row in boundaries}
    areas: dict[int, list[Row[Any]]] = {}
    for row in boundaries:
        if row.authority_id is None:
            yield from _place((None, row.id), row, [row], by_id, {row.ars}, row.population)
        else:
            areas.setdefault(row.authority_id, []).append(row)
    authorities = connection.execute(
        select(
            Authority.id,
            Authority.ars,
            Authority.ags,
            Authority.name,
            Authority.designation,
            Authority.population,
            Authority.postcode,
        ).where(Authority.is_current)
    )
    for place in authorities:
        own = areas.get(place.id, [])
        found = (place.id, None)
        # Inhabitants by the release, where the authority brings none of its own.
        population = place.population or max((area.population or 0 for area in own), default=0)
        keys = {place.ars, *(area.ars for area in own)} | ({place.ags} if place.ags else set())
        yield from _place(found, place, own, by_id, keys, population)
        if place.postcode:
            postcode = fold(place.postcode)
            weight = _place_weight(place.ars, own, population)
            yield _Term(*found, None, int(TermKind.POSTCODE), postcode, postcode, None, weight)


def _place(
    found: tuple[int | None, int | None],
    place: Row[Any],
    areas: list[Row[Any]],
    by_id: dict[int, Row[Any]],
    keys: Iterable[str],
    population: int | None,
) -> Iterator[_Term]:
    weight = _place_weight(place.ars, areas, population)
    designations = {row.designation for row in (place, *areas) if row.designation}
    designations |= {_ALSO[name] for name in designations if name in _ALSO}
    around = [by_id[above] for row in areas for above in (row.district_id, row.state_id) if above in by_id]
    words = {
        word
        for text_ in (place.name, *designations, *(row.name for row in around), *_called(around))
        for word in fold(text_).split()
    }
    yield _Term(
        *found,
        None,
        int(TermKind.NAME),
        fold(place.name),
        spell(place.name),
        " ".join(sorted(words)),
        weight,
    )
    titles = {f"{designation} {place.name}" for designation in designations} | {_SUFFIX.sub("", place.name)}
    titles.discard(place.name)
    for folded, spelled in sorted({(fold(title), spell(title)) for title in titles}):
        yield _Term(*found, None, int(TermKind.TITLE), folded, spelled, None, weight)
    for key in sorted(keys):
        yield _Term(*found, None, int(TermKind.KEY), key, key, None, weight)


def _called(areas: Iterable[Row[Any]]) -> Iterator[str]:
    for area in areas:
        if area.designation:
            yield area.designation
            yield _ALSO.get(area.designation, "")


def _place_weight(ars: str, areas: list[Row[Any]], population: int | None) -> int:
    highest = Level.STATE - 1 if ars == FEDERATION else min((row.level for row in areas), default=4)
    return int((Level.MUNICIPALITY - highest) * _LEVEL_WEIGHT + (population or 0))


def _services(connection: Connection) -> Iterator[_Term]:
    subjects = {number: name for number, (_, name) in enumerate(SUBJECT_AREAS, 1)}
    rows = connection.execute(
        select(
            Service.id,
            Service.key,
            Service.kind,
            Service.name,
            Service.subject_area_id,
            LifeSituation.name.label("situation"),
        )
        .outerjoin(LifeSituation, LifeSituation.id == Service.life_situation_id)
        .where(
            Service.kind != int(ServiceKind.OWN),
            ~Service.retired,
            ~Service.key.startswith("ohne-leika:", autoescape=True),
        )
    )
    for row in rows:
        weight = 1 if row.kind == ServiceKind.BUNDLE else 0
        name = row.name.strip()
        texts = (name, row.situation or "", subjects.get(row.subject_area_id or 0, ""))
        words = " ".join(sorted({word for text_ in texts for word in fold(text_).split()}))
        yield _Term(None, None, row.id, int(TermKind.NAME), fold(name), spell(name), words, weight)
        yield _Term(None, None, row.id, int(TermKind.KEY), row.key, row.key, None, weight)


def _replace(connection: Connection, which: ColumnElement[bool], wanted: Iterable[_Term]) -> None:
    """Delete and insert what differs."""
    present: dict[_Term, int] = {}
    double: list[int] = []
    words = func.array_to_string(func.tsvector_to_array(SearchTerm.words), " ")
    columns = [words if column is SearchTerm.words else column for column in _COLUMNS]
    for id_, *values in connection.execute(select(SearchTerm.id, *columns).where(which)):
        term = _Term(*values)
        if present.setdefault(term, id_) != id_:
            double.append(id_)
    new = set(wanted)
    gone = [id_ for term, id_ in present.items() if term not in new] + double
    missing = [term for term in new if term not in present]
    if gone:
        connection.execute(delete(SearchTerm).where(SearchTerm.id == any_(cast(gone, ARRAY(Integer)))))
    if missing:
        _insert(connection, missing)
    if len(gone) + len(missing) > _MANY:
        connection.execute(text("ANALYZE search_term"))


def _insert(connection: Connection, terms: list[_Term]) -> None:
    types: tuple[type[TypeEngine[Any]], ...] = (
        Integer,
        Integer,
        Integer,
        SmallInteger,
        Text,
        Text,
        Text,
        Integer,
    )
    arrays: list[ColumnElement[Any]] = [
        cast([term[at] for term in terms], ARRAY(kind)) for at, kind in enumerate(types)
    ]
    names = _Term._fields
    rows = func.unnest(*arrays).table_valued(*names, name="wanted").render_derived()
    # An array, not a text: the text parser would take words with digits and hyphens apart in its own way.
    vector = cast(func.array_to_tsvector(func.string_to_array(rows.c.words, " ")), TSVECTOR)
    values = [vector if name == "words" else rows.c[name] for name in names]
    connection.execute(insert(SearchTerm).from_select(list(names), select(*values)))
