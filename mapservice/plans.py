"""Tables of what partners agree on: groups of authorities, and target lists with who takes what.

Every row says how far it may be seen; a group or list is as visible as its most visible row. Which role may
read what is set by the migration (see docs/data-model.md).
"""

from __future__ import annotations

import datetime as dt
import enum

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mapservice.models import Base

MOST_COMPARED = 60
"""Authorities that stand side by side in one comparison."""
_PUBLIC_DESCRIPTION = "CASE WHEN description_visibility = 3 THEN description END"


class Role(enum.IntEnum):
    """What somebody does for a service of a list: brings it about, or is kept informed."""

    IMPLEMENTS = 1
    INFORMED = 2

    @property
    def code(self) -> str:
        return self.name.lower()


class AuthorityGroup(Base):
    """A group of authorities that compare themselves: partners, a comparison ring."""

    __tablename__ = "authority_group"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str | None]
    description_visibility: Mapped[int | None] = mapped_column(SmallInteger)
    """That of the row which the description comes from."""
    public_description: Mapped[str | None] = mapped_column(
        Text, Computed(_PUBLIC_DESCRIPTION, persisted=True)
    )
    visibility: Mapped[int] = mapped_column(SmallInteger)
    """The highest of its members."""
    demonstration: Mapped[bool] = mapped_column(server_default=text("false"))
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))

    __table_args__ = (CheckConstraint("visibility BETWEEN 1 AND 3", name="visibility"),)


class GroupMember(Base):
    """An authority of a group. position: its place in the file, which is that of its column."""

    __tablename__ = "group_member"

    group_id: Mapped[int] = mapped_column(
        ForeignKey("authority_group.id", ondelete="CASCADE"), primary_key=True
    )
    authority_id: Mapped[int] = mapped_column(ForeignKey("authority.id"), primary_key=True, index=True)
    position: Mapped[int]
    visibility: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (CheckConstraint("visibility BETWEEN 1 AND 3", name="visibility"),)


class TargetList(Base):
    """Services that somebody wants to have: the „Top 100“, or any list."""

    __tablename__ = "target_list"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    visibility: Mapped[int] = mapped_column(SmallInteger)
    """The highest of its targets."""
    demonstration: Mapped[bool] = mapped_column(server_default=text("false"))
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))

    __table_args__ = (CheckConstraint("visibility BETWEEN 1 AND 3", name="visibility"),)


class Target(Base):
    """A service of a list. visibility: the highest of the rows that name it."""

    __tablename__ = "target"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("target_list.id", ondelete="CASCADE"))
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    visibility: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (
        Index("uq_target_list_id_service_id", "list_id", "service_id", unique=True),
        CheckConstraint("visibility BETWEEN 1 AND 3", name="visibility"),
    )


class Commitment(Base):
    """Who takes a service of a list (`verantwortlich`): an authority, or somebody as a text, or nobody yet.

    The public sees what is `öffentlich`; what an authority takes, only once the authority is published.
    """

    __tablename__ = "commitment"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id", ondelete="CASCADE"))
    authority_id: Mapped[int | None] = mapped_column(ForeignKey("authority.id"), index=True)
    who: Mapped[str] = mapped_column(server_default="")
    """Who is no authority of the boundary release."""
    role: Mapped[int | None] = mapped_column(SmallInteger)
    due: Mapped[dt.date | None]
    note: Mapped[str | None]
    visibility: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (
        Index(
            "uq_commitment_who",
            "target_id",
            func.coalesce(authority_id, text("0")),
            "who",
            unique=True,
        ),
        CheckConstraint("role BETWEEN 1 AND 2", name="role"),
        CheckConstraint("visibility BETWEEN 1 AND 3", name="visibility"),
        CheckConstraint("authority_id IS NULL OR who = ''", name="authority_or_text"),
    )
