"""The catalogue by the rules of DCAT-AP.de: what each class must and may have, how often, and of which kind.

A table of shapes and forty lines that check them stand in for SHACL: pyshacl would bring six packages, and
the shapes of DCAT-AP.de are no package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, RDFS, XSD
from rdflib.term import Node

from mapservice import create_app
from mapservice.database import Database
from tests.test_api import fill

ROOT = "https://karten.example/ozg"
DE = rdflib.Namespace("http://dcat-ap.de/def/dcatde/")
VCARD = rdflib.Namespace("http://www.w3.org/2006/vcard/ns#")
CODES = r"http://publications\.europa\.eu/resource/authority/"
CODING = r"http://dcat-ap\.de/def/politicalGeocoding/"
MANY = 1000


@dataclass(frozen=True)
class Rule:
    """least, most: how often. kind: of literals the datatypes, TEXT with a language or NAME without; of nodes
    their class, or the pattern of their address.
    """

    least: int
    most: int
    kind: Any


TEXT, NAME = "text", "name"
DATASET_THEME = CODES + r"data-theme/(AGRI|ECON|EDUC|ENER|ENVI|GOVE|HEAL|INTR|JUST|REGI|SOCI|TECH|TRAN)"
SHAPES: dict[Node, dict[Node, Rule]] = {
    DCAT.Catalog: {
        DCTERMS.title: Rule(1, MANY, TEXT),
        DCTERMS.description: Rule(1, MANY, TEXT),
        DCTERMS.publisher: Rule(1, 1, FOAF.Agent),
        DCAT.dataset: Rule(1, MANY, DCAT.Dataset),
        DCAT.service: Rule(0, MANY, DCAT.DataService),
        DCTERMS.language: Rule(0, MANY, CODES + r"language/[A-Z]{3}"),
        DCTERMS.issued: Rule(0, 1, (XSD.date, XSD.dateTime)),
        DCTERMS.modified: Rule(0, 1, (XSD.date, XSD.dateTime)),
        DCAT.themeTaxonomy: Rule(0, MANY, CODES + "data-theme"),
        FOAF.homepage: Rule(0, 1, ROOT + "/.*"),
    },
    DCAT.Dataset: {
        DCTERMS.title: Rule(1, MANY, TEXT),
        DCTERMS.description: Rule(1, MANY, TEXT),
        DE.contributorID: Rule(1, MANY, r"http://dcat-ap\.de/def/contributors/.+"),
        DCAT.theme: Rule(1, MANY, DATASET_THEME),
        DCAT.contactPoint: Rule(1, MANY, VCARD.Organization),
        DCTERMS.publisher: Rule(1, 1, FOAF.Agent),
        DCAT.distribution: Rule(1, MANY, DCAT.Distribution),
        DCAT.keyword: Rule(1, MANY, TEXT),
        DCTERMS.identifier: Rule(1, MANY, NAME),
        DCTERMS.issued: Rule(1, 1, (XSD.date, XSD.dateTime)),
        DCTERMS.modified: Rule(1, 1, (XSD.date, XSD.dateTime)),
        DCTERMS.language: Rule(0, MANY, CODES + r"language/[A-Z]{3}"),
        DCTERMS.spatial: Rule(1, MANY, DCTERMS.Location),
        DCTERMS.temporal: Rule(1, MANY, DCTERMS.PeriodOfTime),
        DCTERMS.accessRights: Rule(0, 1, CODES + r"access-right/(PUBLIC|RESTRICTED|NON_PUBLIC)"),
        DCTERMS.accrualPeriodicity: Rule(0, 1, CODES + r"frequency/[A-Z_]+"),
        DCAT.landingPage: Rule(0, MANY, ROOT + "/.*"),
        DE.politicalGeocodingLevelURI: Rule(
            1, MANY, CODING + "Level/(federal|state|administrativeDistrict|municipality)"
        ),
        DE.politicalGeocodingURI: Rule(1, MANY, CODING + "stateKey/[0-9]{2}"),
    },
    DCAT.Distribution: {
        DCAT.accessURL: Rule(1, MANY, ROOT + "/.*"),
        DCAT.downloadURL: Rule(0, MANY, ROOT + "/.*"),
        DCTERMS.title: Rule(0, MANY, TEXT),
        DCTERMS.format: Rule(1, 1, CODES + r"file-type/(ZIP|GEOJSON|GPKG|CSV|JSON)"),
        DCAT.mediaType: Rule(1, 1, r"https://www\.iana\.org/assignments/media-types/[a-z]+/[a-z0-9.+-]+"),
        DCTERMS.license: Rule(0, 1, r"http://dcat-ap\.de/def/licenses/[a-z0-9./-]+|https?://.+"),
        DCTERMS.rights: Rule(1, 1, DCTERMS.RightsStatement),
        DCTERMS.modified: Rule(0, 1, (XSD.date, XSD.dateTime)),
        DE.licenseAttributionByText: Rule(0, MANY, TEXT),
        DCAT.accessService: Rule(0, MANY, DCAT.DataService),
    },
    DCAT.DataService: {
        DCTERMS.title: Rule(1, MANY, TEXT),
        DCAT.endpointURL: Rule(1, MANY, ROOT + r"/api(\?lang=en)?"),
        DCAT.endpointDescription: Rule(0, MANY, ROOT + r"/api/openapi\.json(\?lang=en)?"),
        DCAT.servesDataset: Rule(1, MANY, DCAT.Dataset),
        DCTERMS.publisher: Rule(0, 1, FOAF.Agent),
        DCAT.contactPoint: Rule(0, MANY, VCARD.Organization),
    },
    FOAF.Agent: {FOAF.name: Rule(1, MANY, NAME)},
    VCARD.Organization: {VCARD.fn: Rule(1, 1, NAME), VCARD.hasEmail: Rule(1, MANY, "mailto:.+@.+")},
    DCTERMS.Location: {
        DCAT.bbox: Rule(1, 1, rdflib.URIRef("http://www.opengis.net/ont/geosparql#wktLiteral"))
    },
    DCTERMS.PeriodOfTime: {DCAT.startDate: Rule(1, 1, (XSD.date,)), DCAT.endDate: Rule(1, 1, (XSD.date,))},
    DCTERMS.RightsStatement: {RDFS.label: Rule(1, MANY, TEXT)},
}


def is_of(graph: rdflib.Graph, value: Node, kind: Any) -> bool:
    if kind in (TEXT, NAME) or isinstance(kind, tuple) or str(kind).endswith("wktLiteral"):
        if not isinstance(value, rdflib.Literal) or not str(value).strip():
            return False
        if kind == TEXT:
            return value.language in ("de", "en")
        return kind == NAME or value.datatype in (kind if isinstance(kind, tuple) else (kind,))
    if not isinstance(value, rdflib.URIRef) or re.search(r"[\s<>\"{}|\\^`]", value):
        return False
    if isinstance(kind, rdflib.URIRef):
        return (value, RDF.type, kind) in graph
    return re.fullmatch(kind, value) is not None


def faults(graph: rdflib.Graph) -> Iterator[str]:
    """What a catalogue has against the rules, in words."""
    for subject in set(graph.subjects()):
        classes = list(graph.objects(subject, RDF.type))
        if len(classes) != 1 or classes[0] not in SHAPES:
            yield f"{subject} is of {classes}"
            continue
        shape = SHAPES[classes[0]]
        for predicate in set(graph.predicates(subject)) - {RDF.type} - shape.keys():
            yield f"{subject} says {predicate}"
        for predicate, rule in shape.items():
            values = list(graph.objects(subject, predicate))
            if not rule.least <= len(values) <= rule.most:
                yield f"{subject} has {len(values)} × {predicate}"
            yield from (
                f"{subject} {predicate} {value!r}" for value in values if not is_of(graph, value, rule.kind)
            )


Catalogue = Callable[..., rdflib.Graph]


@pytest.fixture(scope="module")
def catalogue(module_boundaries: Database) -> Iterator[Catalogue]:
    fill(module_boundaries)
    made = []

    def read(query: str = "", **settings: Any) -> rdflib.Graph:
        chosen = {
            "public_url": ROOT,
            "publisher": "Amt für Karten",
            "contact_mail": "a@karten.example",
            "contributor_id": "http://dcat-ap.de/def/contributors/beispiel",
        }
        app = create_app(replace(module_boundaries.settings, **{**chosen, **settings}), module_boundaries)
        made.append(app)
        response = app.test_client().get(f"/dcat.ttl{query}")
        assert response.status_code == 200
        return rdflib.Graph().parse(data=response.data, format="turtle")

    yield read
    for app in made:
        app.extensions["mapservice"].versions.close()


@pytest.mark.parametrize("query", ["", "?lang=en"])
@pytest.mark.parametrize("licence", [None, "https://www.govdata.de/dl-de/by-2-0", "auf Anfrage"])
def test_the_catalogue_keeps_the_rules(catalogue: Catalogue, query: str, licence: str | None) -> None:
    graph = catalogue(query, data_licence=licence)
    assert sorted(faults(graph)) == []
    assert {str(kind) for kind in graph.objects(None, RDF.type)} == {str(kind) for kind in SHAPES}


def test_no_part_hangs_in_the_air(catalogue: Catalogue) -> None:
    """Every node is reached from the one catalogue, and every address of ours that is named is described."""
    graph = catalogue()
    (start,) = graph.subjects(RDF.type, DCAT.Catalog)
    reached, waiting = {start}, [start]
    while waiting:
        found = set(graph.objects(waiting.pop(), None)) - reached
        reached |= found
        waiting += [node for node in found if isinstance(node, rdflib.URIRef)]
    assert set(graph.subjects()) <= reached
    ours = {node for node in graph.objects() if isinstance(node, rdflib.URIRef) and "#" in node}
    assert {node for node in ours if node.startswith(ROOT)} <= set(graph.subjects())


@pytest.mark.parametrize(
    ("setting", "said"),
    [("contributor_id", DE.contributorID), ("contact_mail", DCAT.contactPoint)],
)
def test_what_the_operator_has_to_set_is_found_missing(
    catalogue: Catalogue, setting: str, said: rdflib.URIRef
) -> None:
    """The check is able to fail: without these settings the datasets lack what the portals ask for."""
    found = list(faults(catalogue(**{setting: None})))
    assert len(found) == 5
    assert all(f"has 0 × {said}" in fault for fault in found)
