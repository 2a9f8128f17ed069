"""The status of each service at each authority, and the sums of both (docs/counting.md, 11)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from .count import CODES, NAMES, Filter, Recount

NO_DATA, NOT_RESPONSIBLE = "no_data", "not_responsible"


def cells(recount: Recount, authorities: Sequence[str], query: Filter) -> pd.DataFrame:
    """Names of statuses, no_data or not_responsible: a row for each service of S for which one of the
    authorities is responsible (for each, where they were chosen one by one), a column for each authority.
    """
    selection = recount._selection(query)
    kinds = recount.land.kinds if query.scope == "own" else recount.land.chain_kinds
    statuses = recount._statuses(query.scope, query.of_entries).astype({"asker": str, "key": str})
    said = statuses.set_index(["key", "asker"])["status"]
    with_data = set(recount._offers(query.scope)["asker"])
    table = pd.DataFrame(index=selection.index.astype(str), columns=list(authorities), dtype=object)
    responsible = pd.DataFrame(
        {ars: (selection & int(kinds[ars])) > 0 for ars in authorities}, index=selection.index
    )
    for ars in authorities:
        for key in selection.index:
            if ars not in with_data:
                status = NO_DATA
            elif not responsible.at[key, ars]:
                status = NOT_RESPONSIBLE
            else:
                status = NAMES[int(said.get((str(key), ars), CODES["open"]))]
            table.at[str(key), ars] = status
    return table if query.services else table[responsible.any(axis=1).to_numpy()]


def sums(table: pd.DataFrame, query: Filter) -> pd.DataFrame:
    """By row of the table: n, of, unknown and reason."""
    result = pd.DataFrame(
        {
            "n": table.isin(query.statuses).sum(axis=1),
            "unknown": (table == NO_DATA).sum(axis=1),
            "of": (~table.isin((NO_DATA, NOT_RESPONSIBLE))).sum(axis=1),
        }
    )
    result["reason"] = None
    result.loc[result["of"] == 0, "reason"] = NOT_RESPONSIBLE
    result.loc[(result["of"] == 0) & (result["unknown"] > 0), "reason"] = NO_DATA
    return result
