"""CQL2 (OGC 21-065), text and JSON, read into one tree: that of its JSON form, checked only for size.

The grammar is that of the standard for the conformance classes in ogc.CONFORMANCE. It is read by an LALR
parser, which takes time in proportion to the text and no stack, so that no filter is dear to refuse.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from mapservice.errors import N_, ParameterError

if TYPE_CHECKING:
    from lark import Lark

LANGUAGES = ("cql2-text", "cql2-json")
MOST_CHARACTERS = 32_000
MOST_DEPTH = 50
_BRACKETS = re.compile(r"'(?:[^'\\]|''|\\[\s\S])*'|[()]")
"""Brackets, and texts as a whole, so that those inside them are not met."""
_ESCAPE = re.compile(r"''|\\[\s\S]")
_ESCAPED = {"''": "'", "\\'": "'", "\\\\": "\\"}
_ESCAPED |= {"\\a": "\a", "\\b": "\b", "\\t": "\t", "\\n": "\n", "\\v": "\v", "\\f": "\f", "\\r": "\r"}
"""What stands in a text for what (cql2-text, escaping). Other pairs stay: LIKE knows \\% and \\_."""
SPATIAL = (
    "s_intersects",
    "s_disjoint",
    "s_contains",
    "s_within",
    "s_touches",
    "s_crosses",
    "s_overlaps",
    "s_equals",
)
Tree = Any
"""JSON: dict with op and args, with property, with type and coordinates, with bbox, date or timestamp; str,
number, bool; list of these inside `in`."""

_TOO_DEEP = N_("Der Filter ist tiefer als %(most)s Stufen geschachtelt.")
_GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction (_OR conjunction)*
?conjunction: negation (_AND negation)*
?negation: _NOT negation -> not_
    | predicate
?predicate: "(" disjunction ")"
    | BOOLEAN -> boolean
    | scalar OPERATOR scalar -> compare
    | scalar _LIKE scalar -> like
    | scalar _NOT _LIKE scalar -> not_like
    | scalar _BETWEEN scalar _AND scalar -> between
    | scalar _NOT _BETWEEN scalar _AND scalar -> not_between
    | scalar _IN "(" scalar ("," scalar)* ")" -> in_
    | scalar _NOT _IN "(" scalar ("," scalar)* ")" -> not_in
    | scalar _IS _NULL -> null
    | scalar _IS _NOT _NULL -> not_null
    | SPATIAL "(" geometry "," geometry ")" -> spatial
?scalar: NUMBER -> number
    | STRING -> string
    | BOOLEAN -> boolean
    | property
    | _CASEI "(" scalar ")" -> casei
    | _DATE "(" STRING ")" -> date
    | _TIMESTAMP "(" STRING ")" -> timestamp
property: NAME | QUOTED
?geometry: property
    | wkt
    | _BBOX "(" NUMBER ("," NUMBER)+ ")" -> bbox
?wkt: _POINT _Z? single -> point
    | _LINESTRING _Z? positions -> linestring
    | _POLYGON _Z? rings -> polygon
    | _MULTIPOINT _Z? positions -> multipoint
    | _MULTIPOINT _Z? "(" single ("," single)* ")" -> multipoint_of
    | _MULTILINESTRING _Z? rings -> multilinestring
    | _MULTIPOLYGON _Z? "(" rings ("," rings)* ")" -> multipolygon
    | _GEOMETRYCOLLECTION _Z? "(" wkt ("," wkt)* ")" -> collection
single: "(" position ")"
position: NUMBER NUMBER NUMBER?
positions: "(" position ("," position)* ")"
rings: "(" positions ("," positions)* ")"

OPERATOR: "<>" | "<=" | ">=" | "=" | "<" | ">"
NUMBER: /[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?/
STRING: /'([^'\\]|''|\\[\s\S])*'/
QUOTED: /"([^"]|"")+"/
NAME: /[:A-Z_a-z\u00c0-\uffff][:A-Z_a-z\u00c0-\uffff0-9.]*/
BOOLEAN.2: /(TRUE|FALSE)(?![:\w.])/i
_AND.2: /AND(?![:\w.])/i
_OR.2: /OR(?![:\w.])/i
_NOT.2: /NOT(?![:\w.])/i
_LIKE.2: /LIKE(?![:\w.])/i
_BETWEEN.2: /BETWEEN(?![:\w.])/i
_IN.2: /IN(?![:\w.])/i
_IS.2: /IS(?![:\w.])/i
_NULL.2: /NULL(?![:\w.])/i
_Z.2: /Z(?=\s*\()/i
SPATIAL.3: /S_[A-Z]+(?=\s*\()/i
_CASEI.3: /CASEI(?=\s*\()/i
_DATE.3: /DATE(?=\s*\()/i
_TIMESTAMP.3: /TIMESTAMP(?=\s*\()/i
_BBOX.3: /BBOX(?=\s*\()/i
_POINT.3: /POINT(?=\s*(Z\s*)?\()/i
_LINESTRING.3: /LINESTRING(?=\s*(Z\s*)?\()/i
_POLYGON.3: /POLYGON(?=\s*(Z\s*)?\()/i
_MULTIPOINT.3: /MULTIPOINT(?=\s*(Z\s*)?\()/i
_MULTILINESTRING.3: /MULTILINESTRING(?=\s*(Z\s*)?\()/i
_MULTIPOLYGON.3: /MULTIPOLYGON(?=\s*(Z\s*)?\()/i
_GEOMETRYCOLLECTION.3: /GEOMETRYCOLLECTION(?=\s*(Z\s*)?\()/i
%ignore /\s+/
"""


