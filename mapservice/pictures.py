"""What the map shows as a picture: /karte.png and /karte.svg, with the filters of the page.

Drawn in a process of its own (drawing/), from the same rows and classes as map and table.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, current_app, request
from flask_babel import gettext as _
from sqlalchemy import Connection, Row
from werkzeug.datastructures import MultiDict

from mapservice import about, features, forms, i18n, params, results, tables, titles
from mapservice.database import Version
from mapservice.domain import Level, Reason, is_region_key, pad_ars
from mapservice.downloads import as_file
from mapservice.drawing.picture import Area, Border, Entry, Job, Name, Picture
from mapservice.drawing.workshop import CrowdedError, MissingError, TooSlowError, Workshop, WorkshopError
from mapservice.errors import MapServiceError, NotFoundError, ParameterError, UnavailableError
from mapservice.layers import areas, legends, shapes
from mapservice.layers.areas import Page
from mapservice.layers.classes import ValueClass
from mapservice.layers.crs import Box
from mapservice.layers.query import Query
from mapservice.layers.selection import Selection, resolve
from mapservice.responses import Payload, versioned
from mapservice.service import service

blueprint = Blueprint("pictures", __name__)
PNG, SVG = "image/png", "image/svg+xml"
WIDTH_DEFAULT, WIDTH_LEAST, WIDTH_MOST = 1200, 400, 3000
OWN_PARAMETERS = ("level", "area", "width")
MANY_PARAMETERS = ("class",)
_MOST_NAMED = 80
"""Areas that are named themselves; of more, the areas above are named."""
_METRES_OF_A_DEGREE = 111_320
_EXTENSION = "mapservice-workshop"


@dataclass(frozen=True)
class Shown:
    """What a request shows, for a picture and what stands around it."""

    query: Query
    selection: Selection
    rows: Sequence[Row[Any]]
    picture: Picture
    release: Row[Any]
    version: Version


@blueprint.get("/karte.png")
@versioned
def as_png(connection: Connection, version: Version) -> Payload:
    """Pixels, for slides, mails and the page without scripts."""
    return _picture(connection, version, "png", PNG)


@blueprint.get("/karte.svg")
@versioned
def as_svg(connection: Connection, version: Version) -> Payload:
    """Lines and text that can be worked on; each area has an id and a title."""
    return _picture(connection, version, "svg", SVG)


def _picture(connection: Connection, version: Version, form: str, media_type: str) -> Payload:
    params.allow_only(
        request.args,
        (*params.FILTERS, *OWN_PARAMETERS, *MANY_PARAMETERS, params.LANGUAGE),
        single=OWN_PARAMETERS,
    )
    width = params.parse_width(request.args, WIDTH_DEFAULT, WIDTH_LEAST, WIDTH_MOST)
    shown = collect(connection, version, width)
    return Payload(
        media_type=media_type,
        headers=(as_file(shown.query, form, inline=True),),
        later=lambda: drawn(Job(form, shown.picture)),
        packed=form == "png",
    )


def filters() -> MultiDict[str, str]:
    """The filters of the request, without what only a picture or paper has."""
    args = forms.filter_arguments(request.args)
    for name in ("width", "paper", "orientation"):
        args.poplist(name)
    return args


def collect(connection: Connection, version: Version, width: int, *, sort: str = "name") -> Shown:
    """The rows of a request and the picture of them. Raises NotFoundError where there is no area."""
    args = filters()
    query = params.parse_query(args, params.parse_level(args.get("level", Level.DISTRICT.plural)))
    marked = _marked(request.args.get("area", ""))
    selection = resolve(connection, query)
    audience = service().audience
    box = shapes.extent_of(connection, query.level, selection)
    if box is None:
        raise NotFoundError(
            _("Auf dieser Ebene gibt es in der gewählten Region keine Gebiete."), parameter="within"
        )
    order = tables.page_of(sort, 1)
    page = Page(order=order.order, descending=order.descending)
    found = areas.rows(connection, query, selection, audience, page=page)
    n, of = areas.values_as_array(connection, query, selection, audience)
    detail = detail_of(box, width)
    outlines = {
        key: bytes(shape) for key, shape in shapes.shapes_of(connection, query.level, selection, detail)
    }
    around = _around(box)
    release = about.current_release(connection)
    among = legends.classes(connection, query, selection, audience, (n, of))
    picked = _picked(among)
    values = [features.value_of(query, row, among) for row in found]
    legend = _legend(among, Counter(value.code for value in values))
    entry_of = {entry.code: number for number, entry in enumerate(legend)}
    picture = Picture(
        language=i18n.language(),
        title=titles.title(query, selection),
        sentence=results.sentence(query, selection, n, of),
        legend_title=_("Legende, mit Zahl der Gebiete"),
        legend=legend,
        areas=tuple(
            Area(row.key, row.name, value.label, outlines[row.key], entry_of[value.code])
            for row, value in zip(found, values, strict=True)
            if row.key in outlines and (not picked or value.code in picked)
        ),
        ground=tuple(bytes(s) for s in shapes.shapes_around(connection, Level.STATE, around, detail)),
        borders=borders_in(connection, query.level, around, detail),
        names=_names(connection, query, selection, len(found)),
        warnings=warnings(version),
        notes=_notes(release, version),
        marked=next((row.key for row in found if row.ars == marked), None),
        width=width,
    )
    rows = [row for row, value in zip(found, values, strict=True) if not picked or value.code in picked]
    return Shown(query, selection, rows, picture, release, version)


@dataclass(frozen=True)
class Told:
    """What a map shows, in words and numbers."""

    title: str
    sentence: str
    legend: tuple[Entry, ...]


def told(connection: Connection, query: Query) -> Told:
    """The words of a map, without drawing it; raises NotFoundError for unknown keys."""
    selection, audience = resolve(connection, query), service().audience
    n, of = areas.values_as_array(connection, query, selection, audience)
    among = legends.classes(connection, query, selection, audience, (n, of))
    found = areas.rows(connection, query, selection, audience)
    counts = Counter(features.value_of(query, row, among).code for row in found)
    sentence = results.sentence(query, selection, n, of)
    return Told(titles.title(query, selection), sentence, _legend(among, counts))


def warnings(version: Version) -> tuple[str, ...]:
    """What every picture and paper of these data says first."""
    said = []
    if service().internal:
        said.append(_("Interne Ansicht – nicht veröffentlicht"))
    if version.demonstration:
        said.append(_("Demonstrationsdaten, frei erfunden"))
    return tuple(said)


def _notes(release: Row[Any], version: Version) -> tuple[str, ...]:
    first = [_("OZG-Landkarte"), _("Datenstand %(date)s", date=i18n.date(version.changed_at))]
    licence = None if version.demonstration else about.data_licence()
    if licence:
        first.append(_("Lizenz der Angaben: %(licence)s", licence=licence))
    second = [
        _("Grenzen: %(attribution)s", attribution=release.attribution),
        _("Gebietsstand %(date)s", date=i18n.date(release.as_of)),
        release.attribution_url,
    ]
    return " · ".join(first), " · ".join(filter(None, second))


def _marked(key: str) -> str | None:
    """The 12-digit key of the area to ring. That this level has none such is no error: a link may lead here
    from another level.
    """
    if not key:
        return None
    if not is_region_key(key):
        raise ParameterError(
            _("area ist kein Gebietsschlüssel."), parameter="area", allowed=[_("12 Ziffern")]
        )
    return pad_ars(key)


def _picked(among: Sequence[ValueClass]) -> set[str]:
    """Codes of the classes and reasons picked out of the legend; empty for all."""
    codes = request.args.getlist("class")
    tables.parse_classes(codes, among)
    return {code for code in codes if code}


def _legend(among: Sequence[ValueClass], counts: Counter[str]) -> tuple[Entry, ...]:
    """The classes, and the greys that occur; counts: areas by code of class or reason."""
    entries = [
        Entry(item.code, titles.class_label(item), i18n.number(counts[item.code]), colour=item.colour)
        for item in among
    ]
    entries += [
        Entry(reason.code, titles.reason_name(reason), i18n.number(counts[reason.code]), reason=reason.code)
        for reason in Reason
        if counts[reason.code]
    ]
    return tuple(entries)


def detail_of(box: Box, width: int) -> int:
    """Generalisation (metres) that so many pixels in width can show of the box."""
    middle = math.radians((box.north + box.south) / 2)
    metres = (box.east - box.west) * _METRES_OF_A_DEGREE * math.cos(middle)
    metres = max(metres, (box.north - box.south) * _METRES_OF_A_DEGREE / 1.3)
    of_a_pixel = metres / width
    return 1000 if of_a_pixel > 400 else 300 if of_a_pixel > 100 else 100


def _around(box: Box) -> Box:
    """As far as a frame of any shape around the box may reach."""
    more = max(box.east - box.west, box.north - box.south) * 1.5 + 0.05
    return Box(box.west - more, box.south - more, box.east + more, box.north + more)


def borders_in(connection: Connection, level: Level, around: Box, detail: int) -> tuple[Border, ...]:
    """The outlines of the levels above that touch the box."""
    above = [] if level is Level.STATE else [(Level.STATE, True)]
    if level in (Level.ASSOCIATION, Level.MUNICIPALITY):
        above.insert(0, (Level.DISTRICT, False))
    return tuple(
        Border(bytes(shape), strong)
        for item, strong in above
        for shape in shapes.shapes_around(connection, item, around, detail)
    )


def _names(connection: Connection, query: Query, selection: Selection, number: int) -> tuple[Name, ...]:
    """Names of the areas, or where these are many, of districts or states."""
    level = query.level
    if number > _MOST_NAMED and level in (Level.ASSOCIATION, Level.MUNICIPALITY):
        level, number = Level.DISTRICT, len(shapes.names_of(connection, Level.DISTRICT, selection))
    found = shapes.names_of(connection, level if number <= _MOST_NAMED else Level.STATE, selection)
    return tuple(
        Name(row.name, row.lon, row.lat, float(row.population or row.area_m2 / 1e6)) for row in found
    )


class BusyError(UnavailableError):
    """Too much is being drawn already, or it takes too long."""

    retry_after = 15


class NotSetUpError(MapServiceError):
    """What this form needs is not installed on the server."""

    status = 501
    code = "not_set_up"


def drawn(job: Job) -> bytes:
    """The finished file; raises BusyError, NotSetUpError, MapServiceError."""
    try:
        return workshop().draw(job)
    except CrowdedError:
        said = _("Gerade werden schon andere Karten gezeichnet. Bitte versuchen Sie es gleich noch einmal.")
        raise BusyError(said) from None
    except TooSlowError:
        if job.picture is None:
            said = _("Das Zeichnen hat zu lange gedauert. Wählen Sie weniger Behörden oder Leistungen.")
        else:
            said = _("Das Zeichnen hat zu lange gedauert. Wählen Sie eine kleinere Region oder höhere Ebene.")
        raise BusyError(said) from None
    except MissingError:
        said = _(
            "Dieser Server ist für %(form)s nicht eingerichtet. Die Angaben gibt es auch als Tabelle.",
            form=job.form.upper(),
        )
        raise NotSetUpError(said) from None
    except WorkshopError:
        raise MapServiceError(_("Die Karte konnte nicht gezeichnet werden.")) from None


def workshop() -> Workshop:
    """That of the application which answers the present request."""
    held: Workshop = current_app.extensions[_EXTENSION]
    return held


def alternative(picture: Picture) -> str:
    """What the map says, for those who do not see it: result, and what the classes hold."""
    legend = "; ".join(f"{entry.label}: {entry.count}" for entry in picture.legend)
    return _(
        "Karte. %(title)s. %(result)s Zahl der Gebiete je Klasse: %(legend)s.",
        title=picture.title,
        result=picture.sentence,
        legend=legend,
    )


def init_app(app: Flask, state_dir: Path) -> None:
    """state_dir: below which the drawing process keeps its caches."""
    app.extensions[_EXTENSION] = Workshop(state_dir / "drawing")
    app.register_blueprint(blueprint)
