"""Six named covariates for a species model, as one raster stack: Iberia, cells of 0.25 degrees.

    python examples/covariate_stack.py [FOLDER]

The GeoTIFF has one band for each concept, named after it, and opens in R, QGIS or MaxEnt like any other stack.
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import geoconcept_gis as gc
from geoconcept_gis.land import coastlines

IBERIA = (-10, 35.75, 4.5, 44)
CONCEPTS = [
    *["mediterranean climate", "oceanic climate", "lush green"],
    *["mediterranean woodland", "above 1,000 m", "cropland"],
]


def main() -> None:
    """Map, write, draw all bands in one picture."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    stack = gc.concept_map(CONCEPTS, IBERIA, resolution=0.25)
    print(gc.write_raster(stack, folder / "covariate_stack.tif"))

    figure = Figure(figsize=(11, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("Six covariates of Iberia, calibrated scores: how strongly each cell is associated")
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for ax, (name, layer) in zip(axes.flat, stack.data_vars.items(), strict=True):
        image = ax.imshow(layer, extent=(-10, 4.5, 35.75, 44), vmin=0, vmax=1, aspect=1.3)
        ax.plot(*coastlines().T, color="0.4", linewidth=0.6)
        ax.set(xlim=(-10, 4.5), ylim=(35.75, 44), facecolor="#eceff1")
        ax.set_title(layer.attrs["concept"], fontsize=10)
        print(f"{name}: mean {float(layer.mean()):.2f}")
    figure.colorbar(image, ax=axes, shrink=0.7, label="share of like places that carry the label")
    figure.supxlabel("longitude", fontsize=9)
    figure.supylabel("latitude", fontsize=9)
    figure.savefig(folder / "covariate_stack.png", dpi=110)
    print(folder / "covariate_stack.png")


if __name__ == "__main__":
    main()
