"""Request parameters -> frozen query objects, or a ParameterError that names parameter and remedy."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from mapservice.domain import (
    SUBJECT_AREAS,
    Level,
    MaturityModel,
    Measure,
    Scope,
    SolutionKind,
    Status,
    is_leika_key,
    is_ozg_id,
    is_region_key,
)
from mapservice.errors import ConflictError, NotFoundError, ParameterError
from mapservice.layers import crs
from mapservice.layers.crs import Box
from mapservice.layers.query import (
    DEFAULT_CLASSES,
    DETAILS,
    LEAST_CLASSES,
    MOST_CLASSES,
    Classing,
    Maturity,
    Method,
    Query,
)

Arguments = MultiDict[str, str]
Choice = TypeVar("Choice")

FILTERS = (
    *("subject", "situation", "service", "status", "measure", "scope", "within"),
    *("kind", "maturity", "confirmed", "stand"),
    *("method", "classes", "breaks"),
)
"""The parameters of every filtered endpoint and page; the last three choose classes."""
ENTRY_FILTERS = (
    *("subject", "situation", "service", "status", "within"),
    *("kind", "maturity", "confirmed", "stand"),
)
"""Those of them that choose entries one by one."""
_SINGLE = ("measure", "scope", "maturity", "confirmed", "stand", "method", "classes", "breaks")
LANGUAGE = "lang"
COLUMNS = "columns"
LIMIT_DEFAULT, LIMIT_MOST = 100, 1000
DETAIL_DEFAULT = 300
SUGGESTIONS, SUGGESTIONS_MOST = 8, 50
_MOST_VALUES = 200
_LONGEST_CURSOR = 60
_SLUGS = {slug: slug for slug, _ in SUBJECT_AREAS}
MATURITIES = tuple(Maturity(model, step) for model in MaturityModel for step in range(model.highest + 1))
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AHEAD = dt.timedelta(hours=2)
"""German summer time. In winter a day may begin an hour early, which refuses nobody's today."""
_OWN_SERVICE = re.compile(r"(eigen|ohne-leika):[^\x00-\x1f\x7f]{1,200}")
_DIGITS = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(
    r"\s*[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?\s*", re.ASCII
)
_LIMIT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?"
)
"""RFC 3339, section 5.6, and dates alone."""


def parse_level(name: str) -> Level:
    """The level of an address; raises NotFoundError."""
    level = Level.from_plural(name)
    if level is None:
        known = ", ".join(level.plural for level in Level)
        raise NotFoundError(
            _("Die Ebene %(name)s gibt es nicht. Vorhanden: %(known)s.", name=_quoted(name), known=known),
            parameter="level",
        )
    return level


def parse_query(arguments: Arguments, level: Level) -> Query:
    """The filters of a request. Other parameters are the caller's: see allow_only()."""
    if not any(name in arguments for name in FILTERS):
        return Query(level)
    measure = _choice(arguments, "measure", {item.value: item for item in Measure}, Measure.COUNT)
    scope = _choice(arguments, "scope", {item.code: item for item in Scope}, Scope.OWN)
    statuses = {status.code: status for status in Status}
    wanted = sorted({_one_of("status", text, statuses) for text in _values(arguments, "status")})
    situations = {_number("situation", text, 1, 10**9) for text in _values(arguments, "situation")}
    kinds = {kind.code: kind for kind in SolutionKind}
    return Query(
        level=level,
        subjects=_sorted(_one_of("subject", text, _SLUGS) for text in _values(arguments, "subject")),
        situations=tuple(sorted(situations)),
        services=_sorted(_service_key(text) for text in _values(arguments, "service")),
        statuses=tuple(wanted) or (Status.ONLINE,),
        measure=measure,
        scope=scope,
        within=_sorted(_region_key(text) for text in _values(arguments, "within")),
        classing=parse_classing(arguments),
        kinds=tuple(sorted({_one_of("kind", text, kinds) for text in _values(arguments, "kind")})),
        maturity=_choice(arguments, "maturity", {item.code: item for item in MATURITIES}, None),
        confirmed=_past_day(arguments, "confirmed"),
        stand=_past_day(arguments, "stand"),
    )


