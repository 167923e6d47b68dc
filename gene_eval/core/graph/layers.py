"""The two networks, and the parts of a graph that their layers need to predict some nodes."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch

with warnings.catch_warnings():
    # torch-geometric scripts its classes, which torch no longer likes.
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn import GATConv, GCNConv

__all__ = ["Attention", "Blocks", "Convolutions", "EdgeLists"]


@dataclass(frozen=True, eq=False)
class Blocks:
    """What a graph convolutional network of some layers needs to predict n nodes.

    Only nodes that a layer's outputs depend on are in its block. The first layer has no weights before the product with
    the normalised adjacency P, and P (X W) = (P X) W: its product is made once, for all epochs.

    Attributes:
        first: (m_1, d) P X of the nodes that the second layer needs.
        products: For each further layer, the (m_l+1, m_l) block of P, and its transpose.
    """

    first: torch.Tensor
    products: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @classmethod
    def of(
        cls,
        P: Any,
        nodes: npt.NDArray[np.int64],
        vectors: npt.NDArray[np.float32],
        *,
        layers: int,
        device: torch.device,
    ) -> "Blocks":
        """Cut out of a normalised adjacency matrix in CSR form."""
        P = P.astype(np.float32)
        products = []
        needed = nodes
        for _ in range(layers - 1):
            block = P[needed]
            inner = np.unique(block.indices)
            block = block[:, inner]
            products.append((_sparse(block, device), _sparse(block.T.tocsr(), device)))
            needed = inner
        first = torch.from_numpy(np.asarray(P[needed] @ vectors))
        return cls(first.to(device), tuple(reversed(products)))

    def sampled(self, draws: np.random.Generator) -> "Blocks":
        """Itself: a convolution takes all neighbours."""
        return self


def _sparse(matrix: Any, device: torch.device) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return _csr(matrix, device)


def _csr(matrix: Any, device: torch.device) -> torch.Tensor:
    starts, places, data = map(
        torch.from_numpy, (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)
    )
    return torch.sparse_csr_tensor(starts, places, data, matrix.shape, device=device, check_invariants=False)


class _Product(torch.autograd.Function):
    """A fixed sparse matrix times a dense one; torch's own gradient makes the transpose anew each time."""

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor, transposed: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(ctx: Any, *grad: torch.Tensor) -> tuple[None, None, torch.Tensor]:
        return None, None, ctx.transposed @ grad[0].contiguous()


