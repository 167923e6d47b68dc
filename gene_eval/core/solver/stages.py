"""How one solve goes: all rows loosely, then every training set from there, then in float64 what float32 left."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gene_eval.core.solver.curvature import Pairs, Relatives
from gene_eval.core.solver.gradient import FLAT
from gene_eval.core.solver.lbfgs import UNWEIGHTED, Objective, Solution, minimise
from gene_eval.core.solver.objectives import LogisticObjective
from gene_eval.core.solver.rows import Rows

TOL_ALL_ROWS = 0.1
"""Of the common fit on all rows;"""
TOL_CLASSES = 1e-3
"""the same between classes whose training sets have many rows for their weights."""
FEW_ROWS = 10
"""Rows of a training set per weight of a class below which that is so."""
MAX_PAIRS = 100
NEWTON_LIMIT = 3e10
"""Labels of which one Newton step costs more operations go on by L-BFGS."""
NEWTON_TOL = 1e-9


@dataclass(frozen=True)
class Family:
    """Related problems: full-data fits on all rows that any split fit trains on and split fits on some of the blocks.

    Attributes:
        rows: The design matrix.
        full_data: Makes the objective of the full-data fits on given rows.
        split_data: Makes the objective of the split fits on given rows.
        penalty: (v,) diagonal of the full-data fits' penalty.
        full_fit: (K,) full-data fit of each split fit.
        position: (K,) number of each split fit among those of its full-data fit.
        share: Share of the full-data fits' rows that a split fit trains on, on average.
        used: (B,) the blocks that the full-data fits train on.
    """

    rows: Rows
    full_data: Callable[[Rows], Objective]
    split_data: Callable[[Rows], Objective]
    penalty: Tensor
    full_fit: Tensor
    position: Tensor
    share: float
    used: Tensor

    @property
    def spread(self) -> Tensor:
        """(v,) mean squares of the features, 0 for intercepts."""
        spread = self.rows.mean_square.repeat(len(self.penalty) // self.rows.width)
        return torch.where(self.penalty > 0, spread, 0.0)


class Solved(NamedTuple):
    """The full-data fits' weights (L, v), the solution of the split fits, and how many of these needed float64."""

    full_fits: Tensor
    split_fits: Solution
    n_double: int


@torch.no_grad()
def solve(family: Family, start: Tensor, curvature: Tensor, *, tol: float, max_iterations: int) -> Solved:
    """Solve the split fits from the (L, v) start of the full-data fits.

    Args:
        family: The problems.
        start: (L, v) weights of the full-data fits.
        curvature: (L, v) diagonals of their Hessians there, without the penalty; the intercept's is the sum of the
            logits' curvature over rows (and columns, of which v holds one after the other).
        tol: As in `minimise`.
        max_iterations: Most iterations of a stage on the split fits.
    """
    full_data, width = family.full_data(family.rows), family.rows.width
    n_columns, share, full_fit = len(family.penalty) // width, family.share, family.full_fit
    # Of few rows for its weights, the training sets differ much: what they share is soon found.
    few_rows = n_columns > 1 and share * family.rows.starts[-1] < FEW_ROWS * width
    before = curvature[:, width - 1 :: width].sum(1)
    first = minimise(
        full_data,
        start,
        1 / (curvature + family.penalty),
        before,
        family.spread,
        tol=TOL_CLASSES if n_columns > 1 and not few_rows else TOL_ALL_ROWS,
        max_iterations=MAX_PAIRS,
        keep_history=True,
    )
    hessian, total = full_data.curvature(first.weights, torch.arange(len(start), device=start.device))
    # Between classes the diagonal at the start is the better guide: near the optimum rare classes look flat.
    at = curvature if n_columns > 1 else (hessian - family.penalty).clamp_(min=FLAT)
    diagonal = 1 / (at * share + family.penalty)
    fallen = torch.full_like(total, torch.inf) if few_rows else (before / total).clamp(min=1)
    split_data = family.split_data(family.rows)
    last = minimise(
        split_data,
        first.weights[full_fit],
        diagonal[full_fit],
        total[full_fit] * share,
        family.spread,
        tol=tol,
        max_iterations=max_iterations,
        relatives=None if few_rows else _recycled(family, first, diagonal),
        # The diagonals of labels are those of the curvature at their solution on all rows already.
        longest=fallen[full_fit] if n_columns > 1 else None,
    )
    left = torch.logical_not(last.error < tol).nonzero()[:, 0]
    if len(left) == 0:
        return Solved(first.weights, last, 0)
    return Solved(first.weights, _in_double(family, last, left, tol=tol, max_iterations=max_iterations), len(left))


