"""From cosines to a probability over the Earth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoconcept_gis.gallery import Gallery
from geoconcept_gis.h3cells import areas_of, cells_of, centers_of
from geoconcept_gis.locate.density import Calibration, Surface
from geoconcept_gis.locate.priors import make_prior
from geoconcept_gis.locate.sphere import EARTH_RADIUS_KM


def units(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 512)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def by_hand():
    """Three cells: one with three photo places and land, one with land only, one with a photo place only."""
    lonlat = np.array([[10.0, 50.0], [20.0, 50.0], [30.0, 50.0]])
    a, b, c = cells_of(lonlat, 4)
    photos = Gallery("photos", np.zeros((4, 2), np.float32), units(4).astype(np.float16), np.array([a, c, a, a]))
    land = Gallery("land", np.zeros((2, 2), np.float32), units(2, 1).astype(np.float16), np.array([b, a]))
    cells = np.sort([a, b, c])
    return Surface(photos, land, cells, centers_of(cells), areas_of(cells)), (a, b, c)


def test_the_likelihood_is_the_mean_over_the_places_of_a_cell():
    """Against a loop: however many places a cell has, it gets their mean."""
    surface, (a, b, c) = by_hand()
    query, temperature = units(1, 2), 0.05
    found = surface.log_likelihood(query, temperature)[0]
    for cell in (a, b, c):
        places = [
            vector
            for gallery in (surface.photos, surface.land)
            for vector, owner in zip(gallery.vectors.astype(np.float64), gallery.cells, strict=True)
            if owner == cell
        ]
        expected = np.log(np.mean([np.exp(place @ query[0] / temperature) for place in places]))
        np.testing.assert_allclose(found[surface.cells == cell], expected, rtol=1e-4)


def test_copies_of_a_place_change_nothing():
    """A gallery with every place three times says the same: density of the gallery is no likelihood."""
    surface, _ = by_hand()
    thrice = Gallery(
        "photos", surface.photos.lonlat, np.tile(surface.photos.vectors, (3, 1)), np.tile(surface.photos.cells, 3)
    )
    alone = Gallery("land", surface.land.lonlat[:0], surface.land.vectors[:0], surface.land.cells[:0])
    cells = np.unique(surface.photos.cells)
    few, many = (Surface(one, alone, cells, centers_of(cells), areas_of(cells)) for one in (surface.photos, thrice))
    np.testing.assert_allclose(few.log_likelihood(units(1), 0.02), many.log_likelihood(units(1), 0.02), rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-4, 1e4), st.floats(0.0, 1.0), st.sampled_from([0.0, 60.0]), st.integers(0, 9))
def test_a_posterior_is_a_probability(surface, temperature, floor, kernel, seed):
    """It sums to one and has no negative and no missing number, whatever the calibration."""
    prior = make_prior(surface)[0]
    likelihood = surface.log_likelihood(units(1, seed), temperature)
    found = surface.posterior(likelihood, prior, Calibration(temperature, floor, kernel))
    assert (found >= 0.0).all()
    np.testing.assert_allclose(found.sum(), 1.0, rtol=1e-9)


def test_a_huge_temperature_leaves_the_prior(surface):
    prior = make_prior(surface, "land")[0]
    found = surface.posterior(surface.log_likelihood(units(1), 1e9), prior, Calibration(1e9))[0]
    np.testing.assert_allclose(found, prior, rtol=1e-6)


def test_a_tiny_temperature_leaves_the_best_cell(surface):
    """All on the cell of the place with the highest cosine, even within a prior that is far from it."""
    query, prior = units(1), make_prior(surface, "land")[0].copy()
    prior[::2] = 0.0
    found = surface.posterior(surface.log_likelihood(query, 1e-5), prior, Calibration(1e-5))[0]
    best = np.full(len(surface), -np.inf)
    for gallery in (surface.photos, surface.land):
        np.maximum.at(best, np.searchsorted(surface.cells, gallery.cells), gallery.scores(query)[0])
    best[prior == 0.0] = -np.inf
    assert found.argmax() == best.argmax()
    np.testing.assert_allclose(found.max(), 1.0)


def test_the_floor_goes_to_the_prior(surface):
    """Every cell keeps at least the floor's share of its prior, and a floor of one is the prior."""
    query, prior = units(1), make_prior(surface)[0]
    found = surface.posterior(surface.log_likelihood(query, 0.001), prior, Calibration(0.001, 0.1))[0]
    assert (found >= 0.1 * prior * (1.0 - 1e-12)).all()
    all_floor = surface.posterior(surface.log_likelihood(query, 0.001), prior, Calibration(0.001, 1.0))[0]
    np.testing.assert_allclose(all_floor, prior)


def test_the_kernel_spreads_over_neighbours_and_keeps_the_sum(surface):
    """One cell's probability becomes a Gaussian around it, across the antimeridian too."""
    edge = int(np.argmax(surface.lonlat[:, 0]))  # in Fiji, just west of 180
    alone = np.zeros((2, len(surface)))
    alone[1, edge] = 1.0
    nothing, spread = surface.spread(alone, 60.0)
    assert not nothing.any()
    np.testing.assert_allclose(spread.sum(), 1.0)
    lon, lat = np.radians(surface.lonlat).T
    cosine = np.sin(lat) * np.sin(lat[edge]) + np.cos(lat) * np.cos(lat[edge]) * np.cos(lon - lon[edge])
    km = EARTH_RADIUS_KM * np.arccos(cosine.clip(-1.0, 1.0))
    expected = np.where(km < 150.0, np.exp(-0.5 * (km / 60.0) ** 2), 0.0)
    np.testing.assert_allclose(spread, expected / expected.sum(), atol=1e-4)
    assert (surface.lonlat[spread > 0.01, 0] < 0.0).any()


def test_what_the_prior_rules_out_stays_out(surface):
    """The kernel does not carry probability to where the prior is zero."""
    prior = make_prior(surface, "land")[0].copy()
    prior[: len(prior) // 2] = 0.0
    found = surface.posterior(surface.log_likelihood(units(1), 0.02), prior, Calibration(0.02, 0.05, 60.0))[0]
    assert (found[prior == 0.0] == 0.0).all()


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_see_one_another(surface, count):
    every = surface.log_likelihood(units(count), 0.02)
    np.testing.assert_allclose(every[-1], surface.log_likelihood(units(count)[-1:], 0.02)[0], atol=1e-3)