def parse_classing(arguments: Arguments) -> Classing:
    """Method, number and limits of the classes. `breaks` alone means limits of one's own; `classes` says
    nothing to fixed limits and to one's own.
    """
    text = arguments.get("breaks")
    methods = {method.value: method for method in Method}
    method = _choice(arguments, "method", methods, Method.FIXED if text is None else Method.OWN)
    numbers = {str(number): number for number in range(LEAST_CLASSES, MOST_CLASSES + 1)}
    count = _choice(arguments, "classes", numbers, DEFAULT_CLASSES)
    if method is Method.OWN:
        return Classing(method, breaks=_breaks(text or ""))
    if text is not None:
        raise ParameterError(
            _("Eigene Klassengrenzen (breaks) gibt es nur mit method=own."),
            parameter="breaks",
            allowed=["method=own&breaks=5,10,50"],
        )
    return Classing(method) if method is Method.FIXED else Classing(method, count)


def _breaks(text: str) -> tuple[Fraction, ...]:
    """Limits as a person types them: with commas between, or with semicolons and decimal commas."""
    semicolons = ";" in text
    parts = [part.strip() for part in text.split(";" if semicolons else ",")]
    if semicolons:
        parts = [part.replace(",", ".") for part in parts]
    example = ["zum Beispiel 5,10,50", "mit Nachkommastellen: 2.5,10 oder 2,5; 10"]
    if not text.strip():
        raise ParameterError("Die eigenen Klassengrenzen fehlen.", parameter="breaks", allowed=example)
    for part in parts:
        if not _LIMIT.fullmatch(part):
            raise ParameterError(
                _("%(value)s ist keine Klassengrenze.", value=_quoted(part)),
                parameter="breaks",
                allowed=example,
            )
    limits = [Fraction(part) for part in parts]
    # Where the lowest class begins is no limit between two.
    if limits[0] == 0:
        del limits[0]
    if any(low >= high for low, high in pairwise(limits)):
        raise ParameterError(
            _("Die Klassengrenzen müssen von der kleinsten zur größten aufsteigen."),
            parameter="breaks",
            allowed=example,
        )
    if not 1 <= len(limits) < MOST_CLASSES:
        raise ParameterError(
            _("Möglich sind 1 bis %(most)s Klassengrenzen über 0.", most=MOST_CLASSES - 1),
            parameter="breaks",
            allowed=example,
        )
    return tuple(limits)


def allow_only(arguments: Arguments, allowed: Collection[str], *, single: Collection[str] = ()) -> None:
    """Refuse unknown parameters, and repeated ones that take a single value."""
    for name in arguments:
        if name not in allowed:
            raise ParameterError(
                _("Den Parameter %(name)s gibt es hier nicht.", name=_quoted(name)),
                parameter=name[:100],
                allowed=sorted(allowed),
            )
    for name in (*_SINGLE, *single):
        if len(arguments.getlist(name)) > 1:
            raise ParameterError(_("%(name)s darf nur einmal angegeben werden.", name=name), parameter=name)


def parse_detail(arguments: Arguments) -> int:
    """Generalisation in metres."""
    return _choice(arguments, "detail", {str(detail): detail for detail in DETAILS}, DETAIL_DEFAULT)


def parse_format(arguments: Arguments, allowed: Collection[str], default: str) -> str:
    return _choice(arguments, "format", {name: name for name in allowed}, default)


def parse_columns(arguments: Arguments) -> bool:
    """Whether features have the numbers by subject area too: columns=subjects."""
    return _choice(arguments, COLUMNS, {"subjects": True}, False)


def parse_choice(arguments: Arguments, name: str, allowed: Sequence[str]) -> str:
    """One of these words; the first without the parameter."""
    return _choice(arguments, name, {word: word for word in allowed}, allowed[0])


def parse_limit(arguments: Arguments) -> int:
    """Rows of a page, at least 1; a larger number than LIMIT_MOST is served up to it, with a next link."""
    text = arguments.get("limit")
    if text is None:
        return LIMIT_DEFAULT
    return min(_number("limit", text, 1, 10**9), LIMIT_MOST)


def parse_search(arguments: Arguments) -> tuple[int, str]:
    """How many suggestions of each type, and the type: places, services or (default) all."""
    text = arguments.get("limit")
    limit = SUGGESTIONS if text is None else min(_number("limit", text, 1, 10**9), SUGGESTIONS_MOST)
    kinds = {name: name for name in ("places", "services", "all")}
    return limit, _choice(arguments, "type", kinds, "all")


