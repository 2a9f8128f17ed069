"""German and other languages: gettext with German message ids, numbers and dates in local form."""

from __future__ import annotations

import datetime as dt
from collections.abc import MutableMapping
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale
from flask_babel import gettext as _

from mapservice.errors import MapServiceError
from mapservice.paths import TRANSLATIONS

LANGUAGES = ("de", "en")
_SPEAKING = (
    "pages.",
    "search.",
    "texts.",
    "tiles.",
    "embedding.",
    "ogc.",
    "entries.",
    "downloads.",
    "pictures.",
    "papers.",
    "coordination.",
    "level_files.",
)
"""Beginnings of the endpoints whose answers are in the language of the request."""
_DATE_PATTERNS = {"de": "dd.MM.yyyy", "en": "d MMM yyyy"}
_PERCENT_PATTERNS = {"de": "#,##0.#\xa0%", "en": "#,##0.#%"}


def language() -> str:
    """The language of this request: `lang` if we have it, else German. No cookie, no guess."""
    if not has_request_context():
        return LANGUAGES[0]
    found = g.get("language")
    if found is None:
        wanted = request.args.get("lang", LANGUAGES[0])
        found = g.language = wanted if wanted in LANGUAGES else LANGUAGES[0]
    return str(found)


def number(value: float | None) -> str:
    """1234.5 as 1.234,5."""
    return "" if value is None else format_decimal(value, locale=get_locale())


def percent(value: float | None) -> str:
    """0.123 as 12,3 %."""
    return (
        ""
        if value is None
        else format_percent(value, format=_PERCENT_PATTERNS[language()], locale=get_locale())
    )


def date(value: dt.date | dt.datetime | str | None) -> str:
    """A date or an ISO text as 23.11.2026."""
    if not value:
        return ""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    return format_date(value, format=_DATE_PATTERNS[language()], locale=get_locale())


def error_message(error: MapServiceError) -> str:
    """What the error says, in the language of the request; without a translation in German."""
    words = {name: date(word) if isinstance(word, dt.date) else word for name, word in error.words.items()}
    return str(_(error.pattern, **words))


def init_app(app: Flask) -> None:
    Babel(
        app,
        default_locale=LANGUAGES[0],
        default_timezone="Europe/Berlin",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=language,
    )

    def keep_language(endpoint: str, values: MutableMapping[str, Any]) -> None:
        if endpoint.startswith(_SPEAKING) and language() != LANGUAGES[0]:
            values.setdefault("lang", language())

    app.url_defaults(keep_language)
    app.add_template_filter(number)
    app.add_template_filter(percent)
    app.add_template_filter(date, "date")
    app.context_processor(lambda: {"language": language()})


def script_texts() -> dict[str, str]:
    """Texts of our ES modules, by key; `{name}` is filled in there."""
    return {
        "loading": _("Die Karte wird geladen …"),
        "loading_level": _("Grenzen werden geladen …"),
        "updating": _("Die Karte wird neu gefärbt …"),
        "failed": _("Die Daten konnten nicht geladen werden."),
        "failed_hint": _("Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal."),
        "retry": _("Noch einmal versuchen"),
        "without_filters": _("Ohne Filter zeigen"),
        "close": _("Schließen"),
        "no_geometry": _("Für diese Ebene sind keine Grenzen geladen."),
        "no_data": _("Keine Angaben"),
        "not_responsible": _("Nicht zuständig"),
        "unincorporated": _("Gemeindefreies Gebiet"),
        "no_data_long": _("Es liegen keine Angaben vor. Das heißt nicht, dass es nichts gibt."),
        "not_responsible_long": _("Für diese Auswahl nicht zuständig."),
        "unincorporated_long": _("Gehört zu keiner Gemeinde und hat keine Verwaltung."),
        "outside": _("Außerhalb der gewählten Region"),
        "walk_area": _("{name}: {value}. Klasse: {label}"),
        "walk_end": _("Kein weiteres Gebiet in dieser Richtung"),
        "rank": _("Platz {rank} von {of} {where}"),
        "picked": _("{n} von {of} Gebieten hervorgehoben"),
        "classing": _("Klassen: {method}"),
        "class_gone": _("Der Link nennt eine Klasse, die es in der Legende nicht gibt."),
        "breaks_missing": _("Geben Sie Grenzen ein, zum Beispiel 5, 10, 50."),
        "breaks_numbers": _("Grenzen sind Zahlen, mit Kommas getrennt."),
        "breaks_how_many": _("Möglich sind 1 bis 6 Grenzen über 0."),
        "breaks_ascending": _("Die Grenzen müssen aufsteigen."),
        "breaks_whole": _("Hier sind nur ganze Zahlen möglich."),
        "breaks_percent": _("Mehr als 100 Prozent gibt es nicht."),
        "remove_filter": _("Filter entfernen: {name}"),
        "reset_filters": _("Alle Filter zurücksetzen"),
        "chip_status": _("Status: {names}"),
        "chip_available": _("vor Ort verfügbar"),
        "chip_maturity": _("Reifegrad ab {step} (Modell {model})"),
        "chip_confirmed": _("bestätigt seit {date}"),
        "chip_stand": _("Stand {date}"),
        "past_day": _("Stand vom {date}"),
        "facet": _("{n} von {of}"),
        "day_in_future": _("Dieser Tag liegt in der Zukunft. Wählen Sie einen bis heute."),
        "day_too_early": _("So früh gibt es noch keine Angaben."),
        "day_unreadable": _("Bitte einen Tag mit Jahr angeben, zum Beispiel 01.03.2026."),
        "of_services": _("{n} von {of} Leistungen: {status}"),
        "of_municipalities": _("{n} von {of} Gemeinden: {status}"),
        "share_of": _("{share} ({n} von {of} Leistungen: {status})"),
        "spread_of": _("{share} ({n} von {of} Gemeinden: {status})"),
        "status_value": _("Status: {status}"),
        "online": _("online"),
        "in_progress": _("in Umsetzung"),
        "planned": _("in Planung"),
        "open": _("offen"),
        "not_responsible_status": _("nicht zuständig"),
        "as_of": _("Datenstand {date}"),
        "zoom_in": _("Hineinzoomen"),
        "zoom_out": _("Herauszoomen"),
        "zoom_home": _("Ganze Auswahl zeigen"),
        "needs_service": _("Wählen Sie dafür zuerst eine einzelne Leistung."),
        "not_for_municipalities": _("Gibt es nur für Verbände, Kreise und Länder."),
        "only_service": _("Es zählt nur die gewählte Leistung."),
        "dims": _("Bei „Status“ werden andere Gebiete nur abgeblendet."),
        "no_match": _("Kein Treffer für „{query}“"),
        "no_match_hint": _("Prüfen Sie die Schreibweise, oder versuchen Sie ein anderes Wort."),
        "quoted": _("„{text}“"),
        "places": _("Orte"),
        "services": _("Leistungen"),
        "locating": _("Standort wird bestimmt …"),
        "locate_denied": _("Der Browser darf Ihren Standort nicht nennen. Suchen Sie den Ort nach Namen."),
        "locate_unavailable": _("Ihr Standort ließ sich nicht bestimmen. Suchen Sie den Ort nach Namen."),
        "locate_outside": _("Ihr Standort liegt in keiner Gemeinde dieser Karte."),
        "matches": _("{n} Treffer"),
        "panel_loading": _("Angaben zu {name} werden geladen …"),
        "panel_page": _("Alle Angaben zu diesem Gebiet"),
    }
