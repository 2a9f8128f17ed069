"""Keys, levels and authorities of a release, by the rules of domain.md, "Keys".

One authority, several boundaries: an authority is known by its key padded to 12 digits, so a kreisfreie
Stadt is one as district and as municipality. Decided by members and designation, never by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from ..domain import Kind, Level, pad_ars
from .findings import Findings
from .geometry import dissolve
from .vector import KEY_LENGTH, LEVEL_GERMAN, Geometries, Layer, Texts

Integers = npt.NDArray[np.int64]

STATE_NAMES = {
    "01": "Schleswig-Holstein",
    "02": "Hamburg",
    "03": "Niedersachsen",
    "04": "Bremen",
    "05": "Nordrhein-Westfalen",
    "06": "Hessen",
    "07": "Rheinland-Pfalz",
    "08": "Baden-Württemberg",
    "09": "Bayern",
    "10": "Saarland",
    "11": "Berlin",
    "12": "Brandenburg",
    "13": "Mecklenburg-Vorpommern",
    "14": "Sachsen",
    "15": "Sachsen-Anhalt",
    "16": "Thüringen",
}

_FREE_CODES = (65, 66)
_CITY_CODES = (40, 41)
_CITY_DESIGNATIONS = ("kreisfreie stadt", "stadtkreis")
_SINGLE_CODE_FROM = 80
"""IBZ of associations that are a single municipality again: 80 to 88."""


@dataclass
class Tier:
    """One level of a release, ordered by key. All arrays have one entry per area.

    authorities: ARS or None; kinds: Kind flags of that authority, 0 without; parents: per level above, the
    position of the area there; base_group: per area of the lowest level, its position in this tier;
    populations: -1 where unknown; geometries: full, in the release's CRS.
    """

    level: Level
    keys: Texts
    names: Texts
    designations: Texts
    codes: Integers
    populations: Integers
    geometries: Geometries
    base_group: Integers
    authorities: Texts = field(default_factory=lambda: np.empty(0, dtype=object))
    kinds: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    parents: dict[Level, Integers] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def members(self) -> list[Integers]:
        """Per area, the positions of its areas of the lowest level."""
        order = np.argsort(self.base_group, kind="stable")
        bounds = np.searchsorted(self.base_group[order], np.arange(1, len(self)))
        return np.split(order, bounds)


def normalise_keys(layer: Layer, find_ars: Callable[[str], str | None], findings: Findings) -> None:
    """Bring the keys of a layer to the length of its level, in place.

    Mended and reported: a leading zero that a spreadsheet ate. 8-digit AGS of municipalities become ARS by
    find_ars, else where only one ARS is possible: kreisfreie Städte and North Rhine-Westphalia, which has no
    associations. Everything else is a problem.
    """
    short = 0
    for at, raw in enumerate(layer.keys):
        key = str(raw).replace(" ", "")
        if len(key) in (1, 4, 7, 11) or (layer.level is Level.ASSOCIATION and len(key) == 8):
            key = "0" + key
            short += 1
        key = _at_level(key, layer.level, find_ars) if key.isascii() and key.isdigit() else ""
        if key and key[:2] in STATE_NAMES:
            layer.keys[at] = key
            continue
        problem = "fehlt" if not raw else f"„{str(raw)[:40]}“ ist unbekannt"
        findings.problem(
            layer.name,
            int(layer.rows[at]),
            None,
            f"Der Schlüssel {problem}.",
            f"Erwartet wird für {LEVEL_GERMAN[layer.level]} ein Schlüssel mit {KEY_LENGTH[layer.level]} "
            "Ziffern (Amtlicher Regionalschlüssel).",
        )
    if short:
        findings.repair(layer.name, None, None, f"{short} Schlüsseln fehlte die führende Null.")


def _at_level(key: str, level: Level, find_ars: Callable[[str], str | None]) -> str:
    length = KEY_LENGTH[level]
    if len(key) == length:
        return key
    if level is not Level.MUNICIPALITY:
        return key[:length] if len(key) > length and not key[length:].strip("0") else ""
    if len(key) != 8:
        return ""
    if (known := find_ars(key)) is not None:
        return known
    if key.endswith("000"):
        return pad_ars(key[:5])
    return f"{key[:5]}0{key[5:]}{key[5:]}" if key.startswith("05") else ""


def build(
    layers: Mapping[Level, Layer], matched: bool, known_names: Mapping[str, str], findings: Findings
) -> dict[Level, Tier]:
    """Tiers of all levels from the lowest one up; levels that the file lacks are dissolved from it.

    layers: repaired, keys normalised, one row per key; matched: whether the lowest level shares its borders
    vertex by vertex; known_names: ARS -> name of authorities already known, for levels without names.
    """
    base_level = max(layers)
    base = layers[base_level]
    tiers: dict[Level, Tier] = {}
    for level in Level:
        if level < base_level:
            tiers[level] = _tier(level, layers.get(level), base, matched, known_names, findings)
        elif level is base_level:
            tiers[level] = _from_layer(base, np.arange(len(base)))
            for unnamed in np.flatnonzero(base.names == ""):
                base.names[unnamed] = known_names.get(pad_ars(base.keys[unnamed])) or base.keys[unnamed]
    findings.raise_problems()
    for level, tier in tiers.items():
        for above in tiers:
            if above < level:
                prefixes = np.array([key[: KEY_LENGTH[above]] for key in tier.keys], dtype=str)
                tier.parents[above] = np.searchsorted(tiers[above].keys.astype(str), prefixes)
    _assign_authorities(tiers, findings)
    return tiers


def _from_layer(layer: Layer, group: Integers) -> Tier:
    return Tier(
        layer.level,
        layer.keys,
        layer.names,
        layer.designations,
        layer.codes,
        layer.populations,
        layer.geometries,
        group,
    )


def _tier(
    level: Level,
    layer: Layer | None,
    base: Layer,
    matched: bool,
    known_names: Mapping[str, str],
    findings: Findings,
) -> Tier:
    prefixes = np.array([key[: KEY_LENGTH[level]] for key in base.keys], dtype=str)
    wanted, group = np.unique(prefixes, return_inverse=True)
    have = {key: at for at, key in enumerate(layer.keys)} if layer is not None else {}
    for key in sorted(set(have) - set(wanted)):
        assert layer is not None
        findings.problem(
            layer.name,
            int(layer.rows[have[key]]),
            key,
            f"Keine Fläche der Schicht {base.name} liegt darin.",
            "Bitte beide Schichten vom selben Gebietsstand übergeben.",
        )
    missing = [key for key in wanted if key not in have]
    if missing and layer is not None:
        for key in missing:
            findings.repair(layer.name, None, str(key), f"fehlt; aus {base.name} zusammengesetzt.")
    elif missing:
        findings.notes.append(f"{LEVEL_GERMAN[level]} fehlen in der Datei; aus {base.name} zusammengesetzt.")

    count = len(wanted)
    tier = Tier(
        level,
        wanted.astype(object),
        np.full(count, "", dtype=object),
        np.full(count, "", dtype=object),
        np.full(count, -1),
        np.full(count, -1),
        np.empty(count, dtype=object),
        group,
    )
    members = tier.members
    for at, key in enumerate(wanted):
        row = have.get(key)
        if layer is not None and row is not None:
            tier.names[at], tier.designations[at] = layer.names[row], layer.designations[row]
            tier.codes[at], tier.populations[at] = layer.codes[row], layer.populations[row]
            tier.geometries[at] = layer.geometries[row]
            continue
        own = base.geometries[members[at]]
        tier.geometries[at] = (
            dissolve(base.geometries, [members[at]])[0] if matched else shapely.union_all(own)
        )
        tier.names[at], tier.designations[at] = _invented(level, str(key), base, members[at])
    for unknown in np.flatnonzero(tier.populations < 0):
        parts = base.populations[members[unknown]]
        if (parts >= 0).all():
            tier.populations[unknown] = parts.sum()
    for unnamed in np.flatnonzero(tier.names == ""):
        key = tier.keys[unnamed]
        tier.names[unnamed] = known_names.get(pad_ars(key)) or _plain_name(level, key)
    return tier


def _invented(level: Level, key: str, base: Layer, members: Integers) -> tuple[str, str]:
    """Name and designation of an area that the file does not name; an empty name is looked up later."""
    if level is Level.STATE:
        return STATE_NAMES[key], "Land"
    whole = [at for at in members if base.keys[at] == pad_ars(key)]
    if level is Level.DISTRICT and whole and base.level is Level.MUNICIPALITY:
        return base.names[whole[0]], "Kreisfreie Stadt"
    if level is Level.ASSOCIATION and len(members) == 1:
        return base.names[members[0]], ""
    return "", "Kreis" if level is Level.DISTRICT else "Gemeindeverband"


def _plain_name(level: Level, key: str) -> str:
    return f"Kreis {key}" if level is Level.DISTRICT else f"Gemeindeverband {key}"


def _assign_authorities(tiers: Mapping[Level, Tier], findings: Findings) -> None:
    kinds: dict[str, Kind] = {}

    def add(ars: str, kind: Kind) -> str:
        kinds[ars] = kinds.get(ars, Kind(0)) | kind
        return ars

    municipalities = tiers.get(Level.MUNICIPALITY)
    cities: set[str] = set()
    if municipalities is not None:
        free = _unincorporated(municipalities)
        municipalities.authorities = np.array(
            [
                None if is_free else add(key, Kind.MUNICIPALITY)
                for key, is_free in zip(municipalities.keys, free, strict=True)
            ],
            dtype=object,
        )
        cities = {ars for ars in municipalities.authorities if ars is not None and ars[5:] == "0000000"}
    for level, tier in tiers.items():
        if level is Level.STATE:
            tier.authorities = np.array([add(pad_ars(key), Kind.STATE) for key in tier.keys], dtype=object)
        elif level is Level.DISTRICT:
            tier.authorities = np.array(
                [add(pad_ars(key), _district_kind(tier, at, cities)) for at, key in enumerate(tier.keys)],
                dtype=object,
            )
        elif level is Level.ASSOCIATION:
            tier.authorities = np.array(
                [
                    add(ars, Kind.ASSOCIATION) if ars == pad_ars(tier.keys[at]) and own else ars
                    for at, (ars, own) in enumerate(_association_authorities(tier, municipalities, findings))
                ],
                dtype=object,
            )
    for tier in tiers.values():
        tier.kinds = np.array(
            [0 if ars is None else int(kinds[ars]) for ars in tier.authorities], dtype=np.int64
        )


def _unincorporated(tier: Tier) -> npt.NDArray[np.bool_]:
    named = [designation.lower().startswith("gemeindefrei") for designation in tier.designations]
    free: npt.NDArray[np.bool_] = np.array(named, dtype=bool) | np.isin(tier.codes, _FREE_CODES)
    return free


def _district_kind(tier: Tier, at: int, cities: set[str]) -> Kind:
    city = (
        pad_ars(tier.keys[at]) in cities
        or tier.codes[at] in _CITY_CODES
        or tier.designations[at].lower() in _CITY_DESIGNATIONS
    )
    return Kind.DISTRICT | Kind.DISTRICT_FREE_CITY if city else Kind.DISTRICT


def _association_authorities(
    tier: Tier, municipalities: Tier | None, findings: Findings
) -> list[tuple[str | None, bool]]:
    """Per area: its authority's ARS or None, and whether that is an organisation of its own."""
    if municipalities is None:
        return [(pad_ars(key), True) for key in tier.keys]
    result: list[tuple[str | None, bool]] = []
    for at, members in enumerate(tier.members):
        own = pad_ars(tier.keys[at])
        holders = [ars for ars in municipalities.authorities[members] if ars is not None]
        single = tier.codes[at] >= _SINGLE_CODE_FROM or tier.designations[at].lower().endswith(
            ("einheitsgemeinde", "freie gemeinde", "freie stadt")
        )
        if not holders:
            result.append((None, False))
        elif len(members) == 1 or (single and len(holders) == 1):
            result.append((holders[0], False))
        else:
            if single:
                findings.notes.append(
                    f"{tier.names[at]} ({tier.keys[at]}) heißt {tier.designations[at]}, hat aber "
                    f"{len(holders)} Gemeinden; als eigener Verband übernommen."
                )
            result.append((own, True))
    return result
