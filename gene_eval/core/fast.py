"""The fast engine: the probe's objectives for all labels and folds in one solve, to the optimum."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.special
import torch
from torch import Tensor

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.fast_lbfgs import Solution
from gene_eval.core.fast_least_squares import held_out_least_squares
from gene_eval.core.fast_logistic import LogisticObjective
from gene_eval.core.fast_rows import DenseRows, Rows
from gene_eval.core.fast_softmax import SoftmaxObjective
from gene_eval.core.fast_stages import Family, solve
from gene_eval.core.fast_threads import one_core_per_thread
from gene_eval.core.rotation import as_tensor, fit_rotation

TOL: Final = 1e-5
MAX_ITER: Final = 500

Array = npt.NDArray[np.float64]


def held_out(
    X: npt.NDArray[np.floating[Any]], y: npt.NDArray[Any], *, target: str, folds: npt.NDArray[np.int64], params: Params
) -> HeldOut:
    """Fit all labels and folds together; see `engines.Engine` for the arrays.

    `params.tol` is the root mean square change left in the logits (see `fast_lbfgs`), `params.max_iter` bounds the
    iterations of the fold stage.
    """
    if target == "regression":
        values, rank = held_out_least_squares(X.astype(np.float64, copy=False), y, folds)
        return HeldOut(values, convergence={"converged": True, "rank": rank})
    with one_core_per_thread():
        task = _Task.prepare(X, folds, params)
        if target == "multiclass":
            values = _multiclass(task, y, folds)
        else:
            values = _labels(task, y.reshape(len(y), -1), folds).reshape(y.shape)
    return HeldOut(values, params=task.settings(), convergence=task.convergence())


@dataclass
class _Task:
    """One design matrix in solver coordinates, and the tally of what was solved on it."""

    rows: Rows
    order: npt.NDArray[np.int64]
    penalty: Tensor
    params: Params
    solutions: list[Solution] = field(default_factory=list)
    n_double: int = 0

    @classmethod
    @torch.no_grad()
    def prepare(cls, X: npt.NDArray[Any], folds: npt.NDArray[np.int64], params: Params) -> "_Task":
        order = np.argsort(folds, kind="stable")
        starts = [0, *np.cumsum(np.bincount(folds)).tolist()]
        device = "cuda" if torch.cuda.is_available() else "cpu"
        table = as_tensor(X, device)[torch.as_tensor(order, device=device)]
        rotation = fit_rotation(table)
        dtype = working_dtype(rotation.largest, params.C)
        rows = DenseRows(rotation.rotate(table, dtype=dtype), starts)
        penalty = torch.full((rows.width,), 1 / params.C, dtype=dtype, device=device)
        penalty[-1] = 0
        return cls(rows, order, penalty, params)

    @property
    def tol(self) -> float:
        return TOL if self.params.tol is None else self.params.tol

    @property
    def max_iter(self) -> int:
        return MAX_ITER if self.params.max_iter is None else self.params.max_iter

    @property
    def device(self) -> torch.device:
        return self.penalty.device

    def solve(self, family: Family, start: Tensor, curvature: Tensor) -> Tensor:
        """Weights of the family's children; how they ended is added to the tally."""
        solution, n_double = solve(family, start, curvature, tol=self.tol, max_iterations=self.max_iter)
        self.solutions.append(solution)
        self.n_double += n_double
        return solution.weights

    def predict(self, weights: Tensor) -> Array:
        """Logits (n, k) of every row with the (F, k, width) weights of its fold, in the order of the task."""
        out = np.empty((self.rows.starts[-1], weights.shape[1]))
        for block, (low, high) in enumerate(pairwise(self.rows.starts)):
            projected = self.rows.project(weights[block].to(self.penalty))
            out[self.order[low:high]] = self.rows.logits(projected, low, high, None).T.double().cpu().numpy()
        return out

    def settings(self) -> dict[str, Any]:
        """What shaped the fits."""
        return {
            "C": self.params.C,
            "tol": self.tol,
            "max_iter": self.max_iter,
            "dtype": str(self.penalty.dtype).removeprefix("torch."),
            "device": self.penalty.device.type,
        }

    def convergence(self) -> dict[str, Any]:
        """The certificate: how far the worst fit is from its optimum, and what it took."""
        if not self.solutions:
            return {"converged": True, "n_fits": 0, "n_unconverged": 0}
        error, gradient, passes = (
            torch.cat([getattr(s, name) for s in self.solutions]).double() for name in ("error", "gradient", "passes")
        )
        unconverged = int(torch.logical_not(error < self.tol).sum())
        return {
            "converged": unconverged == 0,
            "n_fits": len(error),
            "n_unconverged": unconverged,
            "logit_error": float(error.max()),
            "n_float64": self.n_double if self.penalty.dtype == torch.float32 else len(error),
            "scaled_gradient": float(gradient.max()) / self.rows.starts[-1],
            "passes": float(passes.mean()),
        }


