"""Keep visibility, history and data versions in the database.

Roles are named after the database (roles are cluster-wide): `<database>_internal` and `<database>_public`
exist already (`mapservice database init`); the owner is whoever runs the migration and is no superuser.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mapservice.domain import SUBJECT_AREAS

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# One definition for the policies, the triggers and the tallies.
PUBLIC = (
    "visibility = 3 AND (demonstration"
    " OR authority_id IN (SELECT p.authority_id FROM publication p WHERE p.visibility = 3))"
)
# A CASE, for which the planner assumes half of the rows; of an equation it expects one in 200, and loops.
VIEWER = "CASE WHEN (SELECT current_setting('mapservice.viewer', true)) = 'all' THEN true ELSE false END"

OPEN_TABLES = (
    "boundary_release",
    "boundary",
    "boundary_shape",
    "boundary_neighbour",
    "geometry_file",
    "subject_area",
    "life_situation",
)
PROTECTED_TABLES = (
    "import_run",
    "import_rejection",
    "publication",
    "service",
    "solution",
    "implementation",
    "implementation_history",
    "tally",
    "data_version",
)
# Not the address of a person, not what only tells of internal work.
AUTHORITY_COLUMNS = (
    "id, ars, ags, name, designation, kinds, chain_kinds, association_id, district_id, state_id, is_current,"
    " population, postcode, website, service_portal, public_contact"
)
IMPLEMENTATION_COLUMNS = (
    "id, authority_id, service_id, identifier, status, url, solution_kind, solution_id, maturity_model,"
    " maturity, reusable, reuse_note, public_contact, online_since, planned_until, as_of, source, valid_for,"
    " specialist_system, trust_level, demonstration"
)
SAID = (
    "authority_id, service_id, identifier, status, url, solution_kind, solution_id, maturity_model, maturity,"
    " reusable, reuse_note, contact, contact_kind, online_since, planned_until, as_of, source, valid_for,"
    " specialist_system, trust_level, visibility, demonstration"
)


def _columns(alias: str, columns: str) -> str:
    return ", ".join(f"{alias}.{name.strip()}" for name in columns.split(","))


VISIBLE_SAID = ", ".join(
    name
    for name in (part.strip() for part in IMPLEMENTATION_COLUMNS.split(","))
    if name not in {"id", "demonstration"}
)


def _public(alias: str) -> str:
    """The public condition over a trigger's transition table."""
    return (
        f"{alias}.visibility = 3 AND ({alias}.demonstration OR {alias}.authority_id IN"
        " (SELECT p.authority_id FROM publication p WHERE p.visibility = 3))"
    )


