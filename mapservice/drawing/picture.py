"""What a drawing shows, as plain data: it goes from the service to the process that draws.

No text of these classes is markup: whoever writes it into SVG or HTML escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OWN_FILES = "https://mapservice.invalid/"
"""Where a paper finds our static files, `picture` and `closeup`: a name that no network knows (RFC 2606), and
that is never asked for.
"""
LONGEST_TEXT = 600
"""Characters of a text that a drawing shows; no line of a map is longer, whatever a file brought in."""
_WHITESPACE = "\t\n\r"


def plain(text: str, most: int = LONGEST_TEXT) -> str:
    """The text without what neither XML nor a font can show, and not longer than `most`."""
    shown = "".join(
        " " if character in _WHITESPACE else character
        for character in text[: most + 1]
        if character in _WHITESPACE or character.isprintable()
    )
    return shown if len(text) <= most else shown[: most - 1] + "…"


@dataclass(frozen=True)
class Area:
    """One area. shape: WKB, EPSG:4326; entry: index into Picture.legend; value: as a person reads it."""

    key: str
    name: str
    value: str
    shape: bytes
    entry: int


@dataclass(frozen=True)
class Entry:
    """One line of the legend: a class with its colour, or the reason of a grey (domain.Reason.code)."""

    code: str
    label: str
    count: str
    colour: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Border:
    """The outline of an area above those shown. shape: WKB, EPSG:4326; strong: of a state."""

    shape: bytes
    strong: bool


@dataclass(frozen=True)
class Name:
    """A name at a place (degrees). Where there is no room for all, those with the higher weight stay."""

    text: str
    lon: float
    lat: float
    weight: float


@dataclass(frozen=True)
class Window:
    """A square around a place (degrees). half: metres from there to its sides."""

    lon: float
    lat: float
    half: float


@dataclass(frozen=True)
class Picture:
    """A map with all that it needs to be understood alone.

    warnings: said above everything, such as that data are made up; notes: below, such as the attribution.
    marked: key of the ringed area. width: pixels; height: at most so many, None: as the map needs.
    density: pixels of a PNG for each of these. bare: the map alone, where title and legend stand beside it.
    window: what is shown of it, None: all areas.
    """

    language: str
    title: str
    sentence: str
    legend_title: str
    legend: tuple[Entry, ...]
    areas: tuple[Area, ...]
    ground: tuple[bytes, ...] = ()
    borders: tuple[Border, ...] = ()
    names: tuple[Name, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    marked: str | None = None
    width: int = 1200
    height: int | None = None
    density: float = 1.0
    bare: bool = False
    window: Window | None = None


@dataclass(frozen=True)
class Job:
    """What the drawing process is asked for. form: png, svg or pdf; html: the paper around the picture, for
    pdf; vector: whether the paper holds the picture as lines, or, where these were too many, as pixels.
    closeup: a second picture in the paper, always as lines. picture: None for a paper without one.
    """

    form: str
    picture: Picture | None
    html: str = field(default="", repr=False)
    vector: bool = True
    closeup: Picture | None = None
