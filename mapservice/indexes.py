"""Indexes that tables have in common (models.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, text


def by_time(table: str, *moments: str) -> tuple[Index, ...]:
    """What past days read: all that counting them needs, and the moments of change."""
    everywhere = text("valid_for IS NULL")
    included = ["service_id", "visibility", "demonstration"]
    counted: dict[str, Any] = {"postgresql_include": included, "postgresql_where": everywhere}
    return (
        Index(f"ix_{table}_day", "authority_id", "status", *moments, **counted),
        *(Index(f"ix_{table}_{name}", name, postgresql_where=everywhere) for name in moments),
        Index(f"ix_{table}_restricted", "authority_id", postgresql_where=text("valid_for IS NOT NULL")),
    )


def offers() -> Index:
    """All that counting by kind, maturity or day needs, row-level security included: no row is fetched.

    Without valid_for, whose lists may be longer than an index holds.
    """
    return Index(
        "ix_implementation_offer",
        *("solution_kind", "maturity_model", "maturity", "as_of"),
        postgresql_include=["authority_id", "service_id", "status", "visibility", "demonstration"],
        postgresql_where=text("status <= 3 AND valid_for IS NULL"),
    )
