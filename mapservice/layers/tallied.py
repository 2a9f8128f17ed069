"""What authorities report of bundles, as bits in arrays: read once from tallies, asked many times.

Those of all authorities are 6 MB; which of them one of a few hundred has is then a matter of microseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Integer, SmallInteger, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from mapservice.domain import BUNDLE_BITS, Audience, Scope
from mapservice.layers.prepared import Prepared
from mapservice.models import Tally

_BYTES = BUNDLE_BITS // 8
_HEAD = 4
"""Bytes before the bits in PostgreSQL's binary form: how many there are."""
ONLINE, REFUSED = 0, 3
"""Places of bit strings among the four."""


@dataclass(frozen=True)
class Tallied:
    """ids: of authorities with any data, ascending. bits: for each of them four bit strings, packed: online;
    in progress or better; planned or better; not its business. The first bit is the bundle OZG_ID_FIRST.
    """

    ids: NDArray[np.int32]
    bits: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        return self.ids.nbytes + self.bits.nbytes

    def of(self, ids: Sequence[int]) -> Tallied:
        """Those of these authorities."""
        wanted = np.unique(np.array(ids, dtype=np.int32))
        at = np.searchsorted(self.ids, wanted)
        found = at[np.flatnonzero(self.ids.take(at, mode="clip") == wanted)] if self.ids.size else at[:0]
        return Tallied(self.ids[found], self.bits[found])

    def having(self, asked: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Per authority: whether it has any of the bundles asked for (packed bits) online, in progress or
        better, planned or better (n × 3); and how many of them it reports as not its business.
        """
        at = np.flatnonzero(asked)
        some = self.bits[:, :, at] & asked[at]
        has = (some[:, :REFUSED] != 0).sum(axis=2) > 0
        return has, np.unpackbits(some[:, REFUSED], axis=1).sum(axis=1)

    def by_bundle(self, kind: int, order: Sequence[int]) -> list[int]:
        """For each bundle a number whose bits are the authorities in this order, the first one highest; kind:
        ONLINE or REFUSED.
        """
        at = np.searchsorted(self.ids, np.array(order, dtype=np.int32))
        turned = np.unpackbits(self.bits[at, kind], axis=1).T
        spare = -len(order) % 8
        return [int.from_bytes(row, "big") >> spare for row in map(bytes, np.packbits(turned, axis=1))]


def read(connection: Connection, audience: Audience, ids: Collection[int] | None = None) -> Tallied:
    """From the tallies of these authorities (None: of all)."""
    if ids is None:
        rows = _tallies(some=False).rows(connection, audience=int(audience))
    else:
        rows = _tallies(some=True).rows(connection, audience=int(audience), ids=list(ids))
    packed = np.frombuffer(b"".join(row.packed for row in rows), np.uint8)
    bits = packed.reshape(len(rows), 4, _HEAD + _BYTES)[:, :, _HEAD:].copy()
    return Tallied(np.array([row.authority_id for row in rows], dtype=np.int32), bits)


def of_strings(rows: Iterable[tuple[int, Sequence[str]]]) -> Tallied:
    """rows: authority, and its four bit strings as text."""
    ordered = sorted(rows)
    bits = b"".join(int(text, 2).to_bytes(_BYTES, "big") for _, texts in ordered for text in texts)
    ids = np.array([authority_id for authority_id, _ in ordered], dtype=np.int32)
    return Tallied(ids, np.frombuffer(bits, np.uint8).reshape(len(ordered), 4, _BYTES))


@cache
def _tallies(*, some: bool) -> Prepared:
    """Parameters: audience; with `some`, ids."""
    refused = Tally.reported.op("&")(func.bitnot(Tally.open))
    kinds: tuple[Any, ...] = (Tally.online, Tally.in_progress, Tally.planned, refused)
    sent: list[Any] = [func.bit_send(bits) for bits in kinds]
    packed: Any = reduce(lambda one, other: one.op("||")(other), sent)
    statement = (
        select(Tally.authority_id, packed.label("packed"))
        .where(Tally.audience == bindparam("audience", type_=SmallInteger), Tally.scope == int(Scope.OWN))
        .order_by(Tally.authority_id)
    )
    if some:
        statement = statement.where(Tally.authority_id == any_(bindparam("ids", type_=ARRAY(Integer))))
    return Prepared(statement)
