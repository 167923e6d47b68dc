"""What may be wrong with vectors before any probe sees them: a few numbers about an embedding table."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from datasets import Dataset
    from numpy.typing import NDArray

RANK_ROWS = 1024
"""Most rows that the effective rank is computed from: enough to recognise a collapsed model, and done in seconds."""


def vector_health(symbols: Sequence[str], vectors: NDArray[np.float32]) -> dict[str, Any]:
    """Describe n vectors by a few numbers.

    Args:
        symbols: n names; they decide which rows the rank is computed from, so that their order does not.
        vectors: (n, d) numbers, perhaps NaN.

    Returns:
        `n`, `dim`; `nan_rows`, `zero_rows`, `constant_columns`; `duplicate_rows` (rows that equal another one before
        them); `norm` (min, median, max of the Euclidean lengths); `effective_rank` of the centred vectors: the
        exponential of the entropy of their singular values (Roy and Vetterli 2007), from `effective_rank_rows` rows.
        Rows with NaN count in the first three only.
    """
    finite = np.isfinite(vectors).all(axis=1)
    by_name = np.array(sorted(np.flatnonzero(finite).tolist(), key=symbols.__getitem__), dtype=np.int64)
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))[finite]
    distinct = {hashlib.blake2b(vectors[row].tobytes(), digest_size=16).digest() for row in by_name}
    sampled = by_name[np.linspace(0, len(by_name), min(RANK_ROWS, len(by_name)), endpoint=False, dtype=np.int64)]
    complete = vectors if finite.all() else vectors[finite]
    return {
        "n": len(symbols),
        "dim": int(vectors.shape[1]),
        "nan_rows": int((~finite).sum()),
        "zero_rows": int((norms == 0).sum()),
        "duplicate_rows": len(by_name) - len(distinct),
        "constant_columns": int((complete.min(axis=0) == complete.max(axis=0)).sum()) if by_name.size else 0,
        "norm": {name: _rounded(value) for name, value in zip(("min", "median", "max"), _spread(norms), strict=True)},
        "effective_rank": _rounded(effective_rank(vectors[sampled])),
        "effective_rank_rows": len(sampled),
    }


def gene_coverage(symbols: Iterable[str], genes: Dataset) -> dict[str, dict[str, int]]:
    """Count genes, and those with a vector, by locus group; where the table has none, all genes are the group "all"."""
    names = genes["symbol"][:]
    groups = genes["locus_group"][:] if "locus_group" in genes.column_names else ["all"] * len(names)
    known = set(symbols)
    total = Counter(group or "unknown" for group in groups)
    there = Counter(group or "unknown" for name, group in zip(names, groups, strict=True) if name in known)
    return {group: {"genes": total[group], "with_vector": there[group]} for group in sorted(total)}


def effective_rank(vectors: NDArray[Any]) -> float:
    """Return how many directions (n, d) vectors fill: between 0 (all equal) and d.

    >>> round(effective_rank(np.eye(4)), 6)  # centred, so one direction is lost
    3.0
    """
    if not len(vectors):
        return 0.0
    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0)
    # Squares of the singular values, from the smaller of the two products: many times faster than their decomposition.
    gram = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    # What rounding leaves of equal numbers is not a direction.
    values = values[values > values.max() * 1e-6]
    if not values.size:
        return 0.0
    shares = values / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _spread(norms: NDArray[np.float64]) -> tuple[float, float, float]:
    return (float(norms.min()), float(np.median(norms)), float(norms.max())) if norms.size else (0.0, 0.0, 0.0)


def _rounded(value: float) -> float:
    """Keep four digits: platforms differ in the last ones of a sum."""
    return float(f"{value:.4g}")
