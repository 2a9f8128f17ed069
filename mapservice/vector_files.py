"""Rows -> FlatGeobuf and GeoPackage, written by GDAL in memory, with what the data say about themselves.

GDAL is loaded by the first file, not by the start of the web side. The same rows make the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_writing = threading.Lock()
_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME
)
"""
"""As QGIS makes it, which looks here for the style of a layer that it opens."""


@dataclass(frozen=True)
class Content:
    """One layer. columns: values by name, all of one length; types: int, float or str by name.

    geometry: WKB, longitude or easting first. srid: its system. title, description: of the layer;
    metadata: names and texts beside them. as_of: when the data changed, the time that the file states.
    """

    layer: str
    columns: Mapping[str, Sequence[Any]]
    types: Mapping[str, type]
    geometry: Sequence[bytes]
    srid: int
    title: str
    description: str
    metadata: Mapping[str, str]
    as_of: dt.datetime


@dataclass(frozen=True)
class Style:
    """How QGIS draws the layer: QML and SLD."""

    name: str
    qml: str
    sld: str


def fields(
    columns: Mapping[str, Sequence[Any]], types: Mapping[str, type]
) -> tuple[list[NDArray[Any]], list[NDArray[np.bool_] | None]]:
    """Values and masks of what is null, as pyogrio takes them."""
    import numpy as np

    forms: dict[type, Any] = {int: np.int64, float: np.float64}
    data: list[NDArray[Any]] = []
    masks: list[NDArray[np.bool_] | None] = []
    for name, values in columns.items():
        form = forms.get(types[name])
        if form is None:
            data.append(np.array(values, dtype=object))
            masks.append(None)
            continue
        data.append(np.array([0 if value is None else value for value in values], dtype=form))
        masks.append(np.array([value is None for value in values], dtype=bool))
    return data, masks


def flatgeobuf(content: Content) -> bytes:
    """With a spatial index, so that a reader may fetch a rectangle alone."""
    said = {"TITLE": content.title, "DESCRIPTION": content.description}
    return _written(content, "FlatGeobuf", said)


def geopackage(content: Content, style: Style | None = None) -> bytes:
    """One table with spatial index; with a style QGIS draws it in the colours of the map at once.

    Version 1.2: at a newer one, QGIS of some years ago warns that it may not know all of it.
    """
    said = {"IDENTIFIER": content.title, "DESCRIPTION": content.description}
    made = _written(content, "GPKG", said, {"VERSION": "1.2"})
    return made if style is None else _styled(made, content, style)


def _written(
    content: Content, driver: str, said: dict[str, str], form: dict[str, str] | None = None
) -> bytes:
    import numpy as np
    import pyogrio.raw

    data, masks = fields(content.columns, content.types)
    file = io.BytesIO()
    with _stating(content.as_of):
        pyogrio.raw.write(
            file,
            np.array(content.geometry, dtype=object),
            data,
            np.array(list(content.columns)),
            field_mask=masks,
            layer=content.layer,
            driver=driver,
            geometry_type="MultiPolygon",
            crs=f"EPSG:{content.srid}",
            layer_metadata=dict(content.metadata),
            layer_options=said,
            dataset_options=form,
        )
    return file.getvalue()


@contextmanager
def _stating(moment: dt.datetime) -> Iterator[None]:
    """GDAL would state the time of writing: two workers, and the same worker twice, would differ in bytes.

    The option is the process's, so that one file is written at a time.
    """
    import pyogrio

    with _writing:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _time(moment)})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _styled(made: bytes, content: Content, style: Style) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(made)
        connection.execute(_STYLES)
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
            (_time(content.as_of),),
        )
        connection.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
            " styleName, styleQML, styleSLD, useAsDefault, description, owner, update_time)"
            " VALUES ('', '', ?, 'geom', ?, ?, ?, 1, ?, '', ?)",
            (content.layer, style.name, style.qml, style.sld, content.title, _time(content.as_of)),
        )
        connection.commit()
        return connection.serialize()
