"""The head "knn": labels of the most similar training rows.

The `K` training rows with the largest cosine similarity vote with equal weight, as in `sklearn.neighbors` with
`metric="cosine"`. With s of K neighbours positive, the value of a label is log((s + 1/2) / (K - s + 1/2)); a class has
the share of its neighbours, a number their mean. A vector of zeros has similarity 0 to every row.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.heads.parts import empty_values, is_scaled, parts
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors

K: Final = 20
SIMILARITIES: Final = 1 << 24
"""Held at a time, if memory is not bounded."""
FEWEST: Final = 1 << 16
BYTES_EACH: Final = 12
"""In float32, with the number of the row."""


def held_out(X: Vectors, y: npt.NDArray[Any], *, target: str, splits: Splits, params: Params) -> HeldOut:
    """Find the neighbours of a split's rows once for all labels; see `engines.Engine` for the arrays."""
    values = empty_values(y, target)
    held = SIMILARITIES if params.memory is None else max(FEWEST, min(SIMILARITIES, int(params.memory) // BYTES_EACH))
    for part in parts(X, splits, params):
        labels = y[part.train]
        if target == "multiclass":
            labels = labels[:, None] == np.arange(values.shape[1])
        k = min(K, len(labels))
        means = labels[neighbours(part.X_test, part.X_train, k=k, held=held)].mean(axis=1, dtype=np.float64)
        if target in ("binary", "multilabel"):
            means = np.log((k * means + 0.5) / (k * (1 - means) + 0.5))
        values[part.test] = means
    return HeldOut(values, params={"k": K, "metric": "cosine", "is_standardised": is_scaled(params)})


def neighbours(
    rows: npt.NDArray[np.floating[Any]], among: npt.NDArray[np.floating[Any]], *, k: int, held: int = SIMILARITIES
) -> npt.NDArray[np.int64]:
    """(m, k) numbers of the rows of `among` (N, d) that are most similar to each of `rows` (m, d), in no order."""
    left, right = _of_unit_length(rows), _of_unit_length(among)
    out = np.empty((len(rows), k), dtype=np.int64)
    step = max(1, held // len(among))
    for start in range(0, len(rows), step):
        similarity = left[start : start + step] @ right.T
        out[start : start + step] = np.argpartition(similarity, len(among) - k, axis=1)[:, len(among) - k :]
    return out


def _of_unit_length(rows: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: npt.NDArray[np.floating[Any]] = rows / np.where(length > 0, length, 1)
    return scaled
