"""Build geoconcept_gis/data/photo_places.safetensors: the 100,000 places of GeoCLIP's gallery, in its order.

    python tools/build_gallery.py

Needs the package geoclip (MIT), whose code is not run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from geoconcept_gis.bank.sources import package_folder
from geoconcept_gis.storage import write_arrays

OUT = Path(__file__).parents[1] / "geoconcept_gis" / "data" / "photo_places.safetensors"


def main() -> None:
    """Convert and write."""
    path = package_folder("geoclip", "geoclip") / "model" / "gps_gallery" / "coordinates_100K.csv"
    table = pd.read_csv(path)[["LON", "LAT"]].to_numpy(dtype=np.float64)
    # float32 is what GeoCLIP itself reads them as: about a metre.
    print(OUT.name, f"{len(table):,} places, sha256", write_arrays({"lonlat": table.astype(np.float32)}, OUT))


if __name__ == "__main__":
    main()
