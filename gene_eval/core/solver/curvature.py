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

ROOM = 16
"""Pairs that there is room for at first."""
WORTH_A_CORE = 1 << 21
"""Elements of pairs that are worth more than one core of the CPU."""


class Metric(Protocol):
    """An approximate inverse Hessian for each problem."""

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """(k, v) vectors of the numbered problems times their matrices."""

    def among(self, problems: Tensor) -> "Metric":
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

    def among(self, problems: Tensor) -> "Diagonals":
        """See `Metric`."""
        return self


class Window:
    """The latest pairs of k problems, each over a matrix P of its own times a length that may change.

    Args:
        gradient: (k, v) where the problems start.
        shaped: (k, v) P times that.
        capacity: The most pairs of a problem; the oldest makes room for the next one.
    """

    def __init__(self, gradient: Tensor, shaped: Tensor, capacity: int) -> None:
        k, v = gradient.shape
        self.capacity = capacity
        self.count = 0
        self.shaped = shaped
        # Steps and P times gradient changes in turn. A pair stays where it is put; the small matrices follow its place.
        room = min(ROOM, capacity)
        self.pairs = gradient.new_empty(k, room, 2, v)
        self.seen = gradient.new_zeros(k, room, 2)
        self.bends = gradient.new_zeros(k, room, dtype=torch.float64)
        self.inverse, self.cross = (self.bends.new_zeros(k, room, room) for _ in range(2))

    @property
    def size(self) -> int:
        """Pairs of a problem."""
        return min(self.count, self.capacity)

    def push(self, step: Tensor, change: Tensor, gradient: Tensor, shaped: Tensor) -> Tensor:
        """Add (k, v) steps and gradient changes, and look at the gradients they led to.

        Returns:
            (k,) ratios of s'y to y'Py, the length of P that fits the step; 1 where the step saw no curvature. Such a
            pair is ignored.
        """
        place = self.count % self.capacity
        self.count += 1
        if self.size > self.pairs.shape[1]:
            self._make_room()
        before = self.seen
        size, scaled = self.size, shaped - self.shaped
        bend, own = ((vector * change).sum(1).double() for vector in (step, scaled))
        curved = bend > 0
        self.pairs[:, place, 0] = step
        self.pairs[:, place, 1] = scaled
        if not (every := bool(curved.all())):
            self.pairs[torch.logical_not(curved), place] = 0
        self.look(gradient, shaped)
        # (k, m) the latest change times all steps, and times P and all changes.
        steps, changes = (self.seen - before)[:, :size].double().unbind(2)
        column = (self.inverse[:, :size, :size] * (steps / -bend[:, None])[:, None]).sum(2)
        column[:, place], changes[:, place] = 1 / bend, own
        self.inverse[:, place] = 0
        self.inverse[:, :size, place] = column
        self.cross[:, place, :size] = self.cross[:, :size, place] = changes
        self.bends[:, place] = bend
        ratio = (bend / own).nan_to_num_(nan=1.0).clamp_(min=0)
        if not every:
            flat = torch.logical_not(curved)
            self.inverse[flat, :, place] = self.cross[flat, :, place] = self.cross[flat, place] = 0
            self.bends[flat, place], ratio[flat] = 0, 1
        return ratio.to(step)

    def look(self, gradient: Tensor, shaped: Tensor) -> None:
        """Take (k, v) other gradients, and P times them, for those at the end of the last step."""
        self.shaped = shaped
        vectors, size = gradient[:, None], 2 * self.size
        self.seen = torch.zeros_like(self.seen)
        products = self.seen.flatten(1)[:, None, :size]

        def work(mine: slice) -> None:
            products[mine] = torch.bmm(vectors[mine], self._flat(mine).mT)

        _on_cores(work, self.pairs[:, : self.size])

    def descent(self, length: Tensor) -> Tensor:
        """(k, v) the gradients times minus the inverse Hessians, with P times the (k,) lengths."""
        out = self.shaped * -length[:, None]
        size = self.size
        steps, changes = self.seen[:, :size].double().unbind(2)
        inverse, long = self.inverse[:, :size, :size], length[:, None].double()
        solved = (inverse * steps[:, None]).sum(2)
        back = (self.cross[:, :size, :size] * solved[:, None]).sum(2).sub_(changes).mul_(long)
        back.addcmul_(self.bends[:, :size], solved)
        shares = torch.stack([-(inverse * back[:, :, None]).sum(1), long * solved], 2).flatten(1)[:, None].to(out)

        def work(mine: slice) -> None:
            out[mine, None].baddbmm_(shares[mine], self._flat(mine))

        _on_cores(work, self.pairs[:, : self.size])
        return out

    def take(self, index: Tensor) -> "Window":
        """A copy for some of the problems, to look elsewhere."""
        out = Window(self.shaped[index, :0], self.shaped[index], 0)
        out.capacity, out.count = self.capacity, self.count
        out.pairs = self.pairs[:, : self.size][index]
        out.seen, out.bends = self.seen[index], self.bends[index]
        out.inverse, out.cross = self.inverse[index], self.cross[index]
        return out

    def put(self, index: Tensor, part: "Window") -> None:
        """What a copy for some of the problems has looked at."""
        self.shaped = self.shaped.index_copy(0, index, part.shaped)
        self.seen[index] = part.seen

    def stay(self, index: Tensor) -> None:
        """Only the (j,) problems stay, in this order; quick where most keep their places."""
        k = len(index)
        moved = (index != torch.arange(k, device=index.device)).nonzero()[:, 0]
        for large in (self.pairs, self.inverse, self.cross):
            large[moved, : self.size] = large[index[moved], : self.size]
        self.pairs, self.inverse, self.cross = self.pairs[:k], self.inverse[:k], self.cross[:k]
        self.shaped, self.seen, self.bends = self.shaped.index_select(0, index), self.seen[index], self.bends[index]

    def _make_room(self) -> None:
        """For twice the pairs: most problems leave before there are many."""
        room = self.pairs.shape[1]
        more = min(2 * room, self.capacity) - room
        self.pairs, small = self.pairs.new_empty(len(self.pairs), room + more, *self.pairs.shape[2:]), self.pairs
        self.pairs[:, :room] = small
        self.seen, self.bends = pad(self.seen, (0, 0, 0, more)), pad(self.bends, (0, more))
        self.inverse, self.cross = (pad(matrices, (0, more, 0, more)) for matrices in (self.inverse, self.cross))

    def _flat(self, mine: slice) -> Tensor:
        """(j, 2 m, v) pairs of some problems."""
        return self.pairs[mine, : self.size].flatten(1, 2)