def working_dtype(largest: float, C: float) -> torch.dtype:
    """Float32 unless its rounding of the rows could outweigh the penalty.

    Rounding moves a row by eps |z|, the Gram matrix by eps^2 times its largest eigenvalue, and the Hessian by at most a
    quarter of that; directions that carry less than the rounding are free to move unless the penalty 1 / C holds them.
    """
    eps = torch.finfo(torch.float32).eps
    return torch.float64 if 0.25 * eps * eps * largest * C > 1e-4 else torch.float32


@torch.no_grad()
def _labels(task: _Task, y: npt.NDArray[Any], folds: npt.NDArray[np.int64]) -> Array:
    """Log-odds (n, L) of held-out rows; 0 for a label that is constant in the fold's training rows."""
    labels = torch.as_tensor(y[task.order], device=task.device).to(task.penalty)
    train = _sums_without(labels, task.rows)
    sizes = _sums_without(labels.new_ones(len(labels), 1), task.rows)
    fold, column = ((train > 0) & (train < sizes)).nonzero(as_tuple=True)
    n_blocks, width = len(train), task.rows.width
    out = torch.zeros(n_blocks, labels.shape[1], width, device=task.device, dtype=torch.float64)
    if len(column):
        parents, parent = column.unique(return_inverse=True)
        every = torch.ones(n_blocks, len(parents), dtype=torch.bool, device=task.device)
        trains = torch.arange(n_blocks, device=task.device)[:, None] != fold
        family = Family(
            task.rows,
            lambda rows: LogisticObjective(rows, labels, parents, every, task.penalty),
            lambda rows: LogisticObjective(rows, labels, column, trains, task.penalty),
            task.penalty, parent, fold, share=(n_blocks - 1) / n_blocks,
        )
        p = (labels[:, parents].sum(0) + 0.5) / (len(labels) + 1)
        start = labels.new_zeros(len(parents), width)
        start[:, -1] = torch.logit(p)
        curvature = (p * (1 - p) * len(labels))[:, None] * task.rows.mean_square
        out[fold, column] = task.solve(family, start, curvature).double()
    return task.predict(out)


def _multiclass(task: _Task, y: npt.NDArray[np.int64], folds: npt.NDArray[np.int64]) -> Array:
    """Probabilities (n, C) of held-out rows."""
    present = np.stack([np.bincount(y[folds != f], minlength=y.max() + 1) > 0 for f in range(folds.max() + 1)])
    values = np.zeros((len(y), y.max() + 1))
    if (present.sum(axis=1) > 2).any():
        values = _softmax(task, y, folds, present)
    for fold in np.flatnonzero(present.sum(axis=1) == 2):
        # scikit-learn fits two classes by one weight vector, which halves the penalty of the softmax form.
        low, high = np.flatnonzero(present[fold])
        test = folds == fold
        decisions = _labels(task, (y == high)[:, None], folds)[test, 0]
        values[test] = 0
        values[test, high] = 1 / (1 + np.exp(-decisions))
        values[test, low] = 1 - values[test, high]
    return values


@torch.no_grad()
def _softmax(task: _Task, y: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], present: npt.NDArray[np.bool_]) -> Array:
    """Probabilities (n, C) of held-out rows, for folds with the given classes in their training rows."""
    n_blocks, n_classes = present.shape
    classes = torch.as_tensor(y[task.order], device=task.device)
    one_hot = torch.nn.functional.one_hot(classes, n_classes).to(task.penalty)
    fold = torch.as_tensor(np.flatnonzero(present.sum(axis=1) > 2), device=task.device)
    every = torch.ones(n_blocks, 1, dtype=torch.bool, device=task.device)
    trains = torch.arange(n_blocks, device=task.device)[:, None] != fold
    family = Family(
        task.rows,
        lambda rows: SoftmaxObjective(rows, one_hot, every, task.penalty),
        lambda rows: SoftmaxObjective(rows, one_hot, trains, task.penalty),
        task.penalty.repeat(n_classes), torch.zeros_like(fold), fold, share=(n_blocks - 1) / n_blocks,
    )
    share = one_hot.mean(0)
    start = one_hot.new_zeros(n_classes, task.rows.width)
    start[:, -1] = share.log()
    curvature = (share * (1 - share) * len(y))[:, None] * task.rows.mean_square
    weights = torch.zeros(n_blocks, start.numel(), device=task.device, dtype=torch.float64)
    weights[fold] = task.solve(family, start.reshape(1, -1), curvature.reshape(1, -1)).double()
    logits = task.predict(weights.reshape(n_blocks, n_classes, -1))
    logits[~present[folds]] = -np.inf
    return np.asarray(scipy.special.softmax(logits, axis=1))


def _sums_without(values: Tensor, rows: Rows) -> Tensor:
    """(B, k) sums of the (n, k) values over all blocks but one."""
    sums = torch.stack([values[low:high].sum(0) for low, high in pairwise(rows.starts)])
    return sums.sum(0) - sums
