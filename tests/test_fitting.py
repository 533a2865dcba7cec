"""Fitting one concept: measures as in sklearn, folds that hold out, controls and grades that mean something."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from geoconcept_gis.concepts import Calibration, Validity
from geoconcept_gis.errors import ConceptError
from geoconcept_gis.fitting import (
    Examples,
    _calibration_error,
    _folds,
    _move,
    centre,
    fit_concept,
    grade_of,
    known_failure,
    spatial_blocks,
    weighted_auroc,
)


def world(count=1500, seed=0, strength=1.0, label=None):
    """Places all over the globe, whose vectors carry the label along one direction and noise along all."""
    rng = np.random.default_rng(seed)
    lonlat = np.column_stack([rng.uniform(-180, 180, count), rng.uniform(-60, 75, count)])
    y = (np.abs(lonlat[:, 1]) < 20) if label is None else label(lonlat, rng)
    axis = rng.normal(size=512)
    axis /= np.linalg.norm(axis)
    vectors = rng.normal(size=(count, 512)) / np.sqrt(512) + strength * np.outer(np.where(y, 1.0, -1.0), axis)
    return Examples(centre(vectors, np.zeros(512)), y, lonlat, np.ones(count)), axis


@given(
    st.data(),
    st.integers(2, 60),
)
def test_auroc_is_sklearns(data, count):
    """With and without weights, with ties or none, in whatever order the rows stand."""
    scores = data.draw(hnp.arrays(np.float32, count, elements=st.integers(-3, 3).map(lambda k: k / 4)))
    y = data.draw(hnp.arrays(bool, count))
    weights = data.draw(hnp.arrays(np.float64, (2, count), elements=st.integers(0, 3).map(float)))
    values = [*weighted_auroc(scores, y), *weighted_auroc(scores, y, weights)]
    for row, value in zip([np.ones(count), *weights], values, strict=True):
        if row[y].sum() > 0 and row[~y].sum() > 0:
            assert value == pytest.approx(roc_auc_score(y, scores, sample_weight=row), abs=1e-9)
        else:
            assert np.isnan(value)


def test_auroc_without_order_is_chance():
    """Scores that are all the same tell nothing, even if the positives come first."""
    assert weighted_auroc(np.zeros(10), np.arange(10) < 3)[0] == 0.5


def test_calibration_error_is_zero_for_true_shares_and_large_for_false_ones():
    """10 % said and 10 % seen is no error; 60 % said is an error of a half."""
    y = np.arange(1000) % 10 == 0
    ones = np.ones(1000)
    assert _calibration_error(np.full(1000, 0.1), y, ones) < 0.005
    assert _calibration_error(np.full(1000, 0.6), y, ones) == pytest.approx(0.5)
    heavy = np.where(y, 9.0, 1.0)  # now half of all weight carries the label
    assert _calibration_error(np.full(1000, 0.5), y, heavy) < 0.02


def test_centre_gives_unit_vectors_that_do_not_depend_on_length():
    """Ten times the vector is the same place."""
    rng = np.random.default_rng(0)
    vectors, mean = rng.normal(size=(20, 512)), rng.normal(size=512) / 50
    centred = centre(vectors, mean)
    assert np.allclose(np.linalg.norm(centred, axis=1), 1.0, atol=1e-6)
    assert np.allclose(centred, centre(10.0 * vectors, mean), atol=1e-6)


def test_blocks_hold_what_is_together():
    """A block of 10 degrees ends at every tenth degree."""
    blocks = spatial_blocks(np.array([[0.1, 0.1], [9.9, 9.9], [10.1, 0.1], [0.1, -0.1]]))
    assert blocks[0] == blocks[1]
    assert len(set(blocks)) == 3


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(2, 12), st.sampled_from([2, 5]))
def test_folds_share_no_block_and_train_on_both_classes(seed, labelled, blocks, wanted):
    """However few blocks hold a class, every place is tested once, by a fit that saw both classes elsewhere."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, blocks, 60)
    y = np.zeros(60, dtype=bool)
    y[rng.choice(60, labelled, replace=False)] = True
    if len(np.unique(block[y])) < 2 or len(np.unique(block[~y])) < 2:
        return
    folds = _folds(y, block, wanted, seed)
    assert np.array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(60))
    for train, test in folds:
        assert not set(block[train]) & set(block[test])
        assert y[train].any()
        assert not y[train].all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("degrees", [10.0, 5.0])
def test_folds_are_scikit_learns_and_even(seed, degrees):
    """The same ones, number by number; each holds its share of both classes."""
    examples, _ = world(
        3000, seed, label=lambda lonlat, rng: rng.random(len(lonlat)) < 0.03 + 0.3 * (lonlat[:, 0] > 90)
    )
    block = spatial_blocks(examples.lonlat, degrees)
    folds = _folds(examples.y, block, 5, seed)
    theirs = StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(examples.y, examples.y, block)
    for (train, test), (_, expected) in zip(folds, theirs, strict=True):
        assert np.array_equal(test, expected)
        assert len(train) + len(test) == 3000
        for label in (examples.y, ~examples.y):
            assert label[test].sum() == pytest.approx(label.sum() / 5, rel=0.1)


