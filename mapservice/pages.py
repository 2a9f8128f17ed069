"""HTML pages: map, one authority, table, data."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from mapservice import (
    area_pages,
    assets,
    downloads,
    facets,
    forms,
    i18n,
    listings,
    no_script,
    params,
    past_days,
    profiles,
    results,
    schema_org,
    tables,
    titles,
)
from mapservice.about import data_licence
from mapservice.basemap import basemap
from mapservice.coordination import navigation as coordination
from mapservice.database import Version
from mapservice.domain import ARS_LENGTH, Level, is_region_key
from mapservice.error_pages import UnknownAreaError
from mapservice.errors import MapServiceError, NotFoundError, ParameterError
from mapservice.features import dumps
from mapservice.headers import nonce
from mapservice.layers import areas as layer_areas
from mapservice.layers import authorities, legends
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.responses import Payload, accepted_encoding, compressed, versioned
from mapservice.service import service
from mapservice.stale import drop_unknown_areas, drop_unknown_classes, without_missing

blueprint = Blueprint("pages", __name__)
_FIRST_DETAIL = 1000
"""Detail of the borders that the map starts with; finer ones follow as one looks closer."""
_WORTH_COMPRESSING = 1000
_TOLD_ABOVE_THE_FORM = (
    *("measure", "service", "situation", "kind", "maturity", "confirmed", "stand"),
    *("breaks", "classes"),
)


@dataclass(frozen=True)
class Site:
    """What every page says about the data it stands on."""

    internal: bool
    demonstration: bool
    attribution: str | None
    attribution_url: str | None
    contact_mail: str | None


def site() -> Site:
    """Asked once a request; a page about a failing database says what it can without it."""
    if "site" not in g:
        held = service()
        demonstration, release = False, None
        if not g.get("database_down"):
            demonstration = held.version().demonstration
            release = held.kept("current release", listings.current_release)
        g.site = Site(
            internal=held.internal,
            demonstration=demonstration,
            attribution=release.attribution if release else None,
            attribution_url=release.attribution_url if release else None,
            contact_mail=held.settings.contact_mail,
        )
    return g.site


def asset(filename: str) -> str:
    """The address of one of our static files, bundled if it is."""
    return url_for("static_files.file", filename=assets.bundled(filename))


# --- map --------------------------------------------------------------------------------------------


@blueprint.get("/")
def map_page() -> str:
    return render_map()


def render_map(**more: Any) -> str:
    """The map with the filters of the request; `more` is for the template."""
    if "picture" in request.args:
        # Nobody's script will find out that the link names what is not there.
        return without_missing(lambda missing: _render_map(missing, **more))
    return _render_map([], **more)


def _render_map(missing: list[str], **more: Any) -> str:
    from mapservice import mapview

    # A wrong filter in a link is told here, before the map has been drawn without it.
    query = requested_query()
    picture = no_script.picture(query)
    if "picture" in request.args and picture.told is not None:
        drop_unknown_classes([entry.code for entry in picture.told.legend], missing)
        with service().reader() as connection:
            drop_unknown_areas(lambda key: _full_key(connection, key) is not None, missing)
    files = {
        name: {"hash": digest, "href": url_for("api.geometry", digest=digest)}
        for name, digest in service().kept("geometry files", listings.geometry_files).items()
    }
    first = files.get(f"{query.level.plural}/{_FIRST_DETAIL}")
    filters = [
        item
        for item in request.args.items(multi=True)
        if item[1] and item[0] in (*params.FILTERS, params.LANGUAGE)
    ]
    # The script takes this very address for its first question, else the browser would fetch twice.
    filters += [("detail", str(_FIRST_DETAIL)), ("format", "array")]
    first_values = f"{url_for('api.values', name=query.level.plural).partition('?')[0]}?{urlencode(filters)}"
    tiles = basemap(service().settings)
    markup = mapview.render(_map_urls(), tiles.url if tiles else None, tiles.max_zoom if tiles else 18)
    return render_template(
        "map.html",
        map=markup,
        modules=[asset(name) for name in assets.map_modules()],
        form=forms.FilterForm.of(request.args),
        choices=forms.choices(),
        downloads=downloads.links(_lists(forms.filter_arguments(request.args)), query.level.plural),
        picture=picture,
        missing=missing,
        table_link=url_for("pages.table", **_lists(forms.filter_arguments(request.args))),
        texts=i18n.script_texts(),
        geometry_files=files,
        preload=[first["href"]] if first else [],
        first_values=first_values,
        title=_map_title(query),
        basemap=tiles,
        **past_days.control("pages.map_page"),
        **more,
    )


def _map_title(query: Any) -> str:
    """What the map will show, so that its place need not grow; a link may name what there is no more."""

    def read(connection: Connection) -> str:
        return titles.title(query, resolve(connection, query))

    try:
        if set(request.args) <= {params.LANGUAGE}:
            return service().kept(("map title", i18n.language()), read)
        with service().reader() as connection:
            return read(connection)
    except MapServiceError:
        return _("Digitale Verwaltung in Deutschland")


def _map_urls() -> Any:
    from mapservice import mapview

    return mapview.MapUrls(
        leaflet_js=asset("vendor/leaflet/leaflet.js"),
        leaflet_css=asset("css/map.css"),
        module=asset("js/map.js"),
        values=_without_last(url_for("api.values", name="_")),
        facets=_without_last(url_for("api.facets", name="_")),
        geometry=url_for("api.current_geometry"),
        areas=_without_last(url_for("api.area", key="_")),
        area_page=_without_last(url_for("pages.area", key="_")),
        map=_without_last(url_for("pages.map_page")),
        table=_without_last(url_for("pages.table")),
        services=url_for("pages.services"),
        search=url_for("search.suggestions").partition("?")[0],
        names=url_for("api.names").partition("?")[0],
    )


def _without_last(address: str) -> str:
    """An address up to its last part, which the script fills in; without the language it adds itself."""
    return address.partition("?")[0].removesuffix("_")


@blueprint.get("/leistungen.json")
@versioned
def services(connection: Connection, version: Version) -> Payload:
    """The services to choose from, for the combobox."""
    return Payload(dumps({"services": listings.services(connection)}).encode())


def requested_query() -> Query:
    """The filters of this request; raises ParameterError."""
    args = forms.filter_arguments(request.args)
    params.allow_only(args, (*params.FILTERS, "level"), single=("level",))
    return params.parse_query(args, params.parse_level(args.get("level", Level.DISTRICT.plural)))


# --- table ------------------------------------------------------------------------------------------


@blueprint.get("/tabelle")
def table() -> str | Response:
    """The map's filters as rows. A choice that the form allows and nothing answers is told above the form."""
    try:
        return without_missing(_table)
    except (NotFoundError, ParameterError) as error:
        if error.parameter not in _TOLD_ABOVE_THE_FORM:
            raise
        held = service()
        body = render_template(
            "table.html",
            error=error,
            message=i18n.error_message(error),
            form=forms.FilterForm.of(request.args),
            choices=forms.choices(),
            services=held.kept("bundles", listings.bundles),
            map_link=url_for(".map_page"),
        )
        return Response(body, error.status, mimetype="text/html")


