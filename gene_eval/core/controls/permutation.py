"""The score of the same fits on permuted labels: what they reach where vectors and labels have nothing in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.few_labels.draws import Hashes
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.probe import Score, score_splits
from gene_eval.core.repeats import pooled_score
from gene_eval.core.splits import Splits

__all__ = ["N_PERMUTATIONS", "Permuted", "permuted", "permuted_rows"]

N_PERMUTATIONS: Final = 20
"""The fewest permutations with which p can be below 0.05."""
COLUMNS: Final = 256
"""Labels of one fit."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Permuted:
    """A score beside those of permuted labels.

    Attributes:
        metric: Main metric of the target.
        scores: (P,) mean over splits for each permutation.
        p_value: (1 + number of permutations that score as high) / (1 + P).
        selectivity: The score less the mean of `scores`.
    """

    metric: str
    scores: tuple[float, ...]
    p_value: float
    selectivity: float

    @classmethod
    def of(cls, metric: str, observed: float, scores: Sequence[float]) -> "Permuted":
        """The test of an observed score.

        >>> Permuted.of("roc_auc", 0.7, [0.5] * 19).p_value
        0.05
        """
        reached = sum(not score < observed for score in scores)
        return cls(metric, tuple(scores), (1 + reached) / (1 + len(scores)), observed - float(np.mean(scores)))


def permuted(  # noqa: PLR0913 - what to fit, what to, and how it is drawn
    fit: Callable[..., Values],
    y: npt.NDArray[Any],
    *,
    target: str,
    repeats: Sequence[Splits],
    hashes: Hashes,
    observed: float,
    seed: int = 0,
    n_permutations: int = N_PERMUTATIONS,
) -> Permuted:
    """Score permuted labels on the same splits.

    Labels change places within the blocks of the first repeat (folds, in cross-validation), so that every fold keeps
    its labels, and all labels of an entity move together. The permutation test of a classifier is Ojala and Garriga's
    (JMLR 11, 2010); a score less that on random labels is the selectivity of Hewitt and Liang (EMNLP 2019).

    Args:
        fit: Takes labels, `target=` and `splits=`; returns held-out values as `gene_eval.core.probe.ProbeResult` has.
        y: Labels, as `probe` takes them.
        target: Target of the task.
        repeats: Splits of one or several cross-validations.
        hashes: (n,) hash of each row, see `few_labels.draws.hash_rows`: nothing depends on the order of rows.
        observed: Mean of the main metric on the labels as they are.
        seed: Seed of the permutations.
        n_permutations: P.
    """
    labels = np.asarray(y)
    rows = permuted_rows(hashes, repeats[0].blocks, seed=seed, n_permutations=n_permutations)
    columns = labels.reshape(len(labels), -1)
    together = max(1, COLUMNS // columns.shape[1]) if target in ("binary", "multilabel") else 1
    metric, scores = MAIN_METRIC[target], []
    for first in range(0, len(rows), together):
        chosen = [labels[each] for each in rows[first : first + together]]
        by_repeat = [_scores(fit, chosen, splits, target=target, metric=metric) for splits in repeats]
        scores += [pooled_score(of_one).mean for of_one in zip(*by_repeat, strict=True)]
    return Permuted.of(metric, observed, scores)


def permuted_rows(
    hashes: Hashes, blocks: npt.NDArray[np.int64], *, seed: int, n_permutations: int
) -> npt.NDArray[np.int64]:
    """(P, n) the row whose label each row takes, one of its own block."""
    canonical = np.lexsort((hashes, blocks))
    found = np.empty((n_permutations, len(hashes)), dtype=np.int64)
    for number in range(n_permutations):
        drawn = np.random.default_rng([seed, number]).random(len(hashes))
        found[number, canonical] = canonical[np.lexsort((drawn, blocks[canonical]))]
    return found


def _scores(
    fit: Callable[..., Values], labels: Sequence[npt.NDArray[Any]], splits: Splits, *, target: str, metric: str
) -> list[Score]:
    """The main metric of each of several labellings; one fit does for all of them where each consists of labels."""
    if target not in ("binary", "multilabel"):
        values = [fit(each, target=target, splits=splits) for each in labels]
    else:
        columns = [each.reshape(len(each), -1) for each in labels]
        found = fit(np.concatenate(columns, axis=1), target="multilabel", splits=splits)
        parts = np.split(found, len(labels), axis=1)
        values = [part.reshape(each.shape) for part, each in zip(parts, labels, strict=True)]
    names = [str(number) for number in range(labels[0].reshape(len(labels[0]), -1).shape[1])]
    typed = [each.astype(bool) if target in ("binary", "multilabel") else each for each in labels]
    return [
        score_splits(each, value, splits, target=target, names=names if target == "multilabel" else ())[0][metric]
        for each, value in zip(typed, values, strict=True)
    ]
