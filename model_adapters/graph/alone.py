"""Vectors of a graph alone, without any model: leading eigenvectors, and node2vec."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from model_adapters.base import AdapterInfo, Model
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import EncodingError, UnknownModelError
from model_adapters.graph.access import OfGraph
from model_adapters.options import Option, read_options, whole_number, word

__all__ = ["GRAPH", "Node2vec", "Spectral"]

GRAPH = word("GRAPH")
Rows = npt.NDArray[np.int64]


class _OfGraphAlone(OfGraph):
    """A model whose options, besides the graph, are numbers with defaults."""

    adapter: ClassVar[str]
    info: ClassVar[AdapterInfo]
    KNOWN: ClassVar[dict[str, Option]]
    DEFAULTS: ClassVar[dict[str, Any]]
    revision = None
    parts: tuple[Model, ...] = ()

    def __init__(self, *, graph: str, **options: Any) -> None:
        self.graph = graph
        self.options = {"graph": graph, **self.DEFAULTS, **options}
        changed = [f",{name}={self.options[name]:g}" for name, usual in self.DEFAULTS.items() if self[name] != usual]
        self.model_id = f"{self.adapter}:graph={graph}{''.join(changed)}"

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    @classmethod
    def from_argument(cls, argument: str, *, load: Callable[[str], Model]) -> Self:
        """Make the model of what follows its name."""
        known = {"graph": GRAPH, **cls.KNOWN}
        options = read_options([part for part in argument.split(",") if part], known, adapter=cls.adapter)
        if "graph" not in options:
            message = f"{cls.adapter} needs a graph; write {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(**options)


class Spectral(_OfGraphAlone):
    """The entries of each gene in the leading eigenvectors of P = D^-1/2 (A + I) D^-1/2, times the eigenvalues.

    They know the graph and nothing else: what a network gives without any model. Genes without an edge have no vector.
    """

    adapter: ClassVar[str] = "spectral"
    KNOWN: ClassVar = {"dim": whole_number(minimum=1), "seed": whole_number(minimum=0)}
    DEFAULTS: ClassVar = {"dim": 128, "seed": 0}
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="spectral:graph=GRAPH[,dim=N][,seed=N]",
        family="graph",
        input="a graph (string, huri, biogrid, go, string+go)",
        dimension="128, or dim=N",
        source="leading eigenvectors of the graph",
    )

    def encode_table(self, genes: Any) -> EmbeddingTable:
        """Return the vectors of the genes that have an edge.

        Raises:
            EncodingError: No graph was handed over, or it is smaller than the vectors are long.
        """
        from scipy.sparse.linalg import eigsh

        symbols: list[str] = genes["symbol"][:]
        P, _ = self.access.normalised(symbols)
        joined = np.flatnonzero(np.diff(P.indptr) > 1)
        dim = self["dim"]
        if len(joined) <= dim:
            message = f"{self.model_id}: {len(joined):,} nodes have an edge, fewer than dim={dim}; take a smaller dim"
            raise EncodingError(message)
        start = np.random.default_rng(self["seed"]).standard_normal(len(joined))
        values, vectors = eigsh(P[joined][:, joined].astype(np.float64), k=dim, which="LA", v0=start)
        order = np.argsort(-values, kind="stable")
        values, vectors = values[order], vectors[:, order]
        # The sign of an eigenvector is arbitrary.
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(dim)])
        of_genes = joined < len(symbols)
        names = [symbols[row] for row in joined[of_genes]]
        return EmbeddingTable(names, (vectors * values)[of_genes].astype(np.float32))


class Node2vec(_OfGraphAlone):
    """Vectors of nodes that meet on random walks: skip-gram over biased walks (Grover and Leskovec 2016, 1607.00653).

    A walk that came from t to v goes on to a neighbour x of v with weight 1/p if x is t, 1 if x is a neighbour of t,
    and 1/q otherwise. `walks` walks of `length` nodes begin at every gene with an edge; terms are met on the way.
    gensim's Word2Vec makes the vectors, in one thread, so that they are reproducible.
    """

    adapter: ClassVar[str] = "node2vec"
    KNOWN: ClassVar = {
        "p": Option("NUMBER", lambda value: _above_zero(value)),
        "q": Option("NUMBER", lambda value: _above_zero(value)),
        **{name: whole_number(minimum=1) for name in ("walks", "window", "dim")},
        "length": whole_number(minimum=2),
        "seed": whole_number(minimum=0),
    }
    DEFAULTS: ClassVar = {"p": 1.0, "q": 1.0, "walks": 10, "length": 40, "window": 5, "dim": 128, "seed": 0}
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="node2vec:graph=GRAPH[,p=NUMBER][,q=NUMBER][,walks=N][,length=N][,window=N][,dim=N][,seed=N]",
        family="graph",
        input="a graph (string, huri, biogrid, go, string+go)",
        dimension="128, or dim=N",
        source="random walks on the graph; needs gensim",
    )

    def encode_table(self, genes: Any) -> EmbeddingTable:
        """Return the vectors of the genes that have an edge.

        Raises:
            EncodingError: No graph was handed over, or gensim is not installed.
        """
        try:
            # Late: it takes seconds to import, and need not be installed.
            from gensim.models import Word2Vec
        except ImportError as error:
            message = "node2vec needs gensim, which is not installed; pip install 'gene-bench[graph]'"
            raise EncodingError(message) from error
        symbols: list[str] = genes["symbol"][:]
        P, _ = self.access.normalised(symbols)
        starts = np.flatnonzero(np.diff(P.indptr)[: len(symbols)] > 1)
        if not len(starts):
            message = f"{self.model_id}: no gene has an edge; take another graph"
            raise EncodingError(message)
        rng = np.random.default_rng(self["seed"])
        walks = np.concatenate(
            [random_walks(P, rng.permutation(starts), self["length"], rng, p=self["p"], q=self["q"])
             for _ in range(self["walks"])]
        )  # fmt: skip
        made = Word2Vec(
            _Sentences(walks), vector_size=self["dim"], window=self["window"], seed=self["seed"],
            sg=1, negative=5, min_count=1, epochs=1, workers=1,
        )  # fmt: skip
        rows = [made.wv.key_to_index[str(start)] for start in starts]
        return EmbeddingTable([symbols[start] for start in starts], made.wv.vectors[rows].astype(np.float32))


def random_walks(P: Any, starts: Rows, length: int, rng: np.random.Generator, *, p: float, q: float) -> Rows:
    """(starts, length) nodes of one walk from each start, which must have an edge.

    A neighbour is proposed at random and accepted with probability weight over largest weight, else another is
    proposed: the same chances as by tables of all pairs of edges, which would not fit in memory.

    Args:
        P: (n, n) sparse matrix in CSR form; what is not on its diagonal is an edge.
        starts: Nodes.
        length: Nodes of a walk.
        rng: Generator of the walks.
        p: Going back has weight 1/p.
        q: Going to a node that the last one has no edge to has weight 1/q.
    """
    coo = P.tocoo()
    edges = coo.row != coo.col
    # In order of row, then of column.
    codes = np.sort(coo.row[edges].astype(np.int64) * P.shape[0] + coo.col[edges])
    ends = codes % P.shape[0]
    first = np.searchsorted(codes, np.arange(P.shape[0] + 1) * P.shape[0])
    degree = np.diff(first)
    largest = max(1.0, 1 / p, 1 / q)
    walks = np.empty((len(starts), length), dtype=np.int64)
    walks[:, 0] = starts
    for step in range(1, length):
        left = np.arange(len(starts))
        while len(left):
            here = walks[left, step - 1]
            there = ends[first[here] + (rng.random(len(left)) * degree[here]).astype(np.int64)]
            walks[left, step] = there
            if step == 1 or p == q == 1:
                break
            last = walks[left, step - 2]
            code = last * P.shape[0] + there
            place = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
            weight = np.where(there == last, 1 / p, np.where(codes[place] == code, 1.0, 1 / q))
            left = left[rng.random(len(left)) * largest >= weight]
    return walks


class _Sentences:
    """Walks as gensim reads them, more than once."""

    def __init__(self, walks: Rows) -> None:
        self.walks = walks

    def __iter__(self) -> Iterator[list[str]]:
        names = np.array([str(node) for node in range(int(self.walks.max()) + 1)], dtype=object)
        for walk in self.walks:
            yield names[walk].tolist()


def _above_zero(value: str) -> float:
    expected = "a number above 0"
    try:
        number = float(value)
    except ValueError:
        raise ValueError(expected) from None
    if not 0 < number < np.inf:
        raise ValueError(expected)
    return number
