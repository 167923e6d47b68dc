"""The optimum of a logistic regression on many rows, in few passes over them.

Vectors of language models have directions whose spreads differ by a thousand times, and L-BFGS takes hundreds of steps,
each a pass over the rows. Of the Hessian X' D X + 1 / C almost all is known from the Gram matrix of some of the rows.
Its Cholesky factor R makes parameters R w whose Hessian is near the identity, and there L-BFGS takes ten to thirty
steps. A fit ends by its Newton decrement in these parameters, the curvature-weighted root mean square change left in
the logits, and not by the gradient of one feature.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.optimize

from gene_eval.core.parts.logistic import Array, Fitted, Objective, Rows, Standardised, shared_by_cores

__all__ = ["AT_ONCE", "Curvature", "fit_optimum"]

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
        gram = np.zeros((rows.dim, rows.dim), dtype=rows.vectors.dtype)
        for low in range(0, len(chosen), AT_ONCE):
            some = chosen.block(slice(low, min(low + AT_ONCE, len(chosen)))) - mean.astype(gram.dtype)
            # NumPy makes half of a product of an array with itself.
            gram += some.T @ some
        gram /= len(chosen)
        return cls(mean, gram)

    def factor(self, *, scale: float, penalty: float) -> Array:
        """The upper Cholesky factor of scale x gram + penalty, in float64.

        Raises:
            LinAlgError: There is none, by more than rounding.
        """
        # What rounding may have taken from the Gram matrix; a direction with less is as good as flat.
        slack = float(np.finfo(self.gram.dtype).eps)
        while True:
            matrix = np.multiply(self.gram, scale, dtype=np.float64)
            matrix.flat[:: len(matrix) + 1] = matrix.diagonal() * (1 + slack) + penalty
            try:
                factor: Array = scipy.linalg.cholesky(matrix.T, overwrite_a=True, check_finite=False)
            except scipy.linalg.LinAlgError:
                # More than the matrix itself: it is not rounding, and never ends.
                if slack > 1:
                    raise
                slack *= 10
            else:
                return factor


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
    return Fitted(weights, intercepts, int(found.nit), bool(found.nit < max_iter), parameters)


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
