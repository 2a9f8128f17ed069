"""A picture as PNG or SVG: title, result, legend, map and sources, drawn by geopandas and matplotlib.

The map is in ETRS89 / UTM zone 32N (EPSG:25832), in which Germany looks as on official maps. Both forms say
which rectangle of it they show: PNG in the text chunks `EPSG:25832` (west south east north, metres) and
`Pixels` (the same corners, from the top left), SVG in data- attributes of its root. In an SVG each area is a
group with the id `area-<key>` and a title; text is text.
"""

from __future__ import annotations

import io
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from mapservice.drawing import fonts
from mapservice.drawing.outlines import CRS, outlines_of, projected, rings_of
from mapservice.drawing.picture import Entry, Picture, plain

# matplotlib tells each weight that the fallback font lacks.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
_DPI = 100
_POINTS = 72 / _DPI
"""Points of a pixel: matplotlib measures text and lines in points."""
_INK, _MUTED, _GROUND, _GROUND_LINE = "#171a2b", "#4b4f66", "#e9ecf1", "#c3c8d4"
_WARNING = "#fff1cc"
_ABOVE = "#3d4152"
_OUTLINE, _PALE_OUTLINE = "#ffffff", "#b9c7d8"
_REASON_PAPER = {"no_data": "#f1f1f3", "not_responsible": "#d9dade", "unincorporated": "#b9bbc4"}
_REASON_INK = "#6b6e7c"
_REASON_HATCH = {"no_data": "////", "not_responsible": "....", "unincorporated": "xxxx"}
"""As on the page (static/js/patterns.js): told apart without colour."""
_FEW_AREAS, _MANY_AREAS = 60, 2000
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"

Extent = tuple[float, float, float, float]
"""West, south, east, north in metres."""


def draw(picture: Picture, form: str, cache: Path, *, text_as_paths: bool = False) -> bytes:
    """The file. form: png or svg. cache: folder for unpacked fonts. text_as_paths: for a reader of the SVG
    that has not our typeface.
    """
    families = fonts.register(cache)
    settings: Any = {
        "font.family": families,
        "text.parse_math": False,  # a name with $ is no formula
        "text.usetex": False,
        "hatch.linewidth": 0.55,
        "svg.fonttype": "path" if text_as_paths else "none",
        "svg.hashsalt": "mapservice",  # the same picture, the same bytes
    }
    with mpl.rc_context(settings):
        return _Sheet(picture, form, halo=form == "png" or text_as_paths).file()


@dataclass(frozen=True)
class _Line:
    text: str
    size: float
    weight: str = "regular"
    colour: str = _INK


