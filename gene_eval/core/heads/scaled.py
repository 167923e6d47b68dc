"""The scaled protocol: standardised features, and the penalty chosen inside the training rows.

For each held-out fold f the training folds take turns as inner test rows. On every inner training set (all folds but f
and g) features are standardised by its own mean and standard deviation and the model is fitted for every C of `GRID`;
C is the one with the least summed log loss (squared error for ridge regression, whose alpha is 1 / C) over the rows of
all g, the smallest on a tie. The model for f is then fitted with that C on all training rows, standardised anew.
Leaving out f and g is the same as leaving out g and f, so F folds need F (F - 1) / 2 inner training sets.

This module is what engines share; `held_out_reference` is the protocol written with scikit-learn.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gene_eval.core.errors import ProbeError

Array = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int64]

GRID: Final = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


def left_out(folds: Folds) -> list[tuple[int, ...]]:
    """What each training set leaves out: every fold, then every pair of folds.

    Raises:
        ProbeError: Fewer than three folds leave nothing to choose C on.
    """
    n_folds = int(folds.max()) + 1
    if n_folds < 3:
        msg = f"protocol 'scaled' chooses C on the other folds and needs at least 3 folds, got {n_folds}"
        raise ProbeError(msg)
    return [(fold,) for fold in range(n_folds)] + list(combinations(range(n_folds), 2))


def standard_deviations(
    X: npt.NDArray[np.floating[Any]], folds: Folds, sets: list[tuple[int, ...]]
) -> tuple[Array, Array]:
    """(T, d) means and standard deviations of the training sets; 1 for a constant feature, by scikit-learn's rule."""
    scalers = [StandardScaler().fit(X[~np.isin(folds, out)].astype(np.float64)) for out in sets]
    return np.stack([s.mean_ for s in scalers]), np.stack([s.scale_ for s in scalers])


def chosen_settings(chosen: Array) -> dict[str, Any]:
    """What results record of the chosen C, (F, L): the grid, and how often each C was taken."""
    counts = {f"{C:g}": int((chosen == C).sum()) for C in GRID}
    return {"C_grid": list(GRID), "C_chosen": {C: count for C, count in counts.items() if count}}


def held_out_reference(
    X: Array, y: npt.NDArray[Any], *, target: str, folds: Folds, tol: float, max_iter: int
) -> tuple[Array, Array]:
    """Held-out values as `engines.HeldOut`, and the chosen C, (F, L)."""
    left_out(folds)
    columns = y.reshape(len(y), -1)
    n_folds = folds.max() + 1
    shape = (len(y), y.max() + 1) if target == "multiclass" else columns.shape
    values, chosen = np.zeros(shape), np.full((n_folds, columns.shape[1]), np.nan)
    for fold in range(n_folds):
        test = folds == fold
        for j in range(columns.shape[1]):
            into = slice(None) if target == "multiclass" else slice(j, j + 1)
            if target != "regression" and np.ptp(columns[~test, j].astype(int)) == 0:
                continue

            def fit(rows: npt.NDArray[np.bool_], C: float, j: int = j) -> Callable[[Array], Array]:
                return _fitted(X[rows], columns[rows, j], C, target, shape[1], tol=tol, max_iter=max_iter)

            losses = [
                sum(
                    _loss(columns[folds == g, j], fit(~test & (folds != g), C)(X[folds == g]), target)
                    for g in range(n_folds)
                    if g != fold and (target == "regression" or np.ptp(columns[~test & (folds != g), j].astype(int)))
                )
                for C in GRID
            ]
            chosen[fold, j] = GRID[int(np.argmin(losses))]
            values[test, into] = fit(~test, chosen[fold, j])(X[test])
    if target == "multiclass":
        values = np.exp(values - np.logaddexp.reduce(values, axis=1, keepdims=True))
    return values.reshape(shape if target == "multiclass" else y.shape), chosen


def _fitted(  # noqa: PLR0913 - one fit
    X: Array, y: npt.NDArray[Any], C: float, target: str, width: int, *, tol: float, max_iter: int
) -> Callable[[Array], Array]:
    """A function to (n, 1) decision values or predictions, or (n, C) log probabilities."""
    if target == "regression":
        ridge = make_pipeline(StandardScaler(), Ridge(alpha=1 / C)).fit(X, y)
        return lambda rows: ridge.predict(rows)[:, None]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, tol=tol, max_iter=max_iter)).fit(X, y)
    if target != "multiclass":
        return lambda rows: model.decision_function(rows)[:, None]

    def log_probabilities(rows: Array) -> Array:
        out = np.full((len(rows), width), -100.0)
        out[:, model.classes_] = np.maximum(model.predict_log_proba(rows), -100)
        return out

    return log_probabilities


def _loss(y: npt.NDArray[Any], predicted: Array, target: str) -> float:
    if target == "regression":
        return float(((y - predicted[:, 0]) ** 2).sum())
    if target == "multiclass":
        return float(-predicted[np.arange(len(y)), y].sum())
    return float((np.logaddexp(0, predicted[:, 0]) - y * predicted[:, 0]).sum())
