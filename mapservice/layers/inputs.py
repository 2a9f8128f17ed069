"""What the counts of a level are made from, as fingerprints: whether counts of an earlier data version still
hold, and of which areas they do not.

Counting reads tallies, the catalogue and what an area's authority is. A tally is known by the transaction
that wrote it, everything else by what it says; so this costs a tenth of counting, and needs no record of
changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Text, cast, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import BYTEA, aggregate_order_by

from mapservice.domain import Audience, Level, Measure, Scope, ServiceKind
from mapservice.layers.counting import current_release
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Authority, Boundary, Service, Tally

_BIG_ENDIAN = np.dtype(">i8")


@dataclass(frozen=True)
class Inputs:
    """common: what all areas are counted by. areas: a number for each area of the level, in the order of the
    release, other ones where anything differs that its counts are made from.
    """

    common: str
    areas: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        return self.areas.nbytes + len(self.common)

    def changed_since(self, before: Inputs) -> NDArray[np.int64] | None:
        """Positions of the areas whose counts may differ; None: those of all."""
        if self.common != before.common or len(self.areas) != len(before.areas):
            return None
        return np.flatnonzero(self.areas != before.areas)


def tell(query: Query, selection: Selection) -> bool:
    """Whether inputs() tells all that counts of this query are made from: those that are made from entries,
    and from other areas than their own, have more.
    """
    from_entries = selection.service_ids or query.filters_entries or query.stand is not None
    return not from_entries and query.measure is not Measure.SPREAD


def inputs(connection: Connection, level: Level, scope: Scope, audience: Audience) -> Inputs:
    """Of the level at the connection's snapshot."""
    tally = (
        # The column that tells which transaction wrote the row.
        select(Tally.authority_id, literal_column("tally.xmin").label("written"))
        .where(Tally.audience == int(audience), Tally.scope == int(scope))
        .subquery("written_tally")
    )
    of_area = func.hash_record_extended(
        func.row(Boundary.id, Boundary.authority_id, Authority.kinds, Authority.chain_kinds, tally.c.written),
        0,
    )
    areas = (
        select(
            func.string_agg(func.int8send(of_area), aggregate_order_by(cast(b"", BYTEA), Boundary.ordinal))
        )
        .join(Authority, Authority.id == Boundary.authority_id, isouter=True)
        .join(tally, tally.c.authority_id == Boundary.authority_id, isouter=True)
        .where(Boundary.release_id == current_release(), Boundary.level == int(level))
    )
    said = func.row(Service.id, Service.bit, Service.responsible, Service.retired, Service.subject_area_id)
    services = select(
        func.md5(func.string_agg(cast(said, Text), aggregate_order_by(literal(""), Service.id)))
    ).where(Service.kind == int(ServiceKind.BUNDLE))
    # Numbers of transactions begin anew in a server that was restored, which starts for that.
    common = func.concat(func.pg_postmaster_start_time(), services.scalar_subquery(), current_release())
    row = connection.execute(select(common, areas.scalar_subquery())).one()
    return Inputs(row[0], np.frombuffer(row[1] or b"", dtype=_BIG_ENDIAN).astype(np.int64))