def _table(missing: list[str]) -> str:
    query = requested_query()
    sort = tables.parse_sort(request.args.get("sort"))
    page = tables.parse_page(request.args.get("page"))
    held = service()
    with held.reader() as connection:
        selection = resolve(connection, query)
        n, of = layer_areas.values_as_array(connection, query, selection, held.audience)
        among = legends.classes(connection, query, selection, held.audience, (n, of))
        drop_unknown_areas(lambda key: _full_key(connection, key) is not None, missing)
        drop_unknown_classes([item.code for item in among], missing)
        only = tables.parse_classes(request.args.getlist("class"), among)
        if only is None:
            total = layer_areas.count_of_areas(connection, selection, query.level)
        else:
            total = layer_areas.count_of_some(connection, query, selection, held.audience, only)
        rows = layer_areas.rows(
            connection, query, selection, held.audience, page=tables.page_of(sort, page), only=only
        )
        numbers = facets.kept(connection, query, selection)
    if not rows and page > 1:
        raise ParameterError(
            _("So viele Seiten hat die Tabelle nicht."),
            parameter="page",
            allowed=[f"1 – {max(1, -(-total // tables.ROWS_PER_PAGE))}"],
        )
    first = (page - 1) * tables.ROWS_PER_PAGE + 1
    show_state = query.level is not Level.STATE
    show_district = query.level in (Level.ASSOCIATION, Level.MUNICIPALITY)
    return render_template(
        "table.html",
        missing=missing,
        title=titles.title(query, selection),
        result=results.sentence(query, selection, n, of),
        **past_days.control("pages.table"),
        chips=[*_chips(), *_class_chips(only)],
        downloads=downloads.links(
            {
                **_lists(forms.filter_arguments(request.args)),
                "sort": request.args.getlist("sort")[:1],
                "class": request.args.getlist("class"),
            },
            query.level.plural,
        ),
        form=forms.FilterForm.of(request.args),
        choices=forms.choices(),
        facets=numbers,
        services=held.kept("bundles", listings.bundles),
        columns=tables.columns(query, sort, district=show_district, state=show_state, link=_table_link),
        rows=tables.table_rows(query, rows, lambda ars: url_for(".area", key=ars)),
        pages=tables.page_links(page, total, _table_link),
        show_district=show_district,
        show_state=show_state,
        first=first,
        last=first + len(rows) - 1,
        total=total,
        data_as_of=held.version().changed_at,
        map_link=url_for(
            ".map_page",
            **{**_lists(forms.filter_arguments(request.args)), "class": request.args.getlist("class")},
        ),
    )


