"""Reading tables: what is accepted as it is delivered, and what is refused with which words."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from mapservice.errors import ImportRefusedError
from mapservice.imports.read import Column, open_table

COLUMNS = (
    Column("ars", ("ags", "schluessel"), required=True),
    Column("status", required=True),
    Column("url"),
)


def rows_of(path: Path) -> tuple[list[tuple[int, tuple[str, ...]]], list[tuple[int, str]]]:
    """Rows of a file, and (line, reason) of those that the reader rejects."""
    rejected: list[tuple[int, str]] = []
    table = open_table(path, COLUMNS)
    rows = list(table.rows(lambda line, column, value, reason: rejected.append((line, reason))))
    return rows, rejected


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [";", ",", "|", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_csv_is_recognised(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = ["Ars|Status|Bemerkung", " 05570028 | nicht zuständig |x", "||", "05515000|online"]
    path = write(tmp_path / "a.csv", "\r\n".join(lines).replace("|", delimiter), encoding)
    table = open_table(path, COLUMNS)
    rows, rejected = rows_of(path)
    assert rows == [(2, ("05570028", "nicht zuständig", "")), (4, ("05515000", "online", ""))]
    assert not rejected
    assert table.unknown == ("Bemerkung",)
    assert any("Windows-1252" in note for note in table.notes) == (encoding == "cp1252")


def test_header_below_a_title_and_aliases(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", 'Umsetzungen;;\nsep=;\n\n URL ;Schlüssel;STATUS\n"a\nb";05515000;offen\n;1;x\n'
    )
    rows, _ = rows_of(path)
    assert rows == [(5, ("05515000", "offen", "a\nb")), (7, ("1", "x", ""))]


def test_own_name_goes_before_alias(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "ags;ars;status\n05515000;055150000000;offen\n")
    assert rows_of(path)[0] == [(2, ("055150000000", "offen", ""))]
    assert open_table(path, COLUMNS).unknown == ("ags",)


def test_broken_rows_are_rejected_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'ars;status;url\n1;offen;a;b\n2;"off"en;\n3;offen;\n4;offen;x;;\n')
    rows, rejected = rows_of(path)
    assert [line for line, _ in rows] == [4, 5]
    assert [line for line, _ in rejected] == [2, 3]
    assert "4 Zellen" in rejected[0][1]
    assert "Anführungszeichen" in rejected[1][1]


def xlsx(path: Path, *rows: list[object], sheets: bool = False) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if sheets:
        sheet.append(["Hinweise", "zum Ausfüllen"])
        sheet = book.create_sheet("Daten")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_xlsx_cells_as_text(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "a.xlsx",
        ["Stand 2025"],
        ["AGS", "Status", "URL"],
        [5570028, "online", '=HYPERLINK("http://x.example","hier")'],
        [99012001000000.0, dt.date(2025, 6, 1), True],
        [None, None, None],
        [5515000.0, 1.5, None],
        sheets=True,
    )
    rows, _ = rows_of(path)
    assert rows == [
        (3, ("5570028", "online", '=HYPERLINK("http://x.example","hier")')),
        (4, ("99012001000000", "2025-06-01", "ja")),
        (6, ("5515000", "1.5", "")),
    ]
    assert "Blatt »Daten«" in open_table(path, COLUMNS).format


def test_xlsx_with_wrong_dimension_loses_no_row(tmp_path: Path) -> None:
    good = xlsx(tmp_path / "a.xlsx", ["ars", "status"], *([n, "offen"] for n in range(1, 6)))
    bad = tmp_path / "b.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for member in source.namelist():
            data = source.read(member)
            if member == "xl/worksheets/sheet1.xml":
                assert b"A1:B6" in data
                data = data.replace(b"A1:B6", b"A1:A1")
            target.writestr(member, data)
    assert len(rows_of(bad)[0]) == 5


ODS_CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="Blatt1">%s</table:table></office:spreadsheet>
</office:body></office:document-content>"""


def ods(path: Path, content: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", ODS_CONTENT % content)
    return path


def ods_row(*cells: str | float, repeated: int = 1) -> str:
    parts = [
        f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p>'
        "</table:table-cell>"
        if isinstance(cell, float)
        else f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in cells
    ]
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(parts)}</table:table-row>'


def test_ods(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "a.ods", ods_row("ars", "status") + ods_row(5570028.0, "nicht zuständig", repeated=2)
    )
    rows, _ = rows_of(path)
    assert rows == [(2, ("5570028", "nicht zuständig", "")), (3, ("5570028", "nicht zuständig", ""))]


