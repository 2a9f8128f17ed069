"""How many services each subject area and life situation would show (docs/counting.md, 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select, true

from mapservice.domain import SUBJECT_AREAS, Audience, ServiceKind
from mapservice.layers.counting import Bits, bits_by_status, bits_set, valued_bits
from mapservice.layers.past_levels import for_whole_levels
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Service
from mapservice.tallies import no_bundles


@dataclass(frozen=True)
class Facet:
    """n of `of` services have a wanted status somewhere among the areas shown."""

    n: int
    of: int


@dataclass(frozen=True)
class Facets:
    """subjects: by slug; situations: by id. Those that have no service in the catalogue are left out."""

    subjects: dict[str, Facet]
    situations: dict[int, Facet]

    @property
    def situations_by_text(self) -> dict[str, Facet]:
        """situations, by id as forms write it."""
        return {str(key): facet for key, facet in self.situations.items()}


def facets(connection: Connection, query: Query, selection: Selection, audience: Audience) -> Facets:
    """Over all bundles, whatever services the query chooses; its other filters hold."""
    query = query.with_all_services()
    every = replace(selection, bundle_ids=None, service_ids=(), member_ids=())
    v = valued_bits(query, for_whole_levels(connection, query, every), audience).c
    by_status = bits_by_status(v)
    wanted: Bits = by_status[query.statuses[0]]
    for status in query.statuses[1:]:
        wanted = wanted.op("|")(by_status[status])
    has_value = v.present.is_not(None) & (bits_set(v.mask) > bits_set(v.not_responsible))
    together = (
        select(
            func.coalesce(func.bit_or(wanted).filter(has_value), no_bundles()).label("n"),
            func.coalesce(func.bit_or(v.mask), no_bundles()).label("of"),
        )
        .where(v.inside)
        .cte("together")
        .prefix_with("MATERIALIZED")
    )
    rows = connection.execute(
        select(
            Service.subject_area_id,
            Service.life_situation_id,
            func.count().filter(bits_set(together.c.n.op("&")(Service.bit)) > 0).label("n"),
            func.count().filter(bits_set(together.c.of.op("&")(Service.bit)) > 0).label("of"),
        )
        .join_from(Service, together, true())
        .where(Service.kind == int(ServiceKind.BUNDLE), ~Service.retired)
        .group_by(Service.subject_area_id, Service.life_situation_id)
    )
    subjects: dict[str, Facet] = {}
    situations: dict[int, Facet] = {}
    for row in rows:
        if row.subject_area_id is not None:
            slug = SUBJECT_AREAS[row.subject_area_id - 1][0]
            before = subjects.get(slug, Facet(0, 0))
            subjects[slug] = Facet(before.n + row.n, before.of + row.of)
        if row.life_situation_id is not None:
            situations[row.life_situation_id] = Facet(row.n, row.of)
    return Facets(subjects, situations)
