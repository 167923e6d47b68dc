"""The L2 penalty in solver coordinates, also for features that each training set standardises by its own spread.

Weights w of rotated features are V w on the features themselves, whose unit is the standard deviation over all rows. A
training set that divides feature j by s_j in that unit penalises s_j (V w)_j: the penalty is |s * V w|^2 / (2 C), and V
stays the basis of all training sets. Subtracting the mean of the training set only moves the intercept.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


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
