"""A boundary release that is read, checked and derived, and ready to be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mapservice.domain import Level

from . import metadata, vector
from .findings import Findings
from .hierarchy import Tier


@dataclass
class PreparedTier:
    """A tier with all that is derived from its geometry.

    shapes: detail -> EPSG:4326; bounds: west, south, east, north in degrees; labels: longitude, latitude;
    areas: square metres; neighbours: position, position, metres, both directions.
    """

    tier: Tier
    shapes: dict[int, vector.Geometries]
    bounds: npt.NDArray[np.float64]
    labels: npt.NDArray[np.float64]
    areas: npt.NDArray[np.float64]
    neighbours: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


@dataclass
class Prepared:
    """A release that is ready to be written. epsg: CRS of the full geometry."""

    info: metadata.ReleaseInfo
    epsg: int
    tiers: dict[Level, PreparedTier]
    findings: Findings
