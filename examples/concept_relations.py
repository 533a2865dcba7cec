"""Which concepts say the same? Correlations of twelve of them over 3,000 places spread evenly over the land.

    python examples/concept_relations.py [FOLDER]

Look at this before all of them go into one regression: what is dark red tells the same story twice.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import geoconcept_gis as gc

CONCEPTS = [
    *["hot all year", "tropical rainforest", "very wet", "lush green", "dry", "hot desert climate"],
    *["sparse vegetation", "above 1,000 m", "severe winters", "boreal forest", "cropland", "night lights"],
]


def main() -> None:
    """Score, correlate, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    places = gc.reference_places("uniform_land", 3_000, seed=0)
    scores = gc.load_model().score(places, CONCEPTS, kind="percentile")
    correlation = np.corrcoef(scores.T)

    figure = Figure(figsize=(8.6, 7.4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    image = ax.imshow(correlation, cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set_xticks(range(len(CONCEPTS)), CONCEPTS, rotation=45, ha="right")
    ax.set_yticks(range(len(CONCEPTS)), CONCEPTS)
    for (row, column), value in np.ndenumerate(correlation):
        colour = "white" if abs(value) > 0.6 else "black"
        ax.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=8, color=colour)
    ax.set_title("Rank correlation of concepts over the land", loc="left")
    figure.colorbar(image, shrink=0.8, label="correlation of percentiles (0: unrelated)")
    figure.savefig(folder / "concept_relations.png", dpi=110)
    print(folder / "concept_relations.png")

    np.fill_diagonal(correlation, 0.0)
    for name, find in (("most alike", np.argmax), ("most opposed", np.argmin)):
        row, column = np.unravel_index(find(correlation), correlation.shape)
        print(f"{name}: {CONCEPTS[row]} and {CONCEPTS[column]}, {correlation[row, column]:.2f}")


if __name__ == "__main__":
    main()
