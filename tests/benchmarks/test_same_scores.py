"""The comparison of two folders of results."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.same_scores import differences, main, read


def result(value: float, label: float = 0.5, folds: tuple[float | None, ...] = (0.5, None)) -> dict[str, Any]:
    score = {"mean": value, "std": 0.0, "folds": [value, *folds[1:]]}
    labels = {"a": {"roc_auc": {"mean": label, "std": 0.0, "folds": [label]}}}
    return {"schema_version": 1, "scores": {"roc_auc": score}, "labels": labels}


def test_differences_are_those_of_scores_and_labels() -> None:
    found = {each.metric: each for each in differences(result(0.5), result(0.502, label=0.6))}
    assert found.keys() == {"roc_auc", "roc_auc of a"}
    assert (found["roc_auc"].folds, found["roc_auc"].mean) == pytest.approx((0.002, 0.002))
    assert found["roc_auc of a"].folds == pytest.approx(0.1)


def test_what_is_undefined_in_one_differs() -> None:
    (whole, _) = differences(result(0.5), result(0.5, folds=(0.5, 0.7)))
    assert whole.folds == math.inf


def test_folders_are_compared_and_nothing_to_compare_is_an_error(tmp_path: Path) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder / "model").mkdir(parents=True)
        (tmp_path / folder / "model" / "one.json").write_text(json.dumps(result(0.5)))
    assert list(read(tmp_path / "old")) == [("model", "one")]
    assert main([str(tmp_path / "old"), str(tmp_path / "new")]) == 0
    assert main([str(tmp_path / "old"), str(tmp_path)]) == 1
