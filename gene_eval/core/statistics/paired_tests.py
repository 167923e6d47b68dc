"""Is one model better than another? Tests for scores on shared folds, and for many tests at once.

The folds of a cross-validation share training rows, so their scores are not independent, and the ordinary paired t-test
finds differences where there are none. `corrected_t_test` widens the variance for that (Nadeau and Bengio, Machine
Learning 52, 2003). What holds over tasks is in `over_tasks`.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError

__all__ = [
    "ALPHA",
    "POWER",
    "PairedTest",
    "benjamini_hochberg",
    "corrected_t_test",
    "corrected_variance",
    "fixed_tasks_p_values",
    "fixed_tasks_test",
    "holm",
    "minimal_detectable_difference",
    "pooled_detectable_difference",
    "pooled_detectable_of",
    "standard_error_factors",
]

ALPHA: Final = 0.05
"""Level of every test; intervals cover 1 - ALPHA."""
POWER: Final = 0.8
"""Chance with which a minimal detectable difference is detected."""
# Scores that agree to this many decimals differ by rounding only.
DECIMALS: Final = 12

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairedTest:
    """A paired t-test over folds, and the interval of the difference that goes with it.

    Attributes:
        difference: Mean of `a - b` over the folds in which both are defined; nan if there is none.
        low: Lower end of the interval of the difference.
        high: Upper end.
        std_error: Standard error of the difference.
        statistic: `difference / std_error`.
        df: Degrees of freedom, `n - 1`.
        p_value: Two-sided.
        n: Folds in which both are defined.

    Where fewer than two folds are defined, or all folds differ by the same amount other than zero (no variance to judge
    by), all but `difference`, `df` and `n` are nan. Equal scores in every fold give `p_value` 1.
    """

    difference: float
    low: float
    high: float
    std_error: float
    statistic: float
    df: int
    p_value: float
    n: int


def corrected_variance(scores: npt.ArrayLike, *, test_train_ratio: float) -> float:
    """Variance of a mean over the folds of one or several cross-validations, whose training rows overlap.

    (1 / n + n_test / n_train) s^2 for n = k folds x r repeats, with the sample variance s^2 of the n scores (Nadeau and
    Bengio 2003; for repeats Bouckaert and Frank, PAKDD 2004). More repeats shrink the first term only.

    Args:
        scores: (n,) scores, or differences of two models; nan where undefined.
        test_train_ratio: Rows in a held-out fold over rows trained on.

    Returns:
        nan for fewer than two scores.

    >>> round(corrected_variance([0.1, 0.2, 0.3], test_train_ratio=1 / 2), 6)
    0.008333
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[~np.isnan(values)]
    n = len(values)
    return (1 / n + test_train_ratio) * float(values.var(ddof=1)) if n > 1 else math.nan


def corrected_t_test(
    a: npt.ArrayLike, b: npt.ArrayLike, *, test_train_ratio: float, alpha: float = ALPHA
) -> PairedTest:
    """Compare the scores of two models on the same folds.

    With d = a - b, t = mean(d) / sqrt((1/k + test_train_ratio) var(d)), on k - 1 degrees of freedom.

    Args:
        a: (k,) scores of the first model, one per fold; nan where undefined.
        b: (k,) scores of the second.
        test_train_ratio: Rows in the held-out fold over rows trained on: 1/4 for five folds. 0 makes it the ordinary
            paired t-test.
        alpha: The interval covers 1 - alpha.

    Raises:
        ProbeError: Lengths that differ.

    >>> test = corrected_t_test([0.7, 0.8, 0.9, 0.8, 0.8], [0.6, 0.7, 0.7, 0.7, 0.8], test_train_ratio=1 / 4)
    >>> round(test.difference, 3), round(test.statistic, 3), round(test.p_value, 3)
    (0.1, 2.108, 0.103)
    """
    first, second = _pair(a, b)
    differences = first - second
    differences = np.round(differences[~np.isnan(differences)], DECIMALS)
    n = len(differences)
    mean = float(differences.mean()) if n else math.nan
    if n < 2:
        return _t_test(mean, math.nan, n, alpha)
    if np.ptp(differences) == 0:
        return _t_test(float(differences[0]), 0.0, n, alpha)
    return _t_test(mean, math.sqrt(corrected_variance(differences, test_train_ratio=test_train_ratio)), n, alpha)


