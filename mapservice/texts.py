"""Texts of the operator: Markdown files in the folder of MAPSERVICE_TEXTS_DIR, read again when they change.

    impressum.md  datenschutz.md  barrierefreiheit.md  schlichtungsstelle.md  fragen.md
    aktuelles/2026-11-23-neue-grenzen.md

`impressum.en.md` is the English form of `impressum.md`. HTML in a file is shown as text; links lead to http,
https, mail and telephone addresses, or into this site. What is wrong is said with file and line.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mapservice.errors import MapServiceError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

NEWS = "aktuelles"
MOST_BYTES = 200_000
MOST_NEWS = 500
SETTING = "MAPSERVICE_TEXTS_DIR"
_SCHEMES = ("http", "https", "mailto", "tel")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[-_ ](.+))?")
_FIELD = re.compile(r"(datum|date|titel|title)\s*:\s*(.*)", re.I)
_HIGHEST_HEADING = 2
"""The page has its own h1."""


@dataclass(frozen=True)
class Expected:
    """A file that a page is made of. needed: without it the page is not what the law or the page asks for."""

    name: str
    help: str
    needed: bool = True


EXPECTED = (
    Expected("impressum.md", "Impressum: Anbieter, Anschrift, Vertretung"),
    Expected("datenschutz.md", "Datenschutz: Verantwortliche, Rechte, Aufbewahrung beim Betreiber"),
    Expected("barrierefreiheit.md", "Erklärung zur Barrierefreiheit: Stand, Mängel, Prüfung"),
    Expected("schlichtungsstelle.md", "Schlichtungs- und Durchsetzungsstelle mit Anschrift"),
    Expected("fragen.md", "Fragen und Antworten: je Frage eine Überschrift", needed=False),
)


@dataclass(frozen=True)
class Finding:
    """What is wrong in a file. fatal: its text is not shown."""

    file: str
    line: int
    reason: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.file}, Zeile {self.line}: {self.reason}"


class TextError(MapServiceError):
    """A text that cannot be shown; `finding` says where and why."""

    code = "text"

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class Heading:
    """A heading inside a text, to jump to."""

    level: int
    id: str
    text: str


@dataclass(frozen=True)
class OperatorText:
    """A file as a page shows it. title: its first heading or that of its front matter, not in the body;
    html: safe to be shown as it is; language: of the file."""

    name: str
    title: str | None
    date: dt.date | None
    html: str
    language: str
    headings: tuple[Heading, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass
class Texts:
    """The operator's folder as one process knows it. root: path of the site, for links that begin with /."""

    folder: Path | None
    root: str = ""
    _kept: dict[Path, tuple[tuple[int, int], OperatorText | TextError]] = field(default_factory=dict)

    def get(self, name: str, language: str = "de") -> OperatorText | None:
        """The text in this language, else in German; None if there is none. Raises TextError."""
        if self.folder is None:
            return None
        stem = name.removesuffix(".md")
        if language != "de":
            found = self._read(self.folder / f"{stem}.{language}.md", language)
            if found is not None:
                return found
        return self._read(self.folder / name, "de")

    def news(self, language: str = "de") -> list[OperatorText]:
        """News in this language, else in German, newest first. A file that cannot be read is left out."""
        made = []
        for path in self.news_files():
            try:
                found = self.get(f"{NEWS}/{path.name}", language)
            except TextError:
                continue
            if found is not None:
                made.append(found)
        made.sort(key=lambda text: (text.date or dt.date.min, text.name), reverse=True)
        return made

    def news_files(self) -> list[Path]:
        """The German files of news, those of the latest names first."""
        if self.folder is None:
            return []
        try:
            names = sorted((self.folder / NEWS).glob("*.md"), reverse=True)
        except OSError:
            return []
        return [path for path in names if not path.name.endswith(".en.md")][:MOST_NEWS]

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong in any file of the folder, fatal or not."""
        if self.folder is None:
            return
        for path in sorted([*self.folder.glob("*.md"), *(self.folder / NEWS).glob("*.md")]):
            try:
                found = self._read(path, "en" if path.name.endswith(".en.md") else "de")
            except TextError as error:
                yield error.finding
            else:
                yield from found.findings if found else ()

    def missing(self) -> list[Expected]:
        """Files that are not there."""
        return [
            item
            for item in EXPECTED
            if item.needed and (self.folder is None or not (self.folder / item.name).is_file())
        ]

    def _read(self, path: Path, language: str) -> OperatorText | None:
        try:
            state = path.stat()
        except OSError:
            self._kept.pop(path, None)
            return None
        stamp = (state.st_mtime_ns, state.st_size)
        kept = self._kept.get(path)
        if kept is None or kept[0] != stamp:
            assert self.folder is not None
            try:
                text: OperatorText | TextError = read(path, self.folder, language, self.root)
            except TextError as error:
                text = error
            kept = self._kept[path] = (stamp, text)
        if isinstance(kept[1], TextError):
            raise kept[1]
        return kept[1]


def read(path: Path, folder: Path, language: str, root: str = "") -> OperatorText:
    """Read and render one file. Raises TextError for what cannot be shown."""
    name = path.relative_to(folder).as_posix()

    def refuse(line: int, reason: str) -> TextError:
        return TextError(Finding(name, line, reason, fatal=True))

    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise refuse(1, f"lässt sich nicht lesen ({error.strerror})") from None
    if len(raw) > MOST_BYTES:
        raise refuse(1, f"größer als {MOST_BYTES // 1000} kB")
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refuse(line, "kein UTF-8; bitte die Datei als UTF-8 speichern") from None
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if found := _CONTROL.search(source):
        raise refuse(source.count("\n", 0, found.start()) + 1, "enthält Steuerzeichen")
    checks = _parser(permissive=True).parse(source)
    said = _front_matter(checks)
    title = said.get("titel") or said.get("title")
    date = _date(name, said, checks, refuse)
    tokens = _parser().parse(source)
    first = next((token for token in tokens if token.type != "front_matter"), None)
    if first is not None and first.type == "heading_open" and first.tag == "h1":
        at = tokens.index(first)
        title = title or _plain(tokens[at + 1])
        del tokens[at : at + 3]
    if name.startswith(f"{NEWS}/"):
        if not title:
            raise refuse(1, "ohne Titel; er steht als erste Überschrift (# Titel) oder im Kopf (titel: …)")
        if date is None:
            raise refuse(1, "ohne Datum; es steht vorn im Dateinamen (2026-11-23-…) oder im Kopf (datum: …)")
    headings = _prepare(tokens, root)
    parser = _parser()
    html = parser.renderer.render(tokens, parser.options, {})
    # A wide table scrolls by itself, by keyboard too. Text cannot hold these marks: it is escaped.
    label = {"de": "Tabelle", "en": "Table"}.get(language, "")
    scroll = (
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{label}"><table class="table">'
    )
    html = html.replace('<table class="table">', scroll).replace("</table>", "</table></div>")
    return OperatorText(name, title, date, html, language, headings, tuple(_findings(name, checks)))


def _parser(*, permissive: bool = False) -> MarkdownIt:
    """The parser of texts; permissive: one that finds what the other does not show, for checking."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    made = MarkdownIt("commonmark", {"html": permissive}).enable("table").use(front_matter_plugin)
    if permissive:
        made.validateLink = lambda url: True  # type: ignore[method-assign]
    else:
        made.disable("image")
        made.validateLink = is_safe  # type: ignore[method-assign]
    return made