def parse(text: str, language: str) -> Tree:
    """Raises ParameterError that says where the text stops being CQL2."""
    if len(text) > MOST_CHARACTERS:
        raise _refused(N_("Der Filter ist länger als %(most)s Zeichen."), most=MOST_CHARACTERS)
    if language != "cql2-json":
        _check_brackets(text)
    tree = _from_json(text) if language == "cql2-json" else _from_text(text)
    _check(tree)
    return tree


def _from_json(text: str) -> Tree:
    def refuse(constant: str) -> None:
        raise _refused(N_("%(constant)s ist keine Zahl."), constant=constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise _refused(_TOO_DEEP, most=MOST_DEPTH) from None
    except ValueError as error:
        at = error.pos + 1 if isinstance(error, json.JSONDecodeError) else 1
        raise _refused(N_("Der Filter ist an Stelle %(at)s kein JSON."), at=at) from None


def _from_text(text: str) -> Tree:
    from lark.exceptions import UnexpectedInput

    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        at = error.pos_in_stream
        if at is not None and 0 <= at < len(text.rstrip()):
            raise _refused(N_("Der Filter ist an Stelle %(at)s kein CQL2-Text."), at=at + 1) from None
        raise _refused(N_("Der Filter ist am Ende kein CQL2-Text.")) from None


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[0], found[0])


