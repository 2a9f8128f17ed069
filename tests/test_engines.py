"""Other engines on the same data: the views of schema `portal`, a login for them, MapServer reading them."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from mapservice import cli, login_check, privileges
from mapservice.database import Database
from mapservice.postgres import Server
from tests.asking import client_of
from tests.conftest import TEMPLATE
from tests.entries import INTERNAL, add_entry, add_service
from tests.test_api import MUENSTER, TELGTE, WARENDORF, fill

LOGIN = "other_engine"
COESFELD = "055580000000"
SECRET = "eigen:geheim"
ROLES = privileges.Roles.of(TEMPLATE)
LEVELS = ["states", "districts", "associations", "municipalities"]
NO_DATA, NONE_ONLINE, ONE_ONLINE = (241, 241, 243), (247, 251, 255), (140, 191, 220)
MAPFILE = Path(__file__).resolve().parent.parent / "docs" / "ozg-landkarte.map"


@pytest.fixture(scope="module")
def filled(module_boundaries: Database) -> Database:
    """What test_api knows; and of Coesfeld, which agreed to nothing, entries that nobody outside may see."""
    fill(module_boundaries)
    with module_boundaries.owner() as connection:
        add_service(connection, SECRET, name="Geheime Leistung")
        add_entry(connection, COESFELD, "10500", url="https://geheim.example/")
        add_entry(connection, COESFELD, SECRET)
        add_entry(connection, MUENSTER, "10501", visibility=INTERNAL)
    return module_boundaries


@pytest.fixture(scope="module")
def url(server: Server, filled: Database) -> Iterator[str]:
    """The database's address for a login made by the statements that the command shows."""
    name = str(make_url(filled.urls.public).database)
    with server.connect(name) as connection:
        for statement in privileges.engine_login_statements(LOGIN, ROLES):
            connection.execute(statement.encode())
    yield server.url(LOGIN, name)
    with server.connect(name) as connection:
        connection.execute(f"DROP OWNED BY {LOGIN}; DROP ROLE {LOGIN}".encode())


@pytest.fixture(scope="module")
def client(filled: Database) -> Iterator[FlaskClient]:
    with client_of(filled) as client:
        yield client


def rows(url: str, statement: str) -> list[Any]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return list(connection.execute(text(statement)).mappings())


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scope", ["own", "available"])
def test_the_views_hold_the_numbers_of_the_interface(
    client: FlaskClient, url: str, level: str, scope: str
) -> None:
    answer = client.get(f"/api/layers/{level}.geojson?scope={scope}")
    expected = {feature["id"]: feature["properties"] for feature in json.loads(answer.data)["features"]}
    found = {row["key"]: row for row in rows(url, f"SELECT * FROM {level}")}
    assert found.keys() == expected.keys() != set()
    online, total, reason = (
        ("services_online", "services_total", "reason")
        if scope == "own"
        else ("available_online", "available_total", "available_reason")
    )
    for key, row in found.items():
        said = expected[key]
        assert (row[reason], row["authority"], row["name"]) == (
            said["value_reason"],
            said["authority"],
            said["name"],
        )
        if said["value_reason"] is None:
            assert (row[online], row[total]) == (said["services_online"], said["services_total"])
        else:
            assert row[online] is row[total] is None


@pytest.mark.parametrize(("slug", "key"), [("arbeit_ruhestand", "05515"), ("familie_kind", "05570")])
def test_the_counts_by_subject_area_are_those_of_the_filter(
    client: FlaskClient, url: str, slug: str, key: str
) -> None:
    answer = client.get(f"/api/layers/districts.geojson?subject={slug}")
    features = json.loads(answer.data)["features"]
    assert len(features) == 9
    for feature in features:
        said = feature["properties"]
        (row,) = rows(url, f"SELECT online_{slug} AS n FROM districts WHERE key = '{feature['id']}'")
        assert row["n"] == (said["services_online"] if said["value_reason"] is None else None)
    assert key in {feature["id"] for feature in json.loads(answer.data)["features"]}


def test_engines_detect_geometry_and_system(url: str) -> None:
    found = rows(url, "SELECT * FROM public.geometry_columns WHERE f_table_schema = 'portal'")
    assert {row["f_table_name"]: (row["f_geometry_column"], row["type"], row["srid"]) for row in found} == {
        **dict.fromkeys(LEVELS, ("geom", "MULTIPOLYGON", 4326)),
        "implementations": ("geom", "POINT", 4326),
    }
    for view in privileges.PORTAL_VIEWS:
        (counted,) = rows(url, f"SELECT count(*) AS n, count(DISTINCT id) AS ids FROM {view}")
        assert counted["n"] == counted["ids"] > 0


