"""A vector as a sparse, non-negative sum of concepts (SpLiCE: Bhalla et al. 2024, arXiv 2402.10376).

For a centred unit vector z and atoms c_1 .. c_K, one a concept, the weights w >= 0 minimise

    | z - (w_1 c_1 + .. + w_K c_K) |^2 + l1 (w_1 + .. + w_K)

`l1` buys sparsity: an atom comes in only if its product with what the others leave over exceeds l1 / 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .concept import Concept

__all__ = ["DEFAULT_L1", "atoms_of", "centre", "decompose", "rebuild"]

#: Keeps some 9 to 18 of 340 concepts at places all over the world.
DEFAULT_L1 = 0.2
#: Rows worked on at a time: their weights stay in the processor's cache.
_ROWS = 1024
#: Steps between two looks at how far off the optimum is.
_STEPS = 20


def atoms_of(concepts: Sequence[Concept]) -> NDArray[np.float32]:
    """Return what each concept adds to a vector: its pattern, or its vector where it has none.

    Parameters
    ----------
    concepts : sequence of Concept

    Returns
    -------
    ndarray of float32, shape (K, 512)
        Unit rows.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> atoms_of(load_model().select(["BWh", "Cfb"])).shape
    (2, 512)
    """
    rows = [concept.vector if concept.pattern is None else concept.pattern for concept in concepts]
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1)


def centre(vectors: ArrayLike, mean: ArrayLike) -> NDArray[np.float64]:
    """Take the mean of a reference set away: ``z = (u - m) / |u - m|``.

    Parameters
    ----------
    vectors : array_like of shape (N, D)
        Unit vectors u, or means of several unit vectors.
    mean : array_like of shape (D,)
        Mean unit vector m of a reference set.

    Returns
    -------
    ndarray of float64, shape (N, D)
        Unit rows.

    Examples
    --------
    >>> centre([[1.0, 0.0]], [0.5, 0.0]).tolist()
    [[1.0, 0.0]]
    """
    return _unit(np.asarray(vectors, dtype=np.float64) - np.asarray(mean, dtype=np.float64))


def decompose(
    vectors: ArrayLike,
    atoms: ArrayLike,
    *,
    l1: float = DEFAULT_L1,
    iterations: int = 20_000,
    tolerance: float = 1e-4,
) -> NDArray[np.float32]:
    """Write vectors as sparse, non-negative sums of atoms.

    Parameters
    ----------
    vectors : array_like of shape (N, D)
        Centred unit vectors, as `centre` returns them.
    atoms : array_like of shape (K, D)
        Unit rows, as `atoms_of` returns them.
    l1 : float
        Price of a weight, above 0. Larger means fewer concepts: from 2 on, none.
    iterations : int
        Most steps a row may take.
    tolerance : float
        How far a row's objective may be above the smallest there is, as a share of its squared length. The duality gap
        proves it.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Weights; most are exactly 0. A row does not depend on the rows beside it.

    Raises
    ------
    InputError
        Shapes do not fit, numbers are not finite, `l1` or `tolerance` is not above 0, or a row did not get within
        `tolerance` in so many `iterations`.

    Notes
    -----
    Accelerated proximal gradient steps (FISTA: Beck and Teboulle 2009, doi 10.1137/080716542) on the atoms' Gram
    matrix, all rows at once, with a restart whenever a row's step turns against its momentum (O'Donoghue and Candes
    2015, doi 10.1007/s10208-013-9150-3). The weights are those of scikit-learn's
    ``Lasso(alpha=l1 / (2 * D), positive=True, fit_intercept=False)``.

    Examples
    --------
    >>> decompose([[0.8, 0.6, 0.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]], l1=0.2).round(3).tolist()
    [[0.7, 0.5, 0.0]]
    """
    targets, matrix = _check(vectors, atoms)
    for name, number in (("l1", l1), ("tolerance", tolerance)):
        if not (np.isfinite(number) and number > 0.0):
            raise InputError(f"{name} must be a number above 0; got {number!r}")
    weights = np.zeros((len(targets), len(matrix)), dtype=np.float32)
    if not weights.size:
        return weights
    gram = matrix @ matrix.T
    largest = _largest_eigenvalue(gram)
    if largest == 0.0:  # every atom is zero
        return weights
    # Half the memory is twice the speed, as long as its rounding stays far below the tolerance.
    kind = np.float32 if tolerance >= 1e-5 else np.float64
    targets, matrix, gram = targets.astype(kind), matrix.astype(kind), (gram / largest).astype(kind)
    for start in range(0, len(targets), _ROWS):
        rows = slice(start, start + _ROWS)
        weights[rows] = _solve(targets[rows], matrix, gram, kind(largest), kind(l1 / 2.0), iterations, tolerance)
    return weights


def rebuild(weights: ArrayLike, atoms: ArrayLike, mean: ArrayLike) -> NDArray[np.float64]:
    """Put vectors together again from their weights: ``norm(norm(w C) + m)``.

    Parameters
    ----------
    weights : array_like of shape (N, K)
    atoms : array_like of shape (K, D)
    mean : array_like of shape (D,)
        The mean that was taken away.

    Returns
    -------
    ndarray of float64, shape (N, D)
        Unit rows; where all weights are 0, the mean's direction.

    Examples
    --------
    >>> rebuild([[2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0]).round(3).tolist()
    [[0.707, 0.707]]
    """
    sums = np.asarray(weights, dtype=np.float64) @ np.asarray(atoms, dtype=np.float64)
    return _unit(_unit(sums) + np.asarray(mean, dtype=np.float64))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale rows to length one; rows of zeros stay."""
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norm > 0.0, norm, 1.0))


