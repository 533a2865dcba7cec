"""Logistic regression with an L2 penalty, on numpy alone: what concepts are fitted, calibrated and controlled with.

L-BFGS (Liu and Nocedal 1989, doi 10.1007/BF01589116) with a line search along the scores: a step changes the score of
every example by a known amount, so that its length costs no further product with the matrix of examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["Logistic", "balanced", "fit_logistic"]

#: Steps remembered.
_MEMORY = 12
#: A line search ends where the loss falls this much more slowly than at its start, or after so many looks.
_FLAT, _LINE_STEPS = 0.1, 30


class Logistic(NamedTuple):
    """A fitted logistic regression: the log odds of x are ``x @ normal + intercept``."""

    normal: NDArray[np.float64]
    intercept: float


def balanced(y: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weigh examples so that both classes count the same: N / (2 N of the class).

    Parameters
    ----------
    y : ndarray of bool, shape (N,)
        Holds both classes.

    Returns
    -------
    ndarray of float64, shape (N,)

    Examples
    --------
    >>> import numpy as np
    >>> balanced(np.array([True, False, False, False])).round(2).tolist()
    [2.0, 0.67, 0.67, 0.67]
    """
    count = int(y.sum())
    return np.where(y, len(y) / (2.0 * count), len(y) / (2.0 * (len(y) - count)))


def fit_logistic(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.bool_],
    weight: NDArray[np.float64],
    strength: float,
    *,
    tolerance: float = 1e-5,
    iterations: int = 300,
) -> Logistic:
    """Minimise ``|w|^2 / 2 + strength * sum of weight * log(1 + exp(-(2 y - 1) (x . w + b)))`` over w and b.

    The objective is that of scikit-learn's ``LogisticRegression(C=strength)`` with sample weights; the intercept b is
    not penalised.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, D)
        Products with it are in its own precision, all else in float64.
    y : ndarray of bool, shape (N,)
    weight : ndarray of float64, shape (N,)
        Above zero.
    strength : float
        Inverse strength of the penalty.
    tolerance : float
        Stop where no number of the gradient, per unit of weight, is larger.
    iterations : int
        Stop after so many steps in any case.

    Returns
    -------
    Logistic

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([False, False, True, True])
    >>> fit = fit_logistic(x, y, np.ones(4), 1.0)
    >>> round(float(fit.normal[0]), 3), abs(round(fit.intercept, 3))
    (1.026, 0.0)
    """
    share = weight / weight.sum()
    penalty = 1.0 / (strength * weight.sum())
    label = y.astype(np.float64)
    point = np.zeros(x.shape[1] + 1)  # the normal, then the intercept
    logit = np.zeros(len(x))
    steps: list[tuple[NDArray[np.float64], NDArray[np.float64], float]] = []
    gradient = _gradient(x, share * (_sigmoid(logit) - label), penalty, point)
    for _ in range(iterations):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = -_inverse_hessian(gradient, steps)
        along = _scores(x, direction)
        length = _line_search(logit, along, label, share, penalty, point, direction)
        step = length * direction
        point, logit = point + step, logit + length * along
        before, gradient = gradient, _gradient(x, share * (_sigmoid(logit) - label), penalty, point)
        change = gradient - before
        curvature = float(step @ change)
        if curvature <= 1e-12 * float(change @ change):  # rounding is all that is left
            break
        steps = [*steps[1 - _MEMORY :], (step, change, curvature)]
    return Logistic(point[:-1], float(point[-1]))


def _scores(x: NDArray[np.floating[Any]], point: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((x @ point[:-1].astype(x.dtype)).astype(np.float64) + point[-1])


def _gradient(
    x: NDArray[np.floating[Any]], residual: NDArray[np.float64], penalty: float, point: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the gradient of the mean loss with its penalty."""
    slopes = (residual.astype(x.dtype) @ x).astype(np.float64)
    return np.append(slopes + penalty * point[:-1], residual.sum())


def _sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logit)))


def _inverse_hessian(
    gradient: NDArray[np.float64], steps: list[tuple[NDArray[np.float64], NDArray[np.float64], float]]
) -> NDArray[np.float64]:
    """Multiply by the inverse of the Hessian that the last steps have shown (two loops)."""
    out = gradient.copy()
    shares = []
    for step, change, curvature in reversed(steps):
        shares.append(float(step @ out) / curvature)
        out -= shares[-1] * change
    if steps:
        _, change, curvature = steps[-1]
        out *= curvature / float(change @ change)
    for (step, change, curvature), share in zip(steps, reversed(shares)):
        out += (share - float(change @ out) / curvature) * step
    return out


def _line_search(
    logit: NDArray[np.float64],
    along: NDArray[np.float64],
    label: NDArray[np.float64],
    share: NDArray[np.float64],
    penalty: float,
    point: NDArray[np.float64],
    direction: NDArray[np.float64],
) -> float:
    """Return how far to go: Newton's method on the one number that is left, inside bounds where it would jump out.

    The loss is convex along the line, so its slope rises from below zero, and any length at which it has not risen
    above zero makes the loss smaller.
    """
    normal, across = point[:-1], direction[:-1]
    bend = penalty * float(across @ across)
    linear = penalty * float(normal @ across)
    low, high, length, flat = 0.0, np.inf, 0.0, -1.0
    for _ in range(_LINE_STEPS):
        chance = _sigmoid(logit + length * along)
        slope = float((share * (chance - label)) @ along) + linear + length * bend
        if abs(slope) <= flat:
            return length
        flat = _FLAT * abs(slope) if flat < 0.0 else flat
        low, high = (length, high) if slope < 0.0 else (low, length)
        curve = float((share * chance * (1.0 - chance)) @ (along * along)) + bend
        following = length - slope / curve
        length = following if low < following < high else 0.5 * (low + high)
    return low
