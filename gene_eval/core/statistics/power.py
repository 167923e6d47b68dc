"""What difference in ROC-AUC a task can show, from its class sizes alone, before any model is run."""

import math
from collections.abc import Iterable
from typing import Final

from gene_eval.core.statistics.paired_tests import ALPHA, POWER

__all__ = [
    "PLANNED_AUC",
    "PLANNED_CORRELATION",
    "auc_standard_error",
    "mean_auc_standard_error",
    "planned_difference",
]

PLANNED_AUC: Final = 0.75
"""Score that a plan assumes for both models."""
PLANNED_CORRELATION: Final = 0.5
"""Correlation that it assumes for their scores: both are scored on the same entities."""


def auc_standard_error(n_positive: int, n_negative: int, *, auc: float = PLANNED_AUC) -> float:
    """Standard error of a ROC-AUC (Hanley and McNeil, Radiology 143, 1982), for exponentially distributed scores.

    Args:
        n_positive: Examples of the class.
        n_negative: The others.
        auc: The true value.

    Returns:
        nan if either is 0.

    >>> round(auc_standard_error(20, 24), 4)
    0.0757
    """
    if not n_positive or not n_negative:
        return math.nan
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
    return math.sqrt(variance / (n_positive * n_negative))


def mean_auc_standard_error(classes: Iterable[tuple[int, int]], *, auc: float = PLANNED_AUC) -> float:
    """Standard error of the mean ROC-AUC over labels, or over classes against the rest: at most the mean of theirs.

    The labels are those of the same entities, whose errors may go together; independent ones would give less.

    Args:
        classes: (positives, negatives) of each label.
        auc: The true value.
    """
    errors = [auc_standard_error(*sizes, auc=auc) for sizes in classes]
    return math.fsum(errors) / len(errors) if errors else math.nan


def planned_difference(
    std_error: float, *, correlation: float = PLANNED_CORRELATION, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The smallest true difference of two models that is found with the given power.

    (z_(1 - alpha/2) + z_power) sqrt(2 (1 - correlation)) std_error, for scores that are nearly normal.

    Args:
        std_error: Standard error of the score of either model.
        correlation: Correlation of the two scores.
        alpha: Level of the two-sided test.
        power: Chance of finding the difference.

    >>> round(planned_difference(0.01), 4)
    0.028
    """
    from scipy import stats

    quantiles = float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    return quantiles * math.sqrt(2 * (1 - correlation)) * std_error
