"""What is left of a concept when another one is taken away: cultivated land without the temperate climate.

    python examples/erase_concept.py [FOLDER]

Left the concept, right what is left of it given the climate. There is no calibration for the rest, only a cosine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import geoconcept_gis as gc

SOUTH_AMERICA = (-82, -40, -34, 13)
CONCEPT, TAKEN = "cultivated land", "temperate climate"


def main() -> None:
    """Map twice, compare."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    whole = gc.concept_map([CONCEPT, TAKEN], SOUTH_AMERICA, resolution=0.75, kind="cosine")
    rest = gc.concept_map(CONCEPT, SOUTH_AMERICA, resolution=0.75, given=TAKEN)

    figure = Figure(figsize=(11, 8))
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2, gridspec_kw={"left": 0.06, "right": 0.98, "bottom": 0.1, "top": 0.93})
    for ax, dataset, title in zip(axes, (whole, rest), (CONCEPT, f"{CONCEPT}, given {TAKEN}"), strict=True):
        gc.plot_concept_map(dataset, ax=ax, title=title.capitalize())
    figure.savefig(folder / "erase_concept.png", dpi=110)
    print(folder / "erase_concept.png")

    taken = whole["temperate_climate"].values
    for name, dataset in (("before", whole), ("after", rest)):
        values = next(iter(dataset.data_vars.values())).values
        there = np.isfinite(values)
        print(f"correlation with {TAKEN} {name}: {np.corrcoef(values[there], taken[there])[0, 1]:.2f}")


if __name__ == "__main__":
    main()
