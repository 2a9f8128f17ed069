"""What `/api/conformance` declares: exactly what tests cover, each requirement by a test of its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.ogc.asking import get

CLASSES = {
    "ogcapi-features-1/1.0/conf/core": (
        ("test_core", "test_core_features"),
        "root-op root-success api-definition-op api-definition-success conformance-op conformance-success "
        "http crs84 fc-md-op fc-md-success fc-md-links fc-md-items fc-md-items-links fc-md-extent sfc-md-op "
        "sfc-md-success fc-op fc-limit-definition fc-limit-response fc-bbox-definition fc-bbox-response "
        "fc-time-definition fc-time-response fc-response fc-links fc-rel-type fc-timeStamp fc-numberMatched "
        "fc-numberReturned f-op f-success f-links query-param-unknown query-param-invalid",
    ),
    "ogcapi-features-1/1.0/conf/geojson": (("test_geojson",), "definition content"),
    "ogcapi-features-1/1.0/conf/html": (("test_html",), "definition content"),
    "ogcapi-features-1/1.0/conf/oas30": (
        ("test_oas30",),
        "oas-definition-1 oas-definition-2 oas-impl completeness exceptions-codes security",
    ),
    "ogcapi-features-2/1.0/conf/crs": (
        ("test_crs",),
        "crs-uri fc-md-crs-list fc-md-crs-list-global fc-md-storageCrs fc-md-storageCrs-valid-value "
        "fc-crs-definition fc-crs-valid-value fc-crs-default-value fc-crs-action fc-bbox-crs-definition "
        "fc-bbox-crs-valid-value fc-bbox-crs-default-value fc-bbox-crs-action ogc-crs-header "
        "ogc-crs-header-value geojson",
    ),
    "ogcapi-features-3/1.0/conf/queryables": (
        ("test_part_3",),
        "queryables-link get-queryables-op get-queryables-response expression-construction",
    ),
    "ogcapi-features-3/1.0/conf/queryables-query-parameters": (("test_part_3",), "parameters"),
    "ogcapi-features-3/1.0/conf/filter": (
        ("test_part_3",),
        "filter-param filter-lang-param filter-lang-default expression-construction filter-crs-wgs84 "
        "filter-crs-param mixing-expressions response",
    ),
    "ogcapi-features-3/1.0/conf/features-filter": (("test_part_3",), "filter-on-items"),
    "cql2/1.0/conf/basic-cql2": (("test_cql2",), "basic-test comparison is-null boolean logical"),
    "cql2/1.0/conf/advanced-comparison-operators": (
        ("test_cql2",),
        "like-predicate between-predicate in-predicate",
    ),
    "cql2/1.0/conf/case-insensitive-comparison": (("test_cql2",), "casei-function"),
    "cql2/1.0/conf/basic-spatial-functions": (("test_cql2",), "spatial-predicate"),
    "cql2/1.0/conf/basic-spatial-functions-plus": (("test_cql2",), "spatial-data-types"),
    "cql2/1.0/conf/spatial-functions": (("test_cql2",), "spatial-functions"),
    "cql2/1.0/conf/property-property": (
        ("test_cql2",),
        "comparison-value-property comparison-property-property comparison-value-value",
    ),
    "cql2/1.0/conf/cql2-text": (("test_cql2",), "escaping validate"),
    "cql2/1.0/conf/cql2-json": (("test_cql2",), "validate"),
    "ogcapi-tiles-1/1.0/conf/core": (
        ("test_tile_classes",),
        "tc-op tc-tileMatrix-row-and-col-definition tc-success tc-error tiles-core-conformance-success",
    ),
    "ogcapi-tiles-1/1.0/conf/tileset": (("test_tile_classes",), "description"),
    "ogcapi-tiles-1/1.0/conf/tilesets-list": (("test_tile_classes",), "tileset-links"),
    "ogcapi-tiles-1/1.0/conf/geodata-tilesets": (("test_tile_classes",), "operation desc-links"),
    "ogcapi-tiles-1/1.0/conf/mvt": (("test_tile_classes",), "content"),
    "ogcapi-tiles-1/1.0/conf/oas30": (("test_tile_classes",), "tiles-completeness operation-id"),
}
"""By class: the files of its tests, and the requirements or abstract tests of the standard by their names."""
SPECIFICATIONS = "http://www.opengis.net/spec/"


def test_nothing_is_declared_that_no_test_covers(client: FlaskClient) -> None:
    """A class more would be a promise not kept, one less a client lost."""
    declared = get(client, "/api/conformance")["conformsTo"]
    assert sorted(declared) == sorted(SPECIFICATIONS + name for name in CLASSES)


def snake(requirement: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", requirement.replace("-", "_")).lower()


@pytest.mark.parametrize("name", CLASSES)
def test_each_requirement_has_a_test_of_its_name(name: str) -> None:
    """`test_<requirement>`, or with the class in front where two classes have requirements of one name."""
    files, requirements = CLASSES[name]
    found = set()
    for file in files:
        tree = ast.parse(Path(__file__).with_name(f"{file}.py").read_text())
        found |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    prefix = snake(name.rpartition("/")[2])
    for requirement in requirements.split():
        wanted = snake(requirement)
        assert {f"test_{wanted}", f"test_{prefix}_{wanted}"} & found, requirement
