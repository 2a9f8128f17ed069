"""Links in answers of the OGC API."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode

from flask import g, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Row

from mapservice.about import data_licence
from mapservice.i18n import language
from mapservice.representations import FORMATS, HTML, as_html
from mapservice.responses import JSON

QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"


def link(rel: str, type_: str, href: str, title: str = "") -> dict[str, str]:
    found = {"rel": rel, "type": type_, "href": href}
    return {**found, "title": title, "hreflang": language()} if title else found


def to(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, _external=True, **values)


def here(**changes: Any) -> str:
    """This address with other parameters; None takes one away."""
    given: dict[str, Any] = request.args.to_dict(flat=False)
    kept = {name: value for name, value in {**given, **changes}.items() if value is not None}
    path, own = _path()
    query = urlencode({**own, **kept}, doseq=True)
    return f"{path}?{query}" if query else path


def _path() -> tuple[str, dict[str, list[str]]]:
    """This address without its parameters, and those that every link carries on. Found once a request."""
    if "path_here" not in g:
        # Not by url_for alone: a parameter may be called as a part of the path is.
        path, _question, own = to(str(request.endpoint), **(request.view_args or {})).partition("?")
        g.path_here = path, parse_qs(own)
    found: tuple[str, dict[str, list[str]]] = g.path_here
    return found


def itself(json_type: str) -> list[dict[str, str]]:
    """fc-links, f-links and the like: the answer at hand, and the same in the other form."""
    types = dict(zip(FORMATS, (json_type, HTML), strict=True))
    form = "html" if as_html() else "json"
    other = "json" if as_html() else "html"
    titles = _titles(language())
    return [
        link("self", types[form], here(), titles[form]),
        link("alternate", types[other], here(f=other), titles[other]),
    ]


@cache
def _titles(_language: str) -> dict[str, str]:
    """In the language of the request; kept, as every answer has them."""
    return {
        "json": _("Diese Antwort als JSON"),
        "html": _("Diese Antwort als Seite"),
        "collection": _("Diese Sammlung"),
    }


def of_collection(address: str) -> dict[str, str]:
    """The collection that an answer is from."""
    return link("collection", JSON, address, _titles(language())["collection"])


def licence_links(title: str) -> list[dict[str, str]]:
    licence = data_licence()
    return [link("license", HTML, licence, title)] if licence and licence.startswith("http") else []


def licences(release: Row[Any]) -> list[dict[str, str]]:
    links = licence_links(_("Lizenz der Werte"))
    if release.licence_url:
        links.append(link("license", HTML, release.licence_url, _("Lizenz der Grenzen")))
    return links