def test_ods_repetition_bomb(tmp_path: Path) -> None:
    many = ods_row(*["x"] * 100, repeated=1_000_000)
    path = ods(tmp_path / "a.ods", ods_row("ars", "status") + many)
    with pytest.raises(ImportRefusedError, match="Millionen gefüllte Zellen"):
        open_table(path, COLUMNS)


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name.replace("__", "/").replace("up", ".."), data)
    return path


HEADER = "ars;status\n"
BROKEN_TEXT: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "ist leer"),
    "blank": (b" \n \n", "ist leer"),
    "missing column": (b"ars;url\n1;x\n", "Es fehlt die Spalte status. Gefunden .Zeile 1.: ars, url"),
    "header too far down": (b"x;y\n" * 21 + HEADER.encode(), "Es fehlt"),
    "column twice": (b"ars;status;Status\n1;a;b\n", "steht mehrmals"),
    "zero byte": (HEADER.encode() + b"05515000;on\0line\n", "Zeile 2: .*Null-Bytes"),
    "wrong bytes after a mark": (
        b"\xef\xbb\xbf" + HEADER.encode() + b"1;offen\n2;nicht zust\xe4ndig\n",
        "Zeile 3: .*als UTF-8",
    ),
    "neither encoding": (HEADER.encode() + b"1;\x81\x8d\n", "weder UTF-8 noch Windows-1252"),
    "quote never closed": (
        HEADER.encode() + b'1;offen\n2;"offen\n3;offen\n',
        "ab Zeile 3: .*nicht geschlossen",
    ),
    "odd UTF-16": ("\ufeffars;status\n1;offen\n".encode("utf-16-le") + b"\n", "UTF-8"),
    "old excel": (b"\xd0\xcf\x11\xe0" + b"x" * 600, "alten Excel-Format"),
    "pdf": (b"%PDF-1.7", "PDF"),
    "html": (b"<!DOCTYPE html><html>", "HTML"),
    "truncated archive": (b"PK\x03\x04" + b"x" * 200, "beschädigt, unvollständig"),
}


@pytest.mark.parametrize("name", BROKEN_TEXT)
def test_broken_files_are_refused(tmp_path: Path, name: str) -> None:
    data, message = BROKEN_TEXT[name]
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(ImportRefusedError, match=message):
        rows_of(path)


def test_broken_archives_are_refused(tmp_path: Path) -> None:
    good = xlsx(tmp_path / "good.xlsx", ["ars", "status"], *([n, "offen"] for n in range(2000)))
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(good.read_bytes()[:-300])
    damaged = tmp_path / "damaged.xlsx"
    data = bytearray(good.read_bytes())
    with zipfile.ZipFile(good) as whole:
        place = whole.getinfo("xl/worksheets/sheet1.xml").header_offset
    data[place + 500 : place + 900] = b"\0" * 400
    damaged.write_bytes(data)
    for path, message in (
        (cut, "beschädigt"),
        (damaged, "beschädigt"),
        (archive(tmp_path / "a.zip", data=b"ars;status\n"), "keine Tabelle"),
        (archive(tmp_path / "b.zip", up__evil=b"x", xl__workbook=b"x"), "aus dem Archiv hinausführt"),
        (archive(tmp_path / "c.zip", content=b"\0" * (60 << 20)), "würde entpackt 63 MB"),
    ):
        with pytest.raises(ImportRefusedError, match=message):
            rows_of(path)


def test_a_cell_of_100_megabytes_is_refused_in_little_memory(tmp_path: Path) -> None:
    """In a process of its own, whose memory is limited well below the cell."""
    plain, quoted = tmp_path / "plain.csv", tmp_path / "quoted.csv"
    with plain.open("w") as file:
        file.write("ars;status\n1;offen\n2;")
        for _ in range(100):
            file.write("x" * 1_000_000)
    with quoted.open("w") as file:
        file.write('ars;status\n1;offen\n2;"')
        for _ in range(100):
            file.write(("x" * 999 + "\n") * 1000)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mapservice.errors import ImportRefusedError\n"
        "from mapservice.imports.read import Column, open_table\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        table = open_table(Path(name), (Column('ars', (), True), Column('status', (), True)))\n"
        "        for row in table.rows(print): pass\n"
        "    except ImportRefusedError as error:\n"
        "        print(error.message)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(plain), str(quoted)], capture_output=True, text=True, check=True
    )
    first, second, growth = done.stdout.splitlines()
    assert "Zeile 3" in first
    assert "1000000 Zeichen" in first
    assert "Zeile 3" in second
    assert "131072 Zeichen" in second
    assert int(growth) < 40
