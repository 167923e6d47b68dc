"""Confusion tables and their resampling, against scikit-learn and against rows drawn one by one."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, matthews_corrcoef

from gene_eval.core.parts.score import confusion, intervals, over_fits, resampled


def test_tables_and_scores_of_several_fits():
    rng = np.random.default_rng(0)
    truth, called = rng.integers(0, 3, 90), rng.integers(0, 3, (4, 90))
    tables = confusion(truth, called, n_classes=3)
    for table, each in zip(tables, called, strict=True):
        np.testing.assert_array_equal(table, confusion_matrix(truth, each))
    expected = [matthews_corrcoef(truth, each) for each in called]
    score = over_fits(tables)["mcc"]
    assert score.folds == pytest.approx(expected)
    assert (score.mean, score.std) == (pytest.approx(np.mean(expected)), pytest.approx(np.std(expected)))


def test_several_fits_are_drawn_like_their_test_rows():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 400)
    called = np.stack([np.where(rng.random(400) < p, truth, 1 - truth) for p in (0.6, 0.8, 0.95)])
    found = resampled(confusion(truth, called, n_classes=2), resamples=3000, seed=0)["mcc"]
    values = [matthews_corrcoef(truth, each) for each in called]
    # The variance of a mean over three fits drawn of three, and that of a score on its rows.
    rows = [
        np.std([matthews_corrcoef(truth[i], each[i]) for i in rng.integers(0, 400, (200, 400))]) ** 2 for each in called
    ]
    assert found.mean() == pytest.approx(np.mean(values), abs=0.01)
    assert found.std() == pytest.approx(np.sqrt((np.var(values) + np.mean(rows)) / 3), rel=0.1)


def test_the_interval_repeats():
    tables = np.array([[[40, 10], [5, 45]]])
    assert intervals(tables) == intervals(tables)
    low, high = intervals(tables)["accuracy"]
    # By the normal approximation: 0.85 +- 1.96 sqrt(0.85 x 0.15 / 100).
    assert (low, high) == (pytest.approx(0.78, abs=0.015), pytest.approx(0.92, abs=0.015))
