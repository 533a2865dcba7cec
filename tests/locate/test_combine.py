"""Several geolocations and rasters as one."""

import dataclasses

import numpy as np
import pytest
import shapely

from geoconcept_gis import combine, geolocate
from geoconcept_gis.errors import InputError
from geoconcept_gis.locate.density import Calibration
from tests.locate.conftest import TOWNS
from tests.locate.test_geolocation import spread
from tests.locate.test_priors import field


def by_hand(probability, prior, name="one"):
    one = spread({"cairo": 1.0}, rings=1)
    return dataclasses.replace(
        one,
        name=name,
        probability=np.asarray(probability),
        prior=np.asarray(prior),
        provenance={"prior": "p", "tower": name},
    )


def test_a_shared_prior_counts_once():
    """Product of the posteriors over the prior, worked out by hand for seven cells."""
    prior = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1, 0.0])
    first, second = (
        prior * np.array(likelihood) / (prior @ np.array(likelihood))
        for likelihood in ([1.0, 4.0, 2.0, 1.0, 1.0, 1.0, 9.0], [2.0, 3.0, 1.0, 1.0, 1.0, 5.0, 9.0])
    )
    both = combine([by_hand(first, prior), by_hand(second, prior, "two")])
    expected = np.array([0.4 * 2, 0.2 * 12, 0.1 * 2, 0.1, 0.1, 0.1 * 5, 0.0])
    np.testing.assert_allclose(both.probability, expected / expected.sum())
    assert both.name == "one; two"
    assert both.provenance == {"prior": "p", "tower": "one; two", "combined": "2 geolocations, 0 rasters"}


def test_a_photo_that_says_nothing_changes_nothing():
    """Its posterior is the prior, so the other one's answer stays; in any order, and twice."""
    prior = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1, 0.0])
    seen = by_hand([0.1, 0.6, 0.1, 0.1, 0.05, 0.05, 0.0], prior)
    blank = by_hand(prior, prior)
    for parts in ([seen, blank], [blank, seen], [blank, seen, blank]):
        np.testing.assert_allclose(combine(parts).probability, seen.probability)


def test_two_posteriors_are_what_one_likelihood_would_give(surface, small):
    """The product of likelihoods under one prior, from the surface itself, floor and all."""
    vectors = small.encode([TOWNS["cairo"], TOWNS["paris"]])
    located = geolocate(vectors, model=small)
    calibration = Calibration(*(float(located[0].provenance[key]) for key in ("temperature", "floor")))
    likelihood = surface.log_likelihood(vectors, calibration.temperature)
    prior = located[0].prior
    effective = surface.posterior(likelihood, prior, calibration) / prior
    expected = prior * effective[0] * effective[1]
    np.testing.assert_allclose(combine(located).probability, expected / expected.sum(), rtol=1e-4)


def test_a_raster_multiplies(small):
    """Zero rules out, two is twice as likely; only ratios count."""
    one = geolocate(small.encode([TOWNS["cairo"]]), model=small)
    west = one.lonlat[:, 0] < TOWNS["cairo"][0] - 1.0
    far = np.abs(one.lonlat[:, 0] - TOWNS["cairo"][0] + 1.0) > 0.6  # cells that neither edge cuts
    far &= np.abs(one.lonlat[:, 0]) < 179.0
    raster = field(lambda lon, lat: np.where(lon < TOWNS["cairo"][0] - 1.0, 6.0, 3.0), step=0.1)
    found = combine([one, raster])
    ratio = found.probability[far] / one.probability[far]
    np.testing.assert_allclose(ratio[west[far]].mean() / ratio[~west[far]].mean(), 2.0, rtol=1e-4)
    none = combine([one, field(lambda lon, lat: lon > 100.0, step=1.0) * 1.0], name="east")
    assert none.name == "east"
    assert (np.abs(none.lonlat[none.probability > 0.0, 0]) > 99.0).all()  # cells in Fiji lie on both sides
    assert none.provenance["rasters"] == "field"


def test_nothing_of_the_photos_goes_along(cairo):
    """No EXIF position, no vector: what is combined belongs to several photos."""
    object.__setattr__(cairo, "exif_lonlat", (31.2, 30.0))
    both = combine([cairo, cairo])
    object.__setattr__(cairo, "exif_lonlat", None)
    assert both.exif_lonlat is None
    with pytest.raises(InputError, match="not at hand"):
        _ = both.concepts
    assert both.points is not None


def test_coarse_copies_combine(cairo):
    np.testing.assert_allclose(combine([cairo.coarsened(100)] * 2).probability.sum(), 1.0)


def test_what_does_not_go_together_is_refused(small, cairo):
    """Other cells, other priors, an unknown prior, nothing left, no geolocation."""
    egypt, land = (
        geolocate(small.encode([TOWNS["cairo"]]), model=small, prior=prior)
        for prior in (shapely.box(25, 22, 35, 32), "land")
    )
    with pytest.raises(InputError, match="not on the same cells"):
        combine([cairo, cairo.coarsened(100)])
    with pytest.raises(InputError, match=r"different priors .*photos.*land"):
        combine([cairo, land])
    with pytest.raises(InputError, match="prior of a geolocation is not known"):
        combine([cairo, dataclasses.replace(cairo, prior=None)])
    with pytest.raises(InputError, match="nothing is left"):
        combine([egypt, field(lambda lon, lat: lon < 0.0, step=1.0) * 1.0])
    with pytest.raises(InputError, match="no geolocation"):
        combine(["map.tif"])
    with pytest.raises(InputError, match=r"gone\.tif cannot be read"):
        combine([cairo, "gone.tif"])
