"""A task about sequences: published parts stay as they are, and `load_dataset` gives them as splits."""

import datasets
import pandas as pd
import pytest

from builders import RawFile, Source
from builders.errors import TaskDataError, UnknownTaskError
from builders.sequences.builder import SequenceTaskBuilder
from builders.sequences.config import SequenceConfig
from builders.sequences.rows import draw_split, sequence_id

COLUMNS = ["sequence_id", "sequence", "label", "split"]


class ToySequences(SequenceTaskBuilder):
    """Rows as a table has them."""

    SOURCE = Source(name="toyseq", title="Toy sequences", files={"rows": RawFile(("rows.tsv",), url=None)})
    BUILDER_CONFIGS = [
        SequenceConfig("toyseq_parts", family="promoter", description="Toy.", sizes={"train": 4, "test": 3}),
        SequenceConfig("toyseq_whole", labels=("no", "yes"), column="whole"),
        SequenceConfig("toyseq_three", target="multiclass"),
    ]

    def rows(self, config):
        table = self.read("rows", ("sequence", "label", "split"))
        return table[["sequence", "label"]] if config.column == "whole" else table


# In no order of parts; TTTT twice, AACC and its other strand in different parts, GATC with both labels.
ROWS = [
    ("GATC", "1", "test"),
    ("ttta", "0", "train"),
    ("AACC", "1", "train"),
    ("TTTT", "1", "dev"),
    ("TTTT", "1", "train"),
    ("TTTT", "0", "train"),
    ("GGTT", "0", "test"),
    ("GATC", "0", "train"),
    ("ACGN", "1", "test"),
]


@pytest.fixture
def build(write_raw, data_dir, tmp_path):
    def make(name, rows=ROWS):
        lines = ["sequence\tlabel\tsplit", *("\t".join(row) for row in rows)]
        write_raw("toyseq/rows.tsv", "\n".join(lines) + "\n")
        builder = ToySequences(name, data_dir=data_dir, cache_dir=tmp_path / "cache")
        builder.prepare()
        return builder

    return make


def published(part):
    names = {"validation": "dev"}
    return [(text.upper(), int(label)) for text, label, split in ROWS if split == names.get(part, part)]