FUNCTIONS = f"""
CREATE FUNCTION move_data_version(for_audience smallint) RETURNS void LANGUAGE sql AS $$
    UPDATE data_version SET version = version + 1, changed_at = clock_timestamp()
    WHERE audience = for_audience;
$$;

CREATE FUNCTION announce_data_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('mapservice_version', NEW.audience || ':' || NEW.version);
    RETURN NULL;
END $$;

CREATE FUNCTION implementation_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.valid_from := now();
    RETURN NEW;
END $$;

CREATE FUNCTION implementation_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE implementation_history h SET visibility = n.visibility
    FROM new_rows n WHERE h.id = n.id AND h.visibility <> n.visibility;
    IF EXISTS (SELECT FROM new_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF EXISTS (SELECT FROM new_rows n WHERE {_public("n")}) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION implementation_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO implementation_history
        (id, valid_from, valid_to, ended_by_run_id, removed, import_run_id, {SAID})
    SELECT o.id, o.valid_from, now(), n.import_run_id, false, o.import_run_id, {_columns("o", SAID)}
    FROM old_rows o JOIN new_rows n USING (id) WHERE o.valid_from < now();
    UPDATE implementation_history h SET visibility = n.visibility
    FROM new_rows n WHERE h.id = n.id AND h.visibility <> n.visibility;
    IF EXISTS (SELECT FROM new_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    -- An aggregate, not EXISTS: for a first row alone the planner would loop over all pairs of rows.
    IF (
        SELECT bool_or(
            ({_public("o")}) <> ({_public("n")})
            OR ({_public("n")})
                AND ({_columns("o", VISIBLE_SAID)}) IS DISTINCT FROM ({_columns("n", VISIBLE_SAID)})
        )
        FROM old_rows o JOIN new_rows n USING (id)
    ) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION implementation_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO implementation_history
        (id, valid_from, valid_to, ended_by_run_id, removed, import_run_id, {SAID})
    SELECT o.id, o.valid_from, now(), nullif(current_setting('mapservice.run', true), '')::integer, true,
        o.import_run_id, {_columns("o", SAID)}
    FROM old_rows o WHERE o.valid_from < now();
    IF EXISTS (SELECT FROM old_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF EXISTS (SELECT FROM old_rows o WHERE {_public("o")}) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION publication_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    -- Publishing an authority without entries shows the public nothing.
    IF EXISTS (
        SELECT FROM changed_rows c JOIN implementation i ON i.authority_id = c.authority_id
        WHERE c.visibility = 3 AND i.visibility = 3 AND NOT i.demonstration
    ) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION publication_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF (
        SELECT bool_or(EXISTS (
            SELECT FROM implementation i
            WHERE i.authority_id = n.authority_id AND i.visibility = 3 AND NOT i.demonstration
        ))
        FROM old_rows o JOIN new_rows n USING (authority_id)
        WHERE (o.visibility = 3) <> (n.visibility = 3)
    ) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM move_data_version(1::smallint);
    PERFORM move_data_version(3::smallint);
    RETURN NULL;
END $$;

CREATE FUNCTION service_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    -- A service of one's own is known to the public only through an entry that it may see.
    IF EXISTS (SELECT FROM changed_rows c WHERE c.kind <> 3) OR EXISTS (
        SELECT FROM changed_rows c JOIN public_implementation i ON i.service_id = c.id
    ) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION solution_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF EXISTS (SELECT FROM changed_rows c JOIN public_implementation i ON i.solution_id = c.id) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION authority_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        PERFORM move_data_version(1::smallint);
    END IF;
    IF (
        SELECT bool_or(
            ({_columns("o", AUTHORITY_COLUMNS)}) IS DISTINCT FROM ({_columns("n", AUTHORITY_COLUMNS)})
        )
        FROM old_rows o JOIN new_rows n USING (id)
    ) THEN
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION boundary_release_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(NEW.complete, OLD.complete) AND NEW IS DISTINCT FROM OLD THEN
        PERFORM move_data_version(1::smallint);
        PERFORM move_data_version(3::smallint);
    END IF;
    RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER announce AFTER UPDATE ON data_version
    FOR EACH ROW EXECUTE FUNCTION announce_data_version();
CREATE TRIGGER stamp BEFORE UPDATE ON implementation
    FOR EACH ROW EXECUTE FUNCTION implementation_stamp();
CREATE TRIGGER inserted AFTER INSERT ON implementation REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION implementation_inserted();
CREATE TRIGGER updated AFTER UPDATE ON implementation
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION implementation_updated();
CREATE TRIGGER deleted AFTER DELETE ON implementation REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION implementation_deleted();
CREATE TRIGGER inserted AFTER INSERT ON publication REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION publication_changed();
CREATE TRIGGER updated AFTER UPDATE ON publication REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION publication_updated();
CREATE TRIGGER deleted AFTER DELETE ON publication REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION publication_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON life_situation
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER inserted AFTER INSERT ON service REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION service_changed();
CREATE TRIGGER updated AFTER UPDATE ON service REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION service_changed();
CREATE TRIGGER deleted AFTER DELETE ON service REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION service_changed();
CREATE TRIGGER updated AFTER UPDATE ON solution REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION solution_changed();
CREATE TRIGGER deleted AFTER DELETE ON solution REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION solution_changed();
CREATE TRIGGER changed AFTER UPDATE ON authority
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION authority_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON boundary_release
    FOR EACH ROW EXECUTE FUNCTION boundary_release_changed();
"""