def parse_width(arguments: Arguments, default: int, least: int, most: int) -> int:
    """Pixels of a picture."""
    text = arguments.get("width")
    if text is None:
        return default
    if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
        raise ParameterError(
            _("width=%(value)s ist keine Breite für ein Bild.", value=_quoted(text)),
            parameter="width",
            allowed=[_("%(least)s bis %(most)s Pixel", least=least, most=most)],
        )
    return int(text)


def parse_paper(arguments: Arguments) -> tuple[str, str]:
    """Size and orientation of a paper."""
    sizes, orientations = ("a4", "a3"), ("portrait", "landscape")
    return (
        _choice(arguments, "paper", {name: name for name in sizes}, sizes[0]),
        _choice(arguments, "orientation", {name: name for name in orientations}, orientations[0]),
    )


def parse_offset(arguments: Arguments) -> int:
    text = arguments.get("offset")
    return 0 if text is None else _number("offset", text, 0, 10**7)


def parse_crs(arguments: Arguments, name: str = "crs", *, short: bool = False) -> crs.Crs:
    """A reference system by its OGC URI. short: also as EPSG:25832, where EPSG:4326 has longitude first, as
    GeoJSON of 2008 and its readers have it.
    """
    choices = {known.uri: known for known in crs.ALL}
    if short:
        choices |= {known.code: known for known in crs.ALL if not known.flipped}
    return _choice(arguments, name, choices, crs.CRS84)


def parse_bbox(arguments: Arguments) -> tuple[Box, ...]:
    """Two corners in the axis order of `bbox-crs` (default CRS84). Two boxes across the antimeridian."""
    system = parse_crs(arguments, "bbox-crs")
    text = arguments.get("bbox")
    if text is None:
        return ()
    wrong = ParameterError(
        _("bbox=%(value)s ist kein Rechteck.", value=_quoted(text)),
        parameter="bbox",
        allowed=[_box_example(system.srid)],
    )
    parts = text.split(",")
    if len(parts) not in (4, 6) or not all(_DECIMAL.fullmatch(part) for part in parts):
        raise wrong
    numbers = [float(part) for part in parts]
    if len(numbers) == 6:  # OGC API - Features: heights are allowed, and ours is a plane
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    west, south, east, north = numbers
    if system.flipped:
        west, south, east, north = south, west, north, east
    if not all(math.isfinite(number) for number in numbers) or south > north:
        raise wrong
    least_x, least_y, most_x, most_y = system.world
    if not system.geographic:
        if west > east:
            raise wrong
        # What lies beyond cannot be transformed, and holds no area of ours.
        x = [min(max(number, least_x), most_x) for number in (west, east)]
        y = [min(max(number, least_y), most_y) for number in (south, north)]
        return (Box(x[0], y[0], x[1], y[1], system),)
    if not all(least_x <= number <= most_x for number in (west, east)):
        raise wrong
    if not all(least_y <= number <= most_y for number in (south, north)):
        raise wrong
    if west > east:
        return (Box(west, south, most_x, north, system), Box(least_x, south, east, north, system))
    return (Box(west, south, east, north, system),)


def _box_example(srid: int) -> str:
    if srid == 4326:
        return _(
            "Ecke unten links, Ecke oben rechts in der Achsfolge von bbox-crs, zum Beispiel 7.3,51.7,8.1,52.1"
        )
    example = {
        3857: "810000,6740000,900000,6820000",
        25832: "380000,5730000,440000,5780000",
        25833: "370000,5800000,410000,5840000",
    }[srid]
    return _("west,süd,ost,nord in Metern, zum Beispiel %(example)s", example=example)


def check_datetime(arguments: Arguments) -> None:
    """Part 1, fc-time-definition: a moment or an interval. It filters nothing, as areas have no time of their
    own, and features without one always match.
    """
    text = arguments.get("datetime")
    if text is None:
        return
    ends = text.split("/")
    open_ends = ("", "..")
    try:
        given = [dt.datetime.fromisoformat(end.upper()) for end in ends if end not in open_ends]
    except ValueError:
        given = []
    well_formed = all(end in open_ends or _MOMENT.fullmatch(end) for end in ends)
    if len(ends) > 2 or not given or not well_formed:
        raise ParameterError(
            _("datetime=%(value)s ist weder Zeitpunkt noch Zeitraum.", value=_quoted(text)),
            parameter="datetime",
            allowed=["2026-11-23T10:00:00Z", "2026-01-01T00:00:00Z/..", "2026-01-01/2026-12-31"],
        )


