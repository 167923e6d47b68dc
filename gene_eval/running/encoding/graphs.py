"""Graphs of a run: edges by name, over the genes that a model has vectors for, for models and heads that need one."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from builders import RawFiles
from builders.graphs import Edges, is_term, read_graph
from gene_eval.core.graph.nodes import Graph, normalised
from gene_eval.core.graph.rewiring import rewired
from gene_eval.errors import CoverageError
from model_adapters import EmbeddingTable

__all__ = ["GraphReader", "hand_over"]


class GraphReader:
    """One graph, for adapters (`model_adapters.graph.access.GraphAccess`) and for heads.

    Args:
        name: As `builders.graphs.parse_graph` reads it.
        raw: Raw files shared by the run.
        terms: Makes the vectors of the ontology's terms; None where no model encodes them.
        log: Takes a line for the user.

    Raises:
        BuilderError: There is no such graph.
    """

    def __init__(
        self,
        name: str,
        raw: RawFiles,
        *,
        terms: Callable[[], EmbeddingTable | None] = lambda: None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name, self._terms, self._log = name, terms, log
        self.edges: Edges = raw.once(("graph", name), lambda: read_graph(name, raw))

    def term_vectors(self) -> EmbeddingTable | None:
        """Vectors of terms; None where there are none."""
        return self._terms()

    def normalised(self, symbols: Sequence[str]) -> tuple[Any, list[str]]:
        """D^-1/2 (A + I) D^-1/2 over these genes and the graph's terms, edges unweighted, and the terms' names."""
        graph, terms = self._nodes(symbols)
        return normalised(graph.adjacency.sign()), terms

    def over(self, symbols: Sequence[str], dim: int) -> Graph:
        """The graph over rows of these genes, with the vectors of its terms, or zeros."""
        graph, terms = self._nodes(symbols)
        vectors = np.zeros((len(terms), dim), dtype=np.float32)
        table = self.term_vectors() if terms else None
        if table is not None:
            if table.matrix.shape[1] != dim:
                message = (
                    f"graph {self.name}: vectors of terms have {table.matrix.shape[1]} numbers, those of genes {dim};"
                    " name the model of the genes, or none, with --terms"
                )
                raise CoverageError(message)
            row = {name: i for i, name in enumerate(table.symbols)}
            for node, name in enumerate(terms):
                if name in row:
                    vectors[node] = table.matrix[row[name]]
        return Graph(graph.n_rows, graph.edges, graph.weight, vectors, self.name)

    def sha256(self, graph: Graph) -> str:
        """Hash of the edges and of the vectors of terms: what a result depends on besides the genes' vectors."""
        return hashlib.sha256(self.edges.sha256.encode() + graph.extra.tobytes()).hexdigest()

    def _nodes(self, symbols: Sequence[str]) -> tuple[Graph, list[str]]:
        """The edges whose ends all are such genes, or terms; the others are counted.

        Raises:
            CoverageError: No edge is left.
        """
        table = self.edges.table
        names = sorted({name for end in ("source", "target") for name in table[end].unique() if is_term(name)})
        place = {name: i for i, name in enumerate([*symbols, *names])}
        ends: npt.NDArray[np.float64] = np.stack(
            [table[end].map(place).to_numpy(float) for end in ("source", "target")]
        )
        known = np.isfinite(ends).all(axis=0)
        if not known.any():
            genes = ", ".join(table["source"].head(3))
            message = f"graph {self.name} joins none of the {len(symbols):,} genes that have vectors (it has {genes})"
            raise CoverageError(message)
        if not known.all():
            lost = {name for end in ("source", "target") for name in table[end].unique()} - place.keys()
            self._log(
                f"graph {self.name}: {int(known.sum()):,} edges; {int((~known).sum()):,} more name {len(lost):,} genes"
                f" without a vector, such as {min(lost)}"
            )
        weight = table["weight"].to_numpy(float)[known]
        extra = np.zeros((len(names), 1), dtype=np.float32)
        graph = Graph(len(symbols), ends[:, known].astype(np.int64), weight, extra, self.name)
        if self.edges.rewired is not None:
            kind = (np.arange(graph.n) >= len(symbols)).astype(np.int64)
            graph = rewired(graph, kind, seed=self.edges.rewired)
        return graph, names


def hand_over(model: Any, read: Callable[[str, Any], GraphReader]) -> None:
    """Give a model that needs a graph its graph, and each of its parts theirs.

    Args:
        model: From `model_adapters.load_model`.
        read: Makes the graph of a name, for the model inside, which encodes terms.
    """
    parts = getattr(model, "parts", ())
    for part in parts:
        hand_over(part, read)
    if callable(take := getattr(model, "take_graph", None)):
        take(read(model.graph, parts[0] if parts else None))
