"""Logistic regression for all labels and folds at once.

For label l and training rows T the objective is scikit-learn's,

    sum over i in T of [log(1 + exp(eta_i)) - y_il eta_i] + |w|^2 / (2 C),   eta_i = z_i' w + b,

with the intercept b unpenalised (it is the last weight; the rows end with a 1). Its gradient is Z_T' r + w / C with the
residuals r = sigmoid(eta) - y, which are computed as n sigmoid(n eta), n = 1 - 2 y: where classes are nearly separable
almost every probability is close to its label, and the difference of two such numbers has few digits left in float32.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor

from gene_eval.core.solver.gradient import LogitObjective, Residual
from gene_eval.core.solver.newton import newton
from gene_eval.core.solver.penalty import Penalty
from gene_eval.core.solver.rows import Block, Rows, Weights


class LogisticObjective(LogitObjective):
    """`Objective` of many (label, training blocks) columns.

    Args:
        rows: The design matrix, sorted by block.
        labels: (n, L) 0/1 in the order of the rows.
        column: (K,) label of each problem.
        trains: (B, K) whether the problem trains on the block.
        penalty: Of the problems.
    """

    def __init__(self, rows: Rows, labels: Tensor, column: Tensor, trains: Tensor, penalty: Penalty) -> None:
        super().__init__(rows, trains, penalty)
        self.labels = labels
        self.column = column
        self.signs = (1 - 2 * labels.T).to(rows.mean_square).contiguous()

    @property
    def each(self) -> int:
        """See `LogitObjective`."""
        return 1

    def columns(self, weights: Tensor) -> Tensor:
        """See `LogitObjective`."""
        return weights

    def transposed(self, total: Tensor) -> Tensor:
        """See `LogitObjective`."""
        return total

    def subset(self, problems: Tensor) -> Self:
        """See `Objective`."""
        out = super().subset(problems)
        out.column = self.column[problems]
        return out

    def newton(self, problem: int, weights: Tensor, tol: float) -> tuple[Tensor, float, float, int]:
        """Solve one problem by Newton's method; the objective must be in float64. See `newton.newton`."""
        spans = [
            (self.rows.starts[block], self.rows.starts[block + 1])
            for block in self.trains[:, problem].nonzero()[:, 0].tolist()
        ]
        Z = torch.cat([self.rows.dense(low, high) for low, high in spans])
        y = torch.cat([self.labels[low:high, self.column[problem]] for low, high in spans]).to(Z)
        return newton(Z, y, weights, self.penalty.matrix(Z, problem), tol=tol)

    def residual(self, block: Block, problems: Tensor) -> Residual:
        """See `LogitObjective`."""
        label = self.column[problems][block.problems]

        def residual(logits: Tensor, low: int, high: int) -> Tensor:
            signs = self.signs[:, low:high].index_select(0, label)
            return logits.mul_(signs).sigmoid_().mul_(signs)

        return residual

    def curvatures(self, weights: Tensor, problems: Tensor) -> tuple[Weights, int]:
        """See `LogitObjective`."""
        projected = self.rows.project(weights)

        def curvatures(block: Block) -> Callable[[int, int], Tensor]:
            mine = self.rows.select(projected, block.columns)

            def bend(low: int, high: int) -> Tensor:
                p = self.rows.logits(mine, low, high).sigmoid_()
                return p.addcmul_(p, p, value=-1)

            return bend

        return curvatures, 1
