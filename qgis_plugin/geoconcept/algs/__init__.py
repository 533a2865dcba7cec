# SPDX-License-Identifier: GPL-2.0-or-later
"""One Processing algorithm a file."""

from .compare_concepts import CompareConcepts
from .compare_layers import CompareLayers
from .concept_columns import ConceptColumns
from .concept_from_places import ConceptFromPlaces
from .concept_from_words import ConceptFromWords
from .concept_grid import ConceptGrid
from .concept_raster import ConceptRaster
from .engine_status import EngineStatus
from .geolocate_photo import GeolocatePhoto
from .place_profile import PlaceProfile
from .similar_places import SimilarPlaces

__all__ = ["ALGORITHMS"]

ALGORITHMS = (
    ConceptRaster,
    ConceptColumns,
    ConceptGrid,
    ConceptFromPlaces,
    ConceptFromWords,
    SimilarPlaces,
    CompareConcepts,
    PlaceProfile,
    CompareLayers,
    GeolocatePhoto,
    EngineStatus,
)
