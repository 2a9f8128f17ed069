"""What the map shows as a paper for councils and files: /karte.pdf, tagged as PDF/UA-1, A4 or A3."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Flask, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection, Row

from mapservice import about, area_pages, closeups, forms, i18n, params, pictures, tables
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.downloads import as_file
from mapservice.drawing.picture import OWN_FILES, Job, plain
from mapservice.layers import authorities
from mapservice.layers.selection import resolve
from mapservice.layers.standing import standing
from mapservice.responses import Payload, versioned
from mapservice.service import service

blueprint = Blueprint("papers", __name__)
PDF = "application/pdf"
MOST_ROWS = 600
"""Rows of the table in a paper, some 30 ms of a processor each; the whole one's address stands beside."""
_MOST_AS_LINES = 1500
"""Areas that a paper holds as lines, sharp at any size; of more, a picture of 250 dots per inch."""
_OWN_PARAMETERS = ("level", "area", "sort", "paper", "orientation")
_DENSITY = 2.6
_RUNNING_MOST = 90
_STANDING = 110
"""CSS pixels that the words on an area take from the height of the map."""
_BESIDE, _CLOSEUP = 0.6, 0.36
"""Of the width: the map beside a close-up of the open area, and the close-up."""


@dataclass(frozen=True)
class Sheet:
    """A paper size: width of the map and its most height, in CSS pixels of 1/96 inch."""

    width: int
    height: int


_SHEETS = {
    ("a4", "portrait"): Sheet(658, 560),
    ("a4", "landscape"): Sheet(670, 490),
    ("a3", "portrait"): Sheet(982, 950),
    ("a3", "landscape"): Sheet(1120, 760),
}


@blueprint.get("/karte.pdf")
@versioned
def as_pdf(connection: Connection, version: Version) -> Payload:
    """Title, result, map with alternative text, legend, table, sources; no element needs its colour."""
    known = (*params.FILTERS, *_OWN_PARAMETERS, *pictures.MANY_PARAMETERS, params.LANGUAGE)
    params.allow_only(request.args, known, single=_OWN_PARAMETERS)
    paper, orientation = params.parse_paper(request.args)
    sort = tables.parse_sort(request.args.get("sort"))
    sheet = _SHEETS[paper, orientation]
    shown = pictures.collect(connection, version, sheet.width, sort=sort)
    found = _found(connection, shown)
    area = _area(connection, shown, found) if found else None
    closeup = (
        closeups.closeup(connection, shown, found, round(_CLOSEUP * sheet.width), _DENSITY) if found else None
    )
    height = sheet.height - (_STANDING if area else 0)
    width = round((_BESIDE if closeup else 1) * sheet.width)
    picture = replace(shown.picture, width=width, height=height, density=_DENSITY, bare=True)
    rows, marked = _rows(shown)
    level = shown.query.level
    show_state, show_district = level is not Level.STATE, level in (Level.ASSOCIATION, Level.MUNICIPALITY)
    given: dict[str, Any] = dict(pictures.filters().lists())
    html = render_template(
        "paper.html",
        paper=paper,
        orientation=orientation,
        picture=picture,
        alternative=pictures.alternative(picture),
        running=plain(" · ".join([_("OZG-Landkarte"), *picture.warnings]), _RUNNING_MOST),
        columns=tables.columns(
            shown.query, sort, district=show_district, state=show_state, link=lambda **_: ""
        ),
        rows=tables.table_rows(shown.query, rows, lambda ars: ""),
        marked=marked,
        closeup=closeup,
        closeup_alternative=closeups.alternative(closeup) if closeup else "",
        show_state=show_state,
        show_district=show_district,
        total=len(shown.rows),
        level_name=forms.level_names()[level],
        facts=_facts(shown),
        area=area,
        map_link=url_for(
            "pages.map_page", _external=True, **given, area=request.args["area"] if area else None
        ),
        table_link=url_for("pages.table", _external=True, **given),
        plain=plain,
        own=OWN_FILES,
        most_height=height,
        most_rows=MOST_ROWS,
    )
    vector = len(shown.rows) <= _MOST_AS_LINES
    return Payload(
        media_type=PDF,
        headers=(as_file(shown.query, "pdf"),),
        later=lambda: pictures.drawn(Job("pdf", picture, html, vector, closeup)),
        weak=True,
        packed=True,
    )


def _found(connection: Connection, shown: pictures.Shown) -> Row[Any] | None:
    """The area of the address, if the level shown has it."""
    key = request.args.get("area", "")
    found = authorities.find_area(connection, key, shown.query.level) if key else None
    return found if found is not None and Level(found.level) is shown.query.level else None


def _area(connection: Connection, shown: pictures.Shown, found: Row[Any]) -> dict[str, Any]:
    """How the ringed area stands among the others, as the map's panel says it."""
    selection = resolve(connection, shown.query)
    stands = standing(connection, shown.query, selection, service().audience, found.boundary_id)
    name = ", ".join(filter(None, (found.name, found.designation)))
    return {
        "name": name,
        "short": found.name,
        **area_pages.in_words(connection, shown.query, stands, found.name),
    }


def _rows(shown: pictures.Shown) -> tuple[list[Row[Any]], int | None]:
    """The rows of the table, and the place of the ringed area among them: in a long table it comes last."""
    rows = list(shown.rows[:MOST_ROWS])
    place = next((n for n, row in enumerate(shown.rows) if row.key == shown.picture.marked), None)
    if place is not None and place >= len(rows):
        rows.append(shown.rows[place])
        place = len(rows) - 1
    return rows, place


def _facts(shown: pictures.Shown) -> list[tuple[str, str]]:
    release, version = shown.release, shown.version
    licence = None if version.demonstration else about.data_licence()
    facts = [
        (_("Datenstand"), i18n.date(version.changed_at)),
        (_("Gebietsstand"), about.release_name(release)),
        (_("Quellenvermerk"), " · ".join(filter(None, (release.attribution, release.attribution_url)))),
        (_("Lizenz der Geometrie"), release.licence),
        (_("Lizenz der Angaben"), licence or _("Der Betreiber nennt keine Lizenz.")),
    ]
    return [(name, plain(said)) for name, said in facts]


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
