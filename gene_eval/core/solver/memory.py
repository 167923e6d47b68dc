"""How much memory a solve may take, and how many problems fit."""

import os
from pathlib import Path

import torch

SHARE = 0.5
"""Of the free memory, by default."""


def free_memory(device: torch.device) -> int:
    """Bytes free now."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def problems_per_block(  # noqa: PLR0913 - what a problem keeps
    budget: float, *, weights: int, children: int, pairs: int, bytes_each: int, logits: int = 0
) -> int:
    """How many parents with their children fit into the budget, at least one.

    A parent keeps `pairs` steps and gradient changes, twice while they are put in order, and two float64 matrices over
    them. A child keeps 80 vectors of 40 pairs, for a moment beside 64 of the 32 before, and 9 others; its matrices take
    10,500 numbers likewise. Both keep `logits` logits and residuals where products are rough.

    >>> problems_per_block(1e9, weights=385, children=5, pairs=100, bytes_each=4)
    462
    """
    vectors, small = 4 * pairs + 153 * children, 4 * pairs**2 + 10_500 * children
    each = (vectors * weights + small + 2 * (1 + children) * logits) * bytes_each
    return max(1, int(budget / each))
