"""Keep groups of authorities and target lists, each row with its own visibility.

The public reads rows that say `öffentlich`; a service of one's own only where it may see the service; what an
authority takes only once the authority is published. Triggers move the data version of who can see a change.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Once for the policies and once for the triggers, whose owner sees all rows.
SERVICE_SEEN = "(SELECT true FROM service s WHERE s.id = {row}.service_id)"
SERVICE_PUBLIC = (
    "(SELECT s.kind <> 3 OR EXISTS (SELECT FROM public_implementation i WHERE i.service_id = s.id)"
    " FROM service s WHERE s.id = {row}.service_id)"
)
PUBLISHED = (
    "({row}.authority_id IS NULL OR l.demonstration OR {row}.authority_id IN"
    " (SELECT p.authority_id FROM publication p WHERE p.visibility = 3))"
)
COMMITMENT_SEEN = (
    "(SELECT true FROM target t JOIN target_list l ON l.id = t.list_id"
    f" WHERE t.id = {{row}}.target_id AND {PUBLISHED})"
)
COMMITMENT_PUBLIC = (
    "(SELECT t.visibility = 3 AND "
    + SERVICE_PUBLIC.format(row="t")
    + f" AND {PUBLISHED} FROM target t JOIN target_list l ON l.id = t.list_id WHERE t.id = {{row}}.target_id)"
)


class Table(NamedTuple):
    """seen: what beside the row's visibility the policy asks; public: the same for triggers, who see all; key:
    what tells rows apart; columns: what the public may read, None for all but `visibility` and the run.
    """

    name: str
    key: str
    columns: str
    seen: str = "true"
    public: str = "true"


TABLES = (
    Table("authority_group", "id", "id, key, name, public_description, demonstration"),
    Table("group_member", "group_id, authority_id", "group_id, authority_id, position"),
    Table("target_list", "id", "id, key, name, demonstration"),
    Table("target", "id", "id, list_id, service_id, position", SERVICE_SEEN, SERVICE_PUBLIC),
    Table(
        "commitment",
        "id",
        "id, target_id, authority_id, who, role, due, note",
        COMMITMENT_SEEN,
        COMMITMENT_PUBLIC,
    ),
)


def _row(alias: str, columns: str) -> str:
    return "ROW(" + ", ".join(f"{alias}.{name.strip()}" for name in columns.split(",")) + ")"


def _public(table: Table, alias: str) -> str:
    return f"({alias}.visibility = 3 AND coalesce({table.public.format(row=alias)}, false))"


def _function(name: str, rows: str, public: str) -> str:
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM {rows}) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF EXISTS ({public}) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;
"""


def _triggers(table: Table) -> str:
    name = table.name
    updated = (
        f"SELECT FROM old_rows o JOIN new_rows n USING ({table.key})"
        f" WHERE {_public(table, 'o')} <> {_public(table, 'n')}"
        f" OR {_public(table, 'n')} AND {_row('o', table.columns)} IS DISTINCT FROM {_row('n', table.columns)}"
    )
    return (
        _function(f"{name}_inserted", "new_rows", f"SELECT FROM new_rows n WHERE {_public(table, 'n')}")
        + _function(f"{name}_updated", "new_rows", updated)
        + _function(f"{name}_deleted", "old_rows", f"SELECT FROM old_rows o WHERE {_public(table, 'o')}")
        + f"""
CREATE TRIGGER inserted AFTER INSERT ON {name} REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {name}_inserted();
CREATE TRIGGER updated AFTER UPDATE ON {name} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {name}_updated();
CREATE TRIGGER deleted AFTER DELETE ON {name} REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {name}_deleted();
"""
    )


# Publishing an authority, or taking that back, shows or hides what it takes. The internal version is moved by
# the triggers that the table has already.
_TAKEN = """
    SELECT FROM {rows} JOIN commitment k ON k.authority_id = {changed}.authority_id AND k.visibility = 3
    JOIN target t ON t.id = k.target_id AND t.visibility = 3
    JOIN target_list l ON l.id = t.list_id AND NOT l.demonstration
    WHERE {condition}
"""
PUBLICATION = f"""
CREATE FUNCTION publication_shows_commitments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS ({_TAKEN.format(rows="changed_rows c", changed="c", condition="c.visibility = 3")}) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION publication_updates_commitments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS ({
    _TAKEN.format(
        rows="old_rows o JOIN new_rows n USING (authority_id)",
        changed="n",
        condition="(o.visibility = 3) <> (n.visibility = 3)",
    )
}) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER inserted_commitments AFTER INSERT ON publication REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION publication_shows_commitments();
CREATE TRIGGER updated_commitments AFTER UPDATE ON publication
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION publication_updates_commitments();
CREATE TRIGGER deleted_commitments AFTER DELETE ON publication REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION publication_shows_commitments();
"""
VIEWER = "CASE WHEN (SELECT current_setting('mapservice.viewer', true)) = 'all' THEN true ELSE false END"