class _Sheet:
    """One drawing at work. Distances are in pixels from the top left, before `density`."""

    def __init__(self, picture: Picture, form: str, *, halo: bool) -> None:
        self.picture = picture
        self.form = form
        self.halo = halo
        self.unit = max(0.8, picture.width / 1200)
        self.margin = 0.0 if picture.bare else 24 * self.unit
        self.inner = picture.width - 2 * self.margin
        self.figure = Figure(figsize=(1, 1), dpi=_DPI)
        canvas = FigureCanvasAgg(self.figure)
        self.renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        self.shapes = projected([area.shape for area in picture.areas])

    def file(self) -> bytes:
        extent, map_width, map_height = self._frame()
        head, legend, foot = self._head(), self._legend(), self._foot()
        head_height = sum(line.size * 1.3 for line in head) + (8 * self.unit if head else 0)
        banner_height = 30 * self.unit * len(self._warnings())
        row = 24 * self.unit
        legend_height = row * (1 + max(y for _, _, y in legend)) + 20 * self.unit if legend else 0.0
        foot_height = sum(line.size * 1.35 for line in foot) + (8 * self.unit if foot else 0)
        top = self.margin * 0.8 + banner_height
        map_top = top + head_height + legend_height
        height = map_top + map_height + foot_height + self.margin * (1.4 if not self.picture.bare else 0)
        width = self.picture.width
        self.figure.set_size_inches(width / _DPI, height / _DPI)
        page = self.figure.add_axes((0, 0, 1, 1))
        page.set_axis_off()
        page.set_xlim(0, width)
        page.set_ylim(height, 0)
        page.add_patch(Rectangle((0, 0), width, height, facecolor="white", edgecolor="none"))
        self._draw_warnings(page)
        self._draw_lines(page, head, top)
        self._draw_legend(page, legend, top + head_height, row)
        left = self.margin + (self.inner - map_width) / 2
        self._draw_map(extent, (left, map_top, map_width, map_height), height)
        self._draw_lines(page, foot, map_top + map_height + 10 * self.unit)
        pixels = (left, map_top, left + map_width, map_top + map_height)
        if self.form == "png":
            return self._png(extent, pixels)
        return self._svg(extent, pixels)

    # --- layout ---------------------------------------------------------------------------------

    def _frame(self) -> tuple[Extent, float, float]:
        """The rectangle to show, with a margin, and its size on the page."""
        west, south, east, north = self._shown()
        ratio = (north - south) / (east - west)
        most = self.picture.height or (1.3 * self.inner)
        if self.picture.bare:
            width = min(self.inner, most / ratio)
            # A bare map is as wide as what it shows.
            self.picture = _resized(self.picture, round(width))
            self.inner = width
            return (west, south, east, north), width, width * ratio
        height = min(max(self.inner * ratio, 0.45 * self.inner), most)
        shown = height / self.inner
        if ratio > shown:
            more = ((north - south) / shown - (east - west)) / 2
            west, east = west - more, east + more
        else:
            more = ((east - west) * shown - (north - south)) / 2
            south, north = south - more, north + more
        return (west, south, east, north), self.inner, height

    def _shown(self) -> Extent:
        """The picture's window, or all areas with a margin."""
        if (window := self.picture.window) is not None:
            (place,) = geopandas.GeoSeries.from_xy([window.lon], [window.lat], crs="EPSG:4326").to_crs(CRS)
            half = window.half
            return place.x - half, place.y - half, place.x + half, place.y + half
        west, south, east, north = shapely.total_bounds(self.shapes)
        border = 0.025 * max(east - west, north - south) + 200
        return west - border, south - border, east + border, north + border

    def _warnings(self) -> tuple[str, ...]:
        return () if self.picture.bare else self.picture.warnings

    def _head(self) -> list[_Line]:
        if self.picture.bare:
            return []
        title = self._wrapped(self.picture.title, 24 * self.unit, "semibold", 3)
        sentence = self._wrapped(self.picture.sentence, 16 * self.unit, "regular", 4)
        return [
            *(_Line(text, 24 * self.unit, "semibold") for text in title),
            *(_Line(text, 16 * self.unit) for text in sentence),
        ]

    def _foot(self) -> list[_Line]:
        if self.picture.bare:
            return []
        size = 12.5 * self.unit
        return [
            _Line(text, size, colour=_MUTED)
            for note in self.picture.notes
            for text in self._wrapped(note, size, "regular", 3)
        ]

    def _legend(self) -> list[tuple[Entry, float, int]]:
        """Each entry with its left edge and row."""
        if self.picture.bare:
            return []
        size, placed = 14 * self.unit, []
        x, row = 0.0, 1
        for entry in self.picture.legend:
            width = (
                34 * self.unit
                + self._width(_legend_text(entry), size)
                + self._width(f"  {entry.count}", size)
                + 22 * self.unit
            )
            if x and x + width - 22 * self.unit > self.inner:
                x, row = 0.0, row + 1
            placed.append((entry, self.margin + x, row))
            x += width
        return placed

    def _width(self, text: str, size: float, weight: str = "regular") -> float:
        prop = Text(text=text, fontsize=size * _POINTS, fontweight=weight).get_fontproperties()
        width: float = self.renderer.get_text_width_height_descent(text, prop, False)[0]
        return width

    def _wrapped(self, text: str, size: float, weight: str, most: int) -> list[str]:
        """Lines no wider than the page; what does not fit into so many ends in an ellipsis."""
        lines: list[str] = []
        for word in plain(text).split():
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self._width(joined, size, weight) <= self.inner:
                lines[-1] = joined
                continue
            if len(lines) == most:
                lines[-1] = self._cut(f"{lines[-1]} …", size, weight)
                return lines
            lines.append(self._cut(word, size, weight))
        return lines

    def _cut(self, text: str, size: float, weight: str) -> str:
        while len(text) > 1 and self._width(text, size, weight) > self.inner:
            text = f"{text[: len(text) * 9 // 10 - 1]}…"
        return text

    # --- drawing --------------------------------------------------------------------------------

    def _text(self, axes: Axes, x: float, y: float, line: _Line, **more: Any) -> None:
        axes.text(
            x, y, line.text, fontsize=line.size * _POINTS, fontweight=line.weight, color=line.colour, **more
        )

    def _draw_lines(self, page: Axes, lines: Sequence[_Line], top: float) -> None:
        y = top
        for line in lines:
            y += line.size * 1.3
            self._text(page, self.margin, y - line.size * 0.3, line, va="baseline")

    def _draw_warnings(self, page: Axes) -> None:
        height = 30 * self.unit
        for number, text in enumerate(self._warnings()):
            top = number * height
            page.add_patch(
                Rectangle(
                    (0, top), self.picture.width, height, facecolor=_WARNING, edgecolor="none", linewidth=0
                )
            )
            line = _Line(self._cut(plain(text), 14 * self.unit, "semibold"), 14 * self.unit, "semibold")
            self._text(page, self.margin, top + height * 0.66, line, va="baseline")

    def _draw_legend(
        self, page: Axes, legend: Sequence[tuple[Entry, float, int]], top: float, row: float
    ) -> None:
        if not legend:
            return
        size = 14 * self.unit
        self._text(
            page,
            self.margin,
            top + row * 0.72,
            _Line(self.picture.legend_title, size, "semibold"),
            va="baseline",
        )
        for entry, x, number in legend:
            y = top + row * number
            fill, hatch = _filling(entry)
            page.add_patch(
                Rectangle(
                    (x, y + row * 0.14),
                    26 * self.unit,
                    row * 0.68,
                    facecolor=fill,
                    hatch=hatch,
                    hatchcolor=_REASON_INK,
                    edgecolor="#8d91a1",
                    linewidth=0.6,
                    gid=f"legend-{entry.code}",
                )
            )
            text = _legend_text(entry)
            self._text(page, x + 34 * self.unit, y + row * 0.68, _Line(text, size), va="baseline")
            self._text(
                page,
                x + 34 * self.unit + self._width(f"{text}  ", size),
                y + row * 0.68,
                _Line(entry.count, size, colour=_MUTED),
                va="baseline",
            )

    def _draw_map(self, extent: Extent, place: tuple[float, float, float, float], height: float) -> None:
        left, top, map_width, map_height = place
        axes = self.figure.add_axes(
            (
                left / self.picture.width,
                1 - (top + map_height) / height,
                map_width / self.picture.width,
                map_height / height,
            )
        )
        axes.set_axis_off()
        axes.set_xlim(extent[0], extent[2])
        axes.set_ylim(extent[1], extent[3])
        thin = self.unit * _POINTS
        ground = projected(self.picture.ground)
        axes.add_collection(
            PathCollection(
                list(outlines_of(ground)), facecolor=_GROUND, edgecolor=_GROUND_LINE, linewidth=0.8 * thin
            ),
            autolim=False,
        )
        if self.form == "svg":
            self._areas_one_by_one(axes)
        else:
            self._areas_together(axes)
        for strong in (False, True):
            shapes = projected([border.shape for border in self.picture.borders if border.strong is strong])
            axes.add_collection(
                LineCollection(
                    list(rings_of(shapes)),
                    colors=_ABOVE,
                    linewidths=(1.3 if strong else 0.6) * thin,
                    alpha=0.9 if strong else 0.6,
                    capstyle="round",
                    joinstyle="round",
                ),
                autolim=False,
            )
        self._ring(axes, thin)
        self._draw_names(axes, extent, map_width / (extent[2] - extent[0]))

    def _hairline(self) -> float:
        number = len(self.shapes)
        weight = 0.9 if number <= _FEW_AREAS else 0.5 if number <= _MANY_AREAS else 0.22
        return weight * self.unit * _POINTS

    def _areas_together(self, axes: Axes) -> None:
        """One collection for each class: thousands of areas at once."""
        outlines = list(outlines_of(self.shapes))
        by_entry: dict[int, list[Outline]] = defaultdict(list)
        for area, outline in zip(self.picture.areas, outlines, strict=True):
            by_entry[area.entry].append(outline)
        for number, members in by_entry.items():
            fill, hatch = _filling(self.picture.legend[number])
            collection = PathCollection(
                members,
                facecolor=fill,
                hatch=hatch,
                edgecolor=_edge(fill),
                linewidth=self._hairline(),
            )
            collection.set_hatchcolor(_REASON_INK)
            axes.add_collection(collection, autolim=False)

    def _areas_one_by_one(self, axes: Axes) -> None:
        """An element with an id for each area, so that the SVG can be worked on."""
        line = self._hairline()
        for area, outline in zip(self.picture.areas, outlines_of(self.shapes), strict=True):
            fill, hatch = _filling(self.picture.legend[area.entry])
            patch = PathPatch(
                outline,
                facecolor=fill,
                hatch=hatch,
                hatchcolor=_REASON_INK,
                edgecolor=_edge(fill),
                linewidth=line,
                gid=f"area-{area.key}",
            )
            axes.add_artist(patch)

    def _ring(self, axes: Axes, thin: float) -> None:
        for area, shape in zip(self.picture.areas, self.shapes, strict=True):
            if area.key == self.picture.marked:
                rings = list(rings_of(np.array([shape])))
                for colour, weight in (("#ffffff", 5.5), ("#131525", 2.8)):
                    axes.add_collection(
                        LineCollection(rings, colors=colour, linewidths=weight * thin), autolim=False
                    )

    def _draw_names(self, axes: Axes, extent: Extent, scale: float) -> None:
        """The names for which there is room, the weightiest first; none overlaps another or the edge."""
        size = 12.5 * self.unit
        names = self.picture.names
        points = geopandas.GeoSeries.from_xy(
            [name.lon for name in names], [name.lat for name in names], crs="EPSG:4326"
        ).to_crs(CRS)
        halo = withStroke(linewidth=2.6 * self.unit * _POINTS, foreground="white")
        taken: list[tuple[float, float, float, float]] = []
        order = sorted(range(len(points)), key=lambda n: -names[n].weight)
        for number in order:
            text = plain(names[number].text, 40)
            x, y = points.iloc[number].x, points.iloc[number].y
            half, tall = self._width(text, size, "medium") / 2 + 4 * self.unit, size * 0.75
            box = (x - half / scale, y - tall / scale, x + half / scale, y + tall / scale)
            inside = box[0] > extent[0] and box[1] > extent[1] and box[2] < extent[2] and box[3] < extent[3]
            if not inside or any(_overlap(box, other) for other in taken):
                continue
            taken.append(box)
            self._text(
                axes,
                x,
                y,
                _Line(text, size, "medium"),
                ha="center",
                va="center",
                path_effects=[halo] if self.halo else None,
                gid=f"name-{number}",
            )

    # --- files ----------------------------------------------------------------------------------

    def _png(self, extent: Extent, pixels: Sequence[float]) -> bytes:
        made = io.BytesIO()
        density = self.picture.density
        metadata = {
            "Title": plain(self.picture.title),
            "Description": plain(self.picture.sentence),
            "Copyright": plain(" · ".join(self.picture.notes)),
            "Software": "mapservice",
            CRS: " ".join(f"{metres:.1f}" for metres in extent),
            "Pixels": " ".join(f"{pixel * density:.1f}" for pixel in pixels),
        }
        self.figure.savefig(made, format="png", dpi=_DPI * density, metadata=metadata)
        return made.getvalue()

    def _svg(self, extent: Extent, pixels: Sequence[float]) -> bytes:
        made = io.BytesIO()
        FigureCanvasSVG(self.figure).print_svg(made, metadata={"Date": None, "Creator": "mapservice"})
        for prefix, address in (("", _SVG), ("xlink", _XLINK)):
            ElementTree.register_namespace(prefix, address)
        root = ElementTree.fromstring(made.getvalue())  # noqa: S314 - what we have just written ourselves
        root.set("role", "img")
        root.set("lang", self.picture.language)
        root.set("aria-labelledby", "picture-title picture-description")
        root.set("data-crs", CRS)
        root.set("data-extent", " ".join(f"{metres:.1f}" for metres in extent))
        root.set("data-pixels", " ".join(f"{pixel * _POINTS:.2f}" for pixel in pixels))
        said = f"{self.picture.sentence} {' · '.join(self.picture.notes)}"
        told = (("title", "picture-title", self.picture.title), ("desc", "picture-description", said))
        for number, (tag, key, text) in enumerate(told):
            element = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": key})
            element.text = plain(text)
            root.insert(number, element)
        groups = {group.get("id", ""): group for group in root.iter(f"{{{_SVG}}}g")}
        for area in self.picture.areas:
            group = groups.get(f"area-{area.key}")
            if group is not None:
                title = ElementTree.Element(f"{{{_SVG}}}title")
                title.text = plain(f"{area.name}: {area.value}")
                group.insert(0, title)
        for key, group in groups.items():
            if key.startswith("name-") and not self.halo:
                group.set("stroke", "#ffffff")
                group.set("stroke-width", f"{2.6 * self.unit * _POINTS:.2f}")
                group.set("stroke-linejoin", "round")
                group.set("paint-order", "stroke")
        return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _filling(entry: Entry) -> tuple[str, str | None]:
    if entry.reason is not None:
        return _REASON_PAPER[entry.reason], _REASON_HATCH[entry.reason]
    return entry.colour or _GROUND, None


def _edge(fill: str) -> str:
    """White lines would vanish on what is nearly white."""
    red, green, blue = (int(fill[n : n + 2], 16) for n in (1, 3, 5))
    return _PALE_OUTLINE if min(red, green, blue) > 224 else _OUTLINE


def _legend_text(entry: Entry) -> str:
    return plain(entry.label, 80)


def _overlap(one: Extent, other: Extent) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _resized(picture: Picture, width: int) -> Picture:
    return replace(picture, width=width)
