"""Metrics for labels that come from annotation, where a negative may be a gene that nobody has annotated yet.

Each is computed on the scored rows of one split and averaged over splits, like those of `gene_eval.core.metrics`.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.metrics import BoolArray, ranking_scores
from gene_eval.core.probe import Score, over_splits
from gene_eval.core.splits import Splits

__all__ = ["HIDDEN_SHARES", "METRICS", "TOP_SHARES", "annotation_scores", "auc_with_hidden_positives", "recall_at_top"]

Array = npt.NDArray[np.float64]

TOP_SHARES: Final = {"recall_at_1_percent": 0.01, "recall_at_5_percent": 0.05}
METRICS: Final = ("average_precision_lift", *TOP_SHARES)
"""Of a binary task or label; over the labels of a multi-label task their means are called `<metric>_macro`."""

HIDDEN_SHARES: Final = (0.05, 0.1, 0.2)
"""Shares of the negatives that `auc_with_hidden_positives` is shown for."""


def annotation_scores(
    y: npt.NDArray[Any], values: Array, splits: Splits, *, names: Sequence[str] = ()
) -> tuple[dict[str, Score], dict[str, dict[str, Score]]]:
    """Scores over all labels and by label, as `probe` gives them.

    Args:
        y: (n,) 0/1, or (n, L) for a multi-label task.
        values: `ProbeResult.values`.
        splits: What they were scored on.
        names: Of the L labels.
    """
    truth, decisions = y.astype(bool).reshape(len(y), -1), values.reshape(len(y), -1)
    found: dict[str, list[Array]] = {metric: [] for metric in METRICS}
    for split in range(len(splits)):
        train, test = truth[splits.train_rows(split)], splits.test_rows(split)
        _, precision = ranking_scores(truth[test], decisions[test])
        defined = ~np.isnan(precision) & train.any(axis=0) & ~train.all(axis=0)
        prevalence = truth[test].mean(axis=0)
        of_split = {"average_precision_lift": precision / np.where(defined, prevalence, 1.0)}
        of_split |= {name: recall_at_top(truth[test], decisions[test], share) for name, share in TOP_SHARES.items()}
        for metric, column in of_split.items():
            found[metric].append(np.where(defined, column, np.nan))
    if y.ndim == 1:
        return {metric: over_splits(columns)[0] for metric, columns in found.items()}, {}
    by_label = {metric: over_splits(columns) for metric, columns in found.items()}
    overall = {
        f"{metric}_macro": over_splits([[_mean(row)] for row in columns])[0] for metric, columns in found.items()
    }
    return overall, {name: {metric: by_label[metric][i] for metric in METRICS} for i, name in enumerate(names)}


def recall_at_top(y: BoolArray, scores: Array, share: float) -> Array:
    """(L,) share of the positives among the ceil(share m) rows of highest score; nan without positives.

    Rows of equal score at the border count in part: what a draw among them would give on average.

    Args:
        y: (m, L), true where the label applies.
        scores: (m, L), larger means more likely positive.
        share: Of the m rows.

    >>> y = np.array([[True], [False], [True], [False]])
    >>> recall_at_top(y, np.array([[3.0], [2.0], [2.0], [1.0]]), 0.5).tolist()
    [0.75]
    """
    m = len(y)
    top = int(np.ceil(round(share * m, 9)))
    border = -np.partition(-scores, top - 1, axis=0)[top - 1]
    above, at = scores > border, scores == border
    places = (top - above.sum(axis=0)) / at.sum(axis=0)
    hits = (y & above).sum(axis=0) + places * (y & at).sum(axis=0)
    positives = y.sum(axis=0).astype(np.float64)
    return np.asarray(np.divide(hits, positives, out=np.full(y.shape[1], np.nan), where=positives > 0))


def auc_with_hidden_positives(auc: float, share: float) -> float:
    """ROC-AUC if a share of the negatives are positives that are not annotated and rank like those that are.

    The measured AUC is then (1 - share) times the true one plus share / 2, so the true one is (AUC - share / 2) /
    (1 - share).

    >>> round(auc_with_hidden_positives(0.86, 0.2), 3)
    0.95
    """
    return (auc - share / 2) / (1 - share)


def _mean(values: Array) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")
