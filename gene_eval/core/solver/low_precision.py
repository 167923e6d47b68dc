"""Products in bfloat16, for processors that make them faster than those of float32.

They are used for differences alone (see `fast_near`), whose rounding shapes steps and never the optimum. The rule of
who uses them looks at the processor, not at a clock, so that the same machine gives the same bytes.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gene_eval.core.solver.rows import Summing, fetched

WIDE = 1024
"""Dimensions from which products take so much of a solve that faster ones pay."""


def worth_rounding(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Whether to make products in bfloat16 where they do no harm; on a GPU this has not been tried."""
    if device.type != "cpu" or dtype != torch.float32 or width < WIDE:
        return False
    # An older PyTorch does not say what the processor can do.
    able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


class RoughRows(Summing):
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
