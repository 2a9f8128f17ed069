"""The catalogue of services: bundles (OZG-Leistungen) and their LeiKa services (columns: docs/formats.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from mapservice import copies, publication
from mapservice.database import Database
from mapservice.domain import (
    ALL_KINDS,
    BUNDLE_BITS,
    OZG_ID_FIRST,
    Kind,
    ServiceKind,
)
from mapservice.imports.catalogue_rows import COLUMNS, Row, check_rows
from mapservice.imports.importing import File, described, importing, refuse_made_up
from mapservice.imports.read import Table, open_table
from mapservice.imports.report import Counts, Rejections, counted
from mapservice.models import LifeSituation, Service
from mapservice.search import terms


@dataclass
class _Wanted:
    """A service as the catalogue has it."""

    kind: ServiceKind
    name: str
    parent: str | None
    area: int | None
    situation: str
    leika_type: str | None
    declared: Kind
    responsible: Kind


@dataclass
class Result:
    """What an import did. bundles, leika: services now; retired: no longer listed."""

    counts: Counts = field(default_factory=Counts)
    bundles: int = 0
    leika: int = 0
    retired: int = 0
    lines: list[str] = field(default_factory=list)


def open_catalogue(path: Path) -> Table:
    return open_table(path, COLUMNS)


def import_catalogue(
    database: Database, paths: Sequence[Path], *, dry_run: bool = False, rejected: Path | None = None
) -> Result:
    """Replace the catalogue by the files' rows.

    Services no longer listed are retired. Raises
    ImportRefusedError if a file cannot be read or has no acceptable row.
    """
    tables = [open_catalogue(path) for path in paths]
    for table in tables:
        refuse_made_up(table)
    files = [File(table.name, table.sha256) for table in tables]
    with importing(
        database, "catalogue", files, dry_run=dry_run, rejected=rejected, analysed=("service", "tally")
    ) as work:
        before = publication.count_public(work.connection)
        result = load_tables(work.connection, tables, work.rejections)
        work.store_rejections()
        after = publication.count_public(work.connection)
        work.lines += [line for table in tables for line in described(table)]
        work.lines += [*result.lines, *publication.outlook(work.connection, [], before, after)]
        result.lines = work.lines
        work.run.finish(
            work.connection,
            {
                **result.counts.as_dict(),
                "bundles": result.bundles,
                "leika": result.leika,
                "retired": result.retired,
            },
        )
    return result


def load_tables(
    connection: Connection, tables: Sequence[Table], rejections: Rejections, *, demonstration: bool = False
) -> Result:
    """Check all rows and write the catalogue, in the connection's transaction.

    demonstration: only add services that are not there, marked as demonstration; touch nothing else.
    """
    result = Result()
    counts = result.counts
    rows: dict[str, Row] = {}
    mentioned: set[str] = set()
    for table in tables:
        counts.read += check_rows(table, rows, mentioned, rejections, counts)
    counts.rejected = rejections.rows
    if not rows:
        raise rejections.nothing_usable()
    wanted = _wanted(list(rows.values()))
    changed = _write(connection, wanted, demonstration)
    for row in rows.values():
        state = changed.get(row.identity)
        if state == "inserted":
            counts.inserted += 1
        elif state == "updated":
            counts.updated += 1
        else:
            counts.unchanged += 1
    if not demonstration:
        result.retired = _retire(connection, wanted.keys() | mentioned)
    if changed or result.retired:
        _drop_unused_situations(connection)
        terms.refresh_services(connection)
        if not demonstration:
            copies.refresh(connection)
    for kind, name in ((ServiceKind.BUNDLE, "bundles"), (ServiceKind.LEIKA, "leika")):
        total = connection.scalar(
            select(func.count()).select_from(Service).where(Service.kind == int(kind), ~Service.retired)
        )
        setattr(result, name, total or 0)
    result.lines = [*counts.lines(), *rejections.lines()]
    bundles = counted(result.bundles, "OZG-Leistung", "OZG-Leistungen")
    leika = counted(result.leika, "LeiKa-Leistung", "LeiKa-Leistungen")
    result.lines.append(f"Katalog: {bundles}, {leika}.")
    if result.retired:
        result.lines.append(
            f"Nicht mehr im Katalog und darum abgelöst: {counted(result.retired, 'Leistung', 'Leistungen')}. "
            "Einträge dazu bleiben erhalten."
        )
    return result


def _wanted(rows: Sequence[Row]) -> dict[str, _Wanted]:
    """Services by key; bundles first. Of differing names of one bundle the last counts."""
    bundles: dict[str, _Wanted] = {}
    children: dict[str, _Wanted] = {}
    types: dict[str, list[str | None]] = {}
    for row in rows:
        if row.ozg_id:
            declared = row.kinds | (bundles[row.ozg_id].declared if row.ozg_id in bundles else Kind(0))
            bundles[row.ozg_id] = _Wanted(
                ServiceKind.BUNDLE, row.bundle, None, row.area, row.situation, None, declared, ALL_KINDS
            )
        if row.key:
            parent = row.ozg_id or None
            children[row.key] = _Wanted(
                ServiceKind.LEIKA,
                row.name,
                parent,
                row.area,
                row.situation,
                row.type,
                row.kinds,
                row.kinds or ALL_KINDS,
            )
            types.setdefault(row.ozg_id, []).append(row.type)
    for key, bundle in bundles.items():
        federal = bool(types.get(key)) and set(types[key]) == {"1"}
        bundle.responsible = bundle.declared or (Kind.FEDERATION if federal else ALL_KINDS)
    return bundles | children


def _write(connection: Connection, wanted: dict[str, _Wanted], demonstration: bool) -> dict[str, str]:
    """Insert and update services. Returns what was done by key; what is as it was is not in it."""
    existing = {row.key: row for row in connection.execute(select(Service.__table__)).mappings()}
    situations = _situations(connection, wanted)
    ids = {key: row["id"] for key, row in existing.items()}
    done: dict[str, str] = {}
    for kind in (ServiceKind.BUNDLE, ServiceKind.LEIKA):
        new: list[dict[str, object]] = []
        changed: list[dict[str, object]] = []
        for key, service in wanted.items():
            if service.kind is not kind:
                continue
            columns: dict[str, object] = {
                "kind": int(kind),
                "name": service.name,
                "parent_id": ids[service.parent] if service.parent else None,
                "subject_area_id": service.area,
                "life_situation_id": situations.get((service.area, service.situation)),
                "leika_type": service.leika_type,
                "declared_kinds": int(service.declared),
                "responsible": int(service.responsible),
                "bit": bundle_bit(key) if kind is ServiceKind.BUNDLE else None,
                "retired": False,
                "demonstration": demonstration,
            }
            known = existing.get(key)
            if known is None:
                new.append({"key": key, **columns})
                done[key] = "inserted"
            elif demonstration and not known["demonstration"]:
                continue
            elif any(known[name] != value for name, value in columns.items()):
                changed.append({"key": key, **columns})
                done[key] = "updated"
        if new:
            inserted = connection.execute(insert(Service).returning(Service.key, Service.id), new)
            ids |= {row.key: row.id for row in inserted}
        if changed:
            _update(connection, changed)
    return done


def _update(connection: Connection, rows: list[dict[str, object]]) -> None:
    from sqlalchemy import bindparam

    table = Service.__table__
    names = [name for name in rows[0] if name != "key"]
    connection.execute(
        update(Service)
        .where(table.c.key == bindparam("the_key"))
        .values({name: bindparam(f"the_{name}") for name in names})
        .execution_options(synchronize_session=None),
        [{f"the_{name}": value for name, value in row.items()} for row in rows],
    )


def bundle_bit(ozg_id: str) -> str:
    """The bit string with this bundle's bit set alone."""
    position = int(ozg_id) - OZG_ID_FIRST
    return "0" * position + "1" + "0" * (BUNDLE_BITS - position - 1)


