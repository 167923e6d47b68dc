"""Inverse Hessians of many problems, known from steps and the changes of the gradients over them.

All are in the compact form of Byrd, Nocedal and Schnabel, "Representations of quasi-Newton matrices and their use in
limited memory methods" (1994), eq. 2.6. With steps S and gradient changes Y of a problem as columns, R the upper
triangle of S'Y, D its diagonal, and P the matrix that the pairs correct, the inverse Hessian is

    P + S R^-T (D + Y'PY) R^-1 S' - S R^-T Y'P - P Y R^-1 S'.

It gives what the two-loop recursion gives (Nocedal 1980), from two products with all pairs in place of two with each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

from gene_eval.core.solver.resources import run

INITIAL_PAIRS = 16
"""Pairs that there is room for at first."""
MIN_PER_CORE = 1 << 21
"""Elements of pairs that are worth more than one core of the CPU."""


class Metric(Protocol):
    """An approximate inverse Hessian for each problem."""

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """(k, v) vectors of the numbered problems times their matrices."""

    def restrict(self, problems: Tensor) -> "Metric":
        """The same where no others are asked for, with their numbers."""


@dataclass(frozen=True)
class Diagonals:
    """Diagonal matrices, one for each problem.

    Attributes:
        diagonal: (K, v).
    """

    diagonal: Tensor

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """See `Metric`."""
        return vectors * self.diagonal[problems]

    def restrict(self, problems: Tensor) -> "Diagonals":
        """See `Metric`."""
        return self


class Window:
    """The latest pairs of k problems, each over a matrix P of its own times a length that may change.

    Args:
        gradient: (k, v) where the problems start.
        preconditioned: (k, v) P times that.
        capacity: The most pairs of a problem; the oldest makes room for the next one.
    """

    def __init__(self, gradient: Tensor, preconditioned: Tensor, capacity: int) -> None:
        k, v = gradient.shape
        self.capacity = capacity
        self.count = 0
        self.preconditioned = preconditioned
        # Alternating steps and P times gradient changes. Pairs keep their positions; the small matrices follow them.
        n_pairs = min(INITIAL_PAIRS, capacity)
        self.pairs = gradient.new_empty(k, n_pairs, 2, v)
        self.products = gradient.new_zeros(k, n_pairs, 2)
        self.curvatures = gradient.new_zeros(k, n_pairs, dtype=torch.float64)
        self.inverse, self.cross = (self.curvatures.new_zeros(k, n_pairs, n_pairs) for _ in range(2))

    @property
    def size(self) -> int:
        """Pairs of a problem."""
        return min(self.count, self.capacity)

    def push(self, step: Tensor, change: Tensor, gradient: Tensor, preconditioned: Tensor) -> Tensor:
        """Add (k, v) steps and gradient changes, and take in the gradients they led to.

        Returns:
            (k,) ratios of s'y to y'Py, the length of P that fits the step; 1 where the step saw no curvature. Such a
            pair is ignored.
        """
        position = self.count % self.capacity
        self.count += 1
        if self.size > self.pairs.shape[1]:
            self._grow()
        before = self.products
        size, scaled = self.size, preconditioned - self.preconditioned
        curvature, squared = ((vector * change).sum(1).double() for vector in (step, scaled))
        curved = curvature > 0
        self.pairs[:, position, 0] = step
        self.pairs[:, position, 1] = scaled
        if not (every := bool(curved.all())):
            self.pairs[torch.logical_not(curved), position] = 0
        self.observe(gradient, preconditioned)
        # (k, m) the latest change times all steps, and times P and all changes.
        steps, changes = (self.products - before)[:, :size].double().unbind(2)
        column = (self.inverse[:, :size, :size] * (steps / -curvature[:, None])[:, None]).sum(2)
        column[:, position], changes[:, position] = 1 / curvature, squared
        self.inverse[:, position] = 0
        self.inverse[:, :size, position] = column
        self.cross[:, position, :size] = self.cross[:, :size, position] = changes
        self.curvatures[:, position] = curvature
        ratio = (curvature / squared).nan_to_num_(nan=1.0).clamp_(min=0)
        if not every:
            flat = torch.logical_not(curved)
            self.inverse[flat, :, position] = self.cross[flat, :, position] = self.cross[flat, position] = 0
            self.curvatures[flat, position], ratio[flat] = 0, 1
        return ratio.to(step)

    def observe(self, gradient: Tensor, preconditioned: Tensor) -> None:
        """Take (k, v) other gradients, and P times them, for those at the end of the last step."""
        self.preconditioned = preconditioned
        vectors, size = gradient[:, None], 2 * self.size
        self.products = torch.zeros_like(self.products)
        products = self.products.flatten(1)[:, None, :size]

        def work(mine: slice) -> None:
            products[mine] = torch.bmm(vectors[mine], self._flat(mine).mT)

        _on_cores(work, self.pairs[:, : self.size])

    def descent(self, length: Tensor) -> Tensor:
        """(k, v) the gradients times minus the inverse Hessians, with P times the (k,) lengths."""
        out = self.preconditioned * -length[:, None]
        size = self.size
        steps, changes = self.products[:, :size].double().unbind(2)
        inverse, long = self.inverse[:, :size, :size], length[:, None].double()
        solved = (inverse * steps[:, None]).sum(2)
        back = (self.cross[:, :size, :size] * solved[:, None]).sum(2).sub_(changes).mul_(long)
        back.addcmul_(self.curvatures[:, :size], solved)
        shares = torch.stack([-(inverse * back[:, :, None]).sum(1), long * solved], 2).flatten(1)[:, None].to(out)

        def work(mine: slice) -> None:
            out[mine, None].baddbmm_(shares[mine], self._flat(mine))

        _on_cores(work, self.pairs[:, : self.size])
        return out

    def take(self, index: Tensor) -> "Window":
        """A copy for some of the problems, to be given other gradients."""
        out = Window(self.preconditioned[index, :0], self.preconditioned[index], 0)
        out.capacity, out.count = self.capacity, self.count
        out.pairs = self.pairs[:, : self.size][index]
        out.products, out.curvatures = self.products[index], self.curvatures[index]
        out.inverse, out.cross = self.inverse[index], self.cross[index]
        return out

    def put(self, index: Tensor, part: "Window") -> None:
        """Take over the gradients of a copy for some of the problems."""
        self.preconditioned = self.preconditioned.index_copy(0, index, part.preconditioned)
        self.products[index] = part.products

    def keep(self, index: Tensor) -> None:
        """Only the (j,) problems stay, in this order; quick where most keep their positions."""
        k = len(index)
        moved = (index != torch.arange(k, device=index.device)).nonzero()[:, 0]
        for large in (self.pairs, self.inverse, self.cross):
            large[moved, : self.size] = large[index[moved], : self.size]
        self.pairs, self.inverse, self.cross = self.pairs[:k], self.inverse[:k], self.cross[:k]
        self.preconditioned, self.products, self.curvatures = (
            self.preconditioned.index_select(0, index),
            self.products[index],
            self.curvatures[index],
        )

    def _grow(self) -> None:
        """For twice the pairs: most problems leave before there are many."""
        n_pairs = self.pairs.shape[1]
        more = min(2 * n_pairs, self.capacity) - n_pairs
        self.pairs, small = self.pairs.new_empty(len(self.pairs), n_pairs + more, *self.pairs.shape[2:]), self.pairs
        self.pairs[:, :n_pairs] = small
        self.products, self.curvatures = pad(self.products, (0, 0, 0, more)), pad(self.curvatures, (0, more))
        self.inverse, self.cross = (pad(matrices, (0, more, 0, more)) for matrices in (self.inverse, self.cross))

    def _flat(self, mine: slice) -> Tensor:
        """(j, 2 m, v) pairs of some problems."""
        return self.pairs[mine, : self.size].flatten(1, 2)


def _on_cores(work: Callable[[slice], None], pairs: Tensor) -> None:
    """Do the work for all problems, whose pairs these are, on as many cores as that is worth."""
    if pairs.is_cuda or pairs.numel() < MIN_PER_CORE:
        work(slice(None))
    else:
        run(lambda share: work(slice(share[0], share[-1] + 1)), range(len(pairs)))


@dataclass
class Pairs:
    """An inverse Hessian for each of L full-data fit problems, from m pairs of each.

    Attributes:
        pairs: (L, 2 m, v) steps, then P times gradient changes.
        inner: (L, 2 m, 2 m) the middle matrix of the compact form.
        diagonal: (L, v) P.
    """

    pairs: Tensor
    inner: Tensor
    diagonal: Tensor

    @classmethod
    def build(cls, steps: Tensor, changes: Tensor, diagonal: Tensor) -> "Pairs":
        """The compact form of (L, m, v) pairs over (L, v) diagonals; pairs without curvature are ignored."""
        product = (steps @ changes.mT).double()
        curved = product.diagonal(dim1=1, dim2=2) > 0
        both = curved[:, :, None] & curved[:, None, :]
        eye = torch.eye(steps.shape[1], dtype=torch.float64, device=steps.device)
        upper = torch.where(both, product.triu(), eye)
        scaled = changes * diagonal[:, None, :]
        middle = torch.where(both, (scaled @ changes.mT).double(), 0.0)
        middle += torch.diag_embed(torch.where(curved, product.diagonal(dim1=1, dim2=2), 0.0))
        inverse = torch.linalg.solve_triangular(upper, eye.expand_as(upper), upper=True)
        top = torch.cat([inverse.mT @ middle @ inverse, -inverse.mT], 2)
        bottom = torch.cat([-inverse, torch.zeros_like(inverse)], 2)
        pairs = torch.cat([steps, scaled], 1).mul_(curved.repeat(1, 2)[:, :, None])
        return cls(pairs, torch.cat([top, bottom], 1).to(steps.dtype), diagonal)

    def select(self, full_fits: Tensor) -> "Pairs":
        """Of some full-data fits."""
        return Pairs(self.pairs[full_fits], self.inner[full_fits], self.diagonal[full_fits])

    def apply(self, vectors: Tensor) -> Tensor:
        """(L, j, v) vectors times the (L, v, v) inverse Hessians."""
        out = vectors * self.diagonal[:, None, :]

        def work(mine: slice) -> None:
            inside = vectors[mine] @ self.pairs[mine].mT @ self.inner[mine]
            out[mine].baddbmm_(inside, self.pairs[mine])

        _on_cores(work, self.pairs)
        return out


@dataclass(frozen=True)
class Relatives:
    """Inverse Hessians of full-data fits, for their split fits.

    Attributes:
        pairs: Of the full-data fits.
        full_fit: (K,) full-data fit of each problem.
        position: (K,) its position in the fits of the same label.
        n_positions: Most fits of the same label.
    """

    pairs: Pairs
    full_fit: Tensor
    position: Tensor
    n_positions: int

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """See `Metric`."""
        shape = len(self.pairs.pairs), self.n_positions, vectors.shape[1]
        position = self.full_fit[problems] * self.n_positions + self.position[problems]
        padded = vectors.new_zeros(shape[0] * shape[1], shape[2]).index_copy_(0, position, vectors)
        return self.pairs.apply(padded.reshape(shape)).flatten(0, 1).index_select(0, position)

    def restrict(self, problems: Tensor) -> "Relatives":
        """See `Metric`."""
        there, number = torch.unique(self.full_fit[problems], return_inverse=True)
        if len(there) == len(self.pairs.pairs):
            return self
        full_fit = self.full_fit.index_copy(0, problems, number)
        return Relatives(self.pairs.select(there), full_fit, self.position, self.n_positions)
