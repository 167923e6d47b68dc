"""Rows of a design matrix as the solver sees them: products over tiles, which are ranges of rows of one block.

The solver never holds a (columns x rows) array. A tile is small enough that its logits stay in cache between the
product that makes them and the product that consumes them. Blocks are what training sets are made of: folds, as a rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gene_eval.core.solver.resources import run

TILE = {"cpu": 1 << 16, "cuda": 1 << 26}
"""Elements of logits in a tile: on a CPU they stay in its second-level cache."""
TILE_ROWS = {"cpu": 1 << 19, "cuda": 1 << 28}
"""Elements of the design matrix in a tile, which is read twice."""
ONE_TILE = 1 << 18
"""Elements of rows, and of logits, up to which all rows are one tile: calls cost more than products there."""
CHUNK = 512
"""Rows squared at a time."""


@dataclass(eq=False)
class Block:
    """Who trains on the rows of one block.

    Attributes:
        problems: Positions of the problems in those asked for.
        n_problems: How many were asked for.
        mask: (n_problems, n) 0 for rows that a problem does not train on, where the block is all rows.
    """

    problems: Tensor
    n_problems: int
    mask: Tensor | None = None
    _columns: dict[int, Tensor | None] = field(default_factory=dict)

    def columns(self, each: int) -> Tensor | None:
        """Positions of the problems' columns, `each` per problem; None for all."""
        if each not in self._columns:
            every = len(self.problems) == self.n_problems
            self._columns[each] = None if every else columns_of(self.problems, each)
        return self._columns[each]


class Tile(NamedTuple):
    """Rows low..high of a block."""

    block: Block
    low: int
    high: int


Weigh = Callable[[Block], Callable[[int, int], Tensor]]
"""From a block to what makes the (k, high - low) weights of its rows low..high, for k columns of its problems."""
Add = Callable[[Tensor, int, int, Tensor], Any]
"""Adds what (k, high - low) weights make of rows low..high to a (k, ...) total, in place."""


class Rows:
    """n rows of `width` features, the last feature being the constant 1, sorted by block; here all in memory.

    Args:
        Z: (n, width) the rows.
        starts: First row of each block, and n.

    Attributes:
        mean_square: (width,) of the features.
        row_elements: What a row costs to read in a tile, as elements of float32.
        low_precision: What makes gradients `around` fits by cheaper products, if anything.
    """

    low_precision: Any = None

    def __init__(self, Z: Tensor, starts: list[int]) -> None:
        self.Z, self.starts = Z, starts
        self.width = self.row_elements = Z.shape[1]

        def squares(lows: Sequence[int]) -> Tensor:
            return reduce(torch.add, (Z[low : low + CHUNK].square().sum(0) for low in lows))

        self.mean_square = reduce(torch.add, run(squares, range(0, len(Z), CHUNK))) / len(Z)

    def double(self) -> "Rows":
        """The same rows in float64."""
        return Rows(self.Z.double(), self.starts)

    def dense(self, low: int, high: int) -> Tensor:
        """(high - low, width) rows in memory."""
        return self.Z[low:high]

    def project(self, weights: Tensor) -> Any:
        """What `logits` needs of the (k, width) weights, computed once for all tiles."""
        return weights

    def select(self, projected: Any, columns: Tensor | None) -> Any:
        """The part of it for some columns of weights (None: all)."""
        return projected if columns is None else projected.index_select(0, columns)

    def logits(self, projected: Any, low: int, high: int) -> Tensor:
        """(k, high - low) products of the weights with the rows."""
        return torch.mm(projected, self.Z[low:high].T)

    def weighted_sum(self, tiles: list[Tile], each: int, weigh: Weigh) -> Tensor:
        """(n_problems * each, width) sums of the rows, weighted."""
        return self.total(tiles, each, self.width, weigh, self.add)

    def add(self, part: Tensor, low: int, high: int, weights: Tensor) -> None:
        """Add weighted rows; the intercept is summed in cascades: probabilities near 1 do not cancel as features do."""
        part[:, :-1].addmm_(weights, self.Z[low:high, :-1])
        part[:, -1] += weights.sum(1)

    def weighted_squares(self, tiles: list[Tile], each: int, weigh: Weigh) -> Tensor:
        """(n_problems * each, width) sums of the squared rows, weighted."""
        return self.total(
            tiles, each, self.width, weigh, lambda part, low, high, w: part.addmm_(w, self.dense(low, high).square())
        )

    def total(self, tiles: list[Tile], each: int, width: int, weigh: Weigh, add: Add) -> Tensor:
        """(n_problems * each, width) what `add` makes of all tiles, each core summing a share of them."""

        def work(share: Sequence[Tile]) -> Tensor:
            total = self.mean_square.new_zeros(share[0].block.n_problems * each, width)
            for block, mine in groupby(share, attrgetter("block")):
                weight, columns = weigh(block), block.columns(each)
                part = total if columns is None else total.new_zeros(len(columns), width)
                for _, low, high in mine:
                    add(part, low, high, weight(low, high))
                if columns is not None:
                    total.index_add_(0, columns, part)
            return total

        return reduce(torch.add, run(work, tiles))

    def tiles(self, trains: Tensor, each: int) -> list[Tile]:
        """All rows that any of k problems of `each` columns trains on, whose blocks are `trains` (B, k), in order."""
        k, n, found = trains.shape[1], self.starts[-1], []
        if k * each * n <= ONE_TILE and n * self.width <= ONE_TILE:
            sizes = torch.as_tensor(self.starts, device=trains.device).diff()
            mask = trains.T.repeat_interleave(sizes, 1).to(self.mean_square)
            return [Tile(Block(torch.arange(k, device=trains.device), k, mask), 0, n)]
        for trained, (low, high) in zip(trains, pairwise(self.starts), strict=True):
            block = Block(trained.nonzero()[:, 0], k)
            if len(block.problems):
                found += [Tile(block, *pair) for pair in self.ranges(low, high, len(block.problems) * each)]
        return found

    def ranges(self, low: int, high: int, n_columns: int) -> list[tuple[int, int]]:
        """Row ranges that fit into cache with their logits for n_columns columns."""
        kind = self.mean_square.device.type
        most = max(256, min(TILE[kind] // n_columns, TILE_ROWS[kind] // self.row_elements))
        # Of equal height, so that cores with as many tiles have as much to do.
        n_tiles = -(-(high - low) // most)
        return list(pairwise(low + (high - low) * i // n_tiles for i in range(n_tiles + 1))) if n_tiles else []


def columns_of(problems: Tensor, each: int) -> Tensor:
    """(k * each,) positions of the columns of k problems, `each` per problem."""
    return (problems[:, None] * each + torch.arange(each, device=problems.device)).flatten()
