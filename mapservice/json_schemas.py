"""JSON Schema of a collection: of its features, and of what a filter may ask (Part 3, queryables)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from mapservice import vocabulary
from mapservice.domain import Level, MaturityModel, Reason, SolutionKind, Status, TrustLevel
from mapservice.layers import area_properties, entries
from mapservice.layers.predicates import Type
from mapservice.openapi_schemas import Json

SCHEMA = "application/schema+json"
_GEOMETRY = {"format": "geometry-multipolygon", "x-ogc-role": "primary-geometry"}


def queryables(level: Level, address: str) -> Json:
    """Of a level; exactly the names that layers.area_properties knows."""
    words = {
        **vocabulary.area_properties(),
        **vocabulary.subject_properties(),
        **vocabulary.further_area_properties(),
    }
    names = [*area_properties.STATIC, *area_properties.COUNTED]
    properties = {name: property_of(name, words[name]) for name in names}
    title = _("%(collection)s: Filter", collection=vocabulary.level_words(level)[0])
    return {**document(address, title, properties), "additionalProperties": False}


def schema(level: Level, address: str) -> Json:
    """Of the features of a level, with all that columns=subjects adds."""
    words = {**vocabulary.area_properties(), **vocabulary.subject_properties()}
    key = vocabulary.further_area_properties()
    properties = {name: property_of(name, words[name]) for name in words}
    properties = {"geometry": property_of("geometry", key["geometry"]), **properties}
    return document(address, vocabulary.level_words(level)[0], properties)


def entries_queryables(address: str) -> Json:
    """Of the collection implementations: what a filter may name."""
    title = _("%(collection)s: Filter", collection=vocabulary.implementations_words()[0])
    return {**document(address, title, _of_entries()), "additionalProperties": False}


def entries_schema(address: str) -> Json:
    """Of its features: all of which a filter may name."""
    return document(address, vocabulary.implementations_words()[0], _of_entries())


def _of_entries() -> Json:
    properties: Json = {
        "geometry": {
            "title": _("Gebiet"),
            "description": _("Das Gebiet der Behörde, mit geometry=point sein Beschriftungspunkt"),
            "format": "geometry-any",
            "x-ogc-role": "primary-geometry",
        }
    }
    codes = {
        "status": [item.code for item in Status],
        "solution_kind": [item.code for item in SolutionKind],
        "maturity_model": [item.code for item in MaturityModel],
        "trust_level": [item.name.lower() for item in TrustLevel],
    }
    for name, words in vocabulary.implementation_properties().items():
        properties[name] = property_of(name, words)
        if entries.TYPES[name] is Type.DATE:
            properties[name]["format"] = "date"
        if name in codes:
            properties[name]["enum"] = codes[name]
    return properties


def document(address: str, title: str, properties: Json) -> Json:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "type": "object",
        "title": title,
        "properties": properties,
    }


def property_of(name: str, words: tuple[str, str, str], geometry: dict[str, str] | None = None) -> Json:
    """One property: type, title, explanation, unit."""
    type_, title, explanation = words
    found: dict[str, Any] = {"title": title, "description": explanation}
    if name == "geometry":
        return {**found, **(geometry or _GEOMETRY)}
    # `value` is a number or, with measure=status, a text.
    found["type"] = type_ or ["number", "string"]
    if name in vocabulary.UNITS:
        found["x-ogc-unit"] = vocabulary.UNITS[name]
    if name == "value_reason":
        found["enum"] = [reason.code for reason in Reason]
    if name == "data_as_of":
        found["format"] = "date-time"
    return found
