"""Concepts: named directions in the space that places, photos and text share."""

from .bank import ConceptBank
from .concept import Calibration, Concept, Validity, slug
from .scoring import KINDS, ConceptScorer

__all__ = ["KINDS", "Calibration", "Concept", "ConceptBank", "ConceptScorer", "Validity", "slug"]
