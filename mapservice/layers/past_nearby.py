"""What nearby.py and gaps.py ask of today, of the end of a past day: from the versions that held then.

Tallies are kept of today alone. A page asks for a few hundred authorities at most, whose versions are found
by an index; their bit strings are made at request (offers.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, String, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import Audience, Level, Status
from mapservice.layers import nearby, offers
from mapservice.layers.catalogue import Wanted
from mapservice.layers.entries_near import entries_of, mine_of
from mapservice.layers.nearby import OFFERED, Entry, Mine, Standing
from mapservice.layers.past import entries_on
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.layers.tallied import Tallied, of_strings
from mapservice.models import Authority

_EVERY_BUNDLE = Selection(None, (), (), 0, (), ())


def tallied(connection: Connection, ids: Collection[int], day: dt.date) -> Tallied:
    """What each of these authorities with an entry on that day reported of bundles."""
    among = select(Authority.id).where(Authority.id == any_(cast(sorted(ids), ARRAY(Integer))))
    made = offers.of_bundles(Query(Level.DISTRICT, stand=day), _EVERY_BUNDLE, "past", among).c
    rows = connection.execute(
        select(
            made.authority_id,
            *(cast(made[status.code], String) for status in OFFERED),
            cast(made.reported.op("&")(func.bitnot(made.open)), String),
        )
    )
    return of_strings((authority_id, bits) for authority_id, *bits in rows)


@dataclass(frozen=True)
class OnDay:
    """What nearby.py asks, of today (day: None) or of the end of a past day, by an audience."""

    connection: Connection
    audience: Audience
    day: dt.date | None

    def standings(self, tallied: Tallied, ids: Sequence[int], asked: Wanted) -> dict[int, Standing]:
        """By authority; one without visible entries is not in it. tallied: of these authorities, that day."""
        return nearby.standings(self.connection, tallied, ids, asked, entries_on(self.day))

    def mine(self, authority_id: int, asked: Wanted) -> Mine:
        """What one's own authority reports."""
        if self.day is None:
            return nearby.mine(self.connection, authority_id, asked)
        values = {"authority": authority_id, "services": asked.members}
        rows = self.connection.execute(mine_of(entries_on(self.day)), values)
        return nearby.reported(rows, asked)

    def entries(
        self,
        ids: Sequence[int],
        asked: Wanted,
        statuses: Collection[Status],
        own_solutions: Collection[int],
    ) -> dict[int, list[Entry]]:
        """By authority the entries that answer, in the order among entries of one authority.

        What solutions say of themselves is of today, whatever the day: they have no history. Contacts of a
        past day are the public ones, for every audience.
        """
        if self.day is None:
            return nearby.entries(self.connection, ids, asked, statuses, own_solutions, self.audience)
        if not ids or not asked.size:
            return {}
        entry = entries_on(self.day)
        statement = entries_of(entry, entry.public_contact)
        rows = self.connection.execute(statement, {"ids": list(ids), "services": asked.members})
        return nearby.answers(self.connection, rows, asked, statuses, own_solutions, self.audience)
