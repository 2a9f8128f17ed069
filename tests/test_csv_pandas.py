"""Every list as CSV, read by pandas with German settings: rows and numbers are those of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from flask.testing import FlaskClient
from lxml import html  # type: ignore[import-untyped]

from mapservice.database import Database
from tests.asking import client_of
from tests.test_register import MUENSTER, OELDE, TELGTE
from tests.test_service_page import fill


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    fill(module_boundaries)
    with client_of(module_boundaries, cache_mb=0) as client:
        yield client


def table(client: FlaskClient, path: str, query: str = "") -> pd.DataFrame:
    """The rows above the notes; keys stay text, as they begin with zeros."""
    data = client.get(f"{path}.csv{query}").data
    assert data.startswith(b"\xef\xbb\xbf")
    rows, _, _ = data.partition(b"\r\n\r\n")
    keys = dict.fromkeys(("Schlüssel", "Leistungsschlüssel"), str)
    return pd.read_csv(io.BytesIO(rows), sep=";", decimal=",", encoding="utf-8-sig", dtype=keys)


def page(client: FlaskClient, path: str, query: str = "") -> Any:
    response = client.get(f"{path}{query}")
    assert response.status_code == 200, response.text[:300]
    return html.fromstring(response.text)


def lines(found: Any, caption: str = "") -> list[list[str]]:
    """Cells of the table on the page of which the caption begins so, or of the only one."""
    rows = found.xpath(
        "//main//table[starts-with(normalize-space(caption), $caption)]/tbody/tr", caption=caption
    )
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


def said(found: Any) -> list[int]:
    """The numbers in the sentence above the list."""
    text = found.xpath("string(//main//*[@id='result' or @class='result'])")
    return [int(number.replace(".", "")) for number in re.findall(r"\d[\d.]*(?!\w)", text)]


def test_areas(client: FlaskClient) -> None:
    query = "?level=districts&measure=share"
    read, found = table(client, "/tabelle", query), page(client, "/tabelle", query)
    assert len(read) == len(lines(found)) == 9
    online, among, without = said(found)
    shares = read["Anteil (0 bis 1)"]
    assert ((shares > 0).sum(), len(read), shares.isna().sum()) == (online, among, without)
    assert shares.sum() == 0.5
    assert "50 %" in " ".join(cell for row in lines(found) for cell in row).replace("\xa0", " ")


def test_what_is_new(client: FlaskClient) -> None:
    read, found = table(client, "/neu"), page(client, "/neu")
    assert len(read) == len(lines(found)) == 3
    assert list(read["online seit"]) == [row[0] for row in lines(found)]
    assert pd.to_datetime(read["online seit"], format="%d.%m.%Y").is_monotonic_decreasing


def test_where_a_service_runs(client: FlaskClient) -> None:
    """A row for each entry in the file, for each authority on the page."""
    read, found = table(client, "/leistungen/10500"), page(client, "/leistungen/10500")
    shown = lines(found, "Behörden")[-read["Schlüssel"].nunique() :]
    assert list(read.drop_duplicates("Schlüssel")["Behörde"]) == ["Münster", "Oelde", "Telgte"]
    for row, name in zip(shown, read.drop_duplicates("Schlüssel")["Behörde"], strict=True):
        assert row[0].startswith(name)
    facts = found.xpath("//dl[@class='facts']/div[dt='online']/dd")
    assert str(read.loc[read["Status"] == "online", "Schlüssel"].nunique()) == facts[0].text_content()


def test_the_register(client: FlaskClient) -> None:
    read, found = table(client, "/register"), page(client, "/register")
    assert len(read) == len(lines(found)) == said(found)[0] == 1
    assert f"{read['nutzende Behörden'][0]} Behörde" in lines(found)[0][2]


def test_gaps(client: FlaskClient) -> None:
    query = f"?authority={OELDE}&around=300"
    read, found = table(client, "/luecken", query), page(client, "/luecken", query)
    assert len(read) == len(lines(found)) == said(found)[0] == 1
    assert f"{read['online bei'][0]} von {read['von Behörden'][0]}" == lines(found)[0][1]


def test_neighbours(client: FlaskClient) -> None:
    query = f"?authority={OELDE}&service=10500&around=300"
    read, found = table(client, "/nachbarn", query), page(client, "/nachbarn", query)
    assert len(read) == len(found.xpath("//*[starts-with(@id, 'n') and number(substring(@id, 2)) > 0]")) == 2
    assert (read["Status"] == "online").sum() == said(found)[1]
    assert f"{read['Entfernung (km)'][1]} km" in found.get_element_by_id("n2").text_content()


def test_the_comparison(client: FlaskClient) -> None:
    query = f"?authority={MUENSTER},{TELGTE},{OELDE}"
    read, found = table(client, "/vergleich", query), page(client, "/vergleich", query)
    services = read[read["Schlüssel"].notna()]
    assert len(services) == said(found)[0] == 2
    assert len([row for row in lines(found) if any(key in row[0] for key in services["Schlüssel"])]) == 2
    total, among, share = read["haben es"][:3]
    assert share == total / among == 0.5
    assert services["haben es"].sum() == total


def test_progress(client: FlaskClient) -> None:
    read, found = table(client, "/fortschritt", "?within=05"), page(client, "/fortschritt", "?within=05")
    shown = lines(found, "Verlauf")
    assert len(read) == len(shown) > 0
    last = read.iloc[-1]
    assert [last["Tag"], *(str(int(number)) for number in last.iloc[1:6])] == shown[0][:6]
    # North Rhine-Westphalia's key, 05, is no number of the sentence.
    assert {int(last["online"]), int(last["von Leistungen"])} <= set(said(found))
