"""Errors as pages in the site's design that say what to do; below /api as JSON of one shape.

No text of the database and no traceback ever reaches a visitor.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, g, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from mapservice import i18n
from mapservice.errors import MapServiceError, NotFoundError, UnavailableError
from mapservice.listings import Found
from mapservice.responses import error_response
from mapservice.service import service

log = logging.getLogger(__name__)


class UnknownAreaError(NotFoundError):
    """A key of an area that we do not have, with those that may have been meant."""

    def __init__(self, message: str, *, key: str, suggestions: list[Found]) -> None:
        super().__init__(message, parameter="key")
        self.key = key
        self.suggestions = suggestions


def wants_json() -> bool:
    """Whether the request was for the interface, not for a page."""
    return request.path in ("/api", "/suche.json") or request.path.startswith("/api/")


def _heading(status: int) -> str:
    return {
        400: _("Diese Anfrage verstehen wir nicht"),
        404: _("Diese Seite gibt es nicht"),
        405: _("Das geht hier nicht"),
        413: _("Das geht hier nicht"),
        414: _("Diese Adresse ist zu lang"),
        429: _("Das waren gerade zu viele Anfragen"),
        501: _("Das kann dieser Server nicht"),
        503: _("Der Dienst ist gerade nicht erreichbar"),
    }.get(status, _("Da ist etwas schiefgegangen"))


def _further(error: MapServiceError) -> tuple[str, str] | None:
    """Label and address of the page that tells what there is of what was not found."""
    if error.status != 404:
        return None
    known = {
        "list": (_("Zu den Ziellisten"), "coordination.coverage.index"),
        "group": (_("Zum Vergleich, der alle Gruppen nennt"), "coordination.matrix.page"),
        "id": (_("Zum Register der Lösungen"), "coordination.register.page"),
        "service": (_("Leistung suchen"), "search.page"),
    }
    if error.parameter not in known:
        return None
    label, endpoint = known[error.parameter]
    return label, url_for(endpoint)


def _advice(status: int) -> list[str]:
    if status in (400, 413, 414):
        return [_("Prüfen Sie die Adresse, oder beginnen Sie ohne Filter von vorn.")]
    if status == 501:
        return [_("Nehmen Sie die Karte oder die Tabelle; beide lassen sich auch drucken.")]
    if status == 404:
        return [_("Prüfen Sie die Adresse, oder suchen Sie das Gebiet auf der Karte.")]
    advice = [_("Versuchen Sie es in einigen Sekunden noch einmal.")]
    mail = service().settings.contact_mail
    if mail:
        advice.append(_("Bleibt der Fehler, schreiben Sie an %(mail)s.", mail=mail))
    return advice


def page(error: MapServiceError) -> Response:
    """The error as a page."""
    content: dict[str, object] = {}
    if isinstance(error, UnknownAreaError):
        content = {"suggestions": error.suggestions, "search": error.key}
    body = render_template(
        "error.html",
        status=error.status,
        heading=_("Dieses Gebiet kennen wir nicht")
        if isinstance(error, UnknownAreaError)
        else _heading(error.status),
        message=i18n.error_message(error),
        allowed=error.allowed,
        advice=_advice(error.status),
        further=_further(error),
        **content,
    )
    response = Response(body, error.status, mimetype="text/html")
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def answer(error: MapServiceError) -> Response:
    """The error in the form that fits the request."""
    if isinstance(error, UnavailableError) or error.status >= 500:
        # What every page says about its data would have to ask the database again.
        g.database_down = True
    return error_response(error) if wants_json() else page(error)


def _http_error(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:
        return error
    messages = {
        404: _("Unter dieser Adresse ist nichts zu finden."),
        405: _("Diese Adresse kann nur gelesen werden."),
    }
    codes = {404: "not_found", 405: "method_not_allowed"}
    known = MapServiceError(messages.get(error.code, _("Die Anfrage konnte nicht beantwortet werden.")))
    known.status = error.code
    known.code = codes.get(error.code, "invalid_request" if error.code < 500 else "error")
    response = answer(known)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _database_error(error: SQLAlchemyError) -> Response:
    # The statement and its values stay in the log; they may hold what the visitor must not see.
    log.exception("database error", exc_info=error)
    return answer(MapServiceError(_("Bei der Abfrage der Daten ist ein Fehler aufgetreten.")))


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected error at %s", request.path, exc_info=error)
    return answer(MapServiceError(_("Ein Fehler bei uns, nicht bei Ihnen. Er wurde protokolliert.")))


def init_app(app: Flask) -> None:
    app.register_error_handler(MapServiceError, answer)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SQLAlchemyError, _database_error)
    app.register_error_handler(Exception, _unexpected)
