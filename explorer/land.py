"""Write the land that the page draws, `public/land.json.gz`, from the package's own Natural Earth land (public domain).

python explorer/land.py
"""

import gzip
import json
from pathlib import Path

import shapely

from geoconcept_gis.land import land_polygons

#: Degrees: what is left out is smaller than a pixel until one is far in.
TOLERANCE, SMALLEST = 0.02, 0.004


def main() -> None:
    """Simplify, round to 0.01 degree, write one MultiPolygon."""
    land = shapely.simplify(land_polygons().geometry.to_numpy(), TOLERANCE)
    land = land[shapely.area(land) > SMALLEST]
    shape = shapely.geometry.mapping(shapely.multipolygons(land))
    shape["coordinates"] = [
        [[[round(x, 2), round(y, 2)] for x, y in ring] for ring in polygon] for polygon in shape["coordinates"]
    ]
    path = Path(__file__).parent / "public" / "land.json.gz"
    # Always the same bytes: without the time.
    path.write_bytes(gzip.compress(json.dumps(shape, separators=(",", ":")).encode(), 9, mtime=0))
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
