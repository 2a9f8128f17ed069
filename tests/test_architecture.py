"""The direction of imports that docs/architecture.md promises."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONGEST

PACKAGE = Path(__file__).resolve().parent.parent / "mapservice"
WEB = {
    "about",
    "addresses",
    "api",
    "area_pages",
    "assets",
    "basemap",
    "conditions",
    "coordination",
    "corrections",
    "dataset",
    "dataset_archive",
    "dataset_areas",
    "dataset_tables",
    "dcat",
    "downloads",
    "embedding",
    "entry_filters",
    "error_pages",
    "facets",
    "feature_pages",
    "filter_params",
    "features",
    "forms",
    "guards",
    "headers",
    "held",
    "held_levels",
    "i18n",
    "listings",
    "no_script",
    "mapview",
    "json_schemas",
    "ogc",
    "ogc_entries",
    "ogc_links",
    "openapi",
    "openapi_parameters",
    "openapi_schemas",
    "openapi_tiles",
    "outline",
    "pages",
    "papers",
    "params",
    "pictures",
    "portals",
    "profiles",
    "representations",
    "responses",
    "results",
    "search_pages",
    "schema_org",
    "service",
    "sheets",
    "single_features",
    "sitemap",
    "stale",
    "tables",
    "text_pages",
    "texts",
    "tile_matrices",
    "tile_style",
    "tiles",
    "tiles_ahead",
    "titles",
    "vocabulary",
}
REGISTER_TABLES = {"mapservice.register.tables", "mapservice.register.tables.RegisterEntry"}
GROUND = {"config", "domain", "errors", "paths", "indexes"}


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def own(path: Path) -> set[str]:
    """First parts of our own modules that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("mapservice.")}


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((PACKAGE / folder).glob("*.py"))]


def test_only_mapview_knows_folium() -> None:
    users = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if any(n.split(".")[0] == "folium" for n in imported(path))
    ]
    assert users == ["mapview.py"]


@pytest.mark.parametrize("path", modules("imports", "demo"), ids=lambda path: path.stem)
def test_importers_know_nothing_of_the_web(path: Path) -> None:
    assert not own(path) & WEB
    assert not {name.split(".")[0] for name in imported(path)} & {
        "flask",
        "flask_babel",
        "werkzeug",
        "jinja2",
    }


@pytest.mark.parametrize("path", modules("layers"), ids=lambda path: path.stem)
def test_layers_stand_on_models_alone(path: Path) -> None:
    # Of the register its tables alone, which stand on models as theirs do.
    assert {name for name in imported(path) if name.startswith("mapservice.register.")} <= REGISTER_TABLES
    assert own(path) <= {"domain", "errors", "models", "plans", "register", "seen", "tallies", "layers"}


@pytest.mark.parametrize("path", modules("search"), ids=lambda path: path.stem)
def test_search_stands_on_models_alone(path: Path) -> None:
    assert own(path) <= {"domain", "errors", "models", "search"}


@pytest.mark.parametrize("path", modules("register"), ids=lambda path: path.stem)
def test_the_register_stands_on_models_tallies_and_search(path: Path) -> None:
    assert own(path) <= {"domain", "errors", "models", "seen", "tallies", "search", "register"}


@pytest.mark.parametrize("name", ["domain", "errors", "models", "plans", "seen", "tallies", "database"])
def test_the_ground_floor_looks_down_only(name: str) -> None:
    assert own(PACKAGE / f"{name}.py") <= GROUND | {"models"}


@pytest.mark.parametrize("name", sorted(WEB))
def test_the_web_side_does_not_know_the_importers(name: str) -> None:
    path = PACKAGE / f"{name}.py"
    found = [own(file) for file in ([path] if path.exists() else modules(name))]
    assert found
    assert not set().union(*found) & {"imports", "commands", "cli", "cluster", "releases"}


@pytest.mark.parametrize("path", modules("drawing"), ids=lambda path: path.stem)
def test_the_drawing_process_knows_no_database_and_no_web(path: Path) -> None:
    assert own(path) <= {"drawing", "errors", "paths"}


def test_starting_the_web_side_loads_no_geometry_library() -> None:
    # shapely is not in the list: GeoAlchemy2 itself loads it where it is installed.
    code = (
        "import sys\n"
        "from mapservice import create_app\n"
        "from mapservice.config import DatabaseUrls, Settings\n"
        "from mapservice.database import Database\n"
        "settings = Settings()\n"
        "create_app(settings, Database(DatabaseUrls(None, None, 'postgresql+psycopg://x@/x'), settings))\n"
        "heavy = {'geopandas', 'pyogrio', 'pandas', 'pyproj', 'matplotlib', 'weasyprint'}\n"
        "print(*sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_file_does_too_many_jobs() -> None:
    long = {
        path.name: n
        for path in PACKAGE.rglob("*.py")
        if (n := len(path.read_text("utf-8").splitlines())) > 500
    }
    assert long == {}


def test_the_files_that_are_begun_first_are_there() -> None:
    assert [name for name in LONGEST if not (PACKAGE.parent / name).is_file()] == []
