"""Small problems of each target, and scikit-learn's own cross-validation of them."""

from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_core():
    """Small fits of scikit-learn are many times slower on several cores of a busy machine."""
    with threadpool_limits(1):
        yield


def problem(target, *, n=150, d=6, n_labels=4):
    """X, y, folds: vectors that know something about the labels, and folds of unequal size in no order."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, d))
    signal = X @ rng.normal(size=(d, n_labels)) + 2.0 * rng.normal(size=(n, n_labels))
    y = {
        "binary": (signal[:, 0] > 0.8).astype(int),
        "multiclass": (signal / signal.std(axis=0)).argmax(axis=1),
        "multilabel": (signal > [0.0, 1.0, 2.0, -1.0]).astype(int),
        "regression": 10 + 3 * signal[:, 0],
    }[target]
    return SimpleNamespace(X=X, y=y, folds=rng.integers(0, 5, size=n), target=target)


@pytest.fixture
def make_problem():
    return problem
