"""Ridge regression of the scaled protocol from one Gram matrix per fold.

With S the diagonal of a training set's standard deviations, C its centred Gram matrix and c its products with the
target, the weights on standardised features are (S^-1 C S^-1 + alpha I)^-1 S^-1 c. C and c of any training set are sums
over its folds less the outer products of the means. Where features outnumber rows, the same weights come from the rows:
Z' (Z Z' + alpha I)^-1 y, with Z standardised.
"""

import numpy as np
import numpy.typing as npt
import scipy.linalg

from gene_eval.core.heads.scaled import GRID, left_out, standard_deviations

Array = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int64]


def held_out_ridge(X: npt.NDArray[np.floating], y: Array, folds: Folds) -> tuple[Array, Array]:
    """Predictions (n,) of held-out rows and the chosen C of every fold, (F, 1)."""
    sets = left_out(folds)
    n_folds = int(folds.max()) + 1
    solver = (_ByFeatures if len(X) > X.shape[1] else _ByRows)(X, y, folds, sets)
    losses = np.zeros((len(GRID), n_folds))
    for number, out in enumerate(sets[n_folds:], start=n_folds):
        for step, C in enumerate(GRID):
            predict = solver.fit(number, 1 / C)
            for test, outer in (out, out[::-1]):
                rows = folds == test
                losses[step, outer] += ((y[rows] - predict(rows)) ** 2).sum()
    chosen = losses.argmin(axis=0)
    values = np.empty(len(y))
    for fold in range(n_folds):
        rows = folds == fold
        values[rows] = solver.fit(fold, 1 / GRID[chosen[fold]])(rows)
    return values, np.array(GRID)[chosen][:, None]


class _Solver:
    """Fits a training set for an alpha."""

    def __init__(self, X: npt.NDArray[np.floating], y: Array, folds: Folds, sets: list[tuple[int, ...]]) -> None:
        self.X, self.y, self.folds, self.sets = X, y, folds, sets
        self.means, self.scales = standard_deviations(X, folds, sets)

    def standardised(self, number: int, rows: npt.NDArray[np.bool_]) -> Array:
        """Rows by the mean and spread of a training set."""
        return np.asarray((self.X[rows].astype(np.float64) - self.means[number]) / self.scales[number])

    def training(self, number: int) -> npt.NDArray[np.bool_]:
        """(n,) whether the row is in the training set."""
        return np.isin(self.folds, self.sets[number], invert=True)


class _Prediction:
    """Predictions from weights on standardised features."""

    def __init__(self, solver: _Solver, number: int, weights: Array, middle: float) -> None:
        self.solver, self.number, self.weights, self.middle = solver, number, weights, middle

    def __call__(self, rows: npt.NDArray[np.bool_]) -> Array:
        return np.asarray(self.solver.standardised(self.number, rows) @ self.weights + self.middle)


class _ByFeatures(_Solver):
    def __init__(self, X: npt.NDArray[np.floating], y: Array, folds: Folds, sets: list[tuple[int, ...]]) -> None:
        super().__init__(X, y, folds, sets)
        self.centre, self.middle = X.mean(axis=0, dtype=np.float64), float(y.mean())
        self.grams, self.products = [], []
        for fold in np.unique(folds):
            Z = X[folds == fold].astype(np.float64) - self.centre
            self.grams.append(Z.T @ Z)
            self.products.append(Z.T @ (y[folds == fold] - self.middle))

    def fit(self, number: int, alpha: float) -> _Prediction:
        """Weights of a training set by Cholesky."""
        inside = [fold for fold in range(len(self.grams)) if fold not in self.sets[number]]
        training, scale = self.training(number), self.scales[number]
        n, mean, middle = training.sum(), self.means[number] - self.centre, float(self.y[training].mean()) - self.middle
        gram = sum((self.grams[fold] for fold in inside), -n * np.outer(mean, mean)) / np.outer(scale, scale)
        gram[np.diag_indices_from(gram)] += alpha
        product = sum((self.products[fold] for fold in inside), -n * mean * middle) / scale
        weights = scipy.linalg.solve(gram, product, assume_a="pos", overwrite_a=True, check_finite=False)
        return _Prediction(self, number, weights, middle + self.middle)


class _ByRows(_Solver):
    def fit(self, number: int, alpha: float) -> _Prediction:
        """Weights of a training set by Cholesky in the space of its rows."""
        training = self.training(number)
        Z, middle = self.standardised(number, training), float(self.y[training].mean())
        kernel = Z @ Z.T
        kernel[np.diag_indices_from(kernel)] += alpha
        dual = scipy.linalg.solve(kernel, self.y[training] - middle, assume_a="pos", check_finite=False)
        return _Prediction(self, number, Z.T @ dual, middle)
