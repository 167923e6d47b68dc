"""Multinomial logistic regression for all folds at once.

scikit-learn's objective over C classes,

    sum over i in T of [logsumexp_c(eta_ic) - eta_i,y(i)] + |W|^2 / (2 C),

one weight vector per class, intercepts unpenalised. A problem is one fold, its weights the C vectors laid end to end.
A class without training rows in a fold has no optimum; its logit is held at minus infinity, which leaves the optimum
of the others.
"""

import torch
from torch import Tensor

from gene_eval.core.fast_logistic import FLAT, label_sums
from gene_eval.core.fast_rows import Rows, tiles


class SoftmaxObjective:
    """`Objective` of many training sets.

    Args:
        rows: The design matrix, sorted by block.
        one_hot: (n, C) classes in the order of the rows.
        trains: (B, G) whether the problem trains on the block.
        penalty: (width,) 1 / C, and 0 for the intercept.
    """

    def __init__(self, rows: Rows, one_hot: Tensor, trains: Tensor, penalty: Tensor) -> None:
        self.rows = rows
        self.trains = trains
        self.penalty = penalty.to(rows.mean_square)
        self.n_classes = one_hot.shape[1]
        one_hot = one_hot.to(self.penalty)
        weight = trains.to(self.penalty)
        parts = torch.stack([label_sums(rows, one_hot, block) for block in range(len(trains))])
        self.linear = (weight.T @ parts.flatten(1)).reshape(-1, rows.width)
        counts = torch.stack(
            [one_hot[rows.starts[b] : rows.starts[b + 1]].sum(0) for b in range(len(trains))]
        )
        self.bias = torch.where(weight.T @ counts > 0, 0.0, -torch.inf)

    def gradient(self, weights: Tensor, problems: Tensor) -> Tensor:
        """See `Objective`."""
        wide = weights.reshape(-1, self.rows.width)
        total = self.rows.accumulator(len(wide))
        projected = self.rows.project(wide)
        for block, places, columns, n_columns in self._blocks(problems):
            for low, high in tiles(self.rows, block, n_columns):
                p = self._probabilities(projected, low, high, columns, problems[places])
                self.rows.collect(total, low, high, columns, p)
        gradient = self.rows.gathered(total) - self._linear(problems)
        return gradient.addcmul_(wide, self.penalty).reshape(weights.shape)

    def curvature(self, weights: Tensor, problems: Tensor) -> tuple[Tensor, Tensor]:
        """See `Objective`; the diagonal of each class, without the curvature shared between classes."""
        wide = weights.reshape(-1, self.rows.width)
        hessian = torch.zeros_like(wide)
        projected = self.rows.project(wide)
        for block, places, columns, n_columns in self._blocks(problems):
            for low, high in tiles(self.rows, block, n_columns):
                p = self._probabilities(projected, low, high, columns, problems[places])
                self.rows.collect_squares(hessian, low, high, columns, p.addcmul_(p, p, value=-1))
        total = hessian[:, -1].reshape(len(problems), -1).sum(1).clamp_(min=FLAT)
        return (hessian + self.penalty).clamp_(min=FLAT).reshape(weights.shape), total

    def _probabilities(self, projected: object, low: int, high: int, columns: Tensor | None, problems: Tensor) -> Tensor:
        logits = self.rows.logits(projected, low, high, columns).reshape(high - low, len(problems), self.n_classes)
        return logits.add_(self.bias[problems]).softmax(2).reshape(high - low, -1)

    def _linear(self, problems: Tensor) -> Tensor:
        return self.linear.reshape(-1, self.n_classes, self.rows.width)[problems].reshape(-1, self.rows.width)

    def _blocks(self, problems: Tensor) -> list[tuple[int, Tensor, Tensor | None, int]]:
        """Per block with work: number, places of its problems, their columns (None: all), number of columns."""
        found = []
        classes = torch.arange(self.n_classes, device=problems.device)
        for block, trains in enumerate(self.trains[:, problems]):
            places = trains.nonzero()[:, 0]
            if len(places):
                columns = (places[:, None] * self.n_classes + classes).flatten()
                every = len(places) == len(problems)
                found.append((block, places, None if every else columns, len(columns)))
        return found
