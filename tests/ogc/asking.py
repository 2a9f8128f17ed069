"""Asking the interface and reading what it says: what the tests of the OGC API have in common."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapservice.domain import Level

LEVELS = [level.plural for level in Level]
COLLECTIONS = [*LEVELS, "implementations"]
SIZES = {"states": 5, "districts": 9, "associations": 51, "municipalities": 91}
PAGES = [
    "/api",
    "/api/conformance",
    "/api/collections",
    "/api/collections/districts",
    "/api/collections/districts/items",
    "/api/collections/districts/items/05515",
]
SCHEMAS = ["/api/collections/districts/queryables", "/api/collections/districts/schema"]
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"


def get(client: FlaskClient, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.text
    return json.loads(response.data)


def links(content: Any, rel: str) -> list[Any]:
    return [link for link in content["links"] if link["rel"] == rel]


def parameter(client: FlaskClient, collection: str, name: str) -> Any:
    """A parameter of the items of a collection, as the OpenAPI document describes it."""
    document = get(client, "/api/openapi.json")
    operation = document["paths"][f"/collections/{collection}/items"]["get"]
    ids = [reference["$ref"].rsplit("/", 1)[1] for reference in operation["parameters"]]
    found = [document["components"]["parameters"][id_] for id_ in ids]
    (wanted,) = [described for described in found if described["name"] == name]
    return wanted


def stands_in_the_query(described: Any) -> bool:
    """Whether a parameter is an optional one of the query, its values in one text, as Part 1 defines."""
    form = (described["in"], described["required"], described["style"], described["explode"])
    return form == ("query", False, "form", False)


def mimetype(response: TestResponse) -> str:
    return response.headers["Content-Type"].split(";")[0]


class Reader(HTMLParser):
    """What a browser sees: headings, links, text, and whether every element is closed."""

    VOID = frozenset({"meta", "link", "br", "input", "img", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.count: dict[str, int] = {}
        self.inline_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag == "script" and "src" not in dict(attrs):
            self.inline_scripts += 1
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        if tag not in {"meta", "link", "br", "input", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(client: FlaskClient, address: str) -> Reader:
    response = client.get(address, headers={"Accept": "text/html"})
    assert response.status_code == 200, response.text
    reader = Reader()
    reader.feed(response.text)
    assert not reader.open
    return reader
