"""The public data set: what is in it, that nothing else is, and that it imports again as the same map."""

from __future__ import annotations

import csv
import io
import shlex
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from mapservice import create_app
from mapservice.cli import cli
from mapservice.database import Database
from mapservice.domain import Audience
from mapservice.imports.authorities import import_authorities
from mapservice.imports.catalogue import import_catalogue
from mapservice.imports.implementations import import_implementations
from mapservice.imports.solutions import import_solutions
from mapservice.models import Implementation, Solution
from mapservice.publication import publish
from tests.entries import PARTNERS, add_entry, add_service, change_entry, set_publication

MUENSTER, WARENDORF, TELGTE, NRW, FEDERATION = (
    "055150000000",
    "055700000000",
    "055700044044",
    "050000000000",
    "000000000000",
)
EVIL = '=HYPERLINK("https://boese.example";"x")'
NOTE = '"Zeile; ""quoted"" Ende"'
QUOTED = '"=HYPERLINK(""https://boese.example"";""x"")"'
ADDRESS = "/daten/ozg-landkarte.zip"
QUERIES = (
    "districts?",
    "states?scope=available",
    "municipalities?scope=available&subject=familie_kind",
    "associations?measure=share&status=online&status=planned",
    "municipalities?service=99115005012000&scope=available",
    "districts?service=eigen:Hund %26 Katze – ÄÖÜß&measure=status",
    "districts?service=10502&measure=share",
    "states?service=10500&measure=spread&scope=available",
    "districts?service=10509&measure=status",
)

CATALOGUE = """themenfeld;lage;ozg_id;ozg_leistung;leika_schluessel;leika_leistung;leika_typ;zustaendig
Recht & Ordnung;Umzug;10500;Wohnsitzmeldungen;99115005012000;Anmeldung;2/3;Gemeinde
Recht & Ordnung;Umzug;10500;Wohnsitzmeldungen;nicht im LeiKa;Etwas anderes;;
Familie & Kind;Geburt;10501;Elterngeld;99041004017000;Bewilligung;1;
Familie & Kind;Betreuung;10502;Kindertagesbetreuung;;;;Kreis|kreisfreie Stadt|Gemeinde
Querschnitt;;10503;-1+2 „Zeichen“;;;;
;;;;99999999999999;Ohne Bündel;4;
"""
FORMER = "Umwelt;Müll;10509;Abgelöst;;;;\n"
ENTRIES = f"""ars;leistung;kennung;status;url;loesungsart;loesung;reifegradmodell;reifegrad;nachnutzbar;\
nachnutzung_hinweis;kontakt;kontakt_art;online_seit;geplant_bis;stand;quelle;sichtbarkeit;gilt_fuer;fachverfahren;\
vertrauensniveau
{MUENSTER};10500;;online;https://demo.example/ä?a=1;EfA;@Lösung;2.0;7;ja;{NOTE};amt@demo.example;\
funktion;2025-06-01;;2026-01-02;{QUOTED};öffentlich;;'=Verfahren;hoch
{MUENSTER};99115005012000;zwei;in Planung;;;@lösung;1.1;0;nein;;chef@demo.example;person;;2027-12-31;;+9 <b>;\
öffentlich;;;ohne
{WARENDORF};eigen:Hund & Katze – ÄÖÜß;;online;;Fachverfahren;;;;;;;;;;;;öffentlich;;;
{WARENDORF};10502;;in Umsetzung;;;;;;;;;;;;;;öffentlich;{TELGTE}|{MUENSTER};;
{WARENDORF};10509;;offen;;;;;;;;;;;;;;öffentlich;;;
{TELGTE};10503;'=-x;nicht zuständig;;;;;;;;;;;;;;öffentlich;;;niedrig
{NRW};10501;;online;;;;;;;;;;;;;;öffentlich;05570;;
{FEDERATION};10501;;geplant;;;;;;;;;;;;;;öffentlich;;;
05558;10500;;online;https://geheim.example/;;Geheimprodukt;;;;;;;;;;;öffentlich;;;
{MUENSTER};10503;;online;https://intern.example/;;Internes;;;;;;;;;;;intern;;;
"""
SOLUTIONS = """loesung;plattform;bereitgestellt_von;nachnutzbar;bedingungen;kosten;fachverfahren;\
vertrauensniveau;bestaetigt_am;sichtbarkeit
@Lösung;'=Plattform;05515;ja;"Beitritt; Vertrag";keine;@Verfahren;hoch;2026-03-04;öffentlich
Von niemandem genutzt;;055700044044;nein;;;;;;öffentlich
Geheimprodukt;Geheimplattform;05515;ja;;;;;;intern
Von Ungenannten;Verborgen;05558;;;;;;;öffentlich
"""
AUTHORITIES = """ars;einwohner;plz;webseite;serviceportal;kontakt;kontakt_art
05515;310039;48143;https://stadt.example;;+stelle@stadt.example;funktion
055700044044;19000;48291;;https://portal.example/?q=ä;person@stadt.example;person
"""


