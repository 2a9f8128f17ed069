"""Pages of texts: help, and the operator's questions, news, imprint, privacy, accessibility."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, current_app, render_template, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from mapservice import forms, i18n, titles
from mapservice.basemap import basemap
from mapservice.domain import Reason, Status
from mapservice.errors import NotFoundError
from mapservice.service import service
from mapservice.texts import NEWS, SETTING, OperatorText, TextError, Texts

blueprint = Blueprint("texts", __name__)
_EXTENSION = "mapservice-texts"


@dataclass(frozen=True)
class Shown:
    """A text as the template shows it: the file's, or the notice to the operator in its place."""

    text: OperatorText | None
    notice: str = ""

    @property
    def html(self) -> Markup:
        # Rendered by texts.py, which lets no HTML of a file through.
        return Markup(self.text.html if self.text else "")  # noqa: S704

    @property
    def other_language(self) -> str | None:
        """The language of a text that is not in that of the page."""
        return self.text.language if self.text and self.text.language != i18n.language() else None


def texts() -> Texts:
    held: Texts = current_app.extensions[_EXTENSION]
    return held


def shown(name: str) -> Shown:
    """The operator's file, or a notice that names it; never the folder, which is nobody else's business."""
    try:
        found = texts().get(name, i18n.language())
    except TextError as error:
        return Shown(
            None, _("Der Text des Betreibers lässt sich nicht zeigen. %(reason)s", reason=error.finding)
        )
    if found is not None:
        return Shown(found)
    return Shown(
        None,
        _(
            "Hier fehlt der Text des Betreibers: Datei %(name)s im Ordner der Einstellung %(setting)s.",
            name=name,
            setting=SETTING,
        ),
    )


def has(name: str) -> bool:
    return texts().folder is not None and shown(name).text is not None


@blueprint.get("/hilfe")
def help_page() -> str:
    """Terms, statuses, greys, measures: in the words of the interface itself."""
    return render_template(
        "help.html",
        choices=forms.choices(),
        status_names={status.code: titles.status_name(status) for status in Status},
        reason_names={reason.code: titles.reason_name(reason) for reason in Reason},
    )


@blueprint.get("/fragen")
def questions() -> str | tuple[str, int]:
    found = shown("fragen.md")
    page = render_template("text_page.html", heading=_("Fragen und Antworten"), parts=[found], contents=True)
    return page if found.text else (page, 404)


@blueprint.get("/aktuelles")
def news() -> str | tuple[str, int]:
    """All news, newest first."""
    items = [(Shown(item), _news_address(item)) for item in texts().news(i18n.language())]
    notice = _(
        "Hier fehlen Texte des Betreibers: Dateien wie %(name)s im Ordner der Einstellung %(setting)s.",
        name=f"{NEWS}/2026-11-23-titel.md",
        setting=SETTING,
    )
    page = render_template("news.html", items=items, notice="" if items else notice)
    return page if items else (page, 404)


@blueprint.get("/aktuelles/<name>")
def news_item(name: str) -> str:
    for item in texts().news(i18n.language()):
        if _news_name(item) == name:
            return render_template("news_item.html", item=Shown(item))
    raise NotFoundError(_("Diese Meldung gibt es nicht, oder nicht mehr."), parameter="name")


def _news_name(item: OperatorText) -> str:
    return Path(item.name).name.removesuffix(".md").removesuffix(".en")


def _news_address(item: OperatorText) -> str:
    return url_for(".news_item", name=_news_name(item))


@blueprint.get("/impressum")
def imprint() -> str:
    return render_template(
        "text_page.html", heading=_("Impressum"), parts=[shown("impressum.md")], contact=True
    )


@blueprint.get("/datenschutz")
def privacy() -> str:
    """The operator's statement, and what is true of the service wherever it runs."""
    settings = service().settings
    return render_template(
        "privacy.html",
        part=shown("datenschutz.md"),
        basemap=basemap(settings),
        limited=settings.busy_seconds > 0,
    )


@blueprint.get("/barrierefreiheit")
def accessibility() -> str:
    settings = service().settings
    return render_template(
        "accessibility.html",
        part=shown("barrierefreiheit.md"),
        conciliation=shown("schlichtungsstelle.md"),
        form_url=settings.accessibility_form_url,
    )


@dataclass(frozen=True)
class Links:
    """Links of header and footer that are there only where they lead to something."""

    pages: list[tuple[str, str, str]]
    """Endpoint, address and label."""
    languages: list[tuple[str, str]]
    """Address and label of Leichte Sprache and sign language."""
    legal: list[tuple[str, str, str]]


def links() -> Links:
    settings = service().settings
    pages = [("texts.help_page", _("Hilfe"))]
    if has("fragen.md"):
        pages.append(("texts.questions", _("Fragen und Antworten")))
    if texts().news_files():
        pages.append(("texts.news", _("Aktuelles")))
    legal = [
        ("texts.imprint", _("Impressum")),
        ("texts.privacy", _("Datenschutz")),
        ("texts.accessibility", _("Barrierefreiheit")),
    ]
    languages = [
        (settings.plain_language_url, _("Leichte Sprache")),
        (settings.sign_language_url, _("Gebärdensprache")),
    ]
    return Links(
        [(endpoint, url_for(endpoint), label) for endpoint, label in pages],
        [(address, label) for address, label in languages if address],
        [(endpoint, url_for(endpoint), label) for endpoint, label in legal],
    )


def init_app(app: Flask) -> None:
    with app.app_context():
        settings = service().settings
    app.extensions[_EXTENSION] = Texts(settings.texts_dir, settings.path_prefix)
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"site_links": links})