def _table_link(**changes: Any) -> str:
    """This table with other sorting or page; None takes a parameter away."""
    kept = _lists(forms.filter_arguments(request.args))
    for name in ("sort", "page"):
        if request.args.get(name):
            kept[name] = request.args.get(name)
    kept["class"] = request.args.getlist("class")
    return url_for("pages.table", **{name: value for name, value in {**kept, **changes}.items() if value})


def _chips() -> list[tuple[str, str]]:
    """Label of each filter that is set, and the table without it."""
    args = forms.filter_arguments(request.args)
    sort = request.args.getlist("sort")[:1]
    links: list[tuple[str, Any]] = [
        (chip.label, {**chip.arguments, "sort": sort}) for chip in forms.chips(args)
    ]
    return [(label, url_for("pages.table", **arguments)) for label, arguments in links]


def _class_chips(only: layer_areas.Only | None) -> list[tuple[str, str]]:
    """Label of each class that was picked out, and the table without it."""
    if only is None:
        return []
    picked = [(item.code, titles.class_label(item)) for item in only.classes]
    picked += [(reason.code, titles.reason_name(reason)) for reason in only.reasons]
    codes = [code for code, _label in picked]
    return [
        (
            _("Klasse: %(name)s", name=label),
            _table_link(**{"class": [other for other in codes if other != code], "page": None}),
        )
        for code, label in picked
    ]


def _lists(args: MultiDict[str, str]) -> dict[str, Any]:
    return dict(args.lists())


# --- one area ---------------------------------------------------------------------------------------


@blueprint.get("/gebiete/<key>")
def area(key: str) -> str | BaseResponse:
    """One authority, or an area without one, in the filter of the address. Short keys lead on."""
    return without_missing(lambda missing: _area(key, missing))


def _area(key: str, missing: list[str]) -> str | BaseResponse:
    held = service()
    args = forms.filter_arguments(request.args)
    params.allow_only(args, (*params.FILTERS, "level"), single=("level",))
    wanted = params.parse_level(args["level"]) if "level" in args else None
    with held.reader() as connection:
        found = None
        if len(key) == ARS_LENGTH:
            ask = functools.partial(params.parse_query, args)
            found = profiles.profile(connection, key, held.audience, ask, wanted)
        if found is None:
            ars = _full_key(connection, key)
            if ars is not None and ars != key:
                return redirect(url_for(".area", key=ars, **_lists(args)), 301)
            raise UnknownAreaError(
                _("Zum Schlüssel „%(key)s“ gibt es im aktuellen Gebietsstand kein Gebiet.", key=key[:40]),
                key=key[:40],
                suggestions=listings.near_keys(connection, key),
            )
        content = area_pages.content(connection, found)
    return render_template(
        "area.html",
        population=_population(found),
        map_link=_area_on_map(found, _lists(args)),
        chips=[(chip.label, _area_link(key, chip.arguments)) for chip in forms.chips(args)],
        missing=missing,
        **past_days.control("pages.area", key=key),
        **content,
    )


