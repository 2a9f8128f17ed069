"""The parameters in the OpenAPI document."""

from __future__ import annotations

from flask_babel import gettext as _

from mapservice import cql2, params, vocabulary
from mapservice.domain import SUBJECT_AREAS, Level, Measure, Scope, SolutionKind, Status
from mapservice.filter_params import query_parameters
from mapservice.layers import area_properties, crs, entries
from mapservice.layers.predicates import Type
from mapservice.layers.query import DEFAULT_CLASSES, DETAILS, LEAST_CLASSES, MOST_CLASSES, Method
from mapservice.openapi_schemas import DAY, TEXT, Json, choice


def parameters() -> Json:
    uri: Json = {"type": "string", "format": "uri", "enum": [system.uri for system in crs.ALL]}
    uri["default"] = crs.CRS84.uri
    level: Json = {"type": "string", "enum": [level.plural for level in Level]}
    number: Json = {"type": "number"}
    box: Json = {
        "type": "array",
        "items": number,
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    }
    limit: Json = {
        "type": "integer",
        "minimum": 1,
        "maximum": params.LIMIT_MOST,
        "default": params.LIMIT_DEFAULT,
    }
    slugs = [slug for slug, _name in SUBJECT_AREAS]
    return {
        "collectionId": _path("collectionId", _("Die Ebene"), level),
        "featureId": _path(
            "featureId",
            _("Schlüssel des Gebiets auf seiner Ebene: 2, 5, 9 oder 12 Ziffern"),
            {"type": "string", "pattern": "^[0-9]+$"},
        ),
        "entryId": {
            **_path("featureId", _("Kennung der Umsetzung"), {"type": "string", "format": "uuid"}),
        },
        "geometry": _query(
            "geometry",
            _("Gebiet der Behörde oder sein Beschriftungspunkt"),
            choice(["area", "point"], "area"),
        ),
        "f": _query("f", _("Form der Antwort; sonst gilt Accept"), choice(["json", "html"])),
        params.LANGUAGE: _query(params.LANGUAGE, _("Sprache der Texte"), {"type": "string", "default": "de"}),
        "limit": _query(
            "limit", _("Gebiete je Seite; mehr als das Höchste wird wie das Höchste bedient"), limit
        ),
        "cursor": _query("cursor", _("Aus dem next-Verweis, unverändert"), TEXT),
        "offset": _query(
            "offset",
            _("So viele Gebiete überspringen; nicht zusammen mit cursor"),
            {"type": "integer", "minimum": 0, "maximum": 10**7, "default": 0},
        ),
        "bbox": _query("bbox", _("Ecke unten links, Ecke oben rechts, in der Achsfolge von bbox-crs"), box),
        "bbox-crs": _query("bbox-crs", _("Bezugssystem von bbox"), uri),
        "crs": _query("crs", _("Bezugssystem der Antwort"), uri),
        "datetime": _query(
            "datetime", _("Zeitpunkt oder Zeitraum; Gebiete haben keine Zeit und passen immer"), TEXT
        ),
        "filter": _query(
            "filter",
            _("CQL2 über die Eigenschaften unter queryables"),
            {**TEXT, "maxLength": cql2.MOST_CHARACTERS},
        ),
        "filter-lang": _query(
            "filter-lang", _("Form des Filters"), choice(list(cql2.LANGUAGES), cql2.LANGUAGES[0])
        ),
        "filter-crs": _query("filter-crs", _("Bezugssystem der Geometrien im Filter"), uri),
        **_of_properties(),
        "detail": _query(
            "detail",
            _("Generalisierung der Grenzen in Metern"),
            {"type": "integer", "enum": list(DETAILS), "default": params.DETAIL_DEFAULT},
        ),
        params.COLUMNS: _query(
            params.COLUMNS, _("subjects: dazu je Themenfeld eine Zahl"), choice(["subjects"])
        ),
        "subject": _several("subject", _("Themenfeld"), {"type": "string", "enum": slugs}),
        "situation": _several("situation", _("Nummer einer Lage"), {"type": "integer", "minimum": 1}),
        "service": _several(
            "service", _("OZG-ID, LeiKa-Schlüssel oder eigen:…; nicht zusammen mit subject, situation"), TEXT
        ),
        "status": _several(
            "status",
            _("Gewählter Status; kein Filter der Gebiete"),
            {"type": "string", "enum": [status.code for status in Status]},
        ),
        "measure": _query(
            "measure",
            _("Was der Wert sagt; status und spread nur mit genau einer Leistung"),
            choice([measure.value for measure in Measure], Measure.COUNT.value),
        ),
        "scope": _query(
            "scope",
            _("Eigene Angebote der Behörde oder alle vor Ort verfügbaren"),
            choice([scope.code for scope in Scope], Scope.OWN.code),
        ),
        "within": _several(
            "within",
            _("Region: Schlüssel mit 2, 3, 5, 9 oder 12 Ziffern"),
            {"type": "string", "pattern": "^[0-9]{2,12}$"},
        ),
        "method": _query(
            "method",
            _("Klassen: feste Grenzen, gleich breit, gleich viele, natürliche Brüche oder eigene"),
            choice([method.value for method in Method], Method.FIXED.value),
        ),
        "classes": _query(
            "classes",
            _("Zahl der Klassen, wo sie berechnet werden"),
            {
                "type": "integer",
                "minimum": LEAST_CLASSES,
                "maximum": MOST_CLASSES,
                "default": DEFAULT_CLASSES,
            },
        ),
        "breaks": _query(
            "breaks",
            _("Eigene Klassengrenzen, aufsteigend, mit Kommas; bei Anteilen in Prozent; nur mit method=own"),
            TEXT,
        ),
        "kind": _several(
            "kind",
            _("Lösungsart; nur solche Einträge zählen als Angebot"),
            {"type": "string", "enum": [kind.code for kind in SolutionKind]},
        ),
        "maturity": _query(
            "maturity",
            _("Reifegrad ab dieser Stufe, in einem Modell"),
            choice([maturity.code for maturity in params.MATURITIES]),
        ),
        "entryMaturity": _query(
            "maturity",
            _("Reifegrad: diese Stufe, oder ab dieser Stufe in einem Modell"),
            {"anyOf": [{"type": "integer", "minimum": 0}, choice([item.code for item in params.MATURITIES])]},
        ),
        "confirmed": _query(
            "confirmed",
            _("Nur Einträge zählen, die seit diesem Tag bestätigt sind"),
            DAY,
        ),
        "stand": _query(
            "stand",
            _("Ein vergangener Tag: wie es an seinem Ende war, in den Grenzen und Freigaben von heute"),
            {"type": "string", "format": "date"},
        ),
    }


def _of_properties() -> Json:
    """A parameter for each property that one may ask for by its value."""
    words = {
        **vocabulary.implementation_properties(),
        **vocabulary.area_properties(),
        **vocabulary.subject_properties(),
        **vocabulary.further_area_properties(),
    }
    names = {**query_parameters(entries.TYPES), **query_parameters(area_properties.types())}
    shapes: Json = {name: {"type": type_.value} for name, type_ in names.items()}
    shapes |= {name: DAY for name, type_ in names.items() if type_ is Type.DATE}
    # A number, or with measure=status a text.
    shapes["value"] = {"anyOf": [{"type": "number"}, TEXT]}
    return {
        name: _query(name, f"{words[name][1]}: {words[name][2]}", shape) for name, shape in shapes.items()
    }


def _query(name: str, description: str, schema: Json) -> Json:
    found = {"name": name, "in": "query", "description": description, "required": False, "schema": schema}
    return {**found, "style": "form", "explode": False}


def _several(name: str, description: str, item: Json) -> Json:
    found = _query(name, description, {"type": "array", "items": item, "maxItems": 200})
    return {**found, "explode": True}


def _path(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "description": description, "required": True, "schema": schema}
