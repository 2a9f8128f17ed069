"""The services that an audience may see, as a worker holds them at a data version, and those asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from mapservice.domain import BUNDLE_BITS, OZG_ID_FIRST, SUBJECT_AREAS, ServiceKind
from mapservice.errors import N_, NotFoundError
from mapservice.models import Service

_BYTES_OF_A_SERVICE = 500
_SUBJECT_IDS = {slug: number for number, (slug, _) in enumerate(SUBJECT_AREAS, 1)}


@dataclass(frozen=True)
class Wanted:
    """The services asked for. bundles: by id, with key and name; children: ids of their LeiKa services;
    exact: LeiKa services and services of one's own; parents: id of the bundle of each of these that has one.
    A LeiKa service whose bundle is asked for as well is left out: its entries count for the bundle. chosen:
    what was named one by one.
    """

    bundles: dict[int, Row[Any]] = field(default_factory=dict)
    exact: dict[int, Row[Any]] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)
    children: tuple[int, ...] = ()
    chosen: tuple[Row[Any], ...] = ()

    @property
    def size(self) -> int:
        return len(self.bundles) + len(self.exact)

    @property
    def members(self) -> list[int]:
        """Ids of all services whose entries may answer."""
        return [*self.bundles, *self.children, *self.exact, *self.parents.values()]

    @property
    def mask(self) -> NDArray[np.uint8]:
        """The bits of the bundles, packed as those of Tallied."""
        bits = np.zeros(BUNDLE_BITS, np.uint8)
        bits[[int(row.key) - OZG_ID_FIRST for row in self.bundles.values()]] = 1
        return np.packbits(bits)


@dataclass(frozen=True)
class Catalogue:
    """The services that an audience may see, by key, in the order of their names: id, key, kind, name,
    parent_id, responsible, retired, subject_area_id. place: of each key in that order; children: ids of LeiKa
    services by that of their bundle.
    """

    services: dict[str, Row[Any]]
    place: dict[str, int]
    children: dict[int, list[int]]

    @property
    def nbytes(self) -> int:
        return _BYTES_OF_A_SERVICE * len(self.services)

    def bundles(self, subjects: Collection[str]) -> Iterable[Row[Any]]:
        """Those of the catalogue of today in these subject areas; without any, all."""
        numbers = {_SUBJECT_IDS[slug] for slug in subjects}
        for row in self.services.values():
            is_one = row.kind == ServiceKind.BUNDLE and not row.retired
            if is_one and (not numbers or row.subject_area_id in numbers):
                yield row


def catalogue(connection: Connection) -> Catalogue:
    """What the connection's role may see."""
    rows = connection.execute(
        select(
            Service.id,
            Service.key,
            Service.kind,
            Service.name,
            Service.parent_id,
            Service.responsible,
            Service.retired,
            Service.subject_area_id,
        ).order_by(Service.name, Service.key)
    ).all()
    children: dict[int, list[int]] = {}
    for row in rows:
        if row.parent_id is not None:
            children.setdefault(row.parent_id, []).append(row.id)
    places = {row.key: place for place, row in enumerate(rows)}
    return Catalogue({row.key: row for row in rows}, places, children)


def wanted(known: Catalogue, keys: Collection[str], subjects: Collection[str]) -> Wanted:
    """Services by key together with the bundles of subject areas; NotFoundError names an unknown key."""
    for key in keys:
        if key not in known.services:
            message = N_("Leistung %(key)s ist im Katalog nicht vorhanden.")
            raise NotFoundError(message, words={"key": key}, parameter="service")
    chosen = {row.id: row for key in keys for row in (known.services[key],)}
    if subjects:
        chosen |= {row.id: row for row in known.bundles(subjects)}
    rows = sorted(chosen.values(), key=lambda row: known.place[row.key])
    bundles = {row.id: row for row in rows if row.kind == ServiceKind.BUNDLE}
    exact = {row.id: row for row in rows if row.id not in bundles and row.parent_id not in bundles}
    parents = {row.id: row.parent_id for row in exact.values() if row.parent_id is not None}
    children = tuple(child for bundle in bundles for child in known.children.get(bundle, ()))
    return Wanted(bundles, exact, parents, children, tuple(known.services[key] for key in keys))
