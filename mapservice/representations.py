"""JSON or HTML: what the parameter `f`, else the header Accept, asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Response, g, render_template, request

from mapservice.errors import N_, ParameterError
from mapservice.features import dumps
from mapservice.pages import site
from mapservice.responses import GEOJSON, JSON, Payload

HTML = "text/html"
FORMATS = ("json", "html")


def representation() -> str:
    """json or html. JSON unless HTML is liked better, as browsers do; raises ParameterError."""
    wanted = request.args.getlist("f")
    if not wanted:
        accept = request.accept_mimetypes
        return "html" if accept.quality(HTML) > max(accept.quality(JSON), accept.quality(GEOJSON)) else "json"
    if len(wanted) > 1 or wanted[0] not in FORMATS:
        raise ParameterError(N_("Diese Form gibt es hier nicht."), parameter="f", allowed=FORMATS)
    return wanted[0]


def represented(view: Callable[..., Response]) -> Callable[..., Response]:
    """Settle the form before a view that is `versioned`: its stored answers are kept by form."""

    @wraps(view)
    def endpoint(**arguments: Any) -> Response:
        g.representation = representation()
        if as_html():
            # Read now: while the view holds a connection, the template must not wait for a second one.
            site()
        return view(**arguments)

    return endpoint


def as_html() -> bool:
    return bool(g.representation == "html")


def answer(content: dict[str, Any], template: str, **more: Any) -> Payload:
    """The content as JSON, or as the page that shows the same."""
    if as_html():
        return Payload(render_template(template, content=content, **more).encode(), HTML)
    return Payload(dumps(content).encode())


def leading(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The properties, with those first that a person looks for: a narrow table shows no more at once."""
    return {**{name: properties[name] for name in names}, **properties}
