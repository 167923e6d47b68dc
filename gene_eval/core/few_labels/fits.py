"""Fits on few rows, many at a time: logistic regression and class means.

Each function takes (B, m, d) training rows of B problems and gives weights (B, d, K) and intercepts (B, K) of K
classes' logits.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.optimize
import scipy.special

__all__ = ["centroids", "logistic"]

Array = npt.NDArray[np.float64]

OPTIONS: Final[dict[str, Any]] = {"maxcor": 10, "maxiter": 10_000, "maxfun": 20_000, "gtol": 1e-5, "ftol": 1e-12}
LEAST: Final = 1e-12
"""Share of the largest eigenvalue; smaller ones are rounding, not directions of the rows."""


def logistic(rows: Array, y: npt.NDArray[np.integer[Any]], *, C: float) -> tuple[Array, Array]:
    """L2 softmax regression with scikit-learn's objective, intercepts not penalised; all problems as one by L-BFGS.

    With two classes it is logistic regression with 2 C: there, one weight vector stands for the difference of two.

    Centred rows are written in the basis of their principal axes. In it the Hessian is diagonal where all classes are
    equally likely, which makes that the scale of the parameters: L-BFGS then takes 10 to 30 steps.

    Args:
        rows: (B, m, d).
        y: (m,) classes 0..K-1, the same in all problems.
        C: Inverse penalty.
    """
    middle = rows.mean(axis=1, keepdims=True)
    coordinates, axes, size = _principal(rows - middle)
    truth = (y[:, None] == np.arange(y.max() + 1)).astype(np.float64)
    n_classes, width = truth.shape[1], coordinates.shape[2]
    scale = 1 / np.sqrt(1 + C * size / n_classes)[:, :, None]
    of_intercept = 1 / np.sqrt(C * len(y) / n_classes)
    transposed = np.ascontiguousarray(coordinates.transpose(0, 2, 1))
    shape = len(rows), width + 1, n_classes

    def objective(flat: Array) -> tuple[float, Array]:
        parameters = flat.reshape(shape)
        weights = scale * parameters[:, :width]
        logits = coordinates @ weights + of_intercept * parameters[:, width:]
        total = scipy.special.logsumexp(logits, axis=2, keepdims=True)
        value = (weights**2).sum() / 2 + C * (total.sum() - (truth * logits).sum())
        residual = C * (np.exp(logits - total) - truth)
        gradient = np.empty(shape)
        gradient[:, :width] = scale * (weights + transposed @ residual)
        gradient[:, width] = of_intercept * residual.sum(axis=1)
        return float(value), gradient.ravel()

    start = np.zeros(len(rows) * (width + 1) * n_classes)
    found = scipy.optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=OPTIONS).x.reshape(shape)
    weights = axes @ (scale * found[:, :width])
    return weights, of_intercept * found[:, width] - (middle @ weights)[:, 0]


def _principal(rows: Array) -> tuple[Array, Array, Array]:
    """Coordinates (B, m, r) of rows on axes (B, d, r), and their summed squares (B, r); r is the smaller of m and d."""
    transposed = rows.transpose(0, 2, 1)
    if rows.shape[1] > rows.shape[2]:
        size, axes = np.linalg.eigh(transposed @ rows)
        return rows @ axes, axes, np.maximum(size, 0)
    size, left = np.linalg.eigh(rows @ transposed)
    kept = size > LEAST * size[:, -1:]
    length = np.sqrt(np.where(kept, size, 0))[:, None, :]
    axes = transposed @ (left / np.where(length > 0, length, np.inf))
    return left * length, axes, np.where(kept, size, 0)


def centroids(rows: Array, y: npt.NDArray[np.integer[Any]]) -> tuple[Array, Array]:
    """What `heads.centroid` fits: minus half the squared distance to class means, per feature.

    Args:
        rows: (B, m, d).
        y: (m,) classes 0..K-1, the same in all problems.
    """
    # Up to the row's own squares, which are the same for all classes.
    means = np.stack([rows[:, y == each].mean(axis=1) for each in range(y.max() + 1)], axis=2)
    d = rows.shape[2]
    return means / d, -(means**2).sum(axis=1) / 2 / d
