"""Scores as the code behind arXiv 2412.04075 computes them, for comparison with its tables; never for ranking.

It differs from `gene_eval.core.metrics` in this:

- The ROC-AUC of a multi-label task is that of predicted labels, 0 or 1, not of decision values, and its labels are
  weighted by their positives. It depends on where the threshold lies: for a label that is predicted nowhere, it is 1/2.
- F1, precision and recall of a binary task are those of label 0, which sorts first.

Values are of the same fits and folds as the other scores.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.metrics import BoolArray, label_scores, ranking_scores
from gene_eval.core.probe import Score, over_splits
from gene_eval.core.splits import Splits

__all__ = ["METRICS", "published_scores"]

Array = npt.NDArray[np.float64]

METRICS: Final[dict[str, tuple[str, ...]]] = {
    "binary": ("roc_auc", "accuracy", "precision", "recall", "f1"),
    "multilabel": (
        "roc_auc_weighted",
        "hamming_loss",
        "accuracy",
        "precision_weighted",
        "recall_weighted",
        "f1_weighted",
    ),
}
"""The metrics of each target whose published form differs; multiclass and regression have none."""


def published_scores(y: npt.NDArray[Any], values: Array, splits: Splits, *, target: str) -> dict[str, Score]:
    """Scores as published; empty for a target whose published scores are ours.

    Args:
        y: As `probe` takes them.
        values: `ProbeResult.values`.
        splits: What they were scored on.
        target: Of the task.
    """
    if target not in METRICS:
        return {}
    truth, decisions = y.astype(bool).reshape(len(y), -1), values.reshape(len(y), -1)
    score = _binary if target == "binary" else _multilabel
    rows = [score(truth[splits.test_rows(split)], decisions[splits.test_rows(split)]) for split in range(len(splits))]
    return {metric: over_splits([[row[metric]] for row in rows])[0] for metric in METRICS[target]}


def _binary(y: BoolArray, decisions: Array) -> dict[str, float]:
    # Label 0 is the positive one: the same rule with truth and decisions inverted.
    turned = label_scores(~y, np.where(decisions > 0, -1.0, 1.0))
    auc, _ = ranking_scores(y, decisions)
    return {metric: float(turned[metric][0]) for metric in METRICS["binary"] if metric in turned} | {
        "roc_auc": float(auc[0])
    }


def _multilabel(y: BoolArray, decisions: Array) -> dict[str, float]:
    predicted = decisions > 0
    found = label_scores(y, np.where(predicted, 1.0, -1.0))
    support = y.sum(axis=0).astype(np.float64)
    wrong = y != predicted

    def weighted(metric: str) -> float:
        known = (support > 0) & ~np.isnan(found[metric])
        return float(found[metric][known] @ support[known] / support[known].sum()) if known.any() else float("nan")

    return {
        "roc_auc_weighted": weighted("roc_auc"),
        "hamming_loss": float(wrong.mean()),
        "accuracy": float(1 - wrong.any(axis=1).mean()),
        **{f"{metric}_weighted": weighted(metric) for metric in ("precision", "recall", "f1")},
    }
