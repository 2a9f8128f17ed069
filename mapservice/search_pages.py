"""One search for places and services: suggestions as JSON, and a page that needs no script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from mapservice import params
from mapservice.config import Settings
from mapservice.database import Version
from mapservice.domain import SUBJECT_AREAS, Level, ServiceKind
from mapservice.features import dumps
from mapservice.responses import Payload, versioned
from mapservice.search import memory, words
from mapservice.search.find import Answer, FoundService, Place, find
from mapservice.search.folding import LONGEST
from mapservice.search.ranking import Rank
from mapservice.service import service
from mapservice.titles import subject_name

blueprint = Blueprint("search", __name__)
_EXTENSION = "mapservice-search-words"
_ON_THE_PAGE = 50
_CERTAIN = (Rank.KEY, Rank.EXACT)


@dataclass
class _Held:
    """The words of this process, and what they led to in the data version seen last."""

    words: tuple[words.Word, ...]
    version: int = -1
    entries: tuple[memory.Entry, ...] = ()


def entries(connection: Connection, version: Version) -> tuple[memory.Entry, ...]:
    """Words and services of one's own, for find().

    Read with the connection that the request has anyhow: a second one could be waited for in vain.
    """
    held: _Held = current_app.extensions[_EXTENSION]
    if held.version == version.number:
        return held.entries
    known = memory.entries(connection, held.words)
    # One assignment, so that no other thread sees a number with another version's entries.
    current_app.extensions[_EXTENSION] = _Held(held.words, version.number, known)
    return known


@blueprint.get("/suche.json")
@versioned
def suggestions(connection: Connection, version: Version) -> Payload:
    """Places and services for what somebody types; see docs/api.md for the order."""
    args = request.args
    params.allow_only(args, ("q", "limit", "type", params.LANGUAGE), single=("q", "limit", "type"))
    limit, kind = params.parse_search(args)
    text = args.get("q", "")
    answer = find(
        connection,
        text,
        () if kind == "places" else entries(connection, version),
        limit=limit,
        places=kind != "services",
        services=kind != "places",
    )
    content = {
        "q": text[:LONGEST],
        "places": [_place_as_json(place) for place in answer.places],
        "services": [_service_as_json(found) for found in answer.services],
    }
    return Payload(dumps(content).encode())


@blueprint.get("/suche")
def page() -> str | BaseResponse:
    """The same as a page. A single place that bears the name or key is shown at once."""
    text = request.args.get("q", "")[:LONGEST].strip()
    answer = Answer()
    if text:
        with service().reader() as connection:
            version = service().versions.read(connection)
            answer = find(connection, text, entries(connection, version), limit=_ON_THE_PAGE)
    found: list[Place | FoundService] = [*answer.places, *answer.services]
    only = _only_place(answer)
    if only is not None:
        return redirect(url_for("pages.area", key=only.ars))
    return render_template(
        "search.html",
        search=text,
        places=[(place, place_hint(place)) for place in answer.places],
        services=[(found, service_hint(found)) for found in answer.services],
        guessed=bool(found) and all(item.rank is Rank.SIMILAR for item in found),
    )


def _only_place(answer: Answer) -> Place | None:
    """The place that must be meant: the only one that bears the name or key, or all that was found.

    A postcode may be that of more places than its town hall's, and a guess is only a guess.
    """
    found: list[Place | FoundService] = [*answer.places, *answer.services]
    found = [item for item in found if item.rank in _CERTAIN] or found
    if len(found) != 1 or not isinstance(found[0], Place):
        return None
    return None if found[0].postcode or found[0].rank is Rank.SIMILAR else found[0]


@blueprint.get("/gebiete")
def areas() -> BaseResponse:
    """The address that the search once had."""
    text = request.args.get("q", "")[:LONGEST]
    return redirect(url_for(".page", q=text or None))


def place_hint(place: Place) -> str:
    """What tells a place from others of its name, and why a postcode found it."""
    parts = [place.designation, place.above]
    if place.postcode is not None:
        parts.append(_("Postleitzahl des Rathauses: %(postcode)s", postcode=place.postcode))
    elif place.rank is Rank.KEY:
        parts.append(place.ars)
    return ", ".join(part for part in parts if part)


def service_hint(found: FoundService) -> str:
    """Key and subject area, and the everyday word that found it."""
    kinds = {ServiceKind.BUNDLE: "OZG ", ServiceKind.LEIKA: "LeiKa "}
    parts = [kinds.get(ServiceKind(found.kind), "") + found.key]
    if found.subject_area_id:
        parts.append(str(subject_name(SUBJECT_AREAS[found.subject_area_id - 1][1])))
    return " · ".join(parts)


def _place_as_json(place: Place) -> dict[str, Any]:
    return {
        "ars": place.ars,
        "name": place.name,
        "designation": place.designation,
        "hint": place_hint(place),
        "match": place.rank.code,
        "areas": [{"level": Level(level).plural, "ars": ars} for level, ars in place.areas],
        "href": url_for("pages.area", key=place.ars),
    }


def _service_as_json(found: FoundService) -> dict[str, Any]:
    return {
        "key": found.key,
        "kind": ServiceKind(found.kind).name.lower(),
        "name": found.name,
        "hint": service_hint(found),
        "match": found.rank.code,
        "word": found.word,
        "href": url_for("pages.table", service=found.key),
    }


def init_app(app: Flask, settings: Settings) -> None:
    """Raises ConfigurationError if the operator's list of words is faulty."""
    app.extensions[_EXTENSION] = _Held(words.load(settings.search_words))
    app.register_blueprint(blueprint)