def test_the_login_sees_nothing_internal(url: str) -> None:
    """Neither entries of who agreed to nothing, nor services known from those alone."""
    entries = rows(url, "SELECT * FROM implementations")
    assert {row["authority"] for row in entries} == {MUENSTER, WARENDORF, TELGTE}
    assert len(entries) == 3
    (coesfeld,) = rows(url, "SELECT * FROM districts WHERE key = '05558'")
    assert (coesfeld["reason"], coesfeld["services_online"]) == ("no_data", None)
    everything = str([rows(url, f"SELECT * FROM {view}") for view in privileges.PORTAL_VIEWS])
    assert "eheim" not in everything
    with create_engine(url, poolclass=NullPool).connect() as connection:
        assert login_check.problems(connection) == []
    for statement in (
        "SELECT contact FROM public.implementation",
        "SELECT * FROM public.public_implementation",
        "SELECT * FROM public.import_run",
        "SELECT * FROM public.implementation_history",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            rows(url, statement)


def test_a_view_that_reads_as_its_owner_is_noticed(filled: Database, url: str) -> None:
    with filled.owner() as connection:
        connection.execute(text("ALTER VIEW portal.states SET (security_invoker = false)"))
    try:
        with create_engine(url, poolclass=NullPool).connect() as connection:
            assert any("states lesen" in reason for reason in login_check.problems(connection))
    finally:
        with filled.owner() as connection:
            connection.execute(text("ALTER VIEW portal.states SET (security_invoker = true)"))


# --- the command ------------------------------------------------------------------------------------


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli.cli, ["database", "login", *arguments])


def test_the_command_makes_a_login_and_touches_no_role_that_is_there(
    server: Server, command_environment: Database
) -> None:
    # The roles of a database in the tests are named after its template.
    admin = server.url("postgres", TEMPLATE)
    environment = {"MAPSERVICE_DATABASE_URL": server.url(ROLES.owner, TEMPLATE)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        refused = invoke("postgres", "--admin-url", admin)
        assert refused.exit_code == 1
        assert "gibt es schon" in refused.output
        assert invoke("Ärger").exit_code == 1
        assert "--admin-url" in invoke("qgis").output
        shown = invoke("qgis", "--print-sql")
        assert f'GRANT "{ROLES.public}" TO "qgis";' in shown.output
        try:
            made = invoke("qgis", "--admin-url", admin)
            assert made.exit_code == 0, made.output
            engine = create_engine(server.url("qgis", TEMPLATE), poolclass=NullPool)
            with engine.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM municipalities")).scalar_one() == 0
                assert login_check.problems(connection) == []
        finally:
            with server.connect() as connection:
                connection.execute(b"DROP ROLE IF EXISTS qgis")


# --- MapServer --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mapfile(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documented map file, with this database's address in the place of its example."""
    if shutil.which("mapserv") is None:
        pytest.skip("MapServer (Debian: mapserver-bin) is not installed")
    parsed = make_url(url)
    connection = (
        f"host={parsed.query['host']} port={parsed.query['port']} dbname={parsed.database} user={LOGIN}"
    )
    content = MAPFILE.read_text()
    example = "host=db.example dbname=karte user=mapserver"
    assert example in content
    path = tmp_path_factory.mktemp("mapserver") / "ozg-landkarte.map"
    path.write_text(content.replace(example, connection))
    path.with_name("mapserver.conf").write_text('CONFIG\n  ENV\n    MS_MAP_PATTERN "^/"\n  END\nEND\n')
    return path


def ask(mapfile: Path, query: str) -> tuple[str, bytes]:
    """Content type and body of MapServer's answer, run as a CGI program."""
    done = subprocess.run(
        ["mapserv"],
        env={
            "PATH": os.environ["PATH"],
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": query,
            "MS_MAPFILE": str(mapfile),
            "MAPSERVER_CONFIG_FILE": str(mapfile.with_name("mapserver.conf")),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SCRIPT_NAME": "/ozg",
        },
        capture_output=True,
        timeout=60,
        check=True,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return head.decode().lower(), body


def colours(png: bytes) -> set[Any]:
    """The colours of all its pixels."""
    found = Image.open(io.BytesIO(png)).convert("RGB").getcolors(1 << 24)
    return {colour for _count, colour in found or []}


@pytest.mark.parametrize("service", ["WMS", "WFS"])
def test_mapserver_says_what_it_offers(mapfile: Path, service: str) -> None:
    head, body = ask(mapfile, f"SERVICE={service}&REQUEST=GetCapabilities")
    assert "xml" in head
    for name in ("districts", "implementations"):
        assert f"<Name>{name}</Name>" in body.decode() or f"<Name>ms:{name}</Name>" in body.decode()


def test_mapserver_draws_a_wms_map(mapfile: Path) -> None:
    """One district has one service online, one reports nothing online, the others say nothing."""
    head, body = ask(
        mapfile,
        "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=districts&STYLES=&CRS=EPSG:25832"
        "&BBOX=340000,5700000,470000,5810000&WIDTH=400&HEIGHT=340&FORMAT=image/png",
    )
    assert "image/png" in head, body
    assert colours(body) >= {NO_DATA, NONE_ONLINE, ONE_ONLINE}


READ = """
import json, sys
import pyogrio
frame = pyogrio.read_dataframe(sys.argv[1], layer=sys.argv[2], use_arrow=False)
print(json.dumps({"names": sorted(map(str, frame[sys.argv[3]])), "bounds": list(frame.total_bounds)}))
"""


@pytest.mark.parametrize(
    ("layer", "column", "expected"),
    [("districts", "reason", 9), ("implementations", "authority_name", ["Münster", "Telgte", "Warendorf"])],
)
def test_gdal_reads_features_of_mapservers_wfs(
    mapfile: Path, tmp_path: Path, layer: str, column: str, expected: Any
) -> None:
    head, body = ask(mapfile, f"SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES=ms:{layer}")
    assert "gml" in head
    target = tmp_path / "answer.gml"
    target.write_bytes(body)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(target), layer, column],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["names"] == expected if isinstance(expected, list) else len(found["names"]) == expected
    assert b"eheim" not in body
