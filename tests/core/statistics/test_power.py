"""Planned differences, against a simulation of the model behind them and figures worked out by hand."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from gene_eval.core.statistics.power import auc_standard_error, mean_auc_standard_error, planned_difference


def test_the_standard_error_is_that_of_simulated_scores() -> None:
    # Positives of scale 3 and negatives of scale 1, exponentially distributed, have an AUC of 3 / 4.
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], [40, 120])
    scale = np.where(y, 3.0, 1.0)
    aucs = [roc_auc_score(y, rng.exponential(scale)) for _ in range(2000)]
    assert np.mean(aucs) == pytest.approx(0.75, abs=0.005)
    assert auc_standard_error(40, 120) == pytest.approx(np.std(aucs), rel=0.05)


def test_figures_by_hand() -> None:
    # Q1 = 0.6, Q2 = 1.125 / 1.75; (0.1875 + 19 (0.6 - 0.5625) + 23 (0.642857 - 0.5625)) / 480.
    by_hand = math.sqrt((0.1875 + 19 * 0.0375 + 23 * (1.125 / 1.75 - 0.5625)) / 480)
    assert auc_standard_error(20, 24) == pytest.approx(by_hand)
    assert math.isnan(auc_standard_error(0, 9))
    assert planned_difference(by_hand) == pytest.approx((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * by_hand)
    assert planned_difference(by_hand, correlation=0.875) == pytest.approx(planned_difference(by_hand) / 2)
    assert mean_auc_standard_error([(20, 24), (24, 20)]) == pytest.approx((by_hand + auc_standard_error(24, 20)) / 2)
    assert math.isnan(mean_auc_standard_error([]))
