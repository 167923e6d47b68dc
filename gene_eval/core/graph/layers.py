"""The two networks, and the parts of a graph that their layers need to predict some nodes."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch

with warnings.catch_warnings():
    # torch-geometric scripts its classes, which torch no longer likes.
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn import GATConv, GCNConv
    from torch_geometric.utils import softmax

from gene_eval.core.graph.products import Between, Dropout, Layer, Product, Room, csr, from_scipy

__all__ = ["Attention", "Blocks", "Convolutions", "EdgeLists"]


@dataclass(frozen=True, eq=False)
class Blocks:
    """What a graph convolutional network of some layers needs to predict n nodes.

    Only nodes that a layer's outputs depend on are in its block. The first layer has no weights before the product with
    the normalised adjacency P, and P (X W) = (P X) W: its product is made once, for all epochs.

    Attributes:
        first: (m_1, d + 1) P X of the nodes that the second layer needs, and ones.
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
            products.append((from_scipy(block, device), from_scipy(block.T.tocsr(), device)))
            needed = inner
        # One more column, for the constants of the first layer.
        first = torch.from_numpy(np.append(P[needed] @ vectors, np.ones((len(needed), 1), dtype=np.float32), axis=1))
        return cls(first.to(device), tuple(reversed(products)))

    def sampled(self, draws: np.random.Generator) -> "Blocks":
        """Itself: a convolution takes all neighbours."""
        return self


class _Convolution(GCNConv):  # type: ignore[misc]
    """torch-geometric's layer, with edges as a pair of sparse matrices that are normalised already."""

    def __init__(self, dim: int, outputs: int) -> None:
        super().__init__(dim, outputs, normalize=False)
        self.room = Room()

    def multiplied(self, x: torch.Tensor) -> torch.Tensor:
        """Of rows that are multiplied by the edges already, and end with a 1."""
        weight = torch.cat([self.lin.weight, self.bias[:, None]], dim=1)
        out: torch.Tensor = Layer.apply(x, weight, Between(self.room))  # type: ignore[no-untyped-call]
        return out

    def product(self, pair: tuple[torch.Tensor, torch.Tensor], x: torch.Tensor, dropout: Dropout) -> torch.Tensor:
        """Of what the layer before gave."""
        between = Between(self.room, dropout, torch.relu)
        x = Layer.apply(x, self.lin.weight, between)  # type: ignore[no-untyped-call]
        out: torch.Tensor = Product.apply(*pair, x) + self.bias  # type: ignore[no-untyped-call]
        return out


