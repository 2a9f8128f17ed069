"""Entries -> n, of, value and reason of every area under any filter (docs/counting.md, 1 to 7)."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from .areas import Land, within
from .catalogue import Catalogue
from .entries import IN_PROGRESS, NOT_RESPONSIBLE, ONLINE, OPEN, PLANNED

CODES = {
    "online": ONLINE,
    "in_progress": IN_PROGRESS,
    "planned": PLANNED,
    "open": OPEN,
    "not_responsible": NOT_RESPONSIBLE,
}
NAMES = {code: name for name, code in CODES.items()}


@dataclass(frozen=True)
class Filter:
    """The parameters of a request. situations: (slug of the subject area, name)."""

    subjects: tuple[str, ...] = ()
    situations: tuple[tuple[str, str], ...] = ()
    services: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ("online",)
    measure: str = "count"
    scope: str = "own"
    within: tuple[str, ...] = field(default=())
    kinds: tuple[str, ...] = ()
    maturity: str = ""
    confirmed: str = ""

    @property
    def of_entries(self) -> tuple[tuple[str, ...], str, str]:
        return self.kinds, self.maturity, self.confirmed


class Recount:
    """Counts over one set of files for one audience.

    entries: the table of Entries. published: keys of the authorities that are published.
    population: inhabitants by authority, where known.
    """

    def __init__(
        self,
        land: Land,
        catalogue: Catalogue,
        entries: pd.DataFrame,
        audience: str,
        published: Collection[str],
        population: Mapping[str, int],
    ) -> None:
        self.land = land
        self.catalogue = catalogue
        self.population = pd.Series(dict(population), dtype="float64")
        if audience == "public":
            entries = entries[(entries["visibility"] == "public") & entries["authority"].isin(set(published))]
        self.entries = entries.reset_index(drop=True)

    @functools.cache  # noqa: B019 - lives as long as its one object
    def _offers(self, scope: str) -> pd.DataFrame:
        """(asker, service, status, entry): what counts for each authority's area (rule 2)."""
        columns = ["authority", "service", "status", "valid_for"]
        entries = self.entries[columns].assign(entry=self.entries.index)
        if scope == "own":
            return entries.rename(columns={"authority": "asker"})[["asker", "service", "status", "entry"]]
        chains = self.land.chains
        limited = entries["valid_for"].notna()
        everywhere = chains.merge(entries[~limited], left_on="member", right_on="authority")
        named = entries[limited].explode("valid_for")
        reached = chains.rename(columns={"member": "valid_for"}).merge(named, on="valid_for")
        reached = reached.drop_duplicates(["asker", "entry"])
        reached = reached.merge(chains, left_on=["asker", "authority"], right_on=["asker", "member"])
        return pd.concat([everywhere, reached], ignore_index=True)[["asker", "service", "status", "entry"]]

    def _meets(self, kinds: tuple[str, ...], maturity: str, confirmed: str) -> pd.Series:
        """By entry, whether it counts as an offer (rule 5)."""
        entries = self.entries
        meets = pd.Series(True, index=entries.index)
        if kinds:
            meets &= entries["kind"].isin(kinds)
        if maturity:
            model, step = maturity.split(":")
            meets &= (entries["model"] == model) & (entries["step"].fillna(-1) >= int(step))
        if confirmed:
            meets &= entries["as_of"].fillna("") >= confirmed
        return meets

    @functools.lru_cache(maxsize=16)  # noqa: B019
    def _statuses(self, scope: str, of_entries: tuple[tuple[str, ...], str, str]) -> pd.DataFrame:
        """(asker, key, status), one row per countable service with an entry: bundles, other exact keys."""
        every = self._best(scope, None)
        if not any(of_entries):
            return every
        offered = self._best(scope, of_entries).rename(columns={"status": "offered"})
        both = every.astype({"asker": str, "key": str}).merge(
            offered.astype({"asker": str, "key": str}), how="left", on=["asker", "key"]
        )
        counted = both["offered"].fillna(OPEN).clip(upper=OPEN).astype(int)
        return both[["asker", "key"]].assign(
            status=counted.where(both["status"] != NOT_RESPONSIBLE, both["status"])
        )

    @functools.cache  # noqa: B019
    def _best(self, scope: str, of_entries: tuple[tuple[str, ...], str, str] | None) -> pd.DataFrame:
        offers = self._offers(scope)
        if of_entries:
            offers = offers[offers["entry"].map(self._meets(*of_entries))]
        bundle_of = self.catalogue.bundle_of()
        as_bundle = offers.assign(key=offers["service"].map(bundle_of)).dropna(subset=["key"])
        exact = offers[~offers["service"].isin(self.catalogue.bundles.index)].rename(
            columns={"service": "key"}
        )
        both = pd.concat([as_bundle, exact], ignore_index=True)[["asker", "key", "status"]]
        both[["asker", "key"]] = both[["asker", "key"]].astype("category")
        return both.groupby(["asker", "key"], observed=True, sort=False)["status"].min().reset_index()

    def _selection(self, query: Filter) -> pd.Series:
        """Kinds responsible by key, of the services in S before rule 4."""
        if query.services:
            return pd.Series({key: self.catalogue.kinds_of(key) for key in query.services}, dtype=int)
        bundles = self.catalogue.bundles[~self.catalogue.bundles["retired"]]
        if query.subjects or query.situations:
            pairs = pd.Series(list(zip(bundles["subject"], bundles["situation"], strict=True)), bundles.index)
            bundles = bundles[bundles["subject"].isin(query.subjects) | pairs.isin(query.situations)]
        return bundles["kinds"]

    @functools.lru_cache(maxsize=32)  # noqa: B019
    def _per_authority(self, query: Filter) -> pd.DataFrame:
        """By asker: n, of, reason, status (the best, of use for one service), and services by status."""
        selection = self._selection(query)
        kinds = self.land.kinds if query.scope == "own" else self.land.chain_kinds
        statuses = self._statuses(query.scope, query.of_entries)
        statuses = statuses[statuses["key"].isin(selection.index)]
        responsible = statuses["key"].map(selection).astype(int) & statuses["asker"].map(kinds).astype(int)
        statuses = statuses[responsible > 0]
        table = (
            statuses.groupby(["asker", "status"], observed=True).size().unstack(fill_value=0)
            if len(statuses)
            else pd.DataFrame()
        )
        table = table.reindex(index=kinds.index, columns=range(1, 6), fill_value=0).astype(int)
        size = kinds.map({bits: int(((selection & bits) > 0).sum()) for bits in kinds.unique()})
        table[OPEN] += size - table.sum(axis=1)
        result = pd.DataFrame({"of": table.drop(columns=NOT_RESPONSIBLE).sum(axis=1)})
        result["n"] = sum(table[CODES[name]] for name in query.statuses)
        for name, code in CODES.items():
            result[name] = table[code]
        result["status"] = (table > 0).idxmax(axis=1)
        has_data = kinds.index.isin(self._offers(query.scope)["asker"].unique())
        result["reason"] = None
        result.loc[result["of"] == 0, "reason"] = "not_responsible"
        result.loc[~has_data, "reason"] = "no_data"
        return result

    def facets(self, level: str, query: Filter) -> dict[tuple[str, str], tuple[int, int]]:
        """(slug, situation) -> (n, of) over all services, whatever the query chooses of them."""
        query = Filter(
            statuses=query.statuses, scope=query.scope, within=query.within, **_entry_filters(query)
        )
        shown = self.land.areas[self.land.areas["level"] == level].set_index("key")["authority"]
        values = self.values(level, query)
        shown = shown[shown.index.isin(values.index)].dropna()
        valued = set(shown[shown.index.isin(values.index[values["reason"].isna()])])
        bundles = self.catalogue.bundles[~self.catalogue.bundles["retired"]]
        kinds = self.land.kinds if query.scope == "own" else self.land.chain_kinds
        statuses = self._statuses(query.scope, query.of_entries)
        statuses = statuses[statuses["asker"].isin(valued) & statuses["key"].isin(bundles.index)]
        said = {
            key: dict(zip(rows["asker"], rows["status"], strict=True))
            for key, rows in statuses.astype({"asker": str, "key": str}).groupby("key")
        }
        wanted = {CODES[name] for name in query.statuses}
        result: dict[tuple[str, str], tuple[int, int]] = {}
        for bundle in bundles.itertuples():
            responsible = {asker for asker in set(shown) if kinds[asker] & bundle.kinds}
            by_asker = said.get(str(bundle.Index), {})
            has = any(by_asker.get(asker, OPEN) in wanted for asker in responsible & valued)
            place = (str(bundle.subject), str(bundle.situation))
            n, of = result.get(place, (0, 0))
            result[place] = n + has, of + bool(responsible)
        return result

    def values(self, level: str, query: Filter) -> pd.DataFrame:
        """By key: n, of, value, reason (numbers are NA where there is a reason), and the counts beside.

        Only the areas in the regions of the query. For spread: left_out, population_share.
        """
        result = self._spread(level, query) if query.measure == "spread" else self._direct(level, query)
        if query.within:
            inside = within(self.land, query.within)
            result = result[result.index.isin(inside.loc[inside["level"] == level, "key"])]
        return result

    def _direct(self, level: str, query: Filter) -> pd.DataFrame:
        areas = self.land.areas
        areas = areas.loc[areas["level"] == level].set_index("key")["authority"]
        counted = self._per_authority(query)
        result = counted.reindex(areas.dropna().to_numpy()).set_axis(areas.dropna().index)
        result = result.reindex(areas.index)
        result.loc[areas.isna(), "reason"] = "unincorporated"
        result["reason"] = result["reason"].where(result["reason"].notna(), None)
        result["value"] = None
        valid = result["reason"].isna()
        if query.measure == "status":
            assert len(query.services) == 1
            result["n"] = result["status"]
            result.loc[valid, "value"] = result["status"].map(NAMES)
        elif query.measure == "share":
            result.loc[valid, "value"] = _rounded(result[valid])
        else:
            result.loc[valid, "value"] = result.loc[valid, "n"]
        return result

    def _spread(self, level: str, query: Filter) -> pd.DataFrame:
        assert len(query.services) == 1
        assert level != "municipalities"
        bottom = self.land.municipalities
        bottom = bottom[bottom["level"] == level].copy()
        incorporated = bottom.dropna(subset=["authority"])
        per_authority = self._per_authority(query)
        found = incorporated.join(per_authority[["n", "reason"]], on="authority")
        found["inhabitants"] = found["authority"].map(self.population)
        found["counts"] = found["reason"].isna()
        found["wanted"] = found["counts"] & (found["n"] > 0)
        found["no_data"] = found["reason"] == "no_data"
        found["inhabitants_of"] = found["inhabitants"].where(found["counts"])
        found["inhabitants_n"] = found["inhabitants"].where(found["wanted"])
        found["unknown"] = found["counts"] & found["inhabitants"].isna()
        groups = found.groupby("key")
        result = pd.DataFrame(
            {
                "n": groups["wanted"].sum(),
                "of": groups["counts"].sum(),
                "left_out": groups["counts"].size() - groups["counts"].sum(),
                "inhabitants_n": groups["inhabitants_n"].sum(),
                "inhabitants_of": groups["inhabitants_of"].sum(),
                "no_data": groups["no_data"].any(),
                "unknown": groups["unknown"].any(),
            }
        )
        result = result.reindex(bottom["key"].unique())
        result["reason"] = None
        result.loc[result["of"] == 0, "reason"] = "not_responsible"
        result.loc[(result["of"] == 0) & result["no_data"].eq(True), "reason"] = "no_data"
        result.loc[result["of"].isna(), "reason"] = "unincorporated"
        result[["n", "of", "left_out"]] = result[["n", "of", "left_out"]].fillna(0)
        valid = result["reason"].isna()
        result["value"] = None
        result.loc[valid, "value"] = _rounded(result[valid])
        known = (result["inhabitants_of"] > 0) & result["unknown"].eq(False)
        result["population_share"] = None
        result.loc[known, "population_share"] = _rounded(
            result[known].rename(columns={"n": "_", "of": "__", "inhabitants_n": "n", "inhabitants_of": "of"})
        )
        return result


def _entry_filters(query: Filter) -> dict[str, Any]:
    return {"kinds": query.kinds, "maturity": query.maturity, "confirmed": query.confirmed}


def _rounded(table: pd.DataFrame) -> pd.Series:
    """n / of to three decimals, half away from zero; in whole numbers, since 0.0625 must not be 0.062."""
    n, of = table["n"].astype("int64"), table["of"].astype("int64")
    return ((2000 * n + of) // (2 * of)) / 1000
