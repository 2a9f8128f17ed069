"""Broken files, as offices deliver them: each is refused in German, and not one row of a table changes."""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, text

from mapservice.cli import cli
from mapservice.database import Database
from mapservice.domain import ags_of
from mapservice.imports.authorities import import_authorities
from mapservice.imports.catalogue import import_catalogue
from mapservice.imports.implementations import import_implementations
from mapservice.imports.report import driver
from mapservice.models import Authority
from tests.boundary_fixture import SMALL
from tests.geojson_files import SQUARE, feature, geojson, shifted
from tests.places import CATALOGUE, FORMER, MUENSTER

BOUNDARY_OPTIONS = [
    *("--date", "2025-12-31", "--attribution", "© Kreis X", "--licence", "dl-de/zero-2-0"),
    *("--level", "municipality"),
]
IMPLEMENTATIONS = "ars;leistung;status\n"
AUTHORITIES = "ars;einwohner;kontakt\n"
CATALOGUE_HEADER, CATALOGUE_ROW = CATALOGUE.splitlines(keepends=True)[:2]

Make = Callable[[Path], Path]


# --- files ------------------------------------------------------------------------------------------------


def file(name: str, content: str | bytes) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def csv(*rows: str, header: str = IMPLEMENTATIONS) -> Make:
    return file("tabelle.csv", header + "".join(f"{row}\n" for row in rows))


def big_cell(folder: Path) -> Path:
    """A cell of 100 MB, of lines short enough to be lines."""
    path = folder / "gross.csv"
    block = ("x" * 999 + "\n") * 1000
    with path.open("w") as out:
        out.write(f'{IMPLEMENTATIONS}{MUENSTER};10000;"')
        for _ in range(100):
            out.write(block)
        out.write('"\n')
    return path


def packed(name: str, **members: bytes) -> Make:
    """A ZIP; in names of members `up` is .. and __ is /."""

    def make(folder: Path) -> Path:
        path = folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(member.replace("__", "/").replace("up/", "../").replace("_DOT_", "."), data)
        return path

    return make


