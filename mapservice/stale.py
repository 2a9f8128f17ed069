"""Links that name what is no longer there: a page goes on without it and says so."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from flask import request
from werkzeug.datastructures import ImmutableMultiDict

from mapservice import i18n
from mapservice.errors import NotFoundError

T = TypeVar("T")
_DROPPED = ("service", "situation", "within")
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


def _left(error: NotFoundError) -> ImmutableMultiDict[str, str] | None:
    """The request's parameters without the one that the error names; None if it names none."""
    name, key = error.parameter, str(error.words.get("key", ""))
    pairs = list(request.args.items(multi=True))
    kept = [pair for pair in pairs if not (pair[0] == name and "".join(pair[1].split()) == key)]
    if name not in _DROPPED or len(kept) == len(pairs):
        return None
    if name == "service" and not any(pair[0] == "service" for pair in kept):
        kept = [pair for pair in kept if not (pair[0] == "measure" and pair[1] in _NEED_A_SERVICE)]
    return ImmutableMultiDict(kept)
