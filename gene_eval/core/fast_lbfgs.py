"""L-BFGS on many independent convex problems at once, each with its own step, each leaving when it is solved.

A problem is a row of weights. Products with the data are made for all problems together by the `Objective`; everything
here costs a small multiple of (problems x weights).

Stopping rule. With P the inverse Hessian, g' P g is twice the distance of the objective from its optimum to first order
(the squared Newton decrement; Boyd and Vandenberghe, "Convex Optimization", 9.5), and g' P g / sum of the curvatures
p(1 - p) bounds the curvature-weighted mean square of the change that is left in the logits. A problem is solved when
that root mean square is below `tol` times the logits' own (at least 1): a statement about predictions, whatever the
units of the features. P is estimated by the preconditioner and by L-BFGS, and the larger value counts. A problem that
no longer gets better, for rounding as a rule, leaves unsolved, to be taken up in float64.

Rough gradients. Gradients may be rounded in proportion to their distance from where they were last exact. A problem
whose error has fallen far since then gets an exact one where it stands, and none is called solved by a rough one.

Recycling. The curvature pairs of one solve (all rows) describe the Hessians of its relatives (the same label without
one fold) up to the rows that are missing. `Pairs` holds them in the compact form of Byrd, Nocedal and Schnabel,
"Representations of quasi-Newton matrices and their use in limited memory methods" (1994), eq. 2.6, shared by all
relatives; the solver's own pairs come on top (two-loop recursion; Nocedal 1980).

Length. The matrix below the pairs is scaled by s'y / y'Py of the last step s with gradient change y, P being that
matrix or, where it has pairs of its own, the diagonal below them (Oren and Spedicato, "Optimal conditioning of
self-scaling variable metric algorithms", 1976). Steps that are too long cost two products each to cut, so it is not
lengthened but where the caller says that curvature has fallen since the diagonal was made, and no more than that: where
classes are nearly separable it falls by orders of magnitude on the way to the optimum, and grows along every step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from gene_eval.core.fast_threads import run

MEMORY = 40
"""Own curvature pairs of a problem."""
SLOPE_LEFT = 0.9
"""A step is taken if the slope behind it is not steeper uphill than this share of the slope before it."""

MAX_CUTS = 8
WORTH_A_CORE = 1 << 18
"""Weights whose directions are worth a core of their own."""
PATIENCE = 100
"""A problem whose error has not fallen by a tenth for so many iterations has stalled."""


REACH = 0.2
"""Share of its error at the last exact gradient below which a problem may have the next one,"""
FLOOR = 0.03
"""and below which it must: rough gradients are worth nothing at a thousandth."""
STALLED = 20
"""A problem without progress in so many iterations with rough gradients gets an exact one."""
LEAVING = 0.1
"""Share of the problems that must be solved before any leaves, since the others' curvature pairs are copied then."""


class Gradients(Protocol):
    """Gradients of k convex functions.

    Attributes:
        rough: Whether only those at the weights moved to are exact.
    """

    rough: bool

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

    def bends(self, weights: Tensor, problem: int) -> Tensor:
        """(n, J, J) curvatures of all rows' logits between the J columns of (v,) weights."""


