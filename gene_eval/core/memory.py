"""How much memory a probe takes above its vectors, and whether that fits what was allowed.

`memory` bounds everything above the vectors: copies of the rows as an engine wants them, the eigenbasis, and the fits.
What is there before the first fit cannot be divided; fits are made in blocks that fill the rest. The counts are those
of arrays that are alive at once, and never below what was measured (`tests/core/test_memory.py`).
"""

import math
from dataclasses import replace

from gene_eval.core.engines import ENGINES, Params
from gene_eval.core.errors import ProbeError
from gene_eval.core.pairs import PairedRows
from gene_eval.core.table import TableRows, Vectors

__all__ = ["bounded", "least_memory"]


SLACK = 1 << 23
"""Everything that is smaller than the rows, and buffers that BLAS and LAPACK make when they are first used."""
PER_CORE = 1 << 24
"""Blocks of rows that each core works on, and what the allocator keeps for each thread."""
ROWS_OF_QR = 16_384
"""Rows of least squares in float64 at a time."""
INNER = 6
"""Training sets of a split in the scaled protocol: its own, and those that choose C."""


def bounded(params: Params, X: Vectors, *, engine: str, target: str, outputs: int, n_splits: int) -> Params:
    """Settings in which `memory` is what is left for the fits, after all that must be there before them.

    Args:
        params: With `memory` as the user means it, or None.
        X: What will be fitted.
        engine: By which, or the name of the head where that is not the linear one.
        target: See `probe`.
        outputs: Weight vectors of a fit: classes, or 1.
        n_splits: Splits of the rows.

    Raises:
        ProbeError: That is less than the least that is needed; the message says how much that is.
    """
    if params.memory is None:
        return params
    prepared, fit = least_memory(X, engine=engine, target=target, outputs=outputs, n_splits=n_splits, params=params)
    if params.memory < prepared + fit:
        shape = " x ".join(f"{length:,}" for length in X.shape)
        least = math.ceil((prepared + fit) / 1e6)
        msg = (
            f"{params.memory:,.0f} bytes of memory are too few: vectors of {shape} need at least {least}M beside them"
            f" with {'engine' if engine in ENGINES else 'head'} {engine!r}; allow that much, or leave memory out"
        )
        raise ProbeError(msg)
    return replace(params, memory=params.memory - prepared)


def least_memory(  # noqa: PLR0913 - what the sizes of arrays depend on
    X: Vectors, *, engine: str, target: str, outputs: int, n_splits: int, params: Params
) -> tuple[int, int]:
    """Bytes before the first fit, and bytes of the smallest block of fits."""
    n, d = X.shape
    scaled = params.protocol == "scaled"
    if engine != "fast" or scaled:
        # Float64 rows, those of a training set, and what scikit-learn centres or scales and LAPACK overwrites; other
        # heads copy the rows likewise.
        prepared = (32 if scaled or target == "regression" else 16) * n * d
    elif target == "regression":
        prepared = 4 * n * d + 24 * min(n, ROWS_OF_QR if n > d else n) * d
    else:
        # The rows as given, in the eigenbasis, and once more in float64 for fits that need it; of fewer rows than
        # columns the Gram product takes a copy as well (measured).
        prepared = (20 if n < d else 16) * n * d
    if engine == "ridge":
        # Gram matrices in float64: of each block of rows, or of the rows themselves where these are fewer.
        prepared += 8 * ((n_splits + 4) * d**2 if n > d else 5 * n**2 + 8 * n * d)
    if engine != "fast":
        return prepared + SLACK, 0
    import torch

    prepared += PER_CORE * torch.get_num_threads()
    prepared += 4 * _rows_behind(X) * d
    # Gram matrix, eigenvectors, and LAPACK's copies of both; triangles of least squares, one for each split.
    small = min(n, d)
    prepared += (24 if target != "regression" else 8 * (n_splits + 6)) * small**2
    if target == "regression":
        return prepared + SLACK, 0
    # A fit with those of its splits: weights, directions and what L-BFGS remembers, in float32 and once in float64.
    vectors = 640 + 180 * n_splits * (INNER if scaled else 1)
    return prepared + SLACK, 4 * vectors * (small + 1) * outputs


def _rows_behind(X: Vectors) -> int:
    """Rows of the tables that X is made of, which the engine rotates as a whole."""
    if isinstance(X, TableRows):
        return len(X.table.vectors)
    return len(X.left) + len(X.right) if isinstance(X, PairedRows) else 0
