"""Logistic regression on many rows, step by step as scikit-learn takes it, in one pass over the rows a step.

scikit-learn's `LogisticRegression` gives SciPy's L-BFGS the mean loss with a penalty of 1 / (C n), starts it at zero
and stops it at a gradient of `tol`, often long before the optimum. A published score of such a fit is of where it
stopped, so the steps are the same here: the same function to the same minimiser. Only the function is computed
otherwise. A block of rows stays in cache for both of its products, where scikit-learn reads all rows twice, and cores
share the blocks. The products are of what has changed since the last step, added to logits and gradients in float64. So
rows in float32 can be multiplied in float32, in half the time: what is rounded is a ten-millionth of a change. L-BFGS
multiplies such errors by a million in 70 steps, hence the first steps, the large ones, are made in float64 where a fit
has to end where scikit-learn's ends on the same rows in float64. (On float32 its own end elsewhere when the rows are
shuffled, by a few thousandths of a score.) Nothing is copied but a block.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.optimize
import scipy.special
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from gene_eval.core.table import TableRows, Vectors, as_array

__all__ = [
    "SMALL",
    "Fitted",
    "Objective",
    "Rows",
    "Standardised",
    "fit_logistic",
    "log_loss",
    "n_cores",
    "raw_values",
    "shared_by_cores",
]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BLOCK: Final = 1 << 18
"""Numbers of rows at a time, so that what comes after finds them in cache."""
PRODUCTS: Final = {np.dtype(np.float32): 1 << 21, np.dtype(np.float64): 1 << 19}
"""The same where rows are only multiplied. Threads wait for one another between blocks, so these are larger."""
LEAST_ROWS: Final = 16
EXACT_ABOVE: Final = 10
"""Times `tol`: the gradient from which on steps are followed in float64."""
SHARES: Final = 8
"""Of the rows, summed one by one and then together: the same sums on any number of cores."""
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

    def places(self, within: slice | None = None, *, size: int | None = None) -> list[slice]:
        """Positions of one block after the other, of all rows or of a range, `size` numbers in each, or `BLOCK`."""
        low, high = (0, len(self)) if within is None else (within.start, within.stop)
        step = max(LEAST_ROWS, (size or BLOCK) // self.dim)
        return [slice(start, min(start + step, high)) for start in range(low, high, step)]

    @cached_property
    def first(self) -> int | None:
        """The row from which on these lie one after the other; None where they do not."""
        first = int(self.index[0]) if len(self) else 0
        return first if np.array_equal(self.index, np.arange(first, first + len(self))) else None

    def block(self, place: slice) -> npt.NDArray[Any]:
        """(b, d) vectors at these positions, without a copy where they lie in a row."""
        where = self.index[place] if self.first is None else slice(self.first + place.start, self.first + place.stop)
        found: npt.NDArray[Any] = self.vectors[where]
        return found

    def blocks(self) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
        """Positions and float64 vectors of one block after the other."""
        for place in self.places():
            yield place, self.block(place).astype(np.float64, copy=False)


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


def fit_logistic(  # noqa: PLR0913 - rows, labels, and the options of one solve
    rows: Rows,
    y: npt.NDArray[Any],
    *,
    C: float = 1.0,
    tol: float = 1e-4,
    max_iter: int = 1000,
    start: Array | None = None,
    by: Standardised | None = None,
    is_followed: bool = False,
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
        is_followed: Whether it matters where the fit stops, and not only how near to the optimum.
    """
    # scikit-learn's options of SciPy's minimiser.
    options = {"maxiter": max_iter, "maxls": 50, "gtol": tol, "ftol": 64 * np.finfo(float).eps}
    exact = EXACT_ABOVE * tol if is_followed else np.inf
    with shared_by_cores(rows) as pool:
        objective = Objective(rows, y, penalty=1 / (C * len(rows)), by=by, pool=pool, exact_above=exact)
        begin = np.zeros(objective.size) if start is None else start
        found = scipy.optimize.minimize(objective, begin, jac=True, method="L-BFGS-B", options=options)
    weights, intercepts = objective.plain(found.x)
    return Fitted(weights, intercepts, int(found.nit), bool(found.nit < max_iter), found.x)


@contextmanager
def shared_by_cores(rows: Rows) -> Iterator[ThreadPoolExecutor | None]:
    """A pool, a thread for each core; None where there are too few rows to share."""
    if len(rows) * rows.dim < SMALL:
        yield None
        return
    # A block is too small a product to be shared between cores; blocks are shared instead.
    with ThreadPoolExecutor(n_cores()) as pool, threadpool_limits(1, user_api="blas"):
        yield pool


