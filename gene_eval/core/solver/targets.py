"""Binary labels and classes behind one face: what to solve, where to start, what it costs to be wrong."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, softplus

from gene_eval.core.solver.gradient import Penalty
from gene_eval.core.solver.lbfgs import Objective
from gene_eval.core.solver.objectives import LogisticObjective, SoftmaxObjective, class_weights, frequency_contrasts
from gene_eval.core.solver.rows import Rows
from gene_eval.core.solver.stages import Family


class Target(Protocol):
    """L independent problems per training set, each with n_columns columns of weights."""

    @property
    def rows(self) -> Rows:
        """The design matrix."""

    @property
    def n_problems(self) -> int:
        """L."""

    @property
    def n_columns(self) -> int:
        """Columns of weights of one problem."""

    @property
    def n_outputs(self) -> int:
        """Logits of one problem."""

    def outputs(self, weights: Tensor) -> Tensor:
        """(k * n_outputs, width) weights of the logits, from (k, n_columns * width) weights of k problems."""

    def objective(self, rows: Rows, column: Tensor, trains: Tensor, penalty: Penalty) -> Objective:
        """The objective of problems `column` (K,) on the blocks `trains` (B, K)."""

    def learnable(self, trains: Tensor) -> Tensor:
        """(T, L) whether the problem has an optimum on each of the (B, T) training sets."""

    def start(self, column: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """(P, v) weights that predict the frequencies in the (B,) used blocks, and the diagonals of the Hessian there.

        Those are without the penalty.
        """

    def loss(self, logits: Tensor, low: int, high: int, column: Tensor) -> Tensor:
        """(K,) sums of log losses over rows low..high of the (K * n_outputs, high - low) logits."""


@dataclass(frozen=True)
class Labels:
    """(n, L) labels, 0 or 1, each a logistic regression."""

    rows: Rows
    labels: Tensor
    n_columns: int = 1
    n_outputs: int = 1

    @property
    def n_problems(self) -> int:
        """L."""
        return self.labels.shape[1]

    def outputs(self, weights: Tensor) -> Tensor:
        """See `Target`."""
        return weights

    def objective(self, rows: Rows, column: Tensor, trains: Tensor, penalty: Penalty) -> Objective:
        """See `Target`."""
        return LogisticObjective(rows, self.labels, column, trains, penalty)

    def learnable(self, trains: Tensor) -> Tensor:
        """See `Target`: both values occur."""
        positive = _block_sums(self.rows, self.labels, trains)
        return (positive > 0) & (positive < _block_sums(self.rows, torch.ones_like(self.labels[:, :1]), trains))

    def start(self, column: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """See `Target`."""
        labels = _of_blocks(self.rows, self.labels, used)
        p = (labels[:, column].sum(0) + 0.5) / (len(labels) + 1)
        start = p.new_zeros(len(p), self.rows.width)
        start[:, -1] = torch.logit(p)
        return start, (p * (1 - p) * len(labels))[:, None] * self.rows.mean_square

    def loss(self, logits: Tensor, low: int, high: int, column: Tensor) -> Tensor:
        """See `Target`."""
        return (softplus(logits) - self.labels[low:high, column].T * logits).sum(1)


@dataclass(frozen=True)
class Classes:
    """(n, C) one-hot classes, together one softmax regression."""

    rows: Rows
    one_hot: Tensor
    n_problems: int = 1

    @property
    def n_columns(self) -> int:
        """C - 1."""
        return self.one_hot.shape[1] - 1

    @property
    def n_outputs(self) -> int:
        """C."""
        return self.one_hot.shape[1]

    @cached_property
    def contrasts(self) -> tuple[Tensor, Tensor]:
        """See `frequency_contrasts`."""
        return frequency_contrasts(self.one_hot.mean(0))

    def outputs(self, weights: Tensor) -> Tensor:
        """See `Target`."""
        return class_weights(weights, self.contrasts[1], self.rows.width)

    def objective(self, rows: Rows, column: Tensor, trains: Tensor, penalty: Penalty) -> Objective:
        """See `Target`."""
        return SoftmaxObjective(rows, self.one_hot, self.contrasts[1], trains[:, : len(column)], penalty)

    def learnable(self, trains: Tensor) -> Tensor:
        """See `Target`: three classes occur; two are a logistic regression."""
        return ((_block_sums(self.rows, self.one_hot, trains) > 0).sum(1) > 2)[:, None]

    def start(self, column: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """See `Target`."""
        values, contrasts = (part.to(self.one_hot) for part in self.contrasts)
        one_hot = _of_blocks(self.rows, self.one_hot, used)
        share = one_hot.mean(0).clamp(min=torch.finfo(self.one_hot.dtype).tiny)
        start = share.new_zeros(self.n_columns, self.rows.width)
        start[:, -1] = contrasts.T @ share.log()
        curvature = (values * len(one_hot))[:, None] * self.rows.mean_square
        return start.reshape(1, -1).repeat(len(column), 1), curvature.reshape(1, -1).repeat(len(column), 1)

    def loss(self, logits: Tensor, low: int, high: int, column: Tensor) -> Tensor:
        """See `Target`."""
        scores = log_softmax(logits.reshape(len(column), self.n_outputs, -1), 1).clamp_(min=-100)
        return -(scores * self.one_hot[low:high].T).sum((1, 2))


def make_family(  # noqa: PLR0913 - what to fit, on what, and with which penalty
    target: Target, column: Tensor, trains: Tensor, position: Tensor, penalty: Penalty, used: Tensor
) -> Family:
    """The family of the K problems `column` on `trains` (B, K), each from its full-data fit on all used rows.

    Args:
        target: What to solve.
        column: (K,) numbers of problems; full-data fits are its distinct values, in order.
        trains: (B, K) blocks.
        position: (K,) number among the split fits of the same full-data fit.
        penalty: Of the K problems.
        used: (B,) the blocks that any problem trains on.
    """
    full_fits, full_fit = torch.unique(column, return_inverse=True)
    every = used[:, None].expand(-1, len(full_fits))
    sizes = torch.as_tensor(target.rows.starts, device=trains.device).diff()
    plain = Penalty(penalty.inverse, penalty.width)
    return Family(
        target.rows,
        lambda rows: target.objective(rows, full_fits, every, plain),
        lambda rows: target.objective(rows, column, trains, penalty),
        plain.plain(target.rows.mean_square).repeat(target.n_columns),
        full_fit,
        position,
        share=int((sizes @ trains.long()).sum()) / (int(sizes @ used.long()) * len(column)),
        used=used,
    )


def _of_blocks(rows: Rows, values: Tensor, used: Tensor) -> Tensor:
    """The (n, k) values of the rows of the (B,) used blocks."""
    if bool(used.all()):
        return values
    return torch.cat([values[low:high] for (low, high), use in zip(pairwise(rows.starts), used, strict=True) if use])


def _block_sums(rows: Rows, values: Tensor, trains: Tensor) -> Tensor:
    """(T, k) sums of the (n, k) values over the (B, T) blocks."""
    sums = torch.stack([values[low:high].sum(0) for low, high in pairwise(rows.starts)])
    return trains.to(sums).T @ sums
