"""How good predicted places are: accuracy, median distance, GeoGuessr score, Recall vs Area, coverage, intervals."""

from .formats import read_candidates, read_predictions, read_truth
from .metrics import distance_km, geoguessr_score
from .result import Evaluation, evaluate
from .search import searched_area
from .towns import regions

__all__ = [
    "Evaluation",
    "distance_km",
    "evaluate",
    "geoguessr_score",
    "read_candidates",
    "read_predictions",
    "read_truth",
    "regions",
    "searched_area",
]
