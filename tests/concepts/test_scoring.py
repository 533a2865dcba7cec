"""Scores: against a slow reference, with the promised zero and units."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.concepts import Calibration, Concept, ConceptScorer, scoring
from geoconcept_gis.errors import ConceptError, InputError

RNG = np.random.default_rng(0)
MEANS = {
    "land": RNG.normal(size=512).astype(np.float32) * 0.01,
    "photos": RNG.normal(size=512).astype(np.float32) * 0.015,
}
KNOTS = np.linspace(-0.3, 0.3, 101)
CONCEPTS = [
    Concept(
        "a", RNG.normal(size=512), space="s", reference="land", calibration=Calibration(20.0, -2.0), percentiles=KNOTS
    ),
    Concept(
        "b", RNG.normal(size=512), space="s", reference="photos", calibration=Calibration(5.0, 1.0), percentiles=KNOTS
    ),
]


def slow_cosine(x, concept):
    """The definition, word for word."""
    u = x / np.linalg.norm(x)
    z = u - MEANS[concept.reference]
    return float(z @ concept.vector / np.linalg.norm(z))


def test_cosine_matches_the_definition():
    """One matrix product gives what the formula says, for two references at once."""
    x = RNG.normal(size=(50, 512)).astype(np.float32)
    got = ConceptScorer(CONCEPTS, MEANS, "cosine")(x)
    want = [[slow_cosine(row.astype(np.float64), concept) for concept in CONCEPTS] for row in x]
    np.testing.assert_allclose(got, want, atol=2e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize("count", [1, 62, 63, 150])
@pytest.mark.parametrize("rows", [0, 1, 8, 61])
def test_any_number_of_rows_and_concepts(rows, count):
    """The tiles of the matrix product fit together, whatever the numbers of rows and concepts."""
    many = [Concept(f"c{k}", RNG.normal(size=512), space="s", reference="land") for k in range(count)]
    x = RNG.normal(size=(rows, 512)).astype(np.float32)
    got = ConceptScorer(many, MEANS, "cosine")(x)
    u = x / np.linalg.norm(x, axis=1, keepdims=True) - MEANS["land"]
    want = (u / np.linalg.norm(u, axis=1, keepdims=True)) @ np.array([c.vector for c in many]).T
    assert got.shape == (rows, count)
    np.testing.assert_allclose(got, want, atol=2e-6)


def test_calibrated_and_percentile_follow_the_cosine():
    """Calibrated is logistic, percentile interpolates the stored knots."""
    x = RNG.normal(size=(20, 512)).astype(np.float32)
    cosine = ConceptScorer(CONCEPTS, MEANS, "cosine")(x)
    calibrated = ConceptScorer(CONCEPTS, MEANS, "calibrated")(x)
    np.testing.assert_allclose(calibrated[:, 0], 1 / (1 + np.exp(-(20 * cosine[:, 0] - 2))), rtol=1e-5)
    percentile = ConceptScorer(CONCEPTS, MEANS, "percentile")(x)
    np.testing.assert_allclose(percentile[:, 1], np.interp(cosine[:, 1], KNOTS, np.arange(101)), rtol=1e-5)


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 1000))
def test_length_of_a_vector_does_not_matter(scale, seed):
    """Scores depend on direction alone."""
    x = np.random.default_rng(seed).normal(size=(3, 512)).astype(np.float32)
    scorer = ConceptScorer(CONCEPTS, MEANS, "cosine")
    np.testing.assert_allclose(scorer(x * np.float32(scale)), scorer(x), atol=1e-5)


def test_range_and_nan():
    """Extremes stay in range; a vector without direction scores NaN in every kind."""
    x = np.stack([CONCEPTS[0].vector * 5, -CONCEPTS[0].vector, np.zeros(512), np.full(512, np.nan)]).astype(np.float32)
    for kind, low, high in (("cosine", -1, 1), ("calibrated", 0, 1), ("percentile", 0, 100)):
        scores = ConceptScorer(CONCEPTS, MEANS, kind)(x)
        assert ((scores[:2] >= low) & (scores[:2] <= high)).all()
        assert np.isnan(scores[2:]).all()


def test_steep_calibration_does_not_overflow():
    """A slope far beyond any fitted one still gives 0 and 1, without warnings."""
    steep = Concept("steep", CONCEPTS[0].vector, space="s", reference="land", calibration=Calibration(1e6, 0.0))
    x = np.stack([steep.vector, -steep.vector])
    np.testing.assert_allclose(ConceptScorer([steep], MEANS)(x)[:, 0], [1.0, 0.0], atol=1e-6)


def test_what_is_missing_is_named():
    """Unknown kinds and uncalibrated concepts are refused by name."""
    bare = Concept("bare", CONCEPTS[0].vector, space="s", reference="land")
    with pytest.raises(ConceptError, match="'bare' has no calibration: ask for kind='cosine'"):
        ConceptScorer([bare], MEANS)
    with pytest.raises(ConceptError, match="no percentiles"):
        ConceptScorer([bare], MEANS, "percentile")
    with pytest.raises(InputError, match="kind must be one of"):
        ConceptScorer(CONCEPTS, MEANS, "probability")


def test_threads_change_no_bit():
    """Many concepts are scored by several threads: the same numbers as a few at a time."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(1003, 512)).astype(np.float32)
    matrix = rng.normal(size=(512, 300)).astype(np.float32)
    together = scoring._product(vectors, matrix)
    alone = np.concatenate([scoring._product(vectors, matrix[:, k : k + 64]) for k in range(0, 300, 64)], axis=1)
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(together, vectors @ matrix, rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_scoring_works_in_a_forked_process():
    """The parent's threads are not there; the child makes its own."""
    code = """
import multiprocessing, numpy as np
from geoconcept_gis.concepts import scoring
x, m = np.ones((64, 512), np.float32), np.ones((512, 300), np.float32)
scoring._product(x, m)
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply_async(scoring._product, (x, m)).get(timeout=60)[0, 0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "512.0", done.stderr