def _check(vectors: ArrayLike, atoms: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    targets, matrix = np.asarray(vectors, dtype=np.float64), np.asarray(atoms, dtype=np.float64)
    if targets.ndim != 2 or matrix.ndim != 2 or (len(matrix) and targets.shape[1] != matrix.shape[1]):
        raise InputError(
            f"vectors and atoms must be (N, D) and (K, D) with the same D; got {targets.shape} and {matrix.shape}"
        )
    if not (np.isfinite(targets).all() and np.isfinite(matrix).all()):
        raise InputError("vectors and atoms must be finite; some are NaN or infinite")
    return targets, matrix


def _largest_eigenvalue(gram: NDArray[np.float64]) -> float:
    """Bound the largest eigenvalue from above, tightly: the 8th root of the Frobenius norm of G^8.

    Three products are quicker than `numpy.linalg.eigvalsh`, above all where BLAS threads have to share the cores.
    """
    trace = float(np.trace(gram))
    if trace == 0.0:
        return 0.0
    power = gram / trace
    for _ in range(3):
        power = power @ power
    return float(np.linalg.norm(power) ** 0.125) * trace


def _solve(
    targets: NDArray[Any],
    matrix: NDArray[Any],
    gram: NDArray[Any],
    largest: Any,
    price: Any,
    iterations: int,
    tolerance: float,
) -> NDArray[Any]:
    """Minimise |z - w C|^2 / 2 + price |w|_1 over w >= 0, row by row; rows leave as they arrive.

    `gram` is C C^T over a bound on its largest eigenvalue, so that a step has length one; until the end, the weights
    are `largest` times too big.
    """
    out = np.zeros((len(targets), len(matrix)), targets.dtype)
    square = np.einsum("ij,ij->i", targets, targets)
    product = targets @ matrix.T
    rows = np.arange(len(targets))
    weights, ahead = out.copy(), out.copy()
    momentum = np.ones(len(targets), targets.dtype)
    for _ in range(0, iterations + _STEPS, _STEPS):
        arrived = _gap(weights / largest, gram * largest, product, square, price) <= tolerance * square
        if arrived.any():
            out[rows[arrived]] = weights[arrived] / largest
            rows, weights, ahead, momentum, product, square = (
                array[~arrived] for array in (rows, weights, ahead, momentum, product, square)
            )
        if not len(rows):
            return out
        for _ in range(_STEPS):
            before = weights
            weights = np.maximum(ahead + (product - price) - ahead @ gram, 0.0)
            step = weights - before
            momentum[np.einsum("ij,ij->i", ahead - weights, step) > 0.0] = 1.0
            following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
            ahead = weights + ((momentum - 1.0) / following)[:, None] * step
            momentum = following
    raise InputError(
        f"{len(rows)} of {len(targets)} vectors did not settle in {iterations:,} iterations: "
        "allow more, or a larger tolerance or l1"
    )


def _gap(
    weights: NDArray[Any],
    gram: NDArray[Any],
    product: NDArray[Any],
    square: NDArray[Any],
    price: Any,
) -> NDArray[Any]:
    """Return how far each row's objective can be above the optimum: primal less dual value.

    With the residual r = z - w C, any s r with s >= 0 and s (c_k . r) <= price for all k is a dual point of value
    s z.r - s^2 r.r / 2; the best of them is taken.
    """
    fitted = weights @ gram
    along = np.einsum("ij,ij->i", weights, product)
    target_residual = square - along
    residual = np.maximum(target_residual - along + np.einsum("ij,ij->i", weights, fitted), 0.0)
    most = np.maximum((product - fitted).max(axis=1), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.fmin(target_residual / residual, price / most)
    scale = np.maximum(np.nan_to_num(scale, nan=0.0, posinf=0.0), 0.0)
    primal = residual / 2.0 + price * weights.sum(axis=1)
    return np.asarray(primal - scale * target_residual + scale**2 * residual / 2.0)
