"""Alembic's environment: runs on the connection that the caller hands over, as the owner role.

There is no alembic.ini: `mapservice database migrate` builds the configuration, so that the database
is named in one place, the settings.
"""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers

import mapservice.plans
import mapservice.search.tables  # noqa: F401 - their tables belong to the metadata
from mapservice.models import Base

connection = context.config.attributes["connection"]


def include_name(name: str | None, type_: str, parent_names: object) -> bool:
    """Leave out the tables of PostGIS when comparing."""
    return type_ != "table" or name in Base.metadata.tables


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_name=include_name,
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
