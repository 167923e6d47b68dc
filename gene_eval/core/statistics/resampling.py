"""What holds over many tasks: paired bootstrap of their mean, rank intervals, and models that cannot be distinguished.

Tasks made from one source share genes and often labels, so they are no independent witnesses: each cluster of tasks
counts once, by its mean, and clusters are resampled. A test that takes such tasks as independent finds differences
where there are none, in up to every second pair of models (docs/statistics.md has the numbers).

A bootstrap of few clusters sees too little variance; its standard error is therefore scaled by sqrt(G / (G - 1)) and
judged by a t distribution with G - 1 degrees of freedom, G being the number of clusters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.paired_tests import ALPHA, holm

__all__ = [
    "MIN_CLUSTERS",
    "N_RESAMPLES",
    "BootstrapMean",
    "Ranking",
    "bootstrap_mean",
    "cluster_means",
    "rank_models",
    "tie_groups",
]

MIN_CLUSTERS: Final = 6
"""Fewest clusters that a statement is made from: with five, no signed-rank test can reach p < 0.05."""
N_RESAMPLES: Final = 10_000

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BootstrapMean:
    """A mean over clusters of tasks, with the interval and p-value (against zero) of a bootstrap.

    With fewer than `MIN_CLUSTERS` clusters `low`, `high`, `std_error` and `p_value` are nan.
    """

    mean: float
    low: float
    high: float
    std_error: float
    p_value: float
    n: int
    n_clusters: int


@dataclass(frozen=True)
class Ranking:
    """Models by their mean over clusters of tasks, and how certain their ranks are.

    Attributes:
        means: (M,) mean of each model's cluster means.
        ranks: (M,) rank by mean, 1 is best; equal means share the better rank.
        low: (M,) best rank in the interval of the bootstrap; nan with fewer than `MIN_CLUSTERS` clusters.
        high: (M,) worst rank in it.
        p_values: (M, M) of the paired bootstrap, Holm-adjusted over all pairs; nan on the diagonal, and throughout with
            fewer than `MIN_CLUSTERS` clusters.
        n: Tasks.
        n_clusters: Clusters they fall into.
    """

    means: Array
    ranks: Array
    low: Array
    high: Array
    p_values: Array
    n: int
    n_clusters: int


def bootstrap_mean(
    values: npt.ArrayLike, *, clusters: Sequence[object] | None = None, seed: int = 0, alpha: float = ALPHA
) -> BootstrapMean:
    """Mean of differences over clusters of tasks, and whether it is zero.

    Args:
        values: (T,) one number per task.
        clusters: (T,) name of each task's cluster; by default every task is a cluster.
        seed: Of the resampling.
        alpha: The interval covers 1 - alpha.

    Raises:
        ProbeError: No values, undefined ones, or lengths that differ.

    >>> found = bootstrap_mean([0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.3, 0.0])
    >>> round(found.mean, 2), round(found.low, 2), round(found.high, 2), found.n_clusters
    (0.15, 0.07, 0.23, 8)
    """
    units = cluster_means(np.asarray(values, dtype=np.float64)[np.newaxis], clusters)
    n_clusters, mean = units.shape[1], float(units.mean())
    n = np.size(values)
    if n_clusters < MIN_CLUSTERS:
        return BootstrapMean(mean, math.nan, math.nan, math.nan, math.nan, n, n_clusters)
    from scipy import stats

    std_error = float(_std_error(_resampled_means(units, seed)[:, 0], n_clusters))
    margin = float(stats.t.ppf(1 - alpha / 2, n_clusters - 1)) * std_error
    p_value = float(_p_values(np.array(mean), np.array(std_error), n_clusters))
    return BootstrapMean(mean, mean - margin, mean + margin, std_error, p_value, n, n_clusters)


def cluster_means(table: npt.ArrayLike, clusters: Sequence[object] | None = None) -> Array:
    """Means over the tasks of each cluster.

    Args:
        table: (M, T) numbers.
        clusters: (T,) name of each task's cluster; by default every task is a cluster.

    Returns:
        (M, G), in the order in which the clusters first appear.

    Raises:
        ProbeError: No numbers, undefined ones, or lengths that differ.

    >>> cluster_means([[1, 2, 3]], ["a", "b", "a"]).tolist()
    [[2.0, 2.0]]
    """
    rows = np.asarray(table, dtype=np.float64)
    if rows.ndim != 2 or not rows.size or np.isnan(rows).any():
        msg = f"scores of shape {rows.shape}: expected one per model and task, none of them undefined"
        raise ProbeError(msg)
    if clusters is None:
        return rows
    if len(clusters) != rows.shape[1]:
        msg = f"{len(clusters)} clusters for {rows.shape[1]} tasks; name one per task"
        raise ProbeError(msg)
    numbers: dict[object, int] = {}
    of_task = [numbers.setdefault(name, len(numbers)) for name in clusters]
    return np.stack([np.bincount(of_task, weights=row) for row in rows]) / np.bincount(of_task)


def rank_models(scores: npt.ArrayLike, *, clusters: Sequence[object] | None = None, seed: int = 0) -> Ranking:
    """Rank models by their mean over clusters of tasks that all of them were scored on; higher is better.

    Args:
        scores: (M, T) one row per model, one column per task, all of one kind of metric.
        clusters: (T,) name of each task's cluster; by default every task is a cluster.
        seed: Of the resampling.

    Raises:
        ProbeError: No scores, undefined ones, or lengths that differ.
    """
    units = cluster_means(scores, clusters)
    n_models, n_clusters = units.shape
    n_tasks = np.shape(scores)[1]
    means = units.mean(axis=1)
    ranks = _ranks(means)
    if n_clusters < MIN_CLUSTERS:
        unknown = np.full(n_models, np.nan)
        return Ranking(means, ranks, unknown, unknown, np.full((n_models, n_models), np.nan), n_tasks, n_clusters)
    from scipy import stats

    resampled = _resampled_means(units, seed)
    # The percentile interval made wider for few clusters (Hesterberg, American Statistician 69, 2015).
    tail = stats.norm.cdf(math.sqrt(n_clusters / (n_clusters - 1)) * stats.t.ppf(ALPHA / 2, n_clusters - 1))
    low, high = np.quantile(_ranks(resampled), [tail, 1 - tail], axis=0, method="inverted_cdf")
    p_values = _pairwise(means, resampled, n_clusters)
    return Ranking(means, ranks, low, high, p_values, n_tasks, n_clusters)


def tie_groups(means: npt.ArrayLike, p_values: npt.ArrayLike, *, alpha: float = ALPHA) -> tuple[tuple[int, ...], ...]:
    """Largest runs of models, neighbours by mean and best first, of which no two were distinguished.

    A model may be in several runs: the bars of a critical-difference diagram (Demsar, JMLR 7, 2006).

    Args:
        means: (M,) by which models are ordered.
        p_values: (M, M) of their differences, adjusted for the number of pairs; nan tells nothing apart.
        alpha: Two models with a p-value below it differ.

    Returns:
        Model numbers, best first.

    >>> tie_groups([0.9, 0.5, 0.8], [[1.0, 0.01, 0.2], [0.01, 1.0, 0.3], [0.2, 0.3, 1.0]])
    ((0, 2), (2, 1))
    """
    table = np.asarray(p_values, dtype=np.float64)
    order = [int(model) for model in np.argsort(-np.asarray(means, dtype=np.float64), kind="stable")]
    groups: list[tuple[int, ...]] = []
    end = 0
    for start in range(len(order)):
        stop = start + 1
        while stop < len(order) and not any(table[order[stop], model] < alpha for model in order[start:stop]):
            stop += 1
        if stop > end:
            groups.append(tuple(order[start:stop]))
            end = stop
    return tuple(groups)


def _resampled_means(units: Array, seed: int) -> Array:
    """(N_RESAMPLES, M) means over clusters drawn with replacement, the same draws for all models."""
    n_clusters = units.shape[1]
    draws = np.random.default_rng(seed).multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=N_RESAMPLES)
    means: Array = draws @ units.T / n_clusters
    return means


def _std_error(resampled: Array, n_clusters: int) -> Any:
    return resampled.std(axis=0) * math.sqrt(n_clusters / (n_clusters - 1))


def _p_values(means: Array, std_errors: Array, n_clusters: int) -> Array:
    from scipy import stats

    # Equal models have neither difference nor spread; rounding leaves both near 1e-17.
    alike = np.abs(means) < 1e-12
    ratio = np.abs(means) / np.where(std_errors > 1e-12, std_errors, 1e-12)
    p_values: Array = np.where(alike, 1.0, 2 * stats.t.sf(ratio, n_clusters - 1))
    return p_values


def _pairwise(means: Array, resampled: Array, n_clusters: int) -> Array:
    first, second = np.triu_indices(len(means), k=1)
    std_errors = np.array(
        [_std_error(resampled[:, i] - resampled[:, j], n_clusters) for i, j in zip(first, second, strict=True)]
    )
    adjusted = holm(_p_values(means[first] - means[second], std_errors, n_clusters))
    table = np.full((len(means), len(means)), np.nan)
    table[first, second] = table[second, first] = adjusted
    return table


def _ranks(means: Array) -> Array:
    from scipy import stats

    ranks: Array = stats.rankdata(np.round(-means, 12), method="min", axis=-1).astype(np.float64)
    return ranks
