"""Metrics of one held-out fold, for all labels at once.

Labels are columns: an array (m, L) holds m held-out rows of L labels, and one sort per label gives both ranking
metrics, so that 300 labels take milliseconds rather than the seconds of a call per label. Values equal those of
`sklearn.metrics` with `zero_division=0`; the tests compare them one by one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64 | np.int64]

METRICS: Final[dict[str, tuple[str, ...]]] = {
    "binary": ("roc_auc", "average_precision", "accuracy", "precision", "recall", "f1", "mcc"),
    "multiclass": (
        "roc_auc_ovr_weighted",
        "roc_auc_ovr_macro",
        "accuracy",
        "precision_weighted",
        "recall_weighted",
        "f1_weighted",
        "f1_macro",
        "mcc",
    ),
    "multilabel": (
        "roc_auc_weighted",
        "roc_auc_macro",
        "average_precision_macro",
        "hamming_loss",
        "accuracy",
        "precision_weighted",
        "recall_weighted",
        "f1_weighted",
    ),
    "regression": ("r2", "rmse", "mae", "pearson", "spearman"),
}
"""The metrics of each target; those of one label of a multi-label task are the binary ones."""

MAIN_METRIC: Final[dict[str, str]] = {
    "binary": "roc_auc",
    "multiclass": "roc_auc_ovr_macro",
    "multilabel": "roc_auc_macro",
    "regression": "r2",
}
"""The metric by which models are ranked, for each target. Weighted by size, one class would decide many tasks."""

PAPER_METRIC: Final[dict[str, str]] = {**MAIN_METRIC, "multiclass": "roc_auc_ovr_weighted"}
"""The metric that Figure 2 of arXiv 2412.04075 averages."""

HIGHER_IS_BETTER: Final[dict[str, bool]] = {
    name: name not in {"hamming_loss", "rmse", "mae"} for names in METRICS.values() for name in names
}
"""Whether a larger value of a metric means a better model."""


def ranking_scores(y: BoolArray, scores: Array) -> tuple[Array, Array]:
    """ROC-AUC and average precision of each column, with rows of equal score taken together.

    Args:
        y: (m, L), true where the label applies.
        scores: (m, L), larger means more likely positive.

    Returns:
        Two (L,) arrays; both nan for a column of `y` that is constant.

    >>> y = np.array([[False], [False], [True], [True]])
    >>> auc, ap = ranking_scores(y, np.array([[0.1], [0.4], [0.35], [0.8]]))
    >>> float(auc[0]), round(float(ap[0]), 4)
    (0.75, 0.8333)
    """
    m, n_labels = y.shape
    if m == 0:
        return np.full(n_labels, np.nan), np.full(n_labels, np.nan)
    # One contiguous row per label: sorting and cumulating along memory is several times faster.
    negated = np.ascontiguousarray(-scores.T)
    order = np.argsort(negated, axis=1)
    ordered = np.take_along_axis(negated, order, axis=1)
    truth = np.take_along_axis(np.ascontiguousarray(y.T), order, axis=1)
    ends = np.ones((n_labels, m), dtype=bool)
    ends[:, :-1] = ordered[:, 1:] != ordered[:, :-1]

    seen = np.arange(1, m + 1, dtype=np.int64)
    tp = np.cumsum(truth, axis=1, dtype=np.int64)
    fp = seen - tp
    if ends.all():
        tp_step, fp_step = truth.astype(np.int64), (~truth).astype(np.int64)
    else:
        tp_step = np.where(ends, tp - _at_previous_end(tp, ends), 0)
        fp_step = np.where(ends, fp - _at_previous_end(fp, ends), 0)
    positives, negatives = tp[:, -1], fp[:, -1]
    # Trapezoids under the ROC curve, twice their area so that the sum stays in exact integers.
    doubled = np.einsum("lm,lm->l", fp_step, 2 * tp - tp_step)
    steps = np.einsum("lm,lm->l", tp_step, tp / seen)
    constant = (positives == 0) | (negatives == 0)
    auc = _divide(doubled, 2 * positives * negatives, default=np.nan)
    ap = np.where(constant, np.nan, _divide(steps, positives, default=np.nan))
    return auc, ap


def label_scores(y: BoolArray, decisions: Array) -> dict[str, Array]:
    """The binary metrics of each label; a decision value above 0 predicts the label.

    Args:
        y: (m, L), true where the label applies.
        decisions: (m, L) log-odds of the label.

    Returns:
        `METRICS["binary"]`, each with one value per label, (L,).
    """
    auc, ap = ranking_scores(y, decisions)
    predicted = decisions > 0
    m = y.shape[0]
    tp = np.count_nonzero(y & predicted, axis=0).astype(np.int64)
    fp = np.count_nonzero(predicted, axis=0) - tp
    fn = np.count_nonzero(y, axis=0) - tp
    tn = m - tp - fp - fn
    # Factors in float: products of four counts of 20,000 overflow int64.
    spread = np.sqrt((tp + fp).astype(float) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "roc_auc": auc,
        "average_precision": ap,
        "accuracy": _divide(tp + tn, np.full(y.shape[1], m), default=np.nan),
        "precision": _divide(tp, tp + fp),
        "recall": _divide(tp, tp + fn),
        "f1": _divide(2 * tp, 2 * tp + fp + fn),
        "mcc": _divide(tp * tn - fp * fn, spread),
    }


def multilabel_scores(
    y: BoolArray, decisions: Array, per_label: dict[str, Array], defined: BoolArray
) -> dict[str, float]:
    """Aggregates over the labels of one fold.

    Args:
        y: (m, L) truth.
        decisions: (m, L) log-odds.
        per_label: what `label_scores` returned for them.
        defined: (L,), false for a label that is constant in this fold's training or test rows.

    Returns:
        `METRICS["multilabel"]`. Weighted means weigh by positives among the m rows; Hamming loss and subset accuracy
        count every label, defined or not.
    """
    wrong = y != (decisions > 0)
    uniform = defined.astype(float)
    support = np.where(defined, np.count_nonzero(y, axis=0), 0).astype(float)
    return {
        "roc_auc_weighted": _average(per_label["roc_auc"], support),
        "roc_auc_macro": _average(per_label["roc_auc"], uniform),
        "average_precision_macro": _average(per_label["average_precision"], uniform),
        "hamming_loss": float(wrong.mean()),
        "accuracy": float(1.0 - wrong.any(axis=1).mean()),
        "precision_weighted": _average(per_label["precision"], support),
        "recall_weighted": _average(per_label["recall"], support),
        "f1_weighted": _average(per_label["f1"], support),
    }


def multiclass_scores(y: IntArray, probabilities: Array, defined: BoolArray) -> dict[str, float]:
    """Metrics of one fold of a multi-class task; the most probable class is predicted.

    Args:
        y: (m,) classes 0..K-1.
        probabilities: (m, K).
        defined: (K,), false for a class that is constant (absent) in this fold's training or test rows; such a class
            is left out of the one-versus-rest averages.

    Returns:
        `METRICS["multiclass"]`; `f1_macro` averages the classes that occur in truth or prediction.
    """
    n_classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    table = np.bincount(y * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    hits, true, called = np.diag(table).astype(float), table.sum(axis=1), table.sum(axis=0)
    one_hot = y[:, None] == np.arange(n_classes)
    auc = np.full(n_classes, np.nan)
    auc[defined], _ = ranking_scores(one_hot[:, defined], probabilities[:, defined])
    f1 = _divide(2 * hits, true + called)
    m = float(len(y))
    covariance = hits.sum() * m - (true * called).sum()
    # R_K of Gorodkin (2004), the multi-class form of the Matthews coefficient.
    spread = np.sqrt((m**2 - (called.astype(float) ** 2).sum()) * (m**2 - (true.astype(float) ** 2).sum()))
    return {
        "roc_auc_ovr_weighted": _average(auc, np.where(defined, true, 0)),
        "roc_auc_ovr_macro": _average(auc, defined.astype(float)),
        "accuracy": float(hits.sum() / m),
        "precision_weighted": _average(_divide(hits, called), true),
        "recall_weighted": _average(_divide(hits, true), true),
        "f1_weighted": _average(f1, true),
        "f1_macro": _average(f1, (true + called) > 0),
        "mcc": float(covariance / spread) if spread > 0 else 0.0,
    }


def regression_scores(y: Array, predicted: Array) -> dict[str, float]:
    """Metrics of one fold of a regression task, in the units of `y` for `rmse` and `mae`.

    R2 and the two correlations are nan where they do not exist: fewer than two rows or constant `y`, and for the
    correlations constant predictions too.

    >>> {k: round(v, 3) for k, v in regression_scores(np.array([1.0, 2, 3]), np.array([1.0, 2, 4])).items()}
    {'r2': 0.5, 'rmse': 0.577, 'mae': 0.333, 'pearson': 0.982, 'spearman': 1.0}
    """
    residual = y - predicted
    total = float(((y - y.mean()) ** 2).sum())
    # The spread says whether y is constant; squares around a rounded mean can be above 0 for equal values.
    exists = len(y) > 1 and np.ptp(y) > 0 and total > 0
    return {
        "r2": float(1.0 - (residual**2).sum() / total) if exists else np.nan,
        "rmse": float(np.sqrt((residual**2).mean())),
        "mae": float(np.abs(residual).mean()),
        "pearson": _correlation(y, predicted),
        "spearman": _correlation(_ranks(y), _ranks(predicted)),
    }


def _correlation(a: Array, b: Array) -> float:
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    # Scaled by the largest value first: squares of 1e-200 or 1e200 leave the range of a float.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def _ranks(values: Array) -> Array:
    """Ranks from 1, equal values sharing their mean rank."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank: Array = np.cumsum(size) - (size - 1) / 2
    return mean_rank[group]


def _at_previous_end(counts: IntArray, ends: BoolArray) -> IntArray:
    """The count reached at the last end of a group of ties before each position; counts never fall."""
    reached = np.maximum.accumulate(np.where(ends, counts, 0), axis=1)
    return np.concatenate([np.zeros_like(reached[:, :1]), reached[:, :-1]], axis=1)


def _divide(numerator: Numbers, denominator: Numbers, *, default: float = 0.0) -> Array:
    out = np.full(np.shape(numerator), default, dtype=np.float64)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def _average(values: Array, weights: npt.ArrayLike) -> float:
    """Weighted mean over the entries of positive weight; nan without any."""
    w = np.asarray(weights, dtype=np.float64)
    used = w > 0
    if not used.any():
        return float("nan")
    return float(values[used] @ w[used] / w[used].sum())
