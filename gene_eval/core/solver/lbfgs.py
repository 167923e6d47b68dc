"""L-BFGS on many independent convex problems at once, each with its own step, each leaving when it is solved.

A problem is a row of weights. Products with the data are made for all problems together (`Fits`); everything here costs
a small multiple of (problems x weights).

Stopping rule. With P the inverse Hessian, g' P g is twice the distance of the objective from its optimum to first order
(the squared Newton decrement; Boyd and Vandenberghe, "Convex Optimization", 9.5), and g' P g / sum of the curvatures
p(1 - p) bounds the curvature-weighted mean square of the change that is left in the logits. A problem is solved when
that root mean square is below `tol` times the logits' own (at least 1): a statement about predictions, whatever the
units of the features. P is estimated by the preconditioner and by L-BFGS, and the larger value counts. A problem that
no longer gets better, for rounding as a rule, is given up, to be taken up in float64.

Where classes separate, curvatures vanish, and with them the weight of most rows in that mean, while P may know nothing
of directions that only the penalty holds. So the root mean square change over all rows, held-out ones included and
none weighted, must be below `tol / UNWEIGHTED` too. It is bounded by strong convexity: no direction is flatter than the
penalty alone, and where that bound is too wide to decide, not flatter than what `Fits.floor` finds.

Length. The matrix P below the pairs is scaled by s'y / y'Py of the last step s with gradient change y (Oren and
Spedicato, "Optimal conditioning of self-scaling variable metric algorithms", 1976). Steps that are too long cost two
products each to cut, so it is lengthened only where the caller says that curvature has fallen since the diagonal was
made, and no more than that: where classes are nearly separable it falls by orders of magnitude on the way to the
optimum, and grows along every step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.linalg import solve_triangular
from torch.nn.functional import pad

from gene_eval.core.solver.objectives import Exact, Fits
from gene_eval.core.solver.resources import run

MEMORY = 80
"""Curvature pairs of a problem."""
SLOPE_LEFT = 0.9
"""A step is taken if the slope behind it is not steeper uphill than this share of the slope before it."""
MAX_CUTS = 8
STALL_LIMIT = 100
"""A problem whose error has not fallen by a tenth for so many iterations has stalled."""
UNWEIGHTED = 0.01
"""The bound of the unweighted change in the logits may be this much looser: it can be many times the change."""
MIN_LEAVING_SHARE = 0.1
"""Share of the problems that must be solved before any leaves, since the others' curvature pairs are copied then."""
MIN_PER_CORE = 1 << 21
"""Elements of pairs that are worth more than one core of the CPU."""
NEVER, STALE, FRESH = range(3)
"""When the floor of a problem was found: not yet, at earlier weights, at these."""

Pairs = Sequence[tuple[Tensor, ...]]
"""Steps (K, v) and the gradient changes over them, oldest first, no more than `MEMORY`."""


