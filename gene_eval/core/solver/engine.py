"""The fast engine: the probe's objectives for all labels and splits in one solve, to the optimum."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special
import torch
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.errors import ProbeError
from gene_eval.core.heads.ridge import held_out_ridge
from gene_eval.core.heads.scaled import chosen_settings, training_sets
from gene_eval.core.pairs import PairedRows
from gene_eval.core.solver.closed_form import held_out_least_squares
from gene_eval.core.solver.objectives import Classes, Labels
from gene_eval.core.solver.problem import Array, Task, present_classes
from gene_eval.core.solver.resources import one_core_per_thread
from gene_eval.core.solver.scaled import held_out_scaled
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors, as_array


def held_out(
    X: Vectors,
    y: npt.NDArray[Any],
    *,
    target: str,
    splits: Splits,
    params: Params,
) -> HeldOut:
    """Fit all labels and splits together; see `engines.Engine` for the arrays.

    `params.tol` is the root mean square change left in the logits (see `lbfgs`), `params.max_iter` bounds the
    iterations of the fold stage.
    """
    try:
        return _held_out(X, y, target, splits, params)
    except LinAlgError as error:
        msg = f"linear algebra failed on these vectors: {str(error).splitlines()[0]}"
        raise ProbeError(msg) from error


def _held_out(X: Vectors, y: npt.NDArray[Any], target: str, splits: Splits, params: Params) -> HeldOut:
    if params.protocol == "scaled":
        return _scaled(X, y, target, splits, params)
    if target == "regression":
        values, rank = held_out_least_squares(X if isinstance(X, PairedRows) else as_array(X), y, splits)
        return HeldOut(values, convergence={"converged": True, "rank": rank})
    with one_core_per_thread(), torch.no_grad():
        task = Task.prepare(X, splits.blocks, splits.train.shape[1], params)
        if target == "multiclass":
            values = _multiclass(task, y, splits)
        else:
            values = _labels(task, y.reshape(len(y), -1), splits).reshape(y.shape)
    return HeldOut(values, params=task.settings(), convergence=task.convergence())


def _labels(task: Task, y: npt.NDArray[Any], splits: Splits) -> Array:
    """Log-odds (n, L) of scored rows; 0 for a label that is constant in the split's training rows."""
    return task.predict(task.fit(Labels(task.rows, task.labels(y)), splits.train), splits.test)


def _multiclass(task: Task, y: npt.NDArray[np.int64], splits: Splits) -> Array:
    """Probabilities (n, C) of scored rows."""
    present = present_classes(y, splits.blocks, splits.train)
    values = np.zeros((len(y), present.shape[1]))
    if (present.sum(axis=1) > 2).any():
        logits = task.predict(task.fit(Classes(task.rows, task.one_hot(y)), splits.train), splits.test)
        logits[~present[splits.split_of_row]] = -np.inf
        values = np.asarray(scipy.special.softmax(logits, axis=1))
    for split in np.flatnonzero(present.sum(axis=1) == 2).tolist():
        # scikit-learn fits two classes by one weight vector, which halves the penalty of the softmax form.
        low, high = np.flatnonzero(present[split])
        test = splits.test_rows(split)
        odds = _labels(task, (y == high)[:, None], splits)[test, 0]
        values[test] = 0
        values[test, high] = scipy.special.expit(odds)
        values[test, low] = scipy.special.expit(-odds)
    return values


def _scaled(X: Vectors, y: npt.NDArray[Any], target: str, splits: Splits, params: Params) -> HeldOut:
    array = as_array(X)
    sets = training_sets(splits, y, target=target, seed=params.seed)
    if target == "regression":
        values, chosen = held_out_ridge(array, y[:, None], splits, sets)
        return HeldOut(values[:, 0], params=chosen_settings(chosen))
    with one_core_per_thread(), torch.no_grad():
        values, chosen, path = held_out_scaled(array, y, target=target, splits=splits, sets=sets, params=params)
    settings = chosen_settings(chosen)
    if path is None:
        return HeldOut(values, params=settings)
    settings |= {name: value for name, value in path.task.settings().items() if name != "C"}
    return HeldOut(values, params=settings, convergence=path.task.convergence())
