"""What a release says about itself: source, Gebietsstand, licence, attribution."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImportRefusedError
from .findings import Findings
from .vector import Source

CHANGED = "(Daten verändert)"
_OPEN_DATA_SINCE = 2021
"""From this Gebietsstand on VG250 is under the Datenlizenz Deutschland, before under GeoNutzV."""

_ISO = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})")
_GERMAN = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")


@dataclass(frozen=True)
class Overrides:
    """What the user states about a release; None where the file shall tell."""

    name: str | None = None
    as_of: dt.date | None = None
    licence: str | None = None
    licence_url: str | None = None
    attribution: str | None = None
    attribution_url: str | None = None


@dataclass(frozen=True)
class ReleaseInfo:
    """What is stored with a release, and shown wherever its geometry is."""

    name: str
    source: str
    as_of: dt.date
    licence: str
    licence_url: str | None
    attribution: str
    attribution_url: str | None


def describe(
    source: Source, files: Sequence[Path], texts: Iterable[Path], overrides: Overrides, findings: Findings
) -> ReleaseInfo:
    """The release's description: the user's word first, then the file's, then that of the known product.

    Raises ImportRefusedError where the date, or for an unknown source the attribution, is missing.
    """
    as_of = overrides.as_of or _date(source, files, texts, findings)
    licence_url: str | None
    if source.product == "vg":
        label = "VG250-EW" if source.prefix in ("vg250ew", "vg250_ew", "vg250-ew") else source.prefix.upper()
        attribution, url = f"© GeoBasis-DE / BKG {as_of.year} {CHANGED}", "https://www.bkg.bund.de"
        if as_of.year >= _OPEN_DATA_SINCE:
            licence, licence_url = "dl-de/by-2-0", "https://www.govdata.de/dl-de/by-2-0"
        else:
            licence, licence_url = "GeoNutzV", "https://www.gesetze-im-internet.de/geonutzv/"
        publisher = f"BKG {label}"
    elif source.product == "dvg":
        label, publisher = "DVG", "Geobasis NRW, DVG"
        attribution, url = f"© Geobasis NRW {as_of.year} {CHANGED}", "https://www.geobasis.nrw.de"
        licence, licence_url = "dl-de/zero-2-0", "https://www.govdata.de/dl-de/zero-2-0"
    else:
        if not overrides.attribution or not overrides.licence:
            raise ImportRefusedError(
                "Die Quelle ist unbekannt. Bitte Quellenvermerk und Lizenz mit --attribution und --licence "
                "nennen; sie stehen überall, wo die Grenzen gezeigt werden."
            )
        label = publisher = ", ".join(path.name for path in files)
        attribution, url, licence, licence_url = "", None, "", None
    if overrides.attribution:
        attribution, url = overrides.attribution, overrides.attribution_url
        if CHANGED not in attribution:
            # every licence in question asks to mark that the data were changed, and we generalise
            attribution = f"{attribution} {CHANGED}"
    if overrides.licence:
        licence, licence_url = overrides.licence, overrides.licence_url
    return ReleaseInfo(
        name=overrides.name or f"{label}, Gebietsstand {as_of:%d.%m.%Y}",
        source=publisher,
        as_of=as_of,
        licence=licence,
        licence_url=licence_url,
        attribution=attribution,
        attribution_url=url,
    )


def _date(source: Source, files: Sequence[Path], texts: Iterable[Path], findings: Findings) -> dt.date:
    for text in texts:
        if "aktualitaet" in text.name.lower() and (date := _first_date(text.read_text(errors="replace"))):
            return date
    for path in files:
        if date := _first_date(path.name):
            return date
    found = {
        date for layer in source.layers.values() for text in set(layer.dates) if (date := _first_date(text))
    }
    if found:
        date = max(found)
        findings.notes.append(f"Gebietsstand aus der jüngsten Angabe in den Daten: {date:%d.%m.%Y}.")
        return date
    raise ImportRefusedError(
        "Der Gebietsstand geht aus der Datei nicht hervor. Bitte mit --date JJJJ-MM-TT nennen."
    )


def _first_date(text: str) -> dt.date | None:
    if match := _GERMAN.search(text):
        parts = match[3], match[2], match[1]
    elif match := _ISO.search(text):
        parts = match[1], match[2], match[3]
    else:
        return None
    try:
        date = dt.date(*map(int, parts))
    except ValueError:
        return None
    return date if 1990 <= date.year <= 2100 else None
