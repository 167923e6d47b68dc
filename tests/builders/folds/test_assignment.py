"""Folds: a property of the task that neither row order nor the presence of other genes' vectors can change."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FOLD_SCHEME, N_FOLDS, RawFiles, assign_folds, entity_keys, load
from builders.errors import TaskDataError
from tests.builders.old_folds import hold_old_folds

KEYS = [f"GENE{i}" for i in range(1003)]
CLASSES = ["common" if i % 10 else "rare" for i in range(1003)]


def test_pinned_so_that_they_never_change():
    # Scores of different days are compared fold by fold. If this fails, the rule has changed: give it another name.
    assert FOLD_SCHEME == "5-fold-sha256-contiguous-seed0"
    digest = hashlib.sha256(assign_folds(KEYS, CLASSES).tobytes()).hexdigest()
    assert digest[:16] == "925eae3d9d19c10a"
    assert hashlib.sha256(assign_folds(KEYS).tobytes()).hexdigest()[:16] == "5f391fee1ae3361e"


@pytest.mark.parametrize("classes", [CLASSES, None])
def test_rule_written_out(classes):
    expected = {}
    for name in set(classes or [""]):
        members = [key for key, label in zip(KEYS, classes or [""] * len(KEYS), strict=True) if label == name]
        members.sort(key=lambda key: hashlib.sha256(f"0:{key}".encode()).digest())
        shift = hashlib.sha256(f"0:{name}".encode()).digest()[-1] % 5
        # Cuts where 5 r + shift passes a multiple of n.
        cuts = [-(-(k * len(members) - shift) // 5) for k in range(1, 5)]
        expected |= {key: sum(rank >= cut for cut in cuts) for rank, key in enumerate(members)}
    assert assign_folds(KEYS, classes).tolist() == [expected[key] for key in KEYS]
    assert assign_folds(KEYS, classes).dtype == np.int8


def test_row_order_does_not_matter():
    shuffle = np.random.default_rng(0).permutation(len(KEYS))
    folds = assign_folds([KEYS[i] for i in shuffle], [CLASSES[i] for i in shuffle])
    assert folds.tolist() == assign_folds(KEYS, CLASSES)[shuffle].tolist()


def test_classes_may_be_given_as_numbers():
    numbers = np.array([i % 3 for i in range(len(KEYS))])
    assert assign_folds(KEYS, numbers).tolist() == assign_folds(KEYS, [str(n) for n in numbers]).tolist()


def test_another_class_does_not_matter():
    every = assign_folds(KEYS, CLASSES)
    common = [i for i, name in enumerate(CLASSES) if name == "common"]
    assert assign_folds([KEYS[i] for i in common], ["common"] * len(common)).tolist() == every[common].tolist()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, 10**6))
def test_sizes_of_folds(sizes, seed):
    # With classes of any size, down to one member.
    if sum(sizes) < N_FOLDS:
        sizes = [*sizes, N_FOLDS]
    classes = np.repeat(np.arange(len(sizes)), sizes)
    folds = assign_folds([f"{seed}:{i}" for i in range(sum(sizes))], classes)
    for number in range(len(sizes)):
        share = np.bincount(folds[classes == number], minlength=N_FOLDS)
        assert share.max() - share.min() <= 1
    total = np.bincount(folds, minlength=N_FOLDS)
    assert total.max() - total.min() <= len(sizes)


def test_folds_of_a_task_without_classes_have_equal_size():
    sizes = np.bincount(assign_folds(KEYS), minlength=N_FOLDS)
    assert sizes.max() - sizes.min() <= 1


def test_which_folds_get_one_more_differs_from_class_to_class():
    # 200 classes of 7, 1,400 entities: were it the same folds each time, these would have 400 and the others 200.
    classes = [f"class {i // 7}" for i in range(1400)]
    sizes = np.bincount(assign_folds([f"GENE{i}" for i in range(1400)], classes), minlength=N_FOLDS)
    assert sizes.max() - sizes.min() < 40


@settings(deadline=None, max_examples=60)
@given(st.integers(20, 400), st.integers(1, 4), st.integers(1, 10), st.integers(0, 10**6))
def test_removing_an_entity_moves_at_most_one_across_each_cut(n, n_classes, removed, seed):
    keys = [f"{seed}:{i}" for i in range(n)]
    classes = [i % n_classes for i in range(n)]
    kept = np.sort(np.random.default_rng(seed).permutation(n)[removed:])
    before = assign_folds(keys, classes)[kept]
    after = assign_folds([keys[i] for i in kept], [classes[i] for i in kept])
    assert np.count_nonzero(before != after) <= 4 * removed


@pytest.mark.real_data
@pytest.mark.parametrize(("removed", "most"), [(2, 10), (20, 100), (200, 1000)])
def test_a_correction_of_the_pathways_moves_few_genes(raw_dir, removed, most):
    dataset = load("reactome_pathways", RawFiles(raw_dir)).dataset
    keys, folds = entity_keys([dataset["symbol"][:]]), np.array(dataset["fold"][:])
    for seed in range(10):
        kept = np.sort(np.random.default_rng(seed).permutation(len(keys))[removed:])
        moved = np.count_nonzero(assign_folds([keys[i] for i in kept]) != folds[kept])
        assert moved <= most


def test_five_members_are_in_five_folds():
    folds = assign_folds(KEYS[:10], [0] * 5 + [1] * 5)
    assert sorted(folds[:5]) == sorted(folds[5:]) == [0, 1, 2, 3, 4]


def test_too_few_entities():
    with pytest.raises(TaskDataError, match="4 entities, but 5 folds need at least 5"):
        assign_folds(KEYS[:4])


def test_old_folds_can_be_held(monkeypatch, tmp_path):
    hold_old_folds(monkeypatch.setattr)
    # The first digits of their sha256 as they were before.
    for name, expected in (
        ("starter_is_tf", "9d5985de7d17aeb6"),
        ("starter_location", "1629b7c7cf5f1916"),
        ("starter_protein_class", "4c583900880597c0"),
    ):
        dataset = load(name, cache_dir=tmp_path).dataset
        assert hashlib.sha256(np.array(dataset["fold"][:], dtype=np.int8).tobytes()).hexdigest()[:16] == expected
