"""Find areas by their label point: who is within so many kilometres of an authority."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_boundary_label_point ON boundary USING gist (label_point)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_boundary_label_point")