class _Dropout(torch.nn.Module):
    """Dropout that draws 16 bits for each number: torch's own, on a processor, takes longer than the layer after it."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.least = round(share * 2**16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.least:
            return x
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = words.view(torch.int16)[: x.numel()].view(x.shape) >= self.least - 2**15
        return x * (kept * (2**16 / (2**16 - self.least)))


class _Convolution(GCNConv):  # type: ignore[misc]
    """torch-geometric's layer, with edges as a pair of sparse matrices that are normalised already."""

    def __init__(self, dim: int, outputs: int) -> None:
        super().__init__(dim, outputs, normalize=False)

    def product(self, pair: tuple[torch.Tensor, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = _Product.apply(*pair, self.lin(x)) + self.bias  # type: ignore[no-untyped-call]
        return out


class Convolutions(torch.nn.Module):
    """H' = relu(D^-1/2 (A + I) D^-1/2 H W + b), again and again; the last convolution gives the outputs.

    Args:
        dim: Numbers of a node's vector.
        hidden: Numbers between convolutions.
        n_outputs: Of the last.
        layers: Convolutions.
        dropout: Before every convolution but the first.
    """

    def __init__(self, dim: int, hidden: int, n_outputs: int, *, layers: int, dropout: float) -> None:
        super().__init__()
        widths = [dim, *[hidden] * (layers - 1), n_outputs]
        self.layers = torch.nn.ModuleList(map(_Convolution, widths, widths[1:]))
        self.dropout = _Dropout(dropout)

    def start(self, blocks: Blocks) -> torch.Tensor:
        """(m_1, hidden) of the first layer, which is the same in training and in scoring."""
        first: Any = self.layers[0]
        out: torch.Tensor = first.lin(blocks.first) + first.bias
        return out

    def forward(self, blocks: Blocks, x: torch.Tensor) -> torch.Tensor:
        """(n, outputs) for the nodes that the blocks were cut out for, from what `start` gave."""
        further: Any = self.layers[1:]
        for layer, pair in zip(further, blocks.products, strict=True):
            x = layer.product(pair, self.dropout(x.relu()))
        return x


@dataclass(frozen=True, eq=False)
class EdgeLists:
    """What two attention layers need to predict n nodes: two lists of directed edges, self-loops among them.

    Attributes:
        vectors: (m, d) of the nodes that the first layer reads.
        inner: (2, E_1) edges of the first layer, from node to node, as places in `vectors`.
        outer: (2, E_2) edges of the second, as places in what the first gives.
        own: Places in `vectors` of what the first gives, and in that of the n.
        limit: Most neighbours of a node to draw; 0 takes all.
    """

    vectors: torch.Tensor
    inner: torch.Tensor
    outer: torch.Tensor
    own: tuple[torch.Tensor, torch.Tensor]
    limit: int

    @classmethod
    def of(
        cls,
        adjacency: Any,
        nodes: npt.NDArray[np.int64],
        vectors: npt.NDArray[np.float32],
        *,
        limit: int,
        device: torch.device,
    ) -> "EdgeLists":
        """Cut out of an adjacency matrix in CSR form, which has no self-loops."""
        with_loops = (adjacency + scipy.sparse.eye_array(adjacency.shape[0], format="csr")).tocsr()
        found = []
        needed = nodes
        for _ in range(2):
            block = with_loops[needed]
            inner = np.unique(block.indices)
            own = np.searchsorted(inner, needed)
            edges = np.stack([np.searchsorted(inner, block.indices), np.repeat(own, np.diff(block.indptr))])
            found.append((torch.from_numpy(edges).to(device), torch.from_numpy(own).to(device)))
            needed = inner
        (outer, outer_own), (inner_edges, inner_own) = found
        rows = torch.from_numpy(vectors[needed]).to(device)
        return cls(rows, inner_edges, outer, (inner_own, outer_own), limit)

    def sampled(self, draws: np.random.Generator) -> "EdgeLists":
        """With at most `limit` edges into each node, drawn at random, and its self-loop."""
        if not self.limit:
            return self
        outer = _drawn(self.outer, self.limit, draws)
        middle, outer_places = torch.unique(outer, return_inverse=True)
        own = self.own[0][middle]
        is_read = torch.zeros(len(self.vectors), dtype=torch.bool, device=outer.device)
        is_read[own] = True
        inner = _drawn(self.inner[:, is_read[self.inner[1]]], self.limit, draws)
        # Every node is joined with itself, so that whatever is an end is a source.
        first, inner_places = torch.unique(inner, return_inverse=True)
        ends = torch.searchsorted(first, own), torch.searchsorted(middle, self.own[1])
        return EdgeLists(self.vectors[first], inner_places, outer_places, ends, self.limit)


def _drawn(edges: torch.Tensor, limit: int, draws: np.random.Generator) -> torch.Tensor:
    sources, targets = edges.cpu().numpy()
    chance = draws.random(len(targets))
    # First of its target's edges, so that it is always kept.
    chance[sources == targets] = -1
    order = np.lexsort((chance, targets))
    first = np.searchsorted(targets[order], targets[order])
    kept = np.sort(order[np.arange(len(order)) - first <= limit])
    return edges[:, torch.from_numpy(kept).to(edges.device)]


class Attention(torch.nn.Module):
    """A layer of attention heads and one with a single head, which gives the outputs; ELU between them.

    Args:
        dim: Numbers of a node's vector.
        hidden: Numbers for each head.
        n_outputs: Of the last layer.
        heads: Of the first layer.
        dropout: Before both layers, and of attention weights.
    """

    def __init__(self, dim: int, hidden: int, n_outputs: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        options = {"dropout": dropout, "negative_slope": 0.2, "add_self_loops": False}
        self.first = GATConv(dim, hidden, heads=heads, **options)
        self.last = GATConv(hidden * heads, n_outputs, heads=1, concat=False, **options)
        self.dropout = _Dropout(dropout)

    def start(self, lists: EdgeLists) -> torch.Tensor:
        """(m, d) vectors: dropout comes first here, and nothing can be shared."""
        return lists.vectors

    def forward(self, lists: EdgeLists, x: torch.Tensor) -> torch.Tensor:
        """(n, outputs) for the nodes that the lists were cut out for."""
        x = self.first(self.dropout(x), lists.inner)[lists.own[0]]
        x = self.last(self.dropout(torch.nn.functional.elu(x)), lists.outer)
        out: torch.Tensor = x[lists.own[1]]
        return out