def _check_brackets(text: str) -> None:
    """Depth of the brackets that the tree does not show, because they hold one thing alone."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth > MOST_DEPTH:
            raise _refused(_TOO_DEEP, most=MOST_DEPTH)


def _check(tree: Tree) -> None:
    """Depth, and numbers and texts that no database takes."""
    level = [tree]
    for _ in range(MOST_DEPTH):
        following: list[Tree] = []
        for node in level:
            if isinstance(node, dict):
                following += node.values()
            elif isinstance(node, list):
                following += node
            elif isinstance(node, str) and not _is_text(node):
                raise _refused(N_("Ein Text im Filter hat unerlaubte Zeichen."))
            elif isinstance(node, int | float) and not (math.isfinite(node) and abs(node) < 1e18):
                raise _refused(N_("Eine Zahl im Filter ist zu groß."))
        if not following:
            return
        level = following
    raise _refused(_TOO_DEEP, most=MOST_DEPTH)


def _is_text(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _refused(message: str, **words: Any) -> ParameterError:
    return ParameterError(
        message,
        words=words,
        parameter="filter",
        allowed=["cql2-text, zum Beispiel services_online >= 10 AND state = 'Bayern'", "cql2-json"],
    )


@cache
def _parser() -> Lark:
    # Here and not at the top: it takes a tenth of a second, which only those pay who filter.
    from lark import Lark, Token, Transformer, v_args

    def op(name: str, *args: Tree) -> Tree:
        return {"op": name, "args": list(args)}

    def wkt(kind: str, coordinates: Tree) -> Tree:
        return {"type": kind, "coordinates": coordinates}

    @v_args(inline=True)
    class Reader(Transformer[Token, Tree]):
        """Makes the JSON form while the parser reads; methods are named after the rules."""

        def disjunction(self, *args: Tree) -> Tree:
            return op("or", *args)

        def conjunction(self, *args: Tree) -> Tree:
            return op("and", *args)

        def not_(self, of: Tree) -> Tree:
            return op("not", of)

        def boolean(self, token: str) -> Tree:
            return token.lower() == "true"

        def compare(self, left: Tree, operator: str, right: Tree) -> Tree:
            return op(str(operator), left, right)

        def like(self, left: Tree, right: Tree) -> Tree:
            return op("like", left, right)

        def not_like(self, left: Tree, right: Tree) -> Tree:
            return op("not", op("like", left, right))

        def between(self, *args: Tree) -> Tree:
            return op("between", *args)

        def not_between(self, *args: Tree) -> Tree:
            return op("not", op("between", *args))

        def in_(self, left: Tree, *options: Tree) -> Tree:
            return op("in", left, list(options))

        def not_in(self, left: Tree, *options: Tree) -> Tree:
            return op("not", op("in", left, list(options)))

        def null(self, of: Tree) -> Tree:
            return op("isNull", of)

        def not_null(self, of: Tree) -> Tree:
            return op("not", op("isNull", of))

        def spatial(self, name: str, left: Tree, right: Tree) -> Tree:
            return op(name.lower(), left, right)

        def number(self, token: Tree) -> Tree:
            return token

        def string(self, token: Tree) -> Tree:
            return token

        def casei(self, of: Tree) -> Tree:
            return op("casei", of)

        def date(self, text: str) -> Tree:
            return {"date": text}

        def timestamp(self, text: str) -> Tree:
            return {"timestamp": text}

        def property(self, name: str) -> Tree:
            return {"property": str(name)}

        def bbox(self, *numbers: Tree) -> Tree:
            return {"bbox": list(numbers)}

        def position(self, *numbers: Tree) -> Tree:
            return list(numbers)

        single = v_args(inline=True)(lambda self, position: position)

        def positions(self, *positions: Tree) -> Tree:
            return list(positions)

        rings = positions

        def point(self, position: Tree) -> Tree:
            return wkt("Point", position)

        def linestring(self, positions: Tree) -> Tree:
            return wkt("LineString", positions)

        def polygon(self, rings: Tree) -> Tree:
            return wkt("Polygon", rings)

        def multipoint(self, positions: Tree) -> Tree:
            return wkt("MultiPoint", positions)

        def multipoint_of(self, *positions: Tree) -> Tree:
            return wkt("MultiPoint", list(positions))

        def multilinestring(self, lines: Tree) -> Tree:
            return wkt("MultiLineString", lines)

        def multipolygon(self, *polygons: Tree) -> Tree:
            return wkt("MultiPolygon", list(polygons))

        def collection(self, *parts: Tree) -> Tree:
            return {"type": "GeometryCollection", "geometries": list(parts)}

        def NUMBER(self, token: str) -> Tree:
            return int(token) if token.lstrip("+-").isdigit() and len(token) < 20 else float(token)

        def STRING(self, token: str) -> Tree:
            return _ESCAPE.sub(_unescaped, token[1:-1])

        def QUOTED(self, token: str) -> Tree:
            return token[1:-1].replace('""', '"')

    return Lark(_GRAMMAR, parser="lalr", transformer=Reader(), maybe_placeholders=False)
