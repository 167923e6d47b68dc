"""L-BFGS on many independent convex problems at once, each with its own step, each leaving when it is solved.

A problem is a row of weights. Products with the data are made for all problems together by the `Objective`; everything
here costs a small multiple of (problems x weights).

Stopping rule. With P the inverse Hessian, g' P g is twice the distance of the objective from its optimum to first order
(the squared Newton decrement; Boyd and Vandenberghe, "Convex Optimization", 9.5), and g' P g / sum of the curvatures
p(1 - p) bounds the curvature-weighted mean square of the change that is left in the logits. A problem is solved when
that root mean square is below `tol` times the logits' own (at least 1): a statement about predictions, whatever the
units of the features. P is estimated by the preconditioner and by L-BFGS, and the larger value counts. A problem that
no longer gets better, for rounding as a rule, is given up, to be taken up in float64.

Where classes separate, curvatures vanish, and with them the weight of most rows in that mean, while P may know nothing
of directions that only the penalty holds. So the root mean square change over all rows, held-out ones included and
none weighted, must be below `tol / UNWEIGHTED` too. It is bounded by strong convexity: no direction is flatter than the
penalty alone, and where that bound is too wide to decide, not flatter than what `Objective.floor` finds.

Low precision. Gradients may be rounded in proportion to their distance from where they were last exact. A problem
whose error has fallen far since then gets an exact one where it stands, and none is called solved by an inexact one.

Recycling. The curvature pairs of one solve (all rows) describe the Hessians of its split fits (the same label without
one fold) up to the rows that are missing. `Pairs` holds them, shared by all split fits; the solver's own pairs come on
top, in a `Window`.

Length. The matrix P below the solver's pairs is scaled by s'y / y'Py of the last step s with gradient change y (Oren
and Spedicato, "Optimal conditioning of self-scaling variable metric algorithms", 1976). Steps that are too long cost
two products each to cut, so it is lengthened only where the caller says that curvature has fallen since the diagonal
was made, and no more than that: where classes are nearly separable it falls by orders of magnitude on the way to the
optimum, and grows along every step.
"""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from gene_eval.core.solver.curvature import Diagonals, Metric, Window

MEMORY = 40
"""Curvature pairs of a problem."""
SLOPE_LEFT = 0.9
"""A step is taken if the slope behind it is not steeper uphill than this share of the slope before it."""

MAX_CUTS = 8
STALL_LIMIT = 100
"""A problem whose error has not fallen by a tenth for so many iterations has stalled."""


MAY_BE_EXACT = 0.2
"""Share of its error at the last exact gradient below which a problem may have the next one,"""
MUST_BE_EXACT = 0.03
"""and below which it must: low-precision gradients are worth nothing at a thousandth."""
INEXACT_LIMIT = 20
"""A problem without progress in so many iterations with low-precision gradients gets an exact one."""
UNWEIGHTED = 0.01
"""The bound of the unweighted change in the logits may be this much looser: it can be many times the change."""
MIN_LEAVING_SHARE = 0.1
"""Share of the problems that must be solved before any leaves, since the others' curvature pairs are copied then."""


NEVER, STALE, FRESH = range(3)
"""When the floor of a problem was found: not yet, at earlier weights, at these."""


class Gradients(Protocol):
    """Gradients of k convex functions.

    Attributes:
        low_precision: Whether only those at the weights moved to are exact.
    """

    low_precision: bool

    def select(self, keep: Tensor) -> "Gradients":
        """For some of the functions."""

    def move(self, weights: Tensor) -> Tensor:
        """(k, v) exact gradients at the (k, v) weights; those that follow will be best near there."""

    def at(self, weights: Tensor) -> Tensor:
        """(k, v) gradients at the (k, v) weights."""


