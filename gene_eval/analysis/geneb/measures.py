"""What GENEB's authors read off their table, each with an interval: agreement, winners, specialists, size, difficulty.

Where scores of tasks are known, intervals of means and ranks are of tasks drawn with replacement within categories, and
test rows within tasks. Agreement between two lists of models, and that of size and score, are intervals over models
drawn with replacement. Rows are drawn for each model by itself, so that intervals of ranks are wide rather than narrow.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.stats

from gene_eval.analysis.geneb.board import FULL, Array, Board, Regime, Shots

__all__ = [
    "Estimate",
    "agreement",
    "category_agreement",
    "difficulty",
    "leave_one_out",
    "macro_intervals",
    "rank_intervals",
    "ranks",
    "size_and_score",
    "smaller_wins",
    "specialisation",
    "winner_changes",
    "winners",
]

RESAMPLES: Final = 2000
ENDS: Final = (2.5, 97.5)
HARD: Final = 0.35
SPREAD: Final = 0.12
TIMES_SMALLER: Final = 5


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Three decimals, and two of the interval.

        >>> str(Estimate(0.763, 0.651, 0.849))
        '0.763 (0.65 to 0.85)'
        """
        return f"{self.value:.3f} ({self.low:.2f} to {self.high:.2f})"


def ranks(means: Array) -> Array:
    """Rank of each model in each column, 1 for the largest; equal ones share the mean of theirs.

    >>> ranks(np.array([[0.5, 0.1], [0.7, 0.1], [0.6, 0.0]])).tolist()
    [[3.0, 1.5], [1.0, 1.5], [2.0, 3.0]]
    """
    found: Array = scipy.stats.rankdata(-means, axis=0)
    return found


def rank_intervals(regime: Regime) -> tuple[Array, Array]:
    """(2, M, C) ends of the interval of each rank in each category, and (2, M) of that of the macro mean."""
    by_category = scipy.stats.rankdata(-regime.draws, axis=1)
    overall = scipy.stats.rankdata(-regime.draws.mean(axis=2), axis=1)
    return np.percentile(by_category, ENDS, axis=0), np.percentile(overall, ENDS, axis=0)


def macro_intervals(regime: Regime) -> Array:
    """(2, M) ends of the interval of the macro mean; over drawn categories where no task is known."""
    if len(regime.draws):
        found: Array = np.percentile(regime.draws.mean(axis=2), ENDS, axis=0)
        return found
    rng = np.random.default_rng(0)
    n = regime.means.shape[1]
    found = np.percentile(regime.means[:, rng.integers(0, n, (RESAMPLES, n))].mean(axis=2), ENDS, axis=1)
    return found


def category_agreement(means: Array, *, seed: int = 0) -> tuple[Array, Array, Estimate]:
    """Kendall's tau-b of the models' order between categories.

    Args:
        means: (M, C).
        seed: Of the models drawn with replacement.

    Returns:
        (C, C) tau, (2, C, C) ends of intervals, and the mean over pairs of categories.
    """
    tau = _taus(means, np.ones(len(means)))
    rng = np.random.default_rng(seed)
    counts = [np.bincount(rng.integers(0, len(means), len(means)), minlength=len(means)) for _ in range(RESAMPLES)]
    drawn = np.stack([_taus(means, each.astype(np.float64)) for each in counts])
    pairs = np.triu_indices(means.shape[1], 1)
    with warnings.catch_warnings():
        # A draw of one model again and again has no order.
        warnings.filterwarnings("ignore", "Mean of empty slice|All-NaN", RuntimeWarning)
        of_mean = np.nanmean(drawn[:, pairs[0], pairs[1]], axis=1)
        low, high = np.nanpercentile(of_mean, ENDS)
        ends, mean = np.nanpercentile(drawn, ENDS, axis=0), float(np.nanmean(tau[pairs]))
    return tau, ends, Estimate(mean, float(low), float(high))


def agreement(first: Array, second: Array, *, seed: int = 0) -> Estimate:
    """Kendall's tau-b of two lists of the same models, with an interval over models.

    >>> agreement(np.arange(6.0), np.array([0.0, 1, 2, 3, 5, 4])).value.__round__(3)
    0.867
    """
    tau, ends, _ = category_agreement(np.stack([first, second], axis=1), seed=seed)
    return Estimate(float(tau[0, 1]), float(ends[0, 0, 1]), float(ends[1, 0, 1]))


