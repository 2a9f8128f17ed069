"""The whole public data set as one ZIP that imports again: tables, GeoPackage, method, licences."""

from __future__ import annotations

import datetime as dt
import io
import shlex
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Row

from mapservice import dataset_areas, dataset_tables
from mapservice.database import Version
from mapservice.version import VERSION

AREAS = "gebiete.gpkg"
_RETIRED = "katalog-mit-abgeloesten.csv"
_LEVEL_NAMES = {"lan": "Länder", "krs": "Kreise", "vwg": "Verbände", "gem": "Gemeinden"}


@dataclass(frozen=True)
class Subject:
    """What the archive says about itself besides its tables. licence: of the entries, if one is given."""

    release: Row[Any]
    """As about.current_release() has it."""
    version: Version
    licence: str | None
    address: str | None


def write(connection: Connection, target: Path, subject: Subject) -> dict[str, int]:
    """Write the archive to `target` and return the rows of each file.

    connection: of the public role, one snapshot; what it may not read cannot get in. A GeoPackage is made
    beside the target and removed again.
    """
    made_up = subject.version.demonstration
    day = subject.version.changed_at.timetuple()[:6]
    counts: dict[str, int] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:

        def add(name: str) -> IO[bytes]:
            entry = zipfile.ZipInfo(name, day)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            return archive.open(entry, "w", force_zip64=True)

        def table(name: str, head: Iterable[str], lines: Callable[[], Iterable[Any]]) -> None:
            with add(name) as raw, io.TextIOWrapper(raw, "utf-8", newline="") as file:
                counts[name] = dataset_tables.write(file, tuple(head), lines(), made_up=made_up)

        table("katalog.csv", dataset_tables.CATALOGUE_COLUMNS, lambda: dataset_tables.catalogue(connection))
        if dataset_tables.has_retired(connection):
            table(
                _RETIRED,
                dataset_tables.CATALOGUE_COLUMNS,
                lambda: dataset_tables.catalogue(connection, retired=True),
            )
        table(
            "behoerden.csv",
            dataset_tables.AUTHORITY_COLUMNS,
            lambda: dataset_tables.authorities(connection),
        )
        table("loesungen.csv", dataset_tables.SOLUTION_COLUMNS, lambda: dataset_tables.solutions(connection))
        table(
            "umsetzungen.csv",
            dataset_tables.IMPLEMENTATION_COLUMNS,
            lambda: dataset_tables.implementations(connection),
        )
        areas = target.with_suffix(".gpkg")
        try:
            levels = dataset_areas.write(connection, areas)
            with areas.open("rb") as source, add(AREAS) as raw:
                while block := source.read(1 << 20):
                    raw.write(block)
        finally:
            areas.unlink(missing_ok=True)
        for name, text in (
            ("LIESMICH.md", _readme(subject, counts, levels)),
            ("METHODE.md", _METHOD),
            ("LIZENZEN.md", _licences(subject)),
        ):
            with add(name) as raw:
                raw.write(text.encode())
    return counts


def import_commands(subject: Subject, files: Iterable[str]) -> list[str]:
    """The commands that bring the archive's files into an empty database, in their order."""
    release = subject.release
    stated = {
        "--name": release.name,
        "--date": release.as_of.isoformat(),
        "--licence": release.licence,
        "--licence-url": release.licence_url,
        "--attribution": release.attribution,
        "--attribution-url": release.attribution_url,
    }
    boundaries = ["mapservice", "import", "boundaries", AREAS]
    for option, value in stated.items():
        if value:
            boundaries += [option, value]
    commands = [shlex.join(boundaries)]
    if subject.version.demonstration:
        return [*commands, "mapservice demo load"]
    # Services that the catalogue no longer lists are known first, and retired by the second catalogue.
    commands += [f"mapservice import catalogue {name}" for name in (_RETIRED, "katalog.csv") if name in files]
    if "behoerden.csv" in files:
        commands.append("mapservice import authorities behoerden.csv")
    if "loesungen.csv" in files:
        commands.append("mapservice import solutions loesungen.csv")
    return [*commands, "mapservice import implementations umsetzungen.csv", "mapservice publish --all"]


