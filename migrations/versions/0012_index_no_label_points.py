"""Drop the index of label points: who is around is found in memory, and nothing else asks for it."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX ix_boundary_label_point")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_boundary_label_point ON boundary USING gist (label_point)")
