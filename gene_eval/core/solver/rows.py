"""Rows of a design matrix as the solver sees them: products over tiles, which are ranges of rows of one block.

The solver never holds a (columns x rows) array. A tile is small enough that its logits stay in cache between the
product that makes them and the product that consumes them. Blocks are what training sets are made of: folds, as a rule.
"""

from abc import ABC, abstractmethod
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


@dataclass
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
    """Rows low..high, whose block is the numbered one of `Tiles`."""

    block: int
    low: int
    high: int


class Tiles(NamedTuple):
    """All rows that any of n_problems problems trains on, in order."""

    n_problems: int
    blocks: list[Block]
    tiles: list[Tile]


Weigh = Callable[[Block], Callable[[int, int], Tensor]]
"""From a block to what makes the (k, high - low) weights of its rows low..high, for k columns of its problems."""
Add = Callable[[Tensor, int, int, Tensor], Any]
"""Adds what (k, high - low) weights make of rows low..high to a (k, ...) total, in place."""


class Rows(ABC):
    """n rows of `width` features, the last feature being the constant 1, sorted by block.

    Attributes:
        starts: First row of each block, and n.
        width: Features.
        mean_square: (width,) of the features.
        row_elements: What a row costs to read in a tile, as elements of float32.
        low_precision: What makes gradients `around` fits by cheaper products, if anything.
    """

    low_precision: Any = None
    starts: list[int]
    width: int
    mean_square: Tensor
    row_elements: int

    @abstractmethod
    def double(self) -> "Rows":
        """The same rows in float64."""

    @abstractmethod
    def dense(self, low: int, high: int) -> Tensor:
        """(high - low, width) rows in memory."""

    @abstractmethod
    def project(self, weights: Tensor) -> Any:
        """What `logits` needs of the (k, width) weights, computed once for all tiles."""

    @abstractmethod
    def select(self, projected: Any, columns: Tensor | None) -> Any:
        """The part of it for some columns of weights (None: all)."""

    @abstractmethod
    def logits(self, projected: Any, low: int, high: int) -> Tensor:
        """(k, high - low) products of the weights with the rows."""

    @abstractmethod
    def weighted_sum(self, tiles: Tiles, each: int, weigh: Weigh) -> Tensor:
        """(n_problems * each, width) sums of the rows, weighted."""

    def weighted_squares(self, tiles: Tiles, each: int, weigh: Weigh) -> Tensor:
        """(n_problems * each, width) sums of the squared rows, weighted."""
        return self.total(
            tiles, each, self.width, weigh, lambda part, low, high, w: part.addmm_(w, self.dense(low, high).square())
        )

    def total(self, tiles: Tiles, each: int, width: int, weigh: Weigh, add: Add) -> Tensor:
        """(n_problems * each, width) what `add` makes of all tiles, each core summing a share of them."""

        def work(share: Sequence[Tile]) -> Tensor:
            total = self.mean_square.new_zeros(tiles.n_problems * each, width)
            for number, mine in groupby(share, attrgetter("block")):
                weight, columns = weigh(tiles.blocks[number]), tiles.blocks[number].columns(each)
                part = total if columns is None else total.new_zeros(len(columns), width)
                for _, low, high in mine:
                    add(part, low, high, weight(low, high))
                if columns is not None:
                    total.index_add_(0, columns, part)
            return total

        return reduce(torch.add, run(work, tiles.tiles))

    def tiles(self, trains: Tensor, each: int) -> Tiles:
        """The tiles for k problems of `each` columns, which train on the blocks `trains` (B, k)."""
        found, n = Tiles(trains.shape[1], [], []), self.starts[-1]
        if trains.shape[1] * each * n <= ONE_TILE and n * self.width <= ONE_TILE:
            sizes = torch.as_tensor(self.starts, device=trains.device).diff()
            mask = trains.T.repeat_interleave(sizes, 1).to(self.mean_square)
            every = torch.arange(trains.shape[1], device=trains.device)
            return Tiles(trains.shape[1], [Block(every, trains.shape[1], mask)], [Tile(0, 0, n)])
        for trained, (low, high) in zip(trains, pairwise(self.starts), strict=True):
            problems = trained.nonzero()[:, 0]
            if len(problems) and low < high:
                ranges = self.ranges(low, high, len(problems) * each)
                found.tiles.extend(Tile(len(found.blocks), *pair) for pair in ranges)
                found.blocks.append(Block(problems, len(trained)))
        return found

    def ranges(self, low: int, high: int, n_columns: int) -> list[tuple[int, int]]:
        """Row ranges that fit into cache with their logits for n_columns columns."""
        kind = self.mean_square.device.type
        most = max(256, min(TILE[kind] // n_columns, TILE_ROWS[kind] // self.row_elements))
        # Of equal height, so that cores with as many tiles have as much to do.
        n_tiles = -(-(high - low) // most)
        return list(pairwise(low + (high - low) * i // n_tiles for i in range(n_tiles + 1))) if n_tiles else []


class DenseRows(Rows):
    """Rows that are in memory.

    Args:
        Z: (n, width) rows sorted by block, with a last column of ones.
        starts: First row of each block, and n.
    """

    def __init__(self, Z: Tensor, starts: list[int]) -> None:
        self.Z = Z
        self.starts = starts
        self.width = self.row_elements = Z.shape[1]

        def squares(lows: Sequence[int]) -> Tensor:
            return reduce(torch.add, (Z[low : low + CHUNK].square().sum(0) for low in lows))

        self.mean_square = reduce(torch.add, run(squares, range(0, len(Z), CHUNK))) / len(Z)

    def double(self) -> "DenseRows":
        """See `Rows`."""
        return DenseRows(self.Z.double(), self.starts)

    def dense(self, low: int, high: int) -> Tensor:
        """See `Rows`."""
        return self.Z[low:high]

    def project(self, weights: Tensor) -> Tensor:
        """See `Rows`."""
        return weights

    def select(self, projected: Tensor, columns: Tensor | None) -> Tensor:
        """See `Rows`."""
        return projected if columns is None else projected.index_select(0, columns)

    def logits(self, projected: Tensor, low: int, high: int) -> Tensor:
        """See `Rows`."""
        return projected @ self.Z[low:high].T

    def weighted_sum(self, tiles: Tiles, each: int, weigh: Weigh) -> Tensor:
        """See `Rows`."""
        return self.total(tiles, each, self.width, weigh, self.add)

    def add(self, part: Tensor, low: int, high: int, weights: Tensor) -> None:
        """Add weighted rows; the intercept is summed in cascades: probabilities near 1 do not cancel as features do."""
        part[:, :-1].addmm_(weights, self.Z[low:high, :-1])
        part[:, -1] += weights.sum(1)


def columns_of(problems: Tensor, each: int) -> Tensor:
    """(k * each,) positions of the columns of k problems, `each` per problem."""
    return (problems[:, None] * each + torch.arange(each, device=problems.device)).flatten()