class Window:
    """The latest pairs of k problems, oldest first, and the inverse Hessians that they tell of.

    In the compact form of Byrd, Nocedal and Schnabel, "Representations of quasi-Newton matrices and their use in
    limited memory methods" (1994), eq. 2.6. With steps S and gradient changes Y of a problem as columns, R the upper
    triangle of S'Y, D its diagonal, and P the diagonal matrix that the pairs correct, the inverse Hessian is

        P + S R^-T (D + Y'PY) R^-1 S' - S R^-T Y'P - P Y R^-1 S'.

    It gives what the two-loop recursion gives (Nocedal 1980), from two products with all pairs, not two with each. A
    push makes one of them: what pairs make of a gradient change is the difference of what they make of two gradients.

    Args:
        diagonal: (k, v) the diagonals P.
        longest: (k,) what P may be lengthened by.
        pairs: The first ones, of other fits: P keeps its length until there is one of its own.
    """

    def __init__(self, diagonal: Tensor, longest: Tensor, pairs: Pairs = ()) -> None:
        k, v = diagonal.shape
        self.diagonal, self.longest, self.size, self.inherited = diagonal, longest.double(), len(pairs), True
        # Steps and P times gradient changes.
        self.pairs = diagonal.new_empty(k, MEMORY, 2, v)
        self.upper = self.cross = diagonal.new_zeros(k, 0, 0, dtype=torch.float64)
        self.seen = self.upper.new_zeros(k, 0, 2)
        if m := self.size:
            steps, changes = (torch.stack(each, 1) for each in zip(*pairs, strict=True))
            ignored = (steps * changes).sum(2) <= 0
            steps[ignored], changes[ignored] = 0, 0
            self.pairs[:, :m, 0], self.pairs[:, :m, 1] = steps, changes * diagonal[:, None]
            made = (self._flat() @ changes.mT).reshape(k, m, 2, m)
            self.upper = made[:, :, 0].double().triu() + ignored.double().diag_embed()
            self.cross = made[:, :, 1].double()

    def push(self, step: Tensor, change: Tensor, gradient: Tensor) -> None:
        """Add (k, v) steps and the changes that led to the gradients; steps that saw no curvature are ignored."""
        if self.size == MEMORY:
            self._drop(MEMORY // 4)
        at, curved = self.size, (step * change).sum(1) > 0
        self.size, self.inherited = at + 1, False
        new = self.pairs[:, at]
        new[:, 0], new[:, 1] = step, change * self.diagonal
        if not bool(curved.all()):
            new[~curved] = 0
        before, self.seen = self.seen, self._products(gradient)
        own = (new * change[:, None]).sum(2, dtype=torch.float64)[:, None]
        made = torch.cat([self.seen[:, :at] - before, own], 1)
        steps, changes = torch.where(curved[:, None, None], made, 0).unbind(2)
        self.upper, self.cross = (pad(small, (0, 1, 0, 1)) for small in (self.upper, self.cross))
        self.upper[:, :, at] = steps
        self.upper[:, at, at] += ~curved
        self.cross[:, :, at] = self.cross[:, at] = changes

    def direction(self, gradient: Tensor) -> Tensor:
        """(k, v) minus the inverse Hessians times the gradients, which are those of the last push if there was one."""
        base, m = gradient * self.diagonal, self.size
        if not m:
            return base.neg_()
        if self.seen.shape[1] != m:
            self.seen = self._products(gradient)
        upper, length = self.upper, self.lengths()[:, None, None]
        steps, changes = self.seen[..., None].unbind(2)
        solved = solve_triangular(upper, steps, upper=True)
        inner = upper.diagonal(dim1=1, dim2=2)[..., None] * solved + length * (self.cross @ solved - changes)
        back = solve_triangular(upper.mT, inner, upper=False)
        shares = torch.stack([-back, length * solved], 2).reshape(len(base), 1, 2 * m).to(base)
        out = base.mul_(-length[:, :, 0].to(base))
        self._on_cores(lambda mine: out[mine, None].baddbmm_(shares[mine], self._flat(mine)))
        return out

    def lengths(self) -> Tensor:
        """(k,) lengths of P that fit the last steps, no more than the longest; 1 before there is one of their own."""
        if self.inherited:
            return torch.ones_like(self.longest)
        fitting = self.upper[:, -1, -1] / self.cross[:, -1, -1]
        return torch.minimum(fitting.nan_to_num(nan=1.0, posinf=1.0), self.longest)

    def take(self, index: Tensor) -> "Window":
        """A copy for some of the problems, or with some of them several times."""
        out = Window(self.diagonal[index], self.longest[index])
        out.size, out.upper, out.cross = self.size, self.upper[index], self.cross[index]
        out.pairs[:, : self.size] = self.pairs[index, : self.size]
        return out

    def keep(self, index: Tensor) -> None:
        """Only the (j,) problems stay, in this order; quick where most keep their positions."""
        moved = (index != torch.arange(len(index), device=index.device)).nonzero()[:, 0]
        self.pairs[moved, : self.size] = self.pairs[index[moved], : self.size]
        self.pairs = self.pairs[: len(index)]
        for name in ("diagonal", "longest", "upper", "cross", "seen"):
            setattr(self, name, getattr(self, name)[index])

    def _products(self, vectors: Tensor) -> Tensor:
        """(k, m, 2) products of steps, and of P times gradient changes, with (k, v) vectors."""
        out = vectors.new_empty(len(vectors), 1, 2 * self.size)
        self._on_cores(lambda mine: torch.bmm(vectors[mine, None], self._flat(mine).mT, out=out[mine]))
        return out.reshape(len(vectors), -1, 2).double()

    def _flat(self, mine: slice = slice(None)) -> Tensor:
        """(j, 2 m, v) pairs of some problems."""
        return self.pairs[mine, : self.size].flatten(1, 2)

    def _on_cores(self, work: Callable[[slice], Tensor]) -> None:
        """Do the work for all problems, on as many cores as that is worth."""
        if self.pairs.is_cuda or self.pairs[:, : self.size].numel() < MIN_PER_CORE:
            work(slice(None))
        else:
            run(lambda share: work(slice(share[0], share[-1] + 1)), range(len(self.pairs)))

    def _drop(self, n: int) -> None:
        """Forget the n oldest pairs."""
        for low in range(0, self.size - n, n):
            high = min(low + n, self.size - n)
            self.pairs[:, low:high] = self.pairs[:, low + n : high + n].clone()
        self.size, self.seen = self.size - n, self.seen[:, n:]
        self.upper, self.cross = self.upper[:, n:, n:], self.cross[:, n:, n:]


@dataclass
class Solution:
    """Where the problems ended.

    Attributes:
        weights: (K, v).
        error: (K,) root mean square change left in the logits, by the solver's estimate.
        gradient: (K,) largest absolute entry of the gradient.
        passes: (K,) products with the data, a gradient counting two.
        in_double: (K,) whether float32 had not solved it.
        pairs: With `keep_pairs`, the last `MEMORY`; 0 for problems that have left.
    """

    weights: Tensor
    error: Tensor
    gradient: Tensor
    passes: Tensor
    in_double: Tensor
    pairs: Pairs = ()


@dataclass
class _Active:
    """The problems not solved yet; every tensor has one row per problem."""

    problems: Tensor
    weights: Tensor
    gradient: Tensor
    curvature: Tensor
    floor: Tensor
    floored: Tensor
    best: Tensor
    stalled_for: Tensor
    window: Window

    def keep(self, index: Tensor) -> "_Active":
        """Only some of the problems."""
        self.window.keep(index)
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return _Active(**{name: value if name == "window" else value[index] for name, value in values.items()})

    def downhill(self) -> Tensor:
        """(k, v) directions."""
        direction = self.window.direction(self.gradient)
        uphill = torch.logical_not((self.gradient * direction).sum(1) < 0)
        if bool(uphill.any()):
            direction[uphill] = -(self.window.diagonal * self.gradient)[uphill]
        return direction

    def errors(self, direction: Tensor, fits: Fits) -> tuple[Tensor, Tensor]:
        """(k,) errors weighted by curvature, and bounds of the unweighted, both to be held against `tol`."""
        by_diagonal = (self.gradient.square() * self.window.diagonal).sum(1)
        by_pairs = -(self.gradient * direction).sum(1)
        scale = (self.weights.square() @ (fits.spread * ~fits.intercepts)).clamp_(min=1)
        weighted = (torch.maximum(by_diagonal, by_pairs) / self.curvature / scale).sqrt_()
        bound = ((self.gradient / self.floor).square_() @ fits.spread / scale).sqrt_()
        return weighted, UNWEIGHTED * bound

    def error(self, direction: Tensor, fits: Fits, tol: float) -> Tensor:
        """(k,) the larger of both, after the floors that they are about to be judged by were found at these weights."""
        weighted, bound = self.errors(direction, fits)
        undecided = (self.floored == NEVER) & (bound >= tol) | (self.floored == STALE) & (bound < tol)
        index = ((weighted < tol) & undecided).nonzero()[:, 0]
        if len(index):
            self.floor[index] = fits.floor(self.weights[index], self.problems[index])
            self.floored[index] = FRESH
            weighted, bound = self.errors(direction, fits)
        return torch.maximum(weighted, bound)


@torch.no_grad()
def minimise(  # noqa: PLR0913 - one solve has this many independent settings
    fits: Fits,
    weights: Tensor,
    curvature: Tensor,
    *,
    tol: float,
    max_iterations: int,
    window: Window | None = None,
    keep_pairs: bool = False,
) -> Solution:
    """Minimise K functions from (K, v) weights.

    Args:
        fits: The functions.
        weights: (K, v) where to start.
        curvature: (K, v) diagonals of the Hessians there, without the penalty, the unit of the stopping rule.
        tol: Root mean square change in the logits below which a problem is solved.
        max_iterations: Most iterations.
        window: Diagonals of inverse Hessians, and pairs, to start with; those of `curvature` without.
        keep_pairs: Keep pairs for the caller.
    """
    every = torch.arange(len(weights), device=weights.device)
    infinite, ones = weights.new_full((len(weights),), torch.inf), weights.new_ones(len(weights))
    out = Solution(weights.clone(), infinite, 0 * ones, 2 * ones, torch.zeros_like(every, dtype=torch.bool))
    gradient = fits.gradients()
    floor = fits.penalty_diagonal(weights, every)
    window = window or Window(1 / (curvature + floor), ones)
    now = _Active(
        problems=every,
        weights=weights,
        gradient=gradient(weights, every),
        curvature=curvature[:, fits.intercepts].sum(1),
        floor=torch.where(fits.intercepts, curvature, floor),
        floored=torch.full_like(every, NEVER),
        best=infinite,
        stalled_for=0 * every,
        window=window,
    )
    exact = True
    for iteration in range(max_iterations + 1):
        direction = now.downhill()
        error = now.error(direction, fits, tol)
        better = error < 0.9 * now.best
        now.best, now.stalled_for = torch.where(better, error, now.best), torch.where(better, 0, now.stalled_for + 1)
        solved = error < tol
        leaving = solved & (solved.sum() >= MIN_LEAVING_SHARE * len(solved)) | (now.stalled_for > STALL_LIMIT)
        if iteration == max_iterations:
            leaving[:] = True
        if bool(leaving.any()) and exact:
            at = now.problems[leaving]
            out.weights[at], out.error[at] = now.weights[leaving], error[leaving]
            out.gradient[at] = now.gradient[leaving].abs().amax(1)
            if bool(leaving.all()):
                break
            left = _kept_positions(~leaving)
            now, direction, solved = now.keep(left), direction[left], solved[left]
        # Who waits for others to leave stays where it is: so close to the optimum steps are noise.
        direction[solved] = 0
        exact = gradient.due(wanted=bool(leaving.any()) and not exact or iteration + 1 == max_iterations)
        step, change = _step(gradient, now, direction, out.passes, exact=exact)
        now.floored = torch.where((step != 0).any(1) & (now.floored == FRESH), STALE, now.floored)
        now.weights, now.gradient = now.weights + step, now.gradient + change
        now.window.push(step, change, now.gradient)
        if keep_pairs:
            pair = tuple(torch.zeros_like(weights).index_copy_(0, now.problems, each) for each in (step, change))
            out.pairs = [*out.pairs[1 - MEMORY :], pair]
    return out


def _kept_positions(keep: Tensor) -> Tensor:
    """Numbers of those to keep: in their positions, but for the last ones, which fill the gaps."""
    kept = keep.nonzero()[:, 0]
    out = torch.arange(len(kept), device=keep.device)
    out[~keep[: len(kept)]] = kept[kept >= len(kept)]
    return out


def _step(gradient: Exact, now: _Active, direction: Tensor, passes: Tensor, *, exact: bool) -> tuple[Tensor, Tensor]:
    """Steps along the directions and the gradient changes over them.

    The full step is tried first. The functions are convex, so the slope grows along the line: where it has turned
    uphill too steeply the minimum was passed, and the step is cut to where the secant of the slope is zero.
    """
    slope = (now.gradient * direction).sum(1)
    length = torch.ones_like(slope)
    found = gradient(now.weights + direction, now.problems, exact=exact)
    passes[now.problems] += 2
    for _ in range(MAX_CUTS):
        new = (found * direction).sum(1)
        long = torch.logical_not(new <= SLOPE_LEFT * slope.abs())
        if not bool(long.any()):
            break
        cut = (slope[long] / (slope[long] - new[long])).nan_to_num(nan=0.1).clamp(0.05, 0.9)
        length[long] *= cut
        trial = now.weights[long] + length[long, None] * direction[long]
        found[long] = gradient(trial, now.problems[long], exact=exact)
        passes[now.problems[long]] += 2
    else:
        now.stalled_for[long] = STALL_LIMIT
    return length[:, None] * direction, found - now.gradient
