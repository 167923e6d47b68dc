"""What is minimised: logistic and multinomial logistic regressions, many at once.

For label l and training rows T the objective is scikit-learn's,

    sum over i in T of [log(1 + exp(eta_i)) - y_il eta_i] + |w|^2 / (2 C),   eta_i = z_i' w + b,

with the intercept b unpenalised (it is the last weight; the rows end with a 1). Its gradient is Z_T' r + w / C with the
residuals r = sigmoid(eta) - y, which are computed as n sigmoid(n eta), n = 1 - 2 y: where classes are nearly separable
almost every probability is close to its label, and the difference of two such numbers has few digits left in float32.

Multinomial: scikit-learn's objective over C classes,

    sum over i in T of [logsumexp_c(eta_ic) - eta_i,y(i)] + |W|^2 / (2 C),

one weight vector per class, intercepts unpenalised. A problem is one fold.

Predictions do not change when all classes' weights move together, and at the optimum these sum to 0. So a problem is
solved in C - 1 contrasts, W = U V with orthonormal columns U that sum to 0: the penalty keeps its form, and nothing
moves that the data say nothing about. Where all rows have the frequencies f as their probabilities, the Hessian is
(diag(f) - f f') times Z' Z, class by class and feature by feature; with the eigenvectors of the former as contrasts,
in the eigenbasis of the latter, it is diagonal, however rare some classes are. A diagonal over the classes themselves
would let steps move all of them together, which only the penalty holds, and L-BFGS would take up to twice the passes.

A class without training rows in a fold has no optimum; its logit is held at minus infinity, which leaves the optimum
of the others.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor

from gene_eval.core.solver.gradient import LogitObjective, Penalty, Residual
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

    def training_data(self, problem: int) -> tuple[Tensor, Tensor, Tensor]:
        """(m, width) training rows, (m,) labels and the (width, width) Hessian of the penalty of one problem."""
        spans = [
            (self.rows.starts[block], self.rows.starts[block + 1])
            for block in self.trains[:, problem].nonzero()[:, 0].tolist()
        ]
        Z = torch.cat([self.rows.dense(low, high) for low, high in spans])
        y = torch.cat([self.labels[low:high, self.column[problem]] for low, high in spans]).to(Z)
        return Z, y, self.penalty.matrix(Z, problem)

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

            def curvature(low: int, high: int) -> Tensor:
                p = self.rows.logits(mine, low, high).sigmoid_()
                return p.addcmul_(p, p, value=-1)

            return curvature

        return curvatures, 1


def frequency_contrasts(share: Tensor) -> tuple[Tensor, Tensor]:
    """(C - 1,) eigenvalues and (C, C - 1) eigenvectors of diag(f) - f f', without the constant one, for (C,) f."""
    share = share.double()
    # Adding the projector on the constant vector puts it last, whatever other eigenvalues are 0.
    values, vectors = torch.linalg.eigh(share.diag() - share.outer(share) + torch.ones_like(share.diag()))
    return values[:-1].clamp(min=0), vectors[:, :-1]


class SoftmaxObjective(LogitObjective):
    """`Objective` of many training sets, its weights C - 1 contrasts of classes laid end to end.

    Args:
        rows: The design matrix, sorted by block.
        one_hot: (n, C) classes in the order of the rows.
        contrasts: (C, C - 1) orthonormal columns that sum to 0.
        trains: (B, G) whether the problem trains on the block.
        penalty: Of the problems.
    """

    def __init__(self, rows: Rows, one_hot: Tensor, contrasts: Tensor, trains: Tensor, penalty: Penalty) -> None:
        super().__init__(rows, trains, penalty)
        one_hot = one_hot.to(rows.mean_square)
        self.contrasts = contrasts.to(rows.mean_square)
        self.classes = one_hot.T.contiguous()
        self.others = 1 - self.classes
        weight = trains.to(rows.mean_square)
        counts = torch.stack([one_hot[low:high].sum(0) for low, high in pairwise(rows.starts)])
        self.bias = torch.where(weight.T @ counts > 0, 0.0, -torch.inf)

    @property
    def each(self) -> int:
        """See `LogitObjective`."""
        return len(self.contrasts)

    def columns(self, weights: Tensor) -> Tensor:
        """See `LogitObjective`."""
        return class_weights(weights, self.contrasts, self.rows.width)

    def transposed(self, total: Tensor) -> Tensor:
        """See `LogitObjective`."""
        by_class = total.reshape(-1, self.each, self.rows.width)
        return (self.contrasts.T @ by_class).reshape(len(by_class), -1)

    def subset(self, problems: Tensor) -> Self:
        """See `Objective`."""
        out = super().subset(problems)
        out.bias = self.bias[problems]
        return out

    def residual(self, block: Block, problems: Tensor) -> Residual:
        """See `LogitObjective`."""
        off = self.bias[problems][block.problems][:, :, None]

        def residual(logits: Tensor, low: int, high: int) -> Tensor:
            squared, others = self.classes[:, low:high], self.others[:, low:high]
            p = logits.reshape(*off.shape[:2], -1).add_(off).softmax(1).mul_(others)
            # Where p of the row's class is near 1, p - 1 has few digits left; the sum of the others has them all.
            return p.addcmul_(p.sum(1, keepdim=True), squared, value=-1).flatten(0, 1)

        return residual

    def curvatures(self, weights: Tensor, problems: Tensor) -> tuple[Weights, int]:
        """See `LogitObjective`."""
        probabilities = self._probabilities(weights, problems)

        def curvatures(block: Block) -> Callable[[int, int], Tensor]:
            probability = probabilities(block)

            def curvature(low: int, high: int) -> Tensor:
                p = probability(low, high)
                variance = self.contrasts.T.square() @ p - (self.contrasts.T @ p).square()
                return variance.clamp_(min=0).flatten(0, 1)

            return curvature

        return curvatures, self.contrasts.shape[1]

    def _classes(self, weights: Tensor) -> Tensor:
        """(k * C, width) weights of the classes."""
        return class_weights(weights, self.contrasts, self.rows.width)

    def _probabilities(self, weights: Tensor, problems: Tensor) -> Callable[[Block], Callable[[int, int], Tensor]]:
        """A function from a block to one from its rows to their (problems, C, rows) probabilities."""
        projected = self.rows.project(self._classes(weights))
        bias = self.bias[problems][:, :, None]

        def probabilities(block: Block) -> Callable[[int, int], Tensor]:
            off = bias[block.problems]
            mine = self.rows.select(projected, block.columns)

            def probability(low: int, high: int) -> Tensor:
                return self.rows.logits(mine, low, high).reshape(*off.shape[:2], -1).add_(off).softmax(1)

            return probability

        return probabilities


def class_weights(weights: Tensor, contrasts: Tensor, width: int) -> Tensor:
    """(k * C, width) weights of the classes from (k, (C - 1) * width) of the contrasts."""
    by_class = weights.reshape(len(weights), -1, width)
    return (contrasts.to(by_class) @ by_class).reshape(-1, width)
