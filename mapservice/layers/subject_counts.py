"""Fourteen numbers beside the value of an area: what it offers of each subject area (columns=subjects)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import CTE, Connection, Select, case, cast, func, select, true
from sqlalchemy.dialects.postgresql import BIT

from mapservice.domain import BUNDLE_BITS, SUBJECT_AREAS, Audience, ServiceKind
from mapservice.layers.counting import bits_by_status, bits_set, valued_bits
from mapservice.layers.past_levels import for_whole_levels
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection
from mapservice.models import Service
from mapservice.tallies import no_bundles

NAMES = tuple(slug for slug, _name in SUBJECT_AREAS)
"""The names of the columns, and of the properties: the subject areas in their order."""


def counted_subjects(
    connection: Connection,
    query: Query,
    selection: Selection,
    audience: Audience,
    boundary_id: int | None = None,
    touching: Select[tuple[int]] | None = None,
) -> CTE:
    """One row per boundary: boundary_id, and by the slug of each subject area the number of its services
    whose status is wanted.

    A number is null where the layer of that subject area alone would have no value: no data, or nothing to be
    responsible for (docs/counting.md, 6). Whatever services the query chooses, all are counted; its other
    filters hold. boundary_id, touching: as in counting.counted_areas().
    """
    query = query.with_all_services()
    every = replace(selection, bundle_ids=None, service_ids=(), member_ids=())
    if boundary_id is None and touching is None:
        every = for_whole_levels(connection, query, every)
    v = valued_bits(
        query,
        every,
        audience,
        boundary_id=boundary_id,
        touching=touching,
        name="subjects",
    ).c
    by_status = bits_by_status(v)
    wanted = by_status[query.statuses[0]]
    for status in query.statuses[1:]:
        wanted = wanted.op("|")(by_status[status])
    bit = BIT(BUNDLE_BITS)
    masks = (
        select(
            *(
                cast(
                    func.coalesce(
                        func.bit_or(Service.bit).filter(Service.subject_area_id == number), no_bundles()
                    ),
                    bit,
                ).label(slug)
                for number, slug in enumerate(NAMES, 1)
            )
        )
        .where(Service.kind == int(ServiceKind.BUNDLE), ~Service.retired)
        .cte("subject_masks")
        .prefix_with("MATERIALIZED")
    )
    numbers = []
    for slug in NAMES:
        mask = masks.c[slug]
        has_value = bits_set(v.mask.op("&")(mask)) > bits_set(v.not_responsible.op("&")(mask))
        numbers.append(case((has_value, bits_set(wanted.op("&")(mask)))).label(slug))
    return (
        select(v.boundary_id, *numbers).select_from(masks).join(v.boundary_id.table, true()).cte("by_subject")
    )
