"""Checks of single cells. Each takes a trimmed text and returns a value, or raises CellError with a reason.

"" (missing) is for the caller to decide, except where a function says otherwise.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from mapservice.domain import MaturityModel, SolutionKind, Status, TrustLevel, Visibility

TEXT_LIMIT = 500
NOTE_LIMIT = 4000
URL_LIMIT = 2000
MAIL_LIMIT = 254
MODEL_REQUIRED_FROM = dt.date(2025, 7, 1)
"""Since then model 2.0 is in use, so that a level without its model is ambiguous (formats.md)."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class CellError(Exception):
    """A cell that cannot be accepted. reason: German, does not repeat the value; suggestion: a value."""

    def __init__(self, reason: str, suggestion: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


class Cache(dict[K, V], Generic[K, V]):
    """Remembers what a check returned for a value; emptied when full, so that memory stays bounded.

    Files repeat themselves: most columns hold a few hundred values in hundreds of thousands of rows.
    """

    def __init__(self, check: Callable[[K], V], limit: int = 50_000) -> None:
        super().__init__()
        self._check = check
        self._limit = limit

    def __missing__(self, key: K) -> V:
        value = self._check(key)
        if len(self) >= self._limit:
            self.clear()
        self[key] = value
        return value


def fold(text: str) -> str:
    """Lower case, umlauts spelled out, blanks and hyphens as one blank: for comparing words."""
    text = text.casefold()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, letters)
    return re.sub(r"[\s_\-]+", " ", text).strip()


_STATUSES = {
    "online": Status.ONLINE,
    "umgesetzt": Status.ONLINE,
    "in umsetzung": Status.IN_PROGRESS,
    "in bearbeitung": Status.IN_PROGRESS,
    "in progress": Status.IN_PROGRESS,
    "in planung": Status.PLANNED,
    "geplant": Status.PLANNED,
    "planned": Status.PLANNED,
    "offen": Status.OPEN,
    "open": Status.OPEN,
    "nicht zustaendig": Status.NOT_RESPONSIBLE,
    "not responsible": Status.NOT_RESPONSIBLE,
}
_SOLUTION_KINDS = {
    "efa": SolutionKind.EFA,
    "einer fuer alle": SolutionKind.EFA,
    "eigenentwicklung": SolutionKind.IN_HOUSE,
    "nachnutzung": SolutionKind.REUSE,
    "fachverfahren": SolutionKind.SPECIALIST_SYSTEM,
}
_TRUST_LEVELS = {
    "ohne": TrustLevel.NONE,
    "kein": TrustLevel.NONE,
    "niedrig": TrustLevel.LOW,
    "substantiell": TrustLevel.SUBSTANTIAL,
    "substanziell": TrustLevel.SUBSTANTIAL,
    "hoch": TrustLevel.HIGH,
}
_VISIBILITIES = {
    "intern": Visibility.INTERNAL,
    "internal": Visibility.INTERNAL,
    "partner": Visibility.PARTNERS,
    "partners": Visibility.PARTNERS,
    "oeffentlich": Visibility.PUBLIC,
    "public": Visibility.PUBLIC,
}
_CONTACT_KINDS = {"funktion": 1, "person": 2}
_BOOLEANS = {
    **dict.fromkeys(("ja", "j", "yes", "y", "true", "wahr", "1", "x"), True),
    **dict.fromkeys(("nein", "n", "no", "false", "falsch", "0"), False),
}


def _choice(table: dict[str, V], shown: str) -> Callable[[str], V]:
    def check(text: str) -> V:
        value = table.get(fold(text))
        if value is None:
            raise CellError(f"unbekannter Wert; erlaubt: {shown}", _closest(fold(text), table))
        return value

    return check


def _closest(text: str, table: dict[str, V]) -> str | None:
    import difflib

    found = difflib.get_close_matches(text[:50], list(table), n=1, cutoff=0.7)
    return found[0].replace("ae", "ä").replace("oe", "ö") if found else None


status = _choice(_STATUSES, "online, in Umsetzung, in Planung, offen, nicht zuständig")
solution_kind = _choice(_SOLUTION_KINDS, "EfA, Eigenentwicklung, Nachnutzung, Fachverfahren")
trust_level = _choice(_TRUST_LEVELS, "ohne, niedrig, substantiell, hoch")
visibility = _choice(_VISIBILITIES, "intern, Partner, öffentlich")
contact_kind = _choice(_CONTACT_KINDS, "funktion, person")
boolean = _choice(_BOOLEANS, "ja, nein")


_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?)?")
_GERMAN = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})")


def date(text: str) -> dt.date:
    """ISO or dd.mm.yyyy."""
    if match := _ISO.fullmatch(text):
        year, month, day = map(int, match.groups())
    elif match := _GERMAN.fullmatch(text):
        day, month, year = map(int, match.groups())
    else:
        raise CellError("kein Datum; erlaubt: JJJJ-MM-TT oder TT.MM.JJJJ")
    if not 1990 <= year <= 2100:
        raise CellError("das Jahr liegt nicht zwischen 1990 und 2100")
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise CellError("diesen Tag gibt es nicht") from None