def _full_key(connection: Any, key: str) -> str | None:
    if not (is_region_key(key) or (len(key) == 8 and key.isascii() and key.isdigit())):
        return None
    ars = listings.full_key(connection, key)
    if ars is None and is_region_key(key):
        # An area may have another key than its authority: a one-municipality association has its own.
        found = authorities.find_area(connection, key)
        if found is not None:
            ars = listings.key_of(connection, found.authority_id) if found.authority_id else found.ars
    return ars


def _area_link(key: str, arguments: dict[str, Any]) -> str:
    return url_for(".area", key=key, **arguments)


def _population(found: profiles.Profile) -> int | None:
    if found.area is not None and found.area.population is not None:
        return int(found.area.population)
    return found.authority.population if found.authority is not None else None


def _area_on_map(found: profiles.Profile, filters: dict[str, Any]) -> str | None:
    if found.area is None:
        return None
    level = Level(found.area.level)
    chosen = {**filters, "level": None if level is Level.DISTRICT else level.plural}
    return url_for(".map_page", area=found.area.ars, **chosen)


# --- data -------------------------------------------------------------------------------------------


@blueprint.get("/daten")
def data() -> str:
    """Where everything comes from, of when it is, and how it may be used."""
    held = service()
    with held.reader() as connection:
        content = {
            "reported": listings.reported(connection, held.audience),
            "releases": listings.releases(connection),
            "catalogue": listings.catalogue(connection),
            "runs": listings.runs(connection) if held.internal else [],
        }
    return render_template(
        "data.html",
        data_as_of=held.version().changed_at,
        data_licence=data_licence(),
        level_names=forms.level_names(),
        files={
            form: [(name, url_for(view, name=level.plural)) for level, name in forms.level_names().items()]
            for form, view in (
                (_("Als GeoJSON"), "api.layer"),
                (_("Als GeoPackage"), "level_files.as_geopackage"),
            )
        },
        run_kind=titles.run_kind,
        run_result=titles.run_result,
        **content,
    )


@blueprint.get("/favicon.ico")
def favicon() -> BaseResponse:
    """Browsers ask for it where no page names one, at an answer of the interface for instance."""
    return redirect(asset("favicon.svg"))


def _other_language() -> tuple[str, str, str]:
    """Code and name of the other language, and this page in it; from an error page to the map."""
    code, name = ("en", "English") if i18n.language() == "de" else ("de", "Deutsch")
    # None takes the parameter away: German is what an address without language means.
    lang = code if code != "de" else None
    endpoint = str(request.endpoint)
    kept = _lists(request.args)
    if endpoint.startswith(("pages.", "search.", "texts.", "embedding.")):
        # Known names alone: url_for() takes some, _scheme for one, as orders.
        known = {*params.FILTERS, "level", *forms.PAGE_PARAMETERS}
        kept = {key: values for key, values in kept.items() if key in known}
    elif endpoint.startswith("coordination."):
        kept = {key: values for key, values in kept.items() if key in coordination.PARAMETERS}
    elif not endpoint.startswith(("ogc.", "entries.")):  # whose views have refused all other names by now
        return code, name, url_for("pages.map_page", lang=lang)
    return code, name, url_for(endpoint, **{**kept, **(request.view_args or {}), "lang": lang})


def _compress(response: Response) -> Response:
    """Pages hold no secret that their size could give away: nobody is logged in."""
    if response.mimetype != "text/html" or response.content_length is None:
        return response
    response.vary.add("Accept-Encoding")
    encoding = accepted_encoding(request.headers.get("Accept-Encoding", ""))
    if (
        encoding
        and response.content_length > _WORTH_COMPRESSING
        and "Content-Encoding" not in response.headers
    ):
        response.set_data(compressed(response.get_data(), encoding))
        response.headers["Content-Encoding"] = encoding
    return response


def init_app(app: Flask) -> None:
    facets.init_app(app)
    app.register_blueprint(blueprint)
    app.after_request(_compress)
    app.context_processor(
        lambda: {
            "site": site(),
            "asset": asset,
            "inlined": assets.inlined,
            "first_fonts": assets.first_fonts,
            "csp_nonce": nonce,
            "other_language": _other_language,
            "dataset_as_json": schema_org.dataset,
        }
    )
    app.add_template_filter(area_pages.outward, "outward")
