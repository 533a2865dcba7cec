"""Logistic regression with an L2 penalty, on numpy alone: what concepts are fitted, calibrated and controlled with.

L-BFGS (Liu and Nocedal 1989, doi 10.1007/BF01589116) with the line search of More and Thuente (1994, doi
10.1145/192115.192132), as in scikit-learn, so that a fit that is stopped early stops at the same place. A step changes
the log odds of every example by a known amount: how long it is to be costs no further product with the matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["Logistic", "balanced", "fit_logistic"]

#: Steps remembered.
_MEMORY = 10
#: A line search ends where the loss has fallen by this share of what its slope promised and the slope has shrunk to
#: that share, or after so many looks.
_FALLEN, _FLATTENED, _LOOKS = 1e-3, 0.9, 20
#: A curvature below this share of the numbers that make it up is none.
_ROUNDING = 1e-12


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
    (1.007, 0.0)
    """
    share = weight / weight.sum()
    penalty = 1.0 / (strength * weight.sum())
    label = y.astype(np.float64)
    point = np.zeros(x.shape[1] + 1)  # the normal, then the intercept
    logit = np.zeros(len(x))
    gradient = _gradient(x, share * (0.5 - label), penalty, point)
    steps: list[_Step] = []
    for _ in range(iterations):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = -_inverse_hessian(gradient, steps)
        along = _scores(x, direction)
        at = _loss_along(logit, along, label, share, penalty, point[:-1], direction[:-1])
        reached = _line_search(at, at(0.0), 1.0 if steps else 1.0 / float(np.linalg.norm(gradient)))
        step = reached.length * direction
        point, logit = point + step, logit + reached.length * along
        before, gradient = gradient, _gradient(x, share * (_sigmoid(logit) - label), penalty, point)
        change = gradient - before
        curvature = float(step @ change)
        if curvature <= _ROUNDING * float(np.abs(step) @ np.abs(change)):
            break  # rounding is all that is left
        steps = [*steps[1 - _MEMORY :], _Step(step, change, curvature)]
    return Logistic(point[:-1], float(point[-1]))


class _Step(NamedTuple):
    """A step taken, how the gradient changed by it, and their product."""

    step: NDArray[np.float64]
    change: NDArray[np.float64]
    curvature: float


def _loss_along(
    logit: NDArray[np.float64],
    along: NDArray[np.float64],
    label: NDArray[np.float64],
    share: NDArray[np.float64],
    penalty: float,
    normal: NDArray[np.float64],
    across: NDArray[np.float64],
) -> Callable[[float], _At]:
    """Return the mean loss with its penalty as a function of how far one goes."""
    constant, linear, square = float(normal @ normal) / 2.0, float(normal @ across), float(across @ across)

    def at(length: float) -> _At:
        moved = logit + length * along
        value = share @ (np.logaddexp(0.0, moved) - label * moved)
        slope = (share * (_sigmoid(moved) - label)) @ along
        return _At(
            length,
            float(value) + penalty * (constant + length * (linear + length * square / 2.0)),
            float(slope) + penalty * (linear + length * square),
        )

    return at


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


def _inverse_hessian(gradient: NDArray[np.float64], steps: list[_Step]) -> NDArray[np.float64]:
    """Multiply by the inverse of the Hessian that the last steps have shown (two loops)."""
    out = gradient.copy()
    shares = []
    for step, change, curvature in reversed(steps):
        shares.append(float(step @ out) / curvature)
        out -= shares[-1] * change
    if steps:
        out *= steps[-1].curvature / float(steps[-1].change @ steps[-1].change)
    for (step, change, curvature), share in zip(steps, reversed(shares)):
        out += (share - float(change @ out) / curvature) * step
    return out


class _At(NamedTuple):
    """The loss somewhere along a direction."""

    length: float
    value: float
    slope: float


def _line_search(at: Callable[[float], _At], start: _At, length: float) -> _At:
    """Walk along a direction until the loss has fallen enough and its slope has flattened (More and Thuente 1994).

    The loss is convex: its slope rises from below zero, and the walk is over at the latest where it is zero.
    """
    near, far = start, None
    for _ in range(_LOOKS):
        here = at(length)
        fallen = here.value <= start.value + _FALLEN * length * start.slope
        if fallen and abs(here.slope) <= _FLATTENED * abs(start.slope):
            return here
        length = _next_length(near, here, far)
        if here.value > near.value:
            far = here
        else:
            near, far = here, (near if here.slope > 0.0 else far)
    return near


def _next_length(near: _At, here: _At, far: _At | None) -> float:
    """Return the length to look at next, from a cubic and a parabola through the last two looks."""
    gap = here.length - near.length
    bend = 3.0 * (near.value - here.value) / gap + near.slope + here.slope
    root = float(np.sqrt(max(bend**2 - near.slope * here.slope, 0.0))) * float(np.sign(gap))
    if here.value > near.value:  # the least lies between
        cubic = near.length + (root - near.slope + bend) / (2.0 * root - near.slope + here.slope) * gap
        parabola = near.length + near.slope / ((near.value - here.value) / gap + near.slope) / 2.0 * gap
        closer = abs(cubic - near.length) <= abs(parabola - near.length)
        return cubic if closer else (cubic + parabola) / 2.0
    secant = here.length - here.slope / (here.slope - near.slope) * gap
    along = (bend - root - here.slope) / (near.slope - here.slope - 2.0 * root)
    cubic = here.length - along * gap
    if near.slope * here.slope < 0.0:  # between, too, and the better end is here
        return max((cubic, secant), key=lambda one: abs(one - here.length))
    if far is not None:
        inner = min((cubic, secant), key=lambda one: abs(one - here.length)) if along < 0.0 else secant
        most = here.length + 0.66 * (far.length - here.length)
        return min(most, inner) if here.length > near.length else max(most, inner)
    farther = max(cubic, secant) if along < 0.0 else np.inf
    return float(np.clip(farther, here.length + 1.1 * gap, here.length + 4.0 * gap))
