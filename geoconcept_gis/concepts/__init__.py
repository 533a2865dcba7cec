"""Concepts: named directions in the space that places, photos and text share."""

from .bank import ConceptBank
from .concept import Calibration, Concept, PlaceHead, Validity, slug
from .scoring import KINDS, ConceptScorer, default_kind

__all__ = [
    "KINDS",
    "Calibration",
    "Concept",
    "ConceptBank",
    "ConceptScorer",
    "PlaceHead",
    "Validity",
    "default_kind",
    "slug",
]
