"""The probe on k examples of each class, drawn many times from the training rows of every split.

Examples are the first k of each class in an order of hashes, another for each draw; a draw of k is part of the draw of
2 k. Features are standardised by all training rows of the split, for which no label is needed: the spread of two
examples says nothing. What is fitted is L2 logistic regression with C = 0.1 (softmax for classes), or class means
(`heads.centroid`). Each label of a multi-label task is a binary task. A score is the mean over draws, and the score of
each draw is kept.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.special
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from gene_eval.core.checks import check_label_names, check_X, check_y
from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.few_labels.draws import Hashes, draw, hash_order
from gene_eval.core.few_labels.fits import centroids, logistic
from gene_eval.core.pairs import PairedRows
from gene_eval.core.parts.logistic import n_cores
from gene_eval.core.probe import ProbeResult, Score, check_splits, over_splits, score_splits
from gene_eval.core.splits import Splits
from gene_eval.core.table import TableRows, as_array

__all__ = ["HEADS", "N_DRAWS", "few_shot"]

Array = npt.NDArray[np.float64]

HEADS: Final = ("linear", "centroid")
N_DRAWS: Final = 20
C: Final = 0.1
ROWS: Final = 1 << 12
NUMBERS: Final = 1 << 22
"""Most numbers held at a time, of predictions or of training rows."""


def few_shot(  # noqa: PLR0913 - the arguments of `probe`
    X: npt.ArrayLike | PairedRows | TableRows,
    y: npt.ArrayLike,
    *,
    k: int,
    target: str,
    folds: npt.ArrayLike | None = None,
    splits: Splits | None = None,
    head: str = "linear",
    seed: int = 0,
    label_names: Sequence[str] | None = None,
    hashes: Hashes | None = None,
    n_draws: int = N_DRAWS,
) -> ProbeResult:
    """Score fits on k examples of each class.

    Args:
        X: As `probe` takes them, like `y`, `target`, `folds`, `splits`, `seed` and `label_names`.
        y: Labels; not of a regression task.
        k: Examples of each class; the training rows of every split must have 2 k of each.
        target: "binary", "multiclass" or "multilabel".
        folds: Either folds or `splits`.
        splits: Which rows train and which are scored.
        head: "linear" or "centroid".
        seed: Seed of the draws.
        label_names: Names of the labels of a multi-label task.
        hashes: (n,) hash of each row, see `draws.hash_rows`; by default of the row's number.
        n_draws: How often examples are drawn.

    Returns:
        Scores by metric, each fold the mean over draws; `ProbeResult.draws` has the mean over folds of every draw.
        Labels of a multi-label task with fewer than 2 k examples of either kind are left out and listed in `params`.

    Raises:
        ProbeError: The arrays cannot be scored, or a class has fewer than 2 k training rows in some split.
    """
    began = time.perf_counter()
    vectors = check_X(X)
    truth = check_y(y, target=target, n=len(vectors))
    if target == "regression":
        msg = f"shots {k}: examples are drawn from classes, but the target is regression; leave shots out"
        raise ProbeError(msg)
    if head not in HEADS:
        raise UnknownNameError(head, kind="head for shots", known=HEADS)
    splits = check_splits(folds, splits, n=len(vectors))
    names = check_label_names(label_names, target=target, n_labels=truth.shape[1] if truth.ndim == 2 else 0)
    order_of = hashes if hashes is not None else np.arange(len(vectors), dtype=np.uint64)
    problem = _Problem.of(truth, target=target, splits=splits, k=k, names=names)
    array = as_array(vectors)
    means, scales = standardisation(array, splits)
    made: list[tuple[dict[str, Score], dict[str, dict[str, Score]]]] = []
    step = max(1, min(n_draws, NUMBERS // max(1, problem.truth.size)))
    for first in range(0, n_draws, step):
        orders = [
            hash_order(order_of, seed=n_draws * seed + number) for number in range(first, min(n_draws, first + step))
        ]
        for values in _predicted(array, means, scales, problem, orders, head):
            made.append(score_splits(problem.truth, values, splits, target=target, names=problem.names))
    scores = {metric: _mean([one[metric] for one, _ in made]) for metric in made[0][0]}
    labels = {
        name: {metric: _mean([per_label[name][metric] for _, per_label in made]) for metric in made[0][1][name]}
        for name in made[0][1]
    }
    params = {"C": C} if head == "linear" else {}
    left_out = [name for name in names if name not in problem.names]
    return ProbeResult(
        scores=scores,
        labels=labels,
        n=len(vectors),
        dim=vectors.shape[1],
        engine="fast",
        head=head,
        protocol="paper",
        seed=seed,
        params={**params, "n_draws": n_draws, "is_standardised": True, "labels_left_out": left_out},
        convergence={"converged": True},
        seconds={"solve": time.perf_counter() - began},
        draws={metric: tuple(one[metric].mean for one, _ in made) for metric in scores},
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """Labels of which every split has enough examples, and the groups that examples are drawn from.

    Attributes:
        truth: Like `y`, with the labels that are scored.
        names: Names of the labels of a multi-label task.
        groups: (n, G) classes; for labels the rows without a label, then those with it, label by label.
        target: As in `few_shot`.
        splits: Splits of the n rows.
        k: Examples of each group.
    """

    truth: npt.NDArray[Any]
    names: Sequence[str]
    groups: npt.NDArray[np.bool_]
    target: str
    splits: Splits
    k: int

    @classmethod
    def of(cls, truth: npt.NDArray[Any], *, target: str, splits: Splits, k: int, names: Sequence[str]) -> "_Problem":
        """Leave out labels without enough examples.

        Raises:
            ProbeError: A class has too few examples, or every label has.
        """
        if target == "multiclass":
            groups = truth[:, None] == np.arange(truth.max() + 1)
        else:
            columns = truth.reshape(len(truth), -1)
            groups = np.stack([~columns, columns], axis=2).reshape(len(truth), -1)
        counts = np.min([groups[splits.train_rows(split)].sum(axis=0) for split in range(len(splits))], axis=0)
        is_multilabel = target == "multilabel"
        # The rarer kind of each label; one number for the classes of other targets.
        rarest = counts.reshape(-1, 2).min(axis=1) if is_multilabel else counts.min(keepdims=True)
        kept = np.flatnonzero(rarest >= 2 * k)
        if not len(kept):
            most = int(rarest.max())
            of = "the most frequent label's rarer kind" if is_multilabel else "the rarest class"
            msg = (
                f"shots {k} needs {2 * k} examples of each class in the training rows of every split, but {of} has"
                f" {most}; give {most // 2} shots or fewer"
            )
            raise ProbeError(msg)
        if is_multilabel:
            groups = groups.reshape(len(truth), -1, 2)[:, kept].reshape(len(truth), -1)
            truth, names = truth[:, kept], [names[i] for i in kept.tolist()]
        return cls(truth, names, groups, target, splits, k)


def standardisation(X: npt.NDArray[np.floating[Any]], splits: Splits) -> tuple[Array, Array]:
    """(S, d) means and standard deviations of the training rows, 1 for a constant feature, from sums over blocks.

    As `sklearn.preprocessing.StandardScaler` gives them for each split, in one pass over the rows instead of S.
    """
    n_blocks, d = splits.train.shape[1], X.shape[1]
    sums, squares = np.zeros((n_blocks, d)), np.zeros((n_blocks, d))
    # Close to the means, so that little cancels.
    middle = X[: 1 << 10].mean(axis=0, dtype=np.float64)
    order = np.argsort(splits.blocks, kind="stable")
    ends = np.cumsum(splits.block_sizes)
    for block, (first, end) in enumerate(zip(ends - splits.block_sizes, ends, strict=True)):
        for low in range(first, end, ROWS):
            rows = X[order[low : min(end, low + ROWS)]] - middle
            sums[block] += rows.sum(axis=0)
            squares[block] += np.einsum("ij,ij->j", rows, rows)
    count = (splits.train @ splits.block_sizes)[:, np.newaxis]
    offsets = splits.train @ sums / count
    means, variances = middle + offsets, np.maximum(splits.train @ squares / count - offsets**2, 0)
    # The bound is what rounding may leave of a constant, as in scikit-learn.
    eps = np.finfo(np.float64).eps
    is_constant = variances <= count * eps * variances + (count * means * eps) ** 2
    return means, np.where(is_constant, 1.0, np.sqrt(variances))


def _predicted(  # noqa: PLR0913 - the rows, how they are standardised, what is drawn and fitted
    X: npt.NDArray[np.floating[Any]],
    means: Array,
    scales: Array,
    problem: _Problem,
    orders: Sequence[npt.NDArray[np.int64]],
    head: str,
) -> Array:
    """(draws, n) or (draws, n, columns) values of the rows that are scored, nan for others."""
    is_multiclass, n_groups = problem.target == "multiclass", problem.groups.shape[1]
    values = np.full((len(orders), len(X), n_groups if is_multiclass else n_groups // 2), np.nan)

    def fill(split: int) -> None:
        train, test = problem.splits.train_rows(split), problem.splits.test_rows(split)
        mean, scale = means[split], scales[split]
        groups = np.stack([draw(order[train[order]], problem.groups, k=problem.k) for order in orders])
        # The rows of each fit, class by class: all classes, or those without and with a label.
        examples = groups.reshape(-1, (n_groups if is_multiclass else 2) * problem.k)
        weights, intercepts = _fitted(X, mean, scale, examples, k=problem.k, head=head)
        if not is_multiclass:
            weights, intercepts = (part[..., 1:] - part[..., :1] for part in (weights, intercepts))
        # One product for all fits; that of a stack of matrices is ten times slower.
        flat = weights.transpose(1, 0, 2).reshape(X.shape[1], -1)
        logits = _logits(X, np.flatnonzero(test), mean, scale, flat) + intercepts.ravel()
        by_draw = logits.reshape(len(logits), len(orders), -1).transpose(1, 0, 2)
        values[:, test] = scipy.special.softmax(by_draw, axis=2) if is_multiclass else by_draw

    # One split to a core, each product on that core: small ones wait longer for another core than they take.
    with ThreadPoolExecutor(n_cores()) as pool, threadpool_limits(1, user_api="blas"):
        list(pool.map(fill, range(len(problem.splits))))
    return values if is_multiclass else values.reshape(len(orders), *problem.truth.shape)


def _logits(
    X: npt.NDArray[np.floating[Any]], rows: npt.NDArray[np.int64], mean: Array, scale: Array, flat: Array
) -> Array:
    """Standardised rows times (d, K) weights, some rows at a time, so that no copy of all is made."""
    return np.concatenate([((X[rows[low : low + ROWS]] - mean) / scale) @ flat for low in range(0, len(rows), ROWS)])


def _fitted(  # noqa: PLR0913 - the rows, how they are standardised, and what is fitted
    X: npt.NDArray[np.floating[Any]],
    mean: Array,
    scale: Array,
    examples: npt.NDArray[np.int64],
    *,
    k: int,
    head: str,
) -> tuple[Array, Array]:
    """Weights (B, d, K) and intercepts (B, K) of the fits on each row of the (B, K k) examples."""
    n_classes = examples.shape[1] // k
    y = np.repeat(np.arange(n_classes), k)
    # See `logistic`: scikit-learn has one weight vector for two classes.
    penalty = C / 2 if n_classes == 2 else C
    step = max(1, NUMBERS // (examples.shape[1] * X.shape[1]))
    made = []
    for first in range(0, len(examples), step):
        rows = (X[examples[first : first + step]] - mean) / scale
        made.append(logistic(rows, y, C=penalty) if head == "linear" else centroids(rows, y))
    weights, intercepts = zip(*made, strict=True)
    return np.concatenate(weights), np.concatenate(intercepts)


def _mean(of_draws: Sequence[Score]) -> Score:
    """The value of a fold is the mean over draws; a fold is defined in all draws or in none."""
    return over_splits([[value] for value in np.mean([score.folds for score in of_draws], axis=0)])[0]
