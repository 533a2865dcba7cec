"""Make ``geoconcept_gis/data/land_mask.safetensors`` from the bundled land polygons: runs of sea and land."""

from pathlib import Path

import numpy as np

from geoconcept_gis.land import on_land
from geoconcept_gis.land_mask import DEGREES
from geoconcept_gis.storage import write_arrays

TARGET = Path(__file__).parents[1] / "geoconcept_gis" / "data" / "land_mask.safetensors"


def main():
    """Ask the polygons for the middle of every cell, and write where the answer changes."""
    rows, columns = round(180 / DEGREES), round(360 / DEGREES)
    lon = -180 + (np.arange(columns) + 0.5) * DEGREES
    mask = np.empty((rows, columns), dtype=bool)
    for row in range(rows):
        lat = 90 - (row + 0.5) * DEGREES
        mask[row] = on_land(np.stack([lon, np.full(columns, lat)], axis=1))
    flat = mask.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=False))  # where land begins or ends
    runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
    sha256 = write_arrays({"runs": runs.astype(np.uint32)}, TARGET)
    print(f"{TARGET.name}: {mask.mean():.1%} of cells, {TARGET.stat().st_size:,} bytes, sha256 {sha256}")


if __name__ == "__main__":
    main()
