"""Places in, concept-interpretable features and maps out.

Coordinates are (lon, lat), degrees, EPSG:4326. Start with `embed`, `concept_map` and `load_model`.

Everything is loaded on first use, so importing the package is quick and pulls in nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from . import coordinates
    from .cells import embed_h3, write_h3
    from .concepts import Concept, ConceptBank
    from .datasets import world_places
    from .errors import GeoConceptError
    from .h3cells import h3_grid
    from .maps import concept_map
    from .model import GeoConceptModel, load_model
    from .places import embed
    from .plot import plot_concept_map, save_concept_map
    from .provenance import read_provenance
    from .raster import write_raster
    from .tables import read_places, write_places

_HOMES = {
    "Concept": "concepts",
    "ConceptBank": "concepts",
    "GeoConceptError": "errors",
    "GeoConceptModel": "model",
    "concept_map": "maps",
    "embed": "places",
    "embed_h3": "cells",
    "h3_grid": "h3cells",
    "load_model": "model",
    "plot_concept_map": "plot",
    "read_places": "tables",
    "read_provenance": "provenance",
    "save_concept_map": "plot",
    "world_places": "datasets",
    "write_h3": "cells",
    "write_places": "tables",
    "write_raster": "raster",
}

__all__ = [
    "Concept",
    "ConceptBank",
    "GeoConceptError",
    "GeoConceptModel",
    "__version__",
    "concept_map",
    "coordinates",
    "embed",
    "embed_h3",
    "h3_grid",
    "load_model",
    "plot_concept_map",
    "read_places",
    "read_provenance",
    "save_concept_map",
    "world_places",
    "write_h3",
    "write_places",
    "write_raster",
]


def __getattr__(name: str) -> Any:
    if name == "coordinates":
        return importlib.import_module(".coordinates", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
