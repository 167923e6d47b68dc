"""Groups that stay together: each family in one fold, labels balanced, whole chromosomes in fixed folds."""

import hashlib
from collections import Counter

import numpy as np
import pytest

from builders import RawFiles, load
from builders.errors import TaskDataError
from builders.folds import CHROMOSOME_FOLDS, assign_groups

GROUPS = [f"family{min(i % 37, i % 11)}" for i in range(400)]
LABELS = [[label for label in range(3) if (i * (label + 3)) % 7 < 2] for i in range(400)]


def by_hand(groups, labels, seed):
    """The rule written out with arrays: share of all entities and of each label that a fold would hold."""
    names = sorted(set(groups), key=lambda g: (-groups.count(g), hashlib.sha256(f"{seed}:{g}".encode()).digest()))
    marks = np.array([[True, *(label in cell for label in range(3))] for cell in labels], dtype=float)
    held, folds = np.zeros((5, 4)), np.empty(len(groups), dtype=int)
    for name in names:
        own = marks[[group == name for group in groups]].sum(axis=0)
        shares = np.where(own > 0, (held + own) / marks.sum(axis=0), 0).max(axis=1)
        chosen = min(range(5), key=lambda fold: (round(shares[fold], 12), held[fold, 0]))
        held[chosen] += own
        folds[[group == name for group in groups]] = chosen
    return folds


@pytest.mark.parametrize("seed", [0, 3])
def test_rule_written_out(seed):
    assert assign_groups(GROUPS, LABELS, seed=seed).tolist() == by_hand(GROUPS, LABELS, seed).tolist()


def test_a_group_is_in_one_fold_whatever_the_order_of_rows():
    folds = assign_groups(GROUPS, LABELS)
    assert all(len({fold for group, fold in zip(GROUPS, folds, strict=True) if group == name}) == 1 for name in GROUPS)
    order = np.random.default_rng(1).permutation(len(GROUPS))
    again = assign_groups([GROUPS[i] for i in order], [LABELS[i] for i in order])
    assert again.tolist() == folds[order].tolist()


def test_labels_are_balanced_where_groups_allow():
    rng = np.random.default_rng(0)
    groups = [f"g{i // 3}" for i in range(3000)]
    rare = rng.random(3000) < 0.05
    folds = assign_groups(groups, [[int(is_rare)] for is_rare in rare])
    for share in (np.bincount(folds) / 3000, np.bincount(folds[rare]) / rare.sum()):
        assert np.abs(share - 0.2).max() < 0.01
    # Without labels, only sizes are.
    plain = np.bincount(assign_groups(groups)[rare], minlength=5) / rare.sum()
    assert np.abs(plain - 0.2).max() > 0.01


def test_too_few_groups():
    with pytest.raises(TaskDataError, match=r"4 group\(s\), but 5 folds need at least 5"):
        assign_groups(list("abcdabcd"))


@pytest.mark.real_data
def test_chromosome_folds_are_of_near_equal_size(raw_dir):
    genes = load("genes", RawFiles(raw_dir)).dataset.to_pandas()
    coding = genes[genes["locus_group"] == "protein-coding gene"]
    sizes = Counter(CHROMOSOME_FOLDS.get(place, -1) for place in coding["chromosome"])
    assert sizes.pop(-1) == 3
    assert {name: round(5 * n / sum(sizes.values()), 2) for name, n in sorted(sizes.items())} == {
        0: 1.01, 1: 1.0, 2: 0.99, 3: 1.03, 4: 0.97,
    }  # fmt: skip