def test_parts_are_splits_and_keep_their_order(build, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    built = build("toyseq_parts")
    loaded = datasets.load_dataset("gene-bench", "toyseq_parts", cache_dir=str(tmp_path / "cache"))
    for parts in (loaded, built.as_dataset()):
        assert list(parts) == ["train", "validation", "test"]
        for name, part in parts.items():
            assert part.column_names == COLUMNS
            assert part.features["label"] == datasets.ClassLabel(names=["0", "1"])
            assert list(zip(part["sequence"], part["label"], strict=True)) == published(name)
            assert part["sequence_id"][:] == [sequence_id(text) for text, _ in published(name)]
            assert set(part["split"]) == {name}
            assert str(part.split) == name
    assert built.as_dataset("validation").num_rows == 1
    assert built.dataset["split"][:] == ["train"] * 5 + ["validation"] + ["test"] * 3
    with pytest.raises(UnknownTaskError, match="toyseq_parts has no split 'dev'; it has 'train', 'validation', 'test'"):
        built.as_dataset("dev")


def test_from_the_cache_it_is_the_same(build):
    first, second = build("toyseq_parts"), build("toyseq_parts")
    assert second.dataset.to_pandas().equals(first.dataset.to_pandas())
    assert second.dataset["split"][:] == first.dataset["split"][:]
    assert second.audit == first.audit


def test_audit_counts_repeats_and_says_where_sizes_differ(build):
    audit = build("toyseq_parts").audit
    assert (audit.rows_read, audit.n, audit.duplicates_collapsed) == (9, 9, 0)
    assert audit.parts["train"] == {
        "rows": 5,
        "labels": {"0": 3, "1": 2},
        "length": [4, 4],
        "other_letters": 0,
        "repeats": 1,
        "repeats_on_strand": 0,
        "both_labels": 1,
        "in": {},
    }
    assert audit.parts["validation"]["in"] == {"train": {"exact": 1, "other_strand": 0, "other_label": 0}}
    assert audit.parts["test"]["in"]["train"] == {"exact": 1, "other_strand": 1, "other_label": 1}
    assert audit.parts["test"]["other_letters"] == 1
    assert audit.notes == ["train has 5 rows, 4 were expected"]
    assert audit.summary() == (
        "train 5, validation 1, test 3 sequences of 4 letters; train: 1 repeats, 1 with several labels;"
        " validation: 1 also in train; test: 1 with letters beyond ACGT, 1 also in train,"
        " 1 with another label in train, 1 on the other strand in train"
    )


def test_split_is_drawn_where_none_was_published(build):
    rows = [(f"ACGT{'ACGT'[i % 4] * i}", "yes" if i % 3 else "no", "") for i in range(1, 21)]
    builder = build("toyseq_whole", rows)
    frame = builder.dataset.to_pandas()
    assert frame["split"].value_counts().to_dict() == {"train": 14, "test": 6}
    assert frame["label"][frame["split"] == "test"].sum() == 4
    assert builder.audit.notes == ["the source has no split: test is the 30 % that 70-30-stratified-sha256-seed0 draws"]
    # It depends on neither row order nor number of rows read before.
    again = build("toyseq_whole", rows[::-1]).dataset.to_pandas()
    assert set(again["sequence"][again["split"] == "test"]) == set(frame["sequence"][frame["split"] == "test"])
    # Within a part, rows keep their order.
    train = set(frame["sequence"][frame["split"] == "train"])
    assert frame["sequence"][:14].tolist() == [text for text, _, _ in rows if text in train]


def test_sizes_of_a_drawn_split_are_those_of_scikit_learn():
    from sklearn.model_selection import train_test_split

    for sizes in ((280, 737), (1497, 2879), (5, 7, 11)):
        labels = [str(i) for i, size in enumerate(sizes) for _ in range(size)]
        parts = draw_split([str(i) for i in range(len(labels))], labels)
        drawn = pd.Series(labels)[pd.Series(parts) == "test"].value_counts()
        _, test = train_test_split(labels, test_size=0.3, stratify=labels, random_state=0)
        assert drawn.sum() == len(test)
        assert (drawn - pd.Series(test).value_counts()).abs().max() <= 1


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [("ACGT", "0", "train"), ("ACXT", "1", "train"), ("A", "0", "test")],
            r"sequence of row 2 of train has 'X' at position 3; expected nucleotides \(A, C, G, T, U, R,",
        ),
        (
            [("ACGT", "0", "train"), (" ", "1", "train"), ("A", "0", "test")],
            r"sequence of row 2 of train is ' '; expected text in every row",
        ),
        (
            [("ACGT", "0", "train"), ("A", "1", "train"), ("", "0", "test")],
            r"sequence of row 1 of test is empty; expected text in every row",
        ),
        (
            [("ACGT", "0", "train"), ("A", "1", "test")],
            r"label '1' of test is missing in train, which has 0",
        ),
        (
            [("ACGT", "0", "train"), ("A", "1", "dev")],
            r"no part 'test' \(rows of train 1, validation 1\); expected train and test, or no column 'split' at all",
        ),
        ([("ACGT", "0", "trian")], r"split is 'trian', expected train, validation, test; did you mean 'train'\?"),
        ([("ACGT", "0", "train"), ("A", "0", "test")], r"1 class \(0\); a binary task has 2"),
        (
            [("ACGT", label, part) for label in "012" for part in ("train", "test")],
            r"3 classes \(0, 1, 2\); a binary task has 2",
        ),
    ],
)
def test_rows_that_make_no_task(build, rows, expected):
    with pytest.raises(TaskDataError, match=f"^toyseq_parts: {expected}") as caught:
        build("toyseq_parts", rows)
    assert "\n" not in str(caught.value)


def test_classes_are_numbered_as_numbers(build):
    rows = [(f"ACG{'T' * i}", str(i), part) for i in (10, 2, 1) for part in ("train", "test")]
    assert build("toyseq_three", rows).dataset.features["label"].names == ["1", "2", "10"]


def test_categories_are_families():
    config = ToySequences.builder_configs["toyseq_parts"]
    assert (config.category, config.family, config.entity, config.ranked) == ("promoter", "promoter", "sequence", False)
    with pytest.raises(TaskDataError, match="x: family is 'promotr', expected genomic, .*did you mean 'promoter'"):
        SequenceConfig("x", family="promotr").validate()
