"""Tallies of a past day for all areas of a level, from what a process holds of all versions.

Those of record.py; and where it depends on each entry what it counts for, by filters of entries or chosen
services, of what entries say: 20 bytes a version, which are read when they are first asked for. Apart, since
what record.py needs is in an index, and most past days need no more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Date, SmallInteger, cast, func, literal, select

from mapservice.domain import BUNDLE_BITS, Scope, Status
from mapservice.layers import record
from mapservice.layers.query import Query
from mapservice.layers.record import (
    Authorities,
    DayTallies,
    Form,
    authorities_of,
    day_number,
    day_tallies,
    days_of,
    places_of_bundles,
    read_versions,
)
from mapservice.layers.selection import Selection
from mapservice.models import Service
from mapservice.seen import Kept
from mapservice.tallies import STATUS_COLUMNS


def _said(number: Any) -> Any:
    """A small number in two bytes, 0 for none: no kind and no model of maturity has that."""
    return func.int2send(cast(func.coalesce(number, 0), SmallInteger))


_FORM = Form(
    ("service_id", "status", "solution_kind", "maturity_model", "maturity", "as_of"),
    lambda v: [
        func.int4send(v.service_id),
        func.int2send(v.status),
        _said(v.solution_kind),
        _said(v.maturity_model),
        _said(v.maturity),
        func.date_send(func.coalesce(v.as_of, cast(literal("-infinity"), Date))),
    ],
    [
        ("service", ">i4"),
        ("status", ">i2"),
        ("kind", ">i2"),
        ("model", ">i2"),
        ("maturity", ">i2"),
        ("as_of", ">i4"),
    ],
)
_KEPT = np.dtype(
    [
        ("authority", "i4"),
        ("service", "i4"),
        ("status", "i1"),
        ("kind", "i1"),
        ("model", "i1"),
        ("maturity", "i1"),
        ("as_of", "i4"),
        ("since", "u2"),
        ("until", "u2"),
    ]
)


@dataclass(frozen=True)
class _Details:
    """Versions as _KEPT has them, one array each: those that hold for their authority, and those with
    `gilt_fuer` by scope. authority: place in Authorities.
    """

    authorities: Authorities
    whole: NDArray[np.void]
    limited: dict[Scope, NDArray[np.void]]


_details: Kept[_Details] = Kept(1)


def for_whole_levels(connection: Connection, query: Query, selection: Selection) -> Selection:
    """The same, ready to count all areas of a level."""
    if query.stand is None:
        return selection
    if query.filters_entries or selection.service_ids:
        return replace(selection, day=_judged(connection, query, query.stand, selection))
    return replace(selection, day=record.record(connection).at_end_of(query.stand, query.scope))


def _judged(connection: Connection, query: Query, stand: dt.date, selection: Selection) -> DayTallies:
    """Of entries as the query judges them."""
    details = _details.get(connection, _read)
    day = day_number(stand)
    held = [
        versions[(versions["since"] <= day) & (versions["until"] > day)]
        for versions in (details.whole, details.limited[query.scope])
    ]
    return _tallied(np.concatenate(held), details.authorities, query, _places(connection, selection))


def _read(connection: Connection) -> _Details:
    authorities = authorities_of(connection)

    def made(blocks: Iterable[NDArray[np.void]]) -> NDArray[np.void]:
        # With an empty one, so that there is always something to join.
        return np.concatenate([np.empty(0, _KEPT), *(_unpacked(sent, authorities) for sent in blocks)])

    return _Details(authorities, *read_versions(connection, _FORM, made))


def _unpacked(sent: NDArray[np.void], authorities: Authorities) -> NDArray[np.void]:
    kept = np.empty(len(sent), _KEPT)
    kept["authority"] = np.searchsorted(authorities.ids, sent["authority"])
    for name in ("service", "status", "kind", "model", "maturity", "as_of"):
        kept[name] = sent[name]
    kept["since"], kept["until"] = days_of(sent["since"]), days_of(sent["until"])
    return kept


def _places(connection: Connection, selection: Selection) -> list[NDArray[np.int16]]:
    """By the id of a service the place of a bit that its entries set, -1 for none; the last element stands
    for services that the role does not see. Entries of a LeiKa service count for it and for its bundle, where
    both are chosen.
    """
    bundles = places_of_bundles(connection)
    if not selection.service_ids:
        return [bundles]
    own, parent = np.full_like(bundles, -1), np.full_like(bundles, -1)
    places = {service_id: place for place, service_id in enumerate(selection.service_ids)}
    for service_id, place in places.items():
        own[service_id] = place
    members = select(Service.id, Service.parent_id).where(Service.parent_id.in_(places))
    for service_id, parent_id in connection.execute(members):
        parent[service_id] = places[parent_id]
    return [own, parent]


def _tallied(
    held: NDArray[np.void], authorities: Authorities, query: Query, places: list[NDArray[np.int16]]
) -> DayTallies:
    # One row more than authorities: the empty one of links that there are not.
    count = len(authorities.ids) + 1
    present = np.zeros(count, np.bool_)
    present[held["authority"]] = True
    every, offers = (np.zeros((count, BUNDLE_BITS // 8), np.uint8) for _ in range(2))
    meets = _meets(held, query)
    counted = [(held[known], place, meets[known]) for known, place in _placed(held, places)]
    columns = []
    for status in STATUS_COLUMNS.values():
        for versions, place, met in counted:
            has_status = versions["status"] == int(status)
            _set_bits(every, versions[has_status], place[has_status])
            _set_bits(offers, versions[has_status & met], place[has_status & met])
        # Cumulative, as those of a tally are.
        columns.append((offers if status <= Status.PLANNED else every).copy())
    return day_tallies(present, columns, authorities, query.scope)


def _meets(held: NDArray[np.void], query: Query) -> NDArray[np.bool_]:
    """As offers.meets(): what an entry does not say, it does not meet."""
    meets = np.ones(len(held), np.bool_)
    if query.kinds:
        meets &= np.isin(held["kind"], [int(kind) for kind in query.kinds])
    if query.maturity is not None:
        meets &= held["model"] == int(query.maturity.model)
        meets &= held["maturity"] >= query.maturity.step
    if query.confirmed is not None:
        # A day that is not said comes as -infinity, the lowest number.
        meets &= held["as_of"] >= day_number(query.confirmed)
    return meets


def _placed(
    held: NDArray[np.void], places: list[NDArray[np.int16]]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int16]]]:
    """Which versions set a bit, and in which place."""
    for known in places:
        place = known[np.minimum(held["service"], len(known) - 1)]
        counted = np.flatnonzero(place >= 0)
        yield counted, place[counted]


def _set_bits(bits: NDArray[np.uint8], held: NDArray[np.void], place: NDArray[np.int16]) -> None:
    bit = np.uint8(128) >> (place & 7).astype(np.uint8)
    np.bitwise_or.at(bits, (held["authority"], place >> 3), bit)
