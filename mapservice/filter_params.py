"""Which features: `filter` in CQL2 (OGC API - Features, Part 3), and properties as parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mapservice import cql2, params
from mapservice.errors import N_, ParameterError
from mapservice.layers.predicates import Filter, Type, is_day
from mapservice.params import Arguments

FILTER_PARAMETERS = ("filter", "filter-lang", "filter-crs")
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_TAKEN = frozenset(
    {
        *params.FILTERS,
        *FILTER_PARAMETERS,
        "limit",
        "cursor",
        "offset",
        "bbox",
        "crs",
        "detail",
        "f",
        "datetime",
    }
)


def query_parameters(types: Mapping[str, Type]) -> dict[str, Type]:
    """The properties that may stand in the address as `name=value`: whose name means nothing else there."""
    return {name: type_ for name, type_ in types.items() if name not in _TAKEN}


def parse_filter(
    arguments: Arguments, types: Mapping[str, Type], *, properties: Iterable[str] = ()
) -> Filter | None:
    """`filter` and properties together, all of which must hold. Raises ParameterError.

    properties: parameters that mean something else elsewhere, and here the property of their name.
    """
    system = params.parse_crs(arguments, "filter-crs")
    language = params.parse_choice(arguments, "filter-lang", cql2.LANGUAGES)
    parts: list[Any] = []
    if "filter" in arguments:
        tree = cql2.parse(arguments["filter"], language)
        whole = isinstance(tree, dict) and tree.get("op") == "and" and isinstance(tree.get("args"), list)
        parts += tree["args"] if whole and len(tree["args"]) > 1 else [tree]
    for name in (*query_parameters(types), *properties):
        if name in arguments:
            value = _value(name, arguments[name], types[name])
            parts.append({"op": "=", "args": [{"property": name}, value]})
    if not parts:
        return None
    return Filter(parts[0] if len(parts) == 1 else {"op": "and", "args": parts}, system)


def _value(name: str, text: str, type_: Type) -> Any:
    if type_ is Type.INTEGER:
        if not _WHOLE.fullmatch(text):
            raise ParameterError(
                N_("%(name)s ist eine ganze Zahl."), words={"name": name}, parameter=name, allowed=["3"]
            )
        return int(text)
    if type_ is Type.NUMBER:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if len(text) > 40 or not math.isfinite(number):
            raise ParameterError(
                N_("%(name)s ist eine Zahl."), words={"name": name}, parameter=name, allowed=["0.5"]
            )
        return number
    if "\x00" in text or len(text) > 500:
        raise ParameterError(
            N_("Der Wert von %(name)s hat unerlaubte Zeichen oder mehr als 500."),
            words={"name": name},
            parameter=name,
        )
    if type_ is Type.DATE:
        if not is_day(text):
            raise ParameterError(
                N_("%(name)s ist ein Tag."), words={"name": name}, parameter=name, allowed=["2026-11-23"]
            )
        return {"date": text}
    if type_ is Type.BOOLEAN and text not in _BOOLEANS:
        raise ParameterError(
            N_("%(name)s ist wahr oder falsch."),
            words={"name": name},
            parameter=name,
            allowed=list(_BOOLEANS),
        )
    return _BOOLEANS[text] if type_ is Type.BOOLEAN else text
