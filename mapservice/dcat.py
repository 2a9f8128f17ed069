"""The catalogue of our data for open data portals (DCAT-AP.de 3), as Turtle, RDF/XML and JSON-LD.

Every node has an address, none is blank: the same content is the same bytes in every worker. It holds what is
public to know about the data, and nothing of the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from mapservice import about, i18n, level_files, listings, params, vocabulary
from mapservice.database import Version
from mapservice.domain import Level
from mapservice.errors import N_, UnavailableError
from mapservice.layers import place_names
from mapservice.layers.extents import extents
from mapservice.responses import Payload, versioned
from mapservice.service import service
from mapservice.snippets.xml import clean

if TYPE_CHECKING:
    from rdflib import Graph, URIRef

blueprint = Blueprint("dcat", __name__)
FORMS = {
    "ttl": ("turtle", "text/turtle"),
    "rdf": ("pretty-xml", "application/rdf+xml"),
    "jsonld": ("json-ld", "application/ld+json"),
}
_DCATDE = "http://dcat-ap.de/def/dcatde/"
_CODES = "http://publications.europa.eu/resource/authority/"
_CODING = "http://dcat-ap.de/def/politicalGeocoding/"
_MEDIA = "https://www.iana.org/assignments/media-types/"
_VCARD = "http://www.w3.org/2006/vcard/ns#"
_GEO = "http://www.opengis.net/ont/geosparql#"
_LICENCES = (
    (re.compile(r"govdata\.de/dl-de/by-2-0"), "dl-by-de/2.0"),
    (re.compile(r"govdata\.de/dl-de/zero-2-0"), "dl-zero-de/2.0"),
    (re.compile(r"creativecommons\.org/licenses/by/4\.0"), "cc-by/4.0"),
    (re.compile(r"creativecommons\.org/licenses/by-sa/4\.0"), "cc-by-sa/4.0"),
    (re.compile(r"creativecommons\.org/publicdomain/zero/1\.0"), "cc-zero"),
)
"""Addresses of licences, and their names in the list of DCAT-AP.de."""
_LEVELS = {
    Level.STATE: "state",
    Level.DISTRICT: "administrativeDistrict",
    Level.ASSOCIATION: "municipality",
    Level.MUNICIPALITY: "municipality",
}
_ALL_STATES = 16
_IRI = re.compile(r"https?://[^\s<>\"{}|\\^`\x00-\x20]+")


@blueprint.get("/dcat.<any(ttl, rdf, jsonld):form>")
@versioned
def catalogue(connection: Connection, version: Version, form: str) -> Payload:
    """The whole catalogue in one of its forms; all say the same."""
    params.allow_only(request.args, (params.LANGUAGE,), single=(params.LANGUAGE,))
    name, media_type = FORMS[form]
    graph = _Catalogue(connection, version).graph()
    return Payload(graph.serialize(format=name, encoding="utf-8"), media_type)


def licence_uri(licence: str | None) -> str | None:
    """The licence as DCAT-AP.de writes it; any other address as it is; None for words."""
    if licence is None or not _IRI.fullmatch(licence):
        return None
    for pattern, name in _LICENCES:
        if pattern.search(licence):
            return f"http://dcat-ap.de/def/licenses/{name}"
    return licence


@dataclass(frozen=True)
class _Form:
    """A distribution. access, download: addresses; borders, values: what it holds."""

    name: str
    title: str
    access: str
    media: str
    file_type: str
    download: bool = True
    borders: bool = True
    values: bool = True


class _Catalogue:
    """Builds the graph of one data version."""

    def __init__(self, connection: Connection, version: Version) -> None:
        from rdflib import Graph, Namespace
        from rdflib.namespace import DCAT, DCTERMS, FOAF

        release = listings.current_release(connection)
        if release is None:
            raise UnavailableError(N_("Es sind noch keine Verwaltungsgrenzen geladen."))
        self.release, self.version = release, version
        self.extents = extents(connection)
        self.states = [str(row.key) for row in place_names.regions(connection, Level.STATE)]
        self.values_licence = None if version.demonstration else about.data_licence()
        self.made = Graph()
        self.de, self.vcard = Namespace(_DCATDE), Namespace(_VCARD)
        for prefix, space in (
            ("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF), ("dcatde", self.de), ("vcard", self.vcard),
        ):  # fmt: skip
            self.made.bind(prefix, space)
        self.base = url_for("pages.data", _external=True).partition("?")[0]

    def node(self, name: str) -> URIRef:
        from rdflib import URIRef

        return URIRef(f"{self.base}#{name}")

    def says(self, subject: URIRef, *pairs: tuple[Any, Any]) -> None:
        for predicate, value in pairs:
            for item in value if isinstance(value, list) else [value]:
                if item is not None:
                    self.made.add((subject, predicate, item))

    def text(self, words: str) -> Any:
        from rdflib import Literal

        return Literal(clean(words), lang=i18n.language())

    def graph(self) -> Graph:
        from rdflib import Literal, URIRef
        from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, XSD

        made_up = _("Demonstrationsdaten, frei erfunden") if self.version.demonstration else ""
        settings = service().settings
        catalogue, publisher = self.node("katalog"), self.node("herausgeber")
        self.says(
            publisher,
            (RDF.type, FOAF.Agent),
            (FOAF.name, Literal(clean(settings.publisher or _("Betreiber der OZG-Landkarte")))),
        )
        contact = None
        if settings.contact_mail:
            contact = self.node("kontakt")
            self.says(
                contact,
                (RDF.type, self.vcard.Organization),
                (self.vcard.fn, Literal(clean(settings.publisher or _("OZG-Landkarte")))),
                (self.vcard.hasEmail, URIRef(f"mailto:{settings.contact_mail}")),
            )
        common = [(DCTERMS.publisher, publisher), (DCTERMS.language, [URIRef(f"{_CODES}language/DEU")])]
        moments = [
            (DCTERMS.issued, Literal(self.release.imported_at.date(), datatype=XSD.date)),
            (DCTERMS.modified, Literal(self.version.changed_at.replace(microsecond=0))),
        ]
        self.says(
            catalogue,
            (RDF.type, DCAT.Catalog),
            (DCTERMS.title, self.text(_marked(_("OZG-Landkarte"), made_up))),
            (
                DCTERMS.description,
                self.text(
                    _("Welche Online-Dienste Länder, Kreise, Gemeindeverbände und Gemeinden anbieten.")
                ),
            ),
            (FOAF.homepage, URIRef(url_for("pages.map_page", _external=True))),
            (DCAT.themeTaxonomy, URIRef(f"{_CODES}data-theme")),
            *common,
            *moments,
        )
        about_sets = [
            *common,
            *moments,
            (DCAT.contactPoint, contact),
            (DCAT.landingPage, URIRef(self.base)),
            (
                DCTERMS.accessRights,
                URIRef(f"{_CODES}access-right/{'RESTRICTED' if service().internal else 'PUBLIC'}"),
            ),
            (self.de.contributorID, URIRef(settings.contributor_id) if settings.contributor_id else None),
        ]
        api = self.node("schnittstelle")
        archive = url_for("dataset.archive", _external=True).partition("?")[0]
        whole = _Form("zip", _("Öffentlicher Datensatz (ZIP)"), archive, "application/zip", "ZIP")
        self.dataset(
            "leistungen",
            _marked(_("Online-Dienste der Verwaltungen in Deutschland"), made_up),
            _("Welche Behörde welche Verwaltungsleistung online anbietet, daran arbeitet oder es plant."),
            [whole],
            about_sets,
            ("GOVE",),
            list(self.extents),
        )
        for level in self.extents:
            title, description = vocabulary.level_words(level)
            layer = url_for("api.layer", name=level.plural, _external=True)
            package = url_for("level_files.as_geopackage", name=level.plural, _external=True)
            table = url_for("downloads.as_csv", level=level.plural, _external=True)
            items = url_for("ogc.collection", name=level.plural, _external=True)
            self.dataset(
                level.plural,
                _marked(_("%(level)s mit Zahl der Online-Leistungen", level=title), made_up),
                description,
                [
                    _Form("geojson", "GeoJSON", layer, "application/geo+json", "GEOJSON"),
                    _Form("gpkg", "GeoPackage", package, level_files.GEOPACKAGE, "GPKG"),
                    _Form("csv", "CSV", table, "text/csv", "CSV", borders=False),
                    _Form("ogc", "OGC API – Features", items, "application/json", "JSON", download=False),
                    whole,
                ],
                about_sets,
                ("GOVE", "REGI"),
                [level],
            )
            self.says(self.node(f"{level.plural}-ogc"), (DCAT.accessService, api))
            self.says(api, (DCAT.servesDataset, self.node(level.plural)))
        self.says(
            api,
            (RDF.type, DCAT.DataService),
            (DCTERMS.title, self.text("OGC API – Features")),
            (DCTERMS.publisher, publisher),
            (DCAT.endpointURL, URIRef(url_for("ogc.landing", _external=True))),
            (DCAT.endpointDescription, URIRef(url_for("ogc.definition", _external=True))),
            (DCAT.contactPoint, contact),
        )
        self.says(catalogue, (DCAT.service, api))
        return self.made

    def dataset(
        self,
        name: str,
        title: str,
        description: str,
        forms: Iterable[_Form],
        common: list[tuple[Any, Any]],
        themes: tuple[str, ...],
        levels: list[Level],
    ) -> None:
        from rdflib import Literal, URIRef
        from rdflib.namespace import DCAT, DCTERMS, RDF, XSD

        node, place, time = self.node(name), self.node(f"{name}-raum"), self.node(f"{name}-zeit")
        self.says(self.node("katalog"), (DCAT.dataset, node))
        boxes = [self.extents[level].box for level in levels]
        west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
        east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
        ring = ", ".join(
            f"{x:.5f} {y:.5f}"
            for x, y in ((west, south), (east, south), (east, north), (west, north), (west, south))
        )
        self.says(
            place,
            (RDF.type, DCTERMS.Location),
            (DCAT.bbox, Literal(f"POLYGON(({ring}))", datatype=URIRef(f"{_GEO}wktLiteral"))),
        )
        self.says(
            time,
            (RDF.type, DCTERMS.PeriodOfTime),
            (DCAT.startDate, Literal(self.release.as_of, datatype=XSD.date)),
            (DCAT.endDate, Literal(self.version.changed_at.date(), datatype=XSD.date)),
        )
        coverage = {"federal"} if len(self.states) == _ALL_STATES else set()
        coverage |= {_LEVELS[level] for level in levels}
        self.says(
            node,
            (RDF.type, DCAT.Dataset),
            (DCTERMS.title, self.text(title)),
            (DCTERMS.description, self.text(description)),
            (DCTERMS.identifier, Literal(str(node))),
            (DCAT.theme, [URIRef(f"{_CODES}data-theme/{theme}") for theme in themes]),
            (DCAT.keyword, [self.text(word) for word in ("OZG", _("Online-Dienste"), _("Verwaltung"))]),
            (DCTERMS.spatial, place),
            (DCTERMS.temporal, time),
            (self.de.politicalGeocodingLevelURI, [URIRef(f"{_CODING}Level/{item}") for item in coverage]),
            (self.de.politicalGeocodingURI, [URIRef(f"{_CODING}stateKey/{key}") for key in self.states]),
            (DCTERMS.accrualPeriodicity, URIRef(f"{_CODES}frequency/IRREG")),
            *common,
        )
        for form in forms:
            self.distribution(name, form)

    def distribution(self, dataset: str, form: _Form) -> None:
        """dct:license is said of all of its content alone: borders and values have terms of their own."""
        from rdflib import Literal, URIRef
        from rdflib.namespace import DCAT, DCTERMS, RDF, RDFS, XSD

        node = self.node(f"{dataset}-{form.name}")
        borders = self.release.licence_url or self.release.licence
        of_borders, of_values = licence_uri(borders), licence_uri(self.values_licence)
        needed = {of_values} | ({of_borders} if form.borders else set())
        licence = needed.pop() if len(needed) == 1 else None
        none = _("Der Betreiber nennt keine Lizenz.")
        said = [f"{_('Lizenz der Angaben')}: {self.values_licence or none}"]
        if form.borders:
            said.append(f"{_('Lizenz der Geometrie')}: {self.release.licence}")
        rights = self.node(f"{dataset}-{form.name}-rechte")
        self.says(rights, (RDF.type, DCTERMS.RightsStatement), (RDFS.label, self.text(" · ".join(said))))
        self.says(
            node,
            (RDF.type, DCAT.Distribution),
            (DCTERMS.title, self.text(form.title)),
            (DCAT.accessURL, URIRef(form.access)),
            (DCAT.downloadURL, URIRef(form.access) if form.download else None),
            (DCAT.mediaType, URIRef(f"{_MEDIA}{form.media}")),
            (DCTERMS.format, URIRef(f"{_CODES}file-type/{form.file_type}")),
            (DCTERMS.license, URIRef(licence) if licence else None),
            (DCTERMS.rights, rights),
            (DCTERMS.modified, Literal(self.version.changed_at.date(), datatype=XSD.date)),
            (
                self.de.licenseAttributionByText,
                self.text(self.release.attribution) if form.borders else None,
            ),
        )
        self.says(self.node(dataset), (DCAT.distribution, node))


def _marked(title: str, mark: str) -> str:
    return f"{title} ({mark})" if mark else title


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
