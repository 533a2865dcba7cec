"""Write the sea that the page draws over the cells, `public/sea.json.gz`, from the package's own Natural Earth land.

    python explorer/sea.py

Cells reach over the shore; the sea laid on top of them makes the shore sharp. Natural Earth is in the public domain.
"""

import gzip
import json
from pathlib import Path

import shapely

from geoconcept_gis.land import land_polygons

#: Degrees: what is left out is smaller than a pixel until one is far in.
TOLERANCE, SMALLEST = 0.02, 0.004


def main() -> None:
    """Simplify, take the land out of the world, round to 0.01 degree, write one MultiPolygon."""
    land = shapely.simplify(land_polygons().geometry.to_numpy(), TOLERANCE)
    land = shapely.union_all(shapely.make_valid(land[shapely.area(land) > SMALLEST]))
    sea = shapely.difference(shapely.box(-180.0, -90.0, 180.0, 90.0), land)
    parts = [part for part in shapely.get_parts(sea) if part.geom_type == "Polygon"]
    shape = shapely.geometry.mapping(shapely.multipolygons(parts))
    shape["coordinates"] = [
        [[[round(x, 2), round(y, 2)] for x, y in ring] for ring in polygon] for polygon in shape["coordinates"]
    ]
    path = Path(__file__).parent / "public" / "sea.json.gz"
    # Always the same bytes: without the time.
    path.write_bytes(gzip.compress(json.dumps(shape, separators=(",", ":")).encode(), 9, mtime=0))
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