class Objective(Protocol):
    """Convex functions of rows of weights."""

    def around(self, problems: Tensor) -> Gradients:
        """Gradients of the k numbered problems, to be moved somewhere first."""

    def curvature(self, weights: Tensor, problems: Tensor) -> tuple[Tensor, Tensor]:
        """(k, v) diagonals of the Hessians and (k,) sums over rows of the logits' curvature."""

    def penalty_diagonal(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) diagonals of the penalty's Hessian, which that of the function is never below; 1 for intercepts."""

    def floor(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) diagonals that the Hessians at the (k, v) weights are not below, from the curvatures of the rows."""

    def subset(self, problems: Tensor) -> "Objective":
        """Of some of the problems, renumbered."""


@dataclass
class Solution:
    """Where the problems ended.

    Attributes:
        weights: (K, v).
        error: (K,) root mean square change left in the logits, by the solver's estimate.
        gradient: (K,) largest absolute entry of the gradient.
        passes: (K,) products with the data, a gradient counting two.
        history: With `keep_history`, all (steps, gradient changes), each (K, v); 0 for problems that have left.
    """

    weights: Tensor
    error: Tensor
    gradient: Tensor
    passes: Tensor
    history: list[tuple[Tensor, Tensor]] = field(default_factory=list)


@dataclass
class _Active:
    """The problems not solved yet; every tensor has one row per problem."""

    problems: Tensor
    weights: Tensor
    gradient: Tensor
    diagonal: Tensor
    curvature: Tensor
    floor: Tensor
    floored: Tensor
    best: Tensor
    stalled_for: Tensor
    length: Tensor
    gradients: Gradients
    exact: Tensor
    inexact_for: Tensor
    last_exact: Tensor
    metric: Metric
    window: Window

    def keep(self, index: Tensor) -> "_Active":
        """Only some of the problems."""
        problems = self.problems[index]
        self.window.keep(index)
        return _Active(
            problems,
            self.weights.index_select(0, index),
            self.gradient.index_select(0, index),
            self.diagonal.index_select(0, index),
            self.curvature[index],
            self.floor.index_select(0, index),
            self.floored[index],
            self.best[index],
            self.stalled_for[index],
            self.length[index],
            self.gradients.select(index),
            self.exact[index],
            self.inexact_for[index],
            self.last_exact[index],
            self.metric.restrict(problems),
            self.window,
        )

    def downhill(self, window: Window, index: Tensor | slice = slice(None)) -> Tensor:
        """Directions for some of the problems."""
        direction, gradient = window.descent(self.length[index]), self.gradient[index]
        uphill = torch.logical_not((gradient * direction).sum(1) < 0)
        if bool(uphill.any()):
            direction[uphill] = -(self.diagonal[index] * gradient)[uphill]
        return direction

    def errors(self, direction: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
        """(k,) errors weighted by curvature, and bounds of the unweighted, both to be held against `tol`."""
        by_diagonal = (self.gradient.square() * self.diagonal).sum(1)
        by_pairs = -(self.gradient * direction).sum(1)
        scale = (self.weights.square() @ spread).clamp_(min=1)
        weighted = (torch.maximum(by_diagonal, by_pairs) / self.curvature / scale).sqrt_()
        bound = ((self.gradient / self.floor).square_() @ spread / scale).sqrt_()
        return weighted, UNWEIGHTED * bound

    def error(self, direction: Tensor, spread: Tensor) -> Tensor:
        """(k,) the larger of both."""
        return torch.maximum(*self.errors(direction, spread))

    def need_exact(self, error: Tensor, may_leave: Tensor) -> Tensor:
        """(k,) problems that need an exact gradient, to leave or to go on."""
        stalled = (self.stalled_for > INEXACT_LIMIT) & (self.inexact_for > INEXACT_LIMIT)
        due = (error < MUST_BE_EXACT * self.last_exact) | stalled | may_leave
        if bool((due & ~self.exact).any()):
            due |= error < MAY_BE_EXACT * self.last_exact
        return due & ~self.exact


@torch.no_grad()
def minimise(  # noqa: PLR0913 - one solve has this many independent settings
    objective: Objective,
    weights: Tensor,
    diagonal: Tensor,
    curvature: Tensor,
    spread: Tensor,
    *,
    tol: float,
    max_iterations: int,
    relatives: Metric | None = None,
    longest: Tensor | None = None,
    keep_history: bool = False,
) -> Solution:
    """Minimise K functions from (K, v) weights.

    Args:
        objective: Gradients and curvatures.
        weights: (K, v) where to start.
        diagonal: (K, v) diagonals of approximate inverse Hessians.
        curvature: (K,) sums of the logits' curvature, the unit of the stopping rule.
        spread: (v,) mean squares of the features, in which they are uncorrelated; 0 for the intercept.
        tol: Root mean square change in the logits below which a problem is solved.
        max_iterations: Most iterations.
        relatives: Inverse Hessians of related problems, used in place of the diagonal.
        longest: (K,) what the matrix below the pairs may be lengthened by; 1 without.
        keep_history: Keep all pairs, in the iteration too, so that `Pairs.build` can use them.
    """
    all_problems = torch.arange(len(weights), device=weights.device)
    out = Solution(
        weights.clone(),
        weights.new_full((len(weights),), torch.inf),
        weights.new_zeros(len(weights)),
        weights.new_full((len(weights),), 2.0),
    )
    gradients = objective.around(all_problems)
    none, length = 0 * all_problems, torch.ones_like(out.error)
    longest = length if longest is None else longest
    gradient = gradients.move(weights)
    metric = relatives or Diagonals(diagonal)
    now = _Active(
        problems=all_problems,
        weights=weights,
        gradient=gradient,
        diagonal=diagonal,
        curvature=curvature,
        floor=objective.penalty_diagonal(weights, all_problems),
        floored=torch.full_like(none, NEVER),
        best=out.error,
        stalled_for=none,
        length=length,
        gradients=gradients,
        exact=torch.ones_like(none, dtype=torch.bool),
        inexact_for=none,
        last_exact=out.error,
        metric=metric,
        window=Window(gradient, metric.apply(gradient, all_problems), max_iterations if keep_history else MEMORY),
    )
    for iteration in range(max_iterations + 1):
        direction = now.downhill(now.window)
        error = _error_with_floors(objective, now, direction, spread, tol=tol)
        last = iteration == max_iterations
        may_leave = _may_leave(error < tol)
        need_exact = now.need_exact(error, may_leave | (now.stalled_for >= STALL_LIMIT) | last)
        if bool(need_exact.any()):
            _make_exact(now, need_exact, direction, out.passes)
            error = now.error(direction, spread)
        now.last_exact = torch.where(now.exact, error, now.last_exact)
        better = error < 0.9 * now.best
        now.best, now.stalled_for = torch.where(better, error, now.best), torch.where(better, 0, now.stalled_for + 1)
        done = may_leave & now.exact & (error < tol) | (now.stalled_for > STALL_LIMIT) | last
        if bool(done.any()):
            _record(now, done, error, out)
            if bool(done.all()):
                break
            left = _kept_positions(~done)
            now, direction, error = now.keep(left), direction.index_select(0, left), error[left]
        # Who waits for others to leave stays where it is: so close to the optimum steps are noise.
        direction[error < tol] = 0
        step, change = _step(now, direction, out.passes)
        now.floored = torch.where((step != 0).any(1) & (now.floored == FRESH), STALE, now.floored)
        now.weights, now.gradient = now.weights + step, now.gradient + change
        now.exact, now.inexact_for = torch.full_like(now.exact, not gradients.low_precision), now.inexact_for + 1
        if keep_history:
            out.history.append((_spread_out(step, now.problems, weights), _spread_out(change, now.problems, weights)))
        preconditioned = now.metric.apply(now.gradient, now.problems)
        scale = now.window.push(step, change, now.gradient, preconditioned)
        now.length = torch.minimum(scale, longest[now.problems])
    return out


def _error_with_floors(objective: Objective, now: _Active, direction: Tensor, spread: Tensor, *, tol: float) -> Tensor:
    """(k,) errors, after the floors that they are about to be judged by were found at these weights."""
    weighted, bound = now.errors(direction, spread)
    undecided = (now.floored == NEVER) & (bound >= tol) | (now.floored == STALE) & (bound < tol)
    index = ((weighted < tol) & undecided).nonzero()[:, 0]
    if not len(index):
        return torch.maximum(weighted, bound)
    now.floor[index] = objective.floor(now.weights[index], now.problems[index])
    now.floored[index] = FRESH
    return now.error(direction, spread)


def _may_leave(solved: Tensor) -> Tensor:
    """Which of the solved problems leave: all or none."""
    return solved & (solved.sum() >= MIN_LEAVING_SHARE * len(solved))


def _make_exact(now: _Active, need_exact: Tensor, direction: Tensor, passes: Tensor) -> None:
    """Replace the gradients and directions of some problems."""
    index = need_exact.nonzero()[:, 0]
    gradient = now.gradients.select(index).move(now.weights[index])
    now.gradient = now.gradient.index_copy(0, index, gradient)
    part = now.window.take(index)
    part.observe(gradient, now.metric.apply(gradient, now.problems[index]))
    now.window.put(index, part)
    direction[index] = now.downhill(part, index)
    now.exact = now.exact | need_exact
    now.inexact_for = torch.where(need_exact, 0, now.inexact_for)
    passes[now.problems[index]] += 2


def _kept_positions(keep: Tensor) -> Tensor:
    """Numbers of those to keep: in their positions, but for the last ones, which fill the gaps."""
    kept = keep.nonzero()[:, 0]
    out = torch.arange(len(kept), device=keep.device)
    out[~keep[: len(kept)]] = kept[kept >= len(kept)]
    return out


def _spread_out(rows: Tensor, problems: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).index_copy_(0, problems, rows)


def _record(now: _Active, done: Tensor, error: Tensor, out: Solution) -> None:
    problems = now.problems[done]
    out.weights[problems] = now.weights[done]
    out.error[problems] = error[done]
    out.gradient[problems] = now.gradient[done].abs().amax(1)


def _step(now: _Active, direction: Tensor, passes: Tensor) -> tuple[Tensor, Tensor]:
    """Steps along the directions and the gradient changes over them.

    The full step is tried first. The functions are convex, so the slope grows along the line: where it has turned
    uphill too steeply the minimum was passed, and the step is cut to where the secant of the slope is zero.
    """
    slope = (now.gradient * direction).sum(1)
    length = torch.ones_like(slope)
    gradient = now.gradients.at(now.weights + direction)
    passes[now.problems] += 2
    for _ in range(MAX_CUTS):
        new = (gradient * direction).sum(1)
        long = torch.logical_not(new <= SLOPE_LEFT * slope.abs())
        if not bool(long.any()):
            break
        cut = (slope[long] / (slope[long] - new[long])).nan_to_num(nan=0.1).clamp(0.05, 0.9)
        length[long] *= cut
        trial = now.weights[long] + length[long, None] * direction[long]
        gradient[long] = now.gradients.select(long).at(trial)
        passes[now.problems[long]] += 2
    else:
        now.stalled_for[long] = STALL_LIMIT
    return length[:, None] * direction, gradient - now.gradient
