"""Noise on places and the queue of earlier ones."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.evaluation.metrics import distance_km
from geoconcept_gis.train.negatives import PlaceQueue, jitter


def places(*pairs):
    return torch.tensor(pairs, dtype=torch.float64)


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(0.01, 500), st.integers(0, 1000))
def test_places_stay_on_the_earth(lon, lat, km, seed):
    moved = jitter(places((lon, lat)), km, torch.Generator().manual_seed(seed)).numpy()
    assert np.isfinite(moved).all()
    assert (np.abs(moved) <= (180.0, 90.0)).all()


@pytest.mark.parametrize("place", [(0.0, 0.0), (179.999, 51.0), (10.0, 89.0), (-60.0, -75.0)])
def test_noise_has_the_spread_asked_for(place):
    start = places(*[place] * 4000)
    moved = jitter(start, 10.0, torch.Generator().manual_seed(0))
    km = distance_km(moved.numpy(), start.numpy(), method="haversine")
    # Gaussian to the east and to the north: a Rayleigh distance, whose mean is sigma sqrt(pi / 2).
    assert km.mean() == pytest.approx(10.0 * np.sqrt(np.pi / 2), rel=0.05)


def test_no_noise_changes_nothing():
    start = places((1.0, 2.0))
    assert jitter(start, 0.0) is start


def test_a_place_leaves_over_the_pole_and_comes_down_behind_it():
    moved = jitter(places(*[(0.0, 89.99)] * 200), 20.0, torch.Generator().manual_seed(1))
    assert (moved[:, 1] <= 90.0).all()
    assert (moved[:, 0].abs() > 90.0).any()


def test_the_queue_forgets_the_oldest():
    queue = PlaceQueue(4, width=1)
    assert (queue.row == -1).all()
    for start in range(0, 9, 3):
        row = torch.arange(start, start + 3)
        queue.push(row, torch.stack((row, row), 1).double(), row[:, None].float())
    assert sorted(queue.row.tolist()) == [5, 6, 7, 8]
    assert torch.equal(queue.vectors[:, 0].long(), queue.row)
    assert torch.equal(queue.lonlat[:, 0].long(), queue.row)


def test_more_than_fits_leaves_the_last():
    queue = PlaceQueue(2)
    queue.push(torch.arange(5), torch.zeros(5, 2, dtype=torch.float64), torch.zeros(5, 0))
    assert sorted(queue.row.tolist()) == [3, 4]
