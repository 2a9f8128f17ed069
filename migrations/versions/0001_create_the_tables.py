"""Create the tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _authorities()
    _boundaries()
    _catalogue()
    _entries()


def _runs() -> None:
    """What imports were run, and the versions of the data."""
    op.create_table(
        "data_version",
        sa.Column("audience", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("demonstration", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("audience", name=op.f("pk_data_version")),
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("files", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=True),
        sa.Column(
            "options", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "report", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'refused', 'failed')", name=op.f("ck_import_run_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    _index("import_run", "checksum")
    op.create_table(
        "import_rejection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_run_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=True),
        _refers("import_rejection", "import_run_id", "import_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rejection")),
    )
    _index("import_rejection", "import_run_id")


def _authorities() -> None:
    """Authorities, and which are public."""
    op.create_table(
        "authority",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("ars", sa.Text(), nullable=False),
        sa.Column("ags", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("designation", sa.Text(), nullable=True),
        sa.Column("kinds", sa.SmallInteger(), nullable=False),
        sa.Column("chain_kinds", sa.SmallInteger(), nullable=False),
        sa.Column("association_id", sa.Integer(), nullable=True),
        sa.Column("district_id", sa.Integer(), nullable=True),
        sa.Column("state_id", sa.Integer(), nullable=True),
        sa.Column("is_current", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("service_portal", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("contact_kind", sa.SmallInteger(), nullable=True),
        sa.Column(
            "public_contact",
            sa.Text(),
            sa.Computed("CASE WHEN contact_kind = 1 THEN contact END", persisted=True),
            nullable=True,
        ),
        sa.CheckConstraint("ars ~ '^[0-9]{12}$'", name=op.f("ck_authority_ars")),
        _refers("authority", "association_id", "authority"),
        _refers("authority", "district_id", "authority"),
        _refers("authority", "state_id", "authority"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority")),
        sa.UniqueConstraint("ars", name=op.f("uq_authority_ars")),
    )
    _index("authority", "ags")
    _index("authority", "association_id")
    _index("authority", "district_id")
    _index("authority", "state_id")
    op.create_table(
        "publication",
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.SmallInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("import_run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("visibility BETWEEN 1 AND 3", name=op.f("ck_publication_visibility")),
        _refers("publication", "authority_id", "authority"),
        _refers("publication", "import_run_id", "import_run"),
        sa.PrimaryKeyConstraint("authority_id", name=op.f("pk_publication")),
    )


def _boundaries() -> None:
    """Areas, their generalised shapes, and files made of them."""
    op.create_table(
        "boundary_release",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("licence_url", sa.Text(), nullable=True),
        sa.Column("attribution", sa.Text(), nullable=False),
        sa.Column("attribution_url", sa.Text(), nullable=True),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("crs", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("import_run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "complete OR NOT is_current", name=op.f("ck_boundary_release_current_is_complete")
        ),
        _refers("boundary_release", "import_run_id", "import_run"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boundary_release")),
    )
    op.create_index(
        "uq_boundary_release_current",
        "boundary_release",
        ["is_current"],
        unique=True,
        postgresql_where=sa.text("is_current"),
    )
    op.create_geospatial_table(
        "boundary",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ars", sa.Text(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=True),
        sa.Column("kinds", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("designation", sa.Text(), nullable=True),
        sa.Column("state_id", sa.Integer(), nullable=True),
        sa.Column("district_id", sa.Integer(), nullable=True),
        sa.Column("association_id", sa.Integer(), nullable=True),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=False),
        _geometry("label_point", "POINT", srid=4326),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        _geometry("geom", "MULTIPOLYGON", srid=-1),
        _refers("boundary", "association_id", "boundary", ondelete="CASCADE"),
        _refers("boundary", "authority_id", "authority"),
        _refers("boundary", "district_id", "boundary", ondelete="CASCADE"),
        _refers("boundary", "release_id", "boundary_release", ondelete="CASCADE"),
        _refers("boundary", "state_id", "boundary", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boundary")),
        sa.UniqueConstraint("release_id", "level", "key", name=op.f("uq_boundary_release_id_level_key")),
        sa.UniqueConstraint(
            "release_id", "level", "ordinal", name=op.f("uq_boundary_release_id_level_ordinal")
        ),
    )
    _index("boundary", "ars")
    _index("boundary", "association_id")
    _index("boundary", "authority_id")
    _index("boundary", "district_id")
    _index("boundary", "state_id")
    op.create_geospatial_table(
        "boundary_shape",
        sa.Column("boundary_id", sa.Integer(), nullable=False),
        sa.Column("detail", sa.SmallInteger(), nullable=False),
        _geometry("geom", "MULTIPOLYGON", srid=4326),
        sa.Column("geojson", sa.Text(), nullable=False),
        sa.CheckConstraint("detail IN (100, 300, 1000)", name=op.f("ck_boundary_shape_detail")),
        _refers("boundary_shape", "boundary_id", "boundary", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("boundary_id", "detail", name=op.f("pk_boundary_shape")),
    )
    op.create_geospatial_index(
        "ix_boundary_shape_geom",
        "boundary_shape",
        ["geom"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_table(
        "boundary_neighbour",
        sa.Column("boundary_id", sa.Integer(), nullable=False),
        sa.Column("neighbour_id", sa.Integer(), nullable=False),
        sa.Column("shared_m", sa.REAL(), nullable=False),
        _refers("boundary_neighbour", "boundary_id", "boundary", ondelete="CASCADE"),
        _refers("boundary_neighbour", "neighbour_id", "boundary", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("boundary_id", "neighbour_id", name=op.f("pk_boundary_neighbour")),
    )
    _index("boundary_neighbour", "neighbour_id")
    op.create_table(
        "geometry_file",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("detail", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("brotli", sa.LargeBinary(), nullable=False),
        sa.Column("gzip", sa.LargeBinary(), nullable=False),
        _refers("geometry_file", "release_id", "boundary_release", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", "release_id", name=op.f("pk_geometry_file")),
        sa.UniqueConstraint(
            "release_id", "level", "detail", name=op.f("uq_geometry_file_release_id_level_detail")
        ),
    )


def _catalogue() -> None:
    """Subject areas, situations, services and solutions."""
    op.create_table(
        "subject_area",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject_area")),
        sa.UniqueConstraint("name", name=op.f("uq_subject_area_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_subject_area_slug")),
    )
    op.create_table(
        "life_situation",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("subject_area_id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _refers("life_situation", "subject_area_id", "subject_area"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_life_situation")),
        sa.UniqueConstraint("subject_area_id", "name", name=op.f("uq_life_situation_subject_area_id_name")),
    )
    op.create_table(
        "service",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("subject_area_id", sa.SmallInteger(), nullable=True),
        sa.Column("life_situation_id", sa.Integer(), nullable=True),
        sa.Column("leika_type", sa.Text(), nullable=True),
        sa.Column("declared_kinds", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("responsible", sa.SmallInteger(), server_default="63", nullable=False),
        sa.Column("bit", postgresql.BIT(length=1000), nullable=True),
        sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("demonstration", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("(kind = 1) = (bit IS NOT NULL)", name=op.f("ck_service_bit_of_bundles")),
        sa.CheckConstraint("kind BETWEEN 1 AND 3", name=op.f("ck_service_kind")),
        sa.CheckConstraint("responsible BETWEEN 1 AND 63", name=op.f("ck_service_responsible")),
        _refers("service", "life_situation_id", "life_situation"),
        _refers("service", "parent_id", "service"),
        _refers("service", "subject_area_id", "subject_area"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("key", name=op.f("uq_service_key")),
    )
    _index("service", "parent_id")
    op.create_table(
        "solution",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("reusable", sa.Boolean(), nullable=True),
        sa.Column("conditions", sa.Text(), nullable=True),
        sa.Column("costs", sa.Text(), nullable=True),
        sa.Column("specialist_systems", sa.Text(), nullable=True),
        sa.Column("trust_level", sa.SmallInteger(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("demonstration", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _refers("solution", "provider_id", "authority"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solution")),
        sa.UniqueConstraint("public_id", name=op.f("uq_solution_public_id")),
    )
    op.create_index(
        "uq_solution_name", "solution", [sa.literal_column("lower(name)"), "demonstration"], unique=True
    )


def _entries() -> None:
    """What authorities offer, now and before, and counts of it."""
    op.create_table(
        "implementation",
        sa.Column("id", sa.UUID(), nullable=False),
        *_said(),
        sa.Column("valid_from", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *_of_whom(),
        sa.CheckConstraint("url ~* '^https?://'", name=op.f("ck_implementation_url")),
        sa.CheckConstraint(
            "(maturity IS NULL) = (maturity_model IS NULL)", name=op.f("ck_implementation_maturity_has_model")
        ),
        sa.CheckConstraint(
            "contact IS NULL OR contact_kind IN (1, 2)", name=op.f("ck_implementation_contact_kind")
        ),
        sa.CheckConstraint(
            "maturity BETWEEN 0 AND CASE maturity_model WHEN 11 THEN 4 WHEN 20 THEN 7 END",
            name=op.f("ck_implementation_maturity"),
        ),
        sa.CheckConstraint("status BETWEEN 1 AND 5", name=op.f("ck_implementation_status")),
        sa.CheckConstraint("visibility BETWEEN 1 AND 3", name=op.f("ck_implementation_visibility")),
        _refers("implementation", "authority_id", "authority"),
        _refers("implementation", "import_run_id", "import_run"),
        _refers("implementation", "service_id", "service"),
        _refers("implementation", "solution_id", "solution"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_implementation")),
        sa.UniqueConstraint(
            "authority_id",
            "service_id",
            "identifier",
            name=op.f("uq_implementation_authority_id_service_id_identifier"),
        ),
    )
    op.create_index(
        "ix_implementation_demonstration",
        "implementation",
        ["id"],
        unique=False,
        postgresql_where=sa.text("demonstration"),
    )
    op.create_index(
        "ix_implementation_restricted",
        "implementation",
        ["authority_id"],
        unique=False,
        postgresql_where=sa.text("valid_for IS NOT NULL"),
    )
    _index("implementation", "service_id")
    _index("implementation", "solution_id")
    op.create_table(
        "implementation_history",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by_run_id", sa.Integer(), nullable=True),
        sa.Column("removed", sa.Boolean(), nullable=False),
        *_said(),
        *_of_whom(),
        _refers("implementation_history", "authority_id", "authority"),
        _refers("implementation_history", "ended_by_run_id", "import_run"),
        _refers("implementation_history", "import_run_id", "import_run"),
        _refers("implementation_history", "service_id", "service"),
        _refers("implementation_history", "solution_id", "solution"),
        sa.PrimaryKeyConstraint("id", "valid_from", name=op.f("pk_implementation_history")),
    )
    op.create_index(
        "ix_implementation_history_authority_id_service_id",
        "implementation_history",
        ["authority_id", "service_id"],
        unique=False,
    )
    _index("implementation_history", "ended_by_run_id")
    _index("implementation_history", "service_id")
    _index("implementation_history", "solution_id")
    op.create_table(
        "tally",
        sa.Column("audience", sa.SmallInteger(), nullable=False),
        sa.Column("scope", sa.SmallInteger(), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("online", postgresql.BIT(length=1000), nullable=False),
        sa.Column("in_progress", postgresql.BIT(length=1000), nullable=False),
        sa.Column("planned", postgresql.BIT(length=1000), nullable=False),
        sa.Column("open", postgresql.BIT(length=1000), nullable=False),
        sa.Column("reported", postgresql.BIT(length=1000), nullable=False),
        sa.Column("restricted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _refers("tally", "authority_id", "authority"),
        sa.PrimaryKeyConstraint("audience", "scope", "authority_id", name=op.f("pk_tally")),
    )


def _said() -> list[sa.Column]:
    """What an entry says; the same in the history."""
    return [
        sa.Column("identifier", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("solution_kind", sa.SmallInteger(), nullable=True),
        sa.Column("maturity_model", sa.SmallInteger(), nullable=True),
        sa.Column("maturity", sa.SmallInteger(), nullable=True),
        sa.Column("reusable", sa.Boolean(), nullable=True),
        sa.Column("reuse_note", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("contact_kind", sa.SmallInteger(), nullable=True),
        sa.Column("online_since", sa.Date(), nullable=True),
        sa.Column("planned_until", sa.Date(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("valid_for", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("specialist_system", sa.Text(), nullable=True),
        sa.Column("trust_level", sa.SmallInteger(), nullable=True),
        sa.Column("visibility", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("demonstration", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    ]


def _of_whom() -> list[sa.Column]:
    """What an entry belongs to, and its contact if that is public."""
    return [
        sa.Column("authority_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("solution_id", sa.Integer(), nullable=True),
        sa.Column("import_run_id", sa.Integer(), nullable=True),
        sa.Column(
            "public_contact",
            sa.Text(),
            sa.Computed("CASE WHEN contact_kind = 1 THEN contact END", persisted=True),
            nullable=True,
        ),
    ]


def _geometry(name: str, kind: str, srid: int) -> sa.Column:
    return sa.Column(
        name,
        Geometry(
            geometry_type=kind,
            srid=srid,
            dimension=2,
            spatial_index=False,
            from_text="ST_GeomFromEWKT",
            name="geometry",
            nullable=False,
        ),
        nullable=False,
    )


def _refers(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """A foreign key on the id of a table."""
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete=ondelete
    )


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    # Indexes go with their tables.
    op.drop_table("implementation_history")
    op.drop_table("implementation")
    op.drop_geospatial_table("boundary_shape")
    op.drop_table("boundary_neighbour")
    op.drop_table("service")
    op.drop_table("geometry_file")
    op.drop_geospatial_table("boundary")
    op.drop_table("tally")
    op.drop_table("solution")
    op.drop_table("publication")
    op.drop_table("life_situation")
    op.drop_table("import_rejection")
    op.drop_table("boundary_release")
    op.drop_table("subject_area")
    op.drop_table("import_run")
    op.drop_table("data_version")
    op.drop_table("authority")
