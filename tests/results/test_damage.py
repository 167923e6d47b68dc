"""A result file that no run can have written is named and left out; it never stops what reads the others."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gene_eval.cli.parser import main
from gene_eval.errors import ResultError
from gene_eval.results.checks import metric_range
from gene_eval.results.store import load, load_folder

Content = dict[str, Any]


@pytest.fixture
def folder(repo: Path, tmp_path: Path) -> Path:
    """Results of two models on a task, made by a run."""
    for source in (repo / "tests" / "data" / "results" / "schema1").glob("*/starter_is_tf.json"):
        target = tmp_path / source.parent.name / source.name
        target.parent.mkdir()
        target.write_bytes(source.read_bytes())
    return tmp_path


@pytest.fixture
def damaged(folder: Path) -> Path:
    return folder / "bag-of-words" / "starter_is_tf.json"


def _set(path: str, value: object) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        *parents, last = path.split(".")
        for name in parents:
            content = content[name]
        content[last] = value

    return change


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("scores.roc_auc.folds", [0.5, 17, 0.5, 0.5, 0.5]), "scores.roc_auc: a fold is 17, expected 0 to 1"),
        (_set("scores.mcc.folds", [-1.5]), "scores.mcc: a fold is -1.5, expected -1 to 1"),
        (_set("scores.roc_auc.mean", 0.99), "scores.roc_auc: mean is 0.99, but its folds give 0.91"),
        (_set("scores.roc_auc.mean", None), "scores.roc_auc: mean is nan, but its folds give 0.91"),
        (_set("scores.roc_auc.std", 0.5), "scores.roc_auc: std is 0.5, but its folds give 0.02"),
        (_set("scores.roc_auc.folds", []), "scores.roc_auc: there are no folds"),
        (_set("scores.roc_auc.folds", [None] * 5), "scores.roc_auc: a mean, but no fold is defined"),
        (_set("labels", {"x": {"f1": {"mean": 2, "std": 0, "folds": [2]}}}), "labels.x.f1: a fold is 2, expected 0"),
        (_set("coverage.n_scored", 321), "coverage: 321 scored and 0 missing are not part of 320"),
        (_set("coverage.n_scored", -1), "coverage: -1 scored"),
        (_set("probe.shots", 0), "field probe.shots is 0, expected null or 1 and more"),
        (_set("probe.C", [1]), "field probe.C is a list, expected a number"),
        (_set("probe.common_to", 3), "field probe.common_to is a int, expected a list of models"),
        (_set("model.options", {"parts": "x"}), "field model.options does not say what the model is made of"),
        (_set("model.options", {"parts": [{"adapter": "random"}]}), r"field model.options.parts\[0\] is no model"),
        (
            _set("permuted", {"metric": "roc_auc", "scores": [0.5], "p_value": 17, "selectivity": 0}),
            "permuted: p is 17 of 1 permutations",
        ),
        (_set("confusion", [[[1, 2], [3, 4]], [[1, 2]]]), "confusion: a table is not square"),
        (_set("confusion", [[[1, -2], [3, 4]]]), "confusion: a table has a count below 0"),
        (_set("confusion", [[]]), "confusion: a table is not square, or has no class"),
        (_set("intervals", {"mcc": [0.1]}), "intervals.mcc has 1 numbers, expected 2"),
        (_set("task.id", "../../etc"), "field task.id is '../../etc'"),
        (_set("task.n", 10**400), "an integer of 401 digits, expected at most 18"),
        (_set("model.options", {"a": 10**4000}), "an integer of 4,001 digits"),
        (_set("model.options", {"a": _nested(30)}), "field model.options.a is nested more than 20 levels deep"),
        (_set("model.id", "\ud800"), r"not valid JSON \(half of a character pair\)"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_are_refused_and_named(
    folder: Path, damaged: Path, change: Callable[[Content], None], reason: str
) -> None:
    content = json.loads(damaged.read_text())
    change(content)
    damaged.write_text(json.dumps(content))
    with pytest.raises(ResultError, match=rf"cannot read result {damaged}: .*{reason}") as caught:
        load(damaged)
    assert "\n" not in str(caught.value)
    found = load_folder(folder)
    assert [result.model.id for result in found.results] == ["random:dim=8"]
    assert found.problems == (str(caught.value),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("1e999", "1e999 is larger than any number"), ("-1e999", "-1e999 is larger"), ("9" * 5000, "5,000 digits")],
)
def test_numbers_beyond_all_bounds_are_refused(damaged: Path, text: str, reason: str) -> None:
    damaged.write_text(damaged.read_text().replace('"seed": 0', f'"seed": {text}'))
    with pytest.raises(ResultError, match=reason):
        load(damaged)


def test_pairs_of_characters_outside_the_first_plane_are_text(damaged: Path) -> None:
    damaged.write_text(damaged.read_text().replace('"id": "bag-of-words"', r'"id": "\ud83e\uddec"'))
    assert load(damaged).model.id == "🧬"


@pytest.mark.parametrize("command", ["report", "html", "compare", "card", "verify"])
def test_every_command_names_a_bad_file_and_leaves_it_out(
    folder: Path, damaged: Path, command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = damaged.read_text()
    copy = damaged.with_name("starter_location.json")
    copy.write_text(text.replace('"mean": 0.9', '"mean": 1e999'))
    arguments = {
        "report": ["report", folder],
        "html": ["report", folder, "--format", "html"],
        "compare": ["compare", folder, "bag-of-words", "random:dim=8"],
        "card": ["card", folder, "bag-of-words", "-o", tmp_path / "out" / "README.md"],
        "verify": ["verify", copy],
    }[command]
    assert main([str(argument) for argument in arguments]) == (2 if command == "verify" else 1)
    err = capsys.readouterr().err
    assert f"cannot read result {copy}: " in err
    assert "Traceback" not in err


def test_a_pipe_among_results_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "bag-of-words" / "pipe.json")
    script = "import sys; from gene_eval.results.store import load_folder; print(load_folder(sys.argv[1]).problems)"
    done = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, timeout=60, check=True
    )
    assert "pipe.json: not a regular file" in done.stdout


def test_ranges_are_known_for_every_metric_that_is_reported() -> None:
    from gene_eval.core.metrics import METRICS

    bounded = {metric: metric_range(metric) for metrics in METRICS.values() for metric in metrics}
    assert {metric for metric, (low, high) in bounded.items() if (low, high) == (float("-inf"), float("inf"))} == set()
    assert bounded["spearman"] == (-1.0, 1.0)
    assert bounded["hamming_loss"] == (0.0, 1.0)
    assert bounded["rmse"] == (0.0, float("inf"))
    assert metric_range("something_new") == (float("-inf"), float("inf"))
