"""Erasing: what a taken-away concept leaves behind, in places and in other concepts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as such_that
from hypothesis import settings
from hypothesis import strategies as st

from geoconcept_gis.concepts import Calibration, Concept, Validity
from geoconcept_gis.concepts.erase import erase_from_vectors, given
from geoconcept_gis.errors import ConceptError, InputError


def labelled_places(seed=0, count=400, labels=3):
    """Centred unit directions with some labels, and a concept for each: its pattern is the difference of means."""
    rng = np.random.default_rng(seed)
    has = rng.random((count, labels)) < rng.uniform(0.2, 0.8, labels)
    has[:2] = [[True] * labels, [False] * labels]  # both sides are there
    z = rng.normal(size=(count, 512)) * 0.3 + has @ rng.normal(size=(labels, 512))
    z -= z.mean(axis=0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    concepts = []
    for k in range(labels):
        pattern = z[has[:, k]].mean(axis=0) - z[~has[:, k]].mean(axis=0)
        vector = pattern / np.linalg.norm(pattern) + 0.02 * rng.normal(size=512)  # reads not quite what it adds
        concepts.append(Concept(f"label {k}", vector, space="s", pattern=pattern))
    return z, has, concepts


def covariance(z, label):
    return np.abs((z - z.mean(axis=0)).T @ (label - label.mean()) / len(z)).max()


@settings(max_examples=20, deadline=None)
@such_that(seed=st.integers(0, 10_000), labels=st.integers(1, 4))
def test_no_label_is_left(seed, labels):
    """Readings are zero, labels have no covariance with any of the 512 numbers; twice is once; order is free."""
    z, has, concepts = labelled_places(seed, labels=labels)
    left = erase_from_vectors(z, concepts)
    assert left.shape == z.shape
    assert left.dtype == np.float32
    np.testing.assert_allclose(left @ np.array([c.vector for c in concepts]).T, 0.0, atol=1e-5)
    for k in range(labels):
        assert covariance(z, has[:, k]) > 1e-3
        assert covariance(left, has[:, k]) < 1e-6
    np.testing.assert_allclose(erase_from_vectors(left, concepts), left, atol=1e-5)
    np.testing.assert_allclose(erase_from_vectors(z, concepts[::-1]), left, atol=1e-5)


def test_what_is_not_erased_stays():
    """A concept that shares nothing with the erased one reads as before."""
    axes = np.eye(512)
    erased = Concept("x", axes[0], space="s", pattern=axes[0] + axes[1])
    z = np.random.default_rng(0).normal(size=(5, 512))
    left = erase_from_vectors(z, erased)
    np.testing.assert_allclose(left[:, 0], 0.0, atol=1e-6)
    np.testing.assert_allclose(left[:, 2:], z[:, 2:], rtol=1e-6)


@settings(max_examples=20, deadline=None)
@such_that(seed=st.integers(0, 10_000))
def test_reading_the_rest_is_reading_erased_places(seed):
    """The rest of a concept reads from a place what the whole concept reads from the place after erasing."""
    z, has, (target, *others) = labelled_places(seed)
    rest = given(target, others)
    read = erase_from_vectors(z, others) @ target.vector
    ratio = read / (z @ rest.vector)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-2)
    assert ratio[0] > 0
    for k in (1, 2):
        label = has[:, k] - has[:, k].mean()
        assert abs(label @ (z @ rest.vector)) / len(z) < 1e-6
    np.testing.assert_allclose(given(target, others[::-1]).vector, rest.vector, atol=1e-5)
    np.testing.assert_allclose(given(rest, others).vector, rest.vector, atol=1e-5)
    # What the rest adds to a place carries nothing of the others.
    np.testing.assert_allclose([c.vector @ rest.pattern for c in others], 0.0, atol=1e-5)


def test_the_rest_makes_no_claims():
    """Name and provenance name the parts; nothing that was measured on the whole concept is kept."""
    _, _, (target, one, two) = labelled_places()
    target = replace(
        target,
        calibration=Calibration(3.0, 0.0),
        percentiles=np.linspace(-1, 1, 101),
        validity=Validity("AUROC", 0.9),
        grade="A",
        failure="in the far north",
        aliases=("L0",),
        prompts=("a photo",),
        reference="r",
    )
    rest = given(target, one)
    assert rest.name == "label 0 given label 1"
    assert given(target, [one, two]).name == "label 0 given label 1 and label 2"
    assert (rest.calibration, rest.percentiles, rest.validity, rest.grade) == (None, None, None, None)
    assert (rest.failure, rest.aliases, rest.prompts, rest.reference) == ("", (), (), "r")
    assert (rest.provenance["concept"], rest.provenance["given"]) == ("label 0", "label 1")
    assert float(rest.provenance["cosine_with_whole"]) == pytest.approx(rest.vector @ target.vector, abs=1e-3)
    assert given(replace(target, pattern=None), one).pattern is None


def test_what_cannot_be_erased_is_refused():
    """Itself, its twin, no pattern, a pattern that disagrees, near copies, another space, nothing: each says why."""
    _, _, (target, one, two) = labelled_places()
    with pytest.raises(ConceptError, match="given itself"):
        given(target, target)
    with pytest.raises(ConceptError, match="nothing is left of 'label 0' given twin"):
        given(target, replace(target, name="twin"))
    with pytest.raises(ConceptError, match="'label 1' has no pattern"):
        given(target, replace(one, pattern=None))
    with pytest.raises(ConceptError, match="'label 1' cannot be taken away"):
        given(target, replace(one, pattern=-one.pattern))
    with pytest.raises(ConceptError, match="'label 1' and 'near' are too alike"):
        given(target, [two, one, replace(one, name="near", vector=one.vector + 1e-4)])
    with pytest.raises(ConceptError, match="cannot be mixed"):
        given(target, replace(one, space="t"))
    with pytest.raises(ConceptError, match="cannot be mixed"):
        given(target, [one, replace(two, space="t")])
    with pytest.raises(ConceptError, match="at least one"):
        given(target, [])
    with pytest.raises(InputError, match=r"\(N, 512\)"):
        erase_from_vectors(np.zeros(512), one)