def upgrade() -> None:
    bind = op.get_bind()
    database, owner = bind.execute(sa.text("SELECT current_database(), current_user")).one()
    quote = bind.dialect.identifier_preparer.quote
    internal, public, owner = (quote(name) for name in (f"{database}_internal", f"{database}_public", owner))

    # The owner's own view of what the public may see: for triggers and tallies, not for other roles.
    op.execute(f"CREATE VIEW public_implementation AS SELECT * FROM implementation WHERE {PUBLIC}")
    op.execute(FUNCTIONS)
    op.execute(TRIGGERS)

    op.execute(f"GRANT USAGE ON SCHEMA public TO {internal}, {public}")
    for table in (*OPEN_TABLES, "authority", *PROTECTED_TABLES):
        op.execute(f"GRANT SELECT ON {table} TO {internal}")
    for table in (*OPEN_TABLES, "publication", "service", "solution", "tally", "data_version"):
        op.execute(f"GRANT SELECT ON {table} TO {public}")
    op.execute(f"GRANT SELECT ({AUTHORITY_COLUMNS}) ON authority TO {public}")
    op.execute(f"GRANT SELECT ({IMPLEMENTATION_COLUMNS}) ON implementation TO {public}")

    for table in PROTECTED_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY owner ON {table} TO {owner} USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY viewer ON {table} FOR SELECT TO {internal} USING ({VIEWER})")
    public_rows = {
        "implementation": PUBLIC,
        "implementation_history": PUBLIC,
        "publication": "visibility = 3",
        "tally": "audience = 3",
        "data_version": "audience = 3",
        # A scalar subquery stays a look-up by index for each row; EXISTS may become a scan of all entries.
        "service": "kind <> 3 OR (SELECT true FROM implementation i WHERE i.service_id = service.id LIMIT 1)",
        "solution": "(SELECT true FROM implementation i WHERE i.solution_id = solution.id LIMIT 1)",
    }
    for table, condition in public_rows.items():
        op.execute(f"CREATE POLICY public_rows ON {table} FOR SELECT TO {public} USING ({condition})")

    op.bulk_insert(
        sa.table("subject_area", sa.column("id"), sa.column("slug"), sa.column("name")),
        [{"id": n, "slug": slug, "name": name} for n, (slug, name) in enumerate(SUBJECT_AREAS, 1)],
    )
    op.execute("INSERT INTO data_version (audience) VALUES (1), (3)")
    op.execute(
        "INSERT INTO authority (ars, name, designation, kinds, chain_kinds)"
        " VALUES ('000000000000', 'Bundesrepublik Deutschland', 'Bund', 1, 1)"
    )


def downgrade() -> None:
    bind = op.get_bind()
    database = bind.execute(sa.text("SELECT current_database()")).scalar_one()
    quote = bind.dialect.identifier_preparer.quote
    internal, public = (quote(name) for name in (f"{database}_internal", f"{database}_public"))
    tables = {
        "announce": ["data_version"],
        "stamp": ["implementation"],
        "inserted": ["implementation", "service", "publication"],
        "updated": ["implementation", "service", "publication", "solution"],
        "deleted": ["implementation", "service", "publication", "solution"],
        "changed": ["life_situation", "authority", "boundary_release"],
    }
    for name, on in tables.items():
        for table in on:
            op.execute(f"DROP TRIGGER {name} ON {table}")
    for table in PROTECTED_TABLES:
        for policy in ("owner", "viewer", "public_rows"):
            op.execute(f"DROP POLICY IF EXISTS {policy} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in (*OPEN_TABLES, "authority", *PROTECTED_TABLES):
        op.execute(f"REVOKE ALL ON {table} FROM {internal}, {public}")
    for column_table, columns in (
        ("authority", AUTHORITY_COLUMNS),
        ("implementation", IMPLEMENTATION_COLUMNS),
    ):
        op.execute(f"REVOKE SELECT ({columns}) ON {column_table} FROM {public}")
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {internal}, {public}")
    for function in (
        "service_changed",
        "solution_changed",
        "publication_changed",
        "publication_updated",
        "catalogue_changed",
        "authority_changed",
        "boundary_release_changed",
        "implementation_inserted",
        "implementation_updated",
        "implementation_deleted",
        "implementation_stamp",
        "announce_data_version",
    ):
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION move_data_version(smallint)")
    op.execute("DROP VIEW public_implementation")
    op.execute("DELETE FROM data_version")
    op.execute("DELETE FROM subject_area")
    op.execute("DELETE FROM authority WHERE ars = '000000000000'")
