"""Demonstration data: made-up implementations, so that a first look shows a map. Marked as such everywhere.

They never mix with real ones: loading is refused while there are real implementations, and the first real
import removes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, exists, func, select, update
from sqlalchemy.orm import aliased

from mapservice import copies
from mapservice.database import Database
from mapservice.domain import ServiceKind
from mapservice.errors import ConflictError, ImportRefusedError
from mapservice.models import (
    Authority,
    Implementation,
    ImplementationHistory,
    LifeSituation,
    Service,
    Solution,
)
from mapservice.search import terms

CATALOGUE = Path(__file__).with_name("catalogue.csv")


@dataclass(frozen=True)
class Loaded:
    """How many services and implementations were loaded or removed."""

    services: int
    implementations: int


def is_loaded(connection: Connection) -> bool:
    """Whether demonstration implementations are there; the catalogue that came with them may stay longer."""
    return bool(connection.scalar(select(exists().where(Implementation.demonstration))))


def load(database: Database, *, seed: int = 1) -> Loaded:
    """Load the demonstration catalogue and generated implementations; the same seed gives the same rows.

    Replaces demonstration data that are there. Raises ConflictError where real implementations are, and
    ImportRefusedError without boundaries.
    """
    from mapservice.demo import generate, plans
    from mapservice.imports import catalogue
    from mapservice.imports.report import Rejections
    from mapservice.imports.runs import analyse, run

    with run(database, "demonstration", options={"seed": seed}) as current:
        with database.owner() as connection:
            current.attach(connection)
            if connection.scalar(select(exists().where(~Implementation.demonstration))):
                raise ConflictError(
                    "Es sind echte Umsetzungen geladen; Demonstrationsdaten kommen nicht dazu."
                )
            if not connection.scalar(
                select(func.count()).select_from(Authority).where(Authority.state_id.is_not(None))
            ):
                raise ImportRefusedError(
                    "Es sind noch keine Gebietskörperschaften geladen. Bitte zuerst: "
                    "mapservice import boundaries DATEI"
                )
            _delete_rows(connection)
            with Rejections(database.settings.state_dir / "abgelehnt-demo.csv") as rejections:
                catalogue.load_tables(
                    connection, [catalogue.open_catalogue(CATALOGUE)], rejections, demonstration=True
                )
            rows = generate.implementations(connection, seed, current.id)
            copies.refresh(connection)
            plans.load(connection, current.id)
            services = connection.scalar(
                select(func.count()).select_from(Service).where(Service.demonstration)
            )
            result = Loaded(services or 0, rows)
            current.finish(connection, {"services": result.services, "inserted": rows})
        analyse(database, "implementation", "tally", "service")
    return result


def remove(database: Database) -> Loaded:
    """Remove everything that was loaded for demonstration."""
    from mapservice.imports.runs import run

    with (
        run(database, "demonstration", options={"action": "remove"}) as current,
        database.owner() as connection,
    ):
        current.attach(connection)
        removed = remove_rows(connection)
        current.finish(connection, {"removed": removed.implementations, "removed_services": removed.services})
    return removed


def remove_rows(connection: Connection) -> Loaded:
    """Remove it within the connection's transaction, history included: it never was a statement."""
    implementations = _delete_rows(connection)
    child = aliased(Service)
    unused = (
        Service.demonstration,
        ~exists().where(Implementation.service_id == Service.id),
        ~exists().where(ImplementationHistory.service_id == Service.id),
    )
    services = 0
    for kinds in ((ServiceKind.LEIKA, ServiceKind.OWN), (ServiceKind.BUNDLE,)):
        services += connection.execute(
            delete(Service)
            .where(*unused, Service.kind.in_(kinds), ~exists().where(child.parent_id == Service.id))
            .execution_options(synchronize_session=False)
        ).rowcount
    # a demonstration service that a real entry or LeiKa service refers to becomes part of the real catalogue
    connection.execute(
        update(Service)
        .where(Service.demonstration)
        .values(demonstration=False, retired=True)
        .execution_options(synchronize_session=False)
    )
    connection.execute(
        delete(LifeSituation)
        .where(~exists().where(Service.life_situation_id == LifeSituation.id))
        .execution_options(synchronize_session=False)
    )
    copies.refresh(connection)
    terms.refresh_services(connection)
    return Loaded(services, implementations)


def _delete_rows(connection: Connection) -> int:
    from mapservice.demo import plans

    plans.remove(connection)
    gone = connection.execute(
        delete(Implementation)
        .where(Implementation.demonstration)
        .execution_options(synchronize_session=False)
    )
    for model in (ImplementationHistory, Solution):
        connection.execute(
            delete(model).where(model.demonstration).execution_options(synchronize_session=False)
        )
    return gone.rowcount
