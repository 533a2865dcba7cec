"""The projection, held against PROJ's."""

import numpy as np
import pyproj
from hypothesis import example, given
from hypothesis import strategies as st

from geoconcept_gis.encoder import equal_earth

SCALE = 66.50336 / 180.0
PLACES = st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=50)


@given(PLACES)
@example([(-180.0, -90.0), (180.0, 90.0), (0.0, 0.0)])
def test_agrees_with_proj(places):
    """Equal Earth is PROJ's on a unit sphere, times GeoCLIP's scale."""
    lon, lat = np.array(places).T
    theirs = np.stack(pyproj.Proj("+proj=eqearth +R=1")(lon, lat), axis=1) * SCALE
    np.testing.assert_allclose(equal_earth(places), theirs, atol=1e-12)


def test_no_places():
    """Zero places give zero points of the plane."""
    assert equal_earth(np.zeros((0, 2))).shape == (0, 2)