def _on_cores(work: Callable[[slice], None], pairs: Tensor) -> None:
    """Do the work for all problems, whose pairs these are, on as many cores as that is worth."""
    if pairs.is_cuda or pairs.numel() < WORTH_A_CORE:
        work(slice(None))
    else:
        run(lambda share: work(slice(share[0], share[-1] + 1)), range(len(pairs)))


@dataclass
class Pairs:
    """An inverse Hessian for each of L parent problems, from m pairs of each.

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

    def select(self, parents: Tensor) -> "Pairs":
        """Of some parents."""
        return Pairs(self.pairs[parents], self.inner[parents], self.diagonal[parents])

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
    """Inverse Hessians of parents, for their children.

    Attributes:
        pairs: Of the parents.
        parent: (K,) parent of each problem.
        place: (K,) its place among the siblings.
        n_places: Most siblings.
    """

    pairs: Pairs
    parent: Tensor
    place: Tensor
    n_places: int

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """See `Metric`."""
        shape = len(self.pairs.pairs), self.n_places, vectors.shape[1]
        place = self.parent[problems] * self.n_places + self.place[problems]
        padded = vectors.new_zeros(shape[0] * shape[1], shape[2]).index_copy_(0, place, vectors)
        return self.pairs.apply(padded.reshape(shape)).flatten(0, 1).index_select(0, place)

    def among(self, problems: Tensor) -> "Relatives":
        """See `Metric`."""
        there, number = torch.unique(self.parent[problems], return_inverse=True)
        if len(there) == len(self.pairs.pairs):
            return self
        parent = self.parent.index_copy(0, problems, number)
        return Relatives(self.pairs.select(there), parent, self.place, self.n_places)
