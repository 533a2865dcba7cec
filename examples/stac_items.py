"""Products that a catalogue can find: a GeoTIFF, a table and cells, each with its STAC item, and where they lie.

    python examples/stac_items.py [FOLDER]

An item is written from what the file says of itself: extent, model, concepts, licence.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import geopandas as gpd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from shapely.geometry import shape

import geoconcept_gis as gc
from geoconcept_gis.land import coastlines


def main() -> None:
    """Make three products, write their items, draw the items' footprints."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    egypt = gc.concept_map("hot desert climate", (24, 22, 37, 32), resolution=0.5)
    towns = gc.embed(gc.world_places().query("country == 'Brazil'"), concepts="tropical rainforest climate")
    gc.write_h3(folder / "stac_cells.parquet", (5, 45, 11, 48), 5, "above 2,000 m", geometry="boundary")
    products = {
        gc.write_raster(egypt, folder / "stac_map.tif"): "GeoTIFF: hot desert climate",
        gc.write_places(towns, folder / "stac_towns.parquet"): "GeoParquet: tropical rainforest climate",
        folder / "stac_cells.parquet": "H3 cells: above 2,000 m",
    }

    figure = Figure(figsize=(10, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    ax.plot(*coastlines().T, color="0.6", linewidth=0.5)
    for colour, (path, text) in zip(("#d55e00", "#009e73", "#0072b2"), products.items(), strict=True):
        item = json.loads(gc.write_stac(path).read_text(encoding="utf-8"))
        print(f"{item['id']}: bbox {item['bbox']}, licence {item['properties']['license']}")
        footprint = shape(item["geometry"])
        gpd.GeoSeries([footprint]).boundary.plot(ax=ax, color=colour, linewidth=2)
        west, _, _, north = footprint.bounds
        ax.annotate(text, (west, north), (0, 4), textcoords="offset points", color=colour, fontsize=9)
    ax.set(xlim=(-90, 75), ylim=(-40, 62), aspect="equal", facecolor="#eceff1")
    ax.set(xlabel="longitude, degrees", ylabel="latitude, degrees")
    ax.set_title("Footprints of three STAC items", loc="left")
    figure.savefig(folder / "stac_items.png", dpi=110)
    print(folder / "stac_items.png")


if __name__ == "__main__":
    main()
