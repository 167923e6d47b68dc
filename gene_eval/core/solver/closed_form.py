"""Regression in closed form: ordinary least squares as scikit-learn's, on all splits from shared factorisations.

The rows of every block, with a leading 1 and the target appended, are reduced once to a triangle R (R'R is their Gram
matrix, without its loss of digits). The triangles of the training blocks, stacked and reduced again, are that of the
training rows; behind its first row and column stands the triangle of the centred rows, which is what
`LinearRegression` solves with `scipy.linalg.lstsq`. Collinear columns and p > n get the minimum norm solution by the
singular values of that triangle, cut off where scikit-learn does: at 1e-6 times the largest.

Where p > n, rows are first written in an orthonormal basis of the space they span. The minimum norm solution lies in
the span of the training rows, so nothing is lost.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

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
