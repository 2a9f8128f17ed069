"""Entries -> what others have online and an authority lacks, and the reverse (docs/counting.md, Gaps)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from .count import Recount
from .entries import IN_PROGRESS, NOT_RESPONSIBLE, ONLINE, OPEN, PLANNED

SECTIONS = {"missing": (OPEN, IN_PROGRESS, PLANNED), "help": (ONLINE,)}


def gaps(
    recount: Recount, own: str, others: Sequence[str], direction: str, subjects: Sequence[str] = ()
) -> list[tuple[str, int, int, list[str]]]:
    """Bundle, how many, of how many, the nearest three; others: in the order by place."""
    statuses = recount._statuses("own", ((), "", ""))
    with_data = set(recount._offers("own")["asker"])
    table = statuses.astype({"asker": str, "key": str}).pivot(index="key", columns="asker", values="status")
    kinds = recount.land.kinds
    bundles = recount.catalogue.bundles
    bundles = bundles[~bundles["retired"] & (bundles["kinds"] & int(kinds[own]) > 0)]
    if subjects:
        bundles = bundles[bundles["subject"].isin(subjects)]
    found = []
    for bundle in bundles.itertuples():
        key = str(bundle.Index)
        row = table.loc[key] if key in table.index else pd.Series(dtype=float)
        said = {asker: int(status) for asker, status in row.dropna().items()}
        mine = said.get(own, OPEN)
        if mine not in SECTIONS[direction]:
            continue
        asked = [
            other
            for other in others
            if other in with_data
            and int(kinds[other]) & int(bundle.kinds)
            and said.get(other) != NOT_RESPONSIBLE
        ]
        wanted = direction == "missing"
        chosen = [other for other in asked if (said.get(other) == ONLINE) is wanted]
        if chosen:
            section = SECTIONS[direction].index(mine)
            place = (section, -len(chosen), list(others).index(chosen[0]))
            found.append((place, key, len(chosen), len(asked), chosen[:3]))
    # The name, which decides between equals, is not looked at here.
    return [(key, number, of, nearest) for _, key, number, of, nearest in sorted(found)]


def similar(recount: Recount, own: str, most: int) -> list[str]:
    """Those of exactly the same kinds nearest in population, where it is known."""
    population, kinds = recount.population.dropna(), recount.land.kinds
    if own not in population.index:
        return []
    alike = [ars for ars in population.index if ars != own and kinds.get(ars) == kinds[own]]
    by_size = sorted((abs(population[ars] - population[own]), ars) for ars in alike)
    return [ars for _, ars in by_size[:most]]
