"""Overlap of labels against scikit-learn; weights against what equal and unrelated tasks must give."""

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from gene_eval.core.statistics.overlap import effective_number, effective_weights, jaccard, task_overlap


def test_jaccard_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((50, 3)) < 0.4, rng.random((50, 2)) < 0.6
    expected = [[jaccard_score(a[:, i], b[:, j]) for j in range(2)] for i in range(3)]
    assert jaccard(a, b) == pytest.approx(np.array(expected))
    both = (np.max(expected, axis=1).mean() + np.max(expected, axis=0).mean()) / 2
    assert task_overlap(a, b) == pytest.approx(both)


def test_a_label_and_its_opposite_are_one_task() -> None:
    y = (np.arange(20) % 3 == 0)[:, np.newaxis]
    assert task_overlap(y, y) == task_overlap(y, ~y) == 1
    assert task_overlap(y[:0], y[:0]) == 0


def test_copies_share_one_weight() -> None:
    overlap = np.eye(5)
    overlap[:3, :3] = 1
    assert effective_weights(overlap) == pytest.approx([1 / 3] * 3 + [1, 1])
    assert effective_number(overlap) == pytest.approx(3)
