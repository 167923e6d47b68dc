"""The stages of one solve: all rows, then every training set from there, then what is left in float64."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gene_eval.core.solver.curvature import Metric, Pairs, Relatives
from gene_eval.core.solver.factor import Factors, cost, factorise
from gene_eval.core.solver.gradient import FLAT
from gene_eval.core.solver.lbfgs import Gradients, Objective, Solution, minimise
from gene_eval.core.solver.logistic import LogisticObjective
from gene_eval.core.solver.rows import Rows

TOL_ALL_ROWS = 0.1
"""Of the common fit on all rows;"""
TOL_CLASSES = 1e-3
"""the same between classes whose training sets have many rows for their weights."""
CROWDED = 10
"""Rows of a training set per weight of a class below which that is so."""
MAX_PAIRS = 100
HARD = 50
"""Fewest iterations before a Hessian is factorised."""
CHEAP = 1e9
"""Problems of which one Newton step each costs fewer operations in all are finished by Newton's method, to rounding."""
DEAR = 3e10
"""A problem of which one Newton step costs more is not finished by Newton's method."""
NEWTON_TOL = 1e-9


@dataclass(frozen=True)
class Family:
    """Related problems: parents on all rows that any child trains on and children on some of the blocks.

    Attributes:
        rows: The design matrix.
        whole: Makes the objective of the parents on given rows.
        parts: Makes the objective of the children on given rows.
        penalty: (v,) diagonal of the parents' penalty.
        parent: (K,) parent of each child.
        place: (K,) number of each child among those of its parent.
        share: Share of the parents' rows that a child trains on, on average.
        used: (B,) the blocks that the parents train on.
    """

    rows: Rows
    whole: Callable[[Rows], Objective]
    parts: Callable[[Rows], Objective]
    penalty: Tensor
    parent: Tensor
    place: Tensor
    share: float
    used: Tensor

    @property
    def spread(self) -> Tensor:
        """(v,) mean squares of the features, 0 for intercepts."""
        spread = self.rows.mean_square.repeat(len(self.penalty) // self.rows.width)
        return torch.where(self.penalty > 0, spread, 0.0)


class Solved(NamedTuple):
    """The parents' weights (L, v), the children's solution, and how many of these needed float64."""

    parents: Tensor
    children: Solution
    n_double: int


@torch.no_grad()
def solve(family: Family, start: Tensor, curvature: Tensor, *, tol: float, max_iterations: int) -> Solved:
    """Solve the children from the (L, v) start of the parents.

    Args:
        family: The problems.
        start: (L, v) weights of the parents.
        curvature: (L, v) diagonals of the parents' Hessians there, without the penalty; the intercept's is the sum of
            the logits' curvature over rows (and columns, of which v holds one after the other).
        tol: As in `minimise`.
        max_iterations: Most iterations of a stage on the children.
    """
    whole, width = family.whole(family.rows), family.rows.width
    n_columns = len(family.penalty) // width
    # A Hessian is factorised once L-BFGS has cost as much: together they cost at most twice the cheaper of the two.
    # Logistic problems are solved in fewer passes than the factors of many labels cost.
    patience = max(HARD, math.ceil(cost(family.rows, len(start), n_columns) / (2 * _product_cost(family))))
    dense = n_columns > 1 and patience < max_iterations
    # Of few rows for its weights, each training set makes a fit of its own: what the others share is soon found.
    crowded = n_columns > 1 and family.share * family.rows.starts[-1] < CROWDED * width
    tol_all_rows = TOL_CLASSES if n_columns > 1 and not crowded else TOL_ALL_ROWS
    before = curvature[:, width - 1 :: width].sum(1)
    first = minimise(
        whole,
        start,
        1 / (curvature + family.penalty),
        before,
        family.spread,
        tol=tol_all_rows,
        max_iterations=MAX_PAIRS,
        keep_history=True,
    )
    parents = first.weights
    factors = None
    if dense and not bool((first.error < tol_all_rows).all()):
        factors = factorise(whole, family.rows, parents, family.penalty, family.parent, share=family.share)
    hessian, total = whole.curvature(parents, torch.arange(len(start), device=start.device))
    share, parent = family.share, family.parent
    # Between classes the diagonal at the start is the better guide: near the optimum rare classes look flat.
    at = curvature if n_columns > 1 else (hessian - family.penalty).clamp_(min=FLAT)
    diagonal = 1 / (at * share + family.penalty)
    fallen = torch.full_like(total, torch.inf) if crowded else before / total
    parts = family.parts(family.rows)
    last = minimise(
        parts,
        parents[parent],
        diagonal[parent],
        total[parent] * share,
        family.spread,
        tol=tol,
        max_iterations=patience if dense and factors is None else max_iterations,
        relatives=factors or (None if crowded else _recycled(family, first, diagonal)),
        # A factor is that of the curvature on all rows at their solution already, and so are the diagonals of labels.
        longest=fallen.clamp(min=1)[parent] if n_columns > 1 and factors is None else None,
    )
    left = torch.logical_not(last.error < tol)
    if dense and factors is None and bool(left.any()):
        factors = factorise(whole, family.rows, parents, family.penalty, parent, share=share)
        last = _go_on(family, parts, last, left.nonzero()[:, 0], factors, tol=tol, max_iterations=max_iterations)
        left = torch.logical_not(last.error < tol)
    if len(parent) * _newton_cost(family) < CHEAP:
        left = torch.ones_like(left)
    numbers = left.nonzero()[:, 0]
    if len(numbers):
        last = _in_double(family, last, numbers, factors, tol=tol, max_iterations=max_iterations)
    return Solved(first.weights, last, len(numbers))


def _recycled(family: Family, first: Solution, diagonal: Tensor) -> Metric | None:
    """The parents' curvature pairs, for their children."""
    if not first.history:
        return None
    share = family.share
    steps, changes = (torch.stack(part, 1) for part in zip(*first.history, strict=True))
    pairs = Pairs.build(steps, share * changes + (1 - share) * family.penalty * steps, diagonal)
    return Relatives(pairs, family.parent, family.place, int(family.place.max()) + 1)


def _product_cost(family: Family) -> float:
    """Floating point operations of one product of all children's training rows with their weights."""
    return 2.0 * family.share * family.rows.starts[-1] * len(family.parent) * len(family.penalty)


def _newton_cost(family: Family) -> float:
    """Floating point operations of one Newton step of one problem; infinite where there is no Newton's method."""
    if len(family.penalty) != family.rows.width:
        return torch.inf
    return 2.0 * family.rows.starts[-1] * family.rows.width**2


def _in_double(
    family: Family, last: Solution, left: Tensor, factors: Factors | None, *, tol: float, max_iterations: int
) -> Solution:
    """Go on in float64 with the problems that are left."""
    parts = family.parts(family.rows.double())
    out = Solution(last.weights.double(), last.error.double(), last.gradient.double(), last.passes.double())
    if isinstance(parts, LogisticObjective) and _newton_cost(family) < DEAR:
        for problem in left.tolist():
            weights, error, gradient, steps = parts.newton(problem, out.weights[problem], NEWTON_TOL)
            out.weights[problem], out.error[problem], out.gradient[problem] = weights, error, gradient
            out.passes[problem] += steps * family.rows.width
        return out
    doubled = None if factors is None else factors.double()
    return _go_on(family, parts, out, left, doubled, tol=tol, max_iterations=max_iterations)


def _go_on(  # noqa: PLR0913 - a solve and its settings
    family: Family,
    parts: Objective,
    last: Solution,
    left: Tensor,
    factors: Factors | None,
    *,
    tol: float,
    max_iterations: int,
) -> Solution:
    """Go on with the problems that are left, from where they are."""
    objective = _Subset(parts, left)
    weights = last.weights[left]
    hessian, total = objective.curvature(weights, torch.arange(len(left), device=left.device))
    again = minimise(
        objective,
        weights,
        1 / hessian,
        total,
        family.spread.to(weights),
        tol=tol,
        max_iterations=max_iterations,
        relatives=None if factors is None else factors.renumbered(left),
    )
    last.weights[left], last.error[left], last.gradient[left] = again.weights, again.error, again.gradient
    last.passes[left] += again.passes
    return last


@dataclass(frozen=True)
class _Subset:
    """Some of the problems of an objective, renumbered."""

    objective: Objective
    numbers: Tensor

    def around(self, problems: Tensor) -> Gradients:
        return self.objective.around(self.numbers[problems])

    def curvature(self, weights: Tensor, problems: Tensor) -> tuple[Tensor, Tensor]:
        return self.objective.curvature(weights, self.numbers[problems])

    def ridge(self, weights: Tensor, problems: Tensor) -> Tensor:
        return self.objective.ridge(weights, self.numbers[problems])

    def floor(self, weights: Tensor, problems: Tensor) -> Tensor:
        return self.objective.floor(weights, self.numbers[problems])

    def bends(self, weights: Tensor, problem: int) -> Tensor:
        return self.objective.bends(weights, int(self.numbers[problem]))