def make_cursor(release_id: int, ordinal: int) -> str:
    """An opaque mark: the next page starts after this area of this release."""
    return base64.urlsafe_b64encode(json.dumps([release_id, ordinal]).encode()).decode().rstrip("=")


def parse_cursor(arguments: Arguments, release_id: int) -> int | None:
    """The ordinal after which the page starts. ConflictError if it is of another boundary release."""
    text = arguments.get("cursor")
    if text is None:
        return None
    made_for = ordinal = None
    if len(text) <= _LONGEST_CURSOR:
        with suppress(binascii.Error, ValueError, TypeError):
            made_for, ordinal = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not (isinstance(made_for, int) and isinstance(ordinal, int)) or not 0 <= ordinal < 10**9:
        raise ParameterError(
            _("cursor ist unbrauchbar. Verwenden Sie den next-Verweis einer Antwort unverändert."),
            parameter="cursor",
        )
    if made_for != release_id:
        raise ConflictError(
            _("Der Gebietsstand hat sich geändert. Beginnen Sie ohne cursor von vorn."), parameter="cursor"
        )
    return ordinal


def _values(arguments: Arguments, name: str) -> list[str]:
    values = arguments.getlist(name)
    if len(values) > _MOST_VALUES:
        raise ParameterError(
            _("Höchstens %(most)s Werte für %(name)s.", most=_MOST_VALUES, name=name), parameter=name
        )
    return values


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def today() -> dt.date:
    """The day in Germany: a server's own clock may be hours behind that of its visitors."""
    return (dt.datetime.now(dt.UTC) + _AHEAD).date()


def _past_day(arguments: Arguments, name: str) -> dt.date | None:
    text = arguments.get(name)
    if text is None:
        return None
    latest = today()
    found = None
    if _DAY.fullmatch(text):
        with suppress(ValueError):
            found = dt.date.fromisoformat(text)
    if found is None:
        raise ParameterError(
            _("%(name)s=%(value)s ist kein Tag.", name=name, value=_quoted(text)),
            parameter=name,
            allowed=[_("Jahr-Monat-Tag, zum Beispiel %(day)s", day=latest.replace(day=1).isoformat())],
        )
    if found > latest:
        raise ParameterError(
            _("%(name)s=%(value)s liegt in der Zukunft.", name=name, value=_quoted(text)),
            parameter=name,
            allowed=[_("bis %(day)s", day=latest.isoformat())],
        )
    return found


def _choice(arguments: Arguments, name: str, choices: Mapping[str, Choice], default: Choice) -> Choice:
    text = arguments.get(name)
    return default if text is None else _one_of(name, text, choices)


def _one_of(name: str, text: str, choices: Mapping[str, Choice]) -> Choice:
    if text not in choices:
        raise ParameterError(
            _("%(name)s=%(value)s gibt es nicht.", name=name, value=_quoted(text)),
            parameter=name,
            allowed=[str(choice) for choice in choices],
        )
    return choices[text]


def _number(name: str, text: str, least: int, most: int) -> int:
    if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
        raise ParameterError(
            _(
                "%(name)s=%(value)s ist keine ganze Zahl ab %(least)s.",
                name=name,
                value=_quoted(text),
                least=least,
            ),
            parameter=name,
            allowed=[_("ab %(least)s", least=least)],
        )
    return int(text)


def _service_key(text: str) -> str:
    key = text.replace(" ", "") if text[:1].isdigit() else text
    if is_ozg_id(key) or is_leika_key(key) or _OWN_SERVICE.fullmatch(key):
        return key
    raise ParameterError(
        _("service=%(value)s ist kein Leistungsschlüssel.", value=_quoted(text)),
        parameter="service",
        allowed=[
            _("OZG-ID (10000 bis 10999)"),
            _("LeiKa-Schlüssel (14 Ziffern, beginnend mit 99)"),
            "eigen:…",
        ],
    )


def _region_key(text: str) -> str:
    if is_region_key(text):
        return text
    raise ParameterError(
        _("within=%(value)s ist kein Gebietsschlüssel.", value=_quoted(text)),
        parameter="within",
        allowed=[_("2, 3, 5, 9 oder 12 Ziffern, zum Beispiel 05 oder 05570")],
    )


def _quoted(text: str) -> str:
    """What the user sent, short and without control characters; escaping is the writer's job."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:60])
    return f"„{shown}{'…' if len(text) > 60 else ''}“"
