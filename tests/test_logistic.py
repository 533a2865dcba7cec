"""Logistic regression on numpy: scikit-learn's minimum, and its place where both stop early."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from geoconcept_gis import reference_places
from geoconcept_gis.fitting import centre
from geoconcept_gis.logistic import balanced, fit_logistic


@pytest.fixture(scope="module")
def places(model):
    """Centred vectors of real places, and who of them scores high on a concept that is not easy."""
    lonlat = reference_places("uniform_land", 3_000, seed=4)
    scores = model.score(lonlat, "volcano", kind="cosine")[:, 0] + np.random.default_rng(0).normal(0, 0.05, 3_000)
    return centre(model.encode(lonlat), model.bank.references["uniform_land"]), scores > np.quantile(scores, 0.95)


def theirs(x, y, strength, tolerance, weight=None):
    kind = "balanced" if weight is None else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LogisticRegression(C=strength, class_weight=kind, tol=tolerance, max_iter=5_000).fit(x, y, weight)


def alike(one, two):
    return float(one @ two / np.linalg.norm(one) / np.linalg.norm(two))


@pytest.mark.parametrize("strength", [0.003, 0.1, 1.0])
def test_the_direction_is_scikit_learns(places, strength):
    """At the minimum, and where an early stop leaves both."""
    x, y = places
    for tolerance, exact in ((1e-9, x.astype(np.float64)), (1e-3, x)):
        reference = theirs(exact, y, strength, tolerance)
        fit = fit_logistic(exact, y, balanced(y), strength, tolerance=tolerance)
        assert alike(fit.normal, reference.coef_[0]) > 0.9999
        assert np.linalg.norm(fit.normal) == pytest.approx(np.linalg.norm(reference.coef_), rel=1e-3)
        assert fit.intercept == pytest.approx(reference.intercept_[0], abs=2e-3)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(4, 80), width=st.integers(1, 6), power=st.integers(-2, 5))
def test_the_gradient_is_zero_where_it_ends(seed, count, width, power):
    """Whatever the data, separable or not, and the penalty: the objective's own gradient, written out, vanishes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, width)) * 10.0 ** rng.uniform(-1, 1, width)
    y = np.arange(count) < rng.integers(1, count)
    weight = rng.uniform(0.1, 3.0, count)
    strength = 10.0**power
    fit = fit_logistic(x, y, weight, strength, tolerance=1e-7, iterations=5_000)
    residual = weight * (1.0 / (1.0 + np.exp(-np.clip(x @ fit.normal + fit.intercept, -700, 700))) - y)
    gradient = np.append(strength * (residual @ x) + fit.normal, strength * residual.sum())
    assert np.abs(gradient).max() <= 1e-6 * strength * weight.sum() * max(1.0, np.abs(x).max())


def test_classes_weigh_the_same():
    """However few one of them are."""
    y = np.arange(100) < 7
    weight = balanced(y)
    assert weight[y].sum() == pytest.approx(weight[~y].sum()) == pytest.approx(50.0)


def test_weights_are_repeats():
    """A place of weight three is three places."""
    rng = np.random.default_rng(1)
    x, times = rng.normal(size=(60, 4)), rng.integers(1, 4, 60)
    y = x[:, 0] + rng.normal(size=60) > 0.0
    once = fit_logistic(x, y, times.astype(float), 1.0, tolerance=1e-9)
    repeated = fit_logistic(x.repeat(times, axis=0), y.repeat(times), np.ones(times.sum()), 1.0, tolerance=1e-9)
    np.testing.assert_allclose(once.normal, repeated.normal, atol=1e-6)


def test_it_stops_when_told_to(places):
    """So many steps, and not one where there is nothing to find."""
    x, y = places
    few = fit_logistic(x, y, balanced(y), 1.0, tolerance=0.0, iterations=2)
    many = fit_logistic(x, y, balanced(y), 1.0)
    assert np.linalg.norm(few.normal) < 0.9 * np.linalg.norm(many.normal)
    assert not fit_logistic(np.ones((8, 3)), np.arange(8) < 4, np.ones(8), 1.0).normal.any()
