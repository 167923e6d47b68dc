"""One table of vectors for many tasks, and the forms in which `probe` takes rows."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError
from gene_eval.core.pairs import PairedRows

__all__ = ["TableRows", "VectorTable", "Vectors", "as_array"]


SHARED: Final = 0.3
"""Share of their union that a task and a group must have in common for the task to take the group's eigenbasis."""


class VectorTable:
    """All vectors of one model, to be shared by the tasks that score it.

    What is costly and depends on the vectors alone (the eigenbasis of a Gram matrix and the coordinates in it) is made
    once, by the first task that needs it, and kept. It is exact for all rows, but guides the solver less well the less
    the rows of a task resemble those it was made from, see `rotation`. Which group a task takes depends only on its own
    rows, not on earlier tasks.

    Args:
        vectors: (N, d) numbers.
        groups: Row numbers of groups that tasks draw from, such as protein-coding genes; all rows are a group too.

    >>> table = VectorTable(np.eye(3))
    >>> table.rows(np.array([2, 0])).materialise()
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """

    def __init__(
        self, vectors: npt.NDArray[np.floating[Any]], *, groups: Sequence[npt.NDArray[np.integer[Any]]] = ()
    ) -> None:
        """Hold the vectors; nothing is computed yet."""
        self.vectors = vectors if vectors.dtype in (np.float32, np.float64) else vectors.astype(np.float64)
        self.groups = (np.arange(len(vectors)), *groups)
        self.cache: dict[str, Any] = {}

    def rows(self, index: npt.NDArray[np.integer[Any]]) -> "TableRows":
        """The vectors at these rows, as X for `probe`."""
        return TableRows(self, index)

    def group_of(self, index: npt.NDArray[np.integer[Any]]) -> int | None:
        """The number of the group with the largest overlap with these rows; None if no overlap is large enough.

        >>> table = VectorTable(np.ones((9, 1)), groups=[np.arange(4)])
        >>> [table.group_of(np.arange(n)) for n in (1, 3, 8)]
        [None, 1, 0]
        """
        mine = np.zeros(len(self.vectors), dtype=bool)
        mine[index] = True
        both = np.array([mine[group].sum() for group in self.groups])
        overlap = both / (np.array([len(group) for group in self.groups]) + mine.sum() - both)
        # A group that has no more rows than dimensions has only a basis of its own span.
        overlap[[len(group) <= self.vectors.shape[1] for group in self.groups]] = 0
        best = int(overlap.argmax())
        return best if overlap[best] >= SHARED else None


class TableRows:
    """n rows of a table.

    Args:
        table: The table.
        index: (n,) rows of it.

    Raises:
        ProbeError: The table does not have these rows.
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
