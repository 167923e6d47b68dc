"""The optimum of a logistic regression on many rows, in few passes over them; and where plain L-BFGS stops before it.

Vectors of language models have directions whose spreads differ by a thousand times, and L-BFGS takes hundreds of steps,
each a pass over the rows. Of the Hessian X' D X + 1 / C almost all is known from the Gram matrix of some of the rows.
Its Cholesky factor R makes parameters R w whose Hessian is near the identity, and there L-BFGS takes ten to thirty
steps. A fit ends by its Newton decrement in these parameters, the curvature-weighted root mean square change left in
the logits, and not by the gradient of one feature.

scikit-learn stops before the optimum, in flat directions far from it. After hundreds of steps just where depends on
rounding errors, and so on the order of the rows; how far on the whole is told by the Hessian at the optimum.
`fit_stopped` takes scikit-learn's steps on that quadratic function, none of which reads the rows.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.optimize
import scipy.special

from gene_eval.core.parts.logistic import (
    FTOL,
    Array,
    Fitted,
    Objective,
    Rows,
    Standardised,
    fit_logistic,
    raw_values,
    shared_by_cores,
)

__all__ = ["AT_ONCE", "Curvature", "fit_optimum", "fit_stopped", "is_long"]

SAMPLE: Final = 2048
"""Rows that tell how many steps all will take."""
LONG: Final = 120
"""Steps on them. A fit that ends sooner on all rows took 60 at most on the sample."""
MOST: Final = 8192
"""Rows of a Gram matrix."""
AT_ONCE: Final = 2048
PAIRS: Final = 30
"""Steps that L-BFGS remembers."""


@dataclass(frozen=True, eq=False)
class Curvature:
    """Mean and Gram matrix of rows drawn from many; those of a part do for nearly the same rows too.

    Attributes:
        mean: (d,).
        gram: (d, d) of the centred rows, over their number.
    """

    mean: Array
    gram: npt.NDArray[Any]

    @classmethod
    def of(cls, rows: Rows, *, seed: int = 0) -> "Curvature":
        """Of at most `MOST` rows."""
        n = len(rows)
        chosen = rows.take(np.sort(np.random.default_rng(seed).choice(n, min(n, MOST), replace=False)))
        mean = sum((block.sum(axis=0) for _, block in chosen.blocks()), np.zeros(rows.dim)) / len(chosen)
        return cls(mean, _gram(chosen, mean, np.full(len(chosen), 1 / len(chosen)))[0])

    def factor(self, *, scale: float, penalty: float) -> Array:
        """The upper Cholesky factor of scale x gram + penalty, in float64."""
        # What rounding may have taken from the Gram matrix; a direction with less is as good as flat.
        slack = float(np.finfo(self.gram.dtype).eps)
        while True:
            matrix = np.multiply(self.gram, scale, dtype=np.float64)
            matrix.flat[:: len(matrix) + 1] = matrix.diagonal() * (1 + slack) + penalty
            try:
                factor: Array = scipy.linalg.cholesky(matrix.T, overwrite_a=True, check_finite=False)
            except scipy.linalg.LinAlgError:
                slack *= 10
            else:
                return factor


def is_long(rows: Rows, y: npt.NDArray[Any], *, seed: int = 0) -> bool:
    """Whether plain L-BFGS on all rows would take hundreds of steps: it does so on a few, of the same mean penalty."""
    n = len(rows)
    chosen = np.sort(np.random.default_rng(seed).choice(n, min(n, SAMPLE), replace=False))
    if len(np.unique(y[chosen])) < 2:
        return False
    sample = Rows.of(rows.take(chosen).array())
    return not fit_logistic(sample, y[chosen], C=n / len(chosen), max_iter=LONG).is_converged


def fit_stopped(rows: Rows, y: npt.NDArray[Any], *, tol: float = 1e-4, max_iter: int = 1000) -> Fitted:
    """Fit two classes with C = 1, and stop about where scikit-learn does after hundreds of steps.

    Args:
        rows: n rows.
        y: (n,) 0 or 1.
        tol: Largest part of the gradient of the mean loss at which L-BFGS stops.
        max_iter: Steps at most.
    """
    curvature = Curvature.of(rows)
    best = fit_optimum(rows, y, curvature)
    mean, n = curvature.mean, len(rows)
    odds = raw_values(rows, [best])[0][:, 0]
    weight = scipy.special.expit(odds) * scipy.special.expit(-odds) / n
    del curvature
    gram, slope = _gram(rows, mean, weight)
    square = gram.astype(np.float64)
    del gram
    square.flat[:: rows.dim + 1] += 1 / n
    total = weight.sum()

    def model(parameters: Array) -> tuple[float, Array]:
        step = parameters - best.parameters
        shift = step[-1] + mean @ step[:-1]
        along = slope @ step[:-1] + total * shift
        gradient = np.append(scipy.linalg.blas.dsymv(1.0, square.T, step[:-1]) + slope * shift + mean * along, along)
        return float(step @ gradient) / 2, gradient

    options = {"maxiter": max_iter, "maxls": 50, "gtol": tol, "ftol": FTOL}
    found = scipy.optimize.minimize(model, np.zeros(rows.dim + 1), jac=True, method="L-BFGS-B", options=options)
    return replace(
        best,
        weights=found.x[None, :-1],
        intercepts=found.x[-1:],
        n_iter=int(found.nit),
        is_converged=bool(found.nit < max_iter),
        parameters=found.x,
    )


def fit_optimum(  # noqa: PLR0913 - rows, labels, and the options of one solve
    rows: Rows,
    y: npt.NDArray[Any],
    curvature: Curvature,
    *,
    C: float = 1.0,
    tol: float = 1e-4,
    max_iter: int = 1000,
    start: Array | None = None,
    by: Standardised | None = None,
) -> Fitted:
    """Fit L2 logistic regression (two classes) or softmax regression, intercepts not penalised.

    Args:
        rows: n rows.
        y: (n,) classes 0..K-1, each of which occurs.
        curvature: Of these rows or of a part that looks like them.
        C: Inverse penalty.
        tol: Root mean square change left in the logits at which to stop.
        max_iter: Steps at most.
        start: `Fitted.parameters` of another fit; by default zeros.
        by: Fit the features standardised by these, and give weights for the features as they are.
    """
    share = np.bincount(y) / len(y)
    spread = float((share * (1 - share)).mean())
    penalty = 1 / (C * len(rows))
    factor = curvature.factor(scale=spread, penalty=penalty)
    with shared_by_cores(rows) as pool:
        objective = Objective(rows, y, penalty=penalty, by=by, pool=pool)
        turned = _Turned(objective, factor, np.zeros(rows.dim) if by is not None else curvature.mean, spread**0.5)
        begin = turned.into(np.zeros(objective.size) if start is None else start)

        def ended(intermediate_result: scipy.optimize.OptimizeResult) -> None:
            if turned.decrement < tol:
                raise StopIteration

        # The last digits of the loss are rounding errors.
        options = {"maxiter": max_iter, "maxls": 50, "maxcor": PAIRS, "gtol": 0.0, "ftol": np.finfo(float).eps}
        found = scipy.optimize.minimize(turned, begin, jac=True, method="L-BFGS-B", options=options, callback=ended)
    parameters = turned.back(found.x)
    weights, intercepts = objective.plain(parameters)
    return Fitted(weights, intercepts, int(found.nit), bool(found.nit < max_iter), parameters, is_modelled=True)


class _Turned:
    """An objective of parameters u = R w of centred features.

    Attributes:
        decrement: Length of the last gradient.
    """

    def __init__(self, objective: Objective, factor: Array, mean: Array, unit: float) -> None:
        self.objective, self.factor, self.mean, self.unit = objective, factor, mean, unit
        self.decrement = np.inf

    def into(self, parameters: Array) -> Array:
        """Parameters of features as they are, turned."""
        weights, intercepts = self.objective.split(parameters)
        centred = intercepts + weights @ self.mean
        return np.concatenate([(weights @ self.factor.T).ravel(), centred * self.unit])

    def back(self, turned: Array) -> Array:
        """Undoes `into`."""
        k = len(turned) // (len(self.mean) + 1)
        weights = self._solve(turned[:-k].reshape(k, -1), trans="N")
        intercepts = turned[-k:] / self.unit - weights @ self.mean
        return np.concatenate([weights, intercepts[:, None]], axis=1).ravel(order="F")

    def __call__(self, turned: Array) -> tuple[float, Array]:
        """The loss and its gradient by the turned parameters."""
        loss, gradient = self.objective(self.back(turned))
        of_weights, of_intercepts = self.objective.split(gradient)
        of_weights = self._solve(of_weights - np.outer(of_intercepts, self.mean), trans="T")
        found = np.concatenate([of_weights.ravel(), of_intercepts / self.unit])
        self.decrement = float(np.linalg.norm(found))
        return loss, found

    def _solve(self, table: Array, *, trans: str) -> Array:
        out: Array = scipy.linalg.solve_triangular(self.factor, table.T, trans=trans, check_finite=False).T
        return out


def _gram(rows: Rows, mean: Array, weight: Array) -> tuple[npt.NDArray[Any], Array]:
    """(d, d) weighted sum of squares of the centred rows, in their precision, and (d,) their weighted sum.

    Args:
        rows: n rows.
        mean: What is taken off them.
        weight: (n,) how much each counts.
    """
    dtype = rows.vectors.dtype
    gram, slope = np.zeros((rows.dim, rows.dim), dtype=dtype), np.zeros(rows.dim)
    for low in range(0, len(rows), AT_ONCE):
        place = slice(low, min(low + AT_ONCE, len(rows)))
        root = np.sqrt(weight[place]).astype(dtype)
        some = rows.block(place) - mean.astype(dtype)
        some *= root[:, None]
        slope += root @ some
        # NumPy makes half of a product of an array with itself.
        gram += some.T @ some
    return gram, slope
