"""Pairs for the solvers: products over the genes, then a gather; the transpose is a scatter, then a product.

A pair's vector in solver coordinates is the sum of one row of each of two tables, G[i] + H[j]: for the average,
G = (A - mean) V / 2 and H = (B - mean) V / 2; for the concatenation V is cut into the rows that meet A and those that
meet B. Its products with weights cost the two tables, not the pairs. The Gram matrix comes from the tables and the
sparse matrix S of how often each (i, j) occurs: A' S B, and A' diag(S 1) A.
"""

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import groupby
from operator import attrgetter

import numpy as np
import torch
from torch import Tensor

from gene_eval.core.pairs import PairedRows
from gene_eval.core.solver.eigenbasis import SMALL, as_tensor, eigh, unit_of
from gene_eval.core.solver.resources import all_cores, run
from gene_eval.core.solver.rows import Rows, Tile, Weigh

MIN_SCATTER = 1 << 18
"""Elements of residuals whose scatter is worth more than one core."""
ROW_ELEMENTS = 16
"""What a pair costs to read in a tile, as elements of a dense row."""
CHUNK = 1024
"""Rows of a table multiplied at a time."""


class PairRows(Rows):
    """`Rows` whose row i is left[left_index[i]] + right[right_index[i]].

    Args:
        tables: (N, width) left and (M, width) right.
        indices: (n,) rows of each, sorted by block.
        starts: First pair of each block, and n.
        mean_square: (width,) mean squares of the pairs' features.
    """

    row_elements = ROW_ELEMENTS

    def __init__(
        self, tables: tuple[Tensor, Tensor], indices: tuple[Tensor, Tensor], starts: list[int], mean_square: Tensor
    ) -> None:
        self.tables, self.indices, self.starts = tables, indices, starts
        self.mean_square = mean_square
        self.width = len(mean_square)
        self.scatter = [incidence(index, len(table), table.dtype) for index, table in zip(indices, tables, strict=True)]

    def double(self) -> "PairRows":
        """See `Rows`."""
        left, right = self.tables
        return PairRows((left.double(), right.double()), self.indices, self.starts, self.mean_square.double())

    def dense(self, low: int, high: int) -> Tensor:
        """See `Rows`."""
        return self._gather(self.tables, low, high)

    def project(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The (N, k) and (M, k) products of the tables with the weights."""
        left, right = (table.new_empty(len(table), len(weights)) for table in self.tables)

        def work(lows: Sequence[tuple[Tensor, Tensor, int]]) -> None:
            for table, out, low in lows:
                torch.mm(table[low : low + CHUNK], weights.T, out=out[low : low + CHUNK])

        both = zip(self.tables, (left, right), strict=True)
        run(work, [(table, out, low) for table, out in both for low in range(0, len(table), CHUNK)])
        return left, right

    def select(self, projected: tuple[Tensor, Tensor], columns: Tensor | None) -> tuple[Tensor, Tensor]:
        """See `Rows`."""
        left, right = projected
        return projected if columns is None else (left[:, columns], right[:, columns])

    def logits(self, projected: tuple[Tensor, Tensor], low: int, high: int) -> Tensor:
        """See `Rows`."""
        return self._gather(projected, low, high).T

    def weighted_sum(self, tiles: list[Tile], each: int, weigh: Weigh) -> Tensor:
        """See `Rows`: the weights of the pairs, summed over genes."""
        weights = self.mean_square.new_zeros(self.starts[-1], tiles[0].block.n_problems * each)

        def work(share: Sequence[Tile]) -> None:
            for block, mine in groupby(share, attrgetter("block")):
                weight, columns = weigh(block), block.columns(each)
                for _, low, high in mine:
                    weights[low:high, slice(None) if columns is None else columns] = weight(low, high).T

        run(work, tiles)
        with all_cores() if weights.numel() > MIN_SCATTER else nullcontext():
            left, right = ((s @ weights).T @ table for s, table in zip(self.scatter, self.tables, strict=True))
            return left + right

    def _gather(self, tables: tuple[Tensor, Tensor], low: int, high: int) -> Tensor:
        left, right = (table[index[low:high]] for table, index in zip(tables, self.indices, strict=True))
        return left.add_(right)


@torch.no_grad()
def rotate_pairs(pairs: PairedRows, *, device: str) -> tuple[Tensor, Tensor, Tensor, float]:
    """Two tables whose row sums are the pairs in their eigenbasis, its (r,) eigenvalues ascending, and a unit.

    All but the unit are of vectors divided by it. The tables end with a column of halves, so that pairs end with a 1.
    They are in float64, or float32 where that would take longer than a solve.
    """
    indices = [torch.as_tensor(index, device=device) for index in (pairs.left_index, pairs.right_index)]
    dtype = torch.float64 if max(pairs.left.shape[1], pairs.right.shape[1]) <= SMALL else torch.float32
    both = [as_tensor(table, device).double() for table in (pairs.left, pairs.right)]
    unit = max(map(unit_of, both))
    scale = (0.5 if pairs.mode == "average" else 1.0) / unit
    tables = []
    for table, index in zip(both, indices, strict=True):
        vectors = table * scale
        count = torch.bincount(index, minlength=len(vectors)).to(vectors)
        tables.append(((vectors - count @ vectors / len(pairs)).to(dtype), count.to(dtype)))
    (a, a_count), (b, b_count) = tables
    with all_cores():
        ones = torch.ones(len(pairs), dtype=a.dtype, device=device)
        together = torch.sparse_coo_tensor(torch.stack(indices), ones, (len(a), len(b)), check_invariants=False)
        cross = a.T @ (together.coalesce() @ b)
        left, right = (a * a_count[:, None]).T @ a, (b * b_count[:, None]).T @ b
        if pairs.mode == "average":
            values, vectors = eigh(left + right + cross + cross.T)
            bases = (vectors, vectors)
        else:
            values, vectors = eigh(torch.cat([torch.cat([left, cross], 1), torch.cat([cross.T, right], 1)]))
            bases = (vectors[: a.shape[1]], vectors[a.shape[1] :])
        left, right = (
            torch.nn.functional.pad(t @ basis, (0, 1), value=0.5) for t, basis in ((a, bases[0]), (b, bases[1]))
        )
    return left, right, values.clamp(min=0), unit


def incidence(index: Tensor, n_rows: int, dtype: torch.dtype) -> Tensor:
    """(n_rows, n) sparse 0/1 matrix with a 1 at (index[i], i)."""
    order = torch.argsort(index, stable=True)
    starts = torch.zeros(n_rows + 1, dtype=torch.int64, device=index.device)
    starts[1:] = torch.bincount(index, minlength=n_rows).cumsum(0)
    ones = torch.ones(len(index), dtype=dtype, device=index.device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(starts, order, ones, (n_rows, len(index)), check_invariants=False)


def pays_as_pairs(pairs: PairedRows) -> bool:
    """Whether products over the tables are cheaper than products over the pairs."""
    return len(pairs) > max(len(np.unique(pairs.left_index)) + len(np.unique(pairs.right_index)), pairs.shape[1])
