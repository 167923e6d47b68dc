"""Logistic regression for all labels and folds at once.

For label l and training rows T the objective is scikit-learn's,

    sum over i in T of [log(1 + exp(eta_i)) - y_il eta_i] + |w|^2 / (2 C),   eta_i = z_i' w + b,

with the intercept b unpenalised (it is the last weight; the rows end with a 1). Its gradient is
Z_T' (sigmoid(eta) - y) + w / C. The label part Z_T' y never changes, so it is computed once and labels take no part
in the iteration: a gradient is a product, a sigmoid in place and a product.
"""

import torch
from torch import Tensor

from gene_eval.core.fast_newton import newton
from gene_eval.core.fast_penalty import Penalty
from gene_eval.core.fast_rows import Rows, Tile, make_tiles, tile_ranges, weighted_squares, weighted_sum

FLAT = 1e-12
"""Curvatures below are taken for this: the inverse of a curvature that underflowed must stay finite."""


class LogisticObjective:
    """`Objective` of many (label, training blocks) columns.

    Args:
        rows: The design matrix, sorted by block.
        labels: (n, L) 0/1 in the order of the rows.
        column: (K,) label of each problem.
        trains: (B, K) whether the problem trains on the block.
        penalty: Of the problems.
    """

    def __init__(self, rows: Rows, labels: Tensor, column: Tensor, trains: Tensor, penalty: Penalty) -> None:
        self.rows = rows
        self.labels = labels
        self.column = column
        self.trains = trains
        self.penalty = penalty
        self.linear = rows.mean_square.new_zeros(len(column), rows.width)
        for block, part in enumerate(trains):
            self.linear += label_sums(rows, labels.to(rows.mean_square), block)[column] * part[:, None]

    def gradient(self, weights: Tensor, problems: Tensor) -> Tensor:
        """See `Objective`."""
        projected = self.rows.project(weights)

        def probabilities(tile: Tile) -> Tensor:
            return self.rows.logits(projected, tile.low, tile.high, tile.columns).sigmoid_()

        tiles = make_tiles(self.rows, self.trains[:, problems], 1)
        total = weighted_sum(self.rows, len(problems), tiles, probabilities)
        return total.sub_(self.linear[problems]).add_(self.penalty.gradient(weights, problems))

    def curvature(self, weights: Tensor, problems: Tensor) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        projected = self.rows.project(weights)

        def curvatures(tile: Tile) -> Tensor:
            p = self.rows.logits(projected, tile.low, tile.high, tile.columns).sigmoid_()
            return p.addcmul_(p, p, value=-1)

        tiles = make_tiles(self.rows, self.trains[:, problems], 1)
        hessian = weighted_squares(self.rows, len(problems), tiles, curvatures)
        total = hessian[:, -1].clamp(min=FLAT)
        return hessian.add_(self.penalty.diagonal(hessian, problems)).clamp_(min=FLAT), total

    def bends(self, weights: Tensor, problem: int, contrasts: Tensor) -> Tensor:
        """See `Objective`; one column of weights has one contrast, itself."""
        projected = self.rows.project(weights[None])
        p = self.rows.logits(projected, 0, self.rows.starts[-1], None)[0].sigmoid_()
        return p.addcmul_(p, p, value=-1)[:, None, None] * contrasts

    def newton(self, problem: int, weights: Tensor, tol: float) -> tuple[Tensor, float, float, int]:
        """Solve one problem by Newton's method; the objective must be in float64. See `fast_newton.newton`."""
        spans = [
            (self.rows.starts[block], self.rows.starts[block + 1])
            for block in self.trains[:, problem].nonzero()[:, 0].tolist()
        ]
        Z = torch.cat([self.rows.dense(low, high) for low, high in spans])
        y = torch.cat([self.labels[low:high, self.column[problem]] for low, high in spans]).to(Z)
        return newton(Z, y, weights, self.penalty.matrix(Z, problem), tol=tol)


def label_sums(rows: Rows, labels: Tensor, block: int) -> Tensor:
    """(L, width) sums of the rows of one block, weighted by each label."""
    total = rows.accumulator(labels.shape[1])
    for low, high in tile_ranges(rows, rows.starts[block], rows.starts[block + 1], labels.shape[1]):
        rows.collect(total, low, high, None, labels[low:high].T)
    return rows.gathered(total)
