"""What vectors add to covariates: AUC(offset of cross-fitted covariates + vectors) - AUC(covariates).

For each split, three fits on its training rows T:

1. logistic regression on the covariates (C = 1), whose log-odds of the scored rows are what covariates alone give;
2. the same cross-fitted inside T, the rows of each other split left out in turn, for log-odds o_i of the rows of T by
   fits that did not see them;
3. logistic regression on the vectors with o_i as a fixed offset: |w|^2 / 2 + C sum over T of
   log(1 + exp(-s_i (o_i + w x_i + b))), s_i being 1 or -1, the intercept b not penalised.

In step 3, the offset of a scored row is its log-odds from step 1. So vectors are asked for what covariates do not
explain, and the gain is 0 for vectors that know nothing more, up to what their noise costs. For classes, the offsets
are log probabilities of a softmax; several labels are fitted one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.special

from gene_eval.core.checks import check_label_names, check_X, check_y
from gene_eval.core.controls.offset import Basis, offset_fit
from gene_eval.core.engines import DEFAULT_ENGINE, Params, get_engine
from gene_eval.core.errors import ProbeError
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.pairs import PairedRows
from gene_eval.core.probe import Score, held_out_values, over_splits, score_splits
from gene_eval.core.splits import Splits, default_folds
from gene_eval.core.table import TableRows, as_array

__all__ = ["Gain", "gain"]

Array = npt.NDArray[np.float64]

LABEL_METRIC: Final = MAIN_METRIC["binary"]


@dataclass(frozen=True)
class Gain:
    """Scores of covariates alone, of covariates with vectors, and their difference, on the same splits.

    Attributes:
        metric: Main metric of the target.
        covariates: Score of the covariates alone.
        both: Score with the vectors.
        gain: The difference, split by split.
        labels: For each label of a multi-label task, "covariates", "both" and "gain".
        n: Rows.
    """

    metric: str
    covariates: Score
    both: Score
    gain: Score
    labels: dict[str, dict[str, Score]]
    n: int


def gain(  # noqa: PLR0913 - three arrays and the options of one call
    X: npt.ArrayLike | PairedRows | TableRows,
    covariates: npt.ArrayLike | PairedRows | TableRows,
    y: npt.ArrayLike,
    *,
    target: str,
    splits: Splits,
    seed: int = 0,
    C: float = 1.0,
    label_names: Sequence[str] | None = None,
) -> Gain:
    """Score vectors by what they add to covariates.

    Args:
        X: (n, d) vectors, as `gene_eval.core.probe.probe` takes them.
        covariates: (n, c) numbers, of one scale.
        y: Labels, as `probe` takes them.
        target: "binary", "multilabel" or "multiclass".
        splits: Which rows train and which are scored.
        seed: Seed of the inner folds, where no other split scores the training rows.
        C: Inverse penalty of the weights of the vectors, and of those of the covariates.
        label_names: Names of the labels of a multi-label task.

    Raises:
        ProbeError: The arrays do not fit each other, or the target is regression.
    """
    vectors, known = check_X(X), as_array(check_X(covariates)).astype(np.float64)
    if target == "regression":
        msg = "a gain is a difference of ROC-AUCs, but this target is regression; leave the gain out"
        raise ProbeError(msg)
    if len(known) != len(vectors):
        msg = f"there are {len(vectors)} rows of vectors and {len(known)} of covariates; give as many of both"
        raise ProbeError(msg)
    truth = check_y(y, target=target, n=len(vectors))
    names = check_label_names(label_names, target=target, n_labels=truth.shape[1] if truth.ndim == 2 else 0)
    params = Params(seed=seed, C=C)
    is_softmax = target == "multiclass"
    width = int(truth.max()) + 1 if is_softmax else truth.reshape(len(truth), -1).shape[1]
    labels = np.eye(width)[truth] if is_softmax else truth.reshape(len(truth), -1).astype(np.float64)
    alone = _log_odds(known, truth, splits, target, params, width)
    basis = Basis.of(as_array(vectors).astype(np.float64))
    both = np.zeros(alone.shape)
    for split in range(len(splits)):
        train, test = splits.train_rows(split), splits.test_rows(split)
        inner = Splits.from_folds(_inner_folds(splits, split, truth, target, seed))
        offset = _log_odds(known[train], truth[train], inner, target, params, width)
        weights, intercepts = offset_fit(basis, train, labels[train], offset, C=C, is_softmax=is_softmax)
        both[test] = alone[test] + basis.rows[test] @ weights + intercepts
    first, second = (_scores(each, truth, splits, target, names) for each in (alone, both))
    metric = MAIN_METRIC[target]
    return Gain(
        metric,
        first[0][metric],
        second[0][metric],
        _difference(second[0][metric], first[0][metric]),
        {
            name: {
                "covariates": first[1][name][LABEL_METRIC],
                "both": second[1][name][LABEL_METRIC],
                "gain": _difference(second[1][name][LABEL_METRIC], first[1][name][LABEL_METRIC]),
            }
            for name in first[1]
        },
        len(vectors),
    )


def _log_odds(  # noqa: PLR0913 - what an engine takes, and the number of columns
    X: Array, y: npt.NDArray[Any], splits: Splits, target: str, params: Params, width: int
) -> Array:
    """(n, width) log-odds of the scored rows by fits on the training rows, or log probabilities of classes.

    A label that is constant in training has the log-odds of its frequency, with half a row added to both sides; a class
    that is absent there is as frequent as half a row.
    """
    found = get_engine(DEFAULT_ENGINE)(X, y, target=target, splits=splits, params=params).values
    values = np.zeros((len(y), width))
    values.reshape(len(y), -1)[:, : found.reshape(len(y), -1).shape[1]] = found.reshape(len(y), -1)
    for split in range(len(splits)):
        train, test = splits.train_rows(split), splits.test_rows(split)
        n = int(train.sum())
        if target == "multiclass":
            present = np.bincount(y[train], minlength=width) > 0
            logs = np.log(np.maximum(values[test], np.finfo(float).tiny))
            values[test] = np.where(present, logs, np.log(0.5 / n))
        else:
            count = y[train].reshape(n, -1).sum(axis=0)
            prior = np.log((count + 0.5) / (n - count + 0.5))
            values[test] = np.where((count == 0) | (count == n), prior, values[test])
    return values


def _inner_folds(splits: Splits, split: int, y: npt.NDArray[Any], target: str, seed: int) -> npt.NDArray[np.int64]:
    """Fold of each training row of a split: the split that scores it; rows that none scores are one more fold."""
    train = splits.train_rows(split)
    folds = splits.split_of_row[train]
    if len(np.unique(folds)) > 1:
        return np.unique(folds, return_inverse=True)[1].astype(np.int64)
    labels = y[train]
    rarest = np.bincount(labels.astype(np.int64)).max() if target != "multilabel" else len(labels)
    if len(labels) < 2 * 5 or rarest < 5:
        msg = f"split {split} has {len(labels)} training rows, too few to cross-fit covariates in them"
        raise ProbeError(msg)
    return default_folds(labels, target=target, seed=seed)


def _scores(
    logits: Array, y: npt.NDArray[Any], splits: Splits, target: str, names: Sequence[str]
) -> tuple[dict[str, Score], dict[str, dict[str, Score]]]:
    predicted = scipy.special.softmax(logits, axis=1) if target == "multiclass" else logits.reshape(y.shape)
    return score_splits(y, held_out_values(y, predicted, splits, target=target), splits, target=target, names=names)


def _difference(one: Score, other: Score) -> Score:
    return over_splits([[a - b] for a, b in zip(one.folds, other.folds, strict=True)])[0]
