"""Logistic regression with a fixed offset: L2 penalty, intercept not penalised, otherwise scikit-learn's objective."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.optimize
import scipy.special

__all__ = ["Basis", "offset_fit"]

Array = npt.NDArray[np.float64]

OPTIONS: Final[dict[str, Any]] = {"maxcor": 10, "maxiter": 2_000, "maxfun": 4_000, "gtol": 1e-4, "ftol": 1e-13}
LEAST: Final = 1e-12
"""Share of the largest eigenvalue of the vectors' Gram matrix; smaller ones are rounding, no directions of the rows."""


@dataclass(frozen=True, eq=False)
class Basis:
    """(n, r) centred vectors in their principal axes, and the (r,) sums of squares; the penalty is the same in them."""

    rows: Array
    size: Array

    @classmethod
    def of(cls, X: Array) -> "Basis":
        """Centre and rotate; directions without any spread are left out."""
        centred = X - X.mean(axis=0)
        if len(X) > X.shape[1]:
            size, axes = np.linalg.eigh(centred.T @ centred)
            rows = centred @ axes
        else:
            size, left = np.linalg.eigh(centred @ centred.T)
            rows = left * np.sqrt(np.maximum(size, 0))
        kept = size > LEAST * max(size[-1], LEAST)
        return cls(np.ascontiguousarray(rows[:, kept]), size[kept])


def offset_fit(
    basis: Basis, train: npt.NDArray[np.bool_], labels: Array, offset: Array, *, C: float, is_softmax: bool = False
) -> tuple[Array, Array]:
    """Weights (r, K) and intercepts (K,) of logistic regressions with a fixed offset, or of one softmax.

    Parameters are scaled by the Hessian at the offset, in which L-BFGS takes some ten steps.

    Args:
        basis: Of all rows.
        train: (n,) the m rows to fit on.
        labels: (m, K) 0/1.
        offset: (m, K) log-odds, or log probabilities of the classes.
        C: Inverse penalty.
        is_softmax: Whether the K columns are classes, of which each row has one; else each is a label with its own fit.
    """
    rows = basis.rows[train]
    likely = scipy.special.softmax(offset, axis=1) if is_softmax else scipy.special.expit(offset)
    spread = np.maximum((likely * (1 - likely)).mean(axis=0), 1e-6)
    scale = 1 / np.sqrt(1 + C * spread * (basis.size * train.mean())[:, np.newaxis])
    of_intercept = 1 / np.sqrt(C * len(rows) * spread)
    width = rows.shape[1]
    shape = width + 1, labels.shape[1]

    def objective(flat: Array) -> tuple[float, Array]:
        parameters = flat.reshape(shape)
        weights = scale * parameters[:width]
        logits = offset + rows @ weights + of_intercept * parameters[width]
        if is_softmax:
            total = scipy.special.logsumexp(logits, axis=1, keepdims=True)
            loss, predicted = total.sum() - (labels * logits).sum(), np.exp(logits - total)
        else:
            loss, predicted = (np.logaddexp(0, logits) - labels * logits).sum(), scipy.special.expit(logits)
        residual = C * (predicted - labels)
        gradient = np.empty(shape)
        gradient[:width] = scale * (weights + rows.T @ residual)
        gradient[width] = of_intercept * residual.sum(axis=0)
        return float((weights**2).sum() / 2 + C * loss), gradient.ravel()

    start = np.zeros(shape).ravel()
    found = scipy.optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=OPTIONS).x.reshape(shape)
    return scale * found[:width], of_intercept * found[width]
