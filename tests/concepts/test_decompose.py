"""Sparse, non-negative decomposition: the optimum, proven; agreement with scikit-learn; honest refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso

from geoconcept_gis.concepts import Concept
from geoconcept_gis.concepts.decompose import atoms_of, centre, decompose, rebuild
from geoconcept_gis.errors import InputError


def units(rng, count, dim):
    rows = rng.normal(size=(count, dim))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def mixed(rng, count, atoms):
    """Vectors that are sums of a few atoms, with noise."""
    weights = rng.uniform(size=(count, len(atoms))) * (rng.uniform(size=(count, len(atoms))) < 0.2)
    rows = weights @ atoms + 0.1 * rng.normal(size=(count, atoms.shape[1]))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def objective(vectors, atoms, weights, l1):
    return ((vectors - weights @ atoms) ** 2).sum(axis=1) + l1 * weights.sum(axis=1)


@pytest.mark.parametrize("l1", [0.05, 0.2, 0.8])
def test_same_as_scikit_learn(l1):
    """Objective and weights are those of the non-negative Lasso with alpha = l1 / (2 d)."""
    rng = np.random.default_rng(1)
    atoms = units(rng, 40, 64) + 0.1  # atoms that overlap, as concepts do
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    vectors = mixed(rng, 30, atoms)
    ours = decompose(vectors, atoms, l1=l1, tolerance=1e-7)
    lasso = Lasso(alpha=l1 / (2 * 64), positive=True, fit_intercept=False, tol=1e-10, max_iter=100_000)
    theirs = np.stack([lasso.fit(atoms.T, vector).coef_ for vector in vectors])
    gap = objective(vectors, atoms, ours, l1) - objective(vectors, atoms, theirs, l1)
    assert np.abs(gap).max() < 1e-6
    assert np.abs(ours - theirs).max() < 1e-3
    rough = decompose(vectors, atoms, l1=l1)
    assert (objective(vectors, atoms, rough, l1) - objective(vectors, atoms, theirs, l1)).max() < 1e-3


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 25), st.integers(2, 30)),
    l1=st.floats(0.02, 1.5),
)
def test_the_optimum_by_its_conditions(seed, sizes, l1):
    """Karush-Kuhn-Tucker: no atom still pulls harder than l1 / 2, and those in use pull exactly so hard."""
    rng = np.random.default_rng(seed)
    count, number, dim = sizes
    atoms, vectors = units(rng, number, dim), units(rng, count, dim)
    weights = decompose(vectors, atoms, l1=l1, tolerance=1e-9).astype(float)
    pull = (vectors - weights @ atoms) @ atoms.T
    assert (weights >= 0).all()
    assert (pull <= l1 / 2 + 1e-3).all()
    assert np.abs(pull - l1 / 2)[weights > 1e-3].max(initial=0.0) < 1e-3


def test_a_row_does_not_depend_on_the_others():
    """One by one, in any order or all at once: the same weights."""
    rng = np.random.default_rng(2)
    atoms = units(rng, 50, 32)
    vectors = mixed(rng, 1500, atoms)  # more than one block
    together = decompose(vectors, atoms)
    backwards = decompose(vectors[::-1], atoms)[::-1]
    alone = np.concatenate([decompose(vectors[k : k + 1], atoms) for k in range(0, 1500, 100)])
    assert np.allclose(together, backwards, atol=1e-4)
    assert np.allclose(together[::100], alone, atol=1e-4)


def test_more_l1_fewer_atoms():
    """l1 buys sparsity; from 2 on nothing is left, for unit vectors."""
    rng = np.random.default_rng(3)
    atoms = units(rng, 60, 40)
    vectors = mixed(rng, 20, atoms)
    counts = [(decompose(vectors, atoms, l1=l1) > 0).sum() for l1 in (0.05, 0.2, 0.8, 2.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2] > counts[3] == 0


def test_nothing_to_work_with():
    """No vectors, no atoms, a zero vector, zero atoms and twins: weights of the right shape, none of them invented."""
    assert decompose(np.ones((3, 4)), np.empty((0, 4))).shape == (3, 0)
    assert decompose(np.empty((0, 4)), np.ones((2, 4))).shape == (0, 2)
    assert (decompose(np.zeros((1, 4)), np.ones((2, 4)) / 2) == 0).all()
    assert (decompose(np.ones((1, 4)) / 2, np.zeros((2, 4))) == 0).all()
    twins = decompose([[1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], l1=0.2)
    assert twins.sum() == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"l1": 0.0}, "l1 must be"),
        ({"l1": float("nan")}, "l1 must be"),
        ({"tolerance": -1.0}, "tolerance must be"),
        ({"vectors": np.ones((2, 3))}, "same D"),
        ({"vectors": np.ones(4)}, "same D"),
        ({"vectors": np.full((1, 4), np.nan)}, "finite"),
        ({"iterations": 0, "tolerance": 1e-9}, "did not settle"),
    ],
)
def test_refusals(arguments, message):
    """What cannot be decomposed, or was not in the time given, is said so."""
    call = {"vectors": [[0.6, 0.8, 0.0, 0.0]], "atoms": np.eye(4), **arguments}
    with pytest.raises(InputError, match=message):
        decompose(**call)


def test_atoms_are_patterns_where_there_are_any():
    """A concept's pattern is what it adds; without one its vector stands in."""
    one, two = np.eye(512)[:2]
    concepts = [Concept("a", one, space="s", pattern=two), Concept("b", one, space="s")]
    assert np.array_equal(atoms_of(concepts), np.stack([two, one]))


def test_rebuild_turns_back():
    """With a full set of atoms and a tiny l1 the vector comes back; without weights, the mean."""
    rng = np.random.default_rng(4)
    mean = 0.3 * units(rng, 1, 6)[0]
    unit = units(rng, 5, 6)
    atoms = np.concatenate([np.eye(6), -np.eye(6)])
    # Where |u - m| is 1 the rebuilt vector is u itself: SpLiCE scales the sum to length one before it adds the mean.
    centred = centre(unit, mean)
    weights = decompose(centred, atoms, l1=1e-4, tolerance=1e-8)
    assert np.allclose(centre(weights @ atoms, np.zeros(6)), centred, atol=1e-3)
    expected = centre(centred + mean, np.zeros(6))
    assert np.allclose(rebuild(weights, atoms, mean), expected, atol=1e-3)
    assert np.allclose(rebuild(np.zeros((1, 12)), atoms, mean), mean / 0.3)
