"""How well something fits a question, the same in the database and in the process."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Rank(enum.IntEnum):
    """Best first; within one rank the exact spelling, then the heavier, then the shorter name comes first."""

    KEY = 0
    """The key, or the town hall's postcode."""
    EXACT = 1
    """The name, with or without designation, or an everyday word."""
    PREFIX = 2
    """The beginning of one of these, or of a key."""
    WORD = 3
    """The beginning of a word in it."""
    WORDS = 4
    """Every word begins one of the name, of what is above the place, or of the service's subject area."""
    WITHIN = 5
    """A part inside a word."""
    SIMILAR = 6
    """Misspelt."""

    @property
    def code(self) -> str:
        return self.name.lower()


WITHIN_FROM = 3
"""Fewer characters inside a word are no hint."""
SIMILAR_FROM = 0.4
"""Least likeness, 0 to 1."""
WHOLE_WORDS = 0.9
"""A question that is like a part of a name alone counts this much of its likeness."""


@dataclass(frozen=True)
class Hit:
    """Something found. id: of authority, boundary or service; word: what people say for it, if that was
    found; likeness: 0 to 1 where misspelt.
    """

    rank: Rank
    id: int
    literal: bool
    weight: int
    folded: str
    likeness: float = 0.0
    word: str | None = None
    boundary: bool = False
    postcode: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        return (
            self.rank,
            -self.likeness,
            not self.literal,
            -self.weight,
            len(self.folded),
            self.folded,
            self.id,
        )
