"""One area by its key as GeoJSON: what all that are asked for alike have in common is found once.

Portals ask for one area after another with the same parameters. These are parsed, links and the members that
tell of the data are written, once per data version; then an answer is put together from texts.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from flask import request
from sqlalchemy import Connection

from mapservice import feature_pages, held_levels
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.features import dumps
from mapservice.held import recalled, remembered
from mapservice.held_levels import Sheets
from mapservice.layers.crs import Crs
from mapservice.layers.query import Query
from mapservice.responses import GEOJSON, Payload, root

_LONGEST = 500
"""Characters of an address whose parameters are worth remembering."""


@dataclass(frozen=True)
class Alike:
    """The answers at one data version to requests that differ in the key alone.

    rest: what follows the feature's own members, parted where links name the key.
    """

    query: Query
    sheets: Sheets
    crs: Crs
    rest: tuple[str, ...]

    def answer(self, connection: Connection, version: Version, key: str) -> Payload | None:
        """None if there is no such area."""
        position = self.sheets.atlas.of_key(key)
        if position is None:
            return None
        row = held_levels.counts_of(connection, self.query, (position,))[0]
        head = self.sheets.heads(connection, (position,))[0]
        (tail,) = held_levels.tails(connection, version, self.query).of((row,))
        text = b"".join((head, tail[:-1], _place(key).join(self.rest).encode()))
        return Payload(text, GEOJSON, (feature_pages.content_crs(self.crs),), quick=True)


def known(connection: Connection, version: Version, level: Level, key: str) -> Payload | None:
    """The answer, if another area was asked for in this way before and there is an area with this key."""
    asked = _asked(level)
    alike: Alike | None = recalled(connection, asked) if asked else None
    return alike.answer(connection, version, key) if alike else None


def answer(
    connection: Connection,
    version: Version,
    query: Query,
    key: str,
    *,
    detail: int,
    crs: Crs,
    links: list[dict[str, str]],
) -> Payload:
    """The answer with these links, for a key that there is."""
    basis = held_levels.basis(connection, version, query)
    rest = "," + dumps({"links": links, **basis.said})[1:]
    alike = Alike(
        query,
        Sheets(basis.release, basis.atlas, detail, crs),
        crs,
        tuple(rest.split(_place(key))),
    )
    asked = _asked(query.level)
    # Both links of the address itself name the key, and nothing else does.
    if asked and len(alike.rest) == len(("self", "alternate")) + 1:
        remembered(connection, asked, lambda: alike)
    found = alike.answer(connection, version, key)
    assert found is not None
    return found


def _place(key: str) -> str:
    """How links name the area; keys are digits."""
    return f"/items/{key}"


def _asked(level: Level) -> Hashable:
    """How a request asks, beside the key; None where that is too long to be remembered."""
    environ = request.environ
    parts = (*root(environ), environ.get("QUERY_STRING", ""))
    return ("alike", level, *parts) if sum(len(str(part)) for part in parts) <= _LONGEST else None