def _recycled(family: Family, first: Solution, diagonal: Tensor) -> Relatives | None:
    """The full-data fits' curvature pairs, for their split fits."""
    if not first.history:
        return None
    share = family.share
    steps, changes = (torch.stack(part, 1) for part in zip(*first.history, strict=True))
    pairs = Pairs.build(steps, share * changes + (1 - share) * family.penalty * steps, diagonal)
    return Relatives(pairs, family.full_fit, family.position, int(family.position.max()) + 1)


def _in_double(family: Family, last: Solution, left: Tensor, *, tol: float, max_iterations: int) -> Solution:
    """Go on in float64 with the problems that are left, from where they are."""
    objective = family.split_data(family.rows.double())
    out = Solution(last.weights.double(), last.error.double(), last.gradient.double(), last.passes.double())
    if isinstance(objective, LogisticObjective) and 2.0 * family.rows.starts[-1] * family.rows.width**2 < NEWTON_LIMIT:
        for problem in left.tolist():
            data = objective.training_data(problem)
            weights, error, gradient, steps = newton(*data, out.weights[problem], tol=NEWTON_TOL)
            out.weights[problem], out.error[problem], out.gradient[problem] = weights, error, gradient
            out.passes[problem] += steps * family.rows.width
        return out
    some, start, all_problems = objective.subset(left), out.weights[left], torch.arange(len(left), device=left.device)
    hessian, total = some.curvature(start, all_problems)
    spread = family.spread.double()
    again = minimise(some, start, 1 / hessian, total, spread, tol=tol, max_iterations=max_iterations)
    out.weights[left], out.error[left], out.gradient[left] = again.weights, again.error, again.gradient
    out.passes[left] += again.passes
    return out


MAX_STEPS = 100


@torch.no_grad()
def newton(Z: Tensor, y: Tensor, penalty: Tensor, weights: Tensor, *, tol: float) -> tuple[Tensor, float, float, int]:
    """Fit one logistic regression by Newton's method, in float64.

    A step solves (Z' D Z + 1 / C) s = -gradient by Cholesky and is halved until it decreases the objective by a tenth
    of what it promises (Boyd and Vandenberghe, "Convex Optimization", 9.5.2). Its certificate is exact.

    Args:
        Z: (n, v) float64 training rows, the last column ones.
        y: (n,) 0/1, not constant.
        penalty: (v, v) the Hessian of the penalty.
        weights: (v,) where to start.
        tol: Root mean square change left in the logits, over the curvature and relative to the logits, to stop at.

    Returns:
        Weights, the error by the rule of `lbfgs`, the largest entry of the gradient, and the steps taken.
    """
    eta = Z @ weights
    error = largest = torch.inf
    for steps in range(MAX_STEPS):
        p = torch.sigmoid(eta)
        curvature = p * torch.sigmoid(-eta)
        gradient = Z.T @ (p - y) + penalty @ weights
        hessian = Z.T @ (Z * curvature[:, None]) + penalty
        # The intercept alone is unpenalised: where all rows are classified its curvature can underflow.
        hessian[-1, -1] += 1e-14 * len(y)
        step = -torch.cholesky_solve(gradient[:, None], torch.linalg.cholesky(hessian))[:, 0]
        decrement = -gradient @ step
        scale = eta.square().mean().clamp(min=1)
        weighted = decrement.clamp(min=0) / curvature.sum().clamp(min=FLAT)
        unweighted = (Z @ step).square().mean() * UNWEIGHTED**2
        error = float((torch.maximum(weighted, unweighted) / scale).sqrt())
        largest = float(gradient.abs().max())
        if error < tol:
            return weights, error, largest, steps
        weights, eta = _backtrack(Z, y, weights, penalty, eta, step, decrement)
    return weights, error, largest, MAX_STEPS


def _backtrack(
    Z: Tensor, y: Tensor, weights: Tensor, penalty: Tensor, eta: Tensor, step: Tensor, decrement: Tensor
) -> tuple[Tensor, Tensor]:
    """The weights and logits after a step short enough to decrease the objective, or a full one within rounding."""
    change = Z @ step
    before = _objective(eta, y, weights, penalty)
    length = 1.0
    while length > 1e-6 and float(decrement) > 1e-10 * float(before.abs()):
        after = _objective(eta + length * change, y, weights + length * step, penalty)
        if bool(after <= before - 0.1 * length * decrement):
            break
        length /= 2
    return weights + length * step, eta + length * change


def _objective(eta: Tensor, y: Tensor, weights: Tensor, penalty: Tensor) -> Tensor:
    return (softplus(eta) - y * eta).sum() + 0.5 * weights @ (penalty @ weights)
