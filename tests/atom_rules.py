"""The rules of RFC 4287 (Atom) that a feed can break, each under the number of its section."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from lxml import etree  # type: ignore[import-untyped]

NAMESPACE = "http://www.w3.org/2005/Atom"
ATOM = f"{{{NAMESPACE}}}"
RELATIONS = {"alternate", "related", "self", "enclosure", "via"} | {"first", "previous", "next", "last"}
"""Section 4.2.7.2, and RFC 5005 for the pages of a feed."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;.*)?")
NOT_IN_AN_IRI = re.compile(r"[\s<>\"{}|\\^`\u202a-\u202e]")
"""RFC 3987, sections 2.2 and 4.1."""
Rule = Callable[[Any], bool]


def _many(node: Any, name: str) -> list[Any]:
    found: list[Any] = node.findall(f"{ATOM}{name}")
    return found


def _entries(feed: Any) -> list[Any]:
    return _many(feed, "entry")


def _both(feed: Any) -> list[Any]:
    return [feed, *_entries(feed)]


def _is_iri(text: str | None) -> bool:
    parts = urlsplit(text or "")
    absolute = bool(parts.scheme and (parts.netloc or parts.scheme not in ("http", "https")))
    return absolute and NOT_IN_AN_IRI.search(text or "") is None


def _is_moment(text: str | None) -> bool:
    return (
        MOMENT.fullmatch(text or "") is not None and dt.datetime.fromisoformat(text or "").tzinfo is not None
    )


def _id_text(node: Any) -> str | None:
    text: str | None = node.findtext(f"{ATOM}id")
    return text


def _once(node: Any, *names: str) -> bool:
    return all(len(_many(node, name)) == 1 for name in names)


def _at_most_once(node: Any, *names: str) -> bool:
    return all(len(_many(node, name)) <= 1 for name in names)


def _alternates(node: Any) -> list[tuple[str | None, str | None]]:
    links = [link for link in _many(node, "link") if link.get("rel", "alternate") == "alternate"]
    return [(link.get("type"), link.get("hreflang")) for link in links]


def _texts(feed: Any) -> list[Any]:
    return [
        text
        for node in _both(feed)
        for name in ("title", "subtitle", "summary")
        for text in _many(node, name)
    ]


def _authors_are_known(feed: Any) -> bool:
    return bool(_many(feed, "author")) or all(_many(entry, "author") for entry in _entries(feed))


def _links(feed: Any) -> list[Any]:
    return list(feed.iter(f"{ATOM}link"))


RULES: dict[str, Rule] = {
    "2 feed is the root, in the namespace": lambda feed: feed.tag == f"{ATOM}feed",
    "3.1.1 text is plain or escaped": lambda feed: all(
        text.get("type", "text") in ("text", "html") and len(text) == 0 for text in _texts(feed)
    ),
    "3.2.1 persons have one name": lambda feed: all(
        _once(person, "name") and person.findtext(f"{ATOM}name") for person in feed.iter(f"{ATOM}author")
    ),
    "3.3 dates are of RFC 3339": lambda feed: all(
        _is_moment(node.text) for node in feed.iter(f"{ATOM}updated", f"{ATOM}published")
    ),
    "4.1.1 feed has one id, title and updated": lambda feed: _once(feed, "id", "title", "updated"),
    "4.1.1 feed has at most one subtitle": lambda feed: _at_most_once(
        feed, "subtitle", "rights", "generator"
    ),
    "4.1.1 feed or all its entries have an author": _authors_are_known,
    "4.1.1 feed links to itself": lambda feed: (
        [link.get("rel") for link in _many(feed, "link")].count("self") == 1
    ),
    "4.1.1 feed has one alternate of a type and language": lambda feed: (
        0 < len(_alternates(feed)) == len(set(_alternates(feed)))
    ),
    "4.1.1.1 entries of an id differ in updated": lambda feed: (
        len({(_id_text(entry), entry.findtext(f"{ATOM}updated")) for entry in _entries(feed)})
        == len(_entries(feed))
    ),
    "4.1.2 entry has one id, title and updated": lambda feed: all(
        _once(entry, "id", "title", "updated") for entry in _entries(feed)
    ),
    "4.1.2 entry has at most one published and summary": lambda feed: all(
        _at_most_once(entry, "published", "summary", "content") for entry in _entries(feed)
    ),
    "4.1.2 entry has one alternate of a type and language": lambda feed: all(
        0 < len(_alternates(entry)) == len(set(_alternates(entry))) for entry in _entries(feed)
    ),
    "4.2.2.1 categories have a term": lambda feed: all(
        category.get("term") for category in feed.iter(f"{ATOM}category")
    ),
    "4.2.6 ids are absolute IRIs": lambda feed: all(_is_iri(node.text) for node in feed.iter(f"{ATOM}id")),
    "4.2.6 ids are of one thing": lambda feed: (
        len({_id_text(node) for node in _both(feed)}) == len(_both(feed))
    ),
    "4.2.7.1 links are absolute IRIs": lambda feed: all(_is_iri(link.get("href")) for link in _links(feed)),
    "4.2.7.2 relations are registered": lambda feed: all(
        link.get("rel", "alternate") in RELATIONS for link in _links(feed)
    ),
    "4.2.7.3 types of links are media types": lambda feed: all(
        MEDIA_TYPE.fullmatch(link.get("type", "text/html")) for link in _links(feed)
    ),
    "4.2.14 titles say something": lambda feed: all(
        (title.text or "").strip() for title in feed.iter(f"{ATOM}title")
    ),
}


def broken(data: bytes) -> list[str]:
    """The rules that this document breaks. Raises XMLSyntaxError where it is not well-formed."""
    feed = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    return [name for name, keeps in RULES.items() if not keeps(feed)]
