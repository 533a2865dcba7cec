"""The mask of land that QGIS gets agrees with the polygons it was made from."""

import numpy as np

from geoconcept_gis import land, land_mask, reference_places


def test_it_agrees_with_the_polygons():
    """At places spread evenly over the Earth; what differs lies within a cell of a shore."""
    lonlat = reference_places("uniform_earth", 20_000, seed=5)
    exact, mask = land.on_land(lonlat), land_mask.on_land(lonlat)
    assert (exact == mask).mean() > 0.995
    step = land_mask.DEGREES
    for lon, lat in lonlat[exact != mask]:
        x, y = np.meshgrid(lon + step * np.linspace(-1, 1, 9), np.clip(lat + step * np.linspace(-1, 1, 9), -90, 90))
        around = land.on_land(np.stack([x.ravel(), y.ravel()], axis=1))
        assert around.any()
        assert not around.all()


def test_the_edges_of_the_world():
    """Both poles, and both sides of the antimeridian."""
    edges = [[0, 90], [0, -90], [180, 0], [-180, 0], [179.999, 68.9], [-179.999, 68.9]]
    assert land_mask.on_land(edges).tolist() == [False, True, False, False, True, True]
