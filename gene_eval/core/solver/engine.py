"""The fast engine: the probe's objectives for all labels and folds in one solve, to the optimum."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special
import torch
from torch import Tensor

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.heads.scaled import chosen_settings
from gene_eval.core.pairs import PairedRows
from gene_eval.core.solver.least_squares import held_out_least_squares
from gene_eval.core.solver.penalty import Penalty
from gene_eval.core.solver.problem import Array, Folds, Task, present_classes
from gene_eval.core.solver.ridge import held_out_ridge
from gene_eval.core.solver.scaled import held_out_scaled
from gene_eval.core.solver.stages import solve
from gene_eval.core.solver.targets import Classes, Labels, Target, make_family
from gene_eval.core.solver.threads import full_precision, one_core_per_thread
from gene_eval.core.table import Vectors, as_array


def held_out(
    X: Vectors,
    y: npt.NDArray[Any],
    *,
    target: str,
    folds: Folds,
    params: Params,
) -> HeldOut:
    """Fit all labels and folds together; see `engines.Engine` for the arrays.

    `params.tol` is the root mean square change left in the logits (see `fast_lbfgs`), `params.max_iter` bounds the
    iterations of the fold stage.
    """
    if params.protocol == "scaled":
        return _scaled(X, y, target, folds, params)
    if target == "regression":
        values, rank = held_out_least_squares(X if isinstance(X, PairedRows) else as_array(X), y, folds)
        return HeldOut(values, convergence={"converged": True, "rank": rank})
    with one_core_per_thread(), full_precision(), torch.no_grad():
        task = Task.prepare(X, folds, params)
        if target == "multiclass":
            values = _multiclass(task, y, folds)
        else:
            values = _labels(task, y.reshape(len(y), -1)).reshape(y.shape)
    return HeldOut(values, params=task.settings(), convergence=task.tally.convergence(task.rows))


def fold_weights(task: Task, target: Target) -> Tensor:
    """(F, L * n_outputs, width) float64 weights of the logits of every fold; 0 where there is nothing to learn."""
    n_folds = len(task.rows.starts) - 1
    outside = ~torch.eye(n_folds, dtype=torch.bool, device=task.device)
    learnable = target.learnable(outside)
    shape = n_folds, target.n_problems, target.n_outputs, task.rows.width
    out = torch.zeros(shape, dtype=torch.float64, device=task.device)
    for block in task.blocks(target, n_folds):
        fold, place = learnable[:, block].nonzero(as_tuple=True)
        if not len(fold):
            continue
        column = block[place]
        penalty = Penalty(1 / task.params.C, task.rows.width)
        family = make_family(target, column, outside[:, fold], fold, penalty)
        solved = solve(family, *target.start(torch.unique(column)), tol=task.tally.tol, max_iterations=task.max_iter)
        task.tally.add(solved.children, solved.n_double)
        out[fold, column] = target.outputs(solved.children.weights.double()).reshape(-1, *shape[2:])
    return out.flatten(1, 2)


def _labels(task: Task, y: npt.NDArray[Any]) -> Array:
    """Log-odds (n, L) of held-out rows; 0 for a label that is constant in the fold's training rows."""
    return task.predict(fold_weights(task, Labels(task.rows, task.labels(y))))


def _multiclass(task: Task, y: npt.NDArray[np.int64], folds: Folds) -> Array:
    """Probabilities (n, C) of held-out rows."""
    present = present_classes(y, folds, [(fold,) for fold in range(folds.max() + 1)])
    values = np.zeros((len(y), present.shape[1]))
    if (present.sum(axis=1) > 2).any():
        logits = task.predict(fold_weights(task, Classes(task.rows, task.one_hot(y))))
        logits[~present[folds]] = -np.inf
        values = np.asarray(scipy.special.softmax(logits, axis=1))
    for fold in np.flatnonzero(present.sum(axis=1) == 2):
        # scikit-learn fits two classes by one weight vector, which halves the penalty of the softmax form.
        low, high = np.flatnonzero(present[fold])
        test = folds == fold
        odds = _labels(task, (y == high)[:, None])[test, 0]
        values[test] = 0
        values[test, high] = scipy.special.expit(odds)
        values[test, low] = scipy.special.expit(-odds)
    return values


def _scaled(X: Vectors, y: npt.NDArray[Any], target: str, folds: Folds, params: Params) -> HeldOut:
    array = as_array(X)
    if target == "regression":
        values, chosen = held_out_ridge(array, y, folds)
        return HeldOut(values, params=chosen_settings(chosen))
    with one_core_per_thread(), full_precision(), torch.no_grad():
        values, chosen, path = held_out_scaled(array, y, target=target, folds=folds, params=params)
    settings = chosen_settings(chosen)
    if path is None:
        return HeldOut(values, params=settings)
    settings |= {name: value for name, value in path.task.settings().items() if name != "C"}
    return HeldOut(values, params=settings, convergence=path.task.tally.convergence(path.task.rows))
