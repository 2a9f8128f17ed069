"""Boundaries -> areas, authorities, chains and kinds (docs/counting.md, "Keys and authorities")."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

FEDERATION = "000000000000"
DIGITS = {"states": 2, "districts": 5, "associations": 9, "municipalities": 12}
KINDS = {"Bund": 1, "Land": 2, "Kreis": 4, "kreisfreie Stadt": 8, "Verband": 16, "Gemeinde": 32}
"""Numbers of our own choice; one bit each, so that sets of kinds can be columns."""
EVERY_KIND = sum(KINDS.values())


@dataclass(frozen=True)
class Land:
    """areas: level, key, ars, authority (None: gemeindefrei). chains: asker, member. kinds: by authority.

    municipalities: per area (level, key) the authority of each of its municipalities (None: gemeindefrei) and
    its key.
    """

    areas: pd.DataFrame
    chains: pd.DataFrame
    kinds: pd.Series
    chain_kinds: pd.Series
    municipalities: pd.DataFrame

    @property
    def authorities(self) -> list[str]:
        return list(self.kinds.index)


def read_table(path: Path) -> pd.DataFrame:
    """level, key, designation from a table `ars;schluessel;ebene;name;bezeichnung`."""
    table = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    plural = {"state": "states", "district": "districts", "association": "associations"}
    return pd.DataFrame(
        {
            "level": table["ebene"].map(plural).fillna("municipalities"),
            "key": table["schluessel"],
            "designation": table["bezeichnung"],
        }
    )


def read_topojson(path: Path) -> pd.DataFrame:
    """The same from a ZIP with a TopoJSON that has the layers of VG250."""
    layers = {
        "vg250_lan": "states",
        "vg250_krs": "districts",
        "vg250_vwg": "associations",
        "vg250_gem": "municipalities",
    }
    with zipfile.ZipFile(path) as archive:
        objects = json.loads(archive.read("vg250.topojson"))["objects"]
    rows = [
        (layers[name], item["properties"]["ARS"], item["properties"]["BEZ"])
        for name, content in objects.items()
        for item in content["geometries"]
    ]
    return pd.DataFrame(rows, columns=["level", "key", "designation"])


def land(table: pd.DataFrame) -> Land:
    """Derive authorities and hierarchy from level, key and designation of every area."""
    areas = table.copy()
    assert (areas["key"].str.len() == areas["level"].map(DIGITS)).all()
    areas["ars"] = areas["key"].str.ljust(12, "0")
    areas["authority"] = areas["ars"]

    bottom = areas[areas["level"] == "municipalities"].copy()
    bottom["authority"] = bottom["authority"].mask(bottom["designation"].str.contains("emeindefrei"), None)
    areas.loc[bottom.index, "authority"] = bottom["authority"]

    above = areas["level"] == "associations"
    members = bottom.groupby(bottom["key"].str[:9])["authority"].agg(["size", "first"])
    members = members.reindex(areas.loc[above, "key"])
    alone = (members["size"] == 1).to_numpy()
    only = members["first"].where(members["first"].notna(), None).to_numpy()
    own = areas.loc[above, "authority"].to_numpy()
    areas.loc[above, "authority"] = pd.Series(
        [single if is_alone else key for single, is_alone, key in zip(only, alone, own, strict=True)],
        index=areas.index[above],
        dtype=object,
    )

    kinds = _kinds(areas)
    chains = _chains(areas)
    chain_kinds = chains.assign(bits=chains["member"].map(kinds)).groupby("asker")["bits"].agg(_together)
    return Land(areas, chains, kinds, chain_kinds, _municipalities(areas))


def _together(bits: pd.Series) -> int:
    result = 0
    for value in bits:
        result |= int(value)
    return result


def _kinds(areas: pd.DataFrame) -> pd.Series:
    by_level = {
        level: set(areas.loc[areas["level"] == level, "authority"].dropna())
        for level in ("states", "districts", "municipalities")
    }
    organisations = set(areas.loc[areas["level"] == "associations", "authority"].dropna())
    organisations -= by_level["municipalities"]
    result = {FEDERATION: KINDS["Bund"]}
    for authority in sorted(set().union(organisations, *by_level.values())):
        bits = 0
        if authority in by_level["states"]:
            bits |= KINDS["Land"]
        if authority in by_level["districts"]:
            bits |= KINDS["Kreis"]
        if authority in by_level["municipalities"]:
            bits |= KINDS["Gemeinde"]
        if authority in by_level["districts"] and authority in by_level["municipalities"]:
            bits |= KINDS["kreisfreie Stadt"]
        if authority in organisations:
            bits |= KINDS["Verband"]
        result[authority] = bits
    return pd.Series(result, name="kinds")


def _chains(areas: pd.DataFrame) -> pd.DataFrame:
    """(asker, member): the asker is every authority that has an area."""
    owner = {
        level: dict(areas.loc[areas["level"] == level, ["key", "authority"]].itertuples(index=False))
        for level in DIGITS
    }
    pairs = set()
    for row in areas.dropna(subset=["authority"]).itertuples():
        pairs |= {(row.authority, row.authority), (row.authority, FEDERATION)}
        for level, digits in DIGITS.items():
            if digits < len(row.key):
                above = owner[level][row.key[:digits]]
                assert above is not None
                pairs.add((row.authority, above))
    return pd.DataFrame(sorted(pairs), columns=["asker", "member"])


def _municipalities(areas: pd.DataFrame) -> pd.DataFrame:
    bottom = areas.loc[areas["level"] == "municipalities", ["key", "authority"]]
    parts = [
        pd.DataFrame(
            {
                "level": level,
                "key": bottom["key"].str[:digits],
                "municipality": bottom["key"],
                "authority": bottom["authority"],
            }
        )
        for level, digits in DIGITS.items()
    ]
    return pd.concat(parts, ignore_index=True)


def within(land: Land, regions: tuple[str, ...]) -> pd.DataFrame:
    """The areas (level, key) that are one of the regions or lie in one: all their municipalities do."""
    areas, bottom = land.areas, land.municipalities
    wanted: set[str] = set()
    for region in regions:
        if len(region) < 12:
            chosen = bottom.loc[bottom["municipality"].str.startswith(region), "municipality"]
        else:
            named = areas.loc[areas["ars"] == region, ["level", "key"]]
            chosen = bottom.merge(named)["municipality"]
        assert len(chosen), f"no such region: {region}"
        wanted |= set(chosen)
    inside = bottom["municipality"].isin(wanted).groupby([bottom["level"], bottom["key"]]).all()
    return inside[inside].reset_index()[["level", "key"]]
