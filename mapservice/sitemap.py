"""/sitemap.xml: pages and areas in both languages, for search engines; /robots.txt: whether they may."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from flask import Blueprint, Flask, Response, request, url_for
from sqlalchemy import Connection, func, select

from mapservice import i18n, params
from mapservice.database import Version
from mapservice.errors import N_, NotFoundError
from mapservice.models import Authority, Boundary, BoundaryRelease
from mapservice.responses import Payload, versioned
from mapservice.service import service

blueprint = Blueprint("sitemap", __name__)
_SITEMAP, _XHTML = "http://www.sitemaps.org/schemas/sitemap/0.9", "http://www.w3.org/1999/xhtml"
_MOST = 50_000
"""Addresses that the protocol allows in one file."""
_PAGES = ("pages.map_page", "pages.table", "pages.data", "embedding.code", "texts.help_page")


def closed(version: Version) -> bool:
    """Whether no index should hold this service."""
    return version.demonstration or service().internal


@blueprint.get("/sitemap.xml")
@versioned
def sitemap(connection: Connection, version: Version) -> Payload:
    """Each address with those of its other languages."""
    params.allow_only(request.args, ())
    if closed(version):
        raise NotFoundError(N_("Diese Seite gibt es nicht."))
    ET.register_namespace("", _SITEMAP)
    ET.register_namespace("xhtml", _XHTML)
    root = ET.Element(f"{{{_SITEMAP}}}urlset")
    changed = version.changed_at.date().isoformat()
    for address in _addresses(connection)[: _MOST // len(i18n.LANGUAGES)]:
        # The first language is what an address without `lang` means.
        by_language = {
            code: address if code == i18n.LANGUAGES[0] else f"{address}?{params.LANGUAGE}={code}"
            for code in i18n.LANGUAGES
        }
        for own in by_language.values():
            entry = ET.SubElement(root, f"{{{_SITEMAP}}}url")
            ET.SubElement(entry, f"{{{_SITEMAP}}}loc").text = own
            ET.SubElement(entry, f"{{{_SITEMAP}}}lastmod").text = changed
            for code, other in by_language.items():
                ET.SubElement(
                    entry, f"{{{_XHTML}}}link", {"rel": "alternate", "hreflang": code, "href": other}
                )
    return Payload(ET.tostring(root, encoding="utf-8", xml_declaration=True), "application/xml")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Invented data and those not published yet are for no index."""
    if closed(service().version()):
        said = "Disallow: /"
    else:
        said = f"Disallow:\n\nSitemap: {url_for('sitemap.sitemap', _external=True)}"
    return Response(f"User-agent: *\n{said}\n", mimetype="text/plain")


def _addresses(connection: Connection) -> list[str]:
    keys = connection.scalars(
        select(func.coalesce(Authority.ars, Boundary.ars).label("ars"))
        .select_from(Boundary)
        .join(BoundaryRelease, BoundaryRelease.id == Boundary.release_id)
        .outerjoin(Authority, Authority.id == Boundary.authority_id)
        .where(BoundaryRelease.is_current)
        .distinct()
        .order_by("ars")
    )
    # One is built, the others are spelled: there are eleven thousand.
    pattern = url_for("pages.area", key="KEY", _external=True)
    return [
        *(url_for(endpoint, _external=True) for endpoint in _PAGES),
        *(pattern.replace("KEY", key) for key in keys),
    ]


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
