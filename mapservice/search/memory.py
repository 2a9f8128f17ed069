"""Match everyday words and services of one's own: few rows, held in the process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from mapservice.domain import ServiceKind
from mapservice.models import Service
from mapservice.search.folding import fold, similarity, spell, trigrams
from mapservice.search.ranking import SIMILAR_FROM, WITHIN_FROM, Hit, Rank
from mapservice.search.words import Word

_WEIGHT = 1
"""That of a bundle."""


@dataclass(frozen=True)
class Entry:
    """A text that is looked through. word: as people say it; None for a name."""

    service_id: int
    folded: str
    spelled: str
    trigrams: frozenset[str]
    word: str | None = None
    key: str = ""


def entries(connection: Connection, words: Sequence[Word]) -> tuple[Entry, ...]:
    """Services of one's own that this connection's role may see, and words for services that it knows."""
    rows = connection.execute(
        select(Service.id, Service.key, Service.name).where(
            ~Service.retired, Service.kind == int(ServiceKind.OWN)
        )
    ).all()
    result = [_entry(row.id, row.name, key=row.key) for row in rows]
    ids = known(connection, words)
    result += [_entry(ids[word.service], word.text, word=word.text) for word in words if word.service in ids]
    return tuple(result)


def known(connection: Connection, words: Iterable[Word]) -> dict[str, int]:
    """Ids by key of the services that words name and that there are."""
    keys = {word.service for word in words}
    rows = connection.execute(select(Service.key, Service.id).where(~Service.retired, Service.key.in_(keys)))
    return dict(rows.tuples().all())


def _entry(service_id: int, text: str, *, word: str | None = None, key: str = "") -> Entry:
    folded = fold(text)
    return Entry(service_id, folded, spell(text), trigrams(folded), word, key)


def match(held: Iterable[Entry], folded: str, spelled: str) -> list[Hit]:
    """What holds the question, one hit per service, best first."""
    asked = folded.split()
    return _best(
        _hit(rank, entry, spelled) for entry in held if (rank := _rank(entry, folded, asked)) is not None
    )


def match_similar(held: Iterable[Entry], folded: str, spelled: str) -> list[Hit]:
    """What is written in a similar way, one hit per service, best first."""
    wanted = trigrams(folded)
    return _best(
        _hit(Rank.SIMILAR, entry, spelled, likeness)
        for entry in held
        if (likeness := similarity(wanted, entry.trigrams)) >= SIMILAR_FROM
    )


def match_key(held: Iterable[Entry], key: str) -> list[Hit]:
    """Services of one's own by their key."""
    return [_hit(Rank.KEY, entry, "") for entry in held if entry.key and entry.key == key]


def _rank(entry: Entry, folded: str, asked: list[str]) -> Rank | None:
    if entry.folded == folded:
        return Rank.EXACT
    if entry.folded.startswith(folded):
        return Rank.PREFIX
    if f" {folded}" in entry.folded:
        return Rank.WORD
    words = entry.folded.split()
    if all(any(word.startswith(part) for word in words) for part in asked):
        return Rank.WORDS
    if len(folded) >= WITHIN_FROM and folded in entry.folded:
        return Rank.WITHIN
    return None


def _hit(rank: Rank, entry: Entry, spelled: str, likeness: float = 0.0) -> Hit:
    literal = entry.spelled.startswith(spelled)
    return Hit(rank, entry.service_id, literal, _WEIGHT, entry.folded, likeness, entry.word)


def _best(hits: Iterable[Hit]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for hit in sorted(hits, key=lambda hit: hit.order):
        best.setdefault(hit.id, hit)
    return list(best.values())
