"""Boundary file -> complete, current release: read, check, generalise, write, activate."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from sqlalchemy import delete, select

from .. import releases
from ..database import Database
from ..domain import Level
from ..models import Authority, BoundaryRelease
from ..paths import BUNDLED as BUNDLED_FOLDER
from . import archive, boundary_rows, geometry, hierarchy, metadata, neighbours, runs, vector
from .findings import SHOWN, Findings
from .hierarchy import Tier
from .prepared import Prepared, PreparedTier
from .report import counted, number, progress, say

BUNDLED = BUNDLED_FOLDER / "vg250_2016-01-01_generalised.zip"
BUNDLED_NAME = "VG250, Gebietsstand 01.01.2016, vereinfacht (mitgeliefert)"

LAND = (4, 9)
"""GF of land: 4 in VG250, 9 in VG5000. The others are water, which is no boundary."""
_COMPARED = (Level.DISTRICT, Level.MUNICIPALITY)
_STEPS = 12


@dataclass(frozen=True)
class Options:
    """What the command line may say beside the files."""

    mapped: vector.Mapped = field(default_factory=vector.Mapped)
    overrides: metadata.Overrides = field(default_factory=metadata.Overrides)
    dry_run: bool = False


@dataclass(frozen=True)
class Known:
    """What the database knows about authorities: AGS -> ARS where it is one only, ARS -> name."""

    ars_of_ags: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def import_boundaries(
    database: Database, files: Sequence[Path], options: Options | None = None
) -> int | None:
    """Import files as one release and make it current; the id of the release.

    All or nothing: one transaction writes and activates. A file that was imported before is recognised by its
    checksum, then nothing is done. A dry run writes nothing and returns None. Raises ImportRefusedError.
    """
    options = options or Options()
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(archive.opened(path)) for path in files]
        paths = [path for data, _ in opened for path in data]
        texts = [path for _, listed in opened for path in listed]
        digest = checksum(files)
        if not options.dry_run and (stored := _recognised(database, digest)) is not None:
            return stored
        with runs.run(
            database,
            "boundaries",
            files=[path.name for path in files],
            checksum=digest,
            dry_run=options.dry_run,
        ) as run:
            with progress("Grenzen lesen, prüfen und vereinfachen", _STEPS) as show:
                prepared = prepare(paths, texts, files, options, _known(database), show)
            if options.dry_run:
                _say_found(prepared)
                _say_differences(database, prepared)
                say("Probelauf: Es wurde nichts geschrieben.")
                return None
            with database.owner() as connection:
                run.attach(connection)
                connection.execute(delete(BoundaryRelease).where(~BoundaryRelease.complete))
                release_id = boundary_rows.write(connection, prepared, digest, run.id)
                releases.activate(connection, release_id)
                run.finish(connection, _report(prepared, release_id, time.monotonic() - started))
    runs.analyse(database, *boundary_rows.TABLES)
    _say_found(prepared)
    say(
        f"Aktueller Gebietsstand ist jetzt Nr. {release_id}: {prepared.info.name}. "
        f"Dauer: {time.monotonic() - started:.0f} s."
    )
    return release_id


def import_bundled(database: Database) -> int | None:
    """Import the bundled boundaries."""
    return import_boundaries(database, [BUNDLED], Options(overrides=metadata.Overrides(name=BUNDLED_NAME)))


def prepare(
    paths: Sequence[Path],
    texts: Sequence[Path],
    files: Sequence[Path],
    options: Options,
    known: Known,
    show: Callable[[int], None] = lambda _: None,
) -> Prepared:
    """Everything of a release but its rows, from unpacked files; touches no database."""
    reached = 0

    def step() -> None:
        nonlocal reached
        reached += 1
        show(min(reached, _STEPS))

    findings = Findings()
    source = vector.read(paths, options.mapped, findings)
    info = metadata.describe(source, files, texts, options.overrides, findings)
    step()
    layers = {level: _checked(layer, source.crs, known, findings) for level, layer in source.layers.items()}
    findings.raise_problems()
    step()
    base = layers[max(layers)]
    generalised = geometry.generalise(base.geometries, base.keys, source.crs, step)
    tiers = hierarchy.build(layers, generalised.matched, known.names, findings)
    if generalised.matched:
        edges = neighbours.shared_edges(geometry.metric(base.geometries, source.crs))
    else:
        findings.notes.append(
            "Nachbargrenzen der Datei liegen nicht genau aufeinander; sie wurden angeglichen."
        )
        edges = neighbours.shared_edges(geometry.metric(generalised.cleaned, pyproj.CRS.from_epsg(4326)))
    step()
    prepared = {}
    for level, tier in tiers.items():
        prepared[level] = _derive(tier, tiers[max(tiers)], generalised, edges, source.crs)
        step()
    epsg = source.crs.to_epsg(min_confidence=40)
    assert epsg is not None
    return Prepared(info, epsg, prepared, findings)


def _checked(layer: vector.Layer, crs: pyproj.CRS, known: Known, findings: Findings) -> vector.Layer:
    land = np.isin(layer.parts, (*LAND, -1))
    if not land.all():
        findings.dropped[f"{layer.name}: Wasserflächen"] = int((~land).sum())
        layer = layer.take(land)
    hierarchy.normalise_keys(layer, known.ars_of_ags.get, findings)
    layer = geometry.repair(layer, crs, findings)
    return geometry.merge_duplicates(layer, findings)


def _derive(
    tier: Tier, base: Tier, generalised: geometry.Generalised, edges: Any, crs: pyproj.CRS
) -> PreparedTier:
    members = tier.members
    if tier is base:
        shapes, bounds = generalised.shapes, generalised.bounds
    else:
        shapes = {
            detail: geometry.dissolve(base_shapes, members)
            for detail, base_shapes in generalised.shapes.items()
        }
        bounds = np.array(
            [
                [*generalised.bounds[rows, :2].min(axis=0), *generalised.bounds[rows, 2:].max(axis=0)]
                for rows in members
            ]
        )
    return PreparedTier(
        tier,
        shapes,
        bounds,
        geometry.label_points(shapes[300], tier.geometries, crs),
        geometry.areas_m2(tier.geometries, crs),
        neighbours.neighbours(edges, tier.base_group),
    )


def checksum(files: Sequence[Path]) -> str:
    """SHA-256 of the file as delivered; of several files, of their digests in the order of the names."""
    digests = []
    for path in sorted(files, key=lambda path: path.name):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _recognised(database: Database, digest: str) -> int | None:
    with database.owner() as connection:
        row = connection.execute(
            select(BoundaryRelease.id, BoundaryRelease.name, BoundaryRelease.is_current)
            .where(BoundaryRelease.checksum == digest, BoundaryRelease.complete)
            .order_by(BoundaryRelease.id.desc())
        ).first()
    if row is None:
        return None
    if row.is_current:
        say(f"Diese Datei ist schon eingelesen und aktuell: Nr. {row.id}, {row.name}. Es gibt nichts zu tun.")
    else:
        say(
            f"Diese Datei ist schon eingelesen: Nr. {row.id}, {row.name}. Aktuell machen: "
            f"mapservice releases activate {row.id}"
        )
    return int(row.id)


def _known(database: Database) -> Known:
    with database.owner() as connection:
        rows = connection.execute(select(Authority.ars, Authority.ags, Authority.name)).all()
    by_ags: dict[str, list[str]] = {}
    for ars, ags, _ in rows:
        if ags is not None:
            by_ags.setdefault(ags, []).append(ars)
    return Known(
        {ags: found[0] for ags, found in by_ags.items() if len(found) == 1},
        {ars: name for ars, _, name in rows},
    )


def _counts(prepared: Prepared) -> dict[Level, int]:
    return {level: len(item.tier) for level, item in prepared.tiers.items()}


def _without_authority(prepared: Prepared) -> int:
    lowest = prepared.tiers[max(prepared.tiers)].tier
    return sum(ars is None for ars in lowest.authorities)


def _report(prepared: Prepared, release_id: int, seconds: float) -> dict[str, Any]:
    return {
        "release": release_id,
        "areas": {level.plural: count for level, count in _counts(prepared).items()},
        "without_authority": _without_authority(prepared),
        "seconds": round(seconds, 1),
        "info": {key: str(value) for key, value in asdict(prepared.info).items()},
        **prepared.findings.as_dict(),
    }


def _say_found(prepared: Prepared) -> None:
    parts = [counted(count, *vector.LEVEL_COUNTED[level]) for level, count in _counts(prepared).items()]
    without = _without_authority(prepared)
    say(f"{prepared.info.name}: {', '.join(parts)}; {number(without)} gemeindefrei, ohne Behörde.")
    say(f"Quelle: {prepared.info.source}. {prepared.info.attribution}. Lizenz: {prepared.info.licence}.")
    for reason, count in prepared.findings.dropped.items():
        say(f"Ausgelassen: {counted(count, 'Zeile', 'Zeilen')}, {reason}.")
    by_layer: dict[str, list[str]] = {}
    for finding in prepared.findings.repaired:
        by_layer.setdefault(finding.layer, []).append(str(finding))
    for layer, lines in by_layer.items():
        say(f"Repariert in {layer}: {number(len(lines))}")
        for line in lines[:SHOWN]:
            say(f"  {line}")
        if len(lines) > SHOWN:
            say(f"  … und {number(len(lines) - SHOWN)} weitere (im Bericht des Importlaufs)")
    for note in prepared.findings.notes[:SHOWN]:
        say(f"Hinweis: {note}")


def _say_differences(database: Database, prepared: Prepared) -> None:
    with database.owner() as connection:
        current = releases.current_areas(connection, *_COMPARED)
    for level in _COMPARED:
        if level not in prepared.tiers:
            continue
        tier = prepared.tiers[level].tier
        old, new = current[level], dict(zip(tier.keys, tier.names, strict=True))
        differences = {
            "neu": [f"{key} {new[key]}" for key in sorted(new.keys() - old.keys())],
            "weggefallen": [f"{key} {old[key]}" for key in sorted(old.keys() - new.keys())],
            "umbenannt": [
                f"{key} {old[key]} → {new[key]}"
                for key in sorted(new.keys() & old.keys())
                if new[key] != old[key]
            ],
        }
        say(
            f"{vector.LEVEL_GERMAN[level]}: "
            + ", ".join(f"{number(len(lines))} {what}" for what, lines in differences.items())
        )
        for what, lines in differences.items():
            for line in lines[:SHOWN]:
                say(f"  {what}: {line}")
            if len(lines) > SHOWN:
                say(f"  {what}: … und {number(len(lines) - SHOWN)} weitere")