def _taus(means: Array, counts: Array) -> Array:
    """(C, C) tau-b of columns whose rows count as often as `counts` says; a row and its copy are a tie."""
    signs = np.sign(means[:, None, :] - means[None, :, :]).reshape(-1, means.shape[1])
    weighted = signs * np.outer(counts, counts).reshape(-1, 1)
    products = signs.T @ weighted
    size = np.sqrt(np.outer(np.diagonal(products), np.diagonal(products)))
    return np.divide(products, size, out=np.full_like(products, np.nan), where=size > 0)


def winners(board: Board, shots: Shots) -> list[str]:
    """The best model of each category; the better macro mean where two are equal."""
    return [board.models[i] for i in board.regimes[shots].means.argmax(axis=0).tolist()]


def winner_changes(board: Board, shots: Shots, *, seed: int = 0) -> Estimate:
    """Categories whose winner is another than in the full regime.

    The interval is over drawn tasks and rows where they are known, else over drawn categories.
    """
    full, other = board.regimes[FULL], board.regimes[shots]
    differ = full.means.argmax(axis=0) != other.means.argmax(axis=0)
    if len(full.draws):
        counts = (full.draws.argmax(axis=1) != other.draws.argmax(axis=1)).sum(axis=1)
    else:
        rng = np.random.default_rng(seed)
        counts = differ[rng.integers(0, len(differ), (RESAMPLES, len(differ)))].sum(axis=1)
    low, high = np.percentile(counts, ENDS)
    return Estimate(float(differ.sum()), float(low), float(high))


def specialisation(means: Array) -> Array:
    """(M, C) mean rank in the other categories minus the rank in this one: large where a model is good at one thing.

    >>> specialisation(np.array([[0.9, 0.1, 0.1], [0.5, 0.5, 0.5]])).tolist()
    [[1.0, -0.5, -0.5], [-1.0, 0.5, 0.5]]
    """
    found = ranks(means)
    others: Array = (found.sum(axis=1, keepdims=True) - found) / max(1, found.shape[1] - 1)
    return others - found


def size_and_score(parameters: Sequence[float], macro: Array, *, seed: int = 0) -> Estimate:
    """Spearman's correlation of parameters and macro mean, with an interval over models."""
    size = np.asarray(parameters, dtype=np.float64)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(size), (RESAMPLES, len(size)))
    values = [_spearman(size[rows], macro[rows]) for rows in drawn]
    low, high = np.nanpercentile(values, ENDS)
    return Estimate(_spearman(size, macro), float(low), float(high))


def leave_one_out(parameters: Sequence[float], macro: Array) -> tuple[int, Estimate]:
    """The model without which Spearman's correlation changes most, and the correlation without it."""
    size = np.asarray(parameters, dtype=np.float64)
    whole = _spearman(size, macro)
    without = [_spearman(np.delete(size, i), np.delete(macro, i)) for i in range(len(size))]
    most = int(np.nanargmax(np.abs(np.array(without) - whole)))
    return most, size_and_score(np.delete(size, most).tolist(), np.delete(macro, most))


def _spearman(first: Array, second: Array) -> float:
    ranked = [scipy.stats.rankdata(each) for each in (first, second)]
    if min(np.ptp(each) for each in ranked) == 0:
        return float("nan")
    return float(np.corrcoef(*ranked)[0, 1])


def smaller_wins(parameters: Sequence[float], macro: Array) -> int:
    """Pairs of models of which the one with at least five times fewer parameters has the better macro mean."""
    size = np.asarray(parameters, dtype=np.float64)
    is_smaller = size[:, None] * TIMES_SMALLER <= size[None, :]
    return int((is_smaller & (macro[:, None] > macro[None, :])).sum())


def difficulty(scores: Array) -> list[tuple[float, float, bool, bool]]:
    """Of each column of (M, T) scores: mean and deviation over models, whether it is hard, whether they differ much.

    Bounds are GENEB's: a mean below 0.35, a standard deviation above 0.12.
    """
    mean, std = scores.mean(axis=0), scores.std(axis=0)
    return [(float(m), float(s), bool(m < HARD), bool(s > SPREAD)) for m, s in zip(mean, std, strict=True)]
