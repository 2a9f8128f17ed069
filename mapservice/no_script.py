"""The map where no script draws it: an image, its result in words and its legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from mapservice import forms, i18n, params, pictures
from mapservice.layers.query import Query
from mapservice.service import service


@dataclass(frozen=True)
class MapPicture:
    """Address of the image, what it shows in words, and the address of the page that has the words."""

    link: str
    told: pictures.Told | None
    page: str


def picture(query: Query) -> MapPicture:
    """Words cost as much as the map's values, which a script fetches after the page. On the start map they
    are kept; with filters they are on a page of their own (`picture`), to which browsers without scripts go
    by themselves, and for which the form asks them. Raises NotFoundError for unknown keys, on that page only.
    """
    held = service()
    filters: dict[str, Any] = dict(forms.filter_arguments(request.args).lists())
    link = url_for("pictures.as_png", **filters, width=1000)
    told = None
    if set(request.args) <= {params.LANGUAGE}:
        told = held.kept(("told", i18n.language()), lambda connection: pictures.told(connection, query))
    elif "picture" in request.args:
        with held.reader() as connection:
            told = pictures.told(connection, query)
    page = urlencode([*request.args.items(multi=True), ("picture", "1")])
    return MapPicture(link, told, f"{request.script_root}{request.path}?{page}")
