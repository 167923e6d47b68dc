"""A user's own sequences as a task."""

import pandas as pd
import pytest

from builders import RawFiles
from builders.dataset import parts_of
from builders.errors import MissingFileError, TaskDataError
from builders.sequences.tables import build_sequence_table
from builders.user_tables import build_table

ROWS = {"text": ["ACGT", "ccga", "GGGG", "TTTA"], "label": [1, 0, 1, 0], "split": ["train", "train", "val", "test"]}


def test_a_frame_and_a_file_are_the_same_task(tmp_path):
    frame = pd.DataFrame(ROWS)
    frame.to_csv(tmp_path / "mine.csv.gz", index=False)
    frame.to_csv(tmp_path / "mine.tsv", index=False, sep="\t")
    built = build_sequence_table("mine", frame)
    parts = parts_of(built.dataset)
    assert {name: (part["sequence"][:], part["label"][:]) for name, part in parts.items()} == {
        "train": (["ACGT", "CCGA"], [1, 0]),
        "validation": (["GGGG"], [1]),
        "test": (["TTTA"], [0]),
    }
    assert built.config.target == "binary"
    for name in ("mine.csv.gz", "mine.tsv"):
        assert build_table("mine", tmp_path / name, RawFiles(None)).dataset.to_dict() == built.dataset.to_dict()


def test_names_and_parts_of_ones_own():
    frame = pd.DataFrame({"sequence_id": list("abcdef"), "sequence": ["ACGT"] * 6, "label": list("xyzxyz")})
    built = build_sequence_table("mine", frame)
    assert (built.config.target, built.dataset.features["label"].names) == ("multiclass", ["x", "y", "z"])
    assert sorted(built.dataset["sequence_id"]) == list("abcdef")
    assert built.dataset["split"][:].count("test") == 2


def test_rna_is_read_as_dna():
    """The same transcript has one identifier, and models of DNA take it."""
    built = build_sequence_table("mine", pd.DataFrame({**ROWS, "text": ["ACGU", "ccga", "GGGG", "uuua"]}))
    assert built.dataset.to_dict() == build_sequence_table("mine", pd.DataFrame(ROWS)).dataset.to_dict()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([1, -1, 1, -1], ["-1", "1"]), ([10, 9, 10, 9], ["9", "10"]), (["nan", "2", "nan", "2"], ["2", "nan"])],
)
def test_classes_that_are_numbers_go_by_their_values(labels, expected):
    assert (
        build_sequence_table("mine", pd.DataFrame({**ROWS, "label": labels})).dataset.features["label"].names
        == expected
    )


def test_a_repeated_row_of_ones_own_keeps_its_name():
    frame = pd.DataFrame({**ROWS, "sequence_id": list("abcd")})
    again = pd.concat([frame, frame[:1]])
    assert build_sequence_table("mine", again).dataset["sequence_id"][:] == ["a", "b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"dna": ["A"], "label": [1]},
            r"^mine: columns are dna, label; expected 'sequence' \(or 'text'\) and 'label'$",
        ),
        ({**ROWS, "label": [1, None, 1, 0]}, r"^mine: label of row 2 of train is empty; expected text in every row$"),
        (
            {**ROWS, "text": ["ACGT", "AC-T", "A", "A"]},
            r"^mine: sequence of row 2 of train has '-' at position 3; expected",
        ),
        (
            {**ROWS, "sequence_id": ["a", "b", "c", "b"]},
            r"^mine: sequence_id 'b' of row 1 of test is also another sequence's; expected one for each$",
        ),
        ({**ROWS, "label": [1, 1, 1, 1]}, r"^mine: 1 class \(1\); a multiclass task has 2 or more$"),
    ],
)
def test_tables_that_make_no_task(columns, expected):
    with pytest.raises(TaskDataError, match=expected):
        build_sequence_table("mine", pd.DataFrame(columns))


def test_no_file():
    with pytest.raises(MissingFileError, match=r"^no file nowhere\.csv; expected `label` and `symbol`"):
        build_table("mine", "nowhere.csv", RawFiles(None))
