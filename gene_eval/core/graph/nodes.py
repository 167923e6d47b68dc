"""A graph over the rows of a table of vectors, and its normalised adjacency matrix."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from gene_eval.core.errors import ProbeError

__all__ = ["Graph", "normalised"]

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Graph:
    """Undirected edges between N rows of a table and M further nodes, which have vectors but no labels.

    Attributes:
        n_rows: N; node i below it is row i of the table that X of a probe has its rows of, or row i of X itself.
        edges: (2, E) node numbers, each pair once, no node with itself.
        weight: (E,) above 0.
        extra: (M, d) vectors of nodes N..N+M-1.
        name: For messages and results.

    Raises:
        ProbeError: Shapes or numbers do not fit.
    """

    n_rows: int
    edges: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    extra: Array = field(default_factory=lambda: np.empty((0, 0)))
    name: str = "graph"

    def __post_init__(self) -> None:
        """Refuse what is no graph."""
        if self.edges.ndim != 2 or self.edges.shape[0] != 2 or self.weight.shape != self.edges.shape[1:]:
            msg = (
                f"{self.name}: edges have shape {self.edges.shape}, weights {self.weight.shape}; expected (2, E), (E,)"
            )
            raise ProbeError(msg)
        if self.edges.size and not 0 <= self.edges.min() <= self.edges.max() < self.n:
            msg = f"{self.name}: node numbers go from {self.edges.min()} to {self.edges.max()}, but there are {self.n}"
            raise ProbeError(msg)

    @property
    def n(self) -> int:
        """N + M."""
        return self.n_rows + len(self.extra)

    @cached_property
    def adjacency(self) -> Any:
        """(n, n) symmetric matrix of weights in CSR form, without self-loops."""
        one, other = self.edges
        ends = (np.concatenate([one, other]), np.concatenate([other, one]))
        matrix = scipy.sparse.coo_array((np.tile(self.weight, 2), ends), shape=(self.n, self.n))
        return matrix.tocsr()

    def node_vectors(self, rows: Array) -> npt.NDArray[np.float32]:
        """(n, d) vectors of all nodes, from those of the N rows.

        Raises:
            ProbeError: Vectors of the further nodes have another length.
        """
        if not len(self.extra):
            return np.ascontiguousarray(rows, dtype=np.float32)
        if self.extra.shape[1] != rows.shape[1]:
            msg = (
                f"{self.name}: vectors of its further nodes have {self.extra.shape[1]} numbers, those of the rows"
                f" {rows.shape[1]}; encode both by one model"
            )
            raise ProbeError(msg)
        return np.concatenate([rows, self.extra]).astype(np.float32)

    def without(self, nodes: npt.NDArray[np.int64]) -> "Graph":
        """The graph without the edges of these nodes."""
        gone = np.zeros(self.n, dtype=bool)
        gone[nodes] = True
        kept = ~gone[self.edges].any(axis=0)
        return Graph(self.n_rows, self.edges[:, kept], self.weight[kept], self.extra, self.name)


def normalised(adjacency: Any) -> Any:
    """D^-1/2 (A + I) D^-1/2 of a symmetric sparse matrix, D the row sums of A + I: a node without edges keeps itself.

    >>> normalised(scipy.sparse.csr_array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])).toarray()
    array([[0.5, 0.5, 0. ],
           [0.5, 0.5, 0. ],
           [0. , 0. , 1. ]])
    """
    with_loops = (adjacency + scipy.sparse.eye_array(adjacency.shape[0], format="csr")).tocsr()
    scale = scipy.sparse.dia_array((1 / np.sqrt(with_loops.sum(axis=1))[None], [0]), shape=adjacency.shape)
    return (scale @ with_loops @ scale).tocsr()
