"""Gradients by products in bfloat16, for processors that make them faster than those of float32.

Where logits, residuals (derivatives of the loss by the logits) and the gradient are known at weights w0, the gradient
at w is the sum of three: that at w0; the rows, weighted by how much the residuals change when the logits change by
Z (w - w0); and that of the penalty of w - w0. If the products in it are made in bfloat16, only changes are rounded.
Such a gradient is wrong by about a thousandth of its distance from the one at w0: a solve comes ten times closer to the
optimum and more before w0 has to be moved, by a gradient in float32. Iterative refinement of linear systems in mixed
precision rests on the same (Higham and Mary, "Mixed precision algorithms in numerical linear algebra", 2022).

The rule of who uses them looks at the processor, not at a clock, so that the same machine gives the same bytes.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gene_eval.core.solver.objectives import Exact, Fits
from gene_eval.core.solver.rows import Block, Rows, columns_of

WIDE = 1024
"""Dimensions from which products take so much of a solve that faster ones pay."""
EXACT_EVERY = 10
"""Most gradients between two in float32."""


def supports_bfloat16(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Whether to make products in bfloat16 where they do no harm; on a GPU this has not been tried."""
    if device.type != "cpu" or dtype != torch.float32 or width < WIDE:
        return False
    # An older PyTorch does not say what the processor can do.
    able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


class RoundedRows(Rows):
    """Dense rows in bfloat16; the last column of ones is multiplied in float32.

    Args:
        rows: In float32.
    """

    def __init__(self, rows: Rows) -> None:
        self.Z, self.starts, self.width = rows.Z[:, :-1].bfloat16(), rows.starts, rows.width
        self.mean_square, self.row_elements = rows.mean_square, -(-rows.width // 2)

    def around(self, fits: Fits) -> "Differenced":
        """Gradients of the fits by these rows."""
        return Differenced(fits, self)

    def logits(self, projected: Tensor, low: int, high: int) -> Tensor:
        """See `Rows`."""
        return (projected[:, :-1].bfloat16() @ self.Z[low:high].T).float().add_(projected[:, -1:])

    def add(self, part: Tensor, low: int, high: int, weights: Tensor) -> None:
        """See `Rows`."""
        part[:, :-1].add_(weights.bfloat16() @ self.Z[low:high])
        part[:, -1] += weights.sum(1)


class Differenced(Exact):
    """Gradients of fits, in float32 when asked for, else by rounded products of what has changed since then.

    Args:
        fits: What to differentiate.
        rounded: Their rows.
    """

    def __init__(self, fits: Fits, rounded: RoundedRows) -> None:
        super().__init__(fits)
        self.rounded, self.since = rounded, 0
        shape = len(fits.column) * fits.target.n_outputs, rounded.starts[-1]
        self.logits, self.residuals = (torch.empty(shape, device=rounded.Z.device) for _ in range(2))
        width = rounded.width * fits.target.n_columns
        self.weights, self.gradients = (self.logits.new_empty(len(fits.column), width) for _ in range(2))

    def __call__(self, weights: Tensor, problems: Tensor, *, exact: bool = True) -> Tensor:
        """See `Exact`."""
        target, labels = self.fits.target, self.fits.column

        def kept(logits: Tensor, low: int, high: int, block: Block) -> Tensor:
            mine = problems[block.problems]
            columns = columns_of(mine, target.n_outputs)
            self.logits[:, low:high].index_copy_(0, columns, logits)
            residuals = target.residuals(logits, low, high, labels[mine])
            self.residuals[:, low:high].index_copy_(0, columns, residuals)
            return residuals

        def change(logits: Tensor, low: int, high: int, block: Block) -> Tensor:
            mine = problems[block.problems]
            columns = columns_of(mine, target.n_outputs)
            logits.add_(self.logits[:, low:high].index_select(0, columns))
            residuals = target.residuals(logits, low, high, labels[mine])
            return residuals.sub_(self.residuals[:, low:high].index_select(0, columns))

        if exact:
            gradients = self.fits.summed(self.fits.rows, weights, problems, kept)
            self.weights.index_copy_(0, problems, weights)
            self.gradients.index_copy_(0, problems, gradients)
            return gradients
        moved = weights - self.weights.index_select(0, problems)
        gradients = self.fits.summed(self.rounded, moved, problems, change)
        return gradients.add_(self.gradients.index_select(0, problems))

    def due(self, *, wanted: bool) -> bool:
        """See `Exact`."""
        self.since += 1
        if wanted or self.since >= EXACT_EVERY:
            self.since = 0
        return self.since == 0
