"""What open data portals and search engines read: DCAT-AP.de, schema.org, sitemap."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
import rdflib
from flask import Flask
from flask.testing import FlaskClient
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF

from mapservice import create_app
from mapservice.database import Database
from tests.entries import INTERNAL, add_entry
from tests.test_api import MUENSTER, fill

ROOT = "https://karten.example/ozg"
FORMS = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}
DCATDE = rdflib.Namespace("http://dcat-ap.de/def/dcatde/")
BY = "https://www.govdata.de/dl-de/by-2-0"


@pytest.fixture(scope="module")
def served(module_boundaries: Database) -> Iterator[Callable[..., FlaskClient]]:
    fill(module_boundaries)
    with module_boundaries.owner() as connection:
        add_entry(connection, MUENSTER, "10501", visibility=INTERNAL, url="https://geheim.example/")
    made: list[Flask] = []

    def make(**settings: Any) -> FlaskClient:
        chosen = {"public_url": ROOT, "publisher": "Amt <für> Karten", "contact_mail": "a@karten.example"}
        app = create_app(replace(module_boundaries.settings, **{**chosen, **settings}), module_boundaries)
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        app.extensions["mapservice"].versions.close()


def graphs(client: FlaskClient) -> dict[str, rdflib.Graph]:
    found = {}
    for ending, name in FORMS.items():
        response = client.get(f"/dcat.{ending}")
        assert response.status_code == 200, response.text
        assert "geheim" not in response.text
        found[ending] = rdflib.Graph().parse(data=response.data, format=name)
    return found


def test_the_three_forms_say_the_same_and_hold_what_dcat_ap_de_requires(
    served: Callable[..., FlaskClient],
) -> None:
    client = served(data_licence=BY, contributor_id="http://dcat-ap.de/def/contributors/beispiel")
    made = graphs(client)
    graph = made["ttl"]
    assert isomorphic(graph, made["rdf"])
    assert isomorphic(graph, made["jsonld"])
    (catalogue,) = graph.subjects(RDF.type, DCAT.Catalog)
    for required in (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.dataset):
        assert (catalogue, required, None) in graph
    assert graph.value(graph.value(catalogue, DCTERMS.publisher), FOAF.name) == rdflib.Literal(
        "Amt <für> Karten"
    )
    datasets = set(graph.subjects(RDF.type, DCAT.Dataset))
    assert datasets == set(graph.objects(catalogue, DCAT.dataset))
    assert len(datasets) == 5
    for dataset in datasets:
        for required in (
            *(DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCTERMS.issued, DCTERMS.modified),
            *(DCTERMS.spatial, DCTERMS.temporal, DCAT.theme, DCAT.contactPoint, DCAT.distribution),
            *(DCATDE.politicalGeocodingLevelURI, DCATDE.contributorID),
        ):
            assert (dataset, required, None) in graph, (dataset, required)
    distributions = set(graph.subjects(RDF.type, DCAT.Distribution))
    assert len(distributions) == 1 + 4 * 5
    for distribution in distributions:
        address = str(graph.value(distribution, DCAT.accessURL))
        assert address.startswith(f"{ROOT}/")
        if not address.endswith(".zip"):
            assert client.get(address.removeprefix(ROOT)).status_code == 200
        assert (distribution, DCTERMS.rights, None) in graph
        by_table = str(distribution).endswith("-csv")
        licence = graph.value(distribution, DCTERMS.license)
        assert by_table is not bool(list(graph.objects(distribution, DCATDE.licenseAttributionByText)))
        if by_table:
            assert str(licence) == "http://dcat-ap.de/def/licenses/dl-by-de/2.0"
    states = {str(item).rpartition("/")[2] for item in graph.objects(None, DCATDE.politicalGeocodingURI)}
    assert states == {"03", "04", "05", "07", "11"}


def test_no_licence_is_claimed_where_none_is_set(served: Callable[..., FlaskClient]) -> None:
    client = served(publisher=None, contact_mail=None)
    graph = graphs(client)["ttl"]
    assert not list(graph.triples((None, DCTERMS.license, None)))
    assert not list(graph.triples((None, DCAT.contactPoint, None)))
    assert "license" not in described(client, "/daten")
    assert b"@en" in client.get("/dcat.ttl?lang=en").data


def described(client: FlaskClient, path: str) -> dict[str, Any]:
    response = client.get(path)
    (found,) = re.findall(
        r'<script type="application/ld\+json" nonce="([^"]+)">(.*?)</script>', response.text
    )
    assert f"'nonce-{found[0]}'" in response.headers["Content-Security-Policy"]
    content: dict[str, Any] = json.loads(found[1])
    return content


@pytest.mark.parametrize("path", ["/", "/daten?lang=en"])
def test_pages_describe_the_dataset_for_search_engines(served: Callable[..., FlaskClient], path: str) -> None:
    content = described(served(data_licence=BY), path)
    assert content["@type"] == "Dataset"
    assert content["license"] == BY
    assert content["publisher"]["name"] == "Amt <für> Karten"
    assert {item["contentUrl"].startswith(f"{ROOT}/") for item in content["distribution"]} == {True}


def test_the_sitemap_names_pages_that_answer_in_both_languages(served: Callable[..., FlaskClient]) -> None:
    client = served()
    assert f"Sitemap: {ROOT}/sitemap.xml\n" in client.get("/robots.txt").text
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    root = ET.fromstring(client.get("/sitemap.xml").data)
    addresses = [str(item.findtext(f"{space}loc")) for item in root]
    assert len(addresses) == len(set(addresses))
    assert f"{ROOT}/gebiete/{MUENSTER}" in addresses
    for address in (*addresses[:12], *addresses[12::40]):
        response = client.get(urlsplit(address)._replace(scheme="", netloc="").geturl())
        assert response.status_code == 200, address
        language = "en" if "lang=en" in address else "de"
        assert f'<html lang="{language}"' in response.text
    for item in root:
        others = {
            link.get("hreflang"): link.get("href") for link in item.iter("{http://www.w3.org/1999/xhtml}link")
        }
        assert set(others) == {"de", "en"}
        assert item.findtext(f"{space}loc") in others.values()


def test_the_internal_view_is_for_no_index(served: Callable[..., FlaskClient]) -> None:
    client = served(view="internal")
    assert client.get("/sitemap.xml").status_code == 404
    assert "ld+json" not in client.get("/").text
    graphs(client)
