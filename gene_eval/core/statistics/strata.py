"""Scores of parts of the test entities, ordered by a number such as how much is published on them, by bootstrap.

Predictions stay as they are: intervals are about which entities happened to be tested, not about another training.
They are made from the standard error of the draws and Student's t, not from percentiles of the draws, which are too
narrow where a part has few entities of a class (Hesterberg, American Statistician 69, 2015); those of scores are made
on an unbounded scale.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.paired_tests import ALPHA

__all__ = ["N_RESAMPLES", "SLOPE_STRATA", "StratumScores", "assign_strata", "score_strata", "weighted_auc"]

N_RESAMPLES: Final = 400
SLOPE_STRATA: Final = 5
"""Parts whose scores a slope is fitted to."""
FEWEST: Final = 2
"""Fewest positives, and negatives, of a part in a fold; with fewer, its ROC-AUC counts as undefined."""
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

    Where no draw differs from the score, as where it is 0 or 1, there is no interval: nan.
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
    """Part of each entity, 0 (smallest) to n_strata - 1: by mean rank, so that equal numbers are in the same part.

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
    two of either class at least; without `y` of zeros and ones, of Spearman's correlation. In every draw entities are
    drawn with replacement within fold and part, and the standard error is the standard deviation of the draws. The
    interval of a score is its logit (of a correlation, Fisher's z) plus and minus t times the standard error on that
    scale, taken back. Its degrees of freedom are the entities of the smaller class less one, summed over the folds,
    mean over labels. The interval of a slope, a weighted sum of scores, is made of theirs: the squares of what each can
    be off by add up (Zou and Donner, Statistics in Medicine 27, 2008).

    Args:
        y: (n, L) boolean, or (n,) numbers.
        values: (n, L) or (n,) predictions, higher for more likely.
        folds: (n,) fold numbers.
        numbers: (n,) numbers by which entities are divided into parts.
        n_strata: How many parts.
        seed: Seed of the draws.
        n_resamples: Number of draws.

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
    is_auc = y.dtype == bool
    score = _auc_means if is_auc else _correlations
    found, errors, freedom = (np.full(n_strata, np.nan) for _ in range(3))
    for part in range(n_strata):
        cells = [np.flatnonzero((strata == part) & (folds == fold)) for fold in np.unique(folds)]
        cells = [rows for rows in cells if len(rows)]
        both = np.concatenate([_of_cell(y[rows], values[rows], rng, n_resamples, score) for rows in cells], axis=1)
        means = _mean(both)
        found[part], errors[part] = means[0], _spread(means[1:])
        freedom[part] = _freedom([y[rows] for rows in cells])
    centers = np.array(
        [numbers[strata == part].mean() if (strata == part).any() else np.nan for part in range(n_strata)]
    )
    low, high = _score_interval(found, errors, freedom, is_auc=is_auc)
    slope = _slope_interval(centers, found, low, high)
    return StratumScores(np.bincount(strata, minlength=n_strata), centers, found, low, high, *slope)


def weighted_auc(y: npt.NDArray[np.bool_], values: Array, weights: Array) -> Array:
    """ROC-AUC of entities that count as often as their weights say; pairs of equal predictions count half.

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
    """Mean of each row over what is defined both in it and in the first row, which has the entities as they are."""
    defined = ~np.isnan(scores) & ~np.isnan(scores[0])
    total = np.where(defined, scores, 0.0).sum(axis=1)
    means: Array = np.where(defined.any(axis=1), total / np.maximum(defined.sum(axis=1), 1), np.nan)
    return means


def _spread(drawn: Array) -> float:
    """Standard deviation of the draws that are defined; nan where they do not differ."""
    known = drawn[~np.isnan(drawn)]
    found = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    return found if found > 0 else math.nan


def _freedom(cells: Sequence[npt.NDArray[Any]]) -> float:
    """Degrees of freedom of a part's standard error, of the labels of its folds; at least 1."""
    if cells[0].dtype != bool:
        return max(float(sum(len(y) - 1 for y in cells)), 1.0)
    smaller = np.array([np.minimum(y.sum(axis=0), (~y).sum(axis=0)) for y in cells])
    of_label = np.where(smaller >= FEWEST, smaller - 1, 0).sum(axis=0)
    return float(of_label[of_label > 0].mean()) if of_label.any() else 1.0


def _score_interval(scores: Array, errors: Array, freedom: Array, *, is_auc: bool) -> tuple[Array, Array]:
    from scipy import special, stats

    # A correlation is an AUC's 2 AUC - 1, and Fisher's z half a logit of it.
    shares, spreads = (scores, errors) if is_auc else ((scores + 1) / 2, errors / 2)
    inside = (shares > 0) & (shares < 1)
    shares = np.where(inside, shares, np.nan)
    margins = stats.t.ppf(1 - ALPHA / 2, freedom) * spreads / (shares * (1 - shares))
    low, high = (special.expit(special.logit(shares) + side * margins) for side in (-1, 1))
    return (low, high) if is_auc else (2 * low - 1, 2 * high - 1)


def _slope_interval(centers: Array, scores: Array, low: Array, high: Array) -> tuple[float, float, float]:
    """Least-squares slope of the scores on the centers, and the ends of its interval; parts share no entity."""
    away = centers - centers.mean()
    total = float(away @ away)
    if not total > 0:
        return math.nan, math.nan, math.nan
    weights = away / total
    slope = float(scores @ weights)
    # What each part can be off by, in the direction that lowers the slope, and in that which raises it.
    falls = np.where(weights > 0, scores - low, high - scores) * weights
    rises = np.where(weights > 0, high - scores, scores - low) * weights
    return slope, slope - math.sqrt(float(falls @ falls)), slope + math.sqrt(float(rises @ rises))
