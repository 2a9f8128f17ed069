"""Show past days: let the public read the history of what it may see, and index both tables by time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What the public may read of present entries: no personal contact, no run, nothing of internal work. Its rows
# are those of the policy of 0002, by the visibility and publication of today.
COLUMNS = (
    "id, authority_id, service_id, identifier, status, url, solution_kind, solution_id, maturity_model,"
    " maturity, reusable, reuse_note, public_contact, online_since, planned_until, as_of, source, valid_for,"
    " specialist_system, trust_level, demonstration, valid_from"
)
# What counting and row-level security read, so that the rows themselves need not be fetched, in the order in
# which it is put together; without valid_for, whose lists may be longer than an index holds.
_COUNTED = "INCLUDE (service_id, visibility, demonstration) WHERE valid_for IS NULL"
_INDEXES = {
    "ix_implementation_day": f"implementation (authority_id, status, valid_from) {_COUNTED}",
    "ix_implementation_history_day": (
        f"implementation_history (authority_id, status, valid_to, valid_from) {_COUNTED}"
    ),
    "ix_implementation_history_restricted": (
        "implementation_history (authority_id) WHERE valid_for IS NOT NULL"
    ),
    # The moments of change: small, as all rows of an import share theirs.
    "ix_implementation_valid_from": "implementation (valid_from) WHERE valid_for IS NULL",
    "ix_implementation_history_valid_from": "implementation_history (valid_from) WHERE valid_for IS NULL",
    "ix_implementation_history_valid_to": "implementation_history (valid_to) WHERE valid_for IS NULL",
}


def upgrade() -> None:
    public = _public()
    op.execute(f"GRANT SELECT ({COLUMNS}, valid_to) ON implementation_history TO {public}")
    op.execute(f"GRANT SELECT (valid_from) ON implementation TO {public}")
    for name, what in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {what}")
    # A week's import changes two of a hundred rows: room for the next one's should be found before.
    op.execute("ALTER TABLE implementation SET (autovacuum_vacuum_scale_factor = 0.01)")


def downgrade() -> None:
    public = _public()
    op.execute("ALTER TABLE implementation RESET (autovacuum_vacuum_scale_factor)")
    for name in _INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute(f"REVOKE SELECT (valid_from) ON implementation FROM {public}")
    op.execute(f"REVOKE SELECT ({COLUMNS}, valid_to) ON implementation_history FROM {public}")


def _public() -> str:
    bind = op.get_bind()
    database = bind.execute(sa.text("SELECT current_database()")).scalar_one()
    return bind.dialect.identifier_preparer.quote(f"{database}_public")
