"""One label of a multi-label task as a binary task with folds of its own."""

import datasets
import numpy as np
import pytest

from builders import assign_folds, label_slugs, load, subtasks
from builders.errors import UnknownTaskError


@pytest.fixture(scope="module")
def location():
    return load("starter_location")


def test_every_label_is_a_task(location):
    names = location.dataset.features["label"].feature.names
    made = subtasks(location)
    assert [item.config.name for item in made] == [f"starter_location/{slug}" for slug in label_slugs(names)]
    for number, (name, item) in enumerate(zip(names, made, strict=True)):
        assert item.config.target == "binary"
        assert item.config.labels == (f"not {name}", name)
        assert item.dataset.features == datasets.Features(
            {
                "symbol": datasets.Value("string"),
                "label": datasets.ClassLabel(names=[f"not {name}", name]),
                "fold": datasets.Value("int8"),
            }
        )
        assert list(item.dataset["symbol"]) == list(location.dataset["symbol"])
        assert list(item.dataset["label"]) == [int(number in cell) for cell in location.dataset["label"]]


def test_folds_are_stratified_by_the_label(location):
    for item in subtasks(location):
        labels, folds = np.array(item.dataset["label"]), np.array(item.dataset["fold"])
        assert (
            folds.tolist()
            == assign_folds(list(item.dataset["symbol"]), [item.config.labels[i] for i in labels]).tolist()
        )
        positives = np.bincount(folds[labels == 1], minlength=5)
        assert positives.max() - positives.min() <= 1


def test_the_parent_is_left_as_it_was(location):
    before = (location.config.name, location.config.target, location.config.labels, location.config.paper_name)
    (item,) = subtasks(location, "nucleus")
    assert (item.config.family, item.config.gene_table, item.config.ranked) == ("localization", "starter_genes", False)
    assert (item.config.paper_name, item.config.paper_size) == (None, None)
    after = (location.config.name, location.config.target, location.config.labels, location.config.paper_name)
    assert after == before
    assert location.dataset.features["label"] == datasets.List(location.dataset.features["label"].feature)


def test_patterns(location):
    assert [item.config.name for item in subtasks(location, "*plasm*")] == [
        "starter_location/endoplasmic_reticulum",
        "starter_location/plasma_membrane",
    ]
    with pytest.raises(
        UnknownTaskError, match=r"has no label 'nucleos'; did you mean 'nucleus'\? it has cytoskeleton,"
    ):
        subtasks(location, "nucleos")


def test_only_a_multilabel_task_has_labels():
    with pytest.raises(UnknownTaskError, match="starter_is_tf has no sub-tasks"):
        subtasks(load("starter_is_tf"))


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        (["DNA Repair", "Metabolism of RNA"], ["dna_repair", "metabolism_of_rna"]),
        (["Gene expression (Transcription)", "3'-end", "+/-"], ["gene_expression_transcription", "3_end", "label"]),
        (["a b", "a-b", "A B", "a b c"], ["a_b", "a_b_2", "a_b_3", "a_b_c"]),
        (["x 2", "x", "X"], ["x_2", "x", "x_3"]),
    ],
)
def test_slugs(names, slugs):
    assert label_slugs(names) == slugs
    assert len(set(slugs)) == len(slugs)
