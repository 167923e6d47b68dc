"""A graph with the same degrees and other edges: what a score owes to how many neighbours there are, not to which."""

import numpy as np
import numpy.typing as npt

from gene_eval.core.graph.nodes import Graph

__all__ = ["rewired"]

ROUNDS = 20
"""Passes over all edges; in each, every edge is in one attempt to swap."""


def rewired(graph: Graph, kind: npt.NDArray[np.int64], *, seed: int) -> Graph:
    """Swap the ends of pairs of edges of one kind, (a, b) and (c, d) to (a, d) and (c, b), again and again.

    Every node keeps its number of edges of each kind, and weights stay with the first of the two nodes. A swap that
    would join a node with itself, or two that are joined, is left out.

    Args:
        graph: The graph.
        kind: (n,) kind of each node, such as gene or term: an edge's kind is that of its two ends.
        seed: Of the swaps.
    """
    edges = graph.edges.copy()
    # The lower kind first, so that a swap keeps an edge between a gene and a term one.
    turned = kind[edges[0]] > kind[edges[1]]
    edges[:, turned] = edges[::-1, turned]
    rng = np.random.default_rng(seed)
    kinds = kind[edges[0]] * (int(kind.max()) + 1) + kind[edges[1]]
    for each in np.unique(kinds):
        own = np.flatnonzero(kinds == each)
        edges[:, own] = _swapped(edges[:, own], graph.n, rng, is_mixed=bool(np.ptp(kind[edges[:, own[0]]])))
    return Graph(graph.n_rows, edges, graph.weight, graph.extra, graph.name)


def _swapped(
    edges: npt.NDArray[np.int64], n: int, rng: np.random.Generator, *, is_mixed: bool
) -> npt.NDArray[np.int64]:
    n_edges = edges.shape[1]
    for _ in range(ROUNDS):
        if not is_mixed:
            # Which end of an edge comes first means nothing.
            flip = rng.random(n_edges) < 0.5
            edges[:, flip] = edges[::-1, flip]
        order = rng.permutation(n_edges)
        one, two = order[: n_edges // 2], order[n_edges // 2 : n_edges // 2 * 2]
        first = np.stack([edges[0, one], edges[1, two]])
        second = np.stack([edges[0, two], edges[1, one]])
        proposed = np.concatenate([_codes(first, n), _codes(second, n)])
        # A pair that is proposed twice, or is there, is refused.
        _, place, count = np.unique(proposed, return_inverse=True, return_counts=True)
        bad = (count[place] > 1) | np.isin(proposed, _codes(edges, n))
        fine = ~(bad[: len(one)] | bad[len(one) :]) & (first[0] != first[1]) & (second[0] != second[1])
        edges[1, one[fine]], edges[1, two[fine]] = first[1, fine], second[1, fine]
    return edges


def _codes(edges: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """One number for each pair, whichever end comes first."""
    codes: npt.NDArray[np.int64] = edges.min(axis=0) * n + edges.max(axis=0)
    return codes
