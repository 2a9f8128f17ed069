"""The OpenAPI 3.0 document of the OGC API."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _

from mapservice import openapi_schemas, openapi_tiles, params, vocabulary
from mapservice.domain import Level
from mapservice.filter_params import FILTER_PARAMETERS, query_parameters
from mapservice.layers import area_properties, entries
from mapservice.openapi_parameters import parameters
from mapservice.openapi_schemas import TEXT, Json, schema_of, schemas
from mapservice.responses import GEOJSON, JSON
from mapservice.version import VERSION

_ENTRIES = ("limit", "cursor", "bbox", "bbox-crs", "datetime", "crs", "detail", "geometry")


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
            "parameters": {**parameters(), **openapi_tiles.parameters()},
            "schemas": schemas(),
            "responses": {
                "Error": {
                    "description": _("Die Anfrage konnte nicht beantwortet werden; die Antwort sagt, warum."),
                    "content": {"application/json": {"schema": schema_of("exception")}},
                },
                "TryLater": {
                    "description": _("Zu viele Anfragen von einer Adresse, oder der Dienst ist überlastet."),
                    "headers": {
                        "Retry-After": {
                            "description": _("Nach so vielen Sekunden noch einmal fragen"),
                            "schema": {"type": "integer", "minimum": 1},
                        }
                    },
                    "content": {"application/json": {"schema": schema_of("exception")}},
                },
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
    properties = query_parameters(area_properties.types())
    page = (
        *FILTER_PARAMETERS,
        *properties,
        "limit",
        "cursor",
        "offset",
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "detail",
        params.COLUMNS,
    )
    single = ("featureId", *(name for name in filters if name != "within"), "crs", "detail", params.COLUMNS)
    return {
        "/": _get("getLandingPage", _("Einstieg"), "landingPage", common, "core"),
        "/conformance": _get("getConformance", _("Was umgesetzt ist"), "confClasses", common, "core"),
        "/collections": _get("getCollections", _("Alle Sammlungen"), "collections", common, "core"),
        "/collections/{collectionId}": _get(
            "describeCollection", _("Eine Sammlung"), "collection", ("collectionId", *common), "core"
        ),
        "/collections/{collectionId}/queryables": _get(
            "getQueryables",
            _("Wonach sich filtern lässt"),
            "jsonSchema",
            ("collectionId", *common),
            "core",
            type_="application/schema+json",
        ),
        "/collections/{collectionId}/schema": _get(
            "getSchema",
            _("Die Eigenschaften der Gebiete"),
            "jsonSchema",
            ("collectionId", *common),
            "core",
            type_="application/schema+json",
        ),
        **_entries(common),
        **openapi_tiles.paths(),
        # GDAL looks for the parameters of a collection under the very path of its items.
        **{
            f"/collections/{level.plural}/items": _get(
                f"get{level.plural.title()}",
                vocabulary.level_words(level)[0],
                "featureCollectionGeoJSON",
                (*page, *filters, *common),
                "data",
                type_=GEOJSON,
            )
            for level in Level
        },
        "/collections/{collectionId}/items": _get(
            "getFeatures",
            _("Gebiete einer Ebene, seitenweise"),
            "featureCollectionGeoJSON",
            ("collectionId", *page, *filters, *common),
            "data",
            type_=GEOJSON,
        ),
        "/collections/{collectionId}/items/{featureId}": _get(
            "getFeature",
            _("Ein Gebiet"),
            "featureGeoJSON",
            ("collectionId", *single, *common),
            "data",
            type_=GEOJSON,
        ),
    }


def _entries(common: tuple[str, ...]) -> Json:
    base = "/collections/implementations"
    filters = tuple("entryMaturity" if name == "maturity" else name for name in params.ENTRY_FILTERS)
    page = (*FILTER_PARAMETERS, *query_parameters(entries.TYPES), *_ENTRIES, *filters)
    schema = {"type_": "application/schema+json"}
    return {
        base: _get("describeImplementations", _("Die Umsetzungen"), "collection", common, "core"),
        f"{base}/queryables": _get(
            "getImplementationQueryables",
            _("Wonach sich filtern lässt"),
            "jsonSchema",
            common,
            "core",
            **schema,
        ),
        f"{base}/schema": _get(
            "getImplementationSchema",
            _("Die Eigenschaften der Umsetzungen"),
            "jsonSchema",
            common,
            "core",
            **schema,
        ),
        f"{base}/items": _get(
            "getImplementations",
            _("Umsetzungen, seitenweise"),
            "implementationsGeoJSON",
            (*page, *common),
            "data",
            type_=GEOJSON,
        ),
        f"{base}/items/{{featureId}}": _get(
            "getImplementation",
            _("Eine Umsetzung"),
            "implementationGeoJSON",
            ("entryId", "crs", "detail", "geometry", *common),
            "data",
            type_=GEOJSON,
        ),
    }


def _get(
    operation: str, summary: str, schema: str, parameters: tuple[str, ...], tag: str, *, type_: str = JSON
) -> Json:
    success: Json = {
        "description": summary,
        "content": {
            type_: {"schema": schema_of(schema)},
            "text/html": {"schema": TEXT},
        },
    }
    if type_ == GEOJSON:
        success["headers"] = {
            "Content-Crs": {
                "description": _("Bezugssystem der Koordinaten, nur bei GeoJSON"),
                "schema": TEXT,
            }
        }
    refused = [*openapi_schemas.REFUSED]
    if {"collectionId", "entryId", "service"} & set(parameters):
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
                **openapi_schemas.errors(refused),
            },
        }
    }
