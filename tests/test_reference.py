"""Reference sets: even by area, on land where they say so, and the same for everybody."""

import numpy as np
import pytest

from geoconcept_gis import reference_places
from geoconcept_gis.errors import InputError
from geoconcept_gis.land import on_land


def test_land_is_land():
    """Every place is on land, and Antarctica has its share of it."""
    places = reference_places("uniform_land", 4000)
    assert places.shape == (4000, 2)
    assert on_land(places).all()
    assert 0.06 < (places[:, 1] < -60.0).mean() < 0.11


def test_earth_is_even_by_area():
    """Half of all places lie within 30 degrees of the equator, and 29 % on land."""
    places = reference_places("uniform_earth", 20_000)
    assert (np.abs(places[:, 1]) < 30.0).mean() == pytest.approx(0.5, abs=0.02)
    assert on_land(places).mean() == pytest.approx(0.29, abs=0.02)
    assert (np.abs(places) <= [180.0, 90.0]).all()


@pytest.mark.parametrize("name", ["uniform_land", "uniform_earth"])
def test_the_same_seed_gives_the_same_places(name):
    """And a longer draw begins with the shorter one, also across the size of a batch."""
    short = reference_places(name, 100, seed=3)
    assert np.array_equal(short, reference_places(name, 70_000, seed=3)[:100])
    assert not np.array_equal(short, reference_places(name, 100, seed=4))


@pytest.mark.parametrize(
    ("name", "count", "message"), [("photo_places", 5, "cannot be drawn"), ("uniform_land", 0, "1")]
)
def test_what_cannot_be_drawn_is_refused(name, count, message):
    """Photo places are not in the package, and nothing is no sample."""
    with pytest.raises(InputError, match=message):
        reference_places(name, count)