_HOST = r"[^\W_](?:[\w-]*[^\W_])?"
_URL = re.compile(
    rf"https?://{_HOST}(?:\.{_HOST})*\.?(?::\d{{1,5}})?(?:[/?#][^\s<>\"\\\x00-\x20\x7f-\x9f]*)?", re.I
)


def url(text: str) -> str:
    """An address with http or https, without user name."""
    if _URL.fullmatch(text) and len(text) <= URL_LIMIT:
        return text
    if len(text) > URL_LIMIT:
        raise CellError(f"länger als {URL_LIMIT} Zeichen")
    if re.match(r"https?://", text, re.I):
        raise CellError("keine gültige Adresse")
    guess = f"https://{text}"
    plausible = re.match(r"[\w-]+(\.[\w-]+)+(/|$)", text) and _URL.fullmatch(guess)
    raise CellError("nur Adressen mit http:// oder https:// sind erlaubt", guess if plausible else None)


_MAIL = re.compile(r"[\w.+%&'/=?^`{|}~#$*!-]+@[^\W_][\w-]*(?:\.[\w-]+)*\.[^\W\d_]{2,}")


_LED = re.compile("'+[=+\\-@]")


def without_apostrophe(text: str) -> str:
    """The text without the apostrophe that a spreadsheet's user, or our data set, led it by so that it is
    not computed. Of several one goes: what began with an apostrophe is led by another."""
    return text[1:] if _LED.match(text) else text


def mail(text: str) -> str:
    text = without_apostrophe(text).removeprefix("mailto:")
    if len(text) > MAIL_LIMIT or not _MAIL.fullmatch(text):
        raise CellError("keine E-Mail-Adresse")
    return text


_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_SPACES = re.compile(r"[ \t\r\n\u2028\u2029]+")
_SHEET_ERRORS = {
    "#NV", "#N/A", "#REF!", "#BEZUG!", "#NAME?", "#VALUE!", "#WERT!", "#DIV/0!", "#NUM!", "#ZAHL!", "#NULL!"
}  # fmt: skip


def line_of_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """One line of text: line breaks and tabs become blanks; control and direction characters are refused."""
    text = without_apostrophe(text)
    if len(text) > limit:
        raise CellError(f"länger als {limit} Zeichen")
    if _FORBIDDEN.search(text):
        raise CellError("enthält Steuerzeichen")
    if "\ufffd" in text:
        raise CellError("enthält Ersatzzeichen (�): Umlaute gingen beim Speichern verloren")
    if text in _SHEET_ERRORS:
        raise CellError("Fehlerwert der Tabellenkalkulation")
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text).strip())


def note(text: str) -> str:
    return line_of_text(text, NOTE_LIMIT)


def whole_number(text: str) -> int:
    """A whole number, as spreadsheets write it too (3.0), with German thousands (12.345)."""
    if re.fullmatch(r"\d{1,3}(\.\d{3})+", text):
        text = text.replace(".", "")
    match = re.fullmatch(r"(\d{1,9})(?:[.,]0+)?", text)
    if not match or not text.isascii():
        raise CellError("keine ganze Zahl")
    return int(match[1])


_MODELS = {
    "1.1": MaturityModel.V1_1,
    "1,1": MaturityModel.V1_1,
    "2.0": MaturityModel.V2_0,
    "2,0": MaturityModel.V2_0,
    "2": MaturityModel.V2_0,
}


def maturity_model(text: str) -> MaturityModel:
    value = _MODELS.get(text)
    if value is None:
        raise CellError("unbekanntes Reifegradmodell; erlaubt: 1.1 und 2.0")
    return value


def maturity_level(text: str) -> int:
    match = re.fullmatch(r"([0-9])(?:[.,]0)?", text)
    if not match or not text.isascii():
        raise CellError("kein Reifegrad; erlaubt: 0 bis 4 (Modell 1.1) oder 0 bis 7 (Modell 2.0)")
    return int(match[1])


def maturity(
    model: MaturityModel | None, level: int | None, as_of: dt.date | None
) -> tuple[MaturityModel | None, int | None]:
    """Model and level together. A level without a model is model 1.1 before MODEL_REQUIRED_FROM."""
    if level is None:
        return None, None
    if model is None:
        if as_of is None:
            raise CellError("Reifegrad ohne Modell: bitte reifegradmodell angeben (1.1 oder 2.0)")
        if as_of >= MODEL_REQUIRED_FROM:
            raise CellError("seit 1.7.2025 gilt Modell 2.0: bitte reifegradmodell angeben (1.1 oder 2.0)")
        model = MaturityModel.V1_1
    if level > model.highest:
        name = "1.1" if model is MaturityModel.V1_1 else "2.0"
        raise CellError(f"Modell {name} hat nur die Stufen 0 bis {model.highest}")
    return model, level
