"""Distances, scores and intervals against slow references and known limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.errors import CoordinateError, InputError
from geoconcept_gis.evaluation import distance_km, geoguessr_score
from geoconcept_gis.evaluation.metrics import (
    RADIUS_KM,
    circle_km2,
    estimate,
    recall_curve,
    weighted_median,
    widen_certain,
)
from tests.strategies import places


def slow_haversine(a, b):
    """Angle between two unit vectors, by their cross and dot products."""
    u, v = (
        np.array([math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)])
        for x, y in (map(math.radians, place) for place in (a, b))
    )
    return RADIUS_KM * math.atan2(float(np.linalg.norm(np.cross(u, v))), float(u @ v))


@given(places, places)
def test_distances(a, b):
    """Great circles are right to a metre, geodesics within 0.6 % of them, and both are symmetric."""
    sphere, ellipsoid = (float(distance_km([a], [b], method=method)[0]) for method in ("haversine", "geodesic"))
    assert sphere == pytest.approx(slow_haversine(a, b), abs=1e-3)
    assert ellipsoid == pytest.approx(sphere, rel=6e-3, abs=40.0 if sphere > 19_900 else 1e-3)
    assert float(distance_km([b], [a])[0]) == pytest.approx(ellipsoid, abs=1e-6)


def test_known_distances():
    """A quarter of a meridian is the metre's old definition, pole to pole twice that; the equator's degree is known."""
    metric = distance_km([[0, 0], [0, -90], [0, 0], [179.5, 0]], [[0, 90], [0, 90], [1, 0], [-179.5, 0]])
    assert metric.round(3).tolist() == [10001.966, 20003.931, 111.319, 111.319]


def test_distances_refuse():
    """Different lengths, unknown methods and impossible places are named."""
    with pytest.raises(InputError, match="a has 1 places and b 2"):
        distance_km([[0, 0]], [[0, 0], [1, 1]])
    with pytest.raises(InputError, match="'geodesic', 'haversine'"):
        distance_km([[0, 0]], [[0, 0]], method="flat")
    with pytest.raises(CoordinateError, match="row 0"):
        distance_km([[0, 95]], [[0, 0]])


def test_score():
    """5000 on the spot, 5000/e at the constant, nothing without an answer."""
    assert geoguessr_score([0.0, 1492.7, np.inf]).tolist() == [5000.0, pytest.approx(5000.0 / math.e), 0.0]


def test_circles():
    """Small circles are flat, the largest is the Earth, and infinity stays."""
    whole = 4.0 * math.pi * RADIUS_KM**2
    radius = math.pi * RADIUS_KM
    assert circle_km2(0.001) == pytest.approx(math.pi * 1e-6, rel=1e-6)
    assert circle_km2([radius / 2, radius, radius + 10]).tolist() == pytest.approx([whole / 2, whole, whole])
    assert circle_km2(np.inf) == np.inf


@given(st.lists(st.tuples(st.integers(-5, 5) | st.just(math.inf), st.integers(0, 4)), min_size=1))
def test_weighted_median(pairs):
    """It is numpy's median of the values written out."""
    values, weights = (np.array(column, dtype=float) for column in zip(*sorted(pairs), strict=True))
    if weights.sum():
        assert weighted_median(values, weights) == np.median(np.repeat(values, weights.astype(int)))


def test_interval_of_a_share():
    """Single rows give the textbook's interval; ten copies of each, drawn together, give one as wide."""
    right = (np.random.default_rng(3).random(1000) < 0.3).astype(float)[:, None]
    none = np.empty((1000, 0))
    alone = estimate(right, none, np.arange(1000), 2000, 0)[0]
    assert alone[0] == right.mean()
    width = 2 * 1.96 * math.sqrt(alone[0] * (1 - alone[0]) / 1000)
    assert alone[2] - alone[1] == pytest.approx(width, rel=0.1)
    copies = estimate(np.repeat(right, 10, 0), np.repeat(none, 10, 0), np.repeat(np.arange(1000), 10), 2000, 0)[0]
    assert copies.tolist() == pytest.approx(alone.tolist())


def test_interval_of_a_median():
    """The median's interval is that of order statistics, and reaches infinity where answers are missing."""
    values = np.append(np.arange(101.0), [np.inf] * 90)[:, None]
    value, low, high = estimate(np.empty((191, 0)), values, np.arange(191), 2000, 0)[0]
    assert (value, high) == (95.0, np.inf)
    assert 80.0 <= low <= 84.0  # binomial(191, 0.5): the 82nd of 191


def test_no_interval():
    """One cluster, or no draws, has no interval."""
    rows = np.ones((3, 1))
    for cluster, draws in ((np.zeros(3, dtype=int), 100), (np.arange(3), 0)):
        assert np.isnan(estimate(rows, rows, cluster, draws, 0)[:, 1:]).all()
        assert np.isnan(recall_curve(rows[:, 0], np.array([2.0]), cluster, draws, 0)[:, 1:]).all()


def test_certain_shares():
    """None of 100 right still means up to 3.6 %, as Clopper and Pearson have it."""
    shares = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 0.4, 0.6], [0.0, np.nan, np.nan]])
    widen_certain(shares, 100)
    assert shares[:3].round(4).tolist() == [[0.0, 0.0, 0.0362], [1.0, 0.9638, 1.0], [0.5, 0.4, 0.6]]
    assert np.isnan(shares[3, 1:]).all()


@given(st.lists(st.floats(0.5, 600.0) | st.just(math.inf), min_size=1, max_size=30))
def test_recall_curve(area):
    """Recall at an area is the share found within it, the area itself included."""
    area, areas = np.array(area), np.array([1.0, 10.0, 100.0, 500.0])
    curve = recall_curve(area, areas, np.arange(len(area)), 0, 0)
    assert curve[:, 0].tolist() == pytest.approx([(area <= limit).mean() for limit in areas])
