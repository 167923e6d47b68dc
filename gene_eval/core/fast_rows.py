"""Rows of a design matrix as the solvers see them: products over blocks of rows, one block per fold.

The solvers never hold a (rows x columns) array. They walk over tiles, ranges of rows small enough that logits and
probabilities of a tile stay in cache between the product that makes them and the product that consumes them.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

TILE_ELEMENTS = {"cpu": 1 << 18, "cuda": 1 << 26}


class Rows(Protocol):
    """n rows of `width` features, the last feature being the constant 1, sorted by block."""

    starts: list[int]
    width: int
    mean_square: Tensor

    def project(self, weights: Tensor) -> Any:
        """What `logits` needs of the (k, width) weights, computed once for all tiles."""

    def logits(self, projected: Any, low: int, high: int, columns: Tensor | None) -> Tensor:
        """(high - low, k) products of the rows with the weights, or with the weights of some columns."""

    def accumulator(self, n_columns: int) -> Any:
        """A zero to `collect` into."""

    def collect(self, total: Any, low: int, high: int, columns: Tensor | None, residuals: Tensor) -> None:
        """Add the rows, weighted by (high - low, k) residuals, to some columns (None: all) of the total."""

    def gathered(self, total: Any) -> Tensor:
        """The (n_columns, width) sum that was collected."""

    def collect_squares(self, total: Tensor, low: int, high: int, columns: Tensor | None, weights: Tensor) -> None:
        """Add the squared rows, weighted, to some columns of a (n_columns, width) total."""

    def double(self) -> "Rows":
        """The same rows in float64."""

    def dense(self, low: int, high: int) -> Tensor:
        """(high - low, width) rows in memory."""


def tiles(rows: Rows, block: int, n_columns: int) -> Iterator[tuple[int, int]]:
    """Row ranges of one block whose logits for n_columns columns fit into cache."""
    elements = TILE_ELEMENTS.get(rows.mean_square.device.type, 1 << 22)
    step = max(256, elements // max(n_columns, 1))
    for low in range(rows.starts[block], rows.starts[block + 1], step):
        yield low, min(low + step, rows.starts[block + 1])


class DenseRows:
    """Rows that are in memory.

    Args:
        Z: (n, width) rows sorted by block, with a last column of ones.
        starts: First row of each block, and n.
    """

    def __init__(self, Z: Tensor, starts: list[int]) -> None:
        self.Z = Z
        self.starts = starts
        self.width = Z.shape[1]
        self.mean_square = torch.linalg.vector_norm(Z, dim=0).square_().div_(len(Z))

    def double(self) -> "DenseRows":
        return DenseRows(self.Z.double(), self.starts)

    def dense(self, low: int, high: int) -> Tensor:
        return self.Z[low:high]

    def project(self, weights: Tensor) -> Tensor:
        return weights

    def logits(self, projected: Tensor, low: int, high: int, columns: Tensor | None) -> Tensor:
        return self.Z[low:high] @ (projected if columns is None else projected[columns]).T

    def accumulator(self, n_columns: int) -> Tensor:
        return self.Z.new_zeros(n_columns, self.width)

    def collect(self, total: Tensor, low: int, high: int, columns: Tensor | None, residuals: Tensor) -> None:
        if columns is None:
            total.addmm_(residuals.T, self.Z[low:high])
        else:
            total.index_add_(0, columns, residuals.T @ self.Z[low:high])

    def gathered(self, total: Tensor) -> Tensor:
        return total

    def collect_squares(self, total: Tensor, low: int, high: int, columns: Tensor | None, weights: Tensor) -> None:
        self_squared = self.Z[low:high].square()
        if columns is None:
            total.addmm_(weights.T, self_squared)
        else:
            total.index_add_(0, columns, weights.T @ self_squared)