def is_safe(url: str) -> bool:
    """Whether a link may lead there: http(s), mail, telephone, or a place in this site."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    if parts.scheme:
        return parts.scheme.lower() in _SCHEMES
    # `//host` and `\\host` lead away in the guise of a path.
    return not parts.netloc and not url.strip().lower().startswith(("//", "\\", "/\\", "/%5c"))


def _front_matter(tokens: Sequence[Token]) -> dict[str, str]:
    if not tokens or tokens[0].type != "front_matter":
        return {}
    found = (_FIELD.match(line.strip()) for line in tokens[0].content.splitlines())
    return {match[1].lower(): match[2].strip().strip("\"'") for match in found if match}


def _date(name: str, said: dict[str, str], tokens: Sequence[Token], refuse: Any) -> dt.date | None:
    text, line = said.get("datum") or said.get("date"), 1
    if text:
        lines = tokens[0].content.splitlines()
        line = 2 + next(n for n, item in enumerate(lines) if re.match(r"\s*(datum|date)\s*:", item, re.I))
    else:
        match = _DATED.match(Path(name).stem)
        text = match[1] if match else None
    if not text:
        return None
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        parts = match.groups()
    elif match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        parts = match.groups()[::-1]
    else:
        parts = ()
    with contextlib.suppress(ValueError, TypeError):
        return dt.date(*map(int, parts))
    raise refuse(line, f"kein Datum: {text[:40]}; erlaubt: JJJJ-MM-TT oder TT.MM.JJJJ")


def _plain(inline: Token) -> str:
    return "".join(
        child.content
        for child in inline.children or ()
        if child.type in ("text", "code_inline", "html_inline")
    ).strip()


def _prepare(tokens: Sequence[Token], root: str) -> tuple[Heading, ...]:
    """Set classes, ids of headings below the page's own, and attributes of links; returns the headings."""
    headings: list[Heading] = []
    level = _HIGHEST_HEADING - 1
    used: set[str] = set()
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            # None is left out: a heading is at most one deeper than the one before.
            level = min(max(int(token.tag[1]), _HIGHEST_HEADING), level + 1)
            text = _plain(tokens[at + 1])
            name = _slug(text, used)
            token.tag = tokens[at + 2].tag = f"h{level}"
            token.attrSet("id", name)
            token.attrSet("class", "kern-heading-medium" if level == 2 else "kern-heading-small")
            headings.append(Heading(level, name, text))
        elif token.type == "paragraph_open":
            token.attrSet("class", "kern-body")
        elif token.type == "table_open":
            token.attrSet("class", "table")
        elif token.type == "inline":
            for child in token.children or ():
                if child.type == "link_open":
                    _prepare_link(child, root)
    return tuple(headings)


