"""The tables of the register: per audience what its entries add up to, so that a search reads few rows.

All of it is derived from implementations, solutions and publications (refresh.py) and can be made anew.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Boolean, Index, Integer, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, BIT, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from mapservice.domain import BUNDLE_BITS
from mapservice.models import Base


class RegisterEntry(Base):
    """One solution, or the offers without a product's name for one service, as one audience sees it.

    entry_id: the solution's id; of offers without a name the negative id of the service. What the solution
    says of itself (platform … stated_on) is null where the audience may not see it.
    """

    __tablename__ = "register_entry"

    audience: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    entry_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    public_id: Mapped[uuid.UUID]
    name: Mapped[str | None]
    """Null: without a product's name."""
    service_id: Mapped[int | None]
    """Of offers without a name: the bundle, or the service that belongs to none."""
    platform: Mapped[str | None]
    provider_id: Mapped[int | None]
    reusable: Mapped[bool | None]
    conditions: Mapped[str | None]
    costs: Mapped[str | None]
    specialist_systems: Mapped[str | None]
    trust_level: Mapped[int | None] = mapped_column(SmallInteger)
    stated_on: Mapped[dt.date | None]
    """Solution.confirmed_on."""
    demonstration: Mapped[bool] = mapped_column(Boolean)
    users: Mapped[int]
    """Authorities with an entry that is online."""
    coming: Mapped[int]
    """Authorities with an entry in progress or planned, and none online."""
    sharing: Mapped[int]
    """Authorities that say that others may reuse theirs."""
    keeping: Mapped[int]
    """Authorities that say that others may not, and of no entry that they may."""
    kinds: Mapped[int] = mapped_column(SmallInteger)
    """Bit n: domain.SolutionKind n is said of an entry."""
    maturity_11: Mapped[int | None] = mapped_column(SmallInteger)
    maturity_20: Mapped[int | None] = mapped_column(SmallInteger)
    """The highest of its entries in each model."""
    states: Mapped[int]
    """Bit n: an authority of state n uses it, or will; 0 is the federation."""
    bundles: Mapped[str] = mapped_column(BIT(BUNDLE_BITS))
    service_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """The services that entries name, bundles and others."""
    systems: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Specialist systems that entries name."""
    since: Mapped[dt.date | None]
    """The earliest day since when an entry is online."""
    confirmed_on: Mapped[dt.date | None]
    """The latest day on which the solution or an entry was confirmed."""
    folded: Mapped[str]
    """The name, folded; of offers without one that of the service."""
    head: Mapped[str] = mapped_column(TSVECTOR)
    """Words of name, platform, provider and specialist systems."""
    words: Mapped[str] = mapped_column(TSVECTOR)
    """Those, and the words and keys of all services."""

    __table_args__ = (UniqueConstraint("audience", "public_id"),)


class RegisterUser(Base):
    """What one authority's entries say about one entry of the register, as one audience sees it."""

    __tablename__ = "register_user"

    audience: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    entry_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    authority_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    status: Mapped[int] = mapped_column(SmallInteger)
    """The best."""
    sharing: Mapped[bool | None]
    """Whether others may reuse it: true if an entry says so, false if one says no and none yes."""
    kinds: Mapped[int] = mapped_column(SmallInteger)
    maturity_11: Mapped[int | None] = mapped_column(SmallInteger)
    maturity_20: Mapped[int | None] = mapped_column(SmallInteger)
    service_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    systems: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    since: Mapped[dt.date | None]
    confirmed_on: Mapped[dt.date | None]

    __table_args__ = (Index("ix_register_user_authority", "audience", "authority_id"),)


class RegisterWord(Base):
    """A word that an entry of the register has: what a mistyped one is compared with."""

    __tablename__ = "register_word"

    audience: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)
