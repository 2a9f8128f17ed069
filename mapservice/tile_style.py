"""MapLibre styles of the vector tiles: colours by class, and a grey of its own for each reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mapservice import titles, vocabulary
from mapservice.domain import Level, Reason
from mapservice.layers.classes import ValueClass

GREYS = {
    Reason.NO_DATA: "#f1f1f3",
    Reason.NOT_RESPONSIBLE: "#d9dade",
    Reason.UNINCORPORATED: "#b9bbc4",
}
"""As static/css/map.css has them."""
_BORDER = "#6b6e7c"


def style(level: Level, among: Sequence[ValueClass], source: dict[str, Any]) -> dict[str, Any]:
    """Version 8 of the style specification. source: TileJSON's members of the tiles, addresses absolute.

    The legend stands in `metadata`, as styles have no place for one.
    """
    name = level.plural
    colours = [(item.code, item.colour) for item in among]
    colours += [(reason.code, colour) for reason, colour in GREYS.items()]
    # Each label as a list of one: QGIS knows them so alone.
    match = [
        "match",
        ["get", "class"],
        *(part for code, hex_ in colours for part in ([code], hex_)),
        "#ffffff",
    ]
    both = {"source": name, "source-layer": name}
    return {
        "version": 8,
        "name": vocabulary.level_words(level)[0],
        "metadata": {
            "legend": [
                *({"class": c.code, "label": titles.class_label(c), "colour": c.colour} for c in among),
                *(
                    {"class": reason.code, "label": titles.reason_name(reason), "colour": colour}
                    for reason, colour in GREYS.items()
                ),
            ]
        },
        "sources": {name: {"type": "vector", "scheme": "xyz", **source}},
        "layers": [
            {
                "id": f"{name}-fill",
                "type": "fill",
                **both,
                "paint": {"fill-color": match, "fill-opacity": 0.85},
            },
            {
                "id": f"{name}-line",
                "type": "line",
                **both,
                "paint": {
                    "line-color": _BORDER,
                    "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.2, 12, 1.2],
                },
            },
        ],
    }
