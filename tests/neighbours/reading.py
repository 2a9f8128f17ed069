"""Reading /nachbarn: its list with the reasons, and the mails that it prepares."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from flask.testing import FlaskClient

from tests import around

PATH = "/nachbarn"


def page(client: FlaskClient, **parameters: Any) -> Any:
    return around.page(client, PATH, **parameters)


def rows(found: Any) -> list[tuple[str, str, str]]:
    """Section, name and reasons of each authority in the list."""
    return [
        (section.xpath("string(.//h3)").strip(), hit.xpath("string(.//h4)").strip(), why(hit))
        for section in found.xpath("//section[contains(@class, 'hits')]")
        for hit in section.xpath(".//li[contains(@class, 'hit ') or @class='hit']")
    ]


def why(hit: Any) -> str:
    text = " ".join(hit.xpath("string(.//p[@class='hit__why'])").split())
    # Lengths are recounted elsewhere; those of the small release are of generalised borders.
    return re.sub(r"\([\d,]+ km gemein", "(… km gemein", text).removeprefix("Warum auf diesem Platz: ")


def names(found: Any) -> list[str]:
    return [name for _, name, _ in rows(found)]


def mail(found: Any) -> tuple[str, str, str]:
    """Address, subject and text of the first prepared mail."""
    address = found.xpath("//p[@class='hit__ask']/a/@href")[0]
    parts = urlsplit(address)
    assert parts.scheme == "mailto"
    query = parse_qs(parts.query)
    assert set(query) == {"subject", "body"}
    return unquote(parts.path), query["subject"][0], query["body"][0]
