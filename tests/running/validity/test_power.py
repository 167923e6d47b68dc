"""`gene-bench power`, and which tasks it takes out of ranks."""

import csv
import io
import json

import pandas as pd
import pytest

import gene_eval
from gene_eval.cli.parser import main
from gene_eval.core.statistics.power import auc_standard_error, planned_difference


def _task(n: int, positives: int) -> pd.DataFrame:
    genes = gene_eval.run("random:dim=2", "starter_is_tf", log=lambda line: None).predictions(
        "random:dim=2", "starter_is_tf"
    )
    return pd.DataFrame({"symbol": genes["symbol"][:n], "label": [number < positives for number in range(n)]})


def test_the_command_says_the_same_in_all_forms(capsys: pytest.CaptureFixture[str]) -> None:
    found = {}
    for form in ("text", "csv", "json"):
        assert main(["power", "-t", "starter_*", "--format", form]) == 0
        found[form] = capsys.readouterr().out
    facts = {row["task"]: row for row in json.loads(found["json"])}
    lines = {row["task"]: row for row in csv.DictReader(io.StringIO(found["csv"]))}
    expected = planned_difference(auc_standard_error(64, 256))
    assert facts["starter_is_tf"]["detectable"] == pytest.approx(expected)
    assert float(lines["starter_is_tf"]["detectable"]) == pytest.approx(expected)
    assert f"{expected:.3f}" in next(line for line in found["text"].splitlines() if line.startswith("starter_is_tf "))
    assert facts["starter_membrane_segments"]["detectable"] is None
    assert lines["starter_membrane_segments"]["detectable"] == ""


def test_small_classes_and_large_errors_are_shown_and_not_ranked() -> None:
    tasks = {"rare": _task(300, 29), "few": _task(100, 50), "fine": _task(300, 100)}
    frame = gene_eval.power(tasks).set_index("task")
    assert frame["smallest_class"].to_dict() == {"rare": 29, "few": 50, "fine": 100}
    assert frame.loc["rare", "why_unranked"] == "a class of 29, fewer than 30"
    assert frame.loc["few", "why_unranked"] == "a detectable difference of 0.137, more than 0.10"
    assert frame["is_ranked"].to_dict() == {"rare": False, "few": False, "fine": True}
    results = gene_eval.run(["random:dim=3", "random:seed=1"], tasks, log=lambda line: None)
    assert {result.task.class_counts for result in results} == {(271, 29), (50, 50), (200, 100)}
    (table,) = results.report.tables
    assert table.groups["overall"] == ("fine",)
    assert {ranking.name for ranking in table.task_rankings} == set(tasks)
    assert "rare: a class of 29, fewer than 30" in str(results)
    assert set(results.rank("tasks")["group"]) == set(tasks)


def test_what_cannot_be_planned_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["power", "-t", "nosuch"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nosuch" in line
