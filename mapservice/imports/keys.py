"""Keys of authorities and services as files write them, looked up in the database.

Both indexes hold every key in memory (some 30,000 of areas, 6,000 of services), whatever the file's size.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from dataclasses import dataclass

from sqlalchemy import Connection, select

from mapservice.domain import ARS_LENGTH, is_leika_key, is_ozg_id
from mapservice.errors import ImportRefusedError
from mapservice.imports.values import CellError, line_of_text
from mapservice.models import Authority, Boundary, BoundaryRelease, Service

OWN_PREFIX = "eigen:"
NO_LEIKA_PREFIX = "ohne-leika:"
_EXPONENT = re.compile(r"(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})")
_SUGGESTIONS = 500
"""Suggestions cost a comparison with many keys each; a file of nothing but wrong keys gets this many."""


@dataclass(frozen=True)
class Place:
    """An authority as rows refer to it."""

    id: int
    ars: str
    name: str


class AuthorityIndex:
    """Finds the authority of a key: ARS 12, AGS 8, Verband 9, Kreis 5, Land 2, also without leading zero."""

    def __init__(self, connection: Connection) -> None:
        release = connection.execute(
            select(BoundaryRelease.id, BoundaryRelease.name, BoundaryRelease.as_of).where(
                BoundaryRelease.is_current
            )
        ).one_or_none()
        self.release = release.name if release else ""
        as_of = f"{release.as_of:%d.%m.%Y}" if release else ""
        # most names of releases hold their date
        said = self.release if as_of in self.release else f"{self.release} (Stand {as_of})"
        said = said.replace(", Gebietsstand ", " vom ")
        self._unknown = (
            f"unbekannter Schlüssel im Gebietsstand {said}; einen neueren lädt "
            "»mapservice import boundaries DATEI«"
        )
        self._by_ars: dict[str, Place] = {}
        self._by_ags: dict[str, Place] = {}
        self._former: dict[str, str] = {}
        by_id: dict[int, Place] = {}
        rows = connection.execute(
            select(Authority.id, Authority.ars, Authority.ags, Authority.name, Authority.is_current)
        )
        for id_, ars, ags, name, current in rows:
            place = Place(id_, ars, name)
            by_id[id_] = place
            if current:
                self._by_ars[ars] = place
                if ags:
                    self._by_ags.setdefault(ags, place)
            else:
                self._former[ars] = name
                if ags:
                    self._former.setdefault(ags, name)
        self._unincorporated: dict[str, str] = {}
        if release:
            areas = connection.execute(
                select(Boundary.ars, Boundary.authority_id, Boundary.name)
                .where(Boundary.release_id == release.id)
                .order_by(Boundary.level)
            )
            for ars, authority_id, name in areas:
                if authority_id is None:
                    self._unincorporated[ars] = name
                elif authority_id in by_id:
                    # an association area with a single member has its own key, but that member's authority
                    self._by_ars.setdefault(ars, by_id[authority_id])
        self._keys = sorted(self._by_ars)
        self._suggested = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing but the federation."""
        return len(self._by_ars) < 2

    def current(self, ars: str) -> Place | None:
        """The current authority with exactly this key."""
        return self._by_ars.get(ars)

    def require(self) -> None:
        """Raises ImportRefusedError before boundaries were imported."""
        if self.empty:
            raise ImportRefusedError(
                "Es sind noch keine Gebietskörperschaften geladen. Bitte zuerst: "
                "mapservice import boundaries DATEI"
            )

    def find(self, text: str) -> Place:
        """Raises CellError with a reason and, where possible, a key that was meant."""
        if not text:
            raise CellError("fehlt")
        if _EXPONENT.fullmatch(text):
            raise CellError(
                "von der Tabellenkalkulation als Zahl mit Exponent gespeichert, Ziffern sind verloren; bitte "
                "die Spalte als Text formatieren und neu ausfüllen"
            )
        key = re.sub(r"[\s\u200b\ufeff]", "", text)
        key = re.sub(r"[.,]0$", "", key)
        if not key.isascii() or not key.isdigit():
            raise CellError(
                "kein Schlüssel: erwartet werden Ziffern (ARS 12, AGS 8 oder Kreis 5)", self._by_name(text)
            )
        if len(key) > ARS_LENGTH:
            raise CellError("kein Schlüssel: mehr als 12 Ziffern")
        for candidate in _readings(key):
            place = self._by_ags.get(candidate) if len(candidate) == 8 else None
            if place := place or self._by_ars.get(candidate.ljust(ARS_LENGTH, "0")):
                return place
        for candidate in _readings(key):
            padded = candidate if len(candidate) == 8 else candidate.ljust(ARS_LENGTH, "0")
            if padded in self._former:
                raise CellError(
                    f"früherer Schlüssel: {self._former[padded]} gibt es im Gebietsstand {self.release} "
                    "nicht mehr"
                )
            ars = candidate.ljust(ARS_LENGTH, "0")
            if ars in self._unincorporated or (len(candidate) == 8 and self._without_authority(candidate)):
                raise CellError("gemeindefreies Gebiet: Es hat keine Behörde, die Leistungen anbietet")
        if len(key) in (3, 10) or (len(key) == 6):
            raise CellError(
                f"kein Schlüssel einer Behörde: {len(key)} Ziffern; erwartet ARS 12, AGS 8 oder Kreis 5"
            )
        raise CellError(self._unknown, self._nearest(_readings(key)[0]))

    def _without_authority(self, ags: str) -> bool:
        return any(ars[:5] + ars[9:] == ags for ars in self._unincorporated)

    def _by_name(self, text: str) -> str | None:
        wanted = text.casefold()
        found = [place.ars for place in self._by_ars.values() if place.name.casefold() == wanted]
        return found[0] if len(set(found)) == 1 else None

    def _nearest(self, key: str) -> str | None:
        """A key that differs little: among those of the same district, else nothing."""
        if self._suggested >= _SUGGESTIONS:
            return None
        self._suggested += 1
        start = bisect_left(self._keys, key[:5])
        end = bisect_left(self._keys, key[:5] + ":")
        near = self._keys[start:end]
        if len(key) == 8:
            near = [ars[:5] + ars[9:] for ars in near]
        similar = difflib.get_close_matches(key, near, n=5, cutoff=0.85)
        if not similar:
            return None
        closest = min(similar, key=lambda known: abs(int(known) - int(key)))
        place = self._by_ags.get(closest) or self._by_ars.get(closest)
        return f"{closest} ({place.name})" if place else closest


