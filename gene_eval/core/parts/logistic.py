"""Logistic regression on many rows, step by step as scikit-learn takes it, in one pass over the rows a step.

scikit-learn's `LogisticRegression` gives SciPy's L-BFGS the mean loss with a penalty of 1 / (C n), starts it at zero
and stops it at a gradient of `tol`, often long before the optimum. A published score of such a fit is of where it
stopped, so the steps are the same here: the same function to the same minimiser. Only the function is computed
otherwise: a block of rows stays in cache for both of its products, where scikit-learn reads all rows twice, and is
float64 there whatever the rows are. Nothing is copied but a block. The steps are those that scikit-learn takes on
float64 rows; on float32 ones its own end elsewhere when the rows are shuffled, by a few thousandths of a score.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.optimize
import scipy.special

from gene_eval.core.table import TableRows, Vectors, as_array

__all__ = ["SMALL", "Fitted", "Rows", "Standardised", "fit_logistic", "log_loss", "raw_values"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BLOCK_BYTES: Final = 1 << 21
"""Of rows in float64 at a time, so that the second product finds them in cache."""
LEAST_ROWS: Final = 16
SMALL: Final = 1 << 25
"""Numbers of the rows below which what scikit-learn does is done as it does it: where the last steps are of rounding
errors, no other order of sums ends in quite the same place, and time is no matter."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a table of vectors, read in blocks.

    Attributes:
        vectors: (N, d) float32 or float64.
        index: (n,) rows of it.
    """

    vectors: npt.NDArray[Any]
    index: IntArray

    @classmethod
    def of(cls, X: Vectors, rows: npt.NDArray[Any] | None = None) -> "Rows":
        """The rows of an array or of a table, or some of them."""
        vectors = X.table.vectors if isinstance(X, TableRows) else as_array(X)
        index = X.index if isinstance(X, TableRows) else np.arange(len(X))
        return cls(vectors, (index if rows is None else index[rows]).astype(np.int64, copy=False))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.index)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    def take(self, rows: npt.NDArray[Any]) -> "Rows":
        """Some of these rows."""
        return Rows(self.vectors, self.index[rows])

    def array(self) -> npt.NDArray[Any]:
        """(n, d) a copy."""
        chosen: npt.NDArray[Any] = self.vectors[self.index]
        return chosen

    def blocks(self) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
        """Positions and float64 vectors of one block after the other."""
        size = max(LEAST_ROWS, BLOCK_BYTES // (self.dim * np.dtype(np.float64).itemsize))
        first = int(self.index[0]) if len(self) else 0
        in_a_row = np.array_equal(self.index, np.arange(first, first + len(self)))
        for start in range(0, len(self), size):
            place = slice(start, min(start + size, len(self)))
            where = slice(first + place.start, first + place.stop) if in_a_row else self.index[place]
            yield place, self.vectors[where].astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class Standardised:
    """What a feature is taken off and divided by: (d,) means and population standard deviations, 1 where constant."""

    mean: Array
    scale: Array

    @classmethod
    def by(cls, rows: Rows) -> "Standardised":
        """By the rows themselves, in float64, as scikit-learn's `StandardScaler`: a spread of rounding errors is none.

        Its bound is that of `sklearn.preprocessing._data._is_constant_feature`.
        """
        n = len(rows)
        mean = sum((block.sum(axis=0) for _, block in rows.blocks()), np.zeros(rows.dim)) / n
        squares = np.zeros(rows.dim)
        for _, block in rows.blocks():
            squares += ((block - mean) ** 2).sum(axis=0)
        variance = squares / n
        eps = np.finfo(np.float64).eps
        is_constant = variance <= n * eps * variance + (n * mean * eps) ** 2
        return cls(mean, np.where(is_constant, 1.0, np.sqrt(variance)))

    def apply(self, rows: Rows) -> npt.NDArray[Any]:
        """(n, d) standardised rows, in their precision."""
        out = np.empty((len(rows), rows.dim), dtype=rows.vectors.dtype)
        for place, block in rows.blocks():
            out[place] = (block - self.mean) / self.scale
        return out


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit on the rows as they are.

    Attributes:
        weights: (K, d) of K classes' logits; (1, d) of the log-odds of class 1 where there are two.
        intercepts: (K,) or (1,).
        n_iter: Steps of L-BFGS.
        is_converged: Whether it stopped by itself.
        parameters: What another fit can start from.
    """

    weights: Array
    intercepts: Array
    n_iter: int
    is_converged: bool
    parameters: Array


