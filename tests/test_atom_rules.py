"""The feed of what is new online against RFC 4287, rule by rule, with names that are hostile to XML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import etree  # type: ignore[import-untyped]
from sqlalchemy import update

from mapservice import copies
from mapservice.database import Database
from mapservice.models import Authority, Implementation, Service
from tests.asking import client_of
from tests.atom_rules import ATOM, RULES, broken
from tests.entries import add_entry, add_service, set_publication
from tests.test_register import MUENSTER, TELGTE, WARENDORF, solution

HOSTILE = (
    "]]> <!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]> &x; &amp;",
    "\x01\x0b\x1f\ufffe\uffff zwischen \U0001f4a9 e\u0301",
    '<?xml version="1.0"?><entry><id>falsch</id></entry>',
)
FEEDS = ("", "?limit=1", "?limit=1&page=2", "?within=05515&service=10500", "?within=11", "?lang=en")


@pytest.fixture(scope="module")
def database(module_boundaries: Database) -> Database:
    with module_boundaries.owner() as connection:
        for number, (ars, name) in enumerate(zip((MUENSTER, TELGTE, WARENDORF), HOSTILE, strict=True)):
            key = f"1050{number}"
            add_service(connection, key, name=name, subject_area_id=1 + number)
            set_publication(connection, ars)
            connection.execute(update(Authority).where(Authority.ars == ars).values(name=f"{name} {number}"))
            add_entry(
                connection, ars, key, online_since=dt.date(2024, 1 + number, 28), as_of=dt.date(2024, 6, 1),
                solution_id=solution(connection, name), contact=name, contact_kind=1,
                url="https://demo.example/?a=1&b=<2>",
            )  # fmt: skip
    return module_boundaries


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[FlaskClient]:
    with client_of(database, cache_mb=0) as client:
        yield client


def read(client: FlaskClient, query: str = "") -> Any:
    response = client.get(f"/neu.atom{query}")
    assert response.status_code == 200, response.text[:300]
    return etree.fromstring(response.data)


def texts(feed: Any, path: str) -> list[str]:
    return [node.text for node in feed.iterfind("/".join(f"{ATOM}{name}" for name in path.split("/")))]


@pytest.mark.parametrize("query", FEEDS)
def test_every_page_of_the_feed_keeps_the_rules(client: FlaskClient, query: str) -> None:
    assert broken(client.get(f"/neu.atom{query}").data) == []


def test_hostile_names_are_text_and_nothing_else(client: FlaskClient) -> None:
    """RFC 4287, section 2: a well-formed document; what XML cannot hold is left out, what it can is kept."""
    response = client.get("/neu.atom")
    assert b"<!DOCTYPE" not in response.data
    feed = etree.fromstring(response.data)
    titles = " ".join(texts(feed, "entry/title"))
    assert "]]> <!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]> &x; &amp;" in titles
    assert "zwischen \U0001f4a9" in titles
    assert "<entry><id>falsch</id></entry>" in titles
    assert len(texts(feed, "entry/id")) == len(HOSTILE)


def test_it_is_served_as_what_it_is(client: FlaskClient) -> None:
    """Section 7: the media type; 4.2.7.2: `self` gives the very same, `alternate` the page for people."""
    response = client.get("/neu.atom?within=05&lang=en")
    assert response.mimetype == "application/atom+xml"
    assert response.data.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    links = {
        link.get("rel"): link.get("href") for link in etree.fromstring(response.data).findall(f"{ATOM}link")
    }
    assert client.get(links["self"]).data == response.data
    page = client.get(links["alternate"])
    assert page.mimetype == "text/html"
    assert 'lang="en"' in page.text


def test_the_newest_come_first_and_the_feed_is_as_new_as_they(client: FlaskClient) -> None:
    """Section 4.2.15: `updated` of the feed is that of its latest change; `published` orders the entries."""
    feed = read(client)
    published = [dt.datetime.fromisoformat(text) for text in texts(feed, "entry/published")]
    assert published == sorted(published, reverse=True)
    assert [f"{day:%d.%m.}" for day in published] == ["28.03.", "28.02.", "28.01."]
    changed = [dt.datetime.fromisoformat(text) for text in texts(feed, "entry/updated")]
    assert all(late >= early for late, early in zip(changed, published, strict=True))
    assert dt.datetime.fromisoformat(texts(feed, "updated")[0]) == max(changed)


def test_ids_stay_whatever_is_asked_and_whatever_changes(client: FlaskClient, database: Database) -> None:
    """Section 4.2.6: ids do not follow filters, pages, language, a new name or a new confirmation."""
    ids = texts(read(client), "entry/id")
    assert texts(read(client, "?lang=en"), "entry/id") == ids
    pages = [texts(read(client, f"?limit=1&page={page}"), "entry/id")[0] for page in (1, 2, 3)]
    assert pages == ids
    assert texts(read(client, "?within=05515"), "entry/id")[0] in ids
    first = texts(read(client), "id")
    before = texts(read(client), "updated")
    with database.owner() as connection:
        connection.execute(update(Service).values(name=Service.name + " (neu)"))
        connection.execute(update(Implementation).values(as_of=dt.date(2024, 7, 1)))
        copies.refresh(connection)
    after = read(client)
    assert texts(after, "entry/id") == ids
    assert texts(after, "id") == first
    assert all("(neu)" in title for title in texts(after, "entry/title"))
    assert texts(after, "updated") > before


def drop(path: str) -> Callable[[Any], None]:
    def act(feed: Any) -> None:
        node = feed.find("/".join(f"{ATOM}{name}" for name in path.split("/")))
        node.getparent().remove(node)

    return act


def without_authors(feed: Any) -> None:
    for node in list(feed.iter(f"{ATOM}author")):
        node.getparent().remove(node)


def twice(path: str) -> Callable[[Any], None]:
    def act(feed: Any) -> None:
        node = feed.find("/".join(f"{ATOM}{name}" for name in path.split("/")))
        node.addnext(etree.fromstring(etree.tostring(node)))

    return act


def say(path: str, text: str, attribute: str = "") -> Callable[[Any], None]:
    def act(feed: Any) -> None:
        node = feed.find("/".join(f"{ATOM}{name}" for name in path.split("/")))
        if attribute:
            node.set(attribute, text)
        else:
            node.text = text

    return act


BREACHES: dict[str, Callable[[Any], None]] = {
    "2 feed is the root, in the namespace": lambda feed: setattr(feed, "tag", f"{ATOM}entry"),
    "3.1.1 text is plain or escaped": lambda feed: etree.SubElement(feed.find(f"{ATOM}title"), "b"),
    "3.2.1 persons have one name": drop("author/name"),
    "3.3 dates are of RFC 3339": say("entry/updated", "2024-01-31 12:00:00"),
    "4.1.1 feed has one id, title and updated": drop("updated"),
    "4.1.1 feed has at most one subtitle": twice("subtitle"),
    "4.1.1 feed or all its entries have an author": without_authors,
    "4.1.1 feed links to itself": say("link[@rel='self']", "related", "rel"),
    "4.1.1 feed has one alternate of a type and language": twice("link"),
    "4.1.1.1 entries of an id differ in updated": twice("entry"),
    "4.1.2 entry has one id, title and updated": drop("entry/title"),
    "4.1.2 entry has at most one published and summary": twice("entry/summary"),
    "4.1.2 entry has one alternate of a type and language": drop("entry/link"),
    "4.2.2.1 categories have a term": say("entry/category", "", "term"),
    "4.2.6 ids are absolute IRIs": say("entry/id", "10500"),
    "4.2.6 ids are of one thing": twice("entry"),
    "4.2.7.1 links are absolute IRIs": say("entry/link", "/gebiete/05?q=<x>", "href"),
    "4.2.7.2 relations are registered": say("entry/link", "seite", "rel"),
    "4.2.7.3 types of links are media types": say("link", "html", "type"),
    "4.2.14 titles say something": say("entry/title", " "),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_notices_its_breach(client: FlaskClient, rule: str) -> None:
    feed = read(client)
    BREACHES[rule](feed)
    assert rule in broken(etree.tostring(feed))