def _readme(subject: Subject, counts: dict[str, int], levels: dict[str, int]) -> str:
    version, release = subject.version, subject.release
    files = {name for name, count in counts.items() if count}
    what = {
        "katalog.csv": "Leistungskatalog: Themenfelder, Lagen, OZG- und LeiKa-Leistungen",
        _RETIRED: "derselbe Katalog mit Leistungen, die er nicht mehr führt, zu denen es aber Einträge gibt",
        "behoerden.csv": "Behörden: Einwohner, Postleitzahl, Webseite, Serviceportal, Funktionspostfach",
        "loesungen.csv": "Lösungen: Plattform, Bereitsteller, Bedingungen, Kosten, Fachverfahren",
        "umsetzungen.csv": "Umsetzungen: welche Behörde bietet welche Leistung an",
    }
    rows = [f"| `{name}` | {what[name]} | {_number(count)} |" for name, count in counts.items()]
    rows += [
        f"| `{AREAS}`, Schicht `{layer}` | {_LEVEL_NAMES[layer]} mit Werten, EPSG:4326 | {_number(count)} |"
        for layer, count in levels.items()
    ]
    demonstration = (
        "\n**Demonstrationsdaten: frei erfunden, keine Aussage über wirkliche Angebote.** Katalog und\n"
        "Umsetzungen tragen deshalb die Spalte `demonstrationsdaten`; als echte Angaben werden sie nicht\n"
        "angenommen.\n"
        if version.demonstration
        else ""
    )
    commands = "\n".join(import_commands(subject, files))
    address = f"\nKarte: {subject.address}\n" if subject.address else ""
    return f"""# OZG-Landkarte: öffentlicher Datensatz
{demonstration}{address}
Datenstand: {_date(version.changed_at)} · Gebietsstand: {release.name}, {_date(release.as_of)}

Enthalten ist, was auf der öffentlichen Karte steht, und nichts sonst: Umsetzungen, die öffentlich sind
und deren
Behörde der Veröffentlichung zugestimmt hat. Kontakte nur, wenn sie ein Funktionspostfach sind.

| Datei | Inhalt | Zeilen |
| --- | --- | ---: |
{chr(10).join(rows)}
| `METHODE.md` | wie gezählt wird | |
| `LIZENZEN.md` | unter welchen Bedingungen beides genutzt werden darf | |

Die Tabellen sind CSV: UTF-8 mit Bytereihenfolge-Marke, Semikolon. Schlüssel sind Text mit führenden
Nullen. Vor
einem Text, den eine Tabellenkalkulation ausrechnen würde (er beginnt mit = + - oder @), steht ein
Apostroph.
Das Einlesen nimmt ihn wieder weg.

## In eine leere Karte einlesen

```
{commands}
```

Danach zeigt die Karte dieselben Zahlen. Die Grenzen in `{AREAS}` sind auf {dataset_areas.DETAIL} m
vereinfacht. Wer die
genauen braucht, liest stattdessen die Datei der amtlichen Stelle ein. Die Nummern der Lagen vergibt jede
Datenbank selbst.

Erzeugt mit mapservice {VERSION}.

In short (English): this archive holds the public data of the map as CSV in the format of the importers,
and as a
GeoPackage. METHODE.md tells how numbers are counted, LIZENZEN.md the terms of use. The commands above
import it again.
"""


_METHOD = """# Wie gezählt wird

**Wer.** Gebietskörperschaften werden über den 12-stelligen Regionalschlüssel (ARS) unterschieden. Eine
kreisfreie
Stadt ist eine Behörde, auch wenn sie auf mehreren Ebenen gezeigt wird.

**Was.** Gezählt werden OZG-Leistungen (Bündel mit fünfstelliger OZG-ID). Ein Bündel hat den besten Status
unter seinen
eigenen Einträgen und denen seiner LeiKa-Leistungen. Eigene Leistungen (`eigen:…`) und LeiKa-Leistungen
ohne Bündel
zählen nicht mit.

**Status**, der beste zuerst: online, in Umsetzung, in Planung, offen, nicht zuständig. Ohne Eintrag: offen.

**Zuständig.** Eine Leistung zählt für eine Behörde nur, wenn `zustaendig` im Katalog deren Art nennt oder
leer ist.

**Spalten in gebiete.gpkg**

| Spalte | Bedeutung |
| --- | --- |
| `ars`, `gen`, `bez`, `ewz` | Schlüssel, Name, Bezeichnung, Einwohner |
| `behoerde` | ARS der Behörde; leer bei gemeindefreien Gebieten |
| `leistungen_online`, `_in_umsetzung`, `_in_planung` | OZG-Leistungen der Behörde selbst mit diesem Status |
| `leistungen_zustaendig` | OZG-Leistungen, für die sie zuständig ist: der Nenner eines Anteils |
| `verfuegbar_online`, `verfuegbar_zustaendig` | auch die Angebote von Verband, Kreis, Land und Bund |
| `<themenfeld>_online`, `<themenfeld>_zustaendig` | Angebote der Behörde selbst in einem Themenfeld |
| `ohne_wert_weil` | warum ein Gebiet keinen Wert hat |

**Kein Wert ist nicht null.** `keine Angaben`: zu dieser Behörde ist nichts gemeldet; das heißt nicht,
dass es nichts
gibt. `nicht zuständig`: sie ist für keine der Leistungen zuständig. `gemeindefreies Gebiet`: es hat keine
Verwaltung.
"""


def _licences(subject: Subject) -> str:
    release = subject.release
    if subject.version.demonstration:
        entries = "Es sind Demonstrationsdaten. Sie sind frei erfunden; eine Lizenz wird nicht vergeben."
    else:
        entries = subject.licence or (
            "Der Betreiber nennt keine Lizenz. Bitte fragen Sie ihn, bevor Sie die Angaben weitergeben."
        )
    licence = " ".join(filter(None, (release.licence, release.licence_url)))
    source = " ".join(filter(None, (release.attribution, release.attribution_url)))
    return f"""# Lizenzen

## Angaben zu Leistungen und Lösungen (alle Tabellen, Werte in `{AREAS}`)

{entries}

## Verwaltungsgrenzen (Geometrie in `{AREAS}`)

Lizenz: {licence}
Quellenvermerk: {source}
"""


def _number(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _date(value: dt.date | dt.datetime) -> str:
    return f"{value:%d.%m.%Y}"
