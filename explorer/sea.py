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
#: Degrees: the sea is cut into squares, from the south-west corner on. In one piece it has more than a thousand
#: islands, and MapLibre loses some. The page knows this number too, as the cuts are no shores.
SQUARE = 20


def main() -> None:
    """Simplify, take the land out of the world, round to 0.01 degree, write one MultiPolygon."""
    land = shapely.simplify(land_polygons().geometry.to_numpy(), TOLERANCE)
    land = shapely.union_all(shapely.make_valid(land[shapely.area(land) > SMALLEST]))
    squares = [
        shapely.box(west, south, west + SQUARE, south + SQUARE)
        for west in range(-180, 180, SQUARE)
        for south in range(-90, 90, SQUARE)
    ]
    parts = [part for part in shapely.get_parts(shapely.difference(squares, land)) if part.geom_type == "Polygon"]
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
