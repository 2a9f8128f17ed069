"""The table of search terms."""

from __future__ import annotations

import enum

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from mapservice.models import Base


class TermKind(enum.IntEnum):
    """What a term is of its place or service."""

    NAME = 1
    TITLE = 2
    """Name with designation, „Kreis Coesfeld“, or without what tells it apart, „Frankfurt“."""
    KEY = 3
    POSTCODE = 4
    """Of the town hall."""


class SearchTerm(Base):
    """One text by which a place or a service of the catalogue is found, folded (search/folding.py).

    For everybody: it holds nothing but places and services of the catalogue, so it needs no row-level
    security, under which no trigram condition reaches an index. Exactly one of the ids says what is found; a
    boundary stands for itself where it belongs to no authority.
    """

    __tablename__ = "search_term"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    authority_id: Mapped[int | None] = mapped_column(
        ForeignKey("authority.id", ondelete="CASCADE"), index=True
    )
    boundary_id: Mapped[int | None] = mapped_column(ForeignKey("boundary.id", ondelete="CASCADE"), index=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), index=True)
    kind: Mapped[int] = mapped_column(SmallInteger)
    folded: Mapped[str]
    spelled: Mapped[str]
    words: Mapped[str | None] = mapped_column(TSVECTOR)
    """Of names alone: every word by which it is found, those of what is above it included."""
    weight: Mapped[int]
    """Among equals the heavier comes first: higher levels, then more inhabitants; bundles before others."""

    __table_args__ = (
        CheckConstraint("num_nonnulls(authority_id, boundary_id, service_id) = 1", name="one_found"),
        CheckConstraint("kind BETWEEN 1 AND 4", name="kind"),
        Index(
            "ix_search_term_folded",
            "folded",
            postgresql_using="gin",
            postgresql_ops={"folded": "gin_trgm_ops"},
        ),
        Index("ix_search_term_words", "words", postgresql_using="gin"),
        Index("ix_search_term_exact", "folded", postgresql_ops={"folded": "text_pattern_ops"}),
    )
