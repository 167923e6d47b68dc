"""One table of vectors for many tasks, and the forms in which `probe` takes rows."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError
from gene_eval.core.pairs import PairedRows

__all__ = ["TableRows", "VectorTable", "Vectors", "as_array"]


class VectorTable:
    """All vectors of one model, to be shared by the tasks that score it.

    What is costly about the vectors alone, the eigenbasis of their Gram matrix and their coordinates in it, is made
    once, by the first task that needs it, and kept: it is exact for every subset of rows, see `rotation`.

    Args:
        vectors: (N, d) numbers.

    >>> table = VectorTable(np.eye(3))
    >>> table.rows(np.array([2, 0])).materialise()
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """

    def __init__(self, vectors: npt.NDArray[np.floating[Any]]) -> None:
        """Hold the vectors; nothing is computed yet."""
        self.vectors = vectors if vectors.dtype in (np.float32, np.float64) else vectors.astype(np.float64)
        self.cache: dict[str, Any] = {}

    def rows(self, index: npt.NDArray[np.integer[Any]]) -> "TableRows":
        """The vectors at these rows, as X for `probe`."""
        return TableRows(self, index)


class TableRows:
    """n rows of a table.

    Args:
        table: The table.
        index: (n,) rows of it.

    Raises:
        ProbeError: Rows that the table does not have.
    """

    def __init__(self, table: VectorTable, index: npt.NDArray[np.integer[Any]]) -> None:
        """Refuse rows that the table does not have."""
        if len(index) and not 0 <= index.min() <= index.max() < len(table.vectors):
            msg = f"row numbers must be 0..{len(table.vectors) - 1}, got {index.min()}..{index.max()}"
            raise ProbeError(msg)
        self.table, self.index = table, index

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.index)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return len(self), self.table.vectors.shape[1]

    def materialise(self) -> npt.NDArray[np.floating[Any]]:
        """The (n, d) array."""
        chosen: npt.NDArray[np.floating[Any]] = self.table.vectors[self.index]
        return chosen


Vectors: TypeAlias = npt.NDArray[np.floating[Any]] | PairedRows | TableRows


def as_array(X: Vectors) -> npt.NDArray[np.floating[Any]]:
    """X as an (n, d) array."""
    return X.materialise() if isinstance(X, PairedRows | TableRows) else X
