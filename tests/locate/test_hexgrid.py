"""The grid on numpy alone is H3's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis import h3cells
from geoconcept_gis.locate import hexgrid
from geoconcept_gis.locate.sphere import on_sphere, within

h3 = pytest.importorskip("h3.api.numpy_int")


@pytest.fixture(scope="module")
def cells():
    """Every 97th hexagon of the Earth."""
    return hexgrid.all_cells()[::97]


@pytest.fixture(scope="module")
def same(cells):
    """H3's numbers of the same cells."""
    return h3cells.cells_of(hexgrid.centers_of(cells), 4)


def metres(one, other):
    return 2.0 * np.arcsin(np.linalg.norm(on_sphere(one) - on_sphere(other), axis=-1) / 2.0) * 6_371_007.0


def test_there_are_all_cells_but_the_pentagons():
    """Each once; under H3's numbers they are all of its cells but twelve."""
    every = hexgrid.all_cells()
    assert len(np.unique(every)) == len(every) == h3.get_num_cells(4) - 12
    numbers = np.unique(h3cells.cells_of(hexgrid.centers_of(every), 4))
    assert len(numbers) == len(every)
    assert not np.isin(h3.get_pentagons(4).astype(np.uint64), numbers).any()


def test_centres_and_areas_are_those_of_h3(cells, same):
    assert metres(hexgrid.centers_of(cells), h3cells.centers_of(same)).max() < 0.001
    np.testing.assert_allclose(hexgrid.areas_of(cells), h3cells.areas_of(same), rtol=1e-9)


def test_children_are_those_of_h3(cells, same):
    """The first is the cell's own centre; the six around it come in another order."""
    children = hexgrid.children_of(cells)
    theirs = h3cells.centers_of(h3cells.descend(same, 5)).reshape(-1, 7, 2)
    apart = np.stack([metres(children[:, k, None], theirs).min(axis=1) for k in range(7)])
    assert apart.max() < 0.001
    assert metres(children[:, 0], hexgrid.centers_of(cells)).max() < 0.001


def test_corners_are_those_of_h3(cells, same):
    for own, number in zip(hexgrid.corners_of(cells), same, strict=True):
        theirs = np.array(h3.cell_to_boundary(number))[:, ::-1]
        assert metres(own[:, None], theirs[None]).min(axis=1).max() < 0.001


def test_corners_do_not_jump_over_the_antimeridian():
    corners = hexgrid.corners_of(hexgrid.cells_of(np.array([[179.99, -16.6], [-179.99, 66.0]])))
    assert np.ptp(corners[:, :, 0], axis=1).max() < 2.0


@settings(max_examples=200, deadline=None)
@given(st.floats(-180.0, 180.0), st.floats(-90.0, 90.0))
def test_every_place_lies_in_h3s_cell(lon, lat):
    """Also at poles, on the antimeridian and beside the edges of the icosahedron."""
    place = np.array([[lon, lat]])
    number = h3cells.cells_of(place, 4)
    own = hexgrid.cells_of(place)
    if number[0] not in h3.get_pentagons(4):
        assert metres(hexgrid.centers_of(own), h3cells.centers_of(number))[0] < 0.001


def test_many_places_lie_in_h3s_cells():
    points = np.random.default_rng(0).normal(size=(100_000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    places = np.stack([np.degrees(np.arctan2(*points.T[1::-1])), np.degrees(np.arcsin(points[:, 2]))], axis=1)
    numbers = h3cells.cells_of(places, 4)
    six = ~np.isin(numbers, h3.get_pentagons(4))
    found = h3cells.cells_of(hexgrid.centers_of(hexgrid.cells_of(places[six])), 4)
    assert (found == numbers[six]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 300.0, 5_000.0, 25_000.0]))
def test_within_equals_brute_force(seed, km):
    """Over poles and the antimeridian; 25,000 km is the whole Earth."""
    rng = np.random.default_rng(seed)
    around, places = (rng.uniform([-180, -90], [180, 90], (count, 2)) for count in (5, 300))
    around[0], places[0] = (180.0, 89.9), (-1.0, 89.95)
    one, other, distance = within(around, places, km)
    every = metres(around[:, None], places[None]) / 1000.0 * 6371.0088 / 6371.007
    assert {*zip(one.tolist(), other.tolist(), strict=True)} == {
        *zip(*map(np.ndarray.tolist, np.nonzero(every <= km)), strict=True)
    }
    np.testing.assert_allclose(distance, every[one, other], atol=1e-4)


def test_within_nothing_is_nothing():
    one, other, distance = within(np.empty((0, 2)), np.zeros((3, 2)), 10.0)
    assert len(one) == len(other) == len(distance) == 0
