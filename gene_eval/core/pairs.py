"""Rows that are pairs of table rows: a gene with a gene, a gene with a disease."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError, UnknownNameError

__all__ = ["PairedRows"]

MODES = ("average", "concat")


@dataclass(frozen=True)
class PairedRows:
    """n vectors, each made of one row of each of two tables; `probe` takes it as X without building the (n, d) array.

    Attributes:
        left: (N, d) finite vectors, one per gene.
        left_index: (n,) rows of `left`.
        right: (M, e) vectors; may be the same array as `left`. For "average", e = d.
        right_index: (n,) rows of `right`.
        mode: "average", half the sum of the two, or "concat", the first followed by the second.

    Raises:
        ProbeError: Shapes, row numbers or mode do not fit.

    >>> genes = np.array([[0.0, 2.0], [4.0, 6.0]])
    >>> PairedRows(genes, np.array([0, 0]), genes, np.array([1, 0])).materialise()
    array([[2., 4.],
           [0., 2.]])
    """

    left: npt.NDArray[np.floating[Any]]
    left_index: npt.NDArray[np.integer[Any]]
    right: npt.NDArray[np.floating[Any]]
    right_index: npt.NDArray[np.integer[Any]]
    mode: str = "average"

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.mode not in MODES:
            raise UnknownNameError(self.mode, kind="pair mode", known=MODES)
        if self.left.ndim != 2 or self.right.ndim != 2:
            msg = f"the tables of pairs must be 2-D, but have shapes {self.left.shape} and {self.right.shape}"
            raise ProbeError(msg)
        if self.mode == "average" and self.left.shape[1] != self.right.shape[1]:
            msg = f"only vectors of one length can be averaged, got {self.left.shape[1]} and {self.right.shape[1]}"
            raise ProbeError(msg)
        if self.left_index.ndim != 1 or self.left_index.shape != self.right_index.shape:
            msg = f"pairs need two row numbers each, got {self.left_index.shape} and {self.right_index.shape}"
            raise ProbeError(msg)
        for index, table in ((self.left_index, self.left), (self.right_index, self.right)):
            if len(index) and not 0 <= index.min() <= index.max() < len(table):
                msg = f"row numbers of pairs must be 0..{len(table) - 1}, got {index.min()}..{index.max()}"
                raise ProbeError(msg)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.left_index)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d), as the materialised array would have."""
        width = self.left.shape[1] if self.mode == "average" else self.left.shape[1] + self.right.shape[1]
        return len(self), width

    def take(self, rows: npt.NDArray[Any] | slice) -> "PairedRows":
        """The pairs at these positions."""
        return PairedRows(self.left, self.left_index[rows], self.right, self.right_index[rows], self.mode)

    def materialise(self) -> npt.NDArray[np.floating[Any]]:
        """The (n, d) array."""
        left, right = self.left[self.left_index], self.right[self.right_index]
        return (left + right) / 2 if self.mode == "average" else np.concatenate([left, right], axis=1)

    def compact(self) -> "PairedRows":
        """The same pairs, on tables that have only the rows that occur."""
        left, left_index = np.unique(self.left_index, return_inverse=True)
        right, right_index = np.unique(self.right_index, return_inverse=True)
        return PairedRows(self.left[left], left_index, self.right[right], right_index, self.mode)
