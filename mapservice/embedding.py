"""The map in frames of other sites (/embed), and the page that gives the code for it (/einbinden)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from mapservice import about, forms, headers, i18n, level_files, listings, pages, portals, titles
from mapservice.errors import ParameterError
from mapservice.layers.selection import resolve
from mapservice.service import service

blueprint = Blueprint("embedding", __name__)
SMALLEST, LARGEST = 300, 4000
_HEIGHT = 600


def frame_ancestors() -> tuple[str, ...]:
    """Who may frame /embed: sources of the CSP directive, empty for nobody.

    The internal view is for named sites only: everybody would be too many for what is not published.
    """
    held = service()
    allowed = held.settings.frame_ancestors
    return ("'self'",) if held.internal and "*" in allowed else allowed


@blueprint.before_request
def open_frames() -> None:
    """Set before anything can fail, so that an error is read inside the frame too."""
    if request.endpoint == "embedding.embed":
        headers.let_be_framed_by(frame_ancestors())


@blueprint.get("/embed")
def embed() -> str:
    """The map with the filters of the address, without the means to change them; links open a new tab."""
    return pages.render_map(full_map=url_for("pages.map_page", **_chosen()))


@blueprint.get("/einbinden")
def code() -> str:
    """The code that shows what the address chooses; each way to embed is a section of its own."""
    query = pages.requested_query()
    held = service()
    with held.reader() as connection:
        title = titles.title(query, resolve(connection, query))
        version = held.versions.read(connection)
        release = listings.current_release(connection)
        args = forms.filter_arguments(request.args)
        texts = portals.texts(connection, version, release, args) if release else {}
    width, height = _size("width", None), _size("height", _HEIGHT)
    allowed = frame_ancestors()
    if allowed:
        headers.let_show_frames()
    chosen = _chosen()
    only = [source for source in allowed if source != "'self'"] if "*" not in allowed else []
    return render_template(
        "embed_code.html",
        title=title,
        allowed=allowed,
        only=" ".join(only),
        address=url_for(".embed", **chosen),
        frame_code=_iframe(url_for(".embed", _external=True, **chosen), title, width, height),
        width=width,
        height=height,
        kept=[(name, value) for name, values in _arguments().items() for value in values],
        map_link=url_for("pages.map_page", **chosen),
        texts=texts,
        files=portals.links({name: values for name, values in chosen.items() if name != "area"}),
        layers=level_files.links(query.level.plural, chosen),
        api=url_for("ogc.landing", _external=True),
        licence=None if held.version().demonstration else about.data_licence(),
    )


def _iframe(address: str, title: str, width: int | None, height: int | None) -> str:
    named = _("OZG-Landkarte: %(title)s", title=title)
    frame = Markup(
        '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy"'
        ' style="border: 0; max-width: 100%"></iframe>'
    )
    return str(frame.format(address, named, width or "100%", height))


def _arguments() -> dict[str, list[str]]:
    """Filters, opened area and language of the request."""
    chosen = dict(forms.filter_arguments(request.args).lists())
    if request.args.get("area"):
        chosen["area"] = request.args.getlist("area")[:1]
    if i18n.language() != i18n.LANGUAGES[0]:
        chosen["lang"] = [i18n.language()]
    return chosen


def _chosen() -> dict[str, Any]:
    return dict(_arguments())


def _size(name: str, default: int | None) -> int | None:
    text = request.args.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or not SMALLEST <= int(text[:9]) <= LARGEST:
        raise ParameterError(
            _("Diese Größe geht nicht."), parameter=name, allowed=[f"{SMALLEST} – {LARGEST}"]
        )
    return int(text)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(
        lambda: {
            "embedded": request.endpoint == "embedding.embed",
            "embeddable": lambda: bool(frame_ancestors()),
        }
    )
