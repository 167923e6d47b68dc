"""What is minimised: logistic and multinomial logistic regressions, many at once, on many training sets.

For label l and training rows T the objective is scikit-learn's,

    sum over i in T of [log(1 + exp(eta_i)) - y_il eta_i] + |w|^2 / (2 C),   eta_i = z_i' w + b,

with the intercept b unpenalised (it is the last weight; the rows end with a 1). Its gradient is Z_T' r + w / C with the
residuals r = sigmoid(eta) - y, which are computed as n sigmoid(n eta), n = 1 - 2 y: where classes are nearly separable
almost every probability is close to its label, and the difference of two such numbers has few digits left in float32.

Multinomial: scikit-learn's objective over C classes,

    sum over i in T of [logsumexp_c(eta_ic) - eta_i,y(i)] + |W|^2 / (2 C),

one weight vector per class, intercepts unpenalised. Predictions do not change when all classes' weights move together,
and at the optimum these sum to 0. So a problem is solved in C - 1 contrasts, W = U V with orthonormal columns U that
sum to 0: the penalty keeps its form, and nothing moves that the data say nothing about. Where all rows have the
frequencies f as their probabilities, the Hessian is (diag(f) - f f') times Z' Z, class by class and feature by feature;
with the eigenvectors of the former as contrasts, in the eigenbasis of the latter, it is diagonal, however rare some
classes are. A class without training rows has no optimum; its logit is held far below the others, which leaves theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, softplus

from gene_eval.core.solver.rows import Block, Rows, Tile, Weigh

FLAT = 1e-12
"""Curvatures below are taken for this: the inverse of a curvature that underflowed must stay finite."""
ABSENT = -1e30
"""Logit of a class without training rows."""
THRESHOLDS = tuple(0.25 / 4**k for k in range(8))
"""Curvatures of a logit, from the largest that there is."""

OfLogits = Callable[[Tensor, int, int, Block], Tensor]
"""From the logits of rows low..high of a block, which it may overwrite, to weights of these rows."""


class Problems:
    """L independent problems per training set; `Labels` says what each kind of them must tell.

    Attributes:
        rows: The design matrix.
        y: (n, n_problems) labels, or (n, n_outputs) one-hot classes, in the order of the rows.
        n_problems: L.
        n_columns: Columns of weights of one problem, which has v = n_columns * width weights.
        n_outputs: Logits of one problem.
    """

    n_columns = 1
    n_outputs = 1

    def __init__(self, rows: Rows, y: Tensor) -> None:
        self.rows = rows
        self.y = y.to(rows.mean_square)
        self.n_problems = self.y.shape[1]

    def double(self) -> Self:
        """The same in float64."""
        return type(self)(self.rows.double(), self.y)

    def counts(self, trains: Tensor) -> Tensor:
        """(T, k) sums of y over the (B, T) blocks."""
        sums = torch.stack([self.y[low:high].sum(0) for low, high in pairwise(self.rows.starts)])
        return trains.to(sums).T @ sums

    def sizes(self, trains: Tensor) -> Tensor:
        """(T,) rows of the (B, T) blocks."""
        return trains.to(self.y).T @ torch.as_tensor(self.rows.starts, device=self.y.device).diff().to(self.y)


class Labels(Problems):
    """(n, L) labels, 0 or 1, each a logistic regression."""

    def __init__(self, rows: Rows, y: Tensor) -> None:
        super().__init__(rows, y)
        self.signs = (1 - 2 * self.y.T).contiguous()

    def outputs(self, weights: Tensor) -> Tensor:
        """(k * n_outputs, width) weights of the logits, from (k, v) weights of k problems."""
        return weights

    def transposed(self, total: Tensor) -> Tensor:
        """(k, v) from (k * n_outputs, width): the transpose of `outputs`."""
        return total

    def residuals(self, logits: Tensor, low: int, high: int, column: Tensor) -> Tensor:
        """Derivatives of the loss of problems `column` (k,) by their (k * n_outputs, high - low) logits."""
        signs = self.signs[:, low:high].index_select(0, column)
        return logits.mul_(signs).sigmoid_().mul_(signs)

    def curvatures(self, logits: Tensor) -> Tensor:
        """(k * n_columns, m) second derivatives by the columns' products with the rows."""
        p = logits.sigmoid_()
        return p.addcmul_(p, p, value=-1)

    def learnable(self, trains: Tensor) -> Tensor:
        """(T, L) whether the problem has an optimum on each of the (B, T) training sets: both values occur."""
        positive = self.counts(trains)
        return (positive > 0) & (positive < self.sizes(trains)[:, None])

    def start(self, column: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """(k, v) weights that predict the frequencies in the (B,) used blocks, and diagonals of the Hessian there."""
        n = self.sizes(used[:, None])
        p = (self.counts(used[:, None])[0, column] + 0.5) / (n + 1)
        start = p.new_zeros(len(p), self.rows.width)
        start[:, -1] = torch.logit(p)
        return start, (p * (1 - p) * n)[:, None] * self.rows.mean_square

    def loss(self, logits: Tensor, low: int, high: int, column: Tensor) -> Tensor:
        """(k,) sums of log losses over rows low..high of the (k * n_outputs, high - low) logits."""
        return (softplus(logits) - self.y[low:high, column].T * logits).sum(1)


class Classes(Problems):
    """(n, C) one-hot classes, together one softmax regression.

    Attributes:
        spread: (C - 1,) eigenvalues of diag(f) - f f' for the frequencies f.
        contrasts: (C, C - 1) its eigenvectors without the constant one.
    """

    def __init__(self, rows: Rows, y: Tensor) -> None:
        super().__init__(rows, y)
        self.n_problems, self.n_outputs, self.n_columns = 1, y.shape[1], y.shape[1] - 1
        self.spread, self.contrasts = (part.to(self.y) for part in frequency_contrasts(self.y.double().mean(0)))
        self.classes = self.y.T.contiguous()
        self.others = 1 - self.classes

    def outputs(self, weights: Tensor) -> Tensor:
        """See `Labels`."""
        by_column = weights.reshape(len(weights), self.n_columns, -1)
        return (self.contrasts.to(weights) @ by_column).flatten(0, 1)

    def transposed(self, total: Tensor) -> Tensor:
        """See `Labels`."""
        return (self.contrasts.T @ total.reshape(-1, self.n_outputs, total.shape[1])).flatten(1)

    def residuals(self, logits: Tensor, low: int, high: int, column: Tensor) -> Tensor:
        """See `Labels`."""
        p = logits.reshape(len(column), self.n_outputs, -1).softmax(1).mul_(self.others[:, low:high])
        # Where p of the row's class is near 1, p - 1 has few digits left; the sum of the others has them all.
        return p.addcmul_(p.sum(1, keepdim=True), self.classes[:, low:high], value=-1).flatten(0, 1)

    def curvatures(self, logits: Tensor) -> Tensor:
        """See `Labels`."""
        p = logits.reshape(-1, self.n_outputs, logits.shape[1]).softmax(1)
        variance = self.contrasts.T.square() @ p - (self.contrasts.T @ p).square()
        return variance.clamp_(min=0).flatten(0, 1)

    def learnable(self, trains: Tensor) -> Tensor:
        """See `Labels`: three classes occur; two are a logistic regression."""
        return ((self.counts(trains) > 0).sum(1) > 2)[:, None]

    def start(self, column: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """See `Labels`."""
        n = self.sizes(used[:, None])
        share = (self.counts(used[:, None])[0] / n).clamp(min=torch.finfo(self.y.dtype).tiny)
        start = share.new_zeros(self.n_columns, self.rows.width)
        start[:, -1] = self.contrasts.T @ share.log()
        curvature = (self.spread * n)[:, None] * self.rows.mean_square
        return start.reshape(1, -1).repeat(len(column), 1), curvature.reshape(1, -1).repeat(len(column), 1)

    def loss(self, logits: Tensor, low: int, high: int, column: Tensor) -> Tensor:
        """See `Labels`."""
        scores = log_softmax(logits.reshape(len(column), self.n_outputs, -1), 1).clamp_(min=-100)
        return -(scores * self.y[low:high].T).sum((1, 2))


def frequency_contrasts(share: Tensor) -> tuple[Tensor, Tensor]:
    """(C - 1,) eigenvalues and (C, C - 1) eigenvectors of diag(f) - f f', without the constant one, for (C,) f."""
    # Adding the projector on the constant vector puts it last, whatever other eigenvalues are 0.
    values, vectors = torch.linalg.eigh(share.diag() - share.outer(share) + torch.ones_like(share.diag()))
    return values[:-1].clamp(min=0), vectors[:, :-1]


Target = Labels | Classes


@dataclass(frozen=True)
class Penalty:
    """The penalty |s * V w|^2 / (2 C) of each column w of weights, intercepts free.

    s is 1 where features are taken as they are. A training set that standardises features by its own spread divides
    them by s (in units of the spread over all rows); V w are weights of the features before their rotation, so that V
    stays the basis of all training sets. Subtracting the mean of the training set only moves the intercept.

    Attributes:
        squares: (T, width) s^2 / C of T training sets, 0 for the intercept.
        vectors: (d, d) the rotation V; None for the identity.
        sets: (K,) training set of each problem; None: all have the first.
    """

    squares: Tensor
    vectors: Tensor | None = None
    sets: Tensor | None = None

    @classmethod
    def plain(cls, C: float, like: Tensor) -> "Penalty":
        """|w|^2 / (2 C) for columns like the (width,) one."""
        squares = torch.full_like(like, 1 / C)
        squares[-1] = 0
        return cls(squares[None])

    def gradient(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) at the (k, v) weights of the numbered problems."""
        squares = self._squares(weights, problems)[:, None]
        columns = weights.reshape(len(weights), -1, squares.shape[2])
        if self.vectors is None:
            return (columns * squares).reshape(weights.shape)
        vectors, out = self.vectors.to(weights), torch.zeros_like(columns)
        out[:, :, :-1] = ((columns[:, :, :-1] @ vectors.T) * squares[:, :, :-1]) @ vectors
        return out.reshape(weights.shape)

    def diagonal(self, like: Tensor, problems: Tensor) -> Tensor:
        """(k, width) diagonals of the Hessian for one column of the numbered problems."""
        squares = self._squares(like, problems).expand(len(problems), -1)
        if self.vectors is None:
            return squares
        out = torch.zeros_like(squares)
        out[:, :-1] = squares[:, :-1] @ self.vectors.to(like).square()
        return out

    def of(self, problems: Tensor) -> "Penalty":
        """Of some of the problems."""
        return self if self.sets is None else replace(self, sets=self.sets[problems])

    def _squares(self, like: Tensor, problems: Tensor) -> Tensor:
        squares = self.squares.to(like)
        return squares if self.sets is None else squares[self.sets[problems]]


class Fits:
    """K convex functions of rows of weights: problems of a target, each on a training set.

    Args:
        target: What to fit.
        column: (K,) the target's problem that each is.
        trains: (B, K) whether it trains on the block.
        penalty: Of the K problems.

    Attributes:
        spread: (v,) mean squares of the features, in which they are uncorrelated; 1 for intercepts.
        intercepts: (v,) which weights are intercepts.
    """

    def __init__(self, target: Target, column: Tensor, trains: Tensor, penalty: Penalty) -> None:
        self.target, self.rows = target, target.rows
        self.column, self.trains, self.penalty = column, trains, penalty
        absent = (target.counts(trains) == 0) & torch.tensor(target.n_outputs > 1, device=trains.device)
        self.absent = ABSENT * absent.to(target.y) if bool(absent.any()) else None
        self.spread = self.rows.mean_square.repeat(target.n_columns)
        position = torch.arange(len(self.spread), device=trains.device)
        self.intercepts = (position + 1) % self.rows.width == 0
        self._tiles: tuple[Tensor, list[Tile]] | None = None

    def of(self, problems: Tensor) -> "Fits":
        """Some of the problems, renumbered."""
        return Fits(self.target, self.column[problems], self.trains[:, problems], self.penalty.of(problems))

    def double(self) -> "Fits":
        """The same in float64."""
        return Fits(self.target.double(), self.column, self.trains, self.penalty)

    def gradients(self) -> "Exact":
        """What makes their gradients."""
        low_precision = self.rows.low_precision
        return Exact(self) if low_precision is None else low_precision.around(self)

    def gradient(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) gradients at the (k, v) weights of the numbered problems."""

        def residuals(logits: Tensor, low: int, high: int, block: Block) -> Tensor:
            return self.target.residuals(logits, low, high, self.column[problems[block.problems]])

        return self.summed(self.rows, weights, problems, residuals)

    def summed(self, rows: Rows, weights: Tensor, problems: Tensor, of: OfLogits) -> Tensor:
        """(k, v) sums of the rows, weighted by what `of` makes of the logits, and the penalty's gradient."""
        if self._tiles is None or self._tiles[0] is not problems:
            self._tiles = problems, rows.tiles(self.trains[:, problems], self.target.n_outputs)
        weigh = self._weigh(rows, weights, problems, of)
        total = rows.weighted_sum(self._tiles[1], self.target.n_outputs, weigh)
        return self.target.transposed(total).add_(self.penalty.gradient(weights, problems))

    def curvature(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) diagonals of the Hessians, without the penalty; an intercept's is the sum of its curvatures."""
        tiles, weigh = self._curvatures(weights, problems)
        hessian = self.rows.weighted_squares(tiles, self.target.n_columns, weigh)
        return hessian.clamp_(min=FLAT).reshape(weights.shape)

    def penalty_diagonal(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) diagonals of the penalty's Hessian, which that of the function is never below; 0 for intercepts."""
        return self.penalty.diagonal(weights, problems).repeat(1, self.target.n_columns)

    def floor(self, weights: Tensor, problems: Tensor) -> Tensor:
        """(k, v) diagonals that the Hessians at the (k, v) weights are not below; for intercepts their own entry.

        If m rows have at least the curvature t, the Hessian is at least that of t on these rows alone. For features
        that are uncorrelated over the rows, with mean squares s, r of them, the eigenvalues of m random rows are
        those of m s, times at least (1 - sqrt(r / m))^2 (Marchenko and Pastur, 1967). The largest such bound counts.
        """
        tiles, weigh = self._curvatures(weights, problems)

        def add(part: Tensor, low: int, high: int, curvatures: Tensor) -> None:
            for position, threshold in enumerate(THRESHOLDS):
                part[:, position] += (curvatures >= threshold).sum(1)
            part[:, -1] += curvatures.sum(1)

        found = self.rows.total(tiles, self.target.n_columns, len(THRESHOLDS) + 1, weigh, add)
        counts, own = found[:, :-1], found[:, -1:].clamp(min=FLAT)
        spanned = 1 - ((self.rows.width - 1) / counts.clamp(min=1)).sqrt()
        bound = (counts.new_tensor(THRESHOLDS) * counts * spanned.clamp(min=0).square()).amax(1, keepdim=True)
        features = (bound * self.rows.mean_square).reshape(weights.shape) + self.penalty_diagonal(weights, problems)
        return torch.where(self.intercepts, own.expand(-1, self.rows.width).reshape(weights.shape), features)

    def _curvatures(self, weights: Tensor, problems: Tensor) -> tuple[list[Tile], Weigh]:
        """All rows, and what makes their curvatures."""
        tiles = self.rows.tiles(self.trains[:, problems], self.target.n_outputs)
        return tiles, self._weigh(self.rows, weights, problems, lambda logits, *_: self.target.curvatures(logits))

    def _weigh(self, rows: Rows, weights: Tensor, problems: Tensor, of: OfLogits) -> Weigh:
        """What makes weights of rows from their logits."""
        wide = self.target.outputs(weights)
        if self.absent is not None:
            wide[:, -1] += self.absent[problems].flatten()
        projected = rows.project(wide)

        def weigh(block: Block) -> Callable[[int, int], Tensor]:
            mine = rows.select(projected, block.columns(self.target.n_outputs))
            if block.mask is None:
                return lambda low, high: of(rows.logits(mine, low, high), low, high, block)
            # The only tile.
            found = of(rows.logits(mine, 0, rows.starts[-1]), 0, rows.starts[-1], block)
            masked = found.reshape(len(block.mask), -1, found.shape[1]) * block.mask[:, None]
            return lambda low, high: masked.flatten(0, 1)

        return weigh


class Exact:
    """Gradients of fits in the precision of their rows.

    Args:
        fits: What to differentiate.
    """

    def __init__(self, fits: Fits) -> None:
        self.fits = fits

    def __call__(self, weights: Tensor, problems: Tensor, *, exact: bool = True) -> Tensor:  # noqa: ARG002
        """(k, v) gradients at the (k, v) weights of the numbered problems, exact or close to those."""
        return self.fits.gradient(weights, problems)

    def due(self, *, wanted: bool) -> bool:  # noqa: ARG002
        """Whether the next gradients must be exact: all of these are."""
        return True
