"""Keep terms by which places and services are found.

`search_term` holds places and services of the catalogue alone, which everybody may see: it needs no policy. The
rows come from `mapservice.search.terms`, after this migration and with every import.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from mapservice.search.trigrams import require_trigrams

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    require_trigrams(bind)
    op.create_table(
        "search_term",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("authority_id", sa.Integer(), nullable=True),
        sa.Column("boundary_id", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("spelled", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(authority_id, boundary_id, service_id) = 1", name=op.f("ck_search_term_one_found")
        ),
        sa.CheckConstraint("kind BETWEEN 1 AND 4", name=op.f("ck_search_term_kind")),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["authority.id"],
            name=op.f("fk_search_term_authority_id_authority"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["boundary_id"],
            ["boundary.id"],
            name=op.f("fk_search_term_boundary_id_boundary"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
            name=op.f("fk_search_term_service_id_service"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_term")),
    )
    for column in ("authority_id", "boundary_id", "service_id"):
        op.create_index(op.f(f"ix_search_term_{column}"), "search_term", [column], unique=False)
    op.create_index(
        "ix_search_term_folded",
        "search_term",
        ["folded"],
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    )
    op.create_index("ix_search_term_words", "search_term", ["words"], postgresql_using="gin")
    op.create_index(
        "ix_search_term_exact", "search_term", ["folded"], postgresql_ops={"folded": "text_pattern_ops"}
    )
    database = bind.execute(sa.text("SELECT current_database()")).scalar_one()
    quote = bind.dialect.identifier_preparer.quote
    for role in (f"{database}_internal", f"{database}_public"):
        op.execute(f"GRANT SELECT ON search_term TO {quote(role)}")


def downgrade() -> None:
    # The extension stays: it may be an administrator's, and harms nobody.
    op.drop_table("search_term")
