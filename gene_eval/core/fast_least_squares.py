"""Ordinary least squares on all folds from shared factorisations, equal to scikit-learn's `LinearRegression`.

The rows of every fold, with a leading 1 and the target appended, are reduced once to a triangle R (R'R is their Gram
matrix, without its loss of digits). The triangles of the training folds, stacked and reduced again, are the triangle of
the training rows; behind its first row and column stands the triangle of the centred rows, which is what
`LinearRegression` solves with `scipy.linalg.lstsq`. Collinear columns and p > n get the minimum norm solution by the
singular values of that triangle, cut off where scikit-learn does: at 1e-6 times the largest.

Where p > n, rows are first written in an orthonormal basis of the space they span. The minimum norm solution lies in
the span of the training rows, so nothing is lost.
"""

import numpy as np
import numpy.typing as npt
import scipy.linalg

Array = npt.NDArray[np.float64]

CUTOFF = 1e-6
"""`LinearRegression().tol`, which its dense solver takes as the relative cut-off of singular values."""


def held_out_least_squares(X: Array, y: Array, folds: npt.NDArray[np.int64]) -> tuple[Array, int]:
    """Predictions (n,) or (n, T) of held-out rows, and the smallest rank of the centred training rows.

    Args:
        X: (n, d) float64.
        y: (n,) or (n, T).
        folds: (n,) numbers 0..F-1.
    """
    targets = y.reshape(len(y), -1)
    centre, middle = X.mean(axis=0), targets.mean(axis=0)
    Z = X - centre
    if Z.shape[0] <= Z.shape[1]:
        Z = Z @ np.linalg.qr(Z.T)[0]
    table = np.column_stack([np.ones(len(Z)), Z, targets - middle])
    n_folds = folds.max() + 1
    triangles = [_triangle(table[folds == fold]) for fold in range(n_folds)]
    out = np.empty(targets.shape)
    ranks = []
    for fold in range(n_folds):
        rest = np.concatenate(triangles[:fold] + triangles[fold + 1 :])
        test = folds == fold
        weights, intercept, rank = _solve(_triangle(rest), Z.shape[1])
        out[test] = Z[test] @ weights + intercept + middle
        ranks.append(rank)
    return out.reshape(y.shape), min(ranks)


def _triangle(rows: Array) -> Array:
    return rows if rows.shape[0] <= 1 else np.linalg.qr(rows, mode="r")


def _solve(triangle: Array, d: int) -> tuple[Array, Array, int]:
    """Weights (d, T), intercepts (T,) and rank from the triangle of rows (1, x, y)."""
    top, below = triangle[0], triangle[1:]
    weights, _, rank, _ = scipy.linalg.lstsq(
        below[:, 1 : d + 1], below[:, d + 1 :], cond=CUTOFF, check_finite=False
    )
    intercept = (top[d + 1 :] - top[1 : d + 1] @ weights) / top[0]
    return weights, intercept, int(rank)
