"""Every cell and sum of the comparison, recounted with pandas alone from the files that are imported."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

import pandas as pd
import pytest

from tests.recount import matrix
from tests.recount.count import Filter
from tests.test_recount import World, copy_of, small_world  # noqa: F401 - fixtures

WORDS = {
    "online": "online",
    "in_progress": "in Umsetzung",
    "planned": "in Planung",
    "open": "offen",
    "not_responsible": "nicht zuständig",
    "no_data": "keine Angaben",
}
FIRST = 6
"""Columns before those of authorities."""
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"subjects": ("umwelt", "bildung"), "statuses": ("online", "in_progress")},
    {"services": ("10001", "10101", "99004002000000", "eigen:Hundefotos"), "statuses": ("planned", "open")},
    {"services": ("10004", "10202", "10203")},
    {"kinds": ("in_house", "reuse"), "maturity": "1.1:2"},
    {"confirmed": "2025-01-14", "subjects": ("bauen_wohnen",)},
)


def as_parameters(query: Filter) -> dict[str, Any]:
    return {
        "scope": query.scope,
        "status": list(query.statuses),
        "subject": list(query.subjects),
        "service": list(query.services),
        "kind": list(query.kinds),
        **({"maturity": query.maturity} if query.maturity else {}),
        **({"confirmed": query.confirmed} if query.confirmed else {}),
    }


def shown(client: Any, authorities: list[str], query: Filter) -> list[list[str]]:
    """The rows of the download, without its notes."""
    answer = client.get("/vergleich.csv", query_string={"authority": authorities, **as_parameters(query)})
    assert answer.status_code == 200, answer.text
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    return rows[: rows.index([])]


def expected_number(row: pd.Series) -> str:
    return WORDS[row["reason"]] if row["reason"] else str(row["n"])


@pytest.mark.parametrize("audience", ["public", "internal"])
@pytest.mark.parametrize("scope", ["own", "available"])
def test_every_cell_and_sum(small_world: World, audience: str, scope: str) -> None:  # noqa: F811
    comparison = small_world.comparison(audience)
    draw = random.Random(f"{audience}/{scope}")
    everybody = [ars for ars in small_world.land.authorities if ars != "0" * 12]
    reasons = set()
    for number, chosen in enumerate(FILTERS):
        query = Filter(scope=scope, **chosen)
        authorities = draw.sample(everybody, (60, 12, 4, 25, 9, 2)[number])
        head, *rows = shown(comparison.client, authorities, query)
        assert [cell.rpartition(" ")[2] for cell in head[FIRST:]] == authorities
        cells = matrix.cells(comparison.recount, authorities, query)
        said = {row[1]: row for row in rows[3:]}
        assert set(said) == set(cells.index)
        by_service = matrix.sums(cells, query)
        for key, row in cells.iterrows():
            assert said[str(key)][FIRST:] == [WORDS[cell] for cell in row], key
            total = by_service.loc[key]
            assert said[str(key)][3:FIRST] == [
                expected_number(total),
                str(total["of"]),
                str(total["unknown"]),
            ]
        by_authority = matrix.sums(cells.T, query)
        reasons |= set(by_authority["reason"].dropna())
        assert rows[0][FIRST:] == [expected_number(row) for _, row in by_authority.iterrows()]
        valued = by_authority["reason"].isna()
        assert rows[1][FIRST:] == [
            str(of) if known else "" for of, known in zip(by_authority["of"], valued, strict=True)
        ]
        assert rows[0][3] == str(by_authority["n"].sum())
        assert rows[1][3] == str(by_authority["of"].sum())
        # Most of them first; of equally many, those that fewer lack; then by name.
        order = [
            (
                -by_service.at[row[1], "n"],
                by_service.at[row[1], "of"] - by_service.at[row[1], "n"],
                row[0].casefold(),
            )
            for row in rows[3:]
        ]
        assert order == sorted(order)
    assert "no_data" in reasons or audience == "internal" or scope == "available"
