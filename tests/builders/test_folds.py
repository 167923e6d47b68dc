"""Folds: a property of the task that neither row order nor the presence of other genes' vectors can change."""

import hashlib

import numpy as np
import pytest

from builders import FOLD_SCHEME, N_FOLDS, assign_folds
from builders.errors import TaskDataError

KEYS = [f"GENE{i}" for i in range(1003)]
CLASSES = [0 if i % 10 else 1 for i in range(1003)]


def test_pinned_so_that_they_never_change():
    # Scores of different days are compared fold by fold. If this fails, the rule has changed: give it another name.
    assert FOLD_SCHEME == "5-fold-sha256-seed0"
    digest = hashlib.sha256(assign_folds(KEYS, CLASSES).tobytes()).hexdigest()
    assert digest[:16] == "dd5f86926cc1db0d"
    assert hashlib.sha256(assign_folds(KEYS).tobytes()).hexdigest()[:16] == "3f2d3cbd021d1bdc"


def test_rule_written_out():
    order = sorted(range(len(KEYS)), key=lambda i: (CLASSES[i], hashlib.sha256(f"0:{KEYS[i]}".encode()).digest()))
    expected = np.empty(len(KEYS), dtype=int)
    expected[order] = [place % 5 for place in range(len(KEYS))]
    assert assign_folds(KEYS, CLASSES).tolist() == expected.tolist()
    assert assign_folds(KEYS, CLASSES).dtype == np.int8


def test_row_order_does_not_matter():
    shuffle = np.random.default_rng(0).permutation(len(KEYS))
    folds = assign_folds([KEYS[i] for i in shuffle], [CLASSES[i] for i in shuffle])
    assert folds.tolist() == assign_folds(KEYS, CLASSES)[shuffle].tolist()


@pytest.mark.parametrize("classes", [CLASSES, None])
def test_folds_have_equal_size(classes):
    sizes = np.bincount(assign_folds(KEYS, classes), minlength=N_FOLDS)
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("n_classes", [2, 7, 50])
def test_classes_are_spread_evenly(n_classes):
    classes = np.random.default_rng(1).integers(0, n_classes, len(KEYS))
    folds = assign_folds(KEYS, classes)
    for label in range(n_classes):
        share = np.bincount(folds[classes == label], minlength=N_FOLDS)
        assert share.max() - share.min() <= 1


def test_five_members_are_in_five_folds():
    folds = assign_folds(KEYS[:10], [0] * 5 + [1] * 5)
    assert sorted(folds[:5]) == sorted(folds[5:]) == [0, 1, 2, 3, 4]


def test_too_few_entities():
    with pytest.raises(TaskDataError, match="4 entities, but 5 folds need at least 5"):
        assign_folds(KEYS[:4])
