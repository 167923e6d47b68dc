"""Regression in closed form: ordinary least squares as scikit-learn's, on all splits from shared factorisations.

The rows of every block, with a leading 1 and the target appended, are reduced once to a triangle R (R'R is their Gram
matrix, without its loss of digits). The triangles of the training blocks, stacked and reduced again, are that of the
training rows; behind its first row and column stands the triangle of the centred rows, which is what
`LinearRegression` solves with `scipy.linalg.lstsq`. Collinear columns and p > n get the minimum norm solution by the
singular values of that triangle, cut off where scikit-learn does: at 1e-6 times the largest.

Where p > n, rows are first written in an orthonormal basis of the space they span. The minimum norm solution lies in
the span of the training rows, so nothing is lost.

Ridge regression of the scaled protocol from one Gram matrix per block of rows.

With S the diagonal of a training set's standard deviations, C its centred Gram matrix and c its products with the
target, the weights on standardised features are (S^-1 C S^-1 + alpha I)^-1 S^-1 c. C and c of any training set are sums
over its blocks less the outer products of the means. Where features outnumber rows, the same weights come from the
rows: Z' (Z Z' + alpha I)^-1 y, with Z standardised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from gene_eval.core.heads.scaled import GRID, TrainingSets, standard_deviations
from gene_eval.core.pairs import PairedRows
from gene_eval.core.splits import Splits

Array = npt.NDArray[np.float64]

CUTOFF = 1e-6
"""`LinearRegression().tol`, which its dense solver takes as the relative cut-off of singular values."""
STEP = 8192
"""Rows taken to float64 at a time."""


def held_out_least_squares(
    X: npt.NDArray[np.floating[Any]] | PairedRows, y: Array, splits: Splits
) -> tuple[Array, int]:
    """Predictions (n,) or (n, T) of held-out rows, and the smallest rank of the centred training rows.

    Args:
        X: (n, d) rows; never copied to float64 as a whole where n > d.
        y: (n,) or (n, T).
        splits: Of the n rows.
    """
    targets = y.reshape(len(y), -1)
    middle = targets.mean(axis=0)
    rows = _Rows.centred(X)
    triangles = [
        _triangle(rows, targets - middle, np.flatnonzero(splits.blocks == block))
        for block in range(len(splits.block_sizes))
    ]
    out = np.zeros(targets.shape)
    ranks = []
    for split in range(len(splits)):
        training = np.concatenate([triangles[block] for block in np.flatnonzero(splits.train[split])])
        weights, intercept, rank = _solve(_reduced(training), rows.width)
        test = np.flatnonzero(splits.test_rows(split))
        for part in np.array_split(test, max(1, len(test) // STEP)):
            out[part] = rows.take(part) @ weights + intercept + middle
        ranks.append(rank)
    return out.reshape(y.shape), min(ranks)


@dataclass(frozen=True)
class _Rows:
    """Centred float64 rows, made when asked for, in a basis of what they span where that is smaller."""

    X: npt.NDArray[np.floating[Any]] | PairedRows
    mean: Array
    basis: Array | None = None

    @classmethod
    def centred(cls, X: npt.NDArray[np.floating[Any]] | PairedRows) -> "_Rows":
        n, d = X.shape
        parts = np.array_split(np.arange(n), max(1, n // STEP))
        plain = cls(X, np.zeros(d))
        mean = sum((plain.take(part).sum(axis=0) for part in parts), np.zeros(d)) / n
        if n > d:
            return cls(X, mean)
        return cls(X, mean, np.linalg.qr(cls(X, mean).take(np.arange(n)).T)[0])

    @property
    def width(self) -> int:
        return int(self.X.shape[1] if self.basis is None else self.basis.shape[1])

    def take(self, rows: npt.NDArray[np.int64]) -> Array:
        chosen = self.X.take(rows).materialise() if isinstance(self.X, PairedRows) else self.X[rows]
        moved = chosen.astype(np.float64) - self.mean
        return moved if self.basis is None else np.asarray(moved @ self.basis)


def _triangle(rows: _Rows, targets: Array, chosen: npt.NDArray[np.int64]) -> Array:
    """The triangle of the rows (1, x, y), a few rows at a time."""
    triangle = np.empty((0, 1 + rows.width + targets.shape[1]))
    for part in np.array_split(chosen, max(1, len(chosen) // max(STEP, 2 * rows.width))):
        below = np.column_stack([np.ones(len(part)), rows.take(part), targets[part]])
        triangle = _reduced(np.concatenate([triangle, below]))
    return triangle


def _reduced(rows: Array) -> Array:
    return rows if len(rows) <= 1 else np.asarray(np.linalg.qr(rows, mode="r"))


def _solve(triangle: Array, d: int) -> tuple[Array, Array, int]:
    """Weights (d, T), intercepts (T,) and rank from the triangle of rows (1, x, y)."""
    top, below = triangle[0], triangle[1:]
    weights, _, rank, _ = scipy.linalg.lstsq(below[:, 1 : d + 1], below[:, d + 1 :], cond=CUTOFF, check_finite=False)
    intercept = (top[d + 1 :] - top[1 : d + 1] @ weights) / top[0]
    return weights, intercept, int(rank)


def held_out_ridge(
    X: npt.NDArray[np.floating], y: Array, test: Sequence[npt.NDArray[np.bool_]], sets: TrainingSets
) -> tuple[Array, Array]:
    """Predictions (n,) of the (n,) rows that each split scores, and the chosen C of every split, (S, 1)."""
    solver = (_ByFeatures if len(X) > X.shape[1] else _ByRows)(X, y, sets)
    losses = np.zeros((len(GRID), sets.n_splits))
    inner = sets.inner()
    for number in range(sets.n_splits, len(sets.train)):
        for step, C in enumerate(GRID):
            predict = solver.fit(number, 1 / C)
            for _, split, rows in (each for each in inner if each[0] == number):
                losses[step, split] += ((y[rows] - predict(rows)) ** 2).sum()
    chosen = losses.argmin(axis=0)
    values = np.zeros(len(y))
    for split, rows in enumerate(test):
        values[rows] = solver.fit(split, 1 / GRID[chosen[split]])(rows)
    return values, np.array(GRID)[chosen][:, None]


class _Ridge:
    """Fits a training set for an alpha."""

    def __init__(self, X: npt.NDArray[np.floating], y: Array, sets: TrainingSets) -> None:
        self.X, self.y, self.sets = X, y, sets
        self.means, self.scales = standard_deviations(X, sets)

    def standardised(self, number: int, rows: npt.NDArray[np.bool_]) -> Array:
        """Rows by the mean and spread of a training set."""
        return np.asarray((self.X[rows].astype(np.float64) - self.means[number]) / self.scales[number])


class _Prediction:
    """Predictions from weights on standardised features."""

    def __init__(self, solver: _Ridge, number: int, weights: Array, middle: float) -> None:
        self.solver, self.number, self.weights, self.middle = solver, number, weights, middle

    def __call__(self, rows: npt.NDArray[np.bool_]) -> Array:
        return np.asarray(self.solver.standardised(self.number, rows) @ self.weights + self.middle)


class _ByFeatures(_Ridge):
    def __init__(self, X: npt.NDArray[np.floating], y: Array, sets: TrainingSets) -> None:
        super().__init__(X, y, sets)
        self.centre, self.middle = X.mean(axis=0, dtype=np.float64), float(y.mean())
        self.grams, self.products = [], []
        for block in range(sets.train.shape[1]):
            Z = X[sets.blocks == block].astype(np.float64) - self.centre
            self.grams.append(Z.T @ Z)
            self.products.append(Z.T @ (y[sets.blocks == block] - self.middle))

    def fit(self, number: int, alpha: float) -> _Prediction:
        """Weights of a training set by Cholesky."""
        inside = np.flatnonzero(self.sets.train[number]).tolist()
        training, scale = self.sets.train_rows(number), self.scales[number]
        n, mean, middle = training.sum(), self.means[number] - self.centre, float(self.y[training].mean()) - self.middle
        gram = sum((self.grams[block] for block in inside), -n * np.outer(mean, mean)) / np.outer(scale, scale)
        gram[np.diag_indices_from(gram)] += alpha
        product = sum((self.products[block] for block in inside), -n * mean * middle) / scale
        weights = scipy.linalg.solve(gram, product, assume_a="pos", overwrite_a=True, check_finite=False)
        return _Prediction(self, number, weights, middle + self.middle)


class _ByRows(_Ridge):
    def fit(self, number: int, alpha: float) -> _Prediction:
        """Weights of a training set by Cholesky in the space of its rows."""
        training = self.sets.train_rows(number)
        Z, middle = self.standardised(number, training), float(self.y[training].mean())
        kernel = Z @ Z.T
        kernel[np.diag_indices_from(kernel)] += alpha
        dual = scipy.linalg.solve(kernel, self.y[training] - middle, assume_a="pos", check_finite=False)
        return _Prediction(self, number, Z.T @ dual, middle)
