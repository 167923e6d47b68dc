"""The readable engine: the probe as one would write it with scikit-learn, one fit per split and label.

Slow for many labels, and the reference that the other engines are held to.
"""

import warnings
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.heads.scaled import chosen_settings, held_out_reference
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors, as_array

# scikit-learn's own defaults (1e-4, 100) stop before the optimum on unscaled embeddings, by up to 0.02 ROC-AUC.
TOL: Final = 1e-8
MAX_ITER: Final = 10_000

Array = npt.NDArray[np.float64]


def held_out(
    X: Vectors,
    y: npt.NDArray[Any],
    *,
    target: str,
    splits: Splits,
    params: Params,
) -> HeldOut:
    """Fit scikit-learn's linear models split by split; see `engines.Engine` for the arrays.

    X is taken to float64: in float32 the solver's gradient never falls below its own rounding. `LogisticRegression`
    keeps its default solver (L-BFGS), so `tol=1e-4, max_iter=100` gives what scikit-learn gives out of the box.
    """
    vectors = as_array(X).astype(np.float64, copy=False)
    if params.protocol == "scaled":
        values, chosen = held_out_reference(
            vectors,
            y,
            target=target,
            splits=splits,
            seed=params.seed,
            tol=TOL if params.tol is None else params.tol,
            max_iter=MAX_ITER if params.max_iter is None else params.max_iter,
        )
        return HeldOut(values, params=chosen_settings(chosen))
    if target == "regression":
        return HeldOut(_linear(vectors, y, splits))
    fits = _Fits(params)
    if target == "multiclass":
        values = _softmax(vectors, y, splits, fits)
    else:
        columns = y.reshape(len(y), -1)
        values = np.column_stack([_logistic(vectors, column, splits, fits) for column in columns.T]).reshape(y.shape)
    return HeldOut(values, params=fits.params, convergence=fits.convergence())


class _Fits:
    """Fits logistic regressions and counts how they ended."""

    def __init__(self, params: Params) -> None:
        self.params: dict[str, Any] = {
            "C": params.C,
            "tol": TOL if params.tol is None else params.tol,
            "max_iter": MAX_ITER if params.max_iter is None else params.max_iter,
        }
        self.n_iter: list[int] = []
        self.n_unconverged = 0

    def fit(self, X: Array, y: npt.NDArray[Any]) -> LogisticRegression:
        model = LogisticRegression(**self.params)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model.fit(X, y)
        self.n_iter.append(int(model.n_iter_.max()))
        self.n_unconverged += any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        return model

    def convergence(self) -> dict[str, Any]:
        return {
            "converged": self.n_unconverged == 0,
            "n_fits": len(self.n_iter),
            "n_unconverged": self.n_unconverged,
            "n_iter": max(self.n_iter, default=0),
        }


def _linear(X: Array, y: Array, splits: Splits) -> Array:
    values = np.zeros(len(y))
    for train, test in _rows(splits):
        values[test] = LinearRegression().fit(X[train], y[train]).predict(X[test])
    return values


def _logistic(X: Array, y: npt.NDArray[np.bool_], splits: Splits, fits: _Fits) -> Array:
    values = np.zeros(len(y))
    for train, test in _rows(splits):
        if 0 < np.count_nonzero(y[train]) < np.count_nonzero(train):
            values[test] = fits.fit(X[train], y[train]).decision_function(X[test])
    return values


def _softmax(X: Array, y: npt.NDArray[np.int64], splits: Splits, fits: _Fits) -> Array:
    values = np.zeros((len(y), y.max() + 1))
    for train, test in _rows(splits):
        present = np.unique(y[train])
        if len(present) > 1:
            values[np.ix_(test, present)] = fits.fit(X[train], y[train]).predict_proba(X[test])
    return values


def _rows(splits: Splits) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    return ((splits.train_rows(split), splits.test_rows(split)) for split in range(len(splits)))
