"""The field's vocabulary, without any input or output.

Codes are stored as smallint: comparison of smallint is leakproof in PostgreSQL, so that indexes serve
under row-level security. German words are what files and pages use.
"""

from __future__ import annotations

import enum
import hashlib
import re
import uuid

ARS_LENGTH = 12
FEDERATION = "000000000000"
OZG_ID_FIRST, OZG_ID_LAST = 10000, 10999
BUNDLE_BITS = OZG_ID_LAST - OZG_ID_FIRST + 1
"""Length of the bit strings over bundles: bit n (from the left, 0-based) is OZG-ID 10000 + n."""


class Level(enum.IntEnum):
    """Levels of boundaries, highest first."""

    STATE = 1
    DISTRICT = 2
    ASSOCIATION = 3
    MUNICIPALITY = 4

    @property
    def plural(self) -> str:
        """The name used in addresses."""
        return _LEVEL_PLURALS[self]

    @classmethod
    def from_plural(cls, name: str) -> Level | None:
        return _LEVELS_BY_PLURAL.get(name)


_LEVEL_PLURALS = {
    Level.STATE: "states",
    Level.DISTRICT: "districts",
    Level.ASSOCIATION: "associations",
    Level.MUNICIPALITY: "municipalities",
}
_LEVELS_BY_PLURAL = {plural: level for level, plural in _LEVEL_PLURALS.items()}


class Status(enum.IntEnum):
    """Status of an implementation, best first."""

    ONLINE = 1
    IN_PROGRESS = 2
    PLANNED = 3
    OPEN = 4
    NOT_RESPONSIBLE = 5

    @property
    def code(self) -> str:
        return self.name.lower()


class Visibility(enum.IntEnum):
    """How far an entry may be seen; the lower of authority and entry counts."""

    INTERNAL = 1
    PARTNERS = 2
    PUBLIC = 3


class Audience(enum.IntEnum):
    """For whom counts and a data version are kept: who sees entries of at least this visibility."""

    INTERNAL = 1
    PUBLIC = 3


class Scope(enum.IntEnum):
    """OWN: the authority's own implementations; AVAILABLE: those of its whole chain."""

    OWN = 1
    AVAILABLE = 2

    @property
    def code(self) -> str:
        return self.name.lower()


class Kind(enum.IntFlag):
    """Kinds of authorities, as `zustaendig` names them. A kreisfreie Stadt is three of them."""

    FEDERATION = 1
    STATE = 2
    DISTRICT = 4
    DISTRICT_FREE_CITY = 8
    ASSOCIATION = 16
    MUNICIPALITY = 32


ALL_KINDS = Kind(63)
KIND_NAMES = {
    Kind.FEDERATION: "Bund",
    Kind.STATE: "Land",
    Kind.DISTRICT: "Kreis",
    Kind.DISTRICT_FREE_CITY: "kreisfreie Stadt",
    Kind.ASSOCIATION: "Verband",
    Kind.MUNICIPALITY: "Gemeinde",
}


class ServiceKind(enum.IntEnum):
    """BUNDLE: OZG-Leistung; LEIKA: LeiKa-Leistung, child of a bundle or none; OWN: `eigen:…`."""

    BUNDLE = 1
    LEIKA = 2
    OWN = 3


class Reason(enum.IntEnum):
    """Why an area has no value. The negative codes are those of the array format."""

    NO_DATA = -1
    NOT_RESPONSIBLE = -2
    UNINCORPORATED = -3

    @property
    def code(self) -> str:
        return self.name.lower()


class ContactKind(enum.IntEnum):
    FUNCTION = 1
    PERSON = 2


class SolutionKind(enum.IntEnum):
    """Lösungsart."""

    EFA = 1
    IN_HOUSE = 2
    REUSE = 3
    SPECIALIST_SYSTEM = 4

    @property
    def code(self) -> str:
        return self.name.lower()


class TrustLevel(enum.IntEnum):
    """Vertrauensniveau."""

    NONE = 0
    LOW = 1
    SUBSTANTIAL = 2
    HIGH = 3


