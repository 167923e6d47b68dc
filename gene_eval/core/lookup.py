"""Scores without vectors: what the labels of training rows in the same groups say about a row."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from gene_eval.core.checks import check_label_names, check_y
from gene_eval.core.errors import ProbeError
from gene_eval.core.probe import ProbeResult, held_out_values, score_splits
from gene_eval.core.splits import Splits

__all__ = ["Groups", "look_up"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of n rows: (n, m) numbers from 0 on, m groups a row; columns share their numbers.

    Families of genes are one column, the two genes of a pair are two.
    """

    codes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.codes)


def look_up(
    groups: Groups,
    y: npt.ArrayLike,
    *,
    target: str,
    splits: Splits,
    label_names: Sequence[str] | None = None,
) -> ProbeResult:
    """Score rows by the mean label of the training rows of their groups.

    A group's value is the mean over its training rows, with the mean of all training rows counted as one row more: so
    one row says less than ten that agree, and a group without training rows has the mean of all. A row's score is the
    mean over its groups.

    Args:
        groups: Groups of the n rows.
        y: Labels, as `gene_eval.core.probe.probe` takes them.
        target: "binary", "multiclass" (the mean is the share of each class), "multilabel" or "regression".
        splits: Which rows train and which are scored.
        label_names: Names of the labels of a multi-label task.

    Returns:
        Scores as those of a probe. Decision values are means less 1/2, so that more than half is a positive.

    Raises:
        ProbeError: Labels do not fit the target, or rows the splits.

    >>> splits = Splits.from_folds([0, 0, 1, 1])
    >>> look_up(Groups(np.array([[0], [1], [0], [1]])), [0, 1, 0, 1], target="binary", splits=splits).values.tolist()
    [-0.25, 0.25, -0.25, 0.25]
    """
    truth = check_y(y, target=target, n=len(groups))
    if len(splits.blocks) != len(groups):
        msg = (
            f"there are groups for {len(groups)} rows, but splits of {len(splits.blocks)}; give both for the same rows"
        )
        raise ProbeError(msg)
    names = check_label_names(label_names, target=target, n_labels=truth.shape[1] if truth.ndim == 2 else 0)
    began = time.perf_counter()
    columns = _columns(truth, target)
    predicted = np.zeros(columns.shape)
    for split in range(len(splits)):
        train, test = splits.train_rows(split), splits.test_rows(split)
        predicted[test] = _means(groups.codes, columns, train)[groups.codes[test]].mean(axis=1)
    if target in ("binary", "multilabel"):
        predicted -= 0.5
    values = held_out_values(
        truth, predicted if target == "multiclass" else predicted.reshape(truth.shape), splits, target=target
    )
    solved = time.perf_counter()
    scores, labels = score_splits(truth, values, splits, target=target, names=names)
    return ProbeResult(
        scores=scores,
        labels=labels,
        n=len(groups),
        dim=0,
        head="lookup",
        engine="lookup",
        protocol="lookup",
        seed=0,
        params={},
        convergence={"converged": True},
        seconds={"solve": solved - began, "score": time.perf_counter() - solved},
        values=values,
        split_of_row=splits.split_of_row,
    )


def _columns(y: npt.NDArray[Any], target: str) -> Array:
    """(n, L) numbers whose means are looked up."""
    labels: Array = np.eye(int(y.max()) + 1)[y] if target == "multiclass" else y.reshape(len(y), -1).astype(np.float64)
    return labels


def _means(codes: npt.NDArray[np.int64], columns: Array, train: npt.NDArray[np.bool_]) -> Array:
    """(G, L) mean of each group over the training rows and the mean of all of them."""
    own = codes[train]
    rows = np.repeat(np.arange(len(own)), own.shape[1])
    shape = (int(codes.max()) + 1, len(own))
    member = sparse.csr_matrix((np.ones(own.size), (own.ravel(), rows)), shape=shape)
    counts = np.asarray(member.sum(axis=1))
    means: Array = (np.asarray(member @ columns[train]) + columns[train].mean(axis=0)) / (counts + 1)
    return means
