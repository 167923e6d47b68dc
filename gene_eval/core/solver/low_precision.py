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
from copy import copy
from typing import Any

import torch
from torch import Tensor

from gene_eval.core.solver.gradient import LogitObjective, Residual, RowPass
from gene_eval.core.solver.rows import Block, Products, Summing, columns_of, fetched

WIDE = 1024
"""Dimensions from which products take so much of a solve that faster ones pay."""


def supports_bfloat16(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Whether to make products in bfloat16 where they do no harm; on a GPU this has not been tried."""
    if device.type != "cpu" or dtype != torch.float32 or width < WIDE:
        return False
    # An older PyTorch does not say what the processor can do.
    able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


class LowPrecisionRows(Summing):
    """`Products` with dense rows in bfloat16; the last column of ones is multiplied in float32.

    Args:
        Z: (n, width) rows sorted by block, with a last column of ones.
        starts: First row of each block, and n.
    """

    def __init__(self, Z: Tensor, starts: list[int]) -> None:
        self.Z = Z[:, :-1].bfloat16()
        self.starts = starts
        self.width = Z.shape[1]
        self.row_elements = -(-self.width // 2)

    def around(self, objective: LogitObjective, problems: Tensor) -> "Differenced":
        """Gradients of the k numbered problems of the objective by these products."""
        return Differenced(objective, self, problems)

    def project(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of the features, rounded, and of the ones."""
        return weights[:, :-1].bfloat16(), weights[:, -1:].clone()

    def select(self, projected: tuple[Tensor, Tensor], columns: Tensor | None) -> tuple[Tensor, Tensor]:
        """See `Products`."""
        if columns is None:
            return projected
        weights, intercepts = projected
        return weights.index_select(0, columns), intercepts.index_select(0, columns)

    def logits(self, projected: tuple[Tensor, Tensor], low: int, high: int) -> Tensor:
        """See `Products`."""
        weights, intercepts = projected
        return (weights @ fetched(self.Z[low:high]).T).float().add_(intercepts)

    def add_product(self, total: Tensor, low: int, high: int, residuals: Tensor) -> None:
        """See `Summing`."""
        total.add_((residuals.bfloat16() @ self.Z[low:high]).float())


class Differenced:
    """`Gradients` by low-precision products of differences.

    Args:
        objective: What to differentiate.
        low_precision: Its rows, for low-precision products.
        problems: (k,) numbers.
    """

    low_precision = True

    def __init__(self, objective: LogitObjective, low_precision: Products, problems: Tensor) -> None:
        self.objective = objective
        self.products = low_precision
        self.problems = problems
        self.row_pass: RowPass | None = None
        # What is known is kept for all problems that were there at the start; `position` says which are left.
        self.position = torch.arange(len(problems), device=problems.device)
        shape = len(problems) * objective.each, low_precision.starts[-1]
        self.logits, self.residuals = (
            torch.empty(shape, dtype=torch.float32, device=low_precision.device) for _ in range(2)
        )
        self.known: list[Tensor] = []

    def select(self, keep: Tensor) -> "Differenced":
        """See `Gradients`; both share what is known."""
        out = copy(self)
        out.problems, out.position = self.problems[keep], self.position[keep]
        out.row_pass = None
        return out

    def move(self, weights: Tensor) -> Tensor:
        """See `Gradients`."""

        def residual(block: Block, plain: Residual) -> Residual:
            columns = self._columns(block)

            def kept(logits: Tensor, low: int, high: int) -> Tensor:
                self.logits[:, low:high].index_copy_(0, columns, logits)
                found = plain(logits, low, high)
                self.residuals[:, low:high].index_copy_(0, columns, found)
                return found

            return kept

        row_pass = self.objective.row_pass(self.objective.rows, self.problems)
        total = self.objective.summed(row_pass, weights, residual)
        if not self.known:
            self.known += [weights.clone(), total.clone()]
        for stored, part in zip(self.known, (weights, total), strict=True):
            stored.index_copy_(0, self.position, part)
        return total

    def at(self, weights: Tensor) -> Tensor:
        """See `Gradients`."""

        def residual(block: Block, plain: Residual) -> Residual:
            columns = self._columns(block)

            def change(logits: Tensor, low: int, high: int) -> Tensor:
                logits.add_(self.logits[:, low:high].index_select(0, columns))
                return plain(logits, low, high).sub_(self.residuals[:, low:high].index_select(0, columns))

            return change

        before, gradient = (stored.index_select(0, self.position) for stored in self.known)
        self.row_pass = self.row_pass or self.objective.row_pass(self.products, self.problems)
        return self.objective.summed(self.row_pass, weights - before, residual).add_(gradient)

    def _columns(self, block: Block) -> Tensor:
        return columns_of(self.position[block.problems], self.objective.each)