def upgrade() -> None:
    _create_tables()
    bind = op.get_bind()
    database, owner = bind.execute(sa.text("SELECT current_database(), current_user")).one()
    quote = bind.dialect.identifier_preparer.quote
    internal, public, owner = (quote(name) for name in (f"{database}_internal", f"{database}_public", owner))
    for table in TABLES:
        op.execute(_triggers(table))
        op.execute(f"GRANT SELECT ON {table.name} TO {internal}")
        op.execute(f"GRANT SELECT ({table.columns}) ON {table.name} TO {public}")
        op.execute(f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY owner ON {table.name} TO {owner} USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY viewer ON {table.name} FOR SELECT TO {internal} USING ({VIEWER})")
        seen = f"visibility = 3 AND {table.seen.format(row=table.name)}"
        op.execute(f"CREATE POLICY public_rows ON {table.name} FOR SELECT TO {public} USING ({seen})")
    op.execute(PUBLICATION)


def _create_tables() -> None:
    op.create_table(
        "authority_group",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("description_visibility", sa.SmallInteger(), nullable=True),
        sa.Column(
            "public_description",
            sa.Text(),
            sa.Computed("CASE WHEN description_visibility = 3 THEN description END", persisted=True),
            nullable=True,
        ),
        *_common("authority_group"),
    )
    op.create_table(
        "group_member",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "authority_id", name=op.f("pk_group_member")),
        _visibility("group_member"),
        _foreign_key("group_member", "group_id", "authority_group", cascade=True),
        _foreign_key("group_member", "authority_id", "authority"),
    )
    op.create_index(op.f("ix_group_member_authority_id"), "group_member", ["authority_id"])
    op.create_table(
        "target_list",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *_common("target_list"),
    )
    op.create_table(
        "target",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
        _visibility("target"),
        _foreign_key("target", "list_id", "target_list", cascade=True),
        _foreign_key("target", "service_id", "service", cascade=True),
    )
    op.create_index("uq_target_list_id_service_id", "target", ["list_id", "service_id"], unique=True)
    op.create_index(op.f("ix_target_service_id"), "target", ["service_id"])
    op.create_table(
        "commitment",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=True),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("visibility", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment")),
        sa.CheckConstraint("role BETWEEN 1 AND 2", name=op.f("ck_commitment_role")),
        sa.CheckConstraint("authority_id IS NULL OR who = ''", name=op.f("ck_commitment_authority_or_text")),
        _visibility("commitment"),
        _foreign_key("commitment", "target_id", "target", cascade=True),
        _foreign_key("commitment", "authority_id", "authority"),
    )
    op.create_index(
        "uq_commitment_who",
        "commitment",
        ["target_id", sa.text("coalesce(authority_id, 0)"), "who"],
        unique=True,
    )
    op.create_index(op.f("ix_commitment_authority_id"), "commitment", ["authority_id"])


def _common(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("visibility", sa.SmallInteger(), nullable=False),
        sa.Column("demonstration", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("import_run_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("key", name=op.f(f"uq_{table}_key")),
        _visibility(table),
        _foreign_key(table, "import_run_id", "import_run"),
    )


def _visibility(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint("visibility BETWEEN 1 AND 3", name=op.f(f"ck_{table}_visibility"))


def _foreign_key(table: str, column: str, to: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{to}.id"],
        name=op.f(f"fk_{table}_{column}_{to}"),
        ondelete="CASCADE" if cascade else None,
    )


def downgrade() -> None:
    for name in ("inserted", "updated", "deleted"):
        op.execute(f"DROP TRIGGER {name}_commitments ON publication")
    op.execute("DROP FUNCTION publication_shows_commitments(), publication_updates_commitments()")
    # A policy that names another table holds it.
    op.execute("DROP POLICY public_rows ON commitment")
    for table in reversed(TABLES):
        op.drop_table(table.name)
        names = ", ".join(f"{table.name}_{done}()" for done in ("inserted", "updated", "deleted"))
        op.execute(f"DROP FUNCTION {names}")
