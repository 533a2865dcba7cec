"""From a vector to a heatmap with credible areas: a vector between four wine regions, without and with what one knows.

    python examples/locate_mixture.py [FOLDER]

A photo's vector from CLIP goes the same way. The first run makes the galleries of places, which takes some minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import shapely

import geoconcept_gis as gc

WINE = [(18.87, -33.93), (-122.29, 38.3), (-0.58, 44.84), (-71.22, -34.64)]  # Cape, Napa, Bordeaux, Colchagua
SOUTH_AMERICA = shapely.box(-82, -56, -34, 13)


def main() -> None:
    """Mix, locate on the whole Earth and within a box, write the heatmap and the areas."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    mixture = gc.load_model().encode(WINE).mean(axis=0, keepdims=True)
    anywhere = gc.geolocate(mixture)
    print(anywhere.points.head(4).to_string())
    print(anywhere.save_picture(folder / "locate_anywhere.png", title="Four wine regions at once: where may it be?"))

    known = gc.geolocate(mixture, prior=SOUTH_AMERICA)
    print(known.save_picture(folder / "locate_mixture.png", title="Four wine regions at once, within South America"))
    print(gc.write_raster(known.heatmap, folder / "locate_mixture.tif"))
    print(gc.write_places(known.areas, folder / "locate_mixture.gpkg"))
    best, area = known.points.geometry.iloc[0], known.areas.iloc[-1]
    print(f"best {best.x:.1f} E, {best.y:.1f} N; {area['level']:.0%} lie in {area['area_km2']:,.0f} km2")


if __name__ == "__main__":
    main()
