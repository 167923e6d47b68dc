"""Multinomial logistic regression for all folds at once.

scikit-learn's objective over C classes,

    sum over i in T of [logsumexp_c(eta_ic) - eta_i,y(i)] + |W|^2 / (2 C),

one weight vector per class, intercepts unpenalised. A problem is one fold, its weights the C vectors laid end to end.
A class without training rows in a fold has no optimum; its logit is held at minus infinity, which leaves the optimum
of the others.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from gene_eval.core.fast_logistic import FLAT
from gene_eval.core.fast_penalty import Penalty
from gene_eval.core.fast_rows import Block, Rows, make_tiles, weighted_squares, weighted_sum


class SoftmaxObjective:
    """`Objective` of many training sets.

    Args:
        rows: The design matrix, sorted by block.
        one_hot: (n, C) classes in the order of the rows.
        trains: (B, G) whether the problem trains on the block.
        penalty: Of the problems.
    """

    def __init__(self, rows: Rows, one_hot: Tensor, trains: Tensor, penalty: Penalty) -> None:
        self.rows = rows
        self.trains = trains
        self.penalty = penalty
        self.n_classes = one_hot.shape[1]
        one_hot = one_hot.to(rows.mean_square)
        self.classes = one_hot.T.contiguous()
        weight = trains.to(rows.mean_square)
        counts = torch.stack([one_hot[low:high].sum(0) for low, high in pairwise(rows.starts)])
        self.bias = torch.where(weight.T @ counts > 0, 0.0, -torch.inf)

    def gradient(self, weights: Tensor, problems: Tensor) -> Tensor:
        """See `Objective`."""
        wide = weights.reshape(-1, self.rows.width)
        probabilities = self._probabilities(wide, problems)

        def residuals(block: Block) -> Callable[[int, int], Tensor]:
            probability = probabilities(block)

            def residual(low: int, high: int) -> Tensor:
                own = self.classes[:, low:high]
                p = probability(low, high).reshape(len(block.problems), self.n_classes, -1).mul_(1 - own)
                # Where p of the own class is near 1, p - 1 has few digits left; the sum of the others has them all.
                return p.addcmul_(p.sum(1, keepdim=True), own, value=-1).flatten(0, 1)

            return residual

        tiles = make_tiles(self.rows, self.trains[:, problems], self.n_classes)
        total = weighted_sum(self.rows, len(wide), tiles, residuals)
        return total.reshape(weights.shape).add_(self.penalty.gradient(weights, problems))

    def curvature(self, weights: Tensor, problems: Tensor) -> tuple[Tensor, Tensor]:
        """See `Objective`; the diagonal of each class, without the curvature shared between classes."""
        wide = weights.reshape(-1, self.rows.width)
        probabilities = self._probabilities(wide, problems)

        def curvatures(block: Block) -> Callable[[int, int], Tensor]:
            probability = probabilities(block)

            def bend(low: int, high: int) -> Tensor:
                p = probability(low, high)
                return p.addcmul_(p, p, value=-1)

            return bend

        tiles = make_tiles(self.rows, self.trains[:, problems], self.n_classes)
        hessian = weighted_squares(self.rows, len(wide), tiles, curvatures)
        total = hessian[:, -1].reshape(len(problems), -1).sum(1).clamp_(min=FLAT)
        diagonal = self.penalty.diagonal(hessian, problems).repeat_interleave(self.n_classes, 0)
        return hessian.add_(diagonal).clamp_(min=FLAT).reshape(weights.shape), total

    def bends(self, weights: Tensor, problem: int, contrasts: Tensor) -> Tensor:
        """See `Objective`."""
        wide = weights.reshape(-1, self.rows.width)
        logits = self.rows.logits(self.rows.project(wide), 0, self.rows.starts[-1])
        p = (logits + self.bias[problem][:, None]).softmax(0)
        mean = p.T @ contrasts
        return torch.einsum("cn,ci,cj->nij", p, contrasts, contrasts) - mean[:, :, None] * mean[:, None, :]

    def _probabilities(self, wide: Tensor, problems: Tensor) -> Callable[[Block], Callable[[int, int], Tensor]]:
        """A function from a block to one from its rows to their (columns, rows) probabilities."""
        projected = self.rows.project(wide)
        bias = self.bias[problems][:, :, None]

        def probabilities(block: Block) -> Callable[[int, int], Tensor]:
            mine, off = self.rows.select(projected, block.columns), bias[block.problems]

            def probability(low: int, high: int) -> Tensor:
                logits = self.rows.logits(mine, low, high).reshape(len(off), self.n_classes, -1)
                return logits.add_(off).softmax(1).flatten(0, 1)

            return probability

        return probabilities
