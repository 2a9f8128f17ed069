"""Keep a register of solutions per audience, and let only statements that were released be read.

The tables are copies behind a policy on `audience` (mapservice/register/refresh.py makes them): under row-level
security no search condition reaches an index, and sums over entries would look at millions. What a solution says of itself
is for the public once it is `öffentlich` and its provider, if it names one, is published; its name goes with
every entry that names it, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BIT, TSVECTOR, UUID

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("register_entry", "register_user", "register_word")
# As in 0002, where the reason stands.
VIEWER = "CASE WHEN (SELECT current_setting('mapservice.viewer', true)) = 'all' THEN true ELSE false END"
# Of a solution: what says no more than the entry that names it.
NAME_COLUMNS = "id, public_id, name, demonstration"

FUNCTIONS = """
CREATE FUNCTION register_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows WHERE audience = 1) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF EXISTS (SELECT FROM changed_rows WHERE audience = 3) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

-- What the public sees of a solution besides its name stands in the register, whose trigger moves its number.
CREATE OR REPLACE FUNCTION solution_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER inserted AFTER INSERT ON register_entry REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION register_changed();
CREATE TRIGGER updated AFTER UPDATE ON register_entry REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION register_changed();
CREATE TRIGGER deleted AFTER DELETE ON register_entry REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION register_changed();
"""
BEFORE = """
CREATE OR REPLACE FUNCTION solution_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF EXISTS (SELECT FROM changed_rows c JOIN public_implementation i ON i.solution_id = c.id) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;
"""


def _roles() -> tuple[str, str, str]:
    bind = op.get_bind()
    database, owner = bind.execute(sa.text("SELECT current_database(), current_user")).one()
    quote = bind.dialect.identifier_preparer.quote
    return quote(owner), quote(f"{database}_internal"), quote(f"{database}_public")


def upgrade() -> None:
    owner, internal, public = _roles()
    op.add_column("solution", sa.Column("visibility", sa.SmallInteger, nullable=False, server_default="1"))
    _create_tables()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"GRANT SELECT ON {table} TO {internal}, {public}")
        op.execute(f"CREATE POLICY owner ON {table} TO {owner} USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY viewer ON {table} FOR SELECT TO {internal} USING ({VIEWER})")
        op.execute(f"CREATE POLICY public_rows ON {table} FOR SELECT TO {public} USING (audience = 3)")
    op.execute(f"REVOKE SELECT ON solution FROM {public}")
    op.execute(f"GRANT SELECT ({NAME_COLUMNS}) ON solution TO {public}")
    op.execute(FUNCTIONS)
    # "New online" reads the newest first and stops, row-level security or not.
    op.create_index(
        "ix_implementation_online_since",
        "implementation",
        [sa.text("online_since DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("status = 1 AND online_since IS NOT NULL"),
    )


def _create_tables() -> None:
    op.create_table(
        "register_entry",
        sa.Column("audience", sa.SmallInteger, nullable=False),
        sa.Column("entry_id", sa.Integer, nullable=False),
        sa.Column("public_id", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("service_id", sa.Integer),
        sa.Column("platform", sa.Text),
        sa.Column("provider_id", sa.Integer),
        sa.Column("reusable", sa.Boolean),
        sa.Column("conditions", sa.Text),
        sa.Column("costs", sa.Text),
        sa.Column("specialist_systems", sa.Text),
        sa.Column("trust_level", sa.SmallInteger),
        sa.Column("stated_on", sa.Date),
        sa.Column("demonstration", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("users", "coming", "sharing", "keeping")),
        sa.Column("kinds", sa.SmallInteger, nullable=False),
        sa.Column("maturity_11", sa.SmallInteger),
        sa.Column("maturity_20", sa.SmallInteger),
        sa.Column("states", sa.Integer, nullable=False),
        sa.Column("bundles", BIT(1000), nullable=False),
        sa.Column("service_ids", ARRAY(sa.Integer), nullable=False),
        sa.Column("systems", ARRAY(sa.Text), nullable=False),
        sa.Column("since", sa.Date),
        sa.Column("confirmed_on", sa.Date),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("head", TSVECTOR, nullable=False),
        sa.Column("words", TSVECTOR, nullable=False),
        sa.PrimaryKeyConstraint("audience", "entry_id", name="pk_register_entry"),
        sa.UniqueConstraint("audience", "public_id", name="uq_register_entry_audience_public_id"),
    )
    op.create_table(
        "register_user",
        sa.Column("audience", sa.SmallInteger, nullable=False),
        sa.Column("entry_id", sa.Integer, nullable=False),
        sa.Column("authority_id", sa.Integer, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("sharing", sa.Boolean),
        sa.Column("kinds", sa.SmallInteger, nullable=False),
        sa.Column("maturity_11", sa.SmallInteger),
        sa.Column("maturity_20", sa.SmallInteger),
        sa.Column("service_ids", ARRAY(sa.Integer), nullable=False),
        sa.Column("systems", ARRAY(sa.Text)),
        sa.Column("since", sa.Date),
        sa.Column("confirmed_on", sa.Date),
        sa.PrimaryKeyConstraint("audience", "entry_id", "authority_id", name="pk_register_user"),
    )
    op.create_index("ix_register_user_authority", "register_user", ["audience", "authority_id"])
    op.create_table(
        "register_word",
        sa.Column("audience", sa.SmallInteger, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("audience", "word", name="pk_register_word"),
    )


def downgrade() -> None:
    _owner, _internal, public = _roles()
    op.drop_index("ix_implementation_online_since", "implementation")
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION register_changed()")
    op.execute(BEFORE)
    op.execute(f"REVOKE SELECT ({NAME_COLUMNS}) ON solution FROM {public}")
    op.execute(f"GRANT SELECT ON solution TO {public}")
    op.drop_column("solution", "visibility")