def changed(make: Make, change: Callable[[bytearray], bytes | bytearray]) -> Make:
    """The file with its bytes changed."""

    def make_changed(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(change(bytearray(path.read_bytes())))
        return path

    return make_changed


def members(data: bytearray, local: int, central: int) -> Iterator[int]:
    """Where a field stands in the heads of each member of an archive, by its offset in both kinds of them."""
    for signature, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        for head in re.finditer(re.escape(signature), data):
            yield head.start() + offset


def encrypt(data: bytearray) -> bytearray:
    """The archive with the mark of encryption at every member."""
    for place in members(data, 6, 8):
        data[place] |= 1
    return data


def pack_unheard_of(data: bytearray) -> bytearray:
    """The archive with the number of a way to pack that there is not, at every member."""
    for place in members(data, 8, 10):
        data[place] = 77
    return data


def flip(start: int, end: int) -> Callable[[bytearray], bytearray]:
    def change(data: bytearray) -> bytearray:
        data[start:end] = bytes(byte ^ 0xFF for byte in data[start:end])
        return data

    return change


def xlsx(*rows: list[Any]) -> Make:
    def make(folder: Path) -> Path:
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in rows:
            book.active.append(row)
        book.save(folder / "tabelle.xlsx")
        return folder / "tabelle.xlsx"

    return make


def flip_sheet(data: bytearray) -> bytearray:
    """Damage the packed bytes of the first sheet."""
    start = data.find(b"xl/worksheets/sheet1.xml") + 40
    return flip(start, start + 60)(data)


def small_boundaries(folder: Path) -> Path:
    return Path(shutil.copy(SMALL, folder / "grenzen.zip"))


def folder_named(name: str) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        return folder / name

    return make


def areas(*features: dict[str, Any]) -> Make:
    return lambda folder: geojson(folder / "grenzen.geojson", *features)


def one(*arguments: Any, **options: Any) -> Make:
    return areas(feature(*arguments, **options))


def shapefile_without_crs(folder: Path) -> Path:
    import pyogrio

    source = one("055700044044")(folder)
    pyogrio.write_dataframe(pyogrio.read_dataframe(source), folder / "a.shp")
    (folder / "a.prj").unlink()
    return folder / "a.shp"


# --- the table --------------------------------------------------------------------------------------------

HTML = "<!DOCTYPE html><html><body>Seite nicht gefunden</body></html>"
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
GOOD_XLSX = xlsx(["ars", "leistung", "status"], *([MUENSTER, "10000", f"online {n}"] for n in range(500)))

CASES: dict[str, tuple[str, Make, str]] = {
    # implementations
    "neither encoding": (
        "implementations",
        file("a.csv", IMPLEMENTATIONS.encode() + b"1;2;\x81\x8d\n"),
        "weder UTF-8",
    ),
    "bytes after a mark": (
        "implementations",
        file("a.csv", b"\xef\xbb\xbf" + IMPLEMENTATIONS.encode() + b"1;2;nicht zust\xe4ndig\n"),
        "kein UTF-8",
    ),
    "zeros lost within": ("implementations", csv("570028;10000;online"), "6 Ziffern"),
    "key as exponent": ("implementations", csv("5,57E+10;10000;online"), "Ziffern sind verloren"),
    "service as exponent": ("implementations", csv(f"{MUENSTER};9.9012E+13;online"), "Ziffern sind verloren"),
    "former municipality": ("implementations", csv(f"{FORMER};10000;online"), "früherer Schlüssel: Altdorf"),
    "unknown municipality": (
        "implementations",
        csv("055709999999;10000;online"),
        "unbekannter Schlüssel im Gebietsstand VG250 vom 01.01.2016;",
    ),
    "missing column": ("implementations", file("a.csv", "ars;leistung\n1;2\n"), "Es fehlt die Spalte status"),
    "no header": (
        "implementations",
        file("a.csv", f"{MUENSTER};10000;online\n"),
        "Es fehlt jede der Spalten",
    ),
    "column twice": (
        "implementations",
        csv(f"{MUENSTER};1;a;b", header="ars;leistung;status;Status\n"),
        "steht mehrmals",
    ),
    "zero bytes": ("implementations", csv(f"{MUENSTER};10000;on\0line"), "Null-Bytes"),
    "empty file": ("implementations", file("a.csv", ""), "ist leer"),
    "web page": ("implementations", file("a.csv", HTML), "eine Webseite"),
    "json lines": (
        "implementations",
        file("a.jsonl", f'{{"ars": "{MUENSTER}", "status": "online"}}\n' * 3),
        "Es fehlt jede der Spalten",
    ),
    "open quote": (
        "implementations",
        csv(f"{MUENSTER};10000;online", f'{MUENSTER};10117;"online', f"{MUENSTER};10119;online"),
        "nicht geschlossen",
    ),
    "cell of 100 MB": ("implementations", big_cell, "131072 Zeichen"),
    "huge line": ("implementations", csv("x" * 1_100_000), "1000000 Zeichen"),
    "formulas": ("implementations", csv(f'{MUENSTER};10000;"=HYPERLINK(""http://x"")"'), "»=HYPERLINK"),
    "formulas never computed": (
        "implementations",
        xlsx(["ars", "leistung", "status"], [MUENSTER, "10000", "=A1"]),
        "Zeile 2, status »=A1«",
    ),
    "no matching sheet": ("implementations", xlsx(["Hinweise", "zum Ausfüllen"]), "Durchsucht: »Sheet«"),
    "old excel": ("implementations", file("a.xls", b"\xd0\xcf\x11\xe0" + b"x" * 600), "alten Excel-Format"),
    "truncated xlsx": ("implementations", changed(GOOD_XLSX, lambda data: data[:-300]), "beschädigt"),
    "corrupt xlsx": ("implementations", changed(GOOD_XLSX, flip_sheet), "beschädigt"),
    "encrypted xlsx": ("implementations", changed(GOOD_XLSX, encrypt), "mit Kennwort geschützt"),
    "xlsx packed in a way that nobody knows": (
        "implementations",
        changed(GOOD_XLSX, pack_unheard_of),
        "beschädigt",
    ),
    "xlsx bomb": (
        "implementations",
        packed("a.xlsx", xl__workbook_DOT_xml=b"", sheet=bytes(60 << 20)),
        "würde entpackt",
    ),
    "xlsx leaving its folder": (
        "implementations",
        packed("a.xlsx", up__evil=b"x", xl__workbook_DOT_xml=b""),
        "aus dem Archiv hinausführt",
    ),
    "broken ods": (
        "implementations",
        packed("a.ods", mimetype=ODS, content_DOT_xml=b"<office:document-content><table"),
        "beschädigt",
    ),
    "catalogue as implementations": ("implementations", file("a.csv", CATALOGUE), "Es fehl"),
    # catalogue
    "catalogue of pdf": ("catalogue", file("k.pdf", b"%PDF-1.7"), "ein PDF"),
    "implementations as catalogue": ("catalogue", csv(f"{MUENSTER};10000;online"), "Es fehl"),
    "catalogue of an unknown area": (
        "catalogue",
        csv("Hobby;;10000;Elterngeld;;;;", header=CATALOGUE_HEADER),
        "Keine Zeile ist verwendbar",
    ),
    "catalogue with lost zeros": (
        "catalogue",
        csv(CATALOGUE_ROW.replace("99041009000000", "99041009").strip(), header=CATALOGUE_HEADER),
        "Keine Zeile ist verwendbar",
    ),
    "truncated catalogue": ("catalogue", changed(GOOD_XLSX, lambda data: data[:2000]), "beschädigt"),
    # authorities
    "implementations as authorities": (
        "authorities",
        csv(
            f"{MUENSTER};10000;online;erika@a.example;1",
            header="ars;leistung;status;kontakt;einwohner\n",
        ),
        "mapservice import implementations",
    ),
    "authorities without a column": ("authorities", file("a.csv", f"ars;name\n{MUENSTER};M\n"), "Neben ars"),
    "authorities of another kind": (
        "authorities",
        csv(f"{MUENSTER};viele;", header=AUTHORITIES),
        "keine ganze",
    ),
    "register without municipalities": (
        "authorities",
        file("GV100AD.txt", ("10" + "20240331" + "05" + " " * 208 + "\n") * 3),
        "keine Gemeinden",
    ),
    "register with zero bytes": (
        "authorities",
        file("GV100AD.txt", "60" + "20240331" + "05515000" + " " * 100 + "\0" + " " * 100 + "\n"),
        "kein Satz des Verzeichnisses",
    ),
    "authorities of zeros": ("authorities", file("a.csv", bytes(5000)), "Null-Bytes"),
    # boundaries
    "missing file": ("boundaries", lambda folder: folder / "nowhere.zip", "gibt es nicht"),
    "a folder": ("boundaries", folder_named("grenzen"), "ist ein Ordner"),
    "truncated zip": ("boundaries", changed(small_boundaries, lambda data: data[:9000]), "unvollständig"),
    "corrupt member": ("boundaries", changed(small_boundaries, flip(2000, 2100)), "beschädigt"),
    "encrypted zip": ("boundaries", changed(small_boundaries, encrypt), "ist verschlüsselt"),
    "zip packed in a way that nobody knows": (
        "boundaries",
        changed(small_boundaries, pack_unheard_of),
        "beschädigt",
    ),
    "zip leaving its folder": (
        "boundaries",
        packed("x.zip", up__evil_DOT_geojson=b"{}"),
        "aus dem Archiv hinausführt",
    ),
    "zip bomb": ("boundaries", packed("x.zip", a_DOT_geojson=bytes(60 << 20)), "ausgepackt"),
    "zip without data": ("boundaries", packed("x.zip", a_DOT_pdf=b"x"), "enthält keine Grenzen"),
    "empty boundaries": ("boundaries", file("x.geojson", ""), "kann nicht gelesen werden"),
    "page as boundaries": ("boundaries", file("x.geojson", HTML), "kann nicht gelesen werden"),
    "lines of json": ("boundaries", file("x.geojson", '{"ars": "05"}\n' * 3), "kann nicht gelesen werden"),
    "half a file": ("boundaries", file("x.geojson", '{"type": "FeatureColl'), "kann nicht gelesen werden"),
    "no areas": ("boundaries", areas(), "keine"),
    "no crs": ("boundaries", shapefile_without_crs, "kein Koordinatensystem"),
    "no key column": (
        "boundaries",
        areas({"type": "Feature", "properties": {"ort": "A"}, "geometry": feature("1")["geometry"]}),
        "keine Spalte mit dem Schlüssel",
    ),
    "no geometry": ("boundaries", one("055700044044", [], kind="None"), "fehlt oder ist leer"),
    "a line": ("boundaries", one("055700044044", SQUARE, kind="LineString"), "keine Fläche"),
    "points only": ("boundaries", one("055700044044", [7.6, 51.9], kind="Point"), "keine Fläche"),
    "in the sea": ("boundaries", one("055700044044", shifted(-30)), "außerhalb Deutschlands"),
    "swapped in one row": (
        "boundaries",
        areas(
            feature("055700044044"),
            feature("055700004004", [[y, x] for x, y in shifted(0.1)]),
        ),
        "außerhalb Deutschlands",
    ),
    "no extent": (
        "boundaries",
        one("055700044044", [[7.6, 51.9], [7.7, 51.9], [7.6, 51.9], [7.6, 51.9]]),
        "Ausdehnung",
    ),
    "unknown state": ("boundaries", one("995700044044"), "ist unbekannt"),
    "key of letters": ("boundaries", one("05570004404X"), "ist unbekannt"),
    "unknown ags": ("boundaries", one("09571134"), "ist unbekannt"),
    "key twice": (
        "boundaries",
        areas(feature("055700044044", GEN="A"), feature("055700044044", shifted(0.1), GEN="B")),
        "kommt mehrfach vor",
    ),
}


# --- what must stay as it is ------------------------------------------------------------------------------

_TABLES = text(
    "SELECT format('%I', c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public'"
    " AND c.relname NOT IN ('import_run', 'import_rejection', 'spatial_ref_sys') ORDER BY 1"
)


def digest(database: Database) -> dict[str, str]:
    """SHA-256 of each table's content, as COPY writes it."""
    found = {}
    with database.owner() as connection, driver(connection).cursor() as cursor:
        for name in connection.execute(_TABLES).scalars().all():
            content = hashlib.sha256()
            with cursor.copy(f"COPY (SELECT * FROM {name} AS t ORDER BY t) TO STDOUT".encode()) as copy:
                for block in copy:
                    content.update(block)
            found[name] = content.hexdigest()
    return found


@pytest.fixture(scope="module")
def filled(module_boundaries: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Boundaries, catalogue, implementations and authorities; one municipality is a former one."""
    folder = tmp_path_factory.mktemp("good")
    with module_boundaries.owner() as connection:
        connection.execute(
            insert(Authority).values(
                ars=FORMER, ags=ags_of(FORMER), name="Altdorf", kinds=32, chain_kinds=63, is_current=False
            )
        )
    empty = digest(module_boundaries)
    import_catalogue(module_boundaries, [file("k.csv", CATALOGUE)(folder)])
    import_implementations(module_boundaries, [csv(f"{MUENSTER};10000;online")(folder)])
    import_authorities(
        module_boundaries, [csv(f"{MUENSTER};310039;stadt@a.example", header=AUTHORITIES)(folder)]
    )
    full = digest(module_boundaries)
    different = {name for name in full if full[name] != empty[name]}
    assert different >= {"service", "implementation", "authority", "tally"}, "the digests see what imports do"
    return module_boundaries


@pytest.fixture(scope="module")
def before(filled: Database) -> dict[str, str]:
    found = digest(filled)
    assert len(found) > 12
    return found


@pytest.fixture
def run(filled: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    urls = filled.urls
    for name, url in (("", urls.owner), ("INTERNAL_", urls.internal), ("PUBLIC_", urls.public)):
        monkeypatch.setenv(f"MAPSERVICE_{name}DATABASE_URL", str(url))
    monkeypatch.setenv("MAPSERVICE_STATE_DIR", str(tmp_path / "state"))

    def run(command: str, path: Path) -> Result:
        options = BOUNDARY_OPTIONS if command == "boundaries" else []
        return CliRunner().invoke(cli, ["import", command, str(path), *options])

    return run


@pytest.mark.parametrize("case", CASES)
def test_a_broken_file_is_refused_and_changes_nothing(
    run: Callable[..., Result], filled: Database, before: dict[str, str], tmp_path: Path, case: str
) -> None:
    command, make, message = CASES[case]
    folder = tmp_path / "in"
    folder.mkdir()
    result = run(command, make(folder))
    assert result.exit_code == 1, result.output
    assert "Fehler: " in result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert "Unerwarteter Fehler" not in result.stderr
    assert digest(filled) == before
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("command", ["implementations", "catalogue", "authorities"])
def test_what_is_no_file_is_wrong_usage(run: Callable[..., Result], tmp_path: Path, command: str) -> None:
    for path in (tmp_path, tmp_path / "nowhere.csv"):
        result = run(command, path)
        assert result.exit_code == 2
        assert path.name in result.stderr


def test_a_full_disk_is_said_as_such(
    run: Callable[..., Result],
    filled: Database,
    before: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = small_boundaries(tmp_path)
    monkeypatch.setattr("mapservice.imports.archive.shutil.copyfileobj", full)
    result = run("boundaries", path)
    assert result.exit_code == 1
    assert "kein Platz mehr" in " ".join(result.stderr.split())
    assert "beschädigt" not in result.stderr
    assert digest(filled) == before
