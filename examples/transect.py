"""Scores along a line: from the Gulf of Guinea over the Sahara, the Mediterranean and the Alps to the North Cape.

    python examples/transect.py [FOLDER]

No files and no tables: `model.score` takes (lon, lat) pairs and returns an array.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import geoconcept_gis as gc
from geoconcept_gis.land import on_land

COLOURS = {
    "tropical climate": "#e69f00",
    "hot desert climate": "#d55e00",
    "mediterranean climate": "#009e73",
    "temperate climate": "#0072b2",
    "boreal climate": "#56b4e9",
}


def main() -> None:
    """Walk north, score, draw."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    lat = np.arange(3.0, 71.0, 0.1)
    lonlat = np.column_stack([np.interp(lat, [3, 48, 71], [10, 10, 25.8]), lat])
    scores = gc.load_model().score(lonlat, list(COLOURS))

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    for (name, colour), values in zip(COLOURS.items(), scores.T, strict=True):
        ax.plot(lat, values, color=colour, linewidth=1.8, label=name)
    sea = ~on_land(lonlat)
    ax.fill_between(lat, 0, 1, where=sea, color="#eceff1", linewidth=0, transform=ax.get_xaxis_transform(), label="sea")
    ax.set(xlim=(3, 71), ylim=(0, 1.02), xlabel="latitude, °N", ylabel="calibrated score, 0 to 1")
    ax.set_title("From the Gulf of Guinea to the North Cape: how strongly each place is associated", loc="left")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False, fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "transect.png", dpi=120)
    print(folder / "transect.png")
    for name, values in zip(COLOURS, np.where(sea, np.nan, scores.T), strict=True):
        print(f"{name}: highest at {lat[np.nanargmax(values)]:.1f} N")


if __name__ == "__main__":
    main()