def _readings(key: str) -> list[str]:
    """The key at its full lengths, with a lost leading zero restored; the likelier one first."""
    if len(key) in (1, 4, 7, 11):
        return ["0" + key]
    if len(key) == 8:
        kreis = [key[:5]] if key.endswith("000") else []
        return [key, *kreis, "0" + key]  # AGS, that of a Kreis, or a Verband that lost its zero
    return [key]


class ServiceIndex:
    """Finds the service of a key: OZG-ID, LeiKa key with or without blanks, eigen:…"""

    def __init__(self, connection: Connection, *, demonstration: bool = False) -> None:
        rows = connection.execute(
            select(Service.id, Service.key, Service.name).where(Service.demonstration == demonstration)
        ).all()
        self._ids = {row.key: row.id for row in rows}
        self._names: dict[str, str] = {row.name.casefold(): row.key for row in reversed(rows)}
        self._keys = sorted(self._ids)
        self._suggested = 0
        self.catalogue_loaded = any(not key.startswith(OWN_PREFIX) for key in self._ids)

    def require(self) -> None:
        if not self.catalogue_loaded:
            raise ImportRefusedError(
                "Es ist noch kein Leistungskatalog geladen. Bitte zuerst: mapservice import catalogue DATEI"
            )

    def find(self, text: str) -> tuple[int | None, str]:
        """(id, key); id is None for a service of one's own that is not there yet."""
        if not text:
            raise CellError("fehlt")
        if text[: len(OWN_PREFIX)].casefold() == OWN_PREFIX:
            name = line_of_text(text[len(OWN_PREFIX) :].strip(), 200)
            if not name:
                raise CellError("nach »eigen:« fehlt der Name der Leistung")
            key = OWN_PREFIX + name
            return self._ids.get(key), key
        if match := _EXPONENT.fullmatch(text):
            raise CellError(
                "von der Tabellenkalkulation als Zahl mit Exponent gespeichert, Ziffern sind verloren; bitte "
                "die Spalte als Text formatieren und den LeiKa-Schlüssel neu einfügen",
                self._expanded(match),
            )
        key = re.sub(r"[\s\u200b\ufeff]", "", text)
        key = re.sub(r"[.,]0$", "", key)
        if key in self._ids:
            return self._ids[key], key
        if key.casefold() == "nichtimleika":
            raise CellError("»nicht im LeiKa« ist kein Schlüssel; bitte die OZG-ID angeben oder »eigen:Name«")
        if is_leika_key(key):
            raise CellError("LeiKa-Schlüssel nicht im Katalog", self._nearest(key))
        if is_ozg_id(key):
            raise CellError("OZG-ID nicht im Katalog", self._nearest(key))
        if key.isascii() and key.isdigit() and key.startswith("99") and len(key) < 14:
            full = key.ljust(14, "0")
            raise CellError(
                f"LeiKa-Schlüssel haben 14 Ziffern, dieser hat {len(key)}; Nullen am Ende gehören dazu",
                full if full in self._ids else None,
            )
        raise CellError(
            "kein Schlüssel einer Leistung: erwartet werden OZG-ID (5 Ziffern), LeiKa-Schlüssel (14 Ziffern) "
            "oder »eigen:Name«",
            self._names.get(text.casefold()),
        )

    def _expanded(self, match: re.Match[str]) -> str | None:
        digits, exponent = match[1] + (match[2] or ""), int(match[3])
        key = digits.ljust(exponent + 1, "0")
        return key if key in self._ids else None

    def _nearest(self, key: str) -> str | None:
        if self._suggested >= _SUGGESTIONS:
            return None
        self._suggested += 1
        start = key[:2] if len(key) == 5 else key[:5]
        near = [known for known in self._keys if known.startswith(start) and len(known) == len(key)]
        found = difflib.get_close_matches(key, near, n=1, cutoff=0.78)
        return found[0] if found else None