class MaturityModel(enum.IntEnum):
    """Reifegradmodell 1.1 (levels 0 to 4) and 2.0 (0 to 7)."""

    V1_1 = 11
    V2_0 = 20

    @property
    def code(self) -> str:
        """As files and addresses write it: 1.1, 2.0."""
        return f"{self // 10}.{self % 10}"

    @property
    def highest(self) -> int:
        return 4 if self is MaturityModel.V1_1 else 7


class Measure(enum.StrEnum):
    COUNT = "count"
    SHARE = "share"
    STATUS = "status"
    SPREAD = "spread"


SUBJECT_AREAS: tuple[tuple[str, str], ...] = (
    ("arbeit_ruhestand", "Arbeit & Ruhestand"),
    ("bauen_wohnen", "Bauen & Wohnen"),
    ("bildung", "Bildung"),
    ("ein_auswanderung", "Ein- & Auswanderung"),
    ("engagement_hobby", "Engagement & Hobby"),
    ("familie_kind", "Familie & Kind"),
    ("forschung_foerderung", "Forschung & Förderung"),
    ("gesundheit", "Gesundheit"),
    ("mobilitaet_reisen", "Mobilität & Reisen"),
    ("querschnittsleistungen", "Querschnittsleistungen"),
    ("recht_ordnung", "Recht & Ordnung"),
    ("steuern_zoll", "Steuern & Zoll"),
    ("umwelt", "Umwelt"),
    ("unternehmensfuehrung_entwicklung", "Unternehmensführung & -entwicklung"),
)
"""Slug and name of the 14 OZG subject areas; the id in the database is the position, from 1."""


def pad_ars(key: str) -> str:
    """The 12-digit ARS of a key of 2, 3, 5, 9 or 12 digits, padded right with zeros."""
    return key.ljust(ARS_LENGTH, "0")


def ags_of(ars: str) -> str:
    """The 8-digit AGS of a 12-digit ARS: Land, Regierungsbezirk, Kreis, Gemeinde; no association."""
    return ars[0:5] + ars[9:12]


_KEY = re.compile(r"\d{2}|\d{3}|\d{5}|\d{9}|\d{12}")


def is_region_key(key: str) -> bool:
    """Whether the text has the form of a key of a region: 2, 3, 5, 9 or 12 digits (ASCII)."""
    return key.isascii() and _KEY.fullmatch(key) is not None


def is_ozg_id(text: str) -> bool:
    """Whether the text is an OZG-ID, 10000 to 10999."""
    return text.isascii() and text.isdigit() and len(text) == 5 and OZG_ID_FIRST <= int(text) <= OZG_ID_LAST


def is_leika_key(text: str) -> bool:
    """Whether the text is a LeiKa key: 14 digits starting with 99, without spaces."""
    return text.isascii() and text.isdigit() and len(text) == 14 and text.startswith("99")


_IMPLEMENTATIONS = uuid.UUID("6f7a6768-6c61-5e64-8b61-727465000001")


def implementation_id(ars: str, service_key: str, identifier: str = "") -> uuid.UUID:
    """The public id of an implementation: UUID version 5 of its identity.

    The same entry has the same id after being removed and imported again, and in another database.
    """
    return uuid.uuid5(_IMPLEMENTATIONS, f"{ars}\x1f{service_key}\x1f{identifier}")


def implementation_hex(ars: str, service_key: str, identifier: str = "") -> str:
    """implementation_id() as 32 hexadecimal digits, without the objects that make it three times as slow."""
    name = f"{ars}\x1f{service_key}\x1f{identifier}".encode()
    digest = hashlib.sha1(_IMPLEMENTATIONS.bytes + name, usedforsecurity=False).hexdigest()
    # RFC 9562, section 5.5: version 5, variant 10 in the two upper bits
    return f"{digest[:12]}5{digest[13:16]}{'89ab'[int(digest[16], 16) & 3]}{digest[17:32]}"