def fixed_tasks_test(
    tests: Sequence[PairedTest], *, clusters: Sequence[object] | None = None, alpha: float = ALPHA
) -> PairedTest:
    """Whether the mean difference over these very tasks is zero, however their scores depend on each other.

    Tasks over the same genes err together. The standard error of their mean is at most the mean of their standard
    errors, which is used here; the degrees of freedom are those of the task with the fewest. A task on which all folds
    differ by the same amount shows no error of its own, and gets the largest of the others. Nothing is said about other
    tasks.

    Args:
        tests: What `corrected_t_test` found on each task; those without any common fold are left out.
        clusters: Name of each task's cluster, each of which counts once; by default every task does.
        alpha: The interval covers 1 - alpha.

    >>> one = corrected_t_test([0.7, 0.8, 0.9, 0.8, 0.8], [0.6, 0.7, 0.7, 0.7, 0.8], test_train_ratio=1 / 4)
    >>> fixed_tasks_test([one, one]).p_value == one.p_value
    True
    """
    names = range(len(tests)) if clusters is None else clusters
    found = [(test, name) for test, name in zip(tests, names, strict=True) if test.n]
    if not found:
        return corrected_t_test([], [], test_train_ratio=0)
    weights = _weights([name for _, name in found])
    n = min(test.n for test, _ in found)
    mean = float(np.array([test.difference for test, _ in found]) @ weights)
    std_error = float(_with_largest(np.array([test.std_error for test, _ in found])) @ weights)
    return _t_test(mean, std_error, n, alpha)


def fixed_tasks_p_values(
    differences: npt.ArrayLike, *, test_train_ratio: npt.ArrayLike, clusters: Sequence[object] | None = None
) -> Array:
    """`fixed_tasks_test` of many pairs of models at once.

    Args:
        differences: (P, T, F) of pairs of models on folds of tasks; nan where undefined.
        test_train_ratio: As in `corrected_t_test`; or (T,) one for each task.
        clusters: (T,) name of each task's cluster, each of which counts once; by default every task does.

    Returns:
        (P,) p-values, not adjusted; nan where nothing can be tested.
    """
    from scipy import stats

    table = np.round(np.asarray(differences, dtype=np.float64), DECIMALS)
    weights = _weights(range(table.shape[1]) if clusters is None else clusters)
    defined = ~np.isnan(table)
    n = defined.sum(axis=2)
    filled = np.where(defined, table, 0.0)
    means = filled.sum(axis=2) / np.maximum(n, 1)
    spread = np.where(defined, (filled - means[..., np.newaxis]) ** 2, 0.0).sum(axis=2)
    std_errors = np.sqrt((1 / np.maximum(n, 1) + np.asarray(test_train_ratio)) * spread / np.maximum(n - 1, 1))
    # As in `corrected_t_test`: no variance to judge by, unless the scores are equal.
    constant = np.abs(std_errors) < 10.0**-DECIMALS
    std_errors = np.where((n == 1) | (constant & (means != 0)), np.nan, np.where(constant, 0.0, std_errors))
    mean, std_error = means @ weights, _with_largest(std_errors) @ weights
    df = n.min(axis=1) - 1
    ratio = np.abs(mean) / np.where(std_error > 0, std_error, np.nan)
    tested = np.where((mean == 0) & (std_error == 0), 1.0, 2 * stats.t.sf(ratio, np.maximum(df, 1)))
    p_values: Array = np.where(df >= 0, tested, np.nan)
    return p_values


def _weights(clusters: Sequence[object]) -> Array:
    """(T,) weight of each task where every cluster counts once; they add up to 1."""
    sizes = Counter(clusters)
    return np.array([1 / (len(sizes) * sizes[name]) for name in clusters])


def _with_largest(std_errors: Array) -> Array:
    """(..., T) standard errors, the largest in place of those that are nan."""
    return np.where(np.isnan(std_errors), np.fmax.reduce(std_errors, axis=-1, keepdims=True), std_errors)


def _t_test(mean: float, std_error: float, n: int, alpha: float) -> PairedTest:
    if not std_error > 0:
        same = std_error == 0 and mean == 0
        edge = 0.0 if same else math.nan
        return PairedTest(mean, edge, edge, edge, edge, max(n - 1, 0), 1.0 if same else math.nan, n)
    # Here and below, so that reading the constants does not load scipy.stats.
    from scipy import stats

    statistic = mean / std_error
    margin = float(stats.t.ppf(1 - alpha / 2, n - 1)) * std_error
    p_value = float(2 * stats.t.sf(abs(statistic), n - 1))
    return PairedTest(mean, mean - margin, mean + margin, std_error, statistic, n - 1, p_value, n)


