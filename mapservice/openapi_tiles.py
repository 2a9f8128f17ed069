"""OGC API - Tiles in the OpenAPI document."""

from __future__ import annotations

from flask_babel import gettext as _

from mapservice import params, tile_matrices
from mapservice.layers.tile_shapes import ZOOM_MOST
from mapservice.openapi_schemas import REFUSED, Json, choice, errors
from mapservice.responses import JSON

_FILTERED = ("collectionId", *params.FILTERS, params.LANGUAGE)
_PLACE = ("tileMatrix", "tileRow", "tileCol")
_LANGUAGE = (params.LANGUAGE,)
_VECTOR = ".collection.vector"
"""What operation ids end in: the name behind it (OGC API - Tiles, oas30, operation-id)."""
_FORMS = {"fJson": ["json"], "fTileset": ["json", "tilejson"], "fTileJson": ["tilejson"], "fTile": ["mvt"]}
"""Names of components, and what `f` may be where they stand."""


def parameters() -> Json:
    """The parameters that only these paths have."""
    last = 2**ZOOM_MOST - 1
    numbers = (
        ("tileMatrix", _("Zoomstufe"), ZOOM_MOST),
        ("tileRow", _("Zeile der Kachel, von Norden"), last),
        ("tileCol", _("Spalte der Kachel, von Westen"), last),
    )
    found: Json = {}
    for name, text, most in numbers:
        number = {"type": "integer", "minimum": 0, "maximum": most}
        found[name] = {"name": name, "in": "path", "required": True, "description": text, "schema": number}
    for name, forms in _FORMS.items():
        text = _("Form der Antwort")
        found[name] = {"name": "f", "in": "query", "description": text, "schema": choice(forms)}
    return found


def paths() -> Json:
    """The paths below the landing page."""
    tileset = f"/collections/{{collectionId}}/tiles/{tile_matrices.ID}"
    matrices = f"/tileMatrixSets/{tile_matrices.ID}"
    about, as_tilejson = _("Angaben zu den Kacheln"), _("Angaben zu den Kacheln als TileJSON")
    tile = _get(f"{_VECTOR}.getTile", _("Eine Vektorkachel"), (*_PLACE, *_FILTERED), "fTile")
    answers = tile["get"]["responses"]
    binary = {"schema": {"type": "string", "format": "binary"}}
    answers["200"]["content"] = {"application/vnd.mapbox-vector-tile": binary}
    answers["204"] = {"description": _("Hier ist kein Gebiet")}
    return {
        "/tileMatrixSets": _get("getTileMatrixSetsList", _("Kachelschemata"), _LANGUAGE),
        matrices: _get("getTileMatrixSet", _("Das Kachelschema"), _LANGUAGE),
        "/collections/{collectionId}/tiles": _get(
            f"{_VECTOR}.getTileSetsList", _("Die Kacheln einer Ebene"), _FILTERED
        ),
        tileset: _get(f"{_VECTOR}.getTileSet", about, _FILTERED, "fTileset"),
        f"{tileset}/tilejson.json": _get("getTileJSON", as_tilejson, _FILTERED, "fTileJson"),
        f"{tileset}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": tile,
        "/styles/{collectionId}.json": _get("getStyle", _("Ein Stil für MapLibre"), _FILTERED),
    }


def _get(operation: str, summary: str, parameters: tuple[str, ...], form: str = "fJson") -> Json:
    refused = [*REFUSED, *(["404"] if "collectionId" in parameters else [])]
    return {
        "get": {
            "tags": ["tiles"],
            "summary": summary,
            "operationId": operation,
            "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in (*parameters, form)],
            "responses": {
                "200": {
                    "description": summary,
                    "content": {JSON: {"schema": {"type": "object", "additionalProperties": True}}},
                },
                "304": {"description": _("Unverändert seit der Antwort mit dem ETag in If-None-Match")},
                **errors(refused),
            },
        }
    }