@given(st.integers(0, 10_000), st.integers(1, 99), st.integers(2, 40))
def test_moved_labels_keep_their_number(seed, labelled, blocks):
    """As many labels as before, in as many blocks, so many to each."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, blocks, 100)
    y = np.zeros(100, dtype=bool)
    y[rng.choice(100, labelled, replace=False)] = True
    rows = _move(y, block, rng)
    assert len(rows) == labelled
    before, after = (np.sort(np.unique(block[which], return_counts=True)[1]) for which in (y, rows))
    assert np.array_equal(before, after)


def test_crowded_labels_do_move():
    """Hundreds of records in one block leave it, though no other block has room for as many."""
    block = np.concatenate([np.zeros(400, dtype=np.int64), np.arange(1, 201).repeat(20)])
    y = np.arange(len(block)) < 390
    there = [set(block[_move(y, block, np.random.default_rng(seed))]) for seed in range(20)]
    assert sum(where == {0} for where in there) <= 6  # it holds a tenth of the places


def test_a_known_direction_is_found():
    """A label written along one axis is read off that axis, and the concept gets an A."""
    examples, axis = world(strength=0.5)
    fit = fit_concept(examples, negatives="the rest", strengths=(0.1,))
    assert fit.grade == "A"
    assert fit.vector @ axis > 0.8
    assert fit.pattern @ axis > 0.95
    assert fit.validity.interval[0] <= fit.validity.value <= fit.validity.interval[1]
    assert fit.validity.value == pytest.approx(roc_auc_score(examples.y, fit.scores), abs=1e-4)
    assert fit.validity.controls["moved labels"] < 0.7
    assert fit.calibration.prevalence == pytest.approx(examples.y.mean(), abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_noise_gets_a_d(seed):
    """Labels drawn by lot are found nowhere."""
    examples, _ = world(600, seed, strength=0.0, label=lambda lonlat, rng: rng.random(len(lonlat)) < 0.2)
    fit = fit_concept(examples, negatives="the rest", strengths=(0.1,), seed=seed)
    assert fit.grade == "D"
    assert 0.35 < fit.validity.value < 0.65


def test_labels_with_nothing_to_find_still_have_a_direction():
    """Where the solver takes no step at all, the result is finite, and a D."""
    examples, _ = world(300)
    x = centre(np.ones((300, 512)) + 1e-3 * examples.x, np.zeros(512))
    y = np.random.default_rng(0).random(300) < 0.5
    fit = fit_concept(Examples(x, y, examples.lonlat, examples.weight), negatives="x", strengths=(0.01,))
    assert np.isfinite(fit.vector).all()
    assert fit.grade == "D"


def test_a_crowded_label_is_not_mistaken_for_its_control():
    """A label found with ease in two neighbouring blocks beats its control, however many records crowd there."""
    rng = np.random.default_rng(3)
    crowd = np.column_stack([rng.uniform(-5, 5, 300), rng.uniform(41, 49, 300)])

    def label(lonlat, _):
        lonlat[:300] = crowd
        return np.arange(len(lonlat)) < 300

    examples, _ = world(strength=0.5, label=label)
    fit = fit_concept(examples, negatives="the rest", strengths=(0.1,))
    assert fit.validity.controls["moved labels"] < 0.75
    assert fit.grade in "AB"


def test_the_same_seed_gives_the_same_fit():
    """Number by number; another seed draws other folds."""
    examples, _ = world(400, strength=0.2)
    first, again, other = (fit_concept(examples, negatives="x", strengths=(0.03, 0.3), seed=s) for s in (0, 0, 1))
    assert np.array_equal(first.vector, again.vector)
    assert np.array_equal(first.scores, again.scores)
    assert (first.validity, first.calibration) == (again.validity, again.calibration)
    assert not np.array_equal(first.scores, other.scores)


def test_what_cannot_be_tested_is_refused():
    """One class, one example, or one spot: the message says which."""
    examples, _ = world(100)
    for y in (np.zeros(100, dtype=bool), np.ones(100, dtype=bool), np.arange(100) == 0):
        with pytest.raises(ConceptError, match="at least 2"):
            fit_concept(Examples(examples.x, y, examples.lonlat, examples.weight), negatives="x")
    together = examples.lonlat.copy()
    together[:5] = [12.5, 41.5]
    with pytest.raises(ConceptError, match="within one block of 1 degree"):
        fit_concept(Examples(examples.x, np.arange(100) < 5, together, examples.weight), negatives="x")


def test_without_controls_there_are_none():
    """The quick way skips them, and says nothing of them."""
    fit = fit_concept(world(300)[0], negatives="x", strengths=(0.1,), controls=False)
    assert (fit.moved, fit.validity.controls) == ((), {})


@pytest.mark.parametrize(
    ("value", "low", "ece", "moved", "grade"),
    [
        (0.95, 0.91, 0.02, (0.5,), "A"),
        (0.95, 0.89, 0.02, (0.5,), "B"),
        (0.95, 0.91, 0.06, (0.5,), "C"),
        (0.79, 0.70, 0.02, (0.5,), "C"),
        (0.95, 0.91, 0.02, (0.99, 0.99), "D"),
        (0.95, 0.91, 0.02, (0.5, 0.96), "D"),
        (0.60, 0.49, 0.02, (), "D"),
    ],
)
def test_grades(value, low, ece, moved, grade):
    """Each rule on its own."""
    validity = Validity("AUROC", value, (low, min(value + 0.02, 1.0)))
    assert grade_of(validity, Calibration(1.0, 0.0, ece), moved) == grade


def test_known_failure_names_the_areas():
    """High without the label in the south, low with it in the north; small errors are not named."""
    where = np.array(["north"] * 20 + ["south"] * 20 + [""] * 20)
    y = np.arange(60) < 20
    scores = np.where(y, 1.0, 0.0)
    scores[15:20], scores[20:25] = -1.0, 2.0
    text = known_failure(scores, y, np.ones(60), where)
    assert text == (
        "Reads high without the label in south (100% of such errors). Misses it in north (100% of such errors)."
    )
    assert known_failure(np.where(y, 1.0, 0.0), y, np.ones(60), where) == ""