def minimal_detectable_difference(std_error: float, df: int, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """The smallest true difference that a two-sided t-test with this standard error finds with the given power.

    It follows from the noncentrality at which the test rejects with probability `power`; nan without any spread.

    >>> round(minimal_detectable_difference(0.01, 4), 4)
    0.0376
    """
    return _noncentrality(df, alpha, power) * std_error if df > 0 and std_error > 0 else math.nan


def pooled_detectable_difference(folds: npt.ArrayLike, *, test_train_ratio: float) -> float:
    """`minimal_detectable_difference` on a task, by the root mean square of the standard errors of all pairs of models.

    Args:
        folds: (M, F) scores of models on the same entities, none of them undefined.
        test_train_ratio: As in `corrected_t_test`.

    Returns:
        nan for fewer than two models or two folds, and without spread to judge by.
    """
    scores = np.asarray(folds, dtype=np.float64)
    m, n = scores.shape
    if m < 2 or n < 2:
        return math.nan
    # The mean square of all differences is twice the variance, and what all models share in a fold is in none.
    centred = scores - scores.mean(axis=1, keepdims=True)
    squares = 2 / (m - 1) * float(((centred - centred.mean(axis=0)) ** 2).sum())
    return _of_variance((1 / n + test_train_ratio) * squares / (n - 1), n - 1)


def pooled_detectable_of(differences: npt.ArrayLike, *, test_train_ratio: float) -> float:
    """That of (P, F) differences of pairs of models, nan where undefined; pairs with fewer than two do not count."""
    table = np.asarray(differences, dtype=np.float64)
    defined = ~np.isnan(table)
    counts = defined.sum(axis=1)
    table, defined, n = table[counts > 1], defined[counts > 1], counts[counts > 1]
    if not len(n):
        return math.nan
    means = np.where(defined, table, 0.0).sum(axis=1) / n
    squares = np.where(defined, (table - means[:, np.newaxis]) ** 2, 0.0).sum(axis=1)
    variances = (1 / n + test_train_ratio) * squares / (n - 1)
    return _of_variance(float(variances.mean()), int(n.max()) - 1)


def _of_variance(variance: float, df: int) -> float:
    std_error = math.sqrt(variance)
    return minimal_detectable_difference(std_error if std_error >= 10.0**-DECIMALS else 0.0, df)


def standard_error_factors(df: int, *, alpha: float = ALPHA) -> tuple[float, float]:
    """Factors that take an estimated standard error to the ends of the interval of the true one; nan without df.

    The variance of normal differences is estimated with a chi-squared error of `df` degrees of freedom. A minimal
    detectable difference is proportional to the standard error, so that its interval has the same factors.

    >>> [round(factor, 2) for factor in standard_error_factors(4)]
    [0.6, 2.87]
    """
    if df < 1:
        return math.nan, math.nan
    from scipy import stats

    high, low = stats.chi2.ppf([alpha / 2, 1 - alpha / 2], df)
    return math.sqrt(df / float(low)), math.sqrt(df / float(high))


@cache
def _noncentrality(df: int, alpha: float, power: float) -> float:
    from scipy import optimize, stats

    critical = stats.t.ppf(1 - alpha / 2, df)

    def missing(shift: float) -> float:
        # scipy 1.17 gives nan for some far tails, where nothing is left to add.
        return float(stats.nct.sf(critical, df, shift) + np.nan_to_num(stats.nct.cdf(-critical, df, shift))) - power

    upper = 1.0
    while missing(upper) < 0:
        upper *= 2
    return float(optimize.brentq(missing, 1e-9, upper))


def holm(p_values: npt.ArrayLike) -> Array:
    """P-values adjusted so that the chance of any false finding is kept (Holm, 1979); nan values do not count.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    defined = np.flatnonzero(~np.isnan(p))
    order = defined[np.argsort(p[defined], kind="stable")]
    adjusted = np.full(p.shape, np.nan)
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: npt.ArrayLike) -> Array:
    """P-values adjusted so that the share of false findings is kept (Benjamini, Hochberg 1995); nan do not count.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    defined = ~np.isnan(p)
    if defined.any():
        from scipy import stats

        adjusted[defined] = stats.false_discovery_control(p[defined], method="bh")
    return adjusted


def _pair(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Array, Array]:
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        msg = (
            f"scores of shape {first.shape} and {second.shape} cannot be paired; give one score per fold for each model"
        )
        raise ProbeError(msg)
    return first, second
