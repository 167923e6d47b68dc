"""How one solve goes: all rows loosely, then every training set from there, then in float64 what float32 left."""

from dataclasses import fields

import torch
from torch import Tensor

from gene_eval.core.solver.lbfgs import Solution, Window, minimise
from gene_eval.core.solver.objectives import Fits, Penalty

TOL_ALL_ROWS = 0.1
"""Of the common fit on all rows."""
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
    target = fits.target
    problems, problem = torch.unique(fits.column, return_inverse=True)
    common = Fits(target, problems, used[:, None].expand(-1, len(problems)), plain)
    share = float((target.sizes(fits.trains) / target.sizes(used[:, None])).mean())
    fresh, before = target.start(problems, used)
    begin = fresh if start is None else start
    first = minimise(common, begin, before, tol=TOL_ALL_ROWS, max_iterations=MAX_ALL_ROWS, keep_pairs=True)
    after = common.curvature(first.weights, torch.arange(len(problems), device=problems.device))
    diagonal, longest = after, torch.ones_like(after[:, 0])
    if target.n_columns > 1:
        # Between classes the diagonal at the start is the better guide: near the optimum rare classes look flat.
        fallen = before[:, fits.intercepts].sum(1) / after[:, fits.intercepts].sum(1)
        diagonal, longest = before, fallen.clamp(min=1)
    pairs = [(step, share * change + (1 - share) * plain.gradient(step, problems)) for step, change in first.pairs]
    window = Window(1 / (share * diagonal + common.penalty_diagonal(fresh, problems)), longest, pairs)
    curvature, window = share * after[problem], window.take(problem)
    last = minimise(fits, first.weights[problem], curvature, tol=tol, max_iterations=limit, window=window)
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
