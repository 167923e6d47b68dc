"""Scores of parts of the test entities, ordered by a number such as how much is published on them, by bootstrap.

Predictions stay as they are: intervals are about which entities were there to be tested, not about another training.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.paired_tests import ALPHA

__all__ = ["N_RESAMPLES", "SLOPE_STRATA", "StratumScores", "assign_strata", "score_strata", "weighted_auc"]

N_RESAMPLES: Final = 1000
SLOPE_STRATA: Final = 5
"""Parts whose scores a slope is fitted to."""
FEWEST: Final = 2
"""Positives, and negatives, of a part in a fold below which its ROC-AUC counts as undefined."""
# Of which the weights are in memory together.
DRAWS_AT_A_TIME: Final = 100

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StratumScores:
    """Scores of K parts, from the smallest number to the largest, each with its 95 % interval.

    Attributes:
        n: (K,) entities.
        centers: (K,) mean of the number.
        scores: (K,) mean over folds (and labels) that are defined; nan where none is.
        low: (K,) lower ends.
        high: (K,) upper ends.
        slope: Of the scores on `centers`, by least squares; nan where a score is undefined.
        slope_low: Lower end of its interval.
        slope_high: Upper end.
    """

    n: IntArray
    centers: Array
    scores: Array
    low: Array
    high: Array
    slope: float
    slope_low: float
    slope_high: float


def assign_strata(values: npt.ArrayLike, n_strata: int) -> IntArray:
    """Part of each entity, 0 (smallest) to n_strata - 1: by mean rank, so that equal numbers are in one part.

    >>> assign_strata([5.0, 1.0, 1.0, 9.0, 7.0, 7.0], 3).tolist()
    [1, 0, 0, 2, 2, 2]
    """
    from scipy import stats

    ranks = stats.rankdata(np.asarray(values, dtype=np.float64))
    strata: IntArray = np.floor(n_strata * (ranks - 0.5) / len(ranks)).astype(np.int64)
    return strata


def score_strata(
    y: npt.NDArray[Any],
    values: npt.NDArray[Any],
    folds: npt.ArrayLike,
    numbers: npt.ArrayLike,
    *,
    n_strata: int,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> StratumScores:
    """Score parts of the entities by what was predicted for them.

    A score is the mean over folds, and over labels, of the ROC-AUC among the part's entities of a fold, where there are
    two of either class at least; without `y` of
    zeros and ones, of Spearman's correlation. In every draw entities are drawn with replacement within fold and part;
    intervals are the 2.5 and 97.5 % points of the draws.

    Args:
        y: (n, L) boolean, or (n,) numbers.
        values: (n, L) or (n,) predictions, higher for more likely.
        folds: (n,) fold numbers.
        numbers: (n,) by which entities are parted.
        n_strata: How many parts.
        seed: Of the draws.
        n_resamples: Draws.

    Raises:
        ProbeError: Fewer entities than parts.
    """
    numbers = np.asarray(numbers, dtype=np.float64)
    folds = np.asarray(folds)
    if len(numbers) < n_strata:
        msg = f"{len(numbers)} entities for {n_strata} parts; give at least one for each"
        raise ProbeError(msg)
    strata = assign_strata(numbers, n_strata)
    rng = np.random.default_rng(seed)
    score = _auc_means if y.dtype == bool else _correlations
    found, drawn = np.full(n_strata, np.nan), np.full((n_resamples, n_strata), np.nan)
    for part in range(n_strata):
        cells = [np.flatnonzero((strata == part) & (folds == fold)) for fold in np.unique(folds)]
        cells = [rows for rows in cells if len(rows)]
        both = np.concatenate([_of_cell(y[rows], values[rows], rng, n_resamples, score) for rows in cells], axis=1)
        means = _mean(both)
        found[part], drawn[:, part] = means[0], means[1:]
    centers = np.array(
        [numbers[strata == part].mean() if (strata == part).any() else np.nan for part in range(n_strata)]
    )
    low, high = _ends(drawn)
    slopes = _slopes(centers, np.vstack([found, drawn]))
    slope_low, slope_high = _ends(slopes[1:, np.newaxis])
    n = np.bincount(strata, minlength=n_strata)
    return StratumScores(n, centers, found, low, high, float(slopes[0]), float(slope_low[0]), float(slope_high[0]))


def weighted_auc(y: npt.NDArray[np.bool_], values: Array, weights: Array) -> Array:
    """ROC-AUC of entities that count as often as their weights say; of equal predictions, half of the pairs.

    Args:
        y: (m,) which are positive.
        values: (m,) predictions.
        weights: (B, m) of each draw.

    Returns:
        (B,), nan where a draw has one class only.

    >>> y, values = np.array([False, True, True]), np.array([0.2, 0.2, 0.9])
    >>> weighted_auc(y, values, np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 0.0]])).tolist()
    [0.75, 0.5]
    """
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(values[order]) != 0])
    positive = weights[:, order] * y[order]
    negative = weights[:, order] - positive
    if len(starts) < len(order):
        positive, negative = (np.add.reduceat(side, starts, axis=1) for side in (positive, negative))
    below = np.cumsum(negative, axis=1) - 0.5 * negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    hits = np.einsum("bm,bm->b", positive, below)
    auc: Array = np.divide(hits, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return auc


def _of_cell(
    y: npt.NDArray[Any],
    values: npt.NDArray[Any],
    rng: np.random.Generator,
    n_resamples: int,
    score: Callable[[npt.NDArray[Any], npt.NDArray[Any], Array], Array],
) -> Array:
    """(1 + n_resamples, L) scores of a part in a fold: as it is, then of each draw."""
    m = len(values)
    parts = [score(y, values, np.ones((1, m)))]
    for start in range(0, n_resamples, DRAWS_AT_A_TIME):
        size = min(DRAWS_AT_A_TIME, n_resamples - start)
        parts.append(score(y, values, rng.multinomial(m, np.full(m, 1 / m), size=size).astype(np.float64)))
    return np.concatenate(parts)


def _auc_means(y: npt.NDArray[np.bool_], values: Array, weights: Array) -> Array:
    """(B, L), nan for a label with fewer than `FEWEST` of either class."""
    found = np.full((len(weights), y.shape[1]), np.nan)
    for label in np.flatnonzero(np.minimum(y.sum(axis=0), (~y).sum(axis=0)) >= FEWEST):
        found[:, label] = weighted_auc(y[:, label], values[:, label], weights)
    return found


def _correlations(y: Array, values: Array, weights: Array) -> Array:
    """(B, 1) Spearman's correlation of the entities drawn."""
    from scipy import stats

    found = np.full((len(weights), 1), np.nan)
    for number, counts in enumerate(weights.astype(np.int64)):
        a, b = (stats.rankdata(np.repeat(side, counts)) for side in (y, values))
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            found[number] = np.corrcoef(a, b)[0, 1]
    return found


def _mean(scores: Array) -> Array:
    """Mean of each row over what is defined in the first one, the entities as they are, and in its own."""
    defined = ~np.isnan(scores) & ~np.isnan(scores[0])
    total = np.where(defined, scores, 0.0).sum(axis=1)
    means: Array = np.where(defined.any(axis=1), total / np.maximum(defined.sum(axis=1), 1), np.nan)
    return means


def _ends(drawn: Array) -> tuple[Array, Array]:
    """(K,) ends of intervals; nan for a column without a draw."""
    ends = np.full((2, drawn.shape[1]), np.nan)
    for column, values in enumerate(drawn.T):
        if (known := values[~np.isnan(values)]).size:
            ends[:, column] = np.quantile(known, [ALPHA / 2, 1 - ALPHA / 2])
    return ends[0], ends[1]


def _slopes(centers: Array, scores: Array) -> Array:
    """Least-squares slope of each row on the centers."""
    away = centers - centers.mean()
    total = float(away @ away)
    slopes: Array = scores @ away / total if total > 0 else np.full(len(scores), np.nan)
    return slopes