@pytest.fixture(scope="module")
def filled(module_boundaries: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Filled by the importers themselves: an authority that is not published, an entry that is internal."""
    folder = tmp_path_factory.mktemp("files")
    for name, text in {
        "first.csv": CATALOGUE + FORMER,
        "catalogue.csv": CATALOGUE,
        "authorities.csv": AUTHORITIES,
        "entries.csv": ENTRIES,
        "solutions.csv": SOLUTIONS,
    }.items():
        (folder / name).write_text(text, "utf-8")
    import_catalogue(module_boundaries, [folder / "first.csv"])
    result = import_implementations(module_boundaries, [folder / "entries.csv"])
    assert result.counts.rejected == 0, result.lines
    import_catalogue(module_boundaries, [folder / "catalogue.csv"])
    assert import_authorities(module_boundaries, [folder / "authorities.csv"]).counts.rejected == 0
    assert import_solutions(module_boundaries, [folder / "solutions.csv"]).counts.rejected == 0
    publish(module_boundaries, [MUENSTER, WARENDORF, TELGTE, NRW, FEDERATION])
    return module_boundaries


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[..., FlaskClient]]:
    made: list[Flask] = []

    def make(database: Database, **settings: Any) -> FlaskClient:
        settings = {"state_dir": tmp_path / "state", **settings}
        app = create_app(replace(database.settings, **settings), database)
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        app.extensions["mapservice"].versions.close()


def archive_of(client: FlaskClient) -> zipfile.ZipFile:
    response = client.get(ADDRESS)
    assert response.status_code == 200, response.text[:500]
    assert response.mimetype == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(response.data))
    assert archive.testzip() is None
    return archive


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    text = archive.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def commands(archive: zipfile.ZipFile) -> list[list[str]]:
    """The commands that the archive itself names, without the program's name."""
    block = archive.read("LIESMICH.md").decode().split("```")[1]
    return [shlex.split(line)[1:] for line in block.strip().splitlines()]


def run(arguments: list[str]) -> str:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (arguments, done.output)
    return done.output


def entries(database: Database) -> list[tuple[Any, ...]]:
    """Every public entry with all that it says, by its id, which does not depend on the database."""
    names = [
        column
        for column in Implementation.__table__.c
        if column.name
        not in {"authority_id", "service_id", "solution_id", "valid_for", "import_run_id", "valid_from"}
        and column.name not in {"contact", "contact_kind", "visibility"}
    ]
    with database.reader(Audience.PUBLIC) as connection:
        statement = select(*names, func.lower(Solution.name)).join(
            Solution, Solution.id == Implementation.solution_id, isouter=True
        )
        return [tuple(row) for row in connection.execute(statement.order_by(Implementation.id))]


def test_it_imports_again_as_the_same_map(
    filled: Database,
    command_environment: Database,
    make_client: Callable[..., FlaskClient],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = make_client(filled)
    archive = archive_of(client)
    archive.extractall(tmp_path / "entpackt")
    monkeypatch.chdir(tmp_path / "entpackt")
    for arguments in commands(archive):
        run(arguments)
    again = make_client(command_environment, state_dir=tmp_path / "state-2")
    for query in QUERIES:
        level, _, filters = query.partition("?")
        answers = [c.get(f"/api/values/{level}?format=array&{filters}").get_json() for c in (client, again)]
        assert answers[0]["n"] == answers[1]["n"], query
        assert answers[0]["of"] == answers[1]["of"], query
        assert any(n is not None and n >= 0 for n in answers[0]["n"]), query
    assert entries(command_environment) == entries(filled)
    assert len(entries(filled)) == 8
    second = archive_of(again)
    solutions = table(archive, "loesungen.csv")
    assert [row["loesung"] for row in solutions] == ["'@Lösung", "Von niemandem genutzt"]
    kept = ("katalog.csv", "behoerden.csv", "umsetzungen.csv", "loesungen.csv", "katalog-mit-abgeloesten.csv")
    for name in kept:
        assert second.read(name) == archive.read(name), name
    said = {"attribution", "attribution_url", "geometry_licence", "geometry_licence_url", "boundaries_as_of"}
    first, then = (c.get("/api/layers/states.geojson").get_json() for c in (client, again))
    assert {name: first[name] for name in said} == {name: then[name] for name in said}


@pytest.mark.parametrize("view", ["public", "internal"])
def test_nothing_internal_is_in_it(
    filled: Database, make_client: Callable[..., FlaskClient], view: str
) -> None:
    archive = archive_of(make_client(filled, view=view))
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "replace")
    for hidden in ("geheim.example", "intern.example", "Geheimprodukt", "chef@", "person@"):
        assert hidden not in everything
    rows = table(archive, "umsetzungen.csv")
    assert len(rows) == 8
    assert {row["sichtbarkeit"] for row in rows} == {"öffentlich"}
    assert [row["kontakt"] for row in rows if row["kontakt"]] == ["amt@demo.example"]


def test_no_cell_is_a_formula(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    archive = archive_of(make_client(filled))
    for name in ("katalog.csv", "behoerden.csv", "umsetzungen.csv"):
        rows = table(archive, name)
        assert rows
        for row in rows:
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
    muenster = table(archive, "umsetzungen.csv")[-1]
    assert any(row["quelle"] == "'" + EVIL for row in table(archive, "umsetzungen.csv")), muenster


def test_the_geopackage_has_the_numbers_of_the_map(
    filled: Database, make_client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    client = make_client(filled)
    archive_of(client).extract("gebiete.gpkg", tmp_path)
    layers = [name for name, _ in pyogrio.list_layers(tmp_path / "gebiete.gpkg")]
    assert layers == ["lan", "krs", "vwg", "gem"]
    frame = pyogrio.read_dataframe(tmp_path / "gebiete.gpkg", layer="krs").set_index("ars")
    assert len(frame) == 9
    assert frame.geometry.is_valid.all()
    assert frame.crs.to_epsg() == 4326
    keyed = client.get("/api/values/districts").get_json()
    assert frame.leistungen_online.dropna().to_dict() == keyed["values"]
    subject = client.get("/api/values/districts?subject=recht_ordnung").get_json()
    assert frame.recht_ordnung_online.dropna().to_dict() == subject["values"]
    assert frame.ohne_wert_weil["05558"] == "keine Angaben"
    assert frame.ewz["05515"] == 310039


def test_a_file_is_kept_for_a_version_and_replaced_with_the_next(
    boundaries_loaded: Database, make_client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500")
        set_publication(connection, MUENSTER)
        entry = add_entry(connection, MUENSTER, "10500")
    client = make_client(boundaries_loaded)
    folder = tmp_path / "state" / "datensatz"
    (folder).mkdir(parents=True)
    (folder / "new.part").write_bytes(b"left by a process that was killed")
    first = client.get(ADDRESS)
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert first.headers["Content-Disposition"] == "attachment; filename=ozg-landkarte.zip"
    (kept,) = folder.glob("*.zip")
    made = kept.stat().st_mtime_ns
    etag = first.headers["ETag"]
    assert client.get(ADDRESS, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(ADDRESS + "?lang=en").data == first.data
    assert kept.stat().st_mtime_ns == made
    assert len(table(zipfile.ZipFile(io.BytesIO(first.data)), "umsetzungen.csv")) == 1
    with boundaries_loaded.owner() as connection:
        change_entry(connection, entry, visibility=PARTNERS)
    client.application.extensions["mapservice"].versions.close()  # asks the database from now on
    second = make_client(boundaries_loaded).get(ADDRESS)
    assert second.headers["ETag"] != etag
    assert table(zipfile.ZipFile(io.BytesIO(second.data)), "umsetzungen.csv") == []
    assert len(list(folder.glob("*.zip"))) == 1
    assert not list(folder.glob("*.part*"))


def test_licences_are_stated_or_said_to_be_missing(
    filled: Database, make_client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    text = archive_of(make_client(filled)).read("LIZENZEN.md").decode()
    assert "Der Betreiber nennt keine Lizenz" in text
    assert "BKG" in text
    client = make_client(
        filled, state_dir=tmp_path / "other", data_licence="https://www.govdata.de/dl-de/by-2-0"
    )
    assert "https://www.govdata.de/dl-de/by-2-0" in archive_of(client).read("LIZENZEN.md").decode()
    assert ADDRESS in client.get("/daten").text


def test_made_up_data_say_so_and_are_taken_for_no_real_ones(
    boundaries_loaded: Database, make_client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    with boundaries_loaded.owner() as connection:
        add_service(connection, "10500", demonstration=True)
        add_entry(connection, MUENSTER, "10500", demonstration=True)
    archive = archive_of(make_client(boundaries_loaded))
    assert "Demonstrationsdaten: frei erfunden" in archive.read("LIESMICH.md").decode()
    assert {row["demonstrationsdaten"] for row in table(archive, "umsetzungen.csv")} == {"frei erfunden"}
    assert commands(archive)[1:] == [["demo", "load"]]
    archive.extractall(tmp_path)
    for name, read in (("umsetzungen.csv", import_implementations), ("katalog.csv", import_catalogue)):
        with pytest.raises(Exception, match="frei erfunden"):
            read(boundaries_loaded, [tmp_path / name])
