"""The words for collections and for the properties of their features, in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from mapservice import titles
from mapservice.domain import SUBJECT_AREAS, Level


def level_words(level: Level) -> tuple[str, str]:
    """Title and description of a level as a collection."""
    return {
        Level.STATE: (_("Länder"), _("Die Länder mit Werten ihrer Verwaltungen.")),
        Level.DISTRICT: (
            _("Kreise und kreisfreie Städte"),
            _("Kreise, Landkreise und kreisfreie Städte mit Werten ihrer Verwaltungen."),
        ),
        Level.ASSOCIATION: (
            _("Gemeindeverbände"),
            _("Ämter, Samtgemeinden, Verbandsgemeinden und Gemeinden ohne Verband mit ihren Werten."),
        ),
        Level.MUNICIPALITY: (_("Gemeinden"), _("Städte, Gemeinden und gemeindefreie Gebiete mit Werten.")),
    }[level]


def area_properties() -> Mapping[str, tuple[str, str, str]]:
    """Of each property of a feature: JSON type, title, explanation."""
    return {
        "ars": ("string", _("Regionalschlüssel"), _("Schlüssel des Gebiets, auf 12 Stellen ergänzt")),
        "authority": ("string", _("Behörde"), _("ARS der Behörde; leer im gemeindefreien Gebiet")),
        "ags": ("string", _("Gemeindeschlüssel"), _("AGS der Behörde, 8 Stellen")),
        "name": ("string", _("Name"), _("Name des Gebiets")),
        "designation": ("string", _("Bezeichnung"), _("Art der Gebietskörperschaft")),
        "level": ("string", _("Ebene"), _("state, district, association oder municipality")),
        "district": ("string", _("Kreis"), _("Name des Kreises darüber")),
        "state": ("string", _("Land"), _("Name des Landes darüber")),
        "services_total": (
            "integer",
            _("Leistungen"),
            _("Leistungen der Auswahl in Zuständigkeit der Behörde"),
        ),
        "services_online": ("integer", _("online"), _("davon online")),
        "services_in_progress": ("integer", _("in Umsetzung"), _("davon in Umsetzung")),
        "services_planned": ("integer", _("in Planung"), _("davon in Planung")),
        "share": ("number", _("Anteil"), _("Anteil mit gewähltem Status, 0 bis 1")),
        "value": ("", _("Wert"), _("Wert nach dem Maß: Anzahl, Anteil oder Status")),
        "value_label": ("string", _("Wert in Worten"), _("Der Wert, wie man ihn liest")),
        "value_reason": ("string", _("Grund"), _("Warum es keinen Wert gibt")),
        "class": ("string", _("Klasse"), _("Klasse der Legende; ohne Wert der Grund")),
        "data_as_of": ("string", _("Datenstand"), _("Wann sich die Daten zuletzt geändert haben, UTC")),
        "municipalities_total": ("integer", _("Gemeinden"), _("Gemeinden mit Angaben (Maß spread)")),
        "municipalities_wanted": ("integer", _("Gemeinden mit Leistung"), _("davon mit gewähltem Status")),
        "municipalities_left_out": ("integer", _("Gemeinden ohne Angaben"), _("nicht mitgezählte Gemeinden")),
        "population_share": ("number", _("Anteil der Bevölkerung"), _("in Gemeinden mit gewähltem Status")),
    }


def subject_properties() -> Mapping[str, tuple[str, str, str]]:
    """Of each property that columns=subjects adds to a feature."""
    text = _("Leistungen des Themenfelds mit gewähltem Status; leer: keine Angaben oder nicht zuständig")
    return {slug: ("integer", titles.subject_name(name) or name, text) for slug, name in SUBJECT_AREAS}


def further_area_properties() -> Mapping[str, tuple[str, str, str]]:
    """What a filter may ask of areas beside the properties of their features."""
    return {
        "key": ("string", _("Schlüssel"), _("Schlüssel des Gebiets auf seiner Ebene, wie die id")),
        "population": ("integer", _("Bevölkerung"), _("Einwohnerinnen und Einwohner, wo bekannt")),
        "geometry": ("", _("Gebiet"), _("Die Fläche des Gebiets")),
    }


def implementations_words() -> tuple[str, str]:
    """Title and description of the collection of implementations."""
    return _("Umsetzungen"), _(
        "Je Umsetzung ein Eintrag: welche Behörde welche Leistung mit welchem Status anbietet."
    )


def implementation_properties() -> Mapping[str, tuple[str, str, str]]:
    """Of each property of an implementation: JSON type, title, explanation."""
    return {
        "authority": ("string", _("Behörde"), _("ARS der Behörde, 12 Stellen")),
        "authority_name": ("string", _("Name der Behörde"), _("Wer die Leistung anbietet")),
        "designation": ("string", _("Bezeichnung"), _("Art der Gebietskörperschaft")),
        "state": ("string", _("Land"), _("Name des Landes")),
        "service": ("string", _("Leistung"), _("OZG-ID, LeiKa-Schlüssel oder eigener Schlüssel")),
        "service_name": ("string", _("Name der Leistung"), _("wie im Katalog")),
        "bundle": ("string", _("OZG-Leistung"), _("OZG-ID des Bündels einer LeiKa-Leistung")),
        "bundle_name": ("string", _("Name der OZG-Leistung"), _("Name des Bündels einer LeiKa-Leistung")),
        "subject": ("string", _("Themenfeld"), _("Kurzname des Themenfelds")),
        "situation_name": ("string", _("Lage"), _("Name der Lage")),
        "status": ("string", _("Status"), _("Stand der Umsetzung")),
        "url": ("string", _("Adresse"), _("Wo die Leistung zu finden ist")),
        "solution": ("string", _("Lösung"), _("Name der Lösung dahinter")),
        "solution_kind": ("string", _("Lösungsart"), _("EfA, Eigenentwicklung, Nachnutzung, Fachverfahren")),
        "maturity_model": ("string", _("Reifegradmodell"), _("Modell, in dem der Reifegrad gilt")),
        "maturity": ("integer", _("Reifegrad"), _("Stufe im Reifegradmodell")),
        "reusable": ("boolean", _("Nachnutzbar"), _("ob andere die Umsetzung nachnutzen können")),
        "reuse_note": ("string", _("Hinweis zur Nachnutzung"), _("Bedingungen und Ansprechweg")),
        "specialist_system": ("string", _("Fachverfahren"), _("angebundenes Fachverfahren")),
        "trust_level": ("string", _("Vertrauensniveau"), _("nötiges Niveau der Anmeldung")),
        "contact": ("string", _("Kontakt"), _("Funktionspostfach, nie eine Person")),
        "online_since": ("string", _("Online seit"), _("Tag, seit dem die Leistung online ist")),
        "planned_until": ("string", _("Geplant bis"), _("Tag, bis zu dem sie online sein soll")),
        "as_of": ("string", _("Stand"), _("Tag, zu dem der Eintrag bestätigt ist")),
        "source": ("string", _("Quelle"), _("woher der Eintrag stammt")),
        "identifier": ("string", _("Kennung"), _("eigene Kennung des Eintrags")),
        "demonstration": ("boolean", _("Beispieldaten"), _("ob der Eintrag erfunden ist")),
    }


UNITS = {
    **{slug: "{Leistungen}" for slug, _name in SUBJECT_AREAS},
    "services_total": "{Leistungen}",
    "services_online": "{Leistungen}",
    "services_in_progress": "{Leistungen}",
    "services_planned": "{Leistungen}",
    "share": "1",
    "municipalities_total": "{Gemeinden}",
    "municipalities_wanted": "{Gemeinden}",
    "municipalities_left_out": "{Gemeinden}",
    "population": "{Personen}",
    "population_share": "1",
}
"""UCUM; what has none is not a number, or depends on the measure."""
