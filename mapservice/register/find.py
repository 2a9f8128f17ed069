"""Search the register, with typos, and filter it: two questions to a few thousand rows of one audience.

Each word of a question must begin a word of the entry: of its name, platform, provider, specialist systems,
or of a service that it serves. Where nothing has them all, mistyped words are compared with all words of the
register, and words that nothing is like are left out and named.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    and_,
    any_,
    case,
    cast,
    desc,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from mapservice.domain import Audience, MaturityModel, ServiceKind, SolutionKind
from mapservice.models import Authority, Service
from mapservice.register import vocabulary
from mapservice.register.tables import RegisterEntry, RegisterUser
from mapservice.register.vocabulary import Vocabulary
from mapservice.search.folding import digits, question
from mapservice.tallies import no_bundles

_ALIKE, _NEAR, _CANDIDATES = 0.34, 0.15, 8
"""A word is taken for others that are at least so alike, and hardly less than the likest; so many at most."""
_GUESSED_FROM = 3
"""Letters of a word that is worth guessing at."""
_WITHIN_FROM = 4
"""Letters that a word must have to be looked for inside of others (steuer in Hundesteuer)."""


class Sort(enum.StrEnum):
    RELEVANCE = "relevance"
    NAME = "name"
    USERS = "users"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Region:
    """Authorities whose ARS lies between two, both included."""

    first: str
    last: str

    @property
    def state(self) -> int | None:
        """The number of the state that this is all of."""
        whole = self.first[2:] == "0" * 10 and self.last == self.first[:2] + "9" * 10
        return int(self.first[:2]) if whole else None


@dataclass(frozen=True)
class Wanted:
    """What is asked of the register; everything must hold, each of some entry of the solution.

    service_ids: chosen services, bundles for their LeiKa services too; None: all. by_provider: the regions
    are where the provider is, not the users. named: with a product's name, without, or both.
    """

    text: str = ""
    service_ids: tuple[int, ...] | None = None
    platform: str | None = None
    kinds: tuple[SolutionKind, ...] = ()
    maturity: tuple[MaturityModel, int] | None = None
    reusable: bool = False
    confirmed: dt.date | None = None
    regions: tuple[Region, ...] = ()
    by_provider: bool = False
    named: bool | None = None
    sort: Sort | None = None
    limit: int | None = 50
    offset: int = 0


@dataclass(frozen=True)
class Found:
    """rows: columns of RegisterEntry without the search columns, provider, provider_ars, provider_contact,
    service, service_name. total: without the limit; unnamed: of these without a product's name. guessed:
    words were taken for others; left_out: words that nothing is like.
    """

    rows: Sequence[Row[Any]]
    total: int
    unnamed: int
    guessed: bool = False
    left_out: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class _Asked:
    """A question as conditions."""

    condition: ColumnElement[bool]
    rank: ColumnElement[Any]
    guessed: bool = False
    left_out: tuple[str, ...] = ()


_E = RegisterEntry


def find(connection: Connection, wanted: Wanted, audience: Audience) -> Found:
    """The entries that meet what is wanted, in its order: by default relevance, or number of users."""
    conditions = and_(_E.audience == int(audience), *_filters(connection, wanted, audience))
    asked = _asked(connection, wanted.text, audience)
    where = and_(conditions, asked.condition)
    numbers = select(func.count(), func.count().filter(_E.name.is_(None))).where(where)
    total, unnamed = connection.execute(numbers).one()
    statement = _told(where).order_by(*_order(wanted, asked)).limit(wanted.limit).offset(wanted.offset)
    return Found(connection.execute(statement).all(), total, unnamed, asked.guessed, asked.left_out)


def entry(connection: Connection, public_id: uuid.UUID, audience: Audience) -> Row[Any] | None:
    """One entry, with the columns of Found.rows; None if the audience sees none with this id."""
    where = and_(_E.audience == int(audience), _E.public_id == public_id)
    return connection.execute(_told(where)).one_or_none()


def platforms(connection: Connection, audience: Audience) -> list[str]:
    """The platforms that entries name, by name."""
    where = and_(_E.audience == int(audience), _E.platform.is_not(None))
    return list(connection.scalars(select(_E.platform).where(where).distinct().order_by(_E.platform)))


def _told(where: ColumnElement[bool]) -> Any:
    columns = [item for item in _E.__table__.c if item.name not in ("head", "words", "bundles")]
    return (
        select(
            *columns,
            Authority.name.label("provider"),
            Authority.ars.label("provider_ars"),
            Authority.public_contact.label("provider_contact"),
            Service.key.label("service"),
            Service.name.label("service_name"),
        )
        .outerjoin(Authority, Authority.id == _E.provider_id)
        .outerjoin(Service, Service.id == _E.service_id)
        .where(where)
    )


def _order(wanted: Wanted, asked: _Asked) -> list[Any]:
    by_name = [_E.name.is_(None), _E.folded, _E.public_id]
    by_users = [desc(_E.users), desc(_E.coming)]
    match wanted.sort or (Sort.RELEVANCE if wanted.text.strip() else Sort.USERS):
        case Sort.RELEVANCE:
            return [asked.rank, _E.name.is_(None), *by_users, *by_name]
        case Sort.USERS:
            return [*by_users, *by_name]
        case Sort.CONFIRMED:
            return [_E.confirmed_on.desc().nulls_last(), *by_name]
        case _:
            return by_name


# --- filters ----------------------------------------------------------------------------------------


def _filters(connection: Connection, wanted: Wanted, audience: Audience) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.service_ids is not None:
        conditions.append(_serves(wanted.service_ids))
    if wanted.platform is not None:
        conditions.append(_E.platform == wanted.platform)
    if wanted.kinds:
        bits = sum(1 << int(kind) for kind in wanted.kinds)
        conditions.append(_E.kinds.op("&")(cast(bits, _E.kinds.type)) != 0)
    if wanted.maturity is not None:
        model, step = wanted.maturity
        column = _E.maturity_11 if model is MaturityModel.V1_1 else _E.maturity_20
        conditions.append(column >= step)
    if wanted.reusable:
        # What the solution says of itself comes before what users say of theirs, as in the list.
        conditions.append(func.coalesce(_E.reusable, _E.sharing > 0))
    if wanted.confirmed is not None:
        conditions.append(_E.confirmed_on >= wanted.confirmed)
    if wanted.named is not None:
        conditions.append(_E.name.is_not(None) if wanted.named else _E.name.is_(None))
    if wanted.regions:
        where = _provided_in if wanted.by_provider else _used_in
        conditions.append(or_(*(where(connection, region, audience) for region in wanted.regions)))
    return conditions


def _serves(service_ids: Sequence[int]) -> ColumnElement[bool]:
    ids = cast(list(service_ids), ARRAY(Integer))
    mask = (
        select(func.coalesce(func.bit_or(Service.bit), no_bundles()))
        .where(Service.id == any_(ids), Service.kind == int(ServiceKind.BUNDLE))
        .scalar_subquery()
    )
    shared: ColumnElement[Any] = _E.bundles.op("&")(mask)
    return or_(shared != no_bundles(), _E.service_ids.overlap(ids))


def _authorities(connection: Connection, region: Region) -> ColumnElement[Any]:
    found = connection.scalars(select(Authority.id).where(Authority.ars.between(region.first, region.last)))
    return any_(cast(list(found), ARRAY(Integer)))


def _used_in(connection: Connection, region: Region, audience: Audience) -> ColumnElement[bool]:
    if region.state is not None:
        return _E.states.op("&")(1 << region.state) != 0
    user = RegisterUser
    among = user.authority_id == _authorities(connection, region)
    return _E.entry_id.in_(select(user.entry_id).where(user.audience == int(audience), among))


def _provided_in(connection: Connection, region: Region, audience: Audience) -> ColumnElement[bool]:
    # Offers without a name have no other provider than their users.
    unnamed = and_(_E.name.is_(None), _used_in(connection, region, audience))
    return or_(_E.provider_id == _authorities(connection, region), unnamed)


# --- the question -----------------------------------------------------------------------------------


def _asked(connection: Connection, text: str, audience: Audience) -> _Asked:
    words = question(text).split()
    number = digits(text)
    if number:
        words = [number]
    if not words:
        return _Asked(literal(not text.strip()), literal(0))
    known_words = vocabulary.words(connection, audience)
    meant = {word: _literally(known_words, word) for word in words}
    if all(any(found.startswith(word) for found in meant[word]) for word in words):
        exact = _query([[word] for word in words], begins=True)
        condition = _E.words.op("@@")(exact)
        ids = _having(connection, condition, audience)
        if ids:
            return _Asked(_among(ids), _rank(" ".join(words), exact))
    if number:
        return _Asked(literal(False), literal(0))
    for word in words:
        if len(word) < _GUESSED_FROM:
            meant[word] = []
        elif not meant[word]:
            meant[word] = _alike(known_words, word)
    left_out = tuple(word for word, candidates in meant.items() if not candidates)
    known = [candidates for candidates in meant.values() if candidates]
    if not known:
        return _Asked(literal(False), literal(0))
    query = _query(known, begins=False)
    rank = case((_E.head.op("@@")(query), 0), else_=1)
    return _Asked(_among(_having(connection, _E.words.op("@@")(query), audience)), rank, True, left_out)


def _having(connection: Connection, condition: ColumnElement[bool], audience: Audience) -> list[int]:
    """The entries that a question finds: looked for once, as all their words are read for it."""
    return list(connection.scalars(select(_E.entry_id).where(_E.audience == int(audience), condition)))


def _among(ids: Sequence[int]) -> ColumnElement[bool]:
    return _E.entry_id == any_(cast(list(ids), ARRAY(Integer)))


def _rank(asked: str, query: ColumnElement[Any]) -> ColumnElement[Any]:
    """The name itself, its beginning, a word of it, any word of what is said of the product, a service."""
    named = _E.name.is_not(None)
    return case(
        (and_(named, _E.folded == asked), 0),
        (and_(named, _E.folded.startswith(asked, autoescape=True)), 1),
        (and_(named, _E.folded.contains(f" {asked}", autoescape=True)), 2),
        (_E.head.op("@@")(query), 3),
        (and_(not_(named), _E.folded.startswith(asked, autoescape=True)), 4),
        else_=5,
    )


def _query(words: Sequence[Sequence[str]], *, begins: bool) -> ColumnElement[Any]:
    """Each word, or one of those that it may mean. Folded words hold letters and digits alone."""
    mark = ":*" if begins else ""
    parts = ["(" + " | ".join(f"'{word}'{mark}" for word in some) + ")" for some in words]
    return cast(" & ".join(parts), TSQUERY)


def _literally(known: Vocabulary, word: str) -> list[str]:
    """Words of the register that begin with this one, then those that hold it, the shortest first."""
    return known.holding(word, within=len(word) >= _WITHIN_FROM)[: _CANDIDATES * 4]


def _alike(known: Vocabulary, word: str) -> list[str]:
    """Words of the register that are spelled alike, the likest first."""
    found = known.alike(word, _ALIKE)[:_CANDIDATES]
    return [other for likeness, other in found if likeness >= found[0][0] - _NEAR]
