"""From rows to a task: duplicates, rare labels, label numbers; every rule at its boundary."""

import math

import pandas as pd
import pytest

from builders import Audit
from builders.errors import TaskDataError
from builders.labels import drop_rare, encode, one_row_per_entity


def frame(**columns):
    return pd.DataFrame(columns)


def pairs(rows):
    return list(zip(rows["symbol"], rows["label"], strict=True))


def test_equal_labels_collapse_and_conflicts_are_dropped():
    audit = Audit()
    rows = frame(symbol=["C", "A", "B", "A", "B", "A"], label=["x", "x", "x", "x", "y", "x"])
    kept = one_row_per_entity(rows, ["symbol"], "agree", audit)
    assert pairs(kept) == [("A", "x"), ("C", "x")]
    assert (audit.duplicates_collapsed, audit.conflicts_dropped) == (2, 1)


def test_numbers_agree_only_if_they_are_equal():
    audit = Audit()
    rows = frame(symbol=["A", "A", "B", "B"], label=[0.5, 0.5, 0.5, 0.25])
    assert pairs(one_row_per_entity(rows, ["symbol"], "agree", audit)) == [("A", 0.5)]
    assert (audit.duplicates_collapsed, audit.conflicts_dropped) == (1, 1)


def test_sets_are_united():
    audit = Audit()
    rows = frame(symbol=["B", "A", "A", "A"], label=[frozenset(cell) for cell in ("z", "yx", "x", "")])
    kept = one_row_per_entity(rows, ["symbol"], "union", audit)
    assert pairs(kept) == [("A", {"x", "y"}), ("B", {"z"})]
    assert (audit.duplicates_collapsed, audit.conflicts_dropped) == (2, 0)


def test_an_entity_is_all_its_keys():
    rows = frame(symbol=["A", "A", "A"], disease_id=["d2", "d1", "d1"], label=[1.0, 2.0, 2.0])
    kept = one_row_per_entity(rows, ["symbol", "disease_id"], "agree", Audit())
    assert kept.to_dict("list") == {"symbol": ["A", "A"], "disease_id": ["d1", "d2"], "label": [2.0, 1.0]}


def test_nothing_repeated_and_nothing_at_all():
    audit = Audit()
    assert pairs(one_row_per_entity(frame(symbol=["B", "A"], label=["y", "x"]), ["symbol"], "agree", audit)) == [
        ("A", "x"),
        ("B", "y"),
    ]
    assert pairs(one_row_per_entity(frame(symbol=[], label=[]), ["symbol"], "agree", audit)) == []
    assert audit.duplicates_collapsed == 0


def labelled(n, **counts):
    """`n` entities of which the first `count` have the label."""
    cells = [frozenset(label for label, count in counts.items() if i < count) for i in range(n)]
    return frame(symbol=[f"G{i:05}" for i in range(n)], label=cells)


@pytest.mark.parametrize(
    ("n", "least"),
    [(500, 5), (501, 6), (600, 6), (601, 7), (2900, 29), (2901, 30), (20, 5), (499, 5)],
)
def test_multilabel_label_needs_one_percent_and_five(n, least):
    audit = Audit()
    rows = drop_rare(labelled(n, common=n - 1, enough=least, rare=least - 1), "multilabel", audit)
    assert audit.labels_dropped == {"rare": least - 1}
    # Its entities stay, as negatives of the other labels; the last one has no label at all.
    assert len(rows) == n
    assert (rows["label"].iloc[0], rows["label"].iloc[-1]) == ({"common", "enough"}, frozenset())
    assert audit.rows_dropped == 0


def test_class_needs_five_members_and_no_percentage():
    audit = Audit()
    rows = frame(symbol=[f"G{i}" for i in range(1009)], label=["a"] * 1000 + ["b"] * 5 + ["c"] * 4)
    kept = drop_rare(rows, "multiclass", audit)
    assert kept["label"].value_counts().to_dict() == {"a": 1000, "b": 5}
    assert (audit.labels_dropped, audit.rows_dropped) == ({"c": 4}, 4)


def test_numbers_are_never_rare():
    audit = Audit()
    rows = frame(symbol=["A", "B"], label=[1.0, 2.0])
    assert drop_rare(rows, "regression", audit) is rows
    assert audit.labels_dropped == {}


def test_binary_order_is_negative_then_positive():
    rows = frame(symbol=list("ABC"), label=["tf", "other", "tf"])
    assert encode(rows, "binary", ("other", "tf"), "t") == ([1, 0, 1], ["other", "tf"])
    assert encode(rows, "binary", ("tf", "other"), "t") == ([0, 1, 0], ["tf", "other"])


def test_classes_are_sorted_regardless_of_case():
    rows = frame(symbol=list("ABCD"), label=["b", "C", "a", "B"])
    assert encode(rows, "multiclass", None, "t") == ([2, 3, 0, 1], ["a", "B", "b", "C"])


def test_multilabel_numbers_are_sorted_and_may_be_none():
    rows = frame(symbol=list("ABC"), label=[("z", "a"), (), ("m",)])
    assert encode(rows, "multilabel", None, "t") == ([[0, 2], [], [1]], ["a", "m", "z"])


def test_regression_has_no_names():
    assert encode(frame(symbol=list("AB"), label=[1, 2.5]), "regression", None, "t") == ([1.0, 2.5], None)


@pytest.mark.parametrize(
    ("target", "label", "names", "message"),
    [
        ("binary", ["tf", "tf"], ("other", "tf"), r"t: 2 rows with 1 usable label\(s\); expected 2 with 5 members"),
        ("multiclass", ["a", "a"], None, r"t: 2 rows with 1 usable label\(s\)"),
        ("multilabel", [(), ()], None, r"t: 2 rows with 0 usable label\(s\); expected 1 with"),
        ("regression", [0.5, 0.5], None, "t: all 2 values are equal; expected values that differ"),
        ("regression", [0.5, math.nan], None, "t: 1 values are not finite numbers"),
        ("regression", [math.inf, math.nan], None, "t: 2 values are not finite numbers"),
        ("binary", ["tf", "maybe"], ("other", "tf"), "t: unexpected label 'maybe'; expected one of other, tf"),
    ],
)
def test_rows_that_make_no_task(target, label, names, message):
    with pytest.raises(TaskDataError, match=message):
        encode(frame(symbol=["A", "B"], label=label), target, names, "t")
