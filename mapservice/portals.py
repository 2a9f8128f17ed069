"""What portals and GIS programs copy from /einbinden: layers and styles, for a filter or by subject area."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Blueprint, Flask, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from mapservice import about, forms, i18n, params, titles, vocabulary
from mapservice.database import Version
from mapservice.domain import SUBJECT_AREAS, Level, Measure, Reason
from mapservice.layers.classes import fixed
from mapservice.layers.query import SINGLE_SERVICE_MEASURES, Query
from mapservice.layers.selection import resolve
from mapservice.responses import Payload, versioned
from mapservice.service import service
from mapservice.snippets import legend, masterportal, qgis, scripts, sld
from mapservice.snippets.layer import Group, Pairs, PortalLayer, StyleClass

blueprint = Blueprint("portals", __name__, url_prefix="/einbinden")
EACH = "je"
"""The parameter that asks for one layer of each subject area, instead of the services chosen."""
SUBJECTS = "themenfeld"
LEGEND = "legende.svg"
_CLASSING = ("method", "classes", "breaks")
_SERVICES = ("subject", "situation", "service")
_REASON_COLOURS = {
    Reason.NO_DATA: "#f1f1f3",
    Reason.NOT_RESPONSIBLE: "#d9dade",
    Reason.UNINCORPORATED: "#b9bbc4",
}
_FIELDS = (
    *("name", "designation", "district", "state", "value_label"),
    *("services_online", "services_in_progress", "services_planned", "services_total", "data_as_of"),
)
_SPREAD_FIELDS = ("municipalities_wanted", "municipalities_total", "population_share")
_JSON, _XML, _SCRIPT = "application/json", "application/xml", "text/javascript"


class Release(Protocol):
    """Of the boundary release: whom to name."""

    @property
    def attribution(self) -> str: ...

    @property
    def attribution_url(self) -> str | None: ...


@dataclass(frozen=True)
class Snippet:
    """One file. kind: its id; each: whether there is one for all subject areas too."""

    kind: str
    filename: str
    media_type: str
    made: Callable[[Group], str | bytes]
    each: bool = False


def _folder(group: Group) -> bytes:
    """The files for a Masterportal, and what to do with them. The same bytes for the same content."""
    text = masterportal.as_text
    files = {
        "services.json": text(masterportal.services(group)),
        "style.json": text(masterportal.styles(group)),
        "config.json": text(masterportal.config(group)),
        "config-version-2.json": text(masterportal.config_2(group)),
        "LIESMICH.txt": "\n".join((group.title, "", *_instructions(), "")),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"ozg-landkarte/{name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def _instructions() -> tuple[str, ...]:
    return (
        _("1. Die Einträge aus services.json in die Liste der services.json Ihres Masterportals kopieren."),
        _("2. Die Einträge aus style.json ebenso in Ihre style.json kopieren."),
        _("3. Den Ordner aus config.json (Version 2: config-version-2.json) in die config.json übernehmen."),
        _("Jede Ebene steht dreimal in services.json: als GeoJSON, mit -oaf am Ende als OGC API – Features."),
        _("Mit -vt am Ende: Vektorkacheln für Portale in EPSG:3857. Ihr Stil braucht keine style.json."),
    )


SNIPPETS = (
    Snippet("masterportal", "masterportal.zip", "application/zip", _folder, each=True),
    Snippet(
        "services",
        "services.json",
        _JSON,
        lambda group: masterportal.as_text(masterportal.services(group)),
        each=True,
    ),
    Snippet(
        "style",
        "style.json",
        _JSON,
        lambda group: masterportal.as_text(masterportal.styles(group)),
        each=True,
    ),
    Snippet("qlr", "ozg-landkarte.qlr", _XML, qgis.definition, each=True),
    Snippet("qml", "ozg-landkarte.qml", _XML, lambda group: qgis.style(group.layers[0])),
    Snippet("sld", "ozg-landkarte.sld", _XML, lambda group: sld.style(group.layers[0], sld.VERSIONS[0])),
    Snippet(
        "sld-1-1", "ozg-landkarte-1.1.sld", _XML, lambda group: sld.style(group.layers[0], sld.VERSIONS[1])
    ),
    Snippet("legend", LEGEND, "image/svg+xml", lambda group: legend.picture(group.layers[0])),
    Snippet("openlayers", "openlayers.js", _SCRIPT, lambda group: scripts.openlayers(group.layers[0])),
    Snippet("maplibre", "maplibre.js", _SCRIPT, lambda group: scripts.maplibre(group.layers[0])),
)
_BY_NAME = {item.filename: item for item in SNIPPETS}
_NAMES = ", ".join(f'"{name}"' for name in _BY_NAME)


@blueprint.get(f"/<any({_NAMES}):filename>")
@versioned
def file(connection: Connection, version: Version, filename: str) -> Payload:
    """One of the files, with the filters of the page."""
    found = _BY_NAME[filename]
    more = ("level", EACH) if found.each else ("level",)
    args = forms.filter_arguments(request.args)
    params.allow_only(args, (*params.FILTERS, *more), single=more)
    each = params.parse_choice(args, EACH, ("", SUBJECTS)) == SUBJECTS
    made = found.made(group(connection, version, about.current_release(connection), args, each=each))
    body = made if isinstance(made, bytes) else made.encode()
    return Payload(
        body, found.media_type, (("Content-Disposition", f'attachment; filename="{found.filename}"'),)
    )


def texts(
    connection: Connection, version: Version, release: Release, args: MultiDict[str, str]
) -> dict[str, str]:
    """What the page shows for copying, by kind."""
    made = group(connection, version, release, args, each=False)
    return {item.kind: str(item.made(made)) for item in SNIPPETS if item.media_type in (_JSON, _SCRIPT)}


def links(arguments: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """By kind: the address of the file for the filter, and of that for all subject areas."""
    unchosen = {name: values for name, values in arguments.items() if name not in _SERVICES}
    unchosen[EACH] = SUBJECTS
    return {
        item.kind: (
            url_for("portals.file", filename=item.filename, **arguments),
            url_for("portals.file", filename=item.filename, **unchosen) if item.each else None,
        )
        for item in SNIPPETS
    }


def group(
    connection: Connection, version: Version, release: Release, args: MultiDict[str, str], *, each: bool
) -> Group:
    """The layer of a filter, or those of all subject areas. Classes always have fixed limits: a style that
    was copied once has to fit later data.
    """
    given = MultiDict(item for item in args.items(multi=True) if item[0] not in (*_CLASSING, EACH))
    if each:
        given = MultiDict(item for item in given.items(multi=True) if item[0] not in _SERVICES)
        if given.get("measure") in SINGLE_SERVICE_MEASURES:
            del given["measure"]
        chosen = [MultiDict([*given.items(multi=True), ("subject", slug)]) for slug, _name in SUBJECT_AREAS]
        layers = [
            _layer(connection, version, release, one, titles.subject_name(name))
            for one, (_slug, name) in zip(chosen, SUBJECT_AREAS, strict=True)
        ]
        level = vocabulary.level_words(_query(given).level)[0]
        return Group(_marked(_("OZG-Landkarte: %(title)s", title=level), version), layers)
    layer = _layer(connection, version, release, given)
    return Group(_marked(_("OZG-Landkarte"), version), [layer])


def _query(args: MultiDict[str, str]) -> Query:
    return params.parse_query(args, params.parse_level(args.get("level", Level.DISTRICT.plural)))


def _layer(
    connection: Connection,
    version: Version,
    release: Release,
    args: MultiDict[str, str],
    name: str | None = None,
) -> PortalLayer:
    query = _query(args)
    selection = resolve(connection, query)
    words = vocabulary.area_properties()
    named = (*_FIELDS[:5], *_SPREAD_FIELDS) if query.measure is Measure.SPREAD else _FIELDS
    filters = [item for item in args.items(multi=True) if item[0] != "level"]
    if i18n.language() != i18n.LANGUAGES[0]:
        filters.append((params.LANGUAGE, i18n.language()))
    return PortalLayer(
        title=_marked(name or titles.title(query, selection), version),
        level=query.level.plural,
        # The language is put in by url_for() too: it belongs to the filters here.
        geojson=url_for("api.layer", name=query.level.plural, _external=True).partition("?")[0],
        api=url_for("ogc.landing", _external=True).partition("?")[0].rstrip("/"),
        filters=tuple(filters),
        classes=(
            *(
                StyleClass(item.code, titles.class_label(item), item.colour)
                for item in fixed(query.measure, selection.size)
            ),
            *(StyleClass(item.code, titles.reason_name(item), _REASON_COLOURS[item]) for item in Reason),
        ),
        fields=tuple((field, words[field][1]) for field in named),
        tile_fields=_tile_fields(query),
        legend=url_for("portals.file", filename=LEGEND, _external=True).partition("?")[0],
        attribution=_attribution(release, version),
        attribution_url=release.attribution_url or None,
    )


def _tile_fields(query: Query) -> Pairs:
    """What tiles say of an area (docs/api.md), in the words of its properties."""
    words = vocabulary.area_properties()
    spread, status = query.measure is Measure.SPREAD, query.measure is Measure.STATUS
    n = _("Gemeinden mit Leistung") if spread else _("Leistungen mit gewähltem Status")
    of = words["municipalities_total" if spread else "services_total"][1]
    value = (("status", words["value"][1]),) if status else (("n", n), ("of", of))
    return (("name", words["name"][1]), *value, ("reason", words["value_reason"][1]))


def _marked(title: str, version: Version) -> str:
    """Names outlive the page they were copied from: they say themselves what is made up or unpublished."""
    marks = []
    if version.demonstration:
        marks.append(_("Demonstrationsdaten, frei erfunden"))
    if service().internal:
        marks.append(_("Nicht veröffentlicht"))
    return f"{title} ({', '.join(marks)})" if marks else title


def _attribution(release: Release, version: Version) -> str:
    licence = None if version.demonstration else about.data_licence()
    parts = [release.attribution]
    if version.demonstration:
        parts.append(_("Demonstrationsdaten, frei erfunden"))
    elif licence:
        parts.append(f"{_('Lizenz der Angaben')}: {licence}")
    return " · ".join(parts)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
