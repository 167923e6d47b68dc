"""Rows of a design matrix as the solvers see them: products over blocks of rows, one block per fold.

The solvers never hold a (rows x columns) array. They pass over tiles, ranges of rows small enough that logits and
probabilities of a tile stay in cache between the product that makes them and the product that consumes them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import reduce
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from gene_eval.core.solver.resources import run

TILE = {"cpu": 1 << 16, "cuda": 1 << 26}
"""Elements of logits in a tile: on a CPU they stay in its second-level cache."""
TILE_ROWS = {"cpu": 1 << 19, "cuda": 1 << 28}
"""Elements of the design matrix in a tile, which is read twice."""


def columns_of(problems: Tensor, each: int) -> Tensor:
    """(k * each,) positions of the columns of k problems, `each` per problem."""
    return (problems[:, None] * each + torch.arange(each, device=problems.device)).flatten()


class Block(NamedTuple):
    """Who trains on the rows of one block.

    Attributes:
        number: Counting only blocks that a problem trains on.
        problems: Positions of the problems in those asked for.
        columns: Positions of their columns; None: all.
    """

    number: int
    problems: Tensor
    columns: Tensor | None


class Tile(NamedTuple):
    """Some rows of one block.

    Attributes:
        block: Number of the block, of those that a problem trains on.
        low: First row.
        high: Row after the last.
    """

    block: int
    low: int
    high: int


class Tiles(NamedTuple):
    """All rows that any of the problems trains on.

    Attributes:
        n_columns: Columns of all problems.
        blocks: Who trains on them.
        tiles: In order.
    """

    n_columns: int
    blocks: list[Block]
    tiles: list[Tile]


CHUNK = 512
"""Rows copied or squared at a time."""

Weights = Callable[[Block], Callable[[int, int], Tensor]]
"""From a block to what makes the (k, high - low) weights of its rows, k being a number of columns per problem."""
Collect = Callable[[int, int, Tensor], None]
"""Adds the rows low..high, weighted by (k, high - low) residuals, to a sum."""


class Products(Protocol):
    """Products with n rows of `width` features, the last feature being the constant 1, sorted by block.

    Attributes:
        starts: First row of each block, and n.
        width: Features.
        row_elements: What a row costs to read in a tile, as elements of float32.
    """

    starts: list[int]
    width: int
    row_elements: int

    @property
    def device(self) -> torch.device:
        """Where the rows are."""

    def project(self, weights: Tensor) -> Any:
        """What `logits` needs of the (k, width) weights, computed once for all tiles."""

    def select(self, projected: Any, columns: Tensor | None) -> Any:
        """The part of it for some columns of weights (None: all)."""

    def logits(self, projected: Any, low: int, high: int) -> Tensor:
        """(k, high - low) products of the weights with the rows."""

    def accumulator(self, n_columns: int) -> Any:
        """A zero to collect into; two of them can be added."""

    def collecting(self, total: Any, columns: Tensor | None) -> AbstractContextManager[Collect]:
        """What adds weighted rows to some columns (None: all) of the total, which is complete when this is left."""

    def gathered(self, total: Any) -> Tensor:
        """The (n_columns, width) sum that was collected."""


class LowPrecision(Products, Protocol):
    """The same rows for products of lower precision."""

    def around(self, objective: Any, problems: Tensor) -> Any:
        """`Gradients` of the k numbered problems of the objective by these products."""


class Rows(Products, Protocol):
    """The rows themselves.

    Attributes:
        mean_square: (width,) of the features.
        low_precision: Makes gradients by cheaper products; None where there are none.
    """

    mean_square: Tensor
    low_precision: "LowPrecision | None"

    def double(self) -> "Rows":
        """The same rows in float64."""

    def dense(self, low: int, high: int) -> Tensor:
        """(high - low, width) rows in memory."""

    def collect_squares(self, total: Tensor, low: int, high: int, columns: Tensor | None, weights: Tensor) -> None:
        """Add the squared rows, weighted, to some columns of a (n_columns, width) total."""


def take_rows(table: Tensor, index: Tensor) -> Tensor:
    """(n, v) rows of a table, on all cores of a CPU."""
    if table.is_cuda:
        return table.index_select(0, index)
    out = table.new_empty(len(index), table.shape[1])

    def work(lows: Sequence[int]) -> None:
        for low in lows:
            torch.index_select(table, 0, index[low : low + CHUNK], out=out[low : low + CHUNK])

    run(work, range(0, len(index), CHUNK))
    return out


def fetched(tile: Tensor) -> Tensor:
    """The same rows, in cache: a product reads several rows side by side, and waits longer for memory than a sum."""
    if not tile.is_cuda:
        tile.sum()
    return tile


def tile_ranges(rows: Products, low: int, high: int, n_columns: int) -> Iterator[tuple[int, int]]:
    """Row ranges whose logits for n_columns columns fit into cache."""
    if low == high:
        return
    device = "cpu" if rows.device.type == "cpu" else "cuda"
    most = max(256, min(TILE[device] // max(n_columns, 1), TILE_ROWS[device] // rows.row_elements))
    # Of equal height, so that cores with as many tiles have as much to do.
    n_tiles = -(-(high - low) // most)
    cuts = [low + (high - low) * i // n_tiles for i in range(n_tiles + 1)]
    yield from pairwise(cuts)


def make_tiles(rows: Products, trains: Tensor, n_columns: int) -> Tiles:
    """The tiles that (B, k) `trains` makes of the rows, for k problems of n_columns columns each."""
    found = Tiles(trains.shape[1] * n_columns, [], [])
    for block, trained in enumerate(trains):
        problems = trained.nonzero()[:, 0]
        if not len(problems) or rows.starts[block] == rows.starts[block + 1]:
            continue
        ranges = tile_ranges(rows, rows.starts[block], rows.starts[block + 1], len(problems) * n_columns)
        number, every = len(found.blocks), len(problems) == len(trained)
        found.tiles.extend(Tile(number, low, high) for low, high in ranges)
        found.blocks.append(Block(number, problems, None if every else columns_of(problems, n_columns)))
    return found


def weighted_sum(rows: Products, tiles: Tiles, weights: Weights) -> Tensor:
    """(n_columns, width) sums of the rows, weighted."""

    def work(share: Sequence[Tile]) -> Any:
        total = rows.accumulator(tiles.n_columns)
        for number, mine in groupby(share, attrgetter("block")):
            block = tiles.blocks[number]
            weight = weights(block)
            with rows.collecting(total, block.columns) as collect:
                for tile in mine:
                    collect(tile.low, tile.high, weight(tile.low, tile.high))
        return total

    return rows.gathered(reduce(torch.add, run(work, tiles.tiles)))


def weighted_squares(rows: Rows, tiles: Tiles, n_problems: int, each: int, weights: Weights) -> Tensor:
    """(n_problems * each, width) sums of the squared rows, weighted; `each` need not be that of the tiles."""

    def work(share: Sequence[Tile]) -> Tensor:
        total = rows.mean_square.new_zeros(n_problems * each, rows.width)
        for number, mine in groupby(share, attrgetter("block")):
            block = tiles.blocks[number]
            weight, columns = weights(block), None if block.columns is None else columns_of(block.problems, each)
            for tile in mine:
                rows.collect_squares(total, tile.low, tile.high, columns, weight(tile.low, tile.high))
        return total

    return reduce(torch.add, run(work, tiles.tiles))


def above_thresholds(  # noqa: PLR0913 - as `weighted_squares`, and the thresholds
    rows: Rows, tiles: Tiles, n_problems: int, each: int, weights: Weights, thresholds: Sequence[float]
) -> Tensor:
    """(n_problems * each, T) how many rows have at least each of the thresholds as their weight."""

    def work(share: Sequence[Tile]) -> Tensor:
        total = rows.mean_square.new_zeros(n_problems * each, len(thresholds))
        for number, mine in groupby(share, attrgetter("block")):
            block = tiles.blocks[number]
            weight, columns = weights(block), columns_of(block.problems, each)
            for tile in mine:
                found = weight(tile.low, tile.high)
                counts = torch.stack([(found >= threshold).sum(1) for threshold in thresholds], 1)
                total.index_add_(0, columns, counts.to(total))
        return total

    return reduce(torch.add, run(work, tiles.tiles))


class Summing(ABC):
    """How `Products` with rows in memory are summed, whatever they are made in."""

    Z: Tensor
    width: int

    @property
    def device(self) -> torch.device:
        """See `Products`."""
        return self.Z.device

    @abstractmethod
    def add_product(self, total: Tensor, low: int, high: int, residuals: Tensor) -> None:
        """Add the features of the rows low..high, weighted, to a (k, width - 1) total."""

    def accumulator(self, n_columns: int) -> Tensor:
        """See `Products`; sums of bfloat16 are float32."""
        dtype = torch.promote_types(self.Z.dtype, torch.float32)
        return torch.zeros(n_columns, self.width, dtype=dtype, device=self.device)

    @contextmanager
    def collecting(self, total: Tensor, columns: Tensor | None) -> Iterator[Collect]:
        """See `Products`; the intercept is summed in cascades: probabilities near 1 do not cancel as features do."""
        part = total if columns is None else self.accumulator(len(columns))

        def collect(low: int, high: int, residuals: Tensor) -> None:
            self.add_product(part[:, :-1], low, high, residuals)
            part[:, -1] += residuals.sum(1)

        yield collect
        if columns is not None:
            total.index_add_(0, columns, part)

    def gathered(self, total: Tensor) -> Tensor:
        """See `Products`."""
        return total


class DenseRows(Summing):
    """Rows that are in memory.

    Args:
        Z: (n, width) rows sorted by block, with a last column of ones.
        starts: First row of each block, and n.
        low_precision: See `Rows`.
    """

    def __init__(self, Z: Tensor, starts: list[int], low_precision: LowPrecision | None = None) -> None:
        self.Z = Z
        self.starts = starts
        self.low_precision = low_precision
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
        return projected @ fetched(self.Z[low:high]).T

    def add_product(self, total: Tensor, low: int, high: int, residuals: Tensor) -> None:
        """See `Summing`."""
        total.addmm_(residuals, self.Z[low:high, :-1])

    def collect_squares(self, total: Tensor, low: int, high: int, columns: Tensor | None, weights: Tensor) -> None:
        """See `Rows`."""
        squares = self.Z[low:high].square()
        if columns is None:
            total.addmm_(weights, squares)
        else:
            total.index_add_(0, columns, weights @ squares)