class Convolutions(torch.nn.Module):
    """H' = relu(D^-1/2 (A + I) D^-1/2 H W + b), again and again; the last convolution gives the outputs.

    Args:
        dim: Numbers of a node's vector.
        hidden: Numbers between convolutions.
        n_outputs: Of the last.
        layers: Convolutions.
        dropout: Before every convolution but the first.
        draws: Of dropout; None takes the generator that all share.
    """

    def __init__(  # noqa: PLR0913 - the sizes of a network
        self,
        dim: int,
        hidden: int,
        n_outputs: int,
        *,
        layers: int,
        dropout: float,
        draws: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        widths = [dim, *[hidden] * (layers - 1), n_outputs]
        self.layers = torch.nn.ModuleList(map(_Convolution, widths, widths[1:]))
        self.dropout = Dropout(dropout, draws)

    def start(self, blocks: Blocks) -> torch.Tensor:
        """(m_1, hidden) of the first layer, which is the same in training and in scoring."""
        first: Any = self.layers[0]
        out: torch.Tensor = first.multiplied(blocks.first)
        return out

    def forward(self, blocks: Blocks, x: torch.Tensor) -> torch.Tensor:
        """(n, outputs) for the nodes that the blocks were cut out for, from what `start` gave."""
        further: Any = self.layers[1:]
        for layer, pair in zip(further, blocks.products, strict=True):
            x = layer.product(pair, x, self.dropout)
        return x


@dataclass(frozen=True, eq=False)
class Hop:
    """Directed edges into the nodes that one attention layer gives, in the order of these nodes.

    Attributes:
        starts: (m + 1,) first edge into each of the m nodes.
        sources: (E,) places of the nodes that the layer reads.
        own: (m,) places of the m nodes among those.
    """

    starts: torch.Tensor
    sources: torch.Tensor
    own: torch.Tensor

    @cached_property
    def targets(self) -> torch.Tensor:
        """(E,) which of the m nodes each edge leads to."""
        numbers = torch.arange(len(self.own), device=self.starts.device)
        return torch.repeat_interleave(numbers, self.starts.diff())

    @cached_property
    def back(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The edges in the order of what they come from: first edge out of each source, target, place in that order."""
        order = self.sources.argsort(stable=True)
        ends = torch.arange(int(self.sources.max()) + 2, device=order.device)
        return torch.searchsorted(self.sources[order], ends), self.targets[order], order

    def drawn(self, wanted: torch.Tensor, limit: int, draws: np.random.Generator) -> "Hop":
        """Of some of the m nodes, with their self-loops and at most `limit` more edges into each, drawn at random.

        Args:
            wanted: Ascending numbers of the nodes.
            limit: Most neighbours.
            draws: Of the edges.
        """
        number = torch.full_like(self.own, -1)
        number[wanted] = torch.arange(len(wanted), device=wanted.device)
        edges = torch.nonzero(number[self.targets] >= 0)[:, 0]
        to = number[self.targets[edges]]
        targets = to.cpu().numpy()
        # First of its target's edges, so that it is always kept.
        is_loop = (self.sources[edges] == self.own[wanted][to]).cpu().numpy()
        chance = targets + np.where(is_loop, 0, 0.1 + 0.8 * draws.random(len(targets)))
        order = np.argsort(chance)
        # In this order edges of a target are neighbours of one another still.
        counts = np.bincount(targets, minlength=len(wanted))
        first = np.repeat(np.cumsum(counts) - counts, counts)
        kept = torch.from_numpy(np.sort(order[np.arange(len(order)) - first <= limit])).to(edges.device)
        starts = np.concatenate([[0], np.cumsum(np.minimum(counts, limit + 1))])
        return Hop(torch.from_numpy(starts).to(edges.device), self.sources[edges[kept]], self.own[wanted])


@dataclass(frozen=True, eq=False)
class EdgeLists:
    """What two attention layers need to predict n nodes; every node is joined with itself.

    Attributes:
        vectors: (M, d) of the nodes that the first layer may read.
        hops: Edges of the first layer, and of the second.
        order: (n,) which of the nodes that the second layer gives each of the n is.
        limit: Most neighbours of a node to draw; 0 takes all.
        read: (m,) rows of the vectors that it does read; None reads all.
    """

    vectors: torch.Tensor
    hops: tuple[Hop, Hop]
    order: torch.Tensor
    limit: int
    read: torch.Tensor | None = None

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
        needed, order = np.unique(nodes, return_inverse=True)
        hops = []
        for _ in range(2):
            block = with_loops[needed]
            inner = np.unique(block.indices)
            found = (block.indptr, np.searchsorted(inner, block.indices), np.searchsorted(inner, needed))
            hops.append(Hop(*(torch.from_numpy(each.astype(np.int64)).to(device) for each in found)))
            needed = inner
        rows = torch.from_numpy(vectors[needed]).to(device)
        return cls(rows, (hops[1], hops[0]), torch.from_numpy(order).to(device), limit)

    def sampled(self, draws: np.random.Generator) -> "EdgeLists":
        """With at most `limit` edges into each node, drawn at random, and its self-loop."""
        if not self.limit:
            return self
        inner, outer = self.hops
        outer = outer.drawn(torch.arange(len(outer.own), device=self.order.device), self.limit, draws)
        middle, places = torch.unique(outer.sources, return_inverse=True)
        outer = Hop(outer.starts, places, torch.searchsorted(middle, outer.own))
        inner = inner.drawn(middle, self.limit, draws)
        first, places = torch.unique(inner.sources, return_inverse=True)
        inner = Hop(inner.starts, places, torch.searchsorted(first, inner.own))
        return EdgeLists(self.vectors, (inner, outer), self.order, self.limit, first)


class _Attended(torch.autograd.Function):
    """Sums of sources' numbers, weighted by edge: sparse products, since numbers for each edge would fill memory."""

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, x: torch.Tensor, hop: Hop) -> torch.Tensor:
        ctx.save_for_backward(weight, x)
        ctx.hop = hop
        weighted = csr(hop.starts, hop.sources, weight, (len(hop.own), len(x)))
        return weighted @ x

    @staticmethod
    def backward(ctx: Any, *grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        (weight, x), hop, given = ctx.saved_tensors, ctx.hop, grad[0].contiguous()
        shape = (len(hop.own), len(x))
        starts, targets, order = hop.back
        of_x = csr(starts, targets, weight[order], shape[::-1]) @ given
        pattern = csr(hop.starts, hop.sources, torch.zeros_like(weight), shape)
        of_weight = torch.sparse.sampled_addmm(pattern, given, x.T, beta=0)
        return of_weight.values(), of_x, None


class _Attending(GATConv):  # type: ignore[misc]
    """torch-geometric's layer, with edges in the order of their targets."""

    def attend(self, hop: Hop, x: torch.Tensor, between: Between) -> torch.Tensor:
        """(m, heads x outputs)."""
        of_heads = self.lin.weight.view(self.heads, self.out_channels, -1)
        # What attention reads of x W is x times a product of W: two more columns for each head.
        ends = [torch.einsum("hod,ho->hd", of_heads, each[0]) for each in (self.att_src, self.att_dst)]
        columns = Layer.apply(x, torch.cat([self.lin.weight, *ends]), between)  # type: ignore[no-untyped-call]
        x, source, target = columns.split([len(self.lin.weight), self.heads, self.heads], dim=1)
        x = x.view(-1, self.heads, self.out_channels)
        weight = torch.nn.functional.leaky_relu(source[hop.sources] + target[hop.own][hop.targets], self.negative_slope)
        weight = softmax(weight, hop.targets, num_nodes=len(hop.own))
        assert between.dropout is not None
        weight = between.dropout(weight)
        heads = zip(weight.unbind(dim=1), x.unbind(dim=1), strict=True)
        sums = [_Attended.apply(each.contiguous(), own.contiguous(), hop) for each, own in heads]  # type: ignore[no-untyped-call]
        out: torch.Tensor = torch.cat(sums, dim=1) + self.bias
        return out


class Attention(torch.nn.Module):
    """A layer of attention heads and one with a single head, which gives the outputs; ELU between them.

    Args:
        dim: Numbers of a node's vector.
        hidden: Numbers for each head.
        n_outputs: Of the last layer.
        heads: Of the first layer.
        dropout: Before both layers, and of attention weights.
        draws: Of dropout; None takes the generator that all share.
    """

    def __init__(  # noqa: PLR0913 - the sizes of a network
        self, dim: int, hidden: int, n_outputs: int, *, heads: int, dropout: float, draws: torch.Generator | None = None
    ) -> None:
        super().__init__()
        options = {"negative_slope": 0.2, "add_self_loops": False}
        self.first = _Attending(dim, hidden, heads=heads, **options)
        self.last = _Attending(hidden * heads, n_outputs, heads=1, concat=False, **options)
        self.dropout, self.rooms = Dropout(dropout, draws), (Room(), Room())

    def start(self, lists: EdgeLists) -> torch.Tensor:
        """(M, d) vectors: dropout comes first here, and nothing can be shared."""
        return lists.vectors

    def forward(self, lists: EdgeLists, x: torch.Tensor) -> torch.Tensor:
        """(n, outputs) for the nodes that the lists were cut out for."""
        inner, outer = lists.hops
        one, two = self.rooms
        x = self.first.attend(inner, x, Between(one, self.dropout, rows=lists.read))
        out: torch.Tensor = self.last.attend(outer, x, Between(two, self.dropout, torch.nn.functional.elu))
        return out[lists.order]
