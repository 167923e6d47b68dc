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
