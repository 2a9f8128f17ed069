"""The words of the register as this process holds them: some ten thousand, with an index by trigrams.

In the database no index serves a search behind row-level security, as likeness is not leakproof there: each
mistyped word was compared with every other one (17 ms). What is held was read by the role of the connection
and is found under its data version alone (seen.py).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from mapservice.domain import Audience
from mapservice.register.tables import RegisterWord
from mapservice.search.folding import trigrams
from mapservice.seen import Kept


@dataclass(frozen=True)
class Vocabulary:
    """words: ascending; sizes: how many trigrams each has; having: places in `words`, by trigram."""

    words: tuple[str, ...]
    sizes: array[int]
    having: dict[str, array[int]]

    @classmethod
    def of(cls, words: Iterable[str]) -> Vocabulary:
        ordered = tuple(sorted(words))
        sizes = array("H")
        having: dict[str, array[int]] = {}
        for place, word in enumerate(ordered):
            found = trigrams(word)
            sizes.append(len(found))
            for trigram in found:
                having.setdefault(trigram, array("I")).append(place)
        return cls(ordered, sizes, having)

    def holding(self, part: str, *, within: bool) -> list[str]:
        """Words that begin with the part, then those that hold it elsewhere (only with `within`), each the
        shortest first.
        """
        found = sorted((word for word in self.words if part in word), key=len)
        begin = [word for word in found if word.startswith(part)]
        return [*begin, *(word for word in found if part in word[1:])] if within else begin

    def alike(self, word: str, least: float) -> list[tuple[float, str]]:
        """Likeness (as folding.similarity) and word, where it is at least so much; best first."""
        asked = trigrams(word)
        shared: Counter[int] = Counter()
        for trigram in asked:
            shared.update(self.having.get(trigram, ()))
        found = []
        for place, number in shared.items():
            likeness = number / (len(asked) + self.sizes[place] - number)
            if likeness >= least:
                found.append((likeness, self.words[place]))
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))


_kept: Kept[Vocabulary] = Kept(1)


def words(connection: Connection, audience: Audience) -> Vocabulary:
    """All words of the audience's register; kept in this process while the data version stays."""

    def read(connection: Connection) -> Vocabulary:
        mine = select(RegisterWord.word).where(RegisterWord.audience == int(audience))
        return Vocabulary.of(connection.scalars(mine))

    return _kept.get(connection, read, audience)
