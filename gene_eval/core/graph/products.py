"""Products of a network's layers with the numbers of all nodes, in PyTorch: by edges, and by weights in tiles."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

__all__ = ["Between", "Dropout", "Layer", "Product", "Room", "csr", "from_scipy"]

with warnings.catch_warnings():
    # That such matrices are in beta, torch says once: here, since threads cannot ignore warnings each on its own.
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    torch.eye(1).to_sparse_csr()


def from_scipy(matrix: Any, device: torch.device) -> torch.Tensor:
    """A SciPy matrix in CSR form, on a device."""
    parts = (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)
    starts, places, data = (torch.from_numpy(each).to(device) for each in parts)
    return csr(starts, places, data, matrix.shape)


def csr(starts: torch.Tensor, places: torch.Tensor, data: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """A sparse matrix of rows' first entries (rows + 1,), and the columns and values of entries, all unchecked."""
    return torch.sparse_csr_tensor(starts, places, data, shape, check_invariants=False)


class Product(torch.autograd.Function):
    """A fixed sparse matrix times a dense one; torch's own gradient makes the transpose anew each time."""

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor, transposed: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
        """(rows, columns of `dense`)."""
        ctx.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(ctx: Any, *grad: torch.Tensor) -> tuple[None, None, torch.Tensor]:
        """For `dense` alone."""
        return None, None, ctx.transposed @ grad[0].contiguous()


class Dropout(torch.nn.Module):
    """Dropout that draws 16 bits for each number: torch's own, on a processor, takes longer than the layer after it."""

    def __init__(self, share: float, draws: torch.Generator | None = None) -> None:
        super().__init__()
        self.least, self.draws = round(share * 2**16), draws

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The numbers that stay, scaled so that the mean is the same."""
        return x * self.kept(x).mul_(self.scale) if self.is_on else x

    @property
    def is_on(self) -> bool:
        """Whether anything is left out."""
        return self.training and self.least > 0

    @property
    def scale(self) -> float:
        """Of the numbers that stay."""
        return 2**16 / (2**16 - self.least)

    def kept(self, x: torch.Tensor) -> torch.Tensor:
        """1 for each number that stays, 0 for the others, of the kind of x: PyTorch is slow to multiply by booleans."""
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None, generator=self.draws)
        return (words.view(torch.int16)[: x.numel()].view(x.shape) >= self.least - 2**15).to(x.dtype)


_SLOPES: dict[Any, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    torch.relu: lambda grad, x: torch.ops.aten.threshold_backward(grad, x, 0),
    torch.nn.functional.elu: lambda grad, x: torch.ops.aten.elu_backward(
        grad, 1, 1, 1, is_result=False, self_or_result=x
    ),
}
"""What comes between layers -> its gradient for x, given that of its output."""
TILE = 1 << 18
"""Numbers at a time on a processor, so that what is between two layers stays in its cache."""


class Room:
    """Memory that is used again in every step: a processor takes longer to get new memory than to compute a layer."""

    def __init__(self) -> None:
        self._flat: dict[str, torch.Tensor] = {}

    def of(self, name: str, rows: int, like: torch.Tensor) -> torch.Tensor:
        """(rows, columns of `like`), with whatever was there before."""
        size = rows * like.shape[1]
        if name not in self._flat or self._flat[name].numel() < size:
            self._flat[name] = like.new_empty(size)
        return self._flat[name][:size].view(rows, -1)


@dataclass(frozen=True, eq=False)
class Between:
    """What happens to the output of a layer before the weights of the next.

    Attributes:
        room: Of the next layer.
        dropout: None leaves nothing out.
        activation: One of `_SLOPES`, or None.
        rows: (m,) of a larger table, where the layer reads some of its rows; it then gets no gradient.
    """

    room: Room
    dropout: Dropout | None = None
    activation: Callable[[torch.Tensor], torch.Tensor] | None = None
    rows: torch.Tensor | None = None

    def tiles(self, x: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
        """Places, and what stands there."""
        n = len(x) if self.rows is None else len(self.rows)
        step = max(1, TILE // x.shape[1]) if x.device.type == "cpu" else n
        for low in range(0, n, step):
            place = slice(low, min(low + step, n))
            yield place, x[place] if self.rows is None else x[self.rows[place]]


class Layer(torch.autograd.Function):
    """Activation, dropout and the weights of a layer, tile by tile."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, between: Between) -> torch.Tensor:
        """(m, outputs)."""
        ctx.save_for_backward(x, weight)
        dropout = between.dropout if between.dropout is not None and between.dropout.is_on else None
        ctx.between, ctx.scale, ctx.kept = between, 1.0 if dropout is None else dropout.scale, []
        turned = weight.T * ctx.scale
        out = between.room.of("out", len(x) if between.rows is None else len(between.rows), turned)
        for place, tile in between.tiles(x):
            values = tile if between.activation is None else between.activation(tile)
            if dropout is not None:
                kept = dropout.kept(tile)
                ctx.kept.append(kept.bool())
                values = kept.mul_(values)
            torch.mm(values, turned, out=out[place])
        return out

    @staticmethod
    def backward(ctx: Any, *grad: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, None]:
        """For x, if anybody asks, and for the weights."""
        (x, weight), between, given = ctx.saved_tensors, ctx.between, grad[0]
        of_x = between.room.of("grad", len(x), x) if ctx.needs_input_grad[0] else None
        of_weight = torch.zeros_like(weight)
        for number, (place, tile) in enumerate(between.tiles(x)):
            values = tile if between.activation is None else between.activation(tile)
            kept = ctx.kept[number].to(x.dtype) if ctx.kept else None
            values = values if kept is None else values.mul(kept)
            of_weight.addmm_(given[place].T, values)
            if of_x is not None:
                back = given[place] @ weight
                back = back if kept is None else back.mul_(kept)
                back = back if between.activation is None else _SLOPES[between.activation](back, tile)
                torch.mul(back, ctx.scale, out=of_x[place])
        return of_x, of_weight.mul_(ctx.scale), None
