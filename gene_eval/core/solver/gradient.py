"""Gradients of losses through logits that are linear in the weights, and cheaper ones near given weights.

Where logits, residuals (derivatives of the loss by the logits) and the gradient are known at weights w0, the gradient
at w is the sum of three: that at w0; the rows, weighted by how much the residuals change when the logits change by
Z (w - w0); and that of the penalty of w - w0. If the products in it are made in bfloat16, only changes are rounded.
Such a gradient is wrong by about a thousandth of its distance from the one at w0: a solve comes ten times closer to the
optimum and more before w0 has to be moved, by a gradient in float32. Iterative refinement of linear systems in mixed
precision rests on the same (Higham and Mary, "Mixed precision algorithms in numerical linear algebra", 2022).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from typing import NamedTuple, Self

import torch
from torch import Tensor

from gene_eval.core.solver.penalty import Penalty
from gene_eval.core.solver.rows import (
    Block,
    Products,
    Rows,
    Tiles,
    Weights,
    above_thresholds,
    columns_of,
    make_tiles,
    weighted_squares,
    weighted_sum,
)

FLAT = 1e-12
"""Curvatures below are taken for this: the inverse of a curvature that underflowed must stay finite."""
THRESHOLDS = tuple(0.25 / 4**k for k in range(8))
"""Curvatures of a logit, from the largest that there is."""

Residual = Callable[[Tensor, int, int], Tensor]
"""From the (k, high - low) logits of rows low..high, which it may overwrite, to their residuals."""


class Walk(NamedTuple):
    """Over all rows.

    Attributes:
        products: With the rows.
        problems: For which problems.
        tiles: Of the rows.
        residuals: Of each block.
    """

    products: Products
    problems: Tensor
    tiles: Tiles
    residuals: list[Residual]


class LogitObjective(ABC):
    """`Objective` of problems with some columns of logits each.

    Args:
        rows: The design matrix, sorted by block.
        trains: (B, K) whether the problem trains on the block.
        penalty: Of the problems.
    """

    def __init__(self, rows: Rows, trains: Tensor, penalty: Penalty) -> None:
        self.rows = rows
        self.trains = trains
        self.penalty = penalty

    @property
    @abstractmethod
    def each(self) -> int:
        """Columns of logits of a problem."""

    @abstractmethod
    def columns(self, weights: Tensor) -> Tensor:
        """(k * each, width) weights of the logits from (k, v) weights."""

    @abstractmethod
    def transposed(self, total: Tensor) -> Tensor:
        """(k, v) from (k * each, width): the transpose of `columns`."""

    @abstractmethod
    def residual(self, block: Block, problems: Tensor) -> Residual:
        """What makes the residuals of the numbered problems that train on the block."""

    @abstractmethod
    def curvatures(self, weights: Tensor, problems: Tensor) -> tuple[Weights, int]:
        """What makes the (k * J, rows) curvatures of a block's logits at the (k, v) weights, and J per problem."""

    def curvature(self, weights: Tensor, problems: Tensor) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        made, each = self.curvatures(weights, problems)
        tiles = make_tiles(self.rows, self.trains[:, problems], self.each)
        hessian = weighted_squares(self.rows, tiles, len(problems), each, made)
        total = hessian[:, -1].reshape(len(problems), -1).sum(1).clamp_(min=FLAT)
        diagonal = self.penalty.diagonal(hessian, problems).repeat_interleave(each, 0)
        return hessian.add_(diagonal).clamp_(min=FLAT).reshape(weights.shape), total

    def floor(self, weights: Tensor, problems: Tensor) -> Tensor:
        """See `Objective`.

        If m rows have at least the curvature t, the Hessian is at least that of t on these rows alone. For features
        that are uncorrelated over the rows, with mean squares s, r of them, the eigenvalues of m random rows are
        those of m s, times at least (1 - sqrt(r / m))^2 (Marchenko and Pastur, 1967). The largest such bound counts.
        """
        made, each = self.curvatures(weights, problems)
        tiles = make_tiles(self.rows, self.trains[:, problems], self.each)
        counts = above_thresholds(self.rows, tiles, len(problems), each, made, THRESHOLDS)
        spanned = 1 - ((self.rows.width - 1) / counts.clamp(min=1)).sqrt()
        levels = torch.as_tensor(THRESHOLDS, dtype=counts.dtype, device=counts.device)
        bound = (levels * counts * spanned.clamp(min=0).square()).amax(1)
        return self.ridge(weights, problems).add_((bound[:, None] * self.rows.mean_square).reshape(weights.shape))

    def ridge(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) the penalty's diagonal, 1 for intercepts."""
        one = self.penalty.diagonal(weights[:, : self.rows.width], problems).clone()
        one[:, -1] = 1
        return one.repeat(1, weights.shape[1] // self.rows.width)

    def subset(self, problems: Tensor) -> Self:
        """See `Objective`."""
        out = copy(self)
        out.trains, out.penalty = self.trains[:, problems], self.penalty.of(problems)
        return out

    def around(self, problems: Tensor) -> "Exact | Near":
        """See `Objective`."""
        return Exact(self, problems) if self.rows.rough is None else Near(self, self.rows.rough, problems)

    def walk(self, products: Products, problems: Tensor) -> Walk:
        """Over the rows, for the problems."""
        tiles = make_tiles(products, self.trains[:, problems], self.each)
        return Walk(products, problems, tiles, [self.residual(block, problems) for block in tiles.blocks])

    def summed(self, walk: Walk, weights: Tensor, residual: Callable[[Block, Residual], Residual]) -> Tensor:
        """(k, v) sums of the rows, weighted, and the penalty's gradient.

        Args:
            walk: Over the rows.
            weights: (k, v) of its problems.
            residual: From the residuals of a block to what weighs the rows.
        """
        products = walk.products
        projected = products.project(self.columns(weights))

        def residuals(block: Block) -> Callable[[int, int], Tensor]:
            mine = products.select(projected, block.columns)
            found = residual(block, walk.residuals[block.number])
            return lambda low, high: found(products.logits(mine, low, high), low, high)

        total = self.transposed(weighted_sum(products, walk.tiles, residuals))
        return self.penalty.add_gradient(total, weights, walk.problems)


class Exact:
    """`Gradients` that are all exact.

    These keep the walk, not the objective: what a walk holds refers to the objective, and a cycle of references would
    hold the rows until the garbage collector comes.
    """

    rough = False

    def __init__(self, objective: LogitObjective, problems: Tensor) -> None:
        self.objective = objective
        self.problems = problems
        self.walk: Walk | None = None

    def select(self, keep: Tensor) -> "Exact":
        """See `Gradients`."""
        return Exact(self.objective, self.problems[keep])

    def move(self, weights: Tensor) -> Tensor:
        """See `Gradients`."""
        self.walk = self.walk or self.objective.walk(self.objective.rows, self.problems)
        return self.objective.summed(self.walk, weights, lambda _, residual: residual)

    at = move


class Near:
    """`Gradients` by rough products of differences.

    Args:
        objective: What to differentiate.
        rough: Its rows, for rough products.
        problems: (k,) numbers.
    """

    rough = True

    def __init__(self, objective: LogitObjective, rough: Products, problems: Tensor) -> None:
        self.objective = objective
        self.products = rough
        self.problems = problems
        self.walk: Walk | None = None
        # What is known is kept for all problems that were there at the start; `place` says which are left.
        self.place = torch.arange(len(problems), device=problems.device)
        shape = len(problems) * objective.each, rough.starts[-1]
        self.logits, self.residuals = (torch.empty(shape, dtype=torch.float32, device=rough.device) for _ in range(2))
        self.known: list[Tensor] = []

    def select(self, keep: Tensor) -> "Near":
        """See `Gradients`; both share what is known."""
        out = copy(self)
        out.problems, out.place = self.problems[keep], self.place[keep]
        out.walk = None
        return out

    def move(self, weights: Tensor) -> Tensor:
        """See `Gradients`."""

        def residual(block: Block, plain: Residual) -> Residual:
            columns = self._columns(block)

            def kept(logits: Tensor, low: int, high: int) -> Tensor:
                self.logits[:, low:high].index_copy_(0, columns, logits)
                found = plain(logits, low, high)
                self.residuals[:, low:high].index_copy_(0, columns, found)
                return found

            return kept

        walk = self.objective.walk(self.objective.rows, self.problems)
        total = self.objective.summed(walk, weights, residual)
        if not self.known:
            self.known += [weights.clone(), total.clone()]
        for whole, part in zip(self.known, (weights, total), strict=True):
            whole.index_copy_(0, self.place, part)
        return total

    def at(self, weights: Tensor) -> Tensor:
        """See `Gradients`."""

        def residual(block: Block, plain: Residual) -> Residual:
            columns = self._columns(block)

            def change(logits: Tensor, low: int, high: int) -> Tensor:
                logits.add_(self.logits[:, low:high].index_select(0, columns))
                return plain(logits, low, high).sub_(self.residuals[:, low:high].index_select(0, columns))

            return change

        before, gradient = (whole.index_select(0, self.place) for whole in self.known)
        self.walk = self.walk or self.objective.walk(self.products, self.problems)
        return self.objective.summed(self.walk, weights - before, residual).add_(gradient)

    def _columns(self, block: Block) -> Tensor:
        return columns_of(self.place[block.problems], self.objective.each)