class Metric(Protocol):
    """An approximate inverse Hessian for each problem."""

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """(k, v) vectors of the numbered problems times their matrices."""

    def base(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """The same with what the matrices were before any curvature pairs: cheaper, and as good for their length."""


@dataclass
class Pairs:
    """An inverse Hessian for each of L parent problems, from m steps and gradient changes of each.

    Attributes:
        steps: (L, m, v).
        changes: (L, m, v) gradient changes times the diagonal.
        inner: (L, 2 m, 2 m) the middle matrix of the compact form.
        diagonal: (L, v) the inverse Hessian the pairs correct.
    """

    steps: Tensor
    changes: Tensor
    inner: Tensor
    diagonal: Tensor

    @classmethod
    def build(cls, steps: Tensor, changes: Tensor, diagonal: Tensor) -> "Pairs":
        """The compact form of (L, m, v) pairs over (L, v) diagonals; pairs without curvature are ignored."""
        product = (steps @ changes.mT).double()
        curved = product.diagonal(dim1=1, dim2=2) > 0
        both = curved[:, :, None] & curved[:, None, :]
        eye = torch.eye(steps.shape[1], dtype=torch.float64, device=steps.device)
        upper = torch.where(both, product.triu(), eye)
        scaled = changes * diagonal[:, None, :]
        middle = torch.where(both, (scaled @ changes.mT).double(), 0.0)
        middle += torch.diag_embed(torch.where(curved, product.diagonal(dim1=1, dim2=2), 0.0))
        inverse = torch.linalg.solve_triangular(upper, eye.expand_as(upper), upper=True)
        top = torch.cat([inverse.mT @ middle @ inverse, -inverse.mT], 2)
        bottom = torch.cat([-inverse, torch.zeros_like(inverse)], 2)
        keep = curved[:, :, None]
        return cls(steps * keep, scaled * keep, torch.cat([top, bottom], 1).to(steps.dtype), diagonal)

    def apply(self, vectors: Tensor) -> Tensor:
        """(L, j, v) vectors times the (L, v, v) inverse Hessians."""
        out = vectors * self.diagonal[:, None, :]
        m = self.steps.shape[1]

        def work(share: Sequence[int]) -> None:
            mine = slice(share[0], share[-1] + 1)
            steps, changes, part = self.steps[mine], self.changes[mine], vectors[mine]
            inside = torch.cat([part @ steps.mT, part @ changes.mT], 2) @ self.inner[mine]
            out[mine] += inside[:, :, :m] @ steps
            out[mine] += inside[:, :, m:] @ changes

        run(work, range(len(vectors)))
        return out


@dataclass(frozen=True)
class Relatives:
    """Which parent each problem comes from: `Pairs` and, per problem, its parent and its place among the siblings."""

    pairs: Pairs
    parent: Tensor
    place: Tensor
    n_places: int

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """(k, v) vectors of the numbered problems times the inverse Hessians of their parents."""
        parent, place = self.parent[problems], self.place[problems]
        padded = vectors.new_zeros(len(self.pairs.steps), self.n_places, vectors.shape[1])
        padded[parent, place] = vectors
        return self.pairs.apply(padded)[parent, place]

    def base(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """See `Metric`: the diagonals of the parents."""
        return vectors * self.pairs.diagonal[self.parent[problems]]


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
    best: Tensor
    waited: Tensor
    length: Tensor
    gradients: Gradients
    exact: Tensor
    rough_since: Tensor
    last_exact: Tensor
    own: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)

    def select(self, keep: Tensor) -> "_Active":
        return _Active(
            self.problems[keep],
            self.weights[keep],
            self.gradient[keep],
            self.diagonal[keep],
            self.curvature[keep],
            self.best[keep],
            self.waited[keep],
            self.length[keep],
            self.gradients.select(keep),
            self.exact[keep],
            self.rough_since[keep],
            self.last_exact[keep],
            [(s[keep], t[keep], r[keep]) for s, t, r in self.own],
        )

    def error(self, direction: Tensor, spread: Tensor) -> Tensor:
        by_diagonal = (self.gradient.square() * self.diagonal).sum(1)
        by_pairs = -(self.gradient * direction).sum(1)
        scale = (self.weights.square() @ spread).clamp_(min=1)
        return (torch.maximum(by_diagonal, by_pairs) / self.curvature / scale).sqrt_()

    def doubtful(self, error: Tensor, leaving: Tensor) -> Tensor:
        """(k,) problems that need an exact gradient, to leave or to go on."""
        stalled = (self.waited > STALLED) & (self.rough_since > STALLED)
        due = (error < FLOOR * self.last_exact) | stalled | leaving
        if bool((due & ~self.exact).any()):
            due |= error < REACH * self.last_exact
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
    everything = torch.arange(len(weights), device=weights.device)
    out = Solution(
        weights.clone(),
        weights.new_full((len(weights),), torch.inf),
        weights.new_zeros(len(weights)),
        weights.new_full((len(weights),), 2.0),
    )
    gradients = objective.around(everything)
    none, length = 0 * everything, torch.ones_like(out.error)
    longest = length if longest is None else longest
    now = _Active(
        problems=everything,
        weights=weights,
        gradient=gradients.move(weights),
        diagonal=diagonal,
        curvature=curvature,
        best=out.error,
        waited=none,
        length=length,
        gradients=gradients,
        exact=torch.ones_like(none, dtype=torch.bool),
        rough_since=none,
        last_exact=out.error,
    )
    for iteration in range(max_iterations + 1):
        direction = _direction(now, relatives)
        error = now.error(direction, spread)
        last = iteration == max_iterations
        leaving = _leaving(error < tol)
        doubtful = now.doubtful(error, leaving | (now.waited >= PATIENCE) | last)
        if bool(doubtful.any()):
            _make_exact(now, doubtful, relatives, direction, out.passes)
            error = now.error(direction, spread)
        now.last_exact = torch.where(now.exact, error, now.last_exact)
        better = error < 0.9 * now.best
        now.best, now.waited = torch.where(better, error, now.best), torch.where(better, 0, now.waited + 1)
        done = leaving & now.exact & (error < tol) | (now.waited > PATIENCE) | last
        if bool(done.any()):
            _leave(now, done, error, out)
            if bool(done.all()):
                break
            now, direction, error = now.select(~done), direction[~done], error[~done]
        # Who waits for others to leave stays where it is: so close to the optimum steps are noise.
        direction[error < tol] = 0
        step, change = _step(now, direction, out.passes)
        now.weights, now.gradient = now.weights + step, now.gradient + change
        now.exact, now.rough_since = torch.full_like(now.exact, not gradients.rough), now.rough_since + 1
        if keep_history:
            out.history.append((_spread_out(step, now.problems, weights), _spread_out(change, now.problems, weights)))
        bend = (step * change).sum(1)
        now.own.append((step, change, torch.where(bend > 0, 1 / bend.clamp(min=torch.finfo(bend.dtype).tiny), 0.0)))
        base = change * now.diagonal if relatives is None else relatives.base(change, now.problems)
        scale = (bend / (change * base).sum(1)).nan_to_num(nan=1.0).clamp_(min=0)
        now.length = torch.minimum(torch.where(bend > 0, scale, 1.0), longest[now.problems])
        if len(now.own) > (max_iterations if keep_history else MEMORY):
            now.own.pop(0)
    return out


def _leaving(solved: Tensor) -> Tensor:
    """Which of the solved problems leave: all or none."""
    return solved & (solved.sum() >= LEAVING * len(solved))


def _make_exact(now: _Active, doubtful: Tensor, relatives: Metric | None, direction: Tensor, passes: Tensor) -> None:
    """Replace the gradients and directions of some problems."""
    part = now if bool(doubtful.all()) else now.select(doubtful)
    part.gradient = part.gradients.move(part.weights)
    now.gradient = now.gradient.index_copy(0, doubtful.nonzero()[:, 0], part.gradient)
    direction[doubtful] = _direction(part, relatives)
    now.exact = now.exact | doubtful
    now.rough_since = torch.where(doubtful, 0, now.rough_since)
    passes[part.problems] += 2


def _spread_out(rows: Tensor, problems: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).index_copy_(0, problems, rows)


def _leave(now: _Active, done: Tensor, error: Tensor, out: Solution) -> None:
    problems = now.problems[done]
    out.weights[problems] = now.weights[done]
    out.error[problems] = error[done]
    out.gradient[problems] = now.gradient[done].abs().amax(1)


def _direction(now: _Active, relatives: Metric | None) -> Tensor:
    """Downhill (k, v) directions by the two-loop recursion."""
    q = now.gradient.clone()
    spans = _spans(q)

    def backward(share: Sequence[tuple[int, int]]) -> list[list[Tensor]]:
        return [_backward(now.own, q, low, high) for low, high in share]

    def forward(share: Sequence[tuple[tuple[int, int], list[Tensor]]]) -> None:
        for (low, high), scale in share:
            _forward(now.own, q, low, high, scale)

    scales = [scale for share in run(backward, spans) for scale in share]
    q = q * now.diagonal if relatives is None else relatives.apply(q, now.problems)
    q.mul_(now.length[:, None])
    run(forward, list(zip(spans, scales, strict=True)))
    q.neg_()
    uphill = (now.gradient * q).sum(1) >= 0
    if bool(uphill.any()):
        q[uphill] = -(now.diagonal * now.gradient)[uphill]
    return q


def _spans(q: Tensor) -> list[tuple[int, int]]:
    """Ranges of problems that are worth a core of the CPU each."""
    size = len(q) if q.is_cuda else -(-WORTH_A_CORE // q.shape[1])
    return [(low, min(low + size, len(q))) for low in range(0, len(q), size)]


def _backward(own: list[tuple[Tensor, Tensor, Tensor]], q: Tensor, low: int, high: int) -> list[Tensor]:
    """The first loop, on some problems of q in place; what it took from each pair, newest first."""
    scales, part = [], q[low:high]
    for step, change, rho in reversed(own):
        scale = (rho[low:high] * (step[low:high] * part).sum(1))[:, None]
        scales.append(scale)
        part.addcmul_(scale, change[low:high], value=-1)
    return scales


def _forward(own: list[tuple[Tensor, Tensor, Tensor]], q: Tensor, low: int, high: int, scales: list[Tensor]) -> None:
    """The second loop."""
    part = q[low:high]
    for (step, change, rho), scale in zip(own, reversed(scales), strict=True):
        part.addcmul_(scale - (rho[low:high] * (change[low:high] * part).sum(1))[:, None], step[low:high])


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
        now.waited[long] = PATIENCE
    return length[:, None] * direction, gradient - now.gradient