def _prepare_link(link: Token, root: str) -> None:
    href = str(link.attrGet("href") or "")
    link.attrSet("class", "kern-link")
    if urlsplit(href).scheme in ("http", "https"):
        link.attrSet("rel", "noopener noreferrer")
    elif href.startswith("/"):
        link.attrSet("href", root + href)


def _slug(text: str, used: set[str]) -> str:
    slug = text.casefold()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        slug = slug.replace(umlaut, letters)
    # Led by a word of ours: no heading takes the id of a part of the page.
    base = slug = "t-" + (re.sub(r"[^a-z0-9]+", "-", slug).strip("-")[:60] or "abschnitt")
    number = 2
    while slug in used:
        slug, number = f"{base}-{number}", number + 1
    used.add(slug)
    return slug


def _findings(name: str, tokens: Sequence[Token]) -> Iterator[Finding]:
    """What is in a file and not shown as its author may think."""
    line = 1
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        if token.type == "html_block":
            yield Finding(name, line, "HTML wird als Text gezeigt, nicht ausgeführt")
        here = line
        for child in token.children or ():
            if child.type in ("softbreak", "hardbreak"):
                here += 1
            elif child.type == "html_inline":
                yield Finding(name, here, "HTML wird als Text gezeigt, nicht ausgeführt")
            elif child.type == "image":
                yield Finding(name, here, "Bilder werden nicht gezeigt, nur ihr Link")
            elif child.type == "link_open" and not is_safe(str(child.attrGet("href") or "")):
                yield Finding(
                    name, here, "dieser Link wird nicht angeboten; erlaubt: http, https, mailto, tel"
                )
