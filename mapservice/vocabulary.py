"""The words for collections and for the properties of their features, in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from mapservice.domain import Level


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


def further_area_properties() -> Mapping[str, tuple[str, str, str]]:
    """What a filter may ask of areas beside the properties of their features."""
    return {
        "key": ("string", _("Schlüssel"), _("Schlüssel des Gebiets auf seiner Ebene, wie die id")),
        "population": ("integer", _("Bevölkerung"), _("Einwohnerinnen und Einwohner, wo bekannt")),
        "geometry": ("", _("Gebiet"), _("Die Fläche des Gebiets")),
    }


UNITS = {
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
