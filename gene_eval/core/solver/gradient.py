"""Gradients of losses through logits that are linear in the weights, and of the L2 penalty on these.

The penalty may be that of features that each training set standardises by its own spread: weights w of rotated features
are V w on the features themselves, whose unit is the standard deviation over all rows. A training set that divides
feature j by s_j in that unit penalises s_j (V w)_j: the penalty is |s * V w|^2 / (2 C), and V stays the basis of all
training sets. Subtracting the mean of the training set only moves the intercept.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor

from gene_eval.core.solver.lbfgs import Gradients
from gene_eval.core.solver.rows import (
    Block,
    Products,
    Rows,
    Tiles,
    Weights,
    above_thresholds,
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


@dataclass(frozen=True)
class Scaling:
    """What each of T training sets divides the features by.

    Attributes:
        vectors: (d, d) the basis V; None for the identity.
        squares: (T, d) squares of s.
    """

    vectors: Tensor | None
    squares: Tensor


@dataclass(frozen=True)
class Penalty:
    """The penalty of K problems whose weights are classes of (r weights, intercept), laid end to end.

    Attributes:
        inverse: 1 / C.
        width: r + 1.
        scaling: None where features are taken as they are.
        sets: (K,) training set of each problem, with `scaling`.
    """

    inverse: float
    width: int
    scaling: Scaling | None = None
    sets: Tensor | None = None

    def plain(self, like: Tensor) -> Tensor:
        """(width,) the diagonal without scaling."""
        out = like.new_full((self.width,), self.inverse)
        out[-1] = 0
        return out

    def add_gradient(self, total: Tensor, weights: Tensor, problems: Tensor) -> Tensor:
        """The total plus the gradient at the (k, v) weights of the numbered problems, in place."""
        if self.scaling is None or self.sets is None:
            mine = weights.reshape(-1, self.width)[:, :-1]
            total.view(-1, self.width)[:, :-1].add_(mine, alpha=self.inverse)
            return total
        out = weights.reshape(len(weights), -1, self.width).clone()
        squares = self.scaling.squares.to(weights)[self.sets[problems]][:, None, :] * self.inverse
        if self.scaling.vectors is None:
            out[:, :, :-1] *= squares
        else:
            vectors = self.scaling.vectors.to(weights)
            out[:, :, :-1] = ((out[:, :, :-1] @ vectors.T) * squares) @ vectors
        out[:, :, -1] = 0
        return total.add_(out.reshape(weights.shape))

    def diagonal(self, like: Tensor, problems: Tensor) -> Tensor:
        """(k, width) diagonals for one class of the numbered problems."""
        if self.scaling is None or self.sets is None:
            return self.plain(like).expand(len(problems), -1)
        sets, where = torch.unique(self.sets[problems], return_inverse=True)
        squares = self.scaling.squares.to(like)[sets] * self.inverse
        out = like.new_zeros(len(sets), self.width)
        out[:, :-1] = squares if self.scaling.vectors is None else squares @ self.scaling.vectors.to(like).square()
        return out[where]

    def matrix(self, like: Tensor, problem: int) -> Tensor:
        """(width, width) of one problem and class."""
        if self.scaling is None or self.sets is None:
            return torch.diag(self.plain(like))
        squares = self.scaling.squares.to(like)[self.sets[problem]] * self.inverse
        out = like.new_zeros(self.width, self.width)
        if self.scaling.vectors is None:
            out[:-1, :-1] = torch.diag(squares)
        else:
            vectors = self.scaling.vectors.to(like)
            out[:-1, :-1] = vectors.T @ (vectors * squares[:, None])
        return out

    def of(self, problems: Tensor) -> "Penalty":
        """Of some of the problems."""
        return self if self.sets is None else replace(self, sets=self.sets[problems])


class RowPass(NamedTuple):
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
        return self.penalty_diagonal(weights, problems).add_(
            (bound[:, None] * self.rows.mean_square).reshape(weights.shape)
        )

    def penalty_diagonal(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) the penalty's diagonal, 1 for intercepts."""
        one = self.penalty.diagonal(weights[:, : self.rows.width], problems).clone()
        one[:, -1] = 1
        return one.repeat(1, weights.shape[1] // self.rows.width)

    def subset(self, problems: Tensor) -> Self:
        """See `Objective`."""
        out = copy(self)
        out.trains, out.penalty = self.trains[:, problems], self.penalty.of(problems)
        return out

    def around(self, problems: Tensor) -> "Gradients":
        """See `Objective`."""
        if self.rows.low_precision is None:
            return Exact(self, problems)
        gradients: Gradients = self.rows.low_precision.around(self, problems)
        return gradients

    def row_pass(self, products: Products, problems: Tensor) -> RowPass:
        """Over the rows, for the problems."""
        tiles = make_tiles(products, self.trains[:, problems], self.each)
        return RowPass(products, problems, tiles, [self.residual(block, problems) for block in tiles.blocks])

    def summed(self, row_pass: RowPass, weights: Tensor, residual: Callable[[Block, Residual], Residual]) -> Tensor:
        """(k, v) sums of the rows, weighted, and the penalty's gradient.

        Args:
            row_pass: Over the rows.
            weights: (k, v) of its problems.
            residual: From the residuals of a block to what weighs the rows.
        """
        products = row_pass.products
        projected = products.project(self.columns(weights))

        def residuals(block: Block) -> Callable[[int, int], Tensor]:
            mine = products.select(projected, block.columns)
            found = residual(block, row_pass.residuals[block.number])
            return lambda low, high: found(products.logits(mine, low, high), low, high)

        total = self.transposed(weighted_sum(products, row_pass.tiles, residuals))
        return self.penalty.add_gradient(total, weights, row_pass.problems)


class Exact:
    """`Gradients` that are all exact.

    These keep the pass over the rows, not the objective: it refers to the objective, and a cycle of references would
    hold the rows until the garbage collector comes.
    """

    low_precision = False

    def __init__(self, objective: LogitObjective, problems: Tensor) -> None:
        self.objective = objective
        self.problems = problems
        self.row_pass: RowPass | None = None

    def select(self, keep: Tensor) -> "Exact":
        """See `Gradients`."""
        return Exact(self.objective, self.problems[keep])

    def move(self, weights: Tensor) -> Tensor:
        """See `Gradients`."""
        self.row_pass = self.row_pass or self.objective.row_pass(self.objective.rows, self.problems)
        return self.objective.summed(self.row_pass, weights, lambda _, residual: residual)

    at = move
