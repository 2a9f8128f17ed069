"""Settings: one table of name, kind, default and help; read from the environment once.

`mapservice settings` prints the table, docs/operations.md holds it, and a test compares the two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mapservice.errors import ConfigurationError
from mapservice.paths import PACKAGE

PREFIX = "MAPSERVICE_"
LOG_LEVELS = ("debug", "info", "warning", "error")
VIEWS = ("public", "internal")
_YES = ("ja", "yes", "true", "1", "on")
_NO = ("nein", "no", "false", "0", "off")


@dataclass(frozen=True)
class DatabaseUrls:
    """SQLAlchemy URLs (driver psycopg) of the three roles; None: that role is not to be had here."""

    owner: str | None
    internal: str | None
    public: str


def _default_state_dir() -> Path:
    # In a checkout every command finds the same state, wherever it is called from.
    root = PACKAGE.parent
    return (root if (root / "setup.cfg").is_file() else Path.cwd()) / ".local"


def _text(text: str) -> str:
    if any(character in text for character in "\r\n\0"):
        raise ValueError("eine einzelne Zeile")
    return text


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        allowed = f"eine ganze Zahl von {low} bis {high}"
        if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
            raise ValueError(allowed)
        return int(text)

    return parse


def _limit(text: str) -> int:
    if text.lower() in (*_NO, "aus"):
        return 0
    try:
        return _number(1, 3600)(text)
    except ValueError as error:
        raise ValueError(f"{error} oder aus") from None


def _seconds(text: str) -> float:
    allowed = "Sekunden zwischen 0.1 und 600, zum Beispiel 2.5"
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        raise ValueError(allowed) from None
    if not 0.1 <= value <= 600:
        raise ValueError(allowed)
    return value


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError(" oder ".join(allowed))
        return text.lower()

    return parse


def _boolean(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError("ja oder nein")


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _database_url(text: str) -> str:
    allowed = "postgresql://BENUTZER:PASSWORT@HOST:PORT/DATENBANK"
    scheme, separator, rest = text.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not separator:
        raise ValueError(allowed)
    try:
        parts = urlsplit(f"postgresql://{rest}")
        _ = parts.port
    except ValueError:
        raise ValueError(allowed) from None
    # The names of the roles derive from the database's name, so it has to be said.
    if len(parts.path) < 2 or not parts.username:
        raise ValueError(allowed)
    return f"postgresql+psycopg://{rest}"


def _public_url(text: str) -> str:
    allowed = "https://HOST/PFAD/ ohne ? und #"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(allowed) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(allowed)
    if parts.username or parts.password or any(c.isspace() or c in "\"'<>\\;,{}" for c in text):
        raise ValueError(allowed)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _link(text: str) -> str:
    """An address that pages link to."""
    allowed = "eine Adresse mit https:// oder http://"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(allowed) from None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or any(c.isspace() or c in "\"'<>" for c in text)
    ):
        raise ValueError(allowed)
    return text


_FRAME_HOST = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.I)


def _frame_ancestors(text: str) -> tuple[str, ...]:
    """Sources of the CSP directive frame-ancestors: `*` alone, none, or this site and those named."""
    allowed = "* (alle), none (niemand) oder Adressen mit Leerzeichen, zum Beispiel https://*.stadt.example"
    words = text.split()
    if words in (["*"], ["none"]):
        return () if words == ["none"] else ("*",)
    found = []
    for word in words:
        if word in ("self", "'self'"):
            continue
        if not _FRAME_HOST.fullmatch(word):
            raise ValueError(allowed)
        found.append(word.lower())
    return ("'self'", *found)


def _mail(text: str) -> str:
    name, _, host = text.partition("@")
    if not name or "." not in host or any(c.isspace() or c in "<>\"'," for c in text):
        raise ValueError("eine Mailadresse, zum Beispiel karte@stadt.example")
    return text


# Names of one thing in XYZ templates and in those of WMTS (OGC 07-057r7, REST and KVP).
_TILE_PLACES = {"z": "z", "x": "x", "y": "y", "tilematrix": "z", "tilecol": "x", "tilerow": "y"}


def _tiles(text: str) -> str:
    """An address of tiles in the usual web grid (EPSG:3857), its places written {z}, {x} and {y}."""
    allowed = (
        "https://HOST/… mit {z}, {x} und {y} oder, bei WMTS, mit {TileMatrix}, {TileCol} und {TileRow}; "
        "http:// nur für den eigenen Rechner"
    )
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(allowed) from None
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError(allowed)
    # The host stands in a header, so it may hold nothing but a host.
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc) or parts.fragment:
        raise ValueError(allowed)
    if any(c.isspace() or c in "\"'<>\\`" for c in text):
        raise ValueError(allowed)
    places = re.findall(r"\{([^{}]*)\}", text)
    unknown = [place for place in places if place.lower() not in _TILE_PLACES]
    if unknown:
        raise ValueError(f"{allowed}. Unbekannt ist {{{unknown[0]}}}")
    if {_TILE_PLACES[place.lower()] for place in places} != {"x", "y", "z"}:
        raise ValueError(allowed)
    return re.sub(r"\{([^{}]*)\}", lambda found: f"{{{_TILE_PLACES[found[1].lower()]}}}", text)


@dataclass(frozen=True)
class Setting:
    """One setting: its name in the environment, the field of Settings, how to read it, German help."""

    name: str
    field: str
    parse: Callable[[str], Any]
    default: str
    help: str
    secret: bool = False


def _setting(name: str, parse: Callable[[str], Any], default: str, text: str, **more: bool) -> Setting:
    return Setting(PREFIX + name, name.lower(), parse, default, text, **more)


SETTINGS: tuple[Setting, ...] = (
    _setting(
        "DATABASE_URL",
        _database_url,
        "",
        "Vorhandene PostGIS-Datenbank, Zugang des Eigentümers; leer: eigene Datenbank im Zustandsordner",
        secret=True,
    ),
    _setting(
        "PUBLIC_DATABASE_URL",
        _database_url,
        "",
        "Zugang der öffentlichen Rolle zu derselben Datenbank; damit liest der Dienst",
        secret=True,
    ),
    _setting(
        "INTERNAL_DATABASE_URL",
        _database_url,
        "",
        "Zugang der internen Rolle; nur für die interne Ansicht nötig",
        secret=True,
    ),
    _setting("STATE_DIR", _path, ".local", "Zustandsordner: eigene Datenbank, Sperren, Protokolle"),
    _setting("HOST", _text, "127.0.0.1", "Adresse, auf der der Dienst hört"),
    _setting("PORT", _number(1, 65535), "8000", "Port, auf dem der Dienst hört"),
    _setting("SOCKET", _path, "", "Unix-Socket, auf dem der Dienst statt auf Adresse und Port hört"),
    _setting(
        "PUBLIC_URL",
        _public_url,
        "",
        "Adresse, unter der Besucher die Karte aufrufen, mit Pfad; alle vollständigen Links beginnen so",
    ),
    _setting(
        "TRUSTED_PROXIES",
        _number(0, 10),
        "0",
        "Zahl der Proxys davor, deren X-Forwarded-Angaben gelten (nginx davor: 1)",
    ),
    _setting("VIEW", _choice(*VIEWS), "public", "Ansicht: public oder internal (auch Unveröffentlichtes)"),
    _setting(
        "INTERNAL_CONFIRMED",
        _boolean,
        "nein",
        "ja: die interne Ansicht darf auf einer Adresse hören, die andere Rechner erreichen",
    ),
    _setting("WORKERS", _number(1, 64), "2", "Zahl der Prozesse, die antworten"),
    _setting("THREADS", _number(1, 64), "4", "Gleichzeitige Anfragen je Prozess"),
    _setting("STATEMENT_TIMEOUT", _seconds, "10", "Sekunden, die eine Abfrage höchstens dauern darf"),
    _setting(
        "BUSY_SECONDS",
        _limit,
        "120",
        "Sekunden Rechenzeit je Minute, die eine Adresse beanspruchen darf; aus: ohne Grenze",
    ),
    _setting("CACHE_MB", _number(0, 65536), "48", "Zwischenspeicher für Antworten je Prozess, in MB"),
    _setting("LOG_LEVEL", _choice(*LOG_LEVELS), "info", "Protokoll: debug, info, warning oder error"),
    _setting(
        "DATA_LICENCE",
        _text,
        "",
        "Lizenz der Angaben zu Leistungen, als Adresse oder Text; leer: es wird keine behauptet",
    ),
    _setting(
        "SEARCH_WORDS",
        _path,
        "",
        "CSV-Datei mit weiteren Alltagswörtern für die Suche (Spalten wort;leistung)",
    ),
    _setting("CONTACT_MAIL", _mail, "", "Mailadresse für Fragen zur Karte und Hinweise zu Einträgen"),
    _setting("PUBLISHER", _text, "", "Name dessen, der die Daten herausgibt, für Metadaten (DCAT-AP.de)"),
    _setting(
        "CONTRIBUTOR_ID",
        _link,
        "",
        "Kennung des Datenbereitstellers bei GovData, als Adresse (dcatde:contributorID)",
    ),
    _setting(
        "TEXTS_DIR",
        _path,
        "",
        "Ordner mit Texten des Betreibers in Markdown: Impressum, Datenschutz, Fragen, Aktuelles",
    ),
    _setting(
        "ACCESSIBILITY_FORM_URL",
        _link,
        "",
        "Adresse des Formulars, mit dem Barrieren gemeldet werden; leer: die Mailadresse",
    ),
    _setting("BASEMAP_URL", _tiles, "", "Kacheln einer Hintergrundkarte (XYZ oder WMTS); leer: keine"),
    _setting("BASEMAP_NAME", _text, "", "Name der Hintergrundkarte, wie Besucher ihn lesen"),
    _setting("BASEMAP_ATTRIBUTION", _text, "", "Quellenvermerk der Hintergrundkarte, als Text"),
    _setting("BASEMAP_ATTRIBUTION_URL", _link, "", "Adresse, auf die der Quellenvermerk verweist"),
    _setting("BASEMAP_MAX_ZOOM", _number(1, 22), "18", "Feinste Zoomstufe, für die es Kacheln gibt"),
    _setting("PLAIN_LANGUAGE_URL", _link, "", "Adresse der Seite in Leichter Sprache"),
    _setting("SIGN_LANGUAGE_URL", _link, "", "Adresse der Seite mit Gebärdensprache"),
    _setting(
        "FRAME_ANCESTORS",
        _frame_ancestors,
        "*",
        "Wer /embed in seine Seiten einbetten darf: * (alle), none oder Adressen; die interne Ansicht nur "
        "ausdrücklich genannte",
    ),
)


@dataclass(frozen=True)
class Settings:
    """All settings, checked. Without arguments: the defaults (the environment is not read)."""

    database_url: str | None = field(default=None, repr=False)
    public_database_url: str | None = field(default=None, repr=False)
    internal_database_url: str | None = field(default=None, repr=False)
    state_dir: Path = field(default_factory=_default_state_dir)
    host: str = "127.0.0.1"
    port: int = 8000
    socket: Path | None = None
    public_url: str | None = None
    """Without a slash at the end."""
    trusted_proxies: int = 0
    view: str = "public"
    internal_confirmed: bool = False
    workers: int = 2
    threads: int = 4
    statement_timeout: float = 10.0
    """Seconds."""
    busy_seconds: int = 120
    """0: no limit."""
    cache_mb: int = 48
    log_level: str = "info"
    data_licence: str | None = None
    search_words: Path | None = None
    contact_mail: str | None = None
    publisher: str | None = None
    contributor_id: str | None = None
    texts_dir: Path | None = None
    accessibility_form_url: str | None = None
    basemap_url: str | None = None
    """With {z}, {x} and {y}, however it was written."""
    basemap_name: str | None = None
    basemap_attribution: str | None = None
    basemap_attribution_url: str | None = None
    basemap_max_zoom: int = 18
    plain_language_url: str | None = None
    sign_language_url: str | None = None
    frame_ancestors: tuple[str, ...] = ("*",)
    """Sources of the CSP directive; empty: none."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment. Raises ConfigurationError naming the variable and what is allowed."""
        environ = os.environ if environ is None else environ
        known = {setting.name for setting in SETTINGS}
        for name in environ:
            if name.startswith(PREFIX) and name not in known:
                raise ConfigurationError(
                    f"Die Einstellung {name} gibt es nicht. Alle Einstellungen zeigt: mapservice settings",
                    parameter=name,
                    allowed=sorted(known),
                )
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            text = environ.get(setting.name, "").strip()
            if not text:
                continue
            try:
                values[setting.field] = setting.parse(text)
            except ValueError as error:
                shown = "" if setting.secret else f" (jetzt: {text[:80]})"
                raise ConfigurationError(
                    f"Die Einstellung {setting.name} ist falsch{shown}. Erlaubt: {error}.",
                    parameter=setting.name,
                    allowed=(str(error),),
                ) from None
        if "internal_database_url" in values and not values.keys() & {"database_url", "public_database_url"}:
            # Otherwise the database of our own would serve, and the one that is named be ignored.
            raise ConfigurationError(
                "MAPSERVICE_INTERNAL_DATABASE_URL steht allein: Ohne MAPSERVICE_PUBLIC_DATABASE_URL (und für "
                "Importe MAPSERVICE_DATABASE_URL) gälte die eigene Datenbank im Zustandsordner. Bitte alle "
                "Zugänge derselben Datenbank nennen oder keinen.",
                parameter="MAPSERVICE_INTERNAL_DATABASE_URL",
            )
        _check_basemap(values)
        return cls(**values)

    @property
    def path_prefix(self) -> str:
        """The path of the public URL, without a slash at the end: '' or '/geoportal/ozg'."""
        return urlsplit(self.public_url).path if self.public_url else ""


def _check_basemap(values: Mapping[str, Any]) -> None:
    """Name and attribution belong to the tiles: without them nobody knows whom to agree to."""
    present = {name for name in values if name.startswith("basemap_") and name != "basemap_max_zoom"}
    needed = ("basemap_url", "basemap_name", "basemap_attribution")
    missing = [f"{PREFIX}{name.upper()}" for name in needed if name not in present]
    if present and missing:
        raise ConfigurationError(
            f"Zur Hintergrundkarte fehlt {missing[0]}. Nötig sind Adresse, Name und Quellenvermerk.",
            parameter=missing[0],
        )