def fit_logistic(
    rows: Rows,
    y: npt.NDArray[Any],
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
        C: Inverse penalty.
        tol: Largest part of the gradient of the mean loss at which L-BFGS stops.
        max_iter: Steps at most.
        start: `Fitted.parameters` of another fit; by default zeros.
        by: Fit the features standardised by these, and give weights for the features as they are.
    """
    n_classes = int(y.max()) + 1
    objective = _Objective(rows, y, n_classes=n_classes, penalty=1 / (C * len(rows)), by=by)
    begin = np.zeros(objective.n_logits * (rows.dim + 1)) if start is None else start
    # scikit-learn's options of SciPy's minimiser.
    options = {"maxiter": max_iter, "maxls": 50, "gtol": tol, "ftol": 64 * np.finfo(float).eps}
    found = scipy.optimize.minimize(objective, begin, jac=True, method="L-BFGS-B", options=options)
    weights, intercepts = objective.plain(found.x)
    return Fitted(weights, intercepts, int(found.nit), bool(found.nit < max_iter), found.x)


class _Objective:
    """The mean loss with its penalty, and the gradient, of the parameters in scikit-learn's order."""

    def __init__(
        self, rows: Rows, y: npt.NDArray[Any], *, n_classes: int, penalty: float, by: Standardised | None
    ) -> None:
        self.rows, self.y, self.penalty, self.by = rows, y.astype(np.int64), penalty, by
        self.n_logits = 1 if n_classes == 2 else n_classes

    def plain(self, parameters: Array) -> tuple[Array, Array]:
        """Weights and intercepts for the features as they are."""
        weights, intercepts = self._split(parameters)
        if self.by is None:
            return weights, intercepts
        weights = weights / self.by.scale
        return weights, intercepts - weights @ self.by.mean

    def _split(self, parameters: Array) -> tuple[Array, Array]:
        # Classes of one feature lie side by side.
        table = parameters.reshape((self.n_logits, -1), order="F")
        return table[:, :-1], table[:, -1]

    def __call__(self, parameters: Array) -> tuple[float, Array]:
        weights, intercepts = self.plain(parameters)
        columns = np.ascontiguousarray(weights.T)
        loss, of_weights, of_intercepts = 0.0, np.zeros(weights.shape), np.zeros(self.n_logits)
        for place, block in self.rows.blocks():
            raw = (block @ columns[:, 0])[:, None] if self.n_logits == 1 else block @ columns
            part, residual = _loss_and_residual(raw + intercepts, self.y[place])
            loss += part
            of_intercepts += residual.sum(axis=0)
            of_weights += residual[:, 0] @ block if self.n_logits == 1 else residual.T @ block
        n = len(self.rows)
        if self.by is not None:
            of_weights = (of_weights - np.outer(of_intercepts, self.by.mean)) / self.by.scale
        own = self._split(parameters)[0]
        gradient = np.empty((self.n_logits, self.rows.dim + 1))
        gradient[:, :-1] = of_weights / n + self.penalty * own
        gradient[:, -1] = of_intercepts / n
        return loss / n + self.penalty / 2 * float((own**2).sum()), gradient.ravel(order="F")


def _loss_and_residual(raw: Array, y: IntArray) -> tuple[float, Array]:
    """Summed log loss of (b, K) logits, and its derivative; of one logit, those of class 1."""
    if raw.shape[1] == 1:
        odds = raw[:, 0]
        loss = float(np.logaddexp(0, odds).sum() - odds[y == 1].sum())
        return loss, (scipy.special.expit(odds) - y)[:, None]
    total = scipy.special.logsumexp(raw, axis=1, keepdims=True)
    residual = np.exp(raw - total)
    at = np.arange(len(y)), y
    loss = float(total.sum() - raw[at].sum())
    residual[at] -= 1
    return loss, residual


def raw_values(rows: Rows, fits: Sequence[Fitted]) -> list[Array]:
    """(n, K) logits, or (n, 1) log-odds, of each fit.

    Few rows at once and fit by fit, by the very product of scikit-learn's `decision_function`: vectors of counts, such
    as words of bases, often lie just between two examples, and then the last digit decides. Many rows in one pass.
    """
    if len(rows) * rows.dim < SMALL:
        array = rows.array()
        return [array @ fit.weights.T + fit.intercepts for fit in fits]
    weights = np.concatenate([fit.weights for fit in fits]).T
    intercepts = np.concatenate([fit.intercepts for fit in fits])
    out = np.empty((len(rows), len(intercepts)))
    for place, block in rows.blocks():
        out[place] = block @ weights
    out += intercepts
    return np.split(out, np.cumsum([len(fit.intercepts) for fit in fits])[:-1], axis=1)


def log_loss(raw: Array, y: npt.NDArray[Any]) -> float:
    """Summed log loss of `raw_values`.

    >>> round(log_loss(np.array([[0.0], [0.0]]), np.array([0, 1])), 4)
    1.3863
    """
    return _loss_and_residual(raw, y.astype(np.int64))[0]
