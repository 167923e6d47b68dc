"""What holds over many tasks: a t-test of the means of their sources, ranks, and models that cannot be distinguished.

Tasks made from one source share genes and often labels, so they are not independent witnesses: each cluster of tasks
counts once, by its mean. A test that takes such tasks as independent finds differences where there are none, in up to
every second pair of models (docs/statistics.md has the numbers). Resampling clusters would give the standard error of
that t-test, plus noise.

Sources are not independent either, where their labels repeat each other. If any two of G means correlate by r, the
variance of their mean is s^2 / G times (1 + (G - 1) r), the design effect of Kish (Survey Sampling, 1965), and their
sample variance is short of s^2 by a factor 1 - r. The t-test divided by the root of the ratio of the two is exact for
normal means (Walsh, Annals of Mathematical Statistics 18, 1947).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.paired_tests import ALPHA

__all__ = [
    "MIN_CLUSTERS",
    "ClusterMean",
    "cluster_means",
    "cluster_p_values",
    "cluster_std_errors",
    "cluster_t_test",
    "mean_ranks",
    "tie_groups",
]

MIN_CLUSTERS: Final = 6
"""Fewest clusters for a statement: with five, all favour the same of two equal models in one case of sixteen."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClusterMean:
    """A mean over clusters of tasks, with interval and p-value (against zero) of a t-test on n_clusters - 1 degrees.

    With fewer than `MIN_CLUSTERS` clusters `low`, `high`, `std_error` and `p_value` are nan.
    """

    mean: float
    low: float
    high: float
    std_error: float
    p_value: float
    n: int
    n_clusters: int


def cluster_t_test(
    values: npt.ArrayLike,
    *,
    clusters: Sequence[object] | None = None,
    correlation: float = 0.0,
    alpha: float = ALPHA,
) -> ClusterMean:
    """Mean of differences over clusters of tasks, and whether it is zero.

    Args:
        values: (T,) one number per task.
        clusters: (T,) name of each task's cluster; by default every task is a cluster.
        correlation: Correlation of the means of any two clusters, from 0 to below 1; 0 makes it the ordinary t-test.
        alpha: The interval covers 1 - alpha.

    Raises:
        ProbeError: No values, undefined ones, or lengths that differ.

    >>> found = cluster_t_test([0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.3, 0.0])
    >>> round(found.mean, 2), round(found.low, 2), round(found.high, 2), found.n_clusters
    (0.15, 0.07, 0.23, 8)
    """
    units = cluster_means(np.asarray(values, dtype=np.float64)[np.newaxis], clusters)
    n_clusters, mean = units.shape[1], float(units.mean())
    n = np.size(values)
    if n_clusters < MIN_CLUSTERS:
        return ClusterMean(mean, math.nan, math.nan, math.nan, math.nan, n, n_clusters)
    from scipy import stats

    std_error = float(cluster_std_errors(units, correlation=correlation)[0])
    margin = float(stats.t.ppf(1 - alpha / 2, n_clusters - 1)) * std_error
    p_value = float(_p_values(units, correlation)[0])
    return ClusterMean(mean, mean - margin, mean + margin, std_error, p_value, n, n_clusters)


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
    sums = np.zeros((len(rows), len(numbers)))
    for task, cluster in enumerate(of_task):
        sums[:, cluster] += rows[:, task]
    means: Array = sums / np.bincount(of_task)
    return means


def cluster_std_errors(units: npt.ArrayLike, *, correlation: float = 0.0) -> Array:
    """(M,) standard errors of the means of the rows of (M, G) cluster means, any two of which have this correlation.

    >>> cluster_std_errors([[1.0, 2.0, 3.0, 4.0]]).round(3).tolist()
    [0.645]
    >>> cluster_std_errors([[1.0, 2.0, 3.0, 4.0]], correlation=0.1).round(3).tolist()
    [0.776]
    """
    means = np.asarray(units, dtype=np.float64)
    n_clusters = means.shape[1]
    inflation = (1 + (n_clusters - 1) * correlation) / (1 - correlation)
    errors: Array = means.std(axis=1, ddof=1) * math.sqrt(inflation / n_clusters)
    return errors


def cluster_p_values(
    differences: npt.ArrayLike, *, clusters: Sequence[object] | None = None, correlation: float = 0.0
) -> Array:
    """`cluster_t_test` of many pairs of models at once.

    Args:
        differences: (P, T) one row per pair of models, one column per task.
        clusters: (T,) name of each task's cluster; by default every task is a cluster.
        correlation: Correlation of the means of any two clusters.

    Returns:
        (P,) p-values, not adjusted; nan for a pair with an undefined difference, and with fewer than `MIN_CLUSTERS`
        clusters.

    Raises:
        ProbeError: Lengths that differ.
    """
    table = np.asarray(differences, dtype=np.float64)
    p_values = np.full(len(table), np.nan)
    pairs = np.flatnonzero(~np.isnan(table).any(axis=1))
    if len(pairs) and (units := cluster_means(table[pairs], clusters)).shape[1] >= MIN_CLUSTERS:
        p_values[pairs] = _p_values(units, correlation)
    return p_values


def mean_ranks(means: npt.ArrayLike) -> Array:
    """(M,) rank by mean, 1 is best; equal means share the better rank.

    >>> mean_ranks([0.5, 0.7, 0.7]).tolist()
    [3.0, 1.0, 1.0]
    """
    from scipy import stats

    ranks: Array = stats.rankdata(np.round(-np.asarray(means), 12), method="min").astype(np.float64)
    return ranks


def tie_groups(means: npt.ArrayLike, p_values: npt.ArrayLike, *, alpha: float = ALPHA) -> tuple[tuple[int, ...], ...]:
    """Largest runs of models, neighbours by mean and best first, of which no two were distinguished.

    A model may be in several runs: the bars of a critical-difference diagram (Demsar, JMLR 7, 2006).

    Args:
        means: (M,) means by which models are ordered.
        p_values: (M, M) p-values of their differences, adjusted for the number of pairs; nan distinguishes nothing.
        alpha: Two models with a p-value below it differ.

    Returns:
        Model numbers, best first.

    >>> tie_groups([0.9, 0.5, 0.8], [[1.0, 0.01, 0.2], [0.01, 1.0, 0.3], [0.2, 0.3, 1.0]])
    ((0, 2), (2, 1))
    """
    table = np.asarray(p_values, dtype=np.float64)
    order = [int(model) for model in np.argsort(-np.asarray(means, dtype=np.float64), kind="stable")]
    differ = np.triu(table[np.ix_(order, order)] < alpha, k=1)
    # For each model, the last before it that differs: no run may hold both.
    last = np.where(differ.any(axis=0), len(order) - 1 - differ[::-1].argmax(axis=0), -1)
    starts = np.maximum.accumulate(last) + 1
    ends = np.flatnonzero(np.append(starts[1:] != starts[:-1], np.ones(min(len(order), 1), dtype=bool)))
    return tuple(tuple(order[starts[end] : end + 1]) for end in ends)


def _p_values(units: Array, correlation: float) -> Array:
    from scipy import stats

    means, std_errors = units.mean(axis=1), cluster_std_errors(units, correlation=correlation)
    # Equal models have neither difference nor spread; rounding leaves both near 1e-17.
    alike = np.abs(means) < 1e-12
    ratio = np.abs(means) / np.where(std_errors > 1e-12, std_errors, 1e-12)
    p_values: Array = np.where(alike, 1.0, 2 * stats.t.sf(ratio, units.shape[1] - 1))
    return p_values
