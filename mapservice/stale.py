"""Links that name what is no longer there: a page goes on without it and says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import ImmutableMultiDict

from mapservice import day_fields, i18n
from mapservice.domain import Reason
from mapservice.errors import NotFoundError

T = TypeVar("T")
_DROPPED = ("service", "situation", "within", "stand")
_NEED_A_SERVICE = ("status", "spread")
_MOST = 20


def without_missing(view: Callable[[list[str]], T]) -> T:
    """The view's answer, without the filters that name what is not there; it is given what to say of them.

    Raises NotFoundError for anything else, and for more of them than a link of ours would have.
    """
    said: list[str] = []
    while True:
        try:
            return view(said)
        except NotFoundError as error:
            left = _left(error)
            if left is None or len(said) >= _MOST:
                raise
            said.append(i18n.error_message(error))
            # Form, chips and links are made from the request: they must not bring it back.
            request.args = left


def drop(name: str, values: Collection[str]) -> None:
    """Take these values of a parameter out of the request."""
    pairs = request.args.items(multi=True)
    request.args = ImmutableMultiDict([pair for pair in pairs if not (pair[0] == name and pair[1] in values)])


def drop_unknown_classes(legend: Iterable[str], said: list[str]) -> None:
    """Classes follow the data: a link may be older than the legend, of which these are the codes."""
    known = {*legend, *(reason.code for reason in Reason)}
    if gone := {code for code in request.args.getlist("class") if code and code not in known}:
        drop("class", gone)
        said.append(_("Der Link nennt eine Klasse, die es in der Legende nicht gibt."))


def drop_unknown_areas(known: Callable[[str], bool], said: list[str]) -> None:
    """Areas end with a boundary release: a link may open one that is no more."""
    for text in {area for area in request.args.getlist("area") if area.strip()}:
        if not known(text.strip()):
            drop("area", {text})
            key = text.strip()[:40]
            said.append(_("Zum Schlüssel „%(key)s“ gibt es im aktuellen Gebietsstand kein Gebiet.", key=key))


def _left(error: NotFoundError) -> ImmutableMultiDict[str, str] | None:
    """The request's parameters without the one that the error names; None if it names none."""
    name, key = error.parameter, str(error.words.get("key", ""))
    pairs = list(request.args.items(multi=True))
    if name == "stand":
        # Not today, which nobody asked for, but the first day that there is.
        kept = [pair for pair in pairs if pair[0] not in ("stand", day_fields.field_of("stand"))]
        return ImmutableMultiDict([*kept, ("stand", error.allowed[0])])
    kept = [pair for pair in pairs if not (pair[0] == name and "".join(pair[1].split()) == key)]
    if name not in _DROPPED or len(kept) == len(pairs):
        return None
    if name == "service" and not any(pair[0] == "service" for pair in kept):
        kept = [pair for pair in kept if not (pair[0] == "measure" and pair[1] in _NEED_A_SERVICE)]
    return ImmutableMultiDict(kept)