def _situations(connection: Connection, wanted: dict[str, _Wanted]) -> dict[tuple[int | None, str], int]:
    """Ids of the life situations that the services name; missing ones are created."""
    known = {
        (row.subject_area_id, row.name): row.id
        for row in connection.execute(
            select(LifeSituation.id, LifeSituation.subject_area_id, LifeSituation.name)
        )
    }
    named = {(service.area, service.situation) for service in wanted.values()}
    new = sorted((area, name) for area, name in named if area and name and (area, name) not in known)
    if new:
        rows = connection.execute(
            insert(LifeSituation).returning(
                LifeSituation.subject_area_id, LifeSituation.name, LifeSituation.id
            ),
            [{"subject_area_id": area, "name": name} for area, name in new],
        )
        known |= {(area, name): id_ for area, name, id_ in rows}
    return dict(known)


def _drop_unused_situations(connection: Connection) -> None:
    connection.execute(
        delete(LifeSituation)
        .where(~exists().where(Service.life_situation_id == LifeSituation.id))
        .execution_options(synchronize_session=False)
    )


def _retire(connection: Connection, keep: set[str]) -> int:
    """Retire services of the catalogue that are not among the keys. Returns how many are newly retired.

    None is removed: that a service stays because of an entry would tell the public of an internal one.
    Services of one's own and demonstration services are left alone.
    """
    gone = [
        row.id
        for row in connection.execute(
            select(Service.id, Service.key).where(
                Service.kind != int(ServiceKind.OWN), ~Service.demonstration, ~Service.retired
            )
        )
        if row.key not in keep
    ]
    return connection.execute(
        update(Service)
        .where(Service.id.in_(gone))
        .values(retired=True)
        .execution_options(synchronize_session=False)
    ).rowcount
