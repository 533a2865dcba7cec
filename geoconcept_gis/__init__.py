"""Places in, concept-interpretable features and maps out.

Coordinates are (lon, lat), degrees, EPSG:4326. Start with `embed`, `concept_map` and `load_model`.

Everything is loaded on first use, so importing the package is quick and pulls in nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import coordinates
    from ._version import __version__
    from .cells import embed_h3, write_h3
    from .comparison import Comparison, compare
    from .concept_files import read_concept, write_concept
    from .concepts import Concept, ConceptBank
    from .datasets import world_places
    from .errors import GeoConceptError
    from .evaluation import Evaluation, evaluate
    from .explanation import Explanation, explain
    from .from_places import concept_from_places
    from .h3cells import h3_grid
    from .learn.curves import learning_curve
    from .learn.estimator import ConceptFeatures
    from .learn.folds import SpatialFolds, leakage, spatial_folds
    from .learn.importance import concept_importance
    from .learn.residuals import MoransI, morans_i, prediction_maps
    from .locate.combine import combine
    from .locate.files import summarise
    from .locate.geolocation import Geolocation
    from .locate.locate import geolocate
    from .maps import concept_map
    from .model import GeoConceptModel, load_model
    from .places import embed
    from .plot import plot_concept_map, save_concept_map
    from .provenance import ModelCheck, check_model, read_provenance
    from .raster import write_raster
    from .reference import reference_places
    from .refit import refit_model
    from .scale.cells import h3_partitions
    from .scale.frames import partition_by_h3
    from .scale.function import FeatureFunction
    from .scale.inputs import scan_places
    from .scale.maps import write_zarr
    from .scale.partitions import write_partitions
    from .similar import Similarity, similar_places
    from .stac import stac_item, write_stac
    from .tables import read_places, write_places
    from .text.concept import concept_from_text, search_concepts
    from .towers.clip import ClipTower, load_clip

_HOMES = {
    "ClipTower": "towers.clip",
    "Comparison": "comparison",
    "Concept": "concepts",
    "ConceptBank": "concepts",
    "ConceptFeatures": "learn.estimator",
    "Evaluation": "evaluation",
    "Explanation": "explanation",
    "FeatureFunction": "scale.function",
    "GeoConceptError": "errors",
    "GeoConceptModel": "model",
    "ModelCheck": "provenance",
    "MoransI": "learn.residuals",
    "Similarity": "similar",
    "SpatialFolds": "learn.folds",
    "__version__": "_version",
    "check_model": "provenance",
    "combine": "locate.combine",
    "compare": "comparison",
    "concept_from_places": "from_places",
    "concept_from_text": "text.concept",
    "concept_importance": "learn.importance",
    "concept_map": "maps",
    "embed": "places",
    "embed_h3": "cells",
    "evaluate": "evaluation",
    "explain": "explanation",
    "Geolocation": "locate.geolocation",
    "geolocate": "locate.locate",
    "h3_grid": "h3cells",
    "h3_partitions": "scale.cells",
    "leakage": "learn.folds",
    "learning_curve": "learn.curves",
    "load_clip": "towers.clip",
    "load_model": "model",
    "morans_i": "learn.residuals",
    "partition_by_h3": "scale.frames",
    "plot_concept_map": "plot",
    "prediction_maps": "learn.residuals",
    "read_concept": "concept_files",
    "read_places": "tables",
    "read_provenance": "provenance",
    "reference_places": "reference",
    "refit_model": "refit",
    "save_concept_map": "plot",
    "scan_places": "scale.inputs",
    "search_concepts": "text.concept",
    "similar_places": "similar",
    "spatial_folds": "learn.folds",
    "stac_item": "stac",
    "summarise": "locate.files",
    "world_places": "datasets",
    "write_concept": "concept_files",
    "write_h3": "cells",
    "write_partitions": "scale.partitions",
    "write_places": "tables",
    "write_raster": "raster",
    "write_stac": "stac",
    "write_zarr": "scale.maps",
}

__all__ = [
    "ClipTower",
    "Comparison",
    "Concept",
    "ConceptBank",
    "ConceptFeatures",
    "Evaluation",
    "Explanation",
    "FeatureFunction",
    "GeoConceptError",
    "GeoConceptModel",
    "Geolocation",
    "ModelCheck",
    "MoransI",
    "Similarity",
    "SpatialFolds",
    "__version__",
    "check_model",
    "combine",
    "compare",
    "concept_from_places",
    "concept_from_text",
    "concept_importance",
    "concept_map",
    "coordinates",
    "embed",
    "embed_h3",
    "evaluate",
    "explain",
    "geolocate",
    "h3_grid",
    "h3_partitions",
    "leakage",
    "learning_curve",
    "load_clip",
    "load_model",
    "morans_i",
    "partition_by_h3",
    "plot_concept_map",
    "prediction_maps",
    "read_concept",
    "read_places",
    "read_provenance",
    "reference_places",
    "refit_model",
    "save_concept_map",
    "scan_places",
    "search_concepts",
    "similar_places",
    "spatial_folds",
    "stac_item",
    "summarise",
    "world_places",
    "write_concept",
    "write_h3",
    "write_partitions",
    "write_places",
    "write_raster",
    "write_stac",
    "write_zarr",
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
