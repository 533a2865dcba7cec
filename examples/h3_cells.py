"""Centre or mean? H3 cells of Iberia at resolution 4, scored both ways, side by side.

    python examples/h3_cells.py [FOLDER]

A cell of resolution 4 is 45 km wide, the encoder's scale is 5 to 10 km: the centre is one sample, the mean over
the cell's children speaks for the whole cell.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import geopandas as gpd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import geoconcept_gis as gc
from geoconcept_gis.errors import ScaleWarning
from geoconcept_gis.land import coastlines

BOUNDS = (-10, 36, 4, 44)  # west, south, east, north
CONCEPT = "oceanic climate"


def main() -> None:
    """Score twice, draw, write."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)
    cells = gc.h3_grid(BOUNDS, resolution=4)
    [concept] = gc.load_model().select(CONCEPT)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScaleWarning)  # the comparison is the point
        center = gc.embed_h3(cells, concepts=concept, geometry="boundary")
    children = gc.embed_h3(cells, concepts=concept, geometry="boundary", aggregate="children")
    print(gc.write_places(children, folder / "iberia_h3.parquet"))

    figure = Figure(figsize=(11, 4.3), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{CONCEPT.capitalize()}, H3 resolution 4: how strongly each cell is associated with it")
    titles = {"aggregate='center': one point a cell": center, "aggregate='children': mean over children": children}
    for ax, (title, frame) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        draw(frame, concept.column, ax)
        ax.set_title(title, fontsize=10)
    figure.savefig(folder / "iberia_h3.png", dpi=110)
    print(folder / "iberia_h3.png")


def draw(frame: gpd.GeoDataFrame, column: str, ax) -> None:
    """Draw cells in Viridis from 0 to 1, with coasts, true to shape at this latitude."""
    frame.plot(column, ax=ax, vmin=0, vmax=1, cmap="viridis", legend=True, legend_kwds={"shrink": 0.7})
    ax.plot(*coastlines().T, color="white", linewidth=0.9)
    ax.set(xlim=BOUNDS[::2], ylim=BOUNDS[1::2], xlabel="longitude", ylabel="latitude")
    ax.set_aspect(1.3)


if __name__ == "__main__":
    main()
