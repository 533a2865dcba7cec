"""Adaptive cells: enough photos in each, a cell for every place, the same cells every time."""

import h3.api.numpy_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis import reference_places
from geoconcept_gis.errors import CoordinateError, InputError
from geoconcept_gis.evaluation.metrics import distance_km
from geoconcept_gis.train.geocells import Geocells, make_geocells

PARIS, TOKYO = (2.35, 48.85), (139.7, 35.7)


def around(place, count, degrees=0.2, seed=0):
    return np.asarray(place) + np.random.default_rng(seed).normal(scale=degrees, size=(count, 2))


@pytest.fixture(scope="module")
def photos():
    """Two dense towns, and a few photos anywhere."""
    return np.concatenate([around(PARIS, 400), around(TOKYO, 150), reference_places("uniform_land", 300)])


def slow_cell(geocells, place):
    """Look a place up cell by cell, as the docstring says it."""
    cell = h3.latlng_to_cell(place[1], place[0], geocells.finest)
    for resolution in range(geocells.finest, -1, -1):
        found = np.flatnonzero(geocells.cells == h3.cell_to_parent(cell, resolution))
        if len(found):
            return found[0]
    far = distance_km(np.broadcast_to(place, geocells.lonlat.shape), geocells.lonlat, method="haversine")
    return far.argmin()


def test_cells_are_finer_where_photos_are(photos):
    geocells = make_geocells(photos, most=100, fewest=10, finest=5)
    resolution = np.array([h3.get_resolution(cell) for cell in geocells.cells])
    index = geocells.assign(photos)
    assert resolution[index[:400]].mean() > resolution[index[-300:]].mean() + 1.5
    assert np.all(np.diff(geocells.cells.astype(np.float64)) > 0) and geocells.cells.dtype == np.uint64


@pytest.mark.parametrize("fewest", [1, 10, 25])
def test_every_photo_has_a_cell_and_every_cell_its_photos(photos, fewest):
    geocells = make_geocells(photos, most=60, fewest=fewest, finest=5)
    count = np.bincount(geocells.assign(photos), minlength=len(geocells))
    assert count.sum() == len(photos) and count.min() >= fewest


def test_assign_is_the_slow_look_up(photos):
    geocells = make_geocells(photos, most=60, fewest=10, finest=4)
    places = np.concatenate([photos[::7], reference_places("uniform_earth", 100), [[180.0, 0.0], [0.0, -90.0]]])
    assert geocells.assign(places).tolist() == [slow_cell(geocells, place) for place in places]


def test_cells_are_divided_until_few_enough_photos_are_left():
    """Nothing is divided that has no more than `most`; what has more is, down to the finest resolution."""
    photos = around(PARIS, 300, 0.01)
    [cell] = make_geocells(photos, most=300, fewest=5, coarsest=2).cells
    assert h3.get_resolution(cell) == 2
    [cell] = make_geocells(photos, most=299, fewest=5, coarsest=2, finest=4).cells
    assert h3.get_resolution(cell) == 4


def test_the_rest_of_a_divided_cell_stays_there():
    """Photos all over a region, and many in one spot of it: two cells, one inside the other."""
    cell = h3.latlng_to_cell(PARIS[1], PARIS[0], 1)
    children = [h3.cell_to_latlng(child)[::-1] for child in h3.cell_to_children(cell, 2)]
    photos = np.concatenate([np.repeat(children[:1], 50, axis=0), np.repeat(children[1:5], 3, axis=0)])
    geocells = make_geocells(photos, most=30, fewest=10, coarsest=1, finest=2)
    assert [h3.get_resolution(found) for found in geocells.cells] == [1, 2]
    assert np.bincount(geocells.assign(photos)).tolist() == [12, 50]


def test_centres_are_means_on_the_sphere():
    """Across the antimeridian too, where a mean of longitudes would be on the other side of the Earth."""
    geocells = make_geocells([[179.9, 10.0], [-179.7, 10.0]] * 10, coarsest=0, finest=0)
    np.testing.assert_allclose(geocells.lonlat, [[-179.9, 10.0]], atol=1e-4)
    np.testing.assert_allclose(make_geocells([PARIS] * 10).lonlat, [PARIS])


def test_the_order_of_photos_does_not_matter(photos):
    first = make_geocells(photos, most=60)
    second = make_geocells(np.random.default_rng(0).permutation(photos), most=60)
    assert np.array_equal(first.cells, second.cells)
    np.testing.assert_allclose(first.lonlat, second.lonlat)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(30, 200), fewest=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_any_photos(seed, count, fewest):
    """Clumps of any kind: every cell holds enough, and its centre lies among its photos."""
    rng = np.random.default_rng(seed)
    middles = np.column_stack([rng.uniform(-180, 180, 4), rng.uniform(-85, 85, 4)])
    lonlat = middles[rng.integers(4, size=count)] + rng.normal(size=(count, 2)) * rng.choice([0.01, 1.0])
    geocells = make_geocells(lonlat, most=20, fewest=fewest, finest=4)
    index = geocells.assign(lonlat)
    assert np.bincount(index, minlength=len(geocells)).min() >= fewest
    assert np.isfinite(geocells.lonlat).all() and isinstance(geocells, Geocells)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fewest": 0}, "fewest must be at least 1"),
        ({"most": 5, "fewest": 6}, "got fewest=6, most=5"),
        ({"coarsest": 5, "finest": 4}, "coarsest must not be above finest: got 5 and 4"),
        ({"finest": 16}, "whole number from 0 to 15"),
        ({"fewest": 101}, "100 photos are too few: no H3 cell of resolution 0 has 101 of them; lower fewest"),
    ],
)
def test_what_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        make_geocells(around(PARIS, 100), **settings)


def test_no_photos_and_no_places():
    with pytest.raises(InputError, match="0 photos are too few"):
        make_geocells(np.empty((0, 2)))
    with pytest.raises(CoordinateError, match="latitude"):
        make_geocells([[0.0, 95.0]] * 20)
    geocells = make_geocells([PARIS] * 20)
    assert geocells.assign(np.empty((0, 2))).shape == (0,)
    with pytest.raises(CoordinateError):
        geocells.assign([[np.nan, 0.0]])
