"""One spelling for all ways of writing a name, and how like each other two texts are.

The same folding makes the terms in the database and the words of a question, so it exists once.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 100
"""Characters of a question that count; more can be no name."""
MOST_WORDS = 8
_UMLAUT = re.compile("([aou])e")
_LABEL = re.compile(r"\s*(?:ozg-id|ozg|leika|ars|ags|plz)\b[\s:-]*", re.IGNORECASE)
"""What people write before a key."""
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def _plain(text: str) -> str:
    """Without marks, in words of letters and digits with one blank between them."""
    decomposed = unicodedata.normalize("NFKD", text)
    kept = "".join(
        character if character.isalnum() else " "
        for character in decomposed
        if not unicodedata.combining(character)
    )
    return " ".join(kept.split())


def fold(text: str) -> str:
    """„Münster“, „Muenster“ and „MUNSTER“ as `munster`, „Straße“ as `strasse`.

    ä and ae both become a, and so on, on both sides of every comparison; what begins a text also begins the
    folded text, so that typing ahead works.
    """
    return _UMLAUT.sub(r"\1", _plain(text.casefold()))


def spell(text: str) -> str:
    """„Münster“ as `muenster`, „Munster“ as `munster`: tells apart what fold() makes the same."""
    return _plain(unicodedata.normalize("NFC", text.casefold()).translate(_SPELLED))


def question(text: str) -> str:
    """What a question is made of: its first LONGEST characters and MOST_WORDS words, folded."""
    return " ".join(fold(text[:LONGEST]).split()[:MOST_WORDS])


def digits(text: str) -> str:
    """The digits of a question that is a key, with or without blanks; else nothing."""
    joined = "".join(_LABEL.sub("", text[:LONGEST]).split())
    return joined if joined.isascii() and joined.isdigit() else ""


def trigrams(folded: str) -> frozenset[str]:
    """As pg_trgm has them: two blanks before each word, one after."""
    return frozenset(
        padded[at : at + 3]
        for word in folded.split()
        for padded in (f"  {word} ",)
        for at in range(len(padded) - 2)
    )


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared trigrams over all, 0 to 1, as pg_trgm's similarity()."""
    return len(one & other) / len(one | other) if one and other else 0.0
