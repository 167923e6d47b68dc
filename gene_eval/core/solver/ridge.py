"""Ridge regression of the scaled protocol from one Gram matrix per block of rows.

With S the diagonal of a training set's standard deviations, C its centred Gram matrix and c its products with the
target, the weights on standardised features are (S^-1 C S^-1 + alpha I)^-1 S^-1 c. C and c of any training set are sums
over its blocks less the outer products of the means. Where features outnumber rows, the same weights come from the
rows: Z' (Z Z' + alpha I)^-1 y, with Z standardised.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.linalg

from gene_eval.core.heads.scaled import GRID, TrainingSets, standard_deviations

Array = npt.NDArray[np.float64]


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


class _Solver:
    """Fits a training set for an alpha."""

    def __init__(self, X: npt.NDArray[np.floating], y: Array, sets: TrainingSets) -> None:
        self.X, self.y, self.sets = X, y, sets
        self.means, self.scales = standard_deviations(X, sets)

    def standardised(self, number: int, rows: npt.NDArray[np.bool_]) -> Array:
        """Rows by the mean and spread of a training set."""
        return np.asarray((self.X[rows].astype(np.float64) - self.means[number]) / self.scales[number])


class _Prediction:
    """Predictions from weights on standardised features."""

    def __init__(self, solver: _Solver, number: int, weights: Array, middle: float) -> None:
        self.solver, self.number, self.weights, self.middle = solver, number, weights, middle

    def __call__(self, rows: npt.NDArray[np.bool_]) -> Array:
        return np.asarray(self.solver.standardised(self.number, rows) @ self.weights + self.middle)


class _ByFeatures(_Solver):
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


class _ByRows(_Solver):
    def fit(self, number: int, alpha: float) -> _Prediction:
        """Weights of a training set by Cholesky in the space of its rows."""
        training = self.sets.train_rows(number)
        Z, middle = self.standardised(number, training), float(self.y[training].mean())
        kernel = Z @ Z.T
        kernel[np.diag_indices_from(kernel)] += alpha
        dual = scipy.linalg.solve(kernel, self.y[training] - middle, assume_a="pos", check_finite=False)
        return _Prediction(self, number, Z.T @ dual, middle)
