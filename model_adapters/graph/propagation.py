"""Vectors mixed with those of neighbours, without any label: SGC, APPNP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Model
from model_adapters.combined import record_of
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import UnknownModelError, VectorsError
from model_adapters.graph.access import OfGraph
from model_adapters.graph.alone import GRAPH
from model_adapters.options import Option, read_options, whole_number

__all__ = ["Propagated", "share"]

Load = Callable[[str], Model]
STEPS, ALPHA = 2, 0.0


def share() -> Option:
    """Make an option that takes a share."""

    def read(value: str) -> float:
        expected = "a number from 0 to below 1"
        try:
            number = float(value)
        except ValueError:
            raise ValueError(expected) from None
        if not 0 <= number < 1:
            raise ValueError(expected)
        return number

    return Option("SHARE", read)


class Propagated(OfGraph):
    """H_0 = X and H_k+1 = (1 - alpha) P H_k + alpha X, with P = D^-1/2 (A + I) D^-1/2: the vectors H_steps.

    With alpha = 0 this is SGC (Wu et al. 2019, arXiv 1902.07153), else APPNP (Gasteiger et al. 2019, arXiv 1810.05997)
    without a network. A gene without neighbours keeps its vector. Nodes of the graph that are terms begin with the
    vector of their definition, where the model encodes text, else with zeros.
    """

    adapter: ClassVar[str] = "propagate"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="propagate:graph=GRAPH[,steps=N][,alpha=SHARE],model=MODEL",
        family="graph",
        input="that of MODEL, and a graph (string, huri, biogrid, go, string+go)",
        dimension="that of MODEL",
        source="vectors of MODEL, mixed with those of neighbours",
        weights="those of MODEL",
    )

    def __init__(self, model: Model, *, graph: str, steps: int = STEPS, alpha: float = ALPHA) -> None:
        self.parts = (model,)
        self.graph, self.steps, self.alpha = graph, steps, alpha
        given = f"graph={graph},steps={steps}" + (f",alpha={alpha:g}" if alpha else "")
        self.model_id = f"{self.adapter}:{given},model={model.model_id}"
        self.revision = model.revision
        self.options = {"graph": graph, "steps": steps, "alpha": alpha, "parts": [record_of(model)]}

    @classmethod
    def from_argument(cls, argument: str, *, load: Load) -> Self:
        """Make the model of what follows `propagate:`; `model=` comes last and takes all that follows."""
        head, found, inside = argument.partition("model=")
        if not found or not inside or "graph=" not in head:
            message = f"{cls.adapter}:{argument} names no graph or no model, but needs both; write {cls.info.usage}"
            raise UnknownModelError(message)
        known = {"graph": GRAPH, "steps": whole_number(minimum=1), "alpha": share()}
        options = read_options([part for part in head.split(",") if part], known, adapter=cls.adapter)
        return cls(load(inside), **options)

    def combine_tables(self, tables: Sequence[EmbeddingTable]) -> EmbeddingTable:
        """Return the one table, propagated.

        Raises:
            EncodingError: No graph was handed over.
            VectorsError: Vectors of terms have another length than those of genes.
        """
        symbols, rows = tables[0].symbols, np.asarray(tables[0].matrix, dtype=np.float32)
        P, terms = self.access.normalised(symbols)
        X = np.concatenate([rows, self._of_terms(terms, rows.shape[1])]) if terms else rows
        P = P.astype(np.float32)
        H = X
        for _ in range(self.steps):
            H = P @ H if not self.alpha else np.float32(1 - self.alpha) * (P @ H) + np.float32(self.alpha) * X
        return EmbeddingTable(symbols, np.ascontiguousarray(H[: len(symbols)]))

    def _of_terms(self, terms: list[str], dim: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        table = self.access.term_vectors()
        vectors = np.zeros((len(terms), dim), dtype=np.float32)
        if table is None:
            return vectors
        if table.matrix.shape[1] != dim:
            message = (
                f"{self.model_id}: vectors of terms have {table.matrix.shape[1]} numbers, those of genes {dim};"
                " encode both by one model"
            )
            raise VectorsError(message)
        place = {name: row for row, name in enumerate(table.symbols)}
        known = [(node, place[name]) for node, name in enumerate(terms) if name in place]
        if known:
            nodes, places = map(list, zip(*known, strict=True))
            vectors[nodes] = table.matrix[places]
        return vectors
