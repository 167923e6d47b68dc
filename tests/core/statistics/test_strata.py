"""Scores by parts of the entities, against scikit-learn, scipy and loops over draws."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.strata import assign_strata, score_strata, weighted_auc


def test_weighted_auc_is_that_of_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    y, values = rng.random(60) < 0.4, rng.integers(0, 12, 60) / 4
    weights = rng.multinomial(60, np.full(60, 1 / 60), size=5)
    for found, counts in zip(weighted_auc(y, values, weights.astype(float)), weights, strict=True):
        assert found == pytest.approx(roc_auc_score(np.repeat(y, counts), np.repeat(values, counts)))
    assert math.isnan(weighted_auc(y, values, np.where(y, 1.0, 0.0)[np.newaxis])[0])


def test_parts_are_those_of_pandas_where_nothing_is_equal() -> None:
    values = np.random.default_rng(1).normal(size=103)
    assert assign_strata(values, 5).tolist() == pd.qcut(values, 5, labels=False).tolist()
    assert len(set(assign_strata(np.zeros(9), 3).tolist())) == 1


def test_scores_of_parts_are_means_over_folds_and_labels() -> None:
    rng = np.random.default_rng(2)
    n = 600
    depth, folds = rng.normal(size=n), np.arange(n) % 5
    y = rng.random((n, 2)) < [0.5, 0.2]
    # The second half of the entities is told apart better.
    values = y * np.where(depth > 0, 2.0, 0.5)[:, np.newaxis] + rng.normal(size=(n, 2))
    found = score_strata(y, values, folds, depth, n_strata=3, n_resamples=200)
    thirds = pd.qcut(depth, 3, labels=False)
    for part in range(3):
        aucs = [
            roc_auc_score(y[rows, label], values[rows, label])
            for fold in range(5)
            if (rows := (thirds == part) & (folds == fold)).any()
            for label in range(2)
        ]
        assert found.scores[part] == pytest.approx(np.mean(aucs))
        assert found.centers[part] == pytest.approx(depth[thirds == part].mean())
        assert found.low[part] < found.scores[part] < found.high[part]
    assert found.slope == pytest.approx(stats.linregress(found.centers, found.scores).slope)
    assert 0 < found.slope_low < found.slope < found.slope_high
    again = score_strata(y, values, folds, depth, n_strata=3, n_resamples=200)
    assert again.slope_low == found.slope_low


def test_the_interval_is_about_as_wide_as_the_standard_error() -> None:
    """One fold, one label: the spread of draws is that of the AUC over samples of the same kind."""
    rng = np.random.default_rng(3)
    aucs, widths = [], []
    for _ in range(60):
        y = rng.random((300, 1)) < 0.4
        values = y + rng.normal(size=(300, 1))
        found = score_strata(y, values, np.zeros(300), rng.normal(size=300), n_strata=1, n_resamples=200)
        aucs.append(found.scores[0])
        widths.append(found.high[0] - found.low[0])
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(np.std(aucs, ddof=1), rel=0.25)


def test_intervals_are_those_of_delong_on_the_logit_scale_and_a_slope_is_made_of_them() -> None:
    """Standard errors from placements (DeLong 1988) in place of draws; ends of the slope term by term."""
    rng = np.random.default_rng(5)
    depth, y = rng.normal(size=600), rng.random((600, 1)) < 0.3
    values = 1.5 * y + rng.normal(size=(600, 1))
    found = score_strata(y, values, np.zeros(600), depth, n_strata=3, n_resamples=2000)
    thirds = pd.qcut(depth, 3, labels=False)
    for part in range(3):
        positive, negative = (values[(thirds == part) & (y[:, 0] == side), 0] for side in (True, False))
        above = positive[:, np.newaxis] > negative
        auc = above.mean()
        variance = above.mean(axis=1).var(ddof=1) / len(positive) + above.mean(axis=0).var(ddof=1) / len(negative)
        margin = stats.t.ppf(0.975, len(positive) - 1) * math.sqrt(variance) / (auc * (1 - auc))
        logit = math.log(auc / (1 - auc))
        ends = [1 / (1 + math.exp(-(logit + side * margin))) for side in (-1, 1)]
        assert (found.low[part], found.high[part]) == pytest.approx(ends, abs=0.006)
    weights = found.centers - found.centers.mean()
    weights /= (weights**2).sum()
    assert weights[0] < 0 < weights[2]
    lower = [found.high[0] - found.scores[0], found.scores[1] - found.low[1], found.scores[2] - found.low[2]]
    if weights[1] < 0:
        lower[1] = found.high[1] - found.scores[1]
    assert found.slope_low == pytest.approx(found.slope - math.hypot(*(weights * lower)))


def test_without_any_spread_there_is_no_interval() -> None:
    y = np.tile([[True], [False]], (20, 1))
    found = score_strata(y, y.astype(float), np.zeros(40), np.arange(40.0), n_strata=2, n_resamples=20)
    assert found.scores.tolist() == [1, 1]
    assert np.isnan([*found.low, *found.high, found.slope_low, found.slope_high]).all()


def test_numbers_are_scored_by_spearman() -> None:
    rng = np.random.default_rng(4)
    y, folds, depth = rng.normal(size=200), np.arange(200) % 2, rng.normal(size=200)
    values = y + rng.normal(size=200)
    found = score_strata(y, values, folds, depth, n_strata=2, n_resamples=20)
    upper = depth > np.median(depth)
    expected = [
        stats.spearmanr(y[upper & (folds == fold)], values[upper & (folds == fold)]).statistic for fold in (0, 1)
    ]
    assert found.scores[1] == pytest.approx(np.mean(expected))


def test_fewer_entities_than_parts() -> None:
    with pytest.raises(ProbeError, match="2 entities for 3 parts"):
        score_strata(np.ones((2, 1), dtype=bool), np.ones((2, 1)), [0, 1], [1.0, 2.0], n_strata=3)
