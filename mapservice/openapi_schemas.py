"""The schemas in the OpenAPI document, and the shapes that its parts are written in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mapservice import vocabulary

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
DAY: Json = {"type": "string", "format": "date"}
REFUSED = ("400", "414", "429", "500", "503")
"""How any request may be answered besides."""


def schemas() -> Json:
    properties: Json = {}
    for name, (type_, title, description) in {
        **vocabulary.area_properties(),
        **vocabulary.subject_properties(),
    }.items():
        # `value` is a number, or a status as text
        shape: Json = {"type": type_, "nullable": True} if type_ else {}
        properties[name] = {**shape, "title": title, "description": description}
    entry_properties: Json = {
        name: {"type": type_, "nullable": True, "title": title, "description": text}
        for name, (type_, title, text) in vocabulary.implementation_properties().items()
    }
    links = {"type": "array", "items": schema_of("link")}
    feature: Json = {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": choice(["Feature"]),
            "id": TEXT,
            "geometry": schema_of("multiPolygon"),
            "properties": schema_of("areaProperties"),
            "links": links,
        },
    }
    said: Json = dict.fromkeys(("title", "attribution", "geometry_licence"), TEXT)
    said["data_licence"] = {**TEXT, "nullable": True}
    return {
        "exception": _object(
            {
                "code": TEXT,
                "description": TEXT,
                "parameter": TEXT,
                "allowed": {"type": "array", "items": TEXT},
            },
            ["code", "description"],
        ),
        "link": _object(
            {"href": TEXT, "rel": TEXT, "type": TEXT, "title": TEXT, "hreflang": TEXT},
            ["href", "rel", "type"],
        ),
        "landingPage": _object({"title": TEXT, "description": TEXT, "links": links}, ["links"]),
        "confClasses": _object(
            {"conformsTo": {"type": "array", "items": TEXT}, "links": links}, ["conformsTo"]
        ),
        "jsonSchema": _object(
            {"$schema": TEXT, "$id": TEXT, "type": TEXT, "title": TEXT, "properties": {"type": "object"}},
            ["$schema", "$id", "type", "properties"],
        ),
        "collections": _object(
            {
                "title": TEXT,
                "links": links,
                "crs": {"type": "array", "items": TEXT},
                "collections": {"type": "array", "items": schema_of("collection")},
            },
            ["links", "collections"],
        ),
        "collection": _object(
            {
                "id": TEXT,
                "title": TEXT,
                "description": TEXT,
                "attribution": TEXT,
                "itemType": TEXT,
                "extent": {"type": "object"},
                "crs": {"type": "array", "items": TEXT},
                "storageCrs": TEXT,
                "links": links,
            },
            ["id", "links"],
        ),
        "multiPolygon": _object(
            {"type": choice(["MultiPolygon"]), "coordinates": {"type": "array", "items": {"type": "array"}}},
            ["type", "coordinates"],
        ),
        "implementationGeoJSON": {
            "type": "object",
            "required": ["type", "id", "geometry", "properties"],
            "properties": {
                "type": choice(["Feature"]),
                "id": {"type": "string", "format": "uuid"},
                "geometry": {"type": "object", "nullable": True},
                "properties": _object(
                    entry_properties,
                    ["authority", "service", "status"],
                ),
                "links": links,
            },
        },
        "implementationsGeoJSON": _object(
            {
                "type": choice(["FeatureCollection"]),
                **said,
                "numberReturned": {"type": "integer", "minimum": 0},
                "numberMatched": {"type": "integer", "minimum": 0},
                "links": links,
                "features": {"type": "array", "items": schema_of("implementationGeoJSON")},
            },
            ["type", "features", "numberReturned", "links"],
        ),
        "areaProperties": _object(properties, ["name", "value"]),
        "featureGeoJSON": feature,
        "featureCollectionGeoJSON": _object(
            {
                "type": choice(["FeatureCollection"]),
                **said,
                "numberReturned": {"type": "integer", "minimum": 0},
                "numberMatched": {"type": "integer", "minimum": 0},
                "links": links,
                "features": {"type": "array", "items": schema_of("featureGeoJSON")},
            },
            ["type", "features", "numberReturned", "links"],
        ),
    }


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "required": required, "properties": properties}


def errors(codes: Iterable[str]) -> Json:
    """The answers with these codes, in their order."""
    names = {"429": "TryLater", "503": "TryLater"}
    return {code: {"$ref": f"#/components/responses/{names.get(code, 'Error')}"} for code in sorted(codes)}


def schema_of(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def choice(values: list[str], default: str | None = None) -> Json:
    return {"type": "string", "enum": values, **({"default": default} if default else {})}
