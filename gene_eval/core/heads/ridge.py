"""The head "ridge": ridge regression on standardised features, alpha chosen inside the training rows.

The scaled protocol of numbers is the same fit.

Labels are fitted as -1 and 1 (`sklearn.linear_model.RidgeClassifier`), each with an alpha of its own; classes as one
0/1 column each with one alpha for all, so that the predictions of a row sum to 1. Alpha is 1 / C for the C of
`scaled.GRID` with the least squared error over the inner test rows of `scaled.training_sets`. Features are standardised
under every protocol: one penalty for numbers of different size would choose between features by their units.

With Z the standardised training rows and y the centred targets, weights are (Z'Z + alpha I)^-1 Z'y, or
Z' (ZZ' + alpha I)^-1 y where features outnumber rows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.heads.scaled import GRID, TrainingSets, chosen_settings, standard_deviations, training_sets
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors, as_array

Array = npt.NDArray[np.float64]


def held_out(X: Vectors, y: npt.NDArray[Any], *, target: str, splits: Splits, params: Params) -> HeldOut:
    """Fit all labels of a split at once; see `engines.Engine` for the arrays."""
    sets = training_sets(splits, y, target=target, seed=params.seed)
    if target == "multiclass":
        targets = (y[:, None] == np.arange(y.max() + 1)).astype(np.float64)
    else:
        targets = y.reshape(len(y), -1) if target == "regression" else 2.0 * y.reshape(len(y), -1) - 1
    values, chosen = held_out_ridge(as_array(X), targets, splits, sets, shared=target == "multiclass")
    return HeldOut(values if target == "multiclass" else values.reshape(y.shape), params=chosen_settings(chosen))


def held_out_ridge(
    X: npt.NDArray[np.floating[Any]], targets: Array, splits: Splits, sets: TrainingSets, *, shared: bool = False
) -> tuple[Array, Array]:
    """Predictions (n, T) of the rows that splits score, and the chosen C, (S, T).

    Args:
        X: (n, d) vectors.
        targets: (n, T) numbers.
        splits: Of the n rows.
        sets: Their training sets, and those of the inner fits.
        shared: Whether all targets of a split have one C.
    """
    solver = _Ridge(X, targets, sets)
    losses = np.zeros((len(GRID), sets.n_splits, targets.shape[1]))
    inner = sets.inner()
    for number in range(sets.n_splits, len(sets.train)):
        tested = [(split, rows) for each, split, rows in inner if each == number]
        for step, (weights, intercept) in enumerate(solver.fits(number, GRID)):
            for split, rows in tested:
                losses[step, split] += ((targets[rows] - X[rows] @ weights - intercept) ** 2).sum(axis=0)
    if shared:
        losses[:] = losses.sum(axis=2, keepdims=True)
    chosen = losses.argmin(axis=0)
    values = np.zeros(targets.shape)
    for split in range(len(splits)):
        test = np.flatnonzero(splits.test_rows(split))
        steps = np.unique(chosen[split])
        for step, (weights, intercept) in zip(steps, solver.fits(split, np.array(GRID)[steps]), strict=True):
            columns = np.flatnonzero(chosen[split] == step)
            values[np.ix_(test, columns)] = X[test] @ weights[:, columns] + intercept[columns]
    return values, np.array(GRID)[chosen]


class _Ridge:
    """The fits of each training set along a path of C.

    Where rows outnumber features, the Gram matrix of a training set is the sum of those of its blocks less the outer
    product of the means, so that each row is multiplied once however many training sets it is in.
    """

    def __init__(self, X: npt.NDArray[np.floating[Any]], targets: Array, sets: TrainingSets) -> None:
        self.X, self.targets, self.sets = X, targets, sets
        self.means, self.scales = standard_deviations(X, sets)
        self.is_wide = X.shape[1] >= len(X)
        if not self.is_wide:
            # Near the means of all training sets, so that little is left to subtract.
            self.centre, self.middle = X.mean(axis=0, dtype=np.float64), targets.mean(axis=0)
            self.products = [self._products(sets.blocks == block) for block in range(sets.train.shape[1])]

    def _products(self, rows: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
        Z = self.X[rows].astype(np.float64) - self.centre
        return Z.T @ Z, Z.T @ (self.targets[rows] - self.middle)

    def fits(self, number: int, grid: npt.ArrayLike) -> list[tuple[Array, Array]]:
        """Weights (d, T) and intercepts (T,) of the features as they are, for each C."""
        rows, scales = self.sets.train_rows(number), self.scales[number]
        middle = self.targets[rows].mean(axis=0)
        if self.is_wide:
            Z = (self.X[rows].astype(np.float64) - self.means[number]) / scales
            gram, right = Z @ Z.T, self.targets[rows] - middle
        else:
            mean, n = self.means[number] - self.centre, rows.sum()
            parts = [self.products[block] for block in np.flatnonzero(self.sets.train[number])]
            gram = sum((part for part, _ in parts), -n * np.outer(mean, mean)) / np.outer(scales, scales)
            right = sum((part for _, part in parts), -n * np.outer(mean, middle - self.middle)) / scales[:, None]
        out = []
        for C in np.asarray(grid):
            penalised = gram.copy()
            penalised[np.diag_indices_from(penalised)] += 1 / C
            solved = scipy.linalg.solve(penalised, right, assume_a="pos", overwrite_a=True, check_finite=False)
            weights = (Z.T @ solved if self.is_wide else solved) / scales[:, None]
            out.append((weights, middle - self.means[number] @ weights))
        return out
