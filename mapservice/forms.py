"""The filter form of map and table: what was chosen, and what there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from mapservice import day_fields, entry_filters, listings, past_days
from mapservice.domain import SUBJECT_AREAS, Level, Measure, Scope, Status
from mapservice.i18n import language
from mapservice.layers.query import (
    DEFAULT_CLASSES,
    LEAST_CLASSES,
    MOST_CLASSES,
    SINGLE_SERVICE_MEASURES,
    Method,
)
from mapservice.service import service
from mapservice.titles import status_name, subject_name

PAGE_PARAMETERS = ("lang", "area", "q", "sort", "page", "as_table", "width", "height", "class", "picture")
"""Parameters of pages that change no value. `class`: classes of the legend that were picked out."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FilterForm:
    """The choice in a request, as text; what it leaves out is as on the start map."""

    level: str
    subject: tuple[str, ...]
    service_text: str
    status: tuple[str, ...]
    measure: str
    scope: str
    region: str
    method: str
    classes: str
    breaks: str
    entries: entry_filters.EntryForm
    stand: past_days.DayForm
    kept: Pairs
    """Name and value of filters that the form has no field for; it carries them along hidden."""

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> FilterForm:
        offered = {
            key for state in _regions() for key in (state.key, *(item.key for item in state.districts))
        }
        within = [key for key in args.getlist("within") if key]
        region = within[0] if within and within[0] in offered else ""
        kept = entry_filters.not_offered(args)
        kept += [("service", value) for value in args.getlist("service")[1:] if value]
        kept += [("within", value) for value in within[1 if region else 0 :]]
        return cls(
            level=args.get("level") or Level.DISTRICT.plural,
            subject=tuple(args.getlist("subject")),
            service_text=args.get("service", ""),
            status=tuple(args.getlist("status")) or (Status.ONLINE.code,),
            measure=args.get("measure") or Measure.COUNT.value,
            scope=args.get("scope") or Scope.OWN.code,
            region=region,
            method=args.get("method") or (Method.OWN if args.get("breaks") else Method.FIXED).value,
            classes=args.get("classes") or str(DEFAULT_CLASSES),
            breaks=args.get("breaks", ""),
            entries=entry_filters.EntryForm.of(args),
            stand=past_days.DayForm.of(args),
            kept=tuple(kept),
        )


@dataclass(frozen=True)
class Choices:
    """What the form offers, as pairs of value and label."""

    levels: Pairs
    subjects: Pairs
    measures: Pairs
    statuses: Pairs
    scopes: Pairs
    regions: tuple[listings.State, ...]
    methods: Pairs
    numbers: tuple[str, ...]
    entries: entry_filters.EntryChoices
    days: past_days.DayChoices


def filter_arguments(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """The filters alone. A form sends its empty fields too, those choose nothing; and where it could not
    suggest services, a name may stand in place of a key.
    """
    # A form sends what stands in its field, whatever method was chosen.
    idle = () if args.get("method", Method.OWN.value) == Method.OWN.value else ("breaks",)
    return MultiDict(
        (name, _service_key(value.strip()) if name == "service" else value.strip())
        for name, value in _days_as_in_addresses(args).items(multi=True)
        if value.strip() and name not in PAGE_PARAMETERS and name not in idle
    )


def _days_as_in_addresses(args: MultiDict[str, str]) -> MultiDict[str, str]:
    return day_fields.as_in_addresses(entry_filters.as_in_addresses(args), past_days.NAME)


def _service_key(text: str) -> str:
    if text[:1].isdigit() or ":" in text:
        return text
    wanted = text.casefold()
    known = service().kept(("services", language()), listings.services)
    return next((entry["key"] for entry in known if entry["label"].casefold() == wanted), text)


def level_names() -> dict[Level, str]:
    return {
        Level.STATE: _("Länder"),
        Level.DISTRICT: _("Kreise"),
        Level.ASSOCIATION: _("Verbände"),
        Level.MUNICIPALITY: _("Gemeinden"),
    }


def choices() -> Choices:
    return Choices(
        levels=tuple((level.plural, name) for level, name in level_names().items()),
        subjects=tuple((slug, subject_name(name) or name) for slug, name in SUBJECT_AREAS),
        measures=(
            (Measure.COUNT.value, _("Zahl der Leistungen")),
            (Measure.SHARE.value, _("Anteil der Leistungen")),
            (Measure.STATUS.value, _("Status einer Leistung")),
            (Measure.SPREAD.value, _("Anteil der Gemeinden mit einer Leistung")),
        ),
        statuses=tuple(
            (status.code, status_name(status)) for status in Status if status is not Status.NOT_RESPONSIBLE
        ),
        scopes=(
            (Scope.OWN.code, _("Eigene der Behörde selbst")),
            (Scope.AVAILABLE.code, _("Alle vor Ort verfügbaren, auch von Kreis, Land und Bund")),
        ),
        regions=_regions(),
        methods=(
            (Method.FIXED.value, _("feste Grenzen")),
            (Method.EQUAL.value, _("gleich breit")),
            (Method.QUANTILE.value, _("gleich viele Gebiete")),
            (Method.NATURAL.value, _("natürliche Brüche")),
            (Method.OWN.value, _("eigene Grenzen")),
        ),
        numbers=tuple(str(number) for number in range(LEAST_CLASSES, MOST_CLASSES + 1)),
        entries=entry_filters.choices(),
        days=past_days.choices(),
    )


def _regions() -> tuple[listings.State, ...]:
    return service().kept("regions", listings.regions)


@dataclass(frozen=True)
class Chip:
    """A filter that is set, in words, and the arguments of the address without it."""

    label: str
    arguments: dict[str, list[str]]


def chips(args: MultiDict[str, str]) -> list[Chip]:
    """What differs from the start map, in the order of the form; the level is no filter."""
    names: dict[str, dict[str, str]] = {
        "within": {
            key: name
            for state in _regions()
            for key, name in ((state.key, state.name), *((item.key, item.label) for item in state.districts))
        },
        "service": {
            entry["key"]: entry["label"]
            for entry in service().kept(("services", language()), listings.services)
        },
        "subject": {slug: subject_name(name) or name for slug, name in SUBJECT_AREAS},
        "situation": service().kept("situations", listings.situations),
        "measure": dict(choices().measures),
        "scope": {Scope.AVAILABLE.code: _("vor Ort verfügbar")},
        **entry_filters.names(args),
        past_days.NAME: past_days.names(args),
    }
    unset = {"measure": Measure.COUNT.value, "scope": Scope.OWN.code}
    made = []
    for name, known in names.items():
        for value in args.getlist(name):
            if value == unset.get(name):
                continue
            others = [item for item in args.getlist(name) if item != value]
            without = {key: values for key, values in args.lists() if key != name}
            if others:
                without[name] = others
            if name == "service" and args.get("measure") in SINGLE_SERVICE_MEASURES:
                del without["measure"]
            made.append(Chip(known.get(value, value), without))
    status = args.getlist("status")
    if status and status != [Status.ONLINE.code]:
        label = _("Status: %(names)s", names=", ".join(status_name(Status[code.upper()]) for code in status))
        made.append(Chip(label, {key: values for key, values in args.lists() if key != "status"}))
    return made
