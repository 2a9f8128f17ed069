"""More data than tests/test_api.py has: entries with all kinds of properties."""

from __future__ import annotations

from mapservice.database import Database
from mapservice.domain import FEDERATION
from tests.entries import INTERNAL, add_entry, add_service, set_publication
from tests.test_api import MUENSTER, WARENDORF, fill

HAMM = "059150000000"
PERSON, MAILBOX = "eva.muster@muenster.example", "dienste@muenster.example"


def fill_richly(database: Database) -> Database:
    """Every type of property, an entry of the federation, and entries that nobody may learn of."""
    fill(database)
    with database.owner() as connection:
        add_service(connection, "99001001001001", parent_id=None, subject_area_id=3)
        add_service(connection, "eigen:brunnen", name="Brunnenpass")
        add_entry(
            connection,
            MUENSTER,
            "10501",
            status=2,
            contact=PERSON,
            contact_kind=2,
            as_of="2026-05-01",
            maturity_model=11,
            maturity=3,
            solution_kind=1,
            reusable=True,
        )
        add_entry(connection, MUENSTER, "99001001001001", status=1, contact=MAILBOX, contact_kind=1)
        set_publication(connection, FEDERATION)
        add_entry(connection, FEDERATION, "10500")
        # Not published, or not public: nobody may learn of these.
        add_entry(connection, HAMM, "10500", source="Geheimquelle")
        add_entry(connection, WARENDORF, "eigen:brunnen", visibility=INTERNAL, source="Geheimquelle")
    return database
