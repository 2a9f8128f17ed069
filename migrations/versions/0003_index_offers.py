"""Index offers by what filters of entries ask: kind of solution, maturity, day of confirmation."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With what counting and row-level security read, so that the rows themselves need not be fetched; without
    # valid_for, whose lists may be longer than an index holds.
    op.execute(
        "CREATE INDEX ix_implementation_offer ON implementation (solution_kind, maturity_model, maturity, as_of)"
        " INCLUDE (authority_id, service_id, status, visibility, demonstration)"
        " WHERE status <= 3 AND valid_for IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_implementation_offer")
