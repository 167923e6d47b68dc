"""How an adapter sees a graph: the caller reads the edges, since adapters know no sources of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from model_adapters.errors import EncodingError

if TYPE_CHECKING:
    from model_adapters.embedding.table import EmbeddingTable

__all__ = ["GraphAccess", "OfGraph", "told_by_graph"]

# Tasks whose labels are computed from the annotations that a graph has as edges; gene pairs share such annotations.
_TOLD = {"go": ("go_*", "gene2vec_gene_pairs")}


def told_by_graph(graph: str) -> tuple[str, ...]:
    """Return globs of the tasks whose labels are made from a graph's edges.

    >>> told_by_graph("string:score=700+go:iea=no")
    ('go_*', 'gene2vec_gene_pairs')
    """
    names = [part.partition(":")[0] for part in graph.split("+")]
    return tuple(glob for name in names for glob in _TOLD.get(name, ()))


class GraphAccess(Protocol):
    """A graph of genes, and perhaps terms, by name."""

    def normalised(self, symbols: Sequence[str]) -> tuple[Any, list[str]]:
        """Return the (n + m, n + m) matrix D^-1/2 (A + I) D^-1/2 over these genes and m terms, and the terms' names."""

    def term_vectors(self) -> EmbeddingTable | None:
        """Vectors of terms from the model inside; None where it cannot encode them."""


class OfGraph:
    """A model that needs a graph, under the name `graph`, before it gives vectors."""

    graph: str
    model_id: str
    _access: GraphAccess | None = None

    def take_graph(self, access: GraphAccess) -> None:
        """Take the graph that `graph` names."""
        self._access = access

    @property
    def access(self) -> GraphAccess:
        """The graph that was handed over.

        Raises:
            EncodingError: None was.
        """
        if self._access is None:
            message = f"{self.model_id} needs the edges of the graph {self.graph}, which gene-bench run and embed read"
            raise EncodingError(message)
        return self._access
