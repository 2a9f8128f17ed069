"""What is kept per audience beside the entries, made anew in the transaction that changes them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from mapservice import tallies
from mapservice.register import refresh as register


def refresh(connection: Connection, authority_ids: Collection[int] | None = None) -> None:
    """Follow changes of entries or publications of these authorities; None: of anything, catalogue and
    hierarchy included. Needs the owner role. Whoever changes one of these calls this.
    """
    tallies.refresh(connection, authority_ids)
    register.refresh(connection, authority_ids)
