"""A small run of the simulation behind a paragraph of docs/genen.md."""

import numpy as np

from benchmarks.graph_no_effect import p_values, permuted


def test_permuted_labels_keep_classes_of_each_fold():
    y, folds = np.arange(60) % 3 % 2, np.arange(60) % 5
    columns = permuted(y, folds, 4, 0)
    for fold in range(5):
        assert (columns[folds == fold].sum(axis=0) == y[folds == fold].sum()).all()
    assert len({tuple(column) for column in columns.T}) == 4


def test_vectors_that_know_nothing_are_seldom_called_different():
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(150, 8))
    mixed = plain + 0.5 * rng.normal(size=plain.shape)
    found = p_values(plain, mixed, np.arange(150) % 2, np.arange(150) % 5, n=60)
    assert len(found) == 60
    assert (found < 0.05).mean() <= 0.1
    # And they are p-values: of all sizes.
    assert 0.25 < np.median(found) < 0.85
