"""How one solve goes: all rows loosely, then every training set from there, then in float64 what float32 left."""

from dataclasses import fields

import torch
from torch import Tensor

from gene_eval.core.solver.lbfgs import Solution, Window, minimise
from gene_eval.core.solver.objectives import Fits, Penalty

TOL_ALL_ROWS = 0.1
"""Of the common fit on all rows."""
FEW_ROWS = 10
"""Rows of a training set per weight of a class below which training sets have little in common."""
MAX_ALL_ROWS = 100
"""Iterations of the common fit."""


@torch.no_grad()
def solve(
    fits: Fits, plain: Penalty, used: Tensor, *, start: Tensor | None = None, tol: float, limit: int
) -> tuple[Tensor, Solution]:
    """Solve all fits, each from a coarse fit of its problem to all rows that any of them trains on.

    Returns the (L, v) weights of the coarse fits, and where the fits ended.

    Args:
        fits: K fits of L problems.
        plain: The penalty of the common fits.
        used: (B,) the blocks that those train on.
        start: (L, v) weights of the common fits to start from; the frequencies of the labels without.
        tol: As in `minimise`.
        limit: Most iterations of the fits.
    """
    target, width = fits.target, fits.rows.width
    problems, problem = torch.unique(fits.column, return_inverse=True)
    common = Fits(target, problems, used[:, None].expand(-1, len(problems)), plain)
    n = target.sizes(used[:, None])
    share = float((target.sizes(fits.trains) / n).mean())
    classes = target.n_columns > 1
    few_rows = classes and share * float(n) < FEW_ROWS * width
    fresh, before = target.start(problems, used)
    first = minimise(
        common,
        fresh if start is None else start,
        before,
        tol=TOL_ALL_ROWS,
        max_iterations=MAX_ALL_ROWS,
        keep_pairs=not few_rows,
    )
    after = common.curvature(first.weights, torch.arange(len(problems), device=problems.device))
    # Between classes the diagonal at the start is the better guide: near the optimum rare classes look flat.
    diagonal = 1 / (share * (before if classes else after) + common.penalty_diagonal(fresh, problems))
    longest = torch.ones_like(diagonal[:, 0])
    if classes:
        fallen = torch.div(*(each[:, fits.intercepts].sum(1) for each in (before, after))).clamp(min=1)
        longest = longest * torch.inf if few_rows else fallen
    pairs = [(step, share * change + (1 - share) * plain.gradient(step, problems)) for step, change in first.pairs]
    last = minimise(
        fits,
        first.weights[problem],
        share * after[problem],
        tol=tol,
        max_iterations=limit,
        window=Window(diagonal, longest, pairs).take(problem),
    )
    return first.weights, _in_double(fits, last, tol=tol, limit=limit)


def _in_double(fits: Fits, last: Solution, *, tol: float, limit: int) -> Solution:
    """Go on in float64 with what is left, from where it is."""
    left = torch.logical_not(last.error < tol).nonzero()[:, 0]
    if not len(left):
        return last
    some, start = fits.double().of(left), last.weights[left].double()
    curvature = some.curvature(start, torch.arange(len(left), device=left.device))
    again = minimise(some, start, curvature, tol=tol, max_iterations=limit)
    again.passes += last.passes[left]
    again.in_double[:] = True
    both = ((getattr(last, each.name), getattr(again, each.name)) for each in fields(Solution) if each.name != "pairs")
    return Solution(*(old.to(new.dtype).index_copy(0, left, new) for old, new in both))
