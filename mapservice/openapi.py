"""The OpenAPI 3.0 document of the OGC API, and the words for collections and properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _

from mapservice import params
from mapservice.domain import SUBJECT_AREAS, Level, Measure, Scope, SolutionKind, Status
from mapservice.layers import crs
from mapservice.layers.query import (
    DEFAULT_CLASSES,
    DETAILS,
    LEAST_CLASSES,
    MOST_CLASSES,
    Method,
)
from mapservice.version import VERSION

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}


def collection_words(level: Level) -> tuple[str, str]:
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


def property_words() -> Mapping[str, tuple[str, str, str]]:
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


def document(server: str, contact_mail: str | None) -> Json:
    """The whole document; server: the address of the landing page."""
    info: Json = {
        "title": _("OZG-Landkarte: OGC API – Features"),
        "description": _("Verwaltungsgrenzen mit Werten: welche Behörde welche Online-Dienste anbietet."),
        "version": VERSION,
    }
    if contact_mail:
        info["contact"] = {"email": contact_mail}
    return {
        "openapi": "3.0.3",
        "info": info,
        "servers": [{"url": server}],
        "paths": _paths(),
        "components": {
            "parameters": _parameters(),
            "schemas": _schemas(),
            "responses": {
                "Error": {
                    "description": _("Die Anfrage konnte nicht beantwortet werden; die Antwort sagt, warum."),
                    "content": {"application/json": {"schema": _schema("exception")}},
                }
            },
        },
    }


def resolver(whole: Json) -> Callable[[Json], Json]:
    """A function that follows a local reference of this document; other content comes back as it is."""

    def resolve(part: Json) -> Json:
        found = whole
        for name in part.get("$ref", "#").split("/")[1:]:
            found = found[name]
        return found if "$ref" in part else part

    return resolve


# --- paths ------------------------------------------------------------------------------------------


def _paths() -> Json:
    common = ("f", params.LANGUAGE)
    filters = params.FILTERS
    page = ("limit", "cursor", "offset", "bbox", "bbox-crs", "crs", "datetime", "detail")
    single = ("featureId", *(name for name in filters if name != "within"), "crs", "detail")
    return {
        "/": _get("getLandingPage", _("Einstieg"), "landingPage", common, "core"),
        "/conformance": _get("getConformance", _("Was umgesetzt ist"), "confClasses", common, "core"),
        "/collections": _get("getCollections", _("Alle Sammlungen"), "collections", common, "core"),
        "/collections/{collectionId}": _get(
            "describeCollection", _("Eine Sammlung"), "collection", ("collectionId", *common), "core"
        ),
        "/collections/{collectionId}/items": _get(
            "getFeatures",
            _("Gebiete einer Ebene, seitenweise"),
            "featureCollectionGeoJSON",
            ("collectionId", *page, *filters, *common),
            "data",
            geojson=True,
        ),
        "/collections/{collectionId}/items/{featureId}": _get(
            "getFeature",
            _("Ein Gebiet"),
            "featureGeoJSON",
            ("collectionId", *single, *common),
            "data",
            geojson=True,
        ),
    }


def _get(
    operation: str, summary: str, schema: str, parameters: tuple[str, ...], tag: str, *, geojson: bool = False
) -> Json:
    success: Json = {
        "description": summary,
        "content": {
            "application/geo+json" if geojson else "application/json": {"schema": _schema(schema)},
            "text/html": {"schema": _TEXT},
        },
    }
    if geojson:
        success["headers"] = {
            "Content-Crs": {
                "description": _("Bezugssystem der Koordinaten, nur bei GeoJSON"),
                "schema": _TEXT,
            }
        }
    refused = ["400", "500", "503"]
    if "collectionId" in parameters:
        refused.append("404")
    if "cursor" in parameters:
        refused.append("409")
    return {
        "get": {
            "tags": [tag],
            "summary": summary,
            "operationId": operation,
            "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
            "responses": {
                "200": success,
                "304": {"description": _("Unverändert seit der Antwort mit dem ETag in If-None-Match")},
                **{code: {"$ref": "#/components/responses/Error"} for code in sorted(refused)},
            },
        }
    }


# --- parameters -------------------------------------------------------------------------------------


def _parameters() -> Json:
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
        "f": _query("f", _("Form der Antwort; sonst gilt Accept"), _choice(["json", "html"])),
        params.LANGUAGE: _query(params.LANGUAGE, _("Sprache der Texte"), {"type": "string", "default": "de"}),
        "limit": _query(
            "limit", _("Gebiete je Seite; mehr als das Höchste wird wie das Höchste bedient"), limit
        ),
        "cursor": _query("cursor", _("Aus dem next-Verweis, unverändert"), _TEXT),
        "offset": _query(
            "offset",
            _("So viele Gebiete überspringen; nicht zusammen mit cursor"),
            {"type": "integer", "minimum": 0, "maximum": 10**7, "default": 0},
        ),
        "bbox": _query("bbox", _("Ecke unten links, Ecke oben rechts, in der Achsfolge von bbox-crs"), box),
        "bbox-crs": _query("bbox-crs", _("Bezugssystem von bbox"), uri),
        "crs": _query("crs", _("Bezugssystem der Antwort"), uri),
        "datetime": _query(
            "datetime", _("Zeitpunkt oder Zeitraum; Gebiete haben keine Zeit und passen immer"), _TEXT
        ),
        "detail": _query(
            "detail",
            _("Generalisierung der Grenzen in Metern"),
            {"type": "integer", "enum": list(DETAILS), "default": params.DETAIL_DEFAULT},
        ),
        "subject": _several("subject", _("Themenfeld"), {"type": "string", "enum": slugs}),
        "situation": _several("situation", _("Nummer einer Lage"), {"type": "integer", "minimum": 1}),
        "service": _several(
            "service", _("OZG-ID, LeiKa-Schlüssel oder eigen:…; nicht zusammen mit subject, situation"), _TEXT
        ),
        "status": _several(
            "status",
            _("Gewählter Status; kein Filter der Gebiete"),
            {"type": "string", "enum": [status.code for status in Status]},
        ),
        "measure": _query(
            "measure",
            _("Was der Wert sagt; status und spread nur mit genau einer Leistung"),
            _choice([measure.value for measure in Measure], Measure.COUNT.value),
        ),
        "scope": _query(
            "scope",
            _("Eigene Angebote der Behörde oder alle vor Ort verfügbaren"),
            _choice([scope.code for scope in Scope], Scope.OWN.code),
        ),
        "within": _several(
            "within",
            _("Region: Schlüssel mit 2, 3, 5, 9 oder 12 Ziffern"),
            {"type": "string", "pattern": "^[0-9]{2,12}$"},
        ),
        "method": _query(
            "method",
            _("Klassen: feste Grenzen, gleich breit, gleich viele, natürliche Brüche oder eigene"),
            _choice([method.value for method in Method], Method.FIXED.value),
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
            _TEXT,
        ),
        "kind": _several(
            "kind",
            _("Lösungsart; nur solche Einträge zählen als Angebot"),
            {"type": "string", "enum": [kind.code for kind in SolutionKind]},
        ),
        "maturity": _query(
            "maturity",
            _("Reifegrad ab dieser Stufe, in einem Modell"),
            _choice([maturity.code for maturity in params.MATURITIES]),
        ),
        "confirmed": _query(
            "confirmed",
            _("Nur Einträge zählen, die seit diesem Tag bestätigt sind"),
            {"type": "string", "format": "date"},
        ),
    }


def _query(name: str, description: str, schema: Json) -> Json:
    found = {"name": name, "in": "query", "description": description, "required": False, "schema": schema}
    return {**found, "style": "form", "explode": False}


def _several(name: str, description: str, item: Json) -> Json:
    found = _query(name, description, {"type": "array", "items": item, "maxItems": 200})
    return {**found, "explode": True}


def _path(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "description": description, "required": True, "schema": schema}


def _choice(values: list[str], default: str | None = None) -> Json:
    return {"type": "string", "enum": values, **({"default": default} if default else {})}


# --- schemas ----------------------------------------------------------------------------------------


def _schemas() -> Json:
    properties: Json = {}
    for name, (type_, title, description) in property_words().items():
        # `value` is a number, or a status as text
        shape: Json = {"type": type_, "nullable": True} if type_ else {}
        properties[name] = {**shape, "title": title, "description": description}
    links = {"type": "array", "items": _schema("link")}
    feature: Json = {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": _choice(["Feature"]),
            "id": _TEXT,
            "geometry": _schema("multiPolygon"),
            "properties": _schema("areaProperties"),
            "links": links,
        },
    }
    said: Json = dict.fromkeys(("title", "attribution", "geometry_licence"), _TEXT)
    said["data_licence"] = {**_TEXT, "nullable": True}
    return {
        "exception": _object(
            {
                "code": _TEXT,
                "description": _TEXT,
                "parameter": _TEXT,
                "allowed": {"type": "array", "items": _TEXT},
            },
            ["code", "description"],
        ),
        "link": _object(
            {"href": _TEXT, "rel": _TEXT, "type": _TEXT, "title": _TEXT, "hreflang": _TEXT},
            ["href", "rel", "type"],
        ),
        "landingPage": _object({"title": _TEXT, "description": _TEXT, "links": links}, ["links"]),
        "confClasses": _object(
            {"conformsTo": {"type": "array", "items": _TEXT}, "links": links}, ["conformsTo"]
        ),
        "collections": _object(
            {
                "title": _TEXT,
                "links": links,
                "crs": {"type": "array", "items": _TEXT},
                "collections": {"type": "array", "items": _schema("collection")},
            },
            ["links", "collections"],
        ),
        "collection": _object(
            {
                "id": _TEXT,
                "title": _TEXT,
                "description": _TEXT,
                "attribution": _TEXT,
                "itemType": _TEXT,
                "extent": {"type": "object"},
                "crs": {"type": "array", "items": _TEXT},
                "storageCrs": _TEXT,
                "links": links,
            },
            ["id", "links"],
        ),
        "multiPolygon": _object(
            {"type": _choice(["MultiPolygon"]), "coordinates": {"type": "array", "items": {"type": "array"}}},
            ["type", "coordinates"],
        ),
        "areaProperties": _object(properties, ["name", "value"]),
        "featureGeoJSON": feature,
        "featureCollectionGeoJSON": _object(
            {
                "type": _choice(["FeatureCollection"]),
                **said,
                "numberReturned": {"type": "integer", "minimum": 0},
                "numberMatched": {"type": "integer", "minimum": 0},
                "links": links,
                "features": {"type": "array", "items": _schema("featureGeoJSON")},
            },
            ["type", "features", "numberReturned", "links"],
        ),
    }


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "required": required, "properties": properties}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