def n_cores() -> int:
    """What BLAS may take: the cores of the machine, or fewer where the caller or OMP_NUM_THREADS says so.

    To be asked before BLAS is limited for a pool.
    """
    return max((each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"), default=1)


class Objective:
    """The mean loss with its penalty, and the gradient, of the parameters in scikit-learn's order.

    Attributes:
        weights: (K, d) of the last call, for the features as they are.
        products: (n, K) of the rows with them.
        residuals: (n, K) derivatives of the loss by the logits.
        gradient: (K, d) of the summed loss by the weights.
        dtype: Of products.
        exact_above: Products are in float64 until the largest part of the gradient is less.
    """

    def __init__(
        self,
        rows: Rows,
        y: npt.NDArray[Any],
        *,
        penalty: float,
        by: Standardised | None,
        pool: ThreadPoolExecutor | None,
        exact_above: float = np.inf,
    ) -> None:
        n_classes = int(y.max()) + 1
        n_logits = 1 if n_classes == 2 else n_classes
        self.rows, self.y, self.penalty, self.by = rows, y.astype(np.int64), penalty, by
        self.weights, self.gradient = np.zeros((n_logits, rows.dim)), np.zeros((n_logits, rows.dim))
        self.products, self.residuals = np.zeros((len(rows), n_logits)), np.zeros((len(rows), n_logits))
        self.exact_above = exact_above
        self.dtype = rows.vectors.dtype if exact_above == np.inf else np.dtype(np.float64)
        cuts = [len(rows) * i // SHARES for i in range(SHARES + 1)]
        self.shares = [slice(low, high) for low, high in zip(cuts[:-1], cuts[1:], strict=True) if low < high]
        self.map: Any = map if pool is None else pool.map

    def plain(self, parameters: Array) -> tuple[Array, Array]:
        """Weights and intercepts for the features as they are."""
        weights, intercepts = self.split(parameters)
        if self.by is None:
            return weights, intercepts
        weights = weights / self.by.scale
        return weights, intercepts - weights @ self.by.mean

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.residuals.shape[1] * (self.rows.dim + 1))

    def split(self, parameters: Array) -> tuple[Array, Array]:
        """(K, d) weights and (K,) intercepts; classes of one feature lie side by side."""
        table = parameters.reshape((self.residuals.shape[1], -1), order="F")
        return table[:, :-1], table[:, -1]

    def __call__(self, parameters: Array) -> tuple[float, Array]:
        """The mean loss with its penalty, and the gradient."""
        weights, intercepts = self.plain(parameters)
        step = np.ascontiguousarray((weights - self.weights).T, dtype=self.dtype)
        self.weights = weights.copy()
        loss = 0.0
        for part, change in self.map(lambda share: self._move(share, step, intercepts), self.shares):
            loss += part
            self.gradient += change
        n, of_weights, of_intercepts = len(self.rows), self.gradient, self.residuals.sum(axis=0)
        if self.by is not None:
            of_weights = (of_weights - np.outer(of_intercepts, self.by.mean)) / self.by.scale
        own = self.split(parameters)[0]
        gradient = np.empty((len(intercepts), self.rows.dim + 1))
        gradient[:, :-1] = of_weights / n + self.penalty * own
        gradient[:, -1] = of_intercepts / n
        if abs(gradient).max() < self.exact_above:
            self.dtype = self.rows.vectors.dtype
        return loss / n + self.penalty / 2 * float((own**2).sum()), gradient.ravel(order="F")

    def _move(self, share: slice, step: npt.NDArray[Any], intercepts: Array) -> tuple[float, Array]:
        """Summed loss of some rows, and the change of their part of the gradient, after a step of the weights."""
        change = np.zeros(self.gradient.shape)
        # Rows that do not lie one after the other are copied.
        places = self.rows.places(share, size=BLOCK if self.rows.first is None else PRODUCTS[self.dtype])
        is_other = self.dtype != self.rows.vectors.dtype
        room = np.empty((places[0].stop - places[0].start if is_other else 0, self.rows.dim), dtype=self.dtype)
        for place in places:
            block = self.rows.block(place)
            if is_other:
                # Into the same memory each time: to get new memory takes as long as a product.
                np.copyto(room[: len(block)], block)
                block = room[: len(block)]
            products, residuals = self.products[place], self.residuals[place]
            products += (block @ step[:, 0])[:, None] if len(change) == 1 else block @ step
            found = _residuals(products + intercepts, self.y[place])
            moved = (found - residuals).astype(block.dtype)
            change += moved[:, 0] @ block if len(change) == 1 else moved.T @ block
            residuals[:] = found
        return log_loss(self.products[share] + intercepts, self.y[share]), change


def _residuals(raw: Array, y: IntArray) -> Array:
    """Derivatives of the log loss by (b, K) logits; of one logit, those of class 1."""
    if raw.shape[1] == 1:
        odds: Array = scipy.special.expit(raw)
        return odds - y[:, None]
    residuals: Array = scipy.special.softmax(raw, axis=1)
    residuals[np.arange(len(y)), y] -= 1
    return residuals


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
    if raw.shape[1] == 1:
        odds = raw[:, 0]
        return float(np.logaddexp(0, odds).sum() - odds[y == 1].sum())
    return float(scipy.special.logsumexp(raw, axis=1).sum() - raw[np.arange(len(y)), y].sum())
